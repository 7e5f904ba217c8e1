// deno-fmt-ignore-file
/**
 * The words of `/pulse`, written by `deno task types` from the schemas that the engine checks them against. Not edited by hand.
 *
 * @module
 */

export interface Asset {
  assetId: string;
  path: string;
  type: "sample" | "stem" | "recording" | "render" | "proxy" | "transient";
  sampleRate: number;
  channels: number;
  bitDepth: number;
  lengthSamples: number;
  peakCache: string | null;
  waveformCache: string | null;
  proxyStatus: "none" | "pending" | "ready";
  hash: string | null;
  offlineStatus: "present" | "missing" | "cloud" | "pending";
  container: string;
  codec: string;
  channelLayout: string;
  durationSeconds: number;
  lengthExact: boolean;
  generation: number;
  timecode?: { samplesSinceMidnight: number; };
  loudness?: unknown;
  analysedSamples: number;
  complete: boolean;
  decodeError?: { code: string; message: string; };
}

export interface CauseFrames {
  queue: number;
  read: number;
  decode: number;
  stalled: number;
  absent: number;
  budget: number;
}

export interface ChangedClip {
  clipId: string;
  assetId: string;
  startFrame: number;
  lengthFrames: number;
  sourceFrame: number;
  gainDb: number | null;
  fadeInFrames: number;
  fadeOutFrames: number;
  fadeInShape?: "linear" | "equalPower";
  fadeOutShape?: "linear" | "equalPower";
  rate: number;
  speedMode: "mute" | "matchSpeed" | "maintainPitch";
  reverse?: boolean;
  groupId?: string;
  name?: string;
  pipeline?: unknown[];
  meta?: unknown;
  trackId: string;
}

export interface Changes {
  removed: { trackIds: string[]; clipIds: string[]; };
  shifted: { trackId: string; fromFrame: number; byFrames: number; }[];
  tracks: TrackHeader[];
  trackOrder?: string[];
  clips: ChangedClip[];
  timeline?: { ioPoints?: { inFrame: number; outFrame: number; } | null; markers?: Marker[]; frameRate?: { numerator: number; denominator: number; drop?: boolean; } | null; sampleRate?: number; meta?: unknown; };
}

export interface ClipPipeline {
  clipId: string;
  state: "queued" | "rendering" | "ready" | "failed";
  progress?: number;
  error?: { code: string; message: string; };
}

export interface ClipWindow {
  windowId: string;
  clipId?: string;
  assetId: string;
  startSample: number;
  endSample: number;
  state: "filling" | "resident" | "refused" | "absent";
}

export interface Clip {
  clipId: string;
  assetId: string;
  startFrame: number;
  lengthFrames: number;
  sourceFrame: number;
  gainDb: number | null;
  fadeInFrames: number;
  fadeOutFrames: number;
  fadeInShape?: "linear" | "equalPower";
  fadeOutShape?: "linear" | "equalPower";
  rate: number;
  speedMode: "mute" | "matchSpeed" | "maintainPitch";
  reverse?: boolean;
  groupId?: string;
  name?: string;
  pipeline?: unknown[];
  meta?: unknown;
}

export interface ClipInput {
  clipId?: string;
  assetId: string;
  startFrame: number;
  lengthFrames: number;
  sourceFrame?: number;
  gainDb?: number | null;
  fadeInFrames?: number;
  fadeOutFrames?: number;
  fadeInShape?: "linear" | "equalPower";
  fadeOutShape?: "linear" | "equalPower";
  rate?: number;
  speedMode?: "mute" | "matchSpeed" | "maintainPitch";
  reverse?: boolean;
  groupId?: string;
  name?: string;
  pipeline?: unknown[];
  meta?: unknown;
}

export interface DeviceInfo {
  backend: string;
  device: string;
  name: string;
  isDefault: boolean;
  sampleRate: number | null;
  channels: number | null;
}

