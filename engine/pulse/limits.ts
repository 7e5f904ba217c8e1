/**
 * What one project and one request may hold. Each refusal names the limit that it met.
 *
 * @module
 */

/** Greatest frame: the greatest integer that a double holds exactly. */
const MAX_FRAME = Number.MAX_SAFE_INTEGER;

/** Limits of the timeline, in the unit of each name; counts without one. */
export const LIMITS = {
  /** Frames 0 … 2^53 − 1; a clip's end too. */
  maxFrame: MAX_FRAME,
  tracks: 2_000,
  /** Clips of all tracks together. */
  clips: 200_000,
  markers: 10_000,
  /** Edits of one `timeline.edit`. */
  editsPerRequest: 10_000,
  /** `meta` as JSON in UTF-8. */
  metaBytes: 4_096,
  /** UTF-16 units. */
  nameChars: 256,
  idChars: 128,
  labelChars: 256,
  pathChars: 4_096,
  minGainDb: -300,
  maxGainDb: 60,
  minSampleRate: 8_000,
  maxSampleRate: 768_000,
  /** Steps that can be undone; older ones are forgotten. */
  undoSteps: 10_000,
  /** Answers kept for repeated `requestId`s. */
  rememberedRequests: 1_024,
} as const;
