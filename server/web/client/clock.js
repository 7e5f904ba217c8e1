// @ts-check
/** @import { PulseClient } from "./client.js" */

const KEPT_SAMPLES = 12;
const FIRST_SAMPLES = 5;
const FIRST_INTERVAL_MS = 120;
const INTERVAL_MS = 4000;
/** Without an answer for this long, the connection is taken for dead. */
const PATIENCE_MS = 12_000;

/**
 * How far the engine's monotonic clock stands from ours, by the quickest of the latest round trips: the delay of a quick one is
 * the most symmetric.
 */
export class ClockSync {
  /** @type {{ offsetMs: number, roundTripMs: number }[]} */
  #samples = [];
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #generation = 0;

  /**
   * @param {PulseClient} client
   * @param {() => number} now our clock in ms, monotonic
   * @param {(offsetMs: number) => void} report engine time minus our time
   */
  constructor(client, now, report) {
    client.on("sync", ({ fresh }) => {
      if (fresh) this.#samples = [];
      this.#generation++;
      clearTimeout(this.#timer);
      this.#sample(client, now, report, this.#generation, FIRST_SAMPLES);
    });
    client.on("connection", ({ state }) => {
      if (state === "open") return;
      this.#generation++;
      clearTimeout(this.#timer);
    });
  }

  /**
   * @param {PulseClient} client
   * @param {() => number} now
   * @param {(offsetMs: number) => void} report
   * @param {number} generation
   * @param {number} quickLeft
   */
  async #sample(client, now, report, generation, quickLeft) {
    const sent = now();
    const dead = setTimeout(() => {
      if (generation === this.#generation) client.reconnect();
    }, PATIENCE_MS);
    try {
      const { timeMs } = await client.request("engine.clock");
      const received = now();
      this.#samples.push({
        offsetMs: timeMs - (sent + received) / 2,
        roundTripMs: received - sent,
      });
      if (this.#samples.length > KEPT_SAMPLES) this.#samples.shift();
      report(quickest(this.#samples).offsetMs);
    } catch {
      // The connection ended or the request was refused; the next sync starts over.
    } finally {
      clearTimeout(dead);
    }
    if (generation !== this.#generation) return;
    this.#timer = setTimeout(
      () => this.#sample(client, now, report, generation, Math.max(0, quickLeft - 1)),
      quickLeft > 1 ? FIRST_INTERVAL_MS : INTERVAL_MS,
    );
  }
}

/** @param {{ offsetMs: number, roundTripMs: number }[]} samples */
function quickest(samples) {
  return samples.reduce((best, sample) => sample.roundTripMs < best.roundTripMs ? sample : best);
}
