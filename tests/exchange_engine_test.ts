/** Imports and exports through the real engine and its server, with real files. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Asset, Timeline } from "../engine/pulse/types.ts";
import { sinePlanes } from "./support/audio_files.ts";
import { EnginePlace, finished, ME } from "./support/engine_place.ts";
import {
  type Json,
  otioClip,
  otioTimeline,
  otioTrack,
  places,
  range,
} from "./support/exchanges.ts";
import { serveEngine } from "./support/served_engine.ts";
import { TestClient } from "./support/server_client.ts";
import { until } from "./support/wait.ts";

const RATE = 48_000;

/** A folder of Cap's in a library: two recordings, one with both sounds, and music. */
async function makeCap(place: EnginePlace, name = "talk.cap"): Promise<string> {
  const folder = `${place.library}/${name}`;
  for (const part of ["content/segments/segment-0", "content/segments/segment-1", "music"]) {
    await Deno.mkdir(`${folder}/${part}`, { recursive: true });
  }
  const sound = async (path: string, seconds: number) => {
    const planes = sinePlanes(440, 2, seconds * RATE, "s16");
    await place.wav(`${name}/${path}`, { planes, encoding: "s16", sampleRate: RATE });
  };
  await sound("content/segments/segment-0/audio-input.wav", 3);
  await sound("content/segments/segment-0/system_audio.wav", 3);
  await sound("music/song.wav", 2);
  const segment = (i: number) => `content/segments/segment-${i}`;
  const meta = {
    pretty_name: "Talk",
    segments: [
      {
        display: { path: `${segment(0)}/display.mp4`, fps: 30 },
        mic: { path: `${segment(0)}/audio-input.wav` },
        system_audio: { path: `${segment(0)}/system_audio.wav` },
      },
      {
        display: { path: `${segment(1)}/display.mp4`, fps: 30 },
        mic: { path: `${segment(1)}/audio-input.wav` },
      },
    ],
  };
  await Deno.writeTextFile(`${folder}/recording-meta.json`, JSON.stringify(meta));
  await writeConfig(folder, 0.1);
  return folder;
}

async function writeConfig(folder: string, mic: number): Promise<void> {
  const segment = (recordingSegment: number, start: number, end: number) => ({
    ...{ recordingSegment, start, end, timescale: 1 },
  });
  await Deno.writeTextFile(
    `${folder}/project-config.json`,
    JSON.stringify({
      background: { padding: 10 },
      timeline: {
        segments: [segment(0, 0, 1), segment(1, 0, 0.5), segment(0, 1, 2.5)],
        audioSegments: [{ start: 0.5, end: 2, path: "music/song.wav", volumeDb: -9 }],
        zoomSegments: [{ start: 0, end: 1, amount: 2 }],
      },
      clips: [{ index: 0, offsets: { mic, system_audio: 0 } }],
    }),
  );
}

