// @ts-check
/** @import { ChangedClip } from "./types.js" */

/** Most clips of a block. */
const BLOCK_CLIPS = 256;
/** Blocks with fewer clips are joined with a neighbour that has room. */
const TINY_CLIPS = 48;

/**
 * Clips in the order of their starts. They all still have to move by `by`: that is made up for when somebody looks at them.
 *
 * @typedef {object} Block
 * @property {ChangedClip[]} clips
 * @property {number} by
 * @property {number} first least start of its clips, as they say it (before `by`)
 * @property {number} last greatest start
 * @property {number} end greatest end
 * @property {number} longest length
 * @property {boolean} ordered
 * @property {Float64Array | null} ends of each clip and all before it the greatest end, once somebody has asked
 */

/**
 * The clips of one track in the order of their starts, with a quick answer to "which ones touch this range". They lie in blocks, so that a change costs the
 * blocks that it touches, and a shift of all that follows a number for each block, however many clips there are.
 */
export class TrackClips {
  /** @type {Block[]} */
  #blocks = [];
  /** @type {Map<string, Block>} */
  #blockOf = new Map();
  /** Greatest end of the blocks up to and with each, or null: grows along the list, so that it can be searched. @type {Float64Array | null} */
  #reach = null;
  #tidy = true;
  /** Clips that were looked at or moved one by one, ever: what changes have cost. */
  touched = 0;

  get size() {
    return this.#blockOf.size;
  }

  /** End of the last clip to end, in frames; 0 without clips. */
  get endFrame() {
    this.settle();
    const reach = this.#reached();
    return reach.length === 0 ? 0 : reach[reach.length - 1];
  }

  /** @param {ChangedClip} clip goes behind those that start with it */
  add(clip) {
    this.settle();
    const { startFrame } = clip;
    const index = this.#lastFrom(startFrame);
    const block = this.#blocks[index];
    if (block === undefined) {
      this.#insertBlocks(0, [clip]);
      return;
    }
    this.#catchUp(block);
    const { clips } = block;
    const at = countUpTo(clips, startFrame);
    const full = clips.length === BLOCK_CLIPS;
    if (full && at === clips.length && index === this.#blocks.length - 1) {
      this.#insertBlocks(index + 1, [clip]);
      return;
    }
    clips.splice(at, 0, clip);
    this.#blockOf.set(clip.clipId, block);
    if (full) {
      this.#insertBlocks(index + 1, clips.splice(clips.length >>> 1));
      this.#measure(block);
      return;
    }
    block.first = Math.min(block.first, startFrame);
    block.last = Math.max(block.last, startFrame);
    block.end = Math.max(block.end, startFrame + clip.lengthFrames);
    block.longest = Math.max(block.longest, clip.lengthFrames);
    block.ends = this.#reach = null;
    this.touched++;
  }

  /** @param {Set<string>} clipIds */
  remove(clipIds) {
    /** @type {Set<Block>} */
    const touched = new Set();
    for (const clipId of clipIds) {
      const block = this.#blockOf.get(clipId);
      if (block === undefined) continue;
      this.#blockOf.delete(clipId);
      touched.add(block);
    }
    if (touched.size === 0) return;
    let tiny = false;
    for (const block of touched) {
      block.clips = block.clips.filter((clip) => !clipIds.has(clip.clipId));
      this.#measure(block);
      tiny ||= block.clips.length < TINY_CLIPS;
    }
    if (tiny) this.#join();
  }

  /**
   * Moves clips; call `settle` before the first shift of a set of changes, since among clips with one start the order of before counts.
   *
   * @param {number} fromFrame clips that start there or later
   * @param {number} byFrames
   */
  shift(fromFrame, byFrames) {
    for (const block of this.#blocks) {
      if (block.last + block.by < fromFrame) continue;
      if (block.first + block.by >= fromFrame) {
        block.by += byFrames;
        continue;
      }
      this.#catchUp(block);
      for (const clip of block.clips) {
        if (clip.startFrame >= fromFrame) clip.startFrame += byFrames;
      }
      this.#measure(block);
    }
    this.#reach = null;
    this.#tidy = false;
  }

  /** @returns {readonly ChangedClip[]} all, in order */
  all() {
    this.settle();
    return this.#blocks.flatMap((block) => this.#catchUp(block).clips);
  }

  /** Makes a clip say where it is. @param {string} clipId */
  locate(clipId) {
    const block = this.#blockOf.get(clipId);
    if (block !== undefined) this.#catchUp(block);
  }

