/**
 * ClipWindows: stretches of assets that clients want resident (`clipWindow.*` of API.md). A window of a clip goes with it (`clip_window.ts`).
 *
 * @module
 */
import type { Caller, ClipWindowParams, ClipWindowState } from "../../api.ts";
import { EngineError, InvalidParams } from "../../errors.ts";
import type { Notify } from "../../notices.ts";
import { asIs, type PlayedOf } from "../../signal/played.ts";
import type { SignalApi, SignalWindow } from "../../signal/signal_api.ts";
import { soundingRate } from "../../signal/speed.ts";
import {
  type Anchor,
  anchorAt,
  type ClipRange,
  clipRange,
  followClip,
  heldOf,
} from "../clip_window.ts";
import { findClip, type TimelineModel } from "../timeline_model.ts";
import type { Asset, Changes } from "../types.ts";
import type { HeldSource } from "./asset_holds.ts";

/** Time between two looks at windows, in milliseconds. */
export const TICK_MS = 100;
/** Looks between two tries of a window for which there was no room. */
const REFUSED_TICKS = 10;
/** Windows at a time, those that wait for their clips included. */
export const MOST_WINDOWS = 1_024;

export interface ClipWindowsOptions {
  signal: () => SignalApi;
  /** @throws {EngineError} `asset.notFound`. */
  asset: (assetId: string) => Asset;
  model: () => TimelineModel;
  /** Keeps an asset's source open. */
  hold: (assetId: string) => Promise<HeldSource>;
  /** What clips really play; unless told, what they say. */
  played?: PlayedOf;
  notify: Notify;
}

/** What of an asset is to be held. */
interface Range {
  readonly assetId: string;
  readonly from: number;
  readonly to: number;
}

interface Entry {
  readonly windowId: string;
  readonly clientId: string;
  readonly params: ClipWindowParams;
  /** Of a clip: where it is, and what its clip plays or played last. */
  anchor?: Anchor;
  clip?: ClipRange;
  /** What it is to hold, `null` while its clip is gone. */
  wanted: Range | null;
  /** What it holds, or tried to; `null`: nothing. */
  range: Range | null;
  /** The same, as of the last time that it was something. */
  last: Range;
  /** What it holds a stretch of: the asset, or a render that the clip plays. */
  sourceId: string;
  /** Samples of its asset in a frame of the project. */
  scale: number;
  window: SignalWindow | null;
  held: HeldSource | null;
  state: ClipWindowState["state"];
  /** All of it was resident once since it lies where it does, and that was told. */
  complete: boolean;
  moving: boolean;
  refusedTicks: number;
  /** What its client was told last. */
  told: string;
}

/** The windows of the open project. */
export class ClipWindows implements Disposable {
  readonly #options: ClipWindowsOptions;
  readonly #entries = new Map<string, Entry>();
  /** Windows of each clip. */
  readonly #byClip = new Map<string, Set<Entry>>();
  #timer: ReturnType<typeof setInterval> | null = null;
  #closed = false;

  constructor(options: ClipWindowsOptions) {
    this.#options = options;
  }

