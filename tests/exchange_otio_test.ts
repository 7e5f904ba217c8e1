/** OpenTimelineIO, both ways. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { InvalidParams } from "../engine/errors.ts";
import { exactTime, framesOf, plus, ZERO } from "../engine/pulse/exchange/exact_time.ts";
import { exportOtio } from "../engine/pulse/exchange/otio_export.ts";
import { importOtio } from "../engine/pulse/exchange/otio_import.ts";
import { ReportWriter } from "../engine/pulse/exchange/report.ts";
import {
  modelFromTimeline,
  modelSteps,
  type TimelineInput,
} from "../engine/pulse/model_from_timeline.ts";
import { timelineOf } from "../engine/pulse/timeline_model.ts";
import { Turns } from "../engine/pulse/turns.ts";
import {
  everyFile,
  fromOtio,
  type Json,
  otioClip,
  otioGap,
  otioTimeline,
  otioTrack,
  otioTransition,
  places,
  range,
  time,
  toOtio,
} from "./support/exchanges.ts";
import { type Prng, prng } from "./support/prng.ts";

function randomMeta(random: Prng): { meta?: unknown } {
  const metas: unknown[] = [
    { color: "red", deep: { list: [1, null, "x"] } },
    "text",
    7,
    [1, { a: 2 }],
    { exchange: { unknown: 1 } },
    { exchange: { metadata: { nle: { id: 4 } } }, own: true },
    { exchange: { effects: [{ OTIO_SCHEMA: "Effect.1", effect_name: "Reverb" }] } },
    { exchange: { transition: { inFrames: 1, name: "x" } } },
    { exchange: { medium: { name: "M", metadata: { take: 2 } } } },
    { exchange: { metadata: {} } },
    { exchange: "text" },
    {},
  ];
  return random.chance(0.6) ? {} : { meta: random.pick(metas) };
}

/** A timeline of all that one can hold: overlaps, nests, ties, gaps, fractions. */
function randomTimeline(random: Prng): TimelineInput {
  let clipCount = 0;
  const clip = (startFrame: number): Json => {
    const lengthFrames = 1 + random.int(random.pick([3, 60, 5_000]));
    const rate = random.pick([1, 1, 1, 0.5, 2, 1.0123456789, 1 / 16, 16, 1 / 3]);
    return {
      clipId: random.chance(0.1) ? `ünï ${clipCount++}` : `c${clipCount++}`,
      assetId: random.pick(["a", "b", "dir/ä b.wav"]),
      startFrame,
      lengthFrames,
      sourceFrame: random.pick([
        () => random.int(1_000),
        () => 0 - 1 - random.int(50),
        () => random.int(1_000) + random.next(),
        () => random.next() / 3,
      ])(),
      gainDb: random.pick([0, 0, -6.02, null, 12]),
      fadeInFrames: random.int(1 + Math.min(lengthFrames, 20)),
      fadeOutFrames: random.int(1 + Math.min(lengthFrames, 20)),
      ...(random.chance(0.3) && { fadeInShape: random.pick(["linear", "equalPower"]) }),
      ...(random.chance(0.3) && { fadeOutShape: random.pick(["linear", "equalPower"]) }),
      rate,
      speedMode: random.pick(["matchSpeed", "matchSpeed", "mute", "maintainPitch"]),
      ...(random.chance(0.2) && { reverse: true }),
      ...(random.chance(0.3) && { groupId: random.pick(["g", "h"]) }),
      ...(random.chance(0.4) && { name: random.pick(["", "take", "a", "Ä\n"]) }),
      ...randomMeta(random),
    };
  };
  const tracks = Array.from({ length: random.int(4) }, (_, t): Json => {
    let at = 0;
    const clips = Array.from({ length: random.int(14) }, () => {
      at += random.pick([0, 0, 1, 7, 60, 3_000]);
      return clip(at);
    });
    return {
      trackId: `t${t}`,
      name: random.pick(["", "Voice", "Müsik"]),
      gainDb: random.pick([0, -3, null]),
      pan: random.pick([0, -1, 0.25]),
      mute: random.chance(0.3),
      solo: random.chance(0.3),
      clips,
      ...randomMeta(random),
    };
  });
  return {
    sampleRate: random.pick([48_000, 44_100]),
    ...(random.chance(0.5) && {
      frameRate: random.pick([
        { numerator: 25, denominator: 1 },
        { numerator: 30_000, denominator: 1_001, drop: true },
        { numerator: 24_000, denominator: 1_001 },
      ]),
    }),
    tracks,
    ...(random.chance(0.4) &&
      { ioPoints: { inFrame: random.int(9), outFrame: 9 + random.int(9) + 1 } }),
    ...(random.chance(0.5) && {
      markers: Array.from({ length: 1 + random.int(4) }, (_, i) => ({
        markerId: `m${i}`,
        frame: random.int(10_000),
        name: random.pick(["", "here"]),
        ...(random.chance(0.4) && {
          meta: random.pick<unknown>([
            1,
            { exchange: { color: "GREEN", comment: "c" } },
            { exchange: { duration: { value: 3, rate: 24 } }, x: 1 },
            { exchange: { color: 3 } },
          ]),
        }),
      })),
    }),
    ...randomMeta(random),
  };
}

