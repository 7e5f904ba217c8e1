import { createHash } from "node:crypto";
import { assert, assertEquals } from "@std/assert";
import { encodeWaveformDat } from "../engine/media/waveform_data.ts";
import { waveformFromScan } from "../engine/media/waveform_values.ts";
import { Scan } from "../engine/media/scan.ts";
import { EngineError } from "../engine/errors.ts";
import { makeWav } from "./support/audio_files.ts";
import { decodedByFfmpeg, ffmpeg, music } from "./support/compressed_files.ts";
import { type FlacFrame, type FlacMaterial, makeFlac, type Side } from "./support/flac_writer.ts";
import {
  finish,
  FIXTURES,
  HAS_FIXTURES,
  openScans,
  readAll,
  TemporaryFolder,
} from "./support/media.ts";
import { needs } from "./needs.ts";
import { prng } from "./support/prng.ts";

const REAL = ["flac-01", "flac-07", "flac-14", "flac-23", "flac-38", "flac-60", "test_file_stereo"];

/** Integers from what a scan reads; exact to 24 bits. */
const integers = (planes: Float32Array[], bits: number): Int32Array[] =>
  planes.map((plane) => Int32Array.from(plane, (x) => x * 2 ** (bits - 1)));

for (const name of REAL) {
  Deno.test({
    name: `${name}.flac has the samples whose MD5 its encoder wrote into it`,
    ignore: !HAS_FIXTURES,
    async fn() {
      await using library = await openScans();
      const path = `${FIXTURES}${name}.flac`;
      const head = Deno.readFileSync(path).subarray(26, 42);
      using scan = Scan.open(library, path);
      const { frames, channels, bits, container } = scan.info;
      assertEquals(container, "flac");
      const planes = integers(readAll(library, path), bits);
      const width = Math.ceil(bits / 8);
      const bytes = new Uint8Array(frames * channels * width);
      for (let i = 0, at = 0; i < frames; i++) {
        for (let c = 0; c < channels; c++) {
          for (let k = 0; k < width; k++) bytes[at++] = planes[c][i] >> 8 * k & 255;
        }
      }
      assertEquals(createHash("md5").update(bytes).digest("hex"), head.toHex());
    },
  });
}

Deno.test({
  name: "waveform.dat of a FLAC file equals audiowaveform's byte for byte",
  ignore: !HAS_FIXTURES,
  async fn() {
    await using library = await openScans();
    using scan = Scan.open(library, `${FIXTURES}test_file_stereo.flac`);
    const values = finish(waveformFromScan(scan, { samplesPerPixel: 64, split: false }));
    assertEquals(
      encodeWaveformDat(values, 8),
      Deno.readFileSync(`${FIXTURES}test_file_stereo_8bit_64spp_flac.dat`),
    );
  },
});

Deno.test({
  name:
    "what ffmpeg encodes comes back as ffmpeg decodes it: 1 to 8 channels, 16 and 24 bits, native and in Ogg",
  ...needs("ffmpeg"),
  async fn() {
    await using library = await openScans();
    await using folder = await TemporaryFolder.make();
    for (const channels of [1, 2, 3, 6, 8]) {
      const planes = music(channels, 30_011, 44_100);
      const wav = await folder.write(
        `${channels}.wav`,
        makeWav({ planes, encoding: "f32", sampleRate: 44_100 }),
      );
      for (
        const [ending, ...options] of [
          ["flac", "-sample_fmt", "s16"],
          ["flac", "-sample_fmt", "s32", "-compression_level", "12", "-frame_size", "1000"],
          ["oga", "-sample_fmt", "s16", "-compression_level", "0", "-f", "ogg"],
        ]
      ) {
        const path = `${folder.path}/${channels}-${options[1]}.${ending}`;
        await ffmpeg(["-i", wav, "-c:a", "flac", ...options, path]);
        const expected = await decodedByFfmpeg(path);
        using scan = Scan.open(library, path);
        assertEquals(scan.info.channels, channels);
        assertEquals(scan.info.container, ending === "oga" ? "oggFlac" : "flac");
        assertEquals(scan.info.frames, expected.length / channels);
        const got = integers(readAll(library, path), 32);
        for (let c = 0; c < channels; c++) {
          for (let i = 0; i < scan.info.frames; i++) {
            if (got[c][i] !== expected[i * channels + c]) {
              throw new Error(
                `${path}: frame ${i}: ${got[c][i]}, not ${expected[i * channels + c]}`,
              );
            }
          }
        }
      }
    }
  },
});

