/**
 * A waveform as a picture.
 *
 * @module
 */

/** Columns to draw: one value a unit of width; NaN leaves a gap. */
export interface ThumbnailColumns {
  min: Float32Array;
  max: Float32Array;
}

/** Legible on light and on dark pages, where the picture stands alone. */
const COLOR = "#4c8dd6";

/**
 * An SVG of `width` × `height` units: closed shapes between `max` and `min`. Set `color` on it to draw in another colour. Values beyond
 * full scale are cut off, and even silence draws a line.
 */
export function thumbnailSvg(
  { min, max }: ThumbnailColumns,
  width: number,
  height: number,
): string {
  const y = (value: number) => (1 - Math.max(-1, Math.min(1, value))) / 2 * height;
  const shapes: string[] = [];
  const columns = min.length;
  const step = width / columns;
  for (let i = 0; i < columns; i++) {
    if (Number.isNaN(min[i])) continue;
    const first = i;
    while (i < columns && !Number.isNaN(min[i])) i++;
    const top: string[] = [];
    const bottom: string[] = [];
    for (let j = first; j < i; j++) {
      let high = y(max[j]);
      let low = y(min[j]);
      if (low - high < 1) {
        const middle = (low + high) / 2;
        high = middle - 0.5;
        low = middle + 0.5;
      }
      const x = short((j + 0.5) * step);
      top.push(`${x} ${short(high)}`);
      bottom.push(`${x} ${short(low)}`);
    }
    shapes.push(`M${top.concat(bottom.reverse()).join("L")}Z`);
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" ` +
    `viewBox="0 0 ${width} ${height}" preserveAspectRatio="none" color="${COLOR}">` +
    `<path fill="currentColor" d="${shapes.join("")}"/></svg>`;
}

/** A coordinate to a hundredth. */
function short(value: number): string {
  return String(Math.round(value * 100) / 100);
}
