/** Edit decision lists, and the timecode that they count in. */
import { assert, assertEquals } from "@std/assert";
import { exportEdl } from "../engine/pulse/exchange/edl_export.ts";
import { ReportWriter } from "../engine/pulse/exchange/report.ts";
import { countingOf, pictureAt, pictureOf, timecode } from "../engine/pulse/exchange/timecode.ts";
import { modelFromTimeline, type TimelineInput } from "../engine/pulse/model_from_timeline.ts";
import { atOnce } from "../engine/pulse/turns.ts";
import type { FrameRate } from "../engine/pulse/types.ts";
import { prng } from "./support/prng.ts";
import { clip, type ShortClip } from "./support/timelines.ts";

const NTSC_DROP = countingOf({ numerator: 30_000, denominator: 1_001, drop: true });
const NTSC_60_DROP = countingOf({ numerator: 60_000, denominator: 1_001, drop: true });

Deno.test("drop-frame timecode leaves two numbers out each minute save the tenth, four at 59.94", () => {
  for (const [counting, dropped] of [[NTSC_DROP, 2], [NTSC_60_DROP, 4]] as const) {
    const { perSecond } = counting;
    // Counted one by one through two hours, as the standard's words say it.
    let [hours, minutes, seconds, frames] = [0, 0, 0, 0];
    for (let picture = 0; picture < 2 * 3_600 * perSecond; picture++) {
      const two = (value: number) => String(value).padStart(2, "0");
      const expected = `${two(hours)}:${two(minutes)}:${two(seconds)};${two(frames)}`;
      if (frames < 5 || seconds === 59) {
        assertEquals(timecode(picture, counting), expected);
        assertEquals(pictureOf(expected, counting), picture);
      }
      if (++frames < perSecond) continue;
      frames = 0;
      if (++seconds < 60) continue;
      seconds = 0;
      minutes++;
      if (minutes === 60) [hours, minutes] = [hours + 1, 0];
      if (minutes % 10 !== 0) frames = dropped;
    }
  }
});

Deno.test("known timecodes: an hour of drop-frame counting is an hour to the picture", () => {
  assertEquals(timecode(107_892, NTSC_DROP), "01:00:00;00");
  assertEquals(timecode(1_800, NTSC_DROP), "00:01:00;02");
  assertEquals(timecode(17_982, NTSC_DROP), "00:10:00;00");
  const plain = countingOf({ numerator: 30_000, denominator: 1_001 });
  assertEquals(timecode(107_892, plain), "00:59:56:12");
  const pal = countingOf({ numerator: 25, denominator: 1, drop: true });
  assertEquals([timecode(90_001, pal), pal.drop], ["01:00:00:01", false]);
  assertEquals(timecode(-1, pal), "23:59:59:24");
  assertEquals(timecode(25 * 86_400, pal), "00:00:00:00");
  assertEquals(pictureOf("00:01:00;01", NTSC_DROP), null); // One of those that are left out.
  assertEquals(["1:00:00:00", "00:00:60:00", "00:00:00:25", ""].map((one) => pictureOf(one, pal)), [
    null,
    null,
    null,
    null,
  ]);
});

Deno.test("the picture nearest to a place is found by whole numbers", () => {
  // 48,000 / (30,000 / 1,001) is 1,601.6 samples a picture.
  assertEquals([0, 800, 801, 1_602, 2_402, 2_403].map((at) => pictureAt(at, 48_000, NTSC_DROP)), [
    ...[0, 0, 1, 1, 1, 2],
  ]);
  const late = 2 ** 52;
  const exact = (2n * BigInt(late) * 30_000n + 48_048_000n) / 96_096_000n;
  assertEquals(pictureAt(late, 48_000, NTSC_DROP), Number(exact));
});

function edl(
  tracks: Record<string, ShortClip[]>,
  { frameRate, rest, ...options }: {
    frameRate?: FrameRate;
    rest?: Partial<TimelineInput>;
    trackIds?: string[];
    startPicture?: number;
  } = {},
) {
  const model = modelFromTimeline({
    sampleRate: 48_000,
    ...(frameRate && { frameRate }),
    tracks: Object.entries(tracks).map(([trackId, clips]) => ({ trackId, clips: clips.map(clip) })),
    ...rest,
  });
  const writer = new ReportWriter();
  const text = atOnce(exportEdl(model, {
    title: "My\nproject",
    startPicture: 0,
    counting: countingOf(frameRate ?? { numerator: 25, denominator: 1 }),
    asset: (assetId) => ({
      url: `file:///${assetId}`,
      name: assetId,
      sampleRate: 48_000,
      lengthSamples: 1,
      isMissing: false,
    }),
    report: writer,
    ...options,
  }));
  return { text, report: writer.done({ tracks: 0, clips: 0, markers: 0 }) };
}

const S = 48_000;

