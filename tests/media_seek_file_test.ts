import { assert, assertEquals } from "@std/assert";
import { ensureLibrary } from "../ffi/build.ts";
import { Analysis } from "../engine/media/analysis.ts";
import { Scan, type ScanLibrary } from "../engine/media/scan.ts";
import { seekFilePath } from "../engine/media/seek_file.ts";
import { Signal } from "../engine/signal/signal.ts";
import { makeFlac } from "./support/flac_writer.ts";
import { openScans, readAll, TemporaryFolder } from "./support/media.ts";
import { prng } from "./support/prng.ts";

/** A FLAC file without a seek table, of 2 minutes at 16 kHz that take little room. */
function flac(): Uint8Array<ArrayBuffer> {
  const random = prng(8);
  const plane = Array.from(
    { length: 480 },
    () => Array<number>(4_000).fill(random.int(60_000) - 30_000),
  );
  return makeFlac({
    planes: [plane.flat()],
    bits: 16,
    sampleRate: 16_000,
    frames: plane.map(() => ({ block: 4_000, subframe: "constant" })),
  }).bytes;
}

/** Files enough that the library forgets the indexes of those that nobody uses: as if the process were another one. */
async function forgetIndexes(library: ScanLibrary, folder: TemporaryFolder): Promise<void> {
  const small = makeFlac({ planes: [[1, 2, 3]], bits: 16, frames: [{ block: 3 }] }).bytes;
  for (let i = 0; i < 80; i++) {
    Scan.open(library, await folder.write(`other ${i}.flac`, small))[Symbol.dispose]();
  }
}

const isComplete = (library: ScanLibrary, path: string): boolean => {
  using scan = Scan.open(library, path);
  return scan.takeIndex() !== undefined;
};

Deno.test("a seek index is kept in the cache, given back at the next opening, and built anew where it is damaged", async () => {
  await using folder = await TemporaryFolder.make();
  await using library = await openScans();
  const path = await folder.write("long.flac", flac());
  const cacheDir = `${folder.path}/cache`;
  let info;
  {
    using scan = Scan.open(library, path);
    info = scan.info;
    assertEquals(scan.takeIndex(), undefined);
  }
  const seekFile = seekFilePath(cacheDir, info);
  {
    const libraryPath = await ensureLibrary();
    await using analysis = await Analysis.start({ libraryPath, cacheDir });
    await analysis.open("a", path);
    assertEquals(await analysis.index("a"), seekFile);
    const { ino } = await Deno.stat(seekFile);
    assertEquals(await analysis.index("a"), seekFile);
    assertEquals((await Deno.stat(seekFile)).ino, ino, "it was written again");
    assertEquals([...Deno.readDirSync(seekFile.slice(0, seekFile.lastIndexOf("/")))].length, 1);
  }
  const whole = readAll(library, path);
  await forgetIndexes(library, folder);
  assertEquals(isComplete(library, path), false);

  const options = { sampleRate: 16_000, memoryBytes: 2 ** 22, cacheDir };
  {
    await using signal = await Signal.open(options);
    await signal.openSource("a", path);
    assert(isComplete(library, path), "the index was not given back");
    assertEquals(readAll(library, path), whole);
  }
  // Damaged: refused, and the file plays as before.
  const bytes = await Deno.readFile(seekFile);
  bytes[200] ^= 1;
  await Deno.writeFile(seekFile, bytes);
  await forgetIndexes(library, folder);
  {
    await using signal = await Signal.open(options);
    await signal.openSource("a", path);
    assertEquals(isComplete(library, path), false);
    assertEquals(readAll(library, path), whole);
  }
  // A changed file has an index of its own.
  await Deno.writeFile(path, flac().slice(0, -2_000));
  await using signal = await Signal.open(options);
  await signal.openSource("a", path);
  assertEquals(isComplete(library, path), false);
});
