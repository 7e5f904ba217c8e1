/**
 * Sound of which each sample says which frame it is: the left side counts, the right side is a tone. What was captured can so be told frame by frame, and
 * where it was faded, cut or lost.
 *
 * @module
 */
import type { AudioMaterial } from "./audio_files.ts";

/** Frames that can be told apart: 174 s at 48 kHz. */
const COUNTED = 2 ** 23;
const AMPLITUDE = 0.5;

/** Frequency of the tone, in periods a second. */
export const TONE_HZ = 220;

/** The left side's sample of a frame. Never 0. */
export function codeOf(frame: number): number {
  return (frame + 1) / COUNTED;
}

/** The right side's sample of a frame. */
export function toneOf(frame: number, sampleRate: number): number {
  return Math.fround(AMPLITUDE * Math.sin(2 * Math.PI * TONE_HZ * frame / sampleRate));
}

/** Largest step from one sample of the tone to the next. */
export function toneStep(sampleRate: number): number {
  return AMPLITUDE * 2 * Math.PI * TONE_HZ / sampleRate;
}

/** A file of it. */
export function codedMaterial(frames: number, sampleRate: number): AudioMaterial {
  const planes = [codeOf, (frame: number) => toneOf(frame, sampleRate)].map((sample) =>
    Float64Array.from({ length: frames }, (_, frame) => sample(frame))
  );
  return { planes, encoding: "f32", sampleRate };
}

/** Frames that follow one another as they do in the file, bit for bit on both sides. */
export interface Run {
  /** Where in what was captured. */
  at: number;
  /** The file's frame that stands there. */
  frame: number;
  length: number;
}

/** The runs in what was captured, in order; what lies between them is silent, faded, or wrong. */
export function runsOf(left: Float32Array, right: Float32Array, sampleRate: number): Run[] {
  const runs: Run[] = [];
  let run: Run | null = null;
  for (let at = 0; at < left.length; at++) {
    const frame = left[at] * COUNTED - 1;
    const isWhole = Number.isInteger(frame) && frame >= 0 &&
      right[at] === toneOf(frame, sampleRate);
    if (isWhole && run !== null && frame === run.frame + run.length) {
      run.length++;
      continue;
    }
    run = isWhole ? { at, frame, length: 1 } : null;
    if (run !== null) runs.push(run);
  }
  // A single frame may look whole by chance, within a fade.
  return runs.filter(({ length }) => length > 2);
}

/** Largest step between neighbours within a part of a side. */
export function largestStep(side: Float32Array, from = 0, to = side.length): number {
  let largest = 0;
  for (let i = from + 1; i < to; i++) largest = Math.max(largest, Math.abs(side[i] - side[i - 1]));
  return largest;
}
