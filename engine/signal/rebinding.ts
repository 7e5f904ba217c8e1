/**
 * Sources that were opened, opened anew or closed, and the blocks of clips that name them: these are packed anew a few at a time, the nearest to
 * the head first, so that ten thousand sources that open one after another hold up nobody.
 *
 * @module
 */
import type { BlockRef, Frames, MixBlock, MixModel } from "./model.ts";
import { sourcesOf } from "./played.ts";

/** Most blocks that one publication packs anew because of their sources. */
export const BLOCKS_AGAIN = 8;
/** Blocks that one publication looks at for the first time: each costs a walk over its clips. */
const FIRST_LOOKS = 64;
/** What the head plays within so many seconds waits for nothing else. */
const NEAR_SECONDS = 1;
/** Most blocks that are looked at for that, and that are packed anew for it. */
const NEAR_LOOKS = 512;
const NEAR_BLOCKS = 64;

const assetsOfBlock = new WeakMap<MixBlock, ReadonlySet<string>>();

function assetsOf(block: MixBlock): ReadonlySet<string> {
  let known = assetsOfBlock.get(block);
  if (known === undefined) {
    known = new Set(block.clips.flatMap(({ body }) => sourcesOf(body)));
    assetsOfBlock.set(block, known);
  }
  return known;
}

/** A walk over all blocks of a mix. */
interface Walk {
  readonly blocks: readonly MixBlock[];
  at: number;
  /** What changed up to then is found by it. */
  readonly epoch: number;
}

/** Knows which blocks name sources that are not those of their assets any more. */
export class Rebinding {
  readonly #nearFrames: Frames;
  /** Assets of which blocks may name another source, by when that changed. */
  readonly #assets = new Map<string, number>();
  /** When a block was packed anew last. */
  readonly #packed = new WeakMap<MixBlock, number>();
  #epoch = 0;
  #walk: Walk | null = null;

  constructor(sampleRate: number) {
    this.#nearFrames = NEAR_SECONDS * sampleRate;
  }

  /** The source of an asset is another one from now on. */
  add(assetId: string): void {
    this.#assets.set(assetId, ++this.#epoch);
  }

  /** No block can name a wrong source. */
  get isDone(): boolean {
    return this.#assets.size === 0;
  }

  /** Nothing was published that could name a source. */
  clear(): void {
    this.#assets.clear();
    this.#walk = null;
  }

  /** Whether a block has clips that may name a wrong source where it was packed before: it cannot be packed as a splice of that. */
  isOld(block: MixBlock): boolean {
    return this.#assets.size > 0 && this.#some(block, () => true);
  }

  /**
   * Blocks of a mix that are to be packed anew now; call {@linkcode Rebinding.done} once they are.
   *
   * @param most Of all; those that the head is about to play may be more, up to `mostNear`.
   */
  take(
    mix: MixModel,
    headFrame: Frames,
    most = BLOCKS_AGAIN,
    mostNear = Math.max(most, NEAR_BLOCKS),
  ): Set<MixBlock> {
    const again = new Set<MixBlock>();
    if (this.#assets.size === 0) return again;
    this.#takeNear(mix, headFrame, again, mostNear);
    this.#walk ??= { blocks: byDistance(mix, headFrame), at: 0, epoch: this.#epoch };
    const { blocks } = this.#walk;
    let looks = 0;
    while (this.#walk.at < blocks.length && again.size < most && looks < FIRST_LOOKS) {
      const block = blocks[this.#walk.at++];
      if (!assetsOfBlock.has(block)) looks++;
      if (this.#isStale(block)) again.add(block);
    }
    return again;
  }

  /** Those blocks were packed anew, and what was kept of others that name a wrong source is gone. */
  done(blocks: Iterable<MixBlock>): void {
    for (const block of blocks) this.#packed.set(block, this.#epoch);
    const walk = this.#walk;
    if (walk === null || walk.at < walk.blocks.length) return;
    // Blocks that came meanwhile have named what is right from the start.
    for (const [assetId, since] of this.#assets) {
      if (since <= walk.epoch) this.#assets.delete(assetId);
    }
    this.#walk = null;
  }

  #isStale(block: MixBlock): boolean {
    const packed = this.#packed.get(block) ?? 0;
    return this.#some(block, (since) => since > packed);
  }

  /** Whether a source of the block has changed at a time that passes. */
  #some(block: MixBlock, passes: (since: number) => boolean): boolean {
    const of = assetsOf(block);
    if (of.size <= this.#assets.size) {
      for (const assetId of of) {
        const since = this.#assets.get(assetId);
        if (since !== undefined && passes(since)) return true;
      }
      return false;
    }
    for (const [assetId, since] of this.#assets) if (of.has(assetId) && passes(since)) return true;
    return false;
  }

  /** Takes blocks of which the head is about to play a clip whose source has changed. */
  #takeNear({ tracks }: MixModel, headFrame: Frames, again: Set<MixBlock>, most: number): void {
    const to = headFrame + this.#nearFrames;
    let looks = 0;
    for (const { blocks } of tracks) {
      for (const ref of blocks) {
        if (ref.start >= to) break;
        if (ref.start + ref.block.maxEnd <= headFrame) continue;
        if (looks++ === NEAR_LOOKS) return;
        if (!this.#isStaleWithin(ref, headFrame, to)) continue;
        if (again.add(ref.block).size >= most) return;
      }
    }
  }

  /** Whether a clip that has frames in `[from, to)` may name a wrong source. */
  #isStaleWithin({ start, block }: BlockRef, from: Frames, to: Frames): boolean {
    const packed = this.#packed.get(block) ?? 0;
    for (const { at, body } of block.clips) {
      if (start + at >= to) return false;
      if (start + at + body.lengthFrames <= from) continue;
      if (sourcesOf(body).some((id) => (this.#assets.get(id) ?? 0) > packed)) return true;
    }
    return false;
  }
}

function distanceOf({ start, block }: BlockRef, headFrame: Frames): Frames {
  return Math.max(0, start - headFrame, headFrame - (start + block.maxEnd));
}

function byDistance({ tracks }: MixModel, headFrame: Frames): MixBlock[] {
  const refs = tracks.flatMap(({ blocks }) =>
    blocks.map((ref) => ({ block: ref.block, distance: distanceOf(ref, headFrame) }))
  );
  return refs.sort((a, b) => a.distance - b.distance).map(({ block }) => block);
}
