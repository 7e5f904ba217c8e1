/**
 * What the native side has of a mix's blocks: their ids there, the numbers of their clips, and which of them are kept although nothing that is
 * published has them.
 *
 * A block that goes as a whole (with its track, in a long cut) is kept for a while: an undo brings it back by its id, however many clips it has. One that
 * another block was made of is not: the way back from that one is as short.
 *
 * @module
 */
import type { MixBlock } from "./model.ts";

/** Clips of blocks that are kept, together: those of the largest timeline. Native memory: about 80 bytes each. */
export const MOST_KEPT_CLIPS = 200_000;
/** Blocks that are let go of at a time, beside as many as come to be kept. */
const LET_GO_AT_A_TIME = 8;
/** Clips that nothing has any more and whose names are remembered: the end of a gap may still be told. */
const MOST_FORMER = 4_096;

/** A clip's number on the native side, which it has as long as a block that is known there has the clip. */
interface ClipNumber {
  readonly uid: number;
  readonly clipId: string;
  /** Blocks that have it. */
  blocks: number;
}

/** A block that the native side has. */
interface KnownBlock {
  id: number;
  /** Places of it in what is published. */
  uses: number;
  /** Of its clips, in order. */
  numbers: readonly ClipNumber[];
  kept: boolean;
}

/** A block as a splice of one that is known: clips taken over from its begin and its end. */
export interface Shared {
  readonly base: MixBlock | null;
  readonly prefix: number;
  readonly suffix: number;
}

/** What is told of a block: that it is kept from now on, or no longer. */
export interface Keep {
  readonly block: MixBlock;
  readonly id: number;
  readonly kept: boolean;
}

/** The blocks of one renderer. */
export class KnownBlocks {
  readonly #blocks = new Map<MixBlock, KnownBlock>();
  readonly #numbers = new Map<string, ClipNumber>();
  readonly #names = new Map<number, string>();
  readonly #former: number[] = [];
  /** In the order in which they came to be kept. */
  readonly #kept = new Map<MixBlock, KnownBlock>();
  #keptClips = 0;
  #nextBlock = 1;
  #nextUid = 1;

  /** Clips that have a number. */
  get size(): number {
    return this.#numbers.size;
  }
  /** Blocks that are kept beside what is published. */
  get keptBlocks(): number {
    return this.#kept.size;
  }

  /** The native id of a block that is known, also of one that is only kept. */
  idOf(block: MixBlock): number | undefined {
    return this.#blocks.get(block)?.id;
  }

  /** The clip of a uid that a native event names. */
  clipOf(uid: number): string | null {
    return this.#names.get(uid) ?? null;
  }

