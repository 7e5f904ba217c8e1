/**
 * The engine as one value: opens a data folder and a project, plays it, and answers requests.
 *
 * @module
 */
import config from "../deno.json" with { type: "json" };
import { libraryPath } from "../ffi/library.ts";
import type {
  Caller,
  EditOptions,
  EditResult,
  EngineApi,
  Notification,
  OpenDevice,
  PeaksQuery,
  Readiness,
  ReadinessQuery,
  Topic,
} from "./api.ts";
import { Background } from "./background.ts";
import { withinMs } from "./bounded.ts";
import { EngineError, InvalidParams } from "./errors.ts";
import { Files } from "./files/files.ts";
import { AUDIO_EXTENSIONS } from "./files/head.ts";
import { isWithin } from "./files/paths.ts";
import { Analysis } from "./media/analysis.ts";
import { MAX_COLUMNS } from "./media/columns.ts";
import { Stretch } from "./media/stretch.ts";
import { Notices } from "./notices.ts";
import { type EngineOptions, resolveOptions } from "./options.ts";
import type { ResolvedOptions } from "./options.ts";
import type { Intent } from "./pulse/anticipation.ts";
import { LIMITS } from "./pulse/limits.ts";
import { MAX_ASSETS } from "./pulse/services/assets.ts";
import { MOST_WINDOWS } from "./pulse/services/clip_windows.ts";
import { Devices } from "./pulse/services/devices.ts";
import { DiagnosticsService } from "./pulse/services/diagnostics.ts";
import { DiskWatch } from "./pulse/services/disk_watch.ts";
import { MAX_ANSWERED_CLIPS, MAX_DOCUMENT_BYTES } from "./pulse/services/exchange_limits.ts";
import { existingExport } from "./pulse/services/export_path.ts";
import { Jobs, UNFINISHED } from "./pulse/services/jobs.ts";
import { Library, MAX_LIMIT } from "./pulse/services/library.ts";
import { packMeters } from "./pulse/services/meters.ts";
import { Underruns } from "./pulse/services/underruns.ts";
import { VoiceWatch } from "./pulse/services/voice_watch.ts";
import { MAX_UPLOAD_BYTES, saveUpload } from "./pulse/services/upload.ts";
import { type Opened, ProjectStore } from "./pulse/store/project_store.ts";
import type { LostSteps } from "./pulse/timeline_service.ts";
import type { Edit, Project, Timeline } from "./pulse/types.ts";
import { fixRate, rateIsOpen, Session, type Shared } from "./session.ts";
import type { SignalApi } from "./signal/signal_api.ts";
import { MAX_RATE, MIN_RATE } from "./signal/speed.ts";

/** How long the start waits for an audio system that answers at once, as most do, in milliseconds. */
const PATIENCE_MS = 200;
/** How long closing waits for native calls that hang, in milliseconds. */
const STUCK_MS = 3_000;
/** How often the device and slow things are looked after, in milliseconds. */
const HOUSEKEEPING_MS = 500;

/**
 * A running engine. Open it with {@linkcode Engine.open}, dispose of it when done.
 *
 * Every method that throws has changed nothing. Listeners hear of a change before the request that made it settles.
 *
 * @example
 * ```ts no-eval
 * import { Engine } from "./engine.ts";
 *
 * await using engine = await Engine.open({ libraryRoots: ["/music"] });
 * const me = { clientId: "example" };
 * const song = await engine.assets.register("/music/song.wav", "sample", me);
 * engine.timeline.edit([
 *   { op: "track.add", track: { trackId: "t" } },
 *   {
 *     op: "clip.add",
 *     trackId: "t",
 *     clip: { assetId: song.assetId, startFrame: 0, lengthFrames: song.lengthSamples },
 *   },
 * ], {}, me);
 * engine.transport.play({});
 * ```
 */
