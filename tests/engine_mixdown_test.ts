import { assert, assertEquals, assertThrows } from "@std/assert";
import type { MixdownParams, Notification } from "../engine/api.ts";
import { EngineError, InvalidParams } from "../engine/errors.ts";
import { Jobs } from "../engine/pulse/services/jobs.ts";
import { Mixdown, type NamedTrack, type RenderedFile } from "../engine/pulse/services/mixdown.ts";
import type { Job } from "../engine/pulse/types.ts";
import type { MixModel, MixTrack } from "../engine/signal/model.ts";
import { Signal } from "../engine/signal/signal.ts";
import type { SignalApi } from "../engine/signal/signal_api.ts";
import { expectedFloats, makeWav, randomPlanes } from "./support/audio_files.ts";
import { FakeSignal } from "./support/fake_signal.ts";

const caller = { clientId: "test" };

/** A track with one clip of the whole asset. */
function track(trackId: string, assetId: string, lengthFrames: number, rest = {}): MixTrack {
  const body = {
    clipId: `clip of ${trackId}`,
    assetId,
    lengthFrames,
    sourceFrame: 0,
    gainDb: 0,
    fadeInFrames: 0,
    fadeOutFrames: 0,
    rate: 1,
    speedMode: "matchSpeed" as const,
  };
  const block = { clips: [{ at: 0, body }], maxEnd: lengthFrames };
  const blocks = [{ start: 0, block }];
  return { trackId, gainDb: 0, pan: 0, mute: false, solo: false, blocks, ...rest };
}

