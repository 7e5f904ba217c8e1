/**
 * Child of `voices_bench.ts`: Signal with one track and one clip a voice, each of a file of its own, on the null device in real time. Prints
 * what the process used while it was measured, and what was counted, as one line of JSON.
 *
 * @module
 */
import { cpuUsage } from "node:process";
import type { MixModel } from "../../engine/signal/model.ts";
import { Signal } from "../../engine/signal/signal.ts";

/** What the child is told, as JSON in its only argument. */
export interface VoicesTask {
  paths: string[];
  sampleRate: number;
  memoryBytes: number;
  period: number;
  warmMs: number;
  measureMs: number;
}

/** What it answers. */
export interface VoicesResult {
  /** Processor time of all its threads. */
  cpuMs: number;
  frames: number;
  /** Frames of all voices together, since playing began. */
  missing: number;
  faded: number;
  /** Missing while it was measured. */
  lacked: number;
  late: number;
  longestMs: number;
  meanMs: number;
  horizonMs: number;
  refused: number;
  /** Filled, and the reads that it took. */
  pages: number;
  reads: number;
  residentKib: number;
  /** Before the first source was opened. */
  emptyKib: number;
  /** Share of its period that 999 of 1,000 callbacks did not take more of (the bound of a bucket). */
  callbackShare999: number;
}

const sleep = (ms: number) => new Promise((done) => setTimeout(done, ms));

if (import.meta.main) {
  const task: VoicesTask = JSON.parse(Deno.readTextFileSync(Deno.args[0]));
  await using signal = await Signal.open(task);
  const emptyKib = residentKib();
  const frames: number[] = [];
  for (const [i, path] of task.paths.entries()) {
    frames.push((await signal.openSource(`a${i}`, path)).sourceFrames);
  }
  signal.publish(mixOf(frames), 1, []);
  await signal.openDevice({ backend: "null", period: task.period });
  // Voices that begin all at once are what a project has: the store has filled what it can by then.
  await sleep(task.warmMs / 2);
  signal.play(0);
  await sleep(task.warmMs / 2);
  const before = signal.counters();
  const shares = signal.diagnosis.histograms().callbackShare.counts;
  const cpu = cpuUsage();
  await sleep(task.measureMs);
  const { user, system } = cpuUsage(cpu);
  const after = signal.counters();
  const { callbackShare } = signal.diagnosis.histograms();
  const since = (name: string) => after[name] - before[name];
  const result: VoicesResult = {
    cpuMs: (user + system) / 1_000,
    frames: since("frames"),
    missing: after.missing,
    faded: after.faded,
    lacked: since("missing"),
    late: since("lateCallbacks"),
    longestMs: after.longestCallbackNs / 1e6,
    meanMs: since("callbackNs") / since("callbacks") / 1e6,
    horizonMs: after.horizonMs,
    refused: after.voicesRefused,
    pages: since("pageFills"),
    reads: since("reads"),
    residentKib: residentKib(),
    emptyKib,
    callbackShare999: shareOf(
      callbackShare.counts.map((count, i) => count - shares[i]),
      [...signal.diagnosis.bounds, callbackShare.max],
    ),
  };
  console.log(JSON.stringify(result));
}

function shareOf(counts: readonly number[], bounds: readonly number[]): number {
  const all = counts.reduce((sum, count) => sum + count, 0);
  let below = 0;
  const bucket = counts.findIndex((count) => (below += count) >= all * 0.999);
  return bounds[bucket] / 1e9;
}

/** A track a file, each a clip of the whole file. */
function mixOf(frames: readonly number[]): MixModel {
  const gainDb = -20 * Math.log10(frames.length);
  return {
    tracks: frames.map((lengthFrames, i) => ({
      trackId: `t${i}`,
      gainDb,
      pan: 0,
      mute: false,
      solo: false,
      blocks: [{
        start: 0,
        block: {
          clips: [{
            at: 0,
            body: {
              clipId: `c${i}`,
              assetId: `a${i}`,
              lengthFrames,
              sourceFrame: 0,
              gainDb: 0,
              fadeInFrames: 0,
              fadeOutFrames: 0,
              rate: 1,
              speedMode: "matchSpeed",
            },
          }],
          maxEnd: lengthFrames,
        },
      }],
    })),
  };
}

function residentKib(): number {
  return Deno.memoryUsage().rss / 1_024;
}
