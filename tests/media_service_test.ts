import { assert, assertEquals } from "@std/assert";
import { setImmediate } from "node:timers";
import type { AnalysisReply, AnalysisRequest } from "../engine/media/analysis_protocol.ts";
import { AnalysisService } from "../engine/media/analysis_service.ts";
import type { PeakColumns } from "../engine/media/peak_query.ts";
import type { ScanLibrary } from "../engine/media/scan.ts";
import { longWav, openScans, TemporaryFolder } from "./support/media.ts";

const FRAMES = 4_000_000;

/** The worker's inside on this thread: steps are taken only while the test awaits. */
class Bench {
  readonly replies: AnalysisReply[] = [];
  readonly service: AnalysisService;
  #id = 0;

  constructor(library: ScanLibrary, cacheDir: string) {
    this.service = new AnalysisService({
      library,
      cacheDir,
      memoryBytes: 2 ** 27,
      post: (reply) => this.replies.push(reply),
      stopped: () => {},
    });
  }

  /** Sends a request; the id of its reply. */
  send(call: string, params: unknown): number {
    this.service.handle({ id: ++this.#id, call, params } as AnalysisRequest);
    return this.#id;
  }

  answerOf(id: number): unknown {
    const reply = this.replies.find((reply) => "id" in reply && reply.id === id);
    return reply !== undefined && "answer" in reply ? reply.answer : undefined;
  }

  /** Lets one step be taken. */
  step(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve));
  }

  get analysed() {
    return this.replies.flatMap((reply) => "analysed" in reply ? [reply.analysed] : []);
  }
}

Deno.test("during an import the finished part is served and grows; progress comes at once and at the end", async () => {
  await using library = await openScans();
  await using folder = await TemporaryFolder.make();
  const bench = new Bench(library, `${folder.path}/cache`);
  bench.send("open", { mediaId: "a", path: await folder.write("a.wav", longWav(FRAMES)) });
  const job = bench.send("analyse", { mediaId: "a", priority: 0 });
  const counts: number[] = [];
  while (bench.answerOf(job) === undefined) {
    const query = { start: 0, end: FRAMES, width: 200 };
    const answer = bench.answerOf(
      bench.send("peaks", { mediaId: "a", query, deadlineMs: 50 }),
    ) as PeakColumns;
    const known = answer.max[0].filter((x) => !Number.isNaN(x)).length;
    counts.push(known);
    assertEquals(answer.complete, known === 200);
    assert(answer.max[0].subarray(0, known).every((x) => !Number.isNaN(x)), "known from the left");
    await bench.step();
  }
  assertEquals(counts[0], 0);
  assert(counts.filter((n) => n > 0 && n < 200).length >= 3, `partial answers: ${counts}`);
  assertEquals(counts, counts.toSorted((a, b) => a - b));
  await bench.step();
  assertEquals(bench.analysed[0], { mediaId: "a", analysedFrames: 16_384, complete: false });
  assertEquals(bench.analysed.at(-1), { mediaId: "a", analysedFrames: FRAMES, complete: true });
  bench.send("stop", {});
  await bench.step();
});

Deno.test("imports take turns; a higher priority goes first, waveforms before all, hashes last", async () => {
  await using library = await openScans();
  await using folder = await TemporaryFolder.make();
  const bench = new Bench(library, `${folder.path}/cache`);
  const jobs = new Map<number, string>();
  for (const id of ["hash", "a", "b", "c", "urgent", "waveform"]) {
    bench.send("open", { mediaId: id, path: await folder.write(`${id}.wav`, longWav(FRAMES)) });
  }
  jobs.set(bench.send("hash", { mediaId: "hash" }), "hash");
  for (const [mediaId, priority] of [["a", 0], ["b", 0], ["c", 0], ["urgent", 5]] as const) {
    jobs.set(bench.send("analyse", { mediaId, priority }), mediaId);
  }
  const request = { samplesPerPixel: 100, split: true };
  jobs.set(
    bench.send("waveform", { mediaId: "waveform", request, bits: 8, form: "dat" }),
    "waveform",
  );
  /** Jobs that ended, in order, and how many of them had when each file was first told of. */
  let ended: string[] = [];
  const begun = new Map<string, number>();
  while (ended.length < jobs.size) {
    await bench.step();
    ended = bench.replies.flatMap((reply) =>
      "id" in reply && "answer" in reply && jobs.has(reply.id) ? [jobs.get(reply.id)!] : []
    );
    for (const { mediaId } of bench.analysed) {
      if (!begun.has(mediaId)) begun.set(mediaId, ended.length);
    }
  }
  assertEquals(ended.slice(0, 2), ["waveform", "urgent"]);
  assertEquals(ended.at(-1), "hash");
  assertEquals([begun.get("a"), begun.get("b"), begun.get("c")], [2, 2, 2]); // before any of them ended
  bench.send("stop", {});
  await bench.step();
});

Deno.test("of a thousand imports only a few are under way at once", async () => {
  await using library = await openScans();
  await using folder = await TemporaryFolder.make();
  const bench = new Bench(library, `${folder.path}/cache`);
  const path = await folder.write("a.wav", longWav(200_000));
  for (let i = 0; i < 1000; i++) {
    bench.send("open", { mediaId: `${i}`, path });
    bench.send("analyse", { mediaId: `${i}`, priority: 0 });
  }
  for (let i = 0; i < 12; i++) await bench.step();
  const begun = new Set(bench.analysed.map(({ mediaId }) => mediaId));
  assert(begun.size <= 6, `${begun.size}`);
  bench.send("stop", {});
  await bench.step();
});

Deno.test("a file that changes while it is read gives no peaks, and leaves none in the cache", async () => {
  await using library = await openScans();
  await using folder = await TemporaryFolder.make();
  const bench = new Bench(library, `${folder.path}/cache`);
  const path = await folder.write("a.wav", longWav(FRAMES));
  bench.send("open", { mediaId: "a", path });
  const job = bench.send("analyse", { mediaId: "a", priority: 0 });
  await bench.step();
  Deno.utimeSync(path, 5, 5);
  const errorOf = (id: number) =>
    bench.replies.flatMap((r) => "id" in r && r.id === id && "error" in r ? [r.error] : [])[0];
  for (let i = 0; i < 1000 && errorOf(job) === undefined; i++) await bench.step();
  const error = errorOf(job);
  assert(error.kind === "engine");
  assertEquals(error.details.reason, "changed");
  assertEquals(bench.analysed.at(-1), { mediaId: "a", analysedFrames: 0, complete: false });
  assertEquals([...Deno.readDirSync(folder.path)].map((entry) => entry.name), ["a.wav"]);
  bench.send("stop", {});
  await bench.step();
});
