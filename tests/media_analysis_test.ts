import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { createHash } from "node:crypto";
import { EngineError } from "../engine/errors.ts";
import { Analysis } from "../engine/media/analysis.ts";
import { CancelledError } from "../engine/media/task_queue.ts";
import { ensureLibrary } from "../ffi/build.ts";
import { type AudioMaterial, makeWav, randomPlanes } from "./support/audio_files.ts";
import { longWav, sparseWav, TemporaryFolder } from "./support/media.ts";
import { naivePeaks } from "./support/naive_peaks.ts";

async function start(folder: TemporaryFolder, memoryBytes?: number): Promise<Analysis> {
  return await Analysis.start({
    libraryPath: await ensureLibrary(),
    cacheDir: `${folder.path}/cache`,
    memoryBytes,
  });
}

const LONG = 12_000_000;
/** Long enough that a message arrives while it is analysed. */
const HUGE = 100_000_000;
const stereo: AudioMaterial = { planes: randomPlanes(2, 2, 30_000, "s16"), encoding: "s16" };

Deno.test("an import gives the file's peaks, writes them to the cache, and finds them there again", async () => {
  await using folder = await TemporaryFolder.make();
  const path = await folder.write("a.wav", makeWav(stereo));
  const query = { start: 0, end: 30_000, width: 3, channels: "mix" } as const;
  let etag: string | null;
  {
    await using analysis = await start(folder);
    const info = await analysis.open("a", path);
    assertEquals([info.frames, info.encoding, info.cached, info.present], [
      30_000,
      "s16",
      false,
      true,
    ]);
    assertEquals((await analysis.peaks("a", query)).complete, false);
    const result = await analysis.analyse("a");
    assertEquals([result.frames, result.invalidSamples, result.cached], [30_000, 0, false]);
    assert(Deno.statSync(result.peakFile!).size > 1000);
    const answer = await analysis.peaks("a", query);
    etag = answer.etag;
    assert(answer.complete && etag !== null);
    const edges = [0, 39 * 256, 78 * 256, 30_000];
    for (let i = 0; i < 3; i++) {
      const naive = naivePeaks(stereo, edges[i], edges[i + 1]).planes[2];
      assertEquals([answer.min[0][i], answer.max[0][i]], [naive.min, naive.max]);
    }
  }
  await using analysis = await start(folder);
  const info = await analysis.open("b", path);
  assertEquals(info.cached, true);
  assertEquals((await analysis.peaks("b", query)).etag, etag);
  assertEquals((await analysis.analyse("b")).cached, true);
  // A touched file is another one.
  await Deno.utime(path, 1, 1);
  assertEquals((await analysis.open("b", path)).cached, false);
});

Deno.test("an import is cancelled by its signal, by closing, and by the end of all", async () => {
  await using folder = await TemporaryFolder.make();
  const path = await sparseWav(folder, "long.wav", HUGE);
  const analysis = await start(folder);
  await analysis.open("a", path);
  const controller = new AbortController();
  const cancelled = analysis.analyse("a", {
    signal: controller.signal,
    onProgress: () => controller.abort(new Error("enough")),
  });
  await assertRejects(() => cancelled, Error, "enough");
  assertEquals([...Deno.readDirSync(folder.path)].map((entry) => entry.name), ["long.wav"]);
  // Who shares the work goes on when another gives up.
  const other = new AbortController();
  const shared = analysis.analyse("a", { signal: other.signal });
  const kept = analysis.analyse("a");
  other.abort(new Error("not me"));
  await assertRejects(() => shared, Error, "not me");
  assertEquals((await kept).cached, false);

  const second = await sparseWav(folder, "other.wav", HUGE);
  await analysis.open("b", second);
  const closed = analysis.analyse("b");
  await analysis.close("b");
  await assertRejects(() => closed, CancelledError);
  await assertRejects(() => analysis.analyse("b"), EngineError, "not open");

  await analysis.open("b", second);
  const ended = analysis.analyse("b");
  ended.catch(() => {});
  await analysis[Symbol.asyncDispose]();
  await assertRejects(() => ended);
  await assertRejects(() => analysis.analyse("b"), Error, "closed");
});

Deno.test("a file that cannot be read is refused with its own code; the others go on", async () => {
  await using folder = await TemporaryFolder.make();
  await using analysis = await start(folder);
  const good = await folder.write("good.wav", makeWav(stereo));
  const bad = await folder.write("bad.wav", new TextEncoder().encode("not a sound"));
  await analysis.open("good", good);
  const job = analysis.analyse("good");
  const error = await assertRejects(() => analysis.open("bad", bad), EngineError);
  assertEquals([error.code, error.details.reason], ["asset.unsupported", "container"]);
  assertEquals(
    (await assertRejects(() => analysis.open("x", `${folder.path}/x`), EngineError)).code,
    "asset.notFound",
  );
  await assertRejects(() => analysis.peaks("bad", { start: 0, end: 1, width: 1 }), EngineError);
  await assertRejects(() => analysis.peaks("good", { start: 0, end: 0, width: 1 }), RangeError);
  await job;
});

Deno.test("a file that changed since it was opened is refused until it is opened anew", async () => {
  await using folder = await TemporaryFolder.make();
  const path = await folder.write("a.wav", makeWav(stereo));
  await using analysis = await start(folder);
  await analysis.open("a", path);
  await Deno.utime(path, 5, 5);
  const error = await assertRejects(() => analysis.analyse("a"), EngineError);
  assertEquals([error.code, error.details.reason], ["asset.unreadable", "changed"]);
  await assertRejects(() => analysis.hash("a"), EngineError, "changed");
  await analysis.open("a", path);
  assertEquals((await analysis.analyse("a")).cached, false);
});

