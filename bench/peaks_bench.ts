/**
 * Peaks of a 60-minute 16-bit stereo file, 48 kHz, which lies in the page cache: from opening to the first part and to the whole, against
 * `audiowaveform -z 256 -b 16` and `ffmpeg -f null -` where they are installed, else against reading the file; and 1,920 columns of
 * it at several zooms.
 *
 * @module
 */
import { ensureLibrary } from "../ffi/build.ts";
import { Analysis } from "../engine/media/analysis.ts";
import { makeWav, randomPlanes } from "../tests/support/audio_files.ts";
import { findOnPath } from "../tests/needs.ts";

const FRAMES = 60 * 60 * 48_000;
const RUNS = { n: 5, warmup: 1 } as const;

const folder = Deno.makeTempDirSync({ prefix: "peaks" });
globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
const path = `${folder}/hour.wav`;
writeHour(path);

/** A piece of noise over and over, each time at another place in memory: content does not matter, its amount does. */
function writeHour(path: string): void {
  const piece = makeWav(
    { planes: randomPlanes(1, 2, 1 << 19, "s16"), encoding: "s16" },
    { dataBytes: FRAMES * 4 },
  );
  using file = Deno.openSync(path, { write: true, createNew: true });
  file.writeSync(piece.subarray(0, 44));
  const samples = piece.subarray(44);
  for (let left = FRAMES * 4; left > 0; left -= samples.length) {
    file.writeSync(samples.subarray(0, Math.min(left, samples.length)));
  }
}

async function withAnalysis(run: (analysis: Analysis) => Promise<void>): Promise<void> {
  await using analysis = await Analysis.start({
    libraryPath: await ensureLibrary(),
    cacheDir: `${folder}/cache-${crypto.randomUUID()}`,
  });
  await run(analysis);
}

const group = "peaks, 60 minutes s16 stereo";
const others = ([
  ["audiowaveform", ["-q", "-i", path, "-o", `${folder}/o.dat`, "-z", "256", "-b", "16"]],
  ["ffmpeg", ["-v", "error", "-i", path, "-f", "null", "-"]],
] as const).flatMap(([name, args]) => {
  const program = findOnPath(name);
  return program === undefined ? [] : [{ name, program, args: [...args] }];
});

others.forEach(({ name, program, args }, i) => {
  Deno.bench({
    group,
    name,
    baseline: i === 0,
    ...RUNS,
    async fn() {
      const { success } = await new Deno.Command(program, { args }).output();
      if (!success) throw new Error(`${name} failed`);
    },
  });
});

if (others.length === 0) {
  Deno.bench({
    group,
    name: "reading the file (neither audiowaveform nor ffmpeg is installed)",
    baseline: true,
    ...RUNS,
    fn() {
      const buffer = new Uint8Array(1 << 20);
      using file = Deno.openSync(path);
      while (file.readSync(buffer) !== null);
    },
  });
}

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

for (const samples of [0.5, 100, 1000, 10_000, FRAMES / 1920]) {
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
      const start = Math.random() * (FRAMES - span);
      b.start();
      await opened.peaks("hour", { start, end: start + span, width: 1920 });
      b.end();
    },
  });
}
