/** The client against what a sound engine would never send, and a line that behaves in its own way: over a socket that the test holds. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Socket } from "../server/web/client/interface.ts";
import { Disconnected, EngineView, PulseClient, RpcError } from "../server/web/client/mod.js";
import { prng } from "./support/prng.ts";

// deno-lint-ignore no-explicit-any
type Json = any;

/** The newest socket that a client made. */
class HeldSocket implements Socket {
  static readonly made: HeldSocket[] = [];
  binaryType = "";
  onopen: ((event: Json) => void) | null = null;
  onmessage: ((event: Json) => void) | null = null;
  onclose: ((event: Json) => void) | null = null;
  onerror: ((event: Json) => void) | null = null;
  readonly sent: Json[] = [];
  closed: number | null = null;

  get readyState(): number {
    return this.closed === null ? 1 : 2;
  }

  constructor(readonly url: string, readonly protocols: string[]) {
    HeldSocket.made.push(this);
  }
  send(text: string) {
    this.sent.push(JSON.parse(text));
  }
  close(code = 1005) {
    this.closed ??= code;
  }
  /** Answers the request of a method that was sent last. */
  answer(method: string, result: Json) {
    const { id } = this.sent.findLast((one) => one.method === method);
    this.say({ jsonrpc: "2.0", id, result });
  }
  say(message: Json) {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
}

const HELLO = {
  instanceId: "i",
  clientId: "me",
  limits: { messageBytes: 2_000 },
  project: { projectId: "p" },
};
const EMPTY = { sampleRate: 48_000, tracks: [] };
const turn = () => new Promise((resolve) => setTimeout(resolve, 0));

/** A client that is connected, and its view. */
async function open(url = "http://127.0.0.1:1") {
  const client = new PulseClient({ url, topics: ["timeline"], WebSocket: HeldSocket });
  const view = new EngineView(client, () => 0);
  const faults: Error[] = [];
  client.on("fault", (error) => void faults.push(error));
  client.connect();
  const socket = HeldSocket.made.at(-1)!;
  socket.onopen?.({});
  socket.answer("engine.hello", HELLO);
  await turn();
  return { client, view, faults, socket };
}

/** Ends it, as the other side would. */
async function end(client: PulseClient, socket: HeldSocket) {
  const over = client.close();
  socket.onclose?.({ code: 1000 });
  await over;
}

const changed = (revision: number, previousRevision: number, trackId: string) => ({
  jsonrpc: "2.0",
  method: "timeline.changed",
  params: {
    revision,
    previousRevision,
    changes: {
      removed: { trackIds: [], clipIds: [] },
      shifted: [],
      tracks: [{ trackId, name: "", gainDb: 0, pan: 0, mute: false, solo: false }],
      clips: [],
    },
  },
});
const trackIds = (view: EngineView) => view.timeline.tracks.map(({ header }) => header.trackId);

Deno.test("what is said right after a state goes on from it, also where a socket hands over both in one breath", async () => {
  const { client, view, faults, socket } = await open();
  socket.answer("engine.subscribe", { state: { timeline: { revision: 4, timeline: EMPTY } } });
  socket.say(changed(5, 4, "a"));
  socket.say(changed(6, 5, "b"));
  assertEquals([view.timeline.revision, trackIds(view)], [6, ["a", "b"]]);
  assertEquals(client.isOpen, true);
  assertEquals(faults, []);
  await end(client, socket);
});

Deno.test("a change that is missing or makes no sense is told and mended by the whole timeline", async () => {
  const { client, view, faults, socket } = await open();
  socket.answer("engine.subscribe", { state: { timeline: { revision: 4, timeline: EMPTY } } });
  socket.say(changed(7, 6, "x"));
  socket.say(changed(8, 7, "y")); // Of what is on its way.
  assertEquals(faults.map(({ name }) => name), ["RangeError"]);
  const { params } = socket.sent.findLast(({ method }) => method === "engine.subscribe");
  assertEquals(params, { topics: ["timeline"] });
  socket.answer("engine.subscribe", { state: { timeline: { revision: 8, timeline: EMPTY } } });
  socket.say(changed(9, 8, "z"));
  assertEquals([view.timeline.revision, trackIds(view)], [9, ["z"]]);
  socket.say({
    jsonrpc: "2.0",
    method: "timeline.changed",
    params: { ...changed(10, 9, "q").params, changes: {} },
  });
  assertEquals(faults.map(({ name }) => name), ["RangeError", "TypeError"]);
  socket.answer("engine.subscribe", { state: { timeline: { revision: 10, timeline: EMPTY } } });
  assertEquals([view.timeline.revision, trackIds(view)], [10, []]);
  await end(client, socket);
});

Deno.test("a message that the engine would not take is refused at once, and does not cost the connection", async () => {
  const { client, socket } = await open();
  socket.answer("engine.subscribe", { state: {} });
  const before = socket.sent.length;
  const error = await assertRejects(
    () => client.call("library.list", { query: "ü".repeat(1_000) }),
    RpcError,
  );
  assertEquals([error.code, error.rpcCode], ["limit.exceeded", -32_000]);
  const { limit, max, actual } = error.details as Json;
  assertEquals([limit, max, actual > 2_000], ["messageBytes", 2_000, true]);
  assertEquals(socket.sent.length, before);
  const fits = client.call("library.list", { query: "u".repeat(1_800) });
  socket.answer("library.list", { entries: [], total: 0 });
  assertEquals(await fits, { entries: [], total: 0 });
  // Where the engine ends the connection for it all the same, it is not asked again and again.
  const edit = client.call("timeline.edit", { edits: [], requestId: "r" });
  socket.onclose?.({ code: 1009 });
  await assertRejects(() => edit, Disconnected);
  await client.close();
});

Deno.test("20,000 messages that mean nothing are told as faults or passed over; the connection goes on", async () => {
  const { client, view, faults, socket } = await open();
  socket.answer("engine.subscribe", { state: { timeline: { revision: 1, timeline: EMPTY } } });
  const random = prng(3);
  const values = [null, 1, "x", true, [], {}, { id: 1 }, { method: 5 }, { id: "1", error: {} }];
  const whole = JSON.stringify(changed(2, 1, "t"));
  for (let round = 0; round < 20_000; round++) {
    const kind = random.int(4);
    const data = kind === 0
      ? Uint8Array.from({ length: random.int(40) }, () => random.int(256)).buffer
      : kind === 1
      ? whole.slice(0, random.int(whole.length))
      : kind === 2
      ? JSON.stringify(random.pick<unknown>(values))
      : JSON.stringify([random.pick<unknown>(values), random.pick<unknown>(values)]);
    socket.onmessage?.({ data });
  }
  assert(faults.length > 10_000);
  assertEquals(view.timeline.revision, 1);
  socket.onmessage?.({ data: whole });
  assertEquals([client.isOpen, view.timeline.revision], [true, 2]);
  await end(client, socket);
});

Deno.test("an engine may be named by its page, its socket, or a path that something in between serves it under", async () => {
  for (
    const [given, socket] of [
      ["http://127.0.0.1:4747", "ws://127.0.0.1:4747/pulse"],
      ["https://studio.example/", "wss://studio.example/pulse"],
      ["http://studio.example/engine", "ws://studio.example/engine/pulse"],
      ["http://studio.example/engine/", "ws://studio.example/engine/pulse"],
      ["ws://127.0.0.1:4747/pulse", "ws://127.0.0.1:4747/pulse"],
      ["http://[::1]:4747/pulse", "ws://[::1]:4747/pulse"],
    ]
  ) {
    const client = new PulseClient({ url: given, topics: [], WebSocket: HeldSocket });
    assertEquals(client.url, socket);
    await client.close();
  }
});

Deno.test("nothing is put on a line that is closing: what is asked then waits for its end", async () => {
  const { client, socket } = await open();
  socket.close();
  const before = socket.sent.length;
  const asked = client.call("transport.play");
  const edit = client.call("timeline.edit", { edits: [], requestId: "r" });
  assertEquals(socket.sent.length, before);
  socket.onclose?.({ code: 1006 });
  await assertRejects(() => asked, Disconnected);
  await client.close();
  await assertRejects(() => edit, Disconnected);
});
