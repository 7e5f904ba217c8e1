/**
 * Builds `native/media_main.c` (pages of compressed files) and `native/media_fuzz_main.c` (damaged ones) and runs them on files that ffmpeg
 * makes and on the fixtures, plain and under the sanitizers that the compiler has. What each proves is said there.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { makeWav } from "./support/audio_files.ts";
import { ffmpeg, music } from "./support/compressed_files.ts";
import { FIXTURES, HAS_FIXTURES, TemporaryFolder } from "./support/media.ts";
import { buildNative, nativeModeWorks, runNative } from "./support/native_program.ts";
import { needs } from "./needs.ts";

const linux = Deno.build.os === "linux";

/** Files of every kind: with and without a seek table, constant and variable rates, low ones, one channel and six. */
async function files(folder: TemporaryFolder, seconds: number): Promise<string[]> {
  const made: string[] = [];
  for (
    const [channels, rate, name, ...options] of [
      [2, 44_100, "a.flac", "-c:a", "flac", "-sample_fmt", "s16"],
      [6, 48_000, "b.flac", "-c:a", "flac", "-sample_fmt", "s32"],
      [2, 44_100, "c.oga", "-c:a", "flac", "-sample_fmt", "s16", "-f", "ogg"],
      [2, 44_100, "d.mp3", "-c:a", "libmp3lame", "-q:a", "3"],
      [2, 48_000, "e.mp3", "-c:a", "libmp3lame", "-b:a", "128k", "-write_xing", "0"],
      [1, 22_050, "f.mp3", "-c:a", "libmp3lame", "-b:a", "8k"],
      [2, 24_000, "g.mp3", "-c:a", "libmp3lame", "-b:a", "16k"],
    ] as [number, number, string, ...string[]][]
  ) {
    const planes = music(channels, Math.floor(rate * seconds), rate);
    const wav = await folder.write(
      "source.wav",
      makeWav({ planes, encoding: "f32", sampleRate: rate }),
    );
    await ffmpeg(["-i", wav, ...options, `${folder.path}/${name}`]);
    made.push(`${folder.path}/${name}`);
  }
  const real = ["flac-01.flac", "flac-23.flac", "flac-38.flac", "mp3_variable_stereo.mp3"];
  return HAS_FIXTURES ? made.concat(real.map((name) => FIXTURES + name)) : made;
}

for (
  const [mode, promise, seconds] of [
    [
      "plain",
      "pages of compressed files hold a linear decode's samples, whatever the order and the threads",
      20,
    ],
    ["address", "the same without a wrong access (address sanitizer)", 2],
    ["thread", "the same without a data race (thread sanitizer)", 2],
  ] as const
) {
  Deno.test({
    name: promise,
    ignore: !linux || needs("ffmpeg").ignore ||
      (mode !== "plain" && !(await nativeModeWorks(mode))),
    fn: async () => {
      await using folder = await TemporaryFolder.make();
      const all = await files(folder, seconds);
      const program = await buildNative("media", mode);
      const { ok, text } = await runNative(program, mode === "plain" ? all : all.slice(0, 7));
      assertEquals(ok, true, text);
    },
  });
}

Deno.test({
  name:
    "damaged FLAC and MP3 files: no wrong access, an end, and the same samples wherever decoding begins",
  ignore: !linux || needs("ffmpeg").ignore || !(await nativeModeWorks("address")),
  fn: async () => {
    await using folder = await TemporaryFolder.make();
    const all = await files(folder, 2);
    const program = await buildNative("media_fuzz", "address");
    const { ok, text } = await runNative(program, ["700", "11", ...all]);
    assertEquals(ok, true, text);
  },
});
