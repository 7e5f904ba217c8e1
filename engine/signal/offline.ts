/**
 * Rendering away from the device: a renderer of its own over the same pages.
 *
 * @module
 */
import { check, nativeCode, NativeError } from "../../ffi/check.ts";
import type { NativeSymbols } from "../../ffi/library.ts";
import type { Frames, MixModel } from "./model.ts";
import { Packer } from "./pack.ts";
import type { OfflineRender } from "./signal_api.ts";

const OFFLINE = 1;
/** A page that does not come within this time is taken as silence, and counted. */
const PATIENCE_MS = 5000;
/** The same for what follows it: a file that cannot be read must not cost the first patience a page. */
const LEAST_PATIENCE_MS = 20;
/** Frames rendered without waiting after a page did not come: about what a page holds. */
const SKIP_FRAMES = 8192;

/** @param sourceOf Native handle of an asset's source, 0 if it has none. */
export function renderOffline(
  symbols: NativeSymbols,
  engine: number,
  mix: MixModel,
  startFrame: Frames,
  sourceOf: (assetId: string) => number,
): OfflineRender {
  const renderer = check(symbols.lp_renderer_create(engine, OFFLINE), "make a renderer");
  const packed = new Packer().pack(mix, 0, [], sourceOf);
  const counters = new Float64Array(4);
  let pending: Promise<unknown> = Promise.resolve();
  let closed = false;
  let patience = PATIENCE_MS;
  try {
    check(
      symbols.lp_publish(renderer, packed.bytes, packed.bytes.length),
      "publish the mix for rendering",
    );
    check(symbols.lp_transport_play(renderer, startFrame, NaN), `render from frame ${startFrame}`);
  } catch (error) {
    void symbols.lp_renderer_close(renderer);
    throw error;
  }

  async function fill(out: Float32Array<ArrayBuffer>, frames: number): Promise<void> {
    for (let done = 0; done < frames;) {
      const rest = out.subarray(done * 2);
      const result = await symbols.lp_render_wait(renderer, rest, frames - done, patience);
      if (result > 0) {
        done += result;
        if (result > SKIP_FRAMES) patience = PATIENCE_MS;
        continue;
      }
      if (nativeCode(result) !== "timeout") {
        throw new NativeError(`render at frame ${done}`, result);
      }
      // What did not come for so long is left out.
      patience = Math.max(LEAST_PATIENCE_MS, patience / 4);
      const step = Math.min(SKIP_FRAMES, frames - done);
      check(symbols.lp_render(renderer, rest, step), `render at frame ${done}`);
      done += step;
    }
  }

  return {
    async next(frames: number): Promise<Float32Array<ArrayBuffer>> {
      if (closed) throw new Error("Cannot render on: this render is closed");
      const out = new Float32Array(frames * 2);
      await (pending = fill(out, frames));
      return out;
    },
    missing(): number {
      if (closed) return counters[2];
      symbols.lp_counters(renderer, counters, counters.length);
      return counters[2];
    },
    async [Symbol.asyncDispose](): Promise<void> {
      if (closed) return;
      closed = true;
      await pending.catch(() => {});
      await symbols.lp_renderer_close(renderer);
    },
  };
}
