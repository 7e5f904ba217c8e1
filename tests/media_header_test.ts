import { assert, assertEquals, assertThrows } from "@std/assert";
import { EngineError } from "../engine/errors.ts";
import { Scan } from "../engine/media/scan.ts";
import {
  type AudioMaterial,
  expectedFloats,
  extended,
  makeAiff,
  makeW64,
  makeWav,
  randomPlanes,
} from "./support/audio_files.ts";
import { openScans, readAll, TemporaryFolder } from "./support/media.ts";

const FRAMES = 1000;
const stereo: AudioMaterial = { planes: randomPlanes(3, 2, FRAMES, "s16"), encoding: "s16" };
const odd: AudioMaterial = { planes: randomPlanes(4, 1, 333, "u8"), encoding: "u8" };
const text = (value: string) => new TextEncoder().encode(value);
const cut = (bytes: Uint8Array, length: number) => bytes.slice(0, length);
const append = (bytes: Uint8Array, ...more: number[]) => Uint8Array.of(...bytes, ...more);
const list = { id: "LIST", body: text("INFOISFT\x05\0\0\0Lavf\0\0") };

Deno.test("a header that cannot be true is refused with its own code and reason", async () => {
  await using library = await openScans();
  await using folder = await TemporaryFolder.make();
  const wav = makeWav(stereo);
  const format = (claim: NonNullable<Parameters<typeof makeWav>[1]>["format"]) =>
    makeWav(stereo, { format: claim });
  const cases: [name: string, bytes: Uint8Array, code: string, reason: string, value?: number][] = [
    ["an empty file", new Uint8Array(), "asset.unreadable", "empty"],
    [
      "a text file",
      text("Not a sound, but a long line of words."),
      "asset.unsupported",
      "container",
    ],
    ["one byte", Uint8Array.of(82), "asset.unsupported", "container"],
    ["RIFF that is a picture", text("RIFF\x24\0\0\0WEBPVP8 "), "asset.unsupported", "container"],
    ["FORM that is a picture", text("FORM\0\0\0\x24ILBMBMHD"), "asset.unsupported", "container"],
    ["a cut FLAC file", text("fLaC\0\0\0\x22 and so on, and"), "asset.unreadable", "truncated"],
    ["riff that is no Wave64", text("riff" + "x".repeat(60)), "asset.unsupported", "container"],
    ["RIFF alone", text("RIFF"), "asset.unreadable", "truncated"],
    ["RIFF WAVE alone", cut(wav, 12), "asset.unreadable", "truncated"],
    ["cut in the format", cut(wav, 30), "asset.unreadable", "truncated"],
    ["cut before the samples", cut(wav, 36), "asset.unreadable", "noData"],
    ["cut at the samples", cut(wav, 44), "asset.unreadable", "noData"],
    ["less than one frame", cut(wav, 47), "asset.unreadable", "noData"],
    ["no format", makeWav(stereo, { omit: "format" }), "asset.unreadable", "noFormat"],
    ["no samples", makeWav(stereo, { omit: "data" }), "asset.unreadable", "noData"],
    ["A-law", format({ tag: 6, bits: 8, blockAlign: 2 }), "asset.unsupported", "encoding", 6],
    ["MP3 in WAV", format({ tag: 0x55 }), "asset.unsupported", "encoding", 0x55],
    ["rate 0", format({ sampleRate: 0 }), "asset.unreadable", "sampleRate", 0],
    ["rate 768001", format({ sampleRate: 768_001 }), "asset.unreadable", "sampleRate", 768_001],
    ["rate -1", format({ sampleRate: 2 ** 32 - 1 }), "asset.unreadable", "sampleRate", 2 ** 32 - 1],
    ["no channels", format({ channels: 0, blockAlign: 0 }), "asset.unreadable", "channels", 0],
    ["9 channels", format({ channels: 9, blockAlign: 18 }), "asset.unsupported", "channels", 9],
    ["65535 channels", format({ channels: 65_535 }), "asset.unsupported", "channels", 65_535],
    ["0 bits", format({ bits: 0 }), "asset.unreadable", "bits", 0],
    ["64-bit integers", format({ bits: 64, blockAlign: 16 }), "asset.unsupported", "bits", 64],
    ["16-bit floats", format({ tag: 3 }), "asset.unsupported", "bits", 16],
    ["65535 bits", format({ bits: 65_535 }), "asset.unsupported", "bits"],
    ["block of 0", format({ blockAlign: 0 }), "asset.unreadable", "blockAlign", 0],
    ["block of 3", format({ blockAlign: 3 }), "asset.unreadable", "blockAlign", 3],
    ["block of 8", format({ blockAlign: 8 }), "asset.unreadable", "blockAlign", 8],
    [
      "more valid bits than there are",
      makeWav(stereo, { extensible: true, validBits: 17 }),
      "asset.unreadable",
      "bits",
      17,
    ],
    [
      "an empty recording with words after it",
      makeWav({ planes: [[], []], encoding: "s16" }, { after: [list] }),
      "asset.unreadable",
      "noData",
    ],
    ["W64 without format", makeW64(stereo, { omit: "format" }), "asset.unreadable", "noFormat"],
    ["W64 without samples", makeW64(stereo, { omit: "data" }), "asset.unreadable", "noData"],
    ["W64 cut", cut(makeW64(stereo), 39), "asset.unreadable", "truncated"],
    [
      "W64 with a block of 5",
      makeW64(stereo, { format: { blockAlign: 5 } }),
      "asset.unreadable",
      "blockAlign",
      5,
    ],
    ["AIFF without format", makeAiff(stereo, { omit: "format" }), "asset.unreadable", "noFormat"],
    ["AIFF without samples", makeAiff(stereo, { omit: "data" }), "asset.unreadable", "noData"],
    [
      "AIFF with no channels",
      makeAiff(stereo, { claim: { channels: 0 } }),
      "asset.unreadable",
      "channels",
      0,
    ],
    ["AIFF of 33 bits", makeAiff(stereo, { claim: { bits: 33 } }), "asset.unsupported", "bits", 40],
    [
      "AIFF with rate 0",
      makeAiff(stereo, { claim: { rate: new Uint8Array(10) } }),
      "asset.unreadable",
      "sampleRate",
      0,
    ],
    [
      "AIFF with an infinite rate",
      makeAiff(stereo, { claim: { rate: Uint8Array.of(0x7F, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0) } }),
      "asset.unreadable",
      "sampleRate",
      Infinity,
    ],
    [
      "AIFF with a negative rate",
      makeAiff(stereo, { claim: { rate: extended(44_100).with(0, 0xC0) } }),
      "asset.unreadable",
      "sampleRate",
      -44_100,
    ],
    [
      "AIFC in µ-law",
      makeAiff(stereo, { compression: "ulaw" }),
      "asset.unsupported",
      "encoding",
      0x756C6177,
    ],
    [
      "AIFF whose samples begin behind their end",
      makeAiff(stereo, { claim: { offset: 1_000_000 } }),
      "asset.unreadable",
      "noData",
    ],
    [
      "an empty AIFF",
      makeAiff({ planes: [[], []], encoding: "s16" }),
      "asset.unreadable",
      "noData",
    ],
  ];
  for (const [name, bytes, code, reason, value] of cases) {
    const path = await folder.write("a.wav", bytes);
    const error = assertThrows(() => Scan.open(library, path), EngineError, "", name);
    assertEquals([error.code, error.details.reason], [code, reason], name);
    if (value !== undefined) assertEquals(error.details.value, value, name);
  }
});

