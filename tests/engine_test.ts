import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import type { RenderedFile } from "../engine/pulse/services/mixdown.ts";
import type { Engine } from "../engine/engine.ts";
import { EngineError, InvalidParams } from "../engine/errors.ts";
import { makeWav, randomPlanes, sinePlanes } from "./support/audio_files.ts";
import { EnginePlace, finished, lay, ME, until } from "./support/engine_place.ts";

const tone = (frames: number, sampleRate = 48_000) =>
  ({
    planes: sinePlanes(440, 2, frames, "s16", { sampleRate }),
    encoding: "s16",
    sampleRate,
  }) as const;

const counters = (engine: Engine, caller = ME) =>
  (engine.diagnostics.get(caller) as { counters: Record<string, number> }).counters;

Deno.test("a file is registered, laid, played without a gap, and its level is metered", async () => {
  await using place = await EnginePlace.make();
  await using opened = await place.open();
  const { engine, notices } = opened;
  const asset = await engine.assets.register(await place.wav("a.wav", tone(96_000)), undefined, ME);
  engine.timeline.edit(lay(asset), {}, ME);
  // What stands at the head is fetched before anyone plays: 12 pages of 8,192 frames.
  await until(() => counters(engine).pagesResident >= 12, "all of it is resident");
  assertEquals(engine.transport.play({}).state, "playing");
  let meters = new Uint8Array();
  await until(() => {
    meters = engine.takeMeters() ?? meters;
    return notices.filter(({ method }) => method === "transport.position").length > 5;
  }, "positions are told");
  const view = new DataView(meters.buffer);
  assertEquals([view.getUint8(0), view.getUint16(2, true), view.getUint32(24, true)], [1, 1, 1]);
  assertEquals(meters.length, 28 + 2 * 4 + 2 * 16);
  const [peak, rms] = [view.getFloat32(36, true), view.getFloat32(40, true)];
  assert(Math.abs(peak - 0.5) < 0.01 && rms > 0.2, `peak ${peak}, rms ${rms}`);
  assertEquals(engine.transport.stop().positionFrame, 0);
  const { missing, faded } = counters(engine);
  assertEquals([missing, faded], [0, 0]);
});

Deno.test("a change is told before its request is answered, in order", async () => {
  await using place = await EnginePlace.make();
  await using opened = await place.open();
  const { engine, notices } = opened;
  const behind = ["transport.position", "asset.importProgress", "asset.ready", "asset.changed"];
  const told = () =>
    notices.splice(0).map(({ method }) => method).filter((method) => !behind.includes(method));
  await until(() => engine.devices.current() !== null, "the device is open");
  told();
  const asset = await engine.assets.register(await place.wav("a.wav", tone(48_000)), undefined, ME);
  assertEquals(told(), ["asset.added"]);
  engine.timeline.edit(lay(asset), {}, ME);
  assertEquals(told(), ["timeline.changed"]);
  engine.transport.seek(30_000);
  assertEquals(told(), ["transport.state"]);
  const { playheadFrame } = engine.timeline.edit(
    [{ op: "range.delete", startFrame: 0, endFrame: 10_000, ripple: true }],
    {},
    ME,
  );
  assertEquals(told(), ["timeline.changed", "transport.state"]);
  assertEquals([playheadFrame, engine.transport.get().positionFrame], [20_000, 20_000]);
  assertEquals(engine.timeline.undo({}, ME).playheadFrame, 30_000);
  told();
  assertThrows(() => engine.timeline.edit(lay(asset), {}, ME), EngineError);
  assertThrows(() => engine.transport.seek(-1), InvalidParams);
  assertEquals(told(), [], "what is refused is not told");
});

