/** Edits with a `mergeKey`: one undo step, whoever edits meanwhile. */
import { assert, assertEquals } from "@std/assert";
import { applyChanges } from "../engine/pulse/apply_changes.ts";
import { compactMap } from "../engine/pulse/compact_map.ts";
import { type Commit, TimelineService } from "../engine/pulse/timeline_service.ts";
import type { Edit, Timeline } from "../engine/pulse/types.ts";
import { type HeadMapStep, invertMap, mapEnd, mapFrame } from "../engine/signal/model.ts";
import { prng } from "./support/prng.ts";

const ann = { clientId: "ann" };
const bob = { clientId: "bob" };

/** Two tracks of ten clips. */
function service() {
  const commits: Commit[] = [];
  const timeline = TimelineService.inMemory(48_000, { onCommit: (commit) => commits.push(commit) });
  const clips = (of: string) =>
    Array.from({ length: 10 }, (_, i) => ({
      clipId: `${of}${i}`,
      assetId: "a",
      startFrame: i * 100,
      lengthFrames: 100,
    }));
  timeline.edit(
    ["t", "u"].map((trackId): Edit => ({
      op: "track.add",
      track: { trackId, clips: clips(trackId) },
    })),
    {},
    ann,
  );
  commits.length = 0;
  const steps = timeline.history().total;
  return { timeline, commits, steps };
}

const move = (clipId: string, startFrame: number): Edit[] => [{
  op: "clip.move",
  clipId,
  startFrame,
}];
const gain = (trackId: string, gainDb: number): Edit[] => [{
  op: "track.set",
  trackId,
  set: { gainDb },
}];
const startOf = ({ tracks }: Timeline, clipId: string) =>
  tracks.flatMap(({ clips }) => clips).find((clip) => clip.clipId === clipId)?.startFrame;
const copy = (timeline: TimelineService) => structuredClone(timeline.get().timeline);

Deno.test("a drag is one undo step though others edit meanwhile, and theirs is not swallowed", () => {
  const { timeline, steps } = service();
  const before = copy(timeline);
  for (let i = 1; i <= 200; i++) {
    timeline.edit(move("t0", 1_000 + i), { mergeKey: "drag", label: "Drag" }, ann);
    if (i === 100) timeline.edit(gain("u", -6), { label: "Fade" }, bob);
  }
  const after = copy(timeline);
  const { entries } = timeline.history({ offset: steps });
  assertEquals(entries.map(({ label, clientId }) => [label, clientId]), [
    ["Fade", "bob"],
    ["Drag", "ann"],
  ]);
  timeline.undo({}, ann);
  // Where the drag began, with what Bob did.
  assertEquals(startOf(copy(timeline), "t0"), 0);
  assertEquals(copy(timeline).tracks[1].gainDb, -6);
  timeline.undo({}, ann);
  assertEquals(copy(timeline), before);
  timeline.redo({}, ann);
  assertEquals(startOf(copy(timeline), "t0"), 0);
  assertEquals(copy(timeline).tracks[1].gainDb, -6);
  timeline.redo({}, ann);
  assertEquals(copy(timeline), after);
});

Deno.test("two clients that drag at once leave two steps", () => {
  const { timeline, steps, commits } = service();
  const before = copy(timeline);
  let mirror = before;
  for (let i = 1; i <= 200; i++) {
    timeline.edit(move("t0", 1_000 + i), { mergeKey: "drag" }, ann);
    timeline.edit(move("u9", 2_000 + i), { mergeKey: "drag" }, bob);
  }
  const after = copy(timeline);
  assertEquals(timeline.history().total, steps + 2);
  timeline.undo({}, ann);
  assertEquals([startOf(copy(timeline), "t0"), startOf(copy(timeline), "u9")], [1_200, 900]);
  timeline.undo({}, ann);
  assertEquals(copy(timeline), before);
  timeline.redo({}, ann);
  timeline.redo({}, ann);
  assertEquals(copy(timeline), after);
  for (const { changes } of commits) mirror = applyChanges(mirror, changes);
  assertEquals(mirror, after);
});

