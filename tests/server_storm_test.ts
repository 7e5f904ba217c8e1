/** Two clients that edit one timeline at once, over real connections to the engine's own timeline. */
import { assert, assertEquals } from "@std/assert";
import { hashRequest } from "../engine/pulse/request_log.ts";
import type { Edit, Timeline } from "../engine/pulse/types.ts";
import { connect, type EngineView } from "../server/web/client/mod.js";
import { CuttingLine } from "./support/cutting_line.ts";
import { type Prng, prng } from "./support/prng.ts";
import { type EditRange, randomGesture } from "./support/random_edits.ts";
import { TimelineEngine } from "./support/timeline_engine.ts";

const RANGE: EditRange = { frames: 1_500, tracks: 4, clips: 100 };
/** What random edits may be refused for. */
const EXPECTED = ["timeline.conflict", "timeline.notFound", "timeline.nothingToUndo"];

type Client = Awaited<ReturnType<typeof connect>>;

/** Waits until a view has a revision. */
async function reaches(view: EngineView, revision: number): Promise<void> {
  while (view.timeline.revision !== revision) {
    await new Promise<void>((resolve) => {
      const stop = view.on("timeline", () => (stop(), resolve()));
    });
  }
}

interface Outcome {
  revision?: number;
  /** Of a refusal. */
  code?: string;
}

/** One request of a client, on the timeline as it sees it. */
function request({ client, view }: Client, random: Prng, id: string): Promise<Outcome> {
  const baseRevision = random.chance(0.4) ? { baseRevision: view.timeline.revision } : {};
  const dice = random.int(100);
  const sent = dice < 8
    ? client.call("timeline.undo", baseRevision)
    : dice < 14
    ? client.call("timeline.redo", baseRevision)
    : client.call("timeline.edit", {
      edits: atLeastOne(randomGesture(random, view.timeline.toTimeline(), RANGE)),
      requestId: id,
      ...baseRevision,
      ...(random.chance(0.4) && { mergeKey: "drag" }),
    });
  return sent.then(
    ({ revision }) => ({ revision }),
    (error) => ({ code: codeOf(error) }),
  );
}

const atLeastOne = (edits: Edit[]): Edit[] =>
  edits.length > 0 ? edits : [{ op: "io.set", inFrame: null, outFrame: null }];

/** `data.code` of the engine's own errors; `invalid` for wrong params. */
function codeOf(error: unknown): string {
  const { code } = error as { code: string };
  return code === "rpc-32602" ? "invalid" : code;
}

const hashOf = (timeline: Timeline) => hashRequest(timeline);

for (const seed of [1, 2]) {
  Deno.test(`two clients edit at once over WebSocket, on what they see and on what they last heard: conflicts are answered, and both mirrors end equal to timeline.get (seed ${seed})`, async () => {
    const random = prng(seed);
    const engine = new TimelineEngine();
    await using server = await engine.serve();
    const clients = [await connect(server.url), await connect(server.url)];
    const told: number[] = [];
    engine.listen(({ method, params }) => {
      if (method === "timeline.changed") told.push((params as { revision: number }).revision);
    });
    const counts = new Map<string, number>();
    const answered: number[] = [];
    for (let round = 0; round < 250; round++) {
      // Both at once, each with some requests under way.
      const under = clients.flatMap((client, of) =>
        Array.from(
          { length: 1 + random.int(3) },
          (_, i) => request(client, random, `${of}-${round}-${i}`),
        )
      );
      for (const { revision, code = "done" } of await Promise.all(under)) {
        counts.set(code, (counts.get(code) ?? 0) + 1);
        if (revision !== undefined) answered.push(revision);
      }
      if (round % 10 !== 9) continue;
      const { timeline, revision } = await clients[0].client.call("timeline.get");
      for (const { view } of clients) {
        await reaches(view, revision);
        assertEquals(hashOf(view.timeline.toTimeline()), hashOf(timeline), `round ${round}`);
        assertEquals(view.timeline.toTimeline(), timeline, `round ${round}`);
      }
      assertEquals(timeline, engine.service.get().timeline);
    }
    // Nothing was lost: every revision was told once, in order, and every change that was answered is one of them.
    assertEquals(told, Array.from({ length: engine.service.revision }, (_, i) => i + 1));
    assert(answered.every((revision) => revision <= engine.service.revision));
    assert((counts.get("done") ?? 0) > 300, JSON.stringify([...counts]));
    assert((counts.get("timeline.conflict") ?? 0) > 30, JSON.stringify([...counts]));
    for (const code of counts.keys()) {
      assert(["done", "invalid", ...EXPECTED].includes(code), JSON.stringify([...counts]));
    }
    for (const { client } of clients) await client.close();
    assertEquals(server.faults, []);
  });
}

Deno.test("two clients drag and edit while their lines break: each request that was answered was done once, and the mirrors end equal", async () => {
  const random = prng(7);
  const engine = new TimelineEngine();
  await using line = new CuttingLine();
  await using server = await engine.serve([line.url]);
  line.lead(server.port);
  const options = { retryMs: [1] };
  const clients = [await connect(line.url, options), await connect(line.url, options)];
  const mine = ["a", "b"];
  await clients[0].client.call("timeline.edit", {
    edits: mine.map((trackId): Edit => ({ op: "track.add", track: { trackId } })),
  });
  const cuts = prng(8);
  line.cutAfter = (bytes) => cuts.chance(0.03) ? cuts.int(bytes + 1) : null;
  const count = 120;
  const turns = clients.map(async ({ client }, of) => {
    const trackId = mine[of];
    const revisions = new Set<number>();
    for (let i = 0; i < count; i++) {
      while (!client.isOpen) {
        await new Promise<void>((resolve) => {
          const stop = client.on(
            "connection",
            ({ state }) => state === "open" && (stop(), resolve()),
          );
        });
      }
      // Every second edit drags the clip that the one before added.
      const clipId = `${trackId}${i >> 1}`;
      const edits: Edit[] = i % 2 === 0
        ? [{
          op: "clip.add",
          trackId,
          clip: { clipId, assetId: "x", startFrame: 0, lengthFrames: 5 },
        }]
        : [{ op: "clip.move", clipId, startFrame: i * 10 }];
      const { revision } = await client.call("timeline.edit", {
        edits,
        requestId: `${trackId}-${i}`,
        mergeKey: clipId,
      });
      revisions.add(revision);
      if (random.chance(0.1)) client.reconnect();
      if (random.chance(0.05)) line.cut();
    }
    assertEquals(revisions.size, count);
  });
  await Promise.all(turns);
  line.cutAfter = () => null;
  assertEquals(engine.service.revision, 1 + 2 * count);
  const { timeline, revision } = engine.service.get();
  for (const { view } of clients) {
    await reaches(view, revision);
    assertEquals(view.timeline.toTimeline(), timeline);
  }
  for (const [of, trackId] of mine.entries()) {
    assertEquals(
      timeline.tracks[of].clips.map(({ clipId, startFrame }) => [clipId, startFrame]),
      Array.from({ length: count / 2 }, (_, i) => [`${trackId}${i}`, (2 * i + 1) * 10]),
    );
  }
  // A clip added and dragged is one step, and the other client's are others.
  assertEquals(engine.service.history().total, 1 + count);
  for (const { client } of clients) await client.close();
  assertEquals(server.faults, []);
});
