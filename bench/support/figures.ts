/**
 * Tables of figures that are no function's time as `Deno.bench` takes it: medians and 99th percentiles, each with its ratio to a baseline.
 *
 * @module
 */

/** What was measured of one thing. */
export interface Figure {
  name: string;
  /** One value a run, in any order. */
  values: readonly number[];
}

/** Prints rows under a title, in columns: the first one to the left, the others to the right. */
export function printTable(title: string, rows: readonly (readonly string[])[]): void {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const line = (row: readonly string[]) =>
    row.map((cell, i) => i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])).join("  ");
  console.log([`\n${title}`, ...rows.map(line)].join("\n"));
}

/** Prints figures under a title; the first is the baseline that the others' medians are divided by. */
export function printFigures(
  title: string,
  figures: readonly Figure[],
  show: (value: number) => string = showMs,
): void {
  const measured = figures.filter(({ values }) => values.length > 0);
  const base = measured.length === 0 ? NaN : quantile(measured[0].values, 0.5);
  const head = ["", "runs", "median", "p99", "longest", "ratio"];
  const rows = measured.map(({ name, values }) => [
    name,
    `${values.length}`,
    show(quantile(values, 0.5)),
    show(quantile(values, 0.99)),
    show(quantile(values, 1)),
    showRatio(quantile(values, 0.5) / base),
  ]);
  printTable(title, [head, ...rows]);
}

/** The smallest value that at least `part` of all are not above. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)];
}

export function showMs(ms: number): string {
  if (ms >= 1_000) return `${(ms / 1_000).toFixed(2)} s`;
  return ms >= 1 ? `${ms.toFixed(1)} ms` : `${(ms * 1_000).toFixed(0)} µs`;
}

function showRatio(ratio: number): string {
  if (!Number.isFinite(ratio) || ratio === 0) return "–";
  if (ratio === 1) return "1×";
  return ratio > 1 ? `${round(ratio)}× slower` : `${round(1 / ratio)}× faster`;
}

function round(ratio: number): string {
  return ratio >= 100 ? ratio.toFixed(0) : ratio.toPrecision(3);
}
