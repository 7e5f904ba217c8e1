/**
 * Clips that keep their pitch at another speed: which renders they want, how far those are, and from when on they are heard (`clip.pipelineUpdated` of
 * API.md). Until then a clip is heard with the pitch of its speed.
 *
 * @module
 */
import type { Caller } from "../../api.ts";
import { EngineError } from "../../errors.ts";
import type { RenderFile, RenderRequest, RenderSubject, Stretch } from "../../media/stretch.ts";
import { CancelledError } from "../../media/task_queue.ts";
import type { Notify } from "../../notices.ts";
import type { MixClipBody, MixModel } from "../../signal/model.ts";
import { playedFrom, type PlayedOf, renderId, wantsRender } from "../../signal/played.ts";
import type { SignalApi, SourceInfo } from "../../signal/signal_api.ts";
import { soundingRate } from "../../signal/speed.ts";
import type { Intent } from "../anticipation.ts";
import { urgencyOf } from "../render_urgency.ts";
import { Slices } from "../store/slices.ts";
import type { TimelineModel } from "../timeline_model.ts";
import type { Changes, Frames } from "../types.ts";
import type { AssetEntry } from "./asset_entry.ts";

/** Changes are gathered for so long before it is looked what they want: a rate that is dragged is many rates. In milliseconds. */
const GATHER_MS = 20;
/** Renders under way: one, and one that has become more urgent and goes before it. */
const MOST_UNDERWAY = 2;
/** Renders that nobody wants any more stay open for a while: an undo may want them. */
const MOST_IDLE = 64;
/** Time between two notices of a render's progress, for each of its clips, in milliseconds; where it has many of them, more. */
const PROGRESS_MS = 200;
const CLIPS_A_MS = 1;
/** Notices at a time, and the pause after them, in milliseconds. */
const NOTICES = 500;
const PAUSE_MS = 20;
/** What failed for a reason that may go away by itself is tried again after so long, in milliseconds. */
const AGAIN_MS = 300_000;

/** How far the render of a clip is. */
export interface ClipPipeline {
  clipId: string;
  state: "queued" | "rendering" | "ready" | "failed";
  /** While it is rendered: the part that is done, 0 … 1. */
  progress?: number;
  /** Why it failed, and what to do. The clip is heard with the pitch of its speed. */
  error?: { code: string; message: string };
}

/** A render that is open, as a source of the page store. */
export interface RenderSource {
  readonly path: string;
  readonly channels: number;
  /** Its own, as its asset's. */
  readonly sampleRate: number;
  readonly lengthSamples: number;
  readonly bytesPerFrame: number;
  /** Where it lies. */
  readonly device: number;
}

export interface PitchRendersOptions {
  stretch: Pick<Stretch, "find" | "render" | "learn" | "release">;
  signal: () => SignalApi;
  model: () => TimelineModel;
  headFrame: () => Frames;
  /** What is known of an asset. */
  asset: (assetId: string) => Readonly<AssetEntry> | undefined;
  notify: Notify;
  /** Called when clips of those ids play something else than before: their render, or no longer. */
  onPlayed: (clipIds: ReadonlySet<string>) => void;
}

/** How far an entry is. `new`: it has to be looked for; `missing`: it is not there. */
type Step = "new" | "finding" | "missing" | "rendering" | "opening" | "ready" | "failed";

/** The render of an asset at a rate. */
interface Entry {
  readonly renderId: string;
  readonly assetId: string;
  readonly rate: number;
  /** Clips of the timeline that want it. */
  readonly clips: Set<string>;
  /** Jobs that need it. */
  holds: number;
  step: Step;
  /** What began in an earlier turn is nobody's any more. */
  turn: number;
  /** Of the asset, as it is looked for, made or heard. */
  generation: number | null;
  request: RenderRequest | null;
  progress: number;
  toldMs: number;
  file: RenderFile | null;
  source: RenderSource | null;
  error: EngineError | null;
  failedMs: number;
}

/** The renders of the open project. */
export class PitchRenders implements Disposable {
  readonly #options: PitchRendersOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #byAsset = new Map<string, Set<Entry>>();
  /** Clips that want a render. */
  readonly #wants = new Map<string, { entry: Entry; trackId: string }>();
  readonly #intents = new Map<string, { caller: Caller; intent: Intent }>();
  /** Clips that are to be told how far their render is. */
  readonly #toTell = new Set<string>();
  readonly #waiting = new Set<() => void>();
  /** What changed while the timeline was gone through for the first time: that is newer. */
  #touched: { clipIds: Set<string>; trackIds: Set<string> } | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #picking = false;
  #pickAgain = false;
  #telling = false;
  #closed = false;

