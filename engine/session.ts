/**
 * The open project with its renderer: its timeline is heard, its assets are read, its transport moves.
 *
 * @module
 */
import type { Caller, Readiness, ReadinessQuery } from "./api.ts";
import { Background } from "./background.ts";
import { withinMs } from "./bounded.ts";
import type { AssetCost, DemandHead } from "./pulse/demand.ts";
import { type Files, SlowDisk } from "./files/files.ts";
import { Grants } from "./files/grants.ts";
import type { Analysis } from "./media/analysis.ts";
import type { Stretch } from "./media/stretch.ts";
import type { Notify } from "./notices.ts";
import type { ResolvedOptions } from "./options.ts";
import type { Intent } from "./pulse/anticipation.ts";
import { Anticipator } from "./pulse/services/anticipator.ts";
import { AssetAnalysis } from "./pulse/services/asset_analysis.ts";
import { AssetNotices } from "./pulse/services/asset_notices.ts";
import { AssetWatch } from "./pulse/services/asset_watch.ts";
import type { Exchange } from "./pulse/services/exchange.ts";
import type { KeptAsset } from "./pulse/services/asset_entry.ts";
import type { AssetRows } from "./pulse/services/asset_shelf.ts";
import { Assets } from "./pulse/services/assets.ts";
import { DamageWatch } from "./pulse/services/damage_watch.ts";
import type { Jobs } from "./pulse/services/jobs.ts";
import { ClipWindows } from "./pulse/services/clip_windows.ts";
import { ClipGhosts } from "./pulse/services/clip_ghosts.ts";
import { Mixdown } from "./pulse/services/mixdown.ts";
import { PitchRenders } from "./pulse/services/pitch_renders.ts";
import { ProjectOpening } from "./pulse/services/project_opening.ts";
import { readiness } from "./pulse/services/readiness.ts";
import { publishGradually } from "./pulse/services/publish_gradually.ts";
import { TrackOrders } from "./pulse/services/track_orders.ts";
import { Streams } from "./pulse/services/streams.ts";
import { type KeptTransport, TransportService } from "./pulse/services/transport.ts";
import type { Underruns } from "./pulse/services/underruns.ts";
import type { AssetTable } from "./pulse/store/asset_table.ts";
import type { ProjectFile } from "./pulse/store/project_file.ts";
import { findClip, type TimelineModel } from "./pulse/timeline_model.ts";
import type { Commit } from "./pulse/timeline_service.ts";
import type { Frames } from "./pulse/types.ts";
import { endOf } from "./pulse/block_list.ts";
import { Signal } from "./signal/signal.ts";
import type { SignalApi } from "./signal/signal_api.ts";

/** What an engine lends to its sessions. */
export interface Shared {
  readonly options: ResolvedOptions;
  readonly files: Files;
  readonly notify: Notify;
  readonly jobs: Jobs;
  readonly underruns: Underruns;
  readonly analysis: Promise<Analysis>;
  readonly stretch: Stretch;
  /** Called when another renderer has taken over from `before`; resolves when the device has, if that is quick. */
  readonly onSignal: (before: SignalApi) => Promise<void>;
}

/** Keys of the project's own state. */
const TRANSPORT = "transport";
/** `true` if a person chose the project's rate; else its first file does. */
const RATE_IS_FIXED = "rateIsFixed";

/** What an asset was when it was removed: an undo may bring back clips of it. */
const removedKey = (assetId: string) => `removed.${assetId}`;
/** The id of the asset that was removed from a path. */
const formerKey = (path: string) => `removedAt.${path}`;

/** How long opening a project waits for the files that sound where its head stands, in milliseconds: most disks answer at once. */
const HEAD_MS = 150;

/** Most assets that one hint makes urgent. */
const HINTED_CLIPS = 256;

/** Everything that belongs to one open project. */
export class Session {
  readonly grants: Grants;
  readonly assets: Assets;
  readonly analysis: AssetAnalysis;
  readonly transport: TransportService;
  readonly streams: Streams;
  readonly clipWindows: ClipWindows;
  readonly mixdown: Mixdown;
  readonly anticipator: Anticipator;
  readonly opening: ProjectOpening;
  readonly renders: PitchRenders;
  readonly ghosts: ClipGhosts;
  readonly #shared: Shared;
  #file: ProjectFile;
  readonly #timeline: ProjectFile["timeline"];
  readonly #notices: AssetNotices;
  readonly #watch: AssetWatch;
  readonly #damage: DamageWatch;
  readonly #orders = new TrackOrders();
  readonly #background = new Background();
  #signal: SignalApi;
  /** What was kept while the file is being copied, the newest by what it is about. */
  #sinceMove: Map<string, (file: ProjectFile) => void> | null = null;
  /** Where the head stood after the change that is about to be answered. */
  #answeredFrame: Frames | null = null;
  #begun = false;
  #exchange: Promise<Exchange> | null = null;
  #closed = false;

