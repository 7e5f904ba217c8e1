/**
 * Schemas that stand under a name in `/openapi.json` and `/openrpc.json`, where others refer to them.
 *
 * @module
 */
import type { z } from "zod";
import {
  AssetSchema,
  ChangedClipSchema,
  ChangesSchema,
  ClipInputSchema,
  ClipPipelineSchema,
  ClipSchema,
  ClipWindowSchema,
  EditSchema,
  JobSchema,
  LoopSchema,
  MarkerSchema,
  ProjectSchema,
  StreamHandleSchema,
  TimelineInputSchema,
  TimelineSchema,
  TrackHeaderSchema,
  TrackInputSchema,
  TrackSchema,
  TransportSchema,
} from "../../engine/pulse/schema.ts";
import {
  CauseFramesSchema,
  DiagnosticsSchema,
  ForensicsSchema,
  HistogramSchema,
  UnderrunSchema,
} from "./diagnostics.ts";
import { ReportSchema } from "./exchange.ts";
import { DeviceInfoSchema, LibraryEntrySchema, OpenDeviceSchema } from "./device.ts";

/** Named schemas. */
export const NAMED: Readonly<Record<string, z.ZodType>> = {
  Asset: AssetSchema,
  CauseFrames: CauseFramesSchema,
  ChangedClip: ChangedClipSchema,
  Changes: ChangesSchema,
  ClipPipeline: ClipPipelineSchema,
  ClipWindow: ClipWindowSchema,
  Clip: ClipSchema,
  ClipInput: ClipInputSchema,
  DeviceInfo: DeviceInfoSchema,
  Diagnostics: DiagnosticsSchema,
  Edit: EditSchema,
  Forensics: ForensicsSchema,
  Histogram: HistogramSchema,
  Job: JobSchema,
  LibraryEntry: LibraryEntrySchema,
  Loop: LoopSchema,
  Marker: MarkerSchema,
  OpenDevice: OpenDeviceSchema,
  Project: ProjectSchema,
  Report: ReportSchema,
  StreamHandle: StreamHandleSchema,
  Timeline: TimelineSchema,
  TimelineInput: TimelineInputSchema,
  Track: TrackSchema,
  TrackHeader: TrackHeaderSchema,
  TrackInput: TrackInputSchema,
  Transport: TransportSchema,
  Underrun: UnderrunSchema,
};