export class Engine implements EngineApi, AsyncDisposable {
  readonly version: string = config.version;
  readonly instanceId: string = crypto.randomUUID();
  readonly limits: Readonly<Record<string, number>> = {
    ...LIMITS,
    answeredClips: MAX_ANSWERED_CLIPS,
    assets: MAX_ASSETS,
    clipWindows: MOST_WINDOWS,
    documentBytes: MAX_DOCUMENT_BYTES,
    jobs: UNFINISHED,
    libraryEntries: MAX_LIMIT,
    peaksWidth: MAX_COLUMNS,
    uploadBytes: MAX_UPLOAD_BYTES,
  };
  readonly capabilities: Readonly<Record<string, unknown>> = {
    extensions: [...AUDIO_EXTENSIONS],
    render: { containers: ["wav"], sampleFormats: ["s16", "s24", "f32"], dither: ["s16", "s24"] },
    speedModes: ["mute", "matchSpeed", "maintainPitch"],
    clipRates: { least: MIN_RATE, most: MAX_RATE },
    rates: false,
    reverse: true,
    streams: true,
  };
  readonly kernels: Readonly<Record<string, unknown>> = { peaks: "cpu" };

  readonly #options: ResolvedOptions;
  readonly #notices: Notices;
  readonly #files: Files;
  readonly #jobs: Jobs;
  readonly #underruns: Underruns;
  readonly #analysis: Promise<Analysis>;
  readonly #store: ProjectStore;
  readonly #shared: Shared;
  readonly #devices: Devices;
  readonly #diagnostics: DiagnosticsService;
  readonly #disks: DiskWatch;
  readonly #voices: VoiceWatch;
  readonly #library: Library;
  readonly #background = new Background();
  #session!: Session;
  /** Files that were named at the start, until it is known where they lead. */
  #granting: Promise<void> = Promise.resolve();
  /** Opening projects happens one after another. */
  #switching: Promise<unknown> = Promise.resolve();
  #housekeeping: ReturnType<typeof setInterval> | null = null;
  #metersSent = 0;
  #closing: Promise<void> | null = null;

  get sampleRate(): number {
    return this.#session.timeline.model.sampleRate;
  }

  /** The renderer of the open project, for tests and benches. */
  get signal(): SignalApi {
    return this.#session.signal;
  }

