/**
 * Where a page is not there, its proxy's sounds: to the sample, against the file, the proxy's own sound and the crossfade computed here.
 *
 * @module
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { InvalidParams } from "../engine/errors.ts";
import type { SignalEvent } from "../engine/signal/signal_api.ts";
import { randomPlanes } from "./support/audio_files.ts";
import {
  clip,
  firstDifference,
  mixOf,
  openRig,
  type Rig,
  track,
  unzip,
} from "./support/signal_rig.ts";

const PERIOD = 240;
const FADE = 720;
const PAGE = 8192; // of the full file's 16-bit pages
const FRAMES = 200_000;
const f = Math.fround;

/** A stereo file, a mono proxy at half the rate, and another file that has nothing to do with it. */
async function openPair(): Promise<Rig> {
  const rig = await openRig({ singleStep: true, manualClock: true });
  await rig.add("full", { planes: randomPlanes(1, 2, FRAMES, "s16"), encoding: "s16" });
  await rig.add("proxy", {
    planes: randomPlanes(2, 1, FRAMES / 2, "s16"),
    encoding: "s16",
    sampleRate: 24_000,
  });
  await rig.add("other", { planes: randomPlanes(3, 2, FRAMES, "s16"), encoding: "s16" });
  rig.signal.setProxy("full", "proxy");
  return rig;
}

/** How the proxy sounds by itself. */
async function proxySound(rig: Rig): Promise<Float32Array> {
  await using render = rig.signal.renderOffline(
    mixOf([track("t", [clip("c", "proxy", 0, FRAMES)])]),
    0,
  );
  const [left, right] = unzip(await render.next(FRAMES));
  assertEquals(firstDifference(left, right), -1, "a mono proxy sounds on both sides");
  rig.signal.native.symbols.lp_store_drop(rig.signal.native.engine);
  return left;
}

/** Handles are given in the order of opening. */
const HANDLES: Record<string, number> = { full: 1, proxy: 2, other: 3 };

/** Makes frames of a source resident, and nothing else: the follower does not run. */
function fill(rig: Rig, assetId: string, from: number, to: number): void {
  const { symbols, engine } = rig.signal.native;
  symbols.lp_source_prefetch(engine, HANDLES[assetId], from, to);
  while (symbols.lp_step_fill(engine) > 0);
}

/** The weight of a row frame by frame, as `mix.c` says it: 0 in holes, down to them and up from them by one fade length. */
class Weight {
  value = 1;
  next(i: number, holeAt: number): number {
    const step = f(1 / FADE);
    if (i >= holeAt) return this.value = 0;
    this.value = Math.min(1, f(this.value + step));
    // What lies further ahead than a fade has no slope below 1.
    return this.value = Math.min(this.value, f(f(holeAt - i) * step));
  }
}

const blend = (full: number, proxy: number, w: number, filled = 1) =>
  f(f(full * w) + f(proxy * f(f(1 - w) * filled)));

function renderPeriods(rig: Rig, frames: number): [Float32Array, Float32Array] {
  const sides: [Float32Array, Float32Array] = [new Float32Array(frames), new Float32Array(frames)];
  for (let at = 0; at < frames; at += PERIOD) {
    const [left, right] = rig.render(Math.min(PERIOD, frames - at));
    sides[0].set(left, at);
    sides[1].set(right, at);
  }
  return sides;
}

type Gap = Extract<SignalEvent, { kind: "gapBegin" | "gapEnd" }>;
const gapsOf = (rig: Rig): Gap[] =>
  rig.signal.drainEvents().filter((e): e is Gap => e.kind === "gapBegin" || e.kind === "gapEnd");

