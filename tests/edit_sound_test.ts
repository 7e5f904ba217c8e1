import { assertEquals } from "@std/assert";
import { EngineError, InvalidParams } from "../engine/errors.ts";
import { applyEdits } from "../engine/pulse/apply_edits.ts";
import { modelFromTimeline } from "../engine/pulse/model_from_timeline.ts";
import { emptyModel, type TimelineModel, timelineOf } from "../engine/pulse/timeline_model.ts";
import type { Edit, Timeline } from "../engine/pulse/types.ts";
import { type HeadMapStep, invertMap, mapFrame } from "../engine/signal/model.ts";
import { randomPlanes } from "./support/audio_files.ts";
import { naiveEdit, Refused } from "./support/naive_timeline.ts";
import { prng } from "./support/prng.ts";
import { ALL_RATES, randomEdit } from "./support/random_edits.ts";
import { referenceMix } from "./support/reference_mix.ts";
import { firstDifference, firstUnlike, openRig, type Rig, unzip } from "./support/signal_rig.ts";

const FADE = 720;

interface State {
  model: TimelineModel;
  naive: Timeline;
}

Deno.test("1,000 random edits with undos, made while it plays, sound as the reference mix of the naive timeline", async () => {
  await using rig = await openRig({ singleStep: true, manualClock: true });
  for (let i = 0; i < 4; i++) {
    const encoding = i % 2 ? "s16" : "f32";
    await rig.add(`a${i}`, { planes: randomPlanes(i + 1, 1 + i % 2, 900, encoding), encoding });
  }
  const random = prng(20_261_121);
  const range = { frames: 4000, tracks: 5, clips: 150, rates: ALL_RATES };
  const model = emptyModel(48_000);
  let state: State = { model, naive: timelineOf(model) };
  const undo: { state: State; map: readonly HeadMapStep[] }[] = [];
  let revision = 0;
  let head = 1000;
  rig.signal.play(head);
  rig.render(1);
  head += 1;
  let undos = 0;
  let interpolated = 0;
  for (let done = 0; done < 1000; done++) {
    let map: readonly HeadMapStep[];
    if (undo.length > 0 && random.chance(0.2)) {
      const last = undo.pop()!;
      state = last.state;
      map = invertMap(last.map);
      undos++;
    } else {
      const edits: Edit[] = [randomEdit(random, state.naive, range)];
      const seed = `s${done}`;
      let next: State;
      try {
        const applied = applyEdits(state.model, edits, seed);
        next = { model: applied.model, naive: naiveEdit(state.naive, edits, seed).timeline };
        map = applied.map;
      } catch (error) {
        if (error instanceof EngineError || error instanceof InvalidParams) continue;
        throw error instanceof Refused
          ? new Error(`Only the reference refused ${edits[0].op}`)
          : error;
      }
      undo.push({ state, map });
      state = next;
    }
    rig.signal.publish(state.model, ++revision, map);
    rig.settle();
    rig.render(FADE);
    head = mapFrame(map, head) + FADE;
    const where = `edit ${done}, revision ${revision}`;
    assertEquals(rig.signal.position().revision, revision, where);
    assertEquals(rig.signal.position().positionFrame, head, where);
    const check = (frames: number) => {
      rig.settle();
      const [left, right] = rig.render(frames);
      const rough = new Uint8Array(frames);
      const [l, r] = referenceMix(state.naive.tracks, rig.sources, head, frames, rough);
      assertEquals(firstUnlike(left, l, rough), -1, `left, ${where}, from ${head}`);
      assertEquals(firstUnlike(right, r, rough), -1, `right, ${where}, from ${head}`);
      interpolated += rough.filter((x) => x === 1).length;
      head += frames;
    };
    check(200);
    head = random.int(range.frames);
    rig.signal.seek(head);
    rig.settle();
    rig.render(FADE);
    head += FADE;
    check(300);
  }
  assertEquals(undos > 100, true);
  assertEquals(interpolated > 10_000, true, `only ${interpolated} frames at other rates`);
  // Some edits name an asset that no file is behind: it is silence, and told so. Nothing else is missing.
  const counters = rig.signal.counters();
  assertEquals(counters.missing, counters["missing.absent"]);
  assertEquals(counters.faded, 0);
});

