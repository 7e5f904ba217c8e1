/**
 * Fifty random edits of a recording that plays on a real PulseAudio server: what its monitor gives is what must be heard.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { EngineError, InvalidParams } from "../engine/errors.ts";
import type { Engine } from "../engine/engine.ts";
import type { Edit, Timeline } from "../engine/pulse/types.ts";
import type { Signal } from "../engine/signal/signal.ts";
import { check } from "../ffi/check.ts";
import { needs } from "./needs.ts";
import { DeviceTaps } from "./support/device_taps.ts";
import { EnginePlace, ME } from "./support/engine_place.ts";
import { FADE } from "./support/expected_player.ts";
import { explain, type HeardEdit } from "./support/heard_edits.ts";
import { naiveEdit } from "./support/naive_timeline.ts";
import { type Prng, prng } from "./support/prng.ts";
import { PulseServer } from "./support/pulse_server.ts";
import { matchRecording } from "./support/recording_match.ts";
import { firstDifference } from "./support/signal_rig.ts";
import { until } from "./support/wait.ts";

const RATE = 48_000;
/** Long enough that a busy machine seldom makes a hole. */
const PERIOD = 2_048;
const EDITS = 50;
const SEGMENT = RATE / 2;
const SEGMENTS = 100;
/** The system's recording began so many frames before the microphone's. */
const OFFSET = 1_234;

/** A tone that glides so slowly that no step is large, and is nowhere as it is elsewhere. */
function gliding(frames: number, fromHz: number, toHz: number): Float64Array {
  const turn = 2 * Math.PI / RATE;
  return Float64Array.from({ length: frames }, (_, i) => {
    const hz = fromHz + (toHz - fromHz) * i / frames / 2;
    return Math.fround(0.5 * Math.sin(0.3 + turn * hz * i));
  });
}

const frames = SEGMENT * SEGMENTS + OFFSET;
const SOUNDS = { mic: gliding(frames, 100, 400), system: gliding(frames, 500, 200) };

/** Lays both files in segments, each on a side of its own; gives what the two assets sound like. */
async function lay(engine: Engine, place: EnginePlace): Promise<Map<string, Float32Array[]>> {
  const sources = new Map<string, Float32Array[]>();
  const edits: Edit[] = [];
  for (const [name, plane] of Object.entries(SOUNDS)) {
    const path = await place.wav(`${name}.wav`, { planes: [plane], encoding: "f32" });
    const { assetId } = await engine.assets.register(path, "recording", ME);
    sources.set(assetId, [Float32Array.from(plane)]);
    const clips = Array.from({ length: SEGMENTS }, (_, i) => ({
      clipId: `${name}${i}`,
      assetId,
      startFrame: i * SEGMENT,
      lengthFrames: SEGMENT,
      sourceFrame: i * SEGMENT + (name === "system" ? OFFSET : 0),
      groupId: `g${i}`,
    }));
    edits.push({
      op: "track.add",
      track: { trackId: name, pan: name === "system" ? 1 : -1, clips },
    });
  }
  engine.timeline.edit(edits, {}, ME);
  return sources;
}

/** All of both files is in memory: then nothing that is heard waits for a disk. */
async function makeResident({ native }: Signal): Promise<void> {
  const { symbols, engine } = native;
  await until(() =>
    [1, 2].every((source) => {
      check(symbols.lp_source_prefetch(engine, source, 0, frames), "prefetch a source");
      return symbols.lp_source_resident(engine, source, 0, frames) === frames;
    }), "both files are resident");
}

/** An edit around the head. */
function editNear(random: Prng, { tracks }: Timeline, head: number): Edit {
  const { clips } = random.pick(tracks);
  const under = Math.max(0, clips.findIndex((clip) => clip.startFrame + clip.lengthFrames > head));
  const clip = clips[Math.min(under, clips.length - 1)];
  const next = clips[Math.min(under + 1, clips.length - 1)];
  const before = clips[random.int(under + 1)];
  const ahead = head + random.int(RATE / 4);
  const makers: (() => Edit)[] = [
    () => ({ op: "segment.delete", clipId: clip.clipId }),
    () => ({ op: "segment.delete", clipId: clip.clipId }),
    () => ({ op: "segment.delete", clipId: next.clipId }),
    () => ({ op: "segment.delete", clipId: before.clipId }),
    () => ({ op: "segment.delete", clipId: clip.clipId, ripple: "group" }),
    () => ({ op: "clip.slip", clipId: clip.clipId, sourceFrame: random.int(frames - RATE) }),
    () => ({ op: "clip.slip", clipId: next.clipId, sourceFrame: random.int(frames - RATE) }),
    () => ({ op: "clip.set", clipId: clip.clipId, set: { gainDb: -1 - random.int(9) } }),
    () => ({ op: "clip.set", clipId: clip.clipId, set: { fadeInFrames: clip.lengthFrames >> 1 } }),
    () => ({
      op: "clip.move",
      clipId: clip.clipId,
      startFrame: Math.max(0, clip.startFrame - 700),
    }),
    () => ({ op: "clip.remove", clipId: clip.clipId }),
    () => ({ op: "segment.reorder", clipId: next.clipId, toIndex: under }),
    () => ({ op: "range.delete", startFrame: head - 999, endFrame: ahead + 1, ripple: true }),
    () => ({ op: "range.delete", startFrame: ahead, endFrame: ahead + 9_000, ripple: false }),
    () => ({ op: "range.insert", atFrame: ahead, lengthFrames: 1 + random.int(9_000) }),
  ];
  return random.pick(makers)();
}

