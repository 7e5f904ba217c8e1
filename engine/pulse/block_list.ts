/**
 * A track's clips as a sequence of blocks of at most 256, with places relative to the block. Every function takes a sequence and
 * gives another that shares all blocks that it did not change; a shift of what follows changes the places of blocks alone.
 *
 * A block starts where its first clip starts, and every clip of a block starts at or after every clip of the block before.
 *
 * @module
 */
import { BLOCK_CLIPS, type BlockRef, type MixBlock, type PlacedClip } from "../signal/model.ts";
import { type ClipBody, sliceBody } from "./clip_body.ts";
import type { ClipIndexDraft, Home } from "./clip_index.ts";
import type { Frames } from "./types.ts";

/** A block that knows its identity over rebuilds. */
export interface TimelineBlock extends MixBlock<ClipBody> {
  readonly home: Home;
}
export interface TimelineBlockRef extends BlockRef<ClipBody> {
  readonly block: TimelineBlock;
}
export type Blocks = readonly TimelineBlockRef[];

/** A clip at its place on the track; `from` and `home` say which objects it had, so that they can be kept. */
export interface Item {
  readonly start: Frames;
  readonly body: ClipBody;
  readonly from?: PlacedClip<ClipBody>;
  readonly home?: Home;
}

/** Where the sequence's blocks are made: the track they are for, and the table that finds clips. */
export interface BlockContext {
  readonly trackId: string;
  readonly index: ClipIndexDraft;
}

/** Clips in a block that is made in bulk: leaves room for insertions. */
export const BULK_CLIPS = 192;
/** A rebuilt block with fewer clips joins a neighbour, if that has room. */
const TINY_CLIPS = 48;

