/**
 * What `Engine` offers to the server and to programs that embed it. One member a capability; every method validates what the
 * types cannot say, throws `EngineError` or `InvalidParams`, and changes nothing when it throws.
 *
 * Order of notifications: an engine calls its listeners synchronously, in the order things happen, and before the promise or value of the
 * request that caused them settles.
 *
 * @module
 */
import type { Intent } from "./pulse/anticipation.ts";
import type { Report } from "./pulse/exchange/report.ts";
import type {
  Asset,
  AssetType,
  Changes,
  Decibels,
  Edit,
  Frames,
  Job,
  Loop,
  OfflineStatus,
  Project,
  StreamHandle,
  Timeline,
  Transport,
} from "./pulse/types.ts";

/** Who asks: a connection's client id, which steers undo merging and job notices. */
export interface Caller {
  readonly clientId: string;
}

export type Topic =
  | "transport"
  | "assets"
  | "streams"
  | "timeline"
  | "jobs"
  | "device"
  | "library"
  | "diagnostics"
  | "meters";

/** A notification of API.md, "Notifications". `clientId`: also goes to this client when it has not subscribed. */
export interface Notification {
  readonly topic: Topic;
  readonly method: string;
  readonly params: unknown;
  readonly clientId?: string;
  /** It tells what was found, not what has happened. */
  readonly isNoNews?: boolean;
}

export interface EditOptions {
  baseRevision?: number;
  label?: string;
  mergeKey?: string;
  requestId?: string;
}
export interface EditResult {
  revision: number;
  playheadFrame: Frames;
  changes: Changes;
}
export interface HistoryEntry {
  revision: number;
  label: string;
  clientId: string;
  applied: boolean;
}

export interface LibraryEntry {
  name: string;
  path: string;
  kind: "folder" | "audio" | "other";
  assetId?: string;
  durationSeconds?: number;
  offlineStatus?: OfflineStatus;
}
export interface LibraryListing {
  entries: LibraryEntry[];
  total: number;
}
export interface LibraryQuery {
  path?: string;
  query?: string;
  sort?: "name" | "duration" | "kind";
  offset?: number;
  limit?: number;
}

export interface DeviceInfo {
  backend: string;
  device: string;
  name: string;
  isDefault: boolean;
  sampleRate: number | null;
  channels: number | null;
}
export interface OpenDevice {
  backend: string;
  device: string | null;
  name: string;
  /** Its own. Where it is not the project's, the mix is converted on its way. */
  sampleRate: number;
  /** Frames of the device's own. */
  periodFrames: number;
  /** Frames of the project between rendering and sound. */
  latencyFrames: number;
  state: "running" | "lost" | "closed";
  /** Frames a second that it really asked for of late; `null` until that was measured over two seconds. */
  cadence: number | null;
}

export interface StreamParams {
  assetId: string;
  /** In the asset's own samples. Default 0. */
  positionSamples?: number;
  /** Over and over. Default false. */
  loop?: boolean;
  /** Default 0; `null` is silence. */
  gainDb?: Decibels;
  /** The handle of a stream that fades into this one and ends. */
  replaces?: string;
}

export interface ClipWindowParams {
  /** One of `assetId` and `clipId`. The window of a clip is cut to what the clip plays, and goes with it. */
  assetId?: string;
  clipId?: string;
  /** In the asset's own samples, `[startSample, endSample)`. */
  startSample: number;
  endSample: number;
  /** It will be played over and over: what is played first is as urgent as what is about to be heard. */
  isLooping?: boolean;
  /** At which it will be played, -4 … 4 but 0; what is played first is fetched first. Default 1. */
  playRate?: number;
  /** `anticipative`: after all that is about to be heard. */
  cohort: "realtime" | "anticipative";
}

/** Where a ClipWindow is, and how. */
export interface ClipWindowState {
  windowId: string;
  /** Of the window of a clip. */
  clipId?: string;
  assetId: string;
  /** In the asset's own samples. */
  startSample: number;
  endSample: number;
  /** `refused`: there is no room for it now, or its file cannot be read; `absent`: its clip is gone, and it waits for it. */
  state: "filling" | "resident" | "refused" | "absent";
}

export interface MixdownParams {
  path: string;
  startFrame?: Frames;
  lengthFrames?: Frames;
  container: "wav" | "flac";
  sampleFormat: "s16" | "s24" | "f32";
  sampleRate?: number;
  dither?: boolean;
  trackIds?: string[];
  stems?: boolean;
  overwrite?: boolean;
}

