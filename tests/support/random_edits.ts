/**
 * Random edits of a timeline: mostly possible ones, with many ties, overlaps and groups, some impossible.
 *
 * @module
 */
import type { Clip, ClipInput, Edit, Timeline } from "../../engine/pulse/types.ts";
import type { SpeedMode } from "../../engine/signal/model.ts";
import type { Prng } from "./prng.ts";

export interface EditRange {
  /** Where clips begin: 0 … this. */
  frames: number;
  tracks: number;
  clips: number;
  /** Speeds that clips may have, backwards too; 1 forward alone if left out. */
  rates?: readonly number[];
}

let nextId = 0;

/** Ids that are made go on from here: for a process that takes up what another one made. */
export function startIds(from: number): void {
  nextId = from;
}

/** Speeds of every kind, half of them the project's own. */
export const ALL_RATES: readonly number[] = [
  ...[1.5, 0.75, 2, 0.5, 1 / 3, 48_000 / 44_100, 4, 16, 1 / 16],
  ...Array.from({ length: 9 }, () => 1),
];

/** A frame: mostly on a coarse grid, so that starts and ends coincide. */
function frame(random: Prng, below: number): number {
  const x = random.int(below);
  return random.chance(0.7) ? x - x % 20 : x;
}

export function randomClip(random: Prng, range: EditRange): ClipInput {
  const lengthFrames = 1 + random.int(random.chance(0.05) ? range.frames : 80);
  const clip: ClipInput = {
    clipId: `c${++nextId}`,
    assetId: `a${random.int(4)}`,
    startFrame: frame(random, range.frames),
    lengthFrames,
    sourceFrame: random.int(1000) - 100,
    gainDb: random.chance(0.1) ? null : random.int(12) - 6,
    fadeInFrames: random.int(lengthFrames + 1),
    fadeOutFrames: random.int(lengthFrames + 1),
  };
  if (random.chance(0.2)) clip.groupId = `g${random.int(12)}`;
  if (random.chance(0.2)) clip.fadeInShape = random.pick(["linear", "equalPower"]);
  if (random.chance(0.1)) clip.meta = { n: random.int(5) };
  if (random.chance(0.1)) clip.name = `clip ${random.int(9)}`;
  if (range.rates !== undefined) {
    clip.rate = random.pick(range.rates);
    clip.speedMode = random.pick(["matchSpeed", "matchSpeed", "maintainPitch", "mute"]);
    if (random.chance(0.2)) clip.sourceFrame = random.int(100_000) / 100;
    if (random.chance(0.2)) clip.reverse = random.chance(0.9);
  }
  return clip;
}

/** What a person does at once: one edit, some edits, or the same to all clips of a segment. */
export function randomGesture(random: Prng, timeline: Timeline, range: EditRange): Edit[] {
  const grouped = timeline.tracks.flatMap(({ clips }) =>
    clips.filter(({ groupId }) => groupId !== undefined)
  );
  if (grouped.length > 0 && random.chance(0.2)) {
    const { groupId, startFrame, lengthFrames } = random.pick(grouped);
    const members = grouped.filter((clip) => clip.groupId === groupId);
    const atFrame = startFrame + random.int(lengthFrames);
    const across = members.filter((clip) =>
      clip.startFrame < atFrame && atFrame < clip.startFrame + clip.lengthFrames
    );
    const by = random.int(200) - Math.min(100, ...members.map((clip) => clip.startFrame));
    return random.pick<() => Edit[]>([
      () => across.map(({ clipId }) => ({ op: "clip.split", clipId, atFrame })),
      () =>
        members.map(({ clipId, startFrame }) => ({
          op: "clip.move",
          clipId,
          startFrame: startFrame + by,
        })),
      () =>
        members.map(({ clipId }) => ({
          op: "clip.set",
          clipId,
          set: { gainDb: random.int(9) - 9 },
        })),
    ])();
  }
  const edits = [randomEdit(random, timeline, range)];
  while (random.chance(0.2)) edits.push(randomEdit(random, timeline, range));
  return edits;
}

