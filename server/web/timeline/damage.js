// @ts-check
/** @import { TimelineMirror } from "../client/mirror.js" */
/** @import { View } from "../model/view.js" */

/** More pieces than this are drawn as a whole. */
const MOST_PARTS = 64;
/** What edges and handles reach beyond a clip, in CSS pixels. */
const MARGIN_PX = 8;

/**
 * A piece of the lanes: columns of a track's row.
 * @typedef {object} Part
 * @property {number} row index of the track
 * @property {number} fromFrame
 * @property {number} toFrame
 */

/**
 * What of the lanes no longer shows how things stand. A drawing takes it, and draws that alone.
 */
export class Damage {
  #all = true;
  /** @type {Map<string, { from: number, to: number }>} */
  #spans = new Map();

  /** Everything. */
  addAll() {
    this.#all = true;
  }

  /**
   * @param {string} trackId
   * @param {number} from frame
   * @param {number} to
   */
  add(trackId, from, to) {
    const span = this.#spans.get(trackId);
    if (span === undefined) this.#spans.set(trackId, { from, to });
    else {
      span.from = Math.min(span.from, from);
      span.to = Math.max(span.to, to);
    }
  }

  /**
   * @param {TimelineMirror} mirror
   * @param {View} view
   * @returns {Part[] | null} what to draw, and it counts as drawn; null: everything
   */
  take(mirror, view) {
    const spans = this.#spans;
    const all = this.#all || spans.size > MOST_PARTS;
    this.#all = false;
    this.#spans = new Map();
    if (all) return null;
    const margin = MARGIN_PX * view.framesPerPixel;
    const first = Math.max(0, view.trackIndexAt(0));
    const last = view.trackIndexAt(view.height);
    return mirror.tracks.flatMap(({ header, clips }, row) => {
      const span = spans.get(header.trackId);
      if (span === undefined || row < first || row > last) return [];
      let fromFrame = Math.max(view.scrollFrame, span.from - margin);
      let toFrame = Math.min(view.endVisibleFrame, span.to + margin);
      if (toFrame <= fromFrame) return [];
      // What touches it too: a neighbour's title ends where the next clip begins, and crossfades belong to both.
      const [from, to] = [fromFrame, toFrame];
      for (const clip of clips.range(from, to, view.framesPerPixel / 4)) {
        fromFrame = Math.min(fromFrame, clip.startFrame - margin);
        toFrame = Math.max(toFrame, clip.startFrame + clip.lengthFrames + margin);
      }
      return [{ row, fromFrame, toFrame }];
    });
  }
}
