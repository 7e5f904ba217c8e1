/**
 * What the timeline needs of its files from the head on: which assets, how soon, and how many bytes and frames in each second.
 * Values to values: no clock, no disk.
 *
 * @module
 */
import { hasSolo, trackGains } from "../signal/gains.ts";
import { asIs, type PlayedOf } from "../signal/played.ts";
import { isSilent, sourcePath } from "../signal/speed.ts";
import { Stretches } from "./stretches.ts";
import type { TimelineModel } from "./timeline_model.ts";
import { atOnce, sorting, Turns } from "./turns.ts";
import type { Frames, Loop } from "./types.ts";

/** Where playing begins. */
export interface DemandHead {
  readonly positionFrame: Frames;
  readonly loop: Readonly<Loop>;
}

/** What reading an asset costs. */
export interface AssetCost {
  /** Of the file. */
  readonly sampleRate: number;
  /** Frames of the file. Clips may reach beyond them: silence costs nothing. */
  readonly lengthSamples: number;
  /** Bytes of the file that one of its frames takes; of a compressed one on average. */
  readonly bytesPerFrame: number;
  /** Whether its frames have to be decoded. */
  readonly compressed: boolean;
  /** Where it lies; assets of one volume share its throughput. */
  readonly volume: string;
}

/** What is needed of one asset. */
export interface AssetDemand {
  readonly assetId: string;
  readonly volume: string;
  /** Frames at the project's rate that tracks play which are heard, each stretch of the asset once. */
  frames: Frames;
  /** Of muted tracks, where no track that is heard plays them too. */
  mutedFrames: Frames;
  /** Milliseconds of playing until the first of them is needed. */
  firstMs: number;
  /** Bytes of its file, muted tracks left out. */
  bytes: number;
}

/** What is needed of one volume, second by second from the head on. Muted tracks are left out. */
export interface VolumeDemand {
  readonly volume: string;
  /** Bytes of files. */
  readonly bytes: Float64Array;
  /** Frames of files that have to be decoded. */
  readonly decodeFrames: Float64Array;
  /** Bytes that muted tracks would need besides: they are fetched when there is time. */
  mutedBytes: number;
}

/** What the timeline needs. */
export interface Demand {
  /** From the head on. */
  readonly spanSeconds: number;
  /** The one needed first comes first. */
  readonly assets: readonly AssetDemand[];
  readonly volumes: readonly VolumeDemand[];
}

export interface DemandOptions {
  /** What an asset costs to read; `undefined` if it is not known or its file is away: then it is left out. */
  costOf: (assetId: string) => AssetCost | undefined;
  /** Whether frames of an asset, at the project's rate, need not be read; `false` unless told. Asked once for each clip in the span. */
  isResident?: (assetId: string, startFrame: Frames, endFrame: Frames) => boolean;
  /** What clips really play; unless told, what they say. */
  played?: PlayedOf;
  /** 60 unless told. At least a second; a fraction counts as a whole one. */
  spanSeconds?: number;
}

/** Clips, pieces of them or assets that are looked at in one turn; each takes about a microsecond. */
const WORK_A_TURN = 256;
/** Asking about the residency of so many frames counts as one of them more. */
const ASKED_FRAMES = 2 ** 16;

/** A part of the timeline that is played without a jump. */
interface Run {
  readonly start: Frames;
  readonly end: Frames;
  /** Frames played before it. */
  readonly after: Frames;
}

/** What a clip plays within a run. */
interface Piece {
  /** Seconds of playing until it begins. */
  readonly at: number;
  readonly seconds: number;
  /** Where it stands in the source when it begins, at the project's rate. Below a `rate` of 0 it goes backwards, and this is its end. */
  readonly source: number;
  readonly rate: number;
}

/** The part of the source that a piece plays. */
function rangeOf({ source, seconds, rate }: Piece, sampleRate: number): [from: number, to: number] {
  const end = source + seconds * rate * sampleRate;
  return rate < 0 ? [end, source] : [source, end];
}

/**
 * What playing from the head on needs in the next `spanSeconds`, whether it plays now or not. Each stretch of an asset counts once, when it
 * is needed first: what comes again (in a loop, or in several clips) is resident by then. Blocks that the span does not meet cost one
 * comparison each. Others may have their turn at each `yield`.
 */
