/**
 * The words of OpenTimelineIO's JSON, version 0.15 and later: https://opentimelineio.readthedocs.io.
 *
 * @module
 */
import { type JsonObject, member } from "./fields.ts";
import type { Frames } from "../types.ts";

/** A JSON object as it is written. */
export type Json = Record<string, unknown>;

/** What schemas were called before. */
const FORMER: ReadonlyMap<string, string> = new Map([
  ["Sequence", "Track"],
  ["Filler", "Gap"],
  ["SerializeableCollection", "SerializableCollection"],
]);

/** A schema's name, without its version and as it is called now; `""` where the object names none. */
export function schemaOf(object: JsonObject): string {
  const schema = member(object, "OTIO_SCHEMA");
  if (typeof schema !== "string") return "";
  const name = schema.replace(/\.\d+$/, "");
  return FORMER.get(name) ?? name;
}

export function rationalTime(value: number, rate: number): Json {
  return { OTIO_SCHEMA: "RationalTime.1", rate, value };
}

/** A range at one rate. */
export function timeRange(start: number, duration: number, rate: number): Json {
  return {
    OTIO_SCHEMA: "TimeRange.1",
    duration: rationalTime(duration, rate),
    start_time: rationalTime(start, rate),
  };
}

/** What every item of a track has. */
export function item(
  schema: string,
  name: string,
  members: Json & { metadata?: JsonObject; effects?: readonly unknown[]; enabled?: boolean },
): Json {
  const { metadata = {}, effects = [], enabled = true, ...others } = members;
  return {
    OTIO_SCHEMA: schema,
    metadata,
    name,
    source_range: null,
    effects,
    markers: [],
    enabled,
    ...others,
  };
}

export function gap(lengthFrames: Frames, rate: number): Json {
  return item("Gap.1", "", { source_range: timeRange(0, lengthFrames, rate) });
}

export function transition(
  members: { inFrames: Frames; outFrames: Frames; rate: number; name: string; type: string },
  metadata: JsonObject = {},
): Json {
  const { inFrames, outFrames, rate, name, type } = members;
  return {
    OTIO_SCHEMA: "Transition.1",
    metadata,
    name,
    in_offset: rationalTime(inFrames, rate),
    out_offset: rationalTime(outFrames, rate),
    transition_type: type,
  };
}

export function timeWarp(scalar: number): Json {
  return {
    OTIO_SCHEMA: "LinearTimeWarp.1",
    metadata: {},
    name: "",
    effect_name: "LinearTimeWarp",
    time_scalar: scalar,
  };
}

/** Where we keep what OpenTimelineIO has no words for: `metadata.loophole` of each object. */
export const OURS = "loophole";
/** The kind of transition that is a plain crossfade. */
export const DISSOLVE = "SMPTE_Dissolve";
/** The key of a clip's only medium, as OpenTimelineIO itself writes it. */
export const DEFAULT_MEDIA = "DEFAULT_MEDIA";
