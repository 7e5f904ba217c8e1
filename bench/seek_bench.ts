/**
 * Seek to first sound: from asking for a random place of an hour of WAV, FLAC or MP3 whose pages are cold until the first 20 ms from there are
 * resident, through the real page store and its threads, against miniaudio's decoders seeking and reading as much in the same process.
 * Compiles and runs `tests/native/seek_bench_main.c`, which says what is timed; needs a C compiler, and ffmpeg once for the files.
 *
 * @module
 */
import { buildProgram } from "./support/build_program.ts";
import { printFigures } from "./support/figures.ts";
import { HOURS, makeHours } from "./support/hour_compressed.ts";

const ROUNDS = 100;
/** The parts of the native library that a page store needs. */
const PARTS = new RegExp(
  "^(store|account|fill_log|histogram|pool|pool_threads|proxy_pair|volumes|window|readahead|slow_disk|files|rate_cursor|residency|slab|directory|fill_queue|heap|fold|media_file|flac_\\w+|mp3_\\w+|" +
    "pcm_\\w+|seek_index|damage|resample\\w*)\\.c$",
);

if (await makeHours()) {
  const folder = Deno.makeTempDirSync({ prefix: "seek" });
  try {
    const built = await buildProgram(folder, "seek_bench", { parts: PARTS, libraries: ["-lm"] });
    if ("error" in built) throw new Error(`The program does not build:\n${built.error}`);
    const { success, stdout, stderr } = await new Deno.Command(built.program, {
      args: [`${ROUNDS}`, HOURS.wav16, HOURS.flac16, HOURS.mp3],
    }).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    const groups = new Map<string, Map<string, number[]>>();
    for (const line of new TextDecoder().decode(stdout).trim().split("\n")) {
      const [group, name, ms] = line.split("\t");
      const figures = groups.getOrInsertComputed(group, () => new Map());
      figures.getOrInsertComputed(name, () => []).push(Number(ms));
    }
    for (const [group, figures] of groups) {
      printFigures(
        `seek to the first 20 ms, an hour of ${group}, 48 kHz stereo`,
        [...figures].map(([name, values]) => ({ name, values })),
      );
    }
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}
