/**
 * How far before a place is needed its pages must be there: from what disk and decoder were measured to give, and what the timeline needs of
 * them. Values to values.
 *
 * @module
 */

/** Shortest and longest lead, in seconds. */
export const LEAST_LEAD_SECONDS = 0.5;
export const MOST_LEAD_SECONDS = 30;
/** How far the renderer itself reads ahead of a head that plays, in seconds: `HORIZON_NS` of `ffi/native/follow.c`. */
const HORIZON_SECONDS = 10;
/** Reads that a jump waits for one after the other until all its voices sound. */
const READS_IN_TURN = 4;
/** Reading that takes less time than this says nothing, in seconds. */
const LEAST_BUSY_SECONDS = 0.005;

/** What reading gave while it was measured; sums. */
export interface Measured {
  /** Bytes of files. */
  readonly bytes: number;
  readonly reads: number;
  /** Time spent reading and decoding, and converting samples, in seconds; of several threads at a time the sum. */
  readonly readSeconds: number;
  readonly convertSeconds: number;
}

/** What the timeline needs in a second of playing. */
export interface Need {
  /** Bytes of files. */
  readonly bytesPerSecond: number;
}

/**
 * The lead, in seconds, 0.5 … 30.
 *
 * After a jump the renderer plays and fetches at once. With a share `u` of what reading can give taken by playing, it is its horizon `H` ahead after
 * `H · u / (1 − u)` seconds; until then every delay is heard, unless what is played meanwhile was there before. To this come the first reads themselves.
 * Reading is taken to give what one thread gave while it worked: several threads at one disk are not counted on.
 */
export function leadSeconds(measured: Measured, need: Need): number {
  const { bytes, reads, readSeconds, convertSeconds } = measured;
  const busy = readSeconds + convertSeconds;
  if (busy < LEAST_BUSY_SECONDS || bytes <= 0 || reads <= 0) return LEAST_LEAD_SECONDS;
  const used = need.bytesPerSecond * busy / bytes;
  if (used >= 1) return MOST_LEAD_SECONDS;
  const first = READS_IN_TURN * busy / reads;
  const lead = LEAST_LEAD_SECONDS + first + HORIZON_SECONDS * used / (1 - used);
  return Math.min(MOST_LEAD_SECONDS, lead);
}
