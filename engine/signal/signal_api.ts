/**
 * What Signal offers to the rest of the engine: sources, publishing, transport, offline rendering, devices. Implemented by
 * `signal.ts` over the native library.
 *
 * @module
 */
import type { FileDamage } from "./damage.ts";
import type { SignalDiagnosis } from "./diagnosis.ts";
import type { Decibels, Frames, HeadMapStep, MixModel } from "./model.ts";

/** A file's header, as native code read it. */
export interface SourceInfo {
  /** Frames in the file, at its own rate, clamped to what it really holds. */
  frames: number;
  /** Frames of the source at the project's rate: `ceil(frames · project's rate / sampleRate)`. */
  sourceFrames: Frames;
  sampleRate: number;
  channels: number;
  bits: number;
  encoding: "u8" | "s8" | "s16" | "s24" | "s32" | "f32" | "f64";
  container: "wav" | "rf64" | "w64" | "aiff" | "aifc" | "flac" | "oggFlac" | "mp3";
  channelMask: number;
  fileBytes: number;
  dataOffset: number;
  device: number;
  inode: number;
  mtimeMs: number;
  ctimeMs: number;
  /** True where the header's length differed from the file's. */
  lengthLied: boolean;
}

/** Where the renderer stood at `timeMs`. */
export interface PositionRecord {
  positionFrame: Frames;
  timeMs: number;
  audibleFrame: Frames;
  state: "stopped" | "paused" | "playing";
  revision: number;
  loop: { enabled: boolean; startFrame: Frames; endFrame: Frames };
  latencyFrames: number;
  rate: number;
  framesRendered: Frames;
  /** A publication waits at the gate. */
  gateWaiting: boolean;
  /** Number of the publication that this record is of; edits and transport commands make one each. */
  acknowledged: number;
  /** Number of the publication made last. */
  made: number;
}

export type Cause = "queue" | "read" | "decode" | "stalled" | "absent" | "budget";

export type SignalEvent =
  | { kind: "swap"; timeMs: number; before: Frames; after: Frames; revision: number }
  | { kind: "wrap"; timeMs: number; from: Frames; to: Frames }
  | { kind: "end"; timeMs: number; positionFrame: Frames }
  | {
    kind: "gapBegin" | "gapEnd";
    timeMs: number;
    trackId: string | null;
    clipId: string | null;
    assetId: string | null;
    positionFrame: Frames;
    frames: Frames;
    cause: Cause;
    /** What sounds meanwhile. Where that changes, one gap ends and another begins. */
    filledBy: "proxy" | "silence";
    /** Native handle of the source, 0 if the clip has none, and its first frame that was missing. */
    source?: number;
    sourceFrame?: number;
    /** By how much each frame of the clip stands beyond the one before it in its source; below 0 backwards. */
    step?: number;
  }
  | { kind: "loopOff"; timeMs: number }
  | { kind: "state"; timeMs: number; state: "stopped" | "paused" | "playing" }
  | { kind: "lost"; timeMs: number; count: number };

/** Meters gathered since the last take: linear, post-fader. */
export interface MeterReading {
  audibleFrame: Frames;
  timeMs: number;
  revision: number;
  master: { peak: [number, number]; rms: [number, number] };
  tracks: Map<string, { peak: [number, number]; rms: [number, number] }>;
}

export interface DeviceEntry {
  backend: string;
  device: string;
  name: string;
  isDefault: boolean;
  sampleRate: number | null;
  channels: number | null;
}
export interface DeviceState {
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
}

/** How the open device's callbacks come. */
export interface DeviceHealth {
  /** Frames of the device that its callbacks have asked for since it was opened. */
  givenFrames: number;
  /** When the last callback began, on the engine's clock; `null` before the first. */
  lastCallbackMs: number | null;
}

