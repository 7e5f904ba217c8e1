/**
 * From a seek of the running transport to the end of the period in which something is heard, with a caller in the place of the device that takes 256 frames
 * when they are due (the null device of miniaudio wakes every 10 ms alone): to a place that is resident, and to random
 * places of ten minutes of WAV, FLAC and MP3 whose pages are gone and whose file is out of the page cache, their seek indexes there. Against miniaudio's own
 * engine with one streaming `ma_sound` (`tests/native/first_sound_bench_main.c`). Needs ffmpeg, `dd`, and for the peer a C compiler.
 *
 * A seek comes anywhere in a period: waiting for the next one takes up to 5.3 ms.
 *
 * @module
 */
import { ensureLibrary } from "../ffi/build.ts";
import { openLibraryAt } from "../ffi/library.ts";
import { SCAN_SYMBOLS } from "../ffi/symbols.ts";
import { Scan } from "../engine/media/scan.ts";
import type { MixClipBody, MixModel } from "../engine/signal/model.ts";
import { Signal } from "../engine/signal/signal.ts";
import { findOnPath } from "../tests/needs.ts";
import { makeWav, seededRandom } from "../tests/support/audio_files.ts";
import { buildProgram } from "./support/build_program.ts";
import { printFigures } from "./support/figures.ts";
import { RATE, secondOfSound } from "./support/varied_sound.ts";

const PERIOD = 256;
const SEEKS = 40;
/** A file begins with as much silence; then it sounds all the time. */
const SILENT_SECONDS = 10;
const SECONDS = 610;
/** What counts as heard. */
const HEARD = 1e-3;
const PERIOD_MS = PERIOD * 1e3 / RATE;
/** Periods played in silence before a seek. */
const BEFORE = 20;
const PATIENCE_MS = 20_000;

