import { assert, assertEquals } from "@std/assert";
import { EngineError, InvalidParams } from "../engine/errors.ts";
import { applyChanges } from "../engine/pulse/apply_changes.ts";
import { applyEdits } from "../engine/pulse/apply_edits.ts";
import { diffModels } from "../engine/pulse/diff_models.ts";
import { modelFromTimeline } from "../engine/pulse/model_from_timeline.ts";
import { replayChanges } from "../engine/pulse/replay_changes.ts";
import { ChangesSchema, EditsSchema, TimelineSchema } from "../engine/pulse/schema.ts";
import { findClip, type TimelineModel, timelineOf } from "../engine/pulse/timeline_model.ts";
import type { Edit, Timeline } from "../engine/pulse/types.ts";
import { BLOCK_CLIPS } from "../engine/signal/model.ts";
import { naiveEdit, Refused } from "./support/naive_timeline.ts";
import { type Prng, prng } from "./support/prng.ts";
import {
  ALL_RATES,
  type EditRange,
  randomClip,
  randomEdit,
  randomGesture,
} from "./support/random_edits.ts";

/** What the model promises of its structure. */
function checkStructure(model: TimelineModel) {
  for (const { trackId, blocks } of model.tracks) {
    let last = -1;
    const homes = new Set<unknown>();
    for (const { start, block } of blocks) {
      assert(block.clips.length >= 1 && block.clips.length <= BLOCK_CLIPS);
      assertEquals(block.clips[0].at, 0);
      assertEquals(block.home.trackId, trackId);
      assert(!homes.has(block.home));
      homes.add(block.home);
      let end = 0;
      for (const { at, body } of block.clips) {
        assert(start + at >= last);
        last = start + at;
        end = Math.max(end, at + body.lengthFrames);
        assert(Object.isFrozen(body));
        assertEquals(findClip(model, body.clipId)?.body, body);
      }
      assertEquals(block.maxEnd, end);
    }
  }
}

/** What the journal keeps of the way between two timelines leads from each to the other. */
function checkReplays(before: TimelineModel, after: TimelineModel) {
  for (const [from, to] of [[before, after], [after, before]]) {
    const replayed = replayChanges(from, JSON.parse(JSON.stringify(diffModels(from, to))));
    assertEquals(timelineOf(replayed), timelineOf(to));
    checkStructure(replayed);
  }
}

function bigTimeline(random: Prng, range: EditRange, tracks: number, clips: number): Timeline {
  return {
    sampleRate: 48_000,
    tracks: Array.from({ length: tracks }, (_, t) => ({
      trackId: `t-${t}`,
      name: "",
      gainDb: 0,
      pan: 0,
      mute: false,
      solo: false,
      clips: Array.from({ length: clips / tracks }, () => randomClip(random, range)) as never,
    })),
  };
}

/** 1,000 requests, compared after each with the naive model and with a client's mirror. */
function run(seed: number, range: EditRange, start: (random: Prng) => Timeline, deepEvery: number) {
  const random = prng(seed);
  let model = modelFromTimeline(start(random));
  let naive = timelineOf(model);
  let mirror = naive;
  const past: { model: TimelineModel; timeline: Timeline }[] = [];
  let refused = 0;
  for (let step = 0; step < 1_000; step++) {
    if (past.length > 0 && random.chance(0.12)) {
      const to = past.splice(-1 - random.int(Math.min(3, past.length)))[0];
      mirror = applyChanges(mirror, diffModels(model, to.model));
      model = to.model;
      naive = to.timeline;
    } else {
      const edits: Edit[] = randomGesture(random, naive, range);
      EditsSchema.parse(edits);
      const id = `s${step}`;
      let expected: ReturnType<typeof naiveEdit> | null = null;
      try {
        expected = naiveEdit(naive, edits, id);
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
      }
      const frozen = JSON.stringify(timelineOf(model).tracks.map((t) => t.clips.length));
      try {
        const applied = applyEdits(model, edits, id);
        assert(
          expected !== null,
          `accepted what the naive model refuses: ${JSON.stringify(edits)}`,
        );
        if (step % 50 === 0) ChangesSchema.parse(applied.changes);
        past.push({ model, timeline: naive });
        if (past.length > 20) past.shift();
        mirror = applyChanges(mirror, applied.changes);
        checkReplays(model, applied.model);
        model = applied.model;
        naive = expected.timeline;
        assertEquals(applied.map, expected.map);
      } catch (error) {
        if (!(error instanceof EngineError || error instanceof InvalidParams)) throw error;
        assert(expected === null, `refused ${JSON.stringify(edits)}: ${error.message}`);
        assertEquals(JSON.stringify(timelineOf(model).tracks.map((t) => t.clips.length)), frozen);
        refused++;
      }
    }
    const timeline = timelineOf(model);
    assertEquals(timeline, naive, `step ${step}`);
    assertEquals(mirror, naive, `mirror at step ${step}`);
    if (step % deepEvery === 0) checkStructure(model);
  }
  TimelineSchema.parse(naive);
  assert(refused < 500, `${refused} refused`);
}

for (const seed of [1, 2, 3]) {
  Deno.test(`1,000 random edits with undos equal the naive timeline and a client's mirror (seed ${seed})`, () => {
    const range = { frames: 1_000, tracks: 4, clips: 60 };
    run(seed, range, () => ({ sampleRate: 48_000, tracks: [] }), 10);
  });
}

Deno.test("1,000 random edits of clips at many speeds, backwards too, equal the naive timeline and a client's mirror", () => {
  const range = { frames: 1_000, tracks: 4, clips: 60, rates: ALL_RATES };
  run(4, range, () => ({ sampleRate: 48_000, tracks: [] }), 10);
});

Deno.test("1,000 random edits with undos over many blocks equal the naive timeline and a client's mirror", () => {
  const range = { frames: 6_000, tracks: 3, clips: 1_400 };
  run(7, range, (random) => bigTimeline(random, range, 2, 1_400), 25);
});

Deno.test("changes between any two of many states make one mirror into the other", () => {
  const random = prng(11);
  const range = { frames: 1_500, tracks: 3, clips: 500 };
  const models = [modelFromTimeline(bigTimeline(random, range, 2, 600))];
  while (models.length < 60) {
    const model = models[models.length - 1];
    try {
      models.push(
        applyEdits(model, [randomEdit(random, timelineOf(model), range)], `x${models.length}`)
          .model,
      );
    } catch (error) {
      if (!(error instanceof EngineError || error instanceof InvalidParams)) throw error;
    }
  }
  for (let i = 0; i < 300; i++) {
    const from = random.pick(models);
    const to = random.pick(models);
    assertEquals(applyChanges(timelineOf(from), diffModels(from, to)), timelineOf(to));
  }
});
