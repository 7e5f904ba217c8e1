// @ts-check
/** @import { PositionReport, Transport } from "./types.js" */

/** Beyond the last report the playhead runs on by itself for this long, then waits: the engine may be waiting for a disk. */
const RUN_ON_MS = 300;
/** A report that differs by less is worked in over time, one that differs by more is a jump. */
const JUMP_MS = 90;
const SETTLE_MS = 120;
/** For this long after an edit, reports of the revision before it are passed over. */
const REVISION_PATIENCE_MS = 200;
/** For this long, and the device's latency, after play, seek and the like, reports from elsewhere still tell of the sound before. */
const TRANSPORT_PATIENCE_MS = 150;

/**
 * Where the head was heard at an instant, and how it goes on from there.
 * @typedef {object} Anchor
 * @property {number} frame
 * @property {number} timeMs engine time at which `frame` was heard
 * @property {number} rate
 * @property {number} errorFrames what the display was ahead by when the report came
 * @property {number} errorAtMs when that was, on our clock
 * @property {boolean} isFolded the display was on the other side of a loop's wrap
 * @property {boolean} isAhead it is not heard yet: until `timeMs` the head stands
 */

/**
 * Where the sound is at any instant of our clock, from reports that come 30 times a second. Between reports it runs at the
 * transport's rate and follows loop wraps; the small disagreements of successive reports fade instead of showing as jitter.
 */
export class Playhead {
  /** Engine time minus our time. */
  #offsetMs = 0;
  #framesPerMs = 48;
  #loop = { enabled: false, startFrame: 0, endFrame: 0 };
  /** @type {Transport["state"]} */
  #state = "stopped";
  /** @type {Anchor} */
  #anchor = anchorAt(0, 0, 1);
  /** Engine time from which a report is believed wherever it says. */
  #believedFromMs = 0;
  #awaitedRevision = -1;
  #awaitedUntilMs = 0;

  /** @returns {boolean} whether `at` gives another value a moment later */
  get moving() {
    return this.#state === "playing";
  }

  /** @param {number} sampleRate the project's, in Hz */
  setSampleRate(sampleRate) {
    this.#framesPerMs = sampleRate / 1000;
  }

  /** @param {number} offsetMs from `ClockSync` */
  setClockOffset(offsetMs) {
    this.#offsetMs = offsetMs;
  }

  /**
   * A discontinuity: play, pause, seek, loop, edit.
   *
   * @param {Transport} transport
   */
  setTransport(transport) {
    const { state, rate, loop, timeMs, deviceLatencyFrames } = transport;
    this.#state = state;
    this.#loop = loop;
    const latencyMs = deviceLatencyFrames / this.#framesPerMs;
    const { positionFrame, audibleFrame } = transport;
    // Where what was asked for is not heard yet, it is told as heard; it will be when the device gets there.
    const isAhead = state === "playing" && audibleFrame === positionFrame;
    this.#anchor = anchorAt(
      state === "playing" ? audibleFrame : positionFrame,
      isAhead ? timeMs + latencyMs : timeMs,
      rate,
      isAhead,
    );
    this.#believedFromMs = timeMs + TRANSPORT_PATIENCE_MS + latencyMs;
  }

  /**
   * @param {PositionReport} report `transport.position`
   * @param {number} nowMs our clock
   */
  report(report, nowMs) {
    if (report.revision < this.#awaitedRevision && nowMs < this.#awaitedUntilMs) return;
    if (this.#state !== "playing") return;
    const before = this.#anchor;
    const shown = this.at(nowMs);
    this.#anchor = anchorAt(report.audibleFrame, report.timeMs, report.rate);
    const { errorFrames, isFolded } = this.#difference(shown, this.at(nowMs));
    if (Math.abs(errorFrames) < JUMP_MS * this.#framesPerMs) {
      Object.assign(this.#anchor, { errorFrames, isFolded, errorAtMs: nowMs });
    } else if (report.timeMs < this.#believedFromMs) {
      this.#anchor = before;
    }
  }

  /**
   * The timeline is now `revision`; reports still speak of the one before for a moment.
   *
   * @param {number} revision
   * @param {number} nowMs our clock
   */
  awaitRevision(revision, nowMs) {
    this.#awaitedRevision = revision;
    this.#awaitedUntilMs = nowMs + REVISION_PATIENCE_MS;
  }

  /**
   * An edit's reply said where the head stands in the new timeline.
   *
   * @param {number} playheadFrame
   * @param {number} nowMs our clock
   */
  move(playheadFrame, nowMs) {
    const { rate } = this.#anchor;
    if (this.#state !== "playing") {
      this.#anchor = anchorAt(playheadFrame, nowMs + this.#offsetMs, rate);
    } else if (Math.abs(playheadFrame - this.at(nowMs)) > JUMP_MS * this.#framesPerMs) {
      this.#anchor = anchorAt(playheadFrame, nowMs + this.#offsetMs, rate);
    }
  }

  /**
   * @param {number} nowMs our clock, such as `performance.now()`
   * @returns {number} frame on the timeline, with a fraction
   */
  at(nowMs) {
    const { frame, timeMs, rate, errorFrames, errorAtMs, isAhead } = this.#anchor;
    if (this.#state !== "playing") return frame;
    const sinceMs = nowMs + this.#offsetMs - timeMs;
    const elapsedMs = Math.min(RUN_ON_MS, isAhead ? Math.max(0, sinceMs) : sinceMs);
    const fading = Math.exp(Math.min(0, errorAtMs - nowMs) / SETTLE_MS);
    return Math.max(
      0,
      this.#wrap(frame + elapsedMs * this.#framesPerMs * rate + errorFrames * fading),
    );
  }

  /**
   * How far the display is ahead, by the shorter way around a loop.
   *
   * @param {number} shown
   * @param {number} told
   */
  #difference(shown, told) {
    const { enabled, startFrame, endFrame } = this.#loop;
    const length = endFrame - startFrame;
    const straight = shown - told;
    const isInside = (/** @type {number} */ frame) => frame >= startFrame && frame < endFrame;
    if (!enabled || length <= 0 || !isInside(shown) || !isInside(told)) {
      return { errorFrames: straight, isFolded: false };
    }
    const rounds = Math.round(straight / length);
    return { errorFrames: straight - rounds * length, isFolded: rounds !== 0 };
  }

  /** @param {number} frame */
  #wrap(frame) {
    const { enabled, startFrame, endFrame } = this.#loop;
    const length = endFrame - startFrame;
    if (!enabled || length <= 0) return frame;
    const { frame: from, rate, isFolded } = this.#anchor;
    // A head beyond the loop never reaches its end and runs on; one before it comes in first.
    const isBeyond = rate < 0 ? from < startFrame : from >= endFrame;
    const hasWrapped = rate < 0 ? frame < startFrame : frame >= endFrame;
    if (isBeyond || !(hasWrapped || isFolded)) return frame;
    return startFrame + ((((frame - startFrame) % length) + length) % length);
  }
}

/**
 * @param {number} frame
 * @param {number} timeMs
 * @param {number} rate
 * @param {boolean} [isAhead]
 * @returns {Anchor}
 */
function anchorAt(frame, timeMs, rate, isAhead = false) {
  return { frame, timeMs, rate, errorFrames: 0, errorAtMs: 0, isFolded: false, isAhead };
}
