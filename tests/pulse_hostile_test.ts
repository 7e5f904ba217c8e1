import { assert, assertEquals, assertThrows } from "@std/assert";
import { EngineError, InvalidParams } from "../engine/errors.ts";
import { LIMITS } from "../engine/pulse/limits.ts";
import { TimelineService } from "../engine/pulse/timeline_service.ts";
import type { Edit, Timeline } from "../engine/pulse/types.ts";

const caller = { clientId: "mallory" };

function service(): TimelineService {
  const timeline = TimelineService.inMemory(48_000);
  timeline.edit(
    [
      { op: "track.add", track: { trackId: "t" } },
      {
        op: "clip.add",
        trackId: "t",
        clip: { clipId: "c", assetId: "a", startFrame: 0, lengthFrames: 100 },
      },
    ],
    {},
    caller,
  );
  return timeline;
}

const clip = { assetId: "a", startFrame: 0, lengthFrames: 1 };
const add = (rest: object) => ({ op: "clip.add", trackId: "t", clip: { ...clip, ...rest } });
const deep = JSON.parse("[".repeat(2_000) + "]".repeat(2_000));
const cycle: Record<string, unknown> = {};
cycle.self = cycle;

const edits: [string, unknown, (string | number)[]][] = [
  ["no object", 5, ["edits", 0]],
  ["null", null, ["edits", 0]],
  ["no op", {}, ["edits", 0, "op"]],
  ["an unknown op", { op: "clip.explode", clipId: "c" }, ["edits", 0, "op"]],
  ["an op of the prototype", { op: "constructor" }, ["edits", 0, "op"]],
  ["an unknown member", { op: "clip.remove", clipId: "c", ripple: true }, ["edits", 0, "ripple"]],
  ["an unknown member of a clip", add({ speed: 2 }), ["edits", 0, "clip", "speed"]],
  ["an own __proto__", JSON.parse(`{"op":"clip.remove","clipId":"c","__proto__":{}}`), [
    "edits",
    0,
    "__proto__",
  ]],
  ["a missing member", { op: "clip.remove" }, ["edits", 0, "clipId"]],
  ["a number for an id", { op: "clip.remove", clipId: 7 }, ["edits", 0, "clipId"]],
  ["an empty id", add({ clipId: "" }), ["edits", 0, "clip", "clipId"]],
  ["an endless id", add({ clipId: "x".repeat(LIMITS.idChars + 1) }), [
    "edits",
    0,
    "clip",
    "clipId",
  ]],
  ["half a character", add({ clipId: "\ud800" }), ["edits", 0, "clip", "clipId"]],
  ["a negative frame", add({ startFrame: -1 }), ["edits", 0, "clip", "startFrame"]],
  ["half a frame", add({ startFrame: 0.5 }), ["edits", 0, "clip", "startFrame"]],
  ["a huge frame", add({ startFrame: 2 ** 53 }), ["edits", 0, "clip", "startFrame"]],
  ["a frame beyond doubles", add({ startFrame: 1e308 * 10 }), ["edits", 0, "clip", "startFrame"]],
  ["a frame as text", add({ startFrame: "0" }), ["edits", 0, "clip", "startFrame"]],
  ["no length", add({ lengthFrames: 0 }), ["edits", 0, "clip", "lengthFrames"]],
  ["an end beyond the last frame", add({ startFrame: 2, lengthFrames: Number.MAX_SAFE_INTEGER }), [
    "edits",
    0,
    "clip",
    "lengthFrames",
  ]],
  ["no number for a source", add({ sourceFrame: NaN }), ["edits", 0, "clip", "sourceFrame"]],
  ["an endless gain", add({ gainDb: Infinity }), ["edits", 0, "clip", "gainDb"]],
  ["a deafening gain", add({ gainDb: 1_000 }), ["edits", 0, "clip", "gainDb"]],
  ["a fade beyond the clip", add({ fadeOutFrames: 2 }), ["edits", 0, "clip", "fadeOutFrames"]],
  ["an unknown shape", add({ fadeInShape: "spline" }), ["edits", 0, "clip", "fadeInShape"]],
  ["a rate beyond all", add({ rate: 17 }), ["edits", 0, "clip", "rate"]],
  ["no rate at all", add({ rate: 0 }), ["edits", 0, "clip", "rate"]],
  ["a reverse as text", add({ reverse: "yes" }), ["edits", 0, "clip", "reverse"]],
  ["a pipeline", add({ pipeline: [{}] }), ["edits", 0, "clip", "pipeline"]],
  ["a large meta", add({ meta: "x".repeat(LIMITS.metaBytes) }), ["edits", 0, "clip", "meta"]],
  ["a large meta of few characters", add({ meta: "ü".repeat(LIMITS.metaBytes / 2) }), [
    "edits",
    0,
    "clip",
    "meta",
  ]],
  ["a meta that is no JSON", add({ meta: 5n }), ["edits", 0, "clip", "meta"]],
  ["a meta without end", add({ meta: cycle }), ["edits", 0, "clip", "meta"]],
  ["a long name", add({ name: "n".repeat(LIMITS.nameChars + 1) }), ["edits", 0, "clip", "name"]],
  ["pan beyond one side", { op: "track.set", trackId: "t", set: { pan: 1.01 } }, [
    "edits",
    0,
    "set",
    "pan",
  ]],
  ["another id for a track", { op: "track.set", trackId: "t", set: { trackId: "u" } }, [
    "edits",
    0,
    "set",
    "trackId",
  ]],
  ["another place by clip.set", { op: "clip.set", clipId: "c", set: { startFrame: 5 } }, [
    "edits",
    0,
    "set",
    "startFrame",
  ]],
  ["no tracks at all", {
    op: "range.delete",
    startFrame: 0,
    endFrame: 1,
    ripple: true,
    trackIds: [],
  }, ["edits", 0, "trackIds"]],
  ["a ripple as text", { op: "range.delete", startFrame: 0, endFrame: 1, ripple: "yes" }, [
    "edits",
    0,
    "ripple",
  ]],
  ["an unknown ripple", { op: "segment.delete", clipId: "c", ripple: "some" }, [
    "edits",
    0,
    "ripple",
  ]],
];
for (const [name, edit, path] of edits) {
  Deno.test(`an edit with ${name} is refused by its field, and the timeline stays`, () => {
    const timeline = service();
    const before = structuredClone(timeline.get());
    const error = assertThrows(() => timeline.edit([edit as Edit], {}, caller), InvalidParams);
    assertEquals([...error.path], path);
    assert(error.reason.length > 5 && error.reason.length < 400, error.reason);
    assertEquals(timeline.get(), before);
  });
}

