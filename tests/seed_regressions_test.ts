/**
 * The four failures of the seed `audio-buffer-sync-after-segment-deletion.md`, each as a test that it can never pass again: on a recording of two files, microphone and
 * system sound, whose segments are groups; the device is manual, and each read is let through by hand.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type { Edit } from "../engine/pulse/types.ts";
import { needs } from "./needs.ts";
import { makeWav, randomPlanes } from "./support/audio_files.ts";
import { ffmpeg } from "./support/compressed_files.ts";
import { CutStage, PERIOD } from "./support/cut_stage.ts";
import { FADE } from "./support/expected_player.ts";
import { prng } from "./support/prng.ts";

const RATE = 48_000;
/** The system's recording began so many frames before the microphone's. */
const OFFSET = 1_234;

/** The edits that lay a recording in segments: the microphone on the left alone, the system on the right alone. */
function laid(segments: number, segmentFrames: number): Edit[] {
  const clips = (assetId: "mic" | "system", offset: number) =>
    Array.from({ length: segments }, (_, i) => ({
      clipId: `${assetId}${i}`,
      assetId,
      startFrame: i * segmentFrames,
      lengthFrames: segmentFrames,
      sourceFrame: i * segmentFrames + offset,
      groupId: `segment${i}`,
    }));
  return [
    { op: "track.add", track: { trackId: "mic", pan: -1, clips: clips("mic", 0) } },
    { op: "track.add", track: { trackId: "system", pan: 1, clips: clips("system", OFFSET) } },
  ];
}

/** A recording of noise, of which no two seconds are alike. */
async function recorded(
  segments: number,
  segmentFrames: number,
  memoryBytes = 64e6,
): Promise<CutStage> {
  const stage = await CutStage.make({ memoryBytes });
  const frames = segments * segmentFrames;
  await stage.add("mic", { planes: randomPlanes(1, 1, frames, "s16"), encoding: "s16" });
  await stage.add("system", {
    planes: randomPlanes(2, 1, frames + OFFSET, "s16"),
    encoding: "s16",
  });
  stage.edit(...laid(segments, segmentFrames));
  stage.follow();
  return stage;
}

/** Segments that are left of a recording, told apart from the engine: all of one length, one after another. */
class Segments {
  readonly left: number[];
  head = 0;

  constructor(count: number, readonly frames: number) {
    this.left = Array.from({ length: count }, (_, i) => i);
  }

  /** Where the head is in what was recorded. */
  get recordedFrame(): number {
    return this.left[Math.floor(this.head / this.frames)] * this.frames + this.head % this.frames;
  }

  /** Takes one out; the head stays on what it plays, or goes to the cut. */
  remove(index: number): Edit {
    const [segment] = this.left.splice(index, 1);
    const start = index * this.frames;
    if (this.head >= start + this.frames) this.head -= this.frames;
    else if (this.head >= start) this.head = start;
    return { op: "segment.delete", clipId: `mic${segment}` };
  }

  get under(): number {
    return Math.floor(this.head / this.frames);
  }
}

Deno.test("audio goes out of sync after deleting segments: never, over 200 of them, by not one frame", async () => {
  const [count, frames] = [250, RATE / 4];
  await using stage = await CutStage.make();
  // Each sample says which frame of its file it is.
  const COUNTED = 2 ** 23;
  const coded = (length: number) => [Float64Array.from({ length }, (_, i) => (i + 1) / COUNTED)];
  const frameOf = (sample: number) => sample * COUNTED - 1;
  await stage.add("mic", { planes: coded(count * frames), encoding: "f32" });
  await stage.add("system", { planes: coded(count * frames + OFFSET), encoding: "f32" });
  stage.edit(...laid(count, frames));
  stage.follow();
  const segments = new Segments(count, frames);
  const random = prng(1);
  stage.play(0);
  stage.hear(PERIOD, "it plays");
  segments.head = PERIOD;
  for (let done = 0; done < 200; done++) {
    const { left, under } = segments;
    const ways = [
      under,
      under,
      Math.min(under + 1, left.length - 1),
      random.int(under + 1),
      random.int(left.length),
    ];
    stage.edit(segments.remove(random.pick(ways)));
    if (segments.under >= segments.left.length - 2) {
      segments.head = random.int((segments.left.length - 2) * frames);
      stage.seek(segments.head);
      stage.hear(FADE, `deletion ${done}, then a seek`);
      segments.head += FADE;
    }
    // The fade of the deletion, and of a seek behind it.
    stage.hear(2 * FADE, `deletion ${done}`);
    segments.head += 2 * FADE;
    const [mic, system] = stage.hear(600, `after deletion ${done}`);
    for (let i = 0; i < 600; i++, segments.head++) {
      const frame = segments.recordedFrame;
      if (frameOf(mic[i]) === frame && frameOf(system[i]) === frame + OFFSET) continue;
      throw new Error(
        `Deletion ${done}, frame ${i}: the microphone is at ${frameOf(mic[i])}, the system at ${
          frameOf(system[i])
        }, not at ${frame} and ${OFFSET} behind it`,
      );
    }
  }
  assertEquals(stage.signal.position().positionFrame, segments.head);
  stage.checkNothingMissed();
});

