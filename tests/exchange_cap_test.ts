/** Cap's projects: the pure import. Through the real engine in exchange_engine_test.ts. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { InvalidParams } from "../engine/errors.ts";
import { diffModels } from "../engine/pulse/diff_models.ts";
import { modelFromTimeline } from "../engine/pulse/model_from_timeline.ts";
import { fromCap, type Json, places } from "./support/exchanges.ts";
import { prng } from "./support/prng.ts";

const folder = "content/segments/segment-";
/** Two recordings, the second without system sound. */
const META = {
  pretty_name: "Cap",
  segments: [
    {
      display: { path: `${folder}0/display.mp4`, fps: 60, start_time: 1.5 },
      mic: { path: `${folder}0/audio-input.ogg`, start_time: 1.25 },
      system_audio: { path: `${folder}0/system_audio.ogg`, start_time: 1.4 },
    },
    {
      display: { path: `${folder}1/display.mp4`, fps: 30 },
      audio: { path: `C:\\Cap\\x.cap\\content\\segments\\segment-1\\audio-input.ogg` },
    },
  ],
};

function segment(recordingSegment: number, start: number, end: number, rest: Json = {}): Json {
  return { recordingSegment, start, end, timescale: 1, ...rest };
}
function config(segments: Json[], rest: Json = {}, timeline: Json = {}): Json {
  return { timeline: { segments, zoomSegments: [], ...timeline }, ...rest };
}

Deno.test("segments play one after another, microphone and system sound on two tracks, in one group", () => {
  const { timeline, input } = fromCap(
    config([
      segment(0, 0, 2),
      segment(1, 1.5, 2),
      { recordingClip: 0, start: 2, end: 3, timescale: 2, speedAudioMode: "maintainPitch" },
    ], { clips: [{ index: 0, offsets: { mic: 0.25, system_audio: -0.5, camera: 9 } }] }),
    META,
  );
  assertEquals(timeline.tracks.map(({ trackId, name }) => [trackId, name]), [
    ["cap-mic", "Microphone"],
    ["cap-system", "System audio"],
  ]);
  assertEquals(places(timeline, 0), [
    `[0,96000) ${folder}0/audio-input.ogg@12000`,
    `[96000,120000) ${folder}1/audio-input.ogg@72000`,
    `[120000,144000) ${folder}0/audio-input.ogg@108000×2`,
  ]);
  assertEquals(places(timeline, 1), [
    `[0,96000) ${folder}0/system_audio.ogg@-24000`,
    `[120000,144000) ${folder}0/system_audio.ogg@72000×2`,
  ]);
  const [mic, system] = input.tracks.map(({ clips = [] }) => clips);
  assertEquals([mic[2].groupId, mic[2].speedMode], ["cap:0:2:3", "maintainPitch"]);
  assertEquals([system[1].groupId, system[1].clipId], ["cap:0:2:3", "cap-system:0:2:3"]);
  assertEquals(mic[0].speedMode, "mute");
  assertEquals(timeline.frameRate, { numerator: 60, denominator: 1 });
});

Deno.test("where the project says no offsets, the devices' start times do", () => {
  const { timeline } = fromCap(config([segment(0, 0, 1)]), META);
  // The display came last, at 1.5 s: a quarter of a second of the microphone's file lies before it.
  assertEquals(places(timeline, 0), [`[0,48000) ${folder}0/audio-input.ogg@12000`]);
  assertEquals(places(timeline, 1), [`[0,48000) ${folder}0/system_audio.ogg@4800`]);
});

Deno.test("names may be written in snake_case, and one recording's meta in its older form", () => {
  const { timeline } = fromCap({
    timeline: {
      segments: [{ recording_segment: 0, start: 1, end: 2, speed_audio_mode: "matchSpeed" }],
      audio_segments: [{ start: 0, end: 1, path: "music.wav", trim_start: 2, volume_db: -6 }],
    },
    audio: { mic_volume_db: -3, system_volume_db: 0, mute: true },
    clips: [{ index: 0, offsets: { mic: 1, systemAudio: 1 } }],
  }, {
    display: { path: "content/display.mp4" },
    audio: { path: "content/audio-input.mp3" },
    segments: [{ start: 0, end: 10.68 }],
  });
  assertEquals(places(timeline, 0), ["[0,48000) content/audio-input.mp3@96000"]);
  assertEquals(places(timeline, 1), ["[0,48000) music.wav@96000"]);
  const [mic, music] = timeline.tracks;
  assertEquals([mic.gainDb, mic.mute, mic.clips[0].speedMode], [-3, true, "matchSpeed"]);
  assertEquals([music.name, music.mute, music.clips[0].gainDb], ["Music", false, -6]);
});

