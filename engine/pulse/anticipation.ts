/**
 * What may be wanted soon, most urgent first: the surroundings of the head, near before far and ahead before behind, and the first seconds of every
 * place that one step of the user leads to. Values to values: no clock, no disk.
 *
 * The rank of a frame is the time from now until it could be needed at the earliest: at a place where the head may land, its distance from there; around
 * the head, its distance from the head. So what a jump needs first and what playing needs next are one order, in which pages are fetched and,
 * from the other end, given up.
 *
 * @module
 */
import { hasSolo, trackGains } from "../signal/gains.ts";
import { type HeadMapStep, mapFrame } from "../signal/model.ts";
import type { WantedStretch } from "../signal/signal_api.ts";
import { asIs, type PlayedOf } from "../signal/played.ts";
import { isSilent, sourcePath, sourceSpan } from "../signal/speed.ts";
import { endOf } from "./block_list.ts";
import type { ClipBody } from "./clip_body.ts";
import { clipsWithin, isAnyWithin, isMoreThan } from "./block_range.ts";
import { Stretches } from "./stretches.ts";
import { findClip, type TimelineModel, type TimelineTrack } from "./timeline_model.ts";
import { atOnce } from "./turns.ts";
import type { Frames, Loop } from "./types.ts";

/** Where the head stands, and where it would stand. */
export interface AnticipatedHead {
  readonly positionFrame: Frames;
  /** Where `stop` leads. */
  readonly originFrame: Frames;
  readonly loop: Readonly<Loop>;
}

/** What a user may do next, as a client tells (`view.hint`). */
export interface Intent {
  readonly selectedClipIds?: readonly string[];
  readonly cursorFrame?: Frames;
  readonly visible?: { readonly startFrame: Frames; readonly endFrame: Frames };
}

/** The timeline that an undo or redo would lead to, and how the head would move. */
export interface Landing {
  readonly model: TimelineModel;
  readonly map: readonly HeadMapStep[];
}

/** What of an asset's pages has to be known to count them. */
export interface PageShape {
  readonly channels: number;
  /** Frames of the project that a page holds. */
  readonly pageFrames: Frames;
  /** Frames of the source, at the project's rate. */
  readonly sourceFrames: Frames;
}

export interface AnticipationInput {
  readonly model: TimelineModel;
  readonly head: AnticipatedHead;
  readonly intents: readonly Intent[];
  readonly undo?: Landing;
  readonly redo?: Landing;
  /** How much of each place must be there before the head lands on it, in seconds. */
  readonly leadSeconds: number;
  /** Most units (pages times channels) of the plan. */
  readonly budgetUnits: number;
  /** `undefined` where an asset cannot be read now: it is left out. */
  readonly shapeOf: (assetId: string) => PageShape | undefined;
  /** What clips really play; unless told, what they say. */
  readonly played?: PlayedOf;
}

/** Distances from the head, in seconds, between which frames have one rank; beyond the last of them steps are an eighth of the distance. */
const NEAR_SECONDS = [0, 2, 5, 10, 20];
const FAR_STEP_SECONDS = 20;
/** Clips of a track that are taken at once; where there are more the step is divided. */
const MOST_AT_ONCE = 512;
/** A rank beyond this says nothing more: `lp_anticipate_set` of `ffi/native/engine.h`. */
const MOST_RANK_MS = 1e12;
/** Frames of a place have one rank for so long, in seconds. */
const PLACE_STEP_SECONDS = 2;
/** Markers, nearest to the head first, and how much later than the one before each may be jumped to, in milliseconds. */
const MOST_MARKERS = 64;
const MARKER_MS = 250;
/** Selected clips of all clients. */
const MOST_SELECTED = 32;
/** Places at which an undo brings something back. */
const MOST_RESTORED = 8;
/** What is seen ranks with what is this far from the head; a longer view tells nothing of what is looked at. In seconds. */
const VISIBLE_AFTER_SECONDS = 20;
const MOST_VISIBLE_SECONDS = 600;
/** How much later muted tracks may be needed, in milliseconds: somebody has to unmute them first. */
const MUTED_MS = 5_000;
/** What pages are at most and at least. */
const MOST_CHANNELS = 8;
const LEAST_PAGE_FRAMES = 4_096;
/** Pieces between two turns that are given to others. */
const PIECES_A_TURN = 64;
/** Tracks looked at between two of them. */
const TRACKS_A_TURN = 2_048;