/** Planes of integers over all of their range, smooth enough for predictors now and then. */
function integerPlanes(channels: number, length: number, bits: number, wasted = 0): number[][] {
  const random = prng(bits * 10 + channels);
  const most = 2 ** (bits - 1 - wasted);
  return Array.from({ length: channels }, (_, c) =>
    Array.from({ length }, (_, i) => {
      const smooth = Math.sin(i / (20 + c)) * (most / 2);
      const x = i % 97 === 0 ? random.int(2 * most) - most : Math.round(smooth + random.int(5) - 2);
      return Math.max(-most, Math.min(most - 1, x)) * 2 ** wasted;
    }));
}

const split = (length: number, block: number, frame: Partial<FlacFrame> = {}): FlacFrame[] =>
  Array.from({ length: Math.ceil(length / block) }, (_, i) => ({
    block: Math.min(block, length - i * block),
    ...frame,
  }));

/** Reads the file in one go, and in random pieces that must say the same; both must be the material's own samples. */
async function check(folder: TemporaryFolder, name: string, m: FlacMaterial): Promise<void> {
  await using library = await openScans();
  const path = await folder.write(`${name}.flac`, makeFlac(m).bytes);
  using scan = Scan.open(library, path);
  assertEquals(scan.info.bits, m.bits, name);
  assertEquals(scan.info.frames, m.planes[0].length, name);
  const got = readAll(library, path);
  m.planes.forEach((plane, c) => {
    for (let i = 0; i < plane.length; i++) {
      const expected = Math.fround(plane[i] / 2 ** (m.bits - 1));
      if (got[c][i] !== expected) {
        throw new Error(`${name}: channel ${c}, frame ${i}: ${got[c][i]}, not ${expected}`);
      }
    }
  });
  const random = prng(1);
  const channels = m.planes.length;
  for (let n = 0; n < 20; n++) {
    const start = random.int(scan.info.frames);
    const part = new Float32Array(100 * channels);
    const read = scan.read(start, 100, part);
    for (let c = 0; c < channels; c++) {
      assertEquals(part.subarray(c * 100, c * 100 + read), got[c].subarray(start, start + read));
    }
  }
}

Deno.test("every kind of subframe and every width from 4 to 32 bits is exact", async () => {
  await using folder = await TemporaryFolder.make();
  for (const bits of [4, 8, 11, 12, 16, 17, 20, 24, 31, 32]) {
    const planes = integerPlanes(2, 1500, bits);
    const kinds = [
      "verbatim",
      "fixed0",
      "fixed1",
      "fixed2",
      "fixed3",
      "fixed4",
      "lpc",
      "escape",
    ] as const;
    for (const subframe of bits > 24 ? ["verbatim"] as const : kinds) {
      await check(folder, `${bits} ${subframe}`, {
        planes,
        bits,
        frames: split(1500, 400, { subframe }),
      });
    }
  }
});

Deno.test("each way of coding stereo is exact, also where the side channel has 33 bits", async () => {
  await using folder = await TemporaryFolder.make();
  for (const bits of [8, 16, 24, 31, 32]) {
    for (const side of ["left", "right", "mid"] satisfies Side[]) {
      const planes = integerPlanes(2, 900, bits);
      planes[0][5] = 2 ** (bits - 1) - 1;
      planes[1][5] = -(2 ** (bits - 1));
      planes[0][6] = -(2 ** (bits - 1));
      planes[1][6] = 2 ** (bits - 1) - 1;
      await check(folder, `${bits} ${side}`, {
        planes,
        bits,
        frames: split(900, 256, { side, subframe: "verbatim" }),
      });
    }
    // A smooth one, whose residuals are small enough for predictors of the wide side channel too.
    const slow = [0, 1].map((c) =>
      Array.from({ length: 900 }, (_, i) => Math.round(Math.sin(i / 300 + c) * 2 ** (bits - 2)))
    );
    if (bits !== 8) {
      for (const subframe of ["fixed2", "lpc"] as const) {
        await check(folder, `${bits} smooth ${subframe}`, {
          planes: slow,
          bits,
          frames: split(900, 256, {
            side: "mid",
            subframe: bits > 24 && subframe === "lpc" ? "fixed3" : subframe,
          }),
        });
      }
    }
  }
});

