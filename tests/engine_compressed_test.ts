import { assertEquals } from "@std/assert";
import { ffmpeg, floatsByFfmpeg, music } from "./support/compressed_files.ts";
import { makeWav } from "./support/audio_files.ts";
import { EnginePlace, finished, lay, ME, until } from "./support/engine_place.ts";
import { openScans, readAll } from "./support/media.ts";
import type { Asset } from "../engine/pulse/types.ts";
import { needs } from "./needs.ts";

Deno.test({
  name: "a folder of FLAC and MP3 is listed, registered, analysed, and mixed down to the sample",
  ...needs("ffmpeg"),
  async fn() {
    await using place = await EnginePlace.make();
    const frames = 48_000 * 3 + 17;
    const wav = `${place.base}/source.wav`;
    const planes = music(2, frames, 48_000);
    await Deno.writeFile(wav, makeWav({ planes, encoding: "f32", sampleRate: 48_000 }));
    const made = [
      ["a.flac", "flac", "flac", 16, "-c:a", "flac", "-sample_fmt", "s16"],
      ["b.flac", "flac", "flac", 24, "-c:a", "flac", "-sample_fmt", "s32"],
      ["c.mp3", "mp3", "mp3", 32, "-c:a", "libmp3lame", "-b:a", "96k"],
    ] as [string, string, string, number, ...string[]][];
    for (const [name, , , , ...options] of made) {
      await ffmpeg(["-i", wav, ...options, `${place.library}/${name}`]);
    }
    await using opened = await place.open();
    const { engine } = opened;
    const assets: Asset[] = [];
    for (const [name, container, codec, bitDepth] of made) {
      const asset = await engine.assets.register(`${place.library}/${name}`, "sample", ME);
      assertEquals(
        [asset.container, asset.codec, asset.bitDepth, asset.channels, asset.lengthSamples],
        [container, codec, bitDepth, 2, (await floatsByFfmpeg(asset.path)).length / 2],
      );
      assets.push(asset);
    }
    await until(async () => {
      const { entries } = await engine.library.list({ path: place.library });
      return entries.length === 3 && entries.every(({ kind }) => kind === "audio") &&
        entries.every(({ durationSeconds }) => Math.abs((durationSeconds ?? 0) - 3) < 0.1);
    }, "the library knows how long its files are");
    engine.timeline.edit(lay(...assets), {}, ME);
    await until(
      () => assets.every(({ assetId }) => engine.assets.get(assetId).complete),
      "all are analysed",
    );
    const { jobId } = engine.render.mixdown(
      { path: "mix.wav", container: "wav", sampleFormat: "f32" },
      ME,
    );
    const job = await finished(engine, jobId);
    assertEquals(job.state, "done", JSON.stringify(job.error));
    const mix = await floatsByFfmpeg(`${place.exports}/mix.wav`);
    await using library = await openScans();
    let at = 0;
    for (const [name] of made) {
      const whole = readAll(library, `${place.library}/${name}`);
      for (let i = 0; i < whole[0].length; i++, at += 2) {
        for (let c = 0; c < 2; c++) {
          const got = mix[at + c];
          if (got !== whole[c][i]) {
            throw new Error(`${name}: frame ${i}: ${got}, not ${whole[c][i]}`);
          }
        }
      }
    }
  },
});
