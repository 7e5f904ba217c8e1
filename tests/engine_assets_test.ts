import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import type { Notification } from "../engine/api.ts";
import { EngineError, InvalidParams } from "../engine/errors.ts";
import { Files } from "../engine/files/files.ts";
import { Grants } from "../engine/files/grants.ts";
import { readHead } from "../engine/files/head.ts";
import { AssetNotices } from "../engine/pulse/services/asset_notices.ts";
import {
  AssetWatch,
  MISSING_MS,
  nextLook,
  PRESENT_MS,
  SCOUT_MS,
} from "../engine/pulse/services/asset_watch.ts";
import { Assets } from "../engine/pulse/services/assets.ts";
import type { Asset } from "../engine/pulse/types.ts";
import { Signal } from "../engine/signal/signal.ts";
import { makeAiff, makeW64, makeWav, sinePlanes } from "./support/audio_files.ts";

const caller = { clientId: "test" };
const planes = sinePlanes(440, 2, 4_800, "s16");
const wav = makeWav({ planes, encoding: "s16" });

async function setUp({ adopts = false } = {}) {
  const base = await Deno.realPath(await Deno.makeTempDir());
  const root = `${base}/library`;
  await Deno.mkdir(root);
  const files = new Files();
  const grants = new Grants(files, [root]);
  const notices: Notification[] = [];
  const gather = new AssetNotices((notice) => void notices.push(notice));
  const kept = new Map<string, Asset>();
  const analysed: string[] = [];
  const used = new Set<string>();
  const state = { signal: await Signal.open({ sampleRate: 48_000, memoryBytes: 2 ** 22 }) };
  const assets: Assets = new Assets({
    signal: () => state.signal,
    grants,
    notices: gather,
    keeper: {
      put: (asset) => void kept.set(asset.assetId, asset),
      remove: ({ asset }) => void kept.delete(asset.assetId),
      formerId: () => undefined,
      recall: () => undefined,
    },
    analysis: {
      begin: ({ assetId, generation }) => void analysed.push(`${assetId} ${generation}`),
      drop: () => {},
    },
    isUsed: (assetId) => used.has(assetId),
    volumeOf: () => "",
    rateIsOpen: () => adopts && assets.size === 0,
    adoptRate: async (sampleRate) => {
      if (!adopts || assets.size > 0) return false;
      await state.signal[Symbol.asyncDispose]();
      state.signal = await Signal.open({ sampleRate, memoryBytes: 2 ** 22 });
      return true;
    },
  });
  return {
    base,
    root,
    files,
    assets,
    notices,
    gather,
    kept,
    analysed,
    used,
    state,
    register: (path: string) => assets.register(path, undefined, caller),
    async [Symbol.asyncDispose]() {
      gather[Symbol.dispose]();
      files[Symbol.dispose]();
      await state.signal[Symbol.asyncDispose]();
      await Deno.remove(base, { recursive: true });
    },
  };
}

async function sh(script: string, ...args: string[]): Promise<void> {
  const { success } = await new Deno.Command("sh", { args: ["-c", script, ...args] }).output();
  assertEquals(success, true);
}

Deno.test("a file is registered from its header, once, under its resolved path", async () => {
  await using place = await setUp();
  const { root, assets, register, notices, kept, analysed } = place;
  await Deno.writeFile(`${root}/a.wav`, wav);
  await sh('ln -s "$0" "$1"', `${root}/a.wav`, `${root}/link.wav`);
  const [first, second, third] = await Promise.all([
    register(`${root}/a.wav`),
    register(`${root}/a.wav`),
    register(`${root}/link.wav`),
  ]);
  assertEquals([second.assetId, third.assetId], [first.assetId, first.assetId]);
  const { path, channels, sampleRate, bitDepth, lengthSamples, codec, channelLayout } = first;
  assertEquals(
    { path, channels, sampleRate, bitDepth, lengthSamples, codec, channelLayout },
    {
      path: `${root}/a.wav`,
      channels: 2,
      sampleRate: 48_000,
      bitDepth: 16,
      lengthSamples: 4_800,
      codec: "pcm_s16",
      channelLayout: "stereo",
    },
  );
  assertEquals(first.durationSeconds, 0.1);
  assertEquals(notices.map(({ method }) => method), ["asset.added"]);
  assertEquals([...kept.keys()], [first.assetId]);
  assertEquals(analysed, [`${first.assetId} 1`]);
  assertEquals(assets.list({}).total, 1);
});

