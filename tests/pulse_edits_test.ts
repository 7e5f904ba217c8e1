import { assert, assertEquals, assertThrows } from "@std/assert";
import { EngineError, InvalidParams } from "../engine/errors.ts";
import { applyChanges } from "../engine/pulse/apply_changes.ts";
import { applyEdits } from "../engine/pulse/apply_edits.ts";
import { diffModels } from "../engine/pulse/diff_models.ts";
import { type TimelineModel, timelineOf } from "../engine/pulse/timeline_model.ts";
import type { Edit } from "../engine/pulse/types.ts";
import { clipIn, edited, model, show } from "./support/timelines.ts";

const voice = () =>
  model({ t: [["a", 0, 100], ["b", 100, 200], ["c", 200, 300]], u: [["x", 0, 300]] });

function mapOf(state: TimelineModel, ...edits: Edit[]) {
  return applyEdits(state, edits, "n").map;
}

Deno.test("clip.split() keeps the left's id and fade-in, gives the right the fade-out, and fades nothing at the cut", () => {
  const before = model({
    t: [["a", 0, 100, { fadeInFrames: 60, fadeOutFrames: 70, name: "A", meta: { k: 1 } }]],
  });
  const after = edited(before, { op: "clip.split", clipId: "a", atFrame: 40, newClipId: "b" });
  assertEquals(show(after), ["t: a[0,40) b[40,100)"]);
  const [left, right] = [clipIn(after, "a"), clipIn(after, "b")];
  assertEquals([left.fadeInFrames, left.fadeOutFrames], [40, 0]);
  assertEquals([right.fadeInFrames, right.fadeOutFrames], [0, 60]);
  assertEquals([right.name, right.meta], ["A", { k: 1 }]);
});

Deno.test("clip.split() makes an id for the right part when the client gives none", () => {
  assertEquals(
    show(edited(voice(), { op: "clip.split", clipId: "b", atFrame: 150 }))[0],
    "t: a[0,100) b[100,150) n-1[150,200) c[200,300)",
  );
});

Deno.test("clip.split() of grouped clips in one request makes two segments of the group", () => {
  const group = { groupId: "g" };
  const before = model({ mic: [["m", 0, 100, group]], sys: [["s", 5, 95, group]] });
  const after = edited(
    before,
    { op: "clip.split", clipId: "m", atFrame: 50, newClipId: "m2" },
    { op: "clip.split", clipId: "s", atFrame: 50, newClipId: "s2" },
  );
  assertEquals(clipIn(after, "m").groupId, "g");
  assertEquals(clipIn(after, "s").groupId, "g");
  assertEquals(clipIn(after, "m2").groupId, clipIn(after, "s2").groupId);
  assert(clipIn(after, "m2").groupId !== "g");
  assertEquals(show(edited(after, { op: "segment.delete", clipId: "s2", ripple: "group" })), [
    "mic: m[0,50)",
    "sys: s[5,50)",
  ]);
});

Deno.test("clip.trim() keeps the sound in place and clamps fades", () => {
  const before = model({ t: [["a", 100, 200, { fadeInFrames: 80, fadeOutFrames: 10 }]] });
  const after = edited(before, { op: "clip.trim", clipId: "a", startFrame: 150, endFrame: 180 });
  assertEquals(show(after), ["t: a[150,180)"]);
  assertEquals(clipIn(after, "a").fadeInFrames, 30);
  const grown = edited(before, { op: "clip.trim", clipId: "a", startFrame: 0 });
  assertEquals(show(grown), ["t: a[0,200)"]);
  assertEquals(clipIn(grown, "a").fadeInFrames, 80);
});

Deno.test("clip.trim() may reach before the source's begin, where silence is", () => {
  const before = model({ t: [["a", 100, 200, { sourceFrame: 10 }]] });
  assertEquals(
    clipIn(edited(before, { op: "clip.trim", clipId: "a", startFrame: 50 }), "a").sourceFrame,
    -40,
  );
});

