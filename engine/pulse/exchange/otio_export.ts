/**
 * A timeline as an OpenTimelineIO document. The same timeline gives the same document, and the document gives the timeline back.
 *
 * Overlaps of neighbours become transitions. A clip that lies within another, or overlaps more than its neighbours, stands on a further
 * track that says which one it belongs to. What OpenTimelineIO has no words for stands in `metadata.loophole`.
 *
 * @module
 */
import type { Aside } from "./aside.ts";
import { type ClipBody, sameJson } from "../clip_body.ts";
import { isEmpty, isObject, type JsonObject, member } from "./fields.ts";
import { asideOf, isNotOurs, metaWithout, withOurs } from "./otio_aside.ts";
import { PLAIN_COLOR } from "./otio_markers.ts";
import {
  DEFAULT_MEDIA,
  DISSOLVE,
  gap,
  item,
  type Json,
  rationalTime,
  timeRange,
  timeWarp,
  transition,
} from "./otio_words.ts";
import type { ReportWriter } from "./report.ts";
import { headerOf, type TimelineModel, type TimelineTrack } from "../timeline_model.ts";
import { Turns } from "../turns.ts";
import type { Frames, Marker } from "../types.ts";

/** What a document says of an asset. */
export interface ExportedAsset {
  /** A `file:` URL. */
  readonly url: string;
  readonly name: string;
  /** At `sampleRate`; both 0 where they are not known. */
  readonly lengthSamples: number;
  readonly sampleRate: number;
  readonly isMissing: boolean;
}

export interface OtioExport {
  /** The document's name. */
  readonly name: string;
  readonly asset: (assetId: string) => ExportedAsset | undefined;
  /** What an import set aside. */
  readonly aside: Aside | null;
  readonly report: ReportWriter;
}

/** A clip at its place. */
interface Placed {
  readonly body: ClipBody;
  readonly start: Frames;
  readonly end: Frames;
  /** Its number among those that start with it. */
  readonly tie: number;
}

/** A clip that OpenTimelineIO's words alone would give another sound or place. */
interface Ours {
  [member: string]: unknown;
}

/** The document, made in turns. */
export function* exportOtio(model: TimelineModel, options: OtioExport): Generator<void, Json> {
  return yield* new Export(model, options).run();
}

class Export {
  readonly #turns = new Turns(64);

  constructor(readonly model: TimelineModel, readonly options: OtioExport) {}

