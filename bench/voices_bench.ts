/**
 * Voices streamed from disk in real time, each from a file of its own, at 256-frame periods on the null device: ours, within 500 MB of pages, against
 * miniaudio's own engine with one streaming `ma_sound` a voice (`tests/native/voices_bench_main.c`, which says how it is measured and how files of
 * another rate go through libsoxr). A process a run, in turns; the files lie in the page cache. Printed are processor time of all threads for one second in
 * which one voice was heard, memory a voice, and what was missing. Needs a C compiler, ffmpeg, Debian's `libsoxr-dev`, 8 GB of free disk and memory, and a quiet machine: in
 * real time voices fall out where others take the processors.
 *
 * @module
 */
import { ensureLibrary } from "../ffi/build.ts";
import { buildProgram } from "./support/build_program.ts";
import { printFigures, quantile } from "./support/figures.ts";
import type { VoicesResult, VoicesTask } from "./support/voices_child.ts";
import { canMake, VoiceFiles, type VoiceKind } from "./support/voices_files.ts";

const ROOT = import.meta.dirname!.replace(/[/\\]bench$/, "");
const ROUNDS = 3;
const PERIOD = 256;
const RATE = 48_000;
const MEMORY_BYTES = 500e6;
const WARM_MS = 4_000;
const MEASURE_MS = 6_000;

interface Case {
  title: string;
  kind: VoiceKind;
  voices: number;
  resampler: "linear" | "soxr";
}

const CASES: readonly Case[] = [
  { title: "16-bit stereo WAV", kind: "wav", voices: 256, resampler: "linear" },
  { title: "16-bit stereo WAV", kind: "wav", voices: 1_000, resampler: "linear" },
  { title: "16-bit stereo WAV", kind: "wav", voices: 1_800, resampler: "linear" },
  { title: "16-bit stereo FLAC", kind: "flac", voices: 1_000, resampler: "linear" },
  { title: "WAV at 44.1 kHz, theirs by soxr VHQ", kind: "wav44", voices: 300, resampler: "soxr" },
];

/** One run of either. */
interface Run {
  /** Of one voice for one second in which it was heard. */
  cpuUs: number;
  /** Beyond what the process has without voices. */
  kibAVoice: number;
  missing: number;
  note: string;
}

{
  using files = new VoiceFiles();
  const peer = await buildProgram(files.folder, "voices_bench", {
    libraries: ["-lsoxr", "-lm", "-ldl"],
    quiet: true,
  });
  if ("error" in peer) {
    console.error(
      "Cannot compare with ma_engine: the program does not build. Install libsoxr-dev.\n" +
        peer.error,
    );
  }
  for (const { title, kind, voices, resampler } of CASES) {
    if (!canMake(kind)) continue;
    const paths = await files.make(kind, voices);
    const theirs: Run[] = [];
    const ours: Run[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      for (const path of paths) await readThrough(path);
      if ("program" in peer) {
        theirs.push(await runPeer(peer.program, files.folder, paths, resampler));
      }
      ours.push(await runOurs(files.folder, paths));
    }
    const figure = (name: string, runs: readonly Run[]) => ({
      name,
      values: runs.map(({ cpuUs }) => cpuUs),
    });
    printFigures(
      `${voices.toLocaleString("en")} voices, ${title}: µs of processor a second of a voice`,
      [figure("ma_engine", theirs), figure("Loophole", ours)],
      (us) => us.toFixed(1),
    );
    for (const [name, runs] of [["ma_engine", theirs], ["Loophole", ours]] as const) {
      if (runs.length === 0) continue;
      const median = quantile(runs.map(({ cpuUs }) => cpuUs), 0.5);
      console.log(
        `${name}: ${Math.round(1e6 / median).toLocaleString("en")} voices a core, ` +
          `${Math.round(quantile(runs.map(({ kibAVoice }) => kibAVoice), 0.5))} KiB a voice, ` +
          `missing and faded frames ${runs.map(({ missing }) => missing).join(" / ")}` +
          runs.map(({ note }) => note).join(""),
      );
    }
  }
}

async function readThrough(path: string): Promise<void> {
  using file = await Deno.open(path);
  const buffer = new Uint8Array(1 << 20);
  while (file.readSync(buffer) !== null) continue;
}

async function output(command: string, args: readonly string[], env = {}): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args: [...args], env })
    .output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`${command} failed:\n${decoder.decode(stderr)}`);
  return decoder.decode(stdout);
}

async function runPeer(
  program: string,
  folder: string,
  paths: readonly string[],
  resampler: string,
): Promise<Run> {
  const list = `${folder}/list`;
  Deno.writeTextFileSync(list, paths.join("\n") + "\n");
  const text = await output(program, [
    list,
    ...[paths.length, RATE, PERIOD].map(String),
    resampler,
    ...[WARM_MS / 1_000, MEASURE_MS / 1_000].map(String),
  ]);
  const [us, frames, missing, lacking, kib, emptyKib] = text.trim().split(" ").map(Number);
  return {
    cpuUs: us / ((paths.length * frames - missing) / RATE),
    kibAVoice: (kib - emptyKib) / paths.length,
    missing,
    note: lacking > 0 ? `; ${lacking} voices lack frames` : "",
  };
}

async function runOurs(folder: string, paths: string[]): Promise<Run> {
  const task: VoicesTask = {
    paths,
    sampleRate: RATE,
    memoryBytes: MEMORY_BYTES,
    period: PERIOD,
    warmMs: WARM_MS,
    measureMs: MEASURE_MS,
  };
  const path = `${folder}/task.json`;
  Deno.writeTextFileSync(path, JSON.stringify(task));
  const library = await ensureLibrary();
  const text = await output(Deno.execPath(), [
    ...["run", "--quiet", "--no-prompt", "--allow-read", "--allow-env", "--allow-sys"],
    `--allow-ffi=${library}`,
    `${ROOT}/bench/support/voices_child.ts`,
    path,
  ], { LOOPHOLE_NATIVE: library });
  const result: VoicesResult = JSON.parse(text);
  return {
    cpuUs: result.cpuMs * 1e3 / ((paths.length * result.frames - result.lacked) / RATE),
    kibAVoice: (result.residentKib - result.emptyKib) / paths.length,
    missing: result.missing + result.faded,
    note: `; ${Math.round(result.horizonMs)} ms ahead, 999 of 1,000 callbacks within ` +
      `${(result.callbackShare999 * 100).toFixed(1)} % of their period, late ${result.late}`,
  };
}
