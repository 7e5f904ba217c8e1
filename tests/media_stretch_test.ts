import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { EngineError } from "../engine/errors.ts";
import { identityKey } from "../engine/media/identity.ts";
import { Scan } from "../engine/media/scan.ts";
import { Stretch } from "../engine/media/stretch.ts";
import { renderKey, renderRecipe, StretchCache } from "../engine/media/stretch_cache.ts";
import { probeRender, renderBytes, RenderWriter } from "../engine/media/stretch_file.ts";
import type { RenderFile, RenderSubject, StretchReply } from "../engine/media/stretch_protocol.ts";
import { StretchService } from "../engine/media/stretch_service.ts";
import { loadStretcher, Stretcher } from "../engine/media/stretcher.ts";
import { CancelledError } from "../engine/media/task_queue.ts";
import { ensureLibrary } from "../ffi/build.ts";
import { makeWav, randomPlanes } from "./support/audio_files.ts";
import { FIXTURES, HAS_FIXTURES, openScans, readAll, TemporaryFolder } from "./support/media.ts";
import { centreOf, centsOff, rmsOf, stretched } from "./support/stretched_sound.ts";
import { until } from "./support/wait.ts";

const RATE = 48_000;

/** Noise of full scale. */
function noise(seed: number, channels: number, frames: number): Float32Array<ArrayBuffer>[] {
  return randomPlanes(seed, channels, frames, "f32").map((plane) => Float32Array.from(plane));
}

function tone(hertz: number, frames: number): Float32Array<ArrayBuffer> {
  return Float32Array.from(
    { length: frames },
    (_, i) => 0.5 * Math.sin(2 * Math.PI * hertz * i / RATE),
  );
}

/** Whether planes are the same, value by value: a difference of so much is not shown. */
function isSame(
  a: readonly ArrayLike<number>[],
  b: readonly ArrayLike<number>[],
): boolean {
  return a.length === b.length && a.every((plane, c) => {
    if (plane.length !== b[c].length) return false;
    for (let i = 0; i < plane.length; i++) if (plane[i] !== b[c][i]) return false;
    return true;
  });
}

/** What a render of a file is of. */
async function subjectOf(path: string, rate: number, hash: string | null = null) {
  const { ino, size, mtime } = await Deno.stat(path);
  const state = { inode: ino!, bytes: size, mtimeMs: mtime!.getTime() };
  return { path, hash, state, rate } satisfies RenderSubject;
}

/** The client on a cache of its own. */
async function openStretch(folder: TemporaryFolder, budgetBytes?: number): Promise<Stretch> {
  const library = await ensureLibrary();
  return new Stretch({
    libraryPath: () => Promise.resolve(library),
    cacheDir: `${folder.path}/cache`,
    ...(budgetBytes !== undefined && { budgetBytes }),
  });
}

const HASH = "c0ffee".padEnd(64, "0");
const OTHER_HASH = "decade".padEnd(64, "0");

/** Names in the folder of renders that are none of the lock's. */
function stored(folder: TemporaryFolder): string[] {
  return [...Deno.readDirSync(`${folder.path}/cache/stretch`)].map(({ name }) => name)
    .filter((name) => name !== "lock").sort();
}

Deno.test("a render lasts ceil(frames / rate) frames", async () => {
  for (const rate of [1 / 16, 0.3, 0.75, 1.1, 1.5, 16]) {
    for (const frames of [1, 1_000, 7_777]) {
      const [plane] = await stretched([tone(440, frames)], rate);
      assertEquals(plane.length, Math.ceil(frames / rate), `${frames} frames at ${rate}`);
    }
  }
});

Deno.test("clicks of a render stand where time · rate says", async () => {
  // Far from the speed itself a click is spread over what overlaps there, up to 10 ms.
  for (
    const [rate, mostMs] of [[0.25, 2], [0.5, 1], [0.75, 1], [1.25, 1], [1.5, 1], [2, 1], [4, 10]]
  ) {
    const gap = Math.round(Math.max(0.4, 0.4 * rate) * RATE);
    const source = new Float32Array(gap * 4);
    const places = [0, 1, 2, 3].map((i) => Math.round((i + 0.5) * gap) + 37 * i);
    for (const place of places) source[place] = 1;
    const [plane] = await stretched([source], rate);
    for (const place of places) {
      const at = place / rate;
      const centre = centreOf(plane, at - gap / rate / 2, at + gap / rate / 2);
      const offMs = (centre - at) / RATE * 1000;
      assert(Math.abs(offMs) <= mostMs, `rate ${rate}: a click is off by ${offMs} ms`);
    }
  }
});

