// @ts-check
/** @import { Diagnostics } from "./types.js" */

/** Bytes of a unit of the page store. */
const UNIT_BYTES = 16_384;
/** Samples that are kept: five minutes, of one a second. */
export const KEPT = 300;

/**
 * One look, and what happened since the one before. Rates are `null` where there is none to compare with.
 *
 * @typedef {object} Sample
 * @property {number} timeMs
 * @property {number | null} bytesPerSecond read from disks
 * @property {number | null} missing frames a second
 * @property {number | null} faded
 * @property {number | null} callbackShare mean time of a callback by its period
 * @property {number | null} horizonMs while it plays
 * @property {number | null} needBytesPerSecond
 * @property {number | null} queueLength
 * @property {number | null} residentBytes
 * @property {number | null} pinnedBytes
 * @property {number | null} cadenceError how much faster than asked the device goes, as a share
 */

/** What the answers of `diagnostics.get`, one after another, say over time. */
export class DiagnosticsHistory {
  /** @type {Sample[]} the latest last */
  samples = [];
  /** @type {Diagnostics | null} */
  #last = null;

  clear() {
    this.samples = [];
    this.#last = null;
  }

  /**
   * @param {Diagnostics} now
   * @param {number} sampleRate of the project
   * @param {boolean} plays
   */
  take(now, sampleRate, plays) {
    if (now.timeMs < (this.#last?.timeMs ?? 0)) this.clear(); // Another engine.
    // Counted anew since then, or by another engine: there is nothing to compare with.
    const before = this.#last?.sinceMs === now.sinceMs && now.timeMs > this.#last.timeMs
      ? this.#last
      : null;
    this.#last = now;
    const { counters, device } = now;
    const seconds = before === null ? 0 : (now.timeMs - before.timeMs) / 1000;
    const grown = (/** @type {string} */ name) => {
      const [to, from] = [counters[name], before?.counters[name]];
      return to === undefined || from === undefined ? null : Math.max(0, to - from);
    };
    const perSecond = (/** @type {string} */ name) => {
      const by = grown(name);
      return by === null ? null : by / seconds;
    };
    const [callbackNs, frames] = [grown("callbackNs"), grown("frames")];
    const needs = now.forecast?.volumes.map(({ needBytesPerSecond }) => needBytesPerSecond);
    this.samples.push({
      timeMs: now.timeMs,
      bytesPerSecond: perSecond("bytesRead"),
      missing: perSecond("missing"),
      faded: perSecond("faded"),
      // Of the time that its frames last.
      callbackShare: callbackNs === null || !frames
        ? null
        : callbackNs / 1e9 / (frames / sampleRate),
      // What was held last stands in the counters long after.
      horizonMs: plays ? now.cache?.horizonMs ?? counters.horizonMs ?? null : null,
      needBytesPerSecond: needs === undefined ? null : needs.reduce((sum, need) => sum + need, 0),
      queueLength: counters.queueLength ?? null,
      residentBytes: now.cache?.residentBytes ?? usedBytes(counters),
      pinnedBytes: now.cache?.pinnedBytes ?? null,
      cadenceError: device?.cadence ? device.cadence / device.sampleRate - 1 : null,
    });
    if (this.samples.length > KEPT) this.samples.splice(0, this.samples.length - KEPT);
  }
}

/** @param {Record<string, number>} counters */
function usedBytes({ units, unitsFree }) {
  return units === undefined || unitsFree === undefined ? null : (units - unitsFree) * UNIT_BYTES;
}

/**
 * The page budget in bytes, `null` where it is not told.
 *
 * @param {Diagnostics} diagnostics
 */
export function budgetBytes({ cache, counters }) {
  return cache?.budgetBytes ?? (counters.units === undefined ? null : counters.units * UNIT_BYTES);
}