  /** What a publication changes here, once it is taken. */
  draft(): BlocksDraft {
    return new BlocksDraft(this.#nextBlock, this.#nextUid, {
      known: (block) => this.#blocks.get(block),
      number: (clipId) => this.#numbers.get(clipId),
    });
  }

  /**
   * What has to be told of blocks that the draft brings, takes away or makes anew.
   *
   * @param isStale Whether a source of a block is another one than when it was packed; `null` where none is.
   */
  keeps({ fresh, uses, bases }: BlocksDraft, isStale: ((block: MixBlock) => boolean) | null) {
    const keeps: Keep[] = [];
    let clips = this.#keptClips;
    let added = 0;
    for (const [block, by] of uses) {
      const known = this.#blocks.get(block);
      if (known === undefined) continue;
      const { id } = known;
      const isUsed = known.uses + by > 0;
      if (known.kept && (isUsed || isStale?.(block))) {
        keeps.push({ block, id, kept: false });
        clips -= block.clips.length;
      } else if (
        !isUsed && !known.kept && !bases.has(block) && !fresh.has(block) && !isStale?.(block)
      ) {
        keeps.push({ block, id, kept: true });
        clips += block.clips.length;
        added++;
      }
    }
    let left = added + LET_GO_AT_A_TIME;
    for (const [block, { id }] of this.#kept) {
      const isTooMuch = clips > MOST_KEPT_CLIPS && left > 0;
      if (!isTooMuch && isStale === null) break;
      if (uses.has(block) || !isTooMuch && !isStale!(block)) continue;
      keeps.push({ block, id, kept: false });
      clips -= block.clips.length;
      left--;
    }
    return keeps;
  }

  /** Takes note of what the native side has taken, and of what it was told to keep. */
  commit(draft: BlocksDraft, keeps: readonly Keep[]): void {
    this.#nextBlock = draft.nextBlock;
    this.#nextUid = draft.nextUid;
    for (const number of draft.numbers.values()) {
      this.#numbers.set(number.clipId, number);
      this.#names.set(number.uid, number.clipId);
    }
    for (const { block, kept } of keeps) this.#keep(block, this.#blocks.get(block)!, kept);
    // Those that come before those that go: a clip that both have keeps its number.
    const heirs = new Map<MixBlock, Fresh>();
    for (const [block, fresh] of draft.fresh) {
      const { id, numbers, shared: { base } } = fresh;
      const known = this.#blocks.get(block);
      if (base !== null && !heirs.has(base) && this.#goes(base, draft)) heirs.set(base, fresh);
      else for (const number of numbers) number.blocks++;
      if (known === undefined) {
        this.#blocks.set(block, { id, uses: 0, numbers, kept: false });
        continue;
      }
      this.#release(known.numbers);
      known.id = id;
      known.numbers = numbers;
    }
    // A block made of one that goes takes over what both have: only what came and went between is counted.
    for (const { numbers, shared: { prefix, suffix } } of heirs.values()) {
      for (let i = prefix; i < numbers.length - suffix; i++) numbers[i].blocks++;
    }
    for (const [base, { shared: { prefix, suffix } }] of heirs) {
      const old = this.#blocks.get(base)!.numbers;
      this.#release(old.slice(prefix, old.length - suffix));
    }
    for (const [block, by] of draft.uses) {
      const known = this.#blocks.get(block);
      if (known === undefined) continue;
      known.uses += by;
      if (known.uses > 0 || known.kept) continue;
      this.#blocks.delete(block);
      if (!heirs.has(block)) this.#release(known.numbers);
    }
    for (const { block } of keeps) {
      const known = this.#blocks.get(block);
      if (known === undefined || known.uses > 0 || known.kept) continue;
      this.#blocks.delete(block);
      this.#release(known.numbers);
    }
  }

  /** Whether nothing has a block any more once the draft is taken. */
  #goes(block: MixBlock, { uses, fresh }: BlocksDraft): boolean {
    const known = this.#blocks.get(block);
    return known !== undefined && !known.kept && !fresh.has(block) &&
      known.uses + (uses.get(block) ?? 0) <= 0;
  }

  #keep(block: MixBlock, known: KnownBlock, kept: boolean): void {
    known.kept = kept;
    this.#keptClips += kept ? block.clips.length : -block.clips.length;
    if (kept) this.#kept.set(block, known);
    else this.#kept.delete(block);
  }

  #release(numbers: readonly ClipNumber[]): void {
    for (const number of numbers) {
      if (--number.blocks > 0) continue;
      this.#numbers.delete(number.clipId);
      this.#former.push(number.uid);
    }
    // A long cut forgets many at once: what is beyond goes in one piece.
    if (this.#former.length < 2 * MOST_FORMER) return;
    for (const uid of this.#former.splice(0, this.#former.length - MOST_FORMER)) {
      this.#names.delete(uid);
    }
  }
}

/** A block that the native side does not have yet. */
interface Fresh {
  readonly id: number;
  readonly numbers: readonly ClipNumber[];
  readonly shared: Shared;
}

/** Changes of {@linkcode KnownBlocks} in the making. */
export class BlocksDraft {
  readonly fresh = new Map<MixBlock, Fresh>();
  /** Places more or less of each block. */
  readonly uses = new Map<MixBlock, number>();
  /** Blocks that fresh ones are made of. */
  readonly bases = new Set<MixBlock>();
  /** Of clips that had none. */
  readonly numbers = new Map<string, ClipNumber>();

  constructor(
    public nextBlock: number,
    public nextUid: number,
    private readonly of: {
      known: (block: MixBlock) => KnownBlock | undefined;
      number: (clipId: string) => ClipNumber | undefined;
    },
  ) {}

  use(block: MixBlock, by: number): void {
    this.uses.set(block, (this.uses.get(block) ?? 0) + by);
  }

  /** Gives a block an id, and its clips their numbers. */
  add(block: MixBlock, shared: Shared): number {
    const { base, prefix, suffix } = shared;
    const id = this.nextBlock++;
    const old = base === null ? [] : this.of.known(base)!.numbers;
    if (base !== null) this.bases.add(base);
    const between = block.clips.slice(prefix, block.clips.length - suffix)
      .map(({ body }) => this.#number(body.clipId));
    const numbers = old.slice(0, prefix).concat(between, old.slice(old.length - suffix));
    this.fresh.set(block, { id, numbers, shared });
    return id;
  }

  /** Of a clip of a block that was added. */
  uidAt(block: MixBlock, index: number): number {
    return this.fresh.get(block)!.numbers[index].uid;
  }

  #number(clipId: string): ClipNumber {
    let number = this.of.number(clipId) ?? this.numbers.get(clipId);
    if (number === undefined) {
      number = { uid: this.nextUid++, clipId, blocks: 0 };
      this.numbers.set(clipId, number);
    }
    return number;
  }
}