Deno.test({
  name:
    "~7 seconds to load 10 minutes of footage: the first sound needs the first pages of its place, and no more is read before it",
  ...needs("ffmpeg"),
  async fn() {
    const [count, frames] = [600, RATE];
    const [from, sounding] = [300 * RATE, 20 * RATE];
    await using stage = await CutStage.make();
    // Ten minutes each, of which some seconds sound. The system is a FLAC file.
    for (const [seed, assetId, offset] of [[1, "mic", 0], [2, "system", OFFSET]] as const) {
      const length = count * frames + offset;
      const [sound] = randomPlanes(seed, 1, sounding + offset, "s16");
      const wav = `${stage.rig.folder}/${assetId}.wav`;
      using file = await Deno.open(wav, { write: true, create: true });
      await file.write(makeWav({ planes: [[]], encoding: "s16" }, { dataBytes: length * 2 }));
      await file.truncate(44 + length * 2);
      await file.seek(44 + from * 2, Deno.SeekMode.Start);
      await writeAll(file, new Uint8Array(Int16Array.from(sound).buffer));
      const plane = new Float32Array(length);
      sound.forEach((x, i) => plane[from + i] = x / 32_768);
      const flac = `${stage.rig.folder}/${assetId}.flac`;
      if (assetId === "system") await ffmpeg(["-i", wav, "-compression_level", "0", flac]);
      await stage.open(assetId, assetId === "system" ? flac : wav, [plane]);
    }
    stage.hear(PERIOD, "nothing is there");
    stage.hold();
    stage.edit(...laid(count, frames));
    const before = stage.signal.counters();
    stage.seek(from + 100);
    stage.play();
    let reads = 0;
    for (;;) {
      const [mic, system] = stage.hear(PERIOD, `after ${reads} reads`);
      if (mic.some((x) => x !== 0)) {
        assert(system.some((x) => x !== 0), "both are heard from the same frame on");
        break;
      }
      assert(reads < 4, "nothing is heard after four reads");
      stage.release(1);
      reads++;
    }
    const after = stage.signal.counters();
    const pages = after.pageFills - before.pageFills;
    const bytes = after.bytesRead - before.bytesRead;
    console.log(`First sound: ${reads} reads let through, ${pages} pages, ${bytes} bytes`);
    assertEquals(reads, 2, "one of each file");
    assert(pages <= 2 * 61, "no more than ten seconds of each, of ten minutes");
    assertEquals(after.admittedByDeadline, 0, "it was waited for");
    stage.release();
    stage.hear(5 * RATE, "what follows", { period: 2_048 });
    stage.checkNothingMissed();
  },
});

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
}

Deno.test("on deletion the whole audio is loaded again: nothing is, with every read held back", async () => {
  const [count, frames] = [240, RATE / 4];
  await using stage = await recorded(count, frames);
  // Played through once, fast: then all of it is in memory.
  for (let second = 0; second < 60; second += 5) {
    stage.seek(second * RATE);
    stage.follow();
  }
  const read = () => {
    const { reads, framesFilled, bytesRead, evictions, pagesResident } = stage.signal.counters();
    return { reads, framesFilled, bytesRead, evictions, pagesResident };
  };
  const all = read();
  assertEquals(all.framesFilled, 2 * count * frames + OFFSET);
  stage.hold();
  const segments = new Segments(count, frames);
  const random = prng(2);
  stage.play(0);
  stage.hear(PERIOD, "it plays");
  for (let done = 0; done < 150; done++) {
    const index = random.chance(0.4) ? segments.under : random.int(segments.left.length);
    segments.head = stage.player.head.positionFrame;
    stage.edit(segments.remove(index));
    stage.hear(random.int(2_000), `deletion ${done}`);
    if (random.chance(0.3)) stage.seek(random.int(segments.left.length * frames));
    segments.head = stage.player.head.positionFrame;
  }
  for (let undone = 0; undone < 150; undone++) {
    stage.undo();
    stage.hear(random.int(500), `undo ${undone}`);
  }
  stage.hear(2 * FADE, "at rest");
  assertEquals(read(), all);
  stage.checkNothingMissed();
});

Deno.test("the audio is gone after deletion: it is there in the very next period, and so is all that follows, in a store that holds less than half of it", async () => {
  const [count, frames] = [60, RATE];
  // 704 pages, and room for 300.
  await using stage = await recorded(count, frames, 300 * 16_384);
  const segments = new Segments(count, frames);
  const random = prng(3);
  stage.play(0);
  for (let done = 0; done < 40; done++) {
    const { under } = segments;
    const index = random.pick([under, under, Math.max(0, under - 1), under + 1]);
    const edit = segments.remove(Math.min(index, segments.left.length - 1));
    stage.edit(edit);
    assert(!stage.player.isWaiting, `deletion ${done}: it is there`);
    const { revision } = stage.timeline;
    const [mic, system] = stage.hear(PERIOD, `deletion ${done}, the next period`);
    assertEquals(stage.signal.position().revision, revision);
    assert(mic.some((x) => x !== 0) && system.some((x) => x !== 0), `deletion ${done}: silence`);
    stage.hear(FADE + random.int(RATE), `what follows deletion ${done}`, { period: 2_000 });
    if (segments.left.length - stage.player.head.positionFrame / frames < 5) {
      stage.seek(random.int(5 * frames));
      stage.hear(2 * FADE, `back, after deletion ${done}`);
    }
    segments.head = stage.player.head.positionFrame;
  }
  // All that is left, from the first frame to the last.
  stage.seek(0);
  const [mic, system] = stage.hear(segments.left.length * frames, "what is left", {
    period: 4_000,
  });
  for (const side of [mic, system]) {
    let silence = 0;
    for (const x of side) {
      silence = x === 0 ? silence + 1 : 0;
      assert(silence < 8, "a hole");
    }
  }
  const { evictions } = stage.signal.counters();
  assert(evictions > 200, `${evictions} pages had to go`);
  stage.checkNothingMissed();
});
