import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { applyEdits } from "../engine/pulse/apply_edits.ts";
import { modelFromTimeline } from "../engine/pulse/model_from_timeline.ts";
import { EditsSchema } from "../engine/pulse/schema.ts";
import { timelineOf } from "../engine/pulse/timeline_model.ts";
import type { Asset, ClipInput, Edit, Timeline, Track } from "../engine/pulse/types.ts";
import { TimelineMirror } from "../server/web/client/mirror.js";
import {
  changeGain,
  duplicate,
  extent,
  layOut,
  layOutOnTracks,
  liftDelete,
  nextCut,
  nudge,
  paste,
  rippleDelete,
  splitAt,
  toggleFadeShape,
  trimTo,
} from "../server/web/model/edits.js";
import { Selection } from "../server/web/model/selection.js";
import { snapPoints, snapShift } from "../server/web/model/snap.js";

function track(trackId: string, ...clips: [id: string, start: number, length: number][]): Track {
  return {
    trackId,
    name: `Track ${trackId}`,
    gainDb: 0,
    pan: 0,
    mute: false,
    solo: false,
    clips: clips.map(([clipId, startFrame, lengthFrames]): ClipInput => ({
      clipId,
      assetId: "a",
      startFrame,
      lengthFrames,
      sourceFrame: 0,
    })) as Track["clips"],
  };
}

function scene(...tracks: Track[]) {
  const model = modelFromTimeline({ sampleRate: 48_000, tracks });
  const mirror = new TimelineMirror();
  mirror.reset(timelineOf(model), 1);
  return {
    mirror,
    clips: (...ids: string[]) => ids.map((id) => mirror.clip(id)!),
    /** What the engine makes of the edits. */
    after(edits: Edit[]): Timeline {
      EditsSchema.parse(edits);
      return timelineOf(applyEdits(model, edits, "test").model);
    },
  };
}

const places = ({ tracks }: Timeline) =>
  tracks.map(({ clips }) => clips.map((c) => [c.startFrame, c.lengthFrames]));

const ASSET = { assetId: "a", lengthSamples: 44_100, sampleRate: 44_100 } as Asset;

Deno.test("splitAt() splits the selected clips under the playhead, or all where none is selected there", () => {
  const { mirror, after } = scene(track("1", ["a", 0, 100]), track("2", ["b", 50, 100]));
  const all = splitAt(mirror, () => false, 60);
  assertEquals(places(after(all.edits)), [[[0, 60], [60, 40]], [[50, 10], [60, 90]]]);
  const one = splitAt(mirror, (id) => id === "b", 60);
  assertEquals(places(after(one.edits)), [[[0, 100]], [[50, 10], [60, 90]]]);
  assertEquals([...one.rightIds.keys()], ["b"]);
  // The very start or end of a clip is no place to split it.
  assertEquals(splitAt(mirror, () => false, 0).edits, []);
  assertEquals(splitAt(mirror, () => false, 150).edits, []);
});

Deno.test("rippleDelete() closes the gap on all tracks, for one clip and for many", () => {
  const { clips, after } = scene(
    track("1", ["a", 0, 100], ["b", 100, 100], ["c", 200, 100]),
    track("2", ["d", 0, 300]),
  );
  assertEquals(
    places(after(rippleDelete(clips("b")))),
    [[[0, 100], [100, 100]], [[0, 100], [100, 100]]],
  );
  assertEquals(places(after(rippleDelete(clips("a", "c")))), [[[0, 100]], [[0, 100]]]);
  // Adjacent ones are one range.
  assertEquals(rippleDelete(clips("a", "b")).length, 1);
  assertEquals(places(after(liftDelete(clips("a", "c")))), [[[100, 100]], [[0, 300]]]);
});

Deno.test("layOut() takes a track with room, the preferred one first, else a new one", () => {
  const { mirror, after } = scene(track("1", ["a", 0, 96_000]), track("2"), track("3"));
  const first = layOut(mirror, [ASSET], 0, null);
  assertEquals(first.edits.length, 1);
  assertEquals(places(after(first.edits))[1], [[0, 48_000]]);
  const preferred = layOut(mirror, [ASSET, ASSET], 10, "3");
  assertEquals(places(after(preferred.edits))[2], [[10, 48_000], [48_010, 48_000]]);
  const { mirror: full, after: afterFull } = scene(track("1", ["a", 0, 96_000]));
  const made = layOut(full, [ASSET], 0, null);
  assertEquals(places(afterFull(made.edits)), [[[0, 96_000]], [[0, 48_000]]]);
  assertEquals(afterFull(made.edits).tracks[1].name, "Track 2");
});

Deno.test("duplicate() lays copies right after the last of them", () => {
  const { mirror, clips, after } = scene(track("1", ["a", 0, 100], ["b", 120, 30]));
  const { edits, clipIds } = duplicate(mirror, clips("a", "b"));
  assertEquals(places(after(edits))[0], [[0, 100], [120, 30], [150, 100], [270, 30]]);
  assertEquals(new Set(clipIds).size, 2);
  assertNotEquals(clipIds[0], "a");
  assertEquals(extent(clips("a", "b")), { startFrame: 0, endFrame: 150 });
  assertEquals(extent([]), null);
});

Deno.test("paste() keeps tracks and distances; what lay on a track that is gone goes to the first", () => {
  const { mirror, clips, after } = scene(track("1", ["a", 50, 100]), track("2", ["b", 70, 30]));
  const copied = [...clips("a", "b"), { ...clips("b")[0], trackId: "gone", startFrame: 300 }];
  const { edits } = paste(mirror, copied, 1_000);
  assertEquals(
    places(after(edits)),
    [[[50, 100], [1_000, 100], [1_250, 30]], [[70, 30], [1_020, 30]]],
  );
  assertEquals(paste(mirror, [], 0).edits, []);
});