Deno.test("a voice goes over to its proxy ahead of a hole and back after it, exactly, and nothing is missing", async () => {
  await using rig = await openPair();
  const proxy = await proxySound(rig);
  const full = rig.sources.get("full")!;
  const hole = 3 * PAGE;
  // One to the left, the other to the right: each side is one voice.
  rig.signal.publish(
    mixOf([
      track("t", [clip("c", "full", 0, FRAMES)], { pan: -1 }),
      track("u", [clip("d", "other", 0, FRAMES)], { pan: 1 }),
    ]),
    1,
    [],
  );
  fill(rig, "full", 0, hole);
  fill(rig, "proxy", 0, FRAMES);
  fill(rig, "other", 0, FRAMES);
  rig.signal.play(0);
  const back = 40_080;
  const [left, right] = renderPeriods(rig, back);
  fill(rig, "full", hole, FRAMES);
  const rest = renderPeriods(rig, 30_000);
  const out = Float32Array.from([...left, ...rest[0]]);
  const weight = new Weight();
  const expected = new Float32Array(out.length);
  let proxied = 0;
  for (let i = 0; i < out.length; i++) {
    const w = weight.next(i, i < back ? hole : Infinity);
    expected[i] = blend(full[0][i], proxy[i], w);
    if (w < 1) proxied++;
  }
  assertEquals(firstDifference(out, expected), -1);
  // The proxy alone, and the file alone on either side.
  assertEquals(firstDifference(out.slice(hole, back), proxy.slice(hole, back)), -1);
  assertEquals(firstDifference(out.slice(0, hole - FADE), full[0].slice(0, hole - FADE)), -1);
  assertEquals(firstDifference(out.slice(back + FADE), full[0].slice(back + FADE, out.length)), -1);
  // The neighbour never notices.
  const other = rig.sources.get("other")![1];
  assertEquals(firstDifference(right, other.slice(0, back)), -1);
  assertEquals(firstDifference(rest[1], other.slice(back, out.length)), -1);

  const counters = rig.signal.counters();
  assertEquals([counters.missing, counters.faded], [0, 0]);
  assertEquals(counters.proxied, proxied);
  assertEquals(counters["proxied.queue"], proxied);
  assertEquals(rig.signal.trackCounters("t"), { missing: 0, faded: 0, proxied });
  assertEquals(rig.signal.trackCounters("u"), { missing: 0, faded: 0, proxied: 0 });
  assertEquals(
    gapsOf(rig).map((
      { kind, positionFrame, frames, filledBy, trackId, assetId },
    ) => [kind, positionFrame, frames, filledBy, trackId, assetId]),
    [
      ["gapBegin", hole, 0, "proxy", "t", "full"],
      ["gapEnd", back, back - hole, "proxy", "t", "full"],
    ],
  );
});

Deno.test("a voice that begins without its pages sounds from its proxy at once; where the proxy has a hole too it is silent, and counted so", async () => {
  await using rig = await openPair();
  const proxy = await proxySound(rig);
  const proxyEnd = 5 * 4096; // pages of floats: the proxy is converted
  rig.signal.publish(mixOf([track("t", [clip("c", "full", 0, FRAMES)])]), 1, []);
  fill(rig, "proxy", 0, proxyEnd);
  rig.signal.play(0);
  const length = 24_000;
  const [left, right] = renderPeriods(rig, length);
  const weight = new Weight();
  const expected = Float32Array.from(
    { length },
    (_, i) => blend(0, proxy[i], 0, weight.next(i, proxyEnd)),
  );
  assertEquals(firstDifference(left, expected), -1);
  assertEquals(firstDifference(right, expected), -1);
  assertEquals(left[0], proxy[0], "no fade in from silence");
  const counters = rig.signal.counters();
  assertEquals(counters.missing, length - proxyEnd);
  assertEquals(counters.faded, FADE - 1);
  assertEquals(counters.proxied, proxyEnd - FADE + 1);
  // The proxy comes back before the file does: from silence, by a fade.
  fill(rig, "proxy", proxyEnd, FRAMES);
  const [again] = renderPeriods(rig, 2400);
  const up = new Weight();
  up.value = 0;
  for (let i = 0; i < 2400; i++) {
    assertEquals(again[i], blend(0, proxy[length + i], 0, up.next(i, Infinity)), `frame ${i}`);
  }
  assertEquals(
    gapsOf(rig).map(({ kind, positionFrame, filledBy }) => [kind, positionFrame, filledBy]),
    [
      ["gapBegin", 0, "proxy"],
      ["gapEnd", proxyEnd, "proxy"],
      ["gapBegin", proxyEnd, "silence"],
      ["gapEnd", length, "silence"],
      ["gapBegin", length, "proxy"],
    ],
  );
});