Deno.test("what begins with the file begins with its render, in full", async () => {
  const drum = (at: number) =>
    Float32Array.from({ length: 36_000 }, (_, i) => {
      return i < at ? 0 : Math.exp((at - i) / 2_400) * Math.sin((i - at) / 38 + 1);
    });
  for (const rate of [0.8, 1.25]) {
    const [first] = await stretched([drum(0)], rate);
    const [later] = await stretched([drum(12_000)], rate);
    const energy = (plane: Float32Array<ArrayBuffer>) => rmsOf(plane) ** 2;
    const ratio = energy(first) / energy(later);
    assert(ratio > 0.9 && ratio < 1.1, `rate ${rate}: ${ratio} of the energy`);
  }
});

Deno.test("a render keeps pitch and level", async () => {
  for (const rate of [0.5, 0.75, 0.9, 1.25, 2, 4, 16]) {
    const frames = Math.ceil(RATE * Math.max(1.5, rate));
    for (const hertz of [110, 440, 3_000]) {
      const [plane] = await stretched([tone(hertz, frames)], rate);
      const cents = centsOff(plane, hertz);
      assert(Math.abs(cents) < 2, `${hertz} Hz at rate ${rate} is off by ${cents} cents`);
      const level = rmsOf(plane, Math.floor(plane.length * 0.3), Math.floor(plane.length * 0.7));
      assert(Math.abs(level / Math.sqrt(0.125) - 1) < 0.1, `level ${level} at rate ${rate}`);
    }
  }
});

Deno.test("channels stay together: equal ones are equal, silent ones silent, levels keep their ratio", async () => {
  const [sound] = noise(1, 1, 24_000);
  const half = sound.map((value) => value / 2);
  for (const rate of [0.4, 1.3]) {
    const planes = [sound, half, new Float32Array(24_000), sound];
    const [a, b, silent, same] = await stretched(planes, rate);
    assert(silent.every((value) => value === 0));
    for (const [plane, gain] of [[same, 1], [b, 0.5]] as const) {
      const difference = Float32Array.from(plane, (value, i) => value - a[i] * gain);
      const part = rmsOf(difference) / rmsOf(plane);
      assert(part < 1 / 500, `rate ${rate}: ${part} of it is something else`);
    }
  }
  const eight = await stretched(noise(2, 8, 3_000), 0.9);
  assertEquals(eight.length, 8);
  assert(eight.every((plane) => plane.length === 3_334 && rmsOf(plane) > 0.1));
});

Deno.test("silence stays silence, and what is no number is silence", async () => {
  const planes = await stretched([new Float32Array(20_000), new Float32Array(20_000)], 0.7);
  assert(planes.every((plane) => plane.every((value) => value === 0)));
  const [broken] = noise(3, 1, 20_000);
  broken.set([NaN, Infinity, -Infinity, 3e38], 10_000);
  const [whole] = await stretched([broken], 0.7);
  assert(whole.every((value) => Math.abs(value) < 10));
});

Deno.test("the same render has the same bits", async () => {
  const planes = noise(4, 2, 30_000);
  for (const rate of [0.2, 0.8, 3]) {
    assert(isSame(await stretched(planes, rate), await stretched(planes, rate)), `rate ${rate}`);
  }
});

Deno.test("a stretcher takes nothing from the global scope that it does not give back", async () => {
  const before = globalThis.crypto;
  await Stretcher.open(1, RATE, 0.5);
  assertEquals(globalThis.crypto, before);
  for (const name of ["AudioWorkletProcessor", "registerProcessor", "sampleRate"]) {
    assert(!(name in globalThis), name);
  }
});

