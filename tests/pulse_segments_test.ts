/** The rule of groups (`engine/pulse/edits/segments.ts`), and what edits do to I/O points. */
import { assert, assertEquals } from "@std/assert";
import { applyEdits } from "../engine/pulse/apply_edits.ts";
import { type TimelineModel, timelineOf } from "../engine/pulse/timeline_model.ts";
import type { Edit } from "../engine/pulse/types.ts";
import { clipIn, edited, model, type ShortClip, show } from "./support/timelines.ts";

let requests = 0;

/** After one request more, with ids of its own. */
function then(state: TimelineModel, ...edits: Edit[]): TimelineModel {
  return applyEdits(state, edits, `request ${++requests}`).model;
}

const split = (clipId: string, atFrame: number, newClipId = `${clipId}'`): Edit => ({
  op: "clip.split",
  clipId,
  atFrame,
  newClipId,
});
const remove = (clipId: string, ripple?: "all" | "group"): Edit => ({
  op: "segment.delete",
  clipId,
  ...(ripple && { ripple }),
});
const mapOf = (state: TimelineModel, ...edits: Edit[]) => applyEdits(state, edits, "n").map;

/** Ids of the clips of each segment, a segment without a group as well; in the order of its first clip. */
function segments(state: TimelineModel): string[] {
  const found = new Map<string, string[]>();
  for (const { clips } of timelineOf(state).tracks) {
    for (const { clipId, groupId = `of ${clipId}` } of clips) {
      found.set(groupId, [...found.get(groupId) ?? [], clipId]);
    }
  }
  return [...found.values()].map((ids) => ids.join(" "));
}

/** A recording: microphone and system sound with ends of their own, and music that runs through. */
function recording(): TimelineModel {
  const g = { groupId: "g" };
  return model({
    mic: [["m", 0, 300, g], ["m9", 320, 400]],
    sys: [["s", 10, 290, g], ["s9", 330, 400]],
    music: [["x", 0, 400]],
  });
}

Deno.test("a recording split at one frame is two segments, by one request or by one after another", () => {
  const whole = recording();
  const atOnce = edited(whole, split("m", 100), split("s", 100));
  const inTurn = then(then(whole, split("m", 100)), split("s", 100));
  for (const state of [atOnce, inTurn]) {
    assertEquals(segments(state), ["m s", "m' s'", "m9", "s9", "x"]);
    assertEquals(clipIn(state, "m").groupId, "g");
    assertEquals(show(edited(state, remove("m", "group"))), [
      "mic: m'[0,200)@100 m9[220,300)@320",
      "sys: s'[0,190)@100 s9[230,300)@330",
      "music: x[0,400)",
    ]);
    assertEquals(show(edited(state, remove("s'", "group"))), [
      "mic: m[0,100) m9[120,200)@320",
      "sys: s[10,100) s9[130,200)@330",
      "music: x[0,400)",
    ]);
  }
  // Thrice at one place after another, from right to left and from left to right.
  const twice = then(then(atOnce, split("s'", 200)), split("m'", 200));
  assertEquals(segments(twice), ["m s", "m' s'", "m'' s''", "m9", "s9", "x"]);
  const left = then(then(atOnce, split("s", 50, "s+")), split("m", 50, "m+"));
  assertEquals(
    segments(left),
    ["m s", "m+ s+", "m' s'", "m9", "s9", "x"],
  );
});

Deno.test("a recording that is played backwards or at another speed is split by one request after another, too", () => {
  for (const rest of [{ reverse: true }, { rate: 1.1 }, { rate: 0.3, reverse: true }]) {
    const g = { groupId: "g", ...rest };
    const state = model({ mic: [["m", 0, 300, g]], sys: [["s", 10, 290, g]] });
    const parted = then(then(state, split("m", 100)), split("s", 100));
    assertEquals(segments(parted), ["m s", "m' s'"], JSON.stringify(rest));
  }
});

Deno.test("a split before a partner begins gives the partner to the right part", () => {
  const g = { groupId: "g" };
  const state = model({
    mic: [["m", 0, 300, g]],
    sys: [["s", 120, 280, g]],
    cam: [["c", 40, 90, g]],
  });
  assertEquals(segments(edited(state, split("m", 100))), ["m c", "m' s"]);
  assertEquals(segments(edited(state, split("m", 120))), ["m c", "m' s"]);
  // One that the cut goes through and that is not cut began before it: it stays with the left part.
  assertEquals(segments(edited(state, split("m", 121))), ["m s c", "m'"]);
});

