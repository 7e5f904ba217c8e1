import { assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { encodePeaksFrame } from "../engine/media/peaks_frame.ts";
import { decodeFrame } from "../server/web/client/binary.js";
import { subprotocols } from "../server/web/client/token.js";
import { analysedPart, AssetBook } from "../server/web/model/asset_book.js";
import { duration, timecode } from "../server/web/model/format.js";
import { LiveEdit } from "../server/web/model/live_edit.js";
import { meterPosition, Meters } from "../server/web/model/meters.js";
import { Notices } from "../server/web/model/notices.js";
import { View } from "../server/web/model/view.js";
import { nextTimeFormat, timeFormatOf, writeTime } from "../server/web/model/time_format.js";
import { latest } from "../server/web/model/latest.js";
import { gridFor } from "../server/web/timeline/ticks.js";
import type { EditResult } from "../engine/api.ts";
import type { Asset } from "../engine/pulse/types.ts";
import { Disconnected } from "../server/web/client/errors.js";
import { PulseClient } from "../server/web/client/client.js";

Deno.test("decodeFrame() reads the server's peaks frame back exactly, what is not analysed included", () => {
  const plane = (seed: number) => Float32Array.from({ length: 7 }, (_, i) => Math.sin(seed + i));
  const columns = {
    start: 12.5,
    end: 99.25,
    width: 7,
    min: [plane(1), plane(2)],
    max: [plane(3), plane(4)],
    rms: [plane(5), Float32Array.from({ length: 7 }, () => NaN)],
    complete: false,
    etag: null,
  };
  const frame = decodeFrame(encodePeaksFrame(columns, 4_000_000_000).buffer);
  assertEquals(frame, {
    kind: "peaks",
    previewId: 4_000_000_000,
    start: 12.5,
    end: 99.25,
    width: 7,
    complete: false,
    min: columns.min,
    max: columns.max,
    rms: columns.rms,
  });
  assertEquals(decodeFrame(Uint8Array.of(9, 1, 0, 0).buffer), null);
});

Deno.test("timecode() gives milliseconds without a frame rate and SMPTE labels with one, drop-frame too", () => {
  assertEquals(timecode(48_000 * 3_725.5, 48_000, null), "01:02:05.500");
  assertEquals(timecode(44_100 * 2 - 1, 44_100, null), "00:00:01.999");
  const pal = { numerator: 25, denominator: 1 };
  assertEquals(timecode(48_000 * 61.2, 48_000, pal), "00:01:01:05");
  const ntsc = { numerator: 30_000, denominator: 1_001, drop: true };
  const at = (count: number) => Math.ceil((count * 1_001 * 48_000) / 30_000);
  // SMPTE ST 12-1: labels 00 and 01 are left out each minute, save each tenth.
  assertEquals(timecode(at(1_799), 48_000, ntsc), "00:00:59;29");
  assertEquals(timecode(at(1_800), 48_000, ntsc), "00:01:00;02");
  assertEquals(timecode(at(17_981), 48_000, ntsc), "00:09:59;29");
  assertEquals(timecode(at(17_982), 48_000, ntsc), "00:10:00;00");
  assertEquals(timecode(at(17_982 + 1_800), 48_000, ntsc), "00:11:00;02");
  assertEquals([duration(7.25), duration(185), duration(3_723)], ["0:07.3", "3:05", "1:02:03"]);
});

Deno.test("gridFor() leaves room for labels from single samples to hours", () => {
  for (let perPixel = 1 / 48; perPixel < 26 * 3600 * 48; perPixel *= 1.3) {
    const { stepFrames, parts, label } = gridFor(perPixel, 48_000, null);
    const px = stepFrames / perPixel;
    if (perPixel < 3_000_000) assertEquals(px >= 92 && px < 92 * 12, true, `${perPixel}: ${px} px`);
    assertEquals(stepFrames / parts > 0 && label(stepFrames).length < 16, true);
  }
});

Deno.test("View.zoomAt() keeps the frame under the cursor, and nothing leaves the timeline", () => {
  const view = new View();
  Object.assign(view, { width: 1_000, height: 300, endFrame: 48_000 * 3_600, trackCount: 3 });
  view.fit();
  const frame = view.frameAt(400);
  for (let step = 0; step < 80; step++) view.zoomAt(400, 1.3);
  assertAlmostEquals(view.frameAt(400), frame, 1);
  assertEquals(view.framesPerPixel, 1 / 48);
  for (let step = 0; step < 120; step++) view.zoomAt(400, 1 / 1.3);
  assertEquals(view.scrollFrame, 0);
  view.scrollBy(1e12);
  assertEquals(view.scrollFrame < view.endFrame, true);
  assertEquals(view.reveal(0), true);
  assertEquals(view.scrollFrame, 0);
});

Deno.test("LiveEdit sends one edit at a time and only the latest of those that wait, under one merge key", async () => {
  const sent: { to: unknown; mergeKey: string }[] = [];
  const gates: (() => void)[] = [];
  const live = new LiveEdit(async (edits, { mergeKey }) => {
    sent.push({ to: edits[0], mergeKey });
    await new Promise<void>((open) => gates.push(open));
    return {} as EditResult;
  }, "Move clip");
  for (const startFrame of [1, 2, 3, 4]) {
    live.update([{ op: "clip.move", clipId: "c", startFrame }]);
  }
  assertEquals(sent.length, 1);
  gates.shift()!();
  await new Promise((resolve) => setTimeout(resolve));
  assertEquals(sent.map(({ to }) => (to as { startFrame: number }).startFrame), [1, 4]);
  assertEquals(sent[0].mergeKey, sent[1].mergeKey);
  gates.shift()!();
  await live.settled();
  assertEquals(live.touched, true);
});

Deno.test("Meters rise at once, hold, and fall by 24 dB a second", () => {
  const meters = new Meters();
  const frame = (peak: number) => ({
    kind: "meters" as const,
    sequence: 0,
    audibleFrame: 0,
    timeMs: 0,
    revision: 1,
    master: { peak: [peak], rms: [0] },
    tracks: [],
  });
  meters.advance(0);
  meters.take(frame(2), [], 0);
  const [channel] = meters.of("");
  assertAlmostEquals(channel.levelDb, 6.02, 0.01);
  assertEquals(channel.clipped, true);
  for (let now = 50; now <= 1_000; now += 50) meters.advance(now);
  assertAlmostEquals(channel.levelDb, 6.02 - 24, 0.01);
  assertAlmostEquals(channel.holdDb, 6.02, 0.01);
  for (let now = 1_050; now <= 9_000; now += 50) meters.advance(now);
  assertEquals(meters.advance(9_050), false);
  assertEquals([meterPosition(-90), meterPosition(-20), meterPosition(9)], [0, 0.55, 1]);
});

Deno.test("Notices keep one line a kind and count the rest; a lost connection is not one of them", () => {
  const notices = new Notices();
  const error = Object.assign(new Error("No such file."), { code: "asset.notFound" });
  for (let time = 0; time < 50; time++) notices.fail(error, "add the file");
  notices.fail(new Disconnected("timeline.edit"), "split");
  assertEquals(notices.all.length, 1);
  assertEquals(notices.all[0].count, 50);
  assertEquals(notices.all[0].message, "Could not add the file: No such file.");
  notices.dismiss("asset.notFound");
  assertEquals(notices.all, []);
});

Deno.test("a token travels as a subprotocol in base64url", () => {
  assertEquals(subprotocols(null), ["loophole.v1"]);
  assertEquals(subprotocols("a?>ü"), ["loophole.v1", "token.YT8-w7w"]);
});

Deno.test("PulseClient refuses requests while it is not connected", async () => {
  const client = new PulseClient({ url: "ws://127.0.0.1:1/pulse", topics: ["timeline"] });
  const error = await assertRejects(() => client.request("timeline.get"), Disconnected);
  assertEquals(error.code, "disconnected");
});

Deno.test("AssetBook keeps what notifications said when an older answer comes late", () => {
  const book = new AssetBook();
  const asset = (analysedSamples: number) =>
    ({
      assetId: "a",
      lengthSamples: 10,
      analysedSamples,
      complete: analysedSamples === 10,
    }) as Asset;
  book.put([asset(0)]);
  book.setReady(["a"]);
  book.putNew([asset(4)]);
  assertEquals(book.get("a"), asset(10));
  book.putNew([{ ...asset(4), assetId: "b" }]);
  assertEquals(analysedPart(book.get("b")!), 0.4);
});

Deno.test("positions are written as timecode, clock time or samples; the ruler divides samples by one, two and five", () => {
  const film = { sampleRate: 48_000, frameRate: { numerator: 24, denominator: 1 } };
  assertEquals(writeTime(49_000, film, "auto"), "00:00:01:00");
  assertEquals(writeTime(49_000, film, "clock"), "00:00:01.020");
  assertEquals(writeTime(49_000, film, "samples"), "49\u2009000");
  assertEquals(writeTime(49_000, { ...film, frameRate: null }, "auto"), "00:00:01.020");
  assertEquals(timeFormatOf("nonsense"), "auto");
  // Every way is come by, and none that shows the same.
  const round = (frameRate: typeof film.frameRate | null) => {
    const seen = [timeFormatOf(null)];
    for (;;) {
      const next = nextTimeFormat(seen.at(-1)!, frameRate);
      if (next === "auto") return seen;
      seen.push(next);
    }
  };
  assertEquals(round(null), ["auto", "samples"]);
  assertEquals(round(film.frameRate), ["auto", "clock", "samples"]);
  for (let perPixel = 1 / 48; perPixel < 26 * 3600 * 48; perPixel *= 1.3) {
    const { stepFrames, parts } = gridFor(perPixel, 48_000, null, "samples");
    const px = stepFrames / perPixel;
    assertEquals(px >= 92 && px < 92 * 12, true, `${perPixel}: ${px} px`);
    assertEquals(/^[125]0*$/.test(String(stepFrames)), true, `${stepFrames}`);
    assertEquals(stepFrames / parts > 0, true);
  }
});

Deno.test("Notices name what failed for one reason in one line, the latest first", () => {
  const notices = new Notices();
  const error = (reason: string) =>
    Object.assign(new Error(`Cannot read "x": ${reason}`), { code: "asset.unreadable" });
  for (let index = 1; index <= 5; index++) {
    notices.fail(error("it is empty"), "add", `${index}.wav`);
  }
  notices.fail(error("it is empty"), "add", "5.wav");
  notices.fail(error("it is a folder"), "add", "Takes");
  assertEquals(notices.all.map(({ message, count }) => [message, count]), [
    ["Could not add Takes: it is a folder", 1],
    ["Could not add 5.wav, 4.wav, 3.wav and 2 more: it is empty", 6],
  ]);
});

Deno.test("latest() runs one call at a time and passes over all but the newest that wait", async () => {
  const calls: number[] = [];
  const gates: (() => void)[] = [];
  const call = latest((value: number) => {
    calls.push(value);
    return new Promise<void>((open) => gates.push(open));
  });
  for (const value of [1, 2, 3]) call(value);
  assertEquals(calls, [1]);
  gates.shift()!();
  await new Promise((resolve) => setTimeout(resolve));
  assertEquals(calls, [1, 3]);
  gates.shift()!();
  await new Promise((resolve) => setTimeout(resolve));
  call(4);
  assertEquals(calls, [1, 3, 4]);
  gates.shift()!();
});