  private constructor(options: ResolvedOptions, parts: {
    notices: Notices;
    files: Files;
    analysis: Promise<Analysis>;
    store: ProjectStore;
  }) {
    this.#options = options;
    this.#notices = parts.notices;
    this.#files = parts.files;
    this.#analysis = parts.analysis;
    this.#store = parts.store;
    const { notify } = this.#notices;
    const signal = () => this.#session.signal;
    this.#jobs = new Jobs(notify);
    this.#underruns = new Underruns(notify, signal);
    this.#diagnostics = new DiagnosticsService({
      signal,
      notify,
      underruns: this.#underruns,
      trackIds: () => this.#session.trackIds(),
      model: () => this.#session.timeline.model,
      placeOf: (assetId) => this.#session.readingOf(assetId),
      forecast: () => this.#disks.forecast,
      device: () => this.#devices.current(),
      analysis: () => this.#session.analysis.state,
      anticipation: () => this.#session.anticipator.progress,
    });
    this.#notices.listen(this.#diagnostics.hear);
    this.#disks = new DiskWatch({
      signal,
      model: () => this.#session.timeline.model,
      costOf: (assetId) => this.#session.readingOf(assetId),
      played: (body) => this.#session.renders.played(body),
      warn: this.#diagnostics.warn,
    });
    this.#voices = new VoiceWatch({ signal, warn: this.#diagnostics.warn });
    this.#devices = new Devices({
      signal,
      notify,
      warn: this.#diagnostics.warn,
      onChanged: () => this.#session.transport.deviceChanged(),
    });
    this.#shared = {
      options,
      files: this.#files,
      notify,
      jobs: this.#jobs,
      underruns: this.#underruns,
      analysis: this.#analysis,
      stretch: new Stretch({ libraryPath, cacheDir: options.cacheDir }),
      onSignal: async (before) => {
        this.#retire(before, this.#session);
        await this.#devices.settled(PATIENCE_MS);
      },
    };
    this.#library = new Library({
      files: this.#files,
      grants: () => this.#session.grants,
      notify,
      assetOf: (path, head) => this.#session.assets.at(path, head),
    });
  }

  /**
   * Opens an engine and the project that was open last, or the one named; makes one where there is none. The device, analysis and the
   * opening of files go on behind.
   *
   * @throws {RangeError} if an option is out of range.
   * @throws {FileInUse} if another engine uses the data folder.
   * @throws {EngineError} `project.notFound` if the project named cannot be opened.
   * @throws {LibraryError} @throws {BuildError} if the native library cannot be loaded or built.
   */
  static async open(options: EngineOptions = {}): Promise<Engine> {
    const resolved = resolveOptions(options);
    const holder: { engine: Engine | null } = { engine: null };
    const session = () => holder.engine!.#session; // None yet while the first project opens.
    const store = ProjectStore.open({
      dataDir: resolved.dataDir,
      timeline: {
        onCommit: (commit) => session()?.onCommit(commit),
        playhead: () => session().answeredFrame(),
        onLost: (lost) => holder.engine!.#warnOfLostSteps(lost),
        hasAsset: (assetId) => session().assets.entry(assetId) !== undefined,
      },
      ...(resolved.sampleRate === undefined ? {} : { sampleRate: resolved.sampleRate }),
    });
    await using cleanup = new AsyncDisposableStack();
    cleanup.use(store);
    const roots = resolved.libraryRoots;
    const files = new Files((path) =>
      roots.find((root) => isWithin(root, path)) ?? path.split(/[/\\]/, 3).join("/")
    );
    cleanup.use(files);
    const analysis = startAnalysis(resolved);
    cleanup.defer(() => analysis.then((analysis) => analysis[Symbol.asyncDispose](), () => {}));
    const parts = { notices: new Notices(), files, analysis, store };
    const engine = holder.engine = new Engine(resolved, parts);

    const { opened, warning } = await openFirst(store, resolved);
    engine.#session = await Session.open(engine.#shared, opened.file);
    cleanup.move();
    await engine.#begin(opened, warning);
    return engine;
  }

  async #begin(opened: Opened, warning: Error | null): Promise<void> {
    const { backend, device, period, allowedFiles } = this.#options;
    this.#session.begin();
    this.#diagnostics.begin();
    this.#underruns.begin();
    this.#disks.begin();
    this.#devices.begin({ backend, period, ...(device === undefined ? {} : { device }) });
    this.#granting = this.#session.grantNamed(allowedFiles);
    this.#background.run(this.#granting);
    this.#housekeeping = setInterval(() => this.#tick(), HOUSEKEEPING_MS);
    this.#analysis.catch((error) =>
      this.#diagnostics.warn("analysis.unavailable", `Files cannot be analysed: ${error.message}`)
    );
    if (warning !== null) this.#diagnostics.warn("project.skipped", warning.message);
    this.#warnOfLoss(opened);
    await this.#devices.settled(PATIENCE_MS);
  }

  #tick(): void {
    this.#devices.tick();
    this.#session.tick();
    this.#diagnostics.look();
    this.#disks.tick();
    this.#voices.tick();
  }

  /**
   * Ends it: new work is refused, jobs are cancelled, the sound fades out, the device is closed, native calls end, stores are closed.
   */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#closing ??= this.#close();
  }

  async #close(): Promise<void> {
    if (this.#housekeeping !== null) clearInterval(this.#housekeeping);
    await this.#switching.catch(() => {}); // Told to whoever asked.
    await this.#disks[Symbol.asyncDispose]();
    this.#library.close();
    await this.#jobs[Symbol.asyncDispose]();
    const isFree = await this.#devices.close();
    if (isFree) await this.#session.signal.closeDevice();
    this.#files[Symbol.dispose]();
    const ending = Promise.all([this.#session.quiet(), this.#background.end()]);
    const isCalm = await withinMs(ending.then(() => true), STUCK_MS, false);
    await Promise.all([
      this.#analysis.then((analysis) => analysis[Symbol.asyncDispose](), () => {}),
      this.#shared.stretch[Symbol.asyncDispose](),
    ]);
    // A native call that hangs in a dead volume or sound server would run in code that is gone: then it is left to the process's end.
    if (isFree && isCalm) await this.#session.signal[Symbol.asyncDispose]();
    await this.#store[Symbol.asyncDispose]();
  }

  clock(): { timeMs: number; unixMs: number } {
    return { timeMs: this.#session.signal.nowMs(), unixMs: Date.now() };
  }

  listen(listener: (notification: Notification) => void): () => void {
    return this.#notices.listen(listener);
  }

  topicState(topic: Topic, sinceRevision?: number): unknown {
    const { timeline, transport, assets } = this.#session;
    switch (topic) {
      case "timeline": {
        const pipelines = this.#session.renders.pipelines();
        const state = timeline.changesSince(sinceRevision);
        return pipelines.length === 0 ? state : { ...state, pipelines };
      }
      case "transport":
        return transport.get();
      case "assets":
        return { assets: assets.list({ limit: MAX_ASSETS }).assets };
      case "streams":
        return {
          streams: this.#session.streams.list(),
          windows: this.#session.clipWindows.list(),
        };
      case "jobs":
        return { jobs: this.#jobs.list() };
      case "device":
        return { device: this.#devices.current() };
      case "library":
        return this.#library.roots();
      case "diagnostics":
        return { warnings: this.#diagnostics.warnings };
      case "meters":
        return { trackIds: this.#session.trackIds() };
    }
  }

  takeMeters(): Uint8Array<ArrayBuffer> | null {
    const { signal } = this.#session;
    const reading = signal.takeMeters();
    if (reading === null) return null;
    return packMeters(reading, this.#session.trackIds(reading.revision), this.#metersSent++);
  }

  viewHint(caller: Caller, hint: Intent): void {
    this.#session.hint(caller, hint);
  }

  async readiness(query: ReadinessQuery): Promise<Readiness> {
    try {
      return await this.#session.readiness(query);
    } catch (error) {
      // Another project or renderer took over meanwhile: that one is asked.
      if (!(error instanceof EngineError) || this.#closing !== null) throw error;
      await this.#switching.catch(() => {}); // Told to whoever asked.
      return await this.#session.readiness(query);
    }
  }

  readonly projects: EngineApi["projects"] = {
    current: () => this.#session.file.project,
    list: () => Promise.resolve(this.#store.list()),
    create: (params) =>
      this.#switch(async () => {
        const opened = await this.#store.create(params);
        if ((params.sampleRate ?? this.#options.sampleRate) !== undefined) fixRate(opened.file);
        return opened;
      }),
    open: (params) => this.#switch(() => this.#store.open(params)),
    saveAs: (params) => this.#saveAs(params),
  };

  readonly library: EngineApi["library"] = {
    list: (query) => this.#library.list(query),
    upload: async (name, body, caller) => {
      const { assets } = this.#openSession();
      const path = await saveUpload(name, body, {
        files: this.#files,
        folder: this.#uploadFolder(),
        inspect: (path) => this.#openSession().inspect(path),
      });
      return await assets.register(path, undefined, caller);
    },
  };

  readonly assets: EngineApi["assets"] = {
    register: async (path, type, caller) => {
      await this.#granting;
      return await this.#openSession().assets.register(path, type, caller);
    },
    get: (assetId) => this.#session.assets.get(assetId),
    list: (params) => this.#session.assets.list(params),
    remove: (assetId) => this.#openSession().assets.remove(assetId),
    whole: () => this.#session.opening.whole(),
    file: (assetId) => this.#session.assets.file(assetId),
    peaks: (assetId, query: PeaksQuery) => this.#session.analysis.peaks(assetId, query),
    waveformDat: (assetId, params) => this.#session.analysis.waveformDat(assetId, params),
    waveformJson: (assetId, params) => this.#session.analysis.waveformJson(assetId, params),
    wavesurferJson: (assetId, params) => this.#session.analysis.wavesurferJson(assetId, params),
    waveformSvg: (assetId, params) => this.#session.analysis.waveformSvg(assetId, params),
    onAnalysed: (assetId, listener) => this.#session.analysis.onAnalysed(assetId, listener),
  };

  readonly timeline: EngineApi["timeline"] = {
    get: () => this.#session.timeline.get(),
    set: (timeline: Timeline, options: EditOptions, caller: Caller): EditResult =>
      this.#openSession().timeline.set(timeline, options, caller),
    setInTurns: async (timeline, options, caller) =>
      await this.#openSession().timeline.setInTurns(timeline, options, caller),
    edit: (edits: readonly Edit[], options: EditOptions, caller: Caller): EditResult =>
      this.#openSession().timeline.edit(edits, options, caller),
    undo: (options, caller) => this.#openSession().timeline.undo(options, caller),
    redo: (options, caller) => this.#openSession().timeline.redo(options, caller),
    history: (params) => this.#session.timeline.history(params),
    importCap: async (params, caller) => {
      await this.#granting;
      return await (await this.#openSession().exchange).importCap(params, caller);
    },
    importOtio: async (params, caller) => {
      await this.#granting;
      return await (await this.#openSession().exchange).importOtio(params, caller);
    },
    exportOtio: async (params) => await (await this.#session.exchange).exportOtio(params),
    exportEdl: async (params) => await (await this.#session.exchange).exportEdl(params),
  };

  readonly transport: EngineApi["transport"] = {
    get: () => this.#session.transport.get(),
    play: (params) => this.#openSession().transport.play(params),
    pause: () => this.#openSession().transport.pause(),
    stop: () => this.#openSession().transport.stop(),
    seek: (positionFrame) => this.#openSession().transport.seek(positionFrame),
    setLoop: (loop) => this.#openSession().transport.setLoop(loop),
  };

  readonly streams: EngineApi["streams"] = {
    start: (params, caller) => this.#openSession().streams.start(params, caller),
    stop: (handleId, reason) => this.#session.streams.stop(handleId, reason),
  };

  readonly clipWindows: EngineApi["clipWindows"] = {
    request: (params, caller) => this.#openSession().clipWindows.request(params, caller),
    release: (windowId) => this.#session.clipWindows.release(windowId),
  };

  readonly render: EngineApi["render"] = {
    mixdown: (params, caller) => this.#openSession().mixdown.start(params, caller),
    requestClipGhost: (clipId, caller) => this.#openSession().ghosts.request(clipId, caller),
    exportFile: (path) => {
      const { path: resolved } = existingExport(this.#options.exportDir, path);
      return { path: resolved, contentType: exportType(resolved) };
    },
  };

  readonly jobs: EngineApi["jobs"] = {
    list: () => this.#jobs.list(),
    get: (jobId) => this.#jobs.get(jobId),
    cancel: (jobId) => this.#jobs.cancel(jobId),
  };

  readonly devices: EngineApi["devices"] = {
    list: () => this.#devices.list(),
    current: () => this.#devices.current(),
    open: async (params): Promise<OpenDevice> => {
      this.#openSession();
      return await this.#devices.open(params);
    },
  };

  readonly diagnostics: EngineApi["diagnostics"] = {
    get: (caller) => this.#diagnostics.get(caller),
    reset: (caller) => this.#diagnostics.reset(caller),
    underruns: (params) => this.#diagnostics.underruns(params),
  };

  /** The session, for requests that change something. */
  #openSession(): Session {
    if (this.#closing !== null) throw new Error("The engine is closing");
    if (this.#session.isOpen) return this.#session;
    throw new EngineError(
      "timeline.conflict",
      "Cannot change this project: another one is being opened; ask again",
      { reason: "switching" },
    );
  }

  #uploadFolder(): string {
    const [folder] = this.#options.libraryRoots;
    if (folder !== undefined) return folder;
    throw new InvalidParams(["name"], "there is no library to save it in; start with --library");
  }

  /** Opens another project in place of the open one, with a renderer of its own. */
  #switch(open: () => Promise<Opened>): Promise<Project> {
    return this.#inTurn(async () => {
      const before = this.#session;
      before.keepTransport();
      const opened = await open();
      if (opened.file === before.file) return opened.file.project;
      const session = await Session.open(this.#shared, opened.file);
      this.#background.run(before.quiet()); // It is quiet at once; what hangs in a dead volume goes on behind.
      this.#session = session;
      session.begin();
      this.#tellProject(opened);
      this.#retire(before.signal, before);
      await this.#devices.settled(PATIENCE_MS);
      return opened.file.project;
    });
  }

  /** Goes on in a copy of the project; nothing that sounds changes. */
  #saveAs(params: { name: string; path?: string }): Promise<Project> {
    return this.#inTurn(async () => {
      const session = this.#session;
      session.prepareMove();
      let opened: Opened | null = null;
      try {
        opened = await this.#store.saveAs(params);
      } finally {
        session.moveTo(opened?.file ?? null);
      }
      this.#tellProject(opened);
      return opened.file.project;
    });
  }

  #inTurn(work: () => Promise<Project>): Promise<Project> {
    if (this.#closing !== null) return Promise.reject(new Error("The engine is closing"));
    const done = this.#switching.then(work);
    this.#switching = done.catch(() => {});
    return done;
  }

  #tellProject(opened: Opened): void {
    this.#notices.notify({
      topic: "timeline",
      method: "project.changed",
      params: { project: opened.file.project },
    });
    this.#warnOfLoss(opened);
  }

  #warnOfLoss({ file, recovery }: Opened): void {
    if (recovery === null) return;
    const { lostRevisions, reason } = recovery;
    this.#diagnostics.warn(
      "project.damaged",
      `${lostRevisions.length} of the last edits of ${file.path} could not be read (${reason}); ` +
        "they are set aside in the file, and the project is as it was before them",
      { path: file.path, lostRevisions, reason },
    );
  }

  #warnOfLostSteps({ revision, cause, steps }: LostSteps): void {
    const { path } = this.#store.current;
    this.#diagnostics.warn(
      "project.damaged",
      `The journal of ${path} cannot be read at revision ${revision}: ${steps} steps are forgotten, from there ` +
        `${cause === "undo" ? "back" : "on"}; the timeline is as it was`,
      { path, revision, steps },
    );
  }

  /** Closes a renderer that another one has replaced, once its device is free and its renders have ended. */
  #retire(signal: SignalApi, session: Session): void {
    this.#diagnostics.begin();
    this.#underruns.begin();
    this.#disks.begin();
    const left = this.#devices.move(signal);
    this.#background.run((async () => {
      await left;
      await this.#jobs.settled();
      await session.assets.settled();
      await signal[Symbol.asyncDispose]();
    })());
  }
}

/** The media type of what is written under the export folder. */
function exportType(path: string): string {
  if (path.endsWith(".otio")) return "application/json";
  return path.endsWith(".edl") ? "text/plain; charset=utf-8" : "audio/wav";
}

async function startAnalysis({ cacheDir }: ResolvedOptions): Promise<Analysis> {
  return await Analysis.start({ libraryPath: await libraryPath(), cacheDir });
}

/** The project named, else the last one, else a new one. */
async function openFirst(
  store: ProjectStore,
  { project, sampleRate }: ResolvedOptions,
): Promise<{ opened: Opened; warning: Error | null }> {
  if (project !== undefined) {
    return { opened: await store.open({ path: project, trusted: true }), warning: null };
  }
  const opened = await store.openLast();
  if (sampleRate !== undefined && rateIsOpen(opened.file)) {
    opened.file.adoptSampleRate(sampleRate);
    fixRate(opened.file);
  }
  return { opened, warning: opened.skipped };
}
