import { assert, assertEquals, assertThrows } from "@std/assert";
import { EngineError } from "../engine/errors.ts";
import { decodePeaksFrame, encodePeaksFrame, peaksToJson } from "../engine/media/peaks_frame.ts";
import { FLOATS_PER_PLANE, Scan } from "../engine/media/scan.ts";
import { thumbnailSvg } from "../engine/media/thumbnail.ts";
import { encodeWaveformDat, type WaveformValues } from "../engine/media/waveform_data.ts";
import {
  checkWaveformRequest,
  imageHolds,
  waveformFromImage,
  waveformFromScan,
} from "../engine/media/waveform_values.ts";
import { wavesurferPeaks } from "../engine/media/wavesurfer.ts";
import { PeakImage } from "../engine/media/peak_image.ts";
import { type AudioMaterial, makeWav, randomPlanes } from "./support/audio_files.ts";
import { finish, openScans, TemporaryFolder } from "./support/media.ts";

const columns = {
  start: 1.5,
  end: 100,
  width: 3,
  min: [Float32Array.of(-1, NaN, 0), Float32Array.of(-2, -0.5, NaN)],
  max: [Float32Array.of(1, NaN, 0.25), Float32Array.of(2, 0.5, NaN)],
  rms: [Float32Array.of(0.5, NaN, 0.125), Float32Array.of(1, 0.25, NaN)],
  complete: false,
};

Deno.test("the binary peaks frame is laid out as API.md has it", () => {
  const bytes = encodePeaksFrame(columns, 77);
  const view = new DataView(bytes.buffer);
  assertEquals(bytes.length, 32 + 2 * 3 * 3 * 4);
  assertEquals([view.getUint8(0), view.getUint8(1), view.getUint16(2, true)], [2, 1, 2]);
  assertEquals([view.getUint32(4, true), view.getFloat64(8, true), view.getFloat64(16, true)], [
    77,
    1.5,
    100,
  ]);
  assertEquals([view.getUint32(24, true), view.getUint32(28, true)], [3, 0]);
  const floats = [...new Float32Array(bytes.buffer, 32)];
  assertEquals(floats.slice(0, 9), [-1, NaN, 0, 1, NaN, 0.25, 0.5, NaN, 0.125]);
  assertEquals(floats.slice(9, 12), [-2, -0.5, NaN]);
  assertEquals(decodePeaksFrame(bytes), { ...columns, previewId: 77 });
  const whole = encodePeaksFrame({ ...columns, complete: true });
  assertEquals(new DataView(whole.buffer).getUint32(28, true), 1);
  assertThrows(() => decodePeaksFrame(bytes.slice(0, 40)), TypeError);
  assertThrows(() => decodePeaksFrame(new Uint8Array(32)), TypeError);
});

Deno.test("the JSON form has null where nothing is known", () => {
  assertEquals(JSON.parse(JSON.stringify(peaksToJson(columns))), {
    start: 1.5,
    end: 100,
    width: 3,
    channels: 2,
    complete: false,
    min: [[-1, null, 0], [-2, -0.5, null]],
    max: [[1, null, 0.25], [2, 0.5, null]],
    rms: [[0.5, null, 0.125], [1, 0.25, null]],
  });
});

Deno.test("wavesurfer gets what is furthest from zero, within full scale, 0 where nothing is known", () => {
  assertEquals(wavesurferPeaks(columns, 2), {
    peaks: [[1, 0, 0.25], [1, 0.5, 0]],
    duration: 2,
  });
  const negative = { min: [Float32Array.of(-0.75, -1.5)], max: [Float32Array.of(0.5, 0)] };
  assertEquals(wavesurferPeaks(negative, 1).peaks, [[-0.75, -1]]);
});

Deno.test("a thumbnail stays in its frame, leaves gaps where nothing is known, and draws silence as a line", () => {
  const svg = thumbnailSvg(
    { min: Float32Array.of(-2, NaN, 0, 0), max: Float32Array.of(2, NaN, 0, 0.5) },
    40,
    20,
  );
  const path = svg.match(/ d="([^"]*)"/)![1];
  assertEquals(path, "M5 0L5 20ZM25 9.5L35 5L35 10L25 10.5Z");
  assert(
    thumbnailSvg({ min: new Float32Array(2).fill(NaN), max: new Float32Array(2).fill(NaN) }, 2, 2)
      .includes('d=""'),
  );
});

