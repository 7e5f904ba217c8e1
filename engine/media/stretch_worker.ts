/**
 * The worker that stretches: renders files at other speeds with their own pitch, one at a time, in steps of a few milliseconds, on a
 * thread below all others.
 *
 * @module
 */
/// <reference lib="deno.worker" />
import { openLibraryAt } from "../../ffi/library.ts";
import { STRETCH_SYMBOLS } from "../../ffi/symbols.ts";
import type { StretchInit, StretchReply, StretchRequest } from "./stretch_protocol.ts";
import { StretchService } from "./stretch_service.ts";
import { toWire } from "./wire_error.ts";

const post = (reply: StretchReply) => self.postMessage(reply);

self.addEventListener("message", (first: MessageEvent<StretchInit>) => {
  const { libraryPath, cacheDir, budgetBytes } = first.data;
  try {
    const library = openLibraryAt(libraryPath, STRETCH_SYMBOLS);
    library.symbols.lp_thread_lower(); // Where the system refuses, it is as busy as others.
    const service = new StretchService({
      library,
      cacheDir,
      budgetBytes,
      post,
      stopped: () => library.close().then(() => self.close()),
    });
    self.addEventListener(
      "message",
      (event: MessageEvent<StretchRequest>) => service.handle(event.data),
    );
    post({ ready: true });
  } catch (error) {
    post({ id: 0, error: toWire(error) });
    self.close();
  }
}, { once: true });