Deno.test("constants, wasted bits, blocks of any size, numbers of samples, tags in front, unknown claims", async () => {
  await using folder = await TemporaryFolder.make();
  const flat = [Array<number>(700).fill(-3), Array<number>(700).fill(77)];
  await check(folder, "constant", {
    planes: flat,
    bits: 16,
    frames: split(700, 300, { subframe: "constant" }),
  });
  for (const wasted of [1, 3, 7]) {
    const planes = integerPlanes(2, 1000, 16, wasted);
    await check(folder, `wasted ${wasted}`, {
      planes,
      bits: 16,
      frames: split(1000, 512, { wasted }),
    });
  }
  const planes = integerPlanes(3, 40_000, 16);
  const blocks = [16, 4096, 17, 9000, 65, 20_000, 300];
  const sizes = [...blocks, 40_000 - blocks.reduce((a, b) => a + b)].map((block) => ({ block }));
  await check(folder, "variable", { planes, bits: 16, frames: sizes, variable: true });
  await check(folder, "broadcast", {
    planes,
    bits: 16,
    frames: sizes,
    variable: true,
    origin: 2 ** 33,
    total: 0,
  });
  const tag = Uint8Array.from([73, 68, 51, 4, 0, 0, 0, 0, 1, 0, ...new Uint8Array(128)]);
  await check(folder, "tagged", { planes, bits: 16, frames: split(40_000, 4096), before: tag });
  await check(folder, "unknown", {
    planes,
    bits: 16,
    frames: split(40_000, 4096),
    total: 0,
    claims: false,
  });
  const eight = integerPlanes(8, 9000, 24);
  await check(folder, "eight", { planes: eight, bits: 24, frames: split(9000, 4096) });
});

/** Pieces of a file that nobody has read before, each from a copy of its own, so that no index of an earlier reading helps. */
async function checkCold(
  folder: TemporaryFolder,
  name: string,
  bytes: Uint8Array,
  planes: readonly ArrayLike<number>[],
  bits: number,
): Promise<void> {
  await using library = await openScans();
  const random = prng(name.length);
  const frames = planes[0].length;
  for (let n = 0; n < 12; n++) {
    const path = await folder.write(`${name} ${n}`, bytes);
    using scan = Scan.open(library, path);
    assertEquals(scan.info.frames, frames, name);
    const start = n === 0 ? frames - 300 : random.int(frames - 300);
    const part = new Float32Array(300 * planes.length);
    assertEquals(scan.read(start, 300, part), 300, name);
    planes.forEach((plane, c) => {
      for (let i = 0; i < 300; i++) {
        const expected = Math.fround(plane[start + i] / 2 ** (bits - 1)) + 0;
        assertEquals(part[c * 300 + i], expected, `${name}: frame ${start + i}`);
      }
    });
    Deno.removeSync(path);
  }
}

Deno.test("a seek table helps where it is true and does no harm where it lies", async () => {
  await using folder = await TemporaryFolder.make();
  const planes = integerPlanes(1, 150_000, 16);
  const frames = split(150_000, 1000, { subframe: "verbatim" });
  const plain = makeFlac({ planes, bits: 16, frames });
  const first = plain.offsets[0];
  const points = Array.from(
    { length: 15 },
    (_, i) => [i * 10_000, plain.offsets[i * 10] - first] as const,
  );
  const tables: [name: string, table: (readonly [number, number])[]][] = [
    ["true", points],
    ["swapped", points.map(([sample], i) => [sample, points[14 - i][1]])],
    ["inside frames", points.map(([sample, offset]) => [sample, offset + 700])],
    ["other samples", points.map(([sample, offset]) => [sample + 400, offset])],
    ["one frame late", points.map(([sample, offset]) => [sample, offset + 2_011])],
    ["beyond the end", points.map(([sample], i) => [sample, 10_000_000 + i])],
    ["out of order", points.toReversed()],
    ["placeholders", [...points.slice(0, 3), [2 ** 64 - 2_048, 0], [2 ** 64 - 2_048, 0]]],
  ];
  await checkCold(folder, "no table", plain.bytes, planes, 16);
  for (const [name, table] of tables) {
    const { bytes } = makeFlac({ planes, bits: 16, frames, table });
    await checkCold(folder, name, bytes, planes, 16);
  }
  // Numbered by samples, with blocks of many sizes and no length in front.
  const random = prng(4);
  const sizes: FlacFrame[] = [];
  for (let left = 150_000; left > 0;) {
    const block = Math.min(left, 16 + random.int(3_000));
    sizes.push({ block, subframe: "verbatim" });
    left -= block;
  }
  const variable = makeFlac({ planes, bits: 16, frames: sizes, variable: true, total: 0 });
  await checkCold(folder, "variable", variable.bytes, planes, 16);
});

