/** Clients that do not read, that read late, that vanish: what they get, and what they cost. */
import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import {
  clientFrame,
  startServer,
  TestClient,
  type TestServer,
  upgradeHead,
  writeAll,
} from "./support/server_client.ts";
import { until } from "./support/wait.ts";

/** A client that reads only when it is told to. */
async function connectRaw(host: string): Promise<Deno.TcpConn> {
  const [hostname, port] = host.split(":");
  const line = await Deno.connect({ hostname, port: Number(port) });
  await writeAll(line, new TextEncoder().encode(upgradeHead(host)));
  const head = new Uint8Array(4_096);
  assert(new TextDecoder().decode(head.subarray(0, await line.read(head) ?? 0)).includes("101"));
  return line;
}

/** Subscribes, and reads up to the reply: from then on the engine tells this client. Gives what was read beyond it. */
async function subscribe(line: Deno.Conn, topics: string[]): Promise<Uint8Array<ArrayBuffer>> {
  await request(line, "engine.subscribe", { topics });
  let bytes = new Uint8Array();
  const piece = new Uint8Array(65_536);
  for (let at = 0;;) {
    const frame = frameAt(bytes, at, bytes.length);
    if (frame === null) {
      const length = await line.read(piece);
      assert(length !== null, "the line ended before the reply");
      bytes = new Uint8Array([...bytes, ...piece.subarray(0, length)]);
      continue;
    }
    at = frame.end;
    const text = new TextDecoder().decode(bytes.subarray(frame.start, frame.end));
    if (frame.opcode === 1 && JSON.parse(text).id === 1) return bytes.slice(at);
  }
}

async function request(line: Deno.Conn, method: string, params: unknown, id = 1): Promise<void> {
  const text = JSON.stringify({ jsonrpc: "2.0", id, method, params });
  await writeAll(line, clientFrame(1, new TextEncoder().encode(text)));
}

/**
 * Reads a server's frames to the end of the line: text messages, and the close code if one came.
 *
 * @param before What was read of them already.
 */
async function readAll(
  line: Deno.Conn,
  { before = new Uint8Array(), onText = (_text: string) => {} } = {},
): Promise<{ texts: string[]; code: number | null }> {
  const texts: string[] = [];
  let code: number | null = null;
  let bytes = new Uint8Array(1 << 20);
  bytes.set(before);
  let length = before.length;
  const piece = new Uint8Array(1 << 18);
  try {
    for (let n = await line.read(piece); n !== null; n = await line.read(piece)) {
      if (length + n > bytes.length) {
        const greater = new Uint8Array(2 * (length + n));
        greater.set(bytes.subarray(0, length));
        bytes = greater;
      }
      bytes.set(piece.subarray(0, n), length);
      length += n;
      let at = 0;
      for (let frame = frameAt(bytes, at, length); frame; frame = frameAt(bytes, at, length)) {
        const payload = bytes.subarray(frame.start, frame.end);
        at = frame.end;
        if (frame.opcode === 1) {
          texts.push(new TextDecoder().decode(payload));
          onText(texts.at(-1)!);
        }
        if (frame.opcode !== 8) continue;
        code = payload[0] << 8 | payload[1];
        await writeAll(line, clientFrame(8, payload.slice(0, 2)));
      }
      bytes.copyWithin(0, at, length);
      length -= at;
    }
  } catch {
    // Reset: what came is what there is.
  }
  return { texts, code };
}

/** The frame that begins at `at`, if it is whole. Servers do not mask. */
function frameAt(bytes: Uint8Array<ArrayBuffer>, at: number, length: number) {
  if (at + 10 > length && (at + 2 > length || bytes[at + 1] > 125)) return null;
  const view = new DataView(bytes.buffer, at);
  const short = bytes[at + 1];
  const [size, head] = short < 126
    ? [short, 2]
    : short === 126
    ? [view.getUint16(2), 4]
    : [Number(view.getBigUint64(2)), 10];
  const start = at + head;
  return start + size > length ? null : { opcode: bytes[at] & 15, start, end: start + size };
}

function counters(test: TestServer): Promise<Record<string, number>> {
  return fetch(`${test.url}/metrics`).then((answer) => answer.text()).then((text) =>
    Object.fromEntries(
      [...text.matchAll(/^(loophole_\w+) (\S+)$/gm)].map((
        [, name, value],
      ) => [name, Number(value)]),
    )
  );
}

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

