/**
 * `changes` applied to a model: how the journal is replayed and how an undo from before the last start is done. It says the same as
 * `applyChanges` says of a client's mirror, and shares what stays.
 *
 * @module
 */
import { type Blocks, insertClips, type Item, removeClips, shiftFrom } from "./block_list.ts";
import { bodyFromInput, type ClipBody, copyMeta, sameBody } from "./clip_body.ts";
import { markerOf } from "./edits/marker_edits.ts";
import {
  findClip,
  headerOf,
  type TimelineModel,
  type TimelineTrack,
  trackOf,
} from "./timeline_model.ts";
import type { Changes } from "./types.ts";

/**
 * The model after `changes`. Bodies that say the same stay the same objects.
 *
 * @throws {Error} if the changes are not of this model (a damaged journal).
 */
export function replayChanges(model: TimelineModel, changes: Changes): TimelineModel {
  const index = model.index.draft();
  const removedTracks = new Set(changes.removed.trackIds);
  let tracks: TimelineTrack[] = model.tracks.filter(({ trackId }) => !removedTracks.has(trackId));
  const place = (trackId: string): number => {
    const i = tracks.findIndex((track) => track.trackId === trackId);
    if (i < 0) throw new Error(`The changes speak of a track that is not there: ${trackId}`);
    return i;
  };
  const setBlocks = (i: number, blocks: Blocks) => {
    if (blocks !== tracks[i].blocks) tracks[i] = { ...tracks[i], blocks };
  };

  // What leaves, block by block.
  const leaving = new Map<string, ClipBody | null>();
  const blocksOf = new Map<number, Set<number>>();
  const leave = (clipId: string) => {
    const found = findClip({ tracks, index }, clipId);
    leaving.set(clipId, found?.body ?? null);
    if (found === undefined) return;
    const blocks = blocksOf.get(found.trackIndex) ?? new Set();
    blocksOf.set(found.trackIndex, blocks.add(found.blockIndex));
  };
  for (const clipId of changes.removed.clipIds) leave(clipId);
  for (const { clipId } of changes.clips) leave(clipId);
  for (const [i, blocks] of blocksOf) {
    const context = { trackId: tracks[i].trackId, index };
    setBlocks(
      i,
      removeClips(tracks[i].blocks, blocks, ({ clipId }) => leaving.has(clipId), context),
    );
  }
  for (const clipId of changes.removed.clipIds) index.delete(clipId);

  for (const { trackId, fromFrame, byFrames } of changes.shifted) {
    const i = place(trackId);
    setBlocks(i, shiftFrom(tracks[i].blocks, fromFrame, byFrames, { trackId, index }));
  }
  for (const header of changes.tracks) {
    const i = tracks.findIndex(({ trackId }) => trackId === header.trackId);
    if (i < 0) tracks.push(trackOf(header, []));
    else tracks[i] = trackOf({ ...headerOf(tracks[i]), meta: null, ...header }, tracks[i].blocks);
  }
  if (changes.trackOrder !== undefined) {
    const { trackOrder } = changes;
    if (trackOrder.length !== tracks.length) throw new Error("The changes order other tracks");
    tracks = trackOrder.map((trackId) => tracks[place(trackId)]);
  }

  const added = new Map<number, Item[]>();
  for (const { trackId, ...clip } of changes.clips) {
    const i = place(trackId);
    const known = leaving.get(clip.clipId);
    let body = bodyFromInput(clip, clip.clipId);
    if (known && sameBody(known, body)) body = known;
    const items = added.get(i) ?? [];
    items.push({ start: clip.startFrame, body });
    added.set(i, items);
  }
  for (const [i, items] of added) {
    items.sort((a, b) => a.start - b.start);
    const context = { trackId: tracks[i].trackId, index };
    setBlocks(i, insertClips(tracks[i].blocks, items, context));
  }
  return withMembers({ ...model, tracks, index: index.done() }, changes.timeline);
}

function withMembers(model: TimelineModel, set: Changes["timeline"]): TimelineModel {
  if (set === undefined) return model;
  const { ioPoints, markers, frameRate, sampleRate, meta } = set;
  const next = { ...model };
  if (sampleRate !== undefined) next.sampleRate = sampleRate;
  if (ioPoints === null) delete next.ioPoints;
  else if (ioPoints !== undefined) next.ioPoints = { ...ioPoints };
  if (frameRate === null) delete next.frameRate;
  else if (frameRate !== undefined) next.frameRate = { ...frameRate };
  if (markers !== undefined) next.markers = markers.map(markerOf);
  if (meta === null) delete next.meta;
  else if (meta !== undefined) next.meta = copyMeta(meta);
  return next;
}