/** Frames of a timeline that are needed together. */
interface Span {
  readonly model: TimelineModel;
  readonly from: Frames;
  readonly to: Frames;
  readonly rankMs: number;
  readonly muted: boolean;
  /** It is wanted from its end on. */
  readonly backwards: boolean;
  /** Tracks that may have clips there; unless told, all. */
  readonly among?: readonly TimelineTrack[];
}

/** Spans around the head until all of the timeline is told. */
function* surroundings(model: TimelineModel, head: Frames): Generator<Omit<Span, "muted">> {
  const rate = model.sampleRate;
  const end = model.tracks.reduce((end, { blocks }) => Math.max(end, endOf(blocks)), 0);
  let at = 0;
  for (let i = 1; head + at * rate < end || head - at * rate > 0; i++) {
    const next = NEAR_SECONDS[i] ??
      at + Math.max(FAR_STEP_SECONDS, at / 8);
    const rankMs = Math.round(at * 1000);
    const near = Math.round(at * rate);
    const far = Math.round(next * rate);
    if (head + near < end) {
      yield { model, from: head + near, to: head + far, rankMs, backwards: false };
    }
    if (head - near > 0) {
      const from = Math.max(0, head - far);
      yield { model, from, to: head - near, rankMs: rankMs + 1, backwards: true };
    }
    at = next;
  }
}

/** The first seconds of a place, or with `seconds` below zero the last ones before it. */
function* aroundPlace(
  model: TimelineModel,
  frame: Frames,
  seconds: number,
  delayMs = 0,
): Generator<Omit<Span, "muted">> {
  const rate = model.sampleRate;
  const backwards = seconds < 0;
  const all = Math.abs(seconds);
  for (let at = 0; at < all; at += PLACE_STEP_SECONDS) {
    const near = Math.round(at * rate);
    const far = Math.round(Math.min(all, at + PLACE_STEP_SECONDS) * rate);
    const rankMs = Math.round(delayMs + at * 1000);
    if (!backwards) yield { model, from: frame + near, to: frame + far, rankMs, backwards };
    else if (frame > near) {
      yield { model, from: Math.max(0, frame - far), to: frame - near, rankMs, backwards };
    }
  }
}

/** Where one step of the user leads. */
function* landings(input: AnticipationInput): Generator<Omit<Span, "muted">> {
  const { model, head, intents, undo, redo, leadSeconds: lead } = input;
  const { positionFrame, originFrame, loop } = head;
  const rate = model.sampleRate;
  const place = (frame: Frames, delayMs = 0) => aroundPlace(model, frame, lead, delayMs);
  if (loop.endFrame > loop.startFrame) {
    const turn = (loop.endFrame - loop.startFrame) / rate;
    yield* aroundPlace(model, loop.startFrame, Math.min(lead, turn));
  }
  if (originFrame !== positionFrame) yield* place(originFrame);
  for (const landing of [undo, redo]) if (landing !== undefined) yield* around(landing, head, lead);
  for (const { cursorFrame } of intents) if (cursorFrame !== undefined) yield* place(cursorFrame);
  let selected = 0;
  for (const { selectedClipIds = [] } of intents) {
    for (const clipId of selectedClipIds) {
      if (selected >= MOST_SELECTED) break;
      const found = findClip(model, clipId);
      if (found === undefined) continue;
      selected++;
      // Deleting it joins what comes before its begin to what comes after its end.
      yield* place(found.start + found.body.lengthFrames);
      yield* place(found.start);
    }
  }
  if (model.ioPoints !== undefined) {
    yield* place(model.ioPoints.inFrame);
    yield* place(model.ioPoints.outFrame);
  }
  const markers = model.markers.map(({ frame }) => frame)
    .sort((a, b) => Math.abs(a - positionFrame) - Math.abs(b - positionFrame));
  for (const [i, frame] of markers.slice(0, MOST_MARKERS).entries()) {
    yield* place(frame, i * MARKER_MS);
  }
  for (const { visible } of intents) {
    if (visible === undefined) continue;
    const seconds = (visible.endFrame - visible.startFrame) / rate;
    if (seconds <= 0 || seconds > MOST_VISIBLE_SECONDS) continue;
    for (let at = 0; at < seconds; at += FAR_STEP_SECONDS) {
      const from = visible.startFrame + Math.round(at * rate);
      const to = Math.min(visible.endFrame, from + FAR_STEP_SECONDS * rate);
      const rankMs = Math.round((VISIBLE_AFTER_SECONDS + at / 4) * 1000);
      yield { model, from, to, rankMs, backwards: false };
    }
  }
}

