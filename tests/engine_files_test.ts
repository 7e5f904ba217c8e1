import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Notification } from "../engine/api.ts";
import { EngineError, InvalidParams } from "../engine/errors.ts";
import { Files, SlowDisk } from "../engine/files/files.ts";
import { Grants } from "../engine/files/grants.ts";
import { readHead } from "../engine/files/head.ts";
import { fileNameFault, isWithin, safeFileName } from "../engine/files/paths.ts";
import { wavHeader } from "../engine/media/wav_header.ts";
import { Library } from "../engine/pulse/services/library.ts";
import { SampleEncoder } from "../engine/pulse/services/wav.ts";

/** A library with two folders and a place outside it. */
async function setUp({ patienceMs = 10_000 } = {}) {
  const base = await Deno.realPath(await Deno.makeTempDir());
  const root = `${base}/library`;
  await Deno.mkdir(`${root}/album/cd 1`, { recursive: true });
  await Deno.mkdir(`${base}/outside`);
  await writeWav(`${root}/album/take 10.wav`, 4_800);
  await writeWav(`${root}/album/take 2.wav`, 48_000);
  await writeWav(`${root}/album/cd 1/deep take.wav`, 480);
  await Deno.writeTextFile(`${root}/album/notes.txt`, "words");
  await Deno.writeTextFile(`${root}/album/.hidden.wav`, "");
  await writeWav(`${base}/outside/secret.wav`, 10);
  const files = new Files();
  const grants = new Grants(files, [root]);
  await grants.resolveRoots();
  const notices: Notification[] = [];
  const library = new Library({
    patienceMs,
    files,
    grants: () => grants,
    notify: (notice) => void notices.push(notice),
    assetOf: (path, head) => ({
      assetId: `id of ${path.slice(root.length)}`,
      durationSeconds: head ? head.lengthSamples / head.sampleRate : 0,
    }),
  });
  return {
    base,
    root,
    files,
    grants,
    library,
    notices,
    async [Symbol.asyncDispose]() {
      library.close();
      files[Symbol.dispose]();
      await Deno.remove(base, { recursive: true });
    },
  };
}

async function writeWav(path: string, lengthFrames: number): Promise<void> {
  const shape = { sampleFormat: "s16", channels: 1, sampleRate: 48_000, lengthFrames } as const;
  const samples = new SampleEncoder("s16").encode(new Float32Array(lengthFrames));
  await Deno.writeFile(path, new Uint8Array([...wavHeader(shape), ...samples]));
}

async function link(target: string, path: string): Promise<void> {
  const { success } = await new Deno.Command("sh", {
    args: ["-c", 'ln -s "$0" "$1"', target, path],
  }).output();
  assertEquals(success, true);
}

async function refusal(promise: Promise<unknown>): Promise<[string, unknown, string]> {
  const { code, details, message } = await assertRejects(() => promise, EngineError);
  return [code, details.reason, message];
}

Deno.test("paths are inside a folder or not by whole names", () => {
  assert(isWithin("/a/b", "/a/b"));
  assert(isWithin("/a/b", "/a/b/c"));
  assert(isWithin("/", "/a"));
  assert(isWithin("/a/b", "/a/b/..c"));
  assertEquals(isWithin("/a/b", "/a/bc"), false);
  assertEquals(isWithin("/a/b", "/a"), false);
});

Deno.test("names of new files are plain", () => {
  for (const name of ["a.wav", "Größe 1.wav", "x".repeat(255)]) {
    assertEquals(fileNameFault(name), null, name);
  }
  const refused = ["", ".", "..", ".a", "a/b", "a\\b", "a\0", "a\n", "a:b", "x".repeat(256)];
  for (const name of [...refused, "ü".repeat(128), "CON", "nul.wav", "a.", "a "]) {
    assert(fileNameFault(name) !== null, name);
  }
  assertEquals(safeFileName("../Kick: in/out", "Track"), "_Kick_ in_out");
  assertEquals(safeFileName("...", "Track"), "Track");
});

