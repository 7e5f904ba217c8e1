/** JSON-RPC over a real WebSocket: what is answered, in what order, and what is refused. */
import { assert, assertEquals, assertLess, assertStringIncludes } from "@std/assert";
import { SERVER_LIMITS } from "../server/limits.ts";
import { Dispatcher } from "../server/rpc/dispatch.ts";
import type { Client } from "../server/rpc/method.ts";
import { METHODS } from "../server/rpc/methods.ts";
import { RateLimit } from "../server/rpc/rate.ts";
import { type Heard, startServer, TestClient } from "./support/server_client.ts";
import { StandInEngine } from "./support/stand_in_engine.ts";
import { until } from "./support/wait.ts";

const edit = (label: string) => ({ edits: [{ op: "clip.remove", clipId: "x" }], label });

async function rejected(text: string) {
  await using test = await startServer();
  await using client = await TestClient.connect(test.url);
  client.sendRaw(text);
  const { error, id } = await client.until(({ error }) => error !== undefined);
  assertEquals((await client.call("engine.clock", {})).error, undefined);
  return { ...error!, id };
}

Deno.test("hello tells what the engine is, and the subprotocol is answered alone", async () => {
  await using test = await startServer();
  await using client = await TestClient.connect(test.url, ["other", "loophole.v1", "token.eA"]);
  assertEquals(client.protocol, "loophole.v1");
  const { result } = await client.call("engine.hello", { protocol: 1, client: "test" });
  assertEquals(result.protocol, 1);
  assertEquals(result.instanceId, test.engine.instanceId);
  assertEquals(result.sampleRate, 48_000);
  assertEquals(result.limits.messageBytes, SERVER_LIMITS.messageBytes);
  assertEquals(result.limits.uploadBytes, 1_000_000);
  assertEquals(typeof result.clientId, "string");
  await using other = await TestClient.connect(test.url, []);
  assertEquals(other.protocol, "");
  const second = await other.call("engine.hello", { protocol: 1 });
  assert(second.result.clientId !== result.clientId);
});

Deno.test("a client that comes back takes its id up again", async () => {
  await using test = await startServer();
  const first = await TestClient.connect(test.url);
  const { result: { clientId } } = await first.call("engine.hello", { protocol: 1 });
  await first.close();
  await using again = await TestClient.connect(test.url);
  const { result } = await again.call("engine.hello", { protocol: 1, clientId });
  assertEquals(result.clientId, clientId);
  await again.call("engine.subscribe", { topics: ["timeline"] });
  await again.call("timeline.edit", edit("x"));
  const told = await again.until(({ method }) => method === "timeline.changed");
  assertEquals(told.params.clientId, clientId);
  const { error } = await again.call("engine.hello", { protocol: 1, clientId: "server:metrics" });
  assertEquals(error?.code, -32602);
});

Deno.test("another protocol is refused, then the connection closed with 4002", async () => {
  await using test = await startServer();
  const client = await TestClient.connect(test.url);
  const { error } = await client.call("engine.hello", { protocol: 2 });
  assertEquals(error?.code, -32000);
  assertEquals(error?.data?.code, "protocol.version");
  assertEquals((await client.closed).code, 4002);
});

Deno.test("a binary message is no request: 4002", async () => {
  await using test = await startServer();
  const client = await TestClient.connect(test.url);
  client.sendRaw(new Uint8Array([1, 2, 3]));
  assertEquals((await client.closed).code, 4002);
});

