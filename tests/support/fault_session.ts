/**
 * A whole engine in a short loop: tracks that no fault touches sound on the left alone, those that one does on the right alone. So both can be heard at once, each compared
 * with what was computed apart from the engine.
 *
 * All of the loop is in memory before it is played, as far as it can be read: no standstill of the machine makes a frame missing that a fault does not.
 *
 * @module
 */
import type { Notification } from "../../engine/api.ts";
import type { Engine } from "../../engine/engine.ts";
import type { Diagnostics } from "../../engine/pulse/services/diagnostics.ts";
import type { Underrun } from "../../engine/pulse/services/underruns.ts";
import type { Asset, Edit } from "../../engine/pulse/types.ts";
import type { Signal } from "../../engine/signal/signal.ts";
import { makeWav, randomPlanes } from "./audio_files.ts";
import { ME } from "./engine_place.ts";
import { firstDifference, unzip } from "./signal_rig.ts";
import { until } from "./wait.ts";

export const RATE = 48_000;
/** Frames of a turn. */
export const TURN = RATE;
/** Frames of the fade that a sound returns by. */
export const FADE = 720;

/** A mono sound of a turn's length, quiet enough that twenty sum up to no more than full scale; never silent. */
export function noise(seed: number): { wav: Uint8Array<ArrayBuffer>; floats: Float32Array } {
  const planes = randomPlanes(seed, 1, TURN, "s16").map((plane) =>
    plane.map((x) => Math.trunc(x / 32) || 1)
  );
  return {
    wav: makeWav({ planes, encoding: "s16", sampleRate: RATE }),
    floats: Float32Array.from(planes[0], (x) => x / 32_768),
  };
}

/** What one side should sound like over a turn. Sums of so few short integers are exact, so their order does not matter. */
export function sum(sounds: Iterable<Float32Array>): Float32Array {
  const all = new Float32Array(TURN);
  for (const sound of sounds) {
    for (let i = 0; i < TURN; i++) all[i] += sound[i];
  }
  return all;
}

/** The edits that lay an asset from the loop's begin to its end on a track of its name. */
export function lay(name: string, { assetId }: Asset, side: "left" | "right"): Edit[] {
  return [
    { op: "track.add", track: { trackId: name, pan: side === "left" ? -1 : 1 } },
    {
      op: "clip.add",
      trackId: name,
      clip: { clipId: name, assetId, startFrame: 0, lengthFrames: TURN },
    },
  ];
}

/** What was heard while the transport played, from its first frame on. */
export class Heard {
  constructor(
    readonly left: Float32Array,
    readonly right: Float32Array,
    /** Frames of the capture before the first that was played. */
    readonly begin: number,
  ) {}

  get frames(): number {
    return this.left.length - this.begin;
  }

  /** First frame since playing began where a side differs from a loop of `turn`, within `[from, end)`; −1 if none. */
  difference(side: "left" | "right", turn: Float32Array, from = 0, end = this.frames): number {
    const expected = Float32Array.from({ length: end - from }, (_, i) => turn[(from + i) % TURN]);
    const at = firstDifference(this[side].slice(this.begin + from, this.begin + end), expected);
    return at < 0 ? at : from + at;
  }
}

/** An engine that is listened to. */
export class FaultSession {
  readonly signal: Signal;
  #captured = new Float32Array(0);

  constructor(readonly engine: Engine, readonly notices: Notification[]) {
    this.signal = engine.signal as Signal;
  }

  get native(): Signal["native"] {
    return this.signal.native;
  }

  /** Registers a file and waits until it is analysed. */
  async add(path: string): Promise<Asset> {
    const { assetId } = await this.engine.assets.register(path, undefined, ME);
    await until(() => this.engine.assets.get(assetId).complete, `${path} is analysed`);
    return this.engine.assets.get(assetId);
  }

  isResident({ assetId }: Asset): boolean {
    return this.signal.residentFrames(assetId, 0, TURN) >= TURN;
  }

