import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { EngineError, InvalidParams } from "../engine/errors.ts";
import { isLargeTimeline } from "../engine/pulse/schema.ts";
import { TimelineService } from "../engine/pulse/timeline_service.ts";
import type { Timeline } from "../engine/pulse/types.ts";
import { TestClient } from "./support/server_client.ts";
import { TimelineEngine } from "./support/timeline_engine.ts";

const ME = { clientId: "me" };

/** Clips of a second, one after another, on two tracks. */
function large(clips: number): Timeline {
  const track = (trackId: string) => ({
    trackId,
    clips: Array.from({ length: clips / 2 }, (_, i) => ({
      clipId: `${trackId}${i}`,
      assetId: `a${i % 7}`,
      startFrame: i * 48_000,
      lengthFrames: 48_000,
      sourceFrame: i,
    })),
  });
  return { sampleRate: 48_000, tracks: [track("t"), track("u")] } as unknown as Timeline;
}

/** Turns that are counted, and in which a test may do something. */
function counted(inTurn: (turn: number) => void = () => {}) {
  const slices = {
    turns: 0,
    turn: () => {
      inTurn(slices.turns++);
      return Promise.resolve();
    },
  };
  return slices;
}

Deno.test("a timeline of 100,000 clips is set in thousands of turns, and is what it would be if it were set at once", async () => {
  const timeline = large(100_000);
  const [now, then] = [48_000, 48_000].map((rate) => TimelineService.inMemory(rate));
  for (const service of [now, then]) {
    service.edit([{ op: "track.add", track: { trackId: "u" } }], {}, ME);
  }
  const slices = counted();
  const answer = await then.setInTurns(timeline, {}, ME, slices);
  assertEquals(answer, now.set(timeline, {}, ME));
  assertEquals(then.get(), now.get());
  // Checked, made into clips and laid out: each in pieces of at most 128.
  assert(slices.turns >= 3 * 100_000 / 128, `${slices.turns} turns`);
  then.undo({}, ME);
  assertEquals(then.get().timeline.tracks.map(({ trackId, clips }) => [trackId, clips.length]), [
    ["u", 0],
  ]);
});

Deno.test("others edit while a large timeline is being set; it takes effect at its end, or is refused by then", async () => {
  const timeline = large(4_000);
  const service = TimelineService.inMemory(48_000);
  const edit = () =>
    void service.edit([{ op: "track.add", track: { trackId: `x${service.revision}` } }], {}, ME);
  const answer = await service.setInTurns(
    timeline,
    {},
    ME,
    counted((turn) => turn === 5 && edit()),
  );
  assertEquals([answer.revision, answer.changes.removed.trackIds], [2, ["x0"]]);
  assertEquals(service.get().timeline.tracks.map(({ trackId }) => trackId), ["t", "u"]);
  service.undo({}, ME);
  assertEquals(service.get().timeline.tracks.map(({ trackId }) => trackId), ["x0"]);
  const { revision } = service;
  const late = service.setInTurns(
    timeline,
    { baseRevision: revision },
    ME,
    counted((turn) => turn === 5 && edit()),
  );
  assertEquals((await assertRejects(() => late, EngineError)).code, "timeline.conflict");
  assertEquals(service.revision, revision + 1);
});

Deno.test("a large timeline is refused for what a small one is, with the place; one that is sent again is done once", async () => {
  const refusal = async (spoil: (timeline: Timeline) => void) => {
    const timeline = large(4_000);
    spoil(timeline);
    assert(isLargeTimeline(timeline));
    const service = TimelineService.inMemory(48_000);
    const error = await assertRejects(
      () => service.setInTurns(timeline, {}, ME, counted()),
      InvalidParams,
    );
    const now = assertThrows(() => service.set(timeline, {}, ME), InvalidParams);
    assertEquals([error.path, error.message], [now.path, now.message]);
    assertEquals(service.revision, 0);
    return error.path.join(".");
  };
  // deno-lint-ignore no-explicit-any
  const clip = ({ tracks }: any, i: number) => tracks[1].clips[i];
  const places = [
    await refusal((timeline) => clip(timeline, 1_500).lengthFrames = -1),
    await refusal((timeline) => clip(timeline, 3).colour = "red"),
    await refusal((timeline) => clip(timeline, 5).clipId = "t7"),
    await refusal((timeline) => timeline.tracks[1].trackId = "t"),
    await refusal((timeline) => timeline.sampleRate = 44_100),
    await refusal((timeline) => (timeline.tracks as unknown[]).push(7)),
    await refusal((timeline) => timeline.tracks[0].gainDb = 1e9),
  ];
  assertEquals(places, [
    "timeline.tracks.1.clips.1500.lengthFrames",
    "timeline.tracks.1.clips.3.colour",
    "timeline.tracks.1.clips.5.clipId",
    "timeline.tracks.1.trackId",
    "timeline.sampleRate",
    "timeline.tracks.2",
    "timeline.tracks.0.gainDb",
  ]);
  const service = TimelineService.inMemory(48_000);
  const options = { requestId: "once" };
  const answer = await service.setInTurns(large(4_000), options, ME, counted());
  assertEquals(await service.setInTurns(large(4_000), options, ME, counted()), answer);
  assertEquals(service.set(large(4_000), options, ME), answer);
  assertEquals(service.revision, 1);
});

Deno.test("over the server what is sent behind a large timeline comes after it, and its own notice comes before its answer", async () => {
  const engine = new TimelineEngine();
  const server = await engine.serve();
  await using _ = { [Symbol.asyncDispose]: () => server.close() };
  await using client = await TestClient.connect(server.url);
  await client.call("engine.hello", { protocol: 1 });
  await client.call("engine.subscribe", { topics: ["timeline"] });
  const first = client.send("timeline.set", { timeline: large(20_000) });
  const second = client.send("timeline.edit", {
    edits: [{ op: "clip.remove", clipId: "u9999" }],
  });
  const set = await client.until(({ id }) => id === first);
  const edited = await client.until(({ id }) => id === second);
  assertEquals(
    [set.error, set.result.revision, set.result.changes.clips.length],
    [undefined, 1, 20_000],
  );
  assertEquals([edited.error, edited.result.revision], [undefined, 2]);
  const order = client.messages().map(({ id, method, params }) =>
    id ?? [method, params.revision].join(" ")
  );
  const places = ["timeline.changed 1", first, "timeline.changed 2", second].map((what) =>
    order.indexOf(what)
  );
  assert(places[0] >= 0 && places[0] < places[1] && places[1] < places[3], `${order}`);
  assert(places[0] < places[2] && places[2] < places[3], `${order}`);
  const { result: { timeline } } = await client.call("timeline.get");
  assertEquals(timeline.tracks[1].clips.length, 9_999);
  const spoilt = large(4_000);
  spoilt.tracks[0].clips[9].lengthFrames = -1;
  const { error } = await client.call("timeline.set", { timeline: spoilt });
  assertEquals([error?.code, error?.data?.details.path], [
    -32602,
    ["timeline", "tracks", 0, "clips", 9, "lengthFrames"],
  ]);
});