Deno.test("parts that were moved apart since are not taken for what an earlier cut left", () => {
  const state = then(
    then(recording(), split("m", 100)),
    { op: "clip.move", clipId: "m'", startFrame: 150 },
  );
  assertEquals(segments(then(state, split("s", 100))), ["m s", "m'", "m9", "s'", "s9", "x"]);
});

Deno.test("a range cut through a segment leaves two, a range at its edge leaves one", () => {
  const range = (startFrame: number, endFrame: number, rest: object = {}): Edit => ({
    op: "range.delete",
    startFrame,
    endFrame,
    ripple: true,
    ...rest,
  });
  const { mic, sys } = {
    mic: (rest?: object) => edited(recording(), range(100, 200, rest)),
    sys: (rest?: object) => edited(recording(), range(5, 50, rest)),
  };
  assertEquals(segments(mic()), ["m s", "n-1 n-3", "m9", "s9", "x", "n-4"]);
  assertEquals(segments(mic({ ripple: false })), ["m s", "n-1 n-3", "m9", "s9", "x", "n-4"]);
  // The begin of the system sound goes; the microphone is cut in two: what is left of the former lies right of the cut.
  assertEquals(segments(sys()), ["m", "n-1 s", "m9", "s9", "x", "n-3"]);
  // On one track: the others' are left alone.
  assertEquals(segments(sys({ trackIds: ["mic"] })), ["m s", "n-1", "m9", "s9", "x"]);
  // Something of the middle, though no clip of it is cut in two; and nothing of it.
  const loose = model({
    mic: [["m", 0, 100, { groupId: "g" }]],
    sys: [["s", 120, 300, { groupId: "g" }]],
  });
  assertEquals(segments(edited(loose, range(90, 130))), ["m", "s"]);
  assertEquals(segments(edited(loose, range(90, 110))), ["m", "s"]);
  assertEquals(segments(edited(loose, range(100, 120))), ["m s"]);
  assertEquals(segments(edited(loose, range(90, 130, { trackIds: ["mic"] }))), ["m s"]);
  // The edges alone: nothing is cut in two.
  assertEquals(segments(edited(recording(), range(0, 50))), ["m s", "m9", "s9", "x"]);
  assertEquals(segments(edited(recording(), range(280, 310)))[0], "m s");
  // A gap that is put in.
  const inserted = edited(recording(), { op: "range.insert", atFrame: 5, lengthFrames: 50 });
  assertEquals(segments(inserted), ["m", "n-1 s", "m9", "s9", "x", "n-3"]);
  assertEquals(
    segments(edited(recording(), { op: "range.insert", atFrame: 310, lengthFrames: 5 })),
    [
      "m s",
      "m9",
      "s9",
      "x",
      "n-1",
    ],
  );
});

Deno.test("segment.delete() takes all of the segment and the time that it covers, whichever of its clips is named", () => {
  const state = edited(recording(), split("m", 100), split("s", 100));
  for (const clipId of ["m'", "s'"]) {
    const edit = remove(clipId);
    assertEquals(show(edited(state, edit)), [
      "mic: m[0,100) m9[120,200)@320",
      "sys: s[10,100) s9[130,200)@330",
      "music: x[0,100) n-1[100,200)@300",
    ]);
    assertEquals(mapOf(state, edit), [{ at: 100, remove: 200, insert: 0 }]);
  }
});

Deno.test("segment.delete() of a segment in two places takes both out and nothing between", () => {
  const g = { groupId: "g" };
  const state = model({
    t: [["a", 0, 100, g], ["b", 100, 150], ["c", 150, 250, g], ["d", 250, 300]],
    u: [["x", 90, 160]],
  });
  assertEquals(show(edited(state, remove("a"))), [
    "t: b[0,50)@100 d[50,100)@250",
    "u: x[0,50)@100",
  ]);
  assertEquals(mapOf(state, remove("c")), [
    { at: 150, remove: 100, insert: 0 },
    { at: 0, remove: 100, insert: 0 },
  ]);
  assertEquals(show(edited(state, remove("c", "group"))), [
    "t: b[0,50)@100 d[50,100)@250",
    "u: x[90,160)",
  ]);
});

