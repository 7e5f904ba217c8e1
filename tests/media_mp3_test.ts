import { assert, assertEquals } from "@std/assert";
import { Scan } from "../engine/media/scan.ts";
import { EngineError } from "../engine/errors.ts";
import { readHead } from "../engine/files/head.ts";
import { Signal } from "../engine/signal/signal.ts";
import { makeWav } from "./support/audio_files.ts";
import { ffmpeg, floatsByFfmpeg, floatsByMpg123, music } from "./support/compressed_files.ts";
import { FIXTURES, HAS_FIXTURES, openScans, readAll, TemporaryFolder } from "./support/media.ts";
import { needs } from "./needs.ts";
import { prng } from "./support/prng.ts";
import type { ScanLibrary } from "../engine/media/scan.ts";

/** Random pieces of the file are bit for bit what reading it in one go gives. */
function checkPieces(library: ScanLibrary, path: string, whole: Float32Array[]): void {
  const random = prng(3);
  for (let n = 0; n < 25; n++) {
    using scan = Scan.open(library, path);
    const { channels, frames } = scan.info;
    for (const start of [random.int(frames), random.int(frames)]) {
      const part = new Float32Array(700 * channels);
      const read = scan.read(start, 700, part);
      for (let c = 0; c < channels; c++) {
        assertEquals(
          part.subarray(c * 700, c * 700 + read),
          whole[c].subarray(start, start + read),
          `${path} from ${start}`,
        );
      }
    }
  }
}

/** Two decoders of the format agree to within rounding: the greatest difference of any sample. */
function difference(whole: Float32Array[], other: Float32Array): number {
  const channels = whole.length;
  assertEquals(whole[0].length, other.length / channels);
  let most = 0;
  whole.forEach((plane, c) => {
    for (let i = 0; i < plane.length; i++) {
      most = Math.max(most, Math.abs(plane[i] - other[i * channels + c]));
    }
  });
  return most;
}

for (
  const name of ["mp3_constant_stereo", "mp3_variable_stereo", "test_file_mono", "test_file_stereo"]
) {
  Deno.test({
    name: `${name}.mp3 is read from anywhere with the bits of a linear decode`,
    ignore: !HAS_FIXTURES,
    async fn() {
      await using library = await openScans();
      const path = `${FIXTURES}${name}.mp3`;
      checkPieces(library, path, readAll(library, path));
    },
  });
}

Deno.test({
  name:
    "MP3 of constant, variable and low bit rates: length without delay and padding, sound as ffmpeg decodes it, the same from anywhere",
  ...needs("ffmpeg"),
  async fn() {
    await using library = await openScans();
    await using folder = await TemporaryFolder.make();
    for (
      const [channels, rate, ...options] of [
        [2, 44_100, "-b:a", "320k"],
        [2, 48_000, "-b:a", "128k"],
        [2, 44_100, "-q:a", "4"],
        [1, 32_000, "-b:a", "32k"],
        [1, 22_050, "-b:a", "8k"],
        [2, 24_000, "-b:a", "16k"],
        [1, 8000, "-b:a", "8k"],
        [2, 44_100, "-b:a", "96k", "-joint_stereo", "0"],
      ] as [number, number, ...string[]][]
    ) {
      const frames = 100_003;
      const planes = music(channels, frames, rate);
      const wav = await folder.write(
        "source.wav",
        makeWav({ planes, encoding: "f32", sampleRate: rate }),
      );
      const path = `${folder.path}/${rate}-${options.join("")}.mp3`;
      await ffmpeg(["-i", wav, "-c:a", "libmp3lame", ...options, path]);
      using scan = Scan.open(library, path);
      assertEquals(
        [scan.info.frames, scan.info.sampleRate, scan.info.channels, scan.info.container],
        [frames, rate, channels, "mp3"],
      );
      const whole = readAll(library, path);
      checkPieces(library, path, whole);
      const apart = difference(whole, await floatsByFfmpeg(path));
      assert(apart < 2e-5, `${path}: ${apart} from ffmpeg`);
      const bytes = Deno.readFileSync(path);
      const head = await readHead(
        (at, n) => Promise.resolve(bytes.subarray(at, at + n)),
        bytes.length,
      );
      assertEquals([head?.sampleRate, head?.channels, head?.container], [rate, channels, "mp3"]);
      assert(Math.abs(head!.lengthSamples - frames) < 3 * 1152);
    }
  },
});

