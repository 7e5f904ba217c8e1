/**
 * Everything at once, seeded: edits of all kinds with undos, seeks, loops, transport and replaced files, in each other's fades; compared period by period with a player
 * that was written from DESIGN §4 alone.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { EngineError, InvalidParams } from "../engine/errors.ts";
import { applyEdits } from "../engine/pulse/apply_edits.ts";
import { emptyModel, type TimelineModel, timelineOf } from "../engine/pulse/timeline_model.ts";
import type { Edit, Timeline } from "../engine/pulse/types.ts";
import { type HeadMapStep, invertMap } from "../engine/signal/model.ts";
import { type AudioMaterial, randomPlanes } from "./support/audio_files.ts";
import { CutStage, PERIOD } from "./support/cut_stage.ts";
import { FADE } from "./support/expected_player.ts";
import { naiveEdit, Refused } from "./support/naive_timeline.ts";
import { type Prng, prng } from "./support/prng.ts";
import { type EditRange, randomEdit } from "./support/random_edits.ts";

/** Two models of one timeline, the engine's and the plain one, and how to get back to what was before. */
class TwoModels {
  model: TimelineModel = emptyModel(48_000);
  naive: Timeline = timelineOf(this.model);
  readonly #undo: { model: TimelineModel; naive: Timeline; map: readonly HeadMapStep[] }[] = [];
  #edits = 0;

  /** Gives the head's map, `null` where the edit is refused by both. */
  edit(edits: Edit[]): readonly HeadMapStep[] | null {
    const seed = `s${this.#edits++}`;
    const { model, naive } = this;
    try {
      const applied = applyEdits(model, edits, seed);
      this.naive = naiveEdit(naive, edits, seed).timeline;
      this.model = applied.model;
      this.#undo.push({ model, naive, map: applied.map });
      return applied.map;
    } catch (error) {
      if (error instanceof EngineError || error instanceof InvalidParams) return null;
      throw error instanceof Refused
        ? new Error(`Only the reference refused ${edits[0].op}`)
        : error;
    }
  }

  undo(): readonly HeadMapStep[] | null {
    const last = this.#undo.pop();
    if (last === undefined) return null;
    this.model = last.model;
    this.naive = last.naive;
    return invertMap(last.map);
  }
}

const ASSETS = 4;
/** Frames of a file, and of the timeline. */
const FRAMES = 6_000;

function material(seed: number): AudioMaterial {
  const encoding = seed % 2 ? "s16" : "f32";
  return { planes: randomPlanes(seed, 1 + (seed >> 1) % 2, FRAMES, encoding), encoding };
}

async function open(): Promise<CutStage> {
  const stage = await CutStage.make();
  for (let i = 0; i < ASSETS; i++) await stage.add(`a${i}`, material(i));
  return stage;
}

/** An edit of clips that are long enough to be heard through a fade, and short enough for many of them to be. */
function edit(random: Prng, timeline: Timeline, range: EditRange): Edit {
  const edit = randomEdit(random, timeline, range);
  if (edit.op === "clip.add") {
    const lengthFrames = 1 + random.int(1_500);
    const fade = () => random.chance(0.5) ? random.int(Math.min(300, lengthFrames)) : 0;
    Object.assign(edit.clip, { lengthFrames, fadeInFrames: fade(), fadeOutFrames: fade() });
    edit.clip.sourceFrame = random.int(FRAMES) - 200;
  }
  // A file that is not there has a fade of its own when it comes back: that is another test's.
  if (edit.op === "clip.set" && edit.set.assetId === "a9") {
    edit.set.assetId = `a${random.int(ASSETS)}`;
  }
  if (edit.op === "track.set" && random.chance(0.3)) edit.set = { solo: random.chance(0.5) };
  return edit;
}