/** Where an import takes its document from. */
export interface ImportParams {
  /** A file of the library. Its relative paths begin at its folder. One of `path` and `document`. */
  path?: string;
  /** The document, or its text. */
  document?: unknown;
  /** What relative paths of the document begin at, in place of its own folder. */
  folder?: string;
  /** Paths of files by the names that the document has for them, in place of what it says. */
  files?: Readonly<Record<string, string>>;
  baseRevision?: number;
  label?: string;
}
export interface ImportCapParams extends ImportParams {
  /** The recording's `recording-meta.json`, or its text, beside `document`; else the one beside `path`, if there is one. */
  meta?: unknown;
}
export interface ImportResult {
  revision: number;
  report: Report;
}
export interface OtioParams {
  /** Under the export folder: the document goes there instead of into the answer. */
  path?: string;
  overwrite?: boolean;
}
export interface EdlParams extends OtioParams {
  /** All tracks, if left out. */
  trackIds?: readonly string[];
  /** The project's name, if left out. */
  title?: string;
  /** Where the list begins, as `HH:MM:SS:FF`. */
  startTimecode?: string;
}
export interface ExportedDocument {
  /** Where no path was given. */
  document?: unknown;
  /** Where one was. */
  file?: { path: string; url: string; bytes: number };
  report: Report;
}

/** Columns of a peaks query; planes are `width` long, NaN where not analysed yet. */
export interface PeaksColumns {
  start: number;
  end: number;
  width: number;
  /** Planes: one a channel asked for. */
  min: Float32Array[];
  max: Float32Array[];
  rms: Float32Array[];
  complete: boolean;
  /** Strong validator of a complete answer: content, level, range; `null` while partial. */
  etag: string | null;
}
export interface PeaksQuery {
  start?: number;
  end?: number;
  width: number;
  /** `all` by default. */
  channels?: "all" | "mix" | number[];
}

/** A range of the timeline to be shown in columns. */
export interface ReadinessQuery {
  /** In frames, fractions allowed. Default 0. */
  start?: number;
  /** Default: where the last clip ends. */
  end?: number;
  /** 1 to 8,192. Default 1,024. */
  width?: number;
}
/** Where playback would begin at once. */
export interface Readiness {
  start: number;
  end: number;
  width: number;
  /** Of the timeline that it was reckoned from. */
  revision: number;
  /**
   * In their order, muted ones too; `columns` has a letter for each column: `i`, instant: all that sounds there is resident, or nothing
   * does; `p`, pending: something must be read first; `o`, offline: a file is away or cannot be read, so something would be silent.
   */
  tracks: { trackId: string; columns: string }[];
}

/** A file or bytes to serve. */
export interface BytesAnswer {
  bytes: Uint8Array<ArrayBuffer>;
  complete: boolean;
  etag: string | null;
}

export interface EngineApi {
  readonly version: string;
  /** New at each start. */
  readonly instanceId: string;
  readonly limits: Readonly<Record<string, number>>;
  readonly capabilities: Readonly<Record<string, unknown>>;
  readonly kernels: Readonly<Record<string, unknown>>;
  /** The open project's rate, in frames a second. */
  readonly sampleRate: number;
  /** `timeMs` on the engine's monotonic clock, `unixMs` of the same instant. */
  clock(): { timeMs: number; unixMs: number };
  /** Calls `listener` with each notification until the returned function is called. A listener must not throw. */
  listen(listener: (notification: Notification) => void): () => void;
  /** A topic's whole state now (`engine.subscribe`). `sinceRevision` is for `timeline`. */
  topicState(topic: Topic, sinceRevision?: number): unknown;
  /** Meters as a binary frame (API.md) since the last call, `null` if nothing was rendered. Called by one pump 30 times a second. */
  takeMeters(): Uint8Array<ArrayBuffer> | null;
  /** Says what the user of a client may do next, in place of what it said before; nothing takes it back. */
  viewHint(caller: Caller, hint: Intent): void;
  /** Where playback of the timeline would begin at once, as things stand now. */
  readiness(query: ReadinessQuery): Promise<Readiness>;

