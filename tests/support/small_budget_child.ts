/**
 * Child of `signal_budget_test.ts`: plays 16 tracks of many files under a budget of three pages a track, compares what came out with what
 * should have, and prints the verdict as JSON. Run under `ulimit -n 256`.
 *
 * @module
 */
import { randomPlanes } from "./audio_files.ts";
import { clip, mixOf, openRig, track, unzip } from "./signal_rig.ts";

const TRACKS = 16;
const FILES = 20;
const LENGTH = 12_000;
const UNIT = 16_384;

await using rig = await openRig({ memoryBytes: TRACKS * 3 * 2 * UNIT });
const { signal, sources } = rig;
const { symbols, renderer } = signal.native;
for (let i = 0; i < TRACKS * FILES; i++) {
  const planes = randomPlanes(i + 1, 2, LENGTH, "s16").map((p) => p.map((x) => Math.trunc(x / 16)));
  await rig.add(`a${i}`, { planes, encoding: "s16" });
}
const tracks = Array.from(
  { length: TRACKS },
  (_, t) =>
    track(
      `t${t}`,
      // Tracks change files at different times.
      Array.from(
        { length: FILES },
        (_, k) => clip(`c${t}_${k}`, `a${t * FILES + k}`, t * 700 + k * LENGTH, LENGTH),
      ),
    ),
);
const frames = TRACKS * 700 + FILES * LENGTH;
signal.publish(mixOf(tracks), 1, []);
await signal.openDevice({ backend: "null", period: 256 });
// Room for what the device takes before the head begins to move, however late this thread is to say so.
const captured = new Float32Array((frames + 60 * 48_000) * 2);
symbols.lp_tap_start(renderer, captured, captured.length / 2);
signal.play(0, frames);
while (signal.position().state === "playing" || signal.position().framesRendered < 1000) {
  await new Promise((resolve) => setTimeout(resolve, 50));
}
const written = new Float64Array(1);
await symbols.lp_tap_stop(renderer, written);
await signal.closeDevice();

const [left] = unzip(captured.subarray(0, written[0] * 2));
const expected = new Float32Array(frames);
for (const t of tracks) {
  for (const c of t.clips) {
    const source = sources.get(c.assetId)![0];
    for (let i = 0; i < LENGTH; i++) {
      expected[c.startFrame + i] = Math.fround(expected[c.startFrame + i] + source[i]);
    }
  }
}
// The head began to move somewhere before the first sound: the alignment with most equal frames is where.
let best = 0;
let begin = 0;
const first = left.findIndex((x) => x !== 0);
for (let offset = Math.max(0, first - 5 * LENGTH); offset <= first; offset++) {
  let equal = 0;
  for (let i = 0; i < frames; i += 997) if (left[offset + i] === expected[i]) equal++;
  if (equal > best) [best, begin] = [equal, offset];
}
let wrong = 0;
for (let i = 0; i < frames; i++) if (left[begin + i] !== expected[i]) wrong++;
const { missing, faded, voicesRefused, openFiles, evictions } = signal.counters();
const byTrack = tracks.map((t) => signal.trackCounters(t.trackId));
console.log(JSON.stringify({
  frames,
  wrong,
  missing,
  faded,
  voicesRefused,
  openFiles,
  evictions,
  byTrack: byTrack.reduce((sum, t) => sum + t.missing + t.faded, 0),
}));