/** What a stream plays: a whole asset, from a place in it on. */
export interface StreamSound {
  assetId: string;
  /** The asset's length at the project's rate. */
  lengthFrames: Frames;
  startFrame: Frames;
  /** Over and over; else it ends with the asset. */
  loop: boolean;
  gainDb: Decibels;
}
/** Where a stream stood at `timeMs`. */
export interface StreamState {
  /** In the asset, at the project's rate. */
  positionFrame: Frames;
  timeMs: number;
  /** `filling` until its first frames are heard, `underrun` while it has none. */
  state: "filling" | "ready" | "underrun";
}
export type SignalStreamEvent = Extract<SignalEvent, { kind: "gapBegin" | "gapEnd" | "end" }>;

/** One sound beside the timeline. Disposal fades it out. */
export interface SignalStream extends AsyncDisposable {
  /** Plays; what it played before fades into it. The asset's source must be open. */
  play(sound: StreamSound): void;
  state(): StreamState;
  /** Gaps, and the asset's end. */
  drainEvents(): SignalStreamEvent[];
}

/** How a source keeps up. */
export interface SourceSupply {
  /** How far it is read ahead, as the budget allows: 10,000, and up to 30,000 where its pages come late. */
  readAheadMs: number;
  /** How far ahead of its need the first page was that was wanted and not there, as of the last look; `null`: all is there. */
  slackMs: number | null;
  /** It is heard from its proxy: its own pages come more slowly than they are played. */
  slow: boolean;
}

/** What a window holds. */
export interface WindowRange {
  assetId: string;
  /** At the project's rate, cut to the asset. */
  startFrame: Frames;
  endFrame: Frames;
  /** `anticipative`: after all that is about to be heard. */
  cohort: "realtime" | "anticipative";
  /** At which it will be played, -64 … 64 but 0. What is played first is fetched first. */
  rate: number;
  /** Its end joins its begin: what is played first is as urgent as what is about to be heard. */
  isLooping?: boolean;
}

/** Frames of the timeline at which an asset is played: the first of them at `sourceFrame`, each further one by `step` beyond it (`SourcePath`). */
export interface SourceStretch {
  readonly assetId: string;
  readonly fromFrame: Frames;
  readonly toFrame: Frames;
  readonly sourceFrame: number;
  readonly step: number;
}

/** A stretch of an asset that stays resident until it is disposed of. */
export interface SignalWindow extends Disposable {
  /** Goes on with fetching it; call it now and then until it is true: all is held. */
  look(): boolean;
}

/** A stretch of an asset that may be wanted soon. */
export interface WantedStretch {
  assetId: string;
  /** At the project's rate. */
  startFrame: Frames;
  endFrame: Frames;
  /** Milliseconds from now until it may be wanted at the earliest: the lower, the earlier it is read, and the later it gives way. */
  rankMs: number;
}
/** How far the plan of what may be wanted is. */
export interface AnticipationState {
  /** Pages of the plan that the budget allows, as far as it was gone through. */
  wantedPages: number;
  /** Of these, the ones that were resident at the last look. */
  residentPages: number;
  /** Units of 16 KiB that the plan may have. */
  budgetUnits: number;
  /** Pages of the plan in all, at most what the memory could hold. */
  listedPages: number;
  /** Number of the plan that the renderer works on; `anticipate` tells numbers. */
  plan: number;
  /** Nothing is left to do. */
  settled: boolean;
}

/** One render of a fixed mix, block after block, away from the device. */
export interface OfflineRender extends AsyncDisposable {
  /** Renders the next `frames` frames: interleaved stereo. Waits for pages; what cannot be had is silence and counted. */
  next(frames: number): Promise<Float32Array<ArrayBuffer>>;
  /** Frames that were missing so far. */
  missing(): number;
}