  /**
   * @param {number} startFrame
   * @param {number} endFrame
   * @param {number} [stepFrames] width of what a drawing shows apart: of clips that are shorter those are left out that end within the same step as one that was told.
   *   The rest may be copies.
   * @returns {Generator<ChangedClip>} clips that touch `[startFrame, endFrame)`, in order
   */
  *range(startFrame, endFrame, stepFrames = 0) {
    this.settle();
    /** No clip that ends up to here is told where blocks are thinned. */
    let told = startFrame;
    for (
      let index = firstAbove(this.#reached(), startFrame);
      index < this.#blocks.length;
      index++
    ) {
      const block = this.#blocks[index];
      if (block.first + block.by >= endFrame) return;
      const thins = block.longest < stepFrames;
      if (block.end + block.by <= (thins ? told : startFrame)) continue;
      if (!thins) this.#catchUp(block);
      const { clips, by } = block;
      const ends = endsOf(block);
      let at = firstAbove(ends, (thins ? told : startFrame) - by);
      while (at < clips.length) {
        const clip = clips[at];
        const start = clip.startFrame + by;
        if (start >= endFrame) return;
        const end = start + clip.lengthFrames;
        if (end > startFrame) {
          yield by === 0 ? clip : { ...clip, startFrame: start };
          if (thins) told = startFrame + Math.ceil((end - startFrame) / stepFrames) * stepFrames;
        }
        at = thins ? firstAbove(ends, told - by, at + 1) : at + 1;
      }
    }
  }

  /** Whether `range` may leave clips out at this width. @param {number} stepFrames */
  thins(stepFrames) {
    return this.#blocks.some(({ longest }) => longest < stepFrames);
  }

  /** Puts the clips in the order of their starts; equal ones keep theirs. */
  settle() {
    if (this.#tidy) return;
    this.#tidy = true;
    let last = -Infinity;
    const ordered = this.#blocks.every((block) => {
      const follows = block.ordered && block.first + block.by >= last;
      last = block.last + block.by;
      return follows;
    });
    if (ordered) return;
    // A shift that has brought clips past others: seldom, so all of it is made anew.
    const clips = this.#blocks.flatMap((block) => this.#catchUp(block).clips)
      .sort((a, b) => a.startFrame - b.startFrame);
    this.touched += clips.length;
    this.#blocks = [];
    for (let from = 0; from < clips.length; from += BLOCK_CLIPS) {
      this.#insertBlocks(this.#blocks.length, clips.slice(from, from + BLOCK_CLIPS));
    }
  }

  /** The last block that begins at or before a frame; the first one if none does. @param {number} frame */
  #lastFrom(frame) {
    let low = 0;
    let high = this.#blocks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#blocks[middle].first + this.#blocks[middle].by <= frame) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, low - 1);
  }

  /** @param {Block} block @returns {Block} whose clips say where they are */
  #catchUp(block) {
    const { by } = block;
    if (by === 0) return block;
    this.touched += block.clips.length;
    for (const clip of block.clips) clip.startFrame += by;
    if (block.ends !== null) block.ends = block.ends.map((end) => end + by);
    block.first += by;
    block.last += by;
    block.end += by;
    block.by = 0;
    return block;
  }

  /** @param {number} index @param {ChangedClip[]} clips */
  #insertBlocks(index, clips) {
    /** @type {Block} */
    const block = {
      clips,
      by: 0,
      first: 0,
      last: 0,
      end: 0,
      longest: 0,
      ordered: true,
      ends: null,
    };
    for (const { clipId } of clips) this.#blockOf.set(clipId, block);
    this.#measure(block);
    this.#blocks.splice(index, 0, block);
  }

  /** Takes note of where a block's clips lie, after they have changed. @param {Block} block */
  #measure(block) {
    let [first, last, end, longest, ordered] = [Infinity, -Infinity, -Infinity, 0, true];
    for (const { startFrame, lengthFrames } of block.clips) {
      ordered &&= startFrame >= last;
      first = Math.min(first, startFrame);
      last = Math.max(last, startFrame);
      end = Math.max(end, startFrame + lengthFrames);
      longest = Math.max(longest, lengthFrames);
    }
    Object.assign(block, { first, last, end, longest, ordered, ends: null });
    this.touched += block.clips.length;
    this.#reach = null;
  }

  /** Takes empty blocks out and joins tiny ones with the one before them. */
  #join() {
    /** @type {Block[]} */
    const joined = [];
    for (const block of this.#blocks) {
      const before = joined.at(-1);
      const count = block.clips.length;
      if (count === 0) continue;
      const isTiny = count < TINY_CLIPS || before !== undefined && before.clips.length < TINY_CLIPS;
      if (before === undefined || !isTiny || before.clips.length + count > BLOCK_CLIPS / 2) {
        joined.push(block);
        continue;
      }
      this.#catchUp(before);
      this.#catchUp(block);
      for (const clip of block.clips) {
        before.clips.push(clip);
        this.#blockOf.set(clip.clipId, before);
      }
      this.#measure(before);
    }
    this.#blocks = joined;
    this.#reach = null;
  }

  #reached() {
    if (this.#reach !== null) return this.#reach;
    let reach = -Infinity;
    return this.#reach = Float64Array.from(
      this.#blocks,
      ({ end, by }) => reach = Math.max(reach, end + by),
    );
  }
}

/** @param {Block} block whose clips say where they are */
function endsOf(block) {
  if (block.ends !== null) return block.ends;
  let latest = -Infinity;
  return block.ends = Float64Array.from(
    block.clips,
    ({ startFrame, lengthFrames }) => latest = Math.max(latest, startFrame + lengthFrames),
  );
}

/** First index from `low` on whose value lies above; the length without one. @param {Float64Array} values that grow @param {number} value @param {number} low */
function firstAbove(values, value, low = 0) {
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (values[middle] > value) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** How many clips start at or before a frame. @param {readonly ChangedClip[]} clips in order @param {number} frame */
function countUpTo(clips, frame) {
  let low = 0;
  let high = clips.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (clips[middle].startFrame <= frame) low = middle + 1;
    else high = middle;
  }
  return low;
}
