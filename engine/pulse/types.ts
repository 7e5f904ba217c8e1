/**
 * The words of the interface (API.md): timeline, assets, jobs, transport. Plain data, JSON all of it.
 *
 * @module
 */
import type { Decibels, FadeShape, Frames, SpeedMode } from "../signal/model.ts";

export type { Decibels, FadeShape, Frames };

/** A client's own JSON, ≤ 4 KiB, kept by every op. */
export type Meta = unknown;

/** `[sourceFrame, sourceFrame + lengthFrames·rate)` of an asset at a place on a track. */
export interface Clip {
  clipId: string;
  assetId: string;
  startFrame: Frames;
  lengthFrames: Frames;
  sourceFrame: number;
  gainDb: Decibels;
  fadeInFrames: Frames;
  fadeOutFrames: Frames;
  fadeInShape?: FadeShape;
  fadeOutShape?: FadeShape;
  rate: number;
  speedMode: SpeedMode;
  reverse?: boolean;
  groupId?: string;
  name?: string;
  pipeline?: unknown[];
  meta?: Meta;
}

/** A track without its clips. */
export interface TrackHeader {
  trackId: string;
  name: string;
  gainDb: Decibels;
  pan: number;
  mute: boolean;
  solo: boolean;
  meta?: Meta;
}

export interface Track extends TrackHeader {
  clips: Clip[];
}

export interface FrameRate {
  numerator: number;
  denominator: number;
  drop?: boolean;
}
export interface IoPoints {
  inFrame: Frames;
  outFrame: Frames;
}
export interface Marker {
  markerId: string;
  frame: Frames;
  name: string;
  meta?: Meta;
}

export interface Timeline {
  sampleRate: number;
  frameRate?: FrameRate;
  tracks: Track[];
  ioPoints?: IoPoints;
  markers?: Marker[];
  meta?: Meta;
}

/** A clip in `changes`: with its track. */
export type ChangedClip = Clip & { trackId: string };

/** What an edit changed, as state (API.md): applied in the order of the members. */
export interface Changes {
  removed: { trackIds: string[]; clipIds: string[] };
  shifted: { trackId: string; fromFrame: Frames; byFrames: Frames }[];
  tracks: TrackHeader[];
  trackOrder?: string[];
  clips: ChangedClip[];
  timeline?: {
    ioPoints?: IoPoints | null;
    markers?: Marker[];
    frameRate?: FrameRate | null;
    sampleRate?: number;
    meta?: Meta;
  };
}

export type AssetType = "sample" | "stem" | "recording" | "render" | "proxy" | "transient";
export type OfflineStatus = "present" | "missing" | "cloud" | "pending";

export interface Asset {
  assetId: string;
  path: string;
  type: AssetType;
  sampleRate: number;
  channels: number;
  bitDepth: number;
  lengthSamples: number;
  peakCache: string | null;
  waveformCache: string | null;
  proxyStatus: "none" | "pending" | "ready";
  hash: string | null;
  offlineStatus: OfflineStatus;
  container: string;
  codec: string;
  channelLayout: string;
  durationSeconds: number;
  lengthExact: boolean;
  generation: number;
  timecode?: { samplesSinceMidnight: number };
  loudness?: unknown;
  analysedSamples: number;
  complete: boolean;
  /** What the latest `decode.error` said of its file as it is now. */
  decodeError?: DecodeError;
}

/** What cannot be read of a file, and why. */
export interface DecodeError {
  code: string;
  message: string;
}

export interface Loop {
  enabled: boolean;
  startFrame: Frames;
  endFrame: Frames;
}

export type TransportState = "stopped" | "paused" | "playing";

/** The transport, as `transport.get` answers it. */
export interface Transport {
  state: TransportState;
  positionFrame: Frames;
  audibleFrame: Frames;
  timeMs: number;
  revision: number;
  loop: Loop;
  rate: number;
  deviceLatencyFrames: number;
}

/** An asset that is heard beside the timeline. */
export interface StreamHandle {
  handleId: string;
  assetId: string;
  /** Where it stood at `timeMs`, in the asset's own samples. */
  positionSamples: number;
  timeMs: number;
  /** `filling` until its first frames are heard, `underrun` while it has none. */
  state: "filling" | "ready" | "underrun";
  /** When more of what lies ahead of it was last found to have been read. */
  lastReadMs: number;
}

export interface Job {
  jobId: string;
  kind: string;
  state: "queued" | "running" | "done" | "failed" | "cancelled";
  /** 0 … 1. */
  progress: number;
  result?: unknown;
  error?: { code: string; message: string; details?: unknown };
}

export interface Project {
  projectId: string;
  name: string;
  path: string;
  revision: number;
}

/** One step of an edit; see API.md, "Timeline". */
export type Edit =
  | { op: "track.add"; track: TrackInput; toIndex?: number }
  | { op: "track.remove"; trackId: string }
  | { op: "track.move"; trackId: string; toIndex: number }
  | { op: "track.set"; trackId: string; set: Partial<Omit<TrackHeader, "trackId">> }
  | { op: "clip.add"; trackId: string; clip: ClipInput }
  | { op: "clip.remove"; clipId: string }
  | { op: "clip.set"; clipId: string; set: ClipSet }
  | { op: "clip.move"; clipId: string; startFrame?: Frames; trackId?: string }
  | { op: "clip.trim"; clipId: string; startFrame?: Frames; endFrame?: Frames }
  | { op: "clip.slip"; clipId: string; sourceFrame: number }
  | { op: "clip.split"; clipId: string; atFrame: Frames; newClipId?: string }
  | {
    op: "range.delete";
    startFrame: Frames;
    endFrame: Frames;
    ripple: boolean;
    trackIds?: string[];
  }
  | { op: "range.insert"; atFrame: Frames; lengthFrames: Frames; trackIds?: string[] }
  | { op: "segment.delete"; clipId: string; ripple?: "all" | "group" }
  | { op: "segment.reorder"; clipId: string; toIndex: number }
  | { op: "marker.add"; marker: Marker }
  | { op: "marker.set"; markerId: string; set: Partial<Omit<Marker, "markerId">> }
  | { op: "marker.remove"; markerId: string }
  | { op: "io.set"; inFrame: Frames | null; outFrame: Frames | null };

/** A track as a client gives it: optional members take their neutral value. */
export type TrackInput = Partial<TrackHeader> & { trackId: string; clips?: ClipInput[] };

/** Members to change (`clip.set`); `null` takes an optional member away. */
export type ClipSet =
  & Partial<Omit<Clip, "clipId" | "startFrame" | Removable>>
  & { [Member in Removable]?: Clip[Member] | null };

type Removable = "fadeInShape" | "fadeOutShape" | "groupId" | "name";

/** A clip as a client gives it: optional members take their neutral value. */
export type ClipInput =
  & Pick<Clip, "assetId" | "startFrame" | "lengthFrames">
  & Partial<Omit<Clip, "assetId" | "startFrame" | "lengthFrames">>;