  /** What a clip really plays now. */
  readonly played: PlayedOf = playedFrom((sourceId) => this.source(sourceId) !== undefined);

  constructor(options: PitchRendersOptions) {
    this.#options = options;
  }

  /** Looks what the timeline wants, in slices. */
  async begin(): Promise<void> {
    const slices = new Slices();
    const touched = this.#touched = { clipIds: new Set(), trackIds: new Set() };
    for (const { trackId, blocks } of this.#options.model().tracks) {
      for (const { block } of blocks) {
        for (const { body } of block.clips) {
          if (!wantsRender(body) || touched.clipIds.has(body.clipId)) continue;
          if (!touched.trackIds.has(trackId)) this.#want(body, trackId);
        }
        await slices.turn();
        if (this.#closed) return;
      }
    }
    this.#touched = null;
  }

  /** The timeline has changed. Costs a look-up a changed clip. */
  follow({ removed, clips }: Changes): void {
    for (const clipId of removed.clipIds) {
      this.#touched?.clipIds.add(clipId);
      this.#leave(clipId);
    }
    if (removed.trackIds.length > 0) {
      const gone = new Set(removed.trackIds);
      for (const trackId of gone) this.#touched?.trackIds.add(trackId);
      for (const [clipId, { trackId }] of this.#wants) if (gone.has(trackId)) this.#leave(clipId);
    }
    for (const clip of clips) {
      this.#touched?.clipIds.add(clip.clipId);
      if (wantsRender(clip)) this.#want(clip, clip.trackId);
      else this.#leave(clip.clipId);
    }
  }

  /** What a client's user looks at is rendered first. */
  hint(caller: Caller, intent: Intent): void {
    const known = this.#intents.get(caller.clientId);
    if (Object.values(intent).some((value) => value !== undefined)) {
      this.#intents.set(caller.clientId, { caller, intent });
    } else if (known?.caller === caller) {
      this.#intents.delete(caller.clientId);
    }
    if (this.#isChoosing()) this.#soon();
  }

  /** The source of an asset was opened, for the first time or anew. */
  bound(assetId: string): void {
    for (const entry of this.#byAsset.get(assetId) ?? []) {
      const generation = this.#options.asset(assetId)?.asset.generation;
      if (entry.generation !== null && entry.generation !== generation) this.#reset(entry);
      else if (entry.step === "failed") entry.step = "new";
      this.#soon();
    }
  }

  /** The content of an asset's file has become known: renders of it are found by that from now on. */
  hashed(assetId: string): void {
    const asset = this.#options.asset(assetId)?.asset;
    if (asset?.hash == null) return;
    for (const { file, rate, generation } of this.#byAsset.get(assetId) ?? []) {
      if (file === null || file.byContent || generation !== asset.generation) continue;
      this.#options.stretch.learn(file, asset.hash, rate).catch(() => {}); // It is rendered again some day.
    }
  }

  /** What is to be looked at now and then: the head has moved, a file has gone, and what failed may succeed. */
  tick(): void {
    const now = performance.now();
    for (const entry of this.#entries.values()) {
      if (entry.step === "ready" && this.#options.signal().isStale(entry.renderId)) {
        this.#reset(entry); // Somebody has deleted or changed its file.
      } else if (entry.step === "failed" && now - entry.failedMs >= AGAIN_MS) {
        entry.step = "new";
      } else continue;
      this.#soon();
    }
    if (this.#isChoosing()) this.#soon();
  }

  /** A render that is heard; `undefined` if it is none, or not yet. */
  source(sourceId: string): RenderSource | undefined {
    return this.#entries.get(sourceId)?.source ?? undefined;
  }

  /** Clips whose renders are not ready. */
  pipelines(): ClipPipeline[] {
    return [...this.#wants].flatMap(([clipId, { entry }]) =>
      entry.step === "ready" ? [] : pipelineOf(clipId, entry)
    );
  }

  /**
   * Waits until all of these clips can be heard as they are meant. Renders that failed before are tried again.
   *
   * @param onProgress Called with the part that is done, 0 … 1, if anything has to be done.
   * @returns what keeps the renders open until it is disposed of.
   * @throws {EngineError} Why one of them cannot be rendered.
   */
  async need(
    bodies: Iterable<MixClipBody>,
    signal: AbortSignal,
    onProgress: (done: number) => void = () => {},
  ): Promise<Disposable> {
    const entries = new Set<Entry>();
    for (const body of bodies) if (wantsRender(body)) entries.add(this.#entry(body));
    for (const entry of entries) {
      entry.holds++;
      if (entry.step === "failed") entry.step = "new";
    }
    const release = () => {
      for (const entry of entries) {
        entry.holds--;
        this.#retire(entry);
      }
      entries.clear();
    };
    try {
      this.#soon();
      for (;;) {
        signal.throwIfAborted();
        if (this.#closed) throw new Error("Cannot render clips: their project was closed");
        const waitsFor = [...entries].filter(({ step }) => step !== "ready");
        if (waitsFor.length === 0) return { [Symbol.dispose]: release };
        const failed = waitsFor.find(({ step }) => step === "failed");
        if (failed !== undefined) throw failed.error!;
        const done = entries.size - waitsFor.length +
          waitsFor.reduce((sum, { progress }) => sum + progress, 0);
        onProgress(done / entries.size);
        await this.#change(signal);
      }
    } catch (error) {
      release();
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    for (const entry of this.#entries.values()) this.#drop(entry);
    this.#entries.clear();
    this.#byAsset.clear();
    this.#wants.clear();
    this.#toTell.clear();
    this.#wake();
  }

  #want(clip: Pick<MixClipBody, "clipId" | "assetId" | "rate" | "speedMode">, trackId: string) {
    const entry = this.#entry(clip);
    const { clipId } = clip;
    const before = this.#wants.get(clipId)?.entry;
    this.#wants.set(clipId, { entry, trackId });
    if (before === entry) return;
    if (before !== undefined) this.#leaveEntry(clipId, before);
    entry.clips.add(clipId);
    this.#tell([clipId]);
    if (entry.step !== "ready") this.#soon();
  }

  #leave(clipId: string): void {
    const entry = this.#wants.get(clipId)?.entry;
    if (entry === undefined) return;
    this.#wants.delete(clipId);
    this.#leaveEntry(clipId, entry);
  }

  #leaveEntry(clipId: string, entry: Entry): void {
    entry.clips.delete(clipId);
    this.#retire(entry);
  }

  #entry({ assetId, rate }: Pick<MixClipBody, "assetId" | "rate">): Entry {
    const id = renderId(assetId, rate);
    let entry = this.#entries.get(id);
    if (entry !== undefined) return entry;
    entry = {
      renderId: id,
      assetId,
      rate: soundingRate(rate),
      clips: new Set(),
      holds: 0,
      step: "new",
      turn: 0,
      generation: null,
      request: null,
      progress: 0,
      toldMs: -Infinity,
      file: null,
      source: null,
      error: null,
      failedMs: 0,
    };
    this.#entries.set(id, entry);
    this.#byAsset.set(assetId, (this.#byAsset.get(assetId) ?? new Set()).add(entry));
    return entry;
  }

  /** Nobody may want it any more: then it ends, or stays open for a while if it is ready. */
  #retire(entry: Entry): void {
    if (entry.clips.size > 0 || entry.holds > 0 || this.#entries.get(entry.renderId) !== entry) {
      return;
    }
    if (entry.step !== "ready") return this.#forget(entry);
    // The one that was left last is the last.
    this.#entries.delete(entry.renderId);
    this.#entries.set(entry.renderId, entry);
    const idle = this.#entries.values().filter(({ clips, holds }) => clips.size + holds === 0);
    const [oldest, ...others] = idle;
    if (others.length >= MOST_IDLE) this.#forget(oldest);
  }

  #forget(entry: Entry): void {
    this.#entries.delete(entry.renderId);
    const of = this.#byAsset.get(entry.assetId);
    of?.delete(entry);
    if (of?.size === 0) this.#byAsset.delete(entry.assetId);
    this.#drop(entry);
  }

  /** The asset's file or the render's is another one: it is looked for anew. */
  #reset(entry: Entry): void {
    const wasHeard = entry.source !== null;
    this.#drop(entry);
    entry.step = "new";
    entry.generation = null;
    this.#tell(entry.clips);
    if (wasHeard) this.#options.onPlayed(entry.clips);
  }

  /** Ends what is under way, and gives back what there is. */
  #drop(entry: Entry): void {
    entry.turn++;
    entry.request?.cancel();
    entry.request = null;
    entry.progress = 0;
    entry.error = null;
    if (entry.source !== null) this.#options.signal().closeSource(entry.renderId);
    entry.source = null;
    if (entry.file !== null) this.#giveBack(entry.file);
    entry.file = null;
  }

