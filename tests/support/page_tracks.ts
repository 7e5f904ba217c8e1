/**
 * A page over two tracks, as a recording has them: a voice and what the system played, with clips that begin on their own.
 *
 * @module
 */
import type { Clip, ClipInput, Timeline } from "../../engine/pulse/types.ts";
import type { Place } from "./chromium.ts";
import { RATE, Scene } from "./page_scene.ts";
import { TestClient } from "./server_client.ts";

/** A clip of {@linkcode openTracks}, in seconds. */
export type Laid = [clipId: string, asset: number, start: number, length: number, source?: number];

/** Opens the page over tracks `t0`, `t1` … with the given clips; assets are 0 `Voice` (12 s), 1 `Piano` (10 s), 2 `Room` (8 s). */
export async function openTracks(...tracks: Laid[][]): Promise<Scene> {
  const scene = await Scene.open();
  await layTracks(scene, ...tracks);
  return scene;
}

/** Sets the timeline anew, by somebody else. */
export async function layTracks(scene: Scene, ...tracks: Laid[][]): Promise<void> {
  await using client = await TestClient.connect(scene.url);
  await client.call("engine.hello", { protocol: 1 });
  const { result } = await client.call("asset.list", {});
  const clips = (laid: Laid[]): ClipInput[] =>
    laid.map(([clipId, asset, start, length, source = 0]) => ({
      clipId,
      assetId: result.assets[asset].assetId,
      startFrame: start * RATE,
      lengthFrames: length * RATE,
      sourceFrame: source * RATE,
    }));
  const timeline = {
    sampleRate: RATE,
    tracks: tracks.map((laid, index) => ({
      trackId: `t${index}`,
      name: `Track ${index}`,
      gainDb: 0,
      pan: 0,
      mute: false,
      solo: false,
      clips: clips(laid),
    })),
  };
  const { revision } = (await client.call("timeline.set", { timeline })).result;
  await scene.page.until(`loophole.session.mirror.revision >= ${revision}`);
  await scene.page.evaluate(`(() => {
    loophole.view.fitTracks();
    loophole.timeline.headers.update();
    loophole.timeline.fit();
  })()`);
}

/** Where a second of a track is on the screen, in the clips' sound. */
export async function inTrack(scene: Scene, seconds: number, track: number): Promise<Place> {
  return await scene.at(
    seconds,
    await scene.page.evaluate<number>(
      `loophole.view.yOf(${track}) + loophole.view.trackHeight * 0.7`,
    ),
  );
}

/** Brings the playhead to a place, and waits until it is there. */
export async function seekTo(scene: Scene, seconds: number): Promise<void> {
  const frame = Math.round(seconds * RATE);
  await scene.page.evaluate(`loophole.session.seek(${frame})`);
  await scene.page.until(`loophole.session.frame === ${frame}`);
}

/** What the engine has: of each track `[clipId, start, end]` in seconds. */
export async function heldClips(scene: Scene): Promise<[string, number, number][][]> {
  return (await scene.timeline()).tracks.map(({ clips }) =>
    clips.map(({ clipId, startFrame, lengthFrames }) => [
      clipId,
      startFrame / RATE,
      (startFrame + lengthFrames) / RATE,
    ])
  );
}

/** Clips by id, as the engine has them. */
export async function clipsById(scene: Scene): Promise<Map<string, Clip & { trackId: string }>> {
  const { tracks }: Timeline = await scene.timeline();
  return new Map(
    tracks.flatMap(({ trackId, clips }) =>
      clips.map((clip) => [clip.clipId, { ...clip, trackId }] as const)
    ),
  );
}

/** Does something that edits, and waits until the page shows it and has nothing more to ask. */
export async function edited(scene: Scene, act: () => Promise<unknown>): Promise<void> {
  const revision = await scene.page.evaluate<number>("loophole.session.mirror.revision");
  await act();
  await scene.page.until(
    `loophole.session.mirror.revision > ${revision} && loophole.session.pending === 0`,
  );
}

/** Takes one step back. */
export async function undo(scene: Scene): Promise<void> {
  await edited(scene, () => scene.page.press("Ctrl+z"));
}
