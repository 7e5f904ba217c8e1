// @ts-check
import { MAX_LEVEL, TILE } from "../model/peak_tiles.js";
import { BLEND_STEPS as STEPS } from "./raster.js";

/** @import { Asset } from "../client/types.js" */
/** @import { PeaksFrame } from "../client/binary.js" */
/** @import { Channels, PeakTiles } from "../model/peak_tiles.js" */
/** @import { ClipColours, WavePixels } from "../ui/theme.js" */
/** @import { Raster } from "./raster.js" */

/** How many levels away from the right one a picture is borrowed while that is on its way. */
const BORROW_COARSER = 9;
const BORROW_FINER = 2;

/**
 * A stretch of an asset on the canvas, in device pixels.
 * @typedef {object} Stretch
 * @property {number} x first column
 * @property {number} width columns
 * @property {number} y
 * @property {number} height
 * @property {number} sample of the asset at the left edge of `x`; of one that plays backwards at the right edge
 * @property {number} samplesPerColumn
 * @property {number} gain linear
 * @property {boolean} [backwards] it plays from its end
 */

/** Scratch: min and max of rms and peaks for each column of the stretch being drawn. */
let low = new Float32Array(4096);
let high = new Float32Array(4096);
let core = new Float32Array(4096);

/**
 * Paints a stretch that has at least a sample a column; a finer one is for `drawSamples`, and is only asked for here.
 *
 * @param {Raster} raster
 * @param {PeakTiles} tiles
 * @param {Asset} asset
 * @param {Stretch} stretch
 * @param {WavePixels} pixels
 * @param {number} density device pixels a CSS pixel
 */
export function paintWaveform(raster, tiles, asset, stretch, pixels, density) {
  const { rows, channels } = layout(asset, stretch, density);
  const level = levelFor(stretch.samplesPerColumn);
  if (low.length < stretch.width + 1) {
    low = new Float32Array(stretch.width * 2);
    high = new Float32Array(stretch.width * 2);
    core = new Float32Array(stretch.width * 2);
  }
  const height = stretch.height / rows;
  for (let row = 0; row < rows; row++) {
    gather(tiles, asset, channels, level, row, stretch);
    const y = stretch.y + row * height;
    if (stretch.samplesPerColumn >= 1) paintColumns(raster, stretch, y, height, pixels, density);
    else paintPending(raster, stretch, y + height / 2, pixels.edge);
  }
}

/**
 * Draws a stretch in which a sample is wider than a pixel: the samples themselves, joined, with a dot each once there is room.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {PeakTiles} tiles
 * @param {Asset} asset
 * @param {Stretch} stretch
 * @param {ClipColours} colours
 * @param {number} density
 */
export function drawSamples(context, tiles, asset, stretch, colours, density) {
  const { rows, channels } = layout(asset, stretch, density);
  const height = stretch.height / rows;
  for (let row = 0; row < rows; row++) {
    const box = { ...stretch, y: stretch.y + row * height, height };
    drawRow(context, box, tiles, asset, channels, row, colours, density);
  }
}

/**
 * @param {Asset} asset
 * @param {Stretch} stretch
 * @param {number} density
 * @returns {{ rows: number, channels: Channels }}
 */
function layout(asset, stretch, density) {
  const rows = rowsFor(asset.channels, stretch.height / density);
  return { rows, channels: rows > 1 || asset.channels === 1 ? "all" : "mix" };
}

/**
 * @param {number} channels
 * @param {number} heightPx CSS pixels
 */
function rowsFor(channels, heightPx) {
  return channels > 1 && heightPx / channels >= 18 ? channels : 1;
}

/** @param {number} samplesPerColumn */
function levelFor(samplesPerColumn) {
  return Math.min(MAX_LEVEL, Math.max(0, Math.floor(Math.log2(samplesPerColumn))));
}

/**
 * Folds tiles to the columns of a stretch: `low` > `high` means that nothing is known there.
 *
 * @param {PeakTiles} tiles
 * @param {Asset} asset
 * @param {Channels} channels
 * @param {number} level
 * @param {number} row
 * @param {Stretch} stretch
 */
