/**
 * Reads what native code tells about itself.
 *
 * @module
 */
import { check } from "../../ffi/check.ts";
import type { NativeSymbols } from "../../ffi/library.ts";
import {
  addFrames,
  type CauseFrames,
  type Fetched,
  type HistogramName,
  noFrames,
  type Overrun,
  type PageFill,
  type PageState,
  type RawHistogram,
  type SignalDiagnosis,
  sumFrames,
  type TrackFrameCounts,
  type VolumeStats,
} from "./diagnosis.ts";
import { CAUSES } from "./events.ts";

/** `LP_HISTOGRAM_BOUNDS`. */
const BOUNDS = 43;
/** `enum lp_render_histogram_kind` and `enum lp_store_histogram_kind`. */
const OF_RENDERER = ["callback", "callbackShare", "gateWait"] as const;
const OF_STORE = ["queueWaitRealtime", "queueWaitAnticipative", "read", "decode"] as const;
/** Numbers in a record of each kind, and records that are read at a time. */
const SOURCE_STATS = 9;
const VOLUME_STATS = 15;
const MOST_VOLUMES = 32;
const OVERRUN = 4;
const FILL = 15;
const PAGE_STATE = 8;
const AT_A_TIME = 64;
/** `missing` by cause, then `faded` by cause. */
const TRACK_CAUSES = 3;
const TRACK_COUNTERS = TRACK_CAUSES + 2 * CAUSES.length;
/** Where they begin in `lp_counters`, and what is lost of gaps. */
const MISSING = 4;
const FADED = 10;
const GAP_FRAMES_LOST = 34;

const OUTCOMES = ["filled", "failed", "stalled"] as const;
const RESIDENT = ["none", "part", "whole"] as const;
const WAITS = ["unasked", "waiting", "reading", "stalled"] as const;

type StreamFrames = ReturnType<SignalDiagnosis["streams"]>;

/** A track's frames: what its slot counts beyond `foreign`, and what earlier slots had counted for it. */
interface TrackCount {
  /** `null`: it is another's by now. */
  slot: number | null;
  readonly foreign: TrackFrameCounts;
  own: TrackFrameCounts;
}

const NOTHING: TrackFrameCounts = { missing: noFrames(), faded: noFrames(), proxied: 0 };

function countOf({ own, foreign }: TrackCount, now: TrackFrameCounts): TrackFrameCounts {
  return {
    missing: changeFrames(own.missing, now.missing, foreign.missing),
    faded: changeFrames(own.faded, now.faded, foreign.faded),
    proxied: own.proxied + now.proxied - foreign.proxied,
  };
}

/** What the diagnosis needs of the Signal that it is of. */
export interface DiagnosisHost {
  readonly symbols: NativeSymbols;
  readonly engine: number;
  readonly renderer: number;
  assetOf(source: number): string | null;
  slotOf(trackId: string): number | undefined;
  /** Slots in use lie below this. */
  slots(): number;
  /** Renderers of the streams that sound. */
  streams(): Iterable<number>;
}

export class NativeDiagnosis implements SignalDiagnosis {
  readonly bounds: readonly number[];
  readonly #host: DiagnosisHost;
  readonly #fills = new Float64Array(AT_A_TIME * FILL);
  readonly #page = new Float64Array(PAGE_STATE);
  readonly #trackCounters = new Float64Array(TRACK_COUNTERS);
  #lastFill = 0;
  #lastOverrun = 0;
  /** Of sources that are closed, by asset. */
  readonly #former = new Map<string, Fetched>();
  /** Of streams that have ended. */
  #ended: StreamFrames = { missing: noFrames(), faded: noFrames(), unrecorded: 0 };
  readonly #tracks = new Map<string, TrackCount>();
  /** Whose a slot was last. */
  readonly #slots = new Map<number, string>();

  constructor(host: DiagnosisHost) {
    this.#host = host;
    const bounds = new Float64Array(BOUNDS);
    check(host.symbols.lp_histogram_bounds(bounds, BOUNDS), "read the bounds of histograms");
    this.bounds = [...bounds];
  }

  histograms(): Record<HistogramName, RawHistogram> {
    const { symbols, engine, renderer } = this.#host;
    const values = new Float64Array(BOUNDS + 3);
    const entries: [HistogramName, RawHistogram][] = [];
    const take = (name: HistogramName) => {
      const [sum, max, ...counts] = values;
      entries.push([name, { sum, max, counts }]);
    };
    OF_RENDERER.forEach((name, which) => {
      check(symbols.lp_renderer_histogram(renderer, which, values, values.length), `read ${name}`);
      take(name);
    });
    OF_STORE.forEach((name, which) => {
      check(symbols.lp_store_histogram(engine, which, values, values.length), `read ${name}`);
      take(name);
    });
    return Object.fromEntries(entries) as Record<HistogramName, RawHistogram>;
  }