Deno.test("clip.slip() moves the sound and not the clip", () => {
  assertEquals(
    show(edited(voice(), { op: "clip.slip", clipId: "b", sourceFrame: 0.5 }))[0],
    "t: a[0,100) b[100,200)@0.5 c[200,300)",
  );
});

Deno.test("clip.move() keeps the order of starts, and goes on top of what starts at the same frame", () => {
  const after = edited(voice(), { op: "clip.move", clipId: "a", startFrame: 200 });
  assertEquals(show(after)[0], "t: b[100,200) c[200,300) a[200,300)@0");
  assertEquals(show(edited(voice(), { op: "clip.move", clipId: "a", trackId: "u" })), [
    "t: b[100,200) c[200,300)",
    "u: x[0,300) a[0,100)",
  ]);
});

Deno.test("clip.set() changes what it names, takes away what is null, and clamps fades to a shorter clip", () => {
  const before = model({ t: [["a", 0, 100, { fadeOutFrames: 90, name: "A", groupId: "g" }]] });
  const after = edited(before, {
    op: "clip.set",
    clipId: "a",
    set: { lengthFrames: 50, name: null, gainDb: null } as never,
  });
  const { fadeOutFrames, name, groupId, gainDb } = clipIn(after, "a");
  assertEquals([fadeOutFrames, name, groupId, gainDb], [50, undefined, "g", null]);
});

Deno.test("clip.add() fills in neutral values and an id", () => {
  const after = edited(voice(), {
    op: "clip.add",
    trackId: "t",
    clip: { assetId: "z", startFrame: 50, lengthFrames: 10 },
  });
  assertEquals(clipIn(after, "n-1"), {
    clipId: "n-1",
    assetId: "z",
    startFrame: 50,
    lengthFrames: 10,
    sourceFrame: 0,
    gainDb: 0,
    fadeInFrames: 0,
    fadeOutFrames: 0,
    rate: 1,
    speedMode: "matchSpeed",
  });
});

Deno.test("range.delete() without ripple leaves a gap and trims, splits and removes", () => {
  const before = model({
    t: [["a", 0, 100], ["b", 100, 200], ["c", 200, 300]],
    u: [["x", 0, 300, { fadeInFrames: 9, fadeOutFrames: 9 }]],
  });
  const after = edited(before, {
    op: "range.delete",
    startFrame: 50,
    endFrame: 250,
    ripple: false,
  });
  assertEquals(show(after), ["t: a[0,50) c[250,300)", "u: x[0,50) n-1[250,300)"]);
  assertEquals([clipIn(after, "x").fadeInFrames, clipIn(after, "x").fadeOutFrames], [9, 0]);
  assertEquals([clipIn(after, "n-1").fadeInFrames, clipIn(after, "n-1").fadeOutFrames], [0, 9]);
});

Deno.test("range.delete() with ripple closes up on every track", () => {
  const edit: Edit = { op: "range.delete", startFrame: 50, endFrame: 250, ripple: true };
  assertEquals(show(edited(voice(), edit)), [
    "t: a[0,50) c[50,100)@250",
    "u: x[0,50) n-1[50,100)@250",
  ]);
  assertEquals(mapOf(voice(), edit), [{ at: 50, remove: 200, insert: 0 }]);
});

Deno.test("range.delete() with ripple on some tracks moves no head", () => {
  const edit: Edit = {
    op: "range.delete",
    startFrame: 50,
    endFrame: 250,
    ripple: true,
    trackIds: ["t"],
  };
  assertEquals(show(edited(voice(), edit)), ["t: a[0,50) c[50,100)@250", "u: x[0,300)"]);
  assertEquals(mapOf(voice(), edit), []);
  assertEquals(mapOf(voice(), { ...edit, trackIds: ["u", "t", "u"] }).length, 1);
});

Deno.test("range.insert() splits what spans the place and moves the rest", () => {
  const edit: Edit = { op: "range.insert", atFrame: 150, lengthFrames: 1_000 };
  assertEquals(show(edited(voice(), edit)), [
    "t: a[0,100) b[100,150) n-1[1150,1200)@150 c[1200,1300)@200",
    "u: x[0,150) n-2[1150,1300)@150",
  ]);
  assertEquals(mapOf(voice(), edit), [{ at: 150, remove: 0, insert: 1_000 }]);
});

