// @ts-check
/** @import { MetersFrame } from "../client/binary.js" */

const FALL_DB_PER_SECOND = 24;
const HOLD_MS = 1400;
export const FLOOR_DB = -60;

/**
 * How a level is shown: up at once, down at 24 dB a second, the highest of late held for a moment.
 *
 * @typedef {object} Ballistics
 * @property {number} levelDb
 * @property {number} holdDb
 * @property {number} holdUntilMs
 * @property {boolean} clipped since last reset
 */

export class Meters {
  /** @type {Map<string, Ballistics[]>} `""` is the master, else track ids; one a channel */
  #strips = new Map();
  #lastMs = 0;

  /** @param {string} strip */
  of(strip) {
    return this.#strips.get(strip) ?? [];
  }

  /**
   * @param {MetersFrame} frame
   * @param {readonly string[]} trackIds in the timeline's order
   * @param {number} nowMs
   */
  take(frame, trackIds, nowMs) {
    this.#feed("", frame.master.peak, nowMs);
    if (frame.tracks.length !== trackIds.length) return; // Of a revision that we no longer, or not yet, show.
    frame.tracks.forEach((levels, index) => this.#feed(trackIds[index], levels.peak, nowMs));
  }

  /**
   * Lets levels fall.
   *
   * @param {number} nowMs
   * @returns {boolean} whether anything still moves
   */
  advance(nowMs) {
    const fall = (FALL_DB_PER_SECOND * Math.min(100, nowMs - this.#lastMs)) / 1000;
    this.#lastMs = nowMs;
    let moves = false;
    for (const channels of this.#strips.values()) {
      for (const channel of channels) {
        channel.levelDb = Math.max(FLOOR_DB, channel.levelDb - fall);
        if (nowMs > channel.holdUntilMs) {
          channel.holdDb = Math.max(channel.levelDb, channel.holdDb - fall);
        }
        moves ||= channel.levelDb > FLOOR_DB || channel.holdDb > FLOOR_DB;
      }
    }
    return moves;
  }

  resetClipped() {
    for (const channels of this.#strips.values()) {
      for (const channel of channels) channel.clipped = false;
    }
  }

  /**
   * @param {string} strip
   * @param {number[]} peaks linear
   * @param {number} nowMs
   */
  #feed(strip, peaks, nowMs) {
    const channels = this.#strips.get(strip) ?? [];
    this.#strips.set(strip, channels);
    channels.length = Math.min(channels.length, peaks.length);
    peaks.forEach((peak, index) => {
      channels[index] ??= { levelDb: FLOOR_DB, holdDb: FLOOR_DB, holdUntilMs: 0, clipped: false };
      const channel = channels[index];
      const db = Math.max(FLOOR_DB, 20 * Math.log10(Math.max(peak, 1e-9)));
      if (db > channel.levelDb) channel.levelDb = db;
      if (db >= channel.holdDb) {
        channel.holdDb = db;
        channel.holdUntilMs = nowMs + HOLD_MS;
      }
      if (peak > 1) channel.clipped = true;
    });
  }
}

/**
 * Where a level stands on a meter: more room for what matters, −20 dB at 0.55.
 *
 * @param {number} db
 * @returns {number} 0…1
 */
export function meterPosition(db) {
  if (db <= FLOOR_DB) return 0;
  if (db < -20) return (0.55 * (db - FLOOR_DB)) / (-20 - FLOOR_DB);
  return Math.min(1, 0.55 + (0.45 * (db + 20)) / 23);
}
