/**
 * A whole file at another speed and its own pitch.
 *
 * Time t of a render is time t·rate of its file: what a block gives is put where its middle belongs, so that the stretcher's own delay is not heard.
 *
 * @module
 */
import { type FrameReader, StretchSource } from "./stretch_source.ts";
import type { Stretcher } from "./stretcher.ts";
import type { Steps } from "./task_queue.ts";

/** What a step should take. */
const STEP_MS = 4;

/** Frames of a render of `frames` frames: `ceil(frames / rate)`. */
export function renderFrames(frames: number, rate: number): number {
  return Math.ceil(frames / rate);
}

/**
 * Stretches a file, from front to back.
 *
 * @param stretcher A new one, of the file's channels and rate.
 * @param write Takes the next frames, interleaved; they are overwritten afterwards. Called until it had `renderFrames(frames, rate)` of them.
 * @throws {Error} If the file ends early, and what `write` throws.
 */
export function* stretchFile(
  file: FrameReader,
  stretcher: Stretcher,
  write: (samples: Float32Array<ArrayBuffer>) => void,
): Steps<void> {
  const { frames, channels } = file.info;
  const { rate, blockFrames, hopFrames, historyFrames, inputLatency, outputLatency } = stretcher;
  const length = renderFrames(frames, rate);
  const source = new StretchSource(file, historyFrames);
  const samples = new Float32Array(hopFrames * channels);
  // Where the first step's frames stand: early enough that all blocks that reach into the render are whole.
  const first = -Math.ceil((blockFrames + outputLatency) / hopFrames) * hopFrames;
  let began = performance.now();
  for (let at = first; at < length; at += hopFrames) {
    const middle = Math.round((at + outputLatency) * rate);
    source.copy(middle + inputLatency - historyFrames, stretcher.inputs);
    stretcher.step();
    const from = Math.max(0, -at);
    const to = Math.min(hopFrames, length - at);
    if (from < to) {
      interleave(stretcher.outputs, from, to, samples);
      write(samples.subarray(0, (to - from) * channels));
    }
    if (performance.now() - began < STEP_MS) continue;
    yield;
    began = performance.now();
  }
}

function interleave(
  planes: readonly Float32Array[],
  from: number,
  to: number,
  out: Float32Array,
): void {
  const channels = planes.length;
  planes.forEach((plane, channel) => {
    for (let i = from, at = channel; i < to; i++, at += channels) out[at] = plane[i];
  });
}