Deno.test("what is exported and imported again is exactly the same timeline, over random timelines", () => {
  const random = prng(5);
  let transitions = 0;
  let lanes = 0;
  for (let round = 0; round < 400; round++) {
    const model = modelFromTimeline(randomTimeline(random));
    const { document } = toOtio(model);
    const text = JSON.stringify(document);
    transitions += text.split("Transition.1").length - 1;
    lanes += text.split('"lane":').length - 1;
    const { timeline } = fromOtio(document, { sampleRate: model.sampleRate });
    assertEquals(timeline, timelineOf(model), `round ${round}`);
    // The same timeline gives the same text, whoever makes it.
    assertEquals(JSON.stringify(toOtio(modelFromTimeline(timelineOf(model))).document), text);
  }
  assert(transitions > 500 && lanes > 200, `${transitions} transitions, ${lanes} lanes`);
});

Deno.test("times at any rate add up without drift, and clips abut", () => {
  // 1001/24000 s is 2002 frames at 48 kHz; at 44.1 kHz it is 1839.3375: a hundred thousand of them end where their sum does.
  const clips = Array.from(
    { length: 3_000 },
    (_, i) => otioClip("a.wav", range(i * 7, 7, i % 2 === 0 ? 23.976 : 24_000 / 1_001)),
  );
  const document = otioTimeline([otioTrack(clips)]);
  const { timeline } = fromOtio(document, { sampleRate: 44_100 });
  const [track] = timeline.tracks;
  let end = 0;
  for (const [i, clip] of track.clips.entries()) {
    assertEquals(clip.startFrame, end);
    end = clip.startFrame + clip.lengthFrames;
    assertEquals(end, Math.floor(((i + 1) * 7 * 1_001 * 44_100 * 2 + 24_000) / 48_000));
  }
  // They are one recording cut into pieces: each goes on where the one before it ended.
  for (const { sourceFrame, startFrame } of track.clips) assertEquals(sourceFrame, startFrame);
});

Deno.test("sums of fractions are exact, whatever rates are mixed", () => {
  const random = prng(8);
  let sum = ZERO;
  for (let i = 0; i < 2_000; i++) {
    const rate = random.pick([24, 25, 29.97, 30, 44_100, 48_000, 23.98, 59.94]);
    sum = plus(sum, exactTime(random.int(1_000), rate));
    sum = plus(sum, exactTime(rate === 24 ? 1 : 0, rate));
  }
  let back = sum;
  for (let i = 0; i < 48_000; i++) back = plus(back, exactTime(-1, 48_000));
  assertEquals(framesOf(sum, 48_000) - framesOf(back, 48_000), 48_000);
  assertEquals(framesOf(exactTime(-1, 2), 3), -1); // −1.5 frames: halves go up.
  assertEquals(framesOf(exactTime(0.1, 1), 10), 1);
});

Deno.test("gaps part clips, source ranges count from what there is of the medium", () => {
  const tape = {
    OTIO_SCHEMA: "ExternalReference.1",
    target_url: "tape.wav",
    available_range: range(86_400, 240, 24),
  };
  const document = otioTimeline([otioTrack([
    otioGap(24, 24),
    otioClip("x", range(86_424, 48, 24), { media_reference: tape }),
    otioClip("x", null, { media_reference: tape }),
    {
      OTIO_SCHEMA: "Clip.2",
      name: "x",
      source_range: range(12, 12, 24),
      media_references: { hi: { ...tape, target_url: "hi.wav" }, lo: tape },
      active_media_reference_key: "hi",
    },
    otioClip("whole.wav", null),
  ])]);
  assertEquals(places(fromOtio(document).timeline), [
    "[48000,144000) tape.wav@48000",
    "[144000,624000) tape.wav@0",
    "[624000,648000) hi.wav@-172776000",
    "[648000,3528000) whole.wav@0",
  ]);
});