Deno.test("lengths that lie are clamped to the file, honest short ones honoured", async () => {
  await using library = await openScans();
  await using folder = await TemporaryFolder.make();
  const wide = { container: "rf64" } as const;
  const cases: [
    name: string,
    bytes: Uint8Array,
    material: AudioMaterial,
    frames: number,
    lied: boolean,
  ][] = [
    ["honest", makeWav(stereo), stereo, FRAMES, false],
    ["0", makeWav(stereo, { dataBytes: 0 }), stereo, FRAMES, true],
    ["all ones", makeWav(stereo, { dataBytes: 0xFFFFFFFF }), stereo, FRAMES, true],
    ["beyond the file", makeWav(stereo, { dataBytes: 0x7FFFF000 }), stereo, FRAMES, true],
    ["shorter, rest ignored", makeWav(stereo, { dataBytes: 400 }), stereo, 100, false],
    ["not whole frames", makeWav(stereo, { dataBytes: 403 }), stereo, 100, false],
    ["truncated file", cut(makeWav(stereo), 44 + 403), stereo, 100, true],
    ["truncated by a byte", cut(makeWav(stereo), 44 + 3999), stereo, 999, true],
    [
      "chunks around",
      makeWav(stereo, { first: [list], before: [list], after: [list] }),
      stereo,
      FRAMES,
      false,
    ],
    [
      "odd chunks, padded",
      makeWav(odd, { before: [{ id: "junk", body: text("odd") }], after: [list] }),
      odd,
      333,
      false,
    ],
    [
      "odd chunks, not padded",
      makeWav(odd, { before: [{ id: "junk", body: text("odd") }], after: [list], unpadded: true }),
      odd,
      333,
      false,
    ],
    ["trailing rubbish", append(makeWav(stereo), 1, 2, 3), stereo, FRAMES, false],
    ["RF64 honest", makeWav(stereo, wide), stereo, FRAMES, false],
    ["RF64 0", makeWav(stereo, { ...wide, dataBytes64: 0 }), stereo, FRAMES, true],
    ["RF64 beyond", makeWav(stereo, { ...wide, dataBytes64: 2 ** 50 }), stereo, FRAMES, true],
    ["RF64 shorter", makeWav(stereo, { ...wide, dataBytes64: 400 }), stereo, 100, false],
    ["RF64 with a 32-bit length", makeWav(stereo, { ...wide, dataBytes: 400 }), stereo, 100, false],
    ["W64 0", makeW64(stereo, { dataBytes: 0n }), stereo, FRAMES, true],
    ["W64 empty", makeW64(stereo, { dataBytes: 24n }), stereo, FRAMES, true],
    ["W64 all ones", makeW64(stereo, { dataBytes: 2n ** 64n - 1n }), stereo, FRAMES, true],
    ["W64 as ffmpeg streams", makeW64(stereo, { dataBytes: 2n ** 63n - 1n }), stereo, FRAMES, true],
    ["W64 shorter", makeW64(stereo, { dataBytes: 424n }), stereo, 100, false],
    ["AIFF count 0", makeAiff(stereo, { claim: { frames: 0 } }), stereo, FRAMES, true],
    ["AIFF count beyond", makeAiff(stereo, { claim: { frames: 5000 } }), stereo, FRAMES, true],
    ["AIFF count shorter", makeAiff(stereo, { claim: { frames: 100 } }), stereo, 100, true],
    ["AIFF length 0", makeAiff(stereo, { claim: { dataBytes: 0 } }), stereo, FRAMES, true],
    ["AIFF both 0", makeAiff(stereo, { claim: { dataBytes: 0, frames: 0 } }), stereo, FRAMES, true],
    [
      "AIFF length all ones",
      makeAiff(stereo, { claim: { dataBytes: 0xFFFFFFFF } }),
      stereo,
      FRAMES,
      true,
    ],
    ["AIFF truncated", cut(makeAiff(stereo), 54 + 402), stereo, 100, true],
    [
      "AIFF odd chunks, not padded",
      makeAiff(stereo, { before: [{ id: "ANNO", body: text("odd") }], unpadded: true }),
      stereo,
      FRAMES,
      false,
    ],
  ];
  for (const [name, bytes, material, frames, lied] of cases) {
    const path = await folder.write("a.wav", bytes);
    {
      using scan = Scan.open(library, path);
      assertEquals([scan.info.frames, scan.info.lengthLied], [frames, lied], name);
      assertEquals(scan.info.fileBytes, bytes.length, name);
    }
    const planes = readAll(library, path);
    expectedFloats(material).forEach((expected, c) => {
      assertEquals(planes[c], expected.slice(0, frames), name);
    });
  }
});