Deno.test("a folder of Cap's is imported over the server as one edit; undo gives back what stood", async () => {
  await using served = await serveEngine();
  const { place, engine, url } = served;
  const folder = await makeCap(place);
  await using client = await TestClient.connect(url);
  await client.call("engine.hello", { protocol: 1 });
  await client.call("engine.subscribe", { topics: ["timeline"] });
  const before = engine.timeline.get();

  const { result, error } = await client.call("timeline.importCap", { path: folder });
  assertEquals(error, undefined);
  assertEquals(result.revision, before.revision + 1);
  const changed = await client.until(({ method }) => method === "timeline.changed");
  assertEquals([changed.params.cause, changed.params.label], ["import", "Import from Cap"]);
  const { timeline } = engine.timeline.get();
  assertEquals(timeline.tracks.map(({ name, clips }) => [name, clips.length]), [
    ["Microphone", 3],
    ["System audio", 2],
    ["Music", 1],
  ]);
  assertEquals(timeline.frameRate, { numerator: 30, denominator: 1 });
  const [mic, system] = timeline.tracks;
  assertEquals(
    mic.clips.map(({ startFrame, sourceFrame }) => [startFrame, sourceFrame]),
    [[0, 4_800], [48_000, 0], [72_000, 52_800]],
  );
  assertEquals(system.clips[1].groupId, mic.clips[2].groupId);

  // The file that is not there has an asset that waits for it, and its clip is kept.
  const lost = `${folder}/content/segments/segment-1/audio-input.wav`;
  assertEquals(
    result.report.missing.map(({ name, lookedFor, assetId }: Json) => [
      ...[name, lookedFor, assetId],
    ]),
    [["content/segments/segment-1/audio-input.wav", lost, mic.clips[1].assetId]],
  );
  const asset = engine.assets.get(mic.clips[1].assetId);
  assertEquals([asset.path, asset.type, asset.offlineStatus], [lost, "recording", "missing"]);
  await Deno.copyFile(`${folder}/music/song.wav`, lost);
  await until(
    () => engine.assets.get(asset.assetId).lengthSamples === 2 * RATE,
    "the file that appeared is read",
  );
  assertEquals(engine.assets.get(asset.assetId).offlineStatus, "present");

  await client.call("timeline.undo", {});
  assertEquals(engine.timeline.get().timeline, before.timeline);
  await client.call("timeline.redo", {});
  assertEquals(engine.timeline.get().timeline, timeline);
});

Deno.test("the same project with another offset opens no source and reads nothing that it has read", async () => {
  await using place = await EnginePlace.make();
  await using opened = await place.open({ memoryBytes: 64_000_000 });
  const { engine } = opened;
  const folder = await makeCap(place);
  const first = await engine.timeline.importCap({ path: folder }, ME);
  assertEquals(first.report.missing.length, 1);
  const { signal } = engine;
  const isSettled = () => {
    const { settled, residentPages, wantedPages } = signal.anticipation();
    return settled && residentPages === wantedPages && wantedPages > 0;
  };
  await until(isSettled, "all that may be wanted is resident");
  let openings = 0;
  const open = signal.openSource.bind(signal);
  signal.openSource = (assetId, path) => {
    openings++;
    return open(assetId, path);
  };
  const ids = (timeline: Timeline) =>
    timeline.tracks.map(({ clips }) => clips.map(({ clipId, assetId }) => [clipId, assetId]));
  const before = engine.timeline.get().timeline;
  const { reads } = signal.counters();
  await writeConfig(folder, 0.05);
  const { revision } = await engine.timeline.importCap({ path: folder }, ME);
  const after = engine.timeline.get().timeline;
  assertEquals(revision, first.revision + 1);
  assertEquals(ids(after), ids(before));
  assertEquals(after.tracks[0].clips[0].sourceFrame, 2_400);
  assertEquals(after.tracks.slice(1), before.tracks.slice(1));
  const { changes } = opened.notices.findLast(({ method }) => method === "timeline.changed")!
    .params as Json;
  assertEquals(changes.clips.map(({ clipId }: Json) => clipId), [
    "cap-mic:0:0:1",
    "cap-mic:0:1:2.5",
  ]);
  await until(isSettled, "all that may be wanted is resident again");
  // The missing file is looked for by itself; none of those that are there was opened or read again.
  assertEquals([openings, signal.counters().reads], [0, reads]);
  // And the same document once more is no edit at all.
  assertEquals((await engine.timeline.importCap({ path: folder }, ME)).revision, revision);
});