Deno.test("what is not supported yet says so", () => {
  const timeline = service();
  const edit = add({ pipeline: [{}] }) as Edit;
  const error = assertThrows(() => timeline.edit([edit], {}, caller), InvalidParams);
  assert(error.reason.includes("not yet supported"), error.reason);
});

Deno.test("a rate beyond its limits is refused by its field, and told which they are", () => {
  const timeline = service();
  for (
    const [rate, reason] of [
      [0, /least 1\/16/],
      [-1, /least 1\/16/],
      [1 / 16 - 1e-9, /least 1\/16/],
      [
        16.0001,
        /most 16/,
      ],
      [NaN, /./],
      [Infinity, /./],
      ["1", /./],
    ] as const
  ) {
    const added = assertThrows(
      () => timeline.edit([add({ rate }) as Edit], {}, caller),
      InvalidParams,
    );
    assertEquals(added.path.at(-1), "rate");
    assert(reason.test(added.reason), added.reason);
    const set = { op: "clip.set", clipId: "c", set: { rate } } as unknown as Edit;
    const changed = assertThrows(() => timeline.edit([set], {}, caller), InvalidParams);
    assertEquals(changed.path.at(-1), "rate");
  }
  for (const rate of [1 / 16, 16]) {
    timeline.edit([add({ rate, clipId: `r${rate}` }) as Edit], {}, caller);
  }
});

Deno.test("ids of the prototype are ids like others", () => {
  const timeline = service();
  for (const id of ["__proto__", "constructor", "toString", "hasOwnProperty"]) {
    timeline.edit(
      [
        { op: "track.add", track: { trackId: id } },
        { op: "clip.add", trackId: id, clip: { ...clip, clipId: id, groupId: id } },
        { op: "marker.add", marker: { markerId: id, frame: 0, name: id } },
        { op: "clip.move", clipId: id, startFrame: 50 },
      ],
      {},
      caller,
    );
    assertEquals(timeline.get().timeline.tracks.at(-1)!.clips[0].clipId, id);
  }
});

Deno.test("a deep meta is kept as it is", () => {
  const timeline = service();
  timeline.edit([{ op: "clip.set", clipId: "c", set: { meta: deep } }], {}, caller);
  assertEquals(
    JSON.stringify(timeline.get().timeline.tracks[0].clips[0].meta),
    JSON.stringify(deep),
  );
});

