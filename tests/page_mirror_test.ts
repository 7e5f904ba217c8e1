import { assertEquals } from "@std/assert";
import { EngineError, InvalidParams } from "../engine/errors.ts";
import { applyEdits } from "../engine/pulse/apply_edits.ts";
import { diffModels } from "../engine/pulse/diff_models.ts";
import { modelFromTimeline } from "../engine/pulse/model_from_timeline.ts";
import { type TimelineModel, timelineOf } from "../engine/pulse/timeline_model.ts";
import type { ChangedClip, Timeline } from "../engine/pulse/types.ts";
import { TimelineMirror } from "../server/web/client/mirror.js";
import { TrackClips } from "../server/web/client/track_clips.js";
import { prng } from "./support/prng.ts";
import { randomGesture } from "./support/random_edits.ts";

/** The mirror as a timeline, for comparison. */
function written(mirror: TimelineMirror): Timeline {
  return {
    sampleRate: mirror.sampleRate,
    tracks: mirror.tracks.map(({ header, clips }) => ({
      ...header,
      clips: clips.all().map(({ trackId, ...clip }) => {
        assertEquals(trackId, header.trackId);
        assertEquals(mirror.clip(clip.clipId)?.startFrame, clip.startFrame);
        return clip;
      }),
    })),
    ...(mirror.ioPoints !== null && { ioPoints: mirror.ioPoints }),
    ...(mirror.markers.length > 0 && { markers: mirror.markers }),
  };
}

/** The next model of a random history, or the same one where the edit was refused. */
function tryEdit(model: TimelineModel, random: ReturnType<typeof prng>, id: string) {
  const range = { frames: 1_500, tracks: 4, clips: 120 };
  try {
    return applyEdits(model, randomGesture(random, timelineOf(model), range), id);
  } catch (error) {
    if (error instanceof EngineError || error instanceof InvalidParams) return null;
    throw error;
  }
}

Deno.test("the page's mirror equals the engine's timeline after each of 2,000 edits and undos, however seldom it is read", () => {
  const random = prng(5);
  let model = modelFromTimeline({ sampleRate: 48_000, tracks: [] });
  const past = [model];
  const mirror = new TimelineMirror();
  mirror.reset(timelineOf(model), 0);
  for (let step = 1; step <= 2_000; step++) {
    if (random.chance(0.15)) {
      const back = random.pick(past);
      mirror.apply(diffModels(model, back), step);
      model = back;
    } else {
      const applied = tryEdit(model, random, `s${step}`);
      if (applied === null) continue;
      mirror.apply(applied.changes, step);
      model = applied.model;
      past.push(model);
      if (past.length > 20) past.shift();
    }
    assertEquals(mirror.revision, step);
    // Order is mended when it is read: changes pile up in between.
    if (random.chance(0.3)) assertEquals(written(mirror), timelineOf(model), `step ${step}`);
  }
  assertEquals(written(mirror), timelineOf(model));
});

/** Clips by id as drawings show them: where they are, and what they are. */
function drawn({ tracks }: Timeline) {
  const sizes = new Map<string, number>();
  for (const { groupId } of tracks.flatMap(({ clips }) => clips)) {
    if (groupId !== undefined) sizes.set(groupId, (sizes.get(groupId) ?? 0) + 1);
  }
  return new Map(tracks.flatMap(({ trackId, clips }) =>
    clips.map((clip) => [clip.clipId, {
      trackId,
      from: clip.startFrame,
      to: clip.startFrame + clip.lengthFrames,
      looks: JSON.stringify([trackId, clip, clip.groupId && sizes.get(clip.groupId)! > 1]),
    }])
  ));
}

