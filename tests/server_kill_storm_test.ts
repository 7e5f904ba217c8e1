/** Two clients that drag and edit while the engine is killed under them and started again: the engine as a process, over real connections. */
import { assert, assertEquals } from "@std/assert";
import type { Edit } from "../engine/pulse/types.ts";
import { connect, type EngineView } from "../server/web/client/mod.js";
import { Home } from "./support/engine_process.ts";
import { prng } from "./support/prng.ts";

/** Waits until a view has a revision. */
async function reaches(view: EngineView, revision: number): Promise<void> {
  while (view.timeline.revision !== revision) {
    await new Promise<void>((resolve) => {
      const stop = view.on("timeline", () => (stop(), resolve()));
    });
  }
}

Deno.test("an engine killed thrice under two clients: each request that they made is done once, drags are one step, and both mirrors end equal to timeline.get", async () => {
  await using home = await Home.make();
  const file = await home.write("a.wav", 48_000);
  let engine = home.start(file);
  const url = await engine.ready();
  const { port } = new URL(url);
  const clients = [
    await connect(url, { retryMs: [5] }),
    await connect(url, { retryMs: [5] }),
  ];
  const { client: first } = clients[0];
  const { timeline: laid, revision: begin } = await first.call("timeline.get");
  const [{ assetId }] = laid.tracks[0].clips;
  const mine = ["a", "b"];
  await first.call("timeline.edit", {
    edits: mine.map((trackId): Edit => ({ op: "track.add", track: { trackId } })),
  });

  const count = 120;
  let answers = 0;
  /** Where the engine dies, in answers to both clients. */
  const deaths = [40, 110, 170];
  let dying: (() => void) | null = null;
  const turns = clients.map(async ({ client }, of) => {
    const trackId = mine[of];
    for (let i = 0; i < count; i++) {
      // A clip is added, then dragged thrice.
      const clipId = `${trackId}${i >> 2}`;
      const clip = { clipId, assetId, startFrame: 0, lengthFrames: 5 };
      const edits: Edit[] = i % 4 === 0
        ? [{ op: "clip.add", trackId, clip }]
        : [{ op: "clip.move", clipId, startFrame: i * 10 }];
      // Long enough to be known again from a client that comes back.
      const requestId = `request-${trackId}-${i}-of-the-storm`;
      await client.call("timeline.edit", { edits, requestId, mergeKey: clipId });
      answers++;
      if (answers >= (deaths[0] ?? Infinity)) dying?.();
    }
  });
  const random = prng(3);
  while (deaths.length > 0) {
    await new Promise<void>((resolve) => {
      dying = resolve;
      if (answers >= deaths[0]) resolve();
    });
    dying = null;
    deaths.shift();
    // At some point of what is under way.
    for (let i = random.int(4); i > 0; i--) await new Promise((resolve) => setTimeout(resolve, 0));
    engine.kill("SIGKILL");
    await engine.end();
    engine = home.start("--port", port);
    await engine.ready();
  }
  await Promise.all(turns);

  const { timeline, revision } = await first.call("timeline.get");
  for (const { view } of clients) {
    await reaches(view, revision);
    assertEquals(view.timeline.toTimeline(), timeline);
  }
  assertEquals(revision, begin + 1 + 2 * count);
  for (const trackId of mine) {
    const track = timeline.tracks.find((one) => one.trackId === trackId)!;
    assertEquals(
      track.clips.map(({ clipId, startFrame }) => [clipId, startFrame]),
      Array.from({ length: count / 4 }, (_, i) => [`${trackId}${i}`, (4 * i + 3) * 10]),
    );
  }
  // A drag that the death cut in two may be two steps where the other client's came between: it is known as open by its place alone.
  const { total } = await first.call("timeline.history", {});
  const whole = 2 + 2 * (count / 4);
  assert(total >= whole && total <= whole + 6, `${total} steps, ${whole} if nobody had died`);
  for (;;) {
    const { entries } = await first.call("timeline.history", { offset: 1, limit: 1 });
    if (!entries[0].applied) break;
    await first.call("timeline.undo", {});
  }
  const back = await first.call("timeline.get");
  assertEquals(back.timeline, laid);
  for (const { view } of clients) {
    await reaches(view, back.revision);
    assertEquals(view.timeline.toTimeline(), laid);
  }
  for (const { client } of clients) await client.close();
  assertEquals((await engine.stop()).code, 0);
});