Deno.test("segment.delete() with group keeps what follows in sync also where the segment's clips never sound together", () => {
  const g = { groupId: "g" };
  const state = model({
    mic: [["m", 0, 100, g], ["m2", 200, 300]],
    sys: [["s", 150, 200, g], ["s2", 205, 300]],
    music: [["x", 0, 300]],
  });
  assertEquals(show(edited(state, remove("s", "group"))), [
    "mic: m2[50,150)@200",
    "sys: s2[55,150)@205",
    "music: x[0,300)",
  ]);
});

Deno.test("segment.delete() with group closes the segment's own time, not the gaps around it", () => {
  const g = { groupId: "g" };
  // Before it a pause, behind it a crossfade.
  const state = model({ t: [["a", 0, 50], ["b", 100, 200, g], ["c", 150, 250]], u: [] });
  assertEquals(show(edited(state, remove("b", "group")))[0], "t: a[0,50) c[100,200)@150");
  // Between two crossfades: the neighbours meet.
  const faded = model({ t: [["a", 0, 110], ["b", 100, 200], ["c", 190, 300]], u: [] });
  assertEquals(show(edited(faded, remove("b", "group")))[0], "t: a[0,110) c[110,220)@190");
});

Deno.test("segment.delete() with group goes on over a bed that everything lies on", () => {
  const clips: ShortClip[] = [["bed", 0, 1_000], ["b", 100, 200], ["c", 200, 300]];
  assertEquals(
    show(edited(model({ t: clips, u: [] }), remove("b", "group")))[0],
    "t: bed[0,1000) c[100,200)@200",
  );
  // What begins where the bed ends would run into it.
  const next: ShortClip[] = [...clips, ["next", 1_040, 1_100]];
  assertEquals(
    show(edited(model({ t: next, u: [] }), remove("b", "group")))[0],
    "t: bed[0,1000) c[160,260)@200 next[1000,1060)@1040",
  );
});

Deno.test("segment.delete() with group on all tracks is a ripple over all tracks: the head and markers go along", () => {
  const g = { groupId: "g" };
  const state = model({
    mic: [["m1", 0, 100], ["m2", 100, 200, g], ["m3", 200, 300]],
    sys: [["s1", 0, 95], ["s2", 105, 190, g], ["s3", 205, 300]],
  }, { markers: [{ markerId: "k", frame: 250, name: "" }] });
  const after = edited(state, remove("s2", "group"));
  assertEquals(show(after), ["mic: m1[0,100) m3[100,200)@200", "sys: s1[0,95) s3[105,200)@205"]);
  assertEquals(mapOf(state, remove("s2", "group")), [{ at: 100, remove: 100, insert: 0 }]);
  assertEquals(after.markers[0].frame, 150);
  const three = edited(state, { op: "track.add", track: { trackId: "music" } });
  assertEquals(mapOf(three, remove("s2", "group")), []);
});

Deno.test("segment.reorder() keeps a segment together where its partners differ in length and offset", () => {
  const of = (groupId: string) => ({ groupId });
  const state = model({
    mic: [["m1", 0, 100, of("1")], ["m2", 150, 250, of("2")], ["m3", 250, 330, of("3")]],
    sys: [["s1", 0, 140, of("1")], ["s2", 152, 240, of("2")], ["s3", 255, 330, of("3")]],
  });
  const to = (clipId: string, toIndex: number) =>
    show(edited(state, { op: "segment.reorder", clipId, toIndex }));
  // To the second place: there the first one's system sound still runs where the second one's microphone begins, and is not run into.
  assertEquals(to("m3", 1), [
    "mic: m1[0,100) m3[150,230)@250 m2[230,330)@150",
    "sys: s1[0,140) s3[155,230)@255 s2[232,320)@152",
  ]);
  assertEquals(to("s3", 1), [
    "mic: m1[0,100) m3[147,227)@250 m2[227,327)@150",
    "sys: s1[0,140) s3[152,227)@255 s2[229,317)@152",
  ]);
  assertEquals(to("m1", 2), [
    "mic: m2[10,110)@150 m3[110,190)@250 m1[190,290)@0",
    "sys: s2[12,100)@152 s3[115,190)@255 s1[190,330)@0",
  ]);
});

