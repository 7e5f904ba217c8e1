/**
 * A timeline of as many clips as one likes.
 *
 * @module
 */
import { makeWav, randomPlanes } from "../../tests/support/audio_files.ts";
import type { Home } from "./ready_process.ts";
import type { RpcSocket } from "./rpc_socket.ts";

const RATE = 48_000;
/** 10 s, which the page store holds all of. */
const SOURCE_FRAMES = 10 * RATE;

/**
 * Lays clips `c0`, `c1` and so on, end to end on one track: of a second each, or as long as an hour gives them, all from one short file in
 * `home`, which the server must have among its libraries.
 */
export async function layClips(
  client: RpcSocket,
  home: Home,
  clips: number,
): Promise<{ lengthFrames: number }> {
  const path = `${home.path}/source.wav`;
  const planes = randomPlanes(1, 2, SOURCE_FRAMES, "s16");
  await Deno.writeFile(path, makeWav({ planes, encoding: "s16", sampleRate: RATE }));
  const { asset: { assetId } } = await client.call("asset.register", { path });
  const lengthFrames = Math.min(RATE, Math.floor(3_600 * RATE / clips));
  const laid = Array.from({ length: clips }, (_, i) => ({
    clipId: `c${i}`,
    assetId,
    startFrame: i * lengthFrames,
    lengthFrames,
    sourceFrame: (i * lengthFrames) % (SOURCE_FRAMES - lengthFrames),
  }));
  const track = { trackId: "t", name: "T", gainDb: 0, pan: 0, mute: false, solo: false };
  await client.call("timeline.set", {
    timeline: { sampleRate: RATE, tracks: [{ ...track, clips: laid }] },
  });
  return { lengthFrames };
}
