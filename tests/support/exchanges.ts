/**
 * Documents of other programs: made small, imported and exported without an engine.
 *
 * @module
 */
import type { Aside } from "../../engine/pulse/exchange/aside.ts";
import { readCap } from "../../engine/pulse/exchange/cap_document.ts";
import { importCap } from "../../engine/pulse/exchange/cap_import.ts";
import type { FindMedia, MediaNeed } from "../../engine/pulse/exchange/media.ts";
import { exportOtio } from "../../engine/pulse/exchange/otio_export.ts";
import { importOtio } from "../../engine/pulse/exchange/otio_import.ts";
import { type Report, ReportWriter } from "../../engine/pulse/exchange/report.ts";
import { modelFromTimeline, type TimelineInput } from "../../engine/pulse/model_from_timeline.ts";
import { type TimelineModel, timelineOf } from "../../engine/pulse/timeline_model.ts";
import { atOnce } from "../../engine/pulse/turns.ts";
import type { Clip, Timeline } from "../../engine/pulse/types.ts";

// deno-lint-ignore no-explicit-any
export type Json = any;

/** Each file is there, and its asset is called like it. `seconds` is how long all of them last. */
export function everyFile(needs: MediaNeed[] = [], seconds = 60): FindMedia {
  return (need) => {
    if (!needs.some(({ key }) => key === need.key)) needs.push(need);
    const name = need.location ?? need.title;
    const isUrl = name.startsWith("file:///") && !name.includes("%zz");
    return { assetId: (isUrl ? decodeURI(name.slice(8)) : name).slice(0, 128) || "x", seconds };
  };
}

export interface Imported {
  input: TimelineInput;
  timeline: Timeline;
  model: TimelineModel;
  report: Report;
  aside: Aside | null;
  needs: MediaNeed[];
}

function made(
  input: TimelineInput,
  writer: ReportWriter,
  aside: Aside | null,
  needs: MediaNeed[],
): Imported {
  const model = modelFromTimeline(input);
  const counts = { tracks: input.tracks.length, clips: 0, markers: 0 };
  return {
    input,
    model,
    timeline: timelineOf(model),
    report: writer.done(counts),
    aside,
    needs,
  };
}

/** Cap's documents as a timeline. */
export function fromCap(
  config: Json,
  meta?: Json,
  { sampleRate = 48_000, find }: { sampleRate?: number; find?: FindMedia } = {},
): Imported {
  const report = new ReportWriter();
  const needs: MediaNeed[] = [];
  const project = atOnce(readCap(config, meta, report));
  const context = { sampleRate, find: find ?? everyFile(needs), report };
  return made(atOnce(importCap(project, context)), report, null, needs);
}

/** An OpenTimelineIO document as a timeline. */
export function fromOtio(
  document: Json,
  { sampleRate = 48_000, find }: { sampleRate?: number; find?: FindMedia } = {},
): Imported {
  const report = new ReportWriter();
  const needs: MediaNeed[] = [];
  const context = { sampleRate, find: find ?? everyFile(needs), report };
  const { timeline, aside } = atOnce(importOtio(document, context));
  return made(timeline, report, aside, needs);
}

/** A timeline as an OpenTimelineIO document, through its text. An asset's file is called like it. */
export function toOtio(
  model: TimelineModel,
  aside: Aside | null = null,
  missing: ReadonlySet<string> = new Set(),
): { document: Json; report: Report } {
  const report = new ReportWriter();
  const document = atOnce(exportOtio(model, {
    name: "Test",
    asset: (assetId) => ({
      url: `file:///${encodeURI(assetId)}`,
      name: assetId,
      isMissing: missing.has(assetId),
      ...(missing.has(assetId)
        ? { sampleRate: 0, lengthSamples: 0 }
        : { sampleRate: 44_100, lengthSamples: 441_000 }),
    }),
    aside,
    report,
  }));
  return {
    document: JSON.parse(JSON.stringify(document)),
    report: report.done({ tracks: 0, clips: 0, markers: 0 }),
  };
}

/** `[start, end) of asset@source`, a line a clip. */
export function places(timeline: Timeline, track = 0): string[] {
  return timeline.tracks[track].clips.map((clip: Clip) =>
    `[${clip.startFrame},${
      clip.startFrame + clip.lengthFrames
    }) ${clip.assetId}@${clip.sourceFrame}` +
    (clip.rate === 1 ? "" : `×${clip.rate}`)
  );
}

export function time(value: number, rate: number): Json {
  return { OTIO_SCHEMA: "RationalTime.1", value, rate };
}
export function range(start: number, duration: number, rate: number): Json {
  return {
    OTIO_SCHEMA: "TimeRange.1",
    start_time: time(start, rate),
    duration: time(duration, rate),
  };
}
export function otioClip(file: string, source: Json | null, rest: Json = {}): Json {
  return {
    OTIO_SCHEMA: "Clip.1",
    name: file,
    metadata: {},
    source_range: source,
    effects: [],
    markers: [],
    media_reference: {
      OTIO_SCHEMA: "ExternalReference.1",
      target_url: file,
      available_range: null,
      metadata: {},
    },
    ...rest,
  };
}
export function otioGap(duration: number, rate: number): Json {
  return { OTIO_SCHEMA: "Gap.1", source_range: range(0, duration, rate) };
}
export function otioTransition(before: number, after: number, rate: number, rest: Json = {}): Json {
  return {
    OTIO_SCHEMA: "Transition.1",
    name: "",
    metadata: {},
    transition_type: "SMPTE_Dissolve",
    in_offset: time(before, rate),
    out_offset: time(after, rate),
    ...rest,
  };
}
export function otioTrack(children: Json[], rest: Json = {}): Json {
  return {
    OTIO_SCHEMA: "Track.1",
    kind: "Audio",
    name: "A1",
    source_range: null,
    effects: [],
    markers: [],
    metadata: {},
    children,
    ...rest,
  };
}
export function otioTimeline(tracks: Json[], rest: Json = {}): Json {
  return {
    OTIO_SCHEMA: "Timeline.1",
    name: "",
    metadata: {},
    global_start_time: null,
    tracks: { OTIO_SCHEMA: "Stack.1", name: "tracks", children: tracks, markers: [] },
    ...rest,
  };
}
