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
/** More runs than this are not searched for the best choice. */
const MANY_RUNS = 400;

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
  let prefix = 0;
  while (prefix < old.length && prefix < now.length && sameRef(old[prefix], now[prefix])) prefix++;
  const suffix = commonSuffix(old, now, prefix);
  const oldEnd = old.length - suffix;
  const nowEnd = now.length - suffix;

  const shared = sharedBlocks(old, now, prefix, oldEnd, nowEnd);
  const keptClips = new Map<string, Kept>();
  for (let i = prefix; i < oldEnd; i++) {
    const { start, block } = old[i];
    if (shared.has(block)) continue;
    block.clips.forEach(({ at, body }, j) => {
      keptClips.set(body.clipId, { start: start + at, body, order: i * ORDER_STEP + j });
    });
  }
  const newStarts = new Map<string, { start: Frames; body: ClipBody }>();
  for (let i = prefix; i < nowEnd; i++) {
    const { start, block } = now[i];
    if (shared.has(block)) continue;
    for (const { at, body } of block.clips) {
      here.add(body.clipId);
      newStarts.set(body.clipId, { start: start + at, body });
    }
  }
  for (const clipId of keptClips.keys()) if (!newStarts.has(clipId)) gone.add(clipId);

  const anchors = anchorsOf(old.slice(prefix, oldEnd), shared, newStarts);
  if (suffix > 0) {
    const oldFirst = old[oldEnd].start;
    anchors.push({
      oldFirst,
      oldLast: lastStart(old[old.length - 1]),
      by: now[nowEnd].start - oldFirst,
      weight: suffix * ORDER_STEP,
    });
  }
  const prefixLast = prefix === 0 ? -1 : lastStart(old[prefix - 1]);
  const shifted = chooseShifts(anchors, prefixLast);
  listWrong({ old, now, prefix, nowEnd, oldEnd, shared, keptClips }, shifted, list);
  return { shifted };
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

/** A block that both states have: its index and start in the old one, its start in the new. */
interface SharedBlock {
  readonly i: number;
  readonly oldStart: Frames;
  readonly newStart: Frames;
}

/** Blocks between prefix and suffix that both states have, in the same order. */
function sharedBlocks(
  old: Blocks,
  now: Blocks,
  prefix: number,
  oldEnd: number,
  nowEnd: number,
): Map<TimelineBlock, SharedBlock> {
  const places = new Map<TimelineBlock, number>();
  for (let i = prefix; i < oldEnd; i++) places.set(old[i].block, i);
  const shared = new Map<TimelineBlock, SharedBlock>();
  let last = -1;
  for (let k = prefix; k < nowEnd; k++) {
    const { block, start: newStart } = now[k];
    const i = places.get(block);
    if (i === undefined || i <= last) continue;
    last = i;
    shared.set(block, { i, oldStart: old[i].start, newStart });
  }
  return shared;
}

function sameRef(a: TimelineBlockRef, b: TimelineBlockRef): boolean {
  return a === b || a.block === b.block && a.start === b.start;
}

function lastStart({ start, block }: TimelineBlockRef): Frames {
  return start + block.clips[block.clips.length - 1].at;
}

/** What both states have of these old blocks, in the old order. */
function anchorsOf(
  old: Blocks,
  shared: ReadonlyMap<TimelineBlock, SharedBlock>,
  newStarts: ReadonlyMap<string, { start: Frames; body: ClipBody }>,
): Anchor[] {
  const anchors: Anchor[] = [];
  for (const ref of old) {
    const both = shared.get(ref.block);
    if (both !== undefined) {
      anchors.push({
        oldFirst: ref.start,
        oldLast: lastStart(ref),
        by: both.newStart - ref.start,
        weight: ref.block.clips.length,
      });
      continue;
    }
    for (const { at, body } of ref.block.clips) {
      const now = newStarts.get(body.clipId);
      if (now?.body !== body) continue;
      const start = ref.start + at;
      anchors.push({ oldFirst: start, oldLast: start, by: now.start - start, weight: 1 });
    }
  }
  return anchors;
}

