/**
 * The engine on a real JACK server with its dummy driver.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type { Engine } from "../engine/engine.ts";
import { needs } from "./needs.ts";
import { eventually } from "./support/audio_server.ts";
import { codedMaterial, runsOf } from "./support/coded_sound.ts";
import { convertWhole } from "./support/convert_whole.ts";
import { DeviceTaps, makeResident } from "./support/device_taps.ts";
import { EnginePlace, ME } from "./support/engine_place.ts";
import { JackServer } from "./support/jack_server.ts";
import { firstDifference } from "./support/signal_rig.ts";

const RATE = 48_000;

/** One clip with all of the file. */
async function lay(engine: Engine, path: string): Promise<void> {
  const { assetId, lengthSamples } = await engine.assets.register(path, "sample", ME);
  const clip = { assetId, startFrame: 0, lengthFrames: lengthSamples };
  engine.timeline.edit(
    [
      { op: "track.add", track: { trackId: "t" } },
      { op: "clip.add", trackId: "t", clip },
    ],
    {},
    ME,
  );
}

const answers = (engine: Engine) =>
  eventually(async () => (await engine.signal.listDevices("jack")).length > 0, "jackd answers");

Deno.test({
  name:
    "JACK is played at its own period, lost when its server is killed, and played on when that is there again",
  ...needs("jack"),
  fn: async () => {
    await using server = new JackServer(RATE, 256);
    await using place = await EnginePlace.make();
    const path = await place.wav("a.wav", codedMaterial(120 * RATE, RATE));
    await using opened = await place.open({ backend: "null" });
    const { engine, notices } = opened;
    await lay(engine, path);
    await makeResident(engine, 20 * RATE);
    await answers(engine);
    const taps = await DeviceTaps.begin(engine, { backend: "jack", period: 64 });
    const device = engine.devices.current()!;
    assertEquals([device.backend, device.sampleRate, device.periodFrames], ["jack", RATE, 256]);
    engine.transport.play({ fromFrame: 0 });
    const position = () => engine.transport.get().positionFrame;
    await eventually(() => position() > 2 * RATE, "it plays");
    assert(await engine.signal.measureDevice() > 0, "JACK tells its latency");
    const { latencyFrames } = engine.devices.current()!;
    assert(latencyFrames >= 256 && latencyFrames <= 1_024, `a latency of ${latencyFrames} frames`);
    const { mix, device: handed } = await taps.end();
    for (const [left, right] of [mix, handed]) {
      const runs = runsOf(left, right, RATE);
      assertEquals([runs.length, runs[0].frame], [1, 0]);
      assert(runs[0].length > 2 * RATE, `${runs[0].length} frames`);
    }

    const before = notices.length;
    const moves = () =>
      notices.slice(before).filter(({ method }) => method === "device.changed")
        .map(({ params }) => (params as { reason: string }).reason)
        .filter((reason) => reason !== "list" && reason !== "latency");
    await server.kill();
    await eventually(() => moves().includes("fallback"), "it is noticed");
    const silentAt = position();
    await eventually(() => position() > silentAt + RATE / 2, "the head goes on in silence");
    server.run();
    await eventually(() => moves().includes("reopened"), "it is back");
    assertEquals(moves(), ["lost", "fallback", "reopened"]);
    const back = position();
    await eventually(() => position() > back + RATE / 2, "it plays on");
    assertEquals(engine.devices.current()?.backend, "jack");
  },
});

Deno.test({
  name: "a JACK server of another rate gets the mix through our own filter, bit for bit",
  ...needs("jack"),
  fn: async () => {
    await using server = new JackServer(44_100, 512);
    await using place = await EnginePlace.make();
    const path = await place.wav("a.wav", codedMaterial(10 * RATE, RATE));
    await using opened = await place.open({ backend: "null" });
    const { engine } = opened;
    await lay(engine, path);
    await makeResident(engine, 10 * RATE);
    await answers(engine);
    const taps = await DeviceTaps.begin(engine, { backend: "jack", period: 512 });
    const { sampleRate, periodFrames } = engine.devices.current()!;
    assertEquals([sampleRate, periodFrames], [server.rate, server.period]);
    engine.transport.play({ fromFrame: 0 });
    await eventually(() => engine.transport.get().positionFrame > RATE, "it plays");
    const { mix, device: handed } = await taps.end();
    const whole = await convertWhole(place.base, mix, RATE, server.rate);
    const frames = Math.min(whole[0].length, handed[0].length);
    assert(frames > server.rate / 2, `${frames} frames`);
    for (const side of [0, 1]) {
      const [got, want] = [handed[side].slice(0, frames), whole[side].slice(0, frames)];
      assertEquals(firstDifference(got, want), -1, `side ${side}`);
    }
  },
});
