// @ts-check
/**
 * A browser cannot set headers on a WebSocket, so a token travels as a subprotocol (API.md, `--token`).
 *
 * @param {string | null} token
 * @returns {string[]} subprotocols to offer
 */
export function subprotocols(token) {
  return token === null ? ["loophole.v1"] : ["loophole.v1", `token.${base64url(token)}`];
}

/**
 * UTF-8 in base64url without padding.
 *
 * @param {string} text
 */
function base64url(text) {
  const bytes = Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte));
  return btoa(bytes.join("")).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}