Deno.test("speeds of Cap sound, and the same is heard after a way through OpenTimelineIO", async () => {
  await using place = await EnginePlace.make();
  await using opened = await place.open();
  const { engine } = opened;
  const folder = await makeCap(place);
  const mic = `${folder}/content/segments/segment-0/audio-input.wav`;
  const segment = (start: number, end: number, timescale: number, speedAudioMode?: string) => ({
    ...{ recordingSegment: 0, start, end, timescale },
    ...(speedAudioMode && { speedAudioMode }),
  });
  const document = {
    timeline: {
      segments: [
        segment(0, 0.5, 1),
        segment(0.5, 1.5, 2, "matchSpeed"),
        segment(1.5, 2, 2),
        segment(2, 2.5, 0.5, "maintainPitch"),
      ],
    },
  };
  await engine.timeline.importCap({ document, files: { "0/mic": mic } }, ME);
  const { timeline } = engine.timeline.get();
  assertEquals(
    timeline.tracks[0].clips.map(({ startFrame, sourceFrame, rate, speedMode }) => [
      ...[startFrame, sourceFrame, rate, speedMode],
    ]),
    [
      [0, 0, 1, "mute"],
      [24_000, 24_000, 2, "matchSpeed"],
      [48_000, 72_000, 2, "mute"],
      [60_000, 96_000, 0.5, "maintainPitch"],
    ],
  );
  // Through a document of OpenTimelineIO nothing of it is lost, and the same is heard.
  const render = async (path: string) => {
    const params = { path, container: "wav", sampleFormat: "f32", lengthFrames: 60_000 } as const;
    const { jobId } = engine.render.mixdown(params, ME);
    assertEquals((await finished(engine, jobId)).state, "done");
    return await Deno.readFile(`${place.exports}/${path}`);
  };
  const before = await render("before.wav");
  const { document: otio } = await engine.timeline.exportOtio({}) as Json;
  const [, double, , half] = otio.tracks.children[0].children;
  assertEquals([double, half].map(({ effects }: Json) => effects[0].time_scalar), [2, 0.5]);
  engine.timeline.edit([{ op: "track.remove", trackId: "cap-mic" }], {}, ME);
  await engine.timeline.importOtio({ document: otio }, ME);
  assertEquals(engine.timeline.get().timeline, timeline);
  assertEquals(await render("after.wav"), before);
  // It is no silence, save where the speed is muted.
  const frames = new Float32Array(before.buffer.slice(before.length - 60_000 * 8));
  const loudest = (from: number, to: number) =>
    frames.slice(from * 2, to * 2).reduce((most, one) => Math.max(most, Math.abs(one)), 0);
  assert(loudest(0, 24_000) > 0.1 && loudest(24_000, 48_000) > 0.1);
  assertEquals(loudest(48_100, 59_900), 0);
});

Deno.test("a project that is sent finds its files by the folder that it is said to be in, or one by one", async () => {
  await using place = await EnginePlace.make();
  await using opened = await place.open();
  const { engine } = opened;
  const folder = await makeCap(place);
  const read = async (name: string) => JSON.parse(await Deno.readTextFile(`${folder}/${name}`));
  const document = await read("project-config.json");
  const meta = await read("recording-meta.json");
  const pathsOf = (track: number) =>
    engine.timeline.get().timeline.tracks[track].clips.map(({ assetId }) =>
      engine.assets.get(assetId).path.slice(folder.length)
    );
  const first = await engine.timeline.importCap({ document, meta, folder }, ME);
  assertEquals(first.report.missing.map(({ name }) => name), [
    "content/segments/segment-1/audio-input.wav",
  ]);
  const zero = "/content/segments/segment-0";
  assertEquals(pathsOf(0)[0], `${zero}/audio-input.wav`);

  const files = {
    "0/mic": `${folder}${zero}/audio-input.wav`,
    "0/systemAudio": `${folder}${zero}/system_audio.wav`,
    "1/mic": `${folder}/music/song.wav`,
    "music/song.wav": `${folder}/music/song.wav`,
  };
  const { report } = await engine.timeline.importCap(
    { document: JSON.stringify(document), files },
    ME,
  );
  assertEquals(report.missing, []);
  assertEquals([pathsOf(0)[1], pathsOf(1)[0]], ["/music/song.wav", `${zero}/system_audio.wav`]);
});

