/**
 * A place for an engine to live in during a test: folders of its own, a library with a few files, no sound.
 *
 * @module
 */
import type { Notification } from "../../engine/api.ts";
import { Engine } from "../../engine/engine.ts";
import type { EngineOptions } from "../../engine/options.ts";
import type { Asset, Edit, Job } from "../../engine/pulse/types.ts";
import { type AudioMaterial, makeWav } from "./audio_files.ts";
import { until } from "./wait.ts";

export { until };

/** Who asks. */
export const ME = { clientId: "me" };

/** Folders under one temporary folder, removed in the end. */
export class EnginePlace implements AsyncDisposable {
  private constructor(readonly base: string) {}

  static async make(): Promise<EnginePlace> {
    const base = await Deno.realPath(await Deno.makeTempDir({ prefix: "engine" }));
    await Deno.mkdir(`${base}/library`);
    return new EnginePlace(base);
  }

  get library(): string {
    return `${this.base}/library`;
  }

  get exports(): string {
    return `${this.base}/exports`;
  }

  /** Opens an engine here; `notices` hears everything from then on. */
  async open(
    options: EngineOptions = {},
  ): Promise<{ engine: Engine; notices: Notification[] } & AsyncDisposable> {
    const engine = await Engine.open({
      dataDir: `${this.base}/data`,
      cacheDir: `${this.base}/cache`,
      exportDir: this.exports,
      libraryRoots: [this.library],
      memoryBytes: 2 ** 24,
      backend: "null",
      ...options,
    });
    const notices: Notification[] = [];
    engine.listen((notice) => void notices.push(notice));
    return { engine, notices, [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose]() };
  }

  /** Writes a WAV file into the library and gives its path. */
  async wav(name: string, material: AudioMaterial): Promise<string> {
    const path = `${this.library}/${name}`;
    await Deno.writeFile(path, makeWav(material));
    return path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.base, { recursive: true });
  }
}

/** Edits that make a track `t` with assets one after another, clips `c0`, `c1` and so on. */
export function lay(...assets: Asset[]): Edit[] {
  let startFrame = 0;
  return [
    { op: "track.add", track: { trackId: "t" } },
    ...assets.map(({ assetId, lengthSamples }, i): Edit => {
      const clip = { clipId: `c${i}`, assetId, startFrame, lengthFrames: lengthSamples };
      startFrame += lengthSamples;
      return { op: "clip.add", trackId: "t", clip };
    }),
  ];
}

/** Waits for a job's end. */
export async function finished(engine: Engine, jobId: string): Promise<Job> {
  const isOver = () => !["queued", "running"].includes(engine.jobs.get(jobId).state);
  await until(isOver, `job ${jobId} is over`);
  return engine.jobs.get(jobId);
}