/** First index whose block starts at or after `frame`. */
export function firstBlockFrom(blocks: Blocks, frame: Frames): number {
  let low = 0;
  let high = blocks.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (blocks[middle].start < frame) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** First index whose block starts after `frame`. */
function firstBlockAfter(blocks: Blocks, frame: Frames): number {
  let low = 0;
  let high = blocks.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (blocks[middle].start <= frame) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function itemsOf(ref: TimelineBlockRef): Item[] {
  const { start, block } = ref;
  return block.clips.map((from) => ({
    start: start + from.at,
    body: from.body,
    from,
    home: block.home,
  }));
}

function movedBy({ start, body, from, home }: Item, by: Frames): Item {
  return { start: start + by, body, from, home };
}

/** One block of the items `[from, to)`, in order. */
function makeBlock(
  items: readonly Item[],
  from: number,
  to: number,
  home: Home,
  index: ClipIndexDraft,
): TimelineBlockRef {
  const start = items[from].start;
  const clips: PlacedClip<ClipBody>[] = [];
  let maxEnd = 0;
  for (let i = from; i < to; i++) {
    const item = items[i];
    const at = item.start - start;
    clips.push(
      item.from !== undefined && item.from.at === at && item.from.body === item.body
        ? item.from
        : { at, body: item.body },
    );
    maxEnd = Math.max(maxEnd, at + item.body.lengthFrames);
    if (item.home !== home) index.set(item.body.clipId, home);
  }
  return { start, block: { clips, maxEnd, home } };
}

/** Blocks of items in order, made in bulk. */
export function buildBlocks(items: readonly Item[], context: BlockContext): TimelineBlockRef[] {
  const refs: TimelineBlockRef[] = [];
  for (let i = 0; i < items.length; i += BULK_CLIPS) {
    const home = { trackId: context.trackId };
    refs.push(
      makeBlock(items, i, Math.min(items.length, i + BULK_CLIPS), home, context.index),
    );
  }
  return refs;
}

/** `blocks` with those of `[low, high)` replaced by blocks of `items`: at most one neighbour is drawn in. */
function replaceBlocks(
  blocks: Blocks,
  low: number,
  high: number,
  items: readonly Item[],
  context: BlockContext,
): Blocks {
  const atEnd = high === blocks.length;
  const homes = blocks.slice(low, high).map((ref) => ref.block.home);
  if (items.length > 0 && items.length < TINY_CLIPS) {
    const left = low > 0 ? blocks[low - 1].block.clips.length : Infinity;
    const right = high < blocks.length ? blocks[high].block.clips.length : Infinity;
    if (Math.min(left, right) + items.length <= BULK_CLIPS) {
      if (left <= right) {
        low--;
        homes.unshift(blocks[low].block.home);
        items = [...itemsOf(blocks[low]), ...items];
      } else {
        homes.push(blocks[high].block.home);
        items = [...items, ...itemsOf(blocks[high])];
        high++;
      }
    }
  }
  const refs: TimelineBlockRef[] = [];
  const pieces = Math.ceil(items.length / BLOCK_CLIPS);
  // A track that grows at its end fills its blocks; elsewhere halves leave room on both sides.
  const size = atEnd ? BLOCK_CLIPS : Math.ceil(items.length / pieces);
  for (let from = 0; from < items.length; from += size) {
    const home = homes[refs.length] ?? { trackId: context.trackId };
    refs.push(makeBlock(items, from, Math.min(items.length, from + size), home, context.index));
  }
  return blocks.toSpliced(low, high - low, ...refs);
}

/**
 * `blocks` with a clip more, behind those that start with it (so that it is the later one in order) or, with `before`, ahead of them.
 */
export function insertClip(
  blocks: Blocks,
  item: Item,
  context: BlockContext,
  before = false,
): Blocks {
  if (blocks.length === 0) return buildBlocks([item], context);
  const next = before ? firstBlockFrom(blocks, item.start) : firstBlockAfter(blocks, item.start);
  const i = Math.max(0, next - 1);
  const items = itemsOf(blocks[i]);
  let at = items.length;
  while (
    at > 0 && (before ? items[at - 1].start >= item.start : items[at - 1].start > item.start)
  ) {
    at--;
  }
  if (at === BLOCK_CLIPS && i === blocks.length - 1) {
    return [...blocks, ...buildBlocks([item], context)];
  }
  items.splice(at, 0, item);
  return replaceBlocks(blocks, i, i + 1, items, context);
}

/** `blocks` with many clips more, in order, each behind those that start with it. */
export function insertClips(
  blocks: Blocks,
  added: readonly Item[],
  context: BlockContext,
): Blocks {
  if (added.length === 0) return blocks;
  if (added.length <= 4) {
    return added.reduce((all, item) => insertClip(all, item, context), blocks);
  }
  if (blocks.length === 0) return buildBlocks(added, context);
  const refs: TimelineBlockRef[] = [];
  let a = 0;
  for (let i = 0; i < blocks.length; i++) {
    const limit = i + 1 < blocks.length ? blocks[i + 1].start : Infinity;
    const first = a;
    while (a < added.length && added[a].start < limit) a++;
    if (a === first) {
      refs.push(blocks[i]);
      continue;
    }
    const merged = mergeItems(itemsOf(blocks[i]), added.slice(first, a));
    const size = merged.length <= BLOCK_CLIPS ? BLOCK_CLIPS : BULK_CLIPS;
    for (let from = 0; from < merged.length; from += size) {
      const home = from === 0 ? blocks[i].block.home : { trackId: context.trackId };
      const to = Math.min(merged.length, from + size);
      refs.push(makeBlock(merged, from, to, home, context.index));
    }
  }
  return refs;
}

/** Two runs in order as one; where they tie, `late` comes later. */
function mergeItems(early: readonly Item[], late: readonly Item[]): Item[] {
  const items: Item[] = [];
  let i = 0;
  for (const item of late) {
    while (i < early.length && early[i].start <= item.start) items.push(early[i++]);
    items.push(item);
  }
  while (i < early.length) items.push(early[i++]);
  return items;
}

/** `blocks` without the clip at `[block, clip]`. */
export function removeClip(
  blocks: Blocks,
  block: number,
  clip: number,
  context: BlockContext,
): Blocks {
  const items = itemsOf(blocks[block]);
  items.splice(clip, 1);
  return replaceBlocks(blocks, block, block + 1, items, context);
}

/** `blocks` without the clips for which `isGone` says so, of the blocks at `indexes`. */
export function removeClips(
  blocks: Blocks,
  indexes: Iterable<number>,
  isGone: (body: ClipBody) => boolean,
  context: BlockContext,
): Blocks {
  let result = blocks;
  for (const i of [...indexes].sort((a, b) => b - a)) {
    const items = itemsOf(result[i]).filter((item) => !isGone(item.body));
    if (items.length === result[i].block.clips.length) continue;
    result = replaceExact(result, i, items, context);
  }
  return result;
}

/** `blocks` with the one at `i` rebuilt of `items`, no neighbour drawn in. */
function replaceExact(
  blocks: Blocks,
  i: number,
  items: readonly Item[],
  context: BlockContext,
): Blocks {
  const home = blocks[i].block.home;
  const refs = items.length === 0 ? [] : [makeBlock(items, 0, items.length, home, context.index)];
  return blocks.toSpliced(i, 1, ...refs);
}

/** `blocks` with the clip at `[block, clip]` saying something else at the same place. */
export function replaceBody(
  blocks: Blocks,
  block: number,
  clip: number,
  body: ClipBody,
): Blocks {
  const ref = blocks[block];
  const clips = ref.block.clips.slice();
  clips[clip] = { at: clips[clip].at, body };
  const result = blocks.slice();
  result[block] = { start: ref.start, block: blockOf(clips, ref.block.home) };
  return result;
}

function blockOf(clips: readonly PlacedClip<ClipBody>[], home: Home): TimelineBlock {
  let maxEnd = 0;
  for (const { at, body } of clips) maxEnd = Math.max(maxEnd, at + body.lengthFrames);
  return { clips, maxEnd, home };
}

/** Where the last clip ends; 0 without one. */
export function endOf(blocks: Blocks): Frames {
  let end = 0;
  for (const { start, block } of blocks) end = Math.max(end, start + block.maxEnd);
  return end;
}

/** All refs from `first` on, moved. */
function shiftRefs(blocks: Blocks, first: number, by: Frames): TimelineBlockRef[] {
  const refs: TimelineBlockRef[] = [];
  for (let i = first; i < blocks.length; i++) {
    refs.push({ start: blocks[i].start + by, block: blocks[i].block });
  }
  return refs;
}

/** Moves all clips that start at or after `from`. One that comes before others takes its place among them, behind what starts with it. */
export function shiftFrom(
  blocks: Blocks,
  from: Frames,
  by: Frames,
  context: BlockContext,
): Blocks {
  if (by === 0) return blocks;
  const next = firstBlockFrom(blocks, from);
  const moved = shiftRefs(blocks, next, by);
  if (next === 0) return moved.length === 0 ? blocks : moved;
  const straddling = blocks[next - 1];
  const items = itemsOf(straddling);
  const lastKept = items.findLast((item) => item.start < from)!.start;
  const first = items.find((item) => item.start >= from)?.start ?? blocks[next]?.start;
  if (first !== undefined && first + by < lastKept) {
    return shiftAmong(blocks, from, by, first + by, lastKept, context);
  }
  if (items[items.length - 1].start < from) {
    return moved.length === 0 ? blocks : [...blocks.slice(0, next), ...moved];
  }
  const shifted = items.map((item) => item.start < from ? item : movedBy(item, by));
  return [
    ...blocks.slice(0, next - 1),
    makeBlock(shifted, 0, shifted.length, straddling.block.home, context.index),
    ...moved,
  ];
}

/** The same where clips that move, from `low` on, come among those that stay, the last of which starts at `high`. */
function shiftAmong(
  blocks: Blocks,
  from: Frames,
  by: Frames,
  low: Frames,
  high: Frames,
  context: BlockContext,
): Blocks {
  const first = blocks.findIndex(({ start, block }) =>
    start + block.clips[block.clips.length - 1].at > low
  );
  const behind = blocks.findIndex(({ start }) => start >= from && start + by >= high);
  const after = behind < 0 ? blocks.length : behind;
  const items = blocks.slice(first, after).flatMap(itemsOf)
    .map((item) => item.start < from ? item : movedBy(item, by))
    .sort((a, b) => a.start - b.start);
  return [
    ...blocks.slice(0, first),
    ...buildBlocks(items, context),
    ...shiftRefs(blocks, after, by),
  ];
}

/**
 * Takes `[start, end)` out (nothing where they are equal) and moves what starts at or after `end` by `shift`. A clip that reaches over
 * an edge is cut there; of one that spans the range a new right part goes on at its end. Cut edges have no fade.
 *
 * @param rightPart Id and group of a new right part.
 */
export function cutRange(
  blocks: Blocks,
  start: Frames,
  end: Frames,
  shift: Frames,
  context: BlockContext,
  rightPart: (left: ClipBody) => { clipId: string; groupId?: string },
): Blocks {
  const landing = end + shift;
  const floating: Item[] = [];

  /** What stays of a clip, and into `floating` what goes on at the range's end. */
  const cut = (item: Item): Item | null => {
    const { start: clipStart, body } = item;
    const clipEnd = clipStart + body.lengthFrames;
    if (clipStart >= end) return shift === 0 ? item : movedBy(item, shift);
    if (clipEnd <= start) return item;
    if (clipStart < start) {
      if (clipEnd > end) {
        const right = sliceBody(
          body,
          end - clipStart,
          clipEnd - end,
          { left: true },
          rightPart(body),
        );
        floating.push({ start: landing, body: right });
      }
      return { ...item, body: sliceBody(body, 0, start - clipStart, { right: true }) };
    }
    if (clipEnd > end) {
      const right = sliceBody(body, end - clipStart, clipEnd - end, { left: true });
      floating.push({ start: landing, body: right, home: item.home });
    }
    return null;
  };

  const first = firstBlockFrom(blocks, start);
  const after = firstBlockFrom(blocks, Math.max(start, end));
  // Only the last block that starts before the range can hold clips that start in or behind it.
  let low = Math.max(0, first - 1);

  let head: TimelineBlockRef[] | null = null;
  for (let i = 0; i < low; i++) {
    const ref = blocks[i];
    if (ref.start + ref.block.maxEnd <= start) continue;
    const items = itemsOf(ref).map((item) => cut(item)!);
    head ??= blocks.slice(0, low);
    head[i] = makeBlock(items, 0, items.length, ref.block.home, context.index);
  }

  if (after - low === 1) {
    const ref = cutOneBlock(blocks[low], { start, end, shift }, cut, floating, context.index);
    if (ref !== null) {
      const rest = shift === 0 ? blocks.slice(after) : shiftRefs(blocks, after, shift);
      return [...head ?? blocks.slice(0, low), ref, ...rest];
    }
  }

  let kept: Item[] = [];
  let touched = false;
  for (let i = low; i < after; i++) {
    const ref = blocks[i];
    if (ref.start >= start && ref.start + ref.block.maxEnd <= end) {
      touched = true;
      continue;
    }
    let same = true;
    for (const item of itemsOf(ref)) {
      const left = cut(item);
      if (left !== item) same = false;
      if (left !== null) kept.push(left);
    }
    if (!same) touched = true;
    else if (i === low && (kept.length === 0 || kept[kept.length - 1].start < landing)) {
      // Untouched, and nothing lands among its clips: it stays the same object.
      low++;
      kept = [];
    }
  }

  const rest = shift === 0 ? blocks.slice(after) : shiftRefs(blocks, after, shift);
  if (head === null && !touched && floating.length === 0 && (shift === 0 || rest.length === 0)) {
    return blocks;
  }
  const before = head === null
    ? blocks.slice(0, low)
    : [...head, ...blocks.slice(head.length, low)];
  const all = [...before, ...blocks.slice(low, after), ...rest];
  if (!touched && floating.length === 0) return all;
  let at = kept.length;
  while (at > 0 && kept[at - 1].start >= landing) at--;
  kept.splice(at, 0, ...floating);
  return replaceBlocks(all, low, after, kept, context);
}

/**
 * The usual case of a cut: one block lies over the range and stays one. `null` where it does not, or nothing of it changes: then nothing was
 * done. It says the same as the general way, with less garbage: a ripple over many tracks does it on each.
 */
function cutOneBlock(
  { start: blockStart, block }: TimelineBlockRef,
  { start, end, shift }: { start: Frames; end: Frames; shift: Frames },
  cut: (item: Item) => Item | null,
  floating: readonly Item[],
  index: ClipIndexDraft,
): TimelineBlockRef | null {
  const { clips, home } = block;
  let count = floating.length;
  let changes = false;
  for (const { at, body } of clips) {
    const clipStart = blockStart + at;
    if (clipStart >= end) {
      count++;
      changes ||= shift !== 0;
    } else if (clipStart + body.lengthFrames <= start) {
      count++;
    } else {
      changes = true;
      if (clipStart < start) count++;
      if (clipStart + body.lengthFrames > end) count++;
    }
  }
  if (!changes || count < TINY_CLIPS || count > BLOCK_CLIPS) return null;

  const starts: Frames[] = [];
  const kept: PlacedClip<ClipBody>[] = [];
  for (const placed of clips) {
    const clipStart = blockStart + placed.at;
    if (clipStart >= end || clipStart + placed.body.lengthFrames <= start) {
      starts.push(clipStart >= end ? clipStart + shift : clipStart);
      kept.push(placed);
      continue;
    }
    const left = cut({ start: clipStart, body: placed.body, from: placed, home });
    if (left === null) continue;
    starts.push(left.start);
    kept.push({ at: placed.at, body: left.body });
  }
  if (floating.length > 0) {
    let at = starts.length;
    while (at > 0 && starts[at - 1] >= end + shift) at--;
    starts.splice(at, 0, ...floating.map((item) => item.start));
    kept.splice(at, 0, ...floating.map(({ body }) => ({ at: 0, body })));
    for (const item of floating) if (item.home !== home) index.set(item.body.clipId, home);
  }
  const first = starts[0];
  let maxEnd = 0;
  for (let i = 0; i < kept.length; i++) {
    const at = starts[i] - first;
    if (kept[i].at !== at) kept[i] = { at, body: kept[i].body };
    maxEnd = Math.max(maxEnd, at + kept[i].body.lengthFrames);
  }
  return { start: first, block: { clips: kept, maxEnd, home } };
}
