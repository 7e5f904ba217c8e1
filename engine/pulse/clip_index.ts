/**
 * Which block a clip is in: a persistent hash table of 64 × 64 buckets, so that a change copies three small arrays however many clips
 * there are, and an older model keeps its own table.
 *
 * Entries may be stale (their clip or block is gone from the model): a finder looks into the block and decides. A sweep goes round the buckets, a few at each
 * change, while there are many of those.
 *
 * @module
 */

/** A block's identity over its rebuilds. */
export interface Home {
  readonly trackId: string;
}

interface Leaf {
  readonly owner: object | null;
  readonly ids: string[];
  readonly homes: Home[];
}
interface Branch {
  readonly owner: object | null;
  readonly leaves: (Leaf | undefined)[];
}
type Root = readonly (Branch | undefined)[];

const BUCKETS = 64 * 64;

function bucketOf(id: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193);
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x2c1b3c6d);
  return (hash ^ hash >>> 12) & 0xfff;
}

function find(root: Root, id: string): Home | undefined {
  const bucket = bucketOf(id);
  const leaf = root[bucket >>> 6]?.leaves[bucket & 63];
  if (leaf === undefined) return undefined;
  const i = leaf.ids.indexOf(id);
  return i < 0 ? undefined : leaf.homes[i];
}

/** An immutable table. */
export class ClipIndex {
  static readonly empty = new ClipIndex([], 0);

  constructor(
    private readonly root: Root,
    /** Entries, stale ones too. */
    readonly size: number,
    /** Buckets swept so far, over and over. */
    private readonly swept = 0,
  ) {}

  get(id: string): Home | undefined {
    return find(this.root, id);
  }

  /** A draft of the next table; this one stays as it is. */
  draft(): ClipIndexDraft {
    return new ClipIndexDraft(this.root, this.size, this.swept);
  }
}

/** A table in the making: what it copied once it changes in place. */
export class ClipIndexDraft {
  #owner: object = {};
  #root: (Branch | undefined)[];
  #size: number;
  #swept: number;

  constructor(root: Root, size: number, swept: number) {
    this.#root = root.slice();
    this.#size = size;
    this.#swept = swept;
  }

  get size(): number {
    return this.#size;
  }

  get(id: string): Home | undefined {
    return find(this.#root, id);
  }

  set(id: string, home: Home): void {
    const leaf = this.#leaf(id);
    const i = leaf.ids.indexOf(id);
    if (i >= 0) {
      leaf.homes[i] = home;
      return;
    }
    leaf.ids.push(id);
    leaf.homes.push(home);
    this.#size++;
  }

  delete(id: string): void {
    if (this.get(id) === undefined) return;
    const leaf = this.#leaf(id);
    const i = leaf.ids.indexOf(id);
    const lastId = leaf.ids.pop()!;
    const lastHome = leaf.homes.pop()!;
    if (i < leaf.ids.length) {
      leaf.ids[i] = lastId;
      leaf.homes[i] = lastHome;
    }
    this.#size--;
  }

  /** Takes stale entries out of so many buckets, others than last time. */
  sweep(buckets: number, isLive: (id: string) => boolean): void {
    for (let i = 0; i < Math.min(buckets, BUCKETS); i++) {
      const bucket = this.#swept++ % BUCKETS;
      const ids = this.#root[bucket >>> 6]?.leaves[bucket & 63]?.ids ?? [];
      for (const id of ids.filter((id) => !isLive(id))) this.delete(id);
    }
  }

  /** The table so far. The draft may go on: it will copy anew. */
  done(): ClipIndex {
    this.#owner = {};
    const index = new ClipIndex(this.#root, this.#size, this.#swept % BUCKETS);
    this.#root = this.#root.slice();
    return index;
  }

  #leaf(id: string): Leaf {
    const bucket = bucketOf(id);
    let branch = this.#root[bucket >>> 6];
    if (branch?.owner !== this.#owner) {
      branch = { owner: this.#owner, leaves: branch?.leaves.slice() ?? [] };
      this.#root[bucket >>> 6] = branch;
    }
    let leaf = branch.leaves[bucket & 63];
    if (leaf?.owner !== this.#owner) {
      leaf = {
        owner: this.#owner,
        ids: leaf?.ids.slice() ?? [],
        homes: leaf?.homes.slice() ?? [],
      };
      branch.leaves[bucket & 63] = leaf;
    }
    return leaf;
  }
}
