/**
 * The analysis alone, without the engine around it: peaks of an hour of stereo, 48 kHz, 16 bits, which lies in the page cache, from opening
 * it to the first part and to the whole, against reading the file.
 *
 * @module
 */
import { ensureLibrary } from "../ffi/build.ts";
import { Analysis } from "../engine/media/analysis.ts";
import { hourWav } from "./support/hour_wav.ts";

const RUNS = { n: 5, warmup: 1 } as const;

const folder = Deno.makeTempDirSync({ prefix: "peaks" });
globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
const path = await hourWav();

async function withAnalysis(run: (analysis: Analysis) => Promise<void>): Promise<void> {
  await using analysis = await Analysis.start({
    libraryPath: await ensureLibrary(),
    cacheDir: `${folder}/cache-${crypto.randomUUID()}`,
  });
  await run(analysis);
}

const group = "peaks, 60 minutes s16 stereo";
Deno.bench({
  group,
  name: "reading the file",
  baseline: true,
  ...RUNS,
  fn() {
    const buffer = new Uint8Array(1 << 20);
    using file = Deno.openSync(path);
    while (file.readSync(buffer) !== null);
  },
});

Deno.bench({
  group,
  name: "first part",
  ...RUNS,
  async fn(b) {
    await withAnalysis(async (analysis) => {
      b.start();
      await analysis.open("hour", path);
      await new Promise<void>((resolve) => {
        analysis.analyse("hour", { onProgress: () => resolve() }).catch(() => {});
      });
      b.end();
    });
  },
});

Deno.bench({
  group,
  name: "complete, peak file written",
  ...RUNS,
  async fn(b) {
    await withAnalysis(async (analysis) => {
      b.start();
      await analysis.open("hour", path);
      await analysis.analyse("hour");
      b.end();
    });
  },
});
