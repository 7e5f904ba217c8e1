/**
 * An OpenTimelineIO document as a timeline.
 *
 * Tracks of kind Audio become tracks, transitions overlaps, linear time warps rates, compounds are flattened (onto more tracks where their own
 * sound together), markers move to the timeline. Other tracks are set aside whole. Places are sums of fractions, rounded once, so clips
 * abut as they do in the document, whatever rates its times are given at.
 *
 * @module
 */
import { type Aside, AsideWriter } from "./aside.ts";
import { type Exact, minus, plus, rateFraction, readRationalTime, ZERO } from "./exact_time.ts";
import {
  invalid,
  isObject,
  type JsonObject,
  listOf,
  member,
  type Path,
  requireObject,
  textOf,
} from "./fields.ts";
import { LIMITS } from "../limits.ts";
import type { FindMedia } from "./media.ts";
import type { TimelineInput } from "../model_from_timeline.ts";
import { metaWith, othersMetadata, oursOf } from "./otio_aside.ts";
import { type GivenRange, readMedium, readRange } from "./otio_clip.ts";
import { type Continued, durationOf, OtioClips } from "./otio_clips.ts";
import { type OtioContext, OtioPlaces, requireAtMost, type Seen } from "./otio_context.ts";
import { OtioMarkers } from "./otio_markers.ts";
import { frameRateIn, ioPointsIn, metaIn, numberIn } from "./otio_ours.ts";
import { joinTracks, laneOf, type TopTrack } from "./otio_tracks.ts";
import { readTransition } from "./otio_transition.ts";
import { schemaOf } from "./otio_words.ts";
import type { ReportWriter } from "./report.ts";
import { Turns } from "../turns.ts";
import type { FrameRate, Frames } from "../types.ts";

/** Compounds within each other. */
const MOST_NESTED = 16;
/** Rates up to which a timeline's start says pictures a second, not samples. */
const MOST_PICTURES = 240;

/** What an import makes. */
export interface OtioTimeline {
  readonly timeline: TimelineInput;
  /** What the project keeps beside the timeline, to be written back. */
  readonly aside: Aside | null;
}

const ALL: Seen = { from: 0, to: LIMITS.maxFrame };

/** A composition that is walked through. */
interface Place {
  /** Where its time 0 is on the timeline. */
  readonly origin: Exact;
  readonly seen: Seen;
  /** The first of the top track's lanes that its clips go onto. */
  readonly lane: number;
  readonly depth: number;
}

/**
 * Reads a document in turns.
 *
 * @throws {InvalidParams} with the place of what is no OpenTimelineIO.
 * @throws {EngineError} `limit.exceeded` for too many clips, tracks or markers.
 */
export function* importOtio(
  document: unknown,
  context: OtioContext,
  path: Path = ["document"],
): Generator<void, OtioTimeline> {
  const [timeline, at] = timelineOf(document, path, context.report);
  return yield* new Import(context, timeline, at).run();
}

class Import {
  readonly #find: FindMedia;
  readonly #report: ReportWriter;
  readonly #document: JsonObject;
  readonly #path: Path;
  /** What we wrote of the timeline ourselves. */
  readonly #ours: JsonObject;
  readonly #isOurs: boolean;
  readonly #places: OtioPlaces;
  readonly #markers: OtioMarkers;
  readonly #clips: OtioClips;
  readonly #turns = new Turns(64);
  readonly #tops: TopTrack[] = [];
  readonly #aside = new AsideWriter();

