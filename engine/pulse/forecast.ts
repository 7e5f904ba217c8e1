/**
 * Whether disks will sustain playback: what the timeline needs in the next minute against what they gave lately. Values to values.
 *
 * @module
 */
import type { Demand, VolumeDemand } from "./demand.ts";

/** Below this margin a person is warned. */
export const WARN_BELOW = 1.25;
/** Above this one it is well again. */
export const WELL_ABOVE = 1.5;
/** A warning that still holds is given again after so long. */
export const AGAIN_MS = 60_000;
/** Pages are fetched this far ahead: within that, the mean counts and not the peak. */
export const SMOOTHED_SECONDS = 10;

/** What one volume must give, and whether it can. */
export interface VolumeForecast {
  readonly volume: string;
  readonly needBytesPerSecond: number;
  /** `null`: too little was read to tell. */
  readonly haveBytesPerSecond: number | null;
  readonly needDecodeFramesPerSecond: number;
  readonly haveDecodeFramesPerSecond: number | null;
  /** have / need; `null` where one of them is not known or nothing is needed. */
  readonly margin: number | null;
  /** The second from now that needs most; `null` where nothing is needed. */
  readonly worstSecond: number | null;
}

/** What a volume gives while it is read from. `null`: not known. */
export interface Throughput {
  readonly bytesPerSecond: number | null;
  readonly decodeFramesPerSecond: number | null;
}

/** The greatest mean over `window` seconds of what each second needs. A span shorter than that counts as a whole. */
export function greatestMean(perSecond: ArrayLike<number>, window: number): number {
  const length = Math.max(1, Math.min(Math.floor(window), perSecond.length));
  let sum = 0;
  let greatest = 0;
  for (let i = 0; i < perSecond.length; i++) {
    sum += perSecond[i];
    if (i >= length) sum -= perSecond[i - length];
    if (i >= length - 1) greatest = Math.max(greatest, sum / length);
  }
  return greatest;
}

function worstOf({ bytes }: VolumeDemand): number | null {
  let worst: number | null = null;
  bytes.forEach((need, second) => {
    if (need > (worst === null ? 0 : bytes[worst])) worst = second;
  });
  return worst;
}

/** One forecast a volume that something is needed of. */
export function forecast(
  demand: Demand,
  throughputOf: (volume: string) => Throughput,
  smoothedSeconds: number = SMOOTHED_SECONDS,
): VolumeForecast[] {
  return demand.volumes.map((volume): VolumeForecast => {
    const need = greatestMean(volume.bytes, smoothedSeconds);
    const { bytesPerSecond, decodeFramesPerSecond } = throughputOf(volume.volume);
    return {
      volume: volume.volume,
      needBytesPerSecond: need,
      haveBytesPerSecond: bytesPerSecond,
      needDecodeFramesPerSecond: greatestMean(volume.decodeFrames, smoothedSeconds),
      haveDecodeFramesPerSecond: decodeFramesPerSecond,
      margin: need > 0 && bytesPerSecond !== null ? bytesPerSecond / need : null,
      worstSecond: worstOf(volume),
    };
  });
}

/** What is remembered of a volume that somebody was warned of; `null`: nobody was, or it is well again. */
export type Warned = { readonly atMs: number } | null;

/**
 * Whether to warn of a volume now. Once when its margin falls below {@linkcode WARN_BELOW}; again only after it was above
 * {@linkcode WELL_ABOVE} meanwhile, or after {@linkcode AGAIN_MS}. A margin that is not known changes nothing.
 */
export function decideWarning(
  margin: number | null,
  warned: Warned,
  nowMs: number,
): { warn: boolean; warned: Warned } {
  if (margin === null) return { warn: false, warned };
  if (margin > WELL_ABOVE) return { warn: false, warned: null };
  if (margin >= WARN_BELOW) return { warn: false, warned };
  if (warned !== null && nowMs - warned.atMs < AGAIN_MS) return { warn: false, warned };
  return { warn: true, warned: { atMs: nowMs } };
}

/** What is known of how a volume read, since the start. */
export interface VolumeWork {
  readonly bytes: number;
  /** Time in which at least one thread read from it. */
  readonly busyMs: number;
  readonly decodedFrames: number;
  readonly decodeMs: number;
}

/** Of what was read longer ago than this much reading, little counts. */
const MEMORY_MS = 2_000;
/** Less reading than this tells nothing. */
const LEAST_MS = 5;

/** How much a volume gives while it is read from: the latest reading weighs most. Time in which nobody reads says nothing about it. */
export class ThroughputMeter {
  #last: VolumeWork | null = null;
  #bytes = 0;
  #busyMs = 0;
  #decodedFrames = 0;
  #decodeMs = 0;

  /** Takes note of the volume's figures as they are now. */
  look(work: VolumeWork): void {
    const last = this.#last ?? { bytes: 0, busyMs: 0, decodedFrames: 0, decodeMs: 0 };
    this.#last = work;
    const busyMs = work.busyMs - last.busyMs;
    if (busyMs <= 0) return;
    const kept = Math.exp(-busyMs / MEMORY_MS);
    this.#bytes = this.#bytes * kept + work.bytes - last.bytes;
    this.#busyMs = this.#busyMs * kept + busyMs;
    this.#decodedFrames = this.#decodedFrames * kept + work.decodedFrames - last.decodedFrames;
    this.#decodeMs = this.#decodeMs * kept + work.decodeMs - last.decodeMs;
  }

  get throughput(): Throughput {
    return {
      bytesPerSecond: this.#busyMs < LEAST_MS ? null : this.#bytes / this.#busyMs * 1000,
      decodeFramesPerSecond: this.#decodedFrames > 0 && this.#decodeMs > 0
        ? this.#decodedFrames / this.#decodeMs * 1000
        : null,
    };
  }
}
