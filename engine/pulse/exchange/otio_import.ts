/**
 * An OpenTimelineIO document as a timeline.
 *
 * Tracks of kind Audio become tracks, transitions overlaps, linear time warps rates, compounds are flattened (onto more tracks where their own
 * sound together), markers move to the timeline. Other tracks are set aside whole. Places are sums of fractions, rounded once, so clips
 * abut as they do in the document, whatever rates its times are given at.
 *
 * @module
 */
import { EngineError } from "../../errors.ts";
import { type Aside, AsideWriter } from "./aside.ts";
import {
  type Exact,
  framesWithFraction,
  minus,
  placeOf,
  plus,
  rateFraction,
  readRationalTime,
  ZERO,
} from "./exact_time.ts";
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
import type { FindMedia, Media } from "./media.ts";
import type { TimelineInput } from "../model_from_timeline.ts";
import { metaWith, othersMetadata, oursOf } from "./otio_aside.ts";
import {
  type GivenMedium,
  type GivenRange,
  type GivenSpeed,
  readMedium,
  readRange,
  readSpeed,
  sourceStart,
} from "./otio_clip.ts";
import {
  frameRateIn,
  framesIn,
  gainIn,
  idIn,
  ioPointsIn,
  metaIn,
  numberIn,
  shapeIn,
  speedModeIn,
} from "./otio_ours.ts";
import { DISSOLVE, schemaOf } from "./otio_words.ts";
import type { ReportWriter } from "./report.ts";
import { sorting, Turns } from "../turns.ts";
import type { ClipInput, FrameRate, Frames, Marker } from "../types.ts";

/** Compounds within each other. */
const MOST_NESTED = 16;
/** Source places that sound are multiples of 2⁻²⁴ frames. */
const FINENESS = 2 ** 24;
/** Rates up to which a timeline's start says pictures a second, not samples. */
const MOST_PICTURES = 240;

/** What an import makes. */
export interface OtioTimeline {
  readonly timeline: TimelineInput;
  /** What the project keeps beside the timeline, to be written back. */
  readonly aside: Aside | null;
}

interface Context {
  readonly sampleRate: number;
  readonly find: FindMedia;
  readonly report: ReportWriter;
}

/** A clip on its way, with its place among those that start with it. */
interface Draft {
  readonly clip: ClipInput;
  readonly tie: number;
}
/** `[from, to)`: what of a composition is seen. */
interface Seen {
  readonly from: Frames;
  readonly to: Frames;
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

/** An audio track at the top, with a lane for each of its compounds' tracks that sound together. */
interface TopTrack {
  readonly given: JsonObject;
  readonly path: Path;
  readonly lanes: Draft[][];
}

/**
 * Reads a document in turns.
 *
 * @throws {InvalidParams} with the place of what is no OpenTimelineIO.
 * @throws {EngineError} `limit.exceeded` for too many clips, tracks or markers.
 */
export function* importOtio(
  document: unknown,
  context: Context,
  path: Path = ["document"],
): Generator<void, OtioTimeline> {
  return yield* new Import(context).run(document, path);
}

class Import {
  readonly #context: Context;
  readonly #turns = new Turns(64);
  readonly #tops: TopTrack[] = [];
  readonly #markers: Marker[] = [];
  readonly #markerIds = new Set<string>();
  readonly #clipIds = new Set<string>();
  readonly #aside = new AsideWriter();
  #clips = 0;
  /** Frames of ours for one of the document's, where we wrote it at another rate. */
  #scale = 1;

  constructor(context: Context) {
    this.#context = context;
  }