/** An edit that API.md knows. `timeline` is the state it is made for. */
export function randomEdit(random: Prng, timeline: Timeline, range: EditRange): Edit {
  const tracks = timeline.tracks;
  const clips: { clip: Clip; trackId: string }[] = [];
  for (const { trackId, clips: own } of tracks) {
    if (own.length > 0) clips.push({ clip: random.pick(own), trackId });
  }
  const count = tracks.reduce((sum, track) => sum + track.clips.length, 0);
  if (tracks.length === 0 || tracks.length < range.tracks && random.chance(0.05)) {
    return {
      op: "track.add",
      track: { trackId: `t${++nextId}`, name: "T", ...(random.chance(0.3) && { pan: -0.5 }) },
      ...(random.chance(0.5) && { toIndex: random.int(tracks.length + 1) }),
    };
  }
  const trackId = random.pick(tracks).trackId;
  if (clips.length === 0 || count < range.clips && random.chance(0.25)) {
    return { op: "clip.add", trackId, clip: randomClip(random, range) };
  }
  const { clip } = random.pick(clips);
  const { clipId } = clip;
  const at = frame(random, range.frames);
  const some = random.chance(0.3)
    ? { trackIds: Array.from({ length: 1 + random.int(2) }, () => random.pick(tracks).trackId) }
    : {};
  const makers: (() => Edit)[] = [
    () => ({ op: "clip.remove", clipId }),
    () => ({
      op: "clip.set",
      clipId,
      set: random.pick<Extract<Edit, { op: "clip.set" }>["set"]>([
        { gainDb: random.int(20) - 10 },
        { name: "named", meta: { a: [1, { b: 2 }] } },
        { lengthFrames: 1 + random.int(100) },
        { groupId: `g${random.int(12)}` },
        { assetId: "a9", fadeInFrames: random.int(20) },
        ...(range.rates === undefined ? [] : [
          { rate: random.pick(range.rates) },
          { reverse: random.chance(0.6) },
          { speedMode: random.pick<SpeedMode>(["matchSpeed", "mute"]) },
        ]),
      ]),
    }),
    () => ({ op: "clip.move", clipId, startFrame: at }),
    () => ({ op: "clip.move", clipId, startFrame: at, trackId }),
    () => ({ op: "clip.move", clipId, trackId }),
    () => ({
      op: "clip.trim",
      clipId,
      startFrame: Math.max(0, clip.startFrame + random.int(30) - 10),
    }),
    () => ({ op: "clip.trim", clipId, endFrame: clip.startFrame + random.int(60) }),
    () => ({ op: "clip.slip", clipId, sourceFrame: random.int(500) - 50 }),
    () => ({
      op: "clip.split",
      clipId,
      atFrame: clip.startFrame + random.int(clip.lengthFrames + 1),
    }),
    () => ({
      op: "clip.split",
      clipId,
      atFrame: clip.startFrame + (clip.lengthFrames >> 1),
      newClipId: `s${++nextId}`,
    }),
    () => ({
      op: "range.delete",
      startFrame: at,
      endFrame: at + frame(random, 120),
      ripple: true,
      ...some,
    }),
    () => ({
      op: "range.delete",
      startFrame: at,
      endFrame: at + frame(random, 120),
      ripple: false,
      ...some,
    }),
    () => ({ op: "range.insert", atFrame: at, lengthFrames: 1 + frame(random, 100), ...some }),
    () => ({ op: "segment.delete", clipId }),
    () => ({ op: "segment.delete", clipId, ripple: "group" }),
    () => ({ op: "segment.reorder", clipId, toIndex: random.int(12) }),
    () => ({ op: "segment.reorder", clipId, toIndex: random.int(12) }),
    () => ({
      op: "track.set",
      trackId,
      set: random.pick<Extract<Edit, { op: "track.set" }>["set"]>([
        { gainDb: -3 },
        { mute: true },
        { mute: false, meta: { x: 1 } },
        { name: "renamed", meta: null },
      ]),
    }),
    () => ({ op: "track.move", trackId, toIndex: random.int(tracks.length) }),
    () => ({ op: "marker.add", marker: { markerId: `m${random.int(20)}`, frame: at, name: "m" } }),
    () => ({ op: "marker.set", markerId: `m${random.int(20)}`, set: { frame: at } }),
    () => ({ op: "marker.remove", markerId: `m${random.int(20)}` }),
    () => ({ op: "io.set", inFrame: at, outFrame: at + random.int(200) }),
    () => ({ op: "io.set", inFrame: null, outFrame: null }),
    () => random.chance(0.2) ? { op: "track.remove", trackId } : { op: "clip.remove", clipId },
  ];
  return random.pick(makers)();
}
