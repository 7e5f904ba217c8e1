/**
 * Opening a big project: what sounds where the head stands is there before all else, and nothing that a user does waits for the rest.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { ensureLibrary } from "../ffi/build.ts";
import type { Engine } from "../engine/engine.ts";
import type { Asset } from "../engine/pulse/types.ts";
import type { Signal } from "../engine/signal/signal.ts";
import { inARow, madeAsset, makeProjects } from "./support/big_project.ts";
import { EnginePlace, ME } from "./support/engine_place.ts";
import { FaultSession, noise, TURN } from "./support/fault_session.ts";
import { HeldFiles } from "./support/held_files.ts";
import { until } from "./support/wait.ts";

const ASSETS = 10_000;
const CHILD = new URL("./support/opening_child.ts", import.meta.url).pathname;
const CONFIG = new URL("../deno.json", import.meta.url).pathname;

/** A project whose first second is one real sound and whose other clips play assets that nobody can get to. */
async function setUp(assets = ASSETS, folder = "far") {
  const place = await EnginePlace.make();
  const { wav, floats } = noise(7);
  const path = `${place.library}/head.wav`;
  await Deno.writeFile(path, wav);
  const head = madeAsset("head", path, TURN);
  const far = Array.from(
    { length: assets - 1 },
    (_, i) => madeAsset(`a${i}`, `${place.library}/${folder}/${i}.wav`),
  );
  const { tracks: [near] } = inARow([head], "near");
  const { tracks: [rest] } = inARow(far, "far", TURN * 10);
  // The head's own is the last of all: no order but that of nearness finds it first.
  const [small, big] = await makeProjects(`${place.base}/data`, [
    { name: "small", assets: [], timeline: { sampleRate: 48_000, tracks: [] } },
    {
      name: "big",
      assets: [...far, head],
      timeline: {
        sampleRate: 48_000,
        tracks: [{ ...rest, pan: 1 }, { ...near, pan: -1 }],
      },
    },
  ]);
  const isFar = (path: string) => path.includes(`/${folder}/`);
  // A library of its own is a volume of its own.
  await Deno.mkdir(`${place.library}/${folder}`);
  const open = () => place.open({ libraryRoots: [`${place.library}/${folder}`, place.library] });
  return { place, small, big, far, floats, isFar, open };
}

/** Plays the first second, and compares what was heard with the sound of the head's clip. */
async function assertSounds(engine: Engine, floats: Float32Array): Promise<void> {
  const session = new FaultSession(engine, []);
  session.play(4);
  await session.rendered(TURN * 2);
  const heard = await session.stop();
  assert(heard.frames >= TURN, `${heard.frames} frames`);
  assertEquals(heard.difference("left", floats), -1);
}

Deno.test("project.open: the clip under the head sounds while 9,999 other assets have not been looked at", async () => {
  const { place, small, big, far, floats, isFar, open } = await setUp();
  await using _ = place;
  using held = new HeldFiles(isFar);
  await using opened = await open();
  const { engine } = opened;
  await engine.projects.open({ projectId: small.projectId });
  held.opened.length = held.looked.length = 0;
  assertEquals((await engine.projects.open({ projectId: big.projectId })).projectId, big.projectId);
  assertEquals(held.opened[0], `${place.library}/head.wav`);
  await assertSounds(engine, floats);
  // Few others were begun, and none of them has been answered.
  assertEquals(engine.assets.get("head").offlineStatus, "present");
  assertEquals(engine.assets.list({ status: "present" }).total, 1);
  assertEquals(engine.assets.list({ status: "pending" }).total, ASSETS - 1);
  assertEquals(engine.assets.get(far[8_888].assetId).path, far[8_888].path);
  const { assets, total } = engine.assets.list({ offset: 9_990, limit: 100 });
  assertEquals([total, assets.map(({ assetId }) => assetId)], [
    ASSETS,
    [...far.slice(9_990).map(({ assetId }) => assetId), "head"],
  ]);
  const begun = new Set([...held.opened, ...held.looked].filter(isFar));
  assert(begun.size <= 64, `${begun.size} were begun`);
  held.release();
});