  *run(): Generator<void, Json> {
    const { model, options: { name } } = this;
    const aside = this.options.aside?.content;
    const { sampleRate, frameRate } = model;
    const children: Json[] = [];
    for (const track of model.tracks) {
      for (const [lane, clips] of (yield* this.#lanes(track)).entries()) {
        children.push(yield* this.#track(track, clips, lane));
      }
    }
    for (const { index, track } of aside?.tracks ?? []) {
      children.splice(Math.min(index, children.length), 0, track as Json);
    }
    this.#tellSound();
    const start = isObject(aside?.globalStart) ? aside.globalStart : undefined;
    const rate = frameRate === undefined ? sampleRate : frameRate.numerator / frameRate.denominator;
    return {
      OTIO_SCHEMA: "Timeline.1",
      metadata: withOurs(aside?.metadata, this.#timelineOurs()),
      name: aside?.name ?? name,
      global_start_time: start === undefined
        ? rationalTime(0, rate)
        : rationalTime(start.value as number, start.rate as number),
      tracks: item("Stack.1", "tracks", {
        metadata: isObject(aside?.stack) ? aside.stack : {},
        children,
        markers: model.markers.map((marker) => this.#marker(marker)),
      }),
    };
  }

  #timelineOurs(): Ours {
    const { model, options: { aside, name } } = this;
    const { sampleRate, frameRate, ioPoints, meta } = model;
    const isBack = aside !== null && sameJson(asideOf(meta), { aside: aside.id });
    const own = isBack ? metaWithout(meta) : meta;
    return {
      sampleRate,
      name,
      ...(aside?.content.cap !== undefined && { cap: aside.content.cap }),
      ...(frameRate && { frameRate }),
      ...(ioPoints && { ioPoints }),
      ...(own !== undefined && { meta: own }),
    };
  }

  /** Clips of a track, parted so that in each part only neighbours overlap, each beginning and ending behind the one before it. */
  *#lanes(track: TimelineTrack): Generator<void, Placed[][]> {
    const lanes: Placed[][] = [[]];
    const fits = (lane: readonly Placed[], one: Placed) => {
      const last = lane.at(-1);
      if (last === undefined || one.start >= last.end) return true;
      const before = lane.at(-2);
      return one.start > last.start && one.end > last.end &&
        (before === undefined || one.start >= before.end);
    };
    let lastStart = -1;
    let tie = 0;
    for (const { start: blockStart, block } of track.blocks) {
      for (const { at, body } of block.clips) {
        if (this.#turns.isOver()) yield;
        const start = blockStart + at;
        tie = start === lastStart ? tie + 1 : 0;
        lastStart = start;
        const one: Placed = { body, start, end: start + body.lengthFrames, tie };
        const home = lanes.find((lane) => fits(lane, one));
        if (home === undefined) lanes.push([one]);
        else home.push(one);
      }
    }
    return lanes;
  }

  *#track(
    track: TimelineTrack,
    clips: readonly Placed[],
    lane: number,
  ): Generator<void, Json> {
    const { sampleRate } = this.model;
    const { trackId, name, gainDb, pan, mute, solo, meta } = headerOf(track);
    const children: Json[] = [];
    let cut = 0;
    for (const [i, one] of clips.entries()) {
      if (this.#turns.isOver()) yield;
      const before = clips[i - 1];
      const next = clips[i + 1];
      if (before !== undefined && before.end > one.start) {
        const aside = asideOf(one.body.meta).transition;
        const kept = isObject(aside) ? aside : {};
        children.push(transition({
          inFrames: cut - one.start,
          outFrames: before.end - cut,
          rate: sampleRate,
          name: typeof kept.name === "string" ? kept.name : "",
          type: typeof kept.type === "string" ? kept.type : DISSOLVE,
        }, isObject(kept.metadata) ? kept.metadata : {}));
      } else {
        if (one.start > cut) children.push(gap(one.start - cut, sampleRate));
        cut = one.start;
      }
      const endCut = next !== undefined && next.start < one.end ? cutOf(one, next) : one.end;
      const overlap = before === undefined ? 0 : Math.max(0, before.end - one.start);
      children.push(
        this.#clip(one, cut, endCut, overlap, ["tracks", trackId, "clips", one.body.clipId]),
      );
      cut = endCut;
    }
    const aside = lane === 0 ? asideOf(meta) : {};
    const others = isObject(aside.metadata) ? aside.metadata : undefined;
    const effects = Array.isArray(aside.effects) ? aside.effects : undefined;
    const comesBack = lane > 0 ||
      !isNotOurs(meta) &&
        sameJson(aside, { ...(others && { metadata: others }), ...(effects && { effects }) }) &&
        !(effects?.length === 0) && !(others !== undefined && isEmpty(others));
    const own = comesBack ? metaWithout(meta) : meta;
    return {
      ...item("Track.1", name, {
        metadata: withOurs(others, {
          trackId,
          ...(lane > 0 ? { lane } : {
            gainDb,
            pan,
            ...(solo && { solo }),
            ...(own !== undefined && { meta: own }),
            ...(!comesBack && { whole: true }),
          }),
        }),
        ...(effects && { effects }),
        enabled: !mute,
      }),
      children,
      kind: "Audio",
    };
  }

  /** A clip between two cuts; transitions add what it plays beyond them. */
  #clip(
    { body, start, end, tie }: Placed,
    cut: Frames,
    endCut: Frames,
    overlap: Frames,
    path: (string | number)[],
  ): Json {
    const { sampleRate } = this.model;
    const { report } = this.options;
    const reverse = body.reverse === true;
    const added = (reverse ? end - endCut : cut - start) * body.rate;
    const source = body.sourceFrame + added;
    const asset = this.options.asset(body.assetId);
    if (asset === undefined) report.add(path, "a clip of an unknown asset", "without a file");
    const aside = asideOf(body.meta);
    const comesBack = asideComesBack(aside, body, { overlap, inFrames: cut - start }, asset);
    const kept = comesBack ? aside : {};
    const own = comesBack ? metaWithout(body.meta) : body.meta;
    const scalar = reverse ? -body.rate : body.rate;
    const name = body.name ?? asset?.name ?? "";
    const effects = [
      ...(Array.isArray(kept.effects) ? kept.effects : []),
      ...(scalar === 1 ? [] : [timeWarp(scalar)]),
    ];
    const ours: Ours = {
      clipId: body.clipId,
      ...(body.gainDb !== 0 && { gainDb: body.gainDb }),
      ...(body.fadeInFrames !== 0 && { fadeInFrames: body.fadeInFrames }),
      ...(body.fadeOutFrames !== 0 && { fadeOutFrames: body.fadeOutFrames }),
      ...(body.fadeInShape && { fadeInShape: body.fadeInShape }),
      ...(body.fadeOutShape && { fadeOutShape: body.fadeOutShape }),
      ...(body.speedMode !== "matchSpeed" && { speedMode: body.speedMode }),
      ...(body.groupId !== undefined && { groupId: body.groupId }),
      ...(body.name === undefined ? { unnamed: name } : body.name === "" ? { named: true } : {}),
      // What a reader makes of the place is not always this one to the bit.
      ...(source - added !== body.sourceFrame &&
        { sourceFrame: { exact: body.sourceFrame, of: source } }),
      ...(tie > 0 && { tie }),
      ...(own !== undefined && { meta: own }),
      ...(!comesBack && { whole: true }),
    };
    this.#note(body);
    const { key, references } = mediaOf(kept, asset);
    return item("Clip.2", name, {
      metadata: withOurs(kept.metadata, ours),
      source_range: timeRange(source, endCut - cut, sampleRate),
      effects,
      enabled: kept.off !== true,
      media_references: references,
      active_media_reference_key: key,
    });
  }

  #marker({ markerId, frame, name, meta }: Marker): Json {
    const { sampleRate } = this.model;
    const aside = asideOf(meta);
    const duration = isObject(aside.duration) ? aside.duration : undefined;
    const lasts = duration !== undefined && typeof duration.value === "number" &&
        typeof duration.rate === "number" && duration.value > 0 && duration.rate > 0
      ? rationalTime(duration.value, duration.rate)
      : undefined;
    const known: JsonObject = {
      ...(isObject(aside.metadata) && !isEmpty(aside.metadata) && { metadata: aside.metadata }),
      ...(typeof aside.color === "string" && { color: aside.color }),
      ...(typeof aside.comment === "string" && aside.comment !== "" && { comment: aside.comment }),
      ...(lasts && { duration: aside.duration }),
    };
    const comesBack = sameJson(known, aside) && !isNotOurs(meta);
    const own = comesBack ? metaWithout(meta) : meta;
    return {
      OTIO_SCHEMA: "Marker.2",
      metadata: withOurs(known.metadata, {
        markerId,
        ...(known.color === undefined && { plain: true }),
        ...(own !== undefined && { meta: own }),
        ...(!comesBack && { whole: true }),
      }),
      name,
      color: known.color ?? PLAIN_COLOR,
      ...(known.comment !== undefined && { comment: known.comment }),
      marked_range: {
        ...timeRange(frame, 0, sampleRate),
        ...(lasts && { duration: lasts }),
      },
    };
  }

  readonly #counts = new Map<string, number>();

  /** Counts what other programs will not know. */
  #note(body: ClipBody): void {
    const count = (what: string) => this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1);
    if (body.gainDb !== 0) count("gains of clips");
    if (body.fadeInFrames > 0 || body.fadeOutFrames > 0) count("fades of clips");
    if (body.groupId !== undefined) count("groups");
    if (body.rate !== 1 && body.speedMode !== "matchSpeed") count("how clips sound at their speed");
  }

  #tellSound(): void {
    const { report } = this.options;
    const tell = (path: string[], what: string) =>
      report.add(path, what, "kept in metadata.loophole, which other programs do not read");
    for (const [what, count] of this.#counts) tell(["tracks"], `${what} (${count})`);
    const { tracks } = this.model;
    const mixed = tracks.filter(({ gainDb, pan, solo }) => gainDb !== 0 || pan !== 0 || solo);
    if (mixed.length > 0) tell(["tracks"], `gain, balance or solo of tracks (${mixed.length})`);
  }
}

