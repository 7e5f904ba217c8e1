import { assertEquals, assertThrows } from "@std/assert";
import { Scan } from "../engine/media/scan.ts";
import {
  type AiffOptions,
  type AudioMaterial,
  type Encoding,
  expectedFloats,
  makeAiff,
  makeW64,
  makeWav,
  randomPlanes,
} from "./support/audio_files.ts";
import { openScans, readAll, TemporaryFolder } from "./support/media.ts";

const FRAMES = 777;
const material = (encoding: Encoding, channels: number, validBits?: number): AudioMaterial => ({
  planes: randomPlanes(channels * 7 + encoding.length, channels, FRAMES, encoding, validBits),
  encoding,
  sampleRate: 44_100,
});

/** Every container and encoding, and what it must be recognised as. */
function* variants(): Generator<{
  name: string;
  bytes: Uint8Array;
  material: AudioMaterial;
  container: string;
  bits: number;
}> {
  for (const encoding of ["u8", "s16", "s24", "s32", "f32", "f64"] as const) {
    const bits = { u8: 8, s16: 16, s24: 24, s32: 32, f32: 32, f64: 64 }[encoding];
    for (const channels of [1, 2, 3, 8]) {
      const m = material(encoding, channels);
      for (const container of ["wav", "rifx", "rf64", "bw64"] as const) {
        yield {
          name: `${container} ${encoding} ${channels}`,
          bytes: makeWav(m, { container }),
          material: m,
          container: container === "wav" || container === "rifx" ? "wav" : "rf64",
          bits,
        };
      }
      yield {
        name: `extensible ${encoding} ${channels}`,
        bytes: makeWav(m, { extensible: true, channelMask: 3 }),
        material: m,
        container: "wav",
        bits,
      };
      yield {
        name: `w64 ${encoding} ${channels}`,
        bytes: makeW64(m),
        material: m,
        container: "w64",
        bits,
      };
    }
  }
  for (const [encoding, validBits] of [["s24", 20], ["s16", 12], ["s32", 24]] as const) {
    const m = material(encoding, 2, validBits);
    yield {
      name: `${validBits} bits in ${encoding}`,
      bytes: makeWav(m, { extensible: true, validBits }),
      material: m,
      container: "wav",
      bits: validBits,
    };
  }
  // Without the extension the number of bits is what is valid, in the least number of bytes.
  const twenty = material("s24", 2, 20);
  yield {
    name: "20 bits plain",
    bytes: makeWav(twenty, { format: { bits: 20 } }),
    material: twenty,
    container: "wav",
    bits: 20,
  };
  const aiffs: [Encoding, AiffOptions][] = [
    ["s8", {}],
    ["s16", {}],
    ["s24", {}],
    ["s32", {}],
    ["s16", { commonLast: true }],
    ["s16", { offset: 13 }],
    ["s24", { validBits: 18 }],
    ["s16", { compression: "NONE" }],
    ["s24", { compression: "twos" }],
    ["s16", { compression: "sowt" }],
    ["s24", { compression: "sowt" }],
    ["u8", { compression: "raw " }],
    ["s24", { compression: "in24" }],
    ["s32", { compression: "in32" }],
    ["s24", { compression: "42ni" }],
    ["s32", { compression: "23ni" }],
    ["f32", { compression: "fl32" }],
    ["f32", { compression: "FL32", claim: { bits: 16 } }],
    ["f64", { compression: "fl64" }],
    ["f64", { compression: "FL64" }],
  ];
  for (const [encoding, options] of aiffs) {
    const m = material(encoding, 3, options.validBits);
    yield {
      name: `aiff ${encoding} ${Deno.inspect(options)}`,
      bytes: makeAiff(m, options),
      material: m,
      container: options.compression === undefined ? "aiff" : "aifc",
      bits: options.validBits ?? Number(encoding.slice(1)),
    };
  }
}

