/**
 * How much faster than real time a minute of 48 kHz stereo is rendered at other speeds with its own pitch: the stretcher alone, and the worker from
 * asking for a render to its file in the cold cache; against ffmpeg's `rubberband` (its library's default engine) and `atempo` (no phase vocoder: it
 * repeats and drops pieces) where ffmpeg has them. Everybody takes turns. All figures are seconds of sound that are rendered in a second, the output's
 * length counting; ours are of one thread.
 *
 * @module
 */
import { renderFrames, stretchFile } from "../engine/media/stretch_render.ts";
import { Stretch } from "../engine/media/stretch.ts";
import { Stretcher } from "../engine/media/stretcher.ts";
import { ensureLibrary } from "../ffi/build.ts";
import { findOnPath } from "../tests/needs.ts";
import { makeWav, seededRandom } from "../tests/support/audio_files.ts";
import { planesAsFile } from "../tests/support/stretched_sound.ts";
import { printFigures } from "./support/figures.ts";

const SECONDS = 60;
const SAMPLE_RATE = 48_000;
const RATES = [0.5, 0.8, 1.25, 2];
const ROUNDS = 5;

const folder = await Deno.makeTempDir({ prefix: "stretch" });
try {
  const planes = [1, 2].map(soundOf);
  const path = `${folder}/a.wav`;
  await Deno.writeFile(path, makeWav({ planes, encoding: "f32" }));
  for (const rate of RATES) {
    const contenders: [name: string, run: () => Promise<void>][] = [];
    const ffmpeg = findOnPath("ffmpeg");
    for (const filter of [`rubberband=tempo=${rate}`, `atempo=${rate}`]) {
      if (ffmpeg === undefined) break;
      contenders.push([`ffmpeg ${filter}`, async () => {
        const args = ["-v", "error", "-nostdin", "-filter_threads", "1", "-i", path, "-af", filter];
        const { success } = await new Deno.Command(ffmpeg, { args: [...args, "-f", "null", "-"] })
          .output();
        if (!success) throw new Error(`ffmpeg cannot ${filter}`);
      }]);
    }
    contenders.push(["stretcher", async () => {
      const stretcher = await Stretcher.open(2, SAMPLE_RATE, rate);
      const steps = stretchFile(planesAsFile(planes), stretcher, () => {});
      while (!steps.next().done);
    }]);
    contenders.push(["worker, to its file", () => renderByWorker(path, rate)]);
    const figures = contenders.map(([name]) => ({ name, values: [] as number[] }));
    // One round of warming up.
    for (let round = -1; round < ROUNDS; round++) {
      for (const [i, [name, run]] of contenders.entries()) {
        const begun = performance.now();
        try {
          await run();
        } catch (error) {
          if (round < 0) console.log(`Skipped: ${name}: ${(error as Error).message}`);
          continue;
        }
        const seconds = (performance.now() - begun) / 1000;
        if (round < 0) continue;
        figures[i].values.push(seconds / (renderFrames(SECONDS * SAMPLE_RATE, rate) / SAMPLE_RATE));
      }
    }
    printFigures(
      `a minute of stereo at rate ${rate}: how many times real time`,
      figures,
      (value) => `${(1 / value).toFixed(1)}×`,
    );
  }
} finally {
  await Deno.remove(folder, { recursive: true });
}

/** Something that sounds: tones that come and go, and noise. */
function soundOf(seed: number): Float32Array<ArrayBuffer> {
  const random = seededRandom(seed);
  return Float32Array.from({ length: SECONDS * SAMPLE_RATE }, (_, i) => {
    const second = i / SAMPLE_RATE;
    const tone = Math.sin(2 * Math.PI * 110 * (1 + Math.floor(second * 4 + seed) % 7) * second);
    return 0.3 * tone * Math.exp(-(second * 4 % 1) * 3) + 0.05 * (random() - 0.5);
  });
}

/** With a cold cache and a worker that has to start: what the first render of a project takes. */
async function renderByWorker(path: string, rate: number): Promise<void> {
  const cacheDir = await Deno.makeTempDir({ dir: folder });
  await using stretch = new Stretch({ libraryPath: () => ensureLibrary(), cacheDir });
  const { ino, size, mtime } = await Deno.stat(path);
  const state = { inode: ino!, bytes: size, mtimeMs: mtime!.getTime() };
  await stretch.render({ path, hash: null, state, rate }).done;
}
