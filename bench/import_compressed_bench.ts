/**
 * An hour of varied FLAC (16 and 24 bits) and MP3, which lies in the page cache: from registering it in an engine to its first and to its
 * complete peaks, with a cold cache of peaks each time, against `ffmpeg -f null -` and `audiowaveform -z 256 -b 16` where they are
 * installed. Everybody takes turns, so that what else the machine does falls on all alike.
 *
 * Our threads decode below normal priority (nice 5, level with the fill pool), the others at normal: on a machine that is busy with other
 * things the ratios are worse for us than on one that is not. `ffmpeg, all cores` may use as many threads as it likes; its FLAC and MP3 decoders take the same either way.
 *
 * @module
 */
import { Engine } from "../engine/engine.ts";
import { findOnPath } from "../tests/needs.ts";
import { printFigures } from "./support/figures.ts";
import { type Hour, HOURS, makeHours } from "./support/hour_compressed.ts";
import { HOUR_FOLDER } from "./support/hour_wav.ts";
import { Home } from "./support/ready_process.ts";

const ROUNDS = 5;
const FILES: [Hour, string][] = [
  ["flac16", "FLAC, 16 bits"],
  ["flac24", "FLAC, 24 bits"],
  ["mp3", "MP3"],
];

/** What the same work is done by, in milliseconds. */
const contenders: [name: string, (path: string) => Promise<number>][] = [];
const program = (name: string, called: string, args: (path: string) => string[]) => {
  const found = findOnPath(called);
  if (found === undefined) return console.log(`Skipped: ${called} is not installed`);
  contenders.push([name, (path) => timeOf(found, args(path))]);
};
program(
  "ffmpeg -f null -",
  "ffmpeg",
  (path) => ["-v", "error", "-nostdin", "-threads", "1", "-i", path, "-f", "null", "-"],
);
program(
  "ffmpeg -f null -, all cores",
  "ffmpeg",
  (path) => ["-v", "error", "-nostdin", "-i", path, "-f", "null", "-"],
);
program(
  "audiowaveform -z 256 -b 16",
  "audiowaveform",
  (path) => ["-q", "-i", path, "-o", `${HOUR_FOLDER}/hour.dat`, "-z", "256", "-b", "16"],
);
contenders.push(
  ["register to first peaks", (path) => importTime(path, "first")],
  ["register to complete", (path) => importTime(path, "complete")],
);

if (await makeHours()) {
  for (const [hour, name] of FILES) {
    const figures = contenders.map(([name]) => ({ name, values: [] as number[] }));
    // One round of warming up.
    for (let round = -1; round < ROUNDS; round++) {
      for (const [i, [, run]] of contenders.entries()) {
        const ms = await run(HOURS[hour]);
        if (round >= 0) figures[i].values.push(ms);
      }
    }
    printFigures(`import of 60 minutes, ${name}, stereo, 48 kHz`, figures);
  }
}

async function timeOf(path: string, args: string[]): Promise<number> {
  const began = performance.now();
  const { success, stderr } = await new Deno.Command(path, { args }).output();
  const ms = performance.now() - began;
  if (!success) throw new Error(`${path} failed: ${new TextDecoder().decode(stderr)}`);
  return ms;
}

/** From the request in a new engine to the first column of a picture of the whole, or to the last. */
async function importTime(path: string, until: "first" | "complete"): Promise<number> {
  await using home = await Home.make();
  await using engine = await Engine.open({
    dataDir: `${home.path}/data`,
    cacheDir: `${home.path}/cache`,
    exportDir: `${home.path}/exports`,
    libraryRoots: [HOUR_FOLDER],
    backend: "null",
  });
  const began = performance.now();
  const { assetId } = await engine.assets.register(path, undefined, { clientId: "bench" });
  let wake = () => {};
  let news = false;
  const stop = engine.assets.onAnalysed(assetId, () => {
    news = true;
    wake();
  });
  const isThere = async () => {
    if (until === "complete") return engine.assets.get(assetId).complete;
    const { min } = await engine.assets.peaks(assetId, { width: 1_920 });
    return !Number.isNaN(min[0][0]);
  };
  while (!(await isThere())) {
    if (!news) await new Promise<void>((resolve) => wake = resolve);
    news = false;
  }
  const ms = performance.now() - began;
  stop();
  return ms;
}
