import { assert, assertAlmostEquals, assertEquals, assertMatch } from "@std/assert";
import { modelFromTimeline } from "../engine/pulse/model_from_timeline.ts";
import { DiskWatch, LOOK_MS } from "../engine/pulse/services/disk_watch.ts";
import type { VolumeStats } from "../engine/signal/diagnosis.ts";
import type { SignalApi } from "../engine/signal/signal_api.ts";
import { randomPlanes } from "./support/audio_files.ts";
import {
  DENSE_ASSETS,
  DENSE_CLIPS,
  DENSE_TRACKS,
  denseTimeline,
} from "./support/dense_timeline.ts";
import { FakeSignal } from "./support/fake_signal.ts";
import { openRig } from "./support/signal_rig.ts";

const RATE = 48_000;
/** 192,000 bytes a second: 16-bit stereo. */
const NEED = RATE * 4;

/** Tracks that play an hour each of a file of their own. */
function session(tracks: number) {
  return modelFromTimeline({
    sampleRate: RATE,
    tracks: Array.from({ length: tracks }, (_, i) => ({
      trackId: `t${i}`,
      clips: [{
        clipId: `c${i}`,
        assetId: `a${i}`,
        startFrame: 0,
        lengthFrames: 3_600 * RATE,
        sourceFrame: 0,
      }],
    })),
  });
}

function volume(own: Partial<VolumeStats> = {}): VolumeStats {
  return {
    device: 7,
    sources: 1,
    hanging: 0,
    reads: 1,
    bytes: 0,
    readMs: 0,
    decodeMs: 0,
    decodedFrames: 0,
    fills: 0,
    errors: 0,
    stalls: 0,
    busyMs: 0,
    latencyMs: 0,
    longestMs: 0,
    ...own,
  };
}

/** A watch over a disk whose speed a test sets, on a clock that it moves. */
class Watched {
  readonly signal = new FakeSignal();
  readonly warnings: { code: string; message: string; details: Record<string, unknown> }[] = [];
  readonly watch: DiskWatch;
  #bytes = 0;
  #busyMs = 0;

  constructor(tracks: number) {
    const model = session(tracks);
    this.watch = new DiskWatch({
      signal: () => this.signal,
      model: () => model,
      costOf: (assetId) => ({
        path: `/media/x/takes/${assetId}.wav`,
        sampleRate: RATE,
        lengthSamples: 3_600 * RATE,
        bytesPerFrame: 4,
        compressed: false,
        volume: "7",
      }),
      warn: (code, message, details) => this.warnings.push({ code, message, details }),
      stopwatch: () => 0,
    });
    this.signal.play(0);
    this.signal.take();
  }

