import { assert, assertEquals, assertThrows } from "@std/assert";
import type { Notification } from "../engine/api.ts";
import { InvalidParams } from "../engine/errors.ts";
import { growingMixes } from "../engine/pulse/services/publish_gradually.ts";
import { TrackOrders } from "../engine/pulse/services/track_orders.ts";
import { type KeptTransport, TransportService } from "../engine/pulse/services/transport.ts";
import { Underruns } from "../engine/pulse/services/underruns.ts";
import type { MixModel, MixTrack } from "../engine/signal/model.ts";
import { FakeSignal } from "./support/fake_signal.ts";

function setUp() {
  const signal = new FakeSignal();
  const notices: Notification[] = [];
  const saved: KeptTransport[] = [];
  const notify = (notice: Notification) => void notices.push(notice);
  const transport = new TransportService({
    signal: () => signal,
    notify,
    underruns: new Underruns(notify),
    save: (kept) => void saved.push(kept),
  });
  return { signal, notices, saved, transport };
}

Deno.test("a command is answered as it will be heard, before the renderer has taken it", () => {
  const { transport, signal, notices } = setUp();
  assertEquals(transport.play({ fromFrame: 1_000 }).state, "playing");
  assertEquals(transport.get().positionFrame, 1_000);
  assertEquals(notices.map(({ method }) => method), ["transport.state"]);
  signal.take();
  signal.head = { ...signal.head, positionFrame: 1_256 };
  assertEquals(transport.get().positionFrame, 1_256);
  assertEquals(transport.pause().state, "paused");
  assertEquals(transport.stop().positionFrame, 1_000, "stop returns to where play began");
});

Deno.test("stop returns to where play began through edits that moved that place", () => {
  const { transport, signal } = setUp();
  transport.play({ fromFrame: 5_000 });
  signal.take();
  const map = [{ at: 0, remove: 2_000, insert: 0 }];
  transport.publishing(1, map);
  signal.publish({ tracks: [] }, 1, map);
  assertEquals(transport.positionFrame, 3_000);
  signal.take();
  assertEquals(transport.positionFrame, 3_000, "a map is not applied twice");
  assertEquals(transport.stop().positionFrame, 3_000);
});

Deno.test("edits that wait at the gate are composed in order with seeks between them", () => {
  const { transport, signal } = setUp();
  const publish = (revision: number, at: number, remove: number) => {
    const map = [{ at, remove, insert: 0 }];
    transport.publishing(revision, map);
    signal.publish({ tracks: [] }, revision, map);
  };
  transport.seek(10_000);
  publish(1, 0, 1_000);
  assertEquals(transport.positionFrame, 9_000);
  transport.seek(500);
  publish(2, 100, 300);
  assertEquals(transport.positionFrame, 200);
  publish(3, 150, 200);
  assertEquals(transport.positionFrame, 150);
  signal.take();
  assertEquals(signal.head.positionFrame, 150);
  assertEquals(transport.positionFrame, 150);
});

Deno.test("a loop goes through an edit's map and is switched off when less than a frame is left", () => {
  const { transport, signal, notices } = setUp();
  transport.setLoop({ enabled: true, startFrame: 1_000, endFrame: 2_000 });
  signal.take();
  notices.length = 0;
  const publish = (revision: number, at: number, remove: number) => {
    const map = [{ at, remove, insert: 0 }];
    const { tell } = transport.publishing(revision, map);
    signal.publish({ tracks: [] }, revision, map);
    tell();
  };
  publish(1, 0, 500);
  assertEquals(transport.get().loop, { enabled: true, startFrame: 500, endFrame: 1_500 });
  assertEquals(notices.map(({ params }) => (params as { reason: string }).reason), ["edit"]);
  publish(2, 400, 2_000);
  assertEquals(transport.get().loop.enabled, false);
  assertEquals((notices.at(-1)!.params as { reason: string }).reason, "loop");
});