Deno.test("the head is where the answers said once the edits are heard", async () => {
  await using place = await EnginePlace.make();
  await using opened = await place.open();
  const { engine } = opened;
  const asset = await engine.assets.register(await place.wav("a.wav", tone(96_000)), undefined, ME);
  engine.timeline.edit(lay(asset), {}, ME);
  engine.transport.seek(90_000);
  let expected = 90_000;
  for (let i = 0; i < 40; i++) {
    const startFrame = i * 500;
    const result = engine.timeline.edit(
      [{ op: "range.delete", startFrame, endFrame: startFrame + 1_000, ripple: true }],
      {},
      ME,
    );
    expected -= 1_000;
    assertEquals(result.playheadFrame, expected);
    if (i % 7 === 0) await new Promise((resolve) => setTimeout(resolve, 3));
  }
  await until(() => engine.transport.get().revision === 41, "the last edit sounds");
  assertEquals(engine.transport.get().positionFrame, expected);
});

Deno.test("a loop goes with the sound that it loops", async () => {
  await using place = await EnginePlace.make();
  await using opened = await place.open();
  const { engine, notices } = opened;
  const asset = await engine.assets.register(await place.wav("a.wav", tone(96_000)), undefined, ME);
  engine.timeline.edit(lay(asset), {}, ME);
  engine.transport.setLoop({ enabled: true, startFrame: 40_000, endFrame: 60_000 });
  const erase = (startFrame: number, endFrame: number) =>
    engine.timeline.edit([{ op: "range.delete", startFrame, endFrame, ripple: true }], {}, ME);
  erase(0, 10_000);
  assertEquals(engine.transport.get().loop, {
    enabled: true,
    startFrame: 30_000,
    endFrame: 50_000,
  });
  notices.length = 0;
  erase(20_000, 70_000);
  assertEquals(engine.transport.get().loop.enabled, false);
  const reasons = notices.filter(({ method }) => method === "transport.state")
    .map(({ params }) => (params as { reason: string }).reason);
  assertEquals(reasons, ["loop"]);
  await until(() => engine.transport.get().revision === 3, "it sounds");
  assertEquals(engine.transport.get().loop.enabled, false);
});

Deno.test("a mixdown is the file, and of its revision whatever is edited meanwhile", async () => {
  await using place = await EnginePlace.make();
  await using opened = await place.open();
  const { engine } = opened;
  const planes = randomPlanes(7, 2, 200_000, "s24");
  const path = await place.wav("a.wav", { planes, encoding: "s24" });
  const asset = await engine.assets.register(path, undefined, ME);
  engine.timeline.edit(lay(asset), {}, ME);
  const { jobId, revision } = engine.render.mixdown(
    { path: "out/mix.wav", container: "wav", sampleFormat: "s24" },
    ME,
  );
  engine.timeline.edit([{ op: "clip.remove", clipId: "c0" }], {}, ME);
  const job = await finished(engine, jobId);
  assertEquals([job.state, revision], ["done", 1]);
  const [file] = (job.result as { files: RenderedFile[] }).files;
  assertEquals(file.url, "/aura/exports/out/mix.wav");
  const source = await Deno.readFile(path);
  const mix = await Deno.readFile(file.path);
  assertEquals(mix.subarray(-200_000 * 6), source.subarray(-200_000 * 6));
  assertEquals(engine.render.exportFile("out/mix.wav").path, file.path);
});

