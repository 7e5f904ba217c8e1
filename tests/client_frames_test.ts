/** The client's decoders: what the engine writes comes back, anything else is refused in words. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { encodePeaksFrame } from "../engine/media/peaks_frame.ts";
import { packMeters } from "../engine/pulse/services/meters.ts";
import { decodeFrame, FrameError } from "../server/web/client/mod.js";
import { prng } from "./support/prng.ts";

function metersFrame(tracks: number): Uint8Array<ArrayBuffer> {
  const random = prng(tracks + 1);
  const pair = (): [number, number] => [Math.fround(random.next()), Math.fround(random.next())];
  const level = () => ({ peak: pair(), rms: pair() });
  const ids = Array.from({ length: tracks }, (_, i) => `t${i}`);
  return packMeters(
    {
      audibleFrame: 2 ** 40 + 1,
      timeMs: 12.5,
      revision: 77,
      master: level(),
      tracks: new Map(ids.map((id) => [id, level()])),
    },
    ids,
    4_000_000_000,
  );
}

function peaksFrame(channels: number, width: number): Uint8Array<ArrayBuffer> {
  const plane = (seed: number) => Float32Array.from({ length: width }, (_, i) => seed + i);
  const planes = (seed: number) =>
    Array.from({ length: channels }, (_, c) => plane(seed + 100 * c));
  const columns = { start: 0.5, end: 99, width, complete: true, etag: null };
  return encodePeaksFrame({ ...columns, min: planes(1), max: planes(2), rms: planes(3) }, 5);
}

Deno.test("meters come back as they were packed, track by track", () => {
  const frame = decodeFrame(metersFrame(3).buffer);
  assert(frame?.kind === "meters");
  const { sequence, audibleFrame, timeMs, revision, master, tracks } = frame;
  assertEquals(
    { sequence, audibleFrame, timeMs, revision },
    { sequence: 4_000_000_000, audibleFrame: 2 ** 40 + 1, timeMs: 12.5, revision: 77 },
  );
  const random = prng(4);
  const next = () => [Math.fround(random.next()), Math.fround(random.next())];
  for (const strip of [master, ...tracks]) assertEquals(strip, { peak: next(), rms: next() });
  assertEquals(tracks.length, 3);
});

Deno.test("a frame may be any view of bytes, at any offset", () => {
  for (const bytes of [metersFrame(2), peaksFrame(2, 9)]) {
    const whole = decodeFrame(bytes.buffer);
    for (let offset = 0; offset < 9; offset++) {
      const around = new Uint8Array(bytes.length + 20);
      around.set(bytes, offset);
      assertEquals(decodeFrame(around.subarray(offset, offset + bytes.length)), whole);
    }
  }
});

Deno.test("a frame that is cut short or goes on too long is refused with its length", () => {
  for (const bytes of [metersFrame(0), metersFrame(5), peaksFrame(1, 3), peaksFrame(3, 8)]) {
    for (let length = 0; length < bytes.length; length++) {
      const error = assertThrows(() => decodeFrame(bytes.slice(0, length)), FrameError);
      assert(error.message.includes(`${length} bytes`), error.message);
    }
    assertThrows(() => decodeFrame(Uint8Array.of(...bytes, 0)), FrameError, "exactly");
  }
});

Deno.test("kinds and versions of a later engine are passed over", () => {
  assertEquals(decodeFrame(Uint8Array.of(3, 1)), null);
  assertEquals(decodeFrame(Uint8Array.of(1, 2, 0, 0)), null);
});

Deno.test("50,000 random frames are decoded within their bytes or refused, never anything else", () => {
  const random = prng(99);
  const seeds = [metersFrame(0), metersFrame(4), peaksFrame(2, 5), peaksFrame(1, 1)];
  let refused = 0;
  for (let round = 0; round < 50_000; round++) {
    let bytes: Uint8Array<ArrayBuffer>;
    if (random.chance(0.3)) {
      bytes = Uint8Array.from({ length: random.int(80) }, () => random.int(256));
      if (bytes.length > 1 && random.chance(0.9)) [bytes[0], bytes[1]] = [1 + random.int(2), 1];
    } else {
      bytes = random.pick(seeds).slice();
      for (let flips = 1 + random.int(3); flips > 0; flips--) {
        bytes[random.int(Math.min(32, bytes.length))] = random.int(256);
      }
      if (random.chance(0.3)) bytes = bytes.slice(0, random.int(bytes.length + 1));
    }
    try {
      const frame = decodeFrame(bytes);
      if (frame?.kind === "peaks") {
        const floats = [...frame.min, ...frame.max, ...frame.rms].reduce(
          (sum, p) => sum + p.length,
          0,
        );
        assertEquals(32 + 4 * floats, bytes.length);
      } else if (frame?.kind === "meters") {
        const strips = [frame.master, ...frame.tracks];
        const channels = strips.reduce((sum, { peak }) => sum + peak.length, 0);
        assertEquals(28 + 4 * strips.length + 8 * channels, bytes.length);
      }
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      refused++;
    }
  }
  assert(refused > 12_000 && refused < 48_000, `${refused} refused`);
});