Deno.test("a path is readable under the roots alone, whatever links say", async () => {
  await using place = await setUp();
  const { base, root, grants } = place;
  const ask = (path: string) => grants.resolve(path, "register");
  assertEquals((await ask(`${root}/album/../album/take 2.wav`)).path, `${root}/album/take 2.wav`);
  await link(`${base}/outside`, `${root}/way out`);
  await link(`${root}/album`, `${base}/way in`);
  await link(`${root}/loop`, `${root}/loop`);
  assertEquals((await ask(`${base}/way in/take 2.wav`)).path, `${root}/album/take 2.wav`);
  const outside = "asset.outsideLibrary";
  const missing = await refusal(ask(`${root}/none.wav`));
  assertEquals(missing.slice(0, 2), ["asset.notFound", "missing"]);
  assertEquals((await refusal(ask(`${root}/way out/secret.wav`))).slice(0, 2), [outside, "link"]);
  const there = await refusal(ask(`${base}/outside/secret.wav`));
  const notThere = await refusal(ask(`${base}/outside/nothing.wav`));
  assertEquals(there.slice(0, 2), [outside, "outside"]);
  assertEquals(
    notThere[2],
    there[2].replace("secret", "nothing"),
    "what lies outside is not told, not even whether it is there",
  );
  assertEquals((await refusal(ask(`${root}/loop`)))[0], "asset.unreadable");
  for (const path of ["", "relative.wav", "/a\0b", "/" + "x".repeat(5_000)]) {
    await assertRejects(() => ask(path), InvalidParams);
  }
  grants.grant(`${base}/outside/secret.wav`);
  assertEquals((await ask(`${base}/outside/secret.wav`)).kind, "file");
  assertEquals((await refusal(ask(`${base}/outside/other.wav`)))[0], outside);
});

Deno.test("a folder is listed in pages, as people count, without what is hidden or leads out", async () => {
  await using place = await setUp();
  const { base, root, library } = place;
  await link(`${base}/outside`, `${root}/album/way out`);
  await link(`${root}/album/take 2.wav`, `${root}/album/same.wav`);
  const { entries, total } = await library.list({ path: `${root}/album` });
  assertEquals(
    entries.map(({ name, kind }) => [name, kind]),
    [
      ["cd 1", "folder"],
      ["notes.txt", "other"],
      ["same.wav", "audio"],
      ["take 2.wav", "audio"],
      ["take 10.wav", "audio"],
    ],
  );
  assertEquals(total, 5);
  assertEquals(entries[3].assetId, "id of /album/take 2.wav");
  const page = await library.list({ path: `${root}/album`, sort: "kind", offset: 1, limit: 2 });
  assertEquals(page.entries.map(({ name }) => name), ["same.wav", "take 2.wav"]);
  assertEquals(page.total, 5);
  const roots = await library.list({});
  assertEquals(roots.entries, [{ name: "library", path: root, kind: "folder" }]);
});

