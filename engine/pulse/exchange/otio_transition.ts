/**
 * Transitions of an OpenTimelineIO document, as the clips beside them see them.
 *
 * @module
 */
import { type Exact, plus, readRationalTime, ZERO } from "./exact_time.ts";
import { isObject, type JsonObject, member, type Path, textOf } from "./fields.ts";
import { LIMITS } from "../limits.ts";
import { othersMetadata } from "./otio_aside.ts";
import type { OtioPlaces } from "./otio_context.ts";
import { DISSOLVE, schemaOf } from "./otio_words.ts";

export interface GivenTransition {
  readonly given: JsonObject;
  readonly path: Path;
  /** Seconds of it before and behind the cut. */
  readonly in: Exact;
  readonly out: Exact;
  /** Clips stand on both sides: it is a crossfade, else a fade. */
  readonly joins: boolean;
}

/** A transition at a place among a track's children, as seen from the clip beside it. */
export function readTransition(
  children: readonly unknown[],
  index: number,
  trackPath: Path,
): GivenTransition | null {
  const given = children[index];
  if (!isObject(given) || schemaOf(given) !== "Transition") return null;
  const path = [...trackPath, "children", index];
  const time = (name: string) => {
    const read = readRationalTime(member(given, name), [...path, name]);
    return read.value < 0 ? ZERO : read.exact;
  };
  const joins = [children[index - 1], children[index + 1]].every((one) =>
    isObject(one) && schemaOf(one) === "Clip"
  );
  return { given, path, in: time("in_offset"), out: time("out_offset"), joins };
}

/** What a crossfade says beyond its length; `undefined` where it is as we write them. */
export function transitionAside(
  { given, path, in: before, out }: GivenTransition,
  places: OtioPlaces,
): unknown {
  const overlap = places.frameAt(plus(before, out), path);
  const inFrames = places.frameAt(before, path);
  const type = textOf(member(given, "transition_type"), 60) ?? DISSOLVE;
  const name = textOf(member(given, "name"), LIMITS.nameChars) ?? "";
  const metadata = othersMetadata(given);
  if (type !== DISSOLVE) {
    places.report.add(path, `a transition (${type})`, "a crossfade; its kind is kept");
  }
  const aside = {
    ...(inFrames !== Math.floor(overlap / 2) && { inFrames }),
    ...(type !== DISSOLVE && { type }),
    ...(name !== "" && { name }),
    ...(metadata && { metadata }),
  };
  return Object.keys(aside).length > 0 ? aside : undefined;
}
