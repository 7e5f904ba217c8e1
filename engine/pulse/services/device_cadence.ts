/**
 * Whether a device holds its period: from how many frames its callbacks asked for, against how many it should play in that time.
 *
 * @module
 */

/** How many frames a device had asked for at a moment, since it was opened. */
export interface CadenceSample {
  timeMs: number;
  givenFrames: number;
}

/** What the device says of itself. */
export interface DevicePace {
  /** Frames a second. */
  sampleRate: number;
  periodFrames: number;
}

/** `unknown`: it has not been looked at for long enough, or it stands still altogether. */
export interface Cadence {
  verdict: "held" | "slow" | "unknown";
  /** Over the last stretch; `null` before there is one. */
  framesPerSecond: number | null;
}

/** Shortest stretch that is judged, in milliseconds: a hiccup of a busy machine is a small part of it. */
export const STRETCH_MS = 2_000;
/** Stretches in a row that must be too slow. */
export const STRETCHES = 3;
/** What happens this long after a device was opened says nothing, in milliseconds: a null sink of PulseAudio may stand still for the first two seconds. */
export const SETTLING_MS = 3_000;
/** Part of the frames that may be missing: clocks of cards are within 0.05 %. */
const TOLERANCE = 0.02;
/** Periods that a callback at either end of a stretch may bring forward or put off. */
const JITTER_PERIODS = 4;
/** A device without callbacks for this time and some periods stands still, in milliseconds. */
const STILL_MS = 5_000;
const STILL_PERIODS = 20;
/** Longest period that is chosen without being asked for, in frames. */
export const LONGEST_PERIOD = 8_192;

/** Samples that a verdict can still depend on: the last stretches, and what they begin with. */
export function recentSamples(samples: readonly CadenceSample[]): CadenceSample[] {
  const ends = boundaries(samples);
  return samples.slice(ends.length > STRETCHES ? ends.at(-1) : 0);
}

/** Indexes of the ends of the last stretches, newest first. */
function boundaries(samples: readonly CadenceSample[]): number[] {
  const ends: number[] = [];
  let end = samples.length - 1;
  if (end >= 0) ends.push(end);
  while (end > 0 && ends.length <= STRETCHES) {
    const begin = samples.findLastIndex(({ timeMs }, i) =>
      i < end && samples[end].timeMs - timeMs >= STRETCH_MS
    );
    if (begin < 0) break;
    ends.push(begin);
    end = begin;
  }
  return ends;
}

/**
 * The device is slow if it was so in each of the last {@linkcode STRETCHES} stretches: one hiccup, however long, is not a period that
 * cannot be held.
 */
export function judgeCadence(samples: readonly CadenceSample[], pace: DevicePace): Cadence {
  const ends = boundaries(samples);
  const stretches = ends.slice(1).map((begin, i) => {
    const frames = samples[ends[i]].givenFrames - samples[begin].givenFrames;
    const seconds = (samples[ends[i]].timeMs - samples[begin].timeMs) / 1_000;
    const expected = seconds * pace.sampleRate;
    const missing = expected * (1 - TOLERANCE) - JITTER_PERIODS * pace.periodFrames - frames;
    return { framesPerSecond: frames / seconds, slow: frames > 0 && missing > 0 };
  });
  const framesPerSecond = stretches[0]?.framesPerSecond ?? null;
  if (stretches.length < STRETCHES) return { verdict: "unknown", framesPerSecond };
  if (stretches.every(({ slow }) => slow)) return { verdict: "slow", framesPerSecond };
  return { verdict: framesPerSecond === 0 ? "unknown" : "held", framesPerSecond };
}

/** The period to try after one that was not held: twice as long; `null` if that would be too long. */
export function longerPeriod(periodFrames: number): number | null {
  return periodFrames * 2 <= LONGEST_PERIOD ? periodFrames * 2 : null;
}

/** Whether a device has stopped asking for frames: it is given up for lost. */
export function standsStill(
  nowMs: number,
  sinceMs: number,
  { sampleRate, periodFrames }: DevicePace,
): boolean {
  return nowMs - sinceMs > STILL_MS + STILL_PERIODS * periodFrames / sampleRate * 1_000;
}
