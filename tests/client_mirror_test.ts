/** The client's mirror over a real connection to the engine's own timeline, whatever happens to the connection. */
import { assert, assertEquals } from "@std/assert";
import { EngineError, InvalidParams } from "../engine/errors.ts";
import type { Timeline } from "../engine/pulse/types.ts";
import { connect, type EngineView } from "../server/web/client/mod.js";
import { PulseClient } from "../server/web/client/client.js";
import { Notices } from "../server/web/model/notices.js";
import { Session } from "../server/web/model/session.js";
import { CuttingLine } from "./support/cutting_line.ts";
import { type Prng, prng } from "./support/prng.ts";
import { randomGesture } from "./support/random_edits.ts";
import { TimelineEngine } from "./support/timeline_engine.ts";

const RANGE = { frames: 1_500, tracks: 4, clips: 120 };

/** Waits until a view has a revision. */
async function reaches(view: EngineView, revision: number): Promise<void> {
  while (view.timeline.revision !== revision) {
    await new Promise<void>((resolve) => {
      const stop = view.on("timeline", () => (stop(), resolve()));
    });
  }
}

/** Something that somebody does to the timeline, at random; refusals are part of it. */
function disturb(random: Prng, engine: TimelineEngine, past: Timeline[]): void {
  const { service } = engine;
  const caller = { clientId: random.pick(["ann", "bob", "cem"]) };
  const { timeline } = service.get();
  try {
    const dice = random.int(100);
    if (dice < 10) service.undo({}, caller);
    else if (dice < 19) service.redo({}, caller);
    else if (dice < 20 && past.length > 0) service.set(random.pick(past), {}, caller);
    else {
      const edits = randomGesture(random, timeline, RANGE);
      const mergeKey = random.chance(0.2) ? { mergeKey: "drag" } : {};
      service.edit(edits, mergeKey, caller);
    }
  } catch (error) {
    if (!(error instanceof EngineError || error instanceof InvalidParams)) throw error;
  }
  if (random.chance(0.02)) past.push(timeline);
  if (past.length > 10) past.shift();
}

const turn = () => new Promise((resolve) => setTimeout(resolve, 0));

for (const seed of [1, 2]) {
  Deno.test(`2,000 edits, undos, redos and sets by others, lines cut at random bytes: the mirror equals the engine's timeline (seed ${seed})`, async () => {
    const random = prng(seed);
    const engine = new TimelineEngine();
    await using line = new CuttingLine();
    await using server = await engine.serve([line.url]);
    line.lead(server.port);
    const past: Timeline[] = [];
    const options = { retryMs: [1] };
    const { client, view } = await connect(line.url, options);
    const { client: still, view: calm } = await connect(server.url, options);
    const syncs = { changes: 0, timeline: 0 };
    client.on("sync", ({ topics }) => {
      if (topics.timeline === undefined) return;
      syncs["changes" in topics.timeline ? "changes" : "timeline"]++;
    });
    // A cut in the middle of a message, on the way to either side.
    const cuts = prng(seed + 100);
    line.cutAfter = (bytes) => cuts.chance(0.004) ? cuts.int(bytes + 1) : null;
    for (let step = 0; step < 2_000; step++) {
      disturb(random, engine, past);
      if (random.chance(0.3)) await turn();
      if (random.chance(0.005)) client.reconnect();
      if (random.chance(0.002)) line.cut();
      if (!random.chance(0.05)) continue;
      const { timeline, revision } = engine.service.get();
      await Promise.all([reaches(view, revision), reaches(calm, revision)]);
      assertEquals(view.timeline.toTimeline(), timeline, `step ${step}`);
      assertEquals(calm.timeline.toTimeline(), timeline, `step ${step}, without breaks`);
    }
    line.cutAfter = () => null;
    const again = new Promise<void>((resolve) => {
      const stop = client.on("sync", () => (stop(), resolve()));
    });
    line.cut();
    disturb(random, engine, past);
    await again;
    await reaches(view, engine.service.revision);
    assert(syncs.changes > 0, "a short break is mended by what changed meanwhile");
    // Away for longer than the journal reaches: everything anew.
    await client.close();
    while (engine.service.revision % 1_000 !== 500) disturb(random, engine, past);
    syncs.timeline = 0;
    client.connect();
    await reaches(view, engine.service.revision);
    assertEquals(syncs.timeline, 1);
    assertEquals(view.timeline.toTimeline(), engine.service.get().timeline);
    await Promise.all([client.close(), still.close()]);
    assertEquals(server.faults, []);
  });
}