Deno.test("a file of a render is a WAV of floats, written whole or not at all", async () => {
  await using folder = await TemporaryFolder.make();
  const [left, right] = noise(5, 2, 10_000);
  const recipe = renderRecipe(1.5);
  const path = `${folder.path}/a.wav`;
  const shape = { channels: 2, sampleRate: 44_100, lengthFrames: 10_000 };
  {
    using writer = new RenderWriter(path, recipe, shape);
    assertEquals(Deno.statSync(path).size, renderBytes(shape), "it has its size from the start");
    assertEquals(probeRender(path, recipe), undefined);
    const samples = Float32Array.from({ length: 20_000 }, (_, i) => (i % 2 ? right : left)[i >> 1]);
    for (let at = 0; at < samples.length; at += 3_000) writer.write(samples.slice(at, at + 3_000));
    writer.finish();
  }
  assertEquals(probeRender(path, recipe), { ...shape, bytes: renderBytes(shape), trusted: true });
  assertEquals(probeRender(path, renderRecipe(1.25)), undefined);
  await using library = await openScans();
  using scan = Scan.open(library, path);
  const { frames, sampleRate, channels, encoding, lengthLied } = scan.info;
  assertEquals([frames, sampleRate, channels, encoding, lengthLied], [
    10_000,
    44_100,
    2,
    "f32",
    false,
  ]);
  assert(isSame(readAll(library, path), [left, right]));
});

Deno.test("a render's key changes with content, state, rate and renderer", async () => {
  const state = identityKey({
    device: 1,
    inode: 2,
    fileBytes: 3,
    mtimeSeconds: 4,
    mtimeNanoseconds: 5,
    ctimeSeconds: 6,
    ctimeNanoseconds: 7,
  });
  const keys = [
    renderKey({ hash: HASH }, 1.5),
    renderKey({ hash: OTHER_HASH }, 1.5),
    renderKey({ state }, 1.5),
    renderKey({ hash: HASH }, 1.5 + 2 ** -24),
    renderKey({ hash: HASH }, 1.5, "another renderer"),
  ].map((key) => key.toHex());
  assertEquals(new Set(keys).size, keys.length);
  assertEquals(renderKey({ hash: HASH }, 1.5).toHex(), keys[0]);
  await Promise.resolve();
});

Deno.test("the worker renders a file, finds the render again, and has the bits of a render in hand", async () => {
  await using folder = await TemporaryFolder.make();
  const planes = noise(6, 2, 60_000);
  const path = await folder.write("a.wav", makeWav({ planes, encoding: "f32" }));
  const subject = await subjectOf(path, 1.25);
  await using library = await openScans();
  let first: RenderFile;
  {
    await using stretch = await openStretch(folder);
    assertEquals(await stretch.find(subject), null);
    first = await stretch.render(subject).done;
    const { channels, sampleRate, lengthFrames, byContent } = first;
    assertEquals([channels, sampleRate, lengthFrames, byContent], [2, RATE, 48_000, false]);
    assert(isSame(readAll(library, first.path), await stretched(planes, 1.25)));
    assertEquals(await stretch.find(subject), first);
  }
  assertEquals(stored(folder), [`${first.name}.wav`], "nothing else is left");
  const { mtime } = await Deno.stat(first.path);
  await using stretch = await openStretch(folder);
  const progress: number[] = [];
  const again = await stretch.render(subject, { onProgress: (done) => progress.push(done) }).done;
  assertEquals([again, progress], [first, []]);
  assertEquals((await Deno.stat(first.path)).mtime, mtime, "it was not written again");
});

Deno.test("a render that was made before the file's content was known is found by it later, wherever the file lies", async () => {
  await using folder = await TemporaryFolder.make();
  const wav = makeWav({ planes: noise(7, 1, 20_000), encoding: "f32" });
  const path = await folder.write("a.wav", wav);
  await using stretch = await openStretch(folder);
  const made = await stretch.render(await subjectOf(path, 0.5)).done;
  assertEquals(made.byContent, false);
  await stretch.learn(made, HASH, 0.5);
  const moved = await folder.write("b.wav", wav);
  const found = await stretch.find(await subjectOf(moved, 0.5, HASH));
  assertEquals([found?.byContent, found?.lengthFrames], [true, 40_000]);
  assertEquals(Deno.statSync(found!.path).ino, Deno.statSync(made.path).ino);
  // A file that is away is heard from its render all the same.
  await Deno.remove(moved);
  assertEquals(await stretch.find({ ...await subjectOf(path, 0.5, HASH), path: moved }), found);
  // A file in another state than that of which the hash is has another content.
  const changed = await subjectOf(path, 1.5, HASH);
  const other = await stretch.render({ ...changed, state: { ...changed.state, bytes: 1 } }).done;
  assertEquals(other.byContent, false);
});

