/**
 * A project of as many assets as one likes, written into a data folder without an engine: only files that somebody needs are there.
 *
 * @module
 */
import type { ProjectFile } from "../../engine/pulse/store/project_file.ts";
import { ProjectStore } from "../../engine/pulse/store/project_store.ts";
import type { Asset, Project, Timeline } from "../../engine/pulse/types.ts";

/** Frames of each of its sounds, at 48 kHz. */
export const SOUND_FRAMES = 4_800;

/** A mono asset of {@linkcode SOUND_FRAMES} samples, as an engine keeps it once it is analysed. */
export function madeAsset(assetId: string, path: string, lengthSamples = SOUND_FRAMES): Asset {
  return {
    assetId,
    path,
    type: "sample",
    sampleRate: 48_000,
    channels: 1,
    bitDepth: 16,
    lengthSamples,
    peakCache: null,
    waveformCache: null,
    proxyStatus: "none",
    hash: "0",
    offlineStatus: "present",
    container: "wav",
    codec: "pcm_s16",
    channelLayout: "mono",
    durationSeconds: lengthSamples / 48_000,
    lengthExact: true,
    generation: 1,
    analysedSamples: lengthSamples,
    complete: true,
  };
}

export interface BigProject {
  name: string;
  /** In order of registration. */
  assets: readonly Asset[];
  timeline: Timeline;
  positionFrame?: number;
}

/** What tells a file's state, as it is kept; of one that is not there some that is no file's. */
async function identityOf(path: string) {
  try {
    const { dev: device, ino, size: bytes, mtime, ctime } = await Deno.stat(path);
    return { device, inode: ino!, bytes, mtimeMs: mtime!.getTime(), ctimeMs: ctime!.getTime() };
  } catch {
    return { device: 1, inode: 1, bytes: 1, mtimeMs: 1, ctimeMs: 1 };
  }
}

/** Makes projects in a data folder that no engine uses; the last one is the one that an engine opens by itself. */
export async function makeProjects(
  dataDir: string,
  projects: readonly BigProject[],
): Promise<Project[]> {
  await using store = ProjectStore.open({ dataDir });
  const made: Project[] = [];
  for (const { name, assets, timeline, positionFrame = 0 } of projects) {
    const { file } = await store.create({ name });
    for (const asset of assets) file.assets.put(asset, await identityOf(asset.path));
    file.timeline.set(timeline, {}, { clientId: "maker" });
    file.state.set("transport", {
      positionFrame,
      loop: { enabled: false, startFrame: 0, endFrame: 0 },
    });
    await file.save();
    made.push(projectOf(file));
  }
  return made;
}

function projectOf({ project }: ProjectFile): Project {
  return { ...project };
}

/** Clips of assets one after another on one track, each as long as its sound. */
export function inARow(assets: readonly Asset[], trackId: string, startFrame = 0): Timeline {
  const clips = assets.map(({ assetId, lengthSamples }, i) => ({
    clipId: `${trackId} ${i}`,
    assetId,
    startFrame: startFrame + i * lengthSamples,
    lengthFrames: lengthSamples,
    sourceFrame: 0,
    gainDb: 0,
    fadeInFrames: 0,
    fadeOutFrames: 0,
    rate: 1,
    speedMode: "matchSpeed" as const,
  }));
  const track = { trackId, name: "", gainDb: 0, pan: 0, mute: false, solo: false, clips };
  return { sampleRate: 48_000, tracks: [track] };
}
