/**
 * A timeline of as many clips as one likes.
 *
 * @module
 */
import { makeWav, randomPlanes } from "../../tests/support/audio_files.ts";
import type { Home } from "./ready_process.ts";
import type { RpcSocket } from "./rpc_socket.ts";

export const RATE = 48_000;
/** 10 s, which the page store holds all of. */
export const SOURCE_FRAMES = 10 * RATE;

/** Clips of a timeline of an hour at most, `c0`, `c1` and so on, end to end on each track: of a second each, or as long as an hour gives them. */
export function laidTracks(assetId: string, clips: number, tracks = 1) {
  const each = Math.floor(clips / tracks);
  const lengthFrames = Math.min(RATE, Math.floor(3_600 * RATE / each));
  const header = { gainDb: 0, pan: 0, mute: false, solo: false };
  return {
    lengthFrames,
    tracks: Array.from({ length: tracks }, (_, t) => ({
      ...header,
      trackId: `t${t}`,
      name: `T${t}`,
      clips: Array.from({ length: each }, (_, i) => ({
        clipId: `c${t * each + i}`,
        assetId,
        startFrame: i * lengthFrames,
        lengthFrames,
        sourceFrame: (i * lengthFrames) % (SOURCE_FRAMES - lengthFrames),
      })),
    })),
  };
}

/** Writes the file that they are all from. */
export async function writeSource(path: string): Promise<void> {
  const planes = randomPlanes(1, 2, SOURCE_FRAMES, "s16");
  await Deno.writeFile(path, makeWav({ planes, encoding: "s16", sampleRate: RATE }));
}

/** Lays {@linkcode laidTracks} in an engine that must have `home` among its libraries. */
export async function layClips(
  client: RpcSocket,
  home: Home,
  clips: number,
  tracks = 1,
): Promise<{ lengthFrames: number }> {
  const path = `${home.path}/source.wav`;
  await writeSource(path);
  const { asset: { assetId } } = await client.call("asset.register", { path });
  const { lengthFrames, tracks: laid } = laidTracks(assetId, clips, tracks);
  await client.call("timeline.set", { timeline: { sampleRate: RATE, tracks: laid } });
  return { lengthFrames };
}
