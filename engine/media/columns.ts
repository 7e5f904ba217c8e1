/**
 * A range of samples cut into columns of a drawing.
 *
 * A column covers the samples `n` with `floor(left) <= n < floor(right)` of its edges, so that each sample is in one column and
 * neighbouring ranges fit together; one narrower than a sample shows the sample under its left edge.
 *
 * @module
 */

/** The most columns of one query. */
export const MAX_COLUMNS = 8192;

/** A range and its columns. */
export interface ColumnRange {
  /** In samples of the asset, fractions allowed. */
  start: number;
  end: number;
  width: number;
}

/** First and last-plus-one sample of each column, integers; may lie outside the file. */
export interface ColumnSamples {
  first: Float64Array<ArrayBuffer>;
  end: Float64Array<ArrayBuffer>;
}

/**
 * Checks a range.
 *
 * @throws {RangeError} If it is empty, not finite or has too many columns.
 */
export function checkColumnRange({ start, end, width }: ColumnRange): void {
  if (!Number.isFinite(start) || !Number.isFinite(end) || end <= start) {
    throw new RangeError(
      `Cannot draw the range: end must be greater than start (${end} <= ${start})`,
    );
  }
  if (Math.max(Math.abs(start), Math.abs(end)) > Number.MAX_SAFE_INTEGER) {
    throw new RangeError(`Cannot draw the range: it is beyond 2^53 samples (${start}, ${end})`);
  }
  if (!Number.isInteger(width) || width < 1 || width > MAX_COLUMNS) {
    throw new RangeError(
      `Cannot draw the range: width must be an integer from 1 to ${MAX_COLUMNS} (${width})`,
    );
  }
}

/** Samples a column. */
export function columnWidth({ start, end, width }: ColumnRange): number {
  return (end - start) / width;
}

/** The samples under each column. */
export function columnSamples({ start, end, width }: ColumnRange): ColumnSamples {
  const first = new Float64Array(width);
  const last = new Float64Array(width);
  // Multiplied before divided: edges that are whole numbers come out whole.
  const edge = (i: number) => Math.floor(start + i * (end - start) / width);
  let left = edge(0);
  for (let i = 0; i < width; i++) {
    const right = i + 1 < width ? edge(i + 1) : Math.floor(end);
    first[i] = left;
    last[i] = Math.max(left + 1, right);
    left = right;
  }
  return { first, end: last };
}