Deno.test("documents of older versions have other names for tracks, gaps and markers' ranges", () => {
  const track = otioTrack([
    { OTIO_SCHEMA: "Filler.1", source_range: range(0, 24, 24) },
    otioClip("a", range(0, 24, 24), {
      markers: [{ OTIO_SCHEMA: "Marker.1", name: "m", range: range(12, 0, 24) }],
    }),
  ], { OTIO_SCHEMA: "Sequence.1" });
  const { timeline, report } = fromOtio({
    OTIO_SCHEMA: "SerializeableCollection.1",
    children: [3, otioTimeline([track]), {}],
  });
  assertEquals(places(timeline), ["[48000,96000) a@0"]);
  assertEquals(timeline.markers?.map(({ frame, name }) => [frame, name]), [[72_000, "m"]]);
  assertEquals(report.entries[0].what, "2 more of the collection");
});

Deno.test("a transition is an overlap: each clip goes on into the other, as long as it says", () => {
  const document = otioTimeline([otioTrack([
    otioClip("a", range(24, 48, 24)),
    otioTransition(6, 12, 24),
    otioClip("b", range(48, 48, 24)),
    otioTransition(2, 2, 24),
    otioClip("c", range(0, 24, 24), {
      effects: [{ OTIO_SCHEMA: "LinearTimeWarp.1", time_scalar: -2 }],
    }),
  ])]);
  const { input } = fromOtio(document);
  const clips = input.tracks[0].clips!;
  assertEquals(
    clips.map((one) => [one.startFrame, one.lengthFrames, one.sourceFrame, one.rate, one.reverse]),
    [
      [0, 120_000, 48_000, 1, undefined],
      [84_000, 112_000, 84_000, 1, undefined],
      // Played backwards, what comes before its begin lies behind its range in the source.
      [188_000, 52_000, 0, 2, true],
    ],
  );
});

Deno.test("a transition at an edge or beside a gap is a fade", () => {
  const document = otioTimeline([otioTrack([
    otioTransition(0, 12, 24),
    otioClip("a", range(24, 48, 24)),
    otioTransition(12, 12, 24),
    otioGap(24, 24),
  ])]);
  const [clip] = fromOtio(document).timeline.tracks[0].clips;
  assertEquals([clip.startFrame, clip.lengthFrames], [0, 96_000 + 24_000]);
  assertEquals([clip.fadeInFrames, clip.fadeOutFrames], [24_000, 48_000]);
});

