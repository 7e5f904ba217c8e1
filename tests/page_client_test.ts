import { assert, assertEquals, assertRejects } from "@std/assert";
import { PulseClient } from "../server/web/client/client.js";
import { ClockSync } from "../server/web/client/clock.js";
import { Disconnected, RpcError } from "../server/web/client/errors.js";
import { startServer } from "./support/server_client.ts";

type State = { state: string; reason?: string };

function connectTo(url: string, token: string | null = null) {
  const client = new PulseClient({
    url: new URL("/pulse", url.replace(/^http/, "ws")).href,
    topics: ["timeline", "transport"],
    token,
  });
  const states: State[] = [];
  client.on("connection", (state) => states.push(state));
  /** Waits for a state of the connection that comes from now on. */
  const until = (wanted: string) =>
    new Promise<State>((resolve) => {
      const off = client.on("connection", (state) => {
        if (state.state !== wanted) return;
        off();
        resolve(state);
      });
    });
  const closed = async () => {
    const over = until("closed");
    client.close();
    await over;
  };
  return { client, states, until, closed };
}

Deno.test("PulseClient greets, subscribes, asks, hears, and tells its own errors from the engine's", async () => {
  await using server = await startServer();
  const { client, until, closed } = connectTo(server.url);
  const synced = new Promise<{ fresh: boolean; topics: Record<string, unknown> }>((resolve) =>
    client.on("sync", resolve)
  );
  const open = until("open");
  client.connect();
  await open;
  const { fresh, topics } = await synced;
  assertEquals(fresh, true);
  assert(topics.timeline !== undefined);
  assertEquals((await client.request("timeline.get")).revision, 0);
  const error = await assertRejects(() => client.request("no.such"), RpcError);
  assertEquals(error.rpcCode, -32601);
  const heard = new Promise((resolve) => client.on("transport.state", resolve));
  server.engine.tell("transport", "transport.state", { state: "playing" });
  assertEquals(await heard, { state: "playing" });
  await closed();
  await assertRejects(() => client.request("timeline.get"), Disconnected);
});

Deno.test("PulseClient comes back by itself to an engine that was started anew, and says so", async () => {
  const first = await startServer();
  const { client, until, closed } = connectTo(first.url);
  const syncs: boolean[] = [];
  client.on("sync", ({ fresh }) => syncs.push(fresh));
  const opened = until("open");
  client.connect();
  await opened;
  const again = until("open");
  const waiting = until("waiting");
  await first[Symbol.asyncDispose]();
  await waiting;
  await using _second = await startServer({ port: Number(new URL(first.url).port) });
  await again;
  assertEquals(syncs, [true, true]);
  // A connection that broke while the engine went on is the same engine.
  const back = until("open");
  client.reconnect();
  await back;
  assertEquals(syncs, [true, true, false]);
  await closed();
});

Deno.test("PulseClient stops trying when the engine wants a token, and connects with the right one", async () => {
  await using server = await startServer({ token: "grün & geheim" });
  const { client, states, until, closed } = connectTo(server.url);
  const refused = until("refused");
  client.connect();
  assertEquals(await refused, { state: "refused", reason: "token" });
  const wrong = until("refused");
  client.token = "rot";
  client.connect();
  assertEquals((await wrong).reason, "token");
  const open = until("open");
  client.token = "grün & geheim";
  client.connect();
  await open;
  assertEquals(states.at(-1), { state: "open" });
  await closed();
});

Deno.test("ClockSync finds the engine's clock to within the round trip", async () => {
  await using server = await startServer();
  const { client, until, closed } = connectTo(server.url);
  // Our clock, half a minute off: the stand-in's is performance.now(). It is read before and after each round trip.
  const read: number[] = [];
  const now = () => {
    read.push(performance.now() - 30_000);
    return read.at(-1)!;
  };
  const reported = new Promise<number>((resolve) => {
    let count = 0;
    new ClockSync(client, now, (offsetMs) => {
      if (++count === 3) resolve(offsetMs);
    });
  });
  const open = until("open");
  client.connect();
  await open;
  const offsetMs = await reported;
  const roundTrips = [0, 2, 4].map((i) => read[i + 1] - read[i]);
  const error = Math.abs(offsetMs - 30_000);
  assert(error <= Math.max(...roundTrips) / 2, `${error} after round trips of ${roundTrips} ms`);
  await closed();
});
