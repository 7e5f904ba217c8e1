/** Documents that somebody damaged: each is imported or refused with a reason, thousands of times. */
import { assert, assertEquals } from "@std/assert";
import { EngineError, InvalidParams } from "../engine/errors.ts";
import { exportEdl } from "../engine/pulse/exchange/edl_export.ts";
import { ReportWriter } from "../engine/pulse/exchange/report.ts";
import { DEFAULT_COUNTING } from "../engine/pulse/exchange/edl_export.ts";
import { TimelineInputSchema } from "../engine/pulse/schema.ts";
import { timelineOf } from "../engine/pulse/timeline_model.ts";
import { atOnce } from "../engine/pulse/turns.ts";
import {
  fromCap,
  fromOtio,
  type Imported,
  type Json,
  otioClip,
  otioGap,
  otioTimeline,
  otioTrack,
  otioTransition,
  range,
  time,
  toOtio,
} from "./support/exchanges.ts";
import { type Prng, prng } from "./support/prng.ts";

const EXTREMES: readonly unknown[] = [
  null,
  true,
  "",
  "x".repeat(300),
  "\ud800",
  "../../../etc/passwd",
  "file:///%zz",
  0,
  -0,
  -1,
  0.5,
  NaN,
  Infinity,
  -Infinity,
  2 ** 53,
  -(2 ** 53),
  1e300,
  -1e300,
  5e-324,
  65_536,
  [],
  {},
  [[[[]]]],
  { length: 3 },
  JSON.parse('{"__proto__": {"polluted": true}, "constructor": {"prototype": {"polluted": true}}}'),
];
const NAMES = ["__proto__", "constructor", "toString", "", "metadata", "children", "OTIO_SCHEMA"];
const SCHEMAS = [
  "Clip.1",
  "Gap.1",
  "Stack.1",
  "Track.1",
  "Transition.1",
  "Timeline.1",
  "x",
  "Clip.9",
];

/** Every object and list of a document. */
function containers(value: Json, into: Json[] = []): Json[] {
  if (typeof value !== "object" || value === null) return into;
  into.push(value);
  for (const one of Object.values(value)) containers(one, into);
  return into;
}

/** Changes a copy in one to four places. */
function damaged(random: Prng, document: Json): Json {
  const copy = structuredClone(document);
  for (let i = random.int(4); i >= 0; i--) {
    const at = random.pick(containers(copy));
    const keys = Object.keys(at);
    const key = keys.length > 0 ? random.pick(keys) : "0";
    const kind = random.int(7);
    if (kind === 0) delete at[key];
    else if (kind === 1) at[key] = structuredClone(random.pick(containers(copy)));
    else if (kind === 2 && "OTIO_SCHEMA" in at) at.OTIO_SCHEMA = random.pick(SCHEMAS);
    else if (kind === 3) {
      const value = structuredClone(random.pick(EXTREMES));
      if (Array.isArray(at)) at.unshift(value);
      else {Object.defineProperty(at, random.pick(NAMES), {
          value,
          writable: true,
          enumerable: true,
          configurable: true,
        });}
    } else if (kind === 4 && Array.isArray(at)) at.push(structuredClone(random.pick(at) ?? 1));
    else if (kind === 5 && typeof at[key] === "number") {
      at[key] = random.pick([at[key] * 1e6, -at[key], at[key] + random.next(), 1 / at[key]]);
    } else at[key] = structuredClone(random.pick(EXTREMES));
  }
  return copy;
}