  private constructor(shared: Shared, file: ProjectFile, signal: SignalApi) {
    this.#shared = shared;
    this.#file = file;
    this.#timeline = file.timeline;
    this.#signal = signal;
    const { files, notify, jobs, underruns, options, analysis } = shared;
    this.#notices = new AssetNotices(notify);
    this.grants = new Grants(files, options.libraryRoots);
    this.analysis = new AssetAnalysis({
      analysis,
      assetOf: (assetId) => this.assets.get(assetId),
      onProgress: (assetId, analysedSamples, lengthSamples) =>
        this.assets.progress(assetId, analysedSamples, lengthSamples),
      onReady: (assetId, result) => {
        this.assets.analysed(assetId, result);
        this.#damage.see(assetId);
      },
      onHash: (assetId, hash) => {
        this.assets.update(assetId, { hash });
        this.renders.hashed(assetId);
      },
      onError: (assetId, error) => this.assets.unreadable(assetId, error),
    });
    this.assets = new Assets({
      signal: () => this.#signal,
      grants: this.grants,
      notices: this.#notices,
      keeper: {
        put: (asset, identity) =>
          this.#keep(asset.assetId, (file) => file.assets.put(asset, identity)),
        remove: (row) =>
          this.#keep(row.asset.assetId, (file) => {
            file.state.set(removedKey(row.asset.assetId), row);
            file.state.set(formerKey(row.asset.path), row.asset.assetId);
            file.assets.remove(row.asset.assetId);
          }),
        formerId: (path) => this.#file.state.get(formerKey(path)) as string | undefined,
        recall: (assetId) => this.#file.state.get(removedKey(assetId)) as KeptAsset | undefined,
      },
      analysis: this.analysis,
      isUsed: (assetId) => this.timeline.usesAsset(assetId),
      rateIsOpen: () => rateIsOpen(this.#file),
      volumeOf: files.volumeOf,
      adoptRate: (sampleRate) => this.#adoptRate(sampleRate),
      onBound: (assetId) => {
        this.anticipator.changed();
        this.renders.bound(assetId);
      },
    });
    this.#watch = new AssetWatch(
      this.assets,
      files,
      undefined,
      (assetId) => this.opening.isAhead(assetId),
    );
    this.opening = new ProjectOpening({
      assets: this.assets,
      model: () => this.timeline.model,
      head: () => this.#begun ? this.transport.head : headOf(this.#keptTransport()),
      volumeOf: files.volumeOf,
      look: (assetId) => this.#watch.lookAt(assetId),
      analyse: (assetId) => this.analysis.begin(this.assets.get(assetId)),
      tell: (progress) =>
        notify({
          topic: "assets",
          method: "project.opening",
          params: { projectId: this.#file.identity.projectId, ...progress },
        }),
    });
    this.#damage = new DamageWatch({
      signal: () => this.#signal,
      assets: this.assets,
      reading: (assetId) => this.analysis.reading(assetId),
    });
    this.transport = new TransportService({
      signal: () => this.#signal,
      notify,
      underruns,
      onGap: (assetId) => this.#watch.hurry(assetId),
      onMoved: () => {
        this.anticipator.changed();
        this.opening.moved();
      },
      save: (kept) => this.#keep(TRANSPORT, (file) => file.state.set(TRANSPORT, kept)),
    });
    this.streams = new Streams({
      signal: () => this.#signal,
      asset: (assetId) => this.assets.get(assetId),
      hold: (assetId) => this.assets.hold(assetId),
      notify,
      underruns,
    });
    this.clipWindows = new ClipWindows({
      signal: () => this.#signal,
      asset: (assetId) => this.assets.get(assetId),
      model: () => this.timeline.model,
      hold: (assetId) => this.assets.hold(assetId),
      played: (body) => this.renders.played(body),
      notify,
    });
    this.anticipator = new Anticipator({
      signal: () => this.#signal,
      model: () => this.timeline.model,
      landings: () => this.timeline.landings,
      head: () => this.transport.head,
      asset: (assetId) => this.assets.entry(assetId),
      played: (body) => this.renders.played(body),
      render: (sourceId) => this.renders.source(sourceId),
      memoryBytes: options.memoryBytes,
    });
    this.renders = new PitchRenders({
      stretch: shared.stretch,
      signal: () => this.#signal,
      model: () => this.timeline.model,
      headFrame: () => this.transport.positionFrame,
      asset: (assetId) => this.assets.entry(assetId),
      notify,
      onPlayed: (clipIds) => {
        this.clipWindows.playOther(clipIds);
        this.anticipator.changed();
      },
    });
    this.ghosts = new ClipGhosts({ jobs, renders: this.renders, model: () => this.timeline.model });
    this.mixdown = new Mixdown({
      signal: () => this.#signal,
      jobs,
      exportDir: options.exportDir,
      renders: this.renders,
      snapshot: () => {
        const { model, revision } = this.timeline;
        return { mix: model, revision, tracks: [...model.tracks], endFrame: this.endFrame };
      },
    });
  }

  /** Opens a session on an open project file, which stays its owner's. */
  static async open(shared: Shared, file: ProjectFile): Promise<Session> {
    const signal = await openSignal(shared, file.timeline.model.sampleRate);
    await publishGradually(signal, file.timeline.model, file.timeline.revision);
    const session = new Session(shared, file, signal);
    session.assets.open(session.#rows());
    await withinMs(session.opening.head(), HEAD_MS, undefined);
    return session;
  }

  get signal(): SignalApi {
    return this.#signal;
  }

  /** It goes on in a copy of the file, and is there while that takes over. */
  get timeline(): ProjectFile["timeline"] {
    return this.#timeline;
  }

  get file(): ProjectFile {
    return this.#file;
  }

  /** Timelines of other programs. What reads and writes them is loaded when it is first asked for: most engines never are, and start the sooner. */
  get exchange(): Promise<Exchange> {
    return this.#exchange ??= import("./pulse/services/exchange.ts").then(({ Exchange }) =>
      new Exchange({
        assets: this.assets,
        grants: this.grants,
        files: this.#shared.files,
        exportDir: this.#shared.options.exportDir,
        timeline: () => this.timeline,
        projectName: () => this.#file.project.name,
        get: (key) => this.#file.state.get(key),
        set: (key, value) => this.#keep(key, (file) => file.state.set(key, value)),
        isOpen: () => this.isOpen,
      })
    );
  }

  /** Where the last clip ends. */
  get endFrame(): Frames {
    return endFrameOf(this.timeline.model);
  }

  /** Where playback would begin at once. */
  readiness(query: ReadinessQuery): Promise<Readiness> {
    return readiness(query, {
      signal: () => this.#closed ? null : this.#signal,
      timeline: () => this.timeline,
      endFrame: () => this.endFrame,
      asset: (assetId) => this.assets.entry(assetId),
      played: this.renders.played,
    });
  }

  /** Makes the project heard and looks after its files; what takes long goes on behind. */
  begin(): void {
    for (const path of this.#file.grants.list()) this.grants.grant(path);
    this.#sound(this.#keptTransport());
    this.#begun = true;
    this.#background.run(this.grants.resolveRoots());
    this.#background.run(this.opening.run());
    this.#background.run(this.renders.begin());
    this.#watch.begin();
    this.anticipator.begin();
  }

  /** Stores where the head stands: the project is about to be left. */
  keepTransport(): void {
    const kept = this.transport.kept();
    this.#keep(TRANSPORT, (file) => file.state.set(TRANSPORT, kept));
  }

  #keptTransport(): KeptTransport | null {
    return keptTransport(this.#file.state.get(TRANSPORT));
  }

  /** The assets of the project's file, as long as it is open. */
  #rows(): AssetRows {
    type Rows = AssetTable<KeptAsset["identity"] | undefined>;
    const table = () => this.#file.isOpen ? this.#file.assets as Rows : null;
    return {
      get: (assetId) => table()?.get(assetId),
      byPath: (path) => table()?.byPath(path),
      after: (number, most) => table()?.after(number, most) ?? [],
      some: (offset, most) => table()?.some(offset, most) ?? [],
      get size() {
        return table()?.size ?? 0;
      },
    };
  }

  /** Allows files that a person named, and keeps that with the project. Those that are not there now are not allowed later. */
  async grantNamed(paths: readonly string[]): Promise<void> {
    await Promise.all(paths.map(async (path) => {
      try {
        const facts = await this.#shared.files.ask(path, { kind: "identify", path });
        if ("fault" in facts || facts.kind !== "file") return;
        this.grants.grant(facts.path);
        this.#keep(`grant ${facts.path}`, (file) => file.grants.add(facts.path));
      } catch (error) {
        if (!(error instanceof SlowDisk)) throw error;
      }
    }));
  }

  /** From now on what is kept is remembered as well, for {@linkcode moveTo}. */
  prepareMove(): void {
    this.#sinceMove = new Map();
  }

  /** Goes on in a copy of the project file that was made since {@linkcode prepareMove}; without one, as before. */
  moveTo(file: ProjectFile | null): void {
    const since = this.#sinceMove;
    this.#sinceMove = null;
    if (file === null) return;
    this.#file = file;
    for (const keep of since?.values() ?? []) keep(file);
  }

  /** Tracks of a revision that sounds, in order. */
  trackIds(revision = this.timeline.revision): readonly string[] {
    return this.#orders.at(revision);
  }

  /** Whether its file is still the open project's. */
  get isOpen(): boolean {
    return !this.#closed && this.#file.isOpen;
  }

  /** What is to be looked at now and then. */
  tick(): void {
    if (this.#closed) return;
    this.#damage.tick();
    this.renders.tick();
  }

  /** Fetches what a user may want next, and analyses first what they look at. */
  hint(caller: Caller, intent: Intent): void {
    this.anticipator.hint(caller, intent);
    this.renders.hint(caller, intent);
    const { selectedClipIds = [], visible } = intent;
    if (this.analysis.state.underway === 0 && this.opening.isOver) return;
    const { model } = this.timeline;
    const selected = selectedClipIds.slice(0, HINTED_CLIPS).flatMap((clipId) =>
      findClip(model, clipId)?.body.assetId ?? []
    );
    this.analysis.prioritise(new Set(selected), 2);
    this.opening.hurry(selected);
    if (visible === undefined) return;
    const seen = new Set<string>();
    for (const { blocks } of model.tracks) {
      for (const { start, block } of blocks) {
        if (start >= visible.endFrame || seen.size >= HINTED_CLIPS) break;
        if (start + block.maxEnd <= visible.startFrame) continue;
        for (const { body } of block.clips) seen.add(body.assetId);
      }
    }
    this.analysis.prioritise(seen, 1);
    this.opening.hurry(seen);
  }

  /** Looks whether a file could be registered here, without registering it. */
  async inspect(path: string): Promise<void> {
    const probe = `probe ${crypto.randomUUID()}`;
    await this.#signal.openSource(probe, path);
    this.#signal.closeSource(probe);
  }

  /** Stops telling and looking, stores where the head stands, and waits for what is under way. The renderer plays on. */
  async quiet(): Promise<void> {
    if (this.#closed) return;
    this.#watch[Symbol.dispose]();
    this.opening[Symbol.dispose]();
    this.keepTransport();
    this.streams.endAll("project");
    this.streams[Symbol.dispose]();
    this.clipWindows[Symbol.dispose]();
    this.#closed = true;
    this.anticipator[Symbol.dispose]();
    this.renders[Symbol.dispose]();
    this.transport[Symbol.dispose]();
    this.analysis.dropAll();
    this.analysis.close();
    this.#notices[Symbol.dispose]();
    this.assets.close();
    await this.#background.end();
    await this.assets.settled();
  }

  /** Keeps something in the project file; what comes when that is closed already is of a project that nobody looks at any more. */
  #keep(key: string, keep: (file: ProjectFile) => void): void {
    if (this.#closed || !this.#file.isOpen) return;
    keep(this.#file);
    this.#sinceMove?.set(key, keep);
  }

  /** Publishes the timeline as it stands to a renderer that is new. */
  #sound(kept: KeptTransport | null): void {
    const { model, revision } = this.timeline;
    this.#orders.push(revision, model);
    this.#signal.publish(model, revision, []);
    this.transport.begin(kept);
  }

  /** Where the head stands after the change just made, for its answer: however long telling it took, the head moves on from there. */
  answeredFrame(): Frames {
    const frame = this.#answeredFrame ?? this.transport.positionFrame;
    this.#answeredFrame = null;
    return frame;
  }

  /** A change of the timeline has happened: it is heard, then told. */
  onCommit(commit: Commit): void {
    const { model, map, previousModel: _, ...told } = commit;
    const { positionFrame, tell } = this.transport.publishing(commit.revision, map);
    this.#answeredFrame = positionFrame;
    this.#orders.push(commit.revision, model);
    this.#signal.publish(model, commit.revision, map);
    this.#shared.notify({ topic: "timeline", method: "timeline.changed", params: told });
    tell();
    this.renders.follow(commit.changes);
    this.clipWindows.follow(commit.changes);
    this.anticipator.changed();
    const unbound = new Set<string>();
    for (const { assetId } of commit.changes.clips) {
      // An undo may bring back clips of an asset that was removed since.
      this.assets.revive(assetId);
      if (this.assets.entry(assetId)?.bound === false) unbound.add(assetId);
    }
    this.opening.want(unbound);
  }

  /** What reading an asset or a render takes, and where it lies; `undefined` while its file is away or not known. */
  readingOf(assetId: string): (AssetCost & { path: string }) | undefined {
    const render = this.renders.source(assetId);
    if (render !== undefined) {
      return { ...render, compressed: false, volume: String(render.device) };
    }
    const entry = this.assets.entry(assetId);
    if (entry === undefined || entry.asset.offlineStatus !== "present") return undefined;
    const { path, sampleRate, lengthSamples, codec } = entry.asset;
    if (sampleRate <= 0 || lengthSamples <= 0) return undefined;
    return {
      path,
      sampleRate,
      lengthSamples,
      bytesPerFrame: entry.identity.bytes / lengthSamples,
      compressed: !codec.startsWith("pcm_"),
      volume: String(entry.identity.device),
    };
  }

  /** A project without files takes the rate of its first one: another renderer, the same place. */
  async #adoptRate(sampleRate: number): Promise<boolean> {
    if (!rateIsOpen(this.#file)) return false;
    const next = await openSignal(this.#shared, sampleRate);
    if (!rateIsOpen(this.#file) || this.#closed) {
      await next[Symbol.asyncDispose]();
      return false;
    }
    this.streams.endAll("project");
    this.clipWindows.endAll();
    const before = this.#signal;
    this.#signal = next;
    this.transport.begin(null);
    this.#file.adoptSampleRate(sampleRate); // Publishes the timeline.
    this.#shared.notify({
      topic: "timeline",
      method: "project.changed",
      params: { project: this.#file.project },
    });
    await this.#shared.onSignal(before);
    return true;
  }
}

/** Says that a person chose the project's rate. */
export function fixRate(file: ProjectFile): void {
  file.state.set(RATE_IS_FIXED, true);
}

/** Whether the project has nothing yet that its rate would matter to, nor a rate that a person chose. */
export function rateIsOpen({ assets, state, timeline }: ProjectFile): boolean {
  return assets.size === 0 && state.get(RATE_IS_FIXED) !== true &&
    !timeline.canUndo && !timeline.canRedo && endFrameOf(timeline.model) === 0;
}

function endFrameOf({ tracks }: TimelineModel): Frames {
  return tracks.reduce((end, { blocks }) => Math.max(end, endOf(blocks)), 0);
}

/** Where a project's head stands before its transport has begun. */
function headOf(kept: KeptTransport | null): DemandHead {
  return kept ?? { positionFrame: 0, loop: { enabled: false, startFrame: 0, endFrame: 0 } };
}

/** What the project file says of the transport, `null` if it says nothing that makes sense. */
function keptTransport(value: unknown): KeptTransport | null {
  const { positionFrame, loop } = (value ?? {}) as Partial<KeptTransport>;
  const frames = [positionFrame, loop?.startFrame, loop?.endFrame];
  if (!frames.every((frame) => Number.isSafeInteger(frame) && frame! >= 0)) return null;
  if (loop!.enabled && loop!.endFrame <= loop!.startFrame) return null;
  return value as KeptTransport;
}

async function openSignal(shared: Shared, sampleRate: number): Promise<SignalApi> {
  return await Signal.open({
    sampleRate,
    memoryBytes: shared.options.memoryBytes,
    cacheDir: shared.options.cacheDir,
  });
}