  /** Plays the loop from its begin, and listens for at most so many seconds. */
  play(seconds: number): void {
    const { symbols, renderer } = this.native;
    this.#captured = new Float32Array(seconds * RATE * 2);
    this.#captured.fill(0); // so that the pages of memory are there before the callback writes to them
    symbols.lp_tap_start(renderer, this.#captured, this.#captured.length / 2);
    this.engine.transport.setLoop({ enabled: true, startFrame: 0, endFrame: TURN });
    this.engine.transport.play({ fromFrame: 0 });
  }

  /** Waits until so many frames more are rendered. */
  rendered(frames: number): Promise<void> {
    const to = this.signal.position().framesRendered + frames;
    return until(() => this.signal.position().framesRendered >= to, `${frames} frames more`);
  }

  /** Stops, and gives what was heard since {@linkcode play}, without the fade of stopping. */
  async stop(): Promise<Heard> {
    const { symbols, renderer } = this.native;
    const written = new Float64Array(1);
    await symbols.lp_tap_stop(renderer, written);
    this.engine.transport.stop();
    await until(() => this.signal.position().state === "stopped", "it is stopped");
    const [left, right] = unzip(this.#captured.subarray(0, written[0] * 2));
    const begin = left.findIndex((x) => x !== 0);
    if (begin < 0) throw new Error("Nothing was heard on the left");
    return new Heard(left, right, begin);
  }

  diagnostics(): Diagnostics {
    return this.engine.diagnostics.get(ME) as Diagnostics;
  }

  /** All records of gaps. */
  underruns(): Underrun[] {
    const { underruns, total } = this.engine.diagnostics.underruns({ limit: 1_000 });
    if (total !== underruns.length) throw new Error(`${underruns.length} of ${total} are kept`);
    return underruns as Underrun[];
  }

  /**
   * Whether all that was counted is explained: the sum by cause, by track and of the records of gaps is the whole. Ends of gaps come a moment later.
   *
   * @param long The run has had more gaps than are kept, and streams beside the timeline: of records only the sum is looked at.
   * @returns What does not agree, `""` if all does.
   */
  unexplained(long = false): string {
    const { counters, tracks } = this.diagnostics();
    const faults: string[] = [];
    const check = (what: string, value: number, whole: number) => {
      if (value !== whole) faults.push(`${what}: ${value} of ${whole}`);
    };
    for (const kind of ["missing", "faded"] as const) {
      const byCause = Object.entries(counters)
        .filter(([name]) => name.startsWith(`${kind}.`))
        .reduce((all, [, frames]) => all + frames, 0);
      check(`${kind} by cause`, byCause, counters[kind]);
      check(
        `${kind} by track`,
        tracks.reduce((all, track) => all + track[kind], 0),
        counters[kind],
      );
    }
    if (long) {
      const { underrunFrames: { recorded, unrecorded, open }, streams } = this.diagnostics();
      const beside = Object.values(streams.missing).reduce((all, frames) => all + frames, 0);
      check("missing by all records", recorded + unrecorded, counters.missing + beside);
      if (open !== 0) faults.push(`${open} frames of gaps that have not ended`);
      return faults.join("; ");
    }
    const records = this.underruns();
    check(
      "missing by records",
      records.reduce((all, { frames }) => all + frames, 0),
      counters.missing,
    );
    for (const { trackId, missing } of tracks) {
      const own = records.filter((record) => record.trackId === trackId);
      check(
        `missing of ${trackId} by records`,
        own.reduce((all, { frames }) => all + frames, 0),
        missing,
      );
    }
    if (!records.every(({ ended }) => ended)) faults.push("a gap has not ended");
    return faults.join("; ");
  }
}

/** Where the descriptors of this process lead that lie under a folder. Deno itself may not look there. */
export async function descriptorsUnder(folder: string): Promise<string[]> {
  const { stdout } = await new Deno.Command("sh", {
    args: ["-c", 'ls -l "/proc/$0/fd"', `${Deno.pid}`],
    stderr: "null",
  }).output();
  return new TextDecoder().decode(stdout).split("\n")
    .flatMap((line) => line.split(" -> ")[1] ?? [])
    .filter((path) => path.startsWith(folder));
}
