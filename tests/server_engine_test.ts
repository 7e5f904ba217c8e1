/** The server over the real engine: every method once, every reply and notification held against its schema. */
import { assert, assertEquals, assertGreater } from "@std/assert";
import { Engine } from "../engine/engine.ts";
import { METHODS } from "../server/rpc/methods.ts";
import { Server } from "../server/server.ts";
import { makeWav, sinePlanes } from "./support/audio_files.ts";
import { DocumentSchemas } from "./support/json_schema.ts";
import { type Heard, TestClient } from "./support/server_client.ts";
import { until } from "./support/wait.ts";
import { parsePrometheusText } from "./support/prometheus_text.ts";

const RATE = 48_000;

function wav(frames: number): Uint8Array<ArrayBuffer> {
  return makeWav({ planes: sinePlanes(440, 2, frames, "s16"), encoding: "s16" });
}

/** A server over an engine on the null device, in folders of its own. */
async function start() {
  const folder = await Deno.realPath(await Deno.makeTempDir());
  await Deno.mkdir(`${folder}/music`);
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
  return {
    folder,
    engine,
    server,
    url: server.url,
    async [Symbol.asyncDispose]() {
      await server.close();
      await engine[Symbol.asyncDispose]();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

Deno.test("every method answers what its schema says, and every notification is declared", async () => {
  await using test = await start();
  const { folder } = test;
  await Deno.writeFile(`${folder}/music/a.wav`, wav(3 * RATE));
  await Deno.writeFile(`${folder}/music/b.wav`, wav(RATE));
  await using client = await TestClient.connect(test.url);
  const called = new Set<string>();
  const asked: { method: string; params: unknown; heard: Heard }[] = [];
  const call = async (method: string, params: unknown = {}): Promise<Heard> => {
    called.add(method);
    const heard = await client.call(method, params);
    asked.push({ method, params, heard });
    assert(heard.error?.code !== -32603, `${method}: ${JSON.stringify(heard.error)}`);
    return heard;
  };
  // deno-lint-ignore no-explicit-any
  const ok = async (method: string, params: unknown = {}): Promise<any> => {
    const { result, error } = await call(method, params);
    assertEquals(error, undefined, method);
    return result;
  };
  const refused = async (method: string, params: unknown): Promise<string> =>
    (await call(method, params)).error?.data?.code ?? "";

  const hello = await ok("engine.hello", { protocol: 1 });
  assertEquals([hello.sampleRate, hello.protocol], [RATE, 1]);
  assertEquals(hello.capabilities.streams, METHODS.has("stream.start"));
  const topics = [
    "transport assets streams timeline jobs device library diagnostics meters",
  ].join().split(" ");
  const { state } = await ok("engine.subscribe", { topics });
  assertEquals(Object.keys(state).sort(), topics.toSorted());
  const askedMs = Date.now();
  const clock = await ok("engine.clock");
  assert(clock.unixMs >= askedMs && clock.unixMs <= Date.now());

  const roots = await ok("library.list");
  assertEquals(roots.entries.map(({ path }: { path: string }) => path), [`${folder}/music`]);
  // A listing does not wait for the disk: what it does not know yet follows.
  await until(
    async () => (await ok("library.list", { path: `${folder}/music` })).total === 2,
    "both files are listed",
  );
  assertEquals(await refused("library.list", { path: "/etc" }), "asset.outsideLibrary");

  const { asset } = await ok("asset.register", { path: `${folder}/music/a.wav` });
  const { results } = await ok("asset.register", {
    paths: [`${folder}/music/b.wav`, `${folder}/music/a.wav`, `${folder}/music/c.wav`],
  });
  assertEquals(results[1].asset.assetId, asset.assetId);
  assertEquals(results[2].error.code, "asset.notFound");
  const spare = results[0].asset.assetId;
  assertEquals((await ok("asset.get", { assetId: spare })).asset.assetId, spare);
  assertEquals((await ok("asset.list", { limit: 1 })).total, 2);
  await client.until(
    ({ method, params }) => method === "asset.ready" && params.assetIds.includes(asset.assetId),
  );

  const { assetId } = asset;
  const { previews } = await ok("asset.previewPeaks", {
    previews: [{ previewId: 5, assetId, start: 0, end: asset.lengthSamples, width: 300 }],
    follow: true,
  });
  assertEquals(previews, [{ previewId: 5, complete: true }]);
  await ok("asset.stopPreview", { previewIds: [5] });
  assert(
    (await ok("asset.previewWaveform", { assetId, width: 200, height: 40 })).svg.startsWith("<svg"),
  );

  const clip = (clipId: string, startFrame: number) => ({
    op: "clip.add",
    trackId: "t",
    clip: { clipId, assetId, startFrame, lengthFrames: 2 * RATE },
  });
  const edited = await ok("timeline.edit", {
    edits: [{ op: "track.add", track: { trackId: "t" } }, clip("x", 0), clip("y", 2 * RATE)],
    label: "lay",
  });
  assertEquals(edited.changes.clips.length, 2);
  assertEquals(
    await refused("timeline.edit", { edits: [clip("z", 0)], baseRevision: 0 }),
    "timeline.conflict",
  );
  assertEquals(
    await refused("timeline.edit", { edits: [{ op: "clip.remove", clipId: "none" }] }),
    "timeline.notFound",
  );
  assertEquals(await refused("asset.remove", { assetId }), "asset.inUse");
  await ok("view.hint", { selectedClipIds: ["x"], cursorFrame: 5 });

  const stream = await ok("stream.start", { assetId, positionSamples: 100, gainDb: -12 });
  assertEquals([stream.assetId, stream.positionSamples], [assetId, 100]);
  const next = await ok("stream.start", { assetId, loop: true, replaces: stream.handleId });
  await client.until(({ method }) => method === "stream.state");
  await ok("stream.stop", { handleId: next.handleId });
  assertEquals(await refused("stream.stop", { handleId: next.handleId }), "handle.notFound");
  assertEquals(await refused("stream.start", { assetId: "none" }), "asset.notFound");

  const stretch = { startSample: 0, endSample: RATE, cohort: "anticipative" };
  const { windowId } = await ok("clipWindow.request", { clipId: "x", ...stretch });
  await client.until(({ method, params }) =>
    method === "stream.prefetchComplete" && params.windowId === windowId
  );
  await ok("timeline.edit", {
    edits: [{ op: "clip.slip", clipId: "x", sourceFrame: RATE / 2 }],
  });
  const { params: { window: followed } } = await client.until(({ method }) =>
    method === "clipWindow.changed"
  );
  assertEquals([followed.windowId, followed.startSample, followed.endSample], [
    windowId,
    RATE / 2,
    3 * RATE / 2,
  ]);
  await ok("timeline.undo");
  const again = await ok("clipWindow.request", { assetId, ...stretch, isLooping: true });
  assertEquals(again.resident, true);
  await ok("clipWindow.release", { windowId: again.windowId });
  assertEquals(
    await refused("clipWindow.release", { windowId: again.windowId }),
    "handle.notFound",
  );
  await ok("clipWindow.release", { windowId });
  assertEquals(
    await refused("clipWindow.request", { clipId: "none", ...stretch }),
    "timeline.notFound",
  );

  await ok("transport.setLoop", { enabled: true, startFrame: 0, endFrame: RATE });
  assertEquals((await ok("transport.play", { fromFrame: 0 })).state, "playing");
  const from = client.messages().length;
  const positions = () =>
    client.messages().slice(from).filter(({ method }) => method === "transport.position");
  await client.untilTrue(() => positions().length > 40);
  // 30 a second by the engine's own clock and one more at each wrap of the loop; a busy machine has fewer, never more.
  const [first, last] = [positions()[0].params.timeMs, positions().at(-1)!.params.timeMs];
  const most = 1 + (last - first) / 1_000 * (30 + 1) + 3;
  assert(positions().length <= most, `${positions().length} positions in ${last - first} ms`);
  await client.untilTrue(() =>
    client.heard.filter((one) => one instanceof ArrayBuffer).length > 15
  );
  assertEquals((await ok("transport.seek", { positionFrame: 24_000 })).state, "playing");
  await ok("transport.get");
  assertEquals((await ok("transport.pause")).state, "paused");
  assertEquals((await ok("transport.stop")).state, "stopped");

  await ok("timeline.edit", { edits: [{ op: "segment.delete", clipId: "x" }] });
  await ok("timeline.undo");
  await ok("timeline.redo");
  await ok("timeline.undo");
  assertEquals((await ok("timeline.history")).entries.length > 0, true);
  const exported = await ok("timeline.exportOtio");
  const back = await ok("timeline.importOtio", { document: exported.document });
  assertEquals([back.report.clips, back.report.missing], [2, []]);
  assertEquals(
    await refused("timeline.importOtio", { path: "/etc/passwd" }),
    "asset.outsideLibrary",
  );
  const edl = await ok("timeline.exportEdl", { path: "cuts", trackIds: ["t"] });
  assertEquals(edl.file.path, `${folder}/exports/cuts.edl`);
  assertEquals(await refused("timeline.exportEdl", { path: "cuts" }), "export.exists");
  const segments = [{ recordingSegment: 0, start: 0, end: 1, timescale: 1 }];
  const cap = await ok("timeline.importCap", {
    document: { timeline: { segments } },
    files: { "0/mic": `${folder}/music/a.wav` },
  });
  assertEquals([cap.report.clips, cap.report.missing], [1, []]);
  await ok("timeline.undo");
  const { timeline, revision } = await ok("timeline.get");
  await ok("timeline.set", { timeline, baseRevision: revision });

  const mixdown = {
    path: "take/mix.wav",
    container: "wav",
    sampleFormat: "f32",
    lengthFrames: RATE,
  };
  const { jobId } = await ok("render.mixdown", mixdown);
  const finished = await client.until(
    ({ method, params }) => method === "job.finished" && params.job.jobId === jobId,
  );
  assertEquals(finished.params.job.state, "done");
  assertEquals((await ok("job.get", { jobId })).job.state, "done");
  assertEquals((await ok("job.list")).jobs.length > 0, true);
  await ok("job.cancel", { jobId });
  assertEquals(await refused("job.get", { jobId: "none" }), "job.notFound");
  assertEquals(
    await refused("render.mixdown", { ...mixdown, path: "../out.wav" }),
    "export.outside",
  );
  const set = { rate: 2, speedMode: "maintainPitch" };
  await ok("timeline.edit", { edits: [{ op: "clip.set", clipId: "x", set }] });
  const ghost = await ok("render.requestClipGhost", { clipId: "x" });
  const made = await client.until(
    ({ method, params }) => method === "render.finished" && params.job.jobId === ghost.jobId,
  );
  assertEquals([made.params.job.kind, made.params.job.state], ["render.clipGhost", "done"]);
  await client.until(
    ({ method, params }) => method === "clip.pipelineUpdated" && params.state === "ready",
  );
  assertEquals(await refused("render.requestClipGhost", { clipId: "?" }), "timeline.notFound");
  await ok("timeline.undo");

  const [{ url }] = finished.params.job.result.files;
  const file = await fetch(new URL(url, test.url));
  assertEquals(file.status, 200);
  assertEquals(
    new Uint8Array(await file.arrayBuffer()),
    await Deno.readFile(`${folder}/exports/take/mix.wav`),
  );

  await ok("device.list");
  assertEquals(
    (await ok("device.open", { backend: "null", period: 512 })).device.periodFrames,
    512,
  );
  await ok("diagnostics.get");
  await ok("diagnostics.reset");
  await ok("diagnostics.underruns", { limit: 10 });
  await ok("engine.unsubscribe", { topics: ["meters"] });
  await ok("asset.remove", { assetId: spare });

  await ok("project.list");
  const { project } = await ok("project.saveAs", { name: "Copy" });
  await ok("project.create", { name: "New", sampleRate: 44_100 });
  await ok("project.open", { projectId: project.projectId });
  assertEquals(await refused("project.open", { projectId: "none" }), "project.notFound");

  assertEquals([...METHODS.keys()].filter((name) => !called.has(name)), []);
  assertEquals(test.server.faults, []);

  // What others read of all this, and what came, agree.
  const document = await (await fetch(`${test.url}/openrpc.json`)).json();
  const schemas = new DocumentSchemas(document);
  // deno-lint-ignore no-explicit-any
  const byName = (list: any[]) => new Map(list.map((one) => [one.name, one]));
  const methods = byName(document.methods);
  for (const { method, params, heard: { result, error } } of asked) {
    const declared = methods.get(method);
    assertEquals(schemas.compileParams(declared.params)(params), [], `params of ${method}`);
    if (error === undefined) {
      assertEquals(schemas.compile(declared.result.schema)(result), [], `result of ${method}`);
    } else {
      const codes = declared.errors.map(({ data }: { data: { code: string } }) => data.code);
      assert(codes.includes(error.data?.code), `${method} is refused with ${error.data?.code}`);
    }
  }
  const notifications = byName(document["x-notifications"]);
  const told = new Set<string>();
  for (const { method, params } of client.messages()) {
    if (method === undefined) continue;
    told.add(method);
    const check = schemas.compileParams(notifications.get(method).params);
    assertEquals(check(params), [], `params of ${method}`);
  }
  assertGreater(told.size, 9);
});

Deno.test("peaks, waveforms, audio and uploads go over HTTP", async () => {
  await using test = await start();
  const bytes = wav(RATE);
  const put = (name: string, body: BodyInit) =>
    fetch(`${test.url}/aura/library/${name}`, { method: "PUT", body });
  const created = await put("up.wav", bytes);
  assertEquals(created.status, 201);
  const { asset } = await created.json();
  assertEquals([asset.path, asset.lengthSamples], [`${test.folder}/music/up.wav`, RATE]);
  const again = await put("up.wav", bytes);
  assertEquals(again.status, 409);
  await again.body?.cancel();
  const text = await put("text.wav", "this is no sound");
  assertEquals(text.status, 400);
  assert((await text.json()).error.code.startsWith("asset."));
  const at = `${test.url}/aura/assets/${asset.assetId}`;
  const audio = await fetch(`${at}/audio`, { headers: { range: "bytes=44-143" } });
  assertEquals([audio.status, audio.headers.get("content-type")], [206, "audio/wav"]);
  assertEquals(new Uint8Array(await audio.arrayBuffer()), bytes.slice(44, 144));
  let peaks: { complete: boolean; channels: number; max: number[][] };
  await until(async () => {
    peaks = await fetch(`${at}/peaks?width=10`).then((answer) => answer.json());
    return peaks.complete;
  }, "the peaks are complete");
  peaks = peaks!;
  assertEquals([peaks.complete, peaks.channels, peaks.max[0].length], [true, 2, 10]);
  assert(Math.abs(peaks.max[0][5] - 0.5) < 0.001);
  const first = await fetch(`${at}/peaks?width=10&format=bin`);
  await first.body?.cancel();
  const etag = first.headers.get("etag")!;
  const same = await fetch(`${at}/peaks?width=10&format=bin`, {
    headers: { "if-none-match": etag },
  });
  assertEquals(same.status, 304);
  const dat = await fetch(`${at}/waveform.dat?bits=8&samplesPerPixel=256`);
  const view = new DataView(await dat.arrayBuffer());
  assertEquals([view.getInt32(8, true), view.getInt32(12, true)], [RATE, 256]);
  for (const path of ["waveform.json", "wavesurfer.json?points=20"]) {
    const answer = await fetch(`${at}/${path}`);
    assertEquals([answer.status, typeof await answer.json()], [200, "object"]);
  }
  assertEquals(
    (await fetch(`${at}/thumbnail.svg`).then((answer) => answer.text())).slice(0, 4),
    "<svg",
  );
  const metrics = await fetch(`${test.url}/metrics`).then((answer) => answer.text());
  const told = parsePrometheusText(metrics);
  assertGreater(told.size, 60);
  assertEquals(told.get("loophole_callback_seconds")?.type, "histogram");
  assertEquals(test.server.faults, []);
});