Deno.test("lengths follow the listing and are known the next time", async () => {
  await using place = await setUp();
  const { root, library, notices } = place;
  const first = await library.list({ path: `${root}/album` });
  assert(first.entries.every(({ durationSeconds }) => durationSeconds === undefined));
  while (notices.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  const { path, entries } = notices[0].params as Awaited<ReturnType<Library["list"]>> & {
    path: string;
  };
  assertEquals(path, `${root}/album`);
  assertEquals(
    entries.map(({ name, durationSeconds }) => [name, durationSeconds]),
    [["take 2.wav", 1], ["take 10.wav", 0.1]],
  );
  const next = await library.list({ path: `${root}/album`, sort: "duration" });
  assertEquals(
    next.entries.filter(({ kind }) => kind === "audio").map(({ durationSeconds }) =>
      durationSeconds
    ),
    [0.1, 1],
  );
});

Deno.test("a listing does not wait for a slow disk: what it tells follows", async () => {
  await using place = await setUp({ patienceMs: 0 });
  const { root, library, notices } = place;
  assertEquals(await library.list({ path: `${root}/album` }), { entries: [], total: 0 });
  while (notices.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  const { path, entries } = notices[0].params as { path: string; entries: { name: string }[] };
  assertEquals([path, entries.length], [`${root}/album`, 4]);
  assertEquals((await library.list({ path: `${root}/album` })).total, 4, "as it was last time");
});

Deno.test("a search looks into the folders below", async () => {
  await using place = await setUp();
  const { root, library } = place;
  const { entries } = await library.list({ path: root, query: "TAKE" });
  assertEquals(entries.map(({ name }) => name), ["deep take.wav", "take 2.wav", "take 10.wav"]);
});

Deno.test("what cannot be listed is refused with its reason", async () => {
  await using place = await setUp();
  const { base, root, library } = place;
  const code = async (path: string) => (await refusal(library.list({ path })))[0];
  assertEquals(await code(`${root}/none`), "asset.notFound");
  assertEquals(await code(`${base}/outside`), "asset.outsideLibrary");
  const file = `${root}/album/take 2.wav`;
  await assertRejects(() => library.list({ path: file }), InvalidParams);
  await assertRejects(() => library.list({ path: root, limit: 0 }), InvalidParams);
  await assertRejects(() => library.list({ path: root, offset: -1 }), InvalidParams);
});

Deno.test("a request that does not answer is given up, and holds up no other volume", async () => {
  const files = new Files((path) => path.split("/")[1]);
  try {
    const base = await Deno.makeTempDir();
    await new Deno.Command("sh", { args: ["-c", 'mkfifo "$0"', `${base}/pipe`] }).output();
    const pipe = `${base}/pipe`;
    // Opening a pipe that nobody writes to hangs, as a file on a dead server does.
    const hung = files.ask(`/dead/x`, { kind: "head", path: pipe }, { timeoutMs: 50 });
    await assertRejects(() => hung, SlowDisk);
    const facts = await files.ask(base, { kind: "identify", path: base });
    assert(!("fault" in facts) && facts.kind === "folder");
    await Deno.writeTextFile(pipe, ""); // Lets the worker's thread go.
    await Deno.remove(base, { recursive: true });
  } finally {
    files[Symbol.dispose]();
  }
});

Deno.test("an upload appears when it is whole and never in place of another", async () => {
  await using place = await setUp();
  const { root, files } = place;
  const begin = (name: string) => files.ask(root, { kind: "saveBegin", folder: root, name });
  const names = () => [...Deno.readDirSync(root)].map(({ name }) => name).sort();
  const first = await begin("new.wav");
  const second = await begin("new.wav");
  assert("saveId" in first && "saveId" in second);
  for (const { saveId } of [first, second]) {
    const bytes = new TextEncoder().encode(`sound ${saveId}`);
    await files.ask(root, { kind: "saveChunk", saveId, bytes });
  }
  assert(!names().includes("new.wav"));
  const kept = await files.ask(root, { kind: "saveEnd", saveId: first.saveId, keep: true });
  assertEquals(kept, { path: `${root}/new.wav` });
  const refused = await files.ask(root, { kind: "saveEnd", saveId: second.saveId, keep: true });
  assertEquals(refused, { taken: true });
  assertEquals(await begin("new.wav"), { taken: true });
  assertEquals(names(), ["album", "new.wav"]);
  assertEquals(await Deno.readTextFile(`${root}/new.wav`), `sound ${first.saveId}`);
});

Deno.test("a head that lies about its size is held to the file's", async () => {
  const shape = {
    sampleFormat: "s16",
    channels: 2,
    sampleRate: 44_100,
    lengthFrames: 100,
  } as const;
  const header = wavHeader(shape);
  const read = (bytes: Uint8Array) => (at: number, length: number) =>
    Promise.resolve(bytes.subarray(at, Math.min(bytes.length, at + length)));
  assertEquals((await readHead(read(header), 44 + 400))?.lengthSamples, 100);
  assertEquals((await readHead(read(header), 44 + 40))?.lengthSamples, 10);
  assertEquals((await readHead(read(header), 44))?.lengthSamples, 0);
  assertEquals(await readHead(read(new TextEncoder().encode("RIFF words, not sound")), 21), null);
  assertEquals(await readHead(read(new Uint8Array()), 0), null);
});