export interface SignalApi extends AsyncDisposable {
  readonly sampleRate: number;
  nowMs(): number;
  /**
   * Opens the file and binds it to `assetId`: clips of that asset sound from the next publication on, by a publication of its own if none comes. The same
   * for a render (`played.ts`), whose clips go over to it. Throws `EngineError`
   * `asset.unsupported`, `asset.unreadable` or `asset.notFound`; the path must already be resolved and allowed.
   */
  openSource(assetId: string, path: string): Promise<SourceInfo>;
  closeSource(assetId: string): void;
  /**
   * Makes another asset stand in for one: a file of lower rate, fewer channels or bits with the same sound. Where a page of the asset is not there in time,
   * the proxy's is heard, by a crossfade; offline renders wait instead. `null`: none. Holds for both assets' sources, whenever they are open.
   *
   * @throws {InvalidParams} If the two cannot be a pair: their lengths differ by more than 10 ms, or one of them is
   * in a pair already the other way round.
   */
  setProxy(assetId: string, proxyAssetId: string | null): void;
  /** Whether its file was found in another state than that in which its source was opened: it is not read until it is opened anew. */
  isStale(assetId: string): boolean;
  /** Makes a mix heard: packs what changed since the last one. `map`: how the head moves (all-track ripples only). Synchronous. */
  publish(mix: MixModel, revision: number, map: readonly HeadMapStep[]): void;
  play(fromFrame?: Frames, toFrame?: Frames): void;
  pause(): void;
  stop(): void;
  seek(positionFrame: Frames): void;
  setLoop(loop: { enabled: boolean; startFrame: Frames; endFrame: Frames }): void;
  position(): PositionRecord;
  /** Events since the last drain. Call it about 30 times a second. */
  drainEvents(): SignalEvent[];
  takeMeters(): MeterReading | null;
  /** Renderer and store counters by name, for diagnostics. */
  counters(): Record<string, number>;
  /** What was found broken in files since the last take, by playback and analysis alike. */
  takeDamage(): FileDamage[];
  /** How long things took, what fetching took where, which pages came late. */
  readonly diagnosis: SignalDiagnosis;
  trackCounters(trackId: string): { missing: number; faded: number; proxied: number };
  renderOffline(mix: MixModel, startFrame: Frames): OfflineRender;
  /** Makes a stream, silent yet. Throws `EngineError` `limit.exceeded` where there are too many. */
  openStream(): SignalStream;
  /**
   * Keeps a stretch of an asset resident. Throws `EngineError` `cache.budget` where there is no room for it, `limit.exceeded` where there are too many.
   */
  openWindow(range: WindowRange): SignalWindow;
  /**
   * Replaces the plan of what may be wanted soon, in the order of ranks. It becomes resident as far as the budget reaches, lowest rank first, and stays so;
   * what plays goes before all of it. What is of no open source is left out. Returns the plan's number; that of the last one if nothing changed.
   */
  anticipate(stretches: readonly WantedStretch[]): number;
  anticipation(): AnticipationState;
  /** How an asset's source keeps up with what plays it; `null` where it has none. */
  supply(assetId: string): SourceSupply | null;
  /** Frames of an asset resident from `positionFrame` on without a gap, at most `maxFrames`. */
  residentFrames(assetId: string, positionFrame: Frames, maxFrames: Frames): Frames;
  /**
   * Raises each column in `[first, past)` that shows some of the asset's frames to 1 where one of them is not resident, to 2 where the
   * last try to read it failed. False if the asset's source is not open: then nothing was looked at.
   */
  raiseColumns(
    stretch: SourceStretch,
    grid: { first: Float64Array<ArrayBuffer>; end: Float64Array<ArrayBuffer> },
    columns: readonly [first: number, past: number],
    out: Uint8Array<ArrayBuffer>,
  ): boolean;
  listDevices(backend?: string): Promise<DeviceEntry[]>;
  openDevice(params: { backend?: string; device?: string; period?: number }): Promise<DeviceState>;
  closeDevice(): Promise<void>;
  deviceState(): DeviceState | null;
  deviceHealth(): DeviceHealth | null;
  /**
   * Asks the audio system about latency, and whether the device is still there; `deviceState` then says so. Takes at most about a second.
   * Resolves with how often the system has told its latency since callbacks come steadily; before the first time it is computed from the
   * buffer's size.
   */
  measureDevice(): Promise<number>;
}
