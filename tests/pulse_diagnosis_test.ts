import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { histogramSince } from "../engine/pulse/services/histogram_view.ts";
import {
  DiagnosisChange,
  type DiagnosisSnapshot,
} from "../engine/pulse/services/diagnosis_snapshot.ts";
import { trackFrames, trackImpacts } from "../engine/pulse/track_shares.ts";
import { HISTOGRAMS, noFrames } from "../engine/signal/diagnosis.ts";
import { seededRandom } from "./support/audio_files.ts";
import { FakeSignal } from "./support/fake_signal.ts";
import { signalDiagnostics } from "./support/signal_diagnostics.ts";
import { edited, model } from "./support/timelines.ts";

const BOUNDS = [1e6, 10e6, 100e6];

Deno.test("histogramSince() gives counts, percentiles and the greatest value in milliseconds", () => {
  const now = { sum: 515e6, max: 400e6, counts: [90, 8, 1, 1] };
  const { p50, p99, p999, ...rest } = histogramSince(BOUNDS, now, undefined, "ms");
  assertEquals(rest, {
    unit: "ms",
    bounds: [1, 10, 100],
    counts: [90, 8, 1, 1],
    count: 100,
    sum: 515,
    max: 400,
  });
  assertAlmostEquals(p50!, 50 / 90, 1e-9);
  assertAlmostEquals(p99!, 100, 1e-9);
  assertAlmostEquals(p999!, 400, 1e-9);
});

Deno.test("histogramSince() counts from a baseline", () => {
  const before = { sum: 400e6, max: 300e6, counts: [5, 0, 0, 1] };
  const none = histogramSince(BOUNDS, before, before, "ms");
  assertEquals([none.count, none.sum, none.max, none.p50], [0, 0, null, null]);
  const now = { sum: 408e6, max: 300e6, counts: [6, 1, 0, 1] };
  const since = histogramSince(BOUNDS, now, before, "ms");
  assertEquals([since.counts, since.count, since.sum], [[1, 1, 0, 0], 2, 8]);
  assertEquals(since.max, 10, "the greatest of all was before: no more than its bucket's bound");
  const share = histogramSince(
    [1e8, 1e9],
    { sum: 5e8, max: 3e8, counts: [1, 1, 0] },
    undefined,
    "share",
  );
  assertEquals([share.bounds, share.sum, share.max], [[0.1, 1], 0.5, 0.3]);
});

Deno.test("histogramSince()'s percentiles lie where sorted values do, within their bucket", () => {
  const bounds = Array.from({ length: 20 }, (_, i) => 1e6 * 1.5 ** i);
  const random = seededRandom(3);
  const values = Array.from({ length: 5_000 }, () => 1e6 * 1.5 ** (random() * 18)).sort((a, b) =>
    a - b
  );
  const counts = Array(21).fill(0);
  for (const value of values) counts[bounds.filter((bound) => bound < value).length]++;
  const sum = values.reduce((a, b) => a + b, 0);
  const told = histogramSince(bounds, { sum, max: values.at(-1)!, counts }, undefined, "ms");
  for (const [q, at] of [[0.5, told.p50], [0.99, told.p99], [0.999, told.p999]] as const) {
    const exact = values[Math.ceil(q * values.length) - 1] / 1e6;
    assert(at! > exact / 1.5 && at! < exact * 1.5, `${q}: ${at}, not about ${exact}`);
  }
  assertEquals(told.max, values.at(-1)! / 1e6);
});

Deno.test("what fetching an asset took is shared out by how much of it each track's clips play", () => {
  const state = model({
    t: [["a1", 0, 300, { assetId: "a" }], ["b1", 300, 400, { assetId: "b" }]],
    u: [["a2", 0, 100, { assetId: "a" }]],
    v: [],
  });
  const fetched = new Map([
    ["a", { readMs: 40, decodeMs: 8, bytes: 4_000 }],
    ["b", { readMs: 1, decodeMs: 2, bytes: 3 }],
    ["in no clip", { readMs: 100, decodeMs: 100, bytes: 100 }],
  ]);
  const impacts = trackImpacts(fetched, trackFrames(state));
  assertEquals(impacts.get("t"), { readMs: 31, decodeMs: 8, bytes: 3_003 });
  assertEquals(impacts.get("u"), { readMs: 10, decodeMs: 2, bytes: 1_000 });
  assertEquals(impacts.get("v"), undefined);
  const next = edited(state, { op: "clip.remove", clipId: "a2" });
  assertEquals(trackImpacts(fetched, trackFrames(next)).get("t")!.readMs, 41);
});

