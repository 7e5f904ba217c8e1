import { assertEquals } from "@std/assert";
import { Signal } from "../engine/signal/signal.ts";
import { makeWav } from "./support/audio_files.ts";
import { ffmpeg, music } from "./support/compressed_files.ts";
import { TemporaryFolder } from "./support/media.ts";
import { prng } from "./support/prng.ts";
import { clip, firstDifference, mixOf, openRig, track } from "./support/signal_rig.ts";
import { needs } from "./needs.ts";

const PAGE_FRAMES = 4_096;

/** Hashes of all pages of a file at 48 kHz, asked for in an order that is shuffled by `seed` (0: as they come). */
async function pageHashes(path: string, fillThreads: number, seed: number): Promise<string[]> {
  await using signal = await Signal.open({ sampleRate: 48_000, memoryBytes: 32e6, fillThreads });
  const { sourceFrames } = await signal.openSource("a", path);
  const { symbols, engine } = signal.native;
  const order = Array.from({ length: Math.ceil(sourceFrames / PAGE_FRAMES) }, (_, i) => i);
  const random = prng(seed);
  for (let i = order.length - 1; seed > 0 && i > 0; i--) {
    const j = Math.floor(random.next() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  const hashes: string[] = [];
  const out = new Uint8Array(8);
  for (const page of order) {
    const start = page * PAGE_FRAMES;
    const end = Math.min(sourceFrames, start + PAGE_FRAMES);
    symbols.lp_source_prefetch(engine, 1, start, end);
    // With one thread each is awaited, so that the order is the one asked for; with more they race.
    if (fillThreads === 1) await resident(start, end);
  }
  for (const page of order) {
    const start = page * PAGE_FRAMES;
    await resident(start, Math.min(sourceFrames, start + PAGE_FRAMES));
    assertEquals(symbols.lp_source_page_hash(engine, 1, page, out, 8), 0);
    hashes[page] = out.toHex();
  }
  return hashes;

  async function resident(start: number, end: number): Promise<void> {
    while (symbols.lp_source_resident(engine, 1, start, end - start) < end - start) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
}

Deno.test({
  name:
    "pages of WAV, FLAC and MP3 at another rate are the same in any order and by any number of threads",
  ...needs("ffmpeg"),
  async fn() {
    await using folder = await TemporaryFolder.make();
    const wav = await folder.write(
      "a.wav",
      makeWav({ planes: music(2, 44_100 * 5 + 7, 44_100), encoding: "f32", sampleRate: 44_100 }),
    );
    const paths = [wav];
    for (
      const [name, ...options] of [
        ["a.flac", "-sample_fmt", "s16"],
        ["a.mp3", "-c:a", "libmp3lame", "-b:a", "64k"],
      ]
    ) {
      paths.push(`${folder.path}/${name}`);
      await ffmpeg(["-i", wav, ...options, paths.at(-1)!]);
    }
    for (const path of paths) {
      const linear = await pageHashes(path, 1, 0);
      assertEquals(new Set(linear).size, linear.length, "pages differ from each other");
      for (const [threads, seed] of [[1, 1], [2, 2], [8, 3], [8, 4]]) {
        assertEquals(await pageHashes(path, threads, seed), linear, `${path}, ${threads} threads`);
      }
    }
  },
});

Deno.test("a source at another rate plays, loops and is cut like any other, to the sample", async () => {
  await using rig = await openRig({ singleStep: true, manualClock: true });
  const planes = music(2, 44_100, 44_100);
  await rig.add("a", { planes, encoding: "f32", sampleRate: 44_100 });
  const whole = mixOf([track("t", [clip("c", "a", 0, 48_000)])]);
  await using render = rig.signal.renderOffline(whole, 0);
  const rendering = render.next(48_000);
  rig.settle();
  const interleaved = await rendering;
  const expected = (from: number, to: number) =>
    Float32Array.from({ length: to - from }, (_, i) => interleaved[2 * (from + i)]);

  rig.signal.publish(
    mixOf([
      track("t", [
        clip("b", "a", 0, 1_000, { sourceFrame: 30_001 }),
        clip("c", "a", 5_000, 20_000, { sourceFrame: 4_095 }),
      ]),
    ]),
    1,
    [],
  );
  rig.signal.setLoop({ enabled: true, startFrame: 6_000, endFrame: 9_001 });
  rig.signal.play(0);
  rig.settle();
  const [left] = rig.render(15_003);
  assertEquals(firstDifference(left.slice(0, 1_000), expected(30_001, 31_001)), -1, "a clip");
  assertEquals(left.slice(1_000, 5_000).every((x) => x === 0), true, "nothing between clips");
  assertEquals(
    firstDifference(left.slice(5_000, 9_001), expected(4_095, 8_096)),
    -1,
    "until the wrap",
  );
  for (let turn = 0; turn < 2; turn++) {
    const begin = 9_001 + turn * 3_001;
    const heard = left.slice(begin, begin + 3_001);
    assertEquals(firstDifference(heard, expected(5_095, 8_096)), -1, `turn ${turn}`);
  }
});
