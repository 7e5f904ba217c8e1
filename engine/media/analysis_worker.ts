/**
 * The analysis worker: reads files away from the main thread, in steps of a few milliseconds, and answers questions between them.
 *
 * @module
 */
/// <reference lib="deno.worker" />
import { openLibraryAt } from "../../ffi/library.ts";
import { SCAN_SYMBOLS } from "../../ffi/symbols.ts";
import type { AnalysisInit, AnalysisReply, AnalysisRequest } from "./analysis_protocol.ts";
import { AnalysisService } from "./analysis_service.ts";
import { toWire } from "./wire_error.ts";

const post = (reply: AnalysisReply, transfer: Transferable[] = []) =>
  self.postMessage(reply, transfer);

self.addEventListener("message", (first: MessageEvent<AnalysisInit>) => {
  const { libraryPath, cacheDir, memoryBytes } = first.data;
  try {
    const library = openLibraryAt(libraryPath, SCAN_SYMBOLS);
    const service = new AnalysisService({
      library,
      cacheDir,
      memoryBytes,
      post,
      stopped: () => library.close().then(() => self.close()),
    });
    self.addEventListener(
      "message",
      (event: MessageEvent<AnalysisRequest>) => service.handle(event.data),
    );
    post({ ready: true });
  } catch (error) {
    post({ id: 0, error: toWire(error) });
    self.close();
  }
}, { once: true });
