/**
 * No edit decodes anything again: over a session of hundreds of them each frame of a file is read and decoded once, unless the file changed or the budget gave its page
 * away. Counted by frames that were filled into pages, and by bytes that were read of uncompressed files; and witnessed by files that are empty by then.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type { Edit, Timeline } from "../engine/pulse/types.ts";
import { needs } from "./needs.ts";
import { makeWav, randomPlanes } from "./support/audio_files.ts";
import { ffmpeg, music } from "./support/compressed_files.ts";
import { CutStage } from "./support/cut_stage.ts";
import { FADE } from "./support/expected_player.ts";
import { openScans, readAll } from "./support/media.ts";
import { type Prng, prng } from "./support/prng.ts";

const RATE = 48_000;
const SEGMENT = RATE / 4;
const SEGMENTS = 48;
const FRAMES = SEGMENT * SEGMENTS;
/** Frames of a page of each of them: they have 24 bits, or none. */
const PAGE = 4_096;
const KINDS = ["wav", "flac", "mp3"] as const;

interface Laid {
  stage: CutStage;
  paths: string[];
  /** Frames of each file. */
  lengths: number[];
}

/** Three files of the same length, one of each kind, in segments on a track of their own. */
async function laid(memoryBytes: number): Promise<Laid> {
  const stage = await CutStage.make({ memoryBytes });
  await using library = await openScans();
  const paths: string[] = [];
  const lengths: number[] = [];
  const wav = `${stage.rig.folder}/music.wav`;
  const planes = music(1, FRAMES, RATE).map((plane) => plane.map((x) => Math.round(x * 8_388_607)));
  await Deno.writeFile(wav, makeWav({ planes, encoding: "s24" }));
  for (const kind of KINDS) {
    const path = kind === "wav" ? wav : `${stage.rig.folder}/music.${kind}`;
    const codec = kind === "flac" ? ["-sample_fmt", "s32"] : ["-c:a", "libmp3lame", "-b:a", "64k"];
    if (kind !== "wav") await ffmpeg(["-i", wav, ...codec, path]);
    paths.push(path);
    // What a linear decode of all of it gives.
    const sound = readAll(library, path);
    lengths.push(sound[0].length);
    await stage.open(kind, path, sound);
  }
  stage.edit(...KINDS.map((kind): Edit => ({
    op: "track.add",
    track: {
      trackId: kind,
      clips: Array.from({ length: SEGMENTS }, (_, i) => ({
        clipId: `${kind}${i}`,
        assetId: kind,
        startFrame: i * SEGMENT,
        lengthFrames: SEGMENT,
        sourceFrame: i * SEGMENT,
        groupId: `g${i}`,
      })),
    },
  })));
  return { stage, paths, lengths };
}

/** Some edit of what is there. */
function edit(random: Prng, { tracks }: Timeline, head: number): Edit[] {
  const track = random.pick(tracks);
  if (track.clips.length === 0) return [];
  const under = track.clips.findIndex((clip) => clip.startFrame + clip.lengthFrames > head);
  const near = under < 0 || random.chance(0.4) ? random.int(track.clips.length) : under;
  const { clipId, startFrame, lengthFrames } = track.clips[near];
  const at = startFrame + 1 + random.int(Math.max(1, lengthFrames - 1));
  const makers: (() => Edit)[] = [
    () => ({ op: "segment.delete", clipId }),
    () => ({ op: "segment.delete", clipId, ripple: "group" }),
    () => ({ op: "clip.split", clipId, atFrame: at }),
    () => ({ op: "clip.slip", clipId, sourceFrame: random.int(FRAMES - SEGMENT) }),
    () => ({ op: "clip.trim", clipId, startFrame: at }),
    () => ({ op: "clip.move", clipId, startFrame: random.int(FRAMES) }),
    () => ({ op: "clip.set", clipId, set: { gainDb: -random.int(12) } }),
    () => ({ op: "segment.reorder", clipId, toIndex: 0 }),
    () => ({ op: "range.delete", startFrame: at, endFrame: at + 3_000, ripple: true }),
    () => ({ op: "range.insert", atFrame: at, lengthFrames: 2_000 }),
    () => ({ op: "track.set", trackId: track.trackId, set: { mute: random.chance(0.3) } }),
  ];
  const one = random.pick(makers)();
  if (one.op === "clip.split" && lengthFrames < 3) return [];
  if (one.op === "clip.trim" && lengthFrames < 3) return [];
  return [one];
}