Deno.test("files that cannot be read are refused one by one and change nothing", async () => {
  await using place = await EnginePlace.make();
  await using opened = await place.open();
  const { engine, notices } = opened;
  const { library, base } = place;
  const material = tone(4_800);
  const wav = makeWav(material);
  const write = async (name: string, bytes: Uint8Array) => {
    await Deno.writeFile(`${library}/${name}`, bytes);
    return `${library}/${name}`;
  };
  await Deno.mkdir(`${library}/folder.wav`);
  await Deno.writeFile(`${base}/outside.wav`, wav);
  const link = new Deno.Command("sh", {
    args: ["-c", 'ln -s "$0" "$1"', `${base}/outside.wav`, `${library}/link.wav`],
  });
  assert((await link.output()).success);
  await until(() => engine.devices.current() !== null, "the device is open");
  notices.length = 0;
  const cases: [string, string][] = [
    [`${library}/none.wav`, "asset.notFound"],
    [`${library}/folder.wav`, "asset.unsupported"],
    [await write("empty.wav", new Uint8Array()), "asset.unreadable"],
    [
      await write("text.wav", new TextEncoder().encode("text, not sound ".repeat(9))),
      "asset.unsupported",
    ],
    [await write("cut.wav", wav.slice(0, 30)), "asset.unreadable"],
    [await write("rate.wav", makeWav(material, { format: { sampleRate: 0 } })), "asset.unreadable"],
    [await write("zero.wav", makeWav(material, { format: { channels: 0 } })), "asset.unreadable"],
    [await write("many.wav", makeWav(material, { format: { channels: 99 } })), "asset.unsupported"],
    [
      await write("block.wav", makeWav(material, { format: { blockAlign: 7 } })),
      "asset.unreadable",
    ],
    [`${base}/outside.wav`, "asset.outsideLibrary"],
    [`${library}/link.wav`, "asset.outsideLibrary"],
  ];
  const before = engine.timeline.get();
  const messages = new Set<string>();
  for (const [path, code] of cases) {
    const register = () => engine.assets.register(path, undefined, ME);
    const error = await assertRejects(register, EngineError, undefined, path);
    assertEquals(error.code, code, path);
    messages.add(error.message.replaceAll(path, ""));
  }
  assertEquals(messages.size, cases.length, "each in its own words");
  assertEquals(engine.timeline.get(), before);
  assertEquals(engine.assets.list({}).total, 0);
  assertEquals(notices.filter(({ method }) => method !== "transport.position"), []);
  assertEquals(
    (await engine.assets.register(await write("a.wav", wav), undefined, ME)).channels,
    2,
  );
});

Deno.test("everything is there after a restart, paused, under a new instance", async () => {
  await using place = await EnginePlace.make();
  const path = await place.wav("a.wav", tone(96_000, 44_100));
  let first;
  {
    await using opened = await place.open();
    const { engine } = opened;
    const asset = await engine.assets.register(path, undefined, ME);
    engine.timeline.edit(lay(asset), { label: "Lay" }, ME);
    engine.timeline.edit([{ op: "clip.split", clipId: "c0", atFrame: 50_000 }], {}, ME);
    engine.transport.setLoop({ enabled: true, startFrame: 100, endFrame: 9_000 });
    engine.transport.play({ fromFrame: 12_345 });
    await until(() => engine.assets.get(asset.assetId).hash !== null, "it is analysed and hashed");
    engine.transport.pause();
    const { frames } = counters(engine);
    await until(() => counters(engine).frames > frames + 9_600, "the pause is heard");
    first = {
      instanceId: engine.instanceId,
      project: engine.projects.current(),
      timeline: engine.timeline.get(),
      asset: engine.assets.get(asset.assetId),
      position: engine.transport.get().positionFrame,
    };
  }
  assertEquals([first.timeline.timeline.sampleRate, first.asset.complete], [44_100, true]);
  await using opened = await place.open();
  const { engine } = opened;
  assert(engine.instanceId !== first.instanceId);
  assertEquals(engine.projects.current(), first.project);
  assertEquals(engine.timeline.get(), first.timeline);
  assertEquals(engine.assets.get(first.asset.assetId), first.asset);
  const { state, positionFrame, loop } = engine.transport.get();
  assertEquals([state, loop], ["paused", { enabled: true, startFrame: 100, endFrame: 9_000 }]);
  assert(first.position >= 12_345);
  assertEquals(positionFrame, first.position);
  engine.timeline.undo({}, ME);
  assertEquals(engine.timeline.get().timeline.tracks[0].clips.length, 1);
  const { complete } = await engine.assets.peaks(first.asset.assetId, { width: 100 });
  assert(complete, "from the cache");
  const { jobId } = engine.render.mixdown(
    { path: "a.wav", container: "wav", sampleFormat: "s16" },
    ME,
  );
  assertEquals((await finished(engine, jobId)).state, "done");
  const [mix, source] = await Promise.all([
    Deno.readFile(`${place.exports}/a.wav`),
    Deno.readFile(path),
  ]);
  assertEquals(mix.subarray(44), source.subarray(44), "the files are read again");
});