Deno.test("what cannot be an asset is refused with its own code and words, and changes nothing", async () => {
  await using place = await setUp();
  const { base, root, assets, register, notices } = place;
  const bytes = (length: number) => wav.slice(0, length);
  const material = { planes, encoding: "s16" } as const;
  const write = async (name: string, content: Uint8Array) => {
    await Deno.writeFile(`${root}/${name}`, content);
    return `${root}/${name}`;
  };
  await Deno.mkdir(`${root}/folder.wav`);
  await Deno.writeFile(`${base}/outside.wav`, wav);
  await sh('ln -s "$0" "$1"', `${base}/outside.wav`, `${root}/link.wav`);
  const cases: [string, string][] = [
    [`${root}/none.wav`, "asset.notFound"],
    [`${root}/folder.wav`, "asset.unsupported"],
    [await write("empty.wav", bytes(0)), "asset.unreadable"],
    [
      await write("text.wav", new TextEncoder().encode("no sound ".repeat(50))),
      "asset.unsupported",
    ],
    [await write("cut header.wav", bytes(30)), "asset.unreadable"],
    [
      await write("no rate.wav", makeWav(material, { format: { sampleRate: 0 } })),
      "asset.unreadable",
    ],
    [await write("4k.wav", makeWav({ ...material, sampleRate: 4_000 })), "asset.unsupported"],
    [`${base}/outside.wav`, "asset.outsideLibrary"],
    [`${root}/link.wav`, "asset.outsideLibrary"],
  ];
  const messages = new Set<string>();
  for (const [path, code] of cases) {
    const error = await assertRejects(() => register(path), EngineError);
    assertEquals(error.code, code, path);
    assert(error.message.includes(path), error.message);
    messages.add(error.message.replace(path, ""));
  }
  assertEquals(messages.size, cases.length, "each says something else");
  assertEquals([assets.list({}).total, notices.length], [0, 0]);
  const odd = () => assets.register(`${root}/none.wav`, "transient", caller);
  await assertRejects(odd, InvalidParams);
});

Deno.test("a project that has nothing takes the rate of its first file, and no other's", async () => {
  await using place = await setUp({ adopts: true });
  const { root, assets, register, state } = place;
  const at = (sampleRate: number) => makeWav({ planes, encoding: "s16", sampleRate });
  await Deno.writeFile(`${root}/44.wav`, at(44_100));
  await Deno.writeFile(`${root}/96.wav`, at(96_000));
  await Promise.all([register(`${root}/44.wav`), register(`${root}/96.wav`)]);
  const [first, second] = assets.list({}).assets;
  assertEquals([first.sampleRate, second.sampleRate].sort(), [44_100, 96_000]);
  assertEquals(state.signal.sampleRate, first.sampleRate);
  assertEquals([first.lengthSamples, second.lengthSamples], [4_800, 4_800], "at their own rates");
});

Deno.test("an asset is removed unless clips use it", async () => {
  await using place = await setUp();
  const { root, assets, register, used, kept } = place;
  await Deno.writeFile(`${root}/a.wav`, wav);
  const { assetId } = await register(`${root}/a.wav`);
  used.add(assetId);
  const error = assertThrows(() => assets.remove(assetId), EngineError);
  assertEquals(error.code, "asset.inUse");
  used.clear();
  assets.remove(assetId);
  assertEquals(kept.size, 0);
  assertEquals(assertThrows(() => assets.get(assetId), EngineError).code, "asset.notFound");
  assertEquals((await register(`${root}/a.wav`)).path, `${root}/a.wav`);
});

Deno.test("a file of the library keeps its id when it is registered", async () => {
  await using place = await setUp();
  const { root, assets, register } = place;
  await Deno.writeFile(`${root}/a.wav`, wav);
  const transient = assets.at(`${root}/a.wav`, undefined).assetId;
  assertEquals(assets.get(transient).type, "transient");
  assertEquals(assets.list({}).total, 0);
  assertEquals((await register(`${root}/a.wav`)).assetId, transient);
  assertEquals(assets.get(transient).type, "sample");
  assertEquals(assets.at(`${root}/a.wav`, undefined).assetId, transient);
});

Deno.test("a file that goes away and comes back is told; another one in its place is a new generation", async () => {
  await using place = await setUp();
  const { root, files, assets, register, notices, gather, analysed } = place;
  let now = 0;
  using watch = new AssetWatch(assets, files, () => now);
  const look = async () => {
    now += 60_000;
    await watch.look();
    gather.flush();
    return notices.splice(0).filter(({ method }) => method === "asset.statusChanged")
      .flatMap(({ params }) => (params as { changes: Partial<Asset>[] }).changes)
      .map(({ offlineStatus, generation }) => [offlineStatus, generation]);
  };
  await Deno.writeFile(`${root}/a.wav`, wav);
  const { assetId } = await register(`${root}/a.wav`);
  assertEquals(await look(), []);
  await Deno.rename(`${root}/a.wav`, `${root}/b.wav`);
  assertEquals(await look(), [["missing", 1]]);
  assertEquals(await look(), [], "told once");
  await Deno.rename(`${root}/b.wav`, `${root}/a.wav`);
  assertEquals(await look(), [["present", 1]]);
  assertEquals(analysed, [`${assetId} 1`], "the same bytes are not analysed again");
  const longer = makeWav({ planes: sinePlanes(220, 2, 9_600, "s16"), encoding: "s16" });
  await Deno.writeFile(`${root}/c.wav`, longer);
  await Deno.rename(`${root}/c.wav`, `${root}/a.wav`);
  assertEquals(await look(), [["present", 2]]);
  assertEquals([assets.get(assetId).lengthSamples, analysed.at(-1)], [9_600, `${assetId} 2`]);
  await Deno.writeTextFile(`${root}/a.wav`, "half written");
  assertEquals(await look(), [], "what cannot be read leaves the old sound");
  assertEquals(assets.get(assetId).generation, 2);
});