function gather(tiles, asset, channels, level, row, stretch) {
  const { sample, samplesPerColumn, width } = stretch;
  low.fill(1, 0, width);
  high.fill(-1, 0, width);
  core.fill(0, 0, width);
  const tileSamples = TILE * 2 ** level;
  const from = Math.max(0, sample);
  const to = Math.min(asset.lengthSamples, sample + width * samplesPerColumn);
  for (let index = Math.floor(from / tileSamples); index * tileSamples < to; index++) {
    const start = Math.max(from, index * tileSamples);
    const end = Math.min(to, (index + 1) * tileSamples);
    const peaks = tiles.want(asset, channels, level, index);
    if (peaks !== null && (peaks.complete || known(peaks, row))) {
      fold(peaks, row, stretch, start, end);
    } else borrow(tiles, asset, channels, level, row, stretch, start, end);
  }
  if (!stretch.backwards) return;
  for (const plane of [low, high, core]) plane.subarray(0, width).reverse();
}

/**
 * @param {PeaksFrame} peaks
 * @param {number} row
 */
function known(peaks, row) {
  const plane = peaks.max[row];
  return plane !== undefined && plane.some((value) => value === value);
}

/**
 * Shows another resolution until the right one comes.
 *
 * @param {PeakTiles} tiles
 * @param {Asset} asset
 * @param {Channels} channels
 * @param {number} level
 * @param {number} row
 * @param {Stretch} stretch
 * @param {number} start in samples
 * @param {number} end
 */
function borrow(tiles, asset, channels, level, row, stretch, start, end) {
  for (let step = 1; step <= BORROW_COARSER; step++) {
    const size = TILE * 2 ** (level + step);
    const peaks = tiles.peek(asset, channels, level + step, Math.floor(start / size));
    if (peaks !== null) return fold(peaks, row, stretch, start, end);
  }
  for (let step = 1; step <= Math.min(BORROW_FINER, level); step++) {
    const size = TILE * 2 ** (level - step);
    for (let index = Math.floor(start / size); index * size < end; index++) {
      const peaks = tiles.peek(asset, channels, level - step, index);
      if (peaks !== null) fold(peaks, row, stretch, start, end);
    }
  }
}

/**
 * @param {PeaksFrame} peaks
 * @param {number} row
 * @param {Stretch} stretch
 * @param {number} start what to fold of it, in samples
 * @param {number} end
 */
function fold(peaks, row, stretch, start, end) {
  const min = peaks.min[row];
  const max = peaks.max[row];
  const rms = peaks.rms[row];
  if (min === undefined) return;
  const perSample = peaks.width / (peaks.end - peaks.start);
  const first = Math.max(start, peaks.start);
  const last = Math.min(end, peaks.end);
  const { sample, samplesPerColumn, width } = stretch;
  const xa = Math.max(0, Math.floor((first - sample) / samplesPerColumn));
  const xb = Math.min(width, Math.ceil((last - sample) / samplesPerColumn));
  for (let x = xa; x < xb; x++) {
    const a = Math.max(first, sample + x * samplesPerColumn);
    const b = Math.min(last, sample + (x + 1) * samplesPerColumn);
    let column = Math.floor((a - peaks.start) * perSample + 1e-6);
    const stop = Math.min(peaks.width, Math.max(column + 1, (b - peaks.start) * perSample - 1e-6));
    for (; column < stop; column++) {
      // Comparisons with NaN are false: what is not analysed yet changes nothing.
      if (min[column] < low[x]) low[x] = min[column];
      if (max[column] > high[x]) high[x] = max[column];
      if (rms[column] > core[x]) core[x] = rms[column];
    }
  }
}

/**
 * @param {Raster} raster
 * @param {Stretch} stretch
 * @param {number} y of the row
 * @param {number} height
 * @param {WavePixels} colours
 * @param {number} density
 */