Deno.test("edits with a requestId take effect once each, wherever the line is cut", async () => {
  const random = prng(5);
  const engine = new TimelineEngine();
  await using line = new CuttingLine();
  await using server = await engine.serve([line.url]);
  line.lead(server.port);
  const { client, view } = await connect(line.url, { retryMs: [1] });
  const opened = () =>
    new Promise<void>((resolve) => {
      const stop = client.on("connection", ({ state }) => state === "open" && (stop(), resolve()));
    });
  await client.call("timeline.edit", {
    edits: [{ op: "track.add", track: { trackId: "t" } }],
  });
  const cuts = prng(6);
  line.cutAfter = (bytes) => cuts.chance(0.05) ? cuts.int(bytes + 1) : null;
  const clientIds = new Set<string>();
  client.on("sync", ({ hello }) => clientIds.add(hello.clientId));
  const pending: Promise<unknown>[] = [];
  const count = 300;
  for (let index = 0; index < count; index++) {
    while (!client.isOpen) await opened();
    const clip = { clipId: `c${index}`, assetId: "a", startFrame: index, lengthFrames: 9 };
    pending.push(client.call("timeline.edit", {
      edits: [{ op: "clip.add", trackId: "t", clip }],
      requestId: `r${index}`, // Short: it is known by who asked, so that must stay the same.
    }));
    if (random.chance(0.1)) client.reconnect();
    if (random.chance(0.1)) line.cut();
    if (random.chance(0.5)) await turn();
  }
  const results = await Promise.all(pending) as { revision: number }[];
  line.cutAfter = () => null;
  assertEquals(engine.service.revision, count + 1);
  assertEquals(new Set(results.map(({ revision }) => revision)).size, count);
  await reaches(view, count + 1);
  assertEquals(
    view.timeline.track("t")!.clips.all().map(({ clipId }) => clipId),
    Array.from({ length: count }, (_, index) => `c${index}`),
  );
  assertEquals(clientIds.size, 1);
  await client.close();
});

/** What a call comes to. */
async function outcome(promise: Promise<unknown>): Promise<unknown> {
  return await promise.catch((error) => error);
}

Deno.test("requests that wait when the line breaks are rejected with what is known of them; those with a requestId when another project is open", async () => {
  const engine = new TimelineEngine();
  await using line = new CuttingLine();
  await using server = await engine.serve([line.url]);
  line.lead(server.port);
  const { client } = await connect(line.url, { retryMs: [1] });
  const held = () => {
    // Nothing more reaches the engine.
    line.cutAfter = (_bytes, to) => to === "server" ? 0 : null;
    const edits = [{ op: "track.add" as const, track: { trackId: "t" } }];
    return {
      plain: outcome(client.call("timeline.edit", { edits })),
      known: outcome(client.call("timeline.edit", { edits, requestId: "r" })),
      read: outcome(client.call("timeline.get")),
    };
  };
  const isLost = (error: unknown, method: string) => {
    const { name, code, wasSent, message } = error as Record<string, unknown>;
    assertEquals([name, code, wasSent], ["Disconnected", "disconnected", true]);
    assert((message as string).includes(`${method} was answered`), message as string);
  };
  const first = held();
  isLost(await first.plain, "timeline.edit");
  isLost(await first.read, "timeline.get");
  const never = await outcome(client.call("transport.get")) as Record<string, unknown>;
  assertEquals([never.code, never.wasSent], ["disconnected", false]);
  line.cutAfter = () => null;
  assertEquals((await first.known as { revision: number }).revision, 1);

  const second = held();
  isLost(await second.plain, "timeline.edit");
  engine.projects.current = () => ({ projectId: "other", name: "O", path: "/o", revision: 0 });
  line.cutAfter = () => null;
  isLost(await second.known, "timeline.edit");

  const third = held();
  isLost(await third.plain, "timeline.edit");
  await client.close();
  isLost(await third.known, "timeline.edit");
  assertEquals(engine.service.revision, 1);
});

Deno.test("what a person did on the page when the line broke is done, once, when it is back", async () => {
  const engine = new TimelineEngine();
  await using line = new CuttingLine();
  await using server = await engine.serve([line.url]);
  line.lead(server.port);
  const client = new PulseClient({ url: line.url, topics: ["timeline"], retryMs: [1] });
  const notices = new Notices();
  const session = new Session(client, notices);
  const opened = new Promise<void>((resolve) => {
    session.on("connected", (connected) => connected && resolve());
  });
  client.connect();
  await opened;
  for (const [index, lost] of (["server", "client"] as const).entries()) {
    // Once the request is lost, once its answer.
    line.cutAfter = (_bytes, to) => to === lost ? 0 : null;
    const track = { trackId: `t${index}` };
    const edit = session.edit([{ op: "track.add", track }], { label: "Add track" });
    await new Promise<void>((resolve) => {
      const stop = client.on(
        "connection",
        ({ state }) => state === "waiting" && (stop(), resolve()),
      );
    });
    line.cutAfter = () => null;
    assertEquals((await edit)?.revision, index + 1);
    await reaches(session.view, index + 1);
  }
  assertEquals(session.mirror.tracks.map(({ header }) => header.trackId), ["t0", "t1"]);
  assertEquals([engine.service.revision, notices.all], [2, []]);
  await client.close();
});

Deno.test("another project is shown as a whole; what is said of it meanwhile is not taken for changes of the old one", async () => {
  const first = new TimelineEngine();
  const second = new TimelineEngine();
  await using server = await first.serve();
  const { client, view } = await connect(server.url);
  const me = { clientId: "me" };
  const add = (trackId: string) => [{ op: "track.add" as const, track: { trackId } }];
  first.service.edit(add("old"), {}, me);
  await reaches(view, 1);
  second.service.edit(add("x"), {}, me);
  // The other project's next revision continues ours by number alone.
  const project = { projectId: "other", name: "O", path: "/o", revision: 1 };
  first.timeline.get = () => second.service.get();
  first.topicState = (topic) =>
    topic === "timeline" ? second.service.changesSince() : new TimelineEngine().topicState(topic);
  second.listen(({ method, params }) => first.tell("timeline", method, params));
  first.tell("timeline", "project.changed", { project });
  second.service.edit(add("y"), {}, me);
  await reaches(view, 2);
  assertEquals(view.timeline.tracks.map(({ header }) => header.trackId), ["x", "y"]);
  assertEquals(client.hello?.project, project);
  await client.close();
});