Deno.test("a client that never reads is closed with 4008 at 16 MiB, and costs no more", async () => {
  await using test = await startServer();
  using line = await connectRaw(test.host);
  const before = await subscribe(line, ["timeline", "transport", "meters"]);
  const rss = Deno.memoryUsage().rss;
  const label = "x".repeat(100_000);
  let told = 0;
  for (; told < 2_000; told++) {
    test.engine.tell("timeline", "timeline.changed", { told, label });
    test.engine.tell("transport", "transport.position", { told });
    if (told % 20 !== 0) continue;
    await wait(0);
    if ((await counters(test)).loophole_connections_closed_too_slow_total === 1) break;
    if ((await counters(test)).loophole_connections_waiting_bytes === 0 && told > 400) break;
  }
  // 16 MiB here, and some on the line.
  assertLess(told, 400);
  assertGreater(told, 150);
  assertLess(Deno.memoryUsage().rss - rss, 150e6);
  const { texts, code } = await readAll(line, { before });
  assertEquals(code, 4008);
  // What arrived is the beginning, without a hole.
  const numbers = texts.map((text) => JSON.parse(text))
    .filter(({ method }) => method === "timeline.changed").map(({ params }) => params.told);
  assertEquals(numbers, numbers.map((_, i) => i));
});

Deno.test("positions and meters alone never close a slow client; it gets the newest", async () => {
  await using test = await startServer();
  using line = await connectRaw(test.host);
  const before = await subscribe(line, ["transport"]);
  const padding = "p".repeat(10_000);
  for (let i = 0; i < 5_000; i++) {
    test.engine.tell("transport", "transport.position", { i, padding });
    if (i % 100 === 0) await wait(0);
  }
  test.engine.tell("transport", "transport.state", { i: "end" });
  const end = Promise.withResolvers<void>();
  const reading = readAll(line, {
    before,
    onText: (text) => text.includes('"end"') && end.resolve(),
  });
  await end.promise;
  await test.server.close();
  const { texts, code } = await reading;
  const heard = texts.map((text) => JSON.parse(text)).filter(({ method }) => method)
    .map(({ params }) => params.i);
  assertEquals(code, 1001);
  assertEquals(heard.slice(-2), [4_999, "end"]);
  assertLess(heard.length, 2_000);
});

Deno.test("a reply greater than the limit reaches a client that reads, with notices behind it", async () => {
  const meta = "m".repeat(40_000_000);
  await using test = await startServer({ checkResults: false }, { meta });
  await using client = await TestClient.connect(test.url);
  await client.call("engine.subscribe", { topics: ["transport"] });
  const ids = [client.send("timeline.get"), client.send("timeline.get")];
  const timer = setInterval(() => test.engine.tell("transport", "transport.state", {}), 1);
  try {
    for (const id of ids) {
      const { result } = await client.until((message) => message.id === id);
      assertEquals(result.timeline.meta.length, meta.length);
    }
  } finally {
    clearInterval(timer);
  }
});

Deno.test("a client that never reads its own replies is bounded too", async () => {
  await using test = await startServer({ checkResults: false }, { meta: "m".repeat(1_000_000) });
  using line = await connectRaw(test.host);
  const before = Deno.memoryUsage().rss;
  try {
    for (let i = 0; i < 200; i++) await request(line, "timeline.get", {}, i);
  } catch {
    // Closed while we asked on.
  }
  await until(
    async () => (await counters(test)).loophole_connections_closed_too_slow_total === 1,
    "it is closed",
  );
  assertLess(Deno.memoryUsage().rss - before, 300e6);
  assertEquals((await counters(test)).loophole_connections_closed_too_slow_total, 1);
  const { texts, code } = await readAll(line);
  assertEquals(code, 4008);
  assertLess(texts.length, 40);
});

Deno.test("a slow client does not hold up the others", async () => {
  await using test = await startServer();
  using slow = await connectRaw(test.host);
  await subscribe(slow, ["timeline"]);
  await using client = await TestClient.connect(test.url);
  await client.call("engine.subscribe", { topics: ["timeline"] });
  const label = "x".repeat(50_000);
  for (let i = 0; i < 300; i++) {
    test.engine.tell("timeline", "timeline.changed", { i, label });
    if (i % 10 === 0) await wait(0);
  }
  await client.until(({ params }) => params?.i === 299);
  assertLess((await client.call("engine.clock")).result.timeMs, Infinity);
  slow.close();
});

