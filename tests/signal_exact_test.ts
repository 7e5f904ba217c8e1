/** Files through the page store and the renderer, to the sample: every variant of WAV and AIFF, and real files that no one here wrote. */
import { assert, assertEquals } from "@std/assert";
import { Signal } from "../engine/signal/signal.ts";
import {
  type AudioMaterial,
  type Encoding,
  expectedFloats,
  makeAiff,
  makeW64,
  makeWav,
  randomPlanes,
} from "./support/audio_files.ts";
import { FIXTURES, HAS_FIXTURES } from "./support/media.ts";
import { clip, firstDifference, mixOf, openRig, track, unzip } from "./support/signal_rig.ts";

const INTEGERS: Encoding[] = ["s16", "s24", "s32"];
const WAV: Encoding[] = ["u8", ...INTEGERS, "f32", "f64"];

/** Every way to write material that the engine says it reads. */
function variants(
  channels: number,
  frames: number,
): [string, AudioMaterial, Uint8Array<ArrayBuffer>][] {
  const all: [string, AudioMaterial, Uint8Array<ArrayBuffer>][] = [];
  let seed = channels * 100;
  const material = (encoding: Encoding, validBits?: number): AudioMaterial => ({
    planes: randomPlanes(seed++, channels, frames, encoding, validBits),
    encoding,
  });
  for (const encoding of WAV) {
    for (const container of ["wav", "rifx", "rf64", "bw64"] as const) {
      for (const extensible of [false, true]) {
        const m = material(encoding);
        all.push([
          `${container} ${encoding} ${extensible}`,
          m,
          makeWav(m, { container, extensible }),
        ]);
      }
    }
    const m = material(encoding);
    all.push([`w64 ${encoding}`, m, makeW64(m)]);
  }
  const twenty = material("s24", 20);
  all.push(["wav 20 in 24", twenty, makeWav(twenty, { extensible: true, validBits: 20 })]);
  for (const encoding of ["s8", ...INTEGERS] as Encoding[]) {
    const m = material(encoding);
    all.push([`aiff ${encoding}`, m, makeAiff(m)]);
    all.push([`aifc NONE ${encoding}`, m, makeAiff(m, { compression: "NONE" })]);
  }
  for (
    const [compression, encoding] of [
      ["sowt", "s16"],
      ["twos", "s16"],
      ["in24", "s24"],
      ["in32", "s32"],
      ["fl32", "f32"],
      ["FL32", "f32"],
      ["fl64", "f64"],
    ] as const
  ) {
    const m = material(encoding);
    all.push([`aifc ${compression}`, m, makeAiff(m, { compression })]);
  }
  return all;
}

Deno.test("a mixdown of a clip is its file, for every variant of WAV, RF64, W64, AIFF and AIFC", async () => {
  await using rig = await openRig({ memoryBytes: 8e6 });
  const frames = 21_001;
  let index = 0;
  for (const channels of [1, 2]) {
    for (const [name, material, bytes] of variants(channels, frames)) {
      const assetId = `a${index++}`;
      const path = `${rig.folder}/${assetId}`;
      await Deno.writeFile(path, bytes);
      const info = await rig.signal.openSource(assetId, path);
      assertEquals([info.frames, info.channels], [frames, channels], name);
      await using render = rig.signal.renderOffline(
        mixOf([track("t", [clip("c", assetId, 0, frames)])]),
        0,
      );
      const [left, right] = unzip(await render.next(frames));
      const floats = expectedFloats(material);
      assertEquals(firstDifference(left, floats[0]), -1, `${name}, left of ${channels}`);
      assertEquals(
        firstDifference(right, floats[channels - 1]),
        -1,
        `${name}, right of ${channels}`,
      );
      assertEquals(render.missing(), 0);
      rig.signal.closeSource(assetId);
    }
  }
});

/** The samples of a plain RIFF file, read apart from the engine: 16-bit integers or 32-bit floats. */
function plainWav(bytes: Uint8Array): { rate: number; planes: Float32Array[] } {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  let [tag, channels, rate, bits] = [0, 0, 0, 0];
  for (let at = 12;;) {
    const id = String.fromCharCode(...bytes.subarray(at, at + 4));
    const length = view.getUint32(at + 4, true);
    if (id === "fmt ") {
      tag = view.getUint16(at + 8, true);
      channels = view.getUint16(at + 10, true);
      rate = view.getUint32(at + 12, true);
      bits = view.getUint16(at + 22, true);
    }
    if (id === "data") {
      const size = bits / 8;
      const frames = Math.floor(Math.min(length, bytes.length - at - 8) / size / channels);
      const planes = Array.from(
        { length: channels },
        (_, c) =>
          Float32Array.from({ length: frames }, (_, i) => {
            const where = at + 8 + (i * channels + c) * size;
            if (tag === 3) return view.getFloat32(where, true);
            return view.getInt16(where, true) / 32_768;
          }),
      );
      assert(tag === 3 || (tag === 1 && bits === 16));
      return { rate, planes };
    }
    at += 8 + length + length % 2;
  }
}

Deno.test({
  name: "real WAV files come out of the mix to the sample",
  ignore: !HAS_FIXTURES,
  async fn() {
    for (const name of ["test_file_stereo", "test_file_mono", "test_file_mono_float32"]) {
      const path = `${FIXTURES}${name}.wav`;
      const { rate, planes } = plainWav(await Deno.readFile(path));
      await using signal = await Signal.open({ sampleRate: rate, memoryBytes: 16e6 });
      const { frames } = await signal.openSource("a", path);
      assertEquals(frames, planes[0].length, name);
      await using render = signal.renderOffline(
        mixOf([track("t", [clip("c", "a", 0, frames)])]),
        0,
      );
      const [left, right] = unzip(await render.next(frames));
      assertEquals(firstDifference(left, planes[0]), -1, name);
      assertEquals(firstDifference(right, planes[planes.length - 1]), -1, name);
    }
  },
});

Deno.test("surround is folded by the standard's coefficients: centre and surrounds at −3 dB, no LFE", async () => {
  await using rig = await openRig({ singleStep: true, manualClock: true });
  const m: AudioMaterial = { planes: randomPlanes(9, 6, 5000, "s24"), encoding: "s24" };
  await rig.add("a", m);
  rig.signal.publish(mixOf([track("t", [clip("c", "a", 0, 5000)])]), 1, []);
  rig.signal.play(0);
  rig.settle();
  const [left, right] = rig.render(5000);
  const [fl, fr, fc, , sl, sr] = rig.sources.get("a")!;
  const half = Math.SQRT1_2;
  for (let i = 0; i < 5000; i++) {
    assert(Math.abs(left[i] - (fl[i] + half * fc[i] + half * sl[i])) < 1e-6, `left ${i}`);
    assert(Math.abs(right[i] - (fr[i] + half * fc[i] + half * sr[i])) < 1e-6, `right ${i}`);
  }
});
