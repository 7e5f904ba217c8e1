/**
 * What differs between two states of one track: few shifts that move most clips to where they are now, and a list of the clips
 * that these leave wrong.
 *
 * The choice of shifts decides only how long the answer is. That it is right is checked clip by clip (and by block where a block moved
 * as one), against what a client will make of it.
 *
 * @module
 */
import type { Blocks, TimelineBlock, TimelineBlockRef } from "./block_list.ts";
import type { ClipBody } from "./clip_body.ts";
import type { Frames } from "./types.ts";

/** Clips that start at or after `fromFrame` move by `byFrames`. */
export interface Shift {
  readonly fromFrame: Frames;
  readonly byFrames: Frames;
}

/** Something that both states have: a clip, or a block as one. */
interface Anchor {
  readonly oldFirst: Frames;
  readonly oldLast: Frames;
  readonly by: Frames;
  readonly weight: number;
}
/** Anchors in a row that moved alike. */
interface Run {
  readonly oldFirst: Frames;
  readonly newFirst: Frames;
  newLast: Frames;
  readonly by: Frames;
  weight: number;
}

/** A clip of the old state, with its place in the order. */
interface Kept {
  readonly start: Frames;
  readonly body: ClipBody;
  readonly order: number;
}

/** Clips of a block in an order number; a block has at most 256. */
const ORDER_STEP = 512;
/** A shift is worth while for two clips or more. */
const LEAST_WEIGHT = 2;
/** Most shifts of a track. */
const MOST_RUNS = 256;

/**
 * @param gone Gets the ids of clips that the old state has and the blocks compared here of the new one have not.
 * @param here Gets the ids of clips in the compared blocks of the new state.
 * @param list Called with each clip to be stated, in the new order.
 */
export function diffTrack(
  old: Blocks,
  now: Blocks,
  gone: Set<string>,
  here: Set<string>,
  list: (body: ClipBody, start: Frames) => void,
): { shifted: Shift[] } {
  const comparison = compare(old, now);
  const { oldPieces, nowPieces, shared, tail } = comparison;

  const keptClips = new Map<string, Kept>();
  for (const { start, block, from, to, order } of oldPieces) {
    if (shared.has(block)) continue;
    for (let j = from; j < to; j++) {
      const { at, body } = block.clips[j];
      keptClips.set(body.clipId, { start: start + at, body, order: order + j });
    }
  }
  const newStarts = new Map<string, { start: Frames; body: ClipBody }>();
  for (const { start, block, from, to } of nowPieces) {
    if (shared.has(block)) continue;
    for (let j = from; j < to; j++) {
      const { at, body } = block.clips[j];
      here.add(body.clipId);
      newStarts.set(body.clipId, { start: start + at, body });
    }
  }
  for (const clipId of keptClips.keys()) if (!newStarts.has(clipId)) gone.add(clipId);

  const anchors = anchorsOf(oldPieces, shared, newStarts);
  if (tail !== null) anchors.push(tail);
  const shifts = chooseShifts(anchors, comparison.headLast);
  listWrong(comparison, keptClips, shifts, list);
  return { shifted: shifts.shifted };
}

/** Clips `[from, to)` of a block, and the order number of its first clip. */
interface Piece {
  readonly start: Frames;
  readonly block: TimelineBlock;
  readonly from: number;
  readonly to: number;
  readonly order: number;
}

/** A block that both states have: its order number and start in the old one, its start in the new. */
interface SharedBlock {
  readonly order: number;
  readonly oldStart: Frames;
  readonly newStart: Frames;
}

/** Two states side by side: a head that is the same, pieces that are to be compared, and a tail that is the same but moved. */
interface Comparison {
  /** Start and order number of the head's last clip; −1 without a head. */
  readonly headLast: Frames;
  readonly headOrder: number;
  readonly oldPieces: readonly Piece[];
  readonly nowPieces: readonly Piece[];
  /** Blocks among the pieces that both states have, in the same order. */
  readonly shared: ReadonlyMap<TimelineBlock, SharedBlock>;
  readonly tail: Anchor | null;
  /** The tail, piece by piece, in both states. */
  readonly tailPieces: readonly { readonly old: Piece; readonly now: Piece }[];
}

