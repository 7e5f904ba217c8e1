/**
 * 24 voices in a loop under a budget that holds a second ahead of the head: what a stall of the event loop and a standstill of the process
 * are measured on.
 *
 * @module
 */
import type { SignalOptions } from "../../engine/signal/signal.ts";
import { randomPlanes } from "./audio_files.ts";
import { clip, mixOf, openRig, type Rig, type TestTrack, track } from "./signal_rig.ts";

export const RATE = 48_000;
export const PERIOD = 256;
export const LOOP = { startFrame: 5 * RATE + 1, endFrame: 17 * RATE + 9 };
const TRACKS = 24;
const SECONDS = 90;
/** Frames between the parts of the file that two tracks play: no page serves both. */
const APART = 2 * RATE;

export interface Session {
  rig: Rig;
  tracks: TestTrack[];
  /** Whether what all voices play in these frames is in memory. */
  isResident(fromFrame: number, frames: number): boolean;
  /** What should sound at a frame, computed apart from the engine. */
  expected(side: number, frame: number): number;
}

/** The session: each track plays a part of its own of one file. */
export async function arrange(options: Partial<SignalOptions> = {}): Promise<Session> {
  // 24 float stereo voices play 563 units a second; 16 MB hold 976: some 300 ms behind the head and about a second ahead.
  const rig = await openRig({ memoryBytes: 16e6, ...options });
  await rig.add("a", {
    planes: randomPlanes(77, 2, SECONDS * RATE, "f32").map((plane) => plane.map((x) => x / 64)),
    encoding: "f32",
  });
  const tracks = Array.from(
    { length: TRACKS },
    (_, i) =>
      track(`t${i}`, [
        clip(`c${i}`, "a", 0, 40 * RATE, { sourceFrame: i * APART, gainDb: -(i % 7) }),
      ]),
  );
  rig.signal.publish(mixOf(tracks), 1, []);
  rig.signal.setLoop({ enabled: true, ...LOOP });
  const { symbols, engine } = rig.signal.native;
  const source = rig.sources.get("a")!;
  const gains = tracks.map((t) => Math.fround(10 ** (t.clips[0].gainDb! / 20)));
  return {
    rig,
    tracks,
    isResident: (fromFrame, frames) =>
      tracks.every((_, i) =>
        symbols.lp_source_resident(engine, 1, i * APART + fromFrame, frames) >= frames
      ),
    expected(side, frame) {
      let sum = 0;
      for (let i = 0; i < TRACKS; i++) {
        sum = Math.fround(sum + Math.fround(source[side][i * APART + frame] * gains[i]));
      }
      return sum;
    },
  };
}
