/**
 * Edits done the plain way, on flat arrays that are copied whole: what the block-structured model is compared with. Written from API.md,
 * sharing no code with the model.
 *
 * @module
 */
import type { Clip, Edit, Marker, Timeline, Track } from "../../engine/pulse/types.ts";

/** Why an edit was refused; the model must refuse it too. */
export class Refused extends Error {}

interface Step {
  at: number;
  remove: number;
  insert: number;
}

export interface NaiveResult {
  timeline: Timeline;
  map: Step[];
}

const NEUTRAL = {
  sourceFrame: 0,
  gainDb: 0,
  fadeInFrames: 0,
  fadeOutFrames: 0,
  rate: 1,
  speedMode: "matchSpeed",
} as const;

function refuse(reason: string): never {
  throw new Refused(reason);
}

/** Applies edits, all or none. `seed` makes ids as the engine says it does: `<seed>-1`, `<seed>-2`, … */
export function naiveEdit(timeline: Timeline, edits: readonly Edit[], seed: string): NaiveResult {
  const state = structuredClone(timeline);
  const map: Step[] = [];
  let ids = 0;
  const newId = () => `${seed}-${++ids}`;
  const groups = new Map<string, string>();
  const rightGroup = (groupId: string | undefined, at: number, known?: string) => {
    if (groupId === undefined) return {};
    const key = `${groupId}|${at}`;
    if (!groups.has(key)) groups.set(key, known ?? newId());
    return { groupId: groups.get(key)! };
  };
  for (const edit of edits) {
    naiveStep(state, edit, map, newId, rightGroup);
    for (const track of state.tracks) {
      for (const [i, { startFrame }] of track.clips.entries()) {
        if (startFrame < (track.clips[i - 1]?.startFrame ?? 0)) throw new Error("out of order");
      }
    }
  }
  return { timeline: state, map };
}

const end = (clip: Clip) => clip.startFrame + clip.lengthFrames;

/** In order, behind all that start with it (`first`: ahead of them). */
function put(track: Track, clip: Clip, first = false) {
  const i = track.clips.findIndex((other) =>
    first ? other.startFrame >= clip.startFrame : other.startFrame > clip.startFrame
  );
  track.clips.splice(i < 0 ? track.clips.length : i, 0, clip);
}

/** As exactly as places in a source are told apart. */
const fine = (x: number) => Math.round(x * 2 ** 24) / 2 ** 24;

function part(clip: Clip, from: number, to: number, cutLeft: boolean, cutRight: boolean): Clip {
  const lengthFrames = to - from;
  // Of one that plays from its end, what is cut off in front is the end of its source.
  const skipped = clip.reverse ? end(clip) - to : from - clip.startFrame;
  return {
    ...clip,
    startFrame: from,
    lengthFrames,
    sourceFrame: skipped === 0
      ? clip.sourceFrame
      : fine(clip.sourceFrame) + skipped * fine(clip.rate),
    fadeInFrames: cutLeft ? 0 : Math.min(clip.fadeInFrames, lengthFrames),
    fadeOutFrames: cutRight ? 0 : Math.min(clip.fadeOutFrames, lengthFrames),
  };
}

type NewId = () => string;
type RightGroup = (
  groupId: string | undefined,
  at: number,
  known?: string,
) => { groupId?: string };

/** Everything in `[a, b)` goes, everything from `b` on moves by `shift`. Segments that are cut in two there are two. */
function cut(
  tracks: Track[],
  a: number,
  b: number,
  shift: number,
  newId: NewId,
  group: RightGroup,
) {
  const parted = new Map<string, string>();
  const touched = new Set(
    tracks.flatMap(({ clips }) =>
      clips.filter((clip) => clip.startFrame < b && end(clip) > a).map(({ groupId }) => groupId)
    ),
  );
  for (const track of tracks) cutTrack(track, a, b, shift, newId, group, parted);
  for (const groupId of touched) {
    if (groupId === undefined || parted.has(groupId)) continue;
    const left = tracks.flatMap(({ clips }) => clips).filter((clip) => clip.groupId === groupId)
      .map(({ startFrame }) => startFrame < a);
    if (left.includes(true) && left.includes(false)) {
      parted.set(groupId, group(groupId, a).groupId!);
    }
  }
  regroup(tracks, a, parted);
}

