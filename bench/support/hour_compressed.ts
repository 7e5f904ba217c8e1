/**
 * An hour of varied stereo at 48 kHz as WAV, FLAC of 16 and of 24 bits (without seek tables), and MP3 with an encoder's header, made once by
 * ffmpeg and kept under `.build/bench`.
 *
 * @module
 */
import { findOnPath } from "../../tests/needs.ts";
import { HOUR_FOLDER } from "./hour_wav.ts";
import { RATE, secondOfSound } from "./varied_sound.ts";

export const HOUR_SECONDS = 3_600;

/** The files by what they are. The number in their names grows when their content changes. */
export const HOURS = {
  wav16: `${HOUR_FOLDER}/varied-1.wav`,
  flac16: `${HOUR_FOLDER}/varied-1-16.flac`,
  flac24: `${HOUR_FOLDER}/varied-1-24.flac`,
  mp3: `${HOUR_FOLDER}/varied-1.mp3`,
} as const;

export type Hour = keyof typeof HOURS;

const ENCODE: Record<Hour, readonly string[]> = {
  wav16: ["-c:a", "pcm_s16le"],
  flac16: ["-c:a", "flac", "-sample_fmt", "s16"],
  flac24: ["-c:a", "flac", "-sample_fmt", "s32"],
  mp3: ["-c:a", "libmp3lame", "-q:a", "2"],
};

/** Makes what is not there, which takes minutes the first time. False, said on the console, where ffmpeg is not installed. */
export async function makeHours(): Promise<boolean> {
  const missing = (Object.keys(HOURS) as Hour[]).filter((hour) => !exists(HOURS[hour]));
  if (missing.length === 0) return true;
  const ffmpeg = findOnPath("ffmpeg");
  if (ffmpeg === undefined) {
    console.log("Skipped: ffmpeg, which makes the hour of FLAC and MP3, is not installed");
    return false;
  }
  console.log(`Making an hour of sound as ${missing.join(", ")}: minutes, once`);
  await Deno.mkdir(HOUR_FOLDER, { recursive: true });
  const unfinished = missing.map((hour) => HOURS[hour].replace(/(\.\w+)$/, ".part$1"));
  const child = new Deno.Command(ffmpeg, {
    args: [
      ...["-v", "error", "-y", "-f", "f32le", "-ar", `${RATE}`, "-ac", "2", "-i", "-"],
      ...missing.flatMap((hour, i) => [...ENCODE[hour], unfinished[i]]),
    ],
    stdin: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  for (let second = 0; second < HOUR_SECONDS; second++) {
    await writer.write(new Uint8Array(secondOfSound(second).buffer));
  }
  await writer.close();
  const { success } = await child.status;
  if (!success) throw new Error("ffmpeg did not make the hour");
  for (const [i, hour] of missing.entries()) await Deno.rename(unfinished[i], HOURS[hour]);
  return true;
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
