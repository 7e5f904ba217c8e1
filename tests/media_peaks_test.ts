import { assert, assertEquals } from "@std/assert";
import { FLOATS_PER_PLANE, Scan } from "../engine/media/scan.ts";
import {
  type AudioMaterial,
  makeAiff,
  makeWav,
  randomPlanes,
  seededRandom,
} from "./support/audio_files.ts";
import { ffmpeg, music } from "./support/compressed_files.ts";
import { naivePeaks } from "./support/naive_peaks.ts";
import { openScans, TemporaryFolder } from "./support/media.ts";
import { needs } from "./needs.ts";

/** −0 and subnormals compare as 0 (DESIGN §13). */
const plain = (x: number) => Math.abs(x) < 2 ** -126 ? 0 : x;

function compare(material: AudioMaterial, scan: Scan, start: number, bucket: number, name: string) {
  const frames = material.planes[0].length;
  const buckets = Math.ceil((frames - start) / bucket);
  const out = new Float32Array((buckets + 1) * scan.planes * FLOATS_PER_PLANE);
  assertEquals(scan.peaks(start, bucket, buckets + 1, out), buckets, name);
  for (let b = 0; b < buckets; b++) {
    const from = start + b * bucket;
    const naive = naivePeaks(material, from, Math.min(frames, from + bucket));
    assertEquals(naive.planes.length, scan.planes);
    naive.planes.forEach((peak, p) => {
      const at = (b * scan.planes + p) * FLOATS_PER_PLANE;
      const where = `${name}, bucket ${b} of ${bucket}, plane ${p}`;
      assertEquals(plain(out[at]), plain(peak.min), `${where}: min`);
      assertEquals(plain(out[at + 1]), plain(peak.max), `${where}: max`);
      assert(
        Math.abs(out[at + 2] - peak.rms) <= 1e-6 * Math.max(1, peak.rms),
        `${where}: rms ${out[at + 2]}, ${peak.rms}`,
      );
    });
  }
}

Deno.test("peaks equal the definition for every encoding, channel count and bucket: min and max bit for bit", async () => {
  await using library = await openScans();
  await using folder = await TemporaryFolder.make();
  const frames = 1733;
  for (const encoding of ["u8", "s8", "s16", "s24", "s32", "f32", "f64"] as const) {
    for (const channels of [1, 2, 3, 5, 8]) {
      const m: AudioMaterial = {
        planes: randomPlanes(channels + 11, channels, frames, encoding),
        encoding,
      };
      const isFloat = encoding === "f32" || encoding === "f64";
      const files = [
        ...(encoding === "s8" ? [] : [makeWav(m), makeWav(m, { container: "rifx" })]),
        ...(encoding === "u8" ? [] : [
          makeAiff(m, isFloat ? { compression: encoding === "f32" ? "fl32" : "fl64" } : {}),
        ]),
      ];
      for (const bytes of files) {
        using scan = Scan.open(library, await folder.write("peaks", bytes));
        const name = `${scan.info.container} ${encoding} ${channels}`;
        for (const [start, bucket] of [[0, 256], [0, 4096], [1, 1], [5, 7], [1000, 255]]) {
          compare(m, scan, bucket === 1 ? 1700 : start, bucket, name);
        }
      }
    }
  }
});

Deno.test("peaks of one sample, of a bucket longer than the file, and of nothing", async () => {
  await using library = await openScans();
  await using folder = await TemporaryFolder.make();
  for (const frames of [1, 2, 255, 256, 257]) {
    const m: AudioMaterial = { planes: randomPlanes(2, 2, frames, "s16"), encoding: "s16" };
    using scan = Scan.open(library, await folder.write("short.wav", makeWav(m)));
    compare(m, scan, 0, 256, `${frames} frames`);
    compare(m, scan, 0, 2 ** 32 - 1, `${frames} frames`);
    const out = new Float32Array(9);
    assertEquals(scan.peaks(frames, 256, 1, out), 0);
    assertEquals(scan.peaks(0, 256, 0, out), 0);
  }
});

Deno.test("a long bucket, over many windows of the file, equals the definition", async () => {
  await using library = await openScans();
  await using folder = await TemporaryFolder.make();
  for (const encoding of ["s16", "s24", "f32"] as const) {
    const m: AudioMaterial = { planes: randomPlanes(9, 2, 250_001, encoding), encoding };
    using scan = Scan.open(library, await folder.write("long.wav", makeWav(m)));
    compare(m, scan, 0, 100_000, encoding);
  }
});