  /**
   * Asks for a stretch of an asset, in its own samples, to become and stay resident; of a clip the part of it that the clip plays.
   *
   * @returns whether all of it is resident already. `stream.prefetchComplete` tells once it is, in either case.
   * @throws {InvalidParams} @throws {EngineError} `asset.notFound`, `timeline.notFound`, `asset.unreadable`, `cache.budget`, `limit.exceeded`.
   */
  async request(
    params: ClipWindowParams,
    { clientId }: Caller,
  ): Promise<{ windowId: string; resident: boolean }> {
    const { startSample, endSample, playRate = 1 } = params;
    if (!(playRate !== 0 && Math.abs(playRate) <= 4)) {
      throw new InvalidParams(["playRate"], `must be from -4 to 4 and not 0, not ${playRate}`);
    }
    if (this.#entries.size >= MOST_WINDOWS) {
      throw new EngineError(
        "limit.exceeded",
        `Cannot hold another window: there are ${MOST_WINDOWS}; release one first`,
        { limit: "clipWindows", value: MOST_WINDOWS },
      );
    }
    for (;;) {
      const { assetId } = this.#placeOf(params);
      requireRange(startSample, endSample, this.#options.asset(assetId));
      const held = await this.#options.hold(assetId);
      try {
        if (this.#closed) throw new Error("Cannot hold a window: its project was closed");
        const { assetId: now, clip } = this.#placeOf(params);
        if (now !== assetId) { // The clip was given another asset meanwhile.
          held.release();
          continue;
        }
        const scale = this.#options.signal().sampleRate / held.sampleRate;
        const from = Math.floor(startSample * scale);
        const to = Math.ceil(Math.min(endSample, held.lengthSamples) * scale);
        const entry = this.#entry(params, clientId, held, { assetId, from, to }, clip);
        this.#open(entry);
        this.#add(entry);
        return { windowId: entry.windowId, resident: entry.window!.look() };
      } catch (error) {
        held.release();
        throw error;
      }
    }
  }

  /** All of them, oldest first. */
  list(): ClipWindowState[] {
    return [...this.#entries.values()].map((entry) => this.#stateOf(entry));
  }

  /** @throws {EngineError} `handle.notFound`. */
  release(windowId: string): void {
    this.#end(this.#find(windowId));
  }

  /** The timeline has changed: windows go with their clips. Costs a look-up a changed clip that has windows. */
  follow(changes: Changes): void {
    if (this.#byClip.size === 0) return;
    const touched = new Set<string>();
    for (const { clipId } of changes.clips) if (this.#byClip.has(clipId)) touched.add(clipId);
    for (const clipId of changes.removed.clipIds) {
      if (this.#byClip.has(clipId)) touched.add(clipId);
    }
    const all = changes.removed.trackIds.length > 0 ? this.#byClip.keys() : touched;
    for (const clipId of [...all]) {
      const found = findClip(this.#options.model(), clipId);
      for (const entry of this.#byClip.get(clipId)!) {
        this.#goWith(entry, found && clipRange(found.body));
      }
    }
  }

  /** Clips play something else than before though nothing of them has changed: what a window holds is then of that. */
  playOther(clipIds: ReadonlySet<string>): void {
    for (const [clipId, entries] of this.#byClip) {
      if (!clipIds.has(clipId)) continue;
      for (const entry of entries) this.#goOn(entry);
    }
  }

  /** Goes on with fetching, also where a file was replaced by another; called by itself while there are windows. */
  tick(): void {
    for (const entry of this.#entries.values()) {
      if (entry.state === "refused" && ++entry.refusedTicks % REFUSED_TICKS === 0) {
        entry.range = null;
        if (!entry.moving) this.#move(entry);
      }
      if (entry.window === null || !entry.window.look()) {
        if (entry.state === "resident") entry.state = "filling"; // Its file was replaced.
        continue;
      }
      entry.state = "resident";
      if (entry.complete) continue;
      entry.complete = true;
      const { windowId, clientId } = entry;
      const method = "stream.prefetchComplete";
      this.#options.notify({ topic: "streams", method, params: { windowId }, clientId });
    }
  }

  /** Releases all: another project is open, or its renderer is a new one. */
  endAll(): void {
    for (const entry of [...this.#entries.values()]) this.#end(entry);
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.endAll();
  }

  #find(windowId: string): Entry {
    const entry = this.#entries.get(windowId);
    if (entry !== undefined) return entry;
    throw new EngineError(
      "handle.notFound",
      `Cannot find window ${windowId}: it was released or never was`,
      { windowId },
    );
  }

  #placeOf({ assetId, clipId }: ClipWindowParams): { assetId: string; clip?: ClipRange } {
    if ((assetId === undefined) === (clipId === undefined)) {
      throw new InvalidParams(["assetId"], "either assetId or clipId must be given");
    }
    if (assetId !== undefined) return { assetId };
    const found = findClip(this.#options.model(), clipId!);
    if (found !== undefined) {
      return { assetId: found.body.assetId, clip: clipRange(found.body) };
    }
    throw new EngineError(
      "timeline.notFound",
      `Cannot hold a window of clip ${clipId}: there is none of that id`,
      { clipId },
    );
  }

  /** @throws {InvalidParams} if the clip plays nothing of the range. */
  #entry(
    params: ClipWindowParams,
    clientId: string,
    held: HeldSource,
    range: Range,
    clip: ClipRange | undefined,
  ): Entry {
    let wanted = range;
    let anchor: Anchor | undefined;
    if (clip !== undefined) {
      if (range.to <= clip.from || range.from >= clip.to) {
        const scale = held.sampleRate / this.#options.signal().sampleRate;
        throw new InvalidParams(
          ["startSample"],
          `clip ${params.clipId} plays nothing of samples ${params.startSample} … ${params.endSample}: ` +
            `it plays ${Math.floor(clip.from * scale)} … ${Math.ceil(clip.to * scale)}`,
        );
      }
      anchor = anchorAt(range.from, range.to, clip);
      wanted = { assetId: range.assetId, ...heldOf(anchor, clip) };
    }
    return {
      windowId: crypto.randomUUID(),
      clientId,
      params,
      ...(anchor !== undefined && { anchor }),
      ...(clip !== undefined && { clip }),
      wanted,
      range: null,
      last: wanted,
      sourceId: wanted.assetId,
      scale: held.sampleRate / this.#options.signal().sampleRate,
      window: null,
      held,
      state: "filling",
      complete: false,
      moving: false,
      refusedTicks: 0,
      told: "",
    };
  }

  #add(entry: Entry): void {
    const { windowId, params: { clipId } } = entry;
    this.#entries.set(windowId, entry);
    if (clipId !== undefined) {
      const of = this.#byClip.get(clipId) ?? new Set();
      this.#byClip.set(clipId, of.add(entry));
    }
    this.#timer ??= setInterval(() => this.tick(), TICK_MS);
  }

  /** @param clip What its clip plays now; nothing if it is gone. */
  #goWith(entry: Entry, clip: ClipRange | undefined): void {
    if (clip === undefined) {
      entry.wanted = null; // An undo may bring it back: the window waits for that.
    } else {
      entry.anchor = followClip(entry.anchor!, entry.clip!, clip);
      entry.clip = clip;
      entry.wanted = { assetId: clip.assetId, ...heldOf(entry.anchor, clip) };
    }
    this.#goOn(entry);
  }

  #goOn(entry: Entry): void {
    // The same stretch of something else is another one.
    if (entry.wanted !== null && this.#placeIn(entry).assetId !== entry.sourceId) {
      entry.range = null;
    }
    if (!entry.moving) this.#move(entry);
  }

  /** What a window is to hold, in frames of what its clip really plays. */
  #placeIn({ wanted, clip, params: { clipId } }: Entry): Range {
    const { assetId, from, to } = wanted!;
    const reach = clip?.reach ?? 0;
    const body = clipId && findClip(this.#options.model(), clipId)?.body;
    const played = body && (this.#options.played ?? asIs)(body);
    if (!body || !played || played === body) return { assetId, from: from - reach, to: to + reach };
    // A frame more: where a render begins to play is a whole one.
    const rate = soundingRate(body.rate);
    return { assetId: played.assetId, from: from / rate - 1, to: to / rate + 1 };
  }

  /** Takes a window to where it is wanted: at once where its asset stays, else as soon as the other one is open. */
  async #move(entry: Entry): Promise<void> {
    entry.moving = true;
    while (this.#entries.has(entry.windowId) && !sameRange(entry.wanted, entry.range)) {
      const { wanted } = entry;
      entry.complete = false;
      if (wanted === null) {
        this.#drop(entry);
        entry.range = null;
        entry.state = "absent";
        this.#tell(entry);
        continue;
      }
      if (entry.held === null || entry.last.assetId !== wanted.assetId) {
        const held = await this.#options.hold(wanted.assetId).catch(() => null);
        if (!this.#entries.has(entry.windowId) || !sameRange(entry.wanted, wanted)) {
          held?.release();
          continue;
        }
        this.#drop(entry);
        entry.held = held;
        if (held !== null) entry.scale = held.sampleRate / this.#options.signal().sampleRate;
      }
      this.#reopen(entry);
      this.#tell(entry);
    }
    entry.moving = false;
  }

  /** @throws {EngineError} `cache.budget`, `limit.exceeded`. */
  #open(entry: Entry): void {
    const { wanted, params: { cohort, playRate = 1, isLooping = false } } = entry;
    const { assetId, from, to } = this.#placeIn(entry);
    const before = entry.window;
    entry.range = entry.last = wanted!;
    entry.sourceId = assetId;
    const open = () =>
      this.#options.signal().openWindow({
        assetId,
        startFrame: Math.max(0, Math.floor(from)),
        endFrame: Math.max(0, Math.ceil(to)),
        cohort,
        rate: playRate,
        isLooping,
      });
    if (before === null) {
      entry.window = open();
    } else {
      try {
        // What both hold stays held.
        entry.window = open();
        before[Symbol.dispose]();
      } catch {
        entry.window = null;
        before[Symbol.dispose]();
        entry.window = open();
      }
    }
    entry.state = "filling";
  }

  /** As {@linkcode #open}; what is refused is tried again now and then. */
  #reopen(entry: Entry): void {
    try {
      if (entry.held === null) throw new Error("its file cannot be read");
      this.#open(entry);
      if (entry.window!.look()) entry.state = "resident";
    } catch {
      entry.range = entry.wanted;
      entry.last = entry.wanted!;
      entry.state = "refused";
    }
  }