Deno.test("a render that was damaged, cut off or is of another version is made anew", async () => {
  await using folder = await TemporaryFolder.make();
  const planes = noise(8, 1, 30_000);
  const path = await folder.write("a.wav", makeWav({ planes, encoding: "f32" }));
  const subject = await subjectOf(path, 0.75);
  const render = async (): Promise<RenderFile> => {
    await using stretch = await openStretch(folder);
    return await stretch.render(subject).done;
  };
  const { path: file } = await render();
  const whole = await Deno.readFile(file);
  const { mtime, atime } = await Deno.stat(file);
  const damages: [string, (bytes: Uint8Array<ArrayBuffer>) => Uint8Array, boolean][] = [
    ["a sample", (bytes) => bytes.fill(1, 5_000, 5_001), false],
    ["the header", (bytes) => bytes.fill(0, 0, 4), false],
    ["its last chunk", (bytes) => bytes.fill(7, bytes.length - 60, bytes.length - 50), true],
    ["its end", (bytes) => bytes.subarray(0, bytes.length - 1_000), true],
    ["all", () => new Uint8Array(0), true],
    ["its version", (bytes) => bytes.fill(9, bytes.length - 104, bytes.length - 103), true],
  ];
  for (const [what, damage, keepsTime] of damages) {
    await Deno.writeFile(file, damage(whole.slice()));
    // Where the time of modification tells nothing, size and checksum of the last chunk do.
    if (keepsTime) await Deno.utime(file, atime!, mtime!);
    await render();
    const mended = await Deno.readFile(file);
    assertEquals(mended.length, whole.length, what);
    assert(isSame([mended.subarray(0, -112)], [whole.subarray(0, -112)]), `${what} was mended`);
  }
  // A cache that was copied has other times, and is looked through once.
  await Deno.utime(file, 1, 1);
  const { ino } = await Deno.stat(file);
  await render();
  assertEquals((await Deno.stat(file)).ino, ino, "it was kept");
  assertEquals(probeRender(file, renderRecipe(0.75))?.trusted, true);
});

Deno.test("renders give way to new ones by the time of their last use; those in use stay", async () => {
  await using folder = await TemporaryFolder.make();
  const planes = noise(9, 1, 4_000);
  const path = await folder.write("a.wav", makeWav({ planes, encoding: "f32" }));
  const bytes = (rate: number) =>
    renderBytes({ channels: 1, sampleRate: RATE, lengthFrames: Math.ceil(4_000 / rate) });
  const rates = [0.5, 0.5 + 2 ** -20, 0.5 + 2 ** -19];
  await using stretch = await openStretch(folder, 3 * bytes(0.5) + 100);
  const files: RenderFile[] = [];
  for (const rate of rates) files.push(await stretch.render(await subjectOf(path, rate)).done);
  for (const [i, file] of files.entries()) {
    if (i !== 1) await stretch.release(file);
  }
  // The first was used longest ago, unless it is used once more; the second is in use.
  for (const [i, { path }] of files.entries()) {
    await Deno.utime(path, 100 + i, (await Deno.stat(path)).mtime!);
  }
  const again = await stretch.find(await subjectOf(path, rates[0]));
  await stretch.release(again!);
  await stretch.render(await subjectOf(path, 0.5 + 2 ** -18)).done;
  const there = await Promise.all(files.map(({ path }) => Deno.stat(path).then(() => 1, () => 0)));
  assertEquals(there, [1, 1, 0]);
  // What has no room beside those in use is refused, and says so.
  const error = await assertRejects(
    async () => await stretch.render(await subjectOf(path, 1 / 16)).done,
    EngineError,
    "Cannot keep a render of",
  );
  assertEquals(error.code, "cache.budget");
});