Deno.test("range.insert() undoes the time of a range.delete()", () => {
  const state = model({ t: [["a", 0, 100], ["c", 300, 400]] }, {
    markers: [{ markerId: "m", frame: 350, name: "" }],
  });
  const after = edited(
    state,
    { op: "range.delete", startFrame: 150, endFrame: 250, ripple: true },
    { op: "range.insert", atFrame: 150, lengthFrames: 100 },
  );
  assertEquals(timelineOf(after), timelineOf(state));
});

Deno.test("segment.delete() takes the clip's extent out of every track", () => {
  const edit: Edit = { op: "segment.delete", clipId: "b" };
  assertEquals(show(edited(voice(), edit)), [
    "t: a[0,100) c[100,200)@200",
    "u: x[0,100) n-1[100,200)@200",
  ]);
  assertEquals(mapOf(voice(), edit), [{ at: 100, remove: 100, insert: 0 }]);
});

Deno.test("segment.delete() with group closes the gap on the clip's own track alone", () => {
  const edit: Edit = { op: "segment.delete", clipId: "b", ripple: "group" };
  assertEquals(show(edited(voice(), edit)), ["t: a[0,100) c[100,200)@200", "u: x[0,300)"]);
  assertEquals(mapOf(voice(), edit), []);
});

Deno.test("segment.delete() with group keeps the group's tracks in sync though its clips differ", () => {
  const state = model({
    mic: [["m1", 0, 100], ["m2", 100, 200, { groupId: "g" }], ["m3", 200, 300]],
    sys: [["s1", 0, 95], ["s2", 95, 190, { groupId: "g" }], ["s3", 195, 300]],
    music: [["x", 0, 300]],
  });
  assertEquals(show(edited(state, { op: "segment.delete", clipId: "m2", ripple: "group" })), [
    "mic: m1[0,100) m3[100,200)@200",
    "sys: s1[0,95) s3[95,200)@195",
    "music: x[0,300)",
  ]);
});

Deno.test("segment.delete() with group never pushes clips into each other that were apart", () => {
  const state = model({
    mic: [["m1", 0, 100], ["m2", 100, 200, { groupId: "g" }], ["m3", 200, 300]],
    sys: [["s1", 0, 120], ["s2", 120, 180, { groupId: "g" }], ["s3", 180, 300]],
  });
  assertEquals(show(edited(state, { op: "segment.delete", clipId: "m2", ripple: "group" })), [
    "mic: m1[0,100) m3[140,240)@200",
    "sys: s1[0,120) s3[120,240)@180",
  ]);
});

Deno.test("segment.reorder() moves a segment forwards and backwards, the others close up and make room", () => {
  const state = model({ t: [["a", 0, 100], ["b", 100, 150], ["c", 150, 180]] });
  const to = (clipId: string, toIndex: number) =>
    show(edited(state, { op: "segment.reorder", clipId, toIndex }))[0];
  assertEquals(to("a", 1), "t: b[0,50)@100 a[50,150)@0 c[150,180)");
  assertEquals(to("a", 2), "t: b[0,50)@100 c[50,80)@150 a[80,180)@0");
  assertEquals(to("c", 0), "t: c[0,30)@150 a[30,130)@0 b[130,180)@100");
  assertEquals(to("b", 1), "t: a[0,100) b[100,150) c[150,180)");
});

Deno.test("segment.reorder() takes the group along with its offsets", () => {
  const state = model({
    mic: [["m1", 0, 100, { groupId: "g1" }], ["m2", 100, 200, { groupId: "g2" }]],
    sys: [["s1", 5, 95, { groupId: "g1" }], ["s2", 103, 198, { groupId: "g2" }]],
  });
  assertEquals(show(edited(state, { op: "segment.reorder", clipId: "m2", toIndex: 0 })), [
    "mic: m2[0,100)@100 m1[100,200)@0",
    "sys: s2[3,98)@103 s1[105,195)@5",
  ]);
  assertEquals(show(edited(state, { op: "segment.reorder", clipId: "m1", toIndex: 1 })), [
    "mic: m2[0,100)@100 m1[100,200)@0",
    "sys: s2[3,98)@103 s1[105,195)@5",
  ]);
});

