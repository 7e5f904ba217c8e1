import { assert, assertEquals, assertThrows } from "@std/assert";
import type { Notification } from "../engine/api.ts";
import { EngineError, InvalidParams } from "../engine/errors.ts";
import type { StreamHandle } from "../engine/pulse/types.ts";
import { sinePlanes } from "./support/audio_files.ts";
import { EnginePlace, ME } from "./support/engine_place.ts";
import { until } from "./support/wait.ts";

const RATE = 48_000;
const tone = (frames: number, sampleRate = RATE) => ({
  planes: sinePlanes(440, 2, frames, "s16"),
  encoding: "s16" as const,
  sampleRate,
});

/** Reasons of streams that have ended, by handle. */
function ended(notices: Notification[]): Map<string, string> {
  return new Map(
    notices.filter(({ method }) => method === "stream.ended")
      .map(({ params }) => params as { handleId: string; reason: string })
      .map(({ handleId, reason }) => [handleId, reason]),
  );
}

function states(notices: Notification[], handleId: string): StreamHandle[] {
  return notices.filter(({ method }) => method === "stream.state")
    .map(({ params }) => (params as { handle: StreamHandle }).handle)
    .filter((handle) => handle.handleId === handleId);
}

Deno.test("a stream is heard at once, tells where it is in the asset's own samples, and ends with the asset", async () => {
  await using place = await EnginePlace.make();
  const path = await place.wav("a.wav", tone(60 * 96_000, 96_000));
  await using opened = await place.open({ sampleRate: RATE });
  const { engine, notices } = opened;
  const { assetId } = await engine.assets.register(path, undefined, ME);
  const handle = engine.streams.start({ assetId, positionSamples: 19_200 }, ME);
  assertEquals([handle.assetId, handle.positionSamples, handle.state], [
    assetId,
    19_200,
    "filling",
  ]);
  assertEquals(engine.topicState("streams"), { streams: [{ ...handle }], windows: [] });
  const told = () => states(notices, handle.handleId);
  await until(() => told().filter(({ state }) => state === "ready").length > 2, "it is heard");
  const places = told().map(({ positionSamples }) => positionSamples);
  assert(places.every((place) => place >= 19_200));
  assertEquals(places, places.toSorted((a, b) => a - b));
  assert(places.at(-1)! > places[0], "it moves on");
  engine.streams.stop(handle.handleId);
  assertEquals(ended(notices).get(handle.handleId), "stopped");

  const last = engine.streams.start({ assetId, positionSamples: 60 * 96_000 - 4_800 }, ME);
  await until(() => ended(notices).has(last.handleId), "the stream has ended");
  assertEquals(ended(notices).get(last.handleId), "end");
  assertEquals(engine.topicState("streams"), { streams: [], windows: [] });
  assertEquals(engine.transport.get().state, "stopped", "the timeline stands where it stood");
  const error = assertThrows(() => engine.streams.stop(handle.handleId), EngineError);
  assertEquals(error.code, "handle.notFound");
});

Deno.test("a file of the library is heard without being registered; one after the other as they are chosen", async () => {
  await using place = await EnginePlace.make();
  await place.wav("a.wav", tone(10 * RATE));
  await place.wav("b.wav", tone(10 * RATE));
  await Deno.writeTextFile(`${place.library}/c.wav`, "no sound ".repeat(99));
  await using opened = await place.open({ sampleRate: RATE });
  const { engine, notices } = opened;
  let ids: string[] = [];
  await until(async () => {
    const { entries } = await engine.library.list({ path: place.library });
    ids = entries.flatMap(({ assetId }) => assetId ?? []);
    return ids.length >= 2;
  }, "the library is listed");
  const first = engine.streams.start({ assetId: ids[0], loop: true, gainDb: -6 }, ME);
  await until(
    () => states(notices, first.handleId).some(({ state }) => state === "ready"),
    "it sounds",
  );
  const second = engine.streams.start({ assetId: ids[1], replaces: first.handleId }, ME);
  assertEquals(ended(notices).get(first.handleId), "replaced");
  await until(
    () => states(notices, second.handleId).some(({ state }) => state === "ready"),
    "the other sounds",
  );
  engine.streams.stop(second.handleId);
  assertEquals(ended(notices).get(second.handleId), "stopped");
  assertEquals(engine.assets.list({}).total, 0, "nothing was registered");
});

Deno.test("what cannot be heard says why; another project ends all streams", async () => {
  await using place = await EnginePlace.make();
  const path = await place.wav("a.wav", tone(5 * RATE));
  await using opened = await place.open({ sampleRate: RATE });
  const { engine, notices } = opened;
  const { assetId } = await engine.assets.register(path, undefined, ME);
  const start = (params: Record<string, unknown>) => () =>
    engine.streams.start({ assetId, ...params }, ME);
  for (const positionSamples of [-1, 0.5, 5 * RATE]) {
    assertThrows(start({ positionSamples }), InvalidParams, "positionSamples");
  }
  assertEquals(assertThrows(start({ assetId: "none" }), EngineError).code, "asset.notFound");
  assertEquals(assertThrows(start({ replaces: "none" }), EngineError).code, "handle.notFound");
  const handles = Array.from({ length: 32 }, () => start({ loop: true })());
  assertEquals(assertThrows(start({}), EngineError).code, "limit.exceeded");
  await engine.projects.create({ name: "Another" });
  const reasons = ended(notices);
  assertEquals(handles.map(({ handleId }) => reasons.get(handleId)), handles.map(() => "project"));
});