Deno.test("thousands of segments abut, end where their sum does, and continue each other to the frame", () => {
  const random = prng(11);
  for (const sampleRate of [48_000, 44_100]) {
    const segments: Json[] = [];
    let at = 0;
    for (let i = 0; i < 5_000; i++) {
      const length = 0.01 + random.next() / 3;
      const timescale = random.pick([1, 1, 1, 1.5, 1.1]);
      segments.push(segment(0, at, at + length, { timescale }));
      at += length;
    }
    const { timeline } = fromCap(config(segments), META, { sampleRate });
    // The sum as fractions of 2^60, so without any rounding of its own.
    let sum = 0n;
    let end = 0;
    const { clips } = timeline.tracks[0];
    assertEquals(clips.length, segments.length);
    for (const [i, clip] of clips.entries()) {
      assertEquals(clip.startFrame, end);
      end += clip.lengthFrames;
      const { start, end: stop, timescale } = segments[i];
      sum += BigInt(Math.round((stop - start) / timescale * 2 ** 60));
      const exact = Number(sum * BigInt(sampleRate)) / 2 ** 60;
      assert(Math.abs(end - exact) <= 0.5 + 1e-6, `segment ${i} ends at ${end}, not ${exact}`);
      const next = clips[i + 1];
      if (next === undefined || next.rate !== clip.rate) continue;
      // As after a cut: by the rate that sounds, so that no bit of it differs.
      const rate = Math.round(clip.rate * 2 ** 24) / 2 ** 24;
      assertEquals(next.sourceFrame, clip.sourceFrame + clip.lengthFrames * rate);
      // However far one goes on from the other, it is never off by more than a frame of its source.
      const asked = segments[i + 1].start * sampleRate + 12_000 / 48_000 * sampleRate;
      assert(Math.abs(next.sourceFrame - asked) <= next.rate + 1, `${next.sourceFrame} ${asked}`);
    }
  }
});

Deno.test("an import with another offset changes the sources' places, and nothing else", () => {
  const segments = Array.from({ length: 600 }, (_, i) => segment(i % 2, i, i + 0.9));
  const at = (mic: number) =>
    fromCap(config(segments, { clips: [{ index: 0, offsets: { mic, system_audio: 0 } }] }), META);
  const before = at(0).model;
  const after = modelFromTimeline(at(0.125).input, before);
  const changes = diffModels(before, after);
  assertEquals(changes.clips.length, 300);
  const { removed, shifted, tracks, clips: _, ...rest } = changes;
  assertEquals([removed, shifted, tracks, rest], [{ trackIds: [], clipIds: [] }, [], [], {}]);
  for (const { trackId, clipId } of changes.clips) {
    assertEquals(trackId, "cap-mic");
    assert(clipId.startsWith("cap-mic:0:"));
  }
  // The system's track is the same object, and the same document again changes nothing at all.
  assertEquals(after.tracks[1] === before.tracks[1], true);
  assertEquals(diffModels(after, modelFromTimeline(at(0.125).input, after)).clips, []);
});

Deno.test("a segment that was deleted in Cap takes no other's id along", () => {
  const segments = Array.from({ length: 20 }, (_, i) => segment(0, i, i + 0.5));
  const ids = (list: Json[]) =>
    fromCap(config(list), META).timeline.tracks[0].clips.map(({ clipId }) => clipId);
  assertEquals(ids(segments.toSpliced(7, 1)), ids(segments).toSpliced(7, 1));
  const twice = ids([segments[0], segments[0], segments[1]]);
  assertEquals(twice, ["cap-mic:0:0:0.5", "cap-mic:0:0:0.5#2", "cap-mic:0:1:1.5"]);
});

Deno.test("cross-fades overlap in equal power, fades through black go through silence", () => {
  const { timeline } = fromCap(
    config([segment(0, 0, 2), segment(1, 0, 2), segment(1, 5, 7)], {}, {
      transitions: [
        { segmentIndex: 1, type: "cross-fade", duration: 0.5 },
        { segmentIndex: 2, type: "fade-through-black", duration: 9 },
        { segmentIndex: 7, type: "cross-fade", duration: 1 },
      ],
    }),
    META,
  );
  const shown = timeline.tracks[0].clips.map((clip) => [
    clip.startFrame,
    clip.startFrame + clip.lengthFrames,
    clip.sourceFrame,
    [clip.fadeInFrames, clip.fadeInShape],
    [clip.fadeOutFrames, clip.fadeOutShape],
  ]);
  assertEquals(shown, [
    [0, 96_000, 12_000, [0, undefined], [0, "equalPower"]],
    // Nine seconds are cut to one, half of either; half of that is silence between the two.
    [72_000, 144_000, 0, [0, "equalPower"], [24_000, undefined]],
    [144_000, 216_000, 264_000, [24_000, undefined], [0, undefined]],
  ]);
});

