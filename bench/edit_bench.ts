/**
 * What a cut costs from the model to the native snapshot, at 100, 10,000 and 100,000 clips on one track, against the approach
 * it replaces: splicing all decoded audio of the timeline into one new buffer by memcpy.
 *
 * @module
 */
import { applyEdits } from "../engine/pulse/apply_edits.ts";
import { modelFromTimeline } from "../engine/pulse/model_from_timeline.ts";
import type { TimelineModel } from "../engine/pulse/timeline_model.ts";
import { Signal } from "../engine/signal/signal.ts";

const RATE = 48_000;

for (const minutes of [10, 60]) {
  const frames = minutes * 60 * RATE;
  const group = `a cut in ${minutes} minutes of stereo`;
  const audio = new Float32Array(frames * 2).fill(0.25);
  const cutStart = Math.floor(frames * 0.4) * 2;
  const cutEnd = cutStart + 5 * RATE * 2;
  const rigs: Rig[] = [];
  for (const clips of [100, 10_000, 100_000]) {
    let rig: Rig | undefined;
    Deno.bench({
      group,
      name: `segment.delete, packed and published, ${clips} clips`,
      async fn(b) {
        if (rig === undefined) rigs.push(rig = await openModel(clips, frames));
        const { signal, model, revision } = rig;
        // A place in the middle, another one each time; each cut is made from the whole timeline.
        const clipId = `c${Math.floor(clips / 2) + (revision.value % 40)}`;
        b.start();
        const cut = applyEdits(model, [{ op: "segment.delete", clipId }], "s");
        signal.publish(cut.model, ++revision.value, cut.map);
        b.end();
        signal.publish(model, ++revision.value, []);
      },
    });
  }
  let spliced = new Float32Array(0);
  Deno.bench({
    group,
    name: `splice ${minutes} minutes by memcpy`,
    baseline: true,
    n: 5,
    async fn(b) {
      // It comes last and closes what the others opened: a library that is unloaded while its threads run ends the process.
      for (const { signal } of rigs.splice(0)) await signal[Symbol.asyncDispose]();
      b.start();
      spliced = new Float32Array(audio.length - (cutEnd - cutStart));
      spliced.set(audio.subarray(0, cutStart));
      spliced.set(audio.subarray(cutEnd), cutStart);
      b.end();
    },
  });
}

interface Rig {
  signal: Signal;
  model: TimelineModel;
  revision: { value: number };
}

async function openModel(clips: number, frames: number): Promise<Rig> {
  const signal = await Signal.open({ sampleRate: RATE, memoryBytes: 16e6 });
  const length = Math.floor(frames / clips);
  const model = modelFromTimeline({
    sampleRate: RATE,
    tracks: [{
      trackId: "t",
      name: "T",
      clips: Array.from({ length: clips }, (_, i) => ({
        clipId: `c${i}`,
        assetId: "a",
        startFrame: i * length,
        lengthFrames: length,
        sourceFrame: i * length,
      })),
    }],
  });
  signal.publish(model, 1, []);
  return { signal, model, revision: { value: 1 } };
}