  fetched(): Map<string, Fetched> {
    const fetched = new Map(this.#former);
    for (const [source, stats] of this.#sources()) {
      const assetId = this.#host.assetOf(source);
      if (assetId === null) continue;
      const former = fetched.get(assetId);
      fetched.set(assetId, former === undefined ? stats : addFetched(former, stats));
    }
    return fetched;
  }

  /** A source is about to be closed; what was read of it stays its asset's. */
  closing(source: number, assetId: string): void {
    for (const [, stats] of this.#sources(source)) {
      // Files that are looked at once and never heard leave nothing behind.
      if (stats.reads === 0 && stats.stalls === 0) continue;
      const former = this.#former.get(assetId);
      this.#former.set(assetId, former === undefined ? stats : addFetched(former, stats));
    }
  }

  *#sources(source = 0): Iterable<[source: number, Fetched]> {
    const { symbols, engine } = this.#host;
    let values = new Float64Array(AT_A_TIME * SOURCE_STATS);
    for (;;) {
      const count = check(
        symbols.lp_source_stats(engine, source, values, values.length),
        "read what sources took",
      );
      if (count * SOURCE_STATS > values.length) {
        values = new Float64Array((count + AT_A_TIME) * SOURCE_STATS);
        continue;
      }
      for (let at = 0; at < count * SOURCE_STATS; at += SOURCE_STATS) {
        yield [values[at], readFetched(values, at + 1)];
      }
      return;
    }
  }

  volumes(): VolumeStats[] {
    const { symbols, engine } = this.#host;
    const v = new Float64Array(MOST_VOLUMES * VOLUME_STATS);
    const count = check(symbols.lp_volume_stats(engine, v, v.length), "read what volumes gave");
    return Array.from({ length: count }, (_, i) => {
      const at = i * VOLUME_STATS;
      return {
        device: v[at],
        sources: v[at + 1],
        hanging: v[at + 3],
        ...readFetched(v, at + 4),
        busyMs: v[at + 12],
        latencyMs: v[at + 13],
        longestMs: v[at + 14],
      };
    });
  }

