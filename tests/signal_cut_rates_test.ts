/**
 * Cuts of clips that play faster, slower and backwards, in each other's fades: against the player that is written from DESIGN §4, and, since splits at any rate change no
 * sample of what sounds, to the bit against what the engine itself plays of the timeline before it was cut.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type { ClipInput, Edit } from "../engine/pulse/types.ts";
import { randomPlanes } from "./support/audio_files.ts";
import { CutStage, PERIOD } from "./support/cut_stage.ts";
import { FADE } from "./support/expected_player.ts";
import { prng } from "./support/prng.ts";
import { firstDifference, unzip } from "./support/signal_rig.ts";

const SEGMENT = 9_000;
const RATES = [0.75, 1.5, 1, 1 / 3, 2];
const SEGMENTS = 2 * RATES.length;
const FRAMES = SEGMENT * SEGMENTS;

/** Two files in segments of all speeds, every other one backwards, each file on a side of its own. */
async function speeds(): Promise<CutStage> {
  const stage = await CutStage.make();
  for (const [i, assetId] of ["mic", "system"].entries()) {
    const encoding = i ? "s24" : "s16";
    await stage.add(assetId, {
      planes: randomPlanes(i + 1, 1, 2 * FRAMES, encoding).map((plane) => plane.map((x) => x >> 1)),
      encoding,
    });
    const clips = Array.from({ length: SEGMENTS }, (_, k): ClipInput => ({
      clipId: `${assetId[0]}${k}`,
      assetId,
      startFrame: k * SEGMENT,
      lengthFrames: SEGMENT,
      sourceFrame: k * SEGMENT + (k % 3) / 3,
      rate: RATES[k % RATES.length],
      reverse: k >= RATES.length,
      groupId: `g${k}`,
    }));
    stage.edit({ op: "track.add", track: { trackId: assetId, pan: i ? 1 : -1, clips } });
  }
  stage.follow();
  return stage;
}

const remove = (clipId: string): Edit => ({ op: "segment.delete", clipId });

Deno.test("clips at 0.75, 1.5 and backwards are deleted, split, trimmed, slipped and sped in each other's fades, with undos", async () => {
  await using stage = await speeds();
  stage.play(0);
  stage.hear(PERIOD, "it plays");
  for (const gap of [100, 719, 1_000]) {
    for (let k = 0; k < SEGMENTS; k++) {
      const at = k * SEGMENT;
      const mic = `m${k}`;
      const edits: [string, Edit][] = [
        ["split ahead", { op: "clip.split", clipId: mic, atFrame: at + 3_500, newClipId: `r${k}` }],
        ["slip", { op: "clip.slip", clipId: `s${k}`, sourceFrame: k * SEGMENT + 1_000.25 }],
        ["another speed", { op: "clip.set", clipId: `r${k}`, set: { rate: RATES[(k + 1) % 5] } }],
        ["the other way", { op: "clip.set", clipId: mic, set: { reverse: k < RATES.length } }],
        ["trim", { op: "clip.trim", clipId: mic, startFrame: at + 200 }],
        ["under the head", remove(mic)],
      ];
      stage.seek(at + 1_500);
      stage.hear(FADE + 500, `segment ${k}`);
      for (const [what, edit] of edits) {
        stage.edit(edit);
        stage.hear(gap, `${what}, segment ${k}, ${gap}`);
      }
      for (const [what] of edits.toReversed()) {
        stage.undo();
        stage.hear(gap >> 1, `undo of ${what}, segment ${k}, ${gap}`);
      }
    }
  }
  stage.hear(2 * FADE, "at rest");
  assert(stage.player.isSettled);
  stage.checkNothingMissed();
});