Deno.test("a document leads to no file outside the library, and what is refused has changed nothing", async () => {
  await using place = await EnginePlace.make();
  await using opened = await place.open();
  const { engine } = opened;
  await place.wav("in.wav", { planes: sinePlanes(440, 1, RATE, "s16"), encoding: "s16" });
  await Deno.copyFile(`${place.library}/in.wav`, `${place.base}/out.wav`);
  await Deno.mkdir(`${place.library}/project`);
  const write = (document: Json) =>
    Deno.writeTextFile(`${place.library}/project/cut.otio`, JSON.stringify(document));
  const path = `${place.library}/project/cut.otio`;
  const second = range(0, 24, 24);
  await write(otioTimeline([otioTrack([
    otioClip("../in.wav", second),
    otioClip("../../out.wav", second),
    otioClip(`file://${place.base}/out.wav`, second),
    otioClip("https://example.org/x.wav", second),
    otioClip("../gone%20away.wav", second),
    { OTIO_SCHEMA: "Clip.1", name: "nothing", source_range: second },
  ])]));
  const { report } = await engine.timeline.importOtio({ path }, ME);
  const { timeline, revision } = engine.timeline.get();
  const { clips } = timeline.tracks[0];
  assertEquals(clips.length, 6);
  const paths = clips.map(({ assetId }) =>
    engine.assets.get(assetId).path.slice(place.base.length)
  );
  assertEquals(paths[0], "/library/in.wav");
  assertEquals(paths[4], "/library/gone away.wav");
  for (const i of [1, 2, 3, 5]) {
    assertStringIncludes(paths[i], "/library/Missing media/");
    assertEquals(engine.assets.get(clips[i].assetId).offlineStatus, "missing");
  }
  assertEquals(report.missing.map(({ name }) => name), [
    "../../out.wav",
    `file://${place.base}/out.wav`,
    "https://example.org/x.wav",
    "../gone%20away.wav",
    "nothing",
  ]);
  assertStringIncludes(report.missing[0].reason, "outside the library");

  // A document that is wrong at its end registers none of the files that it names before.
  await place.wav("new.wav", { planes: sinePlanes(440, 1, RATE, "s16"), encoding: "s16" });
  const { total } = engine.assets.list({});
  const refused = async (params: Json): Promise<Json> => {
    try {
      await engine.timeline.importOtio(params, ME);
    } catch (error) {
      return error;
    }
    throw new Error("it was imported");
  };
  await write(otioTimeline([otioTrack([otioClip("../new.wav", second), 7])]));
  assertEquals((await refused({ path })).path, [
    "document",
    "tracks",
    "children",
    0,
    "children",
    1,
  ]);
  await Deno.writeTextFile(path, '{"OTIO_SCHEMA": ');
  assertStringIncludes((await refused({ path })).reason, "at character 17");
  await Deno.writeFile(path, new Uint8Array([0x22, 0xff, 0xfe, 0x22]));
  assertStringIncludes((await refused({ path })).reason, "must be text in UTF-8");
  assertEquals((await refused({ path: `${place.base}/out.wav` })).code, "asset.outsideLibrary");
  assertEquals((await refused({ path: `${place.library}/none.otio` })).code, "asset.notFound");
  assertEquals((await refused({ path, document: {} })).path, ["path"]);
  const good = otioTimeline([otioTrack([otioClip(`${place.library}/new.wav`, second)])]);
  assertEquals((await refused({ document: good, baseRevision: 0 })).code, "timeline.conflict");
  assertEquals([engine.assets.list({}).total, engine.timeline.get().revision], [total, revision]);
  assertEquals(engine.timeline.get().timeline, timeline);

  // `files` says where a file is, by the document's word for it, or its last part.
  const files = { "out.wav": `${place.library}/new.wav` };
  const document = otioTimeline([otioTrack([otioClip("/far/away/out.wav", second)])]);
  const mapped = await engine.timeline.importOtio({ document, files }, ME);
  assertEquals(mapped.report.missing, []);
  const [mappedClip] = engine.timeline.get().timeline.tracks[0].clips;
  assertEquals(engine.assets.get(mappedClip.assetId).path, files["out.wav"]);
});