Deno.test("a drag goes on in a step of its own where another client touched the same thing, or everything", () => {
  const others: [string, Edit[]][] = [
    ["the same clip", move("t0", 5_000)],
    ["time", [{ op: "range.insert", atFrame: 0, lengthFrames: 10 }]],
    ["tracks", [{ op: "track.remove", trackId: "u" }]],
    ["a segment", [{ op: "segment.reorder", clipId: "u3", toIndex: 0 }]],
  ];
  for (const [name, edits] of others) {
    const { timeline, steps } = service();
    const before = copy(timeline);
    timeline.edit(move("t0", 2_000), { mergeKey: "drag" }, ann);
    const dragged = copy(timeline);
    timeline.edit(edits, {}, bob);
    const theirs = copy(timeline);
    timeline.edit(move("t0", 3_000), { mergeKey: "drag" }, ann);
    timeline.edit(move("t0", 4_000), { mergeKey: "drag" }, ann);
    assertEquals(timeline.history().total, steps + 3, name);
    for (const state of [theirs, dragged, before]) {
      timeline.undo({}, ann);
      assertEquals(copy(timeline), state, name);
    }
  }
});

Deno.test("what comes to a drag later is looked at too: it stays above what others did to that", () => {
  const { timeline, steps } = service();
  timeline.edit(move("t0", 2_000), { mergeKey: "drag" }, ann);
  timeline.edit(move("u0", 2_000), {}, bob);
  timeline.edit(move("u0", 3_000), { mergeKey: "drag" }, ann);
  assertEquals(timeline.history().total, steps + 3);
});

Deno.test("after an undo, a redo or an edit without it a mergeKey begins anew", () => {
  const { timeline, steps } = service();
  timeline.edit(move("t0", 2_000), { mergeKey: "k" }, ann);
  timeline.undo({}, bob);
  timeline.redo({}, bob);
  timeline.edit(move("t0", 3_000), { mergeKey: "k" }, ann);
  timeline.edit(move("t0", 4_000), { mergeKey: "k" }, ann);
  assertEquals(timeline.history().total, steps + 2);
  timeline.edit(move("t0", 5_000), {}, ann);
  timeline.edit(move("t0", 6_000), { mergeKey: "k" }, ann);
  assertEquals(timeline.history().total, steps + 4);
  // What was undone in the middle of a drag is not what comes next is merged into.
  timeline.undo({}, ann);
  timeline.edit(move("t0", 7_000), { mergeKey: "k" }, ann);
  assertEquals(timeline.history().total, steps + 4);
  timeline.undo({}, ann);
  assertEquals(startOf(copy(timeline), "t0"), 5_000);
});

Deno.test("timelines that are set with one mergeKey are one step", () => {
  const { timeline, steps } = service();
  const before = copy(timeline);
  for (let i = 1; i <= 5; i++) {
    const next = copy(timeline);
    next.tracks[0].clips[0].gainDb = -i;
    timeline.set(next, { mergeKey: "fader" }, ann);
  }
  assertEquals(timeline.history().total, steps + 1);
  timeline.undo({}, ann);
  assertEquals(copy(timeline), before);
});

