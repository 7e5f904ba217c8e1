/** Seeded nonsense over the real engine: whatever comes, there is an answer, it is none of ours that failed, and the engine lives. */
import { assertEquals } from "@std/assert";
import { Engine } from "../engine/engine.ts";
import { METHODS } from "../server/rpc/methods.ts";
import { Server } from "../server/server.ts";
import { makeWav, seededRandom } from "./support/audio_files.ts";
import { TestClient } from "./support/server_client.ts";

/** Values that are at the edge of what is meant, and beyond it. */
function nonsense(random: () => number, ids: readonly string[], depth = 0): unknown {
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)];
  const any = () => nonsense(random, ids, depth + 1);
  const kinds: (() => unknown)[] = [
    () => pick([0, 1, -1, 0.5, 48_000, 1e9, 2 ** 31, 2 ** 53, 1e300, -1e300, -0]),
    () =>
      pick([
        "",
        "t",
        "c",
        "x",
        "\0",
        "\ud800",
        "__proto__",
        "../..",
        "/etc/passwd",
        "ä".repeat(300),
      ]),
    () => pick(ids),
    () => pick(ids),
    () => pick([null, true, false, {}, []]),
    () => Math.floor(random() * 100_000),
    () => Math.floor(random() * 100_000),
    ...(depth > 3 ? [] : [
      () => Array.from({ length: Math.floor(random() * 4) }, any),
      () => Object.fromEntries(Array.from({ length: 3 }, () => [pick(MEMBERS), any()])),
      () => edit(random, ids),
    ]),
  ];
  return pick(kinds)();
}

const MEMBERS = [
  "clipId trackId assetId startFrame endFrame atFrame lengthFrames sourceFrame toIndex set clip track",
  "gainDb pan mute fadeInFrames name meta marker markerId inFrame outFrame ripple newClipId path width",
  "height start end previewId previews topics positionFrame enabled fromFrame toFrame baseRevision",
].join(" ").split(" ");

const OPS = [
  "track.add track.remove track.move track.set clip.add clip.remove clip.set clip.move clip.trim clip.slip",
  "clip.split range.delete range.insert segment.delete segment.reorder marker.add marker.set io.set",
].join(" ").split(" ");

/** An edit that is nearly right. */
function edit(random: () => number, ids: readonly string[]): unknown {
  const frame = () => Math.floor(random() * 10_000);
  const id = () => ids[Math.floor(random() * ids.length)];
  const members: Record<string, () => unknown> = {
    clipId: id,
    trackId: id,
    assetId: () => ids[0],
    startFrame: frame,
    endFrame: frame,
    atFrame: frame,
    lengthFrames: frame,
    sourceFrame: frame,
    toIndex: () => Math.floor(random() * 3),
    ripple: () => random() < 0.5,
    newClipId: id,
    set: () => ({ gainDb: -frame() / 100 }),
    track: () => ({ trackId: id() }),
    clip: () => ({ clipId: id(), assetId: ids[0], startFrame: frame(), lengthFrames: frame() }),
    marker: () => ({ markerId: id(), frame: frame(), name: "m" }),
    markerId: id,
    inFrame: frame,
    outFrame: frame,
  };
  const op = OPS[Math.floor(random() * OPS.length)];
  const wanted = NEEDS[op] ?? [];
  const made = Object.fromEntries(wanted.map((name) => [name, members[name]()]));
  if (random() < 0.2) made[MEMBERS[Math.floor(random() * MEMBERS.length)]] = frame();
  return { op, ...made };
}

const NEEDS: Readonly<Record<string, readonly string[]>> = {
  "track.add": ["track"],
  "track.remove": ["trackId"],
  "track.move": ["trackId", "toIndex"],
  "track.set": ["trackId", "set"],
  "clip.add": ["trackId", "clip"],
  "clip.remove": ["clipId"],
  "clip.set": ["clipId", "set"],
  "clip.move": ["clipId", "startFrame"],
  "clip.trim": ["clipId", "endFrame"],
  "clip.slip": ["clipId", "sourceFrame"],
  "clip.split": ["clipId", "atFrame", "newClipId"],
  "range.delete": ["startFrame", "endFrame", "ripple"],
  "range.insert": ["atFrame", "lengthFrames"],
  "segment.delete": ["clipId"],
  "segment.reorder": ["clipId", "toIndex"],
  "marker.add": ["marker"],
  "marker.set": ["markerId", "set"],
  "io.set": ["inFrame", "outFrame"],
};

/** What would take the test's time or its folders away. */
const LEFT_OUT = ["project.create", "project.open", "project.saveAs", "device.list", "device.open"];

Deno.test("2,000 requests of seeded nonsense are all answered, none by a failure of our own", async () => {
  const folder = await Deno.realPath(await Deno.makeTempDir());
  await Deno.mkdir(`${folder}/music`);
  const planes = [new Int16Array(48_000), new Int16Array(48_000)];
  await Deno.writeFile(`${folder}/music/a.wav`, makeWav({ planes, encoding: "s16" }));
  const engine = await Engine.open({
    dataDir: `${folder}/data`,
    cacheDir: `${folder}/cache`,
    exportDir: `${folder}/exports`,
    libraryRoots: [`${folder}/music`],
    memoryBytes: 50_000_000,
    backend: "null",
  });
  const server = await Server.bind({
    host: "127.0.0.1",
    port: 0,
    token: null,
    origins: [],
    checkResults: true,
  });
  server.serve(engine);
  const client = await TestClient.connect(server.url);
  try {
    const { result } = await client.call("asset.register", { path: `${folder}/music/a.wav` });
    const ids = [result.asset.assetId, "t", "u", "c", "d", "e", "f"];
    const topics = "transport assets streams timeline jobs device library diagnostics".split(" ");
    await client.call("engine.subscribe", { topics });
    for (const trackId of ["t", "u"]) {
      await client.call("timeline.edit", { edits: [{ op: "track.add", track: { trackId } }] });
    }
    const random = seededRandom(20_260);
    const methods = [...METHODS.keys()].filter((name) => !LEFT_OUT.includes(name));
    const sent = new Map<number, string>();
    for (let i = 0; i < 2_000; i++) {
      const method = random() < 0.5
        ? "timeline.edit"
        : methods[Math.floor(random() * methods.length)];
      const members = Array.from({ length: Math.floor(random() * 4) }, () => [
        MEMBERS[Math.floor(random() * MEMBERS.length)],
        nonsense(random, ids),
      ]);
      const edits = Array.from({ length: 1 + Math.floor(random() * 2) }, () => edit(random, ids));
      const params = method === "timeline.edit" ? { edits } : Object.fromEntries(members);
      sent.set(client.send(method, params), `${method} ${JSON.stringify(params)}`);
      if (i % 100 === 0) await client.call("engine.clock");
    }
    await client.untilTrue(
      () => {
        const answered = new Set(client.messages().map(({ id }) => id));
        return [...sent.keys()].every((id) => answered.has(id));
      },
      30_000,
    );
    const codes = new Map<unknown, number>();
    for (const { id, error, result } of client.messages()) {
      if (!sent.has(id as number)) continue;
      const code = result ? "result" : error?.code;
      codes.set(code, (codes.get(code) ?? 0) + 1);
      if (code === -32603) throw new Error(`Ours failed: ${sent.get(id as number)}`);
    }
    assertEquals((codes.get("result") ?? 0) > 100, true, JSON.stringify([...codes]));
    assertEquals(server.faults, []);
  } finally {
    await client.close();
    await server.close();
    await engine[Symbol.asyncDispose]();
    await Deno.remove(folder, { recursive: true });
  }
});
