/**
 * What a clip, track or marker of an OpenTimelineIO document says that has no counterpart here: kept in `meta.exchange` as far as it fits,
 * and written back from there.
 *
 * @module
 */
import {
  isEmpty,
  isObject,
  jsonBytes,
  type JsonObject,
  member,
  type Path,
  without,
} from "./fields.ts";
import { LIMITS } from "../limits.ts";
import { OURS } from "./otio_words.ts";
import type { ReportWriter } from "./report.ts";

/** The member of a `meta` that holds what is aside. */
export const EXCHANGE = "exchange";

const OURS_ONLY = new Set([OURS]);

/** An object's `metadata` without ours; `undefined` where nothing is left. */
export function othersMetadata(object: JsonObject): JsonObject | undefined {
  const metadata = member(object, "metadata");
  if (!isObject(metadata)) return undefined;
  const others = without(metadata, OURS_ONLY);
  return isEmpty(others) ? undefined : others;
}

/** What we wrote in an object's `metadata`. */
export function oursOf(object: JsonObject): JsonObject {
  const metadata = member(object, "metadata");
  const ours = isObject(metadata) ? member(metadata, OURS) : undefined;
  return isObject(ours) ? ours : {};
}

/** `metadata` with ours in it. */
export function withOurs(others: unknown, ours: JsonObject): JsonObject {
  const kept = isObject(others) ? without(others, OURS_ONLY) : {};
  return isEmpty(ours) ? kept : { ...kept, [OURS]: ours };
}

/**
 * A client's own JSON with what is set aside in it. What does not fit into 4 KiB is left out, the largest first, and told.
 *
 * @param own `undefined` where there is none.
 */
export function metaWith(
  own: unknown,
  aside: Readonly<Record<string, unknown>>,
  path: Path,
  report: ReportWriter,
): { meta?: unknown } {
  const said = Object.entries(aside).filter(([, value]) => value !== undefined);
  if (said.length === 0) return own === undefined ? {} : { meta: own };
  if (own !== undefined && !isObject(own)) {
    report.add(path, "metadata beside a client's own that is no object", "left out");
    return { meta: own };
  }
  const meta = (members: typeof said) => ({
    meta: { ...own, [EXCHANGE]: Object.fromEntries(members) },
  });
  if (jsonBytes(meta(said).meta) <= LIMITS.metaBytes) return meta(said);
  let kept = said.map(([name, value]) => ({ name, value, bytes: jsonBytes(value) }))
    .toSorted((a, b) => a.bytes - b.bytes);
  const left: string[] = [];
  const entries = () => kept.map(({ name, value }): [string, unknown] => [name, value]);
  while (kept.length > 0 && jsonBytes(meta(entries()).meta) > LIMITS.metaBytes) {
    left.push(kept.at(-1)!.name);
    kept = kept.slice(0, -1);
  }
  report.add(path, `${left.join(", ")}: more than fits into 4 KiB`, "left out");
  return kept.length > 0 ? meta(entries()) : own === undefined ? {} : { meta: own };
}

/** What is aside in a `meta`, if it is what {@linkcode metaWith} puts there. */
export function asideOf(meta: unknown): JsonObject {
  const aside = isObject(meta) ? member(meta, EXCHANGE) : undefined;
  return isObject(aside) ? aside : {};
}

/** Whether a client's own `meta` has a member of that name that is none of ours. */
export function isNotOurs(meta: unknown): boolean {
  return isObject(meta) && Object.hasOwn(meta, EXCHANGE) && isEmpty(asideOf(meta));
}

/** A `meta` without what is aside in it; `undefined` where nothing is left. */
export function metaWithout(meta: unknown): unknown {
  if (!isObject(meta) || !Object.hasOwn(meta, EXCHANGE)) return meta;
  const rest = without(meta, new Set([EXCHANGE]));
  return isEmpty(rest) ? undefined : rest;
}