/** Where one clip ends and the next begins, within what they have in common: its middle, or where a document had it. */
function cutOf(one: Placed, next: Placed): Frames {
  const overlap = one.end - next.start;
  const aside = asideOf(next.body.meta).transition;
  const said = isObject(aside) ? aside.inFrames : undefined;
  return next.start +
    (Number.isInteger(said) && (said as number) >= 0 && (said as number) < overlap
      ? said as number
      : Math.floor(overlap / 2));
}

const CLIP_ASIDE = new Set(
  ["metadata", "effects", "transition", "off", "url", "media", "reference", "medium"],
);

/** Whether a reader of the document would set aside again what is aside in a clip. */
function asideComesBack(
  aside: JsonObject,
  body: ClipBody,
  cut: { readonly overlap: Frames; readonly inFrames: Frames },
  asset: ExportedAsset | undefined,
): boolean {
  if (isEmpty(aside)) return !isNotOurs(body.meta);
  if (!Object.keys(aside).every((name) => CLIP_ASIDE.has(name))) return false;
  const object = (name: string) =>
    !Object.hasOwn(aside, name) || isObject(aside[name]) && !isEmpty(aside[name]);
  if (!["metadata", "transition", "media", "reference", "medium"].every(object)) return false;
  if (Object.hasOwn(aside, "off") && (aside.off !== true || body.gainDb !== null)) return false;
  if (Object.hasOwn(aside, "effects")) {
    const { effects } = aside;
    if (!Array.isArray(effects) || effects.length === 0 || !effects.every(isObject)) return false;
    // A speed that cannot sound is written back for a clip that is still silent and has none of its own.
    const warps = effects.some((one) => /TimeWarp|FreezeFrame/.test(String(one.OTIO_SCHEMA)));
    const reverse = body.reverse === true;
    if (warps && (body.gainDb !== null || body.rate !== 1 || reverse)) return false;
  }
  if (isObject(aside.transition) && !transitionComesBack(aside.transition, cut)) return false;
  const isAway = asset === undefined || asset.isMissing;
  if (Object.hasOwn(aside, "url") && (!isAway || typeof aside.url !== "string")) return false;
  if (Object.hasOwn(aside, "reference") && !isAway) return false;
  return !isObject(aside.media) ||
    typeof aside.media.key === "string" && isObject(aside.media.references);
}