export interface Diagnostics {
  timeMs: number;
  sinceMs: number;
  counters: Record<string, number>;
  missing: CauseFrames;
  faded: CauseFrames;
  tracks: { trackId: string; missing: number; faded: number; proxied: number; missingByCause: CauseFrames; fadedByCause: CauseFrames; impact: { readMs: number; decodeMs: number; bytes: number; }; [name: string]: unknown; }[];
  removedTracks: { missing: number; faded: number; };
  streams: { missing: CauseFrames; faded: CauseFrames; };
  histograms: { callback: Histogram; callbackShare: Histogram; queueWaitRealtime: Histogram; queueWaitAnticipative: Histogram; read: Histogram; decode: Histogram; gateWait: Histogram; };
  cache: { hits: number; misses: number; hitRate: number | null; evictions: number; budgetBytes: number; residentBytes: number; pinnedBytes: number; horizonMs: number; };
  volumes: ({ volume: string; folder: string | null; bytes: number; reads: number; errors: number; stalls: number; stalled: boolean; bytesPerSecond: number | null; busyShare: number; latencyMs: number | null; longestMs: number | null; })[];
  forecast: { timeMs: number; spanSeconds: number; volumes: ({ volume: string; folder: string | null; needBytesPerSecond: number; haveBytesPerSecond: number | null; needDecodeFramesPerSecond: number; haveDecodeFramesPerSecond: number | null; margin: number | null; worstSecond: number | null; })[]; } | null;
  availability: { total: number; changes: ({ timeMs: number; assetId: string; offlineStatus: "present" | "missing" | "cloud" | "pending"; generation: number; })[]; };
  overruns: { total: number; overruns: { overrunId: number; timeMs: number; durationMs: number; periodMs: number; }[]; };
  underrunFrames: { recorded: number; unrecorded: number; open: number; };
  memory: { rssBytes: number; heapUsedBytes: number; externalBytes: number; [name: string]: unknown; };
  underruns: number;
  warnings: { code: string; message: string; details: unknown; }[];
  device: OpenDevice | null;
  analysis: unknown;
  anticipation: { wantedPages: number; residentPages: number; settled: boolean; isWhole: boolean; leadMs: number; };
}

export type Edit =
  | { op: "track.add"; track: TrackInput; toIndex?: number; }
  | { op: "track.remove"; trackId: string; }
  | { op: "track.move"; trackId: string; toIndex: number; }
  | { op: "track.set"; trackId: string; set: { name?: string; gainDb?: number | null; pan?: number; mute?: boolean; solo?: boolean; meta?: unknown; }; }
  | { op: "clip.add"; trackId: string; clip: ClipInput; }
  | { op: "clip.remove"; clipId: string; }
  | { op: "clip.set"; clipId: string; set: { assetId?: string; lengthFrames?: number; sourceFrame?: number; gainDb?: number | null; fadeInFrames?: number; fadeOutFrames?: number; fadeInShape?: "linear" | "equalPower" | null; fadeOutShape?: "linear" | "equalPower" | null; rate?: number; speedMode?: "mute" | "matchSpeed" | "maintainPitch"; reverse?: boolean; groupId?: string | null; name?: string | null; pipeline?: unknown[]; meta?: unknown; }; }
  | { op: "clip.move"; clipId: string; startFrame?: number; trackId?: string; }
  | { op: "clip.trim"; clipId: string; startFrame?: number; endFrame?: number; }
  | { op: "clip.slip"; clipId: string; sourceFrame: number; }
  | { op: "clip.split"; clipId: string; atFrame: number; newClipId?: string; }
  | { op: "range.delete"; startFrame: number; endFrame: number; ripple: boolean; trackIds?: string[]; }
  | { op: "range.insert"; atFrame: number; lengthFrames: number; trackIds?: string[]; }
  | { op: "segment.delete"; clipId: string; ripple?: "all" | "group"; }
  | { op: "segment.reorder"; clipId: string; toIndex: number; }
  | { op: "marker.add"; marker: Marker; }
  | { op: "marker.set"; markerId: string; set: { frame?: number; name?: string; meta?: unknown; }; }
  | { op: "marker.remove"; markerId: string; }
  | { op: "io.set"; inFrame: number | null; outFrame: number | null; };