Deno.test("engines that share a cache delete nothing that the other uses or writes, and take over after one that died", async () => {
  await using folder = await TemporaryFolder.make();
  const shape = { channels: 1, sampleRate: RATE, lengthFrames: 1_000 };
  const size = renderBytes(shape);
  const keys = [1, 2, 3, 4].map((i) => renderKey({ hash: HASH }, i));
  const dir = `${folder.path}/cache`;
  const mine = new StretchCache(dir, 3 * size);
  const theirs = new StretchCache(dir, 3 * size);
  const make = (cache: StretchCache, key: Uint8Array<ArrayBuffer>) => {
    const path = cache.makeRoom(key, shape);
    using writer = new RenderWriter(path, renderRecipe(1), shape);
    writer.write(new Float32Array(1_000));
    writer.finish();
    cache.settle(path, key, (path) => probeRender(path, renderRecipe(1)) !== undefined);
  };
  make(mine, keys[0]);
  make(theirs, keys[1]);
  // Both make the same one: the file of the first stays, the other one's is dropped.
  const unfinished = theirs.makeRoom(keys[0], shape);
  {
    using writer = new RenderWriter(unfinished, renderRecipe(1), shape);
    writer.write(new Float32Array(1_000));
    writer.finish();
  }
  const { ino } = Deno.statSync(mine.path(keys[0]));
  theirs.settle(unfinished, keys[0], (path) => probeRender(path, renderRecipe(1)) !== undefined);
  assertEquals(Deno.statSync(mine.path(keys[0])).ino, ino);
  assertThrows(() => Deno.statSync(unfinished), Deno.errors.NotFound);
  // One is being written by the other: three take all of the room, and none of them may go.
  const writing = theirs.makeRoom(keys[2], shape);
  using writer = new RenderWriter(writing, renderRecipe(1), shape);
  assertThrows(() => mine.makeRoom(keys[3], shape), EngineError, "in use");
  assert(mine.hold(keys[1]), "what the other made is there for both");
  mine.release(keys[1]);
  // The other one ends without a word: its locks end with it, and its files count no more.
  theirs[Symbol.dispose]();
  mine.makeRoom(keys[3], shape);
  assertThrows(() => Deno.statSync(writing), Deno.errors.NotFound);
  assert(!mine.hold(keys[2]));
  assert(Deno.statSync(mine.path(keys[0])).isFile, "what is in use stays");
  writer[Symbol.dispose]();
  mine[Symbol.dispose]();
});

Deno.test("a render is cancelled without a trace, tells how far it is, and the more urgent one goes first", async () => {
  await using folder = await TemporaryFolder.make();
  const wav = makeWav({ planes: noise(10, 1, 200_000), encoding: "f32" });
  const path = await folder.write("a.wav", wav);
  await using library = await openScans();
  const replies: StretchReply[] = [];
  const stopped = Promise.withResolvers<void>();
  const service = new StretchService({
    library,
    cacheDir: `${folder.path}/cache`,
    budgetBytes: 1e9,
    post: (reply) => void replies.push(reply),
    stopped: stopped.resolve,
  });
  const answered = (id: number) =>
    replies.find((reply) => "id" in reply && reply.id === id && !("progress" in reply));
  const render = async (id: number, rate: number, priority: number) =>
    service.handle({
      id,
      call: "render",
      params: { subject: await subjectOf(path, rate), priority },
    });
  await render(1, 1 / 16, 0);
  await until(() => replies.some((reply) => "progress" in reply), "the first is under way");
  await render(2, 4, 1);
  await until(() => answered(2) !== undefined, "the second has overtaken it");
  assert("answer" in answered(2)!);
  assertEquals(answered(1), undefined);
  service.handle({ cancel: 1 });
  await until(() => answered(1) !== undefined, "the first is cancelled");
  assertEquals((answered(1) as { error: { kind: string } }).error.kind, "cancelled");
  const made = (answered(2) as { answer: RenderFile }).answer;
  assertEquals(stored(folder).filter((name) => !name.endsWith(".lease")), [`${made.name}.wav`]);
  service.handle({ id: 3, call: "stop", params: {} });
  await stopped.promise;
  assertEquals(stored(folder), [`${made.name}.wav`]);
});

Deno.test("the client cancels, and what is pending ends with it", async () => {
  await using folder = await TemporaryFolder.make();
  const path = await folder.write(
    "a.wav",
    makeWav({ planes: noise(11, 1, 400_000), encoding: "f32" }),
  );
  const stretch = await openStretch(folder);
  const begun = Promise.withResolvers<void>();
  const first = stretch.render(await subjectOf(path, 1 / 16), {
    onProgress: () => begun.resolve(),
  });
  await begun.promise;
  first.cancel();
  await assertRejects(() => first.done, CancelledError);
  const second = stretch.render(await subjectOf(path, 1 / 8));
  const refused = assertRejects(() => second.done);
  await stretch[Symbol.asyncDispose]();
  await refused;
  await assertRejects(async () => await stretch.find(await subjectOf(path, 1)), Error, "closed");
  assertEquals(stored(folder), []);
});

