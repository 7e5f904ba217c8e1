/**
 * Clips of an OpenTimelineIO document as clips here.
 *
 * @module
 */
import { type Exact, framesWithFraction, minus, plus, ZERO } from "./exact_time.ts";
import { isObject, type JsonObject, member, type Path, textOf } from "./fields.ts";
import { LIMITS } from "../limits.ts";
import type { Media } from "./media.ts";
import { metaWith, othersMetadata, oursOf } from "./otio_aside.ts";
import {
  type GivenMedium,
  type GivenRange,
  type GivenSpeed,
  readSpeed,
  sourceStart,
} from "./otio_clip.ts";
import {
  type Draft,
  freeId,
  type OtioPlaces,
  placeIn,
  requireAtMost,
  type Seen,
} from "./otio_context.ts";
import type { OtioMarkers } from "./otio_markers.ts";
import { framesIn, gainIn, idIn, metaIn, numberIn, shapeIn, speedModeIn } from "./otio_ours.ts";
import { type GivenTransition, transitionAside } from "./otio_transition.ts";
import { slicedSourceFrame, soundingFrame } from "../../signal/speed.ts";
import type { ClipInput, Frames } from "../types.ts";

/** What a length in seconds is rounded to: finer than a thousandth of a frame at any rate. */
const FINENESS = 2 ** 24;

/** Where a clip stands, and beside what. */
export interface Placed {
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
export interface Continued {
  readonly key: string;
  readonly speed: GivenSpeed;
  readonly end: Exact;
  readonly cut: Frames;
  readonly begin: number;
  readonly sourceEnd: Exact | null;
}

export class OtioClips {
  #count = 0;
  readonly #ids = new Set<string>();
  readonly #places: OtioPlaces;
  readonly #markers: OtioMarkers;

  constructor(places: OtioPlaces, markers: OtioMarkers) {
    this.#places = places;
    this.#markers = markers;
  }

  /** Makes a clip and puts it where `placed` says, if anything of it is seen. */

  make(given: JsonObject, path: Path, placed: Placed): Continued {
    const { report } = this.#places;
    const { at, end, edges, medium, media, seen, drafts } = placed;
    const ours = oursOf(given);
    const speed = readSpeed(given, path, report);
    const cut = this.#places.frameAt(at, path);
    const endCut = this.#places.frameAt(end, path);
    const start = edges.head === null ? cut : this.#places.frameAt(minus(at, edges.head.in), path);
    const stop = edges.tail === null
      ? endCut
      : this.#places.frameAt(plus(end, edges.tail.out), path);
    const begin = this.#sourceFrame(placed, speed, cut);
    const continued = {
      key: medium.need.key,
      speed,
      end,
      cut,
      begin,
      sourceEnd: sourceEnd(placed),
    };
    this.#markers.read(given, path, (time, where) => {
      const into = minus(time, placed.given?.start.exact ?? ZERO);
      return cut + Math.round(this.#places.frameAt(into, where) / speed.rate);
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
    this.#count++;
    requireAtMost("clips", this.#count, LIMITS.clips);
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
    const { sampleRate } = this.#places;
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
      ? this.#places.frameAt(begin, medium.need.path)
      : soundingFrame(framesWithFraction(begin, sampleRate));
  }

  #sound(
    given: JsonObject,
    path: Path,
    { edges }: Placed,
    speed: GivenSpeed,
    { lengthFrames }: ClipInput,
    ours: JsonObject,
  ): Partial<ClipInput> {
    const { report } = this.#places;
    const isOff = member(given, "enabled") === false;
    if (isOff) report.add([...path, "enabled"], "a clip that is switched off", "silent");
    const gain = gainIn(ours);
    const fade = (edge: GivenTransition | null, name: string): Frames => {
      if (edge !== null && !edge.joins) {
        return Math.min(lengthFrames, this.#places.frameAt(plus(edge.in, edge.out), edge.path));
      }
      return Math.min(lengthFrames, framesIn(ours, name, this.#places.scale) ?? 0);
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
      this.#places.report.add([...path, "name"], what, "cut or mended");
    }
    const isOurs = member(ours, "unnamed") === name;
    return {
      clipId: this.#id(idIn(ours, "clipId"), path),
      ...(groupId !== undefined && { groupId }),
      ...(name !== undefined && !isOurs && (name !== "" || ours.named === true) && { name }),
    };
  }

  /** Our own id where it is free, else one of the clip's place in the document. */
  #id(own: string | undefined, path: Path): string {
    const isFree = own !== undefined && !this.#ids.has(own);
    if (own !== undefined && !isFree) {
      this.#places.report.add(path, `a second clip with the id ${own}`, "has another id");
    }
    const wish = isFree ? own : `otio-${placeIn(path)}`;
    const id = freeId(wish, (one) => this.#ids.has(one));
    this.#ids.add(id);
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
        transition: edges.head?.joins ? transitionAside(edges.head, this.#places) : undefined,
        off: member(given, "enabled") === false ? true : undefined,
        ...(media.isPlaceholder && { url: location ?? "" }),
        ...medium.aside,
      },
      path,
      this.#places.report,
    );
  }
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

/** How long a clip lasts: as it says, else all that there is of its medium. */
export function durationOf(
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
  const { sourceFrame = 0, lengthFrames, rate = 1, reverse } = clip;
  const source = { sourceFrame, lengthFrames, rate, ...(reverse && { reverse }) };
  return {
    ...clip,
    startFrame: start,
    lengthFrames: end - start,
    sourceFrame: slicedSourceFrame(source, start - clip.startFrame, end - start),
  };
}