/** Everything, for so many steps; what files are replaced by is the seed's. */
async function everything(seed: number, steps: number, rates?: number[]): Promise<void> {
  await using stage = await open();
  const random = prng(seed);
  const range = { frames: FRAMES, tracks: 4, clips: 40, ...(rates && { rates }) };
  const models = new TwoModels();
  for (const trackId of ["x", "y"]) {
    const map = models.edit([{ op: "track.add", track: { trackId, pan: random.next() - 0.5 } }])!;
    stage.publish(models.model, map, models.naive.tracks);
  }
  for (let i = 0; i < 12; i++) {
    const map = models.edit([edit(random, models.naive, range)]);
    if (map) stage.publish(models.model, map, models.naive.tracks);
  }
  stage.follow();
  stage.play(0);
  for (let step = 0; step < steps; step++) {
    const where = `seed ${seed}, step ${step}`;
    const at = random.int(FRAMES);
    if (random.chance(0.6)) {
      const edits = Array.from(
        { length: random.chance(0.8) ? 1 : 3 },
        () => edit(random, models.naive, range),
      );
      const map = random.chance(0.25) ? models.undo() : models.edit(edits);
      if (map) stage.publish(models.model, map, models.naive.tracks);
    } else {
      const acts: (() => void | Promise<void>)[] = [
        () => stage.seek(at),
        () => stage.seek(at),
        () => stage.loop(at, at + 1 + random.int(random.chance(0.5) ? 50 : 2_000)),
        () => stage.loop(0, FRAMES),
        () => stage.play(),
        () => stage.play(at),
        () => stage.play(at, at + random.int(2_000)),
        () => stage.pause(),
        () => stage.stop(),
        () => stage.add(`a${random.int(ASSETS)}`, material(ASSETS + random.int(100))),
      ];
      await random.pick(acts)();
      // It does not stay silent for long.
      if (stage.player.head.state !== "playing" && random.chance(0.7)) stage.play();
    }
    const frames = random.pick([0, 1, random.int(100), random.int(800), random.int(2_500)]);
    stage.hear(frames, where, { period: 1 + random.int(700) });
  }
  stage.hear(2 * FADE, `seed ${seed}, at the end`);
  assert(stage.player.isSettled);
  assert(stage.player.fades > steps / 5, `${stage.player.fades} fades`);
  stage.checkNothingMissed();
}

for (const seed of [1, 2, 3]) {
  Deno.test(`edits, undos, seeks, loops, transport and new files in each other's fades sound as they must (seed ${seed})`, () =>
    everything(seed, 400));
}

for (const seed of [4, 5]) {
  Deno.test(`the same with clips at other speeds and backwards (seed ${seed})`, () =>
    everything(seed, 250, [1, 0.75, 1.5, 2, 1 / 3]));
}

Deno.test("200 edits a second for four seconds: none waits for more than 50 ms, and all that sounds is right", async () => {
  await using stage = await open();
  const random = prng(20_261_125);
  const range = { frames: FRAMES, tracks: 3, clips: 60 };
  const models = new TwoModels();
  stage.loop(0, FRAMES);
  stage.play(0);
  let edits = 0;
  while (edits < 800) {
    const map = edits > 100 && random.chance(0.2)
      ? models.undo()
      : models.edit([edit(random, models.naive, range)]);
    if (map === null) continue;
    edits++;
    stage.publish(models.model, map, models.naive.tracks);
    stage.hear(PERIOD, `edit ${edits}`);
  }
  stage.hear(2 * FADE, "at rest");
  assert(stage.player.isSettled);
  const { waits } = stage.player;
  // All of it is there: an edit waits for a running fade, and for its period.
  assert(Math.max(...waits) <= FADE + PERIOD, `${Math.max(...waits)} frames`);
  assert(waits.length > 200, `${waits.length} of them were heard`);
  assertEquals(stage.signal.counters().admittedByDeadline, 0);
  stage.checkNothingMissed();
});

Deno.test("200 edits a second onto a disk that takes 25 ms: each is heard within 50 ms of the oldest that was not, and all that sounds is right", async () => {
  await using stage = await CutStage.make({ memoryBytes: 256e6 });
  const length = 48_000 * 300;
  const clipFrames = 48_000 * 6;
  // A short piece over and over, so that it is made soon: pages are as long, and each place of it is read for itself.
  const piece = randomPlanes(5, 1, 9_973, "s16")[0];
  const plane = Float64Array.from({ length }, (_, i) => piece[i % piece.length]);
  await stage.add("a", { planes: [plane], encoding: "s16" });
  const clipId = "c";
  stage.edit({
    op: "track.add",
    track: {
      trackId: "t",
      clips: [{ clipId, assetId: "a", startFrame: 0, lengthFrames: clipFrames }],
    },
  });
  stage.follow();
  stage.play(0);
  stage.hear(PERIOD, "it plays");
  stage.hold();
  const random = prng(7);
  let late = 0;
  for (let i = 0; i < 800; i++) {
    // Places that were not read, but for one in eight.
    const sourceFrame = random.chance(0.125) ? 0 : 8_192 * random.int(1_700) + random.int(4_000);
    stage.edit({ op: "clip.slip", clipId, sourceFrame });
    if (i % 5 === 4) stage.release(1);
    stage.hear(PERIOD, `edit ${i}`);
    late = Math.max(late, ...stage.player.waits.slice(-1));
  }
  stage.release();
  stage.hear(3 * FADE, "at rest");
  assert(stage.player.isSettled);
  assert(late <= 0.05 * 48_000, `an edit waited ${late} frames`);
  assert(late > FADE, "some did wait for the disk");
  stage.checkNothingMissed();
});
