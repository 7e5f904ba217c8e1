/**
 * What a renderer keeps of blocks that went as a whole: an undo brings them back by their ids, and they sound as if they were packed anew, also where
 * their file was replaced meanwhile.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { applyEdits } from "../engine/pulse/apply_edits.ts";
import { modelFromTimeline } from "../engine/pulse/model_from_timeline.ts";
import type { TimelineModel } from "../engine/pulse/timeline_model.ts";
import type { Edit } from "../engine/pulse/types.ts";
import { randomPlanes } from "./support/audio_files.ts";
import { firstDifference, openRig, type Rig, unzip } from "./support/signal_rig.ts";
import { until } from "./support/wait.ts";

const CLIPS = 20_000;
const LENGTH = 900;
const FADE = 720;

/** Clips of two files by turns, end to end on track `t`, and one clip on another. */
const model = modelFromTimeline({
  sampleRate: 48_000,
  tracks: [
    { trackId: "u", clips: [{ clipId: "x", assetId: "b", startFrame: 0, lengthFrames: 9_000 }] },
    {
      trackId: "t",
      clips: Array.from({ length: CLIPS }, (_, i) => ({
        clipId: `c${i}`,
        assetId: i % 3 === 0 ? "b" : "a",
        startFrame: i * LENGTH,
        lengthFrames: LENGTH,
        sourceFrame: i,
      })),
    },
  ],
});

const EDITS: Edit[] = [
  { op: "track.remove", trackId: "t" },
  { op: "range.delete", startFrame: 50_000, endFrame: 17_000_000, ripple: true },
];

async function open(): Promise<Rig> {
  const rig = await openRig({ singleStep: true, manualClock: true });
  for (const [i, assetId] of ["a", "b"].entries()) {
    const planes = randomPlanes(i + 1, 2, CLIPS + LENGTH, "s16");
    await rig.add(assetId, { planes, encoding: "s16" });
  }
  await publishWhole(rig, 1);
  return rig;
}

/** Publishes all of it until nothing is left to be packed anew for a file that was opened. */
async function publishWhole({ signal, render }: Rig, revision: number): Promise<void> {
  await until(() => {
    signal.publish(model, revision, []);
    render(FADE);
    return signal.lastPackedBytes < 200;
  }, "all is packed anew");
}

async function soundsAs(rig: Rig, expected: TimelineModel): Promise<void> {
  for (const from of [0, 48_000, 9_000_000, 17_900_000]) {
    rig.signal.play(from);
    rig.settle();
    rig.render(FADE); // the fade of a seek, where it plays already
    rig.settle();
    const [left, right] = rig.render(6_000);
    await using whole = rig.signal.renderOffline(expected, from + FADE);
    const [l, r] = unzip(await whole.next(6_000));
    assert(l.some((x) => x !== 0));
    assertEquals(firstDifference(left, l), -1, `left from ${from}`);
    assertEquals(firstDifference(right, r), -1, `right from ${from}`);
  }
}

for (const edit of EDITS) {
  Deno.test(`${edit.op} of most clips, taken back, made again and taken back: each time few bytes, and it sounds as packed from nothing`, async () => {
    await using rig = await open();
    const { signal } = rig;
    const cut = applyEdits(model, [edit], "s").model;
    let revision = 1;
    for (const next of [cut, model, cut, model]) {
      signal.publish(next, ++revision, []);
      assert(signal.lastPackedBytes < 48_000, `${signal.lastPackedBytes} bytes`);
      rig.render(2_048);
    }
    await soundsAs(rig, model);
  });

  Deno.test(`${edit.op} of most clips, taken back after a file of theirs was replaced, sounds as the new file`, async () => {
    await using rig = await open();
    const { signal } = rig;
    for (const waits of [false, true]) {
      signal.publish(applyEdits(model, [edit], "s").model, 2, []);
      rig.render(2_048);
      const { made } = signal.position();
      const planes = randomPlanes(waits ? 8 : 9, 2, CLIPS + LENGTH, "s16");
      await rig.add("a", { planes, encoding: "s16" });
      // Whether it has let go of the old one by then or not.
      if (waits) await until(() => signal.position().made > made, "something is published");
      signal.publish(model, 3, []);
      rig.render(2_048);
      await publishWhole(rig, 4);
      await soundsAs(rig, model);
    }
  });
}
