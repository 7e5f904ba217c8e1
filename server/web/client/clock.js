// @ts-check
/** @import { PulseClient } from "./client.js" */
/** @import { RoundTrip } from "./interface.ts" */

const KEPT_SAMPLES = 12;
const FIRST_SAMPLES = 5;
const FIRST_INTERVAL_MS = 120;
const INTERVAL_MS = 4000;
/** Without an answer for this long, the connection is taken for dead. */
const PATIENCE_MS = 12_000;
/** How far two clocks may go apart in a second, in seconds: more than quartz ever does. */
const DRIFT = 200e-6;

/**
 * How far the engine's monotonic clock stands from ours. Each round trip gives the offset to within half its length, and less surely so
 * as the clocks drift apart; the surest of the latest counts.
 */
export class ClockEstimate {
  /** @type {{ offsetMs: number, halfMs: number, atMs: number }[]} */
  #samples = [];

  /** Forgets everything: it is another engine's clock. */
  reset() {
    this.#samples = [];
  }

  /**
   * @param {RoundTrip} roundTrip
   * @returns {number} engine time minus our time
   */
  add({ sentMs, receivedMs, timeMs }) {
    const newest = {
      offsetMs: timeMs - (sentMs + receivedMs) / 2,
      halfMs: (receivedMs - sentMs) / 2,
      atMs: receivedMs,
    };
    const doubt = (/** @type {typeof newest} */ sample) =>
      sample.halfMs + (receivedMs - sample.atMs) * DRIFT;
    // What contradicts the newest was told before a clock was set, or slept.
    this.#samples = this.#samples.filter((sample) =>
      Math.abs(sample.offsetMs - newest.offsetMs) <= doubt(sample) + newest.halfMs
    );
    this.#samples.push(newest);
    if (this.#samples.length > KEPT_SAMPLES) this.#samples.shift();
    return this.#samples.reduce((best, one) => doubt(one) <= doubt(best) ? one : best).offsetMs;
  }
}

/** Asks the engine for its clock, often at first, then every 4 s. */
export class ClockSync {
  #estimate = new ClockEstimate();
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
      if (fresh) this.#estimate.reset();
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
    const sentMs = now();
    const dead = setTimeout(() => {
      if (generation === this.#generation) client.reconnect();
    }, PATIENCE_MS);
    try {
      const { timeMs } = await client.call("engine.clock");
      report(this.#estimate.add({ sentMs, receivedMs: now(), timeMs }));
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
