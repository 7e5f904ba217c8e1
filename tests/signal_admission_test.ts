/**
 * Which voices play when the budget has no two pages left for each: tracks that sound keep their places, what begins is refused in order of tracks, and
 * what is refused is silent, counted and told, and disturbs nobody.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import type { SignalEvent } from "../engine/signal/signal_api.ts";
import {
  clip,
  firstDifference,
  mixOf,
  openRig,
  type Rig,
  type TestClip,
  track,
  unzip,
} from "./support/signal_rig.ts";

const PERIOD = 240;
const FADE = 720;
const PAGE = 8192;
const TRACKS = 64;
/** Pages that a track has for itself. */
const PAGES = 4;
/** In 8 MB: nine tenths of 488 units, and 8 of them for two pages of four channels. */
const FIT = 54;
const REFUSED = TRACKS - FIT;

async function openFull(memoryBytes: number): Promise<Rig> {
  const rig = await openRig({ singleStep: true, manualClock: true, memoryBytes });
  const planes = Array.from({ length: 4 }, (_, c) => {
    let x = c + 1;
    return Int16Array.from({ length: TRACKS * PAGES * PAGE }, () => {
      x = (Math.imul(x, 1_103_515_245) + 12_345) | 0;
      return x >> 20;
    });
  });
  await rig.add("a", { planes, encoding: "s16" });
  return rig;
}

const place = (t: number) => t * PAGES * PAGE;
const whole = (t: number): TestClip[] => [
  clip(`c${t}`, "a", 0, PAGES * PAGE, { sourceFrame: place(t) }),
];

/** One track's clip ends early, another has two clips one after the other. */
const ENDS = 20;
const ENDS_AT = 16_800;
/** Before its last page: from there on it needs one page alone, and makes room. */
const MAKES_ROOM = 2 * PAGE;
const CUT = 30;
const CUT_AT = 9_000;
function clipsOf(t: number): TestClip[] {
  if (t === ENDS) {
    return [clip(`c${t}`, "a", 0, ENDS_AT, { sourceFrame: place(t) })];
  }
  if (t === CUT) {
    const rest = { sourceFrame: place(t) + PAGE + 4000 };
    return [
      clip(`c${t}`, "a", 0, CUT_AT, { sourceFrame: place(t) }),
      clip(`d${t}`, "a", CUT_AT, 2 * PAGE, rest),
    ];
  }
  return whole(t);
}
/** The same tracks in each mix: an edit that adds some leaves the others as they are. */
const ALL = mixOf(Array.from({ length: TRACKS }, (_, t) => track(`t${t}`, clipsOf(t)))).tracks;
const mix = (from: number) => ({ tracks: ALL.slice(from) });

/** Renders period by period, the follower and the pool keeping up. */
function play(rig: Rig, frames: number): Float32Array {
  const out = new Float32Array(frames);
  for (let at = 0; at < frames; at += PERIOD) {
    rig.settle();
    out.set(rig.render(PERIOD)[0], at);
  }
  return out;
}