Deno.test("while a project is still being opened, edits, undo and saving as another work, and all its assets become known", async () => {
  const { place, far, floats, isFar, open } = await setUp(300);
  await using _ = place;
  using held = new HeldFiles(isFar);
  await using opened = await open();
  const { engine, notices } = opened;
  await until(() => held.opened.some(isFar), "the rest has begun");
  const { timeline, revision } = engine.timeline.get();
  const edited = engine.timeline.edit([{ op: "clip.remove", clipId: "far 5" }], {}, ME);
  engine.timeline.edit(
    [{
      op: "clip.add",
      trackId: "near",
      clip: { clipId: "again", assetId: "a298", startFrame: TURN, lengthFrames: 100 },
    }],
    {},
    ME,
  );
  engine.timeline.undo({}, ME);
  engine.timeline.undo({}, ME);
  assertEquals([edited.revision, engine.timeline.get().timeline], [revision + 1, timeline]);
  engine.assets.remove(await unused(engine), ME);
  const copy = await engine.projects.saveAs({ name: "copy" });
  engine.timeline.redo({}, ME);
  await assertSounds(engine, floats);
  held.release();
  // None of the others has a file: that is known of each in the end.
  await until(
    () => engine.assets.list({ status: "missing" }).total === far.length,
    "all was looked at",
  );
  assertEquals(engine.assets.list({ status: "pending" }).total, 0);
  assertEquals(engine.projects.current().projectId, copy.projectId);
  const last = notices.filter(({ method }) => method === "project.opening").at(-1);
  await until(() => {
    const told = notices.filter(({ method }) => method === "project.opening").at(-1);
    return last === undefined || (told!.params as { complete: boolean }).complete;
  }, "its end was told");

  /** An asset that no clip plays. */
  async function unused(engine: Engine): Promise<string> {
    const path = await place.wav("unused.wav", {
      planes: [new Float32Array(480)],
      encoding: "s16",
    });
    return (await engine.assets.register(path, undefined, ME)).assetId;
  }
});

Deno.test("opening another project while one is being opened drops that: nothing of it is begun any more", async () => {
  const { place, small, big, isFar, open } = await setUp(500);
  await using _ = place;
  using held = new HeldFiles(isFar);
  await using opened = await open();
  const { engine } = opened;
  assertEquals(engine.projects.current().projectId, big.projectId);
  await until(() => held.opened.some(isFar), "the rest has begun");
  // Those that were begun still hang.
  await engine.projects.open({ projectId: small.projectId });
  const begun = held.opened.length;
  assertEquals(engine.assets.list({}).total, 0);
  held.release();
  await engine.projects.create({ name: "third" });
  assertEquals(held.opened.length, begun);
  await engine.projects.open({ projectId: big.projectId });
  assertEquals(engine.assets.list({}).total, 500);
});

Deno.test("a project whose volume hangs is open at once, and what lies elsewhere plays", async () => {
  const { place, small, big, far, floats, isFar, open } = await setUp();
  await using _ = place;
  using held = new HeldFiles(isFar);
  await using opened = await open();
  const { engine } = opened;
  await engine.projects.open({ projectId: small.projectId });
  await engine.projects.open({ projectId: big.projectId });
  await assertSounds(engine, floats);
  const status = (asset: Asset) => engine.assets.get(asset.assetId).offlineStatus;
  assertEquals(status(far[0]), "pending");
  assertEquals((engine.signal as Signal).position().state, "stopped");
  // What somebody asks for beside it is answered, the peaks of the sound that is there too.
  const { complete } = await peaksOf(engine);
  assertEquals(complete, true);
  await assertRejects(() => engine.assets.register(`${place.library}/none.wav`, undefined, ME));
  await engine.projects.open({ projectId: small.projectId });
  assertEquals(engine.assets.list({}).total, 0);
  held.release();
});

Deno.test("kill -9 while a project is being opened loses no asset and no acknowledged edit", async () => {
  const { place, far, floats, open } = await setUp(100);
  await using _ = place;
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--no-prompt", "--no-check", "--cached-only", `--config=${CONFIG}`],
      ...["--allow-read", "--allow-write", "--allow-env", "--allow-ffi", "--allow-sys"],
      ...[CHILD, place.base, "/far/"],
    ],
    env: { LOOPHOLE_NATIVE: await ensureLibrary() },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const errors = new Response(child.stderr).text();
  let text = "";
  let isAlive = true;
  for await (const part of child.stdout.pipeThrough(new TextDecoderStream())) {
    text += part;
    // It is killed in the middle of whatever it does then.
    if (isAlive && text.split("\n").length > 20) {
      isAlive = false;
      child.kill("SIGKILL");
    }
  }
  assertEquals((await child.status).signal, "SIGKILL", await errors);
  const said = text.split("\n").slice(0, -1).map((line) => line.split(" ").map(Number));
  await using opened = await open();
  const { engine, notices } = opened;
  const { timeline, revision } = engine.timeline.get();
  // One more may have been kept whose answer was cut off.
  const more = revision - said.at(-1)![0];
  assert(more === 0 || more === 1, `${more} revisions more than were told`);
  const added = timeline.tracks[1].clips.filter(({ clipId }) => clipId.startsWith("new "));
  assertEquals(added.length, said.length + more);
  assertEquals(new Set(said.map(([, total]) => total)), new Set([100]));
  assertEquals(engine.assets.list({ limit: 200 }).assets.map(({ assetId }) => assetId), [
    ...far.map(({ assetId }) => assetId),
    "head",
  ]);
  assertEquals(notices.filter(({ method }) => method === "diagnostics.warning"), []);
  for (let i = 0; i < added.length; i++) engine.timeline.undo({}, ME);
  await assertSounds(engine, floats);
});

/** The peaks of the head's sound, as soon as all of them are there. */
async function peaksOf(engine: Engine) {
  let peaks = await engine.assets.peaks("head", { width: 16 });
  await until(async () => {
    peaks = await engine.assets.peaks("head", { width: 16 });
    return peaks.complete;
  }, "all peaks are there");
  return peaks;
}