/** Tries until one is taken. */
function makeEdit(make: () => Edit): Edit {
  for (;;) {
    try {
      return make();
    } catch (error) {
      if (!(error instanceof InvalidParams || error instanceof EngineError)) throw error;
    }
  }
}

/** Plays, edits, records; then explains. */
async function playAndEdit(): Promise<void> {
  await using server = await PulseServer.start(RATE);
  await using place = await EnginePlace.make();
  await using opened = await place.open({ backend: "null", memoryBytes: 64e6 });
  const { engine } = opened;
  const signal = engine.signal as Signal;
  const sources = await lay(engine, place);
  await makeResident(signal);
  await using recording = await server.record(() => engine.clock().timeMs);
  await signal.closeDevice();
  const begun = signal.position().framesRendered;
  const taps = await DeviceTaps.begin(engine, { backend: "pulseaudio", period: PERIOD });
  assertEquals(engine.devices.current()?.backend, "pulseaudio");
  const rendered = () => signal.position().framesRendered - begun;
  const get = () => engine.timeline.get().timeline;

  const first = get().tracks;
  engine.transport.play({ fromFrame: 0 });
  await until(() => signal.position().positionFrame > RATE / 4, "it plays");
  const random = prng(20_261_125);
  const heard: HeardEdit[] = [];
  const done: HeardEdit["map"][] = [];
  for (let i = 0; i < EDITS; i++) {
    const fromFrame = rendered();
    const { timeline: before, revision: known } = engine.timeline.get();
    let map: HeardEdit["map"];
    let what: string;
    if (done.length > 0 && random.chance(0.25)) {
      engine.timeline.undo({}, ME);
      map = done.pop()!.map(({ at, remove, insert }) => ({ at, remove: insert, insert: remove }))
        .reverse();
      what = "undo";
    } else {
      const edit = makeEdit(() => {
        const edit = editNear(random, before, signal.position().positionFrame);
        engine.timeline.edit([edit], {}, ME);
        return edit;
      });
      map = naiveEdit(before, [edit], "n").map;
      what = JSON.stringify(edit);
      // Some edits leave all as it was: there is nothing to hear, and nothing to undo.
      if (engine.timeline.get().revision === known) {
        i--;
        continue;
      }
      done.push(map);
    }
    const { revision } = engine.timeline.get();
    heard.push({ what: `${i}: ${what}`, tracks: get().tracks, map, fromFrame, toFrame: Infinity });
    // Now and then the next one comes while this one waits, or in its fade.
    if (random.chance(0.2) && i < EDITS - 1) continue;
    await until(() => signal.position().revision === revision, `edit ${i} is heard`);
    const toFrame = rendered();
    for (const edit of heard) edit.toFrame = Math.min(edit.toFrame, toFrame);
    const rest = random.pick([0, 0, FADE, 3 * FADE, 8 * FADE]);
    await until(() => rendered() >= toFrame + rest, `${rest} frames after edit ${i}`);
  }
  const last = rendered() + RATE / 2;
  await until(() => rendered() > last, "what follows");
  engine.transport.pause();
  await until(() => signal.position().state === "paused", "it is paused");
  const pausedAt = signal.position().positionFrame;
  const most = rendered() - last;
  const came = recording.frames;
  await until(() => recording.frames > came + 2 * RATE, "all of it is recorded");
  const underruns = await server.underruns();
  const counters = signal.counters();
  const { mix, device } = await taps.end();

  // What was rendered is what the timelines say, whenever each edit was taken.
  assertEquals([counters.missing, counters.faded], [0, 0]);
  const begin = mix[0].findIndex((x) => x !== 0);
  const { audible, displaced, headFrame } = explain(mix, sources, first, heard, begin, last);
  assert(pausedAt >= headFrame && pausedAt <= headFrame + most, "the head says where the sound is");
  assert(audible > 10, `${audible} of ${EDITS} edits were audible`);
  // The device got that, and the monitor gave it, but for holes that the server says it made.
  const frames = Math.min(mix[0].length, device[0].length);
  for (const side of [0, 1]) {
    const [got, want] = [device[side].slice(0, frames), mix[side].slice(0, frames)];
    assertEquals(firstDifference(got, want), -1, `side ${side}`);
  }
  const match = matchRecording(device, recording.sides());
  console.log(
    `${EDITS} edits, ${audible} of them heard as a fade, ${displaced} displaced; ${match.frames} of ${match.sounding} frames captured bit for bit, ${match.holes} holes, ${underruns} underruns of the server`,
  );
  assert(match.holes <= underruns, `${match.holes} holes, the server made ${underruns}`);
  if (match.holes === 0) assertEquals(match.frames, match.sounding);
  assert(match.frames > RATE, `${match.frames} of ${match.sounding} frames came`);
}

Deno.test({
  name:
    "50 random edits while it plays on PulseAudio: what is captured is what was meant, bit for bit outside of the fades, and within them without a step",
  ...needs("pulseaudio"),
  fn: playAndEdit,
});