export function* demanding(
  model: Pick<TimelineModel, "sampleRate" | "tracks">,
  head: DemandHead,
  { costOf, isResident = () => false, played = asIs, spanSeconds = 60 }: DemandOptions,
): Generator<void, Demand> {
  const turns = new Turns(WORK_A_TURN);
  const seconds = Math.max(1, Math.ceil(spanSeconds));
  const runs = runsOf(head, seconds * model.sampleRate);
  const heard = yield* piecesOf(model, runs, false, turns, played);
  const muted = yield* piecesOf(model, runs, true, turns, played);
  const volumes = new Map<string, VolumeDemand>();
  const assets: AssetDemand[] = [];
  for (const assetId of keysOf(heard, muted)) {
    if (turns.isOver()) yield;
    const cost = costOf(assetId);
    if (cost === undefined) continue;
    const zeros = () => new Float64Array(seconds);
    const { volume: name } = cost;
    const volume = volumes.get(name) ??
      { volume: name, bytes: zeros(), decodeFrames: zeros(), mutedBytes: 0 };
    volumes.set(name, volume);
    const sum = new AssetSum(assetId, cost, volume, model.sampleRate, isResident);
    yield* sum.adding(heard.get(assetId) ?? [], false, turns);
    yield* sum.adding(muted.get(assetId) ?? [], true, turns);
    if (sum.demand.firstMs !== Infinity) assets.push(sum.rounded());
  }
  const inOrder = yield* sorting(assets, ({ firstMs }) => firstMs, turns);
  return { spanSeconds: seconds, assets: inOrder, volumes: [...volumes.values()] };
}

/** As {@linkcode demanding}, at once. */
export function demandOf(...input: Parameters<typeof demanding>): Demand {
  return atOnce(demanding(...input));
}

/** Keys of two maps, each once. */
function* keysOf<K>(a: ReadonlyMap<K, unknown>, b: ReadonlyMap<K, unknown>): Generator<K> {
  yield* a.keys();
  for (const key of b.keys()) if (!a.has(key)) yield key;
}

/** The head's way through the timeline. A loop's second turn needs nothing new. */
function runsOf({ positionFrame, loop }: DemandHead, frames: Frames): Run[] {
  const wraps = loop.enabled && loop.endFrame > loop.startFrame && positionFrame < loop.endFrame;
  const end = positionFrame + frames;
  if (!wraps || loop.endFrame >= end) return [{ start: positionFrame, end, after: 0 }];
  const after = loop.endFrame - positionFrame;
  const turn = Math.min(loop.endFrame, loop.startFrame + frames - after);
  return [
    { start: positionFrame, end: loop.endFrame, after: 0 },
    { start: loop.startFrame, end: turn, after },
  ];
}

/** By asset, what is played of it by the tracks that are heard, or by those that are not. */
function* piecesOf(
  { sampleRate, tracks }: Pick<TimelineModel, "sampleRate" | "tracks">,
  runs: readonly Run[],
  muted: boolean,
  turns: Turns,
  played: PlayedOf,
): Generator<void, Map<string, Piece[]>> {
  const pieces = new Map<string, Piece[]>();
  const anySolo = hasSolo({ tracks });
  for (const track of tracks) {
    if (turns.isOver()) yield;
    const [left, right] = trackGains(track, anySolo);
    if ((left === 0 && right === 0) !== muted) continue;
    for (const run of runs) {
      for (const { start, block } of track.blocks) {
        if (turns.isOver()) yield;
        if (start >= run.end) break;
        if (start + block.maxEnd <= run.start) continue;
        for (const { at, body: clip } of block.clips) {
          const body = played(clip);
          if (turns.isOver()) yield;
          const clipStart = start + at;
          if (clipStart >= run.end) break;
          const from = Math.max(run.start, clipStart);
          const to = Math.min(run.end, clipStart + body.lengthFrames);
          if (from >= to || isSilent(body)) continue;
          const { first, step } = sourcePath(body);
          const of = pieces.get(body.assetId) ?? [];
          pieces.set(body.assetId, of);
          of.push({
            at: (run.after + from - run.start) / sampleRate,
            seconds: (to - from) / sampleRate,
            // Backwards a frame is played from where the next one begins.
            source: first + (from - clipStart) * step + (step < 0 ? -step : 0),
            rate: step,
          });
        }
      }
    }
  }
  return pieces;
}