Deno.test("malformed JSON, wrong requests and unknown methods have the standard's codes", async () => {
  const cases: [string, number, unknown][] = [
    ["{", -32700, null],
    ["", -32700, null],
    ["\u0000", -32700, null],
    ["[1", -32700, null],
    ["1", -32600, null],
    ["null", -32600, null],
    ["[]", -32600, null],
    ['{"id":1}', -32600, 1],
    ['{"jsonrpc":"1.0","id":1,"method":"engine.clock"}', -32600, 1],
    ['{"jsonrpc":"2.0","id":[],"method":"engine.clock"}', -32600, null],
    ['{"jsonrpc":"2.0","id":1,"method":7}', -32600, 1],
    ['{"jsonrpc":"2.0","id":"a","method":"nope"}', -32601, "a"],
    ['{"jsonrpc":"2.0","id":1,"method":"constructor"}', -32601, 1],
    ['{"jsonrpc":"2.0","id":1,"method":"__proto__"}', -32601, 1],
    ['{"jsonrpc":"2.0","id":1,"method":"transport.setRate","params":{"rate":2}}', -32601, 1],
    ['{"jsonrpc":"2.0","id":1,"method":"engine.clock","params":[]}', -32602, 1],
    ['{"jsonrpc":"2.0","id":1,"method":"engine.clock","params":7}', -32602, 1],
    ['{"jsonrpc":"2.0","id":1,"method":"engine.clock","params":null}', -32602, 1],
    ['{"jsonrpc":"2.0","id":1,"method":"engine.clock","params":{"x":1}}', -32602, 1],
  ];
  for (const [text, code, id] of cases) {
    const error = await rejected(text);
    assertEquals([error.code, error.id], [code, id], text);
  }
});

Deno.test("wrong params name the field and the reason", async () => {
  await using test = await startServer();
  await using client = await TestClient.connect(test.url);
  const cases: [string, unknown, (string | number)[]][] = [
    ["timeline.edit", { edits: [{ op: "clip.split", clipId: "c", atFrame: 1.5 }] }, [
      "edits",
      0,
      "atFrame",
    ]],
    ["timeline.edit", { edits: [{ op: "clip.split", clipId: "c", atFrame: -1 }] }, [
      "edits",
      0,
      "atFrame",
    ]],
    ["timeline.edit", { edits: [{ op: "clip.split", clipId: "c", atFrame: 1e300 }] }, [
      "edits",
      0,
      "atFrame",
    ]],
    ["timeline.edit", { edits: [{ op: "explode" }] }, ["edits", 0, "op"]],
    ["timeline.edit", { edits: {} }, ["edits"]],
    ["timeline.edit", { edits: [] }, ["edits"]],
    ["timeline.edit", { ...edit("x"), baseRevision: "3" }, ["baseRevision"]],
    ["timeline.edit", { ...edit("x"), hurry: true }, ["hurry"]],
    ["transport.seek", { positionFrame: null }, ["positionFrame"]],
    ["transport.seek", {}, ["positionFrame"]],
    ["transport.play", { fromFrame: 5, toFrame: 5 }, ["toFrame"]],
    ["transport.setLoop", { enabled: true, startFrame: 9, endFrame: 9 }, ["endFrame"]],
    ["engine.subscribe", { topics: ["weather"] }, ["topics", 0]],
    ["engine.hello", { protocol: "1" }, ["protocol"]],
    ["asset.register", {}, []],
    ["asset.register", { path: "/a\0b" }, ["path"]],
    ["asset.register", { paths: Array(1_001).fill("/a") }, ["paths"]],
    ["asset.previewPeaks", {
      previews: [{ previewId: -1, assetId: "a", start: 0, end: 1, width: 1 }],
    }, ["previews", 0, "previewId"]],
    ["asset.previewPeaks", {
      previews: [{ previewId: 1, assetId: "a", start: 0, end: 1, width: 8_193 }],
    }, ["previews", 0, "width"]],
    ["render.mixdown", { path: "x", container: "mp3", sampleFormat: "f32" }, ["container"]],
  ];
  for (const [method, params, path] of cases) {
    const { error } = await client.call(method, params);
    assertEquals(error?.code, -32602, `${method} ${JSON.stringify(error)}`);
    assertEquals(error?.data?.details.path, path, method);
    assertEquals(typeof error?.data?.details.reason, "string");
  }
  assertEquals(test.engine.applied, []);
});

Deno.test("the engine's own errors carry code and details; what is unexpected carries nothing", async () => {
  await using test = await startServer();
  await using client = await TestClient.connect(test.url);
  const { error } = await client.call("timeline.edit", { ...edit("x"), baseRevision: 7 });
  assertEquals(error?.code, -32000);
  assertEquals(error?.data, { code: "timeline.conflict", details: { revision: 0 } });
  const original = console.error;
  const logged: string[] = [];
  console.error = (...args: unknown[]) => logged.push(args.join(" "));
  try {
    const inside = await client.call("diagnostics.reset", {});
    assertEquals(inside.error, { code: -32603, message: "Internal error" });
  } finally {
    console.error = original;
  }
  assertStringIncludes(logged.join(), "a secret of the inside");
});

