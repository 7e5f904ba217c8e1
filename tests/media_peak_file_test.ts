import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  loadPeakFile,
  peakFilePath,
  probePeakFile,
  savePeakFile,
} from "../engine/media/peak_file.ts";
import { PeakFileError, type PeakSubject } from "../engine/media/peak_header.ts";
import { PeakImage } from "../engine/media/peak_image.ts";
import { BASE_FRAMES, levelBuckets, peakLayout } from "../engine/media/peak_layout.ts";
import { FLOATS_PER_PLANE, Scan, type ScanLibrary } from "../engine/media/scan.ts";
import { type AudioMaterial, makeWav, randomPlanes } from "./support/audio_files.ts";
import { finish, openScans, TemporaryFolder } from "./support/media.ts";
import { naivePeaks } from "./support/naive_peaks.ts";

const key = Uint8Array.from({ length: 32 }, (_, i) => i);

function subjectOf(scan: Scan, identityKey = key): PeakSubject {
  const { frames, channels, sampleRate, encoding } = scan.info;
  return { frames, channels, sampleRate, compact: encoding === "s16", identityKey };
}

/** The image of a material, gathered in steps of `step` buckets. */
async function imageOf(
  library: ScanLibrary,
  folder: TemporaryFolder,
  material: AudioMaterial,
  step: number,
): Promise<PeakImage> {
  using scan = Scan.open(library, await folder.write("image.wav", makeWav(material)));
  const image = PeakImage.create(subjectOf(scan));
  const out = new Float32Array(step * scan.planes * FLOATS_PER_PLANE);
  for (let at = 0; !image.complete;) {
    const got = scan.peaks(at * BASE_FRAMES, BASE_FRAMES, step, out);
    image.append(out, got);
    at += got;
  }
  finish(image.seal());
  return image;
}

Deno.test("levels go from 256 frames a bucket by fours to one bucket", () => {
  assertEquals(levelBuckets(1), [1]);
  assertEquals(levelBuckets(256), [1]);
  assertEquals(levelBuckets(257), [2, 1]);
  assertEquals(levelBuckets(256 * 17), [17, 5, 2, 1]);
  assertEquals(levelBuckets(172_800_000), [
    675_000,
    168_750,
    42_188,
    10_547,
    2637,
    660,
    165,
    42,
    11,
    3,
    1,
  ]);
  const hour = peakLayout({ frames: 172_800_000, channels: 2, compact: true });
  assert(hour.fileBytes < 25.3e6, `${hour.fileBytes}`);
  for (const level of hour.levels) {
    for (const { min, max, rms } of level.planes) {
      assertEquals([min % 64, max % 64, rms % 64], [0, 0, 0]);
    }
  }
});

Deno.test("every level of an image equals the definition, in whatever steps it was gathered", async () => {
  await using library = await openScans();
  await using folder = await TemporaryFolder.make();
  for (
    const [encoding, channels, frames] of [["s16", 2, 20_001], ["f32", 1, 4096], [
      "s24",
      3,
      9000,
    ]] as const
  ) {
    const material: AudioMaterial = {
      planes: randomPlanes(2, channels, frames, encoding),
      encoding,
    };
    let bytes: Uint8Array | undefined;
    for (const step of [1, 3, 1000]) {
      const image = await imageOf(library, folder, material, step);
      bytes ??= image.bytes;
      assertEquals(image.bytes, bytes, `${encoding} in steps of ${step}`);
      if (step > 1) continue;
      for (const level of image.levels) {
        assertEquals(level.filled, level.buckets);
        for (let b = 0; b < level.buckets; b++) {
          const start = b * level.framesPerBucket;
          const end = Math.min(frames, start + level.framesPerBucket);
          naivePeaks(material, start, end).planes.forEach((peak, p) => {
            const { min, max, rms, scale } = level.planes[p];
            assertEquals([min[b] * scale, max[b] * scale], [peak.min, peak.max]);
            assert(Math.abs(rms[b] - peak.rms) < 1e-6);
          });
        }
      }
    }
  }
});

Deno.test("a peak file comes back as it was written, and says at a glance what it holds", async () => {
  await using library = await openScans();
  await using folder = await TemporaryFolder.make();
  const material: AudioMaterial = { planes: randomPlanes(4, 2, 5000, "s16"), encoding: "s16" };
  const image = await imageOf(library, folder, material, 8);
  const path = peakFilePath(folder.path, key);
  assertEquals(probePeakFile(path, image.subject), undefined);
  assertEquals(loadPeakFile(path, image.subject), undefined);
  finish(savePeakFile(path, image));
  assert(probePeakFile(path, image.subject) !== undefined);
  const read = loadPeakFile(path, image.subject)!;
  assertEquals(read.bytes, image.bytes);
  assertEquals(read.analysedFrames, 5000);
  assertEquals([...Deno.readDirSync(path.slice(0, path.lastIndexOf("/")))].length, 1); // nothing left beside
});

Deno.test("a damaged, truncated, older or foreign peak file is refused, whatever byte is wrong", async () => {
  await using library = await openScans();
  await using folder = await TemporaryFolder.make();
  const material: AudioMaterial = { planes: randomPlanes(4, 2, 1500, "s16"), encoding: "s16" };
  const image = await imageOf(library, folder, material, 8);
  const { subject } = image;
  for (let at = 0; at < image.bytes.length; at++) {
    const damaged = image.bytes.slice();
    damaged[at] ^= 1 << (at % 8);
    assertThrows(() => PeakImage.open(damaged, subject), PeakFileError, "", `byte ${at}`);
  }
  for (const length of [0, 7, 64, 127, 128, 300, image.bytes.length - 1]) {
    assertThrows(() => PeakImage.open(image.bytes.slice(0, length), subject), PeakFileError);
  }
  const longer = new Uint8Array(image.bytes.length + 1);
  longer.set(image.bytes);
  assertThrows(() => PeakImage.open(longer, subject), PeakFileError);
  for (
    const other of [
      { ...subject, identityKey: new Uint8Array(32) },
      { ...subject, frames: 1501 },
      { ...subject, channels: 1 },
      { ...subject, sampleRate: 44_100 },
      { ...subject, compact: false },
    ]
  ) assertThrows(() => PeakImage.open(image.bytes.slice(), other), PeakFileError);
  // One that is refused is deleted, so that it is made anew.
  const path = await folder.write("bad.peaks", image.bytes.slice(0, 500));
  assertEquals(loadPeakFile(path, subject), undefined);
  assertThrows(() => Deno.statSync(path), Deno.errors.NotFound);
});

Deno.test("a peak file that cannot be written leaves nothing behind", async () => {
  await using library = await openScans();
  await using folder = await TemporaryFolder.make();
  const material: AudioMaterial = { planes: randomPlanes(4, 1, 500, "s16"), encoding: "s16" };
  const image = await imageOf(library, folder, material, 8);
  const blocked = await folder.write("peaks", new Uint8Array(1)); // a file where the folder should be
  assertThrows(() => finish(savePeakFile(`${blocked}/aa/x.peaks`, image)));
  const cancelled = savePeakFile(`${folder.path}/new/x.peaks`, image);
  cancelled.next();
  cancelled.return();
  assertEquals([...Deno.readDirSync(`${folder.path}/new`)], []);
});
