/**
 * A Signal on the manual device, single-stepped and with its reads gated, beside a player that tells what must be heard of it. Whatever is done is done to both; each
 * period that is listened to is compared: to the bit, but for roundings in fades and ramps and for what is interpolated; and so is the head.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { TimelineService } from "../../engine/pulse/timeline_service.ts";
import { type TimelineModel, timelineOf } from "../../engine/pulse/timeline_model.ts";
import type { Edit } from "../../engine/pulse/types.ts";
import type { HeadMapStep } from "../../engine/signal/model.ts";
import { renderId } from "../../engine/signal/played.ts";
import type { SignalOptions } from "../../engine/signal/signal.ts";
import { type AudioMaterial, expectedFloats, makeWav } from "./audio_files.ts";
import { ME } from "./engine_place.ts";
import { ExpectedPlayer, type PlayerTrack } from "./expected_player.ts";
import { openRig, type Rig } from "./signal_rig.ts";
import { until } from "./wait.ts";

/** 5 ms. */
export const PERIOD = 240;
/** Of the gate, and of all that an edit may wait for: the gate, a running fade, and the period in which it is taken. In frames. */
const GATE = 1_440;
const LONGEST_WAIT = GATE + 720 + PERIOD;

/** Left and right, as they were heard. */
export type Sides = [Float32Array, Float32Array];

/** Subnormals and −0 count as 0. */
const flush = (x: number) => Math.abs(x) < 1.1754943508222875e-38 ? 0 : x;

export class CutStage implements AsyncDisposable {
  /** What is published edit by edit, as clients do. */
  readonly timeline: TimelineService;
  readonly player: ExpectedPlayer;
  /** Whether files are read as fast as they are asked for. */
  supplied = true;
  /** Of each asset the file that is published next. */
  readonly #files = new Map<string, string>();
  /** Sounds of all files, those too that have been replaced. */
  readonly #sounds = new Map<string, Float32Array[]>();
  #revision = 0;
  #generation = 1;
  #last: { tracks: readonly PlayerTrack[] } = { tracks: [] };

  private constructor(readonly rig: Rig) {
    this.player = new ExpectedPlayer(this.#sounds);
    this.timeline = TimelineService.inMemory(48_000, {
      onCommit: ({ model, map }) => this.publish(model, map),
    });
  }

  static async make(options: Partial<SignalOptions> = {}): Promise<CutStage> {
    return new CutStage(await openRig({ singleStep: true, manualClock: true, ...options }));
  }

  get signal(): Rig["signal"] {
    return this.rig.signal;
  }

  /** Writes a WAV file and opens it; one of the same asset takes the place of the one before, as a new generation. */
  async add(assetId: string, material: AudioMaterial): Promise<void> {
    const path = `${this.rig.folder}/${this.#generation}.wav`;
    await Deno.writeFile(path, makeWav({ sampleRate: 48_000, ...material }));
    const planes = expectedFloats(material).map((plane) => Float32Array.from(plane));
    await this.open(assetId, path, planes);
  }

  /** Opens what stands for the render of an asset at a rate: clips that keep their pitch go over to it. */
  async addRender(assetId: string, rate: number, material: AudioMaterial): Promise<void> {
    await this.add(renderId(assetId, rate), material);
    this.#tell(this.#last.tracks, []);
  }

  /** What a clip plays, told by its file: a render from its own frame, at its own speed. */
  #named(clip: PlayerTrack["clips"][number]): PlayerTrack["clips"][number] {
    const render = this.#files.get(renderId(clip.assetId, clip.rate));
    if (clip.speedMode === "maintainPitch" && clip.rate !== 1 && render !== undefined) {
      const sourceFrame = Math.round(clip.sourceFrame / clip.rate + 2 ** -20);
      return { ...clip, assetId: render, sourceFrame, rate: 1, speedMode: "matchSpeed" };
    }
    return { ...clip, assetId: this.#files.get(clip.assetId) ?? clip.assetId };
  }

  /** The same of a file that is there, with what it holds at the project's rate. */
  async open(assetId: string, path: string, planes: Float32Array[]): Promise<void> {
    const isNew = !this.#files.has(assetId);
    const file = isNew ? assetId : `${assetId}.${this.#generation}`;
    this.#generation++;
    this.#sounds.set(file, planes);
    this.#files.set(assetId, file);
    // Signal publishes what plays it anew, by itself and a little later: so it does with those before.
    const isPublished = () => !this.signal.isRebinding;
    await until(isPublished, "the files before are published");
    await this.signal.openSource(assetId, path);
    await until(isPublished, `${file} is published`);
    const isPlayed = this.#last.tracks.some(({ clips }) =>
      clips.some((clip) => clip.assetId === assetId)
    );
    if (isNew || !isPlayed) return;
    this.#tell(this.#last.tracks, []);
  }