Deno.test({
  name: "tags in front, behind and between frames, junk, and files without an encoder's header",
  ...needs("ffmpeg"),
  async fn() {
    await using library = await openScans();
    await using folder = await TemporaryFolder.make();
    const wav = await folder.write(
      "source.wav",
      makeWav({ planes: music(2, 60_000, 44_100), encoding: "f32", sampleRate: 44_100 }),
    );
    const plain = `${folder.path}/plain.mp3`;
    const options = ["-i", wav, "-c:a", "libmp3lame", "-b:a", "96k", "-id3v2_version", "0"];
    await ffmpeg([...options, "-write_xing", "0", plain]);
    const bytes = Deno.readFileSync(plain);
    const whole = readAll(library, plain);
    assertEquals(whole[0].length % 1152, 0);
    assert(difference(whole, await floatsByFfmpeg(plain)) < 2e-5);

    const tag = Uint8Array.from([
      73,
      68,
      51,
      4,
      0,
      0,
      0,
      0,
      2,
      0,
      ...new Uint8Array(256).fill(0xff),
    ]);
    const ape = new Uint8Array(64 + 32);
    ape.set(new TextEncoder().encode("APETAGEX"), 64);
    new DataView(ape.buffer).setUint32(64 + 12, 96, true);
    const id3v1 = new Uint8Array(128);
    id3v1.set(new TextEncoder().encode("TAG"));
    // At 96 kbit/s and 44.1 kHz frames have 313 or 314 bytes; this is where the 21st begins.
    let cut = 0;
    for (let i = 0; i < 20; i++) cut += 313 + (bytes[cut + 2] >> 1 & 1);
    assertEquals(bytes[cut], 0xff);
    const junk = Uint8Array.from({ length: 5000 }, (_, i) => i % 7 === 0 ? 0xff : i * 31 & 255);
    const join = (...parts: Uint8Array[]) => Uint8Array.from(parts.flatMap((part) => [...part]));
    for (
      const [name, file] of [
        ["tags around", join(tag, tag, bytes, ape, id3v1)],
        ["a tag between", join(bytes.subarray(0, cut), tag, bytes.subarray(cut))],
        ["junk between", join(bytes.subarray(0, cut), junk, bytes.subarray(cut), id3v1)],
        ["junk in front", join(junk.subarray(0, 900), bytes)],
        ["half a frame behind", join(bytes, bytes.subarray(0, 150))],
      ] as const
    ) {
      const path = await folder.write(`${name}.mp3`, file);
      assertEquals(readAll(library, path), whole, name);
      checkPieces(library, path, whole);
    }

    // Cut in the middle of the file: what is left is as it was, whatever the encoder's header says.
    const xing = `${folder.path}/xing.mp3`;
    await ffmpeg([...options, xing]);
    const all = readAll(library, xing);
    const short = await folder.write("short.mp3", Deno.readFileSync(xing).subarray(0, 7000));
    using scan = Scan.open(library, short);
    assert(scan.info.lengthLied && scan.info.frames < 30_000 && scan.info.frames > 20_000);
    assertEquals(readAll(library, short)[1], all[1].subarray(0, scan.info.frames));
  },
});

