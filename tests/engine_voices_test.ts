import { assert, assertEquals } from "@std/assert";
import type { Diagnostics } from "../engine/pulse/services/diagnostics.ts";
import type { Edit } from "../engine/pulse/types.ts";
import { UnderrunSchema } from "../server/schema/diagnostics.ts";
import { EnginePlace, ME, until } from "./support/engine_place.ts";

const PAGE = 8_192;
const TRACKS = 10;
/** Pages that a track has for itself. */
const PAGES = 12;
/** In a megabyte: nine tenths of 61 units, and 8 of them for two pages of four channels. */
const FIT = 6;

Deno.test("voices for which there is no memory are silent, told one by one, and warned of once with what to do", async () => {
  await using place = await EnginePlace.make();
  await using opened = await place.open({ memoryBytes: 1e6 });
  const { engine, notices } = opened;
  const plane = new Int16Array(TRACKS * PAGES * PAGE).fill(1_000);
  const path = await place.wav("a.wav", { planes: Array(4).fill(plane), encoding: "s16" });
  const { assetId } = await engine.assets.register(path, undefined, ME);
  const edits = Array.from({ length: TRACKS }, (_, t): Edit[] => [
    { op: "track.add", track: { trackId: `t${t}` } },
    {
      op: "clip.add",
      trackId: `t${t}`,
      clip: {
        clipId: `c${t}`,
        assetId,
        startFrame: 0,
        lengthFrames: PAGES * PAGE,
        sourceFrame: t * PAGES * PAGE,
      },
    },
  ]).flat();
  engine.timeline.edit(edits, {}, ME);
  engine.transport.setLoop({ enabled: true, startFrame: 0, endFrame: (PAGES - 2) * PAGE });
  engine.transport.play({});
  const warnings = () =>
    notices.filter(({ method }) => method === "diagnostics.warning")
      .map(({ params }) => params as { code: string; message: string; details: unknown })
      .filter(({ code }) => code === "voices.refused");
  await until(() => warnings().length > 0, "it is warned of");
  const [{ message, details }] = warnings();
  assertEquals(details, { voices: TRACKS - FIT, budgetBytes: 61 * 16_384 });
  assert(message.includes("--memory-mb") && message.includes("fewer tracks"), message);
  // Each has its record, and it is the last ones that have to wait.
  const records = () =>
    (engine.diagnostics.underruns({ limit: 1000 }) as { underruns: unknown[] }).underruns
      .map((record) => UnderrunSchema.parse(record))
      .filter(({ cause }) => cause === "budget");
  for (const trackId of ["t6", "t7", "t8", "t9"]) {
    await until(() => records().some((record) => record.trackId === trackId), `${trackId} is told`);
  }
  assert(records().every(({ filledBy }) => filledBy === "silence"));
  const refused = () => (engine.diagnostics.get(ME) as Diagnostics).counters.voicesRefused;
  await until(() => refused() === TRACKS - FIT, "four are refused");
  engine.transport.stop();
  assertEquals(warnings().length, 1);
});