/** So many edits and undos in their turn, listened to between them. */
function session(stage: CutStage, random: Prng, edits: number, most = 2_500): void {
  for (let i = 0; i < edits; i++) {
    const head = stage.player.head.positionFrame;
    // What laid them is not taken back.
    if (stage.timeline.undoHistory.applied > 3 && random.chance(0.35)) stage.undo();
    else if (stage.timeline.canRedo && random.chance(0.2)) stage.redo();
    else {
      const edits = edit(random, stage.timeline.get().timeline, head);
      if (edits.length > 0) stage.edit(...edits);
    }
    if (head > FRAMES / 2 || random.chance(0.1)) stage.seek(random.int(FRAMES / 2));
    stage.hear(random.int(most), `edit ${i}`, { period: 512 });
  }
  stage.hear(2 * FADE, "at rest");
}

const figures = (stage: CutStage) => {
  const { framesFilled, bytesRead, pageFills, reads, evictions } = stage.signal.counters();
  return { framesFilled, bytesRead, pageFills, reads, evictions };
};

/** Once along all of the whole timeline, so that all of it has been wanted. */
function along(stage: CutStage): void {
  while (stage.timeline.canUndo && stage.timeline.revision > 0) {
    const { tracks } = stage.timeline.get().timeline;
    if (tracks.every(({ clips }) => clips.length === SEGMENTS && isWhole(clips))) break;
    stage.undo();
    stage.hear(100, "back to the whole");
  }
  for (let second = 0; second < FRAMES / RATE; second++) {
    stage.seek(second * RATE);
    stage.hear(2 * FADE, "once along all of it");
  }
}

const isWhole = (clips: readonly { startFrame: number; sourceFrame: number }[]) =>
  clips.every(({ startFrame, sourceFrame }) => startFrame === sourceFrame);

Deno.test({
  name:
    "400 edits of WAV, FLAC and MP3 while they load and after: each frame is decoded once, and edits are heard when the files are empty",
  ...needs("ffmpeg"),
  async fn() {
    const { stage, paths, lengths } = await laid(64e6);
    await using _ = stage;
    const random = prng(11);
    // The first hundred while it loads, from anywhere.
    stage.play(0);
    session(stage, random, 100);
    along(stage);
    const all = figures(stage);
    assertEquals(all.framesFilled, lengths.reduce((sum, frames) => sum + frames, 0));
    assertEquals(all.evictions, 0);
    // From here on nothing can be read.
    for (const path of paths) await Deno.truncate(path, 0);
    session(stage, random, 300);
    assertEquals(figures(stage), all);
    stage.checkNothingMissed();
  },
});

Deno.test("a file that changed is read anew, once, and no other is", async () => {
  await using stage = await CutStage.make();
  const material = (seed: number) => ({
    planes: randomPlanes(seed, 2, FRAMES, "s16"),
    encoding: "s16" as const,
  });
  for (const assetId of ["a", "b"]) {
    await stage.add(assetId, material(assetId.charCodeAt(0)));
    stage.edit({
      op: "track.add",
      track: {
        trackId: assetId,
        clips: Array.from({ length: SEGMENTS }, (_, i) => ({
          clipId: `${assetId}${i}`,
          assetId,
          startFrame: i * SEGMENT,
          lengthFrames: SEGMENT,
          sourceFrame: i * SEGMENT,
        })),
      },
    });
  }
  const random = prng(12);
  stage.play(0);
  session(stage, random, 40);
  along(stage);
  const bytes = FRAMES * 4;
  const first = figures(stage);
  assertEquals([first.framesFilled, first.bytesRead], [2 * FRAMES, 2 * bytes]);
  await stage.add("a", material(1));
  session(stage, random, 80);
  along(stage);
  const second = figures(stage);
  assertEquals([second.framesFilled, second.bytesRead], [3 * FRAMES, 3 * bytes]);
  session(stage, random, 80);
  assertEquals(figures(stage), second);
  stage.checkNothingMissed();
});

Deno.test({
  name:
    "where the budget is smaller than what is cut, a page is decoded again only after it had to go",
  ...needs("ffmpeg"),
  async fn() {
    // 440 pages of two channels; room for 200.
    const { stage, lengths } = await laid(200 * 32_768);
    await using _ = stage;
    stage.play(0);
    session(stage, prng(13), 120);
    along(stage);
    const { framesFilled, evictions, pagesResident } = stage.signal.counters();
    const all = lengths.reduce((sum, frames) => sum + frames, 0);
    assert(framesFilled > 1.1 * all, `${framesFilled} frames were decoded, ${all} there are`);
    // Each page came as often as it went, and once more if it is there: each time no more than all of it was decoded.
    const most = (evictions + pagesResident) * PAGE;
    assert(framesFilled <= most, `${framesFilled} frames were decoded, not ${most}`);
    stage.checkNothingMissed();
  },
});