Deno.test("whatever a drawing shows otherwise after an edit lies where the mirror says that it was touched, and groups have their clips", () => {
  const random = prng(11);
  let model = modelFromTimeline({ sampleRate: 48_000, tracks: [] });
  const past = [model];
  const mirror = new TimelineMirror();
  mirror.reset(timelineOf(model), 0);
  assertEquals(mirror.takeTouched(), null);
  let pieces = 0;
  let groups = 0;
  for (let step = 1; step <= 1_000; step++) {
    const before = timelineOf(model);
    if (random.chance(0.15)) {
      const back = random.pick(past);
      mirror.apply(diffModels(model, back), step);
      model = back;
    } else {
      const applied = tryEdit(model, random, `s${step}`);
      if (applied === null) continue;
      mirror.apply(applied.changes, step);
      model = applied.model;
      past.push(model);
      if (past.length > 20) past.shift();
    }
    const after = timelineOf(model);
    const members = Map.groupBy(
      after.tracks.flatMap(({ clips }) => clips),
      ({ groupId }) => groupId,
    );
    for (const [groupId, clips] of members) {
      if (groupId === undefined) continue;
      groups++;
      assertEquals(mirror.group(groupId), new Set(clips.map(({ clipId }) => clipId)));
    }
    const touched = mirror.takeTouched();
    if (touched === null) continue; // Everything is drawn anew.
    pieces++;
    const [was, is] = [drawn(before), drawn(after)];
    for (const clipId of new Set([...was.keys(), ...is.keys()])) {
      const [old, now] = [was.get(clipId), is.get(clipId)];
      if (old?.looks === now?.looks) continue;
      for (const place of [old, now]) {
        if (place === undefined) continue;
        const span = touched.get(place.trackId);
        const inside = span !== undefined && span.from <= place.from && span.to >= place.to;
        assertEquals(inside, true, `step ${step}: ${clipId} ${JSON.stringify([old, now, span])}`);
      }
    }
  }
  assertEquals([pieces > 300, groups > 300], [true, true], `${pieces} pieces, ${groups} groups`);
});

Deno.test("TrackClips.range gives exactly the clips that touch a range, in order, nested and overlapping ones too", () => {
  const random = prng(9);
  for (let round = 0; round < 60; round++) {
    const clips = new TrackClips();
    const all: ChangedClip[] = [];
    for (let index = 0; index < 1 + random.int(80); index++) {
      const clip = {
        clipId: `c${index}`,
        trackId: "t",
        startFrame: random.int(1_000),
        lengthFrames: 1 + random.int(random.chance(0.1) ? 900 : 40),
      } as ChangedClip;
      clips.add(clip);
      all.push(clip);
    }
    all.sort((a, b) => a.startFrame - b.startFrame);
    for (let query = 0; query < 20; query++) {
      const start = random.int(1_100) - 50;
      const end = start + random.int(200);
      const expected = all.filter((clip) =>
        clip.startFrame < end && clip.startFrame + clip.lengthFrames > start
      );
      assertEquals([...clips.range(start, end)], expected);
    }
    assertEquals(
      clips.endFrame,
      Math.max(...all.map((clip) => clip.startFrame + clip.lengthFrames)),
    );
  }
});

/** Clips in no order but that of their arrival, which is that of those that start together. */
class PlainClips {
  list: ChangedClip[] = [];

  add(clip: ChangedClip) {
    this.list.push({ ...clip });
    this.list.sort((a, b) => a.startFrame - b.startFrame);
  }
  remove(clipIds: Set<string>) {
    this.list = this.list.filter(({ clipId }) => !clipIds.has(clipId));
  }
  shift(shifts: readonly (readonly [fromFrame: number, byFrames: number])[]) {
    for (const [fromFrame, byFrames] of shifts) {
      for (const clip of this.list) if (clip.startFrame >= fromFrame) clip.startFrame += byFrames;
    }
    this.list.sort((a, b) => a.startFrame - b.startFrame);
  }
}

