/**
 * The engine on a real PulseAudio server, from file to captured sound.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type { Notification } from "../engine/api.ts";
import type { Engine } from "../engine/engine.ts";
import type { Edit } from "../engine/pulse/types.ts";
import { needs } from "./needs.ts";
import { eventually } from "./support/audio_server.ts";
import { codedMaterial, largestStep, type Run, runsOf, toneStep } from "./support/coded_sound.ts";
import { convertWhole } from "./support/convert_whole.ts";
import { DeviceTaps, makeResident } from "./support/device_taps.ts";
import { EnginePlace, ME } from "./support/engine_place.ts";
import { PulseServer } from "./support/pulse_server.ts";
import { matchRecording } from "./support/recording_match.ts";
import { firstDifference } from "./support/signal_rig.ts";

const RATE = 48_000;
const FADE = 720;
/** Long enough that a busy machine seldom makes a hole. */
const PERIOD = 2_048;

/** A timeline of segments, one after another as they lie in the file: two seconds each, the last one all the rest. */
async function lay(engine: Engine, path: string, segments: number): Promise<void> {
  const asset = await engine.assets.register(path, "sample", ME);
  const clips = Array.from({ length: segments }, (_, i): Edit => ({
    op: "clip.add",
    trackId: "t",
    clip: {
      clipId: `c${i}`,
      assetId: asset.assetId,
      startFrame: i * 2 * RATE,
      sourceFrame: i * 2 * RATE,
      lengthFrames: i === segments - 1 ? asset.lengthSamples - i * 2 * RATE : 2 * RATE,
    },
  }));
  engine.timeline.edit([{ op: "track.add", track: { trackId: "t" } }, ...clips], {}, ME);
}

const position = (engine: Engine) => engine.transport.get().positionFrame;
const remove = (engine: Engine, clipId: string) =>
  engine.timeline.edit([{ op: "segment.delete", clipId }], {}, ME).playheadFrame;
const reasonsOf = (notices: readonly Notification[]) =>
  notices.filter(({ method }) => method === "device.changed")
    .map(({ params }) => (params as { reason: string }).reason);
/** Runs that no fade makes by chance. */
const longRuns = (runs: readonly Run[]) => runs.filter(({ length }) => length > FADE);

/**
 * Deletes a segment; `null` where the head may have passed `beforeFrame` by then, since this thread did not run when it should have: by the
 * engine's clock and its head of just before, whatever the edit did.
 */
function removeBefore(engine: Engine, clipId: string, beforeFrame: number): number | null {
  const { timeMs } = engine.clock();
  const from = position(engine);
  const playheadFrame = remove(engine, clipId);
  const latest = from + (engine.clock().timeMs - timeMs) / 1_000 * RATE + PERIOD;
  return latest < beforeFrame ? playheadFrame : null;
}

/**
 * Plays four segments, deletes the second before the head is there and the third while the head is in it, and checks all that can be heard of
 * it. False where this machine came too late to one of the cuts.
 */
async function playAndDelete(sinkRate: number): Promise<boolean> {
  await using server = await PulseServer.start(sinkRate);
  await using place = await EnginePlace.make();
  const path = await place.wav("a.wav", codedMaterial(20 * RATE, RATE));
  await using opened = await place.open({ backend: "null" });
  const { engine } = opened;
  await lay(engine, path, 4);
  await makeResident(engine, 20 * RATE);
  await using recording = await server.record(() => engine.clock().timeMs);
  const taps = await DeviceTaps.begin(engine, { backend: "pulseaudio", period: PERIOD });
  const device = engine.devices.current()!;
  assertEquals([device.backend, device.sampleRate, device.periodFrames], [
    "pulseaudio",
    sinkRate,
    PERIOD,
  ]);

  engine.transport.play({ fromFrame: 0 });
  await eventually(() => position(engine) > RATE / 2, "it plays");
  const stoodAt = removeBefore(engine, "c1", 2 * RATE);
  if (stoodAt === null) return await tooLate(taps);
  assert(stoodAt > RATE / 2 && stoodAt < 2 * RATE, `a segment ahead moved the head to ${stoodAt}`);
  await eventually(() => position(engine) > 2.5 * RATE, "the second cut is to come");
  const cutAt = removeBefore(engine, "c2", 4 * RATE);
  if (cutAt === null) return await tooLate(taps);
  assertEquals(cutAt, 2 * RATE, "the head stands on the cut");
  await eventually(() => position(engine) > 4 * RATE, "it plays on");
  engine.transport.pause();
  await eventually(() => !engine.signal.position().gateWaiting, "it is paused");
  const came = recording.frames;
  await eventually(() => recording.frames > came + 2 * sinkRate, "all of it is recorded");
  const pausedAt = position(engine);
  const underruns = await server.underruns();
  const counters = engine.signal.counters();
  const { mix, device: handed } = await taps.end();

  // What was rendered: the file's frames one after another, but for the second cut where the head was taken off its place.
  assertEquals([counters.missing, counters.faded], [0, 0]);
  const runs = longRuns(runsOf(mix[0], mix[1], RATE));
  const [, again, between, last] = runs;
  assertEquals(runs.length, 4, JSON.stringify(runs));
  assertEquals([runs[0].frame, between.frame, last.frame], [0, 4 * RATE, 6 * RATE + FADE]);
  // The first edit changes nothing that is heard before its cut: a fade from the same to the same, then the cut without one.
  assertEquals(again.frame - runs[0].frame, again.at - runs[0].at);
  assert(again.at - runs[0].at - runs[0].length <= FADE, "a fade's length at most");
  assertEquals([again.frame + again.length, again.at + again.length], [2 * RATE, between.at]);
  // The second takes the head from where it is to the cut, within one fade.
  assertEquals(last.at - between.at - between.length, FADE);
  // The head says exactly where the sound stands.
  assertEquals(last.frame + last.length - 6 * RATE, pausedAt - 2 * RATE);
  // The tone goes on without a step at the first cut, and in a fade at most by what two tones differ.
  assert(largestStep(mix[1]) <= toneStep(RATE) + 1 / FADE, `a step of ${largestStep(mix[1])}`);

  // What the device got is what was rendered, converted by our own filter where it runs at another rate.
  const whole = await convertWhole(place.base, mix, RATE, sinkRate);
  const frames = Math.min(whole[0].length, handed[0].length);
  assert(frames > 5 * sinkRate, `${frames} frames`);
  for (const side of [0, 1]) {
    const [got, want] = [handed[side].slice(0, frames), whole[side].slice(0, frames)];
    assertEquals(firstDifference(got, want), -1, `side ${side}`);
  }

  // What was captured is what the device got, but for holes that the server says it made.
  const match = matchRecording(handed, recording.sides());
  assert(match.holes <= underruns, `${match.holes} holes, the server made ${underruns}`);
  if (match.holes === 0) assertEquals(match.frames, match.sounding);
  assert(match.frames > sinkRate, `${match.frames} of ${match.sounding} frames came`);
  assertEquals(reasonsOf(opened.notices).filter((reason) => reason === "lost"), []);
  return true;
}