Deno.test("what cannot sound is silent, kept aside, reported, and written back", () => {
  const freeze = { OTIO_SCHEMA: "FreezeFrame.1", effect_name: "FreezeFrame", time_scalar: 0 };
  const reverb = { OTIO_SCHEMA: "Effect.1", effect_name: "Reverb", metadata: { size: 3 } };
  const marker = {
    OTIO_SCHEMA: "Marker.2",
    name: "hit",
    color: "GREEN",
    metadata: { a: 1 },
    comment: "loud",
    marked_range: range(36, 2, 24),
  };
  const given = otioTimeline([
    otioTrack([{ OTIO_SCHEMA: "Clip.1", name: "picture" }], { kind: "Video", name: "V1" }),
    otioTrack([
      otioClip("a", range(24, 48, 24), {
        effects: [reverb],
        markers: [marker],
        metadata: { nle: { id: "x" } },
      }),
      otioTransition(4, 8, 24, { transition_type: "Custom_Wipe", name: "w" }),
      otioClip("b", range(24, 48, 24), { effects: [freeze] }),
      otioClip("c", range(0, 24, 24), { enabled: false }),
      {
        OTIO_SCHEMA: "Clip.1",
        name: "lost",
        source_range: range(0, 24, 24),
        media_reference: null,
      },
    ], { enabled: false, metadata: { nle: 5 } }),
  ], {
    name: "Reel 1",
    global_start_time: time(86_400, 24),
    metadata: { nle: { fps: 24 } },
  });
  const first = fromOtio(given, {
    find: (need) => ({
      assetId: need.location ?? need.title,
      seconds: 60,
      ...(need.location === null && { isPlaceholder: true }),
    }),
  });
  assertEquals(first.timeline.frameRate, { numerator: 24, denominator: 1 });
  assertEquals(first.timeline.tracks[0].mute, true);
  assertEquals(first.timeline.tracks[0].clips.map(({ gainDb }) => gainDb), [0, null, null, 0]);
  assertEquals(first.timeline.markers, [{
    markerId: "otio-marker-0",
    frame: 24_000,
    name: "hit",
    meta: {
      exchange: {
        metadata: { a: 1 },
        color: "GREEN",
        comment: "loud",
        duration: { value: 2, rate: 24 },
      },
    },
  }]);
  const told = first.report.entries.map(({ path, what }) => `${path.slice(1).join(".")}: ${what}`);
  for (
    const expected of [
      "tracks.children.0: no track of sound (Video)",
      "tracks.children.1.children.0.effects.0: an effect (Reverb)",
      "tracks.children.1.children.0.markers.0: a marker of a clip or track",
      "tracks.children.1.children.1: a transition (Custom_Wipe)",
      "tracks.children.1.children.2.effects: a frame that stands still",
      "tracks.children.1.children.3.enabled: a clip that is switched off",
      "global_start_time: a start that is not 0",
    ]
  ) assert(told.includes(expected), `${expected}\n${told.join("\n")}`);

  const { document } = toOtio(first.model, first.aside, new Set(["lost"]));
  const [video, audio] = document.tracks.children;
  assertEquals(video, given.tracks.children[0]);
  assertEquals([document.name, document.metadata.nle], ["Reel 1", { fps: 24 }]);
  assertEquals(document.global_start_time, time(86_400, 24));
  assertEquals([audio.enabled, audio.metadata.nle], [false, 5]);
  const [a, wipe, b, c, lost] = audio.children;
  assertEquals([a.effects, a.metadata.nle], [[reverb], { id: "x" }]);
  assertEquals([wipe.transition_type, wipe.name], ["Custom_Wipe", "w"]);
  assertEquals([wipe.in_offset, wipe.out_offset], [time(8_000, 48_000), time(16_000, 48_000)]);
  assertEquals([b.effects, c.enabled], [[freeze], false]);
  assertEquals(lost.media_references.DEFAULT_MEDIA.OTIO_SCHEMA, "MissingReference.1");
  // And what is imported of that is what was imported first.
  const again = fromOtio(document, {
    find: ({ location, title }) => ({
      assetId: location?.slice(8) ?? title,
      seconds: null,
      ...(location === null && { isPlaceholder: true }),
    }),
  });
  assertEquals(again.aside, first.aside);
  const withoutMarkerIds = ({ markers = [], ...rest }: Json) => ({
    ...rest,
    markers: markers.map((one: Json) => ({ ...one, markerId: "" })),
  });
  assertEquals(withoutMarkerIds(again.timeline), withoutMarkerIds(first.timeline));
});

Deno.test("compounds are flattened: trimmed to what is seen of them, onto further tracks where they sound together", () => {
  const inner = {
    OTIO_SCHEMA: "Stack.1",
    name: "compound",
    source_range: range(12, 24, 24),
    children: [
      otioTrack([otioClip("x", range(0, 24, 24)), otioClip("y", range(0, 48, 24))]),
      otioTrack([otioGap(24, 24), otioClip("z", range(100, 6, 24))]),
      otioTrack([], { kind: "Video" }),
    ],
  };
  const document = otioTimeline([
    otioTrack([otioClip("a", range(0, 24, 24)), inner, otioClip("b", range(0, 24, 24))]),
  ]);
  const { timeline, report } = fromOtio(document);
  assertEquals(timeline.tracks.map(({ name }) => name), ["A1", "A1 2"]);
  assertEquals(places(timeline, 0), [
    "[0,48000) a@0",
    "[48000,72000) x@24000",
    "[72000,96000) y@0",
    "[96000,144000) b@0",
  ]);
  assertEquals(places(timeline, 1), ["[72000,84000) z@200000"]);
  assert(report.entries.some(({ what }) => what === "a compound (Stack)"));
});