Deno.test("rates in the frames' own fields, the longest block, large metadata and tags behind", async () => {
  await using folder = await TemporaryFolder.make();
  const planes = integerPlanes(2, 70_000, 16);
  for (
    const [rateField, sampleRate] of [
      ["kHz", 37_000],
      ["Hz", 44_056],
      ["10Hz", 384_000],
    ] as const
  ) {
    const frames = split(70_000, 8_192);
    await check(folder, rateField, { planes, bits: 16, frames, rateField, sampleRate });
  }
  await check(folder, "longest", { planes, bits: 16, frames: split(70_000, 65_535) });
  const { bytes, offsets } = makeFlac({ planes, bits: 16, frames: split(70_000, 4_096) });
  // A picture of three megabytes full of what could be frames, and tags of other formats after the last one.
  const picture = new Uint8Array(4 + 3_000_000);
  picture.set([0x86, 3_000_000 >> 16, 3_000_000 >> 8 & 255, 3_000_000 & 255]);
  for (let at = 4; at + 5_000 < picture.length; at += 5_000) {
    picture.set(bytes.subarray(offsets[1], offsets[1] + 5_000), at);
  }
  const tags = new Uint8Array(128 + 200).fill(0xff, 0, 200);
  tags.set(new TextEncoder().encode("TAG"), 200);
  const large = new Uint8Array(bytes.length + picture.length + tags.length);
  large.set(bytes.subarray(0, 42));
  large[4] = 0;
  large.set(picture, 42);
  large.set(bytes.subarray(42), 42 + picture.length);
  large.set(tags, bytes.length + picture.length);
  await checkCold(folder, "large", large, planes, 16);
});

Deno.test({
  name: "FLAC in Ogg: packets over many pages, other streams between and behind, pages lost",
  ...needs("ffmpeg"),
  async fn() {
    await using library = await openScans();
    await using folder = await TemporaryFolder.make();
    const random = prng(9);
    const noise = Array.from(
      { length: 8 },
      () => Float32Array.from({ length: 60_000 }, () => random.next() * 2 - 1),
    );
    const wav = await folder.write("n.wav", makeWav({ planes: noise, encoding: "f32" }));
    const path = `${folder.path}/n.oga`;
    // Eight channels of noise in 24 bits: a frame takes two pages.
    await ffmpeg(["-i", wav, "-c:a", "flac", "-sample_fmt", "s32", "-f", "ogg", path]);
    const expected = await decodedByFfmpeg(path);
    const bytes = Deno.readFileSync(path);
    const planes = Array.from(
      { length: 8 },
      (_, c) => Int32Array.from({ length: 60_000 }, (_, i) => expected[i * 8 + c] >> 8),
    );
    await checkCold(folder, "spanning", bytes, planes, 24);
    assertEquals(integers(readAll(library, path), 24), planes);

    const pages: { at: number; end: number; ends: boolean }[] = [];
    for (let at = 0; at < bytes.length;) {
      const segments = bytes[at + 26];
      let end = at + 27 + segments;
      for (let i = 0; i < segments; i++) end += bytes[at + 27 + i];
      pages.push({ at, end, ends: new DataView(bytes.buffer).getBigInt64(at + 6, true) !== -1n });
      at = end;
    }
    assert(pages.filter(({ ends }) => !ends).length > 5, "no packet spans pages");
    const join = (...parts: Uint8Array[]) => Uint8Array.from(parts.flatMap((part) => [...part]));

    // A second stream after it, of the same number or another one, is not taken for a part of it.
    const other = bytes.slice();
    for (const { at, end } of pages) {
      other[at + 14] ^= 0x55;
      other.fill(0, at + 22, at + 26);
      new DataView(other.buffer).setUint32(at + 22, oggCrc(other.subarray(at, end)), true);
    }
    await checkCold(folder, "chained", join(bytes, other), planes, 24);
    await checkCold(folder, "twice", join(bytes, bytes), planes, 24);
    // Multiplexed: a page of ours, a page of theirs.
    const mixed = join(
      ...pages.flatMap(({ at, end }, i) =>
        i === 0
          ? [bytes.subarray(at, end), other.subarray(at, end)]
          : [other.subarray(at, end), bytes.subarray(at, end)]
      ),
    );
    await checkCold(folder, "multiplexed", mixed, planes, 24);

    // A page that is lost takes its frames along; the others stay where they are, whoever looks.
    const lost = join(bytes.subarray(0, pages[10].at), bytes.subarray(pages[10].end));
    const cut = await folder.write("lost.oga", lost);
    const got = integers(readAll(library, cut), 24);
    assertEquals(got[0].length, 60_000);
    let silent = 0;
    for (let i = 0; i < 60_000; i++) {
      const here = got.map((plane) => plane[i]);
      if (here.every((x) => x === 0)) silent++;
      else assertEquals(here, planes.map((plane) => plane[i]), `frame ${i}`);
    }
    assert(silent > 1_000 && silent < 15_000, `${silent} frames are silence`);
    const again = got.map((plane) => plane.slice(20_000, 30_000));
    const fresh = await folder.write("fresh.oga", lost);
    using scan = Scan.open(library, fresh);
    const part = new Float32Array(10_000 * 8);
    scan.read(20_000, 10_000, part);
    const parts = again.map((_, c) => part.subarray(c * 10_000, (c + 1) * 10_000));
    assertEquals(integers(parts, 24), again);
  },
});

