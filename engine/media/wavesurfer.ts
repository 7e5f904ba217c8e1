/**
 * Peaks for wavesurfer.js: `{ peaks, duration }`, as its `load` and `setOptions` take them.
 *
 * @module
 */
import type { PeakColumns } from "./peak_query.ts";

export interface WavesurferPeaks {
  /** A channel each: for each point the sample furthest from zero, in −1 … 1. */
  peaks: number[][];
  /** In seconds. */
  duration: number;
}

/**
 * One value a column: what is furthest from zero, to four decimals, as wavesurfer's own `exportPeaks` has it. Points that are not known
 * yet are 0. Values beyond full scale are clamped: one of them would make wavesurfer shrink all others.
 */
export function wavesurferPeaks(
  { min, max }: Pick<PeakColumns, "min" | "max">,
  duration: number,
): WavesurferPeaks {
  const peaks = min.map((low, c) =>
    Array.from(low, (value, i) => {
      const extreme = max[c][i] >= -value ? max[c][i] : value;
      const clamped = Math.max(-1, Math.min(1, extreme));
      return Number.isNaN(clamped) ? 0 : Math.round(clamped * 10_000) / 10_000;
    })
  );
  return { peaks, duration };
}
