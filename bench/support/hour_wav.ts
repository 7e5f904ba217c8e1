/**
 * An hour of stereo at 48 kHz in 16 bits, which sounds different all the time: made once, kept under `.build/bench`.
 *
 * @module
 */
import { makeWav, seededRandom } from "../../tests/support/audio_files.ts";

const RATE = 48_000;
/** Frames of the hour. */
export const HOUR_FRAMES = 3_600 * RATE;
/** Where it lies; the number grows when its content changes. */
export const HOUR_FOLDER = import.meta.dirname!.replace(/bench[/\\]support$/, ".build/bench");
const PATH = `${HOUR_FOLDER}/hour-1.wav`;

/** The file's path; the first call on a machine makes it, which takes seconds. */
export async function hourWav(): Promise<string> {
  if ((await Deno.stat(PATH).catch(() => null))?.isFile) return PATH;
  await Deno.mkdir(HOUR_FOLDER, { recursive: true });
  const unfinished = `${PATH}.${crypto.randomUUID()}`;
  {
    using file = await Deno.open(unfinished, { write: true, createNew: true });
    const writer = file.writable.getWriter();
    const head = makeWav({ planes: [[], []], encoding: "s16" }, { dataBytes: HOUR_FRAMES * 4 });
    await writer.write(head.subarray(0, 44));
    for (let second = 0; second < 3_600; second++) {
      await writer.write(new Uint8Array(secondOfSound(second).buffer));
    }
    await writer.close();
  }
  await Deno.rename(unfinished, PATH);
  return PATH;
}

/** Three sines and noise under an envelope of their own, interleaved; some seconds are nearly silent, some reach full scale. */
function secondOfSound(second: number): Int16Array<ArrayBuffer> {
  const random = seededRandom(second + 1);
  const loudness = random() ** 2 * 30_000;
  const decay = Math.exp(-8 * random() / RATE);
  const hiss = random() ** 3 / 2 ** 31;
  const sines = Array.from({ length: 3 }, () => {
    const step = 2 * Math.PI * (60 + 4_000 * random() ** 2) / RATE;
    return { cos: Math.cos(step), sin: Math.sin(step), re: 0.3, im: 0 };
  });
  const right = 0.3 + 0.7 * random();
  const samples = new Int16Array(RATE * 2);
  let noise = 1 + second;
  let envelope = loudness;
  for (let i = 0; i < samples.length; i += 2) {
    let tone = 0;
    for (const sine of sines) {
      const { re, im, cos, sin } = sine;
      sine.re = re * cos - im * sin;
      sine.im = re * sin + im * cos;
      tone += sine.im;
    }
    noise ^= noise << 13;
    noise ^= noise >>> 17;
    noise ^= noise << 5;
    envelope *= decay;
    samples[i] = envelope * (tone + hiss * noise * 0.1);
    samples[i + 1] = envelope * (tone * right - hiss * noise * 0.1);
  }
  return samples;
}