export interface Forensics {
  page: number | null;
  volume: string | null;
  dueMs: number;
  askedMs: number | null;
  begunMs: number | null;
  validMs: number | null;
  queueWaitMs: number | null;
  readMs: number | null;
  decodeMs: number | null;
  lateByMs: number | null;
  outcome: "filled" | "failed" | "stalled" | "waiting" | "reading" | "unasked";
  filledBy: "proxy" | "silence";
  cause: "queue" | "read" | "decode" | "stalled" | "absent" | "budget";
}

export interface Histogram {
  unit: "ms" | "share";
  bounds: number[];
  counts: number[];
  count: number;
  sum: number;
  p50: number | null;
  p99: number | null;
  p999: number | null;
  max: number | null;
}

export interface Job {
  jobId: string;
  kind: string;
  state: "queued" | "running" | "done" | "failed" | "cancelled";
  progress: number;
  result?: unknown;
  error?: { code: string; message: string; details?: unknown; };
}

export interface LibraryEntry {
  name: string;
  path: string;
  kind: "folder" | "audio" | "other";
  assetId?: string;
  durationSeconds?: number;
  offlineStatus?: "present" | "missing" | "cloud" | "pending";
}

export interface Loop {
  enabled: boolean;
  startFrame: number;
  endFrame: number;
}

export interface Marker {
  markerId: string;
  frame: number;
  name: string;
  meta?: unknown;
}

export interface OpenDevice {
  backend: string;
  device: string | null;
  name: string;
  sampleRate: number;
  periodFrames: number;
  latencyFrames: number;
  state: "running" | "lost" | "closed";
  cadence: number | null;
}

export interface Project {
  projectId: string;
  name: string;
  path: string;
  revision: number;
}

export interface Report {
  tracks: number;
  clips: number;
  markers: number;
  entries: ({ path: (string | number)[]; what: string; done: string; })[];
  moreEntries: number;
  missing: ({ name: string; path: (string | number)[]; reason: string; assetId?: string; lookedFor?: string; })[];
}

export interface StreamHandle {
  handleId: string;
  assetId: string;
  positionSamples: number;
  timeMs: number;
  state: "filling" | "ready" | "underrun";
  lastReadMs: number;
}

export interface Timeline {
  sampleRate: number;
  frameRate?: { numerator: number; denominator: number; drop?: boolean; };
  ioPoints?: { inFrame: number; outFrame: number; };
  markers?: Marker[];
  meta?: unknown;
  tracks: Track[];
}

export interface TimelineInput {
  sampleRate: number;
  frameRate?: { numerator: number; denominator: number; drop?: boolean; };
  ioPoints?: { inFrame: number; outFrame: number; };
  markers?: Marker[];
  meta?: unknown;
  tracks: TrackInput[];
}

export interface Track {
  trackId: string;
  name: string;
  gainDb: number | null;
  pan: number;
  mute: boolean;
  solo: boolean;
  meta?: unknown;
  clips: Clip[];
}

export interface TrackHeader {
  trackId: string;
  name: string;
  gainDb: number | null;
  pan: number;
  mute: boolean;
  solo: boolean;
  meta?: unknown;
}

export interface TrackInput {
  name?: string;
  gainDb?: number | null;
  pan?: number;
  mute?: boolean;
  solo?: boolean;
  meta?: unknown;
  trackId: string;
  clips?: ClipInput[];
}

export interface Transport {
  state: "stopped" | "paused" | "playing";
  positionFrame: number;
  audibleFrame: number;
  timeMs: number;
  revision: number;
  loop: { enabled: boolean; startFrame: number; endFrame: number; };
  rate: number;
  deviceLatencyFrames: number;
}

