/**
 * The timeline as Pulse holds it: immutable, shared between revisions, never changed in place.
 *
 * @module
 */
import type { MixModel, MixTrack } from "../signal/model.ts";
import {
  type Blocks,
  buildBlocks,
  BULK_CLIPS,
  type Item,
  type TimelineBlock,
  type TimelineBlockRef,
} from "./block_list.ts";
import {
  bodyFromInput,
  checkBody,
  type ClipBody,
  clipOf,
  copyMeta,
  sameBody,
} from "./clip_body.ts";
import { ClipIndex, type ClipIndexDraft } from "./clip_index.ts";
import { EngineError, InvalidParams } from "../errors.ts";
import { LIMITS } from "./limits.ts";
import { atOnce, sorting, Turns } from "./turns.ts";
import type {
  Clip,
  ClipInput,
  FrameRate,
  Frames,
  IoPoints,
  Marker,
  Meta,
  Timeline,
  Track,
  TrackHeader,
} from "./types.ts";

/** A track with its name and the client's own JSON. */
export interface TimelineTrack extends MixTrack<ClipBody> {
  readonly name: string;
  readonly meta?: Meta;
  readonly blocks: Blocks;
}

/** The whole timeline. What a mix does not need stands beside it. */
export interface TimelineModel extends MixModel<ClipBody> {
  readonly sampleRate: number;
  readonly frameRate?: Readonly<FrameRate>;
  readonly tracks: readonly TimelineTrack[];
  readonly ioPoints?: Readonly<IoPoints>;
  readonly markers: readonly Readonly<Marker>[];
  readonly meta?: Meta;
  readonly index: ClipIndex;
}

/** Where a clip is. */
export interface ClipPlace {
  readonly trackIndex: number;
  readonly blockIndex: number;
  readonly clipIndex: number;
  readonly start: Frames;
  readonly body: ClipBody;
}

/** A timeline without anything on it. */
export function emptyModel(sampleRate: number): TimelineModel {
  return { sampleRate, tracks: [], markers: [], index: ClipIndex.empty };
}

/** Where a clip is, or `undefined`. Costs a look-up and a walk over the blocks of one track. */
export function findClip(
  model: { readonly tracks: readonly TimelineTrack[]; readonly index: Pick<ClipIndex, "get"> },
  clipId: string,
): ClipPlace | undefined {
  const home = model.index.get(clipId);
  if (home === undefined) return undefined;
  const trackIndex = model.tracks.findIndex((track) => track.trackId === home.trackId);
  if (trackIndex < 0) return undefined;
  const { blocks } = model.tracks[trackIndex];
  for (let blockIndex = 0; blockIndex < blocks.length; blockIndex++) {
    const { start, block } = blocks[blockIndex];
    if (block.home !== home) continue;
    for (let clipIndex = 0; clipIndex < block.clips.length; clipIndex++) {
      const { at, body } = block.clips[clipIndex];
      if (body.clipId === clipId) {
        return { trackIndex, blockIndex, clipIndex, start: start + at, body };
      }
    }
    return undefined;
  }
  return undefined;
}

/** Clips of a track, by counting blocks. */
export function countClips(blocks: Blocks): number {
  let count = 0;
  for (const { block } of blocks) count += block.clips.length;
  return count;
}

/** Clips of all tracks. */
export function countAllClips(tracks: readonly TimelineTrack[]): number {
  let count = 0;
  for (const { blocks } of tracks) count += countClips(blocks);
  return count;
}

/** The track's own members, without its clips. */
export function headerOf(track: TimelineTrack): TrackHeader {
  const header: TrackHeader = {
    trackId: track.trackId,
    name: track.name,
    gainDb: track.gainDb,
    pan: track.pan,
    mute: track.mute,
    solo: track.solo,
  };
  if (track.meta !== undefined) header.meta = track.meta;
  return header;
}

/** A track of a header and blocks. What is left out takes its neutral value; a `meta` of `null` is none. */
export function trackOf(
  header: Partial<TrackHeader> & { trackId: string },
  blocks: Blocks,
): TimelineTrack {
  const track = {
    trackId: header.trackId,
    name: header.name ?? "",
    gainDb: header.gainDb === undefined ? 0 : header.gainDb,
    pan: header.pan ?? 0,
    mute: header.mute ?? false,
    solo: header.solo ?? false,
    blocks,
  };
  return header.meta === undefined || header.meta === null
    ? track
    : { ...track, meta: copyMeta(header.meta) };
}

const clipsOfBlock = new WeakMap<TimelineBlock, { start: Frames; clips: Clip[] }>();

function clipsOfRef({ start, block }: TimelineBlockRef): Clip[] {
  const known = clipsOfBlock.get(block);
  if (known?.start === start) return known.clips;
  const clips = block.clips.map(({ at, body }) => clipOf(body, start + at));
  clipsOfBlock.set(block, { start, clips });
  return clips;
}

/** The timeline in the interface's words. Clips are frozen and shared between answers; unchanged blocks cost nothing anew. */
export function timelineOf(model: TimelineModel): Timeline {
  const timeline: Timeline = {
    sampleRate: model.sampleRate,
    tracks: model.tracks.map((track): Track => {
      const clips: Clip[] = [];
      for (const ref of track.blocks) for (const clip of clipsOfRef(ref)) clips.push(clip);
      return { ...headerOf(track), clips };
    }),
  };
  if (model.frameRate !== undefined) timeline.frameRate = { ...model.frameRate };
  if (model.ioPoints !== undefined) timeline.ioPoints = { ...model.ioPoints };
  if (model.markers.length > 0) timeline.markers = model.markers.map((marker) => ({ ...marker }));
  if (model.meta !== undefined) timeline.meta = model.meta;
  return timeline;
}

