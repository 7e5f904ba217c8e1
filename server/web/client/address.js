// @ts-check
/** @import { SocketMaker } from "./interface.ts" */

/**
 * The address of the WebSocket of an engine, which may be served under a path by something in between.
 *
 * @param {string} url
 */
export function socketUrl(url) {
  const { href, pathname } = new URL(url);
  const socket = href.replace(/^http/, "ws");
  if (pathname.endsWith("/pulse")) return socket;
  return new URL("pulse", pathname.endsWith("/") ? socket : `${socket}/`).href;
}

/**
 * The runtime's own.
 *
 * @returns {SocketMaker}
 * @throws {TypeError} where it has none
 */
export function ownWebSocket() {
  const own = globalThis.WebSocket;
  if (own !== undefined) return /** @type {SocketMaker} */ (/** @type {unknown} */ (own));
  throw new TypeError(
    "Cannot connect: this runtime has no WebSocket. In Node.js before 22 start it with " +
      "--experimental-websocket, or pass one as { WebSocket }, such as that of the npm package ws",
  );
}