Deno.test("what the engine exports it imports as no change; pictures and unknown members come back, over a restart too", async () => {
  await using place = await EnginePlace.make();
  await place.wav("a.wav", { planes: sinePlanes(440, 1, 2 * RATE, "s16"), encoding: "s16" });
  const video = otioTrack([{ OTIO_SCHEMA: "Clip.1", name: "picture" }], { kind: "Video" });
  const second = (at: number) => range(at * 24, 24, 24);
  const document = otioTimeline([
    video,
    otioTrack([
      otioClip(`file://${place.library}/a.wav`, second(0), { metadata: { nle: { bin: 4 } } }),
      otioClip(`file://${place.library}/a.wav`, second(1)),
    ]),
  ], { metadata: { nle: "x" } });
  let exported: Json;
  {
    await using opened = await place.open();
    const { engine } = opened;
    const { revision } = await engine.timeline.importOtio(
      { document: JSON.stringify(document) },
      ME,
    );
    assertEquals(places(engine.timeline.get().timeline).length, 2);
    exported = await engine.timeline.exportOtio({ path: "cut" });
    assertEquals(exported.file.path, `${place.exports}/cut.otio`);
    await Deno.copyFile(exported.file.path, `${place.library}/cut.otio`);
    const path = `${place.library}/cut.otio`;
    assertEquals((await engine.timeline.importOtio({ path }, ME)).revision, revision);
  }
  const text = await Deno.readTextFile(`${place.exports}/cut.otio`);
  const written = JSON.parse(text);
  assertEquals(text, `${JSON.stringify(written, null, 2)}\n`);
  assertEquals(written.tracks.children[0], video);
  assertEquals(written.metadata.nle, "x");
  assertEquals(written.tracks.children[1].children[0].metadata.nle, { bin: 4 });
  const [{ media_references }] = written.tracks.children[1].children;
  assertEquals(media_references.DEFAULT_MEDIA.target_url, `file://${place.library}/a.wav`);
  assertEquals(media_references.DEFAULT_MEDIA.available_range.duration.value, 2 * RATE);

  await using reopened = await place.open();
  const { engine } = reopened;
  await engine.timeline.exportOtio({ path: "cut.otio", overwrite: true });
  assertEquals(await Deno.readTextFile(`${place.exports}/cut.otio`), text);
  engine.timeline.undo({}, ME);
  const { document: empty } = await engine.timeline.exportOtio({}) as Json;
  assertEquals([empty.tracks.children, empty.metadata.nle], [[], undefined]);
});

Deno.test("exports are fetched where the answer says, and thousands of clips go to a file alone", async () => {
  await using served = await serveEngine();
  const { engine, place, url } = served;
  const { assets: [{ assetId }] } = engine.assets.list({}) as { assets: Asset[] };
  const { file, document } = await engine.timeline.exportEdl({ path: "sub/cuts.edl" });
  assertEquals([document, file!.path], [undefined, `${place.exports}/sub/cuts.edl`]);
  const answer = await fetch(url + file!.url);
  assertEquals(answer.headers.get("content-type"), "text/plain; charset=utf-8");
  assertStringIncludes(await answer.text(), "FCM: NON-DROP FRAME");

  const clips = Array.from({ length: 10_001 }, (_, i) => ({
    ...{ clipId: `c${i}`, assetId, startFrame: i * 9, lengthFrames: 9 },
  }));
  const timeline = { sampleRate: RATE, tracks: [{ trackId: "t", clips }] } as unknown as Timeline;
  engine.timeline.set(timeline, {}, ME);
  let refusal: Json;
  try {
    await engine.timeline.exportOtio({});
  } catch (error) {
    refusal = error;
  }
  assertEquals([refusal.code, refusal.details.limit], ["limit.exceeded", "answeredClips"]);
  const { file: written } = await engine.timeline.exportOtio({ path: "many" });
  assertEquals((await Deno.stat(written!.path)).size, written!.bytes);
  assert(written!.bytes > 5_000_000);
  await Deno.copyFile(written!.path, `${place.library}/many.otio`);
  const { revision } = engine.timeline.get();
  const back = await engine.timeline.importOtio({ path: `${place.library}/many.otio` }, ME);
  assertEquals([back.revision, back.report.clips], [revision, 10_001]);
});
