/** The queue to one client: order, coalescing, the limit, and what it holds. */
import { assert, assertEquals, assertLess } from "@std/assert";
import { toParcel } from "../server/notices.ts";
import { Outbox, type Parcel } from "../server/outbox.ts";

class GatedSink {
  readonly sent: (string | Uint8Array)[] = [];
  waitingBytes = 0;
  send(data: string | Uint8Array) {
    this.sent.push(data);
  }
}

function make(maxBytes = 1_000) {
  const sink = new GatedSink();
  return { sink, outbox: new Outbox(sink, maxBytes) };
}

const position = (frame: number): Parcel =>
  toParcel({ topic: "transport", method: "transport.position", params: { frame } });

Deno.test("all that is pushed leaves in order while there is room", () => {
  const { sink, outbox } = make();
  for (const data of ["a", "b", "c"]) assert(outbox.push({ data }));
  assertEquals(sink.sent, ["a", "b", "c"]);
  assertEquals(outbox.waitingBytes, 0);
});

Deno.test("of what waits under one key the newest is kept, in its own place", () => {
  const { sink, outbox } = make();
  sink.waitingBytes = 1e9;
  outbox.push({ data: "m1", key: "meters" });
  outbox.push({ data: "edit" });
  outbox.push({ data: "m2", key: "meters" });
  outbox.push({ data: "p1", key: "position" });
  outbox.push({ data: "reply" });
  sink.waitingBytes = 0;
  outbox.flush();
  assertEquals(sink.sent, ["edit", "m2", "p1", "reply"]);
  outbox.push({ data: "m3", key: "meters" });
  assertEquals(sink.sent.at(-1), "m3");
});

Deno.test("imports that are told in several notices are merged, asset by asset", () => {
  const { sink, outbox } = make();
  sink.waitingBytes = 1e9;
  const tell = (imports: unknown[]) =>
    outbox.push(toParcel({ topic: "assets", method: "asset.importProgress", params: { imports } }));
  tell([{ assetId: "a", analysed: [[0, 1]] }, { assetId: "b", analysed: [[0, 2]] }]);
  tell([{ assetId: "a", analysed: [[0, 9]] }]);
  tell([{ assetId: "c", analysed: [] }]);
  sink.waitingBytes = 0;
  outbox.flush();
  assertEquals(sink.sent.map((text) => JSON.parse(text as string).params.imports), [[
    { assetId: "a", analysed: [[0, 9]] },
    { assetId: "b", analysed: [[0, 2]] },
    { assetId: "c", analysed: [] },
  ]]);
});

Deno.test("progress of different jobs does not displace each other, their end is never displaced", () => {
  const { sink, outbox } = make();
  sink.waitingBytes = 1e9;
  const tell = (method: string, jobId: string, progress: number) =>
    outbox.push(toParcel({ topic: "jobs", method, params: { job: { jobId, progress } } }));
  tell("job.progress", "1", 0.1);
  tell("job.progress", "2", 0.2);
  tell("job.progress", "1", 0.3);
  tell("job.finished", "1", 1);
  tell("job.finished", "2", 1);
  sink.waitingBytes = 0;
  outbox.flush();
  const told = sink.sent.map((text) => {
    const { method, params } = JSON.parse(text as string);
    return [method, params.job.jobId, params.job.progress];
  });
  assertEquals(told, [
    ["job.progress", "2", 0.2],
    ["job.progress", "1", 0.3],
    ["job.finished", "1", 1],
    ["job.finished", "2", 1],
  ]);
});

Deno.test("what may not be lost waits up to the limit, and one message of any size beside it", () => {
  const { sink, outbox } = make(1_000);
  sink.waitingBytes = 1e9;
  assert(outbox.push({ data: "x".repeat(900) }));
  assert(outbox.push({ data: "g".repeat(5_000) }));
  assert(outbox.push({ data: "y".repeat(100) }));
  assert(!outbox.push({ data: "z" }));
  assert(!outbox.push({ data: "g".repeat(5_000) }));
  sink.waitingBytes = 0;
  outbox.flush();
  assertEquals([sink.sent.length, outbox.waitingBytes], [3, 0]);
  const second = make(1_000);
  second.sink.waitingBytes = 1e9;
  for (let i = 0; i < 10; i++) assert(second.outbox.push({ data: "x".repeat(100) }));
  assert(!second.outbox.push({ data: "y" }));
  // Meters do not count, and never are the reason.
  assert(second.outbox.push({ data: "m", key: "meters" }));
});

Deno.test("an hour of positions for a client that does not read takes the memory of one", () => {
  const { sink, outbox } = make();
  sink.waitingBytes = 1e9;
  outbox.push({ data: "kept" });
  const before = Deno.memoryUsage().heapUsed;
  for (let i = 0; i < 30 * 3_600; i++) outbox.push(position(i));
  assertLess(Deno.memoryUsage().heapUsed - before, 20e6);
  sink.waitingBytes = 0;
  outbox.flush();
  assertEquals(sink.sent.length, 2);
  assertEquals(JSON.parse(sink.sent[1] as string).params.frame, 30 * 3_600 - 1);
});

Deno.test("order survives any interleaving of pushes, room and coalescing", () => {
  let seed = 1;
  const random = (n: number) => (seed = (seed * 48_271) % 2_147_483_647) % n;
  const { sink, outbox } = make(1e9);
  for (let i = 0; i < 20_000; i++) {
    sink.waitingBytes = random(3) === 0 ? 0 : 1e9;
    if (random(2) === 0) outbox.push({ data: `k${i}`, key: `key ${random(3)}` });
    else outbox.push({ data: `e${i}` });
    if (random(50) === 0) outbox.flush();
  }
  sink.waitingBytes = 0;
  outbox.flush();
  const numbers = sink.sent.map((text) => Number((text as string).slice(1)));
  assertEquals(numbers, numbers.toSorted((a, b) => a - b));
  assertEquals(outbox.waitingBytes, 0);
});

Deno.test("of two messages that are each greater than what may wait, the later one may be written first: both leave, in order", () => {
  const { sink, outbox } = make(100);
  const [told, reply] = [outbox.reserve(), outbox.reserve()];
  assert(reply("r".repeat(300)));
  assertEquals(sink.sent, []);
  sink.send = (data) => {
    sink.sent.push(data);
    sink.waitingBytes = 1e9; // It is under way.
  };
  assert(told("t".repeat(300)));
  assertEquals(sink.sent, ["t".repeat(300)]);
  assertEquals(outbox.waitingBytes, 300);
  // A third one is too much, as long as the second waits.
  assertEquals(outbox.reserve()("u".repeat(300)), false);
  sink.waitingBytes = 0;
  outbox.flush();
  assertEquals(sink.sent[1], "r".repeat(300));
});
