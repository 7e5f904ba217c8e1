/**
 * What must be heard of a timeline that is edited while it plays, told again from DESIGN §4 on top of the reference mix: the head and the maps that move it,
 * one crossfade at a time, the newest snapshot after it, ramped gains, loops. Nothing here is shared with the engine, and all that it plays is in memory.
 *
 * @module
 */
import {
  INTERPOLATION_ERROR,
  referenceMix,
  type ReferenceSources,
  type ReferenceTrack,
} from "./reference_mix.ts";

/** Of every crossfade and every ramp, in frames: 15 ms at 48 kHz. */
export const FADE = 720;

/** What is rounded in a fade or a ramp: some sums of numbers about 1. */
const ROUNDED = 2e-6;

const f = Math.fround;

export interface PlayerTrack extends ReferenceTrack {
  trackId: string;
}

export interface PlayerHead {
  positionFrame: number;
  /** Where `stop` leads. */
  originFrame: number;
  /** Where playing ends, `null` if nowhere. */
  toFrame: number | null;
  loop: { enabled: boolean; startFrame: number; endFrame: number };
  state: "stopped" | "paused" | "playing";
}

/**
 * What is to be heard, and how far off it may be: by nothing, but for what is rounded in fades and ramps, and for what is interpolated.
 */
export interface Expected {
  sides: [Float32Array, Float32Array];
  error: Float64Array;
}

type HeadMap = readonly { at: number; remove: number; insert: number }[];
type Step = (head: PlayerHead) => void;

/** A track as it was published: the same identity while it is there, the same content while its clips are the same. */
interface Placed {
  track: PlayerTrack;
  identity: symbol;
  content: symbol;
  clips: string;
}

/** A publication: all tracks, and the head's steps up to it. */
interface Publication {
  number: number;
  placed: readonly Placed[];
  steps: number;
}

interface Fading {
  placed: readonly Placed[];
  head: PlayerHead;
  left: number;
  shared: ReadonlySet<symbol>;
}

/** A gain on its way to its target by equal steps. */
interface Ramp {
  current: number;
  from: number;
  target: number;
  left: number;
}

function mapped(frame: number, at: number, remove: number, insert: number): number {
  if (frame < at) return frame;
  return frame < at + remove ? at : frame - remove + insert;
}

/** The same of where a range ends, the frame behind its last: what is put in there lies behind the range. */
function mappedEnd(frame: number, at: number, remove: number, insert: number): number {
  if (frame <= at) return frame;
  return frame <= at + remove ? at : frame - remove + insert;
}

function gainsOf(track: PlayerTrack, anySolo: boolean): [number, number] {
  if (track.gainDb === null || track.mute || (anySolo && !track.solo)) return [0, 0];
  const gain = 10 ** (track.gainDb / 20);
  const fallen = (by: number) => by <= 0 ? 1 : by >= 1 ? 0 : Math.cos(by * Math.PI / 2);
  return [f(gain * fallen(track.pan)), f(gain * fallen(-track.pan))];
}

/** Frames to the head's next jump, at most `most`. */
function spanOf({ positionFrame, loop, toFrame }: PlayerHead, most: number): number {
  let span = most;
  if (loop.enabled && positionFrame < loop.endFrame) {
    span = Math.min(span, loop.endFrame - positionFrame);
  }
  if (toFrame !== null && positionFrame < toFrame) {
    span = Math.min(span, toFrame - positionFrame);
  }
  return span;
}

/** Moves on by no more than the span. True if playing ended there. */
function advance(head: PlayerHead, frames: number): boolean {
  head.positionFrame += frames;
  if (head.positionFrame === head.toFrame) {
    head.toFrame = null;
    head.state = "paused";
    return true;
  }
  if (head.loop.enabled && head.positionFrame === head.loop.endFrame) {
    head.positionFrame = head.loop.startFrame;
  }
  return false;
}

const copyOf = (head: PlayerHead): PlayerHead => ({ ...head, loop: { ...head.loop } });

export class ExpectedPlayer {
  readonly head: PlayerHead = {
    positionFrame: 0,
    originFrame: 0,
    toFrame: null,
    loop: { enabled: false, startFrame: 0, endFrame: 0 },
    state: "stopped",
  };
  /** Crossfades begun. */
  fades = 0;
  /** Frames rendered from the oldest change that was not heard to when one was, each time. */
  readonly waits: number[] = [];
  /** Whether a loop was switched off since an edit left less than a frame of it. */
  loopsOff = 0;