/** What begins at `from` or later belongs to the right part of its segment. */
function regroup(tracks: Track[], from: number, parted: Map<string, string>) {
  for (const { clips } of tracks) {
    for (const [i, clip] of clips.entries()) {
      const groupId = clip.startFrame >= from && parted.get(clip.groupId ?? "");
      if (groupId) clips[i] = { ...clip, groupId };
    }
  }
}

function cutTrack(
  track: Track,
  a: number,
  b: number,
  shift: number,
  newId: NewId,
  group: RightGroup,
  parted: Map<string, string>,
) {
  const before: Clip[] = [];
  const onCut: Clip[] = [];
  const behind: Clip[] = [];
  for (const clip of track.clips) {
    if (clip.startFrame >= b) {
      behind.push({ ...clip, startFrame: clip.startFrame + shift });
    } else if (end(clip) <= a) {
      before.push(clip);
    } else {
      if (clip.startFrame < a) before.push(part(clip, clip.startFrame, a, false, true));
      if (end(clip) > b) {
        const right = part(clip, b, end(clip), true, false);
        right.startFrame += shift;
        if (clip.startFrame < a) {
          right.clipId = newId();
          Object.assign(right, group(clip.groupId, a));
          if (clip.groupId !== undefined) parted.set(clip.groupId, right.groupId!);
        }
        onCut.push(right);
      }
    }
  }
  track.clips = [...before, ...onCut, ...behind];
}

function moveHeads(state: Timeline, map: Step[], step: Step) {
  map.push(step);
  const go = (x: number) => {
    if (x < step.at) return x;
    if (x < step.at + step.remove) return step.at;
    return x - step.remove + step.insert;
  };
  for (const marker of state.markers ?? []) marker.frame = go(marker.frame);
  if (state.ioPoints) {
    // The last frame of the range goes along, and the range ends behind it, or where the cut is if that one went.
    const last = state.ioPoints.outFrame - 1;
    const isGone = last >= step.at && last < step.at + step.remove;
    const ioPoints = {
      inFrame: go(state.ioPoints.inFrame),
      outFrame: isGone ? step.at : go(last) + 1,
    };
    if (ioPoints.inFrame < ioPoints.outFrame) state.ioPoints = ioPoints;
    else delete state.ioPoints;
  }
}

function segment(state: Timeline, clip: Clip): { track: Track; clip: Clip }[] {
  return state.tracks.flatMap((track) =>
    track.clips.filter((other) =>
      other === clip || clip.groupId !== undefined && other.groupId === clip.groupId
    ).map((member) => ({ track, clip: member }))
  );
}

interface Placed {
  track: Track;
  clip: Clip;
}

/** Adds other tracks from the first clip on that is grouped with one that moves, until there is none to add. */
function followLinks(all: Track[], first: Map<Track, number>) {
  const own = new Set(first.keys());
  for (;;) {
    let changed = false;
    const moving = new Set<string>();
    for (const [{ clips }, from] of first) {
      for (const { startFrame, groupId } of clips) {
        if (startFrame >= from && groupId !== undefined) moving.add(groupId);
      }
    }
    for (const track of all) {
      if (own.has(track)) continue;
      const linked = track.clips.find(({ groupId }) =>
        groupId !== undefined && moving.has(groupId)
      );
      if (linked === undefined || linked.startFrame >= (first.get(track) ?? Infinity)) continue;
      first.set(track, linked.startFrame);
      changed = true;
    }
    if (!changed) return;
  }
}

