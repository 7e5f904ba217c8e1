/**
 * Compressed files for tests: made by ffmpeg from samples that are a formula, and what ffmpeg says that files hold.
 *
 * @module
 */
import { prng } from "./prng.ts";

/** Runs ffmpeg, or throws what it says. */
export async function ffmpeg(args: readonly string[]): Promise<Uint8Array<ArrayBuffer>> {
  const { success, stdout, stderr } = await new Deno.Command("ffmpeg", {
    args: ["-v", "error", "-nostdin", "-y", ...args],
  }).output();
  if (!success) throw new Error(`ffmpeg ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  return stdout;
}

/** What a file holds as interleaved 32-bit integers, with its bits at the top. */
export async function decodedByFfmpeg(path: string): Promise<Int32Array> {
  return new Int32Array(
    (await ffmpeg(["-i", path, "-f", "s32le", "-c:a", "pcm_s32le", "-"])).buffer,
  );
}

/** The same as floats: for codecs that have no bits. */
export async function floatsByFfmpeg(path: string): Promise<Float32Array> {
  return new Float32Array(
    (await ffmpeg(["-i", path, "-f", "f32le", "-c:a", "pcm_f32le", "-"])).buffer,
  );
}

/** What an MP3 holds as another decoder has it, without delay and padding. (ffmpeg's own takes MPEG-2 at 24 kHz differently, by 8e-4.) */
export async function floatsByMpg123(path: string): Promise<Float32Array> {
  const { success, stdout, stderr } = await new Deno.Command("mpg123", {
    args: ["-q", "-e", "f32", "-s", path],
  }).output();
  if (!success) throw new Error(`mpg123 ${path}: ${new TextDecoder().decode(stderr)}`);
  return new Float32Array(stdout.buffer);
}

/** Planes of tones under noise, neither silence nor hiss: what predictors and huffman tables have to work for. */
export function music(channels: number, frames: number, sampleRate: number): Float32Array[] {
  const random = prng(7);
  return Array.from({ length: channels }, (_, c) => {
    const step = 2 * Math.PI * (220 + 110 * c) / sampleRate;
    return Float32Array.from(
      { length: frames },
      (_, i) =>
        0.4 * Math.sin(i * step) * (1 + Math.sin(i / sampleRate)) / 2 +
        0.2 * Math.sin(i * step * 3.01) + 0.02 * (random.next() - 0.5),
    );
  });
}