Deno.test("markers and I/O points go with the head: onto the cut inside what is removed, and an emptied range is gone", () => {
  const state = model({ t: [["a", 0, 1_000]] }, {
    markers: [
      { markerId: "before", frame: 99, name: "" },
      { markerId: "inside", frame: 150, name: "" },
      { markerId: "end", frame: 200, name: "" },
      { markerId: "after", frame: 500, name: "" },
    ],
    ioPoints: { inFrame: 120, outFrame: 180 },
  });
  const after = timelineOf(
    edited(state, { op: "range.delete", startFrame: 100, endFrame: 200, ripple: true }),
  );
  assertEquals(after.markers!.map(({ frame }) => frame), [99, 100, 100, 400]);
  assertEquals(after.ioPoints, undefined);
  const inserted = timelineOf(
    edited(state, { op: "range.insert", atFrame: 150, lengthFrames: 10 }),
  );
  assertEquals(inserted.markers!.map(({ frame }) => frame), [99, 160, 210, 510]);
  assertEquals(inserted.ioPoints, { inFrame: 120, outFrame: 190 });
});

Deno.test("markers are added, changed and removed; io.set() sets and clears", () => {
  let state = edited(
    voice(),
    { op: "marker.add", marker: { markerId: "m", frame: 5, name: "M", meta: { x: 1 } } },
    { op: "marker.set", markerId: "m", set: { frame: 6, meta: null } },
    { op: "io.set", inFrame: 1, outFrame: 2 },
  );
  assertEquals(timelineOf(state).markers, [{ markerId: "m", frame: 6, name: "M" }]);
  assertEquals(timelineOf(state).ioPoints, { inFrame: 1, outFrame: 2 });
  state = edited(state, { op: "marker.remove", markerId: "m" }, {
    op: "io.set",
    inFrame: null,
    outFrame: null,
  });
  assertEquals(timelineOf(state), timelineOf(voice()));
});

Deno.test("tracks are added with clips, moved, changed and removed", () => {
  const after = edited(
    voice(),
    {
      op: "track.add",
      track: {
        trackId: "v",
        name: "V",
        clips: [{ assetId: "a", startFrame: 9, lengthFrames: 1, sourceFrame: 9 }] as never,
      },
      toIndex: 0,
    },
    { op: "track.move", trackId: "u", toIndex: 0 },
    { op: "track.set", trackId: "u", set: { gainDb: -6, pan: 0.5, mute: true, meta: { c: 1 } } },
    { op: "track.remove", trackId: "t" },
  );
  assertEquals(show(after), ["u: x[0,300)", "v: n-1[9,10)"]);
  const [u] = timelineOf(after).tracks;
  assertEquals([u.gainDb, u.pan, u.mute, u.solo, u.meta], [-6, 0.5, true, false, { c: 1 }]);
});

Deno.test("an edit that changes nothing gives the same model", () => {
  const state = voice();
  for (
    const edit of [
      { op: "clip.move", clipId: "a", startFrame: 0 },
      { op: "clip.set", clipId: "a", set: { gainDb: 0 } },
      { op: "clip.trim", clipId: "a", endFrame: 100 },
      { op: "clip.slip", clipId: "a", sourceFrame: 0 },
      { op: "track.set", trackId: "t", set: { mute: false } },
      { op: "range.delete", startFrame: 300, endFrame: 400, ripple: true },
      { op: "segment.reorder", clipId: "b", toIndex: 1 },
      { op: "io.set", inFrame: null, outFrame: null },
    ] satisfies Edit[]
  ) assert(edited(state, edit) === state, edit.op);
});

