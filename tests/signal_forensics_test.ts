import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import type { DiagnosticsService } from "../engine/pulse/services/diagnostics.ts";
import type { Underrun, Underruns } from "../engine/pulse/services/underruns.ts";
import { sumFrames } from "../engine/signal/diagnosis.ts";
import type { SignalStream } from "../engine/signal/signal_api.ts";
import type { SignalOptions } from "../engine/signal/signal.ts";
import { randomPlanes, seededRandom } from "./support/audio_files.ts";
import { signalDiagnostics } from "./support/signal_diagnostics.ts";
import { clip, mixOf, openRig, type Rig, type TestTrack, track } from "./support/signal_rig.ts";

const ME = { clientId: "me" };
const FRAMES = 200_000;
const PERIOD = 480;
const PERIOD_MS = 10;

/** A stepped Signal whose gaps are recorded as an engine does it, and what diagnostics say of them. */
class Watched implements AsyncDisposable {
  readonly underruns: Underruns;
  readonly diagnostics: DiagnosticsService;
  tracks: TestTrack[] = [];
  readonly streams = new Map<string, SignalStream>();
  #revision = 0;

  constructor(readonly rig: Rig) {
    const made = signalDiagnostics(
      rig.signal,
      () => this.tracks.map(({ trackId }) => trackId),
    );
    this.underruns = made.underruns;
    this.diagnostics = made.diagnostics;
  }

  static async open(options: Partial<SignalOptions> = {}): Promise<Watched> {
    const rig = await openRig({ singleStep: true, manualClock: true, ...options });
    for (const [id, seed] of [["a", 1], ["b", 2], ["c", 3]] as const) {
      await rig.add(id, { planes: randomPlanes(seed, 2, FRAMES, "s16"), encoding: "s16" });
    }
    return new Watched(rig);
  }

  get native() {
    return this.rig.signal.native;
  }