/** The shifts to apply one after another, from the right to the left. */
function chooseShifts(anchors: readonly Anchor[], prefixLast: Frames): Shift[] {
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
  const shifts: Shift[] = [];
  let by = 0;
  for (const run of inOrder(runs.filter(({ weight }) => weight >= LEAST_WEIGHT))) {
    if (run.by === by) continue;
    shifts.push({
      // Clips of the unchanged blocks before must stay.
      fromFrame: Math.max(run.oldFirst, prefixLast + 1),
      byFrames: run.by - by,
    });
    by = run.by;
  }
  return shifts.reverse();
}

/** The heaviest choice of runs that are in the same order now as before. */
function inOrder(runs: readonly Run[]): readonly Run[] {
  if (runs.every((run, i) => i === 0 || run.newFirst >= runs[i - 1].newLast)) return runs;
  if (runs.length > MANY_RUNS) {
    let last = -1;
    return runs.filter((run) => {
      if (run.newFirst < last) return false;
      last = run.newLast;
      return true;
    });
  }
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

/** Two states side by side. */
interface Comparison {
  readonly old: Blocks;
  readonly now: Blocks;
  /** Blocks before this index are the same at the same places. */
  readonly prefix: number;
  /** Blocks from these indexes on are the same, moved by one length. */
  readonly oldEnd: number;
  readonly nowEnd: number;
  readonly shared: ReadonlyMap<TimelineBlock, SharedBlock>;
  readonly keptClips: ReadonlyMap<string, Kept>;
}

/**
 * Lists, in the new order, the clips that a client would have in a wrong state or in a wrong place among those with the same start.
 *
 * A client keeps what is not listed in the old order, and puts a listed clip behind all that start with it. So behind a listed clip all of
 * the same start must be listed too, and one that is out of the old order must be.
 */
function listWrong(
  { old, now, prefix, oldEnd, nowEnd, shared, keptClips }: Comparison,
  shifted: readonly Shift[],
  list: (body: ClipBody, start: Frames) => void,
): void {
  const moved = (start: Frames) => {
    let x = start;
    for (const { fromFrame, byFrames } of shifted) if (x >= fromFrame) x += byFrames;
    return x;
  };
  // The clips with the current start so far: was one listed, and the order number of the last that was kept.
  let tieStart: Frames = prefix > 0 ? lastStart(old[prefix - 1]) : -1;
  let tieListed = false;
  let tieOrder = prefix * ORDER_STEP - 1;

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
  /** A block of both states; `last` is the one where its run of blocks that moved alike ends. */
  const visitShared = (ref: TimelineBlockRef, oldStart: Frames, i: number, last: Frames) => {
    const order = i * ORDER_STEP;
    const ties = tieStart === ref.start && (tieListed || order < tieOrder);
    if (!ties && moved(oldStart) === ref.start && moved(last - ref.start + oldStart) === last) {
      tieStart = last;
      tieListed = false;
      tieOrder = order + ORDER_STEP - 1;
      return true;
    }
    ref.block.clips.forEach(({ at, body }, j) =>
      visit(ref.start + at, body, oldStart + at, order + j)
    );
    return false;
  };

  for (let k = prefix; k < nowEnd; k++) {
    const both = shared.get(now[k].block);
    if (both !== undefined) {
      visitShared(now[k], both.oldStart, both.i, lastStart(now[k]));
      continue;
    }
    for (const { at, body } of now[k].block.clips) {
      const start = now[k].start + at;
      const kept = keptClips.get(body.clipId);
      if (kept?.body === body) visit(start, body, kept.start, kept.order);
      else visit(start, body, null, -1);
    }
  }
  // Mostly the first look at the suffix settles all of it.
  const end = now.length === 0 ? 0 : lastStart(now[now.length - 1]);
  for (let k = nowEnd, i = oldEnd; k < now.length; k++, i++) {
    if (visitShared(now[k], old[i].start, i, end)) return;
  }
}