/** The taps end before what they write to goes. */
async function tooLate(taps: DeviceTaps): Promise<false> {
  await taps.end();
  return false;
}

/** The same, again where the machine was too late: a second and a half in which it did not run this thread. */
async function playAndDeleteInTime(sinkRate: number): Promise<void> {
  for (let tries = 0; tries < 4; tries++) {
    if (await playAndDelete(sinkRate)) return;
    console.log("The machine did not run the test for over a second: once more");
  }
}

Deno.test({
  name:
    "segments deleted while they play on PulseAudio: what is captured is what was meant, bit for bit",
  ...needs("pulseaudio"),
  fn: () => playAndDeleteInTime(RATE),
});

Deno.test({
  name:
    "the same on a sink of another rate: what is captured is the mix through our own filter, bit for bit",
  ...needs("pulseaudio"),
  fn: () => playAndDeleteInTime(44_100),
});

/** Plays, records, and compares when the recorder had a frame with when the engine says that it was heard. */
async function checkTimes(sinkRate: number): Promise<void> {
  await using server = await PulseServer.start(sinkRate);
  await using place = await EnginePlace.make();
  const path = await place.wav("a.wav", codedMaterial(60 * RATE, RATE));
  await using opened = await place.open({ backend: "null" });
  const { engine } = opened;
  await lay(engine, path, 1);
  /** What the engine says at each arrival. */
  const said: { audibleFrame: number; timeMs: number }[] = [];
  await using recording = await server.record(() => {
    said.push(engine.signal.position());
    return engine.signal.nowMs();
  });
  const taps = await DeviceTaps.begin(engine, { backend: "pulseaudio", period: PERIOD });
  engine.transport.play({ fromFrame: 0 });
  await eventually(() => position(engine) > RATE, "it plays");
  await eventually(async () => await engine.signal.measureDevice() >= 5, "the latency is known");
  const settled = recording.arrivals.length;
  await eventually(() => recording.arrivals.length > settled + 400, "enough has arrived");
  const record = engine.signal.position();
  const { latencyFrames } = record;
  // One figure, told twice; the engine may be correcting it just now.
  await eventually(
    () => engine.transport.get().deviceLatencyFrames === engine.devices.current()!.latencyFrames,
    "both say the same latency",
  );
  const { mix, device: handed } = await taps.end();

  assertEquals(record.positionFrame - record.audibleFrame, latencyFrames);
  // From a frame of the recording to one of the timeline: by content to the device's frames, by their rates to the mix, by the mix's first sound.
  const { pieces, frames } = matchRecording(handed, recording.sides());
  assert(frames > sinkRate, `${frames} frames were found`);
  const firstSound = mix[0].findIndex((x) => x !== 0);
  const ahead: number[] = [];
  for (let i = settled; i < settled + 400; i++) {
    const { frames, timeMs } = recording.arrivals[i];
    const piece = pieces.find(({ recorded, length }) =>
      frames > recorded && frames <= recorded + length
    );
    if (piece === undefined) continue; // In a hole that the server made.
    const timelineFrame = (frames - piece.recorded + piece.handed) * RATE / sinkRate - firstSound;
    const sinceSaid = (timeMs - said[i].timeMs) * RATE / 1_000;
    ahead.push(said[i].audibleFrame + sinceSaid - timelineFrame);
  }
  ahead.sort((a, b) => a - b);
  const usual = ahead[Math.floor(ahead.length / 2)];
  assert(
    Math.abs(usual) < PERIOD * RATE / sinkRate,
    `what is said to be heard is ${usual} frames ahead of what was recorded, the latency ${latencyFrames}`,
  );
}

