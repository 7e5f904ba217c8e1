import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { EngineError, InvalidParams } from "../engine/errors.ts";
import { applyChanges } from "../engine/pulse/apply_changes.ts";
import { FileInUse } from "../engine/pulse/store/file_lock.ts";
import { ProjectStore } from "../engine/pulse/store/project_store.ts";
import type { Commit } from "../engine/pulse/timeline_service.ts";
import type { Asset, Edit, Timeline } from "../engine/pulse/types.ts";
import { makeLink } from "./support/links.ts";
import { prng } from "./support/prng.ts";
import { randomGesture } from "./support/random_edits.ts";

const ann = { clientId: "ann" };

/** Runs `work` with a data folder of its own. */
async function inFolder(work: (dataDir: string) => Promise<void>) {
  const dataDir = await Deno.makeTempDir();
  try {
    await work(dataDir);
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
}

const clip = (i: number) => ({
  clipId: `c${i}`,
  assetId: "a",
  startFrame: i * 100,
  lengthFrames: 100,
});
const addTrack: Edit = { op: "track.add", track: { trackId: "t" } };
const add = (i: number): Edit => ({ op: "clip.add", trackId: "t", clip: clip(i) });

function asset(assetId: string, path: string): Asset {
  return {
    assetId,
    path,
    type: "sample",
    sampleRate: 48_000,
    channels: 2,
    bitDepth: 24,
    lengthSamples: 1_000,
    peakCache: null,
    waveformCache: null,
    proxyStatus: "none",
    hash: null,
    offlineStatus: "present",
    container: "wav",
    codec: "pcm",
    channelLayout: "stereo",
    durationSeconds: 1_000 / 48_000,
    lengthExact: true,
    generation: 1,
    analysedSamples: 0,
    complete: false,
  };
}

/** Does to a closed project file what a fault of a disk would. */
function damage(path: string, sql: string): void {
  const database = new DatabaseSync(path);
  try {
    database.exec(sql);
  } finally {
    database.close();
  }
}

Deno.test("a project keeps timeline, revision, undo history, assets, grants and state over a restart", () =>
  inFolder(async (dataDir) => {
    const states: Timeline[] = [];
    let revision = 0;
    {
      await using store = ProjectStore.open({ dataDir });
      const { file } = await store.create({ name: "Film", sampleRate: 44_100 });
      file.timeline.edit([addTrack], {}, ann);
      for (let i = 0; i < 10; i++) {
        states.push(structuredClone(file.timeline.get().timeline));
        file.timeline.edit([add(i)], { label: `Add ${i}` }, ann);
      }
      states.push(structuredClone(file.timeline.get().timeline));
      file.timeline.undo({}, ann);
      file.timeline.undo({}, ann);
      revision = file.timeline.revision;
      file.assets.put(asset("b", "/b.wav"), { inode: 2 });
      file.assets.put(asset("a", "/a.wav"), { inode: 1 });
      file.assets.put({ ...asset("b", "/b.wav"), complete: true }, { inode: 3 });
      file.grants.add("/elsewhere/x.wav");
      file.state.set("position", { positionFrame: 123 });
    }
    await using store = ProjectStore.open({ dataDir });
    const { file, recovery, skipped } = await store.openLast();
    assertEquals([recovery, skipped], [null, null]);
    assertEquals([file.project.name, file.project.revision], ["Film", revision]);
    assertEquals(file.timeline.get(), { revision, timeline: states[8] });
    assertEquals(file.timeline.model.sampleRate, 44_100);
    const { entries, total } = file.timeline.history();
    assertEquals(total, 11);
    assertEquals(
      entries.slice(8).map(({ label, applied, clientId }) => [label, applied, clientId]),
      [
        ["Add 7", true, "ann"],
        ["Add 8", false, "ann"],
        ["Add 9", false, "ann"],
      ],
    );
    for (const i of [9, 10]) {
      assertEquals(file.timeline.redo({}, ann).revision, ++revision);
      assertEquals(file.timeline.get().timeline, states[i]);
    }
    for (let i = 9; i >= 0; i--) {
      assertEquals(file.timeline.undo({}, ann).revision, ++revision);
      assertEquals(file.timeline.get().timeline, states[i]);
    }
    assertEquals(
      file.assets.all().map(({ asset, identity }) => [asset.assetId, asset.complete, identity]),
      [["b", true, { inode: 3 }], ["a", false, { inode: 1 }]],
    );
    const [first, second] = file.assets.after(0, 9);
    assertEquals([first.asset.assetId, second.asset.assetId], ["b", "a"]);
    assertEquals(file.assets.after(first.number, 9), [second]);
    assertEquals([file.assets.some(0, 1), file.assets.some(1, 9)], [[first], [second]]);
    assertEquals(file.assets.byPath("/a.wav")?.asset, asset("a", "/a.wav"));
    assertEquals(file.assets.get("zz"), undefined);
    assertThrows(() => file.assets.put(asset("c", "/a.wav"), {}));
    file.assets.remove("b");
    assertEquals([file.assets.size, file.assets.all().length], [1, 1]);
    assertEquals(file.grants.list(), ["/elsewhere/x.wav"]);
    assertEquals(file.state.get("position"), { positionFrame: 123 });
    assertEquals(file.state.get("loop"), undefined);
  }));

Deno.test("random edits, undos and restarts: each state and each undo over a restart is exact", () =>
  inFolder(async (dataDir) => {
    const random = prng(77);
    const range = { frames: 3_000, tracks: 3, clips: 400 };
    // The states that undo and redo lead to, kept beside the engine.
    const past: Timeline[] = [];
    let future: Timeline[] = [];
    let now: Timeline = { sampleRate: 48_000, tracks: [] };
    let revision = 0;
    for (let life = 0; life < 12; life++) {
      await using store = ProjectStore.open({ dataDir });
      const { file, recovery } = await store.openLast();
      assertEquals(recovery, null);
      const { timeline } = file;
      assertEquals(timeline.revision, revision);
      assertEquals(timeline.get().timeline, now);
      for (let i = 0; i < 60; i++) {
        const before = timeline.get();
        if (random.chance(0.3) && past.length > 0) {
          const { changes } = timeline.undo({}, ann);
          future.push(now);
          now = past.pop()!;
          assertEquals(applyChanges(before.timeline, changes), now);
        } else if (random.chance(0.2) && future.length > 0) {
          timeline.redo({}, ann);
          past.push(now);
          now = future.pop()!;
        } else {
          const options = random.chance(0.3) ? { mergeKey: "k" } : {};
          const steps = timeline.history().total;
          try {
            timeline.edit(randomGesture(random, now, range), options, ann);
          } catch (error) {
            if (!(error instanceof EngineError || error instanceof InvalidParams)) throw error;
          }
          if (timeline.revision === before.revision) continue;
          const { total, entries } = timeline.history();
          const isMerged = total === steps && future.length === 0 &&
            entries.at(-1)!.revision === timeline.revision;
          if (!isMerged) past.push(now);
          future = [];
          now = structuredClone(timeline.get().timeline);
        }
        assertEquals(timeline.get().timeline, now);
        if (random.chance(0.02)) await file.save();
      }
      ({ revision } = timeline);
      assertEquals(timeline.history().total, past.length + future.length);
    }
  }));

Deno.test("a client that comes back after a restart gets what changed, and a repeated request its first answer", () =>
  inFolder(async (dataDir) => {
    const requestId = crypto.randomUUID();
    const edits: Edit[] = [{ op: "clip.split", clipId: "c0", atFrame: 50 }];
    let mirror: Timeline;
    let known = 0;
    let first;
    {
      await using store = ProjectStore.open({ dataDir });
      const { timeline } = (await store.openLast()).file;
      timeline.edit([addTrack, add(0), add(1)], {}, ann);
      ({ timeline: mirror, revision: known } = structuredClone(timeline.get()));
      first = timeline.edit(edits, { requestId }, ann);
      timeline.edit([{ op: "range.delete", startFrame: 10, endFrame: 20, ripple: true }], {}, ann);
      timeline.undo({}, ann);
    }
    await using store = ProjectStore.open({ dataDir });
    const { timeline } = (await store.openLast()).file;
    const news = timeline.changesSince(known);
    assert("changes" in news);
    assertEquals(applyChanges(mirror, news.changes), timeline.get().timeline);
    const { revision } = timeline;
    assertEquals(timeline.edit(edits, { requestId }, { clientId: "another" }), first);
    assertEquals(timeline.revision, revision);
  }));

Deno.test("a second engine on a data folder is refused and told by whom", () =>
  inFolder(async (dataDir) => {
    {
      await using _store = ProjectStore.open({ dataDir });
      const error = assertThrows(() => ProjectStore.open({ dataDir }), FileInUse, dataDir);
      assertEquals(error.pid, Deno.pid);
    }
    await using _again = ProjectStore.open({ dataDir });
  }));

Deno.test("a project that another engine has open is refused, and the open one stays open", () =>
  inFolder(async (dataDir) => {
    await using one = ProjectStore.open({ dataDir: join(dataDir, "one") });
    const { file } = await one.create({ name: "Shared" });
    await using two = ProjectStore.open({ dataDir: join(dataDir, "two") });
    const own = (await two.openLast()).file;
    const error = await assertRejects(
      () => two.open({ path: file.path, trusted: true }),
      EngineError,
    );
    assertEquals([error.code, error.details.reason], ["project.notFound", "inUse"]);
    assert(two.current === own);
    own.timeline.edit([addTrack], {}, ann);
  }));

Deno.test("one project is open at a time; the list is in order of opening", () =>
  inFolder(async (dataDir) => {
    await using store = ProjectStore.open({ dataDir });
    assertThrows(() => store.current, EngineError);
    const a = (await store.create({ name: "A" })).file;
    a.timeline.edit([addTrack], {}, ann);
    const b = (await store.create({ name: "A" })).file;
    assert(!a.isOpen && b.isOpen);
    assert(a.path !== b.path);
    assertEquals(store.list().map(({ projectId, revision }) => [projectId, revision]), [
      [b.identity.projectId, 0],
      [a.identity.projectId, 1],
    ]);
    const again = (await store.open({ projectId: a.identity.projectId })).file;
    assertEquals(again.timeline.revision, 1);
    assert((await store.open({ path: a.path })).file === again);
    assertEquals(store.list()[0].projectId, a.identity.projectId);
    // However fast one follows the other.
    for (let i = 0; i < 10; i++) {
      for (const { identity: { projectId } } of [b, a]) {
        await store.open({ projectId });
        assertEquals(store.list()[0].projectId, projectId);
      }
    }
    Deno.removeSync(b.path);
    assertEquals(store.list().length, 1);
    await assertRejects(() => store.open({ projectId: b.identity.projectId }), EngineError);
    await assertRejects(() => store.open({ projectId: "zz" }), EngineError);
    assertEquals(store.current.identity.projectId, a.identity.projectId);
  }));

Deno.test("saveAs goes on with a copy, undo history and edits that come meanwhile included", () =>
  inFolder(async (dataDir) => {
    const commits: Commit[] = [];
    await using store = ProjectStore.open({
      dataDir,
      timeline: { onCommit: (commit) => commits.push(commit) },
    });
    const original = (await store.create({ name: "First" })).file;
    const { timeline } = original;
    timeline.edit([addTrack, add(0)], {}, ann);
    original.assets.put(asset("a", "/a.wav"), null);
    const saving = store.saveAs({ name: "Second" });
    await new Promise((resolve) => setTimeout(resolve, 1));
    timeline.edit([add(1)], {}, ann);
    const { file } = await saving;
    timeline.edit([add(2)], {}, ann);
    assert(file.timeline === timeline);
    assert(file.identity.projectId !== original.identity.projectId);
    assertEquals([file.project.name, file.project.revision], ["Second", 3]);
    assertEquals(file.assets.size, 1);
    for (let i = 0; i < 3; i++) timeline.undo({}, ann);
    assertEquals(timeline.get().timeline.tracks.length, 0);
    const back = (await store.open({ projectId: original.identity.projectId })).file;
    assertEquals(back.timeline.revision, 2);
    assertEquals(back.timeline.get().timeline.tracks[0].clips.length, 2);
    const copy = (await store.open({ path: file.path })).file;
    assertEquals([copy.timeline.revision, copy.timeline.canUndo, copy.timeline.canRedo], [
      6,
      false,
      true,
    ]);
  }));

Deno.test("project files of clients lie in the folders allowed, with the extension, and never over another file", () =>
  inFolder(async (dataDir) => {
    const outside = await Deno.makeTempDir();
    try {
      await using store = ProjectStore.open({ dataDir, projectFolders: [join(dataDir, "more")] });
      await Deno.mkdir(join(dataDir, "more"));
      await makeLink(outside, join(dataDir, "projects", "link"));
      await Deno.writeTextFile(join(dataDir, "projects", "taken.loophole"), "");
      for (
        const path of [
          join(outside, "x.loophole"),
          "../../x.loophole",
          "link/x.loophole",
          "nowhere/x.loophole",
          "x.db",
          "taken.loophole",
          join(dataDir, "engine.db"),
        ]
      ) {
        const error = await assertRejects(() => store.create({ name: "x", path }), InvalidParams);
        assertEquals([...error.path], ["path"], path);
      }
      await assertRejects(() => store.open({ path: join(outside, "x.loophole") }), InvalidParams);
      await assertRejects(() => store.open({}), InvalidParams);
      const { file } = await store.create({ name: "x", path: join(dataDir, "more", "x.loophole") });
      assertEquals(file.path, await Deno.realPath(join(dataDir, "more", "x.loophole")));
      const odd = await store.create({ name: "../..\u0000/é: x?" });
      assertEquals(
        odd.file.path,
        join(dataDir, "projects", "__.. é_ x_.loophole".replace("__.. ", "_..__")),
      );
      assertEquals(odd.file.project.name, "../..\u0000/é: x?");
    } finally {
      await Deno.remove(outside, { recursive: true });
    }
  }));

Deno.test("a file that is no project is refused with its reason, and openLast() makes a new project beside it", () =>
  inFolder(async (dataDir) => {
    const text = join(dataDir, "text.loophole");
    const foreign = join(dataDir, "foreign.loophole");
    const newer = join(dataDir, "newer.loophole");
    await Deno.writeTextFile(
      text,
      "this is no database, but it is long enough to look at".repeat(20),
    );
    damage(foreign, "CREATE TABLE t (x); PRAGMA application_id = 5; PRAGMA user_version = 1;");
    {
      await using store = ProjectStore.open({ dataDir });
      await store.create({ name: "n", path: "newer.loophole" });
    }
    Deno.renameSync(join(dataDir, "projects", "newer.loophole"), newer);
    damage(newer, "PRAGMA user_version = 99");
    await using store = ProjectStore.open({ dataDir });
    for (
      const [path, reason] of [[text, "not a database"], [foreign, "another program's"], [
        newer,
        "version 99",
      ]]
    ) {
      const before = await Deno.readFile(path);
      const error = await assertRejects(
        () => store.open({ path, trusted: true }),
        EngineError,
        reason,
      );
      assertEquals([error.code, error.details.reason], ["project.notFound", "unusable"]);
      assertEquals(await Deno.readFile(path), before);
    }
    await assertRejects(
      () => store.open({ path: join(dataDir, "zz.loophole"), trusted: true }),
      EngineError,
    );
    store.settings.set("lastProject", text);
    const { file, skipped } = await store.openLast();
    assert(skipped !== null && file.isOpen);
  }));

/** A project of nine edits whose last snapshot is at the third revision; its path. */
async function unsnapshotted(dataDir: string): Promise<string> {
  await using store = ProjectStore.open({ dataDir });
  const { file } = await store.create({ name: "Damaged" });
  file.timeline.edit([addTrack], {}, ann);
  for (let i = 0; i < 9; i++) {
    file.timeline.edit([add(i)], {}, ann);
    if (i === 1) await file.save();
  }
  // What a killed process leaves: no last snapshot. (The copy is made before the file is closed.)
  await Deno.copyFile(file.path, join(dataDir, "projects", "copy.loophole"));
  await Deno.copyFile(`${file.path}-wal`, join(dataDir, "projects", "copy.loophole-wal"));
  return join(dataDir, "projects", "copy.loophole");
}

const damages: [string, string, number][] = [
  [
    "a changed row",
    "UPDATE journal SET forward = replace(forward, 'c5', 'c6') WHERE revision = 7",
    7,
  ],
  ["a truncated row", "UPDATE journal SET forward = substr(forward, 1, 40) WHERE revision = 7", 7],
  ["a changed cause", "UPDATE journal SET cause = 'undo' WHERE revision = 7", 7],
  ["a missing row", "DELETE FROM journal WHERE revision = 7", 8],
  ["a damaged last row", "UPDATE journal SET info = '{' WHERE revision = 10", 10],
];
for (const [name, sql, lost] of damages) {
  Deno.test(`a journal with ${name} opens with what stands before it, says what is lost, and its revision still grows`, () =>
    inFolder(async (dataDir) => {
      const path = await unsnapshotted(dataDir);
      damage(path, sql);
      const good = lost === 10 ? 9 : 6;
      {
        await using store = ProjectStore.open({ dataDir });
        const { file, recovery } = await store.open({ path });
        assertEquals(recovery!.lostRevisions[0], lost);
        assertEquals(recovery!.lostRevisions.at(-1), 10);
        const { timeline } = file;
        assertEquals(timeline.revision, 10);
        assertEquals(timeline.get().timeline.tracks[0].clips.length, good - 1);
        assertEquals(timeline.history().total, good);
        assertEquals(timeline.edit([{ op: "clip.remove", clipId: "c0" }], {}, ann).revision, 11);
        timeline.undo({}, ann);
        timeline.undo({}, ann);
        assertEquals(timeline.get().timeline.tracks[0].clips.length, good - 2);
      }
      await using store = ProjectStore.open({ dataDir });
      const { file, recovery } = await store.openLast();
      assertEquals([recovery, file.timeline.revision], [null, 13]);
    }));
}

Deno.test("a damaged snapshot is refused rather than half read", () =>
  inFolder(async (dataDir) => {
    const path = await unsnapshotted(dataDir);
    damage(path, "UPDATE block SET clips = replace(clips, '100', '101')");
    await using store = ProjectStore.open({ dataDir });
    await assertRejects(() => store.open({ path }), EngineError, "damaged");
    assertEquals(
      (await store.open({ path: join(dataDir, "projects", "Damaged.loophole") })).recovery,
      null,
    );
  }));

Deno.test("a log cut off anywhere loses only its end", () =>
  inFolder(async (dataDir) => {
    const path = await unsnapshotted(dataDir);
    const whole = { file: await Deno.readFile(path), log: await Deno.readFile(`${path}-wal`) };
    const random = prng(3);
    for (let i = 0; i < 25; i++) {
      await Deno.writeFile(path, whole.file);
      await Deno.writeFile(`${path}-wal`, whole.log.slice(0, random.int(whole.log.length)));
      await using store = ProjectStore.open({ dataDir });
      try {
        const { file, recovery } = await store.open({ path });
        assertEquals(recovery, null);
        const { revision, timeline } = file.timeline.get();
        assertEquals(timeline.tracks[0]?.clips.length ?? 0, Math.max(0, revision - 1));
      } catch (error) {
        // Cut before the file was a project at all.
        if (!(error instanceof EngineError)) throw error;
      }
    }
  }));

Deno.test("a snapshot of 20,000 clips is written while edits go on", () =>
  inFolder(async (dataDir) => {
    await using store = ProjectStore.open({ dataDir });
    const { file } = await store.create({ name: "Large" });
    const { timeline } = file;
    const clips = Array.from({ length: 20_000 }, (_, i) => clip(i));
    timeline.edit([{ op: "track.add", track: { trackId: "t", clips: clips as never } }], {}, ann);
    const saving = file.save();
    let edits = 0;
    let done = false;
    saving.then(() => done = true);
    while (!done) {
      timeline.edit(
        [{ op: "clip.set", clipId: `c${edits * 7}`, set: { gainDb: -1 - edits } }],
        {},
        ann,
      );
      edits++;
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    assert(edits > 5, `${edits} edits meanwhile`);
    const { timeline: now } = structuredClone(timeline.get());
    const { path } = file;
    await store.create({ name: "Other" });
    assertEquals((await store.open({ path })).file.timeline.get().timeline, now);
  }));

Deno.test("the journal forgets what no undo and no client needs", () =>
  inFolder(async (dataDir) => {
    await using store = ProjectStore.open({ dataDir });
    const { file } = await store.create({ name: "Long" });
    const { timeline } = file;
    timeline.edit([addTrack, add(0)], {}, ann);
    for (let i = 0; i < 3_000; i++) {
      timeline.edit(
        [{ op: "clip.move", clipId: "c0", startFrame: i + 1 }],
        { mergeKey: "drag" },
        ann,
      );
    }
    await file.save();
    const database = new DatabaseSync(file.path, { readOnly: true });
    const { rows } = database.prepare("SELECT count(*) AS rows FROM journal").get()!;
    database.close();
    assert(Number(rows) < 1_100, `${rows} rows`);
    timeline.undo({}, ann);
    assertEquals(timeline.get().timeline.tracks[0].clips[0].startFrame, 0);
  }));

Deno.test("the cache index knows what lies longest unused", () =>
  inFolder(async (dataDir) => {
    {
      await using store = ProjectStore.open({ dataDir });
      store.cache.put("a", "/cache/a", 10);
      store.cache.put("b", "/cache/b", 20);
      await new Promise((resolve) => setTimeout(resolve, 5));
      store.cache.touch("a");
    }
    await using store = ProjectStore.open({ dataDir });
    assertEquals(store.cache.bytes, 30);
    assertEquals(store.cache.oldest(1).map(({ key }) => key), ["b"]);
    store.cache.remove("b");
    assertEquals([store.cache.get("b"), store.cache.get("a")?.bytes], [undefined, 10]);
  }));
