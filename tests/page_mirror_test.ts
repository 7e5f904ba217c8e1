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
import { randomEdit } from "./support/random_edits.ts";

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
    return applyEdits(model, [randomEdit(random, timelineOf(model), range)], id);
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