Deno.test("no single edit packs more than 64 KiB at 100,000 clips on one track", async () => {
  await using rig = await openRig({ singleStep: true, manualClock: true });
  const { signal } = rig;
  await rig.add("a", { planes: randomPlanes(1, 2, 101_000, "s16"), encoding: "s16" });
  const clips = Array.from({ length: 100_000 }, (_, i) => ({
    clipId: `c${i}`,
    assetId: "a",
    startFrame: i * 1000,
    lengthFrames: 900,
    sourceFrame: i,
    fadeInFrames: 10,
  }));
  const timeline: Parameters<typeof modelFromTimeline>[0] = {
    sampleRate: 48_000,
    tracks: [{ trackId: "t", name: "T", clips }],
  };
  let model = modelFromTimeline(timeline);
  signal.publish(model, 1, []);
  const middle = 50_000;
  const at = middle * 1000;
  const edits: Edit[] = [
    { op: "clip.split", clipId: `c${middle}`, atFrame: at + 450 },
    { op: "clip.move", clipId: `c${middle + 3}`, startFrame: 99_999_000 },
    { op: "clip.move", clipId: "c99999", startFrame: 0 },
    { op: "clip.remove", clipId: "c7" },
    { op: "clip.trim", clipId: `c${middle + 9}`, endFrame: (middle + 9) * 1000 + 333 },
    { op: "clip.slip", clipId: `c${middle + 11}`, sourceFrame: 5 },
    { op: "clip.set", clipId: `c${middle + 12}`, set: { gainDb: -6 } },
    { op: "clip.add", trackId: "t", clip: { assetId: "b", startFrame: at, lengthFrames: 5 } },
    { op: "segment.delete", clipId: `c${middle + 20}` },
    { op: "segment.delete", clipId: "c0" },
    { op: "segment.reorder", clipId: "c100", toIndex: 3 },
    { op: "range.delete", startFrame: 10_000, endFrame: 90_000_000, ripple: true },
    { op: "range.insert", atFrame: 500, lengthFrames: 48_000 },
    { op: "track.add", track: { trackId: "u", name: "U" } },
    { op: "track.set", trackId: "t", set: { gainDb: -3, pan: 0.25 } },
    { op: "range.delete", startFrame: 60_000, endFrame: 70_000, ripple: false },
    { op: "track.remove", trackId: "t" },
  ];
  const undo: TimelineModel[] = [];
  const sizes: Record<string, number> = {};
  let revision = 1;
  const publish = (next: TimelineModel, name: string) => {
    signal.publish(next, ++revision, []);
    sizes[name] = Math.max(sizes[name] ?? 0, signal.lastPackedBytes);
    rig.render(2048);
    model = next;
  };
  for (const edit of edits) {
    if (edit.op === "track.remove") await soundsAsPackedFromNothing(rig, model);
    undo.push(model);
    publish(applyEdits(model, [edit], `s${revision}`).model, edit.op);
    // Taken back and made again, so that undo is measured from the state that it is used in. What a removed track or a
    // long range brings back is whole again: that is timeline.set's size, not an edit's.
    const big = edit.op === "track.remove" || edit.op === "range.delete";
    if (!big) {
      const again = model;
      publish(undo[undo.length - 1], `undo ${edit.op}`);
      publish(again, `redo ${edit.op}`);
    }
  }
  for (const [name, bytes] of Object.entries(sizes)) {
    assertEquals(bytes <= 65_536, true, `${name} packed ${bytes} bytes`);
  }
});

/** What arrived edit by edit is what was meant: here and there it sounds as the whole model does that was packed at once. */
async function soundsAsPackedFromNothing(rig: Rig, model: TimelineModel): Promise<void> {
  for (const from of [50_000, 65_000, 1_000_000, 9_990_000]) {
    rig.signal.play(from);
    rig.settle();
    rig.render(FADE); // the fade of a seek, where it plays already
    rig.settle();
    const [left, right] = rig.render(6000);
    await using whole = rig.signal.renderOffline(model, from + FADE);
    const [l, r] = unzip(await whole.next(6000));
    assertEquals(l.some((x) => x !== 0), true);
    assertEquals(firstDifference(left, l), -1, `left from ${from}`);
    assertEquals(firstDifference(right, r), -1, `right from ${from}`);
  }
}
