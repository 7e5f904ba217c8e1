import { assertEquals } from "@std/assert";
import { readHead } from "../engine/files/head.ts";
import { dataBytes, wavHeader, type WavShape } from "../engine/media/wav_header.ts";
import { SampleEncoder } from "../engine/pulse/services/wav.ts";

const text = (bytes: Uint8Array, at: number) => String.fromCharCode(...bytes.subarray(at, at + 4));

function shape(rest: Partial<WavShape>): WavShape {
  return { sampleFormat: "s16", channels: 2, sampleRate: 48_000, lengthFrames: 100, ...rest };
}

Deno.test("16-bit stereo is plain PCM with the sizes of the whole file", () => {
  const header = wavHeader(shape({}));
  const view = new DataView(header.buffer);
  assertEquals(header.length, 44);
  assertEquals([text(header, 0), text(header, 8), text(header, 36)], ["RIFF", "WAVE", "data"]);
  assertEquals(view.getUint32(4, true), 36 + 400);
  assertEquals(view.getUint16(20, true), 1);
  assertEquals(view.getUint32(40, true), 400);
});

Deno.test("24-bit is extensible, float has a fact chunk", () => {
  const integer = new DataView(wavHeader(shape({ sampleFormat: "s24" })).buffer);
  assertEquals(integer.getUint16(20, true), 0xfffe);
  assertEquals(integer.getUint32(40, true), 3, "left and right");
  const float = wavHeader(shape({ sampleFormat: "f32" }));
  assertEquals(new DataView(float.buffer).getUint16(20, true), 3);
  assertEquals(text(float, 38), "fact");
});

Deno.test("a file of more than 4 GiB is RF64 with 64-bit sizes", () => {
  const long = shape({ sampleFormat: "f32", lengthFrames: 2 ** 30 });
  const header = wavHeader(long);
  const view = new DataView(header.buffer);
  assertEquals([text(header, 0), text(header, 12)], ["RF64", "ds64"]);
  assertEquals(view.getUint32(4, true), 0xffffffff);
  assertEquals(view.getBigUint64(20, true), BigInt(header.length - 8 + dataBytes(long)));
  assertEquals(view.getBigUint64(28, true), BigInt(dataBytes(long)));
  assertEquals(view.getBigUint64(36, true), 2n ** 30n);
  const edge = shape({ lengthFrames: Math.floor((0xffffffff - 36) / 4) });
  assertEquals(text(wavHeader(edge), 0), "RIFF");
  assertEquals(text(wavHeader({ ...edge, lengthFrames: edge.lengthFrames + 1 }), 0), "RF64");
});

Deno.test("our own reader finds what the writer wrote", async () => {
  for (const sampleFormat of ["s16", "s24", "f32"] as const) {
    const written = shape({ sampleFormat, lengthFrames: 2 ** 31 });
    const header = wavHeader(written);
    const read = (at: number, length: number) =>
      Promise.resolve(header.subarray(at, Math.min(header.length, at + length)));
    const head = await readHead(read, header.length + dataBytes(written));
    assertEquals([head?.lengthSamples, head?.channels, head?.sampleRate, head?.container], [
      2 ** 31,
      2,
      48_000,
      "rf64",
    ]);
  }
});

Deno.test("integers come back exactly and what is over full scale is clamped", () => {
  for (const [format, scale] of [["s16", 2 ** 15], ["s24", 2 ** 23]] as const) {
    const values = [0, 1, -1, 12_345, -12_345, scale - 1, -scale];
    const samples = Float32Array.from(
      [...values.map((x) => x / scale), 1, 1.5, -1.5, NaN, Infinity, -Infinity],
    );
    const bytes = new SampleEncoder(format).encode(samples);
    const view = new DataView(bytes.buffer);
    const size = format === "s16" ? 2 : 3;
    const read = (i: number) =>
      size === 2
        ? view.getInt16(i * 2, true)
        : view.getUint16(i * 3, true) | (view.getInt8(i * 3 + 2) << 16);
    assertEquals(
      Array.from(samples, (_, i) => read(i)),
      [...values, scale - 1, scale - 1, -scale, 0, scale - 1, -scale],
    );
  }
});

Deno.test("dither is of one bit, without bias, and the same each time", () => {
  const samples = new Float32Array(20_000).fill(0.25 / 32_768);
  const encode = () => new Int16Array(new SampleEncoder("s16", true).encode(samples).buffer);
  const first = encode();
  assertEquals(first, encode());
  assertEquals([Math.min(...first), Math.max(...first)], [-1, 1]);
  const mean = first.reduce((sum, x) => sum + x, 0) / first.length;
  assertEquals(Math.abs(mean - 0.25) < 0.02, true, `mean ${mean}`);
});

Deno.test("the peak is that of the floats", () => {
  const encoder = new SampleEncoder("s16");
  encoder.encode(Float32Array.of(0.5, -1.25));
  encoder.encode(Float32Array.of(0.1));
  assertEquals(encoder.peak, 1.25);
});