/** What would sound at the head after an undo or redo, what lies just behind it then, and what comes back elsewhere. */
function* around(
  { model, map }: Landing,
  { positionFrame }: AnticipatedHead,
  lead: number,
): Generator<Omit<Span, "muted">> {
  const frame = mapFrame(map, positionFrame);
  yield* aroundPlace(model, frame, lead);
  yield* aroundPlace(model, frame, -lead);
  let restored = 0;
  for (const { at, insert } of map) {
    if (insert > 0 && restored++ < MOST_RESTORED) yield* aroundPlace(model, at, lead);
  }
}

function* all(input: AnticipationInput): Generator<Omit<Span, "muted">> {
  yield* surroundings(input.model, input.head.positionFrame);
  yield* landings(input);
}

/** Tracks of a timeline that are heard, and those that are not. */
function parted({ tracks }: TimelineModel): { heard: TimelineTrack[]; muted: TimelineTrack[] } {
  const parts = { heard: [] as TimelineTrack[], muted: [] as TimelineTrack[] };
  const anySolo = hasSolo({ tracks });
  for (const track of tracks) {
    const [left, right] = trackGains(track, anySolo);
    (left === 0 && right === 0 ? parts.muted : parts.heard).push(track);
  }
  return parts;
}

/** Counts pages, each once, until the budget is used up. */
class Plan {
  readonly stretches: WantedStretch[] = [];
  readonly #taken = new Map<string, Stretches>();
  readonly #shapes = new Map<string, PageShape | undefined>();
  readonly #shapeOf: AnticipationInput["shapeOf"];
  #units: number;

  constructor(budgetUnits: number, shapeOf: AnticipationInput["shapeOf"]) {
    this.#units = budgetUnits;
    this.#shapeOf = shapeOf;
  }

  get isFull(): boolean {
    return this.#units <= 0;
  }

  /** Whether there is room for so many frames of so many tracks, whatever they play. */
  holds(frames: Frames, tracks: number): boolean {
    return this.#units >= tracks * MOST_CHANNELS * (frames / LEAST_PAGE_FRAMES + 2);
  }