Deno.test("music is where it says, what overlaps has tracks of its own, what is off is silent", () => {
  const piece = (start: number, end: number, rest: Json = {}) => ({
    ...{ start, end, path: `m${start}.wav`, fadeIn: 0.5, fadeOut: 100 },
    ...rest,
  });
  const { timeline, report } = fromCap(
    config([], {}, {
      musicSegments: [
        piece(0, 2),
        piece(1, 3),
        piece(2, 4, { track: 1, enabled: false }),
        piece(2, 5),
      ],
    }),
    META,
  );
  assertEquals(timeline.tracks.map(({ name, clips }) => [name, clips.length]), [
    ["Music", 2],
    ["Music 2", 1],
    ["Music 3", 1],
  ]);
  assertEquals(places(timeline, 0), ["[0,96000) m0.wav@0", "[96000,240000) m2.wav@0"]);
  const [{ clips: [first] }, , { clips: [off] }] = timeline.tracks;
  assertEquals([first.fadeInFrames, first.fadeOutFrames], [24_000, 96_000]);
  assertEquals([off.gainDb, off.meta], [null, { cap: { enabled: false } }]);
  assert(report.entries.some(({ what }) => what === "music that is switched off"));
});

Deno.test("what is not known of a segment stays with its clips, what is for the eye is told", () => {
  const { timeline, report } = fromCap(
    config(
      [segment(0, 0, 1, { name: "Intro", hideCursor: true, own: { x: [1] } })],
      { audio: { improve: true, micStereoMode: "monoL" }, background: {} },
      { zoomSegments: [{ start: 0, end: 1 }], captionSegments: [] },
    ),
    META,
  );
  const [clip] = timeline.tracks[0].clips;
  assertEquals([clip.name, clip.meta], ["Intro", { cap: { hideCursor: true, own: { x: [1] } } }]);
  assertEquals(report.entries.map(({ path }) => path.join(".")), [
    "document.audio.improve",
    "document.audio.micStereoMode",
    "document.timeline.zoomSegments",
  ]);
});

Deno.test("recordings that nobody describes have a microphone that may be named", () => {
  const { needs, timeline } = fromCap(config([segment(0, 0, 1), segment(3, 0, 1)]));
  assertEquals(needs.map(({ names, location }) => [names, location]), [
    [["0/mic"], null],
    [["3/mic"], null],
  ]);
  assertEquals(timeline.tracks.length, 1);
});

Deno.test("without a timeline whole recordings play one after another", () => {
  const { timeline } = fromCap({ clips: [] }, META, {
    find: ({ key }) => ({ assetId: key, seconds: key.includes("segment-0") ? 2 : 3 }),
  });
  assertEquals(
    timeline.tracks[0].clips.map(({ startFrame, lengthFrames }) => [startFrame, lengthFrames]),
    [
      // Up to where the sound that lasts longest ends: the system's, of which a tenth of a second lies before.
      [0, 91_200],
      [91_200, 144_000],
    ],
  );
});

Deno.test("a project that is wrong is refused with the field's place and value", () => {
  const wrong: [Json, string][] = [
    [7, "document: must be an object, got 7"],
    [{ timeline: [] }, "document.timeline: must be an object, got a list of 0"],
    [config([null]), "document.timeline.segments.0: must be an object, got null"],
    [
      config([segment(0, 1, 0)]),
      "document.timeline.segments.0.end: must be at least start (1), got 0",
    ],
    [
      config([segment(0, 0, Infinity)]),
      "document.timeline.segments.0.end: must be a finite number, got Infinity",
    ],
    [config([segment(0, 0, 1e300)]), "document.timeline.segments.0.end: must be from"],
    [config([segment(-1, 0, 1)]), "recordingSegment: must be an integer from 0 to 65535, got -1"],
    [config([segment(0, 0, 1, { timescale: 0 })]), "timescale: must be from 1/16 to 16, got 0"],
    [config([segment(0, 0, 1, { timescale: "1" })]), 'timescale: must be a finite number, got "1"'],
    [
      config([segment(0, 0, 1, { speedAudioMode: "fast" })]),
      'speedAudioMode: must be mute, matchSpeed or maintainPitch, got "fast"',
    ],
    [
      config([], { clips: [{ index: 0, offsets: { mic: "x" } }] }),
      'document.clips.0.offsets.mic: must be a finite number, got "x"',
    ],
    [
      config([], {}, { audioSegments: [{ start: 0, end: 1 }] }),
      "audioSegments.0.path: must be a path",
    ],
    [
      config([], {}, { transitions: [{ segmentIndex: 1, type: "wipe", duration: 1 }] }),
      'transitions.0.type: must be cross-fade or fade-through-black, got "wipe"',
    ],
  ];
  for (const [document, message] of wrong) {
    assertThrows(() => fromCap(document, META), InvalidParams, message);
  }
  assertThrows(
    () => fromCap(config([]), { segments: [{ mic: { path: 3 } }] }),
    InvalidParams,
    "meta.segments.0.mic.path: must be a path",
  );
});