  publish(tracks: TestTrack[]): void {
    this.tracks = tracks;
    this.rig.signal.publish(mixOf(tracks), ++this.#revision, []);
  }

  /** Renders periods, the follower and the fills as often as told in between. */
  play(periods: number, { follow = true, fills = 0, drain = true } = {}): void {
    for (let i = 0; i < periods; i++) {
      if (follow) this.native.symbols.lp_step_follow(this.native.engine);
      for (let k = 0; k < fills; k++) this.native.symbols.lp_step_fill(this.native.engine);
      this.rig.render(PERIOD);
      if (drain) this.drain();
    }
  }

  drain(): void {
    for (const event of this.rig.signal.drainEvents()) {
      if (event.kind === "gapBegin" || event.kind === "gapEnd") this.underruns.onGap(event);
      else if (event.kind === "lost") this.underruns.onLost();
    }
    for (const [handleId, stream] of this.streams) {
      for (const event of stream.drainEvents()) {
        if (event.kind !== "end") this.underruns.onGap(event, handleId);
      }
    }
    this.underruns.look();
  }

  async endStream(handleId: string): Promise<void> {
    const stream = this.streams.get(handleId)!;
    this.streams.delete(handleId);
    for (const event of stream.drainEvents()) {
      if (event.kind !== "end") this.underruns.onGap(event, handleId);
    }
    this.underruns.onStreamEnd(handleId);
    const ending = stream[Symbol.asyncDispose]();
    this.rig.render(2 * PERIOD); // It fades out, and ends its gap.
    await ending;
    for (const event of stream.drainEvents()) {
      if (event.kind !== "end") this.underruns.onLateGap(event, handleId);
    }
  }

  records(): Underrun[] {
    return this.underruns.list({ limit: 10_000 }).underruns;
  }

  /** Every missing frame is told: by cause, by track or stream, in a record or as lost with its record. */
  requireExplained(): void {
    const { missing, faded, counters, tracks, removedTracks, streams, underrunFrames } = this
      .diagnostics.get(ME);
    assertEquals(sumFrames(missing), counters.missing, "by cause");
    assertEquals(sumFrames(faded), counters.faded, "faded by cause");
    const sum = (kind: "missing" | "faded") =>
      tracks.reduce((all, track) => all + track[kind], removedTracks[kind]);
    assertEquals(sum("missing"), counters.missing, "by track");
    assertEquals(sum("faded"), counters.faded, "faded by track");
    for (const { missing, faded, missingByCause, fadedByCause } of tracks) {
      assertEquals([sumFrames(missingByCause), sumFrames(fadedByCause)], [missing, faded]);
    }
    const { recorded, unrecorded, open } = underrunFrames;
    const all = counters.missing + sumFrames(streams.missing);
    assertEquals(recorded + unrecorded + open, all, "in records");
    const records = this.records();
    if (this.underruns.list({ limit: 0 }).total > records.length) return; // Some are forgotten.
    const told = records.filter(({ filledBy }) => filledBy === "silence")
      .reduce((all, { frames }) => all + frames, 0);
    assertEquals(told, recorded, "records");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.rig[Symbol.asyncDispose]();
  }
}

Deno.test("a page that waited in the queue is told with when it was asked for, begun, there, and how late it was", async () => {
  await using w = await Watched.open();
  const { symbols, engine } = w.native;
  symbols.lp_gate_set(engine, 1);
  w.publish([track("t", [clip("c", "a", 0, FRAMES)])]);
  w.rig.signal.play(0);
  w.play(10);
  const [open] = w.records();
  assertEquals([open.ended, open.cause, open.filledBy, open.trackId], [
    false,
    "queue",
    "silence",
    "t",
  ]);
  const waiting = open.forensics!;
  assertEquals([waiting.outcome, waiting.page, waiting.validMs, waiting.begunMs], [
    "waiting",
    0,
    null,
    null,
  ]);
  assertAlmostEquals(waiting.queueWaitMs!, w.rig.signal.nowMs() - waiting.askedMs!, 1e-3);
  assert(waiting.askedMs! <= waiting.dueMs + 1e-3);

  symbols.lp_gate_set(engine, 0);
  const cameMs = w.rig.signal.nowMs();
  while (symbols.lp_step_fill(engine) > 0);
  w.play(5);
  const [record] = w.records();
  const { readMs, decodeMs, volume, queueWaitMs, ...told } = record.forensics!;
  assertEquals(record.ended, true);
  assertEquals(told, {
    page: 0,
    dueMs: waiting.dueMs,
    askedMs: waiting.askedMs,
    begunMs: cameMs,
    validMs: cameMs,
    lateByMs: cameMs - waiting.dueMs,
    outcome: "filled",
    filledBy: "silence",
    cause: "queue",
  });
  assertAlmostEquals(queueWaitMs!, cameMs - waiting.askedMs!, 1e-3);
  assert(readMs! > 0 && decodeMs! > 0);
  assertEquals(volume, w.diagnostics.get(ME).volumes[0].volume);
  assertEquals(record.frames, Math.round((cameMs - waiting.dueMs) / PERIOD_MS) * PERIOD);
  w.requireExplained();
});

Deno.test("a page that never came while its gap lasted is told so", async () => {
  await using w = await Watched.open();
  const { symbols, engine } = w.native;
  symbols.lp_gate_set(engine, 1);
  w.publish([track("t", [clip("c", "a", 0, FRAMES)])]);
  w.rig.signal.play(0);
  w.play(10);
  w.rig.signal.pause();
  w.play(3);
  const [record] = w.records();
  assertEquals([record.ended, record.forensics!.outcome], [true, "waiting"]);
  assertEquals([record.forensics!.validMs, record.forensics!.lateByMs], [null, null]);
  symbols.lp_gate_set(engine, 0);
  w.rig.settle();
  w.play(1);
  assertEquals(w.records()[0].forensics!.validMs, null, "what comes later is no news of it");
  w.requireExplained();
});

Deno.test("a file that has gone is told as what could not be read; a clip without a file as nobody's page", async () => {
  await using w = await Watched.open();
  const { signal, folder } = w.rig;
  w.publish([
    track("t", [clip("c", "a", 0, FRAMES)]),
    track("u", [clip("d", "nowhere", 0, 20 * PERIOD)]),
  ]);
  // In place of the file that is open stands another one.
  await Deno.writeFile(`${folder}/a.wav`, await Deno.readFile(`${folder}/b.wav`));
  await Deno.utime(`${folder}/a.wav`, 1, 1);
  signal.play(0);
  w.play(30, { fills: 4 });
  signal.stop();
  w.play(3);
  const of = (trackId: string) => w.records().find((record) => record.trackId === trackId)!;
  assertEquals([of("t").cause, of("t").forensics!.outcome, of("t").forensics!.page], [
    "absent",
    "failed",
    0,
  ]);
  assertEquals(of("t").forensics!.validMs, null);
  assertEquals([of("u").cause, of("u").forensics!.outcome, of("u").forensics!.page], [
    "absent",
    "unasked",
    null,
  ]);
  assertEquals(of("u").frames, 20 * PERIOD);
  w.requireExplained();
  const [volume] = w.diagnostics.get(ME).volumes;
  assert(volume.errors > 0);
});

Deno.test("what does not fit into memory is told as that", async () => {
  await using w = await Watched.open({ memoryBytes: 12 * 16_384 });
  w.publish(
    Array.from(
      { length: 8 },
      (_, i) =>
        track(`t${i}`, [clip(`c${i}`, "abc"[i % 3], 0, FRAMES, { sourceFrame: i * 9_000 })]),
    ),
  );
  w.rig.signal.play(0);
  w.play(40, { fills: 1 });
  w.rig.signal.stop();
  w.play(3);
  const { missing, cache } = w.diagnostics.get(ME);
  assert(missing.budget > 0, JSON.stringify(missing));
  assert(w.records().some(({ cause, ended }) => cause === "budget" && ended));
  assertEquals(cache.budgetBytes, 12 * 16_384);
  assert(cache.misses > 0 && cache.hits > 0 && cache.hitRate! > 0 && cache.hitRate! < 1);
  w.requireExplained();
});

Deno.test("what a stream misses is the stream's, until it has faded out", async () => {
  await using w = await Watched.open();
  const { symbols, engine } = w.native;
  symbols.lp_gate_set(engine, 1);
  const stream = w.rig.signal.openStream();
  w.streams.set("s", stream);
  stream.play({ assetId: "b", lengthFrames: FRAMES, startFrame: 100_000, loop: true, gainDb: 0 });
  w.play(10);
  assertEquals(w.records().map(({ handleId, ended }) => [handleId, ended]), [["s", false]]);
  await w.endStream("s");
  const { streams, counters } = w.diagnostics.get(ME);
  assertEquals(counters.missing, 0);
  const [record] = w.records();
  assertEquals([record.ended, record.frames], [true, sumFrames(streams.missing)]);
  assert(record.frames >= 5 * PERIOD);
  assertEquals(record.forensics!.outcome, "waiting");
  w.requireExplained();
});

Deno.test("gaps whose end found no room among the events are counted apart", async () => {
  await using w = await Watched.open();
  const { symbols, engine } = w.native;
  symbols.lp_gate_set(engine, 1);
  w.publish([track("t", [clip("c", "a", 0, FRAMES)])]);
  w.rig.signal.setLoop({ enabled: true, startFrame: 0, endFrame: 4 });
  w.rig.signal.play(0);
  w.play(20, { drain: false });
  w.rig.signal.stop();
  w.rig.render(PERIOD * 2);
  w.drain();
  w.drain();
  const { underrunFrames, counters } = w.diagnostics.get(ME);
  assert(counters.eventsLost > 0);
  assert(underrunFrames.unrecorded > 0);
  w.requireExplained();
});

Deno.test("a track that is taken away and comes back keeps what it missed, a new one in between begins at nothing", async () => {
  await using w = await Watched.open();
  const { symbols, engine } = w.native;
  symbols.lp_gate_set(engine, 1);
  const t = track("t", [clip("c", "a", 0, FRAMES)]);
  const missing = () =>
    Object.fromEntries(w.diagnostics.get(ME).tracks.map((track) => [track.trackId, track.missing]));
  w.publish([t]);
  w.rig.signal.play(0);
  w.play(10);
  const { t: before } = missing();
  assert(before > 0);
  w.publish([track("u", [])]);
  w.play(5);
  const away = w.diagnostics.get(ME);
  assertEquals(missing(), { u: 0 });
  assert(away.removedTracks.missing >= before);
  w.publish([t, track("u", [])]);
  w.play(10);
  assert(missing().t > before);
  assertEquals(missing().u, 0);
  assertEquals(w.diagnostics.get(ME).removedTracks, { missing: 0, faded: 0 });
  assert(w.diagnostics.get(ME).underrunFrames.open > 0, "its gap lasts");
  w.requireExplained();
  w.rig.signal.stop();
  w.play(3);
  assertEquals(w.diagnostics.get(ME).underrunFrames.open, 0);
  w.requireExplained();
});

Deno.test("a reset begins the explanation anew", async () => {
  await using w = await Watched.open();
  const { symbols, engine } = w.native;
  symbols.lp_gate_set(engine, 1);
  w.publish([track("t", [clip("c", "a", 0, FRAMES)])]);
  w.rig.signal.play(0);
  w.play(10);
  w.rig.signal.stop();
  w.play(3);
  w.diagnostics.reset(ME);
  assertEquals(sumFrames(w.diagnostics.get(ME).missing), 0);
  assertEquals(w.diagnostics.get(ME).underrunFrames, { recorded: 0, unrecorded: 0, open: 0 });
  assertEquals(w.diagnostics.get(ME).histograms.callback.count, 0);
  w.rig.signal.play(100_000);
  w.play(8);
  w.rig.signal.stop();
  w.play(3);
  const { missing, tracks, underrunFrames, histograms } = w.diagnostics.get(ME);
  assert(missing.queue > 0);
  assertEquals(tracks[0].missing, missing.queue);
  assertEquals(underrunFrames.recorded, missing.queue);
  assertEquals(histograms.callback.count, 11);
  assert(w.diagnostics.get({ clientId: "other" }).counters.missing > missing.queue);
});

for (const seed of [1, 2, 3, 4]) {
  Deno.test(`after a storm of faults, edits, jumps and streams every missing frame is explained (${seed})`, async () => {
    await using w = await Watched.open({ memoryBytes: seed % 2 ? 64e6 : 24 * 16_384 });
    const { symbols, engine } = w.native;
    const next = seededRandom(seed);
    const random = (n: number) => Math.floor(next() * n);
    const pick = <T>(of: readonly T[]): T => of[random(of.length)];
    const made = () =>
      Array.from({ length: 1 + random(5) }, () => {
        const i = random(12);
        return clip(
          `c${i}`,
          pick(["a", "b", "c", "nowhere"]),
          random(20) * 2_000,
          1_000 + random(60_000),
          {
            sourceFrame: random(100_000),
          },
        );
      });
    const tracks = new Map<string, TestTrack>();
    let streams = 0;
    w.publish([]);
    for (let step = 0; step < 120; step++) {
      switch (random(12)) {
        case 0:
          symbols.lp_gate_set(engine, random(2));
          break;
        case 1:
          symbols.lp_gate_release(engine, random(4));
          break;
        case 2:
          symbols.lp_store_drop(engine);
          break;
        case 3:
        case 4: {
          const trackId = `t${random(6)}`;
          if (random(3) === 0) tracks.delete(trackId);
          else {
            const clips = new Map(made().map((made) => [made.clipId, made]));
            tracks.set(trackId, track(trackId, [...clips.values()], { mute: random(5) === 0 }));
          }
          w.publish([...tracks.values()]);
          break;
        }
        case 5:
          w.rig.signal.play(random(60_000), random(4) === 0 ? 60_000 + random(9_000) : undefined);
          break;
        case 6:
          w.rig.signal.seek(random(90_000));
          break;
        case 7: {
          const startFrame = random(50_000);
          const endFrame = startFrame + 1 + random(9_000);
          w.rig.signal.setLoop({ enabled: random(3) > 0, startFrame, endFrame });
          break;
        }
        case 8:
          if (random(2)) w.rig.signal.pause();
          else w.rig.signal.stop();
          break;
        case 9:
          if (w.streams.size < 3) {
            const stream = w.rig.signal.openStream();
            w.streams.set(`s${++streams}`, stream);
            const startFrame = random(FRAMES - 1);
            stream.play({
              assetId: pick(["a", "b", "c"]),
              lengthFrames: FRAMES,
              startFrame,
              loop: random(2) > 0,
              gainDb: 0,
            });
          } else await w.endStream(pick([...w.streams.keys()]));
          break;
        default:
          w.play(1 + random(12), { follow: random(4) > 0, fills: random(3), drain: random(5) > 0 });
      }
    }
    for (const handleId of [...w.streams.keys()]) await w.endStream(handleId);
    w.rig.signal.stop();
    w.play(6);
    assertEquals(w.records().filter(({ ended }) => !ended), []);
    w.requireExplained();
    const { missing } = w.diagnostics.get(ME);
    assert(sumFrames(missing) > 0, "there were faults");
    // Of each gap is known what became of its page, or that it is nobody's.
    for (const { forensics, cause } of w.records()) {
      assert(forensics !== undefined);
      assert(forensics.page !== null || cause === "absent", JSON.stringify(forensics));
      if (forensics.outcome === "filled") assert(forensics.validMs !== null);
    }
  });
}
