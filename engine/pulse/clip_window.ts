/**
 * Where the window of a clip is when its clip has changed. Values to values.
 *
 * A window of a clip lies on what the clip plays of its asset, and goes with it:
 * - a begin that stood at the clip's begin or before it stays at the clip's begin, an end at the clip's end likewise: who wanted all of a clip has all
 *   of it after a trim or a split (the left part keeps the clip's id) as well;
 * - the rest keeps its place in the asset where the clip was trimmed, cut or split, and moves along where it was slipped;
 * - it never reaches beyond what the clip plays, but what was cut off comes back with an undo.
 *
 * All in frames of the source at the project's rate.
 *
 * @module
 */

import type { MixClipBody } from "../signal/model.ts";
import { reachOf, soundingFrame, soundingRate, sourcePath } from "../signal/speed.ts";

/** What a clip plays of its asset. */
export interface ClipRange {
  readonly assetId: string;
  readonly from: number;
  readonly to: number;
  /** Frames around it that sound in it too: those that the filter of its rate takes. */
  readonly reach: number;
}

/** Where a window is, as seen from its clip. */
export interface Anchor {
  /** In the asset; may lie outside of what the clip plays now. */
  readonly from: number;
  readonly to: number;
  /** It begins and ends with the clip. */
  readonly atStart: boolean;
  readonly atEnd: boolean;
}

/** The part of its asset that a clip plays. */
export function clipRange(
  clip: Pick<MixClipBody, "assetId" | "sourceFrame" | "lengthFrames" | "rate" | "reverse">,
): ClipRange {
  const { assetId, sourceFrame, lengthFrames, rate } = clip;
  const from = soundingFrame(sourceFrame);
  const reach = reachOf(sourcePath(clip));
  return { assetId, from, to: from + lengthFrames * soundingRate(rate), reach };
}

/** A window on `[from, to)` of what a clip plays. */
export function anchorAt(from: number, to: number, clip: ClipRange): Anchor {
  return { from, to, atStart: from <= clip.from, atEnd: to >= clip.to };
}

/** The window once its clip plays something else. */
export function followClip(anchor: Anchor, before: ClipRange, after: ClipRange): Anchor {
  const by = after.from - before.from;
  const isSlip = by !== 0 && after.to - after.from === before.to - before.from;
  return isSlip ? { ...anchor, from: anchor.from + by, to: anchor.to + by } : anchor;
}

/** What the window holds now; empty where the clip plays nothing of it. */
export function heldOf({ from, to, atStart, atEnd }: Anchor, clip: ClipRange) {
  const start = atStart ? clip.from : Math.min(Math.max(from, clip.from), clip.to);
  const end = atEnd ? clip.to : Math.min(Math.max(to, clip.from), clip.to);
  return { from: start, to: Math.max(start, end) };
}