  *run(given: unknown, givenPath: Path): Generator<void, OtioTimeline> {
    const [document, path] = this.#timelineOf(given, givenPath);
    const ours = oursOf(document);
    const { sampleRate, report } = this.#context;
    const rate = numberIn(ours, "sampleRate", LIMITS.minSampleRate, LIMITS.maxSampleRate);
    if (rate !== undefined) this.#scale = sampleRate / rate;

    const stackPath = [...path, "tracks"];
    const stack = requireObject(member(document, "tracks"), stackPath);
    yield* this.#stack(stack, stackPath, {
      ...this.#within(readRange(stack, "source_range", stackPath), ZERO, ALL, stackPath),
      lane: 0,
      depth: 0,
    }, true);
    const tracks = yield* this.#tracks();
    const frameRate = this.#frameRate(document, path, rate === undefined ? null : ours);
    const ioPoints = ioPointsIn(ours, this.#scale);
    this.#setAside(document, stack, ours);
    const aside = yield* this.#aside.done(report, path);
    return {
      timeline: {
        sampleRate,
        ...(frameRate && { frameRate }),
        tracks,
        ...(ioPoints && { ioPoints }),
        ...(this.#markers.length > 0 && { markers: this.#markers }),
        ...metaWith(metaIn(ours), aside === null ? {} : { aside: aside.id }, path, report),
      },
      aside,
    };
  }

  /** The document's timeline: itself, or the first of a collection. */
  #timelineOf(given: unknown, path: Path): [JsonObject, Path] {
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
      this.#context.report.add([...path, "children"], others, "left out");
    }
    return [children[first] as JsonObject, [...path, "children", first]];
  }

  /** Children of a stack: at the top each audio track becomes one here, below it each has a lane. */
  *#stack(stack: JsonObject, path: Path, place: Place, isTop: boolean): Generator<void, number> {
    const { report } = this.#context;
    this.#itemMarkers(stack, path, (time, at) => this.#frameAt(plus(place.origin, time), at));
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
    const { report } = this.#context;
    const range = readRange(track, "source_range", path);
    const { origin, seen } = this.#within(range, place.origin, place.seen, path);
    this.#itemMarkers(track, path, (time, at) => this.#frameAt(plus(origin, time), at));
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
          head: this.#transition(children, i - 1, path),
          tail: this.#transition(children, i + 1, path),
        };
        const medium = readMedium(child, childPath, report);
        const media = this.#context.find(medium.need);
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
          before = this.#clip(child, childPath, {
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
        this.#itemMarkers(
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
      return durationOf(null, medium, this.#context.find(medium.need)) ?? ZERO;
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
    return placeOf(time, this.#context.sampleRate, path);
  }

  /** A transition at a place among a track's children, as seen from the clip beside it. */
  #transition(
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

  #clip(given: JsonObject, path: Path, placed: Placed): Continued {
    const { report } = this.#context;
    const { at, end, edges, medium, media, seen, drafts } = placed;
    const ours = oursOf(given);
    const speed = readSpeed(given, path, report);
    const cut = this.#frameAt(at, path);
    const endCut = this.#frameAt(end, path);
    const start = edges.head === null ? cut : this.#frameAt(minus(at, edges.head.in), path);
    const stop = edges.tail === null ? endCut : this.#frameAt(plus(end, edges.tail.out), path);
    const begin = this.#sourceFrame(placed, speed, cut);
    const continued = {
      key: medium.need.key,
      speed,
      end,
      cut,
      begin,
      sourceEnd: sourceEnd(placed),
    };
    this.#itemMarkers(given, path, (time, where) => {
      const into = minus(time, placed.given?.start.exact ?? ZERO);
      return cut + Math.round(this.#frameAt(into, where) / speed.rate);
    });
    // What a transition shows before a clip's begin is what its medium has there; played backwards that is at the range's other end.
    const source = begin - (speed.reverse ? stop - endCut : cut - start) * speed.rate;
    const whole: ClipInput = {
      assetId: media.assetId,
      startFrame: start,
      lengthFrames: stop - start,
      sourceFrame: exactSource(ours, placed.given, source) ?? source,
      rate: speed.rate,
      speedMode: speedModeIn(ours),
      ...(speed.reverse && { reverse: true }),
    };
    const shown = trimmed(whole, seen);
    if (shown === null) {
      if (stop <= start) report.add(path, "a clip shorter than a frame", "left out");
      return continued;
    }
    this.#clips++;
    requireAtMost("clips", this.#clips, LIMITS.clips);
    drafts.push({
      clip: {
        ...shown,
        ...this.#sound(given, path, placed, speed, shown, ours),
        ...this.#names(given, path, ours),
        ...this.#clipMeta(given, path, placed, speed, ours),
      },
      tie: numberIn(ours, "tie", 0, LIMITS.clips) ?? 0,
    });
    return continued;
  }

  /** Where in its source a clip's own begin is, at the cut, without what a transition adds. */
  #sourceFrame(placed: Placed, speed: GivenSpeed, cut: Frames): number {
    const { sampleRate } = this.#context;
    const { given, medium, before } = placed;
    const begin = sourceStart(given, medium.available);
    const isOurRate = given !== null && given.start.rate === sampleRate &&
      (medium.available === null || medium.available.start.value === 0);
    if (isOurRate) return given.start.value;
    const goesOn = before !== null && !speed.reverse && !before.speed.reverse &&
      before.key === medium.need.key && before.speed.rate === speed.rate &&
      before.end === placed.at && before.sourceEnd !== null && speed.rate === 1 &&
      minus(before.sourceEnd, begin).n === 0n;
    if (goesOn) return before.begin + (cut - before.cut);
    return speed.rate === 1
      ? this.#frameAt(begin, medium.need.path)
      : Math.round(framesWithFraction(begin, sampleRate) * FINENESS) / FINENESS;
  }

  #sound(
    given: JsonObject,
    path: Path,
    { edges }: Placed,
    speed: GivenSpeed,
    { lengthFrames }: ClipInput,
    ours: JsonObject,
  ): Partial<ClipInput> {
    const { report } = this.#context;
    const isOff = member(given, "enabled") === false;
    if (isOff) report.add([...path, "enabled"], "a clip that is switched off", "silent");
    const gain = gainIn(ours);
    const fade = (edge: GivenTransition | null, name: string): Frames => {
      if (edge !== null && !edge.joins) {
        return Math.min(lengthFrames, this.#frameAt(plus(edge.in, edge.out), edge.path));
      }
      return Math.min(lengthFrames, framesIn(ours, name, this.#scale) ?? 0);
    };
    const shapes = ["fadeInShape", "fadeOutShape"].flatMap((name) => {
      const shape = shapeIn(ours, name);
      return shape === undefined ? [] : [[name, shape]];
    });
    return {
      gainDb: isOff || speed.silent ? null : gain === undefined ? 0 : gain,
      fadeInFrames: fade(edges.head, "fadeInFrames"),
      fadeOutFrames: fade(edges.tail, "fadeOutFrames"),
      ...Object.fromEntries(shapes),
    };
  }

  #names(given: JsonObject, path: Path, ours: JsonObject): Partial<ClipInput> {
    const groupId = idIn(ours, "groupId");
    const said = member(given, "name");
    const name = textOf(said, LIMITS.nameChars);
    if (name !== undefined && name !== said) {
      const what = `a name of more than ${LIMITS.nameChars} characters, or that is no Unicode`;
      this.#context.report.add([...path, "name"], what, "cut or mended");
    }
    const isOurs = member(ours, "unnamed") === name;
    return {
      clipId: this.#clipId(idIn(ours, "clipId"), path),
      ...(groupId !== undefined && { groupId }),
      ...(name !== undefined && !isOurs && (name !== "" || ours.named === true) && { name }),
    };
  }

  /** Our own id where it is free, else one of the clip's place in the document. */
  #clipId(own: string | undefined, path: Path): string {
    if (own !== undefined && !this.#clipIds.has(own)) {
      this.#clipIds.add(own);
      return own;
    }
    if (own !== undefined) {
      this.#context.report.add(path, `a second clip with the id ${own}`, "has another id");
    }
    const place = path.filter((step) => typeof step === "number").join("-");
    let id = `otio-${place}`.slice(0, LIMITS.idChars - 8);
    for (let n = 2; this.#clipIds.has(id); n++) {
      id = `${`otio-${place}`.slice(0, LIMITS.idChars - 16)}.${n}`;
    }
    this.#clipIds.add(id);
    return id;
  }

  #clipMeta(
    given: JsonObject,
    path: Path,
    { edges, medium, media }: Placed,
    speed: GivenSpeed,
    ours: JsonObject,
  ): { meta?: unknown } {
    if (ours.whole === true) {
      const meta = metaIn(ours);
      return meta === undefined ? {} : { meta };
    }
    const { location } = medium.need;
    return metaWith(
      metaIn(ours),
      {
        metadata: othersMetadata(given),
        effects: speed.others.length > 0 ? speed.others : undefined,
        transition: edges.head?.joins ? this.#transitionAside(edges.head) : undefined,
        off: member(given, "enabled") === false ? true : undefined,
        ...(media.isPlaceholder && { url: location ?? "" }),
        ...medium.aside,
      },
      path,
      this.#context.report,
    );
  }

  /** What a crossfade says beyond its length; `undefined` where it is as we write them. */
  #transitionAside({ given, path, in: before, out }: GivenTransition): unknown {
    const overlap = this.#frameAt(plus(before, out), path);
    const inFrames = this.#frameAt(before, path);
    const type = textOf(member(given, "transition_type"), 60) ?? DISSOLVE;
    const name = textOf(member(given, "name"), LIMITS.nameChars) ?? "";
    const metadata = othersMetadata(given);
    if (type !== DISSOLVE) {
      this.#context.report.add(path, `a transition (${type})`, "a crossfade; its kind is kept");
    }
    const aside = {
      ...(inFrames !== Math.floor(overlap / 2) && { inFrames }),
      ...(type !== DISSOLVE && { type }),
      ...(name !== "" && { name }),
      ...(metadata && { metadata }),
    };
    return Object.keys(aside).length > 0 ? aside : undefined;
  }

  #itemMarkers(
    object: JsonObject,
    path: Path,
    frameOf: (time: Exact, path: Path) => Frames,
  ): void {
    const { report } = this.#context;
    for (const [i, one] of listOf(object, "markers", path).entries()) {
      const at = [...path, "markers", i];
      const given = requireObject(one, at);
      // In the first version of its schema the range had a shorter name.
      const range = readRange(given, "marked_range", at) ?? readRange(given, "range", at);
      if (range === null) {
        report.add(at, "a marker without a place", "left out");
        continue;
      }
      const ours = oursOf(given);
      const place = frameOf(range.start.exact, [...at, "marked_range", "start_time"]);
      if (place < 0) report.add(at, "a marker before the timeline's begin", "at its begin");
      if (path.at(-1) !== "tracks") {
        report.add(at, "a marker of a clip or track", "on the timeline");
      }
      const color = textOf(member(given, "color"), 60);
      const aside = {
        metadata: othersMetadata(given),
        color: color !== undefined && !(ours.plain === true && color === PLAIN_COLOR)
          ? color
          : undefined,
        comment: textOf(member(given, "comment"), LIMITS.metaBytes) || undefined,
        duration: range.duration.value > 0
          ? { value: range.duration.value, rate: range.duration.rate }
          : undefined,
      };
      const meta = ours.whole === true
        ? metaIn(ours) === undefined ? {} : { meta: metaIn(ours) }
        : metaWith(metaIn(ours), aside, at, report);
      requireAtMost("markers", this.#markers.length + 1, LIMITS.markers);
      this.#markers.push({
        markerId: this.#markerId(idIn(ours, "markerId")),
        frame: Math.min(Math.max(0, place), LIMITS.maxFrame),
        name: textOf(member(given, "name"), LIMITS.nameChars) ?? "",
        ...meta,
      });
    }
  }

  #markerId(own: string | undefined): string {
    let id = own ?? `otio-marker-${this.#markers.length}`;
    for (let n = 2; this.#markerIds.has(id); n++) id = `otio-marker-${this.#markers.length}.${n}`;
    this.#markerIds.add(id);
    return id;
  }

  /** The tracks at the top, lanes that we parted ourselves together again. */
  *#tracks(): Generator<void, TimelineInput["tracks"]> {
    const made: { header: TimelineInput["tracks"][number]; drafts: Draft[] }[] = [];
    const byId = new Map<string, { drafts: Draft[] }>();
    for (const top of this.#tops) {
      const ours = oursOf(top.given);
      const own = idIn(ours, "trackId");
      const isLane = (numberIn(ours, "lane", 1, LIMITS.tracks) ?? 0) > 0;
      const home = own === undefined ? undefined : byId.get(own);
      if (isLane && home !== undefined && top.lanes.length === 1) {
        for (const draft of top.lanes[0]) home.drafts.push(draft);
        continue;
      }
      for (const [i, drafts] of top.lanes.entries()) {
        const header = this.#header(top, ours, i, (id) => byId.has(id));
        const track = { header, drafts: [...drafts] };
        byId.set(header.trackId, track);
        made.push(track);
      }
    }
    requireAtMost("tracks", made.length, LIMITS.tracks);
    const tracks: TimelineInput["tracks"] = [];
    for (const { header, drafts } of made) {
      const byTie = yield* sorting(drafts, ({ tie }) => tie, this.#turns);
      const inOrder = yield* sorting(byTie, ({ clip }) => clip.startFrame, this.#turns);
      tracks.push({ ...header, clips: inOrder.map(({ clip }) => clip) });
    }
    return tracks;
  }

  #header(
    { given, path }: TopTrack,
    ours: JsonObject,
    lane: number,
    isTaken: (id: string) => boolean,
  ): TimelineInput["tracks"][number] {
    const { report } = this.#context;
    const place = path.filter((step) => typeof step === "number").join("-");
    const own = lane === 0 ? idIn(ours, "trackId") : undefined;
    const derived = lane === 0 ? `otio-track-${place}` : `otio-track-${place}.${lane + 1}`;
    let trackId = own === undefined || isTaken(own) ? derived.slice(0, LIMITS.idChars - 8) : own;
    for (let n = 2; isTaken(trackId); n++) {
      trackId = `${derived.slice(0, LIMITS.idChars - 16)}-${n}`;
    }
    const name = textOf(member(given, "name"), LIMITS.nameChars - 8) ?? "";
    if (lane === 0 && listOf(given, "effects", path).length > 0) {
      report.add(
        [...path, "effects"],
        "effects of a track",
        "not heard; kept aside with the track",
      );
    }
    const gain = gainIn(ours);
    const effects = listOf(given, "effects", path);
    return {
      trackId,
      name: lane === 0
        ? textOf(member(given, "name"), LIMITS.nameChars) ?? ""
        : `${name} ${lane + 1}`,
      gainDb: gain === undefined ? 0 : gain,
      pan: numberIn(ours, "pan", -1, 1) ?? 0,
      mute: member(given, "enabled") === false,
      solo: ours.solo === true,
      ...(lane > 0
        ? {}
        : ours.whole === true
        ? metaIn(ours) === undefined ? {} : { meta: metaIn(ours) }
        : metaWith(
          metaIn(ours),
          {
            metadata: othersMetadata(given),
            effects: effects.length > 0 ? effects : undefined,
          },
          path,
          report,
        )),
    };
  }

  #frameRate(document: JsonObject, path: Path, ours: JsonObject | null): FrameRate | undefined {
    if (ours !== null) return frameRateIn(ours);
    const given = member(document, "global_start_time");
    if (given === undefined) return undefined;
    const { rate } = readRationalTime(given, [...path, "global_start_time"]);
    const [numerator, denominator] = rateFraction(rate).map(Number);
    return rate <= MOST_PICTURES && numerator <= 1_000_000 && denominator <= 1_000_000
      ? { numerator, denominator }
      : undefined;
  }

  /** What the document says of itself. */
  #setAside(document: JsonObject, stack: JsonObject, ours: JsonObject): void {
    const name = textOf(member(document, "name"), LIMITS.nameChars) ?? "";
    if (name !== "" && name !== member(ours, "name")) this.#aside.set("name", name);
    this.#aside.set("metadata", othersMetadata(document));
    this.#aside.set("cap", member(ours, "cap"));
    this.#aside.set("stack", othersMetadata(stack));
    const start = member(document, "global_start_time");
    if (isObject(start) && typeof start.value === "number" && start.value !== 0) {
      this.#aside.set("globalStart", { value: start.value, rate: start.rate });
      this.#context.report.add(
        ["document", "global_start_time"],
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

/** The color that a marker without one is written with. */
export const PLAIN_COLOR = "RED";

interface GivenTransition {
  readonly given: JsonObject;
  readonly path: Path;
  readonly in: Exact;
  readonly out: Exact;
  /** Clips stand on both sides: it is a crossfade, else a fade. */
  readonly joins: boolean;
}

interface Placed {
  readonly at: Exact;
  readonly end: Exact;
  readonly edges: { readonly head: GivenTransition | null; readonly tail: GivenTransition | null };
  readonly medium: GivenMedium;
  readonly media: Media;
  readonly given: GivenRange | null;
  readonly seen: Seen;
  readonly before: Continued | null;
  readonly drafts: Draft[];
}

/** The clip before, for one that goes on where it ended. */
interface Continued {
  readonly key: string;
  readonly speed: GivenSpeed;
  readonly end: Exact;
  readonly cut: Frames;
  readonly begin: number;
  readonly sourceEnd: Exact | null;
}

/**
 * The place in a source that we wrote beside the one in the document, where that one's way through roundings would not give it back. It
 * counts as long as nobody has changed the other.
 */
function exactSource(ours: JsonObject, given: GivenRange | null, near: number): number | undefined {
  const said = member(ours, "sourceFrame");
  if (!isObject(said) || given === null || said.of !== given.start.value) return undefined;
  const { exact } = said;
  return typeof exact === "number" && Math.abs(exact - near) <= 1 ? exact : undefined;
}

function sourceEnd({ given, medium }: Placed): Exact | null {
  return given === null ? null : plus(sourceStart(given, medium.available), given.duration.exact);
}

function laneOf({ lanes }: TopTrack, lane: number): Draft[] {
  requireAtMost("tracks", lane + 1, LIMITS.tracks);
  while (lanes.length <= lane) lanes.push([]);
  return lanes[lane];
}

function isLonger(a: Exact, b: Exact): boolean {
  return minus(a, b).n > 0n;
}

/** How long a clip lasts: as it says, else all that there is of its medium. */
function durationOf(
  given: GivenRange | null,
  { available }: GivenMedium,
  media: Media | null,
): Exact | null {
  if (given !== null) return given.duration.exact;
  if (available !== null) return available.duration.exact;
  if (media === null || media.seconds === null) return null;
  return { n: BigInt(Math.round(media.seconds * FINENESS)), d: BigInt(FINENESS) };
}

/** What is seen of a clip; `null` if nothing is. The sound stays in place. */
function trimmed(clip: ClipInput, seen: Seen): ClipInput | null {
  const start = Math.max(clip.startFrame, seen.from);
  const end = Math.min(clip.startFrame + clip.lengthFrames, seen.to);
  if (end <= start) return null;
  if (start === clip.startFrame && end - start === clip.lengthFrames) return clip;
  const head = clip.reverse === true
    ? clip.startFrame + clip.lengthFrames - end
    : start - clip.startFrame;
  return {
    ...clip,
    startFrame: start,
    lengthFrames: end - start,
    sourceFrame: clip.sourceFrame! + head * clip.rate!,
  };
}

function requireAtMost(limit: "tracks" | "clips" | "markers", count: number, maximum: number) {
  if (count <= maximum) return;
  throw new EngineError("limit.exceeded", `Cannot import: more than ${maximum} ${limit}`, {
    limit,
    maximum,
  });
}

/** For what is looked at a second time. */
const SILENT = { add: () => {}, once: () => {} } as unknown as ReportWriter;