Deno.test("an edit that the renderer has taken before it is told is told at the cut, not at what the device still plays", () => {
  const { transport, signal, notices } = setUp();
  transport.play({ fromFrame: 5_000 });
  signal.take();
  signal.head = { ...signal.head, positionFrame: 5_100 };
  signal.audibleFrame = 5_000;
  const map = [{ at: 2_000, remove: 4_000, insert: 0 }];
  const { tell } = transport.publishing(1, map);
  signal.publish({ tracks: [] }, 1, map);
  signal.take();
  tell();
  const { positionFrame, audibleFrame } = notices.at(-1)!.params as ReturnType<
    typeof transport.get
  >;
  assertEquals([positionFrame, audibleFrame], [2_000, 2_000]);
  assertEquals(transport.get().audibleFrame, 5_000, "who asks hears what sounds");
});

Deno.test("wrong frames are refused and nothing is sent", () => {
  const { transport, signal, notices } = setUp();
  const refused = [
    () => transport.seek(-1),
    () => transport.seek(0.5),
    () => transport.seek(NaN),
    () => transport.seek(2 ** 53),
    () => transport.play({ fromFrame: -5 }),
    () => transport.play({ fromFrame: 10, toFrame: 10 }),
    () => transport.setLoop({ enabled: true, startFrame: 10, endFrame: 10 }),
    () => transport.setLoop({ enabled: true, startFrame: 0, endFrame: Infinity }),
  ];
  for (const request of refused) assertThrows(request, InvalidParams);
  assertEquals([signal.sent, notices], [[], []]);
});

Deno.test("positions are told while playing and after jumps, and not while nothing happens", () => {
  const { transport, signal, notices } = setUp();
  const positions = () => notices.filter(({ method }) => method === "transport.position").length;
  transport.tick();
  assertEquals(positions(), 1, "the first says where it stands");
  transport.tick();
  assertEquals(positions(), 1);
  transport.play({});
  signal.take();
  for (let i = 1; i <= 3; i++) {
    signal.timeMs += 33;
    signal.head = { ...signal.head, positionFrame: i * 1_600 };
    transport.tick();
  }
  assertEquals(positions(), 4);
  transport.pause();
  signal.take();
  transport.tick();
  transport.tick();
  assertEquals(positions(), 5, "one when it has stopped");
  transport.seek(7);
  signal.take();
  transport.tick();
  assertEquals(positions(), 6);
});

Deno.test("the end of a range is told with its reason", () => {
  const { transport, signal, notices } = setUp();
  transport.play({ fromFrame: 0, toFrame: 480 });
  signal.take();
  signal.head = { ...signal.head, state: "paused", positionFrame: 480, toFrame: null };
  signal.events.push({ kind: "end", timeMs: 10, positionFrame: 480 });
  transport.tick();
  const end = notices.find(({ params }) => (params as { reason?: string }).reason === "end");
  assertEquals((end!.params as { state: string }).state, "paused");
});

Deno.test("position and loop are saved at each command and while playing", () => {
  const { transport, signal, saved } = setUp();
  transport.setLoop({ enabled: true, startFrame: 10, endFrame: 20 });
  transport.seek(15);
  assertEquals(saved.at(-1), {
    positionFrame: 15,
    loop: { enabled: true, startFrame: 10, endFrame: 20 },
  });
  transport.play({});
  signal.take();
  const before = saved.length;
  signal.timeMs += 2_500;
  transport.tick();
  assertEquals(saved.length, before + 1);
});

Deno.test("a project begins where it was left, paused", () => {
  const { transport, signal } = setUp();
  using _ = transport;
  transport.begin({ positionFrame: 77, loop: { enabled: true, startFrame: 5, endFrame: 9 } });
  const now = transport.get();
  assertEquals([now.state, now.positionFrame, now.loop.enabled], ["paused", 77, true]);
  signal.take();
  assertEquals(transport.get().positionFrame, 77);
});