  publish(
    model: TimelineModel,
    map: readonly HeadMapStep[],
    tracks: readonly PlayerTrack[] = timelineOf(model).tracks,
  ): void {
    this.signal.publish(model, ++this.#revision, map);
    this.#tell(tracks, map);
  }

  #tell(tracks: readonly PlayerTrack[], map: readonly HeadMapStep[]): void {
    this.#last = { tracks };
    const named = tracks.map((track) => ({
      ...track,
      clips: track.clips.map((clip) => this.#named(clip)),
    }));
    this.player.publish(named, map);
    this.#look();
  }

  edit(...edits: Edit[]): void {
    this.timeline.edit(edits, {}, ME);
  }
  undo(): void {
    this.timeline.undo({}, ME);
  }
  redo(): void {
    this.timeline.redo({}, ME);
  }

  play(fromFrame?: number, toFrame?: number): void {
    this.#both("play", fromFrame, toFrame);
  }
  pause(): void {
    this.#both("pause");
  }
  stop(): void {
    this.#both("stop");
  }
  seek(frame: number): void {
    this.#both("seek", frame);
  }
  loop(startFrame: number, endFrame: number, enabled = true): void {
    this.#both("setLoop", { enabled, startFrame, endFrame });
  }

  // deno-lint-ignore no-explicit-any -- the names and parameters are the same on both
  #both(name: "play" | "pause" | "stop" | "seek" | "setLoop", ...values: any[]): void {
    for (const one of [this.signal, this.player]) {
      (one[name] as (...values: unknown[]) => void)(...values);
    }
    this.#look();
  }

  /** Whether the gate has opened is the engine's to decide; when it must, the waits tell. */
  #look(): void {
    if (this.player.isWaiting && !this.signal.position().gateWaiting) this.player.admit();
  }

  /** Closes the gate of reading. */
  hold(): void {
    this.supplied = false;
    this.signal.native.symbols.lp_gate_set(this.signal.native.engine, 1);
  }

  /** Opens it for so many reads, for all of them if not told. */
  release(reads?: number): void {
    const { symbols, engine } = this.signal.native;
    if (reads === undefined) {
      this.supplied = true;
      symbols.lp_gate_set(engine, 0);
    } else {
      symbols.lp_gate_release(engine, reads);
    }
    this.follow();
  }

  /** A pass of the follower, and all fills that may run. */
  follow(): void {
    if (this.supplied) {
      this.rig.settle();
    } else {
      const { symbols, engine } = this.signal.native;
      symbols.lp_step_follow(engine);
      while (symbols.lp_step_fill(engine) > 0);
      symbols.lp_step_follow(engine);
    }
    this.#look();
  }

  /**
   * Listens, period by period, and compares what is heard with what must be.
   *
   * @param where Said where they differ.
   * @param follows Whether the follower runs before each period.
   */
  hear(frames: number, where: string, { period = PERIOD, follows = true } = {}): Sides {
    const heard: Sides = [new Float32Array(frames), new Float32Array(frames)];
    for (let at = 0; at < frames;) {
      const n = Math.min(period, frames - at);
      if (follows) this.follow();
      const { sides, error } = this.player.render(n);
      const from = this.player.head.positionFrame;
      this.rig.render(n).forEach((got, side) => {
        heard[side].set(got, at);
        const want = sides[side];
        const wrong = got.findIndex((x, i) =>
          error[i] === 0 ? flush(x) !== flush(want[i]) : !(Math.abs(x - want[i]) <= error[i])
        );
        if (wrong < 0) return;
        throw new Error(
          `${where}: side ${side}, frame ${at + wrong} of ${frames}: ${got[wrong]}, not ${
            want[wrong]
          }${error[wrong] ? ` within ${error[wrong]}` : ""}; the head comes to ${from}`,
        );
      });
      this.#checkHead(where);
      at += n;
    }
    return heard;
  }

  #checkHead(where: string): void {
    const { head, waits } = this.player;
    const { positionFrame, state, loop } = this.signal.position();
    assertEquals(
      { positionFrame, state, loop },
      { positionFrame: head.positionFrame, state: head.state, loop: head.loop },
      `${where}: the head`,
    );
    assertEquals(this.signal.counters().crossfades, this.player.fades, `${where}: crossfades`);
    const wait = waits.at(-1) ?? 0;
    assert(wait <= LONGEST_WAIT, `${where}: an edit waited ${wait} frames to be heard`);
  }

  /** Nothing of what was listened to was missing. */
  checkNothingMissed(): void {
    const { missing, faded } = this.signal.counters();
    assertEquals([missing, faded], [0, 0]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.rig[Symbol.asyncDispose]();
  }
}