Deno.test("layers I and II, free format and what is no MP3 are refused by name", async () => {
  await using library = await openScans();
  await using folder = await TemporaryFolder.make();
  const frames = (header: number[], bytes: number, count = 12) =>
    Uint8Array.from({ length: bytes * count }, (_, i) => header[i % bytes] ?? 0);
  for (
    const [name, file, reason] of [
      ["layer 2", frames([0xff, 0xfd, 0x84, 0x00], 384), "encoding"], // 128 kbit/s, 48 kHz
      ["layer 1", frames([0xff, 0xff, 0x84, 0x00], 256), "encoding"], // 256 kbit/s, 48 kHz
      ["free", frames([0xff, 0xfb, 0x04, 0x00], 500), "encoding"],
      [
        "one header",
        Uint8Array.from([0xff, 0xfb, 0x94, 0x00, ...new Uint8Array(3000)]),
        "container",
      ],
      ["text", new TextEncoder().encode("words ".repeat(1000)), "container"],
      [
        "Ogg",
        Uint8Array.from([...new TextEncoder().encode("OggS"), ...new Uint8Array(500)]),
        "encoding",
      ],
    ] as const
  ) {
    const path = await folder.write(`${name}.mp3`, file);
    try {
      Scan.open(library, path)[Symbol.dispose]();
    } catch (error) {
      assert(error instanceof EngineError, String(error));
      assertEquals([error.code, error.details.reason], ["asset.unsupported", reason], name);
      continue;
    }
    throw new Error(`${name} was opened`);
  }
});

const join = (...parts: Uint8Array[]) => {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
};

/** Encodes music; without an encoder's header if told so. */
async function encode(
  folder: TemporaryFolder,
  name: string,
  {
    channels = 2,
    rate = 44_100,
    frames = 60_000,
    options = ["-b:a", "128k"],
    xing = false,
    quietFrames = 0,
  },
): Promise<Uint8Array<ArrayBuffer>> {
  const planes = music(channels, frames, rate);
  for (const plane of planes) plane.fill(0, 0, quietFrames);
  const wav = await folder.write(
    `${name}.wav`,
    makeWav({ planes, encoding: "f32", sampleRate: rate }),
  );
  const path = `${folder.path}/${name}.encoded.mp3`;
  const header = xing ? "1" : "0";
  await ffmpeg([
    ...["-i", wav, "-c:a", "libmp3lame", ...options, "-id3v2_version", "0"],
    ...["-write_xing", header, path],
  ]);
  return Deno.readFileSync(path);
}

Deno.test({
  name: "MPEG-1, 2 and 2.5 at every rate, one channel and joint stereo, as mpg123 decodes them",
  ...needs("ffmpeg", "mpg123"),
  async fn() {
    await using library = await openScans();
    await using folder = await TemporaryFolder.make();
    for (
      const rate of [48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000]
    ) {
      for (const channels of [1, 2]) {
        const name = `${rate} ${channels}`;
        const frames = 20_011;
        const options = ["-q:a", "7", "-joint_stereo", "1"];
        const bytes = await encode(folder, name, { channels, rate, frames, options, xing: true });
        const path = await folder.write(`${name}.mp3`, bytes);
        using scan = Scan.open(library, path);
        assertEquals(
          [scan.info.frames, scan.info.sampleRate, scan.info.channels],
          [frames, rate, channels],
          name,
        );
        const whole = readAll(library, path);
        const apart = difference(whole, await floatsByMpg123(path));
        assert(apart < 4e-6, `${name}: ${apart} from mpg123`);
        checkPieces(library, path, whole);
      }
    }
  },
});

