// @ts-check
import { grouped, timecode } from "./format.js";

/** @import { FrameRate } from "../client/types.js" */

/**
 * How positions are written: `auto` is timecode where the project has a frame rate and clock time elsewhere.
 *
 * @typedef {"auto" | "clock" | "samples"} TimeFormat
 */

/**
 * @param {string | null} text
 * @returns {TimeFormat}
 */
export function timeFormatOf(text) {
  return text === "clock" || text === "samples" ? text : "auto";
}

/**
 * @param {TimeFormat} format
 * @param {FrameRate | null} frameRate
 * @returns {TimeFormat} the next that differs from it
 */
export function nextTimeFormat(format, frameRate) {
  if (format === "auto") return frameRate === null ? "samples" : "clock";
  return format === "clock" ? "samples" : "auto";
}

/**
 * @param {number} frame
 * @param {{ sampleRate: number, frameRate: FrameRate | null }} project
 * @param {TimeFormat} format
 */
export function writeTime(frame, { sampleRate, frameRate }, format) {
  if (format === "samples") return grouped(frame);
  return timecode(frame, sampleRate, format === "clock" ? null : frameRate);
}
