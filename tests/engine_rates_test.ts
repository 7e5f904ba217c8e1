import { assert, assertEquals } from "@std/assert";
import type { Asset, Edit } from "../engine/pulse/types.ts";
import { ffmpeg, music } from "./support/compressed_files.ts";
import { EnginePlace, finished, ME } from "./support/engine_place.ts";
import { openScans, readAll } from "./support/media.ts";
import { resampleExactly } from "./support/reference_resampler.ts";
import { needs } from "./needs.ts";

const PROJECT_RATE = 48_000;
const SECONDS = 0.4;

/** Of each container eight rates that it may have, from far below the project's to far above it. */
const RATES = {
  wav: [8_000, 11_025, 22_050, 44_100, 88_200, 96_000, 192_000, 384_000],
  flac: [8_000, 16_000, 22_050, 32_000, 44_100, 88_200, 96_000, 176_400],
  mp3: [8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100],
} as const;

function rootMeanSquare(x: Float64Array): number {
  return Math.sqrt(x.reduce((sum, value) => sum + value * value, 0) / x.length);
}

Deno.test({
  name:
    "WAV, FLAC and MP3 of eight rates each: a mixdown is what a resampler in double precision gives",
  ...needs("ffmpeg"),
  async fn() {
    await using place = await EnginePlace.make();
    await using library = await openScans();
    const paths: string[] = [];
    for (const [container, rates] of Object.entries(RATES)) {
      for (const rate of rates) {
        const floats = music(2, Math.round(rate * SECONDS) + 1, rate);
        const wav = await place.wav(`${container} ${rate}.wav`, {
          planes: container === "flac"
            ? floats.map((plane) => plane.map((x) => Math.round(x * 2 ** 23)))
            : floats,
          encoding: container === "flac" ? "s24" : "f32",
          sampleRate: rate,
        });
        const path = wav.replace(/wav$/, container);
        if (container === "flac") await ffmpeg(["-i", wav, "-sample_fmt", "s32", path]);
        if (container === "mp3") await ffmpeg(["-i", wav, "-c:a", "libmp3lame", path]);
        paths.push(path);
      }
    }
    await using opened = await place.open({ sampleRate: PROJECT_RATE });
    const { engine } = opened;
    const edits: Edit[] = [{ op: "track.add", track: { trackId: "t" } }];
    const laid: { asset: Asset; startFrame: number; lengthFrames: number }[] = [];
    let startFrame = 0;
    for (const path of paths) {
      const asset = await engine.assets.register(path, undefined, ME);
      const { assetId, lengthSamples, sampleRate } = asset;
      const lengthFrames = Math.ceil(lengthSamples * PROJECT_RATE / sampleRate);
      edits.push({ op: "clip.add", trackId: "t", clip: { assetId, startFrame, lengthFrames } });
      laid.push({ asset, startFrame, lengthFrames });
      startFrame += lengthFrames;
    }
    engine.timeline.edit(edits, {}, ME);
    const { jobId } = engine.render.mixdown(
      { path: "mix.wav", container: "wav", sampleFormat: "f32" },
      ME,
    );
    const job = await finished(engine, jobId);
    assertEquals(job.state, "done", JSON.stringify(job.error));
    const mix = readAll(library, `${place.exports}/mix.wav`);
    assertEquals(mix[0].length, startFrame);

    for (const { asset, startFrame, lengthFrames } of laid) {
      const file = readAll(library, asset.path);
      assertEquals(file[0].length, asset.lengthSamples);
      for (const [c, plane] of file.entries()) {
        const exact = resampleExactly(plane, asset.sampleRate, PROJECT_RATE);
        assertEquals(exact.length, lengthFrames);
        const error = exact.map((x, i) => mix[c][startFrame + i] - x);
        const worst = error.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
        const db = 20 * Math.log10(rootMeanSquare(error) / rootMeanSquare(exact));
        // DESIGN §5: noise and distortion at single precision's own floor.
        assert(db < -150 && worst < 1e-7, `${asset.path}: ${db} dB, at most ${worst}`);
      }
    }
  },
});