const timelines: [string, unknown, (string | number)[]][] = [
  ["no object", 5, ["timeline"]],
  ["no tracks", { sampleRate: 48_000 }, ["timeline", "tracks"]],
  ["an unknown member", { sampleRate: 48_000, tracks: [], tempo: 120 }, ["timeline", "tempo"]],
  ["another rate", { sampleRate: 44_100, tracks: [] }, ["timeline", "sampleRate"]],
  ["no rate", { sampleRate: 0, tracks: [] }, ["timeline", "sampleRate"]],
  ["a track twice", { sampleRate: 48_000, tracks: [{ trackId: "x" }, { trackId: "x" }] }, [
    "timeline",
    "tracks",
    1,
    "trackId",
  ]],
  ["a clip twice", {
    sampleRate: 48_000,
    tracks: [{ trackId: "x", clips: [{ ...clip, clipId: "k" }] }, {
      trackId: "y",
      clips: [clip, { ...clip, clipId: "k" }],
    }],
  }, ["timeline", "tracks", 1, "clips", 1, "clipId"]],
  ["a marker twice", {
    sampleRate: 48_000,
    tracks: [],
    markers: [{ markerId: "m", frame: 0, name: "" }, { markerId: "m", frame: 0, name: "" }],
  }, ["timeline", "markers", 1, "markerId"]],
  ["I/O points the wrong way round", {
    sampleRate: 48_000,
    tracks: [],
    ioPoints: { inFrame: 5, outFrame: 4 },
  }, ["timeline", "ioPoints", "outFrame"]],
  ["a clip in the wrong shape", {
    sampleRate: 48_000,
    tracks: [{ trackId: "x", clips: [{ ...clip, lengthFrames: -1 }] }],
  }, ["timeline", "tracks", 0, "clips", 0, "lengthFrames"]],
  ["too many tracks", {
    sampleRate: 48_000,
    tracks: Array.from({ length: LIMITS.tracks + 1 }, (_, i) => ({ trackId: `${i}` })),
  }, ["timeline", "tracks"]],
];
for (const [name, value, path] of timelines) {
  Deno.test(`a timeline with ${name} is refused by its field, and the one before stays`, () => {
    const timeline = service();
    const before = structuredClone(timeline.get());
    const error = assertThrows(() => timeline.set(value as Timeline, {}, caller), InvalidParams);
    assertEquals([...error.path], path);
    assertEquals(timeline.get(), before);
  });
}

Deno.test("limits on counts say which limit it is", () => {
  const timeline = service();
  const many = Array.from(
    { length: LIMITS.tracks },
    (_, i): Edit => ({ op: "track.add", track: { trackId: `x${i}` } }),
  );
  const error = assertThrows(() => timeline.edit(many, {}, caller), EngineError);
  assertEquals([error.code, error.details], ["limit.exceeded", {
    limit: "tracks",
    maximum: LIMITS.tracks,
  }]);
  const tooMany = Array.from(
    { length: LIMITS.editsPerRequest + 1 },
    (): Edit => ({ op: "clip.remove", clipId: "c" }),
  );
  assertEquals([...assertThrows(() => timeline.edit(tooMany, {}, caller), InvalidParams).path], [
    "edits",
  ]);
  const clips = Array.from({ length: LIMITS.clips }, (_, i) => ({ ...clip, clipId: `k${i}` }));
  const full = assertThrows(
    () =>
      timeline.edit(
        [{ op: "track.add", track: { trackId: "full", clips: clips as never } }],
        {},
        caller,
      ),
    EngineError,
  );
  assertEquals([full.code, full.details], ["limit.exceeded", {
    limit: "clips",
    maximum: LIMITS.clips,
  }]);
  assertEquals(timeline.get().timeline.tracks.length, 1);
});

Deno.test("options in the wrong shape are refused by their field", () => {
  const timeline = service();
  for (
    const [options, path] of [
      [{ baseRevision: -1 }, ["baseRevision"]],
      [{ baseRevision: "1" }, ["baseRevision"]],
      [{ mergeKey: "" }, ["mergeKey"]],
      [{ label: "x".repeat(300) }, ["label"]],
      [{ requestId: 5 }, ["requestId"]],
    ] as const
  ) {
    const error = assertThrows(() => timeline.edit([], options as never, caller), InvalidParams);
    assertEquals([...error.path], [...path]);
  }
});
