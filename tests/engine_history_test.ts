/** Undo, I/O ranges and segments through the whole engine: what the head and the loop do, and what is said of a journal that is damaged. */
import { DatabaseSync } from "node:sqlite";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { EngineError } from "../engine/errors.ts";
import type { Edit } from "../engine/pulse/types.ts";
import { sinePlanes } from "./support/audio_files.ts";
import { EnginePlace, ME } from "./support/engine_place.ts";

/** A recording of microphone and system sound in three segments of a second each, and what it is laid with. */
async function recording(place: EnginePlace, register: (path: string) => Promise<string>) {
  const planes = sinePlanes(440, 1, 48_000 * 4, "s16");
  const path = await place.wav("r.wav", { planes, encoding: "s16", sampleRate: 48_000 });
  const assetId = await register(path);
  const track = (trackId: string, offset: number): Edit => ({
    op: "track.add",
    track: {
      trackId,
      clips: [0, 1, 2].map((n) => ({
        clipId: `${trackId}${n}`,
        assetId,
        startFrame: n * 48_000 + (n === 0 ? offset : 0),
        lengthFrames: 48_000 - (n === 0 ? offset : 0),
        sourceFrame: n * 48_000,
        groupId: `g${n}`,
      })),
    },
  });
  return [track("mic", 0), track("sys", 480)];
}

Deno.test("head, loop and I/O range through deletions of segments and their undo", async () => {
  await using place = await EnginePlace.make();
  await using opened = await place.open();
  const { engine } = opened;
  const { timeline, transport } = engine;
  const register = async (path: string) =>
    (await engine.assets.register(path, "recording", ME)).assetId;
  timeline.edit(await recording(place, register), {}, ME);
  timeline.edit([{ op: "io.set", inFrame: 48_000, outFrame: 96_000 }], {}, ME);
  transport.setLoop({ enabled: true, startFrame: 0, endFrame: 48_000 });
  transport.seek(100_000);
  const before = structuredClone(timeline.get().timeline);

  // The second segment, named by its system sound, by both ways: these are all the tracks there are.
  for (const ripple of ["all", "group"] as const) {
    const { playheadFrame } = timeline.edit(
      [{ op: "segment.delete", clipId: "sys1", ripple }],
      {},
      ME,
    );
    assertEquals(playheadFrame, 52_000, ripple);
    assertEquals(transport.get().loop, { enabled: true, startFrame: 0, endFrame: 48_000 });
    assertEquals(timeline.get().timeline.ioPoints, undefined);
    assertEquals(
      timeline.get().timeline.tracks.map(({ clips }) => clips.map((clip) => clip.startFrame)),
      [[0, 48_000], [480, 48_000]],
    );
    // The loop ended where the segment began: it is as it was.
    assertEquals(timeline.undo({}, ME).playheadFrame, 100_000);
    assertEquals(transport.get().loop, { enabled: true, startFrame: 0, endFrame: 48_000 });
    assertEquals(timeline.get().timeline, before);
  }
  // On one track: no time goes.
  const { playheadFrame } = timeline.edit(
    [{
      op: "range.delete",
      startFrame: 48_000,
      endFrame: 96_000,
      ripple: true,
      trackIds: ["mic"],
    }],
    {},
    ME,
  );
  assertEquals(playheadFrame, 100_000);
  assertEquals(timeline.get().timeline.ioPoints, { inFrame: 48_000, outFrame: 96_000 });
});

Deno.test("an undo that the journal cannot give is refused, told as a warning, and leaves the timeline as it was", async () => {
  await using place = await EnginePlace.make();
  const io = (i: number): Edit[] => [{ op: "io.set", inFrame: i, outFrame: i + 1 }];
  let path = "";
  {
    await using opened = await place.open();
    const { engine } = opened;
    for (let i = 0; i < 6; i++) engine.timeline.edit(io(i), {}, ME);
    ({ path } = engine.projects.current());
  }
  const database = new DatabaseSync(path);
  database.exec("UPDATE journal SET checksum = checksum + 1 WHERE revision = 3");
  database.close();
  await using opened = await place.open();
  const { engine, notices } = opened;
  const { timeline } = engine;
  for (let i = 0; i < 3; i++) timeline.undo({}, ME);
  const before = structuredClone(timeline.get());
  assertEquals(
    assertThrows(() => timeline.undo({}, ME), EngineError, "revision 3").code,
    "timeline.nothingToUndo",
  );
  assertEquals(timeline.get(), before);
  const warnings = notices.filter(({ method }) => method === "diagnostics.warning");
  const told = warnings.map(({ params }) => params as { code: string; details: unknown });
  assertEquals(
    told.filter(({ code }) => code === "project.damaged").map(({ details }) => details),
    [{ path, revision: 3, steps: 3 }],
  );
  assertEquals(timeline.history({}).total, 3);
  while (timeline.history({}).entries.some(({ applied }) => !applied)) timeline.redo({}, ME);
  assert(timeline.edit(io(9), {}, ME).revision > before.revision);
});