  #giveBack(file: RenderFile): void {
    this.#options.stretch.release(file).catch(() => {}); // The worker has ended: so has its hold.
  }

  #isChoosing(): boolean {
    for (const { step } of this.#entries.values()) if (step === "missing") return true;
    return false;
  }

  #soon(): void {
    if (this.#closed) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      for (const entry of this.#entries.values()) if (entry.step === "new") void this.#find(entry);
      void this.#pick();
    }, GATHER_MS);
  }

  async #find(entry: Entry): Promise<void> {
    const subject = this.#subjectOf(entry);
    if (subject === null) return; // Its asset is not there; it will be bound.
    entry.step = "finding";
    const { turn } = entry;
    try {
      const file = await this.#options.stretch.find(subject);
      if (file !== null) return await this.#open(entry, turn, file);
      if (entry.turn !== turn) return;
      entry.step = "missing";
      this.#soon();
    } catch (error) {
      this.#fail(entry, turn, error);
    }
  }

  /** Begins the most urgent render, unless as urgent ones are under way. */
  async #pick(): Promise<void> {
    this.#pickAgain = true;
    if (this.#picking) return;
    this.#picking = true;
    while (this.#pickAgain && !this.#closed) {
      this.#pickAgain = false;
      const open = [...this.#entries.values()]
        .filter(({ step }) => step === "missing" || step === "rendering");
      if (open.every(({ step }) => step === "rendering")) break;
      const slices = new Slices();
      const model = this.#options.model();
      const headFrame = this.#options.headFrame();
      const intents = [...this.#intents.values()].map(({ intent }) => intent);
      const ranked: { entry: Entry; urgency: number }[] = [];
      for (const entry of open) {
        const urgency = entry.holds > 0 ? 0 : urgencyOf(entry.clips, { model, headFrame, intents });
        ranked.push({ entry, urgency });
        await slices.turn();
      }
      ranked.sort((a, b) => a.urgency - b.urgency);
      const underway = ranked.filter(({ entry }) => entry.step === "rendering");
      for (const { entry, urgency } of underway) entry.request?.prioritise(-urgency);
      const first = ranked.find(({ entry }) => entry.step === "missing");
      if (first === undefined) continue;
      const isFirst = underway.every(({ urgency }) => first.urgency < urgency);
      if (isFirst && underway.length < MOST_UNDERWAY) {
        void this.#render(first.entry, -first.urgency);
      }
    }
    this.#picking = false;
  }

  async #render(entry: Entry, priority: number): Promise<void> {
    const subject = this.#subjectOf(entry);
    if (subject === null) {
      entry.step = "new";
      return;
    }
    entry.step = "rendering";
    const { turn } = entry;
    const request = entry.request = this.#options.stretch.render(subject, {
      priority,
      onProgress: (done) => {
        if (entry.turn !== turn) return;
        entry.progress = done;
        this.#wake();
        const now = performance.now();
        if (now - entry.toldMs < Math.max(PROGRESS_MS, entry.clips.size / CLIPS_A_MS)) return;
        entry.toldMs = now;
        this.#tell(entry.clips);
      },
    });
    this.#tell(entry.clips);
    try {
      await this.#open(entry, turn, await request.done);
    } catch (error) {
      this.#fail(entry, turn, error);
    } finally {
      if (entry.request === request) entry.request = null;
      this.#soon();
    }
  }

  /** Makes a render heard. */
  async #open(entry: Entry, turn: number, file: RenderFile): Promise<void> {
    if (entry.turn !== turn) return this.#giveBack(file);
    entry.step = "opening";
    const signal = this.#options.signal();
    let info: SourceInfo;
    try {
      info = await signal.openSource(entry.renderId, file.path);
    } catch (error) {
      this.#giveBack(file);
      throw error;
    }
    if (entry.turn !== turn) {
      if (entry.source === null && signal === this.#options.signal()) {
        signal.closeSource(entry.renderId);
      }
      return this.#giveBack(file);
    }
    entry.file = file;
    entry.source = {
      path: file.path,
      channels: info.channels,
      sampleRate: info.sampleRate,
      lengthSamples: info.frames,
      bytesPerFrame: 4 * info.channels,
      device: info.device,
    };
    entry.step = "ready";
    entry.error = null;
    entry.progress = 1;
    this.#tell(entry.clips);
    this.hashed(entry.assetId); // It may have become known meanwhile.
    this.#options.onPlayed(entry.clips);
    this.#wake();
  }

  #fail(entry: Entry, turn: number, error: unknown): void {
    if (entry.turn !== turn || this.#closed) return;
    entry.turn++;
    entry.request = null;
    entry.progress = 0;
    if (error instanceof CancelledError) {
      entry.step = "new";
      return this.#soon();
    }
    entry.step = "failed";
    entry.failedMs = performance.now();
    entry.error = error instanceof EngineError ? error : new EngineError(
      "asset.unreadable",
      `Cannot keep the pitch of a clip: ${error instanceof Error ? error.message : error}`,
      { assetId: entry.assetId },
    );
    this.#tell(entry.clips);
    this.#wake();
  }

  #subjectOf(entry: Entry): RenderSubject | null {
    const known = this.#options.asset(entry.assetId);
    if (known === undefined) return null;
    const { asset: { path, hash, generation }, identity } = known;
    entry.generation = generation;
    const { inode, bytes, mtimeMs } = identity;
    return { path, hash, state: { inode, bytes, mtimeMs }, rate: entry.rate };
  }

  /** Tells clips how far their render is, as it is when they are told. */
  #tell(clipIds: Iterable<string>): void {
    for (const clipId of clipIds) this.#toTell.add(clipId);
    if (!this.#telling) void this.#tellAll();
  }

  async #tellAll(): Promise<void> {
    this.#telling = true;
    const slices = new Slices();
    let count = 0;
    for (const clipId of this.#toTell) {
      // A client is given the time to read them.
      if (++count % NOTICES === 0) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      this.#toTell.delete(clipId);
      const entry = this.#wants.get(clipId)?.entry;
      if (entry === undefined) continue;
      const params = pipelineOf(clipId, entry);
      this.#options.notify({ topic: "timeline", method: "clip.pipelineUpdated", params });
      await slices.turn();
    }
    this.#telling = false;
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  /** Resolves when something has changed, or the signal is aborted. */
  #change(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const wake = () => {
      this.#waiting.delete(wake);
      signal.removeEventListener("abort", wake);
      resolve();
    };
    this.#waiting.add(wake);
    signal.addEventListener("abort", wake, { once: true });
    return promise;
  }
}

