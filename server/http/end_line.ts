/**
 * The last words on a line.
 *
 * @module
 */
import type { Socket } from "node:net";
import { afterMs } from "../../engine/bounded.ts";

/** How long the other side has to take them, in milliseconds. */
const WITHIN_MS = 500;

/** Sends `parts`, ends the line, and cuts it if the other side does not end it too. */
export function endLine(line: Socket, ...parts: (string | Uint8Array)[]): void {
  // What else comes is read and dropped: a line cut with unread bytes would be reset, and the words lost.
  line.removeAllListeners("data");
  line.on("data", () => {});
  for (const part of parts) line.write(part);
  line.end();
  line.once("close", afterMs(WITHIN_MS, () => line.destroy()));
}