Deno.test({
  name:
    "headers of other encoders: VBRI, and Xing without a delay, count their own frame or not; the length is that of the frames",
  ...needs("ffmpeg"),
  async fn() {
    await using library = await openScans();
    await using folder = await TemporaryFolder.make();
    const plain = await encode(folder, "plain", {});
    const path = await folder.write("plain.mp3", plain);
    const whole = readAll(library, path);
    const frames = whole[0].length / 1152;
    const header = (name: string, at: number, write: (view: DataView) => void) => {
      const frame = new Uint8Array(417); // 128 kbit/s at 44.1 kHz, unpadded
      frame.set([plain[0], plain[1], plain[2] & 0xfd, plain[3]]);
      frame.set(new TextEncoder().encode(name), at);
      write(new DataView(frame.buffer));
      return frame;
    };
    for (const counted of [frames, frames + 1]) {
      const vbri = header("VBRI", 36, (view) => {
        view.setUint16(40, 1);
        view.setUint32(46, plain.length + 417);
        view.setUint32(50, counted);
      });
      const xing = header("Xing", 36, (view) => {
        view.setUint32(40, 3);
        view.setUint32(44, counted);
        view.setUint32(48, plain.length + 417);
      });
      for (const [name, first] of [["VBRI", vbri], ["Xing", xing]] as const) {
        const file = await folder.write(`${name} ${counted}.mp3`, join(first, plain));
        using scan = Scan.open(library, file);
        assertEquals([scan.info.frames, scan.info.lengthLied], [whole[0].length, false], name);
        assertEquals(readAll(library, file), whole, name);
        checkPieces(library, file, whole);
      }
    }
    const lies = header("Xing", 36, (view) => {
      view.setUint32(40, 3);
      view.setUint32(44, 10 * frames);
      view.setUint32(48, plain.length + 417);
    });
    const file = await folder.write("lies.mp3", join(lies, plain));
    using scan = Scan.open(library, file);
    assertEquals([scan.info.frames, scan.info.lengthLied], [whole[0].length, true]);
  },
});

Deno.test({
  name:
    "files joined end to end: the same rate goes on, other channel counts are folded, another rate is left out; the same from anywhere",
  ...needs("ffmpeg"),
  async fn() {
    await using library = await openScans();
    await using folder = await TemporaryFolder.make();
    const stereo = await encode(folder, "stereo", {});
    const mono = await encode(folder, "mono", { channels: 1, options: ["-b:a", "64k"] });
    const other = await encode(folder, "other", { rate: 48_000 });
    const length = async (name: string, bytes: Uint8Array) => {
      const path = await folder.write(`${name}.mp3`, bytes);
      const whole = readAll(library, path);
      checkPieces(library, path, whole);
      return whole;
    };
    const [a, b] = [await length("a", stereo), await length("b", mono)];
    const twice = await length("twice", join(stereo, stereo));
    assertEquals(twice[0].length, 2 * a[0].length);
    assertEquals(twice[1].subarray(0, a[1].length), a[1]);
    // Behind the overlap of what was before, the second is as it is by itself.
    assertEquals(twice[1].subarray(a[1].length + 3 * 1152), a[1].subarray(3 * 1152));
    const folded = await length("stereo then mono", join(stereo, mono));
    assertEquals(folded[0].subarray(a[0].length + 3 * 1152), b[0].subarray(3 * 1152));
    assertEquals(folded[1].subarray(a[0].length + 3 * 1152), b[0].subarray(3 * 1152));
    const mixed = await length("mono then stereo", join(mono, stereo));
    assertEquals(mixed.length, 1);
    for (let i = 4 * 1152; i < a[0].length; i += 101) {
      const mean = Math.fround(0.5 * Math.fround(a[0][i] + a[1][i]));
      assertEquals(mixed[0][b[0].length + i], mean, `frame ${i}`);
    }
    const skipped = await length("another rate between", join(stereo, other, stereo));
    assertEquals(skipped[0].length, 2 * a[0].length);
    const ending = await length("another rate behind", join(stereo, other));
    assertEquals(ending, a);
  },
});