Deno.test("an asset whose file is away at the start is missing, and heals when it returns", async () => {
  await using place = await EnginePlace.make();
  const path = await place.wav("a.wav", tone(4_800));
  {
    await using opened = await place.open();
    const asset = await opened.engine.assets.register(path, undefined, ME);
    opened.engine.timeline.edit(lay(asset), {}, ME);
  }
  await Deno.rename(path, `${place.base}/away.wav`);
  await using opened = await place.open();
  const { engine, notices } = opened;
  const [{ assetId }] = engine.assets.list({}).assets;
  const status = () => engine.assets.get(assetId).offlineStatus;
  await until(() => status() === "missing", "it is known to be missing");
  const mix = (path: string) =>
    finished(
      engine,
      engine.render.mixdown({ path, container: "wav", sampleFormat: "s16" }, ME).jobId,
    );
  assertEquals(engine.assets.list({ status: "missing" }).total, 1);
  await Deno.rename(`${place.base}/away.wav`, path);
  await until(() => status() === "present", "it is back");
  assertEquals((await mix("b.wav")).state, "done");
  assertEquals(
    (await Deno.readFile(`${place.exports}/b.wav`)).subarray(44),
    (await Deno.readFile(path)).subarray(44),
  );
  assertEquals(notices.filter(({ method }) => method === "decode.error"), []);
});

Deno.test("projects are made, opened and copied, each with its own rate, assets and undo", async () => {
  await using place = await EnginePlace.make();
  await using opened = await place.open();
  const { engine, notices } = opened;
  const a = await engine.assets.register(await place.wav("a.wav", tone(48_000)), undefined, ME);
  engine.timeline.edit(lay(a), {}, ME);
  const first = engine.projects.current();
  const { jobId } = engine.render.mixdown(
    { path: "first.wav", container: "wav", sampleFormat: "f32" },
    ME,
  );
  notices.length = 0;
  const second = await engine.projects.create({ name: "Second", sampleRate: 96_000 });
  assertEquals(notices.some(({ method }) => method === "project.changed"), true);
  assertEquals(engine.timeline.get(), {
    timeline: { sampleRate: 96_000, tracks: [] },
    revision: 0,
  });
  assertEquals(engine.assets.list({}).total, 0);
  assertEquals((await finished(engine, jobId)).state, "done", "renders go on");
  const path = await place.wav("b.wav", tone(9_600, 96_000));
  const b = await engine.assets.register(path, undefined, ME);
  engine.timeline.edit(lay(b), {}, ME);
  const slower = await engine.assets.register(`${place.library}/a.wav`, undefined, ME);
  assertEquals([slower.sampleRate, slower.lengthSamples], [a.sampleRate, a.lengthSamples]);
  engine.assets.remove(slower.assetId, ME);
  const copy = await engine.projects.saveAs({ name: "Copy" });
  assertEquals([copy.name, copy.revision], ["Copy", 1]);
  engine.timeline.undo({}, ME);
  assertEquals(engine.timeline.get().timeline.tracks, []);
  assertEquals((await engine.projects.open({ projectId: second.projectId })).name, "Second");
  assertEquals(engine.timeline.get().timeline.tracks.length, 1);
  assertEquals((await engine.projects.open({ projectId: first.projectId })).name, first.name);
  assertEquals(engine.assets.list({}).assets.map(({ path }) => path), [a.path]);
  assertEquals(engine.timeline.undo({}, ME).revision, 2);
  const names = (await engine.projects.list()).map(({ name }) => name).sort();
  assertEquals(names, ["Copy", "Second", first.name].sort());
  const none = await assertRejects(() => engine.projects.open({ projectId: "x" }), EngineError);
  assertEquals(none.code, "project.notFound");
  assertEquals(engine.projects.current().name, first.name);
});