  readonly projects: {
    current(): Project;
    list(): Promise<Project[]>;
    create(params: { name: string; path?: string; sampleRate?: number }): Promise<Project>;
    open(params: { projectId?: string; path?: string }): Promise<Project>;
    saveAs(params: { name: string; path?: string }): Promise<Project>;
  };
  readonly library: {
    list(query: LibraryQuery): Promise<LibraryListing>;
    /** Saves a body under the first root and registers it. Limits: `limits.uploadBytes`. Nothing appears there until it is whole. */
    upload(name: string, body: ReadableStream<Uint8Array>, caller: Caller): Promise<Asset>;
  };
  readonly assets: {
    register(path: string, type: AssetType | undefined, caller: Caller): Promise<Asset>;
    get(assetId: string): Asset;
    list(
      params: { offset?: number; limit?: number; status?: OfflineStatus },
    ): { assets: Asset[]; total: number };
    remove(assetId: string, caller: Caller): void;
    /**
     * `null` once all assets are read from the project; before that resolves when they are. Nothing need wait for it, but what is asked of all
     * at once before is read at once.
     */
    whole(): Promise<void> | null;
    /** The resolved path of the asset's file and what identifies its bytes, for `/audio`. */
    file(assetId: string): { path: string; etag: string; contentType: string };
    peaks(assetId: string, query: PeaksQuery): Promise<PeaksColumns>;
    waveformDat(
      assetId: string,
      params: { bits: 8 | 16; samplesPerPixel: number; split: boolean },
    ): Promise<BytesAnswer>;
    waveformJson(
      assetId: string,
      params: { bits: 8 | 16; samplesPerPixel: number; split: boolean },
    ): Promise<BytesAnswer>;
    wavesurferJson(assetId: string, params: { points: number }): Promise<BytesAnswer>;
    waveformSvg(
      assetId: string,
      params: { width: number; height: number },
    ): Promise<{ svg: string; complete: boolean }>;
    /** Calls back whenever more of the asset is analysed, until the returned function is called. */
    onAnalysed(assetId: string, listener: () => void): () => void;
  };
  readonly timeline: {
    get(): { timeline: Timeline; revision: number };
    set(timeline: Timeline, options: EditOptions, caller: Caller): EditResult;
    /** `set` of a large timeline, which must not change meanwhile: others may edit until it takes effect. */
    setInTurns(timeline: Timeline, options: EditOptions, caller: Caller): Promise<EditResult>;
    edit(edits: readonly Edit[], options: EditOptions, caller: Caller): EditResult;
    undo(options: { baseRevision?: number }, caller: Caller): EditResult;
    redo(options: { baseRevision?: number }, caller: Caller): EditResult;
    history(
      params: { offset?: number; limit?: number },
    ): { entries: HistoryEntry[]; total: number };
    importCap(params: ImportCapParams, caller: Caller): Promise<ImportResult>;
    importOtio(params: ImportParams, caller: Caller): Promise<ImportResult>;
    exportOtio(params: OtioParams): Promise<ExportedDocument>;
    exportEdl(params: EdlParams): Promise<ExportedDocument>;
  };
  readonly transport: {
    get(): Transport;
    play(params: { fromFrame?: Frames; toFrame?: Frames }): Transport;
    pause(): Transport;
    stop(): Transport;
    seek(positionFrame: Frames): Transport;
    setLoop(loop: Loop): Transport;
  };
  readonly streams: {
    start(params: StreamParams, caller: Caller): StreamHandle;
    /** `reason` is what clients are told. */
    stop(handleId: string, reason?: string): void;
  };
  readonly clipWindows: {
    request(
      params: ClipWindowParams,
      caller: Caller,
    ): Promise<{ windowId: string; resident: boolean }>;
    release(windowId: string): void;
  };
  readonly render: {
    mixdown(params: MixdownParams, caller: Caller): { jobId: string; revision: number };
    /** A job that makes what the clip is to be heard from: done at once where it needs nothing, or has it. */
    requestClipGhost(clipId: string, caller: Caller): { jobId: string };
    /** The resolved path of a finished render under the export folder, for `GET /aura/exports/{path}`. */
    exportFile(path: string): { path: string; contentType: string };
  };
  readonly jobs: {
    list(): Job[];
    get(jobId: string): Job;
    cancel(jobId: string): Job;
  };
  readonly devices: {
    list(): Promise<DeviceInfo[]>;
    current(): OpenDevice | null;
    open(params: { backend?: string; device?: string; period?: number }): Promise<OpenDevice>;
  };
  readonly diagnostics: {
    get(caller: Caller): unknown;
    reset(caller: Caller): void;
    underruns(
      params: { afterId?: number; limit?: number },
    ): { underruns: unknown[]; total: number };
  };
}