/** Takes the clips out and closes up on their tracks; gives what closed. */
function closeGaps(all: Track[], members: Placed[], withLinks = true): Step[] {
  const tracks = [...new Set(members.map(({ track }) => track))];
  const sorted = [...members].sort((a, b) => a.clip.startFrame - b.clip.startFrame);
  const clusters: Placed[][] = [];
  for (const member of sorted) {
    const last = clusters.at(-1);
    if (last?.some(({ clip }) => end(clip) > member.clip.startFrame)) last.push(member);
    else clusters.push([member]);
  }
  const steps: Step[] = [];
  for (const cluster of clusters.reverse()) {
    for (const { track, clip } of cluster) track.clips = track.clips.filter((c) => c !== clip);
    const at = Math.min(...cluster.map(({ clip }) => clip.startFrame));
    let by = Math.max(...cluster.map(({ clip }) => end(clip))) - at;
    const first = new Map<Track, number>();
    for (const track of tracks) {
      const own = cluster.filter((member) => member.track === track);
      first.set(track, own.length === 0 ? at : Math.min(...own.map((m) => m.clip.startFrame)));
    }
    const own = new Set(tracks);
    if (withLinks) followLinks(all, first);
    const firstOf = (track: Track) => first.get(track)!;
    for (const track of first.keys()) {
      for (const next of track.clips) {
        if (next.startFrame < firstOf(track)) continue;
        by = Math.min(by, next.startFrame - (own.has(track) ? at : 0));
        // The order stays.
        const earlier = track.clips.filter((clip) => clip.startFrame < firstOf(track));
        by = Math.min(by, next.startFrame - Math.max(0, ...earlier.map((c) => c.startFrame)));
        for (const before of track.clips) {
          if (before.startFrame < firstOf(track) && end(before) <= next.startFrame) {
            by = Math.min(by, next.startFrame - end(before));
          }
        }
      }
    }
    if (by === 0) continue;
    for (const track of first.keys()) {
      track.clips = track.clips.map((clip) =>
        clip.startFrame >= firstOf(track) ? { ...clip, startFrame: clip.startFrame - by } : clip
      );
    }
    steps.push({ at, remove: by, insert: 0 });
  }
  return steps;
}