/** Where bodies of clips come from: ids that a client left out, and objects that an older model has already. */
export interface BodySource {
  /** A new id that no clip has. */
  newClipId(): string;
  /** The body that a clip had, if any. */
  known(clipId: string): ClipBody | undefined;
  /** True where the id is already taken in what is being made. */
  isTaken(clipId: string): boolean;
}

/**
 * Clips that a client gives, in order of their start (ties as given), with ids.
 *
 * @throws {InvalidParams} for a clip beyond the last frame, a fade longer than its clip.
 * @throws {EngineError} `timeline.conflict` for an id that is taken.
 */
export function itemsFromInput(
  clips: readonly ClipInput[],
  source: BodySource,
  path: readonly (string | number)[],
): Item[] {
  return atOnce(itemSteps(clips, source, path, new Turns(Infinity)));
}

/** {@linkcode itemsFromInput} in turns. */
export function* itemSteps(
  clips: readonly ClipInput[],
  source: BodySource,
  path: readonly (string | number)[],
  turns: Turns,
): Generator<void, Item[]> {
  const seen = new Set<string>();
  const items: Item[] = [];
  for (let i = 0; i < clips.length; i++) {
    if (turns.isOver()) yield;
    const clip = clips[i];
    const clipId = clip.clipId ?? source.newClipId();
    if (seen.has(clipId) || source.isTaken(clipId)) {
      throw new EngineError(
        "timeline.conflict",
        `Cannot add the clip: the id ${JSON.stringify(clipId)} is taken`,
        { clipId, path: [...path, i, "clipId"] },
      );
    }
    seen.add(clipId);
    checkEnd(clip.startFrame, clip.lengthFrames, [...path, i, "lengthFrames"]);
    let body = bodyFromInput(clip, clipId);
    checkBody(body, [...path, i]);
    const known = source.known(clipId);
    if (known !== undefined && sameBody(known, body)) body = known;
    items.push({ start: clip.startFrame, body });
  }
  return yield* sorting(items, ({ start }) => start, turns);
}

/** A clip must end at or before the last frame. */
export function checkEnd(
  startFrame: Frames,
  lengthFrames: Frames,
  path: readonly (string | number)[],
): void {
  if (startFrame + lengthFrames > LIMITS.maxFrame) {
    throw new InvalidParams(
      path,
      `the clip would end beyond frame ${LIMITS.maxFrame} (${startFrame} + ${lengthFrames})`,
    );
  }
}

/** Blocks of items in order, keeping those of `old` that hold exactly the same clips. Made in turns. */
export function* blockSteps(
  old: Blocks | undefined,
  items: readonly Item[],
  context: { trackId: string; index: ClipIndexDraft },
  turns: Turns,
): Generator<void, Blocks> {
  const byFirst = new Map(old?.map((ref) => [ref.block.clips[0].body, ref]));
  const refs: TimelineBlockRef[] = [];
  let fresh: Item[] = [];
  const flush = () => {
    for (const ref of buildBlocks(fresh, context)) refs.push(ref);
    fresh = [];
  };
  for (let i = 0; i < items.length; i++) {
    if (turns.isOver()) yield;
    const ref = byFirst.get(items[i].body);
    if (ref === undefined || !holds(ref.block, items, i)) {
      fresh.push(items[i]);
      if (fresh.length === BULK_CLIPS) flush();
      continue;
    }
    flush();
    refs.push(ref.start === items[i].start ? ref : { start: items[i].start, block: ref.block });
    for (const { body } of ref.block.clips) context.index.set(body.clipId, ref.block.home);
    i += ref.block.clips.length - 1;
  }
  flush();
  const same = refs.length === old?.length && refs.every((ref, i) => ref === old[i]);
  return same ? old : refs;
}

function holds(block: TimelineBlock, items: readonly Item[], from: number): boolean {
  if (from + block.clips.length > items.length) return false;
  const start = items[from].start;
  return block.clips.every(({ at, body }, i) =>
    items[from + i].body === body && items[from + i].start === start + at
  );
}

const assetsOfBlock = new WeakMap<TimelineBlock, ReadonlySet<string>>();

/** True where a clip plays the asset. Costs a look-up a block; the first time, a walk over each block's clips. */
export function usesAsset(model: TimelineModel, assetId: string): boolean {
  for (const { blocks } of model.tracks) {
    for (const { block } of blocks) {
      let assets = assetsOfBlock.get(block);
      if (assets === undefined) {
        assets = new Set(block.clips.map(({ body }) => body.assetId));
        assetsOfBlock.set(block, assets);
      }
      if (assets.has(assetId)) return true;
    }
  }
  return false;
}

/** Ids of all assets that clips play. */
export function assetsOf(model: TimelineModel): Set<string> {
  const all = new Set<string>();
  for (const { blocks } of model.tracks) {
    for (const { block } of blocks) for (const { body } of block.clips) all.add(body.assetId);
  }
  return all;
}