Deno.test("a missing file is looked for ever more rarely", () => {
  let look = nextLook(undefined, true, 0);
  const waits: number[] = [];
  for (let i = 0; i < 8; i++) {
    waits.push(look.waitMs);
    look = nextLook(look, true, 0);
  }
  assertEquals(waits.slice(0, 3), [1_000, 2_000, 4_000]);
  assertEquals(waits.at(-1), MISSING_MS.longest);
  assertEquals(nextLook(look, false, 100), { atMs: 100 + PRESENT_MS, waitMs: 0 });
});

Deno.test("of files that are missing for long one is looked for all the time, each in its turn, and when it is back so are the others", async () => {
  await using place = await setUp();
  const { root, files, assets, register } = place;
  let now = 0;
  using watch = new AssetWatch(assets, files, () => now);
  for (const name of ["a", "b", "c"]) {
    await Deno.writeFile(`${root}/${name}.wav`, wav);
    await register(`${root}/${name}.wav`);
    await Deno.rename(`${root}/${name}.wav`, `${root}/${name}.away`);
  }
  const present = () => assets.list({ status: "present" }).total;
  for (; now < 10 * MISSING_MS.longest; now += MISSING_MS.longest) await watch.look();
  assertEquals(present(), 0);
  await watch.look(); // All have just been looked for: the next time is far away.
  // The first one never returns; the disk of the others does.
  for (const name of ["b", "c"]) await Deno.rename(`${root}/${name}.away`, `${root}/${name}.wav`);
  let looks = 0;
  for (; present() < 2; looks++) {
    now += SCOUT_MS;
    await watch.look();
  }
  assert(looks <= 4, `${looks} looks`);
});

Deno.test("a disk that comes back costs a look a file, not one for each pair of files", async () => {
  await using place = await setUp();
  const { root, files, assets, register } = place;
  let now = 0;
  let asked = 0;
  const counting = {
    ask: files.ask.bind(files),
    volumeOf: (path: string) => (asked++, files.volumeOf(path)),
  } as unknown as Files;
  using watch = new AssetWatch(assets, counting, () => now);
  const names = Array.from({ length: 60 }, (_, i) => `${root}/${i}.wav`);
  for (const name of names) {
    await Deno.writeFile(name, wav);
    await register(name);
    await Deno.rename(name, `${name}.away`);
  }
  await watch.look();
  assertEquals(assets.list({ status: "missing" }).total, names.length);
  for (const name of names) await Deno.rename(`${name}.away`, name);
  now += MISSING_MS.longest;
  asked = 0;
  await watch.look();
  assertEquals(assets.list({ status: "present" }).total, names.length);
  assert(asked <= 3 * names.length, `asked ${asked} times which volume a file lies on`);
});

Deno.test("the lists' heads agree with what native code reads", async () => {
  await using place = await setUp();
  const { root, register } = place;
  const material = { planes, encoding: "s16" } as const;
  const float = { planes: sinePlanes(440, 1, 999, "f32"), encoding: "f32" } as const;
  const made: Record<string, Uint8Array<ArrayBuffer>> = {
    "a.wav": wav,
    "b.wav": makeWav(float, { extensible: true, first: [{ id: "JUNK", body: new Uint8Array(7) }] }),
    "c.rf64": makeWav(material, { container: "rf64" }),
    "d.w64": makeW64(material),
    "e.aiff": makeAiff(material),
    "f.aifc": makeAiff(float, { compression: "fl32" }),
  };
  for (const [name, content] of Object.entries(made)) {
    await Deno.writeFile(`${root}/${name}`, content);
    const { container, sampleRate, channels, lengthSamples } = await register(`${root}/${name}`);
    const head = await readHead(
      (at, length) => Promise.resolve(content.subarray(at, at + length)),
      content.length,
    );
    assert(head !== null, name);
    assertEquals(
      [head.container, head.sampleRate, head.channels, head.lengthSamples],
      [container, sampleRate, channels, lengthSamples],
      name,
    );
  }
});