function reorder(state: Timeline, clip: Clip, home: Track, toIndex: number) {
  const members = segment(state, clip);
  const isMember = (other: Clip) => members.some((member) => member.clip === other);
  const others = home.clips.filter((other) => !isMember(other));
  if (toIndex > others.length) refuse("toIndex");
  const index = home.clips.slice(0, home.clips.indexOf(clip)).filter((c) => !isMember(c)).length;
  if (index === toIndex) return;
  const together = new Set(
    members.flatMap((member) =>
      member.track.clips.filter((other) =>
        other.startFrame < end(member.clip) && end(other) > member.clip.startFrame
      ).map(({ clipId }) => clipId)
    ),
  );
  const startsBefore = new Map(
    state.tracks.flatMap(({ clips }) => clips.map((c) => [c.clipId, c.startFrame])),
  );
  closeGaps(state.tracks, members, false);
  const next = home.clips[toIndex];
  const target = next ? next.startFrame : Math.max(0, ...home.clips.map(end));
  const tracks = [...new Set(members.map(({ track }) => track))];
  const thresholds = new Map<Track, number>();
  for (const track of tracks) {
    const partner = track !== home && next?.groupId !== undefined
      ? track.clips.find((other) => other.groupId === next.groupId)
      : undefined;
    thresholds.set(track, partner ? partner.startFrame : target);
  }
  // A segment that lies across the place on other tracks than the clip's makes room as a whole.
  const moves = (groupId: string | undefined) =>
    groupId !== undefined &&
    tracks.some((track) =>
      track.clips.some((other) =>
        other.groupId === groupId && other.startFrame >= thresholds.get(track)!
      )
    );
  for (let settled = false; !settled;) {
    settled = true;
    for (const track of tracks) {
      const threshold = thresholds.get(track)!;
      const across = track.clips.find((other) =>
        other.startFrame < threshold && end(other) > threshold && moves(other.groupId)
      );
      if (track === home || across === undefined) continue;
      thresholds.set(track, across.startFrame);
      settled = false;
    }
  }
  let by = target - clip.startFrame;
  for (const track of tracks) {
    const threshold = thresholds.get(track)!;
    const follower = track.clips.find((other) => other.startFrame >= threshold);
    const first = Math.min(
      ...members.filter((m) => m.track === track).map((m) => m.clip.startFrame),
    );
    by = Math.max(by, -first);
    for (const other of track.clips) {
      if (other.startFrame >= threshold || together.has(other.clipId)) continue;
      if (follower === undefined || end(other) <= follower.startFrame) {
        by = Math.max(by, end(other) - first);
      }
    }
  }
  let room = 0;
  for (const track of tracks) {
    const follower = track.clips.find((other) => other.startFrame >= thresholds.get(track)!);
    if (!follower) continue;
    for (const member of members) {
      if (member.track === track) {
        room = Math.max(room, end(member.clip) + by - follower.startFrame);
      }
    }
  }
  for (const track of tracks) {
    track.clips = track.clips.map((other) =>
      other.startFrame >= thresholds.get(track)!
        ? { ...other, startFrame: other.startFrame + room }
        : other
    );
  }
  for (const { track, clip: member } of members) {
    put(track, { ...member, startFrame: member.startFrame + by });
  }
  // What moved on these tracks takes along what is grouped with it on others.
  const moved = new Map<string, number>();
  for (const other of state.tracks.filter((track) => tracks.includes(track))) {
    for (const { clipId, startFrame, groupId } of other.clips) {
      if (groupId === undefined || groupId === clip.groupId || moved.has(groupId)) continue;
      const shift = startFrame - startsBefore.get(clipId)!;
      if (shift !== 0) moved.set(groupId, shift);
    }
  }
  for (const other of state.tracks.filter((track) => !tracks.includes(track))) {
    const partners = other.clips.filter(({ groupId }) => moved.has(groupId ?? ""));
    other.clips = other.clips.filter((partner) => !partners.includes(partner));
    for (const partner of partners) {
      put(other, {
        ...partner,
        startFrame: Math.max(0, partner.startFrame + moved.get(partner.groupId!)!),
      });
    }
  }
}

/** The group that an earlier cut of the group at this frame left to the right of it. */
function cutBefore(state: Timeline, groupId: string, at: number): string | undefined {
  for (const { clips } of state.tracks) {
    const lefts = clips.filter((clip) => clip.groupId === groupId && end(clip) === at);
    for (const right of clips) {
      if (right.startFrame !== at || right.groupId === undefined) continue;
      if (right.groupId === groupId) continue;
      const isNext = lefts.some((left) =>
        left.assetId === right.assetId && left.rate === right.rate &&
        left.reverse === right.reverse && Math.abs(
            left.reverse
              ? right.sourceFrame + right.lengthFrames * fine(right.rate) - left.sourceFrame
              : left.sourceFrame + left.lengthFrames * fine(left.rate) - right.sourceFrame,
          ) < 0.001
      );
      if (isNext) return right.groupId;
    }
  }
  return undefined;
}

