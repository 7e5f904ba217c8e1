// @ts-check
/** How long the question may take, in milliseconds. */
const PATIENCE_MS = 3000;

/**
 * Asks an engine over HTTP why its WebSocket cannot be reached: a handshake that it refuses looks to a browser like any other failure.
 *
 * @param {string} url of the WebSocket
 * @param {string | null} token
 * @param {AbortController} asking ends the question
 * @returns {Promise<number>} the status of its answer, 403 where a browser keeps the answer from us, 0 where there is none
 */
export async function askStatus(url, token, asking) {
  const document = new URL("openrpc.json", url.replace(/^ws/, "http"));
  const headers = token === null ? undefined : { authorization: `Bearer ${token}` };
  const { signal } = asking;
  const late = setTimeout(() => asking.abort(), PATIENCE_MS);
  try {
    return await statusOf(document, { headers, signal });
  } catch {
    // Nothing listens there at the moment, or our origin is not let in.
  } finally {
    clearTimeout(late);
  }
  if (!("document" in globalThis) || signal.aborted) return 0;
  try {
    await statusOf(document, { mode: "no-cors", signal });
    return 403;
  } catch {
    return 0; // The WebSocket says so in its own time.
  }
}

/**
 * @param {URL} url
 * @param {RequestInit} init
 */
async function statusOf(url, init) {
  const answer = await fetch(url, init);
  await answer.body?.cancel();
  return answer.status;
}