  takeOverruns(): Overrun[] {
    const { symbols, renderer } = this.#host;
    const v = new Float64Array(AT_A_TIME * OVERRUN);
    const count = check(
      symbols.lp_overruns_since(renderer, this.#lastOverrun, v, v.length),
      "read overruns",
    );
    return Array.from({ length: count }, (_, i) => {
      const [number, timeMs, durationMs, periodMs] = v.subarray(i * OVERRUN, (i + 1) * OVERRUN);
      this.#lastOverrun = number;
      return { number, timeMs, durationMs, periodMs };
    });
  }

  takeFills(): PageFill[] {
    const { symbols, engine } = this.#host;
    const v = this.#fills;
    const taken: PageFill[] = [];
    for (;;) {
      const count = check(
        symbols.lp_fills_since(engine, this.#lastFill, v, v.length),
        "read which pages came late",
      );
      for (let at = 0; at < count * FILL; at += FILL) {
        this.#lastFill = v[at];
        taken.push({
          source: v[at + 1],
          page: v[at + 2],
          fromFrame: v[at + 3],
          toFrame: v[at + 3] + v[at + 4],
          askedMs: v[at + 5],
          queuedMs: v[at + 6],
          begunMs: v[at + 7],
          endedMs: v[at + 8],
          dueMs: orNull(v[at + 9]),
          readMs: v[at + 10],
          decodeMs: v[at + 11],
          outcome: OUTCOMES[v[at + 12]],
          errno: v[at + 13],
          device: v[at + 14],
        });
      }
      if (count < AT_A_TIME) return taken;
    }
  }

  page(source: number, frame: number): PageState | null {
    const { symbols, engine } = this.#host;
    const v = this.#page;
    // A source that is closed, and a frame beyond it, are nobody's.
    if (symbols.lp_page_state(engine, source, frame, v, v.length) < 0) return null;
    return {
      page: v[7],
      device: v[6],
      resident: RESIDENT[v[0]],
      wait: WAITS[v[1]],
      askedMs: orNull(v[2]),
      queuedMs: orNull(v[3]),
      begunMs: orNull(v[4]),
    };
  }

  /** A track was published under a slot that it did not have before, and that may have been another's. */
  assigned(trackId: string, slot: number): void {
    const now = this.#slot(slot);
    const before = this.#tracks.get(this.#slots.get(slot) ?? "");
    if (before !== undefined) {
      before.own = countOf(before, now);
      before.slot = null;
    }
    const known = this.#tracks.get(trackId);
    const own = known === undefined
      ? NOTHING
      : known.slot === null
      ? known.own
      : countOf(known, this.#slot(known.slot));
    this.#slots.set(slot, trackId);
    this.#tracks.set(trackId, { slot, foreign: now, own });
  }

  tracks(): ReturnType<SignalDiagnosis["tracks"]> {
    const slots = Array.from({ length: this.#host.slots() }, (_, slot) => this.#slot(slot));
    const tracks = new Map<string, TrackFrameCounts>();
    const removed = { missing: 0, faded: 0 };
    const add = ({ missing, faded }: TrackFrameCounts, sign: 1 | -1) => {
      removed.missing += sign * sumFrames(missing);
      removed.faded += sign * sumFrames(faded);
    };
    for (const slot of slots) add(slot, 1);
    for (const [trackId, known] of this.#tracks) {
      if (this.#host.slotOf(trackId) === undefined) continue;
      const count = known.slot === null ? known.own : countOf(known, slots[known.slot]);
      tracks.set(trackId, count);
      add(count, -1);
    }
    return { tracks, removed };
  }

  #slot(slot: number): TrackFrameCounts {
    const { symbols, renderer } = this.#host;
    const v = this.#trackCounters;
    check(
      symbols.lp_track_counters(renderer, slot, v, v.length),
      `read the counters of slot ${slot}`,
    );
    return {
      missing: readFrames(v, TRACK_CAUSES),
      faded: readFrames(v, TRACK_CAUSES + CAUSES.length),
      proxied: v[2],
    };
  }

  streams(): StreamFrames {
    let all = this.#ended;
    for (const renderer of this.#host.streams()) all = addStreams(all, this.#stream(renderer));
    return all;
  }

  /** A stream's renderer is about to be closed. */
  ending(renderer: number): void {
    this.#ended = addStreams(this.#ended, this.#stream(renderer));
  }

  #stream(renderer: number): StreamFrames {
    const v = new Float64Array(GAP_FRAMES_LOST + 1);
    check(this.#host.symbols.lp_counters(renderer, v, v.length), "read a stream's counters");
    return {
      missing: readFrames(v, MISSING),
      faded: readFrames(v, FADED),
      unrecorded: v[GAP_FRAMES_LOST],
    };
  }

  windowBytes(): { wanted: number; most: number } {
    const v = new Float64Array(2);
    this.#host.symbols.lp_window_budget(this.#host.engine, v, v.length);
    return { wanted: v[0], most: v[1] };
  }
}

function orNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}

function readFetched(v: Float64Array, at: number): Fetched {
  return {
    reads: v[at],
    bytes: v[at + 1],
    readMs: v[at + 2],
    decodeMs: v[at + 3],
    decodedFrames: v[at + 4],
    fills: v[at + 5],
    errors: v[at + 6],
    stalls: v[at + 7],
  };
}

function addFetched(a: Fetched, b: Fetched): Fetched {
  return {
    reads: a.reads + b.reads,
    bytes: a.bytes + b.bytes,
    readMs: a.readMs + b.readMs,
    decodeMs: a.decodeMs + b.decodeMs,
    decodedFrames: a.decodedFrames + b.decodedFrames,
    fills: a.fills + b.fills,
    errors: a.errors + b.errors,
    stalls: a.stalls + b.stalls,
  };
}

function readFrames(v: Float64Array, at: number): CauseFrames {
  return {
    queue: v[at],
    read: v[at + 1],
    decode: v[at + 2],
    stalled: v[at + 3],
    absent: v[at + 4],
    budget: v[at + 5],
  };
}

/** `before + now − then`. */
function changeFrames(before: CauseFrames, now: CauseFrames, then: CauseFrames): CauseFrames {
  return {
    queue: before.queue + now.queue - then.queue,
    read: before.read + now.read - then.read,
    decode: before.decode + now.decode - then.decode,
    stalled: before.stalled + now.stalled - then.stalled,
    absent: before.absent + now.absent - then.absent,
    budget: before.budget + now.budget - then.budget,
  };
}

function addStreams(a: StreamFrames, b: StreamFrames): StreamFrames {
  return {
    missing: addFrames(a.missing, b.missing),
    faded: addFrames(a.faded, b.faded),
    unrecorded: a.unrecorded + b.unrecorded,
  };
}
