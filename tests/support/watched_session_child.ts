/**
 * Child of `callback_watch_test.ts`: plays on devices of the backend and the periods that it is told, one after another, and does everything meanwhile that reaches
 * the callback. Each step waits until the callback has done its part. Prints what the interposer and the engine counted.
 *
 * @module
 */
import type { SignalEvent } from "../../engine/signal/signal_api.ts";
import { randomPlanes, seededRandom } from "./audio_files.ts";
import { openInterposer } from "./interposer.ts";
import { clip, mixOf, openRig, type TestTrack, track } from "./signal_rig.ts";

/** What a session did and what was seen of it. */
export interface WatchedSession {
  /** Callbacks between the first device's opening and its last's closing, as the engine counts them. */
  rendered: number;
  counters: Record<string, number>;
  /** Events by kind. */
  events: Record<string, number>;
  metersTaken: number;
  tappedFrames: number;
  deviceRate: number;
}

const RATE = 48_000;
const FRAMES = 6 * RATE;
const PATIENCE_MS = 120_000;
const ASSETS = ["mono", "stereo", "float", "surround"];

const [interposerPath, backend, ...periods] = Deno.args;
const interposer = openInterposer(interposerPath);
await using rig = await openRig({ memoryBytes: 4e6 });
const { signal } = rig;
const { symbols, engine, renderer } = signal.native;
await rig.add("mono", { planes: randomPlanes(1, 1, FRAMES, "s16"), encoding: "s16" });
await rig.add("stereo", { planes: randomPlanes(2, 2, FRAMES, "s16"), encoding: "s16" });
await rig.add("float", { planes: randomPlanes(3, 2, FRAMES, "f32"), encoding: "f32" });
await rig.add("surround", { planes: randomPlanes(4, 6, FRAMES, "s16"), encoding: "s16" });

const random = seededRandom(4);
const whole = (n: number) => Math.floor(random() * n);
const events: Record<string, number> = {};
let metersTaken = 0;
let revision = 0;

function look(): SignalEvent[] {
  const seen = signal.drainEvents();
  for (const { kind } of seen) events[kind] = (events[kind] ?? 0) + 1;
  if (signal.takeMeters() !== null) metersTaken++;
  return seen;
}

