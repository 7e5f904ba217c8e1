import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import type { Demand } from "../engine/pulse/demand.ts";
import {
  AGAIN_MS,
  decideWarning,
  forecast,
  greatestMean,
  ThroughputMeter,
  type Warned,
} from "../engine/pulse/forecast.ts";
import { commonFolder, volumeFolders } from "../engine/pulse/services/volume_folders.ts";

Deno.test("greatestMean() is that of the worst stretch as long as the read-ahead", () => {
  assertEquals(greatestMean([0, 0, 30, 30, 0, 10], 2), 30);
  assertEquals(greatestMean([0, 0, 30, 30, 0, 10], 3), 20);
  assertEquals(greatestMean([6, 0, 0], 10), 2, "a short span counts as a whole");
  assertEquals(greatestMean([1, 2, 9], 1), 9);
  assertEquals(greatestMean([], 10), 0);
});

function demand(bytes: number[], volume = "a"): Demand {
  return {
    spanSeconds: bytes.length,
    assets: [],
    volumes: [{
      volume,
      bytes: Float64Array.from(bytes),
      decodeFrames: new Float64Array(bytes.length),
      mutedBytes: 0,
    }],
  };
}
const gives = (bytesPerSecond: number | null) => () => ({
  bytesPerSecond,
  decodeFramesPerSecond: null,
});

Deno.test("forecast() sets what is needed against what the volume gives", () => {
  const [told] = forecast(demand([10, 50, 30, 0]), gives(80), 2);
  assertEquals(told, {
    volume: "a",
    needBytesPerSecond: 40,
    haveBytesPerSecond: 80,
    needDecodeFramesPerSecond: 0,
    haveDecodeFramesPerSecond: null,
    margin: 2,
    worstSecond: 1,
  });
  const [unknown] = forecast(demand([10]), gives(null));
  assertEquals([unknown.margin, unknown.worstSecond], [null, 0]);
  const [nothing] = forecast(demand([0, 0]), gives(80));
  assertEquals([nothing.margin, nothing.worstSecond], [null, null]);
});

Deno.test("decideWarning() warns once, and again after a recovery or a minute", () => {
  let warned: Warned = null;
  const at = (margin: number | null, nowMs: number) => {
    const decided = decideWarning(margin, warned, nowMs);
    warned = decided.warned;
    return decided.warn;
  };
  assertEquals([at(2, 0), at(1.25, 1), at(1.24, 2)], [false, false, true]);
  assertEquals([at(1.1, 3), at(1.4, 4), at(1.2, 5)], [false, false, false], "not well yet");
  assertEquals([at(null, 6), at(1.2, 7)], [false, false], "what is not known changes nothing");
  assertEquals([at(1.51, 8), at(1.2, 9)], [false, true], "it was well meanwhile");
  assertEquals([at(0.5, 9 + AGAIN_MS - 1), at(0.5, 9 + AGAIN_MS)], [false, true]);
});

Deno.test("ThroughputMeter counts time in which somebody reads, the latest most", () => {
  const meter = new ThroughputMeter();
  let bytes = 0;
  let busyMs = 0;
  const read = (ms: number, perSecond: number) => {
    busyMs += ms;
    bytes += ms * perSecond / 1000;
    meter.look({ bytes, busyMs, decodedFrames: 0, decodeMs: 0 });
  };
  assertEquals(meter.throughput.bytesPerSecond, null);
  read(1, 100e6);
  assertEquals(meter.throughput.bytesPerSecond, null, "too little to tell");
  for (let i = 0; i < 10; i++) read(100, 100e6);
  assertAlmostEquals(meter.throughput.bytesPerSecond!, 100e6, 1);
  for (let i = 0; i < 50; i++) read(0, 0);
  assertAlmostEquals(meter.throughput.bytesPerSecond!, 100e6, 1, "idle time says nothing");
  let before = 100e6;
  for (let i = 0; i < 100; i++) {
    read(100, 10e6);
    const now = meter.throughput.bytesPerSecond!;
    assert(now < before && now > 10e6);
    before = now;
  }
  assert(before < 11e6, "it has become slow");
  assertEquals(meter.throughput.decodeFramesPerSecond, null);
  meter.look({ bytes, busyMs: busyMs + 100, decodedFrames: 48_000, decodeMs: 50 });
  assertAlmostEquals(meter.throughput.decodeFramesPerSecond!, 960_000, 1);
});

Deno.test("a volume is named by the deepest folder that holds its files", () => {
  assertEquals(commonFolder(["/a/b/c.wav", "/a/b/d/e.wav"]), "/a/b");
  assertEquals(commonFolder(["/a/b/c.wav"]), "/a/b");
  assertEquals(commonFolder(["/a/bc/d.wav", "/a/b/d.wav"]), "/a");
  assertEquals(commonFolder(["/a.wav", "/b/c.wav"]), "/");
  assertEquals(commonFolder([]), null);
  assertEquals(
    [...volumeFolders([
      { path: "/x/a.wav", volume: "1" },
      { path: "/y/b.wav", volume: "2" },
      { path: "/x/z/c.wav", volume: "1" },
    ])],
    [["1", "/x"], ["2", "/y"]],
  );
});