Deno.test("notifications get no answer and still take effect", async () => {
  await using test = await startServer();
  await using client = await TestClient.connect(test.url);
  const notify = (method: string, params: unknown) =>
    client.sendRaw(JSON.stringify({ jsonrpc: "2.0", method, params }));
  notify("timeline.edit", edit("quiet"));
  notify("timeline.edit", { edits: 7 });
  notify("nope", {});
  notify("engine.subscribe", { topics: ["timeline"] });
  await client.call("engine.clock", {});
  assertEquals(test.engine.applied, ["quiet"]);
  assertEquals(client.messages().length, 1);
  test.engine.tell("timeline", "timeline.changed", {});
  await client.until(({ method }) => method === "timeline.changed");
});

Deno.test("a batch is answered as one, without its notifications, wrong members by themselves", async () => {
  await using test = await startServer();
  await using client = await TestClient.connect(test.url);
  client.sendRaw(JSON.stringify([
    { jsonrpc: "2.0", id: 1, method: "engine.clock" },
    7,
    { jsonrpc: "2.0", method: "timeline.edit", params: edit("a") },
    { jsonrpc: "2.0", id: 2, method: "asset.register", params: { path: "/x" } },
    { jsonrpc: "2.0", id: 3, method: "nope" },
    { jsonrpc: "2.0", id: 4, method: "timeline.edit", params: edit("b") },
  ]));
  await client.untilTrue(() => client.heard.length === 1);
  const batch = client.heard[0] as { id: unknown; error?: { code: number } }[];
  assertEquals(batch.map(({ id, error }) => [id, error?.code]), [
    [1, undefined],
    [null, -32600],
    [2, undefined],
    [3, -32601],
    [4, undefined],
  ]);
  assertEquals(test.engine.applied, ["a", "b"]);
  client.sendRaw(JSON.stringify([{ jsonrpc: "2.0", method: "timeline.edit", params: edit("c") }]));
  await client.call("engine.clock", {});
  assertEquals(client.heard.length, 2);
});

Deno.test("a batch over the limit is refused whole, and says which limit", async () => {
  await using test = await startServer();
  await using client = await TestClient.connect(test.url);
  const member = { jsonrpc: "2.0", id: 1, method: "timeline.edit", params: edit("x") };
  client.sendRaw(JSON.stringify(Array(10_000).fill(member)));
  const { error } = await client.until(({ error }) => error !== undefined);
  assertEquals(error?.data?.code, "limit.exceeded");
  assertEquals(error?.data?.details, { limit: "batchRequests", max: 1_000, actual: 10_000 });
  assertEquals(test.engine.applied, []);
});

Deno.test("JSON nested deeper than the limit is refused before it is parsed", async () => {
  for (const depth of [65, 100_000, 10_000_000]) {
    const error = await rejected("[".repeat(depth) + "]".repeat(depth));
    assertEquals(error.data?.details.limit, "messageDepth");
  }
  // Brackets in text are no nesting.
  await using test = await startServer();
  await using client = await TestClient.connect(test.url);
  const label = '[{"\\'.repeat(60);
  assertEquals((await client.call("timeline.edit", edit(label))).error, undefined);
});

Deno.test("a message of 100 MB closes with 1009, and the server keeps neither it nor a trace", async () => {
  await using test = await startServer();
  const client = await TestClient.connect(test.url);
  const before = Deno.memoryUsage().rss;
  client.sendRaw("x".repeat(100_000_000));
  const { code, reason } = await client.closed;
  assertEquals(code, 1009);
  assertStringIncludes(reason, "messageBytes");
  assertLess(Deno.memoryUsage().rss - before, 500e6);
  await using next = await TestClient.connect(test.url);
  assertEquals((await next.call("timeline.get")).result.revision, 0);
});

Deno.test("a rate is so many at once and so many a second", () => {
  const rate = new RateLimit(100, 3, 0);
  const take = (times: number, nowMs: number) =>
    Array.from({ length: times }, () => rate.take(nowMs)).filter(Boolean).length;
  assertEquals(take(5, 0), 3);
  assertEquals(take(5, 9), 0);
  assertEquals(take(5, 10), 1);
  assertEquals(take(5, 25), 1);
  assertEquals(take(5, 1e9), 3);
});