Deno.test("edits of one request see each other, and a refused one takes all of them back", () => {
  const state = voice();
  const before = structuredClone(timelineOf(state));
  const error = assertThrows(
    () =>
      edited(
        state,
        { op: "clip.split", clipId: "a", atFrame: 50, newClipId: "a2" },
        { op: "clip.remove", clipId: "a2" },
        { op: "clip.move", clipId: "a2", startFrame: 0 },
      ),
    EngineError,
  );
  assertEquals(error.code, "timeline.notFound");
  assertEquals(error.details, { clipId: "a2", path: ["edits", 2, "clipId"] });
  assertEquals(timelineOf(state), before);
});

const impossible: [
  string,
  Edit,
  "timeline.notFound" | "timeline.conflict" | (string | number)[],
][] = [
  ["an unknown clip", { op: "clip.remove", clipId: "zz" }, "timeline.notFound"],
  ["an unknown track", { op: "clip.move", clipId: "a", trackId: "zz" }, "timeline.notFound"],
  ["an unknown track among several", {
    op: "range.delete",
    startFrame: 0,
    endFrame: 1,
    ripple: true,
    trackIds: ["t", "zz"],
  }, "timeline.notFound"],
  ["an unknown marker", { op: "marker.remove", markerId: "zz" }, "timeline.notFound"],
  ["a clip id that is taken", {
    op: "clip.add",
    trackId: "u",
    clip: { clipId: "a", assetId: "a", startFrame: 0, lengthFrames: 1 },
  }, "timeline.conflict"],
  [
    "a split's new id that is taken",
    { op: "clip.split", clipId: "a", atFrame: 5, newClipId: "x" },
    "timeline.conflict",
  ],
  ["a track id that is taken", { op: "track.add", track: { trackId: "t" } }, "timeline.conflict"],
  ["a new track with a clip id that is taken", {
    op: "track.add",
    track: {
      trackId: "n",
      clips: [{ clipId: "a", assetId: "a", startFrame: 0, lengthFrames: 1 }] as never,
    },
  }, "timeline.conflict"],
  ["a split at the clip's begin", { op: "clip.split", clipId: "b", atFrame: 100 }, [
    "edits",
    0,
    "atFrame",
  ]],
  ["a split at the clip's end", { op: "clip.split", clipId: "b", atFrame: 200 }, [
    "edits",
    0,
    "atFrame",
  ]],
  ["a trim to nothing", { op: "clip.trim", clipId: "b", startFrame: 200 }, [
    "edits",
    0,
    "startFrame",
  ]],
  ["a trim that ends before it begins", { op: "clip.trim", clipId: "b", endFrame: 50 }, [
    "edits",
    0,
    "endFrame",
  ]],
  ["a trim of nothing", { op: "clip.trim", clipId: "b" }, ["edits", 0, "startFrame"]],
  ["a move to nowhere", { op: "clip.move", clipId: "b" }, ["edits", 0, "startFrame"]],
  ["a range that ends before it begins", {
    op: "range.delete",
    startFrame: 9,
    endFrame: 9,
    ripple: false,
  }, ["edits", 0, "endFrame"]],
  ["a clip that ends beyond the last frame", {
    op: "clip.move",
    clipId: "b",
    startFrame: Number.MAX_SAFE_INTEGER,
  }, ["edits", 0, "startFrame"]],
  ["an insertion that pushes clips beyond the last frame", {
    op: "range.insert",
    atFrame: 0,
    lengthFrames: Number.MAX_SAFE_INTEGER,
  }, ["edits", 0, "lengthFrames"]],
  ["a fade longer than its clip", { op: "clip.set", clipId: "b", set: { fadeInFrames: 101 } }, [
    "edits",
    0,
    "set",
    "fadeInFrames",
  ]],
  ["a place behind the last track", { op: "track.move", trackId: "t", toIndex: 2 }, [
    "edits",
    0,
    "toIndex",
  ]],
  ["a place behind the last segment", { op: "segment.reorder", clipId: "a", toIndex: 3 }, [
    "edits",
    0,
    "toIndex",
  ]],
  ["one I/O point alone", { op: "io.set", inFrame: 5, outFrame: null }, ["edits", 0, "outFrame"]],
  ["I/O points the wrong way round", { op: "io.set", inFrame: 5, outFrame: 5 }, [
    "edits",
    0,
    "outFrame",
  ]],
  ["a source beyond exact numbers", {
    op: "clip.slip",
    clipId: "b",
    sourceFrame: Number.MAX_SAFE_INTEGER,
  }, ["edits", 0, "sourceFrame"]],
];
for (const [name, edit, expected] of impossible) {
  Deno.test(`an edit with ${name} is refused and changes nothing`, () => {
    const state = voice();
    const before = structuredClone(timelineOf(state));
    if (typeof expected === "string") {
      assertEquals(assertThrows(() => edited(state, edit), EngineError).code, expected);
    } else {
      assertEquals([...assertThrows(() => edited(state, edit), InvalidParams).path], expected);
    }
    assertEquals(timelineOf(state), before);
  });
}