  /** Time passes, in which half of the time was read at a speed. */
  async pass(ms: number, bytesPerSecond: number): Promise<void> {
    for (; ms > 0; ms -= LOOK_MS) {
      this.#busyMs += LOOK_MS / 2;
      this.#bytes += bytesPerSecond * LOOK_MS / 2_000;
      this.signal.diagnosis.volumesNow = [volume({ bytes: this.#bytes, busyMs: this.#busyMs })];
      this.signal.timeMs += LOOK_MS;
      this.watch.tick();
      await this.watch.looked();
    }
  }
}

Deno.test("a disk that gives enough is no warning, and the forecast says by how much", async () => {
  const w = new Watched(10);
  await w.pass(20_000, 100e6);
  assertEquals(w.warnings, []);
  const [told] = w.watch.forecast!.volumes;
  assertEquals([told.volume, told.folder, told.needBytesPerSecond], [
    "7",
    "/media/x/takes",
    10 * NEED,
  ]);
  assertAlmostEquals(told.haveBytesPerSecond!, 100e6, 1);
  assertAlmostEquals(told.margin!, 100e6 / (10 * NEED), 1e-6);
});

Deno.test("disk.slow comes once while the disk still sustains playback, and again after a recovery", async () => {
  const w = new Watched(50);
  const need = 50 * NEED;
  await w.pass(20_000, 10 * need);
  assertEquals(w.warnings, []);
  await w.pass(30_000, 1.2 * need);
  assertEquals(w.warnings.length, 1);
  const [{ code, message, details }] = w.warnings;
  assertEquals(code, "disk.slow");
  assert(
    (details.haveMbPerSecond as number) > need / 1e6,
    "it still gives more than is needed: there is time to do something",
  );
  assert((details.margin as number) < 1.25);
  assertEquals([details.volume, details.folder, details.needMbPerSecond], [
    "7",
    "/media/x/takes",
    need / 1e6,
  ]);
  assertMatch(message, /^The disk of \/media\/x\/takes .* needs 9\.6 MB\/s .* gives 1\d MB\/s; /);
  await w.pass(10_000, 0.8 * need);
  assertEquals(w.warnings.length, 1, "it is known");
  await w.pass(60_000, 0.8 * need);
  assertEquals(w.warnings.length, 2, "after a minute it is told again");
  await w.pass(30_000, 10 * need);
  await w.pass(30_000, 0.5 * need);
  assertEquals(w.warnings.length, 3, "it was well meanwhile");
});

Deno.test("a session that needs more than the disk gives is warned of at the first look", async () => {
  const w = new Watched(200);
  w.signal.pause();
  w.signal.take();
  await w.pass(10_000, 30e6);
  assertEquals([w.warnings.length, w.watch.forecast], [0, null], "nothing plays");
  w.signal.play();
  w.signal.take();
  await w.pass(LOOK_MS, 30e6);
  assertEquals(w.warnings.length, 1);
});

Deno.test("a disk of which nothing was read yet is not judged", async () => {
  const w = new Watched(200);
  w.signal.timeMs += LOOK_MS;
  w.watch.tick();
  await w.watch.looked();
  assertEquals(w.warnings, []);
  assertEquals(w.watch.forecast!.volumes[0].margin, null);
});

/** A watch over 100,000 clips in the next minute; a test acts in a look's turns. */
class DenselyWatched {
  readonly signal = new FakeSignal();
  /** Which one is asked for. */
  signalNow = this.signal;
  readonly watch: DiskWatch;
  readonly warnings: string[] = [];
  /** Turns that were given, clips asked about, the most of them between two turns, and assets asked about. */
  turns = 0;
  clips = 0;
  mostClips = 0;
  assets = 0;
  /** What `stopwatch` shows; it goes on by one whenever it is looked at. */
  shownMs = 0;
  onTurn: (turn: number) => void = () => {};

  constructor() {
    const model = denseTimeline();
    let since = 0;
    this.signal.residentFrames = () => {
      this.clips++;
      this.mostClips = Math.max(this.mostClips, ++since);
      return 0;
    };
    this.watch = new DiskWatch({
      signal: () => this.signalNow,
      model: () => model,
      costOf: (assetId) => {
        this.assets++;
        return {
          path: `/media/x/takes/${assetId}.wav`,
          sampleRate: RATE,
          lengthSamples: 3_600 * RATE,
          bytesPerFrame: 4,
          compressed: false,
          volume: "7",
        };
      },
      warn: (code) => this.warnings.push(code),
      stopwatch: () => this.shownMs++,
      slices: () => ({
        turn: async () => {
          since = 0;
          await null;
          this.shownMs += 1_000;
          this.onTurn(++this.turns);
        },
      }),
    });
    this.signal.play(0);
    this.signal.take();
    this.signal.diagnosis.volumesNow = [volume({ bytes: 1e6, busyMs: 10_000 })];
  }
}

Deno.test("a look at 100,000 dense clips is made in many turns, one look at a time", async () => {
  const w = new DenselyWatched();
  w.onTurn = () => {
    w.signal.timeMs += LOOK_MS;
    w.watch.tick();
  };
  const begunMs = w.signal.timeMs;
  w.watch.tick();
  assertEquals(w.watch.forecast, null, "it is under way");
  await w.watch.looked();
  assertEquals([w.assets, w.clips], [DENSE_ASSETS, DENSE_CLIPS]);
  assert(w.mostClips <= 256, `${w.mostClips} clips in one turn`);
  assert(w.turns > 1_000, `${w.turns} turns`);
  assertEquals(w.watch.forecast!.timeMs, begunMs);
  const [told] = w.watch.forecast!.volumes;
  assertEquals([told.folder, told.haveBytesPerSecond], ["/media/x/takes", 1e5]);
  assertAlmostEquals(told.needBytesPerSecond, DENSE_TRACKS * NEED, 1e-3);
  assertEquals(w.warnings, ["disk.slow"]);
});

Deno.test("the next look waits for a hundred times what its work took, not what others did meanwhile", async () => {
  const w = new DenselyWatched();
  const begunMs = w.signal.timeMs;
  w.watch.tick();
  await w.watch.looked();
  const tookMs = w.turns + 1;
  w.signal.timeMs = begunMs + tookMs * 100 - 1;
  w.watch.tick();
  await w.watch.looked();
  assertEquals(w.assets, DENSE_ASSETS, "not yet");
  w.signal.timeMs++;
  w.watch.tick();
  await w.watch.looked();
  assertEquals(w.assets, 2 * DENSE_ASSETS);
});

Deno.test("a look is dropped when another renderer reads, and the next one need not wait", async () => {
  for (const how of ["begin", "signal"] as const) {
    const w = new DenselyWatched();
    w.onTurn = (turn) => {
      if (turn !== 1_000) return;
      if (how === "begin") w.watch.begin();
      else w.signalNow = Object.create(w.signal);
    };
    w.watch.tick();
    await w.watch.looked();
    assertEquals([w.turns, w.watch.forecast, w.warnings], [1_000, null, []], how);
    w.signal.timeMs += LOOK_MS;
    w.watch.tick();
    await w.watch.looked();
    assertEquals([w.watch.forecast !== null, w.warnings], [true, ["disk.slow"]], how);
  }
});

Deno.test("a look that has begun anew meanwhile leaves the newer one alone", async () => {
  const w = new DenselyWatched();
  w.onTurn = (turn) => {
    if (turn !== 10) return;
    w.watch.begin();
    w.watch.tick();
  };
  w.watch.tick();
  const first = w.watch.looked();
  await first;
  assertEquals(w.watch.forecast, null);
  w.signal.timeMs += 100 * LOOK_MS;
  w.watch.tick();
  await w.watch.looked();
  assertEquals([w.clips, w.warnings], [DENSE_CLIPS, ["disk.slow"]], "one of them went on");
});

Deno.test("a look at what has stopped meanwhile tells nothing", async () => {
  const w = new DenselyWatched();
  w.onTurn = (turn) => {
    if (turn !== 1_000) return;
    w.signal.pause();
    w.signal.take();
  };
  w.watch.tick();
  await w.watch.looked();
  assertEquals([w.watch.forecast, w.warnings], [null, []]);
});

Deno.test("nothing is left of a look once its watch is disposed of", async () => {
  const w = new DenselyWatched();
  w.watch.tick();
  const { turns } = w;
  await w.watch[Symbol.asyncDispose]();
  await w.watch.looked();
  assert(w.turns <= turns + 1, `${w.turns} turns`);
  assertEquals([w.watch.forecast, w.warnings], [null, []]);
});

Deno.test("a real session on a disk that becomes slow: the warning comes before a frame is missing, resident files need nothing", async () => {
  await using rig = await openRig({ singleStep: true, manualClock: true });
  const frames = 70 * RATE;
  const planes = randomPlanes(1, 2, 100_000, "s16").map((plane) => {
    const long = new Float64Array(frames);
    for (let at = 0; at < frames; at += plane.length) {
      long.set(plane.subarray(0, Math.min(plane.length, frames - at)), at);
    }
    return long;
  });
  await rig.add("a", { planes, encoding: "s16" });
  await rig.add("b", { planes: planes.map((plane) => plane.slice(0, RATE)), encoding: "s16" });
  const lasting = (assetId: string, lengthFrames: number) => ({
    trackId: assetId,
    clips: [{ clipId: assetId, assetId, startFrame: 0, lengthFrames, sourceFrame: 0 }],
  });
  const model = modelFromTimeline({
    sampleRate: RATE,
    tracks: [lasting("a", frames), lasting("b", RATE)],
  });
  rig.signal.publish(model, 1, []);
  // The disk gives so much a millisecond of the clock: it is the clock that is made, what was read is not.
  let speed = 50e6;
  const slowed: SignalApi = Object.create(rig.signal, {
    diagnosis: {
      value: {
        volumes: () => {
          for (const { device, bytes } of rig.signal.diagnosis.volumes()) {
            busyMs += (bytes - read) / speed * 1000;
            read = bytes;
            return [volume({ device, bytes, busyMs })];
          }
          return [];
        },
      },
    },
    nowMs: { value: () => rig.signal.nowMs() },
    position: { value: () => rig.signal.position() },
    residentFrames: {
      value: (...args: Parameters<SignalApi["residentFrames"]>) =>
        rig.signal.residentFrames(...args),
    },
  });
  let busyMs = 0;
  let read = 0;
  const warnings: Record<string, unknown>[] = [];
  const [{ device }] = [rig.signal.diagnosis.page(1, 0)!];
  const watch = new DiskWatch({
    signal: () => slowed,
    model: () => model,
    costOf: (assetId) => ({
      path: `${rig.folder}/${assetId}.wav`,
      sampleRate: RATE,
      lengthSamples: assetId === "a" ? frames : RATE,
      bytesPerFrame: 4,
      compressed: false,
      volume: String(device),
    }),
    warn: (_code, _message, details) => warnings.push(details),
    stopwatch: () => 0,
  });
  const play = async (seconds: number) => {
    for (let i = 0; i < seconds * 4; i++) {
      rig.settle();
      rig.render(RATE / 4);
      watch.tick();
      await watch.looked();
    }
  };
  rig.settle();
  rig.signal.play(0);
  await play(4);
  assertEquals(warnings, []);
  const [told] = watch.forecast!.volumes;
  assertEquals([told.folder, told.haveBytesPerSecond! > 40e6], [rig.folder, true]);
  assertAlmostEquals(
    told.needBytesPerSecond,
    NEED,
    1,
    "the short file is resident: it needs nothing",
  );
  speed = 1.1 * NEED;
  await play(40);
  assertEquals(warnings.length, 1);
  assertEquals(rig.signal.counters().missing, 0);
  assert((warnings[0].haveMbPerSecond as number) * 1e6 > NEED);
});