Deno.test("a second clip with one id gets another, and metadata too large for a clip is left out and told", () => {
  const ours = { loophole: { clipId: "same", gainDb: -3, fadeInFrames: 1e9, pan: "x" } };
  const document = otioTimeline([otioTrack([
    otioClip("a", range(0, 24, 24), { metadata: ours }),
    otioClip("a", range(0, 24, 24), {
      metadata: { ...ours, big: "x".repeat(5_000) },
      effects: [{ OTIO_SCHEMA: "Effect.1", effect_name: "E" }],
    }),
  ])]);
  const { timeline, report } = fromOtio(document);
  const [a, b] = timeline.tracks[0].clips;
  assertEquals([a.clipId, b.clipId, a.gainDb, a.fadeInFrames], ["same", "otio-0-1", -3, 48_000]);
  assertEquals(b.meta, {
    exchange: { effects: [{ OTIO_SCHEMA: "Effect.1", effect_name: "E" }] },
  });
  assert(report.entries.some(({ what }) => what === "metadata: more than fits into 4 KiB"));
});

Deno.test("what is no OpenTimelineIO is refused with its place and value", () => {
  const broken: [Json, string][] = [
    [null, "document: must be an object, got null"],
    [{ OTIO_SCHEMA: "Clip.1" }, "document.OTIO_SCHEMA: must be Timeline or"],
    [{ OTIO_SCHEMA: "Timeline.1" }, "document.tracks: must be an object, it is missing"],
    [otioTimeline([3]), "document.tracks.children.0: must be an object, got 3"],
    [
      otioTimeline([otioTrack([otioClip("a", range(0, 1, 0))])]),
      "document.tracks.children.0.children.0.source_range.duration.rate: must be greater than 0",
    ],
    [
      otioTimeline([otioTrack([otioClip("a", range(NaN, 1, 24))])]),
      "source_range.start_time.value: must be a finite number, got NaN",
    ],
    [
      otioTimeline([otioTrack([otioClip("a", range(0, 1e300, 24))])]),
      "source_range.duration.value: must lie within",
    ],
    [
      otioTimeline([otioTrack([otioClip("a", range(0, 9e15, 0.001))])]),
      "must lie within ±9007199254740991 frames",
    ],
    [
      otioTimeline([
        otioTrack([
          otioClip("a", range(0, 1, 24), {
            effects: [{ OTIO_SCHEMA: "LinearTimeWarp.1", time_scalar: "2" }],
          }),
        ]),
      ]),
      'effects.0.time_scalar: must be a finite number, got "2"',
    ],
  ];
  for (const [document, message] of broken) {
    assertThrows(() => fromOtio(document), InvalidParams, message);
  }
  let nested: Json = otioTrack([]);
  for (let i = 0; i < 40; i++) nested = { OTIO_SCHEMA: "Stack.1", children: [nested] };
  assertThrows(() => fromOtio(otioTimeline([otioTrack([nested])])), InvalidParams, "compounds");
});

Deno.test("many clips go both ways in turns, each of which is short", () => {
  const count = 20_000;
  const clips = Array.from({ length: count }, (_, i) => ({
    clipId: `c${i}`,
    assetId: "a",
    startFrame: i * 100,
    lengthFrames: 110,
  }));
  const model = modelFromTimeline({ sampleRate: 48_000, tracks: [{ trackId: "t", clips }] });
  const report = new ReportWriter();
  const turnsOf = <T>(steps: Generator<void, T>): [number, T] => {
    for (let turns = 0;; turns++) {
      const { done, value } = steps.next();
      if (done) return [turns, value];
    }
  };
  const asset = { url: "file:///a", name: "a", sampleRate: 1, lengthSamples: 1, isMissing: false };
  const [out, document] = turnsOf(
    exportOtio(model, { name: "T", asset: () => asset, aside: null, report }),
  );
  const context = { sampleRate: 48_000, find: everyFile(), report };
  const [back, { timeline }] = turnsOf(importOtio(document, context));
  const [made, again] = turnsOf(modelSteps(timeline, undefined, "s", [], new Turns(256)));
  for (const turns of [out / 4, back / 4, made]) assert(turns > count / 256, `${turns} turns`);
  assertEquals(JSON.stringify(timelineOf(again)), JSON.stringify(timelineOf(model)));
});
