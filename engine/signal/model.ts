/**
 * What Signal renders: an immutable, structurally shared mix. Pulse's timeline model extends these shapes; Signal reads
 * nothing else of it.
 *
 * Sharing is by identity. An edit makes new objects only for what it changed: a clip body that is the same object is the same
 * sound, a block that is the same object has the same clips at the same places relative to its start, a `blocks` array that is the same
 * object is the same track content. `pack.ts` finds what changed by comparing identities, so an unchanged thing must stay the same object.
 *
 * @module
 */

/** Frames at the project's rate: integer, exact to 2^53. */
export type Frames = number;
/** Decibels; silence is `null`. */
export type Decibels = number | null;
/** The curve of a fade. `equalPower` follows a quarter of a sine. */
export type FadeShape = "linear" | "equalPower";
/** What a clip does at a rate other than 1: it is silent, its pitch follows the rate, or its pitch stays. */
export type SpeedMode = "mute" | "matchSpeed" | "maintainPitch";

/** A clip without its place. Frozen; identity means "the same sound". */
export interface MixClipBody {
  readonly clipId: string;
  readonly assetId: string;
  /** > 0. */
  readonly lengthFrames: Frames;
  /** First frame of the source, at the project's rate; may lie outside the source (silence there) and may have a fraction. */
  readonly sourceFrame: number;
  readonly gainDb: Decibels;
  readonly fadeInFrames: Frames;
  readonly fadeOutFrames: Frames;
  readonly fadeInShape?: FadeShape;
  readonly fadeOutShape?: FadeShape;
  /** Frames of the source in one of the timeline: {@linkcode MIN_RATE} … {@linkcode MAX_RATE}. What sounds is `soundingRate(rate)`. */
  readonly rate: number;
  readonly speedMode: SpeedMode;
  /** `[sourceFrame, sourceFrame + lengthFrames·rate)` from its end. */
  readonly reverse?: boolean;
}

/** A clip at a place relative to its block. */
export interface PlacedClip<Body extends MixClipBody = MixClipBody> {
  readonly at: Frames;
  readonly body: Body;
}

/** Most clips that a block may hold. */
export const BLOCK_CLIPS = 256;

/** 1 to 256 clips in order of `at` (ties: the later in the array is the later in order). `at` ≥ 0. */
export interface MixBlock<Body extends MixClipBody = MixClipBody> {
  readonly clips: readonly PlacedClip<Body>[];
  /** Greatest `at + lengthFrames` of its clips. */
  readonly maxEnd: Frames;
}

/** A block at its place on the track. Blocks are in order: every clip of a block starts at or after every clip of the one before it. */
export interface BlockRef<Body extends MixClipBody = MixClipBody> {
  readonly start: Frames;
  readonly block: MixBlock<Body>;
}

/** A track. */
export interface MixTrack<Body extends MixClipBody = MixClipBody> {
  readonly trackId: string;
  readonly gainDb: Decibels;
  /** −1 … 1, a balance. */
  readonly pan: number;
  readonly mute: boolean;
  readonly solo: boolean;
  readonly blocks: readonly BlockRef<Body>[];
}

/** Everything that sounds. */
export interface MixModel<Body extends MixClipBody = MixClipBody> {
  readonly tracks: readonly MixTrack<Body>[];
}

/**
 * One step of a playhead map: `[at, at + remove)` is taken out, then `insert` frames are put in at `at`. A position x < at stays; one
 * inside what is removed goes onto `at`; one at or behind its end moves by −remove; then one ≥ at moves by +insert (with
 * `remove` > 0, a position that was inside the removed part stays on `at`).
 * Only a ripple over all tracks has one.
 */
export interface HeadMapStep {
  readonly at: Frames;
  readonly remove: Frames;
  readonly insert: Frames;
}

/** Applies a map to a position, step after step. */
export function mapFrame(map: readonly HeadMapStep[], frame: Frames): Frames {
  let x = frame;
  for (const { at, remove, insert } of map) {
    if (x < at) continue;
    if (remove > 0 && x < at + remove) x = at;
    else x = x - remove + insert;
  }
  return x;
}

/**
 * Applies a map to where a range ends, the frame behind its last: what is put in there lies behind the range, which does not grow by it.
 */
export function mapEnd(map: readonly HeadMapStep[], frame: Frames): Frames {
  let x = frame;
  for (const { at, remove, insert } of map) {
    if (x <= at) continue;
    x = x <= at + remove ? at : x - remove + insert;
  }
  return x;
}

/** The map that takes back what `map` did (positions inside what was removed come back onto its start). */
export function invertMap(map: readonly HeadMapStep[]): HeadMapStep[] {
  return map.map(({ at, remove, insert }) => ({ at, remove: insert, insert: remove })).reverse();
}