const ffmpeg = findOnPath("ffmpeg");
if (ffmpeg === undefined || findOnPath("dd") === undefined) {
  console.log("Skipped: ffmpeg, which makes the files, or dd is not installed");
} else {
  const folder = Deno.makeTempDirSync({ prefix: "first-sound" });
  try {
    const paths = await makeFiles(ffmpeg, folder);
    const peer = await buildProgram(folder, "first_sound_bench", {
      libraries: ["-lm", "-ldl"],
      quiet: true,
    });
    if ("error" in peer) {
      console.error(`Cannot compare with ma_sound: the program does not build.\n${peer.error}`);
    }
    for (const [name, path] of Object.entries(paths)) {
      const ours = await measureOurs(path);
      const theirs = "error" in peer ? [] : await measurePeer(peer.program, path);
      printFigures(`seek to first sound, ten minutes of ${name}, 48 kHz stereo`, [
        { name: "ma_sound, out of the page cache", values: theirs },
        { name: "Loophole, out of the page cache", values: ours.cold },
        { name: "Loophole, resident", values: ours.resident },
      ]);
    }
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}

async function makeFiles(ffmpeg: string, folder: string): Promise<Record<string, string>> {
  const wav = `${folder}/sound.wav`;
  {
    using file = Deno.openSync(wav, { write: true, create: true });
    const write = (bytes: Uint8Array) => {
      for (let done = 0; done < bytes.length;) done += file.writeSync(bytes.subarray(done));
    };
    write(
      makeWav({ planes: [[], []], encoding: "s16", sampleRate: RATE }, {
        dataBytes: SECONDS * RATE * 4,
      }).subarray(0, 44),
    );
    for (let second = 0; second < SECONDS; second++) {
      const samples = new Int16Array(RATE * 2);
      if (second >= SILENT_SECONDS) {
        const sound = secondOfSound(second);
        for (let i = 0; i < samples.length; i++) {
          // A hum that is never still, below what varies.
          const hum = 0.1 * Math.sin(2 * Math.PI * 220 * (i >> 1) / RATE);
          samples[i] = 32_767 * Math.max(-1, Math.min(1, hum + 0.7 * sound[i]));
        }
      }
      write(new Uint8Array(samples.buffer));
    }
    file.syncSync();
  }
  const flac = `${folder}/sound.flac`;
  const mp3 = `${folder}/sound.mp3`;
  for (const args of [["-c:a", "flac", flac], ["-c:a", "libmp3lame", "-q:a", "2", mp3]]) {
    const { success, stderr } = await new Deno.Command(ffmpeg, {
      args: ["-v", "error", "-i", wav, ...args],
    }).output();
    if (!success) throw new Error(`ffmpeg: ${new TextDecoder().decode(stderr)}`);
    using file = Deno.openSync(args.at(-1)!, { write: true });
    file.syncSync(); // what is not on the disk yet cannot leave the page cache
  }
  return { WAV: wav, FLAC: flac, MP3: mp3 };
}

async function measureOurs(path: string): Promise<{ cold: number[]; resident: number[] }> {
  await using signal = await Signal.open({ sampleRate: RATE, memoryBytes: 500e6 });
  const { symbols, engine, renderer } = signal.native;
  const { sourceFrames } = await signal.openSource("a", path);
  await completeIndex(path);
  signal.publish(oneClip(sourceFrames), 1, []);
  // The silence goes round for as long as nobody seeks.
  signal.setLoop({ enabled: true, startFrame: 0, endFrame: (SILENT_SECONDS - 1) * RATE });
  signal.play(0);
  const out = new Float32Array(2 * PERIOD);
  const random = seededRandom(7);

  /** Plays period after period, each when it is due, and seeks in the midst. */
  const firstSound = (frame: number) => {
    const begun = performance.now();
    const seekAt = begun + (BEFORE + random()) * PERIOD_MS;
    let sought = NaN;
    for (let period = 1;; period++) {
      const due = begun + period * PERIOD_MS;
      for (let now = performance.now(); now < due; now = performance.now()) {
        if (now < seekAt || !Number.isNaN(sought)) continue;
        sought = performance.now();
        signal.seek(frame);
      }
      if (symbols.lp_render(renderer, out, PERIOD) < 0) throw new Error("It does not render");
      const since = performance.now() - sought;
      if (since > 0 && out.some((x) => Math.abs(x) > HEARD)) return since;
      if (since > PATIENCE_MS) throw new Error(`Nothing was heard from frame ${frame} on`);
    }
  };
  const toSilence = async () => {
    signal.seek(0);
    for (let i = 0; i < 10; i++) {
      symbols.lp_render(renderer, out, PERIOD);
      await sleep(15);
    }
  };

  const first = (SILENT_SECONDS + 1) * RATE;
  const cold: number[] = [];
  const resident: number[] = [];
  for (let i = 0; i < SEEKS; i++) {
    const frame = first + Math.floor(random() * (sourceFrames - first - 4 * RATE));
    await toSilence();
    symbols.lp_store_drop(engine);
    await sleep(150); // the silence is back, and the loop with it
    await leavePageCache(path);
    cold.push(firstSound(frame));
    await sleep(100); // what follows the place is there by then
    await toSilence();
    resident.push(firstSound(frame));
  }
  return { cold, resident };
}

/** As after an import. */
async function completeIndex(path: string): Promise<void> {
  const library = openLibraryAt(await ensureLibrary(), SCAN_SYMBOLS);
  try {
    using scan = Scan.open(library, path);
    while (scan.indexStep(50));
  } finally {
    await library.close();
  }
}

async function leavePageCache(path: string): Promise<void> {
  const { success } = await new Deno.Command("dd", {
    args: [`if=${path}`, "iflag=nocache", "count=0"],
    stderr: "null",
  }).output();
  if (!success) throw new Error(`dd cannot take ${path} out of the page cache`);
}

function oneClip(lengthFrames: number): MixModel {
  const body: MixClipBody = {
    clipId: "c",
    assetId: "a",
    lengthFrames,
    sourceFrame: 0,
    gainDb: 0,
    fadeInFrames: 0,
    fadeOutFrames: 0,
    rate: 1,
    speedMode: "matchSpeed",
  };
  return {
    tracks: [{
      trackId: "t",
      gainDb: 0,
      pan: 0,
      mute: false,
      solo: false,
      blocks: [{ start: 0, block: { clips: [{ at: 0, body }], maxEnd: lengthFrames } }],
    }],
  };
}

async function measurePeer(program: string, path: string): Promise<number[]> {
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args: [path, ...[PERIOD, SILENT_SECONDS * RATE, SECONDS * RATE, SEEKS].map(String)],
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).trim().split("\n").map(Number);
}