async function setUp(signal: SignalApi, mix: MixModel, endFrame: number) {
  const exportDir = `${await Deno.realPath(await Deno.makeTempDir())}/exports`;
  const notices: Notification[] = [];
  const jobs = new Jobs((notice) => void notices.push(notice));
  const state = { mix, revision: 7, endFrame };
  const mixdown = new Mixdown({
    signal: () => signal,
    jobs,
    exportDir,
    snapshot: () => ({
      ...state,
      tracks: state.mix.tracks.map(({ trackId }): NamedTrack => ({ trackId, name: trackId })),
    }),
  });
  const start = (params: Partial<MixdownParams>) =>
    mixdown.start({ path: "mix.wav", container: "wav", sampleFormat: "f32", ...params }, caller);
  const finished = async (jobId: string): Promise<Job> => {
    while (["queued", "running"].includes(jobs.get(jobId).state)) {
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    return jobs.get(jobId);
  };
  return {
    exportDir,
    notices,
    jobs,
    state,
    start,
    finished,
    async render(params: Partial<MixdownParams>): Promise<RenderedFile[]> {
      const job = await finished(start(params).jobId);
      assertEquals(job.state, "done", JSON.stringify(job.error));
      return (job.result as { files: RenderedFile[] }).files;
    },
    names(): string[] {
      try {
        return [...Deno.readDirSync(exportDir)].map(({ name }) => name).sort();
      } catch {
        return [];
      }
    },
    async [Symbol.asyncDispose]() {
      await jobs[Symbol.asyncDispose]();
      await Deno.remove(exportDir.replace(/\/exports$/, ""), { recursive: true });
    },
  };
}

/** The bytes of the samples of a file that Mixdown wrote. */
async function samplesOf(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await Deno.readFile(path);
  const view = new DataView(bytes.buffer);
  let at = 12;
  const isData = () => String.fromCharCode(...bytes.subarray(at, at + 4)) === "data";
  while (!isData()) at += 8 + view.getUint32(at + 4, true);
  return bytes.slice(at + 8, at + 8 + view.getUint32(at + 4, true));
}

Deno.test("a mixdown of a clip is its file, in every sample format that can hold it", async () => {
  await using signal = await Signal.open({ sampleRate: 48_000, memoryBytes: 2 ** 22 });
  const folder = await Deno.realPath(await Deno.makeTempDir());
  for (
    const [encoding, formats] of [["s16", ["s16", "s24", "f32"]], ["s24", ["s24", "f32"]]] as const
  ) {
    const material = { planes: randomPlanes(1, 2, 20_001, encoding), encoding };
    await Deno.writeFile(`${folder}/a.wav`, makeWav(material));
    await signal.openSource(encoding, `${folder}/a.wav`);
    const mix = { tracks: [track("t", encoding, 20_001)] };
    await using place = await setUp(signal, mix, 20_001);
    const expected = expectedFloats(material);
    for (const sampleFormat of formats) {
      const [file] = await place.render({ sampleFormat, path: `${sampleFormat}.wav` });
      assertEquals(file.lengthFrames, 20_001);
      assertEquals(file.peakDb, 0, "both extremes are in it");
      const bytes = await samplesOf(file.path);
      const view = new DataView(bytes.buffer);
      const read = {
        s16: (i: number) => view.getInt16(i * 2, true) / 2 ** 15,
        s24: (i: number) =>
          (view.getUint16(i * 3, true) | (view.getInt8(i * 3 + 2) << 16)) / 2 ** 23,
        f32: (i: number) => view.getFloat32(i * 4, true),
      }[sampleFormat];
      for (let i = 0; i < 20_001; i++) {
        for (const channel of [0, 1]) {
          if (read(i * 2 + channel) !== expected[channel][i]) {
            throw new Error(`${encoding} as ${sampleFormat}: frame ${i} differs`);
          }
        }
      }
    }
  }
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a range is rendered alone, with silence where nothing is", async () => {
  const signal = new FakeSignal();
  signal.sample = (frame) => frame / 1_000;
  await using place = await setUp(signal, { tracks: [] }, 100);
  const [file] = await place.render({ startFrame: 90, lengthFrames: 20 });
  const floats = new Float32Array((await samplesOf(file.path)).buffer);
  assertEquals(floats[0], Math.fround(0.09));
  assertEquals([floats.length, file.url], [40, "/aura/exports/mix.wav"]);
});

Deno.test("a render is of the revision it was asked for, and stems add up to what is heard", async () => {
  const signal = new FakeSignal();
  const mix = {
    tracks: [
      track("Drums", "a", 10),
      track("Bass", "a", 10, { solo: true }),
      track("Kick/Snare", "a", 10, { solo: true, mute: true }),
    ],
  };
  await using place = await setUp(signal, mix, 10);
  const gate = Promise.withResolvers<void>();
  signal.gate = gate.promise;
  const { jobId, revision } = place.start({ stems: true });
  place.state.mix = { tracks: [] };
  gate.resolve();
  const { result } = await place.finished(jobId);
  const { files } = result as { files: RenderedFile[] };
  assertEquals(revision, 7);
  assertEquals(place.names(), [
    "mix - 01 Drums.wav",
    "mix - 02 Bass.wav",
    "mix - 03 Kick_Snare.wav",
  ]);
  assertEquals(files.map(({ trackId }) => trackId), ["Drums", "Bass", "Kick/Snare"]);
  assertEquals(
    signal.rendered.map(({ tracks }) => tracks.map(({ trackId, mute }) => [trackId, mute])),
    [[["Drums", true]], [["Bass", false]], [["Kick/Snare", true]]],
  );
  assertEquals(files.map(({ peakDb }) => peakDb), [null, null, null]);
});

Deno.test("what cannot be rendered is refused at once and leaves nothing", async () => {
  await using place = await setUp(new FakeSignal(), { tracks: [track("t", "a", 10)] }, 10);
  const invalid: Partial<MixdownParams>[] = [
    { container: "flac" },
    { sampleRate: 44_100 },
    { startFrame: -1 },
    { startFrame: 10 },
    { lengthFrames: 0 },
    { lengthFrames: 1.5 },
    { trackIds: [] },
    { dither: true },
    { path: "" },
    { path: ".hidden.wav" },
  ];
  for (const params of invalid) {
    assertThrows(() => place.start(params), InvalidParams, undefined, JSON.stringify(params));
  }
  const code = (params: Partial<MixdownParams>) =>
    assertThrows(() => place.start(params), EngineError).code;
  assertEquals(code({ path: "../mix.wav" }), "export.outside");
  assertEquals(code({ path: "/tmp/mix.wav" }), "export.outside");
  assertEquals(code({ trackIds: ["none"] }), "timeline.notFound");
  await place.render({});
  assertEquals(code({}), "export.exists");
  await place.render({ overwrite: true });
  assertEquals(place.names(), ["mix.wav"]);
});

Deno.test("a cancelled render leaves nothing behind", async () => {
  const signal = new FakeSignal();
  const gate = Promise.withResolvers<void>();
  await using place = await setUp(signal, { tracks: [] }, 100_000);
  signal.gate = gate.promise;
  const { jobId } = place.start({});
  while (place.names().length === 0) await new Promise((resolve) => setTimeout(resolve, 2));
  assertEquals(place.names().length, 1, "it is being written under another name");
  assert(place.names()[0].startsWith("."));
  assertEquals(place.jobs.cancel(jobId).state, "cancelled");
  gate.resolve();
  await place.jobs.settled();
  assertEquals(place.names(), []);
});

Deno.test("a name that was taken meanwhile is not overwritten", async () => {
  const signal = new FakeSignal();
  const gate = Promise.withResolvers<void>();
  await using place = await setUp(signal, { tracks: [] }, 100);
  signal.gate = gate.promise;
  const { jobId } = place.start({});
  while (place.names().length === 0) await new Promise((resolve) => setTimeout(resolve, 2));
  await Deno.writeTextFile(`${place.exportDir}/mix.wav`, "mine");
  gate.resolve();
  const job = await place.finished(jobId);
  assertEquals(job.error?.code, "export.exists");
  await place.jobs.settled();
  assertEquals(place.names(), ["mix.wav"]);
  assertEquals(await Deno.readTextFile(`${place.exportDir}/mix.wav`), "mine");
});

Deno.test("a render with frames that could not be read fails and says how many", async () => {
  const signal = new FakeSignal();
  signal.missingFrames = 12;
  await using place = await setUp(signal, { tracks: [] }, 100);
  const job = await place.finished(place.start({}).jobId);
  assertEquals([job.error?.code, job.error?.details], ["asset.unreadable", { missingFrames: 12 }]);
  await place.jobs.settled();
  assertEquals(place.names(), []);
});

Deno.test("a full disk is told as such and nothing of the render stays", async () => {
  const signal = new FakeSignal();
  signal.gate = Promise.reject(Object.assign(new Error("No space left"), { code: "ENOSPC" }));
  signal.gate.catch(() => {});
  await using place = await setUp(signal, { tracks: [] }, 100);
  const job = await place.finished(place.start({}).jobId);
  assertEquals(job.error?.code, "export.diskFull");
  await place.jobs.settled();
  assertEquals(place.names(), []);
});

Deno.test("rendering leaves the main thread free: it is done in blocks of a few thousand samples", async () => {
  const signal = new FakeSignal();
  const blocks: number[] = [];
  signal.sample = (frame) => Math.sin(frame);
  const { renderOffline } = signal;
  signal.renderOffline = (mix, startFrame) => {
    const render = renderOffline.call(signal, mix, startFrame);
    return { ...render, next: (frames) => (blocks.push(frames), render.next(frames)) };
  };
  await using place = await setUp(signal, { tracks: [] }, 50_000);
  await place.render({ sampleFormat: "s24", dither: true });
  assert(blocks.length > 1 && Math.max(...blocks) <= 16_384, `blocks of ${Math.max(...blocks)}`);
  assertEquals(place.notices.filter(({ method }) => method === "render.finished").length, 1);
});
