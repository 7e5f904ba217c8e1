/**
 * Peaks by the definition in `ffi/native/peaks.h`, sample by sample, with nothing clever: what kernels and queries are compared with.
 *
 * @module
 */
import { type AudioMaterial, SAMPLE_BYTES } from "./audio_files.ts";

/** One plane of one bucket. */
export interface NaivePeak {
  min: number;
  max: number;
  rms: number;
}

/** The planes of a range of frames: the channels, then the mix if there is more than one; and how many samples were invalid. */
export function naivePeaks(
  { planes, encoding }: AudioMaterial,
  start: number,
  end: number,
): { planes: NaivePeak[]; invalid: number } {
  const isFloat = encoding === "f32" || encoding === "f64";
  const full = isFloat ? 1 : 2 ** (SAMPLE_BYTES[encoding] * 8 - 1);
  const offset = encoding === "u8" ? 128 : 0;
  let invalid = 0;
  const clean = planes.map((plane) =>
    Array.from({ length: end - start }, (_, i) => {
      const x = isFloat ? Math.fround(plane[start + i]) : plane[start + i] - offset;
      if (Number.isFinite(x)) return x;
      invalid++;
      return 0;
    })
  );
  const result = clean.map((values) => reduce(values.map((x) => x / full)));
  if (planes.length > 1) {
    const mix = Array.from({ length: end - start }, (_, i) => {
      let sum = clean[0][i];
      for (let c = 1; c < clean.length; c++) {
        sum = isFloat ? Math.fround(sum + clean[c][i]) : sum + clean[c][i];
      }
      return sum / (clean.length * full);
    });
    result.push(reduce(mix));
  }
  return { planes: result, invalid };
}

function reduce(values: readonly number[]): NaivePeak {
  let min = Infinity;
  let max = -Infinity;
  let squares = 0;
  for (const x of values) {
    min = Math.min(min, x);
    max = Math.max(max, x);
    squares += x * x;
  }
  return {
    min: Math.fround(min),
    max: Math.fround(max),
    rms: Math.sqrt(squares / values.length),
  };
}