Deno.test("a gap is told at its begin and at its end, under one id, and kept", () => {
  const { transport, signal, notices } = setUp();
  const gap = {
    trackId: "t",
    clipId: "c",
    assetId: "a",
    positionFrame: 100,
    cause: "read" as const,
    filledBy: "proxy" as const,
  };
  signal.events.push({ kind: "gapBegin", timeMs: 1, frames: 0, ...gap });
  transport.tick();
  signal.events.push({ kind: "gapEnd", timeMs: 2, frames: 640, ...gap });
  signal.events.push({ kind: "gapBegin", timeMs: 3, frames: 0, ...gap });
  transport.tick();
  const told = notices.filter(({ method }) => method === "stream.underrun").map(({ params }) =>
    params as { underrunId: number; ended: boolean; frames: number; filledBy: string }
  );
  assert(told.every(({ filledBy }) => filledBy === "proxy"));
  assertEquals(
    told.map(({ underrunId, ended, frames }) => [underrunId, ended, frames]),
    [[1, false, 0], [1, true, 640], [2, false, 0]],
  );
  assert(told.every((params) => !("clipId" in params) || params.clipId === "c"));
});

Deno.test("gaps whose ends may have been lost are told as over; one that goes on ends by itself later", () => {
  const { transport, signal, notices } = setUp();
  const gap = {
    trackId: "t",
    assetId: "a",
    positionFrame: 100,
    cause: "read" as const,
    filledBy: "silence" as const,
  };
  for (const clipId of ["c", "d"]) {
    signal.events.push({ kind: "gapBegin", timeMs: 1, frames: 0, ...gap, clipId });
  }
  signal.events.push({ kind: "lost", timeMs: 2, count: 3 });
  signal.events.push({ kind: "gapEnd", timeMs: 3, frames: 64, ...gap, clipId: "d" });
  transport.tick();
  const told = notices.filter(({ method }) => method === "stream.underrun").map(({ params }) =>
    params as { clipId: string; underrunId: number; ended: boolean; frames: number }
  );
  assertEquals(
    told.map(({ clipId, underrunId, ended, frames }) => [clipId, underrunId, ended, frames]),
    [["c", 1, false, 0], ["d", 2, false, 0], ["c", 1, true, 0], ["d", 2, true, 0], [
      "d",
      3,
      true,
      64,
    ]],
  );
});

Deno.test("a timeline is published in small steps that end with itself", () => {
  const track = (trackId: string, blocks: number): MixTrack => ({
    trackId,
    gainDb: 0,
    pan: 0,
    mute: false,
    solo: false,
    blocks: Array.from({ length: blocks }, (_, i) => ({
      start: i,
      block: { clips: [], maxEnd: 0 },
    })),
  });
  const countBlocks = ({ tracks }: MixModel) =>
    tracks.reduce((sum, { blocks }) => sum + blocks.length, 0);
  for (const sizes of [[], [0], [1], [40], [5, 0, 1, 1, 1, 30, 2], Array(20).fill(1)]) {
    const mix = { tracks: sizes.map((blocks, i) => track(`t${i}`, blocks)) };
    const steps = [...growingMixes(mix)];
    assertEquals(steps.at(-1) === mix, true);
    let before = 0;
    for (const step of steps) {
      const grown = countBlocks(step) - before;
      assert(grown >= 0 && grown <= 7, `${sizes}: ${grown} blocks at once`);
      before += grown;
      step.tracks.slice(0, -1).forEach((track, i) => assert(track === mix.tracks[i]));
    }
  }
});

Deno.test("meters of a revision have its tracks in its order", () => {
  const orders = new TrackOrders();
  const mix = (...ids: string[]): MixModel => ({
    tracks: ids.map((trackId) => ({
      trackId,
      gainDb: 0,
      pan: 0,
      mute: false,
      solo: false,
      blocks: [],
    })),
  });
  orders.push(4, mix("a", "b"));
  orders.push(5, mix("a", "b"));
  orders.push(6, mix("b", "a"));
  orders.push(9, mix("b"));
  assertEquals([3, 4, 5, 6, 8, 9, 12].map((revision) => orders.at(revision).join("")), [
    "ab",
    "ab",
    "ab",
    "ba",
    "ba",
    "b",
    "b",
  ]);
});