Deno.test("requests over the rate are refused one by one, and say which limit", () => {
  const replies: Heard[] = [];
  const dispatcher = new Dispatcher({
    methods: METHODS,
    context: { engine: new StandInEngine(), client: null as unknown as Client },
    send: (reply) => void replies.push(JSON.parse(reply)),
    rate: new RateLimit(0, 2, 0),
  });
  for (const id of [1, 2, 3, 4]) {
    dispatcher.receive(JSON.stringify({ jsonrpc: "2.0", id, method: "engine.clock" }));
  }
  assertEquals(replies.map(({ error }) => error?.data?.details.limit), [
    undefined,
    undefined,
    "requestsPerSecond",
    "requestsPerSecond",
  ]);
});

Deno.test("the notification of a change precedes the reply to the request that made it", async () => {
  await using test = await startServer();
  await using client = await TestClient.connect(test.url);
  await using other = await TestClient.connect(test.url);
  for (const one of [client, other]) {
    await one.call("engine.subscribe", { topics: ["timeline", "transport"] });
  }
  const ids: number[] = [];
  for (let i = 0; i < 50; i++) ids.push(client.send("timeline.edit", edit(`${i}`)));
  await client.until(({ id }) => id === ids.at(-1));
  const order = client.messages().slice(1)
    .map(({ method, params, result }) =>
      method ? `told ${params.revision}` : `done ${result.revision}`
    );
  assertEquals(order, ids.flatMap((_, i) => [`told ${i + 1}`, `done ${i + 1}`]));
  await other.until(({ params }) => params?.revision === 50);
});

Deno.test("state is of the point where the reply stands in the queue, also in a batch", async () => {
  await using test = await startServer();
  await using client = await TestClient.connect(test.url);
  let release = () => {};
  test.engine.beforeRegister = () => new Promise((resolve) => release = resolve);
  client.sendRaw(JSON.stringify([
    { jsonrpc: "2.0", id: 1, method: "timeline.edit", params: edit("before") },
    { jsonrpc: "2.0", id: 2, method: "engine.subscribe", params: { topics: ["timeline"] } },
    { jsonrpc: "2.0", id: 3, method: "timeline.edit", params: edit("after") },
    // Holds the batch's answer up.
    { jsonrpc: "2.0", id: 4, method: "asset.register", params: { path: "/x" } },
  ]));
  await using other = await TestClient.connect(test.url);
  await other.call("timeline.edit", edit("meanwhile"));
  release();
  const { result } = await client.until(({ id }) => id === 2);
  assertEquals(result.state.timeline.revision, 3);
  await other.call("timeline.edit", edit("later"));
  const { params } = await client.until(({ method }) => method === "timeline.changed");
  assertEquals(params.revision, 4);
});

Deno.test("ordered requests wait for each other, the others do not wait", async () => {
  await using test = await startServer();
  await using client = await TestClient.connect(test.url);
  let release = () => {};
  test.engine.beforeOpen = () => new Promise((resolve) => release = resolve);
  const opened = client.send("project.open", { projectId: "p" });
  const edited = client.send("timeline.edit", edit("edit"));
  const sought = client.send("transport.seek", { positionFrame: 9 });
  const clock = client.send("engine.clock", {});
  await client.until(({ id }) => id === clock);
  assertEquals(test.engine.applied, []);
  release();
  await client.until(({ id }) => id === sought);
  assertEquals(test.engine.applied, ["open", "edit", "seek 9"]);
  assertEquals(client.messages().map(({ id }) => id), [clock, opened, edited, sought]);
});

Deno.test("a request that fails in the lane does not hold up the next", async () => {
  await using test = await startServer();
  await using client = await TestClient.connect(test.url);
  test.engine.beforeOpen = () => Promise.reject(new RangeError("no"));
  const original = console.error;
  console.error = () => {};
  try {
    const opened = client.send("project.open", { projectId: "p" });
    assertEquals((await client.call("timeline.edit", edit("edit"))).error, undefined);
    assertEquals((await client.until(({ id }) => id === opened)).error?.code, -32603);
  } finally {
    console.error = original;
  }
});

