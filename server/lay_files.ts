/**
 * Files from the command line: registered and laid on a track one after another.
 *
 * @module
 */
import type { EngineApi } from "../engine/api.ts";
import type { Asset, Edit, Timeline } from "../engine/pulse/types.ts";
import { SERVER_CALLERS } from "./rpc/method.ts";

const CALLER = { clientId: `${SERVER_CALLERS}command-line` };

/**
 * Registers `paths` and lays those that can be read behind what the timeline holds, in their order, on one track of their own.
 *
 * @param onError Hears of each file that cannot be registered; the others are laid.
 */
export async function layFiles(
  engine: EngineApi,
  paths: readonly string[],
  onError: (path: string, error: unknown) => void,
): Promise<void> {
  const assets: Asset[] = [];
  for (const path of paths) {
    try {
      assets.push(await engine.assets.register(path, undefined, CALLER));
    } catch (error) {
      onError(path, error);
    }
  }
  if (assets.length === 0) return;
  const { timeline } = engine.timeline.get();
  const edits = planTrack(assets, timeline, crypto.randomUUID());
  if (edits.length === 0) return;
  engine.timeline.edit(edits, { label: "Files from the command line" }, CALLER);
}

/**
 * The edits that lay `assets` on a track of their own, behind all that the timeline holds. None if a track holds just these already:
 * the same command twice changes nothing.
 */
export function planTrack(
  assets: readonly Asset[],
  { sampleRate, tracks }: Timeline,
  trackId: string,
): Edit[] {
  const laid = assets.filter(({ lengthSamples }) => lengthSamples > 0);
  const isLaid = tracks.some(({ clips }) =>
    clips.length === laid.length && clips.every(({ assetId }, i) => assetId === laid[i].assetId)
  );
  if (isLaid) return [];
  let startFrame = 0;
  for (const { clips } of tracks) {
    for (const clip of clips) {
      startFrame = Math.max(startFrame, clip.startFrame + clip.lengthFrames);
    }
  }
  const edits: Edit[] = [{ op: "track.add", track: { trackId, name: nameOf(laid[0].path) } }];
  for (const { assetId, path, lengthSamples, sampleRate: ownRate } of laid) {
    const lengthFrames = Math.ceil(lengthSamples * sampleRate / ownRate);
    const clip = { assetId, startFrame, lengthFrames, name: nameOf(path) };
    edits.push({ op: "clip.add", trackId, clip });
    startFrame += lengthFrames;
  }
  return edits;
}

/** A file's name without its folder and ending, as a name of 200 characters at most. */
function nameOf(path: string): string {
  const name = path.split(/[\\/]/).at(-1) ?? path;
  return name.replace(/\.[^.]+$/, "").slice(0, 200).toWellFormed();
}
