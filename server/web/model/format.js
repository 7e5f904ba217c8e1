// @ts-check
/** @import { FrameRate } from "../client/types.js" */

/**
 * A position for reading: `1:02:03.450`, or `01:02:03:12` where the project has a frame rate.
 *
 * @param {number} frame
 * @param {number} sampleRate
 * @param {FrameRate | null} frameRate
 */
export function timecode(frame, sampleRate, frameRate) {
  return frameRate === null
    ? clockTime(frame, sampleRate)
    : videoTime(frame / sampleRate, frameRate);
}

/**
 * @param {number} frame
 * @param {number} sampleRate
 */
function clockTime(frame, sampleRate) {
  const totalMs = Math.floor((Math.max(0, frame) * 1000) / sampleRate + 1e-6);
  const seconds = Math.floor(totalMs / 1000);
  return `${hoursMinutesSeconds(seconds)}.${pad(totalMs % 1000, 3)}`;
}

/**
 * SMPTE timecode; drop-frame numbering (SMPTE ST 12-1) skips two labels a minute, save every tenth.
 *
 * @param {number} seconds
 * @param {FrameRate} rate
 */
function videoTime(seconds, rate) {
  const base = Math.round(rate.numerator / rate.denominator);
  let count = Math.floor((Math.max(0, seconds) * rate.numerator) / rate.denominator + 1e-6);
  if (rate.drop) {
    const dropped = Math.round(base / 15);
    const perMinute = base * 60 - dropped;
    const perTen = perMinute * 10 + dropped;
    const tens = Math.floor(count / perTen);
    const rest = count % perTen;
    const minutes = rest < base * 60 ? 0 : 1 + Math.floor((rest - base * 60) / perMinute);
    count += dropped * (9 * tens + minutes);
  }
  const whole = Math.floor(count / base);
  return `${hoursMinutesSeconds(whole)}${rate.drop ? ";" : ":"}${pad(count % base, 2)}`;
}

/** @param {number} seconds */
function hoursMinutesSeconds(seconds) {
  const minutes = Math.floor(seconds / 60);
  return `${pad(Math.floor(minutes / 60), 2)}:${pad(minutes % 60, 2)}:${pad(seconds % 60, 2)}`;
}

/**
 * A length for lists: `0:07.2`, `3:05`, `1:02:03`.
 *
 * @param {number} seconds
 */
export function duration(seconds) {
  if (seconds < 59.95) return `0:${seconds.toFixed(1).padStart(4, "0")}`;
  const whole = Math.round(seconds);
  const minutes = Math.floor(whole / 60);
  return minutes < 60
    ? `${minutes}:${pad(whole % 60, 2)}`
    : `${Math.floor(minutes / 60)}:${pad(minutes % 60, 2)}:${pad(whole % 60, 2)}`;
}

/** @param {number} value an integer, grouped by thousands with a thin space */
export function grouped(value) {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, "\u2009");
}

/** @param {number | null} gainDb silence is null */
export function decibels(gainDb) {
  if (gainDb === null || gainDb <= -100) return "−∞";
  const rounded = Math.round(gainDb * 10) / 10;
  return `${rounded > 0 ? "+" : rounded < 0 ? "−" : ""}${Math.abs(rounded).toFixed(1)}`;
}

/** @param {number} pan −1…1 */
export function panning(pan) {
  const percent = Math.round(Math.abs(pan) * 100);
  return percent === 0 ? "C" : `${pan < 0 ? "L" : "R"}${percent}`;
}

/** @param {number} sampleRate in Hz */
export function kilohertz(sampleRate) {
  return `${Number((sampleRate / 1000).toFixed(3))} kHz`;
}

/** @param {string} path of either kind of system */
export function baseName(path) {
  return path.split(/[/\\]/).pop() || path;
}

/** @param {string} path without its ending, as clips are called */
export function stem(path) {
  return baseName(path).replace(/(?<=.)\.[^.]*$/, "");
}

/**
 * @param {number} value
 * @param {number} width
 */
function pad(value, width) {
  return String(value).padStart(width, "0");
}