export interface Underrun {
  underrunId: number;
  handleId?: string;
  trackId?: string | null;
  clipId?: string | null;
  assetId: string | null;
  positionFrame: number;
  frames: number;
  timeMs: number;
  ended: boolean;
  cause: "queue" | "read" | "decode" | "stalled" | "absent" | "budget";
  filledBy: "proxy" | "silence";
  forensics?: Forensics;
}

/** Codes of the engine's errors. */
export type ErrorCode = "asset.notFound" | "asset.outsideLibrary" | "asset.unsupported" | "asset.unreadable" | "asset.damaged" | "asset.inUse" | "timeline.conflict" | "timeline.notFound" | "timeline.nothingToUndo" | "project.notFound" | "job.notFound" | "handle.notFound" | "cache.budget" | "device.unavailable" | "export.exists" | "export.outside" | "export.diskFull" | "limit.exceeded" | "protocol.version";

/** Params and result of each method. */
export interface Methods {
  /** Greets the engine and learns what it is; first. */
  "engine.hello": {
    params: { client?: string | { name: string; version?: string; }; protocol: number; clientId?: string; };
    result: { version: string; protocol: 1; instanceId: string; clientId: string; ticket: string; sampleRate: number; device: OpenDevice | null; kernels: Record<string, unknown>; capabilities: Record<string, unknown>; limits: Record<string, number>; project: Project; };
  };
  /** Hears of topics from here on; each topic's state at this point of the queue is the answer. */
  "engine.subscribe": {
    params: { topics: ("transport" | "assets" | "streams" | "timeline" | "jobs" | "device" | "library" | "diagnostics" | "meters")[]; sinceRevision?: number; };
    result: { state: { transport?: Transport; assets?: { assets: Asset[]; }; streams?: { streams: StreamHandle[]; windows: ClipWindow[]; }; timeline?: { revision: number; changes: Changes; pipelines?: ClipPipeline[]; } | { revision: number; timeline: Timeline; pipelines?: ClipPipeline[]; }; jobs?: { jobs: Job[]; }; device?: { device: OpenDevice | null; }; library?: { entries: LibraryEntry[]; total: number; }; diagnostics?: { warnings: { code: string; message: string; details: unknown; }[]; }; meters?: { trackIds: string[]; }; }; };
  };
  /** Hears of topics no more. */
  "engine.unsubscribe": {
    params: { topics: ("transport" | "assets" | "streams" | "timeline" | "jobs" | "device" | "library" | "diagnostics" | "meters")[]; };
    result: { state: { transport?: Transport; assets?: { assets: Asset[]; }; streams?: { streams: StreamHandle[]; windows: ClipWindow[]; }; timeline?: { revision: number; changes: Changes; pipelines?: ClipPipeline[]; } | { revision: number; timeline: Timeline; pipelines?: ClipPipeline[]; }; jobs?: { jobs: Job[]; }; device?: { device: OpenDevice | null; }; library?: { entries: LibraryEntry[]; total: number; }; diagnostics?: { warnings: { code: string; message: string; details: unknown; }[]; }; meters?: { trackIds: string[]; }; }; };
  };
  /** The engine's monotonic clock and the time of day of the same instant. */
  "engine.clock": {
    params: Record<string, never>;
    result: { timeMs: number; unixMs: number; };
  };
  /** Says what the user may do next; steers prefetch. The latest of each client counts. */
  "view.hint": {
    params: { selectedClipIds?: string[]; cursorFrame?: number; visible?: { startFrame: number; endFrame: number; }; };
    result: Record<string, never>;
  };
  /** The projects that the engine knows. */
  "project.list": {
    params: Record<string, never>;
    result: { projects: Project[]; };
  };
  /** Makes an empty project and opens it. */
  "project.create": {
    params: { name: string; path?: string; sampleRate?: number; };
    result: { project: Project; };
  };
  /** Opens a project, by its id or its file. */
  "project.open": {
    params: { projectId?: string; path?: string; };
    result: { project: Project; };
  };
  /** Copies the open project under another name and goes on in the copy. */
  "project.saveAs": {
    params: { name: string; path?: string; };
    result: { project: Project; };
  };
  /** A folder's entries, or the roots. Never waits for a disk: the rest follows as library.changed. */
  "library.list": {
    params: { path?: string; query?: string; sort?: "name" | "duration" | "kind"; offset?: number; limit?: number; };
    result: { entries: LibraryEntry[]; total: number; };
  };
  /** Makes files known, from their headers; analysis goes on behind. The same path gives the same asset. */
  "asset.register": {
    params: { path?: string; paths?: string[]; type?: "sample" | "stem" | "recording" | "render" | "proxy" | "transient"; };
    result: { asset: Asset; } | { results: ({ asset: Asset; } | { error: { code: string; message: string; details: Record<string, unknown>; }; })[]; };
  };
  /** An asset as it stands. */
  "asset.get": {
    params: { assetId: string; };
    result: { asset: Asset; };
  };
  /** The assets, in order of registration. */
  "asset.list": {
    params: { offset?: number; limit?: number; status?: "present" | "missing" | "cloud" | "pending"; };
    result: { assets: Asset[]; total: number; };
  };
  /** Forgets an asset that no clip uses; its file stays. */
  "asset.remove": {
    params: { assetId: string; };
    result: Record<string, never>;
  };
  /** Peaks as binary frames, before the reply; with follow again as more becomes known. */
  "asset.previewPeaks": {
    params: { previews: ({ previewId: number; assetId: string; start: number; end: number; width: number; channels?: "all" | "mix" | number[]; })[]; follow?: boolean; };
    result: { previews: { previewId: number; complete: boolean; }[]; };
  };
  /** Ends the following of previews; ids that are not followed are passed over. */
  "asset.stopPreview": {
    params: { previewIds: number[]; };
    result: Record<string, never>;
  };
  /** A picture of the whole asset. */
  "asset.previewWaveform": {
    params: { assetId: string; width: number; height: number; };
    result: { svg: string; complete: boolean; };
  };
  /** The whole timeline. */
  "timeline.get": {
    params: Record<string, never>;
    result: { timeline: Timeline; revision: number; };
  };
  /** Puts another timeline in place of what stands, as one edit. */
  "timeline.set": {
    params: { baseRevision?: number; label?: string; mergeKey?: string; requestId?: string; timeline: TimelineInput; };
    result: { revision: number; playheadFrame: number; changes: Changes; };
  };
  /** Edits, all or nothing. */
  "timeline.edit": {
    params: { baseRevision?: number; label?: string; mergeKey?: string; requestId?: string; edits: Edit[]; };
    result: { revision: number; playheadFrame: number; changes: Changes; };
  };
  /** Takes the last step back; undo is the project's, not the client's. */
  "timeline.undo": {
    params: { baseRevision?: number; };
    result: { revision: number; playheadFrame: number; changes: Changes; };
  };
  /** Does again what was taken back last. */
  "timeline.redo": {
    params: { baseRevision?: number; };
    result: { revision: number; playheadFrame: number; changes: Changes; };
  };
  /** The steps that were taken, applied or taken back. */
  "timeline.history": {
    params: { offset?: number; limit?: number; };
    result: { entries: { revision: number; label: string; clientId: string; applied: boolean; }[]; total: number; };
  };
  /** Puts a project of Cap's in place of what stands, as one edit: its folder or project-config.json, and recording-meta.json. */
  "timeline.importCap": {
    params: { path?: string; document?: string | Record<string, unknown>; folder?: string; files?: Record<string, string>; baseRevision?: number; label?: string; meta?: string | Record<string, unknown>; };
    result: { revision: number; report: Report; };
  };
  /** Puts an OpenTimelineIO document in place of what stands, as one edit. */
  "timeline.importOtio": {
    params: { path?: string; document?: string | Record<string, unknown>; folder?: string; files?: Record<string, string>; baseRevision?: number; label?: string; };
    result: { revision: number; report: Report; };
  };
  /** The timeline as an OpenTimelineIO document; with a path it goes to the export folder. */
  "timeline.exportOtio": {
    params: { path?: string; overwrite?: boolean; };
    result: { document?: Record<string, unknown>; file?: { path: string; url: string; bytes: number; }; report: Report; };
  };
  /** Tracks as an edit decision list (CMX 3600); with a path it goes to the export folder. */
  "timeline.exportEdl": {
    params: { path?: string; overwrite?: boolean; trackIds?: string[]; title?: string; startTimecode?: string; };
    result: { document?: string; file?: { path: string; url: string; bytes: number; }; report: Report; };
  };
  /** Where playback stands. */
  "transport.get": {
    params: Record<string, never>;
    result: Transport;
  };
  /** Plays, from where the head stands or from fromFrame, to toFrame if that is given. */
  "transport.play": {
    params: { fromFrame?: number; toFrame?: number; };
    result: Transport;
  };
  /** Pauses; the head stays. */
  "transport.pause": {
    params: Record<string, never>;
    result: Transport;
  };
  /** Stops; the head returns to where play began. */
  "transport.stop": {
    params: Record<string, never>;
    result: Transport;
  };
  /** Moves the head. */
  "transport.seek": {
    params: { positionFrame: number; };
    result: Transport;
  };
  /** Sets the loop's bounds and switches it on or off. */
  "transport.setLoop": {
    params: Loop;
    result: Transport;
  };
  /** Plays an asset beside the timeline, from a place in its own samples on. What it replaces fades into it and ends. */
  "stream.start": {
    params: { assetId: string; positionSamples?: number; loop?: boolean; gainDb?: number | null; replaces?: string; };
    result: StreamHandle;
  };
  /** Fades a stream out and ends it. */
  "stream.stop": {
    params: { handleId: string; };
    result: Record<string, never>;
  };
  /** Makes a stretch of an asset resident and keeps it so until it is released; stream.prefetchComplete tells when all of it is there. The window of a clip is cut to what the clip plays, and goes with it through edits. */
  "clipWindow.request": {
    params: { assetId?: string; clipId?: string; startSample: number; endSample: number; isLooping?: boolean; playRate?: number; cohort: "realtime" | "anticipative"; };
    result: { windowId: string; resident: boolean; };
  };
  /** Lets a window's pages go. */
  "clipWindow.release": {
    params: { windowId: string; };
    result: Record<string, never>;
  };
  /** Writes the mix of the revision that stands to a file under the export folder. */
  "render.mixdown": {
    params: { path: string; startFrame?: number; lengthFrames?: number; container: "wav" | "flac"; sampleFormat: "s16" | "s24" | "f32"; sampleRate?: number; dither?: boolean; trackIds?: string[]; stems?: boolean; overwrite?: boolean; };
    result: { jobId: string; revision: number; };
  };
  /** Makes what a clip is to be heard from, before all others: a clip that keeps its pitch at another speed. */
  "render.requestClipGhost": {
    params: { clipId: string; };
    result: { jobId: string; };
  };
  /** The jobs under way and those of the last hour. */
  "job.list": {
    params: Record<string, never>;
    result: { jobs: Job[]; };
  };
  /** A job as it stands. */
  "job.get": {
    params: { jobId: string; };
    result: { job: Job; };
  };
  /** Ends a job; one that is done stays done. */
  "job.cancel": {
    params: { jobId: string; };
    result: { job: Job; };
  };
  /** The output devices that could be opened. */
  "device.list": {
    params: Record<string, never>;
    result: { devices: DeviceInfo[]; };
  };
  /** Opens another device, or the same one differently. */
  "device.open": {
    params: { backend?: "auto" | "pulseaudio" | "alsa" | "jack" | "coreaudio" | "wasapi" | "null"; device?: string; period?: number; };
    result: { device: OpenDevice; };
  };
  /** Counters and histograms, since this client's last reset. */
  "diagnostics.get": {
    params: Record<string, never>;
    result: Diagnostics;
  };
  /** Begins this client's counting anew. */
  "diagnostics.reset": {
    params: Record<string, never>;
    result: Record<string, never>;
  };
  /** The gaps that were heard, oldest first. */
  "diagnostics.underruns": {
    params: { afterId?: number; limit?: number; };
    result: { underruns: Underrun[]; total: number; };
  };
}