Deno.test("a new project takes the rate of its first file unless one was chosen", async () => {
  await using place = await EnginePlace.make();
  const path = await place.wav("a.wav", tone(4_410, 44_100));
  {
    await using opened = await place.open({ sampleRate: 96_000 });
    const { engine } = opened;
    assertEquals(engine.timeline.get().timeline.sampleRate, 96_000);
    await engine.assets.register(path, undefined, ME);
    assertEquals(engine.timeline.get().timeline.sampleRate, 96_000);
    await engine.projects.create({ name: "Free" });
    await engine.assets.register(path, undefined, ME);
    assertEquals(
      engine.timeline.get().timeline.sampleRate,
      96_000,
      "the option is for each new project",
    );
  }
  await Deno.remove(`${place.base}/data`, { recursive: true });
  await using opened = await place.open();
  const { engine } = opened;
  await engine.assets.register(path, undefined, ME);
  assertEquals(engine.timeline.get().timeline.sampleRate, 44_100);
  assertEquals(engine.devices.current()?.sampleRate, 44_100);
  assertEquals(engine.transport.play({}).state, "playing");
});

Deno.test("files named at the start may lie anywhere, and stay allowed for their project", async () => {
  await using place = await EnginePlace.make();
  const path = `${place.base}/elsewhere.wav`;
  await Deno.writeFile(path, makeWav(tone(480)));
  {
    await using opened = await place.open({ allowedFiles: [path, `${place.base}/none.wav`] });
    assertEquals((await opened.engine.assets.register(path, undefined, ME)).path, path);
  }
  await using opened = await place.open();
  const { engine } = opened;
  assertEquals((await engine.assets.register(path, undefined, ME)).path, path);
  await engine.projects.create({ name: "Other" });
  const register = () => engine.assets.register(path, undefined, ME);
  assertEquals((await assertRejects(register, EngineError)).code, "asset.outsideLibrary");
});

