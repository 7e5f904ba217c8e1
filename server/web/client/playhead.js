// @ts-check
/** @import { PositionReport, Transport } from "./types.js" */

/** Beyond the last report the playhead runs on by itself for this long, then waits: the engine may be waiting for a disk. */
const RUN_ON_MS = 300;
/** A report that differs by less is worked in over time, one that differs by more is a jump. */
const JUMP_MS = 90;
const SETTLE_MS = 120;
/** For this long after an edit, reports of the revision before it are passed over. */
const REVISION_PATIENCE_MS = 200;

/**
 * Where the sound is at any instant of our clock, from reports that come 30 times a second. Between reports it runs at the
 * transport's rate and follows loop wraps; the small disagreements of successive reports fade instead of showing as jitter.
 */
export class Playhead {
  /** Engine time minus our time. */
  #offsetMs = 0;
  #framesPerMs = 48;
  #rate = 1;
  #loop = { enabled: false, startFrame: 0, endFrame: 0 };
  /** @type {Transport["state"]} */
  #state = "stopped";
  #frame = 0;
  /** Engine time at which `#frame` was heard. */
  #timeMs = 0;
  /** What the display was ahead by when the report came, and when that was on our clock. */
  #errorFrames = 0;
  #errorAtMs = 0;
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
    this.#state = transport.state;
    this.#rate = transport.rate;
    this.#loop = transport.loop;
    this.#errorFrames = 0;
    const playing = transport.state === "playing";
    this.#frame = playing ? transport.audibleFrame : transport.positionFrame;
    this.#timeMs = transport.timeMs;
  }

  /**
   * @param {PositionReport} report `transport.position`
   * @param {number} nowMs our clock
   */
  report(report, nowMs) {
    if (report.revision < this.#awaitedRevision && nowMs < this.#awaitedUntilMs) return;
    if (this.#state !== "playing") return;
    const shown = this.at(nowMs);
    this.#rate = report.rate;
    this.#frame = report.audibleFrame;
    this.#timeMs = report.timeMs;
    this.#errorFrames = 0;
    const error = shown - this.at(nowMs);
    if (Math.abs(error) < JUMP_MS * this.#framesPerMs) {
      this.#errorFrames = error;
      this.#errorAtMs = nowMs;
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
    if (this.#state !== "playing") {
      this.#frame = playheadFrame;
    } else if (Math.abs(playheadFrame - this.at(nowMs)) > JUMP_MS * this.#framesPerMs) {
      this.#frame = playheadFrame;
      this.#timeMs = nowMs + this.#offsetMs;
      this.#errorFrames = 0;
    }
  }

  /**
   * @param {number} nowMs our clock, such as `performance.now()`
   * @returns {number} frame on the timeline, with a fraction
   */
  at(nowMs) {
    if (this.#state !== "playing") return this.#frame;
    const elapsedMs = Math.min(RUN_ON_MS, nowMs + this.#offsetMs - this.#timeMs);
    const ran = elapsedMs * this.#framesPerMs * this.#rate;
    const settled = this.#errorFrames * Math.exp((this.#errorAtMs - nowMs) / SETTLE_MS);
    return Math.max(0, this.#wrap(this.#frame + ran + settled));
  }

  /** @param {number} frame */
  #wrap(frame) {
    const { enabled, startFrame, endFrame } = this.#loop;
    if (!enabled || endFrame <= startFrame) return frame;
    // A head that started beyond the loop never reaches its end and runs on.
    const inside = this.#frame >= startFrame && this.#frame < endFrame;
    if (!inside || (frame < endFrame && frame >= startFrame)) return frame;
    const length = endFrame - startFrame;
    return startFrame + ((((frame - startFrame) % length) + length) % length);
  }
}
