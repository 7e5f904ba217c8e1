/**
 * Histograms as people read them: since a baseline, with percentiles.
 *
 * @module
 */
import type { RawHistogram } from "../../signal/diagnosis.ts";

/** A histogram of `diagnostics.get`. */
export interface HistogramView {
  unit: "ms" | "share";
  bounds: number[];
  counts: number[];
  count: number;
  sum: number;
  p50: number | null;
  p99: number | null;
  p999: number | null;
  max: number | null;
}

/** What one unit is in the native half's numbers. */
const UNITS = { ms: 1e6, share: 1e9 } as const;

/**
 * What was added to a histogram since `before`. Percentiles lie within their bucket in proportion to how many values it has. The greatest value is
 * exact where it was added since, else the upper bound of the last bucket that has one.
 *
 * @param bounds In the native half's numbers, one fewer than there are counts.
 */
export function histogramSince(
  bounds: readonly number[],
  now: RawHistogram,
  before: RawHistogram | undefined,
  unit: HistogramView["unit"],
): HistogramView {
  const scale = UNITS[unit];
  const counts = now.counts.map((count, i) => count - (before?.counts[i] ?? 0));
  const count = counts.reduce((sum, n) => sum + n, 0);
  const last = counts.findLastIndex((n) => n > 0);
  const lower = (i: number) => i === 0 ? 0 : bounds[i - 1];
  const isFresh = now.max > lower(last) || last === bounds.length;
  const max = last < 0
    ? 0
    : isFresh && now.max <= (bounds[last] ?? Infinity)
    ? now.max
    : bounds[last];

  const quantile = (q: number): number | null => {
    if (count === 0) return null;
    const rank = Math.max(1, Math.ceil(q * count));
    let below = 0;
    let i = 0;
    while (below + counts[i] < rank) below += counts[i++];
    const upper = Math.min(bounds[i] ?? max, max);
    const from = Math.min(lower(i), upper);
    return (from + (upper - from) * (rank - below) / counts[i]) / scale;
  };
  return {
    unit,
    bounds: bounds.map((bound) => bound / scale),
    counts,
    count,
    sum: (now.sum - (before?.sum ?? 0)) / scale,
    p50: quantile(0.5),
    p99: quantile(0.99),
    p999: quantile(0.999),
    max: count === 0 ? null : max / scale,
  };
}