const CAP = {
  timeline: {
    segments: [
      { recordingSegment: 0, start: 0, end: 2, timescale: 1, speedAudioMode: "mute", own: [1] },
      { recordingClip: 1, start: 1, end: 2, timescale: 2, name: "n" },
      { recordingSegment: 0, start: 2, end: 4, timescale: 1 },
    ],
    transitions: [{ segmentIndex: 1, type: "cross-fade", duration: 0.3 }],
    audioSegments: [{ start: 0, end: 3, path: "m.wav", fadeIn: 1, volumeDb: -3, track: 1 }],
    zoomSegments: [{ start: 0, end: 1 }],
  },
  clips: [{ index: 0, offsets: { mic: 0.1, systemAudio: -0.2 } }],
  audio: { mute: false, micVolumeDb: -2, micStereoMode: "monoL" },
};
const CAP_META = {
  segments: [
    {
      display: { path: "content/d.mp4", fps: 30, start_time: 1 },
      mic: { path: "content/mic.ogg", start_time: 0.5 },
      system_audio: { path: "content/sys.ogg", startTime: 0.7 },
    },
    { display: { path: "content/d1.mp4" }, audio: { path: "content/mic1.ogg" } },
  ],
};
const OTIO = otioTimeline([
  otioTrack([
    otioClip("file:///a.wav", range(0, 48, 24), {
      metadata: {
        loophole: { clipId: "c", gainDb: -3, fadeInFrames: 10, tie: 1, meta: { a: 1 } },
        nle: { x: 1 },
      },
      markers: [{ OTIO_SCHEMA: "Marker.2", name: "m", marked_range: range(3, 0, 24) }],
    }),
    otioTransition(4, 6, 24),
    otioClip("b.wav", range(10, 48, 30), {
      effects: [{ OTIO_SCHEMA: "LinearTimeWarp.1", time_scalar: -2 }],
    }),
    otioGap(3.5, 25),
    {
      OTIO_SCHEMA: "Stack.1",
      source_range: range(1, 20, 24),
      children: [otioTrack([otioClip("c.wav", null)]), otioTrack([otioGap(2, 24)])],
    },
  ], { metadata: { loophole: { trackId: "t", lane: 0, gainDb: null } } }),
  otioTrack([otioClip("d.wav", range(0, 9, 24))], {
    metadata: { loophole: { trackId: "t", lane: 1 } },
  }),
  otioTrack([], { kind: "Video" }),
], {
  global_start_time: time(86_400, 24),
  metadata: { loophole: { sampleRate: 44_100, ioPoints: { inFrame: 1, outFrame: 2 } } },
});

/** The named errors, and nothing else. */
function tried(run: () => Imported): Imported | null {
  try {
    return run();
  } catch (error) {
    if (error instanceof InvalidParams) {
      assert(error.reason !== "" && error.path.length > 0, String(error));
      return null;
    }
    assert(error instanceof EngineError && error.code === "limit.exceeded", String(error));
    return null;
  }
}

/** What was imported is a timeline that a client might have set, and goes out again. */
function checkImported({ input, model, aside }: Imported): void {
  const parsed = TimelineInputSchema.safeParse(input);
  assertEquals(parsed.error?.issues ?? [], []);
  const { document } = toOtio(model, aside);
  const back = fromOtio(document, { sampleRate: model.sampleRate });
  assertEquals(back.timeline.tracks.length, timelineOf(model).tracks.length);
  const options = { title: "", startPicture: 0, counting: DEFAULT_COUNTING };
  const report = new ReportWriter();
  assert(atOnce(exportEdl(model, { ...options, asset: () => undefined, report })).length > 0);
}

Deno.test("damaged projects of Cap", () => {
  const random = prng(31);
  let imported = 0;
  const rounds = 3_000;
  for (let round = 0; round < rounds; round++) {
    const config = random.chance(0.7) ? damaged(random, CAP) : CAP;
    const meta = random.chance(0.5) ? damaged(random, CAP_META) : CAP_META;
    const made = tried(() => fromCap(config, meta));
    if (made === null) continue;
    imported++;
    checkImported(made);
  }
  assert(imported > rounds / 10 && imported < rounds, `${imported}`);
  assertEquals(({} as Json).polluted, undefined);
});

Deno.test("damaged documents of OpenTimelineIO", () => {
  const random = prng(32);
  let imported = 0;
  const rounds = 3_000;
  for (let round = 0; round < rounds; round++) {
    const made = tried(() => fromOtio(damaged(random, OTIO)));
    if (made === null) continue;
    imported++;
    checkImported(made);
  }
  assert(imported > rounds / 10 && imported < rounds, `${imported}`);
  assertEquals(({} as Json).polluted, undefined);
});