function compare(old: Blocks, now: Blocks): Comparison {
  let prefix = 0;
  while (prefix < old.length && prefix < now.length && sameRef(old[prefix], now[prefix])) prefix++;
  const suffix = commonSuffix(old, now, prefix);
  const oldPieces = piecesOf(old, prefix, old.length - suffix);
  const nowPieces = piecesOf(now, prefix, now.length - suffix);
  let headLast = prefix === 0 ? -1 : lastStart(old[prefix - 1]);
  let headOrder = prefix * ORDER_STEP - 1;

  const head = commonHead(oldPieces[0], nowPieces[0]);
  if (head > 0) {
    const { start, block, order } = oldPieces[0];
    headLast = start + block.clips[head - 1].at;
    headOrder = order + head - 1;
    oldPieces[0] = { ...oldPieces[0], from: head };
    nowPieces[0] = { ...nowPieces[0], from: head };
  }

  const tailPieces: { old: Piece; now: Piece }[] = [];
  const oldTail = piecesOf(old, old.length - suffix, old.length);
  const nowTail = piecesOf(now, now.length - suffix, now.length);
  let by = suffix > 0 ? nowTail[0].start - oldTail[0].start : null;
  const oldLast = oldPieces.at(-1);
  const nowLast = nowPieces.at(-1);
  const common = commonTail(oldLast, nowLast, by);
  if (common > 0) {
    const [a, b] = [oldLast!, nowLast!];
    const part = { old: { ...a, from: a.to - common }, now: { ...b, from: b.to - common } };
    tailPieces.push(part);
    by = firstOf(part.now) - firstOf(part.old);
    oldPieces[oldPieces.length - 1] = { ...a, to: a.to - common };
    nowPieces[nowPieces.length - 1] = { ...b, to: b.to - common };
  }
  oldTail.forEach((piece, i) => tailPieces.push({ old: piece, now: nowTail[i] }));
  const tail = tailPieces.length === 0 ? null : {
    oldFirst: firstOf(tailPieces[0].old),
    oldLast: lastOf(tailPieces[tailPieces.length - 1].old),
    by: by!,
    weight: common + suffix * ORDER_STEP,
  };
  const shared = sharedBlocks(oldPieces, nowPieces);
  return { headLast, headOrder, oldPieces, nowPieces, shared, tail, tailPieces };
}

function piecesOf(blocks: Blocks, from: number, to: number): Piece[] {
  const pieces: Piece[] = [];
  for (let i = from; i < to; i++) {
    const { start, block } = blocks[i];
    pieces.push({ start, block, from: 0, to: block.clips.length, order: i * ORDER_STEP });
  }
  return pieces;
}

function firstOf({ start, block, from }: Piece): Frames {
  return start + block.clips[from].at;
}

function lastOf({ start, block, to }: Piece): Frames {
  return start + block.clips[to - 1].at;
}

/** Blocks at the end that are the same and moved by one length. */
function commonSuffix(old: Blocks, now: Blocks, prefix: number): number {
  const most = Math.min(old.length, now.length) - prefix;
  if (most === 0) return 0;
  const by = now[now.length - 1].start - old[old.length - 1].start;
  let suffix = 0;
  while (suffix < most) {
    const a = old[old.length - 1 - suffix];
    const b = now[now.length - 1 - suffix];
    if (a.block !== b.block || b.start - a.start !== by) break;
    suffix++;
  }
  return suffix;
}

/** Clips with which both begin, at the same places. */
function commonHead(a: Piece | undefined, b: Piece | undefined): number {
  if (a === undefined || b === undefined || a.start !== b.start) return 0;
  const most = Math.min(a.to, b.to);
  let count = 0;
  while (count < most) {
    const was = a.block.clips[count];
    const is = b.block.clips[count];
    if (was !== is && (was.at !== is.at || was.body !== is.body)) break;
    count++;
  }
  return count;
}

/** Clips with which both end, moved by `by`, or, if that is open, by one length. */
function commonTail(a: Piece | undefined, b: Piece | undefined, by: Frames | null): number {
  if (a === undefined || b === undefined) return 0;
  const most = Math.min(a.to - a.from, b.to - b.from);
  let count = 0;
  let length = by;
  while (count < most) {
    const was = a.block.clips[a.to - 1 - count];
    const is = b.block.clips[b.to - 1 - count];
    const moved = b.start + is.at - (a.start + was.at);
    if (was.body !== is.body || moved !== (length ?? moved)) break;
    length = moved;
    count++;
  }
  return count;
}