Deno.test("8 MB and 64 tracks: exactly the voices that begin too late are silent, the others are as with all the memory", async () => {
  await using small = await openFull(8e6);
  await using large = await openFull(64e6);
  for (const rig of [small, large]) {
    rig.signal.publish(mix(REFUSED), 1, []);
    rig.signal.play(0);
  }
  const begun = 4800;
  const first = play(small, begun);
  assertEquals(small.signal.counters().voicesRefused, 0);

  // Ten more begin, all on tracks before those that sound. There is no page left for them.
  small.signal.publish(mix(0), 2, []);
  const heard = MAKES_ROOM - MAKES_ROOM % PERIOD - begun;
  const second = play(small, heard);
  assertEquals(small.signal.position().revision, 2);
  assertEquals(small.signal.counters().voicesRefused, REFUSED);
  const control = play(large, begun + heard);
  const together = Float32Array.from([...first, ...second]);
  assertEquals(firstDifference(together, control), -1, "who sounded sounds on, to the sample");

  const missing = Array.from({ length: TRACKS }, (_, t) => small.signal.trackCounters(`t${t}`));
  const frames = missing[0].missing;
  // The gate waits 30 ms at most for what does not come.
  assertEquals(frames >= heard - 1440 - PERIOD && frames < heard, true, `${frames} of ${heard}`);
  for (const [t, counters] of missing.entries()) {
    const refused = t < REFUSED;
    assertEquals(counters, { missing: refused ? frames : 0, faded: 0, proxied: 0 }, `track ${t}`);
  }
  const counters = small.signal.counters();
  assertEquals(counters.missing, REFUSED * frames);
  assertEquals(counters["missing.budget"], counters.missing);
  const gaps = small.signal.drainEvents().filter((
    e,
  ): e is Extract<SignalEvent, { kind: "gapBegin" | "gapEnd" }> =>
    e.kind === "gapBegin" || e.kind === "gapEnd"
  );
  assertEquals(
    gaps.map(({ kind, trackId, cause }) => [kind, trackId, cause]),
    Array.from({ length: REFUSED }, (_, t) => ["gapBegin", `t${t}`, "budget"]),
  );

  // A clip ends: its place goes to the first track that waits, which fades in.
  const rest = 4800;
  const third = play(small, rest);
  const now = Array.from({ length: TRACKS }, (_, t) => small.signal.trackCounters(`t${t}`));
  assertEquals(small.signal.counters().voicesRefused, REFUSED - 1);
  for (let t = 1; t < TRACKS; t++) {
    assertEquals(now[t], { ...missing[t], missing: t < REFUSED ? frames + rest : 0 }, `track ${t}`);
  }
  assertEquals(now[0], { missing: frames + PERIOD, faded: FADE - 1, proxied: 0 });
  large.signal.stop();
  large.render(1920);
  const waited = [0, ...Array.from({ length: FIT }, (_, i) => REFUSED + i)];
  large.signal.publish({ tracks: waited.map((t) => ALL[t]) }, 2, []);
  const from = PERIOD + FADE;
  large.signal.play(begun + heard + from);
  const after = play(large, rest - from);
  assertEquals(firstDifference(third.slice(from), after), -1);
});

Deno.test("where the own pages of all voices do not fit, their proxies sound rather than some not at all, and nothing is missing", async () => {
  // 14 units for what is wanted: one voice's two pages of four channels, and two pages more for each of the others' proxies.
  await using rig = await openRig({
    singleStep: true,
    manualClock: true,
    memoryBytes: 16 * 16_384,
  });
  const { signal } = rig;
  const frames = 4 * PAGE;
  const noise = (seed: number, channels: number) =>
    Array.from({ length: channels }, (_, c) => {
      let x = seed + c;
      return Int16Array.from({ length: frames }, () => {
        x = (Math.imul(x, 1_103_515_245) + 12_345) | 0;
        return x >> 20;
      });
    });
  for (let t = 0; t < 3; t++) {
    await rig.add(`own${t}`, { planes: noise(10 * t + 1, 4), encoding: "s16" });
    await rig.add(`proxy${t}`, { planes: noise(10 * t + 7, 1), encoding: "s16" });
    signal.setProxy(`own${t}`, `proxy${t}`);
  }
  const tracks = [0, 1, 2].map((t) => track(`t${t}`, [clip(`c${t}`, `own${t}`, 0, frames)]));
  signal.publish(mixOf(tracks), 1, []);
  signal.play(0);
  const length = 2 * PAGE - (2 * PAGE) % PERIOD;
  const heard = play(rig, length);
  assertEquals(signal.counters().voicesRefused, 0);
  const { missing, faded } = signal.counters();
  assertEquals([missing, faded], [0, 0]);
  assertEquals(signal.counters()["proxied.budget"], 2 * length);
  assertEquals([0, 1, 2].map((t) => signal.trackCounters(`t${t}`).proxied), [0, length, length]);

  await using large = await openRig({ memoryBytes: 16e6 });
  await large.signal.openSource("own0", `${rig.folder}/own0.wav`);
  await large.signal.openSource("proxy1", `${rig.folder}/proxy1.wav`);
  await large.signal.openSource("proxy2", `${rig.folder}/proxy2.wav`);
  const assets = ["own0", "proxy1", "proxy2"];
  await using render = large.signal.renderOffline(
    mixOf(assets.map((assetId, t) => track(`t${t}`, [clip(`c${t}`, assetId, 0, frames)]))),
    0,
  );
  assertEquals(firstDifference(heard, unzip(await render.next(length))[0]), -1);
});