Deno.test({
  name:
    "damaged MP3s: wrong sizes of tags, frames cut out or overwritten; what is left is the same from anywhere",
  ...needs("ffmpeg"),
  async fn() {
    await using library = await openScans();
    await using folder = await TemporaryFolder.make();
    const bytes = await encode(folder, "whole", { frames: 400_000 });
    const wholePath = await folder.write("whole.mp3", bytes);
    const whole = readAll(library, wholePath);
    const tag = (bytes: number, says: number) => {
      const tag = new Uint8Array(10 + bytes);
      tag.set([
        0x49,
        0x44,
        0x33,
        3,
        0,
        0,
        says >> 21,
        says >> 14 & 127,
        says >> 7 & 127,
        says & 127,
      ]);
      return tag;
    };
    const begin = (frame: number) => {
      let at = 0;
      for (let i = 0; i < frame; i++) at += 417 + (bytes[at + 2] >> 1 & 1);
      return at;
    };
    for (
      const [name, front] of [
        ["padding behind the tag", join(tag(500, 500), new Uint8Array(5_000))],
        ["a tag that is longer than it says", tag(3_000, 200)],
        ["a tag that says more than the file has", tag(20, 200_000_000)],
        ["tags in a row", join(tag(100, 100), tag(100, 100))],
      ] as const
    ) {
      const path = await folder.write(`${name}.mp3`, join(front, bytes));
      assertEquals(readAll(library, path), whole, name);
      checkPieces(library, path, whole);
    }
    const random = prng(12);
    for (let round = 0; round < 12; round++) {
      let damaged = bytes.slice();
      for (let n = 0; n < 5; n++) {
        const at = begin(random.int(300));
        if (random.int(2)) damaged.fill(random.int(256), at + 4, at + 4 + random.int(800));
        else damaged = join(damaged.subarray(0, at + 10), damaged.subarray(at + random.int(900)));
      }
      const path = await folder.write(`damaged ${round}.mp3`, damaged);
      // Pieces first, so that no index of a whole reading helps.
      const pieces: [number, Float32Array][] = [];
      for (let n = 0; n < 10; n++) {
        using scan = Scan.open(library, path);
        const start = random.int(scan.info.frames - 700);
        const part = new Float32Array(1_400);
        assertEquals(scan.read(start, 700, part), 700);
        pieces.push([start, part.subarray(0, 700)]);
      }
      const all = readAll(library, path);
      for (const [start, part] of pieces) {
        assertEquals(part, all[0].subarray(start, start + 700), `round ${round} from ${start}`);
      }
    }
  },
});

Deno.test({
  name:
    "a recording that was cut is not called broken for what its first frames lack; one with a broken frame is",
  ...needs("ffmpeg"),
  async fn() {
    await using library = await openScans();
    await using folder = await TemporaryFolder.make();
    await using signal = await Signal.open({ sampleRate: 48_000, memoryBytes: 2 ** 20 });
    const damageOf = async (name: string, bytes: Uint8Array) => {
      signal.takeDamage(); // Of other files, whose inodes may have become free since.
      const path = await folder.write(name, bytes);
      readAll(library, path);
      const { ino } = await Deno.stat(path);
      return signal.takeDamage().filter(({ inode }) => inode === ino);
    };
    for (
      const [rate, channels, kilobits, frameBytes] of [
        [24_000, 1, 8, 24],
        [48_000, 2, 64, 192],
      ]
    ) {
      const samples = rate < 32_000 ? 576 : 1152;
      // The encoder saves bytes while it is quiet, and spends them on what begins then.
      const bytes = await encode(folder, `cut ${rate}`, {
        rate,
        channels,
        frames: 10 * rate,
        quietFrames: 100 * samples,
        options: ["-b:a", `${kilobits}k`],
      });
      for (let cut = 70; cut < 110; cut++) {
        const rest = bytes.subarray(cut * frameBytes);
        assertEquals(await damageOf(`${rate} cut ${cut}.mp3`, rest), [], `from frame ${cut}`);
      }
      // Side information that asks for more values than there can be, where the first frames are not excused any more.
      for (const at of [40, 140]) {
        const broken = bytes.slice();
        broken.fill(0xff, at * frameBytes + 6, at * frameBytes + 13);
        const [damage] = await damageOf(`${rate} broken ${at}.mp3`, broken);
        assertEquals(damage?.firstSample, at * samples, `${rate}: ${at}`);
      }
    }
  },
});