  /** Takes source frames `[from, to)` in. */
  take(assetId: string, from: number, to: number, rankMs: number, backwards: boolean): void {
    if (!this.#shapes.has(assetId)) this.#shapes.set(assetId, this.#shapeOf(assetId));
    const shape = this.#shapes.get(assetId);
    if (shape === undefined) return;
    const { channels, pageFrames, sourceFrames } = shape;
    const first = Math.max(0, Math.floor(from / pageFrames));
    const last = Math.ceil(Math.min(to, sourceFrames) / pageFrames);
    let taken = this.#taken.get(assetId);
    if (taken === undefined) this.#taken.set(assetId, taken = new Stretches());
    if (taken.has(first, last)) return;
    const fresh: [number, number][] = [];
    taken.take(first, last, (start, end) => fresh.push([start, end]));
    for (let [start, end] of backwards ? fresh.reverse() : fresh) {
      const room = Math.floor(this.#units / channels);
      if (end - start > room) {
        // What is nearest stays.
        if (backwards) start = end - room;
        else end = start + room;
        this.#units = 0;
      } else {
        this.#units -= (end - start) * channels;
      }
      if (end <= start) return;
      this.stretches.push({
        assetId,
        startFrame: start * pageFrames,
        endFrame: Math.min(sourceFrames, end * pageFrames),
        rankMs,
      });
      if (this.isFull) return;
    }
  }
}

/** What clips of a track play in a span. Its room is used again for the next track: a plan goes through very many clips. */
class Found {
  count = 0;
  readonly #assetIds: string[] = [];
  readonly #from: number[] = [];
  readonly #to: number[] = [];
  readonly #turned: boolean[] = [];

  add(assetId: string, from: number, to: number, turned: boolean): void {
    const at = this.count++;
    this.#assetIds[at] = assetId;
    this.#from[at] = from;
    this.#to[at] = to;
    this.#turned[at] = turned;
  }

  takeInto(plan: Plan, at: number, rankMs: number): void {
    plan.take(this.#assetIds[at], this.#from[at], this.#to[at], rankMs, this.#turned[at]);
  }
}

/** A plan. */
export interface Anticipated {
  /** In the order of their ranks, each page once. */
  readonly stretches: WantedStretch[];
  /** Whether the budget had room for all that there is. */
  readonly isWhole: boolean;
}

/** Plans in small pieces of work: others may have their turn at each `yield`. */
export function* anticipating(input: AnticipationInput): Generator<void, Anticipated> {
  const tracks = new Map<TimelineModel, ReturnType<typeof parted>>();
  const spans: Span[] = [];
  for (const span of all(input)) {
    let parts = tracks.get(span.model);
    if (parts === undefined) tracks.set(span.model, parts = parted(span.model));
    const rankMs = Math.min(MOST_RANK_MS, span.rankMs);
    if (parts.heard.length > 0) spans.push({ ...span, rankMs, muted: false });
    if (parts.muted.length > 0) {
      const later = Math.min(MOST_RANK_MS, span.rankMs + MUTED_MS);
      spans.push({ ...span, rankMs: later, muted: true });
    }
    if (spans.length % PIECES_A_TURN === 0) yield;
  }
  yield;
  spans.sort((a, b) => a.rankMs - b.rankMs);
  yield;
  const plan = new Plan(input.budgetUnits, input.shapeOf);
  const { played = asIs } = input;
  const found = new Found();
  let pieces = 0;
  let looked = 0;
  const left = spans.reverse();
  for (let span = left.pop(); span !== undefined; span = left.pop()) {
    const { model, from, to, rankMs, muted, backwards } = span;
    const parts = tracks.get(model)!;
    const among = span.among ?? (muted ? parts.muted : parts.heard);
    // A track that has nothing here takes no part: else a large project in which little sounds at a time would be gone through in tiny pieces, track by track.
    const of = among.filter(({ blocks }) => isAnyWithin(blocks, from, to));
    for (looked += among.length; looked >= TRACKS_A_TURN; looked -= TRACKS_A_TURN) yield;
    const isShort = to - from <= LEAST_PAGE_FRAMES;
    // Where the budget ends, it ends for all tracks at the same place: else one would lose what it has while another gains as the head moves on.
    const isTight = of.length > 1 && !plan.holds(to - from, of.length);
    const isCrowded = () => of.some(({ blocks }) => isMoreThan(blocks, from, to, MOST_AT_ONCE));
    if (!isShort && (isTight || isCrowded())) {
      const middle = Math.floor((from + to) / 2);
      const part = { ...span, among: of };
      const halves = [{ ...part, to: middle }, { ...part, from: middle }];
      left.push(...backwards ? halves : halves.reverse());
      if (++pieces % PIECES_A_TURN === 0) yield;
      continue;
    }
    const find = (start: Frames, clip: ClipBody) => {
      const body = played(clip);
      if (isSilent(body)) return;
      const a = Math.max(from, start) - start;
      const b = Math.min(to, start + body.lengthFrames) - start;
      const path = sourcePath(body);
      const source = sourceSpan(path, a, b);
      // Of a clip that plays from its end, what is wanted first lies last.
      found.add(body.assetId, source.from, source.to, backwards !== path.step < 0);
    };
    for (const { blocks } of of) {
      found.count = 0;
      clipsWithin(blocks, from, to, find);
      for (let i = 0; i < found.count; i++) {
        found.takeInto(plan, backwards ? found.count - 1 - i : i, rankMs);
        if (plan.isFull) return { stretches: plan.stretches, isWhole: false };
        if (++pieces % PIECES_A_TURN === 0) yield;
      }
    }
    if (++pieces % PIECES_A_TURN === 0) yield;
  }
  return { stretches: plan.stretches, isWhole: true };
}

/** As {@linkcode anticipating}, at once. */
export function anticipate(input: AnticipationInput): WantedStretch[] {
  return atOnce(anticipating(input)).stretches;
}