Deno.test("lp_scan_read() gives round_to_f32(x / 2^(bits-1)) for every container and encoding", async () => {
  await using library = await openScans();
  await using folder = await TemporaryFolder.make();
  for (const { name, bytes, material, container, bits } of variants()) {
    const path = await folder.write("variant", bytes);
    using scan = Scan.open(library, path);
    const { info } = scan;
    assertEquals(
      [info.frames, info.channels, info.sampleRate, info.container, info.bits, info.lengthLied],
      [FRAMES, material.planes.length, 44_100, container, bits, false],
      name,
    );
    const planes = readAll(library, path);
    const expected = expectedFloats(material);
    planes.forEach((plane, c) => {
      const at = plane.findIndex((x, i) => x !== expected[c][i]);
      assertEquals(at, -1, `${name}: channel ${c}, frame ${at}: ${plane[at]}, ${expected[c][at]}`);
    });
  }
});

Deno.test("floats keep what integers cannot hold: full scale and beyond, NaN, infinity", async () => {
  await using library = await openScans();
  await using folder = await TemporaryFolder.make();
  const values = [0, 1, -1, 3.5e38, -2, NaN, Infinity, -Infinity, 1e-40, Math.fround(0.1)];
  for (const encoding of ["f32", "f64"] as const) {
    const bytes = makeWav({ planes: [values], encoding });
    const [plane] = readAll(library, await folder.write(`${encoding}.wav`, bytes));
    assertEquals(plane, Float32Array.from(values));
  }
});

Deno.test("a scan reads any range: the same samples wherever it begins, none beyond the end", async () => {
  await using library = await openScans();
  await using folder = await TemporaryFolder.make();
  const frames = 200_000; // several windows
  for (const [encoding, channels] of [["s16", 2], ["s24", 1], ["f64", 5]] as const) {
    const m: AudioMaterial = { planes: randomPlanes(5, channels, frames, encoding), encoding };
    const expected = expectedFloats(m);
    using scan = Scan.open(library, await folder.write("range.wav", makeWav(m)));
    for (const start of [0, 1, 4097, 65_535, 65_536, 131_073, frames - 100, 7]) {
      for (const count of [1, 100, 70_000]) {
        const out = new Float32Array(count * channels).fill(9);
        const got = scan.read(start, count, out);
        assertEquals(got, Math.min(count, frames - start));
        for (let c = 0; c < channels; c++) {
          assertEquals(
            out.subarray(c * count, c * count + got),
            expected[c].subarray(start, start + got),
          );
        }
      }
    }
    assertEquals(scan.read(frames, 10, new Float32Array(10 * channels)), 0);
    assertEquals(scan.read(2 ** 53, 10, new Float32Array(10 * channels)), 0);
  }
});

Deno.test("a scan refuses what it cannot do, and knows closed handles", async () => {
  await using library = await openScans();
  await using folder = await TemporaryFolder.make();
  const path = await folder.write("a.wav", makeWav(material("s16", 2)));
  const scan = Scan.open(library, path);
  const out = new Float32Array(100);
  assertThrows(() => scan.read(0, 51, out), Error, "out of range");
  assertThrows(() => scan.read(-1, 1, out), Error, "out of range");
  assertThrows(() => scan.read(0.5, 1, out), Error, "out of range");
  assertThrows(() => scan.read(NaN, 1, out), Error, "out of range");
  assertThrows(() => scan.peaks(0, 0, 1, out), Error, "out of range");
  assertThrows(() => scan.peaks(0, 256, 12, out), Error, "out of range");
  scan[Symbol.dispose]();
  scan[Symbol.dispose]();
  assertThrows(() => scan.read(0, 1, out), Error, "not open any more");
  using other = Scan.open(library, path); // takes the slot
  assertEquals(other.read(0, 1, out), 1);
});

Deno.test("a file that shrinks after its header was read gives an error, not stale samples", async () => {
  await using library = await openScans();
  await using folder = await TemporaryFolder.make();
  const path = await folder.write(
    "a.wav",
    makeWav({ planes: randomPlanes(1, 2, 50_000, "s16"), encoding: "s16" }),
  );
  using scan = Scan.open(library, path);
  await Deno.truncate(path, 44 + 4000);
  assertThrows(() => scan.read(10_000, 100, new Float32Array(200)), Error, "refused");
  assertThrows(() => scan.peaks(0, 256, 100, new Float32Array(900)), Error, "refused");
});
