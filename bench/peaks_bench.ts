/**
 * The analysis alone, without the engine around it: peaks of an hour of stereo, 48 kHz, 16 bits, which lies in the page cache, from opening
 * it to the first part and to the whole, against reading the file; and 1,920 columns of it at several zooms.
 *
 * @module
 */
import { ensureLibrary } from "../ffi/build.ts";
import { Analysis } from "../engine/media/analysis.ts";
import { HOUR_FRAMES, hourWav } from "./support/hour_wav.ts";

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

for (const samples of [0.5, 100, 1000, 10_000, HOUR_FRAMES / 1920]) {
  let opened: Analysis | undefined;
  Deno.bench({
    group: "1,920 columns of 60 minutes, to the asking thread",
    name: `${samples} samples a column`,
    async fn(b) {
      if (opened === undefined) {
        opened = await Analysis.start({
          libraryPath: await ensureLibrary(),
          cacheDir: `${folder}/cache`,
        });
        await opened.open("hour", path);
        await opened.analyse("hour");
      }
      const span = samples * 1920;
      const start = Math.random() * (HOUR_FRAMES - span);
      b.start();
      await opened.peaks("hour", { start, end: start + span, width: 1920 });
      b.end();
    },
  });
}