/** Parts of pieces, each within one of the span's seconds, in the order of these. */
function* inSeconds(
  pieces: readonly Piece[],
  sampleRate: number,
  turns: Turns,
): Generator<void, Piece[]> {
  const parts: Piece[] = [];
  for (const piece of pieces) {
    const end = piece.at + piece.seconds;
    for (let at = piece.at; at < end;) {
      const to = Math.min(end, Math.floor(at) + 1);
      const source = piece.source + (at - piece.at) * piece.rate * sampleRate;
      parts.push({ at, seconds: to - at, source, rate: piece.rate });
      at = to;
      if (turns.isOver()) yield;
    }
  }
  return yield* sorting(parts, ({ at }) => at, turns);
}

/** Sums up what is needed of one asset. */
class AssetSum {
  readonly demand: AssetDemand;
  readonly #cost: AssetCost;
  readonly #volume: VolumeDemand;
  readonly #sampleRate: number;
  readonly #taken = new Stretches();

  constructor(
    assetId: string,
    cost: AssetCost,
    volume: VolumeDemand,
    sampleRate: number,
    readonly isResident: NonNullable<DemandOptions["isResident"]>,
  ) {
    this.#cost = cost;
    this.#volume = volume;
    this.#sampleRate = sampleRate;
    this.demand = {
      assetId,
      volume: cost.volume,
      frames: 0,
      mutedFrames: 0,
      firstMs: Infinity,
      bytes: 0,
    };
  }

  /** What was summed up in seconds, as whole frames and bytes. */
  rounded(): AssetDemand {
    const { frames, mutedFrames, bytes } = this.demand;
    return {
      ...this.demand,
      frames: Math.round(frames),
      mutedFrames: Math.round(mutedFrames),
      bytes: Math.round(bytes),
    };
  }

  *adding(pieces: readonly Piece[], muted: boolean, turns: Turns): Generator<void, void> {
    const rate = this.#sampleRate;
    const { lengthSamples, sampleRate } = this.#cost;
    const lengthFrames = Math.ceil(lengthSamples * rate / sampleRate);
    const read: Piece[] = [];
    for (const piece of pieces) {
      const [begin, end] = rangeOf(piece, rate);
      const from = Math.max(0, Math.floor(begin));
      const to = Math.min(lengthFrames, Math.ceil(end));
      if (turns.isOver(1 + Math.max(0, to - from) / ASKED_FRAMES)) yield;
      if (from < to && this.isResident(this.demand.assetId, from, to)) {
        this.#taken.take(from, to, () => {});
      } else {
        read.push(piece);
      }
    }
    // Where pieces may share stretches, who needs them first matters.
    const parts = read.length > 1 ? yield* inSeconds(read, rate, turns) : read;
    for (const part of parts) {
      if (turns.isOver()) yield;
      const { at, source, rate: speed } = part;
      const [from, end] = rangeOf(part, rate);
      this.#taken.take(Math.max(0, from), Math.min(lengthFrames, end), (a, b) => {
        const first = speed < 0 ? b : a;
        const lasting = (b - a) / Math.abs(speed) / rate;
        this.#count(b - a, at + (first - source) / speed / rate, lasting, muted);
      });
    }
  }

  /** `frames` at the project's rate, new, needed from `at` on for `lasting` seconds. */
  #count(frames: number, at: number, lasting: number, muted: boolean): void {
    const { compressed, bytesPerFrame, sampleRate } = this.#cost;
    const demand = this.demand;
    const volume = this.#volume;
    const ofFile = sampleRate / this.#sampleRate;
    demand.firstMs = Math.min(demand.firstMs, at * 1000);
    if (muted) {
      demand.mutedFrames += frames;
      volume.mutedBytes += frames * ofFile * bytesPerFrame;
      return;
    }
    demand.frames += frames;
    demand.bytes += frames * ofFile * bytesPerFrame;
    const end = at + lasting;
    for (let second = Math.floor(at); second < end && second < volume.bytes.length; second++) {
      const part = (Math.min(end, second + 1) - Math.max(at, second)) / lasting * frames * ofFile;
      volume.bytes[second] += part * bytesPerFrame;
      if (compressed) volume.decodeFrames[second] += part;
    }
  }
}
