import { assert, assertEquals } from "@std/assert";
import type { Engine } from "../engine/engine.ts";
import type { Diagnostics } from "../engine/pulse/services/diagnostics.ts";
import { sumFrames } from "../engine/signal/diagnosis.ts";
import { DiagnosticsSchema, UnderrunSchema } from "../server/schema/diagnostics.ts";
import { sinePlanes } from "./support/audio_files.ts";
import { EnginePlace, lay, ME, until } from "./support/engine_place.ts";

const FRAMES = 480_000;
const tone = {
  planes: sinePlanes(440, 2, FRAMES, "s16", { sampleRate: 48_000 }),
  encoding: "s16",
} as const;

const get = (engine: Engine) => engine.diagnostics.get(ME) as Diagnostics;

Deno.test("an engine tells what its timeline took of which disk, and how long", async () => {
  await using place = await EnginePlace.make();
  await using opened = await place.open();
  const { engine } = opened;
  const asset = await engine.assets.register(await place.wav("a.wav", tone), undefined, ME);
  engine.timeline.edit(lay(asset), {}, ME);
  await until(() => get(engine).volumes.some(({ bytes }) => bytes >= FRAMES * 4), "all is read");
  engine.transport.setLoop({ enabled: true, startFrame: 0, endFrame: FRAMES });
  engine.transport.play({});
  await until(() => get(engine).cache.hits > 20, "it is heard");
  await until(() => get(engine).forecast !== null, "the next minute is looked at");
  const told = get(engine);
  DiagnosticsSchema.parse(told);
  const [volume] = told.volumes;
  assertEquals([volume.folder, volume.errors, volume.stalled], [place.library, 0, false]);
  assert(volume.bytesPerSecond! > 0 && volume.latencyMs! > 0);
  const busyMs = volume.bytes / volume.bytesPerSecond! * 1000;
  const part = busyMs / (told.timeMs - told.sinceMs);
  assert(Math.abs(volume.busyShare - part) < part / 1000, `${volume.busyShare}, not ${part}`);
  assertEquals(told.tracks.map(({ trackId, impact }) => [trackId, impact.bytes]), [[
    "t",
    FRAMES * 4,
  ]]);
  assert(told.tracks[0].impact.readMs > 0);
  assertEquals(told.histograms.read.count, volume.reads);
  assert(told.histograms.callback.count > 20);
  assert(told.histograms.callback.p50! <= told.histograms.callback.p999!);
  assertEquals(told.cache.budgetBytes, 2 ** 24);
  assert(told.cache.residentBytes >= FRAMES * 4);
  assertEquals(told.forecast!.volumes.map(({ needBytesPerSecond }) => needBytesPerSecond), [0]);
  engine.diagnostics.reset(ME);
  engine.transport.stop();
  const after = get(engine);
  assertEquals([after.volumes[0].bytes, after.tracks[0].impact.bytes], [0, 0]);
});

Deno.test("an engine whose file has gone explains every frame that was missing, and says when it went", async () => {
  await using place = await EnginePlace.make();
  await using opened = await place.open();
  const { engine, notices } = opened;
  const path = await place.wav("a.wav", tone);
  const asset = await engine.assets.register(path, undefined, ME);
  await Deno.remove(path);
  engine.timeline.edit(lay(asset), {}, ME);
  const isMissing = () => engine.assets.get(asset.assetId).offlineStatus === "missing";
  await until(isMissing, "the file is found to be gone");
  engine.transport.play({ fromFrame: FRAMES / 2 });
  await until(() => sumFrames(get(engine).missing) > 0, "it is missed");
  engine.transport.pause();
  await until(() => get(engine).underrunFrames.open === 0, "the gap is over");
  await until(() => {
    const { underrunFrames, missing } = get(engine);
    return underrunFrames.recorded === sumFrames(missing);
  }, "all of it is recorded");
  const { missing, tracks, availability } = get(engine);
  assertEquals(missing.absent, sumFrames(missing));
  assertEquals(tracks.map(({ missing }) => missing), [missing.absent]);
  const { underruns } = engine.diagnostics.underruns({}) as { underruns: unknown[] };
  for (const record of underruns) {
    const { cause, ended, forensics } = UnderrunSchema.parse(record);
    assertEquals([cause, ended, forensics!.cause, forensics!.validMs], [
      "absent",
      true,
      "absent",
      null,
    ]);
  }
  assert(underruns.length > 0);
  await until(() => get(engine).availability.total > 0, "that it went is told");
  const gone = get(engine).availability.changes.find(({ offlineStatus }) =>
    offlineStatus === "missing"
  );
  assertEquals(gone?.assetId, asset.assetId);
  assert(availability.total <= get(engine).availability.total);
  assert(notices.some(({ method }) => method === "stream.underrun"));
});
