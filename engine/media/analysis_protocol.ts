/**
 * What the analysis worker and its client say to each other. Types only.
 *
 * @module
 */
import type { NativeSourceInfo } from "../../ffi/source_info.ts";
import type { ErrorCode } from "../errors.ts";
import type { PeakColumns, PeakQuery } from "./peak_query.ts";
import type { WaveformBits } from "./waveform_data.ts";
import type { WaveformRequest } from "./waveform_values.ts";

/** How a file is named between the two: the asset's id. */
export type MediaId = string;

/** First message to the worker. */
export interface AnalysisInit {
  libraryPath: string;
  cacheDir: string;
  /** Bytes of peaks kept in memory beyond those in the making. */
  memoryBytes: number;
}

/** Each request's parameters and answer, by name. */
export interface AnalysisCalls {
  /** Reads the header. The same id again forgets what was under it. `known`: see `Analysis.open`. */
  open: { params: { mediaId: MediaId; path: string; known?: NativeSourceInfo }; answer: MediaInfo };
  /** Makes the peaks, or finds them in the cache. Answers when they are complete. */
  analyse: { params: { mediaId: MediaId; priority: number }; answer: AnalysisResult };
  /** Changes the priority of an analysis under way. */
  prioritise: { params: { mediaId: MediaId; priority: number }; answer: void };
  peaks: {
    params: { mediaId: MediaId; query: PeakQuery; deadlineMs: number };
    answer: PeakColumns;
  };
  waveform: {
    params: {
      mediaId: MediaId;
      request: WaveformRequest;
      bits: WaveformBits;
      form: "dat" | "json";
    };
    answer: Uint8Array<ArrayBuffer>;
  };
  /** Builds the seek index, or finds it in the cache; answers with its file. */
  index: { params: { mediaId: MediaId }; answer: string | null };
  /** SHA-256 of the file, in hex. */
  hash: { params: { mediaId: MediaId }; answer: string };
  /** Ends what is under way for it and forgets it. */
  close: { params: { mediaId: MediaId }; answer: void };
  /** Ends everything; the worker closes by itself afterwards. */
  stop: { params: Record<never, never>; answer: void };
}

export type AnalysisCall = keyof AnalysisCalls;

/** A file as its header has it. */
export interface MediaInfo extends NativeSourceInfo {
  /** Hex identity key (`identity.ts`): changes with any change of the file. */
  identity: string;
  /** Whether the cache seems to have its peaks. */
  cached: boolean;
  /** Whether the file was there; else all this was known before. */
  present: boolean;
}

/** A finished analysis. */
export interface AnalysisResult {
  frames: number;
  /** NaN and infinite samples, which counted as 0. */
  invalidSamples: number;
  /** The peak file; `null` where it could not be written, and `writeError` says why. */
  peakFile: string | null;
  writeError?: string;
  /** It came from the cache. */
  cached: boolean;
}

export type AnalysisRequest =
  | { [K in AnalysisCall]: { id: number; call: K; params: AnalysisCalls[K]["params"] } }[
    AnalysisCall
  ]
  | { cancel: number };

/** An error on its way between threads. */
export type WireError =
  | { kind: "engine"; code: ErrorCode; message: string; details: Readonly<Record<string, unknown>> }
  | { kind: "range" | "cancelled" | "other"; message: string };

export type AnalysisReply =
  | { ready: true }
  | { id: number; answer: unknown }
  | { id: number; error: WireError }
  /** More of a file is analysed, or (after damage to the cache) less. */
  | { analysed: { mediaId: MediaId; analysedFrames: number; complete: boolean } }
  /** Progress of a hash request. */
  | { id: number; hashedBytes: number };
