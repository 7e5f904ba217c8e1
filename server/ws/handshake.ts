/**
 * The opening of a WebSocket (RFC 6455 §4.2): what a client asked for and the head of the answer.
 *
 * @module
 */
import { createHash } from "node:crypto";

/** What is wrong with an upgrade, `null` if nothing. */
export function upgradeFault(method: string, headers: Headers): string | null {
  if (method !== "GET") return `an upgrade must be a GET, not ${method}`;
  if (headers.get("upgrade")?.toLowerCase() !== "websocket") return "Upgrade must be websocket";
  if (headers.get("sec-websocket-version") !== "13") return "Sec-WebSocket-Version must be 13";
  if (!/^[A-Za-z0-9+/]{22}==$/.test(headers.get("sec-websocket-key") ?? "")) {
    return "Sec-WebSocket-Key must be 16 bytes in base64";
  }
  return null;
}

/** The answer that opens; `subprotocol` must be one that the client offered. */
export function switchingProtocols(key: string, subprotocol: string | null): string {
  const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest(
    "base64",
  );
  return [
    "HTTP/1.1 101 Switching Protocols",
    "Upgrade: websocket",
    "Connection: Upgrade",
    `Sec-WebSocket-Accept: ${accept}`,
    ...(subprotocol === null ? [] : [`Sec-WebSocket-Protocol: ${subprotocol}`]),
    "",
    "",
  ].join("\r\n");
}