  #stateOf({ windowId, params: { clipId }, last, scale, state }: Entry): ClipWindowState {
    return {
      windowId,
      ...(clipId !== undefined && { clipId }),
      assetId: last.assetId,
      startSample: Math.max(0, Math.floor(last.from * scale)),
      endSample: Math.max(0, Math.ceil(last.to * scale)),
      state,
    };
  }

  #tell(entry: Entry): void {
    const { clientId } = entry;
    const params = { window: this.#stateOf(entry) };
    const told = JSON.stringify(params);
    if (told === entry.told) return;
    entry.told = told;
    this.#options.notify({ topic: "streams", method: "clipWindow.changed", params, clientId });
  }

  #drop(entry: Entry): void {
    entry.window?.[Symbol.dispose]();
    entry.held?.release();
    entry.window = entry.held = null;
  }

  #end(entry: Entry): void {
    const { windowId, params: { clipId } } = entry;
    if (!this.#entries.delete(windowId)) return;
    if (clipId !== undefined) {
      const of = this.#byClip.get(clipId);
      of?.delete(entry);
      if (of?.size === 0) this.#byClip.delete(clipId);
    }
    this.#drop(entry);
    if (this.#entries.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }
}

function sameRange(a: Range | null, b: Range | null): boolean {
  return a === b ||
    a !== null && b !== null && a.assetId === b.assetId && a.from === b.from && a.to === b.to;
}

/** @throws {InvalidParams} */
function requireRange(startSample: number, endSample: number, asset: Asset): void {
  if (!Number.isSafeInteger(startSample) || startSample < 0) {
    throw new InvalidParams(["startSample"], `must be an integer from 0 on, not ${startSample}`);
  }
  if (Number.isSafeInteger(endSample) && endSample > startSample) return;
  throw new InvalidParams(
    ["endSample"],
    `must be an integer greater than startSample (${endSample} <= ${startSample}); ` +
      `the asset has ${asset.lengthSamples} samples`,
  );
}
