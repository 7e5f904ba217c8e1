/**
 * A Signal with made files and simple mixes, for tests.
 *
 * @module
 */
import type { BlockRef, MixClipBody, MixModel, MixTrack } from "../../engine/signal/model.ts";
import { Signal, type SignalOptions } from "../../engine/signal/signal.ts";
import { type AudioMaterial, expectedFloats, makeWav } from "./audio_files.ts";
import { INTERPOLATION_ERROR, type ReferenceClip, type ReferenceTrack } from "./reference_mix.ts";

export interface TestClip extends ReferenceClip {
  clipId: string;
}
export interface TestTrack extends Omit<ReferenceTrack, "clips"> {
  trackId: string;
  clips: TestClip[];
}

/** A clip with neutral members. */
export function clip(
  clipId: string,
  assetId: string,
  startFrame: number,
  lengthFrames: number,
  more: Partial<TestClip> = {},
): TestClip {
  return {
    clipId,
    assetId,
    startFrame,
    lengthFrames,
    sourceFrame: 0,
    gainDb: 0,
    fadeInFrames: 0,
    fadeOutFrames: 0,
    rate: 1,
    speedMode: "matchSpeed",
    ...more,
  };
}

/** A track with neutral members. */
export function track(
  trackId: string,
  clips: TestClip[],
  more: Partial<TestTrack> = {},
): TestTrack {
  return { trackId, gainDb: 0, pan: 0, mute: false, solo: false, clips, ...more };
}

/** A mix model of flat tracks: blocks of at most `most` clips. Bodies are shared with `bodies` where they are equal. */
export function mixOf(
  tracks: readonly TestTrack[],
  most = 256,
  bodies: Map<string, MixClipBody> = new Map(),
): MixModel {
  return {
    tracks: tracks.map((t): MixTrack => {
      const clips = [...t.clips].sort((a, b) => a.startFrame - b.startFrame);
      const blocks: BlockRef[] = [];
      for (let i = 0; i < clips.length; i += most) {
        const part = clips.slice(i, i + most);
        const start = part[0].startFrame;
        const placed = part.map(({ startFrame, ...body }) => {
          const key = JSON.stringify(body);
          let shared = bodies.get(key);
          if (!shared) bodies.set(key, shared = body);
          return { at: startFrame - start, body: shared };
        });
        const maxEnd = Math.max(...placed.map(({ at, body }) => at + body.lengthFrames));
        blocks.push({ start, block: { clips: placed, maxEnd } });
      }
      const { trackId, gainDb, pan, mute, solo } = t;
      return { trackId, gainDb, pan, mute, solo, blocks };
    }),
  };
}

export interface Rig extends AsyncDisposable {
  signal: Signal;
  sources: Map<string, Float32Array[]>;
  folder: string;
  /** Writes the material as a WAV file and opens it. */
  add(assetId: string, material: AudioMaterial): Promise<void>;
  /** Manual device: renders frames and parts the sides. */
  render(frames: number): [Float32Array, Float32Array];
  /** Single step: runs follower and fills until nothing is left to do. */
  settle(): void;
}

export async function openRig(options: Partial<SignalOptions> = {}): Promise<Rig> {
  const folder = await Deno.makeTempDir({ prefix: "loophole_rig_" });
  const signal = await Signal.open({ sampleRate: 48_000, memoryBytes: 64e6, ...options });
  const { symbols, engine, renderer } = signal.native;
  const sources = new Map<string, Float32Array[]>();
  return {
    signal,
    sources,
    folder,
    async add(assetId, material) {
      const path = `${folder}/${assetId}.wav`;
      await Deno.writeFile(path, makeWav({ sampleRate: 48_000, ...material }));
      sources.set(assetId, expectedFloats(material).map((plane) => Float32Array.from(plane)));
      await signal.openSource(assetId, path);
    },
    render(frames) {
      const out = new Float32Array(frames * 2);
      const result = symbols.lp_render(renderer, out, frames);
      if (result < 0) throw new Error(`lp_render: ${result}`);
      return unzip(out);
    },
    settle() {
      for (let pass = 0; pass < 4; pass++) {
        symbols.lp_step_follow(engine);
        while (symbols.lp_step_fill(engine) > 0);
      }
    },
    async [Symbol.asyncDispose]() {
      await signal[Symbol.asyncDispose]();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/** Parts interleaved stereo. */
export function unzip(out: Float32Array): [Float32Array, Float32Array] {
  const frames = out.length / 2;
  const left = new Float32Array(frames);
  const right = new Float32Array(frames);
  for (let i = 0; i < frames; i++) {
    left[i] = out[i * 2];
    right[i] = out[i * 2 + 1];
  }
  return [left, right];
}

/** First frame where two signals differ (−0 and subnormals count as 0), −1 if none. */
export function firstDifference(a: Float32Array, b: Float32Array): number {
  const flush = (x: number) => Math.abs(x) < 1.1754943508222875e-38 ? 0 : x;
  if (a.length !== b.length) return Math.min(a.length, b.length);
  return a.findIndex((x, i) => flush(x) !== flush(b[i]));
}

/**
 * First frame where a signal is not what was computed: to the bit, but where the computation is approximate within an error (`referenceMix`). −1 if none.
 */
export function firstUnlike(
  got: Float32Array,
  computed: Float32Array,
  approximate: Uint8Array,
): number {
  if (got.length !== computed.length) return Math.min(got.length, computed.length);
  const flush = (x: number) => Math.abs(x) < 1.1754943508222875e-38 ? 0 : x;
  return got.findIndex((x, i) =>
    approximate[i]
      ? !(Math.abs(x - computed[i]) <= INTERPOLATION_ERROR)
      : flush(x) !== flush(computed[i])
  );
}