Deno.test("a batch of great replies stops at its limit before it runs what is left", async () => {
  await using test = await startServer({ checkResults: false }, { meta: "m".repeat(2_000_000) });
  await using client = await TestClient.connect(test.url);
  const members = Array.from(
    { length: 1_000 },
    (_, id) => ({ jsonrpc: "2.0", id, method: "timeline.get", params: {} }),
  );
  client.sendRaw(JSON.stringify(members));
  await client.untilTrue(() => client.messages().length === 1_000);
  const answered = client.messages().filter(({ result }) => result !== undefined).length;
  assert(answered >= 8 && answered <= 10, `${answered} were answered`);
  assertEquals(client.messages().at(-1)?.error?.data?.details.limit, "batchReplyBytes");
});

Deno.test("a client that vanishes leaves nothing behind", async () => {
  await using test = await startServer();
  const line = await connectRaw(test.host);
  await subscribe(line, ["meters"]);
  assertEquals((await counters(test)).loophole_connections, 1);
  line.close();
  await until(
    async () => (await counters(test)).loophole_connections === 0,
    "the connection is gone",
  );
  const taken = test.engine.metersTaken;
  await wait(100);
  assertEquals(test.engine.metersTaken, taken);
});

Deno.test("broken frames end a connection with 1002 and no other harm", async () => {
  await using test = await startServer();
  using line = await connectRaw(test.host);
  await writeAll(line, new Uint8Array([0x81, 1, 97]));
  assertEquals((await readAll(line)).code, 1002);
  using text = await connectRaw(test.host);
  await writeAll(text, clientFrame(1, new Uint8Array([0xff])));
  assertEquals((await readAll(text)).code, 1007);
  assertEquals((await fetch(`${test.url}/health`).then((answer) => answer.json())).status, "ok");
});

Deno.test("endless fragments are stopped at the message's limit", async () => {
  await using test = await startServer();
  using line = await connectRaw(test.host);
  const reading = readAll(line);
  const before = Deno.memoryUsage().rss;
  const piece = clientFrame(0, new Uint8Array(1 << 20), false);
  await writeAll(line, clientFrame(1, new Uint8Array(1), false));
  try {
    for (let i = 0; i < 200; i++) await writeAll(line, piece);
  } catch {
    // The server has had enough.
  }
  assertLess(Deno.memoryUsage().rss - before, 300e6);
  assertEquals((await reading).code, 1009);
});

Deno.test("a client that answers pings stays, one that says nothing for six of them is given up", async () => {
  await using test = await startServer({ pingEveryMs: 50 });
  await using client = await TestClient.connect(test.url);
  using silent = await connectRaw(test.host);
  const reading = readAll(silent);
  const { texts, code } = await reading;
  assertEquals([texts, code], [[], null]);
  assertEquals((await counters(test)).loophole_connections, 1);
  assertEquals((await client.call("engine.clock")).error, undefined);
});

Deno.test("a head that never ends is cut, lines beyond the limit too, and the server answers on", async () => {
  await using test = await startServer({ idleMs: 400 });
  const [hostname, port] = test.host.split(":");
  const dial = () => Deno.connect({ hostname, port: Number(port) });
  using slow = await dial();
  await writeAll(slow, new TextEncoder().encode("GET / HTTP/1.1\r\nHo"));
  await using client = await TestClient.connect(test.url);
  const ended = (line: Deno.Conn) => line.read(new Uint8Array(10)).then((n) => n, () => null);
  assertEquals(await ended(slow), null);
  // A WebSocket may be quiet.
  assertEquals((await client.call("engine.clock")).error, undefined);
  const lines = await Promise.all(Array.from({ length: 600 }, dial));
  assertEquals(await ended(lines[599]), null);
  for (const line of lines) line.close();
  await until(
    () =>
      fetch(`${test.url}/health`).then((answer) => answer.text(), () => "").then((text) =>
        text.includes('"ok"')
      ),
    "the server answers on",
  );
});
