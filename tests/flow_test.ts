/** The whole of it through the process and its public interface: start with files, look, play, cut while it sounds, undo, render. */
import { assert, assertEquals } from "@std/assert";
import { applyChanges } from "../engine/pulse/apply_changes.ts";
import type { Timeline } from "../engine/pulse/types.ts";
import { expectedFloats, makeAiff, makeWav, randomPlanes } from "./support/audio_files.ts";
import { Home } from "./support/engine_process.ts";
import { TestClient } from "./support/server_client.ts";
import { firstDifference, unzip } from "./support/signal_rig.ts";
import { until } from "./support/wait.ts";

const RATE = 44_100;
const FRAMES = [90_000, 60_000, 120_000];

/** The samples of a rendered 32-bit float WAV. */
function floatsOf(wav: ArrayBuffer): [Float32Array, Float32Array] {
  const bytes = new Uint8Array(wav);
  const view = new DataView(wav);
  let at = 12;
  for (; String.fromCharCode(...bytes.subarray(at, at + 4)) !== "data";) {
    at += 8 + view.getUint32(at + 4, true);
  }
  const length = view.getUint32(at + 4, true);
  return unzip(new Float32Array(wav.slice(at + 8, at + 8 + length)));
}

Deno.test("start with three files, see them, play, delete the middle one while it sounds, undo, render", async () => {
  await using home = await Home.make();
  const quiet = (seed: number, channels: number, frames: number) =>
    randomPlanes(seed, channels, frames, "s16").map((plane) => plane.map((x) => Math.trunc(x / 4)));
  const materials = [
    { planes: quiet(1, 2, FRAMES[0]), encoding: "s16" as const, sampleRate: RATE },
    { planes: quiet(2, 1, FRAMES[1]), encoding: "s16" as const, sampleRate: RATE },
    { planes: quiet(3, 2, FRAMES[2]), encoding: "s16" as const, sampleRate: RATE },
  ];
  const paths = ["one.wav", "two.aiff", "three.wav"].map((name) => `${home.path}/${name}`);
  await Deno.writeFile(paths[0], makeWav(materials[0]));
  await Deno.writeFile(paths[1], makeAiff(materials[1]));
  await Deno.writeFile(paths[2], makeWav(materials[2]));
  const engine = home.start(...paths);
  const url = await engine.ready();
  try {
    await using client = await TestClient.connect(url);
    const call = async (method: string, params: unknown = {}) => {
      const reply = await client.call(method, params);
      assertEquals(reply.error, undefined, `${method}: ${JSON.stringify(reply.error)}`);
      return reply.result;
    };
    const hello = await call("engine.hello", { protocol: 1 });
    assertEquals(hello.sampleRate, RATE, "a new project takes the rate of its first file");
    const { state } = await call("engine.subscribe", {
      topics: ["timeline", "transport", "assets"],
    });
    let mirror: Timeline = state.timeline.timeline;
    assertEquals(mirror.tracks.length, 1);
    const clips = mirror.tracks[0].clips;
    assertEquals(clips.map((c) => [c.startFrame, c.lengthFrames]), [
      [0, FRAMES[0]],
      [FRAMES[0], FRAMES[1]],
      [FRAMES[0] + FRAMES[1], FRAMES[2]],
    ]);

    // Seen: the peaks of each file are those of its samples.
    for (const [i, clip] of clips.entries()) {
      let peaks;
      do {
        const answer = await fetch(`${url}/aura/assets/${clip.assetId}/peaks?width=300&channels=0`);
        assertEquals(answer.status, 200);
        peaks = await answer.json();
      } while (!peaks.complete);
      const floats = expectedFloats(materials[i])[0];
      assertEquals(Math.max(...peaks.max[0]), floats.reduce((a, b) => Math.max(a, b)));
      assertEquals(Math.min(...peaks.min[0]), floats.reduce((a, b) => Math.min(a, b)));
    }

    // Played from within the second file, which then goes while it sounds: the head stands on the cut and plays on.
    const fromFrame = FRAMES[0] + 10_000;
    await call("transport.seek", { positionFrame: fromFrame });
    // All that lies ahead is fetched before anyone plays, in pages of 8,192 frames, and something of what lies behind.
    const pages = Math.ceil((FRAMES[1] - 10_000) / 8_192) + Math.ceil(FRAMES[2] / 8_192);
    await until(
      async () => (await call("diagnostics.get")).counters.pagesResident >= pages + 2,
      "what will be heard is resident",
    );
    // However long we take to cut, the head is in the second file.
    await call("transport.setLoop", {
      enabled: true,
      startFrame: fromFrame,
      endFrame: FRAMES[0] + FRAMES[1] - 10_000,
    });
    await call("transport.play", { fromFrame });
    await client.until((m) => m.method === "transport.position" && m.params.rate === 1);
    const { timeMs: beforeMs } = await call("engine.clock");
    const cut = await call("timeline.edit", {
      edits: [{ op: "segment.delete", clipId: clips[1].clipId }],
    });
    assertEquals(cut.playheadFrame, FRAMES[0]);
    mirror = applyChanges(mirror, cut.changes);
    assertEquals(mirror.tracks[0].clips.map((c) => c.startFrame), [0, FRAMES[0]]);
    const heard = await client.until((m) =>
      m.method === "transport.position" && m.params.revision === cut.revision
    );
    // It was on the cut when the edit was heard, so after the edit was asked for; the null device makes up for 0.2 s at most.
    const { positionFrame, timeMs } = heard.params;
    const most = FRAMES[0] + ((timeMs - beforeMs) / 1_000 + 0.25) * RATE;
    assert(
      positionFrame >= FRAMES[0] && positionFrame < most,
      `the head stands at ${positionFrame}, not before ${most}`,
    );
    const undone = await call("timeline.undo");
    mirror = applyChanges(mirror, undone.changes);
    assertEquals(mirror, (await call("timeline.get")).timeline);
    assertEquals(mirror.tracks[0].clips, clips);
    await call("transport.stop");

    // Rendered: the three files one after another, to the sample.
    const { jobId } = await call("render.mixdown", {
      path: "mix.wav",
      container: "wav",
      sampleFormat: "f32",
    });
    const { params } = await client.until((m) =>
      m.method === "job.finished" && m.params.job.jobId === jobId
    );
    assertEquals(params.job.state, "done", JSON.stringify(params.job));
    const file = await fetch(`${url}${params.job.result.files[0].url}`);
    const [left, right] = floatsOf(await file.arrayBuffer());
    const expected = [0, 1].map((side) => {
      const out = new Float32Array(FRAMES[0] + FRAMES[1] + FRAMES[2]);
      let at = 0;
      for (const material of materials) {
        const planes = expectedFloats(material);
        out.set(planes[side] ?? planes[0], at);
        at += planes[0].length;
      }
      return out;
    });
    assertEquals(firstDifference(left, expected[0]), -1);
    assertEquals(firstDifference(right, expected[1]), -1);

    const { counters } = await call("diagnostics.get");
    assertEquals([counters.missing, counters.faded], [0, 0]);
  } finally {
    const { code, stderr } = await engine.stop();
    assertEquals([code, stderr.includes("rror")], [0, false], stderr);
  }
});
