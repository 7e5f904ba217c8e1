/**
 * Files for many voices at a time: each an inode of its own, of a few sounds that differ, in a temporary folder.
 *
 * @module
 */
import { findOnPath } from "../../tests/needs.ts";
import { makeWav } from "../../tests/support/audio_files.ts";
import { RATE, secondOfSound } from "./varied_sound.ts";

/** Sounds that the files are copies of, one after the other. */
const SOUNDS = 16;
/** Longer than a voice is played. */
const SECONDS = 16;

/** How the voices' files are coded; `wav44` is at 44.1 kHz, the others at 48. */
export type VoiceKind = "wav" | "flac" | "wav44";

export class VoiceFiles implements Disposable {
  readonly folder = Deno.makeTempDirSync({ prefix: "voices" });
  readonly #made = new Map<VoiceKind, string[]>();
  #masters: string[] | undefined;

  /** Paths of `count` files, made if they are not there yet. */
  async make(kind: VoiceKind, count: number): Promise<string[]> {
    const paths = this.#made.getOrInsertComputed(kind, () => []);
    if (paths.length >= count) return paths.slice(0, count);
    this.#masters ??= makeMasters(this.folder);
    const masters = kind === "wav" ? this.#masters : await Promise.all(
      this.#masters.map((master, i) => convert(master, `${this.folder}/${kind}-master-${i}`, kind)),
    );
    while (paths.length < count) {
      const path = `${this.folder}/${paths.length}-${kind}.${kind === "flac" ? "flac" : "wav"}`;
      await Deno.copyFile(masters[paths.length % SOUNDS], path);
      paths.push(path);
    }
    return paths.slice();
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.folder, { recursive: true });
  }
}

/** Whether what makes files of this kind is installed; says so if it is not. */
export function canMake(kind: VoiceKind): boolean {
  if (kind === "wav" || findOnPath("ffmpeg") !== undefined) return true;
  console.log(`Skipped: ffmpeg, which makes the files (${kind}), is not installed`);
  return false;
}

function makeMasters(folder: string): string[] {
  return Array.from({ length: SOUNDS }, (_, sound) => {
    const samples = new Int16Array(SECONDS * RATE * 2);
    for (let second = 0; second < SECONDS; second++) {
      samples.set(
        Int16Array.from(
          secondOfSound(sound * SECONDS + second),
          (x) => Math.max(-32_768, Math.min(32_767, Math.round(x * 32_767))),
        ),
        second * RATE * 2,
      );
    }
    const path = `${folder}/master-${sound}.wav`;
    const head = makeWav(
      { planes: [[], []], encoding: "s16", sampleRate: RATE },
      { dataBytes: samples.byteLength },
    );
    using file = Deno.openSync(path, { write: true, create: true });
    for (const part of [head.subarray(0, 44), new Uint8Array(samples.buffer)]) {
      for (let done = 0; done < part.length;) done += file.writeSync(part.subarray(done));
    }
    return path;
  });
}

async function convert(from: string, to: string, kind: VoiceKind): Promise<string> {
  const path = `${to}.${kind === "flac" ? "flac" : "wav"}`;
  const { success, stderr } = await new Deno.Command(findOnPath("ffmpeg")!, {
    args: [
      ...["-v", "error", "-y", "-i", from],
      ...(kind === "flac" ? ["-c:a", "flac"] : ["-ar", "44100", "-c:a", "pcm_s16le"]),
      path,
    ],
  }).output();
  if (!success) throw new Error(`ffmpeg: ${new TextDecoder().decode(stderr)}`);
  return path;
}
