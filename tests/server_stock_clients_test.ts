/** A JSON-RPC client of another hand, unmodified, over the real engine. */
import { assert, assertEquals } from "@std/assert";
// deno-lint-ignore no-import-prefix
import { JSONRPCClient, JSONRPCServer, JSONRPCServerAndClient } from "npm:json-rpc-2.0@1.8.1";
import { serveEngine } from "./support/served_engine.ts";

// deno-lint-ignore no-explicit-any
type Json = any;

/** npm's json-rpc-2.0 over a WebSocket, as its README has it. */
async function stockClient(url: string) {
  const socket = new WebSocket(`${url.replace("http", "ws")}/pulse`, "loophole.v1");
  const texts: string[] = [];
  const client = new JSONRPCServerAndClient(
    new JSONRPCServer(),
    new JSONRPCClient((request) => {
      socket.send(JSON.stringify(request));
      return Promise.resolve();
    }),
  );
  socket.onmessage = ({ data }) => {
    texts.push(data);
    client.receiveAndSend(JSON.parse(data));
  };
  const closed = new Promise<number>((resolve) => {
    socket.onclose = ({ code, reason }) => {
      client.rejectAllPendingRequests(`Connection is closed (${reason}).`);
      resolve(code);
    };
  });
  await new Promise((resolve) => socket.onopen = resolve);
  return {
    client,
    texts,
    closed,
    async [Symbol.asyncDispose]() {
      socket.close();
      await closed;
    },
  };
}

/** What a request is refused with. */
async function refusal(request: PromiseLike<Json>): Promise<[number, string, Json]> {
  try {
    await request;
  } catch (error) {
    const { code, message, data } = error as { code: number; message: string; data: Json };
    return [code, message, data];
  }
  throw new Error("It was not refused");
}

Deno.test("npm's json-rpc-2.0 works unmodified: requests, notifications both ways, batches, errors", async () => {
  await using test = await serveEngine();
  await using stock = await stockClient(test.url);
  const { client, texts } = stock;
  const hello = await client.request("engine.hello", { protocol: 1, client: "stock" });
  assertEquals([hello.protocol, hello.project.revision], [1, 1]);

  const told: string[] = [];
  const heard = new Promise<Json>((resolve) => client.addMethod("timeline.changed", resolve));
  client.addMethod("transport.state", ({ reason }: Json) => {
    if (reason !== "device") told.push(reason); // A busy machine may raise the device's period.
  });
  await client.request("engine.subscribe", { topics: ["timeline", "transport"] });
  const edits = [{ op: "clip.split", clipId: "c0", atFrame: 24_000, newClipId: "c0b" }];
  // Several at once; each answer finds its own request.
  const [edited, timeline, clock, assets] = await Promise.all([
    client.request("timeline.edit", { edits }),
    client.request("timeline.get", {}),
    client.request("engine.clock", undefined),
    client.request("asset.list", { limit: 1 }),
  ]);
  assertEquals([edited.revision, timeline.revision, assets.total], [2, 2, 2]);
  assertEquals(timeline.timeline.tracks[0].clips.length, 3);
  assert(clock.timeMs > 0);
  assertEquals((await heard).changes, edited.changes);

  // A notification takes effect in its place, and is answered by nothing.
  const before = texts.length;
  client.notify("transport.seek", { positionFrame: 12_345 });
  client.notify("no.such", {});
  client.notify("transport.seek", { positionFrame: -1 });
  assertEquals((await client.request("transport.get", {})).positionFrame, 12_345);
  assertEquals(
    texts.slice(before).map((text) => JSON.parse(text)).filter(({ id }) => id === null),
    [],
  );
  assertEquals(told, ["seek"]);

  const batch = await client.requestAdvanced([
    { jsonrpc: "2.0", id: "one", method: "transport.seek", params: { positionFrame: 100 } },
    { jsonrpc: "2.0", id: 2, method: "transport.get" },
    { jsonrpc: "2.0", id: "three", method: "no.such" },
    { jsonrpc: "2.0", id: 4.5, method: "job.get", params: { jobId: "none" } },
  ]);
  assertEquals(
    batch.map(({ id, result, error }) => [id, result?.positionFrame ?? error?.code]),
    [["one", 100], [2, 100], ["three", -32601], [4.5, -32000]],
  );

  assertEquals((await refusal(client.request("no.such", {})))[0], -32601);
  const [code, message, data] = await refusal(
    client.request("timeline.edit", {
      edits: [{ op: "clip.remove", clipId: "c0" }, {
        op: "clip.split",
        clipId: "c0",
        atFrame: "x",
      }],
    }),
  );
  assertEquals([code, data.details.path], [-32602, ["edits", 1, "atFrame"]]);
  assert(message.includes("edits.1.atFrame") && data.details.reason.includes('"x"'), message);
  const byPosition = await refusal(client.request("transport.seek", [1]));
  assertEquals(byPosition[0], -32602);
  const conflict = await refusal(
    client.request("timeline.edit", { edits, baseRevision: 1 }),
  );
  assertEquals([conflict[0], conflict[2].code, conflict[2].details.revision], [
    -32000,
    "timeline.conflict",
    2,
  ]);
  assertEquals((await client.request("timeline.get", {})).revision, 2);
  assertEquals(test.server.faults, []);
});

Deno.test("npm's json-rpc-2.0 is told why it is refused and let go when it speaks another protocol", async () => {
  await using test = await serveEngine();
  await using stock = await stockClient(test.url);
  const [code, , data] = await refusal(stock.client.request("engine.hello", { protocol: 2 }));
  assertEquals([code, data.code, data.details.supported], [-32000, "protocol.version", [1]]);
  assertEquals(await stock.closed, 4002);
});