/** The same of what is aside of a transition: it says nothing that a plain one says. */
function transitionComesBack(
  aside: JsonObject,
  { overlap, inFrames }: { readonly overlap: Frames; readonly inFrames: Frames },
): boolean {
  if (overlap === 0) return false;
  const { name, type, metadata } = aside;
  return sameJson(aside, {
    ...(inFrames !== Math.floor(overlap / 2) && { inFrames }),
    ...(typeof type === "string" && type !== DISSOLVE && { type }),
    ...(typeof name === "string" && name !== "" && { name }),
    ...(isObject(metadata) && !isEmpty(metadata) && { metadata }),
  });
}

/** A clip's media: its asset's file, or what an import said of one that is not there; and the others that the import found. */
function mediaOf(
  aside: JsonObject,
  asset: ExportedAsset | undefined,
): { key: string; references: Json } {
  const media = isObject(aside.media) ? aside.media : {};
  const medium = isObject(aside.medium) ? aside.medium : {};
  const { name = "", metadata = {}, ...rest } = medium;
  const available = asset !== undefined && asset.sampleRate > 0
    ? timeRange(0, asset.lengthSamples, asset.sampleRate)
    : null;
  const said = member(aside, "url");
  const url = typeof said === "string" ? said : asset?.url ?? "";
  const reference = isObject(aside.reference) ? aside.reference : {
    OTIO_SCHEMA: url === "" ? "MissingReference.1" : "ExternalReference.1",
    metadata,
    name,
    available_range: available,
    ...(url !== "" && { target_url: url }),
    ...rest,
  };
  const key = typeof media.key === "string" ? media.key : DEFAULT_MEDIA;
  const others = isObject(media.references) ? media.references : {};
  return { key, references: { ...others, [key]: reference } };
}