function naiveStep(
  state: Timeline,
  edit: Edit,
  map: Step[],
  newId: NewId,
  rightGroup: RightGroup,
): void {
  const trackOf = (trackId: string) =>
    state.tracks.find((track) => track.trackId === trackId) ?? refuse("no track");
  const find = (clipId: string) => {
    for (const track of state.tracks) {
      const clip = track.clips.find((c) => c.clipId === clipId);
      if (clip) return { track, clip };
    }
    return refuse("no clip");
  };
  const exists = (clipId: string) =>
    state.tracks.some((track) => track.clips.some((clip) => clip.clipId === clipId));
  const named = (trackIds: string[] | undefined) =>
    trackIds ? [...new Set(trackIds.map(trackOf))] : state.tracks;
  const replace = (track: Track, clip: Clip, next: Clip) => {
    if (next.startFrame === clip.startFrame) {
      track.clips[track.clips.indexOf(clip)] = next;
    } else {
      track.clips.splice(track.clips.indexOf(clip), 1);
      put(track, next);
    }
  };

  switch (edit.op) {
    case "track.add": {
      const { track, toIndex = state.tracks.length } = edit;
      if (state.tracks.some(({ trackId }) => trackId === track.trackId)) refuse("track taken");
      if (toIndex > state.tracks.length) refuse("toIndex");
      const clips = ((track.clips ?? []) as Clip[]).map((clip) => ({ ...NEUTRAL, ...clip }));
      const taken = new Set<string>();
      for (const { clipId } of clips) {
        if (exists(clipId) || taken.has(clipId)) refuse("clip taken");
        taken.add(clipId);
      }
      clips.sort((a, b) => a.startFrame - b.startFrame);
      state.tracks.splice(toIndex, 0, {
        name: "",
        gainDb: 0,
        pan: 0,
        mute: false,
        solo: false,
        ...track,
        clips,
      });
      return;
    }
    case "track.remove":
      state.tracks.splice(state.tracks.indexOf(trackOf(edit.trackId)), 1);
      return;
    case "track.move": {
      const track = trackOf(edit.trackId);
      if (edit.toIndex >= state.tracks.length) refuse("toIndex");
      state.tracks.splice(state.tracks.indexOf(track), 1);
      state.tracks.splice(edit.toIndex, 0, track);
      return;
    }
    case "track.set": {
      const track = trackOf(edit.trackId);
      Object.assign(track, edit.set);
      if (track.meta === null) delete track.meta;
      return;
    }
    case "clip.add": {
      const track = trackOf(edit.trackId);
      if (edit.clip.clipId !== undefined && exists(edit.clip.clipId)) refuse("clip taken");
      const clip: Clip = { ...NEUTRAL, ...edit.clip, clipId: edit.clip.clipId ?? newId() };
      if (clip.reverse === false) delete clip.reverse;
      if (Math.max(clip.fadeInFrames, clip.fadeOutFrames) > clip.lengthFrames) refuse("fade");
      put(track, clip);
      return;
    }
    case "clip.remove": {
      const { track, clip } = find(edit.clipId);
      track.clips.splice(track.clips.indexOf(clip), 1);
      return;
    }
    case "clip.set": {
      const { track, clip } = find(edit.clipId);
      const next = { ...clip, ...edit.set } as Clip; // A `null` is taken away below.
      for (const name of ["fadeInFrames", "fadeOutFrames"] as const) {
        if (edit.set[name] === undefined && next.lengthFrames < clip.lengthFrames) {
          next[name] = Math.min(clip[name], next.lengthFrames);
        }
        if (next[name] > next.lengthFrames) refuse("fade");
      }
      for (const name of ["fadeInShape", "fadeOutShape", "groupId", "name", "meta"] as const) {
        if (next[name] === null) delete next[name];
      }
      if (next.reverse === false) delete next.reverse;
      replace(track, clip, next);
      return;
    }
    case "clip.move": {
      const { track, clip } = find(edit.clipId);
      const to = edit.trackId === undefined ? track : trackOf(edit.trackId);
      const startFrame = edit.startFrame ?? clip.startFrame;
      if (to === track && startFrame === clip.startFrame) return;
      track.clips.splice(track.clips.indexOf(clip), 1);
      put(to, { ...clip, startFrame });
      return;
    }
    case "clip.trim": {
      const { track, clip } = find(edit.clipId);
      const from = edit.startFrame ?? clip.startFrame;
      const to = edit.endFrame ?? end(clip);
      if (from >= to) refuse("trim");
      replace(track, clip, part(clip, from, to, false, false));
      return;
    }
    case "clip.slip": {
      const { track, clip } = find(edit.clipId);
      replace(track, clip, { ...clip, sourceFrame: edit.sourceFrame });
      return;
    }
    case "clip.split": {
      const { track, clip } = find(edit.clipId);
      if (edit.atFrame <= clip.startFrame || edit.atFrame >= end(clip)) refuse("atFrame");
      if (edit.newClipId !== undefined && exists(edit.newClipId)) refuse("clip taken");
      const known = clip.groupId && cutBefore(state, clip.groupId, edit.atFrame);
      const right: Clip = {
        ...part(clip, edit.atFrame, end(clip), true, false),
        clipId: edit.newClipId ?? newId(),
        ...rightGroup(clip.groupId, edit.atFrame, known),
      };
      replace(track, clip, part(clip, clip.startFrame, edit.atFrame, false, true));
      put(track, right, true);
      if (clip.groupId !== undefined) {
        regroup(state.tracks, edit.atFrame, new Map([[clip.groupId, right.groupId!]]));
      }
      return;
    }
    case "range.delete": {
      const { startFrame, endFrame, ripple, trackIds } = edit;
      if (startFrame >= endFrame) refuse("range");
      const tracks = named(trackIds);
      const shift = ripple ? startFrame - endFrame : 0;
      cut(tracks, startFrame, endFrame, shift, newId, rightGroup);
      if (ripple && tracks.length === state.tracks.length) {
        moveHeads(state, map, { at: startFrame, remove: endFrame - startFrame, insert: 0 });
      }
      return;
    }
    case "range.insert": {
      const { atFrame, lengthFrames, trackIds } = edit;
      const tracks = named(trackIds);
      cut(tracks, atFrame, atFrame, lengthFrames, newId, rightGroup);
      if (tracks.length === state.tracks.length) {
        moveHeads(state, map, { at: atFrame, remove: 0, insert: lengthFrames });
      }
      return;
    }
    case "segment.delete": {
      const members = segment(state, find(edit.clipId).clip);
      if (edit.ripple === "group") {
        const isEverywhere = state.tracks.every((t) => members.some(({ track }) => track === t));
        const steps = closeGaps(state.tracks, members);
        if (isEverywhere) { for (const step of steps) moveHeads(state, map, step); }
        return;
      }
      // Frame by frame would say the same: what the segment covers, from the last stretch to the first.
      const covered = members.map(({ clip }) => [clip.startFrame, end(clip)]);
      covered.sort(([a], [b]) => a - b);
      for (let i = 0; i + 1 < covered.length;) {
        if (covered[i + 1][0] > covered[i][1]) i++;
        else covered[i][1] = Math.max(covered[i][1], covered.splice(i + 1, 1)[0][1]);
      }
      for (const [a, b] of covered.reverse()) {
        cut(state.tracks, a, b, a - b, newId, rightGroup);
        moveHeads(state, map, { at: a, remove: b - a, insert: 0 });
      }
      return;
    }
    case "segment.reorder": {
      const { track, clip } = find(edit.clipId);
      reorder(state, clip, track, edit.toIndex);
      return;
    }
    case "marker.add": {
      const markers = state.markers ?? [];
      if (markers.some(({ markerId }) => markerId === edit.marker.markerId)) refuse("marker taken");
      state.markers = [...markers, { ...edit.marker }];
      return;
    }
    case "marker.set":
    case "marker.remove": {
      const marker = state.markers?.find(({ markerId }) => markerId === edit.markerId);
      if (!marker) refuse("no marker");
      if (edit.op === "marker.set") {
        Object.assign(marker as Marker, edit.set);
        if (marker!.meta === null) delete marker!.meta;
        return;
      }
      state.markers = state.markers!.filter((other) => other !== marker);
      if (state.markers.length === 0) delete state.markers;
      return;
    }
    case "io.set":
      if (edit.inFrame === null && edit.outFrame === null) delete state.ioPoints;
      else if (edit.inFrame === null || edit.outFrame === null) refuse("io");
      else if (edit.inFrame! >= edit.outFrame!) refuse("io");
      else state.ioPoints = { inFrame: edit.inFrame!, outFrame: edit.outFrame! };
      return;
  }
}