Deno.test("random drags of four clients: each step back and forth leads where it led, and every mirror follows", () => {
  for (const seed of [1, 2, 3]) {
    const random = prng(seed);
    const { timeline, commits } = service();
    let mirror = copy(timeline);
    const clients = ["ann", "bob", "cem", "dia"].map((clientId, i) => ({
      clientId,
      key: "k0",
      ids: [0, 1, 2, 3].map((n) => `${i % 2 === 0 ? "t" : "u"}${(i >> 1) * 4 + n}`),
    }));
    for (let step = 0; step < 400; step++) {
      const client = random.pick(clients);
      if (random.chance(0.05)) client.key = `k${step}`;
      const options = random.chance(0.9) ? { mergeKey: client.key } : {};
      const dice = random.int(100);
      const caller = { clientId: client.clientId };
      if (dice < 4 && timeline.canUndo) timeline.undo({}, caller);
      else if (dice < 6 && timeline.canRedo) timeline.redo({}, caller);
      else {
        const at = 100 * random.int(30);
        const clipId = random.pick(client.ids);
        const edits = random.pick<() => Edit[]>([
          () => move(clipId, at),
          () => [{ op: "clip.move", clipId, trackId: random.pick(["t", "u"]) }],
          () => [{ op: "clip.set", clipId, set: { gainDb: -random.int(20) } }],
          () => gain(random.pick(["t", "u"]), -random.int(20)),
          () => [{ op: "io.set", inFrame: at, outFrame: at + 50 }],
          () => [{ op: "marker.add", marker: { markerId: `m${step}`, frame: at, name: "" } }],
          () => [{ op: "range.insert", atFrame: at, lengthFrames: 10 }],
        ]);
        timeline.edit(dice < 90 ? edits() : move(clipId, at), options, caller);
      }
    }
    const total = timeline.history().total;
    assert(total > 10 && total < 350, `${total} steps`);
    // All the way back and forth: what an undo leaves, the redo of the step below it had left.
    const states = [copy(timeline)];
    while (timeline.canUndo) {
      timeline.undo({}, ann);
      states.push(copy(timeline));
    }
    assertEquals(states.at(-1)!.tracks, []);
    while (timeline.canRedo) {
      if (states.length === 0) break;
      assertEquals(copy(timeline), states.pop());
      timeline.redo({}, ann);
    }
    for (const { changes } of commits) mirror = applyChanges(mirror, changes);
    assertEquals(mirror, copy(timeline));
  }
});

Deno.test("the head's map of many steps is kept as few, and takes every frame where they took it", () => {
  const random = prng(4);
  for (let round = 0; round < 200; round++) {
    const map: HeadMapStep[] = [];
    for (let i = 0; i < 1 + random.int(12); i++) {
      const at = 10 * random.int(12);
      map.push(
        random.chance(0.5)
          ? { at, remove: 10 * (1 + random.int(4)), insert: 0 }
          : { at, remove: 0, insert: 10 * (1 + random.int(4)) },
      );
      if (random.chance(0.3)) map.push(...invertMap([map[map.length - 1]]));
    }
    const short = compactMap(map);
    for (let frame = 0; frame < 400; frame++) {
      assertEquals(mapFrame(short, frame), mapFrame(map, frame), JSON.stringify({ map, frame }));
    }
    assertEquals(compactMap(short), short);
    // Back: every frame that no cut took away comes back to itself.
    for (let frame = 0; frame < 400; frame++) {
      if (mapFrame(map, frame + 1) - mapFrame(map, frame) !== 1) continue;
      if (frame > 0 && mapFrame(map, frame) - mapFrame(map, frame - 1) !== 1) continue;
      assertEquals(mapFrame(invertMap(short), mapFrame(short, frame)), frame);
    }
  }
  const drag = Array.from({ length: 3_000 }, (_, i): HeadMapStep[] => [
    { at: 1_000, remove: i, insert: 0 },
    { at: 1_000, remove: 0, insert: i + 1 },
  ]).flat();
  assert(compactMap(drag).length <= 3);
  assertEquals(mapEnd([{ at: 100, remove: 0, insert: 10 }], 100), 100);
});

Deno.test("a drag that ripples keeps one short map however long it lasts", () => {
  const { timeline, commits } = service();
  const maps: number[] = [];
  for (let i = 0; i < 300; i++) {
    timeline.edit(
      [
        { op: "range.delete", startFrame: 100, endFrame: 110, ripple: true },
        { op: "range.insert", atFrame: 100, lengthFrames: 9 },
      ],
      { mergeKey: "ripple" },
      ann,
    );
  }
  timeline.undo({}, ann);
  maps.push(commits.at(-1)!.map.length);
  assert(maps[0] <= 4, `${maps[0]} steps`);
});
