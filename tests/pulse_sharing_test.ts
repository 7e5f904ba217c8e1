import { assert, assertEquals } from "@std/assert";
import { applyEdits } from "../engine/pulse/apply_edits.ts";
import { modelFromTimeline } from "../engine/pulse/model_from_timeline.ts";
import { type TimelineModel, timelineOf } from "../engine/pulse/timeline_model.ts";
import type { Edit } from "../engine/pulse/types.ts";
import type { MixBlock, MixClipBody } from "../engine/signal/model.ts";

const CLIPS = 100_000;

/** 100,000 clips of 100 frames on one track, one on another. */
function big(): TimelineModel {
  return modelFromTimeline({
    sampleRate: 48_000,
    tracks: [
      {
        trackId: "t",
        clips: Array.from({ length: CLIPS }, (_, i) => ({
          clipId: `c${i}`,
          assetId: "a",
          startFrame: i * 100,
          lengthFrames: 100,
          sourceFrame: i * 100,
        })),
      },
      { trackId: "u", clips: [{ clipId: "x", assetId: "a", startFrame: 0, lengthFrames: 1 }] },
    ],
  });
}
const state = big();

function newObjects(before: TimelineModel, after: TimelineModel) {
  const blocks = new Set<MixBlock>();
  const bodies = new Set<MixClipBody>();
  for (const track of before.tracks) {
    for (const { block } of track.blocks) {
      blocks.add(block);
      for (const { body } of block.clips) bodies.add(body);
    }
  }
  let newBlocks = 0;
  let newBodies = 0;
  let clipsInNewBlocks = 0;
  for (const track of after.tracks) {
    for (const { block } of track.blocks) {
      if (blocks.has(block)) continue;
      newBlocks++;
      clipsInNewBlocks += block.clips.length;
      for (const { body } of block.clips) if (!bodies.has(body)) newBodies++;
    }
  }
  return { newBlocks, newBodies, clipsInNewBlocks };
}

const cases: [Edit, number][] = [
  [{ op: "clip.split", clipId: "c50000", atFrame: 5_000_050 }, 2],
  [{ op: "clip.move", clipId: "c50000", startFrame: 10 }, 0],
  [{ op: "clip.move", clipId: "c50000", trackId: "u" }, 0],
  [{ op: "clip.remove", clipId: "c50000" }, 0],
  [{ op: "clip.set", clipId: "c50000", set: { gainDb: -3 } }, 1],
  [{ op: "clip.trim", clipId: "c50000", startFrame: 5_000_010 }, 1],
  [{ op: "clip.slip", clipId: "c50000", sourceFrame: 7 }, 1],
  [{ op: "clip.add", trackId: "t", clip: { assetId: "a", startFrame: 77, lengthFrames: 5 } }, 1],
  [{ op: "range.delete", startFrame: 50, endFrame: 150, ripple: true }, 2],
  [{ op: "range.delete", startFrame: 1_000_050, endFrame: 9_000_050, ripple: true }, 2],
  [{ op: "range.delete", startFrame: 1_000_050, endFrame: 9_000_050, ripple: false }, 2],
  [{ op: "range.insert", atFrame: 5_000_050, lengthFrames: 1_000 }, 2],
  [{ op: "segment.delete", clipId: "c10" }, 0],
  [{ op: "segment.delete", clipId: "c99999", ripple: "group" }, 0],
  [{ op: "segment.reorder", clipId: "c10", toIndex: 90_000 }, 0],
];
for (const [edit, bodies] of cases) {
  Deno.test(`${JSON.stringify(edit)} on ${CLIPS} clips makes few blocks and only the bodies that it changed`, () => {
    const after = applyEdits(state, [edit]).model;
    const made = newObjects(state, after);
    assert(made.newBlocks < 10, `${made.newBlocks} new blocks`);
    assert(made.clipsInNewBlocks <= 520, `${made.clipsInNewBlocks} clips in new blocks`);
    assertEquals(made.newBodies, bodies);
    if (!("trackId" in edit && edit.trackId === "u") && edit.op !== "range.delete") {
      assert(
        after.tracks[1].blocks === state.tracks[1].blocks || edit.op === "range.insert" ||
          edit.op === "segment.delete",
      );
    }
  });
}

Deno.test("a track that an edit does not touch keeps its blocks array", () => {
  const edits: Edit[] = [
    { op: "clip.split", clipId: "c5", atFrame: 550 },
    { op: "range.delete", startFrame: 1_000, endFrame: 2_000, ripple: true },
    { op: "track.set", trackId: "u", set: { gainDb: -6 } },
  ];
  for (const edit of edits) {
    assert(applyEdits(state, [edit]).model.tracks[1].blocks === state.tracks[1].blocks);
  }
});

Deno.test("setting the same timeline again keeps every track, block and body", () => {
  const again = modelFromTimeline(structuredClone(timelineOf(state)), state);
  assertEquals(again.tracks.map((track, i) => track === state.tracks[i]), [true, true]);
});

Deno.test("setting a timeline with one clip changed keeps all other blocks", () => {
  const timeline = structuredClone(timelineOf(state));
  timeline.tracks[0].clips[50_000].gainDb = -1;
  const made = newObjects(state, modelFromTimeline(timeline, state));
  assertEquals([made.newBlocks, made.newBodies], [1, 1]);
});

Deno.test("blocks do not crumble: after 3,000 edits at random places they hold a good number of clips", () => {
  let model = state;
  let seed = 1;
  const random = (below: number) => (seed = (seed * 48_271) % 2_147_483_647) % below;
  for (let i = 0; i < 3_000; i++) {
    const at = random(9_000_000);
    const edit: Edit = i % 3 === 0
      ? {
        op: "range.delete",
        startFrame: at,
        endFrame: at + 1 + random(3_000),
        ripple: i % 2 === 0,
      }
      : i % 3 === 1
      ? { op: "clip.add", trackId: "t", clip: { assetId: "a", startFrame: at, lengthFrames: 50 } }
      : { op: "range.insert", atFrame: at, lengthFrames: 40, trackIds: ["t"] };
    model = applyEdits(model, [edit], `r${i}`).model;
  }
  const { blocks } = model.tracks[0];
  const clips = blocks.reduce((sum, { block }) => sum + block.clips.length, 0);
  assert(clips / blocks.length > 90, `${clips} clips in ${blocks.length} blocks`);
});