Deno.test("cuts, dissolves and speeds, in the columns that machines read", () => {
  const { text } = edl({
    a: [
      ["1", 0, 2 * S, { assetId: "take one.wav" }],
      ["2", 1.5 * S, 4 * S, { assetId: "take one.aif", sourceFrame: 10 * S, name: "Second" }],
      ["3", 5 * S, 6 * S, { assetId: "take one.wav", sourceFrame: 0, rate: 2 }],
    ],
    b: [["4", 0, S / 2, { assetId: "ø", sourceFrame: S }]],
  }, { startPicture: 25 * 3_600 });
  assertEquals(text.split("\r\n"), [
    "TITLE: My project",
    "FCM: NON-DROP FRAME",
    "001  TAKEONE  A     C        00:00:00:00 00:00:01:13 01:00:00:00 01:00:01:13",
    "* FROM CLIP NAME: take one.wav",
    "002  TAKEONE  A     C        00:00:01:13 00:00:01:13 01:00:01:13 01:00:01:13",
    "002  TAKEONE2 A     D    012 00:00:10:00 00:00:12:12 01:00:01:13 01:00:04:00",
    "* FROM CLIP NAME: take one.wav",
    "* TO CLIP NAME: Second",
    "003  TAKEONE  A     C        00:00:00:00 00:00:02:00 01:00:05:00 01:00:06:00",
    "M2   TAKEONE        050.0                00:00:00:00",
    "* FROM CLIP NAME: take one.wav",
    "004  AX       A2    C        00:00:01:00 00:00:01:13 01:00:00:00 01:00:00:13",
    "* FROM CLIP NAME: ø",
    "",
  ]);
});

Deno.test("a clip within another is cut in, and the outer one resumes behind it", () => {
  const { text } = edl({ a: [["out", 0, 4 * S], ["in", S, 2 * S, { sourceFrame: 0 }]] });
  assertEquals(text.split("\r\n").filter((line) => /^\d/.test(line)), [
    "001  A        A     C        00:00:00:00 00:00:01:00 00:00:00:00 00:00:01:00",
    "002  A        A     C        00:00:00:00 00:00:01:00 00:00:01:00 00:00:02:00",
    "003  A        A     C        00:00:02:00 00:00:04:00 00:00:02:00 00:00:04:00",
  ]);
});

Deno.test("drop-frame rates say so, and what a list cannot hold is told", () => {
  const frameRate = { numerator: 30_000, denominator: 1_001, drop: true };
  const { text, report } = edl({
    a: [["1", 60 * S, 120 * S], ["short", 200 * S, 200 * S + 10]],
    ...Object.fromEntries(["b", "c", "d", "e"].map((id) => [id, []])),
  }, { frameRate });
  const [, fcm, event] = text.split("\r\n");
  assertEquals(fcm, "FCM: DROP FRAME");
  // A minute is 1,798.2 pictures, two minutes 3,596.4.
  assertEquals(event.slice(29), "00:00:59;28 00:01:59;28 00:00:59;28 00:01:59;28");
  const told = report.entries.map(({ path, what }) => `${path.join(".")}: ${what}`);
  assert(told.includes("tracks.e: a track beyond the 4 channels of a list"), `${told}`);
  assert(told.includes("tracks.a.clips.short: a clip shorter than half a picture"), `${told}`);
  assertEquals(
    edl({ a: [["1", 0, S]], b: [["2", 0, S]] }, { trackIds: ["b"] }).text.split("\r\n")[2].slice(
      14,
      15,
    ),
    "A",
  );
});

Deno.test("over random tracks events follow each other, none is empty, and dissolves fit", () => {
  const random = prng(21);
  let dissolves = 0;
  for (let round = 0; round < 300; round++) {
    let at = 0;
    const clips = Array.from({ length: 1 + random.int(20) }, (_, i): ShortClip => {
      at += random.pick([0, 1, 4, 30]) * 1_920;
      return [`c${i}`, at, at + (1 + random.int(random.pick([4, 60]))) * 1_920];
    });
    const { text } = edl({ a: clips });
    const counting = countingOf({ numerator: 25, denominator: 1 });
    let end = 0;
    let covered = 0;
    for (const line of text.split("\r\n").filter((one) => /^\d/.test(one))) {
      const [from, to, recordIn, recordOut] = line.slice(29).split(" ").map((code) =>
        pictureOf(code, counting)!
      );
      assert(recordIn >= end && to - from === recordOut - recordIn, line);
      const dissolve = /D {4}(\d{3})/.exec(line);
      if (dissolve !== null) {
        dissolves++;
        assert(recordIn === end && Number(dissolve[1]) <= recordOut - recordIn, line);
      }
      covered += recordOut - recordIn;
      end = recordOut;
    }
    // What any clip covers is heard of one of them.
    const heard = new Set(
      clips.flatMap(([, a, b]) => Array.from({ length: (b - a) / 1_920 }, (_, k) => a / 1_920 + k)),
    );
    assertEquals(covered, heard.size, JSON.stringify(clips));
  }
  assert(dissolves > 200, `${dissolves}`);
});
