/**
 * What a word of what the user may do next is worth: the same deletion of a long segment under the head, once selected before and once not, on a store that holds a sixth of
 * the material, with each read let through by hand. The device is manual: what is counted are frames.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { anticipate, type Intent } from "../engine/pulse/anticipation.ts";
import type { Edit } from "../engine/pulse/types.ts";
import { randomPlanes } from "./support/audio_files.ts";
import { CutStage, PERIOD } from "./support/cut_stage.ts";
import { FADE } from "./support/expected_player.ts";

const RATE = 48_000;
const SECONDS = 100;
const UNITS = 180;
/** Where the head stands, and the segment that it stands in. */
const HEAD = 12 * RATE;
const SEGMENT = [10 * RATE, 40 * RATE];
/** Of an edit, however slow the disk: the gate's 30 ms, a running fade's 15, and the period of 5 in which it is taken. */
const FIFTY_MS = 2_400;

const files = ["mic", "system"].map((assetId, i) => ({
  assetId,
  material: { planes: randomPlanes(i + 1, 1, SECONDS * RATE, "s16"), encoding: "s16" as const },
}));

/** Plays in the middle segment of three, with what is wanted by then in memory, and the gate of reading closed. */
async function standing(intents: Intent[]): Promise<CutStage> {
  const stage = await CutStage.make({ memoryBytes: UNITS * 16_384 });
  for (const { assetId, material } of files) {
    await stage.add(assetId, material);
    const clips = [0, ...SEGMENT].map((startFrame, i, starts) => ({
      clipId: `${assetId}${i}`,
      assetId,
      startFrame,
      sourceFrame: startFrame,
      lengthFrames: (starts[i + 1] ?? SECONDS * RATE) - startFrame,
      groupId: `g${i}`,
    }));
    stage.edit({ op: "track.add", track: { trackId: assetId, clips } });
  }
  stage.seek(HEAD);
  stage.play();
  stage.follow();
  const { signal } = stage;
  signal.anticipate(anticipate({
    model: stage.timeline.model,
    head: {
      positionFrame: HEAD,
      originFrame: HEAD,
      loop: { enabled: false, startFrame: 0, endFrame: 0 },
    },
    intents,
    leadSeconds: 1.5,
    budgetUnits: Math.floor(UNITS * 31 / 32),
    shapeOf: () => ({ channels: 1, pageFrames: 8_192, sourceFrames: SECONDS * RATE }),
  }));
  do stage.follow(); while (!signal.anticipation().settled);
  stage.hear(4 * PERIOD, "it plays");
  stage.hold();
  return stage;
}

const deletion: Edit = { op: "segment.delete", clipId: "mic1" };

/** Frames from the edit to the first that has the new sound, and reads until then; the disk answers one read every so many periods. */
function delayOf(stage: CutStage, periodsARead: number): { frames: number; reads: number } {
  const before = stage.signal.counters().reads;
  const { revision } = stage.timeline;
  const taken = stage.player.waits.length;
  stage.edit(deletion);
  for (let period = 1; stage.player.waits.length === taken; period++) {
    stage.hear(PERIOD, `period ${period}`);
    if (period % periodsARead === 0) stage.release(1);
  }
  assertEquals(stage.signal.position().revision, revision + 1);
  return { frames: stage.player.waits.at(-1)!, reads: stage.signal.counters().reads - before };
}

Deno.test("a deletion of what is selected is heard in the next period without a read; one that nobody foresaw waits for the disk, 50 ms at most", async () => {
  await using hinted = await standing([{ selectedClipIds: ["mic1"] }]);
  const foreseen = delayOf(hinted, Infinity);
  hinted.hear(RATE, "all of the lead is there");
  hinted.checkNothingMissed();

  await using unhinted = await standing([]);
  assertEquals(unhinted.signal.residentFrames("mic", SEGMENT[1], 1), 0, "it is not there by luck");
  const unforeseen = delayOf(unhinted, 2);
  unhinted.release();
  unhinted.hear(RATE, "it goes on");
  unhinted.checkNothingMissed();
  assertEquals(unhinted.signal.counters().admittedByDeadline, 0);

  // A disk that does not answer: the old sound until the deadline, then a gap that is counted.
  await using dead = await standing([]);
  const { symbols, engine } = dead.signal.native;
  dead.edit(deletion);
  let hopeless = 0;
  for (; dead.signal.position().gateWaiting; hopeless += PERIOD) {
    dead.rig.render(PERIOD);
    symbols.lp_step_follow(engine);
  }
  assertEquals(dead.signal.counters().missing, 0);
  dead.rig.render(PERIOD);
  const { missing, admittedByDeadline } = dead.signal.counters();
  assertEquals([missing, admittedByDeadline], [2 * PERIOD, 1]);

  const ms = (frames: number) => `${frames} frames (${frames / 48} ms)`;
  console.log(
    `From the deletion to its first frame: selected before ${
      ms(foreseen.frames)
    } and ${foreseen.reads} reads; not foreseen, a disk of 10 ms a read ${
      ms(unforeseen.frames)
    } and ${unforeseen.reads} reads; a disk that does not answer ${ms(hopeless)}`,
  );
  assertEquals(foreseen, { frames: 0, reads: 0 });
  assertEquals(unforeseen.reads, 2);
  assert(foreseen.frames < unforeseen.frames && unforeseen.frames < hopeless);
  assert(hopeless <= FIFTY_MS - FADE);
});

Deno.test("the same inside a running fade: after it, and no later than 50 ms", async () => {
  const cut: Edit = { op: "range.delete", startFrame: RATE, endFrame: RATE + 500, ripple: true };
  await using hinted = await standing([{ selectedClipIds: ["mic1"] }]);
  hinted.edit(cut);
  hinted.hear(PERIOD, "a fade runs");
  const foreseen = delayOf(hinted, Infinity);
  assertEquals(foreseen, { frames: FADE - PERIOD, reads: 0 });
  hinted.hear(RATE, "all of the lead is there");
  hinted.checkNothingMissed();

  await using unhinted = await standing([]);
  unhinted.edit(cut);
  unhinted.hear(PERIOD, "a fade runs");
  const unforeseen = delayOf(unhinted, 2);
  assert(unforeseen.frames >= foreseen.frames && unforeseen.frames <= FIFTY_MS);
  unhinted.release();
  unhinted.hear(RATE, "it goes on");
  unhinted.checkNothingMissed();
});