/** Params of each notification. */
export interface Notifications {
  /** The timeline changed; sent before the reply to the request that changed it. */
  "timeline.changed": { revision: number; previousRevision: number; cause: "edit" | "undo" | "redo" | "set" | "import"; label: string; clientId: string; canUndo: boolean; canRedo: boolean; changes: Changes; };
  /** The transport changed, and why. */
  "transport.state": { state: "stopped" | "paused" | "playing"; positionFrame: number; audibleFrame: number; timeMs: number; revision: number; loop: { enabled: boolean; startFrame: number; endFrame: number; }; rate: number; deviceLatencyFrames: number; reason: "play" | "pause" | "stop" | "seek" | "loop" | "rate" | "edit" | "end" | "device"; };
  /** Where the head is, 30 a second and after each discontinuity. */
  "transport.position": { positionFrame: number; audibleFrame: number; timeMs: number; rate: number; revision: number; };
  /** Assets were registered. */
  "asset.added": { assets: Asset[]; };
  /** Assets changed. */
  "asset.changed": { assets: Asset[]; };
  /** Assets were removed. */
  "asset.removed": { assetIds: string[]; };
  /** Files went, came back or changed. */
  "asset.statusChanged": { changes: ({ assetId: string; offlineStatus: "present" | "missing" | "cloud" | "pending"; proxyStatus: "none" | "pending" | "ready"; generation: number; })[]; };
  /** How much of assets is analysed. */
  "asset.importProgress": { imports: { assetId: string; analysed: [number, number][]; lengthSamples: number; }[]; };
  /** Assets are analysed to their end. */
  "asset.ready": { assetIds: string[]; };
  /** How many of a project's assets are read, and whose files were looked at, 5 a second while that takes time; what is not checked yet is pending. */
  "project.opening": { projectId: string; total: number; read: number; checked: number; complete: boolean; };
  /** Where a stream is and how it is, 10 a second. */
  "stream.state": { handle: StreamHandle; };
  /** A stream has ended: stopped, replaced, end, connection, project, or the code of what was wrong with its file. */
  "stream.ended": { handleId: string; reason: string; message?: string; };
  /** All of a ClipWindow is resident; once wherever it lies. */
  "stream.prefetchComplete": { windowId: string; };
  /** The window of a clip went with it: to another place or asset, away with it, or back by an undo. */
  "clipWindow.changed": { window: ClipWindow; };
  /** A gap was heard: at its begin and at its end. */
  "stream.underrun": Underrun;
  /** An asset could not be read. */
  "decode.error": { assetId: string; code: string; message: string; };
  /** How far the render of a clip is that keeps its pitch at another speed; until it is ready the clip is heard with the pitch of its speed. */
  "clip.pipelineUpdated": ClipPipeline;
  /** A job went on, 5 a second. */
  "job.progress": { job: Job; };
  /** A job ended, whatever the outcome; once. */
  "job.finished": { job: Job; };
  /** A render ended. */
  "render.finished": { job: Job; };
  /** Another device is open, or none, or the open one is otherwise; or (`list`) others came or went. */
  "device.changed": { device: OpenDevice | null; reason: "open" | "fallback" | "unavailable" | "lost" | "reopened" | "returned" | "period" | "latency" | "list"; };
  /** Another project is open, or it has another name. */
  "project.changed": { project: Project; };
  /** More of a folder is known. */
  "library.changed": { path: string; entries: LibraryEntry[]; };
  /** Something that a person should know. */
  "diagnostics.warning": { code: string; message: string; details: unknown; };
}