Deno.test("full-scale squares do not overflow: rms of a square wave at −32768 is 1", async () => {
  await using library = await openScans();
  await using folder = await TemporaryFolder.make();
  for (const channels of [1, 2, 3]) {
    const planes = Array.from({ length: channels }, () => new Int16Array(300_000).fill(-32768));
    using scan = Scan.open(
      library,
      await folder.write("full.wav", makeWav({ planes, encoding: "s16" })),
    );
    const out = new Float32Array(scan.planes * 3);
    assertEquals(scan.peaks(0, 300_000, 1, out), 1);
    for (let p = 0; p < scan.planes; p++) {
      assertEquals([...out.subarray(3 * p, 3 * p + 3)], [-1, -1, 1]);
    }
  }
});

Deno.test("anti-phase stereo is silent in the mix and loud in its channels", async () => {
  await using library = await openScans();
  await using folder = await TemporaryFolder.make();
  for (const encoding of ["s16", "f32"] as const) {
    const [left] = randomPlanes(1, 1, 512, encoding);
    left[3] = left[5] = 0;
    const m: AudioMaterial = { planes: [left, left.map((x) => -x)], encoding };
    using scan = Scan.open(library, await folder.write("anti.wav", makeWav(m)));
    const out = new Float32Array(9);
    scan.peaks(0, 512, 1, out);
    assertEquals([...out.subarray(6)].map(plain), [0, 0, 0]);
    assert(out[1] > 0.9 && out[4] > 0.9);
  }
});

Deno.test("NaN and infinity count as 0 and are counted, in any place and channel", async () => {
  await using library = await openScans();
  await using folder = await TemporaryFolder.make();
  const random = seededRandom(8);
  for (const encoding of ["f32", "f64"] as const) {
    for (const channels of [1, 2, 6]) {
      const planes = randomPlanes(3, channels, 1000, encoding);
      const bad = [NaN, Infinity, -Infinity];
      for (let i = 0; i < 60; i++) {
        planes[Math.floor(random() * channels)][Math.floor(random() * 1000)] =
          bad[Math.floor(random() * 3)];
      }
      const m: AudioMaterial = { planes, encoding };
      using scan = Scan.open(library, await folder.write("bad.wav", makeWav(m)));
      compare(m, scan, 0, 256, `${encoding} ${channels}`);
      assertEquals(scan.invalidSamples, naivePeaks(m, 0, 1000).invalid);
      assert(scan.invalidSamples > 40);
    }
  }
});

Deno.test("sums beyond the range of float stay finite", async () => {
  await using library = await openScans();
  await using folder = await TemporaryFolder.make();
  const huge = Math.fround(3.4e38);
  const m: AudioMaterial = { planes: [[huge, -huge], [huge, -huge]], encoding: "f32" };
  using scan = Scan.open(library, await folder.write("huge.wav", makeWav(m)));
  const out = new Float32Array(9);
  scan.peaks(0, 2, 1, out);
  assert(out.every(Number.isFinite), String(out));
  assertEquals([out[0], out[1]], [-huge, huge]);
  const largest = 3.4028234663852886e38;
  assertEquals([out[6], out[7]], [-largest, largest]);
});

Deno.test({
  name: "peaks of long FLAC and MP3, decoded ahead by threads, are those of each bucket by itself",
  ...needs("ffmpeg"),
  async fn() {
    await using library = await openScans();
    await using folder = await TemporaryFolder.make();
    const planes = music(1, 2_300_000, 48_000);
    const wav = await folder.write("long.wav", makeWav({ planes, encoding: "f32" }));
    for (const [name, ...options] of [["a.flac", "-sample_fmt", "s16"], ["a.mp3", "-b:a", "64k"]]) {
      const path = `${folder.path}/${name}`;
      await ffmpeg(["-i", wav, ...options, path]);
      using ordered = Scan.open(library, path);
      using single = Scan.open(library, path);
      const buckets = Math.ceil(ordered.info.frames / 256);
      const all = new Float32Array(buckets * 3);
      for (let at = 0; at < buckets;) {
        const out = new Float32Array(500 * 3);
        const got = ordered.peaks(at * 256, 256, 500, out);
        assert(got > 0);
        all.set(out.subarray(0, got * 3), at * 3);
        at += got;
      }
      assertEquals(ordered.peaks(ordered.info.frames, 256, 1, new Float32Array(3)), 0);
      const random = seededRandom(5);
      for (let n = 0; n < 300; n++) {
        const bucket = n === 0 ? buckets - 1 : Math.floor(random() * buckets);
        const out = new Float32Array(3);
        assertEquals(single.peaks(bucket * 256, 256, 1, out), 1);
        assertEquals(out, all.subarray(bucket * 3, bucket * 3 + 3), `${name}: bucket ${bucket}`);
      }
    }
  },
});