Deno.test("a client's last requests take effect when it says goodbye behind them", async () => {
  await using test = await startServer();
  const client = await TestClient.connect(test.url);
  for (let i = 0; i < 500; i++) client.send("timeline.edit", edit(`${i}`));
  await client.close();
  await until(() => test.engine.applied.length === 500, "all have taken effect");
});

Deno.test("topics are heard from subscribe to unsubscribe, one's own jobs always", async () => {
  await using test = await startServer();
  await using client = await TestClient.connect(test.url);
  const { result: { clientId } } = await client.call("engine.hello", { protocol: 1 });
  test.engine.tell("device", "device.changed", { n: 1 });
  await client.call("engine.subscribe", { topics: ["device"] });
  test.engine.tell("device", "device.changed", { n: 2 });
  await client.call("engine.unsubscribe", { topics: ["device"] });
  test.engine.tell("device", "device.changed", { n: 3 });
  test.engine.tell("jobs", "job.finished", { n: 4 }, "someone else");
  test.engine.tell("jobs", "job.finished", { n: 5 }, clientId);
  await client.call("engine.clock", {});
  const told = client.messages().filter(({ method }) => method !== undefined);
  assertEquals(told.map(({ params }) => params.n), [2, 5]);
});

Deno.test("meters are pumped once for all, and only while someone looks", async () => {
  await using test = await startServer();
  await using client = await TestClient.connect(test.url);
  await using other = await TestClient.connect(test.url);
  await new Promise((resolve) => setTimeout(resolve, 60));
  assertEquals(test.engine.metersTaken, 0);
  await client.call("engine.subscribe", { topics: ["meters"] });
  await other.call("engine.subscribe", { topics: ["meters"] });
  const numbers = ({ heard }: TestClient) =>
    heard.flatMap((one) => one instanceof ArrayBuffer ? [new DataView(one).getUint16(2)] : []);
  await client.untilTrue(() => numbers(client).length >= 6);
  await other.untilTrue(() => numbers(other).length >= 6);
  const first = numbers(other)[0];
  await client.untilTrue(() => numbers(client).at(-1)! >= first + 4);
  // Each was taken once, and what one heard the other heard too.
  for (const heard of [numbers(client), numbers(other)]) {
    assertEquals(heard, [...new Set(heard)].sort((a, b) => a - b));
  }
  const both = numbers(client).filter((number) => number >= first);
  const shared = numbers(other).slice(0, both.length);
  assertEquals(shared, both.slice(0, shared.length));
  await client.call("engine.unsubscribe", { topics: ["meters"] });
  await other.call("engine.unsubscribe", { topics: ["meters"] });
  const taken = test.engine.metersTaken;
  await new Promise((resolve) => setTimeout(resolve, 100));
  assertEquals(test.engine.metersTaken, taken);
});

Deno.test("peaks come as binary frames before the reply, and follow what becomes known", async () => {
  await using test = await startServer();
  await using client = await TestClient.connect(test.url);
  const preview = (previewId: number, assetId: string) => ({
    previewId,
    assetId,
    start: 0,
    end: 800,
    width: 8,
    channels: "mix",
  });
  const { result } = await client.call("asset.previewPeaks", {
    previews: [preview(7, "whole"), preview(8, "partial")],
    follow: true,
  });
  assertEquals(result.previews, [
    { previewId: 7, complete: true },
    { previewId: 8, complete: false },
  ]);
  assertEquals(client.heard.map((one) => one instanceof ArrayBuffer), [true, true, false]);
  const view = new DataView(client.heard[0] as ArrayBuffer);
  assertEquals(view.byteLength, 32 + 3 * 8 * 4);
  assertEquals([view.getUint8(0), view.getUint8(1), view.getUint16(2, true)], [2, 1, 1]);
  assertEquals([view.getUint32(4, true), view.getFloat64(16, true)], [7, 800]);
  assertEquals([view.getUint32(24, true), view.getUint32(28, true)], [8, 1]);
  assertEquals([view.getFloat32(32, true), view.getFloat32(64, true)], [-0.5, 0.25]);
  assertEquals(test.engine.followerCount, 1);
  test.engine.analyse(4);
  await client.untilTrue(() => client.heard.length === 4);
  const partial = new DataView(client.heard[3] as ArrayBuffer);
  assertEquals([partial.getUint32(28, true), partial.getFloat32(32 + 12, true)], [0, -0.5]);
  assert(Number.isNaN(partial.getFloat32(32 + 16, true)));
  test.engine.analyse(8);
  await client.untilTrue(() => client.heard.length === 5);
  assertEquals(new DataView(client.heard[4] as ArrayBuffer).getUint32(28, true), 1);
  assertEquals(test.engine.followerCount, 0);
});