function pipelineOf(clipId: string, { step, progress, error }: Entry): ClipPipeline {
  switch (step) {
    case "ready":
      return { clipId, state: "ready" };
    case "failed":
      return { clipId, state: "failed", error: { code: error!.code, message: error!.message } };
    case "rendering":
    case "opening":
      return { clipId, state: "rendering", progress };
    default:
      return { clipId, state: "queued" };
  }
}

/** Clips of some mixes that sound in `[start, end)` and are to be heard from renders, one of each render. Gathered in slices. */
export async function rendersWithin(
  mixes: Iterable<MixModel>,
  start: Frames,
  end: Frames,
): Promise<MixClipBody[]> {
  const slices = new Slices();
  const found = new Map<string, MixClipBody>();
  for (const { tracks } of mixes) {
    for (const { mute, blocks } of tracks) {
      if (mute) continue;
      for (const { start: blockStart, block } of blocks) {
        if (blockStart >= end) break;
        if (blockStart + block.maxEnd <= start) continue;
        for (const { at, body } of block.clips) {
          const clipStart = blockStart + at;
          if (clipStart >= end || clipStart + body.lengthFrames <= start || !wantsRender(body)) {
            continue;
          }
          found.set(renderId(body.assetId, body.rate), body);
        }
        await slices.turn();
      }
    }
  }
  return [...found.values()];
}