Deno.test("an offline render waits for the file and never sounds from a proxy", async () => {
  await using rig = await openPair();
  fill(rig, "proxy", 0, FRAMES);
  await using render = rig.signal.renderOffline(
    mixOf([track("t", [clip("c", "full", 0, FRAMES)])]),
    0,
  );
  const [left, right] = unzip(await render.next(60_000));
  const full = rig.sources.get("full")!;
  assertEquals(firstDifference(left, full[0].slice(0, 60_000)), -1);
  assertEquals(firstDifference(right, full[1].slice(0, 60_000)), -1);
  assertEquals(render.missing(), 0);
});

Deno.test("what cannot be a pair is refused by name and value", async () => {
  await using rig = await openPair();
  const { signal } = rig;
  const refused = (assetId: string, proxyAssetId: string) =>
    assertThrows(() => signal.setProxy(assetId, proxyAssetId), InvalidParams, proxyAssetId);
  refused("full", "full");
  // What has a proxy stands for nothing, and a proxy has none.
  refused("other", "full");
  refused("proxy", "other");
  for (const [assetId, frames] of [["short", FRAMES - 481], ["long", FRAMES + 481]] as const) {
    await rig.add(assetId, { planes: [new Float64Array(frames)], encoding: "s16" });
    refused("other", assetId);
  }
  await rig.add("near", { planes: [new Float64Array(FRAMES - 480)], encoding: "s16" });
  signal.setProxy("other", "near");
  // A source of another engine is not found here.
  await using stranger = await openRig({ singleStep: true, manualClock: true });
  const { symbols } = signal.native;
  assertEquals(symbols.lp_source_set_proxy(stranger.signal.native.engine, 1, 2), -3);
  assertEquals(symbols.lp_source_set_proxy(signal.native.engine, 1, 4000), -3);
  // Parted, both are free for other pairs.
  signal.setProxy("full", null);
  signal.setProxy("other", null);
  signal.setProxy("proxy", "full");
});

Deno.test("a proxy lives with its pair: closed, reopened, taken away under a voice that sounds from it", async () => {
  await using rig = await openPair();
  const proxy = await proxySound(rig);
  const { signal } = rig;
  const { symbols, engine } = signal.native;
  signal.publish(mixOf([track("t", [clip("c", "full", 0, FRAMES)])]), 1, []);
  signal.closeSource("proxy");
  symbols.lp_gate_set(engine, 1);
  fill(rig, "proxy", 0, FRAMES);
  signal.play(0);
  // Its handle is closed, and nobody can ask for its pages by it, but the pair has it: nothing resident, so silence.
  assert(renderPeriods(rig, 480)[0].every((x) => x === 0));
  // Opened again it is in the same pair, as another source.
  symbols.lp_gate_set(engine, 0);
  await signal.openSource("proxy", `${rig.folder}/proxy.wav`);
  HANDLES.again = 4;
  fill(rig, "again", 0, FRAMES);
  const [left] = renderPeriods(rig, 2400);
  assertEquals(firstDifference(left.slice(FADE), proxy.slice(480 + FADE, 2880)), -1);
  // Taken away it fades out, and its pages go once no callback can read them.
  signal.closeSource("proxy");
  const held = signal.counters().pagesResident;
  assert(held >= 48, `${held} pages`);
  signal.setProxy("full", null);
  const [out] = renderPeriods(rig, 960);
  const step = f(1 / FADE);
  let w = 1;
  for (let i = 0; i < out.length; i++) {
    w = w > step ? f(w - step) : 0;
    assertEquals(out[i], blend(0, proxy[2880 + i], 0, w), `frame ${i}`);
  }
  assertEquals(out.slice(FADE).every((x) => x === 0), true);
  symbols.lp_gate_set(engine, 1);
  symbols.lp_step_follow(engine);
  assertEquals(signal.counters().pagesResident, held);
  assert(renderPeriods(rig, 24_000)[0].every((x) => x === 0));
  symbols.lp_step_follow(engine); // It leaves.
  symbols.lp_step_follow(engine);
  assertEquals(signal.counters().pagesResident, 0);
  const counters = signal.counters();
  assertEquals(counters.missing + counters.faded + counters.proxied, 480 + 2400 + 960 + 24_000);
});