for (const seed of [1, 2, 3]) {
  Deno.test(`thousands of clips in many blocks, added, removed and shifted past one another, lie as in a plain list (seed ${seed})`, () => {
    const random = prng(seed);
    const clips = new TrackClips();
    const plain = new PlainClips();
    const clip = (index: number) => ({
      clipId: `c${index}`,
      trackId: "t",
      startFrame: random.int(60_000),
      lengthFrames: 1 + random.int(random.chance(0.02) ? 9_000 : 30),
    } as ChangedClip);
    let next = 0;
    for (let step = 0; step < 250; step++) {
      const dice = random.int(10);
      if (dice < 4) {
        for (let i = random.int(step < 30 ? 200 : 30); i > 0; i--) {
          const added = clip(next++);
          plain.add(added);
          clips.add(added);
        }
      } else if (dice < 7) {
        const from = random.int(60_000);
        const gone = random.chance(0.3)
          ? plain.list.filter(({ startFrame }) => startFrame >= from && startFrame < from + 8_000)
          : plain.list.filter(() => random.chance(0.01));
        const clipIds = new Set(gone.map(({ clipId }) => clipId));
        plain.remove(clipIds);
        clips.remove(clipIds);
      } else {
        const shifts = Array.from({ length: 1 + random.int(3) }, () => {
          const from = random.int(60_000);
          // Mostly as an edit has it: nothing goes past anything.
          const by = random.chance(0.8)
            ? random.int(2_000)
            : -random.int(Math.min(from, 3_000) + 1);
          return [from, by] as const;
        });
        clips.settle();
        for (const [from, by] of shifts) clips.shift(from, by);
        plain.shift(shifts);
      }
      assertEquals(clips.size, plain.list.length);
      const start = random.int(70_000) - 500;
      const end = start + random.int(20_000);
      assertEquals(
        [...clips.range(start, end)],
        plain.list.filter((one) =>
          one.startFrame < end && one.startFrame + one.lengthFrames > start
        ),
        `step ${step}`,
      );
      const greatest = plain.list.reduce(
        (most, { startFrame, lengthFrames }) => Math.max(most, startFrame + lengthFrames),
        0,
      );
      assertEquals(clips.endFrame, greatest);
      if (random.chance(0.2)) assertEquals([...clips.all()], plain.list, `step ${step}`);
    }
    assertEquals([...clips.all()], plain.list);
  });
}

Deno.test("a drawing that shows 50 frames as one column gets few of 20,000 short clips, and one in each column that has any", () => {
  const random = prng(4);
  const clips = new TrackClips();
  const all: ChangedClip[] = [];
  for (let index = 0; index < 20_000; index++) {
    const startFrame = index * 7 + (index % 900 > 700 ? 3_000 : 0);
    const lengthFrames = index % 5_000 === 9 ? 700 : 1 + random.int(6);
    const clip = { clipId: `c${index}`, trackId: "t", startFrame, lengthFrames } as ChangedClip;
    all.push({ ...clip });
    clips.add(clip);
  }
  clips.settle();
  clips.shift(50_000, 1_234);
  for (const clip of all) if (clip.startFrame >= 50_000) clip.startFrame += 1_234;
  for (const [start, end] of [[0, Infinity], [30_010, 90_020], [49_990, 51_500]]) {
    const told = [...clips.range(start, end, 50)];
    const exact = new Map(all.map((clip) => [clip.clipId, clip]));
    const columns = new Set<number>();
    for (const clip of told) {
      assertEquals(clip, exact.get(clip.clipId));
      const last = Math.ceil((clip.startFrame + clip.lengthFrames - start) / 50);
      for (let at = Math.floor((clip.startFrame - start) / 50); at < last; at++) columns.add(at);
    }
    for (const clip of all) {
      const ends = clip.startFrame + clip.lengthFrames;
      if (clip.startFrame >= end || ends <= start) continue;
      const last = Math.ceil((ends - start) / 50) - 1;
      assertEquals(columns.has(last), true, `column ${last}`);
    }
    const shown = all.filter((clip) =>
      clip.startFrame < end && clip.startFrame + clip.lengthFrames > start
    );
    assertEquals(told.length < shown.length / 2, shown.length > 1_000);
  }
});

Deno.test("10,000 lookups among 100,000 clips find each its own", () => {
  const clips = new TrackClips();
  for (let index = 0; index < 100_000; index++) {
    clips.add(
      { clipId: `c${index}`, startFrame: index * 100, lengthFrames: 90 } as ChangedClip,
    );
  }
  assertEquals(clips.endFrame, 9_999_990);
  let found = 0;
  for (let query = 0; query < 10_000; query++) {
    for (const _ of clips.range(query * 1_000, query * 1_000 + 500)) found++;
  }
  assertEquals(found, 50_000);
});