Deno.test("changes of a ripple are one shift a track, however many clips follow", () => {
  const clips = Array.from(
    { length: 2_000 },
    (_, i) => [`c${i}`, i * 10, i * 10 + 10] as [string, number, number],
  );
  const state = model({ t: clips, u: [["x", 50_000, 50_001], ["y", 50_001, 50_002]] });
  const { changes } = applyEdits(state, [{
    op: "range.delete",
    startFrame: 5_000,
    endFrame: 5_100,
    ripple: true,
  }]);
  assertEquals(changes, {
    removed: { trackIds: [], clipIds: Array.from({ length: 10 }, (_, i) => `c${500 + i}`) },
    shifted: [
      { trackId: "t", fromFrame: 5_100, byFrames: -100 },
      { trackId: "u", fromFrame: 50_000, byFrames: -100 },
    ],
    tracks: [],
    clips: [],
  });
});

Deno.test("changes of a reorder are two shifts and the segment, however far it goes", () => {
  const clips = Array.from(
    { length: 2_000 },
    (_, i) => [`c${i}`, i * 10, i * 10 + 10] as [string, number, number],
  );
  const state = model({ t: clips });
  const after = edited(state, { op: "segment.reorder", clipId: "c100", toIndex: 1_500 });
  const { shifted, clips: listed } = diffModels(state, after);
  assertEquals(shifted, [
    { trackId: "t", fromFrame: 15_010, byFrames: 10 },
    { trackId: "t", fromFrame: 1_010, byFrames: -10 },
  ]);
  assertEquals(listed.map(({ clipId, startFrame }) => [clipId, startFrame]), [["c100", 15_000]]);
});

Deno.test("changes tell the order of clips that start together", () => {
  const state = model({ t: [["a", 0, 10], ["b", 0, 20], ["c", 0, 30]] });
  for (const order of [["a"], ["b"], ["c"], ["a", "b"], ["b", "a"], ["c", "a", "b"]]) {
    // Away and back: the same clips at the same frames, in another order.
    const edits = order.flatMap((clipId): Edit[] => [
      { op: "clip.move", clipId, startFrame: 500 },
      { op: "clip.move", clipId, startFrame: 0 },
    ]);
    const { model: after, changes } = applyEdits(state, edits);
    assertEquals(applyChanges(timelineOf(state), changes), timelineOf(after));
    assertEquals(applyChanges(timelineOf(after), diffModels(after, state)), timelineOf(state));
  }
});

Deno.test("meta is kept by every edit, apart from the client's own object", () => {
  const meta = { list: [1, 2] };
  const state = model({ t: [["a", 0, 100, { meta }]] });
  meta.list.push(3);
  const after = edited(
    state,
    { op: "clip.move", clipId: "a", startFrame: 10 },
    { op: "clip.trim", clipId: "a", endFrame: 90 },
    { op: "clip.split", clipId: "a", atFrame: 50, newClipId: "b" },
    { op: "range.delete", startFrame: 20, endFrame: 30, ripple: true },
  );
  for (const { meta } of timelineOf(after).tracks[0].clips) assertEquals(meta, { list: [1, 2] });
});
