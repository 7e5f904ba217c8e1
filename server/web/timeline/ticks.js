// @ts-check
/** @import { FrameRate } from "../client/types.js" */
/** @import { TimeFormat } from "../model/time_format.js" */
import { grouped, timecode } from "../model/format.js";

const MIN_LABEL_PX = 92;
/** Seconds between labels, and into how many parts each is cut. */
const TIME_STEPS = [
  [0.0001, 5],
  [0.0002, 4],
  [0.0005, 5],
  [0.001, 5],
  [0.002, 4],
  [0.005, 5],
  [0.01, 5],
  [0.02, 4],
  [0.05, 5],
  [0.1, 5],
  [0.2, 4],
  [0.5, 5],
  [1, 5],
  [2, 4],
  [5, 5],
  [10, 5],
  [15, 3],
  [30, 6],
  [60, 6],
  [120, 4],
  [300, 5],
  [600, 5],
  [900, 3],
  [1800, 6],
  [3600, 6],
  [7200, 4],
];
const SAMPLE_STEPS = [[1, 1], [2, 2], [5, 5], [10, 5], [20, 4], [50, 5], [100, 5], [200, 4]];
/** In video frames, below a second. */
const VIDEO_STEPS = [[1, 1], [2, 2], [5, 5], [10, 5]];

/**
 * @typedef {object} Grid
 * @property {number} stepFrames between labels
 * @property {number} parts minor ticks a step
 * @property {(frame: number) => string} label
 */

/**
 * Chooses the ruler's division for a zoom: as fine as labels fit.
 *
 * @param {number} framesPerPixel
 * @param {number} sampleRate
 * @param {FrameRate | null} frameRate
 * @param {TimeFormat} [format]
 * @returns {Grid}
 */
export function gridFor(framesPerPixel, sampleRate, frameRate, format = "auto") {
  const leastFrames = framesPerPixel * MIN_LABEL_PX;
  const inSamples = SAMPLE_STEPS.find(([step]) => step >= leastFrames);
  if (inSamples !== undefined) {
    return { stepFrames: inSamples[0], parts: inSamples[1], label: (frame) => grouped(frame) };
  }
  if (format === "samples") return decimalGrid(leastFrames);
  if (frameRate !== null && format === "auto") {
    const framesEach = (sampleRate * frameRate.denominator) / frameRate.numerator;
    const inVideo = VIDEO_STEPS.find(([step]) => step * framesEach >= leastFrames);
    if (inVideo !== undefined && inVideo[0] * framesEach < sampleRate) {
      const stepFrames = inVideo[0] * framesEach;
      return {
        stepFrames,
        parts: inVideo[1],
        label: (frame) => timecode(frame, sampleRate, frameRate),
      };
    }
  }
  const [seconds, parts] = TIME_STEPS.find(([step]) => step * sampleRate >= leastFrames) ??
    TIME_STEPS[TIME_STEPS.length - 1];
  const decimals = Math.max(0, Math.ceil(-Math.log10(seconds) - 1e-9));
  return {
    stepFrames: seconds * sampleRate,
    parts,
    label: (frame) => shortTime(frame / sampleRate, decimals),
  };
}

/**
 * @param {number} leastFrames
 * @returns {Grid} of one, two or five times a power of ten samples
 */
function decimalGrid(leastFrames) {
  const power = 10 ** Math.floor(Math.log10(leastFrames));
  const times = [2, 5, 10].find((each) => each * power >= leastFrames) ?? 10;
  return {
    stepFrames: times * power,
    parts: times === 2 ? 4 : 5,
    label: (frame) => grouped(frame),
  };
}

/**
 * @param {number} seconds
 * @param {number} decimals
 */
function shortTime(seconds, decimals) {
  const scale = 10 ** decimals;
  const units = Math.round(seconds * scale);
  const whole = Math.floor(units / scale);
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  const tail = `${String(whole % 60).padStart(2, "0")}${
    decimals > 0 ? `.${String(units % scale).padStart(decimals, "0")}` : ""
  }`;
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, "0")}:${tail}` : `${minutes}:${tail}`;
}