function paintColumns(raster, stretch, y, height, colours, density) {
  const { x, width, gain } = stretch;
  const { pixels, width: pitch } = raster;
  const { wave, core: inner, waveOnBody, coreOnWave } = colours;
  const half = height / 2 - density;
  const middle = y + height / 2;
  const least = density / 2;
  const from = Math.max(0, raster.left - x);
  const to = Math.min(width, raster.right - x);
  const ceiling = Math.max(0, Math.ceil(y));
  const floor = Math.min(raster.height, Math.floor(y + height));
  let pending = false;
  for (let at = from; at < to; at++) {
    if (low[at] > high[at]) {
      pending = true;
      continue;
    }
    // A column reaches to the one before it, so that a steep line has no holes.
    const joined = at > 0 && low[at - 1] <= high[at - 1];
    const loud = joined ? Math.max(high[at], low[at - 1]) : high[at];
    const quiet = joined ? Math.min(low[at], high[at - 1]) : low[at];
    const top = Math.max(ceiling, middle - clamp(loud * gain) * half - least);
    const bottom = Math.min(floor, middle - clamp(quiet * gain) * half + least);
    let row = Math.floor(top);
    const last = Math.ceil(bottom) - 1;
    if (last < row) continue;
    let pixel = row * pitch + x + at;
    pixels[pixel] = waveOnBody[Math.round((Math.min(row + 1, bottom) - top) * STEPS)];
    for (row++, pixel += pitch; row < last; row++, pixel += pitch) pixels[pixel] = wave;
    if (row === last) pixels[pixel] = waveOnBody[Math.round((bottom - last) * STEPS)];
    // The rms lies within the peaks, and never beyond them.
    const loudCore = Math.max(low[at], Math.min(core[at], high[at]));
    const quietCore = Math.min(high[at], Math.max(-core[at], low[at]));
    const coreTop = Math.max(top, middle - clamp(loudCore * gain) * half);
    const coreBottom = Math.min(bottom, middle - clamp(quietCore * gain) * half);
    if (coreBottom - coreTop < 2) {
      row = Math.floor((coreTop + coreBottom) / 2);
      const part = Math.min(1, coreBottom - coreTop);
      if (row > top && row < last) {
        pixels[row * pitch + x + at] = coreOnWave[Math.round(part * STEPS)];
      }
      continue;
    }
    row = Math.ceil(coreTop);
    const coreLast = Math.floor(coreBottom);
    pixel = row * pitch + x + at;
    if (row - 1 > top) {
      pixels[pixel - pitch] = coreOnWave[Math.round((row - coreTop) * STEPS)];
    }
    for (; row < coreLast; row++, pixel += pitch) pixels[pixel] = inner;
    if (row < last) pixels[pixel] = coreOnWave[Math.round((coreBottom - coreLast) * STEPS)];
  }
  if (pending) paintPending(raster, stretch, middle, colours.edge);
}

/**
 * Where nothing is known yet: a dotted line, so that it differs from silence.
 *
 * @param {Raster} raster
 * @param {Stretch} stretch
 * @param {number} middle
 * @param {number} pixel
 */
function paintPending(raster, { x, width, sample, samplesPerColumn }, middle, pixel) {
  const each = samplesPerColumn * 6;
  for (let at = 0; at < width; at++) {
    if (low[at] <= high[at]) continue;
    // By the sample rather than the column, so that the dots stay with the sound while it scrolls.
    const place = Math.floor((sample + at * samplesPerColumn) / each);
    const before = Math.floor((sample + (at - 1) * samplesPerColumn) / each);
    if (place !== before) raster.fill(x + at, Math.round(middle), 2, 1, pixel);
  }
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Stretch} box
 * @param {PeakTiles} tiles
 * @param {Asset} asset
 * @param {Channels} channels
 * @param {number} row
 * @param {ClipColours} colours
 * @param {number} density
 */
function drawRow(context, box, tiles, asset, channels, row, colours, density) {
  const half = box.height / 2 - 1;
  const middle = box.y + box.height / 2;
  const first = Math.max(0, Math.floor(box.sample) - 1);
  const last = Math.min(
    asset.lengthSamples - 1,
    Math.ceil(box.sample + box.width * box.samplesPerColumn) + 1,
  );
  /** @type {[number, number][]} */
  const points = [];
  let any = false;
  context.strokeStyle = colours.core;
  context.lineWidth = 1.25 * density;
  context.lineJoin = "round";
  context.save();
  context.beginPath();
  context.rect(box.x, box.y, box.width, box.height);
  context.clip();
  context.beginPath();
  for (let sample = first; sample <= last; sample++) {
    const index = Math.floor(sample / TILE);
    const value = tiles.peek(asset, channels, 0, index)?.max[row]?.[sample - index * TILE] ?? NaN;
    if (value !== value) {
      any = false;
      continue;
    }
    const along = (sample - box.sample) / box.samplesPerColumn;
    const px = box.backwards ? box.x + box.width - along : box.x + along;
    const py = middle - clamp(value * box.gain) * half;
    if (any) context.lineTo(px, py);
    else context.moveTo(px, py);
    any = true;
    points.push([px, py]);
  }
  context.stroke();
  if (box.samplesPerColumn * density < 1 / 7) {
    context.fillStyle = colours.core;
    context.beginPath();
    for (const [px, py] of points) {
      context.moveTo(px, py);
      context.arc(px, py, 2.6 * density, 0, 2 * Math.PI);
    }
    context.fill();
  }
  context.restore();
}

/** @param {number} value */
function clamp(value) {
  return value > 1 ? 1 : value < -1 ? -1 : value;
}