Deno.test("a followed preview ends with stopPreview, with its connection, and when it is asked for anew", async () => {
  await using test = await startServer();
  const client = await TestClient.connect(test.url);
  const params = (previewId: number) => ({
    previews: [{ previewId, assetId: "partial", start: 0, end: 1, width: 8 }],
    follow: true,
  });
  await client.call("asset.previewPeaks", params(1));
  await client.call("asset.previewPeaks", params(1));
  await client.call("asset.previewPeaks", params(2));
  assertEquals(test.engine.followerCount, 2);
  await client.call("asset.stopPreview", { previewIds: [1, 99] });
  assertEquals(test.engine.followerCount, 1);
  const { error } = await client.call("asset.previewPeaks", {
    previews: [{ previewId: 3, assetId: "nowhere", start: 0, end: 1, width: 8 }],
    follow: true,
  });
  assertEquals(error?.data?.code, "asset.notFound");
  assertEquals(test.engine.followerCount, 1);
  await client.close();
  await until(() => test.engine.followerCount === 0, "nobody follows");
});

Deno.test("a connection's streams and windows end with it, but for those that it has ended", async () => {
  await using test = await startServer();
  const client = await TestClient.connect(test.url);
  const start = async () =>
    (await client.call("stream.start", { assetId: "a" })).result.handleId as string;
  const [stopped, left] = [await start(), await start()];
  await client.call("stream.stop", { handleId: stopped });
  const range = { assetId: "a", startSample: 0, endSample: 9, cohort: "realtime" };
  const { windowId } = (await client.call("clipWindow.request", range)).result;
  await client.call("view.hint", { cursorFrame: 7 });
  await client.close();
  await until(() => test.engine.applied.includes(`end ${left} connection`), "it is ended");
  assertEquals(test.engine.applied.includes(`release ${windowId}`), true);
  assertEquals(test.engine.hints, [{ cursorFrame: 7 }, {}], "and so does what it said of its user");
  assertEquals(test.engine.applied.filter((act) => act.startsWith("end ")), [
    `end ${stopped} stopped`,
    `end ${left} connection`,
  ]);
});

Deno.test("many paths are answered one by one", async () => {
  await using test = await startServer();
  await using client = await TestClient.connect(test.url);
  test.engine.beforeRegister = (path) =>
    path === "/bad" ? Promise.reject(new TypeError("inside")) : Promise.resolve();
  const original = console.error;
  console.error = () => {};
  try {
    const { result } = await client.call("asset.register", { paths: ["/a", "/bad", "/b"] });
    assertEquals(
      result.results.map((one: { asset?: { assetId: string }; error?: { message: string } }) =>
        one.asset?.assetId ?? one.error?.message
      ),
      ["/a", "Internal error", "/b"],
    );
  } finally {
    console.error = original;
  }
});

Deno.test("an engine that stops closes with 1001 and listens no more", async () => {
  const test = await startServer();
  const client = await TestClient.connect(test.url);
  await client.call("engine.subscribe", { topics: ["meters", "timeline"] });
  await test.server.close();
  assertEquals((await client.closed).code, 1001);
  assertEquals(test.engine.listenerCount, 0);
});

Deno.test("connections over the limit are refused with the limit's name, and places come back", async () => {
  await using test = await startServer();
  const clients = [];
  for (let i = 0; i < SERVER_LIMITS.connections; i++) {
    clients.push(await TestClient.connect(test.url));
  }
  const refused = await TestClient.connect(test.url);
  assertEquals(refused.protocol, "");
  await refused.closed;
  for (const client of clients) await client.close();
  await until(async () => {
    await using again = await TestClient.connect(test.url);
    return again.protocol !== "" && (await again.call("engine.clock", {})).error === undefined;
  }, "there is a place again");
});