Deno.test("what was split and deleted while it played at other speeds is to the bit what the whole played there", async () => {
  await using stage = await speeds();
  stage.hear(PERIOD, "nothing plays");
  await using whole = stage.signal.renderOffline(stage.timeline.model, 0);
  const before = unzip(await whole.next(FRAMES));
  const random = prng(4);
  // Of each frame of the timeline, where it was at first.
  const was = Array.from({ length: FRAMES }, (_, frame) => frame);
  stage.play(0);
  let made = 0;
  for (let round = 0; round < 60; round++) {
    if (stage.player.head.positionFrame > was.length - 3 * SEGMENT || round === 0) {
      stage.seek(random.int(SEGMENT));
      stage.hear(FADE, `round ${round}, a seek`);
    }
    const head = stage.player.head.positionFrame;
    for (const { clips } of stage.timeline.get().timeline.tracks) {
      const near = clips.filter((clip) => clip.startFrame + clip.lengthFrames > head);
      const { clipId, startFrame, lengthFrames } = near[random.int(Math.min(2, near.length))];
      const from = Math.max(startFrame, head - 50) + 1;
      if (from >= startFrame + lengthFrames) continue;
      const atFrame = Math.min(from + random.int(900), startFrame + lengthFrames - 1);
      stage.edit({ op: "clip.split", clipId, atFrame, newClipId: `n${made++}` });
    }
    stage.hear(random.int(300), `round ${round}, split around the head`);
    if (round % 3 === 2) {
      const startFrame = stage.player.head.positionFrame + random.int(2_000) - 1_000;
      const endFrame = startFrame + 1 + random.int(1_500);
      stage.edit({ op: "range.delete", startFrame, endFrame, ripple: true });
      was.splice(startFrame, endFrame - startFrame);
    }
    stage.hear(2 * FADE, `round ${round}, fades`);
    assert(stage.player.isSettled);
    const from = stage.player.head.positionFrame;
    const heard = stage.hear(700, `round ${round}`);
    heard.forEach((side, s) => {
      const expected = Float32Array.from(side, (_, i) => before[s][was[from + i]]);
      assertEquals(firstDifference(side, expected), -1, `round ${round}, side ${s}`);
    });
  }
  stage.checkNothingMissed();
});

Deno.test("a clip that keeps its pitch goes over to its render within the fade of a cut, and is cut within that fade", async () => {
  await using stage = await speeds();
  const keepsPitch = (clipId: string): Edit => ({
    op: "clip.set",
    clipId,
    set: { speedMode: "maintainPitch" },
  });
  const names = ["m", "s"].flatMap((name) => [0, 1, 5, 6].map((k) => `${name}${k}`));
  stage.edit(...names.map(keepsPitch));
  stage.play(1_000);
  stage.hear(2 * FADE, "no render is there: faster is higher");
  const render = (seed: number) => ({
    planes: randomPlanes(seed, 1, 4 * FRAMES, "f32"),
    encoding: "f32" as const,
  });
  stage.edit({ op: "clip.slip", clipId: "s0", sourceFrame: 300.5 });
  stage.hear(300, "a cut");
  await stage.addRender("mic", 0.75, render(21));
  stage.hear(100, "the render comes within its fade");
  stage.edit({ op: "clip.split", clipId: "m0", atFrame: 3_100, newClipId: "r0" });
  stage.hear(100, "a split, within the same fade");
  await stage.addRender("system", 0.75, render(22));
  stage.hear(800, "the other's render");
  stage.edit({ op: "range.delete", startFrame: 2_500, endFrame: 4_000, ripple: true });
  stage.hear(200, "a cut under the head");
  stage.undo();
  stage.hear(200, "undone in its fade");
  stage.edit({ op: "clip.set", clipId: "r0", set: { rate: 1.5 } });
  stage.hear(500, "a speed that has no render");
  await stage.addRender("mic", 1.5, render(23));
  stage.hear(100, "now it has");
  stage.edit({ op: "clip.set", clipId: "r0", set: { speedMode: "matchSpeed" } });
  stage.hear(400, "and needs it no more");
  while (stage.timeline.undoHistory.applied > 3) {
    stage.undo();
    stage.hear(250, "an undo in the fade of the one before");
  }
  // Through what goes faster and backwards, from one clip to the next.
  for (const k of [1, 5, 6]) {
    stage.seek(k * SEGMENT + 2_000);
    stage.hear(FADE + 300, `segment ${k}`);
    stage.edit({ op: "clip.split", clipId: `m${k}`, atFrame: k * SEGMENT + 3_300 });
    stage.hear(100, `segment ${k}, split`);
    stage.edit(remove(`s${k}`));
    stage.hear(2_000, `segment ${k}, deleted`);
    stage.undo();
    stage.hear(300, `segment ${k}, undone`);
  }
  stage.hear(2 * FADE, "at rest");
  assert(stage.player.isSettled);
  stage.checkNothingMissed();
});