Deno.test("what cannot be rendered says why and what to do", async () => {
  await using folder = await TemporaryFolder.make();
  const path = await folder.write(
    "a.wav",
    makeWav({ planes: noise(12, 1, 100), encoding: "f32" }),
  );
  await using stretch = await openStretch(folder);
  const gone = await subjectOf(path, 1.5);
  const error = await assertRejects(
    () => stretch.find({ ...gone, path: `${path}x` }),
    EngineError,
  );
  assertEquals(error.code, "asset.notFound");
  // A cache that is no folder.
  await using bad = await TemporaryFolder.make();
  await bad.write("cache", new Uint8Array(0));
  await using refused = await openStretch(bad);
  const folderError = await assertRejects(() => refused.render(gone).done, EngineError);
  assertEquals([folderError.code, folderError.details.reason], ["cache.budget", "folder"]);
  assertMatch(folderError.message, /--cache-dir/);
});

Deno.test("without its package a stretcher says what to do, and tries again when asked again", async () => {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "eval",
      "--no-lock",
      `import { loadStretcher } from ${
        JSON.stringify(import.meta.resolve("../engine/media/stretcher.ts"))
      };
       const absent = () => Promise.reject(new Error("no route to host"));
       const error = await loadStretcher(absent).catch((error) => error);
       const found = await loadStretcher(() => {
         registerProcessor("any", class extends AudioWorkletProcessor {});
         return Promise.resolve();
       });
       console.log(JSON.stringify([error.code, error.message, error.details.reason, typeof found]));`,
    ],
    stdout: "piped",
  });
  const [code, message, reason, found] = JSON.parse(
    new TextDecoder().decode((await child.output()).stdout),
  );
  assertEquals([code, reason, found], ["asset.unsupported", "no route to host", "function"]);
  assertMatch(message, /signalsmith-stretch .* connect this machine to the network once/);
  await loadStretcher();
});

Deno.test({
  name: "real files of every container keep their length, level and shape at other speeds",
  ignore: !HAS_FIXTURES,
  async fn() {
    await using folder = await TemporaryFolder.make();
    await using stretch = await openStretch(folder);
    await using library = await openScans();
    for (
      const name of ["test_file_stereo.wav", "test_file_stereo.flac", "mp3_variable_stereo.mp3"]
    ) {
      const path = `${FIXTURES}${name}`;
      const source = readAll(library, path);
      for (const rate of [0.8, 1.5]) {
        const render = await stretch.render(await subjectOf(path, rate)).done;
        assertEquals(render.lengthFrames, Math.ceil(source[0].length / rate));
        const planes = readAll(library, render.path) as Float32Array<ArrayBuffer>[];
        // Levels in windows of 50 ms go up and down together.
        const width = Math.round(render.sampleRate / 20);
        const count = Math.floor(planes[0].length / width) - 1;
        const levels = (plane: Float32Array, speed: number) =>
          Array.from({ length: count }, (_, i) =>
            rmsOf(
              plane as Float32Array<ArrayBuffer>,
              Math.round(i * width * speed),
              Math.min(plane.length, Math.round((i + 1) * width * speed)),
            ));
        for (const [channel, plane] of planes.entries()) {
          const likeness = correlation(levels(source[channel], rate), levels(plane, 1));
          assert(likeness > 0.9, `${name} at ${rate}: ${likeness}`);
          const level = rmsOf(plane) / rmsOf(source[channel] as Float32Array<ArrayBuffer>);
          assert(level > 0.8 && level < 1.2, `${name} at ${rate}: ${level} of its level`);
        }
      }
    }
  },
});

function correlation(a: readonly number[], b: readonly number[]): number {
  const mean = (values: readonly number[]) => values.reduce((x, y) => x + y, 0) / values.length;
  const [meanA, meanB] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  a.forEach((_, i) => {
    ab += (a[i] - meanA) * (b[i] - meanB);
    aa += (a[i] - meanA) ** 2;
    bb += (b[i] - meanB) ** 2;
  });
  return ab / Math.sqrt(aa * bb);
}