/** Blocks that both have, in the same order. */
function sharedBlocks(
  oldPieces: readonly Piece[],
  nowPieces: readonly Piece[],
): Map<TimelineBlock, SharedBlock> {
  const shared = new Map<TimelineBlock, SharedBlock>();
  if (oldPieces.length < 2 && nowPieces.length < 2) return shared;
  const places = new Map(oldPieces.map((piece) => [piece.block, piece]));
  let last = -1;
  for (const { block, start: newStart } of nowPieces) {
    const was = places.get(block);
    if (was === undefined || was.order <= last) continue;
    last = was.order;
    shared.set(block, { order: was.order, oldStart: was.start, newStart });
  }
  return shared;
}

function sameRef(a: TimelineBlockRef, b: TimelineBlockRef): boolean {
  return a === b || a.block === b.block && a.start === b.start;
}

function lastStart({ start, block }: TimelineBlockRef): Frames {
  return start + block.clips[block.clips.length - 1].at;
}

/** What both states have of these old pieces, in the old order. */
function anchorsOf(
  oldPieces: readonly Piece[],
  shared: ReadonlyMap<TimelineBlock, SharedBlock>,
  newStarts: ReadonlyMap<string, { start: Frames; body: ClipBody }>,
): Anchor[] {
  const anchors: Anchor[] = [];
  for (const piece of oldPieces) {
    const both = shared.get(piece.block);
    if (both !== undefined) {
      anchors.push({
        oldFirst: piece.start,
        oldLast: lastOf(piece),
        by: both.newStart - piece.start,
        weight: piece.to,
      });
      continue;
    }
    for (let j = piece.from; j < piece.to; j++) {
      const { at, body } = piece.block.clips[j];
      const now = newStarts.get(body.clipId);
      if (now?.body !== body) continue;
      const start = piece.start + at;
      anchors.push({ oldFirst: start, oldLast: start, by: now.start - start, weight: 1 });
    }
  }
  return anchors;
}

/** The shifts that leave few clips wrong. */
function chooseShifts(anchors: readonly Anchor[], headLast: Frames): Shifts {
  const runs: Run[] = [];
  for (const { oldFirst, oldLast, by, weight } of anchors) {
    const run = runs[runs.length - 1];
    if (run !== undefined && run.by === by) {
      run.newLast = oldLast + by;
      run.weight += weight;
    } else {
      runs.push({ oldFirst, newFirst: oldFirst + by, newLast: oldLast + by, by, weight });
    }
  }
  return new Shifts(inOrder(heaviest(runs)), headLast);
}

/** Shifts one after another, and what they make of a place all together. */
class Shifts {
  /** In the order in which a client applies them: from the right to the left. */
  readonly shifted: Shift[];
  readonly #from: Frames[] = [];
  readonly #by: Frames[] = [];

  /**
   * @param runs In the same order before and after.
   * @param headLast Where the last clip starts that must stay.
   */
  constructor(runs: readonly Run[], headLast: Frames) {
    const shifts: Shift[] = [];
    let by = 0;
    let last = -Infinity;
    for (const run of runs) {
      const fromFrame = Math.max(run.oldFirst, headLast + 1, last);
      const byFrames = run.by - by;
      // A shift must not carry clips to before where the next one to the left begins: then each acts on all that it should.
      if (byFrames === 0 || fromFrame + byFrames < last) continue;
      shifts.push({ fromFrame, byFrames });
      this.#from.push(fromFrame);
      this.#by.push(run.by);
      by = run.by;
      last = fromFrame;
    }
    this.shifted = shifts.reverse();
  }

  /** Where a client has a clip that started at `start`. */
  moved(start: Frames): Frames {
    let low = 0;
    let high = this.#from.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#from[middle] <= start) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? start : start + this.#by[low - 1];
  }
}

/** The runs that are worth a shift, and no more of them than a client applies quickly. */
function heaviest(runs: readonly Run[]): readonly Run[] {
  const worth = runs.filter(({ weight }) => weight >= LEAST_WEIGHT);
  if (worth.length <= MOST_RUNS) return worth;
  return worth.sort((a, b) => b.weight - a.weight).slice(0, MOST_RUNS)
    .sort((a, b) => a.oldFirst - b.oldFirst);
}