async function until(condition: () => boolean, what: string): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`it does not come to this: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Four tracks of overlapping, fading, nested clips, some of an asset that is not there. */
function mix(): TestTrack[] {
  return Array.from({ length: 4 }, (_, t) => {
    const clips = Array.from({ length: 20 }, (_, i) => {
      const length = 2_000 + whole(60_000);
      return clip(`${t}.${i}`, whole(12) === 0 ? "absent" : ASSETS[whole(4)], i * 12_000, length, {
        sourceFrame: whole(FRAMES - 60_000),
        gainDb: -20,
        fadeInFrames: whole(2) * whole(length / 2),
        fadeOutFrames: whole(2) * whole(length / 2),
        fadeInShape: whole(2) ? "linear" : "equalPower",
        fadeOutShape: whole(2) ? "linear" : "equalPower",
      });
    });
    return track(`t${t}`, clips, {
      gainDb: -whole(12),
      pan: random() * 2 - 1,
      mute: whole(6) === 0,
      solo: whole(8) === 0,
    });
  });
}

/** One clip that is there and sounds. */
const plain = () => [track("plain", [clip("plain", "stereo", 0, 250_000, { gainDb: -20 })])];

function edit(tracks: TestTrack[] = mix()): void {
  const at = whole(200_000);
  const map = whole(3) ? [] : [{ at, remove: whole(500), insert: whole(500) }];
  signal.publish(mixOf(tracks, 1 + whole(8)), ++revision, map);
}
const taken = () =>
  until(() => (look(), signal.position().revision === revision), "the edit is heard");
const rendered = (frames: number) => {
  const to = signal.position().framesRendered + frames;
  return until(() => (look(), signal.position().framesRendered >= to), `${frames} frames more`);
};
const heard = (kind: SignalEvent["kind"]) => {
  const before = events[kind] ?? 0;
  return until(() => (look(), (events[kind] ?? 0) > before), `an event ${kind}`);
};

/** Everything that a head can be told, one after another. */
async function play(): Promise<void> {
  signal.setLoop({ enabled: false, startFrame: 0, endFrame: 0 });
  edit();
  await taken();
  signal.play(0);
  await rendered(RATE / 4);
  for (let i = 0; i < 30; i++) {
    edit();
    if (whole(2)) await rendered(whole(1_000));
  }
  await taken();
  for (let i = 0; i < 30; i++) {
    signal.seek(whole(220_000));
    if (whole(2)) await rendered(whole(1_000));
  }
  {
    // Beside the timeline: two streams, of which one is replaced by another sound; both end while they sound.
    const sound = { lengthFrames: FRAMES, startFrame: 0, loop: true, gainDb: -20 };
    await using stream = signal.openStream();
    await using other = signal.openStream();
    stream.play({ ...sound, assetId: "mono" });
    other.play({ ...sound, assetId: "surround" });
    for (const s of [stream, other]) {
      await until(
        () => s.state().state === "ready" && s.state().positionFrame > 0,
        "a stream sounds",
      );
    }
    stream.play({ ...sound, assetId: "stereo", startFrame: FRAMES - 500 });
    await rendered(3_000);
  }

  signal.setLoop({ enabled: true, startFrame: 10_000, endFrame: 12_345 });
  signal.seek(10_000);
  await heard("wrap");
  edit();
  await taken();
  await heard("wrap");
  signal.setLoop({ enabled: false, startFrame: 0, endFrame: 0 });

  // Holes: what was there is thrown out while nothing comes in, until it does again.
  edit(plain());
  await taken();
  symbols.lp_gate_set(engine, 1);
  const missing = signal.counters().missing;
  await until(() => {
    symbols.lp_store_drop(engine);
    signal.seek(5_000 + whole(1_000));
    look();
    return signal.counters().missing > missing;
  }, "frames are missing");
  symbols.lp_gate_set(engine, 0);
  await heard("gapEnd");

  signal.pause();
  await until(() => signal.position().state === "paused", "it is paused");
  await rendered(RATE / 10);
  signal.play(20_000, 30_000);
  await heard("end");
  signal.play();
  await rendered(2_000);
  signal.stop();
  await until(() => signal.position().state === "stopped", "it is stopped");
}

const device = await signal.openDevice({ backend, period: Number(periods[0]) });
await play();
const tap = new Float32Array(2 * RATE / 4);
const deviceTap = new Float32Array(2 * RATE / 4);
symbols.lp_tap_start(renderer, tap, tap.length / 2);
symbols.lp_device_tap_start(renderer, deviceTap, deviceTap.length / 2);
signal.play(0);
await rendered(RATE / 2);
const tapped = new Float64Array(2);
await symbols.lp_tap_stop(renderer, tapped.subarray(0, 1));
await symbols.lp_device_tap_stop(renderer, tapped.subarray(1));

// A source goes while it sounds, the device goes and comes with another period, and with nobody who takes the events they run over.
signal.closeSource("float");
for (const period of periods.slice(1).map(Number)) {
  await signal.closeDevice();
  await signal.openDevice({ backend, period });
  await play();
}
signal.setLoop({ enabled: true, startFrame: 100, endFrame: 132 });
signal.play(100);
await until(() => signal.counters().eventsLost > 0, "events are lost");
await heard("lost");
await signal.closeDevice();
look();

const session: WatchedSession = {
  rendered: signal.counters().callbacks,
  counters: signal.counters(),
  events,
  metersTaken,
  tappedFrames: Math.min(...tapped),
  deviceRate: device.sampleRate,
};
console.log("\n" + JSON.stringify({ ...session, ...interposer.report() }));