  constructor(context: OtioContext, document: JsonObject, path: Path) {
    this.#find = context.find;
    this.#report = context.report;
    this.#document = document;
    this.#path = path;
    this.#ours = oursOf(document);
    const rate = numberIn(this.#ours, "sampleRate", LIMITS.minSampleRate, LIMITS.maxSampleRate);
    this.#isOurs = rate !== undefined;
    this.#places = new OtioPlaces(context, rate === undefined ? 1 : context.sampleRate / rate);
    this.#markers = new OtioMarkers(this.#places);
    this.#clips = new OtioClips(this.#places, this.#markers);
  }

  *run(): Generator<void, OtioTimeline> {
    const path = [...this.#path, "tracks"];
    const stack = requireObject(member(this.#document, "tracks"), path);
    yield* this.#stack(stack, path, {
      ...this.#within(readRange(stack, "source_range", path), ZERO, ALL, path),
      lane: 0,
      depth: 0,
    }, true);
    const tracks = yield* joinTracks(this.#tops, this.#places, this.#turns);
    const frameRate = this.#frameRate();
    const ioPoints = ioPointsIn(this.#ours, this.#places.scale);
    this.#setAside(stack);
    const aside = yield* this.#aside.done(this.#report, this.#path);
    const kept = aside === null ? {} : { aside: aside.id };
    const { markers } = this.#markers;
    return {
      timeline: {
        sampleRate: this.#places.sampleRate,
        ...(frameRate && { frameRate }),
        tracks,
        ...(ioPoints && { ioPoints }),
        ...(markers.length > 0 && { markers }),
        ...metaWith(metaIn(this.#ours), kept, this.#path, this.#report),
      },
      aside,
    };
  }

  /** Children of a stack: at the top each audio track becomes one here, below it each has a lane. */
  *#stack(stack: JsonObject, path: Path, place: Place, isTop: boolean): Generator<void, number> {
    const report = this.#report;
    this.#markers.read(stack, path, (time, at) => this.#frameAt(plus(place.origin, time), at));
    let { lane } = place;
    for (const [i, one] of listOf(stack, "children", path).entries()) {
      const at = [...path, "children", i];
      const child = requireObject(one, at);
      const schema = schemaOf(child);
      const isAudio = schema === "Track" && member(child, "kind") === "Audio";
      if (isTop && isAudio) {
        const top: TopTrack = { given: child, path: at, lanes: [[]] };
        this.#tops.push(top);
        requireAtMost("tracks", this.#tops.length, LIMITS.tracks);
        yield* this.#track(child, at, { ...place, lane: 0 }, top);
      } else if (isTop && schema === "Stack") {
        report.add(at, "a stack within the stack of tracks", "its tracks stand beside the others");
        const range = readRange(child, "source_range", at);
        const within = this.#within(range, place.origin, place.seen, at);
        this.#requireShallow(place.depth + 1, at);
        yield* this.#stack(child, at, { ...within, lane: 0, depth: place.depth + 1 }, true);
      } else if (isTop) {
        const kind = textOf(member(child, "kind"), 60) ?? (schema || "an object of no schema");
        if (place.depth === 0) {
          report.add(at, `no track of sound (${kind})`, "kept aside, and written back");
          this.#aside.track(i, child);
        } else report.add(at, `no track of sound (${kind}) in a stack`, "left out");
      } else if (isAudio) {
        lane = yield* this.#track(child, at, { ...place, lane }, this.#tops.at(-1)!);
      } else if (schema === "Stack") {
        this.#requireShallow(place.depth + 1, at);
        const range = readRange(child, "source_range", at);
        const within = this.#within(range, place.origin, place.seen, at);
        lane = yield* this.#stack(child, at, { ...within, lane, depth: place.depth + 1 }, false);
      } else report.add(at, `no track of sound in a compound (${schema})`, "left out");
    }
    return lane;
  }

  /** A track's children in order. Returns the first lane behind those that it took. */
  *#track(track: JsonObject, path: Path, place: Place, top: TopTrack): Generator<void, number> {
    const report = this.#report;
    const range = readRange(track, "source_range", path);
    const { origin, seen } = this.#within(range, place.origin, place.seen, path);
    this.#markers.read(track, path, (time, at) => this.#frameAt(plus(origin, time), at));
    const children = listOf(track, "children", path);
    let at = origin;
    let nextLane = place.lane + 1;
    let before: Continued | null = null;
    for (let i = 0; i < children.length; i++) {
      if (this.#turns.isOver()) yield;
      const childPath = [...path, "children", i];
      const child = requireObject(children[i], childPath);
      const schema = schemaOf(child);
      if (schema === "Transition") {
        const next = children[i + 1];
        if (isObject(next) && schemaOf(next) === "Transition") {
          report.add(childPath, "a transition beside another", "left out");
        }
        continue;
      }
      if (schema === "Clip") {
        const edges = {
          head: readTransition(children, i - 1, path),
          tail: readTransition(children, i + 1, path),
        };
        const medium = readMedium(child, childPath, report);
        const media = this.#find(medium.need);
        const given = readRange(child, "source_range", childPath);
        const lasts = durationOf(given, medium, media);
        if (lasts === null) {
          report.add(childPath, "a clip of unknown length", "left out");
          before = null;
          continue;
        }
        const end = plus(at, lasts);
        if (media === null) {
          report.add(childPath, "a clip without a file", "left out");
          before = null;
        } else {
          before = this.#clips.make(child, childPath, {
            ...{ at, end, edges, medium, media, given, seen, before },
            drafts: laneOf(top, place.lane),
          });
        }
        at = end;
      } else if (schema === "Stack" || schema === "Track") {
        before = null;
        this.#requireShallow(place.depth + 1, childPath);
        report.add(childPath, `a compound (${schema})`, "flattened");
        if (listOf(child, "effects", childPath).length > 0) {
          report.add([...childPath, "effects"], "effects of a compound", "left out");
        }
        const end = plus(at, yield* this.#duration(child, childPath, place.depth + 1));
        const inner = readRange(child, "source_range", childPath);
        const shown = {
          from: Math.max(seen.from, this.#frameAt(at, childPath)),
          to: Math.min(seen.to, this.#frameAt(end, childPath)),
        };
        const inside: Place = {
          origin: at,
          seen: shown,
          lane: place.lane,
          depth: place.depth + 1,
        };
        const isEnabled = member(child, "enabled") !== false;
        if (!isEnabled) report.add(childPath, "a compound that is switched off", "left out");
        else if (schema === "Track") {
          nextLane = Math.max(nextLane, yield* this.#track(child, childPath, inside, top));
        } else {
          const within = inner === null
            ? inside
            : { ...inside, origin: minus(at, inner.start.exact) };
          nextLane = Math.max(nextLane, yield* this.#stack(child, childPath, within, false));
        }
        at = end;
      } else {
        before = null;
        const given = readRange(child, "source_range", childPath);
        if (schema !== "Gap") {
          report.add(childPath, `no clip (${schema || "of no schema"})`, "a gap");
        } else if (othersMetadata(child) !== undefined) {
          report.add([...childPath, "metadata"], "metadata of a gap", "left out");
        }
        const begin = given?.start.exact ?? ZERO;
        const from = at;
        this.#markers.read(
          child,
          childPath,
          (time, where) => this.#frameAt(plus(from, minus(time, begin)), where),
        );
        if (given !== null) at = plus(at, given.duration.exact);
      }
    }
    return nextLane;
  }

  /** How long a composition or clip lasts, in seconds. */
  *#duration(object: JsonObject, path: Path, depth: number): Generator<void, Exact> {
    if (this.#turns.isOver()) yield;
    this.#requireShallow(depth, path);
    const given = readRange(object, "source_range", path);
    if (given !== null) return given.duration.exact;
    const schema = schemaOf(object);
    if (schema === "Clip") {
      const medium = readMedium(object, path, SILENT);
      return durationOf(null, medium, this.#find(medium.need)) ?? ZERO;
    }
    if (schema !== "Stack" && schema !== "Track") return ZERO;
    let sum = ZERO;
    for (const [i, one] of listOf(object, "children", path).entries()) {
      const at = [...path, "children", i];
      const lasts = yield* this.#duration(requireObject(one, at), at, depth + 1);
      sum = schema === "Track" ? plus(sum, lasts) : isLonger(lasts, sum) ? lasts : sum;
    }
    return sum;
  }

  /** Where the inside of something trimmed begins, and what of it is seen. */
  #within(
    range: GivenRange | null,
    origin: Exact,
    seen: Seen,
    path: Path,
  ): { origin: Exact; seen: Seen } {
    if (range === null) return { origin, seen };
    const from = this.#frameAt(origin, path);
    const to = this.#frameAt(plus(origin, range.duration.exact), path);
    return {
      origin: minus(origin, range.start.exact),
      seen: { from: Math.max(seen.from, from), to: Math.min(seen.to, to) },
    };
  }

  #frameAt(time: Exact, path: Path): Frames {
    return this.#places.frameAt(time, path);
  }

  #frameRate(): FrameRate | undefined {
    if (this.#isOurs) return frameRateIn(this.#ours);
    const given = member(this.#document, "global_start_time");
    if (given === undefined) return undefined;
    const { rate } = readRationalTime(given, [...this.#path, "global_start_time"]);
    const [numerator, denominator] = rateFraction(rate).map(Number);
    return rate <= MOST_PICTURES && numerator <= 1_000_000 && denominator <= 1_000_000
      ? { numerator, denominator }
      : undefined;
  }

  /** What the document says of itself. */
  #setAside(stack: JsonObject): void {
    const document = this.#document;
    const ours = this.#ours;
    const name = textOf(member(document, "name"), LIMITS.nameChars) ?? "";
    if (name !== "" && name !== member(ours, "name")) this.#aside.set("name", name);
    this.#aside.set("metadata", othersMetadata(document));
    this.#aside.set("cap", member(ours, "cap"));
    this.#aside.set("stack", othersMetadata(stack));
    const start = member(document, "global_start_time");
    if (isObject(start) && typeof start.value === "number" && start.value !== 0) {
      this.#aside.set("globalStart", { value: start.value, rate: start.rate });
      this.#report.add(
        [...this.#path, "global_start_time"],
        "a start that is not 0",
        "places count from 0; kept aside, and written back",
      );
    }
  }

  #requireShallow(depth: number, path: Path): void {
    if (depth > MOST_NESTED) {
      throw invalid(path, `must not lie in more than ${MOST_NESTED} compounds`, depth);
    }
  }
}

/** The document's timeline: itself, or the first of a collection. */
function timelineOf(
  given: unknown,
  path: Path,
  report: ReportWriter,
): [JsonObject, Path] {
  const document = requireObject(given, path);
  const schema = schemaOf(document);
  if (schema === "Timeline") return [document, path];
  if (schema !== "SerializableCollection") {
    throw invalid(
      [...path, "OTIO_SCHEMA"],
      "must be Timeline or SerializableCollection",
      member(document, "OTIO_SCHEMA"),
    );
  }
  const children = listOf(document, "children", path);
  const isTimeline = (one: unknown) => isObject(one) && schemaOf(one) === "Timeline";
  const first = children.findIndex(isTimeline);
  if (first < 0) throw invalid([...path, "children"], "must hold a Timeline", children);
  if (children.length > 1) {
    const others = `${children.length - 1} more of the collection`;
    report.add([...path, "children"], others, "left out");
  }
  return [children[first] as JsonObject, [...path, "children", first]];
}

function isLonger(a: Exact, b: Exact): boolean {
  return minus(a, b).n > 0n;
}

/** For what is looked at a second time. */
const SILENT = { add: () => {}, once: () => {} } as unknown as ReportWriter;