/** The heaviest choice of runs that are in the same order now as before. */
function inOrder(runs: readonly Run[]): readonly Run[] {
  if (runs.every((run, i) => i === 0 || run.newFirst >= runs[i - 1].newLast)) return runs;
  const best: { weight: number; before: number }[] = [];
  let heaviest = 0;
  runs.forEach((run, i) => {
    best.push({ weight: run.weight, before: -1 });
    for (let j = 0; j < i; j++) {
      const weight = best[j].weight + run.weight;
      if (runs[j].newLast <= run.newFirst && weight > best[i].weight) {
        best[i] = { weight, before: j };
      }
    }
    if (best[i].weight > best[heaviest].weight) heaviest = i;
  });
  const chosen: Run[] = [];
  for (let i = heaviest; i >= 0; i = best[i].before) chosen.push(runs[i]);
  return chosen.reverse();
}

/**
 * Lists, in the new order, the clips that a client would have in a wrong state or in a wrong place among those with the same start.
 *
 * A client keeps what is not listed in the old order, and puts a listed clip behind all that start with it. So behind a listed clip all of
 * the same start must be listed too, and one that is out of the old order must be.
 */
function listWrong(
  { headLast, headOrder, nowPieces, shared, tailPieces }: Comparison,
  keptClips: ReadonlyMap<string, Kept>,
  shifts: Shifts,
  list: (body: ClipBody, start: Frames) => void,
): void {
  const moved = (start: Frames) => shifts.moved(start);
  // The clips with the current start so far: was one listed, and the order number of the last that was kept.
  let tieStart = headLast;
  let tieListed = false;
  let tieOrder = headOrder;

  const visit = (start: Frames, body: ClipBody, keptStart: Frames | null, order: number) => {
    if (start !== tieStart) {
      tieStart = start;
      tieListed = false;
      tieOrder = -1;
    }
    if (tieListed || keptStart === null || moved(keptStart) !== start || order < tieOrder) {
      tieListed = true;
      list(body, start);
    } else {
      tieOrder = order;
    }
  };
  /**
   * Clips that both states have side by side. `last` is the new start of the last clip of their run of pieces that moved alike: true
   * where all of the run is right.
   */
  const visitShared = (piece: Piece, oldStart: Frames, order: number, last: Frames) => {
    const { start, block, from, to } = piece;
    const first = firstOf(piece);
    const by = start - oldStart;
    const ties = tieStart === first && (tieListed || order + from < tieOrder);
    if (!ties && moved(first - by) === first && moved(last - by) === last) {
      tieStart = last;
      tieListed = false;
      tieOrder = order + to - 1;
      return true;
    }
    for (let j = from; j < to; j++) {
      const { at, body } = block.clips[j];
      visit(start + at, body, oldStart + at, order + j);
    }
    return false;
  };

  for (const piece of nowPieces) {
    const both = shared.get(piece.block);
    if (both !== undefined) {
      visitShared(piece, both.oldStart, both.order, lastOf(piece));
      continue;
    }
    for (let j = piece.from; j < piece.to; j++) {
      const { at, body } = piece.block.clips[j];
      const kept = keptClips.get(body.clipId);
      if (kept?.body === body) visit(piece.start + at, body, kept.start, kept.order);
      else visit(piece.start + at, body, null, -1);
    }
  }
  if (tailPieces.length === 0) return;
  // Mostly the first look at the tail settles all of it.
  const end = lastOf(tailPieces[tailPieces.length - 1].now);
  for (const { old, now } of tailPieces) {
    if (visitTail(old, now)) return;
  }

  /** The first piece of a tail is of two blocks, whose clips have other numbers in each. */
  function visitTail(old: Piece, now: Piece): boolean {
    if (old.block === now.block) return visitShared(now, old.start, old.order, end);
    const first = firstOf(now);
    const by = first - firstOf(old);
    const ties = tieStart === first && (tieListed || old.order + old.from < tieOrder);
    if (!ties && moved(first - by) === first && moved(end - by) === end) return true;
    for (let j = now.from, i = old.from; j < now.to; j++, i++) {
      const { at, body } = now.block.clips[j];
      visit(now.start + at, body, now.start + at - by, old.order + i);
    }
    return false;
  }
}