function oggCrc(page: Uint8Array): number {
  let crc = 0;
  for (const byte of page) {
    crc ^= byte << 24;
    for (let bit = 0; bit < 8; bit++) crc = crc << 1 ^ (crc < 0 ? 0x04c11db7 : 0);
  }
  return crc >>> 0;
}

Deno.test("a length that lies is clamped to the frames that are there", async () => {
  await using folder = await TemporaryFolder.make();
  await using library = await openScans();
  const planes = integerPlanes(1, 20_000, 16);
  const m = { planes, bits: 16, frames: split(20_000, 1000), total: 2 ** 35 };
  const { bytes, offsets } = makeFlac(m);
  const open = async (name: string, file: Uint8Array) =>
    Scan.open(library, await folder.write(name, file)).info;
  const lies = await open("lies.flac", bytes);
  assertEquals([lies.frames, lies.lengthLied], [20_000, true]);
  const cut = await open("cut.flac", bytes.slice(0, offsets[7] + 20));
  assertEquals([cut.frames, cut.lengthLied], [7000, true]);
  const shorter = await open("shorter.flac", makeFlac({ ...m, total: 12_345 }).bytes);
  assertEquals([shorter.frames, shorter.lengthLied], [12_345, false]);
});

Deno.test("a broken frame is silence in its place, and all others are as they were", async () => {
  await using folder = await TemporaryFolder.make();
  await using library = await openScans();
  const planes = integerPlanes(2, 20_000, 16);
  const { bytes, offsets } = makeFlac({ planes, bits: 16, frames: split(20_000, 1000) });
  for (const [name, at] of [["body", offsets[5] + 200], ["header", offsets[5] + 2]] as const) {
    const broken = bytes.slice();
    broken[at] ^= 0x40;
    const path = await folder.write(`${name}.flac`, broken);
    const got = readAll(library, path);
    planes.forEach((plane, c) => {
      for (let i = 0; i < 20_000; i++) {
        assertEquals(got[c][i], i >= 5000 && i < 6000 ? 0 : plane[i] / 32768, `${name}: ${i}`);
      }
    });
    using scan = Scan.open(library, path);
    for (const start of [4990, 5500, 5999, 6000, 12_345]) {
      const part = new Float32Array(200);
      assertEquals(scan.read(start, 100, part), 100);
      assertEquals(part.subarray(0, 100), got[0].subarray(start, start + 100));
    }
  }
});

Deno.test("files that only look like FLAC say what is wrong with them", async () => {
  await using folder = await TemporaryFolder.make();
  await using library = await openScans();
  const { bytes, offsets } = makeFlac({
    planes: integerPlanes(1, 5000, 16),
    bits: 16,
    frames: split(5000, 1000),
  });
  const cases: [name: string, bytes: Uint8Array, reason: string][] = [
    ["nothing after the header", bytes.slice(0, offsets[0]), "noData"],
    ["cut in the header", bytes.slice(0, 30), "truncated"],
    ["frames of zeros", Uint8Array.from(bytes, (x, i) => i < offsets[0] ? x : 0), "noData"],
    [
      "a rate of 0",
      Uint8Array.from(bytes, (x, i) => i === 18 || i === 19 ? 0 : i === 20 ? x & 15 : x),
      "sampleRate",
    ],
  ];
  for (const [name, file, reason] of cases) {
    const path = await folder.write(`${name}.flac`, file);
    try {
      Scan.open(library, path);
    } catch (error) {
      assert(error instanceof EngineError);
      assertEquals(error.details.reason, reason, name);
      continue;
    }
    throw new Error(`${name} was opened`);
  }
});
