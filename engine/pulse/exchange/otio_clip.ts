/**
 * A clip of an OpenTimelineIO document: its medium, its speed, and what we wrote of it ourselves.
 *
 * @module
 */
import { type Exact, minus, type RationalTime, readRationalTime, ZERO } from "./exact_time.ts";
import {
  isEmpty,
  type JsonObject,
  listOf,
  member,
  type Path,
  requireNumber,
  requireObject,
  textOf,
  without,
} from "./fields.ts";
import { LIMITS } from "../limits.ts";
import { lastPart, type MediaNeed } from "./media.ts";
import { othersMetadata } from "./otio_aside.ts";
import { DEFAULT_MEDIA, schemaOf } from "./otio_words.ts";
import type { ReportWriter } from "./report.ts";
import { MAX_RATE, MIN_RATE } from "../../signal/speed.ts";

/** A range as a document gives it. */
export interface GivenRange {
  readonly start: RationalTime;
  readonly duration: RationalTime;
}

/** A `TimeRange` member; `null` where it is left out. @throws {InvalidParams} */
export function readRange(object: JsonObject, name: string, path: Path): GivenRange | null {
  const value = member(object, name);
  if (value === undefined) return null;
  const here = [...path, name];
  const range = requireObject(value, here);
  const duration = readRationalTime(member(range, "duration"), [...here, "duration"]);
  if (duration.value < 0) {
    // Written by programs that count backwards: there is nothing that could last so long.
    return {
      start: readRationalTime(member(range, "start_time"), [...here, "start_time"]),
      duration: { ...duration, value: 0, exact: ZERO },
    };
  }
  return {
    start: readRationalTime(member(range, "start_time"), [...here, "start_time"]),
    duration,
  };
}

/** A clip's medium. */
export interface GivenMedium {
  readonly need: MediaNeed;
  /** What of the medium there is, in its own time. */
  readonly available: GivenRange | null;
  /** What a clip's `meta.exchange` keeps of it. */
  readonly aside: JsonObject;
}

const REFERENCE_MEMBERS = new Set([
  ..."OTIO_SCHEMA target_url available_range name metadata available_image_bounds".split(" "),
]);

/** @throws {InvalidParams} */
export function readMedium(clip: JsonObject, path: Path, report: ReportWriter): GivenMedium {
  const { reference, at, others } = activeReference(clip, path);
  const clipName = textOf(member(clip, "name"), LIMITS.nameChars) ?? "";
  const object = reference ?? {};
  const schema = schemaOf(object);
  const url = schema === "ExternalReference" ? member(object, "target_url") : undefined;
  const location = typeof url === "string" && url !== "" && url.length <= LIMITS.pathChars
    ? url.toWellFormed()
    : null;
  const name = textOf(member(object, "name"), LIMITS.nameChars) ?? "";
  const isPlain = schema === "ExternalReference" || schema === "MissingReference" ||
    reference === null;
  if (!isPlain) {
    report.add(at, `a medium that is no file (${schema || "of no schema"})`, "its clip is silent");
  }
  const file = location === null ? "" : lastPart(location);
  const title = name || file || clipName || "Unnamed";
  const rest = without(object, REFERENCE_MEMBERS);
  const metadata = othersMetadata(object);
  return {
    need: {
      key: location === null ? `name:${title}` : `url:${location}`,
      names: [...new Set([location ?? "", file, name, location === null ? clipName : ""])]
        .filter((one) => one !== ""),
      location,
      title,
      path: location === null ? at : [...at, "target_url"],
    },
    available: readRange(object, "available_range", at),
    aside: {
      ...(others !== undefined && { media: others }),
      ...(!isPlain
        ? { reference: object }
        : name !== "" || metadata !== undefined || !isEmpty(rest)
        ? { medium: { ...rest, ...(name !== "" && { name }), ...(metadata && { metadata }) } }
        : {}),
    },
  };
}

/** The reference that plays, and the others that a clip may have (proxies, full quality). */
function activeReference(
  clip: JsonObject,
  path: Path,
): { reference: JsonObject | null; at: Path; others?: JsonObject } {
  const several = member(clip, "media_references");
  if (several === undefined) {
    const at = [...path, "media_reference"];
    const one = member(clip, "media_reference");
    return { reference: one === undefined ? null : requireObject(one, at), at };
  }
  const all = requireObject(several, [...path, "media_references"]);
  const given = member(clip, "active_media_reference_key");
  const key = typeof given === "string" ? given : DEFAULT_MEDIA;
  const at = [...path, "media_references", key];
  const active = member(all, key);
  const rest = without(all, new Set([key]));
  const isUsual = key === DEFAULT_MEDIA && isEmpty(rest);
  return {
    reference: active === undefined ? null : requireObject(active, at),
    at,
    ...(!isUsual && { others: { key, references: rest } }),
  };
}

/** How fast a clip plays, and the effects that are no speed. */
export interface GivenSpeed {
  /** > 0. */
  readonly rate: number;
  readonly reverse: boolean;
  /** It stands still, or plays at a speed beyond what can sound. */
  readonly silent: boolean;
  readonly others: readonly unknown[];
}

/** @throws {InvalidParams} */
export function readSpeed(clip: JsonObject, path: Path, report: ReportWriter): GivenSpeed {
  const effects = listOf(clip, "effects", path);
  if (effects.length === 0) return { rate: 1, reverse: false, silent: false, others: [] };
  let scalar = 1;
  const others: unknown[] = [];
  const warps: unknown[] = [];
  for (const [i, given] of effects.entries()) {
    const at = [...path, "effects", i];
    const effect = requireObject(given, at);
    const schema = schemaOf(effect);
    if (schema === "FreezeFrame") {
      scalar = 0;
      warps.push(given);
    } else if (schema === "LinearTimeWarp") {
      scalar *= requireNumber(member(effect, "time_scalar"), [...at, "time_scalar"]);
      warps.push(given);
    } else {
      const name = textOf(member(effect, "effect_name"), 60) || schema || "of no schema";
      report.add(at, `an effect (${name})`, "not heard; kept aside with the clip");
      others.push(given);
    }
  }
  const rate = Math.abs(scalar);
  if (rate >= MIN_RATE && rate <= MAX_RATE) {
    return { rate, reverse: scalar < 0, silent: false, others };
  }
  report.add(
    [...path, "effects"],
    rate === 0 ? "a frame that stands still" : `a speed of ${scalar}, beyond 1/16 to 16`,
    "its clip is silent; kept aside with the clip",
  );
  return { rate: 1, reverse: false, silent: true, others: [...others, ...warps] };
}

/** Where in its medium a clip begins, from the first frame that there is, in seconds. */
export function sourceStart(range: GivenRange | null, available: GivenRange | null): Exact {
  if (range === null) return ZERO;
  return available === null ? range.start.exact : minus(range.start.exact, available.start.exact);
}