  readonly #sources: ReferenceSources;
  readonly #steps: Step[] = [];
  #done = 0;
  #newest: readonly Placed[] = [];
  #current: readonly Placed[] = [];
  #candidate: Publication | null = null;
  #mailbox: Publication | null = null;
  #fading: Fading | null = null;
  readonly #ramps = new Map<symbol, [Ramp, Ramp]>();
  #rendered = 0;
  #published = 0;
  /** What was published and is not heard, with the frame that was rendered next. */
  #unheard: { number: number; at: number }[] = [];

  constructor(sources: ReferenceSources) {
    this.#sources = sources;
  }

  /** True while a publication waits at the gate. */
  get isWaiting(): boolean {
    return this.#candidate !== null;
  }
  get isFading(): boolean {
    return this.#fading !== null;
  }
  /** True where all that was published is heard, and nothing fades. */
  get isSettled(): boolean {
    return !this.#candidate && !this.#mailbox && !this.#fading;
  }

  /** An edit. */
  publish(tracks: readonly PlayerTrack[], map: HeadMap): void {
    const before = new Map(this.#newest.map((placed) => [placed.track.trackId, placed]));
    this.#newest = tracks.map((track) => {
      const known = before.get(track.trackId);
      const clips = JSON.stringify(track.clips);
      return {
        track,
        clips,
        identity: known?.identity ?? Symbol(track.trackId),
        content: known?.clips === clips ? known.content : Symbol(),
      };
    });
    for (const { at, remove, insert } of map) {
      const go = (frame: number) => mapped(frame, at, remove, insert);
      const goEnd = (frame: number) => mappedEnd(frame, at, remove, insert);
      this.#steps.push((head) => {
        head.positionFrame = go(head.positionFrame);
        head.originFrame = go(head.originFrame);
        if (head.toFrame !== null) head.toFrame = goEnd(head.toFrame);
        head.loop.startFrame = go(head.loop.startFrame);
        head.loop.endFrame = Math.max(head.loop.startFrame, goEnd(head.loop.endFrame));
        if (!head.loop.enabled || head.loop.endFrame > head.loop.startFrame) return;
        head.loop.enabled = false;
        this.loopsOff++;
      });
    }
    this.#offer();
  }

  play(fromFrame?: number, toFrame?: number): void {
    this.#step((head) => {
      if (head.state !== "playing" || fromFrame !== undefined) {
        head.originFrame = fromFrame ?? head.positionFrame;
      }
      head.positionFrame = fromFrame ?? head.positionFrame;
      head.toFrame = toFrame !== undefined && toFrame > head.positionFrame ? toFrame : null;
      head.state = "playing";
    });
  }
  pause(): void {
    this.#step((head) => {
      if (head.state === "playing") head.state = "paused";
    });
  }
  stop(): void {
    this.#step((head) => {
      head.positionFrame = head.originFrame;
      head.toFrame = null;
      head.state = "stopped";
    });
  }
  seek(frame: number): void {
    this.#step((head) => {
      head.positionFrame = frame;
      if (head.state !== "playing") head.originFrame = frame;
      if (head.toFrame !== null && head.toFrame <= frame) head.toFrame = null;
    });
  }
  setLoop(loop: PlayerHead["loop"]): void {
    this.#step((head) => head.loop = { ...loop });
  }

  #step(step: Step): void {
    this.#steps.push(step);
    this.#offer();
  }

  /** The newest takes the place of one that waits at the gate. */
  #offer(): void {
    const number = ++this.#published;
    this.#candidate = { number, placed: this.#newest, steps: this.#steps.length };
    this.#unheard.push({ number, at: this.#rendered });
  }

  /** The gate opens: what waits there is heard next, after a running fade. */
  admit(): void {
    this.#mailbox = this.#candidate ?? this.#mailbox;
    this.#candidate = null;
  }

  #take({ number, placed, steps }: Publication): void {
    const before = this.#current;
    const old = copyOf(this.head);
    while (this.#done < steps) this.#steps[this.#done++](this.head);
    const was = old.state === "playing";
    const is = this.head.state === "playing";
    this.#aim(placed, !was);
    this.#current = placed;
    this.waits.push(this.#rendered - this.#unheard[0].at);
    this.#unheard = this.#unheard.filter((other) => other.number > number);
    if (!was) return;
    const moved = !is || this.head.positionFrame !== old.positionFrame;
    const contents = new Set(before.map(({ content }) => content));
    const shared = new Set(
      moved ? [] : placed.map(({ content }) => content).filter((c) => contents.has(c)),
    );
    if (!moved && shared.size === placed.length && shared.size === before.length) return;
    old.toFrame = null;
    this.#fading = { placed: before, head: old, left: FADE, shared };
    this.fades++;
  }

  #aim(placed: readonly Placed[], atOnce: boolean): void {
    const anySolo = placed.some(({ track }) => track.solo);
    const there = new Set(this.#current.map(({ identity }) => identity));
    for (const { identity, track } of placed) {
      const targets = gainsOf(track, anySolo);
      const ramps = this.#ramps.get(identity);
      if (!ramps || atOnce || !there.has(identity)) {
        const at = (gain: number): Ramp => ({ current: gain, from: gain, target: gain, left: 0 });
        this.#ramps.set(identity, [at(targets[0]), at(targets[1])]);
        continue;
      }
      ramps.forEach((ramp, side) => {
        if (ramp.target === targets[side]) return;
        Object.assign(ramp, { from: ramp.current, target: targets[side], left: FADE });
      });
    }
  }

  /** The next frames. */
  render(frames: number): Expected {
    const sides: Expected["sides"] = [new Float32Array(frames), new Float32Array(frames)];
    const error = new Float64Array(frames);
    for (let at = 0; at < frames;) {
      if (!this.#fading && this.#mailbox) {
        const publication = this.#mailbox;
        this.#mailbox = null;
        this.#take(publication);
      }
      const isPlaying = this.head.state === "playing";
      const fading = this.#fading;
      let n = frames - at;
      if (isPlaying) n = spanOf(this.head, n);
      if (fading) n = spanOf(fading.head, Math.min(n, fading.left));
      const sounding = new Map<symbol, Placed>();
      for (const placed of fading?.placed ?? []) sounding.set(placed.identity, placed);
      if (isPlaying) { for (const placed of this.#current) sounding.set(placed.identity, placed); }
      const gains = new Map(
        [...sounding.keys()].map((id) => [id, this.#gains(id, n, error, at)]),
      );

      const mix = (placed: readonly Placed[], head: PlayerHead, which: (c: symbol) => boolean) => {
        const out = [new Float32Array(n), new Float32Array(n)];
        for (const { track, identity, content } of placed) {
          if (!which(content)) continue;
          const added = this.#add(out, track, gains.get(identity)!, head.positionFrame);
          added.forEach((more, i) => error[at + i] += more);
        }
        return out;
      };
      const isShared = (content: symbol) => fading?.shared.has(content) ?? false;
      const own = isPlaying ? mix(this.#current, this.head, (c) => !isShared(c)) : [];
      if (fading) {
        const old = mix(fading.placed, fading.head, (c) => !isShared(c));
        const rest = isPlaying ? mix(this.#current, this.head, isShared) : [];
        for (let i = at; i < at + n; i++) error[i] += ROUNDED;
        sides.forEach((side, s) => {
          for (let i = 0; i < n; i++) {
            const w = (FADE - fading.left + i + 0.5) / FADE;
            side[at + i] = (own[s]?.[i] ?? 0) * w + old[s][i] * (1 - w) + (rest[s]?.[i] ?? 0);
          }
        });
      } else if (isPlaying) {
        sides.forEach((side, s) => side.set(own[s], at));
      }

      const ended = isPlaying && advance(this.head, n);
      if (fading) {
        advance(fading.head, n);
        fading.left -= n;
        if (fading.left === 0 || ended) this.#fading = null;
      }
      at += n;
      this.#rendered += n;
    }
    return { sides, error };
  }

  /** A track's gains, frame by frame, on both sides. */
  #gains(
    identity: symbol,
    frames: number,
    error: Float64Array,
    at: number,
  ): [Float32Array, Float32Array] {
    const [left, right] = this.#ramps.get(identity)!.map((ramp) => {
      const gains = new Float32Array(frames);
      for (let i = 0; i < frames; i++) {
        if (ramp.left > 0) {
          error[at + i] = Math.max(error[at + i], ROUNDED);
          ramp.left--;
          const done = (FADE - ramp.left) / FADE;
          ramp.current = ramp.left > 0
            ? f(ramp.from + (ramp.target - ramp.from) * done)
            : ramp.target;
        }
        gains[i] = ramp.current;
      }
      return gains;
    });
    return [left, right];
  }

  /** Adds a track; gives by how much each frame may be off. */
  #add(
    out: Float32Array[],
    track: PlayerTrack,
    gains: [Float32Array, Float32Array],
    from: number,
  ): Float64Array {
    const error = new Float64Array(out[0].length);
    if (gains.every((side) => side.every((gain) => gain === 0))) return error;
    const bare = { ...track, gainDb: 0, pan: 0, mute: false, solo: false };
    const approximate = new Uint8Array(out[0].length);
    const sound = referenceMix([bare], this.#sources, from, out[0].length, approximate);
    approximate.forEach((is, i) =>
      error[i] = is ? INTERPOLATION_ERROR * Math.max(1, gains[0][i], gains[1][i]) : 0
    );
    out.forEach((side, s) => {
      for (let i = 0; i < side.length; i++) side[i] += f(sound[s][i] * gains[s][i]);
    });
    return error;
  }
}