Deno.test("sample rates: 80-bit ones rounded to whole hertz, the whole range accepted", async () => {
  await using library = await openScans();
  await using folder = await TemporaryFolder.make();
  for (
    const [rate, expected] of [[1, 1], [8000, 8000], [22_254.545, 22_255], [44_100, 44_100], [
      768_000,
      768_000,
    ]]
  ) {
    const path = await folder.write("a.aiff", makeAiff({ ...stereo, sampleRate: rate }));
    using scan = Scan.open(library, path);
    assertEquals(scan.info.sampleRate, expected);
  }
});

Deno.test("what is not a regular file is refused without waiting: folders, FIFOs, devices, loops", async () => {
  await using library = await openScans();
  await using folder = await TemporaryFolder.make();
  const refused = (path: string) => {
    const error = assertThrows(() => Scan.open(library, path), EngineError);
    return [error.code, error.details.reason];
  };
  assertEquals(refused(folder.path), ["asset.unsupported", "notAFile"]);
  assertEquals(refused("/dev/zero"), ["asset.unsupported", "notAFile"]);
  assertEquals(refused(`${folder.path}/nothing.wav`), ["asset.notFound", "absent"]);
  const file = await folder.write("file", makeWav(stereo));
  assertEquals(refused(`${file}/below.wav`), ["asset.notFound", "absent"]);
  // By the shell: Deno makes links only with permission for the whole disk, and no FIFOs.
  const made = await new Deno.Command("sh", {
    args: ["-c", 'ln -s loop "$0/loop" && mkfifo "$0/fifo"', folder.path],
  }).output();
  assert(made.success);
  assertEquals(refused(`${folder.path}/loop`), ["asset.unreadable", "io"]);
  assertEquals(refused(`${folder.path}/fifo`), ["asset.unsupported", "notAFile"]);
});

Deno.test("paths are bytes: spaces, other scripts, and a zero byte is refused", async () => {
  await using library = await openScans();
  await using folder = await TemporaryFolder.make();
  const path = await folder.write("Ä ö 音楽 🎵 'quoted\".wav", makeWav(stereo));
  using scan = Scan.open(library, path);
  assertEquals(scan.info.frames, FRAMES);
  assertThrows(() => Scan.open(library, `${path}\0.wav`), EngineError);
  assertThrows(() => Scan.open(library, ""), EngineError);
});