Deno.test("segment.reorder() never runs into a clip that sounds on at the place where it goes in", () => {
  const g = { groupId: "g" };
  const state = model({
    mic: [["m1", 0, 100], ["m2", 100, 200], ["m3", 200, 300, g]],
    sys: [["s1", 0, 130], ["s3", 200, 290, g]],
  });
  assertEquals(show(edited(state, { op: "segment.reorder", clipId: "m3", toIndex: 1 })), [
    "mic: m1[0,100) m3[130,230)@200 m2[230,330)@100",
    "sys: s1[0,130) s3[130,220)@200",
  ]);
});

Deno.test("segment.reorder() takes a segment with several clips on a track, from the very start and back", () => {
  const g = { groupId: "g" };
  const state = model({
    t: [["a", 0, 50, g], ["b", 50, 100, g], ["c", 100, 180]],
    u: [["x", 0, 100, g], ["y", 100, 180]],
  });
  const moved = edited(state, { op: "segment.reorder", clipId: "b", toIndex: 1 });
  assertEquals(show(moved), [
    "t: c[0,80)@100 a[80,130)@0 b[130,180)@50",
    "u: y[0,80)@100 x[80,180)@0",
  ]);
  assertEquals(
    show(edited(moved, { op: "segment.reorder", clipId: "x", toIndex: 0 })),
    show(state),
  );
});

Deno.test("the I/O range goes with the cut: taken out it is gone, cut into it is shorter, what is put in at its end lies behind it", () => {
  const state = model({ t: [["a", 0, 1_000]], u: [["b", 0, 1_000]] }, {
    ioPoints: { inFrame: 200, outFrame: 400 },
  });
  const io = (...edits: Edit[]) => timelineOf(edited(state, ...edits)).ioPoints;
  const range = (startFrame: number, endFrame: number, rest: object = {}): Edit => ({
    op: "range.delete",
    startFrame,
    endFrame,
    ripple: true,
    ...rest,
  });
  assertEquals(io(range(200, 400)), undefined);
  assertEquals(io(range(100, 500)), undefined);
  assertEquals(io(range(200, 399)), { inFrame: 200, outFrame: 201 });
  assertEquals(io(range(100, 300)), { inFrame: 100, outFrame: 200 });
  assertEquals(io(range(300, 500)), { inFrame: 200, outFrame: 300 });
  assertEquals(io(range(0, 100)), { inFrame: 100, outFrame: 300 });
  assertEquals(io(range(400, 500)), { inFrame: 200, outFrame: 400 });
  // A lift, and a ripple on one track, move no time.
  assertEquals(io(range(200, 400, { ripple: false })), { inFrame: 200, outFrame: 400 });
  assertEquals(io(range(200, 400, { trackIds: ["t"] })), { inFrame: 200, outFrame: 400 });
  const insert = (atFrame: number): Edit => ({ op: "range.insert", atFrame, lengthFrames: 50 });
  assertEquals(io(insert(200)), { inFrame: 250, outFrame: 450 });
  assertEquals(io(insert(399)), { inFrame: 200, outFrame: 450 });
  assertEquals(io(insert(400)), { inFrame: 200, outFrame: 400 });
  // Cleared and moved by edits of one request.
  assertEquals(
    io(range(200, 400), { op: "io.set", inFrame: 100, outFrame: 150 }),
    { inFrame: 100, outFrame: 150 },
  );
  assertEquals(io({ op: "io.set", inFrame: null, outFrame: null }, range(0, 10)), undefined);
});

Deno.test("deleting the I/O range on all tracks takes the head and markers onto the cut, on one track it leaves them", () => {
  const state = model({ t: [["a", 0, 1_000]], u: [["b", 0, 1_000]] }, {
    ioPoints: { inFrame: 200, outFrame: 400 },
    markers: [{ markerId: "m", frame: 300, name: "" }],
  });
  const edit: Edit = { op: "range.delete", startFrame: 200, endFrame: 400, ripple: true };
  assertEquals(mapOf(state, edit), [{ at: 200, remove: 200, insert: 0 }]);
  assertEquals(edited(state, edit).markers[0].frame, 200);
  const one = { ...edit, trackIds: ["u"] };
  assertEquals(mapOf(state, one), []);
  const after = edited(state, one);
  assertEquals(show(after), ["t: a[0,1000)", "u: b[0,200) n-1[200,800)@400"]);
  assert(after.markers === state.markers);
});