for (const sinkRate of [RATE, 44_100]) {
  Deno.test({
    name: `what is said to be heard is what the monitor gives, within a period (${sinkRate} Hz)`,
    ...needs("pulseaudio"),
    fn: () => checkTimes(sinkRate),
  });
}

/** Reasons that say where the sound goes. */
const movesOf = (notices: readonly Notification[]) =>
  reasonsOf(notices).filter((reason) => !["list", "latency", "period"].includes(reason));

Deno.test({
  name:
    "a server that is killed while it plays leaves the transport running, and is played on when it is there again",
  ...needs("pulseaudio"),
  fn: async () => {
    await using server = await PulseServer.start();
    await using place = await EnginePlace.make();
    const path = await place.wav("a.wav", codedMaterial(150 * RATE, RATE));
    await using opened = await place.open({ backend: "pulseaudio", period: PERIOD });
    const { engine, notices } = opened;
    await eventually(() => engine.devices.current()?.backend === "pulseaudio", "it is open");
    await lay(engine, path, 1);
    engine.transport.play({ fromFrame: 0 });
    await eventually(() => position(engine) > RATE, "it plays");

    const before = notices.length;
    await server.kill();
    await eventually(() => movesOf(notices.slice(before)).includes("fallback"), "it is noticed");
    const silentAt = position(engine);
    assert(silentAt > RATE, `the head stands at ${silentAt}`);
    await eventually(() => position(engine) > silentAt + RATE, "the head goes on in silence");

    await server.run();
    await using recording = await server.record(() => engine.clock().timeMs);
    await eventually(() => movesOf(notices.slice(before)).includes("reopened"), "it is back");
    const backAt = position(engine);
    const found = () => longRuns(runsOf(...recording.sides(), RATE));
    await eventually(() => found().some(({ length }) => length > RATE / 2), "it is heard");
    assertEquals(movesOf(notices.slice(before)), ["lost", "fallback", "reopened"]);
    assertEquals(engine.devices.current()?.backend, "pulseaudio");
    const [{ frame }] = found();
    assert(
      frame > silentAt + RATE / 2 && frame < position(engine),
      `heard from ${frame}, back at ${backAt}`,
    );
    // The head never went back.
    const positions = notices.filter(({ method }) => method === "transport.position")
      .map(({ params }) => (params as { positionFrame: number }).positionFrame);
    assertEquals(positions.findIndex((frame, i) => i > 0 && frame < positions[i - 1]), -1);
  },
});

Deno.test({
  name:
    "a device that comes is listed, one that goes is replaced, and one that was wished for is gone back to",
  ...needs("pulseaudio"),
  fn: async () => {
    await using server = await PulseServer.start();
    await using place = await EnginePlace.make();
    const path = await place.wav("a.wav", codedMaterial(150 * RATE, RATE));
    await using opened = await place.open({ backend: "pulseaudio", period: PERIOD });
    const { engine, notices } = opened;
    await eventually(() => engine.devices.current()?.backend === "pulseaudio", "it is open");
    await lay(engine, path, 1);
    engine.transport.play({ fromFrame: 0 });
    const count = (reason: string) => reasonsOf(notices).filter((r) => r === reason).length;
    const load = async () =>
      (await server.pactl("load-module", "module-null-sink", "sink_name=second", "rate=96000"))!
        .trim();

    // A first look, so that a second one may differ.
    await eventually(async () => (await engine.devices.list()).length > 0, "there is a list");
    const module = await load();
    await eventually(() => count("list") === 1, "the list has changed");
    const listed = await engine.devices.list();
    const second = listed.find(({ device }) => device === "second")!;
    assertEquals([second.backend, second.sampleRate], ["pulseaudio", 96_000]);

    const { sampleRate } = await engine.devices.open({ backend: "pulseaudio", device: "second" });
    assertEquals(sampleRate, 96_000);
    await eventually(() => position(engine) > RATE, "it plays there");
    const before = notices.length;
    await server.pactl("unload-module", module);
    const moves = () => movesOf(notices.slice(before));
    await eventually(() => moves().length >= 2, "it is noticed");
    assertEquals(moves(), ["lost", "reopened"]);
    assertEquals(engine.devices.current()?.device, null);
    const at = position(engine);
    await eventually(() => position(engine) > at, "it plays on the default");

    await load();
    await eventually(() => moves().length >= 3, "it is gone back to");
    assertEquals(moves(), ["lost", "reopened", "returned"]);
    assertEquals(engine.devices.current()?.device, "second");
    const back = position(engine);
    await eventually(() => position(engine) > back, "it plays there again");
    assertEquals(engine.transport.get().state, "playing");
  },
});