Deno.test("an upload is saved and registered, or leaves nothing", async () => {
  await using place = await EnginePlace.make();
  await using opened = await place.open();
  const { engine } = opened;
  const bytes = makeWav(tone(48_000));
  const body = (bytes: Uint8Array<ArrayBuffer>) => new Blob([bytes]).stream();
  const names = () => [...Deno.readDirSync(place.library)].map(({ name }) => name).sort();
  const asset = await engine.library.upload("Größe.wav", body(bytes), ME);
  assertEquals([asset.path, asset.lengthSamples], [`${place.library}/Größe.wav`, 48_000]);
  const upload = (name: string, content = bytes) => engine.library.upload(name, body(content), ME);
  for (const name of ["", "../a.wav", "a/b.wav", ".a.wav", "x".repeat(252) + ".wav"]) {
    await assertRejects(() => upload(name), InvalidParams, undefined, name);
  }
  const code = async (promise: Promise<unknown>) =>
    (await assertRejects(() => promise, EngineError)).code;
  assertEquals(await code(upload("Größe.wav")), "export.exists");
  assertEquals(await code(upload("a.txt")), "asset.unsupported");
  assertEquals(await code(upload("a.wav", bytes.slice(0, 40))), "asset.unreadable");
  const text = new TextEncoder().encode("not a sound at all ".repeat(10));
  assertEquals(await code(upload("a.wav", text)), "asset.unsupported");
  // It is refused under the name that the sender gave it.
  const { message, details } = await assertRejects(() => upload("a.wav", text), EngineError);
  assertMatch(message, /\/a\.wav"/);
  assertEquals(details.path, `${place.library}/a.wav`);
  const broken = new ReadableStream<Uint8Array>({
    pull(controller) {
      controller.error(new Error("the sender went away"));
    },
  });
  await assertRejects(() => engine.library.upload("a.wav", broken, ME), Error, "went away");
  assertEquals(names(), ["Größe.wav"]);
});

Deno.test("the library's files can be looked at before they are registered", async () => {
  await using place = await EnginePlace.make();
  await using opened = await place.open();
  const { engine, notices } = opened;
  const path = await place.wav("a.wav", tone(48_000));
  let { entries } = await engine.library.list({ path: place.library });
  // A listing does not wait for the disk.
  await until(async () => {
    ({ entries } = await engine.library.list({ path: place.library }));
    return entries.length === 1;
  }, "the file is listed");
  const { assetId } = entries[0];
  assertEquals(engine.assets.get(assetId!).type, "transient");
  assertEquals(engine.assets.list({}).total, 0);
  let peaks = await engine.assets.peaks(assetId!, { width: 10 });
  while (!peaks.complete) {
    const more = Promise.withResolvers<void>();
    const stop = engine.assets.onAnalysed(assetId!, more.resolve);
    peaks = await engine.assets.peaks(assetId!, { width: 10 });
    if (!peaks.complete) await more.promise;
    stop();
  }
  assert(peaks.max[0].every((value) => value > 0.4));
  const edit = () =>
    engine.timeline.edit(lay({ ...engine.assets.get(assetId!), lengthSamples: 10 }), {}, ME);
  assertEquals(assertThrows(edit, EngineError).code, "asset.notFound");
  await until(() => notices.some(({ method }) => method === "library.changed"), "lengths follow");
  assertEquals((await engine.assets.register(path, undefined, ME)).assetId, assetId);
});

Deno.test("diagnostics begin anew for the client that asks, and for nobody else", async () => {
  await using place = await EnginePlace.make();
  await using opened = await place.open();
  const { engine } = opened;
  const frames = (clientId: string) => counters(engine, { clientId }).frames;
  await until(() => frames("a") > 10_000, "something was rendered");
  const before = frames("b");
  engine.diagnostics.reset({ clientId: "a" });
  const since = frames("a");
  assert(since <= frames("b") - before, "only what came since then");
  assert(frames("b") >= before);
});

Deno.test("an undo brings back an asset that was removed, also when it was registered again", async () => {
  await using place = await EnginePlace.make();
  const path = await place.wav("a.wav", tone(4_800));
  await using opened = await place.open();
  const { engine, notices } = opened;
  const asset = await engine.assets.register(path, undefined, ME);
  engine.timeline.edit(lay(asset), {}, ME);
  assertEquals(
    assertThrows(() => engine.assets.remove(asset.assetId, ME), EngineError).code,
    "asset.inUse",
  );
  engine.timeline.edit([{ op: "track.remove", trackId: "t" }], {}, ME);
  engine.assets.remove(asset.assetId, ME);
  assertEquals(engine.assets.list({}).total, 0);
  notices.length = 0;
  engine.timeline.undo({}, ME);
  assert(notices.some(({ method }) => method === "asset.added"));
  assertEquals(engine.assets.get(asset.assetId).path, path);
  engine.timeline.redo({}, ME);
  engine.assets.remove(asset.assetId, ME);
  assertEquals((await engine.assets.register(path, undefined, ME)).assetId, asset.assetId);
  engine.timeline.undo({}, ME);
  const { jobId } = engine.render.mixdown(
    { path: "a.wav", container: "wav", sampleFormat: "s16" },
    ME,
  );
  const { result, error } = await finished(engine, jobId);
  assertEquals(error, undefined);
  assert((result as { files: RenderedFile[] }).files[0].peakDb! > -7, "it sounds");
});

Deno.test("a closed engine refuses, and closing twice is closing once", async () => {
  await using place = await EnginePlace.make();
  const { engine } = await place.open();
  const path = await place.wav("a.wav", tone(48_000));
  const registering = engine.assets.register(path, undefined, ME).catch((error) => error);
  const closing = engine[Symbol.asyncDispose]();
  assertThrows(() => engine.transport.play({}), Error, "closing");
  assertThrows(() => engine.timeline.edit([], {}, ME), Error, "closing");
  await assertRejects(() => engine.projects.create({ name: "x" }), Error, "closing");
  await Promise.all([closing, engine[Symbol.asyncDispose]()]);
  await registering;
});

Deno.test("a data folder is one engine's at a time", async () => {
  await using place = await EnginePlace.make();
  await using _ = await place.open();
  await assertRejects(() => place.open(), Error, "another engine");
});