Deno.test("damage to the cache is noticed when it is read, and mended", async () => {
  await using folder = await TemporaryFolder.make();
  const path = await folder.write("a.wav", makeWav(stereo));
  const query = { start: 0, end: 30_000, width: 3 } as const;
  let peakFile: string;
  {
    await using analysis = await start(folder);
    await analysis.open("a", path);
    peakFile = (await analysis.analyse("a")).peakFile!;
  }
  const bytes = Deno.readFileSync(peakFile);
  bytes[bytes.length - 100] ^= 1; // behind the header, which stays good
  Deno.writeFileSync(peakFile, bytes);
  await using analysis = await start(folder);
  assertEquals((await analysis.open("a", path)).cached, true);
  const mended = new Promise<void>((resolve) =>
    analysis.onAnalysed("a", ({ complete }) => complete && resolve())
  );
  assertEquals((await analysis.peaks("a", query)).complete, false);
  await mended;
  assertEquals((await analysis.peaks("a", query)).complete, true);
  assertEquals(Deno.readFileSync(peakFile).length, bytes.length);
});

Deno.test("a file that is away can still be seen, from its cached peaks", async () => {
  await using folder = await TemporaryFolder.make();
  const path = await folder.write("a.wav", makeWav(stereo));
  await using analysis = await start(folder);
  const known = await analysis.open("a", path);
  await analysis.analyse("a");
  await Deno.remove(path);
  const info = await analysis.open("a", path, known);
  assertEquals([info.present, info.cached, info.frames], [false, true, 30_000]);
  const wide = await analysis.peaks("a", { start: 0, end: 30_000, width: 3 });
  assertEquals(wide.complete, true);
  const narrow = await analysis.peaks("a", { start: 0, end: 1000, width: 100 });
  assertEquals(narrow.complete, false);
  assert(narrow.max[0].every((x) => !Number.isNaN(x)));
  await assertRejects(() => analysis.open("b", path), EngineError, "no such file");
});

Deno.test("a cache that cannot be written costs the file, not the peaks", async () => {
  await using folder = await TemporaryFolder.make();
  const path = await folder.write("a.wav", makeWav(stereo));
  await folder.write("cache", new Uint8Array(1)); // a file where the folder should be
  await using analysis = await start(folder, 0);
  await analysis.open("a", path);
  const result = await analysis.analyse("a");
  assertEquals(result.peakFile, null);
  assert(result.writeError !== undefined);
  assertEquals((await analysis.peaks("a", { start: 0, end: 30_000, width: 3 })).complete, true);
});

Deno.test("with no memory to spare peaks are read back from their files", async () => {
  await using folder = await TemporaryFolder.make();
  await using analysis = await start(folder, 0);
  for (const id of ["a", "b", "c"]) {
    await analysis.open(id, await folder.write(`${id}.wav`, makeWav(stereo)));
    await analysis.analyse(id);
  }
  for (const id of ["a", "b", "c", "a"]) {
    assertEquals((await analysis.peaks(id, { start: 0, end: 30_000, width: 3 })).complete, true);
  }
});

Deno.test("hash() is the SHA-256 of the file, with progress, and can be cancelled", async () => {
  await using folder = await TemporaryFolder.make();
  const bytes = longWav(LONG);
  const path = await folder.write("long.wav", bytes);
  await using analysis = await start(folder);
  await analysis.open("a", path);
  const seen: number[] = [];
  const hash = await analysis.hash("a", { onProgress: (n) => seen.push(n) });
  assertEquals(hash, createHash("sha256").update(bytes).digest("hex"));
  assert(seen.length > 0 && seen.every((n, i) => i === 0 || n > seen[i - 1]));
  const reason = await assertRejects(() => analysis.hash("a", { signal: AbortSignal.abort() }));
  assertInstanceOf(reason, DOMException);
});

Deno.test("waveform(), wavesurfer() and thumbnail() are served, before and after the analysis alike", async () => {
  await using folder = await TemporaryFolder.make();
  await using analysis = await start(folder);
  const { frames, sampleRate } = await analysis.open(
    "a",
    await folder.write("a.wav", makeWav(stereo)),
  );
  const forms = [[256, false], [256, true], [1024, false], [100, true], [7, false]] as const;
  const make = () =>
    Promise.all(
      forms.map(([samplesPerPixel, split]) =>
        analysis.waveform("a", { samplesPerPixel, split, bits: 16, form: "dat" })
      ),
    );
  const before = await make();
  await analysis.analyse("a");
  assertEquals(await make(), before);
  assertEquals(before.map((bytes) => new DataView(bytes.buffer).getUint32(16, true)), [
    118,
    118,
    30,
    300,
    4286,
  ]);
  const json = await analysis.waveform("a", {
    samplesPerPixel: 256,
    split: true,
    bits: 8,
    form: "json",
  });
  assertEquals(JSON.parse(new TextDecoder().decode(json)).channels, 2);
  await assertRejects(
    () => analysis.waveform("a", { samplesPerPixel: 1, split: true, bits: 8, form: "dat" }),
    RangeError,
  );
  const surfer = await analysis.wavesurfer("a", { frames, sampleRate, points: 50 });
  assertEquals([surfer.peaks.length, surfer.peaks[0].length, surfer.duration], [2, 50, 0.625]);
  const { svg, complete } = await analysis.thumbnail("a", { frames, width: 120, height: 40 });
  assert(complete && svg.startsWith("<svg ") && svg.endsWith("</svg>"));
});

Deno.test("a library that cannot be loaded is an error of start()", async () => {
  await using folder = await TemporaryFolder.make();
  const libraryPath = await folder.write("lib.so", new Uint8Array(100));
  await assertRejects(
    () => Analysis.start({ libraryPath, cacheDir: folder.path }),
    Error,
    "Cannot load the native library",
  );
});