function snapshot(own: Partial<DiagnosisSnapshot> = {}): DiagnosisSnapshot {
  return {
    timeMs: 0,
    counters: {},
    tracks: new Map(),
    removedTracks: { missing: 0, faded: 0 },
    streams: { missing: noFrames(), faded: noFrames(), unrecorded: 0 },
    histograms: Object.fromEntries(
      HISTOGRAMS.map((name) => [name, { sum: 0, max: 0, counts: [0] }]),
    ) as unknown as DiagnosisSnapshot["histograms"],
    fetched: new Map(),
    volumes: [],
    recordedFrames: 0,
    hasOpenGaps: false,
    ...own,
  };
}
const track = (missing: number) => ({
  missing: { ...noFrames(), read: missing },
  faded: noFrames(),
  proxied: 0,
});

Deno.test("missing frames of tracks, of those that are gone and of those since the baseline, make up all", () => {
  const before = snapshot({
    counters: { "missing.read": 30, unrecordedFrames: 2, units: 5 },
    tracks: new Map([["t", track(10)], ["u", track(15)]]),
    removedTracks: { missing: 5, faded: 0 },
    recordedFrames: 28,
  });
  const now = snapshot({
    counters: { "missing.read": 50, unrecordedFrames: 3, units: 6 },
    tracks: new Map([["t", track(14)], ["v", track(7)]]),
    removedTracks: { missing: 5 + 15 + 9, faded: 0 },
    recordedFrames: 47,
  });
  const change = new DiagnosisChange(now, before, 0);
  const missing = change.frames("missing");
  assertEquals(missing, { ...noFrames(), read: 20 });
  const tracks = ["t", "v"].map((trackId) => change.track(trackId).missingFrames);
  assertEquals([tracks, change.removedTracks().missing], [[4, 7], 9]);
  assertEquals(change.underrunFrames(), { recorded: 19, unrecorded: 1, open: 0 });
  assertEquals(change.counters().units, 6, "how things are is no count");
});

Deno.test("the last hundred changes of availability are told, and how many there were", () => {
  const signal = new FakeSignal();
  const { diagnostics } = signalDiagnostics(signal);
  const tell = (assetId: string, offlineStatus: string) => {
    signal.timeMs++;
    const change = { assetId, offlineStatus, proxyStatus: "none", generation: 2 };
    const params = { changes: [change] };
    diagnostics.hear({ topic: "assets", method: "asset.statusChanged", params });
    diagnostics.hear({ topic: "assets", method: "asset.changed", params: { assets: [] } });
  };
  const { availability: none } = diagnostics.get({ clientId: "me" });
  assertEquals(none, { total: 0, changes: [] });
  for (let i = 0; i < 130; i++) tell(`a${i}`, i % 2 ? "present" : "missing");
  diagnostics.reset({ clientId: "me" });
  const { availability } = diagnostics.get({ clientId: "me" });
  assertEquals([availability.total, availability.changes.length], [130, 100]);
  assertEquals(availability.changes.at(-1), {
    timeMs: 130,
    assetId: "a129",
    offlineStatus: "present",
    generation: 2,
  });
});

Deno.test("what a volume took is counted from the baseline, else from the start", () => {
  const volume = {
    device: 7,
    sources: 1,
    hanging: 0,
    reads: 0,
    bytes: 0,
    readMs: 0,
    decodeMs: 0,
    decodedFrames: 0,
    fills: 0,
    errors: 0,
    stalls: 0,
    busyMs: 0,
    latencyMs: 3,
    longestMs: 9,
  };
  const before = snapshot({ timeMs: 900_100, volumes: [{ ...volume, bytes: 1_000, busyMs: 20 }] });
  const now = snapshot({ timeMs: 900_600, volumes: [{ ...volume, bytes: 5_000, busyMs: 120 }] });
  const of = (change: DiagnosisChange) =>
    change.volumes().map(({ bytes, busyMs, sinceMs, longestMs }) => [
      bytes,
      busyMs,
      sinceMs,
      longestMs,
    ]);
  assertEquals(of(new DiagnosisChange(now, undefined, 900_000)), [[5_000, 120, 600, 9]]);
  assertEquals(of(new DiagnosisChange(now, before, 900_000)), [[4_000, 100, 500, 9]]);
});