Deno.test("nudge(), changeGain() and toggleFadeShape() treat all selected clips alike", () => {
  const { clips, after } = scene(track("1", ["a", 50, 100], ["b", 300, 30]));
  assertEquals(places(after(nudge(clips("a", "b"), -80)))[0], [[0, 100], [250, 30]]);
  assertEquals(nudge([{ ...clips("a")[0], startFrame: 0 }], -80), []);
  const gains = after(changeGain(clips("a", "b"), -1.5)).tracks[0].clips;
  assertEquals(gains.map(({ gainDb }) => gainDb), [-1.5, -1.5]);
  assertEquals(changeGain([{ ...clips("a")[0], gainDb: null }], 1), []);
  const shapes = after(toggleFadeShape(clips("a", "b"))).tracks[0].clips;
  assertEquals(shapes.map(({ fadeInShape }) => fadeInShape), ["equalPower", "equalPower"]);
});

Deno.test("nextCut() finds the nearest start, end or marker in a direction", () => {
  const { mirror } = scene(track("1", ["a", 10, 100]), track("2", ["b", 60, 100]));
  mirror.markers = [{ markerId: "m", frame: 75, name: "" }];
  assertEquals(nextCut(mirror, 0, 1), 10);
  assertEquals(nextCut(mirror, 60, 1), 75);
  assertEquals(nextCut(mirror, 75, -1), 60);
  assertEquals(nextCut(mirror, 160, 1), null);
});

Deno.test("snapShift() draws the nearest of several places to a point within reach, and nothing else", () => {
  const { mirror } = scene(track("1", ["a", 100, 100], ["b", 500, 100]));
  const points = snapPoints(mirror, {
    startFrame: 0,
    endFrame: 1_000,
    without: new Set(["b"]),
    also: [777],
  });
  assertEquals([...points], [0, 100, 200, 777]);
  assertEquals(snapShift(points, [208], 10), { byFrames: -8, atFrame: 200 });
  assertEquals(snapShift(points, [208, 775], 10), { byFrames: 2, atFrame: 777 });
  assertEquals(snapShift(points, [150], 10), null);
  assert(snapShift(points, [], 10) === null);
});

Deno.test("trimTo() moves the edges of the selected clips under the playhead, or of all that lie there", () => {
  const { mirror, after } = scene(track("1", ["a", 0, 100]), track("2", ["b", 50, 100]));
  const places60 = (side: "start" | "end", selected: string[]) =>
    places(after(trimTo(mirror, (id) => selected.includes(id), 60, side)));
  assertEquals(places60("start", []), [[[60, 40]], [[60, 90]]]);
  assertEquals(places60("end", []), [[[0, 60]], [[50, 10]]]);
  assertEquals(places60("end", ["b"]), [[[0, 100]], [[50, 10]]]);
  // What is selected elsewhere does not count.
  assertEquals(places60("start", ["elsewhere"]), [[[60, 40]], [[60, 90]]]);
  assertEquals(trimTo(mirror, () => false, 0, "start"), []);
});

Deno.test("layOutOnTracks() gives each file a new track of its name, whatever room there is", () => {
  const { mirror, after } = scene(track("1"));
  const files = ["/music/Low drum.wav", "/music/Voice.2.flac"]
    .map((path) => ({ ...ASSET, path })) as Asset[];
  const { edits, clipIds, endFrame } = layOutOnTracks(mirror, files, 500);
  const laid = after(edits);
  assertEquals(laid.tracks.map(({ name }) => name), ["Track 1", "Low drum", "Voice.2"]);
  assertEquals(places(laid), [[], [[500, 48_000]], [[500, 48_000]]]);
  assertEquals(laid.tracks.slice(1).map(({ clips }) => clips[0].clipId), clipIds);
  assertEquals(endFrame, 48_500);
});

Deno.test("Selection.extendTo() takes what lies between, in time and over the tracks", () => {
  const { mirror } = scene(
    track("1", ["a", 0, 100], ["b", 100, 100], ["c", 200, 100]),
    track("2", ["d", 0, 100], ["e", 150, 100]),
    track("3", ["f", 100, 100]),
  );
  let changes = 0;
  const selection = new Selection(() => changes++);
  selection.extendTo(mirror, "b");
  assertEquals(selection.clipIds, ["b"]);
  selection.extendTo(mirror, "e");
  assertEquals(selection.clipIds.toSorted(), ["b", "c", "e"]);
  // From where it began, not from where it was last.
  selection.extendTo(mirror, "a");
  assertEquals(selection.clipIds.toSorted(), ["a", "b"]);
  selection.choose("f");
  selection.extendTo(mirror, "d");
  assertEquals(selection.clipIds.toSorted(), ["d", "e", "f"]);
  assertEquals(changes, 5);
  // What the engine was asked for stays selected until it comes, and goes with it.
  selection.expect(["new"]);
  selection.prune(mirror);
  assertEquals(selection.clipIds, ["new"]);
  mirror.reset(
    timelineOf(modelFromTimeline({ sampleRate: 48_000, tracks: [track("1", ["new", 0, 9])] })),
    2,
  );
  selection.prune(mirror);
  mirror.reset(timelineOf(modelFromTimeline({ sampleRate: 48_000, tracks: [] })), 3);
  selection.prune(mirror);
  assertEquals(selection.clipIds, []);
});