/** audiowaveform's arithmetic, frame by frame; floats clamped. */
function audiowaveform(material: AudioMaterial, samplesPerPixel: number, split: boolean): number[] {
  const { planes, encoding } = material;
  const short = (x: number) => {
    switch (encoding) {
      case "u8":
        return (x - 128) << 8;
      case "s24":
        return x >> 8;
      case "s32":
        return x >> 16;
      case "f32":
      case "f64":
        return Math.max(-32768, Math.min(32767, Math.trunc(Math.fround(Math.fround(x) * 32767))));
      default:
        return x;
    }
  };
  const shorts = planes.map((plane) => Array.from(plane, short));
  const rows = split
    ? shorts
    : [shorts[0].map((_, i) =>
      Math.trunc(shorts.reduce((sum, row) => sum + row[i], 0) / shorts.length)
    )];
  const data: number[] = [];
  for (let at = 0; at < rows[0].length; at += samplesPerPixel) {
    for (const row of rows) {
      const part = row.slice(at, at + samplesPerPixel);
      data.push(Math.min(...part) + 0, Math.max(...part) + 0);
    }
  }
  return data;
}

Deno.test("waveform values equal audiowaveform's arithmetic for every encoding, from samples and from peaks", async () => {
  await using library = await openScans();
  await using folder = await TemporaryFolder.make();
  for (const encoding of ["u8", "s16", "s24", "s32", "f32", "f64"] as const) {
    for (const channels of [1, 2, 3]) {
      const planes = randomPlanes(5, channels, 3001, encoding);
      // 32-bit samples come as floats: only those of 24 bits or fewer are exact.
      const m: AudioMaterial = {
        planes: encoding === "s32" ? planes.map((p) => p.map((x) => x & ~255)) : planes,
        encoding,
      };
      using scan = Scan.open(library, await folder.write("w.wav", makeWav(m)));
      const image = PeakImage.create({
        frames: 3001,
        channels,
        sampleRate: 48_000,
        compact: encoding === "s16" || encoding === "u8",
        identityKey: new Uint8Array(32),
      });
      const peaks = new Float32Array(12 * scan.planes * FLOATS_PER_PLANE);
      image.append(peaks, scan.peaks(0, 256, 12, peaks));
      for (const split of [false, true]) {
        for (const samplesPerPixel of [2, 7, 64, 256, 1024, 5000]) {
          const request = { samplesPerPixel, split };
          const expected = audiowaveform(m, samplesPerPixel, split);
          const name = `${encoding} ${channels} ${Deno.inspect(request)}`;
          const values = finish(waveformFromScan(scan, request));
          assertEquals(values.channels, split ? channels : 1, name);
          assertEquals([...values.data], expected, name);
          if (!imageHolds(image, request)) continue;
          const fast = finish(waveformFromImage(image, request, encoding[0] === "f"));
          assertEquals([...fast.data], expected, `${name}, from peaks`);
        }
      }
    }
  }
});

Deno.test("8-bit values are those of 16 bits divided by 256, towards zero; a last pixel may be partial", () => {
  const values: WaveformValues = {
    sampleRate: 8000,
    samplesPerPixel: 2,
    channels: 2,
    data: Int16Array.of(-32768, 32767, -255, 255, -256, 256, -257, 511),
  };
  const bytes = encodeWaveformDat(values, 8);
  const view = new DataView(bytes.buffer);
  assertEquals([0, 4, 8, 12, 16, 20].map((at) => view.getInt32(at, true)), [2, 1, 8000, 2, 2, 2]);
  assertEquals([...new Int8Array(bytes.buffer, 24)], [-128, 127, 0, 0, -1, 1, -1, 1]);
  const mono = encodeWaveformDat({ ...values, channels: 1 }, 16);
  assertEquals(new DataView(mono.buffer).getInt32(0, true), 1);
  assertEquals(mono.length, 20 + 16);
});

Deno.test("waveform requests out of range are refused", () => {
  const file = { frames: 2 ** 40, channels: 2 };
  for (const samplesPerPixel of [0, 1, 2.5, NaN, -4, 2 ** 31]) {
    assertThrows(() => checkWaveformRequest({ samplesPerPixel, split: false }, file), RangeError);
  }
  const error = assertThrows(
    () => checkWaveformRequest({ samplesPerPixel: 2, split: true }, file),
    EngineError,
  );
  assertEquals(error.code, "limit.exceeded");
});
