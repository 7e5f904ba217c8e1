/**
 * Packs a mix for the native side: what changed since the last published one, as splices of it (layout in
 * `ffi/native/snapshot.h`).
 *
 * @module
 */
import { BytesWriter } from "./bytes_writer.ts";
import { hasSolo, linear, trackGains } from "./gains.ts";
import { isSilent, sourcePath } from "./speed.ts";
import type {
  BlockRef,
  HeadMapStep,
  MixBlock,
  MixClipBody,
  MixModel,
  MixTrack,
  PlacedClip,
} from "./model.ts";

const MAGIC = 0x314b504c;
/** Most tracks of a mix. */
export const MAX_TRACKS = 2048;

interface Published {
  readonly slot: number;
  readonly blocks: readonly BlockRef[];
}

/** A packed publication. Call `commit` once the native side has taken it; without, the packer stays as it was. */
export interface Packed {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Tracks that had no slot before, with theirs. */
  readonly assigned: readonly (readonly [trackId: string, slot: number])[];
  commit(): void;
}

/** A new block's clips as a splice of an old block's. */
interface Splice {
  readonly baseId: number;
  readonly prefix: number;
  readonly suffix: number;
  readonly prefixShift: number;
  readonly suffixShift: number;
}

const NO_SPLICE: Splice = { baseId: 0, prefix: 0, suffix: 0, prefixShift: 0, suffixShift: 0 };

export class Packer {
  #tracks = new Map<string, Published>();
  #blocks = new Map<MixBlock, { id: number; uses: number }>();
  #nextBlock = 1;
  #freeSlots: number[] = [];
  #nextSlot = 0;
  readonly #uids = new Map<string, number>();
  readonly #clips: string[] = [""];
  #slotTracks: (string | null)[] = [];

  /** The clip of a uid that a native event names. */
  clipOf(uid: number): string | null {
    return this.#clips[uid] || null;
  }
  /** The track that was last published under a slot. */
  trackOf(slot: number): string | null {
    return this.#slotTracks[slot] ?? null;
  }
  /** The slot of a track that is published. */
  slotOf(trackId: string): number | undefined {
    return this.#tracks.get(trackId)?.slot;
  }
  /** Slots in use lie below this. */
  get slots(): number {
    return this.#nextSlot;
  }

  #uid(clipId: string): number {
    let uid = this.#uids.get(clipId);
    if (uid === undefined) {
      uid = this.#clips.push(clipId) - 1;
      this.#uids.set(clipId, uid);
    }
    return uid;
  }

  /**
   * @param mix What shall sound.
   * @param sourceOf Native handle of an asset's source, 0 if it has none.
   * @param rebound Assets whose handle changed since the last publication: their clips are packed anew.
   * @throws {RangeError} If there are more tracks than slots.
   */
  pack(
    mix: MixModel,
    revision: number,
    map: readonly HeadMapStep[],
    sourceOf: (assetId: string) => number,
    rebound: ReadonlySet<string> = new Set(),
  ): Packed {
    if (mix.tracks.length > MAX_TRACKS) {
      throw new RangeError(
        `Cannot publish ${mix.tracks.length} tracks: at most ${MAX_TRACKS} can sound`,
      );
    }
    const out = new BytesWriter();
    const body = new BytesWriter();
    out.u32(MAGIC);
    out.u32(0);
    out.f64(revision);
    out.u32(map.length);
    out.u32(0);
    out.u32(mix.tracks.length);
    out.u32(0);
    for (const step of map) {
      out.f64(step.at);
      out.f64(step.remove);
      out.f64(step.insert);
    }

    const fresh = new Map<MixBlock, number>();
    let nextBlock = this.#nextBlock;
    const uses = new Map<MixBlock, number>();
    const use = (block: MixBlock, by: number) => uses.set(block, (uses.get(block) ?? 0) + by);
    const staleKnown = new Map<MixBlock, boolean>();
    const stale = (block: MixBlock): boolean => {
      if (rebound.size === 0) return false;
      let known = staleKnown.get(block);
      if (known === undefined) {
        known = block.clips.some((clip) => rebound.has(clip.body.assetId));
        staleKnown.set(block, known);
      }
      return known;
    };

    const slots = this.#assignSlots(mix);
    const tracks = new Map<string, Published>();
    const anySolo = hasSolo(mix);
    for (const track of mix.tracks) {
      const before = this.#tracks.get(track.trackId);
      const slot = slots.of.get(track.trackId)!;
      tracks.set(track.trackId, { slot, blocks: track.blocks });
      const unchanged = before !== undefined && before.blocks === track.blocks &&
        (rebound.size === 0 || !track.blocks.some((ref) => stale(ref.block)));
      const [left, right] = trackGains(track, anySolo);
      body.u32(slot);
      const piecesAt = body.length;
      body.u32(0);
      body.f32(left);
      body.f32(right);
      body.u32(unchanged ? 1 : 0);
      body.u32(0);
      if (unchanged) continue;
      const pieces = this.#packTrack(
        track,
        before?.blocks ?? [],
        body,
        stale,
        use,
        (block, base) => {
          let id = fresh.get(block);
          if (id === undefined) {
            id = nextBlock++;
            fresh.set(block, id);
            this.#packBlock(block, id, base, out, sourceOf);
          }
          return id;
        },
      );
      body.setU32(piecesAt, pieces);
    }
    for (const [trackId, before] of this.#tracks) {
      if (!tracks.has(trackId)) { for (const ref of before.blocks) use(ref.block, -1); }
    }

    out.setU32(20, fresh.size);
    const all = new Uint8Array(out.length + body.length);
    all.set(out.bytes());
    all.set(body.bytes(), out.length);
    new DataView(all.buffer).setUint32(4, all.length, true);
    return {
      bytes: all,
      assigned: [...slots.of].filter(([trackId]) => !this.#tracks.has(trackId)),
      commit: () => {
        this.#nextBlock = nextBlock;
        for (const [block, id] of fresh) {
          const known = this.#blocks.get(block);
          if (known) known.id = id;
          else this.#blocks.set(block, { id, uses: 0 });
        }
        for (const [block, by] of uses) {
          const known = this.#blocks.get(block);
          if (!known) continue;
          known.uses += by;
          if (known.uses <= 0) this.#blocks.delete(block);
        }
        this.#tracks = tracks;
        this.#freeSlots = slots.free;
        this.#nextSlot = slots.next;
        for (const [trackId, { slot }] of tracks) this.#slotTracks[slot] = trackId;
      },
    };
  }

  /** Slots are given back in the order freed, so that a slot rests before it means another track. */
  #assignSlots(mix: MixModel): { of: Map<string, number>; free: number[]; next: number } {
    const of = new Map<string, number>();
    const free = [...this.#freeSlots];
    let next = this.#nextSlot;
    const here = new Set(mix.tracks.map((track) => track.trackId));
    for (const track of mix.tracks) {
      const before = this.#tracks.get(track.trackId);
      if (before) of.set(track.trackId, before.slot);
      else if (next < MAX_TRACKS) of.set(track.trackId, next++);
      else of.set(track.trackId, free.shift() ?? -1);
    }
    for (const [trackId, { slot }] of this.#tracks) if (!here.has(trackId)) free.push(slot);
    // Only when every slot was used once and all free ones are taken: those freed by this very edit.
    for (const [trackId, slot] of of) if (slot < 0) of.set(trackId, free.shift()!);
    return { of, free, next };
  }

  /** Writes a track's pieces; returns how many. */
  #packTrack(
    track: MixTrack,
    old: readonly BlockRef[],
    body: BytesWriter,
    stale: (block: MixBlock) => boolean,
    use: (block: MixBlock, by: number) => void,
    idOf: (block: MixBlock, base: Splice) => number,
  ): number {
    const now = track.blocks;
    const least = Math.min(old.length, now.length);
    let prefix = 0;
    while (
      prefix < least && now[prefix].block === old[prefix].block &&
      now[prefix].start === old[prefix].start && !stale(now[prefix].block)
    ) prefix++;
    let suffix = 0;
    let shift = 0;
    while (suffix < least - prefix) {
      const n = now[now.length - 1 - suffix];
      const o = old[old.length - 1 - suffix];
      if (n.block !== o.block || stale(n.block)) break;
      if (suffix === 0) shift = n.start - o.start;
      else if (n.start - o.start !== shift) break;
      suffix++;
    }
    let pieces = 0;
    const piece = (kind: number, a: number, b: number, value: number) => {
      body.u32(kind);
      body.u32(a);
      body.u32(b);
      body.u32(0);
      body.f64(value);
      pieces++;
    };
    if (prefix > 0) piece(0, 0, prefix, 0);
    const removed = old.slice(prefix, old.length - suffix);
    for (const ref of removed) use(ref.block, -1);
    let origins: Map<MixClipBody, { block: MixBlock; index: number }> | null = null;
    for (const ref of now.slice(prefix, now.length - suffix)) {
      use(ref.block, 1);
      const known = this.#blocks.get(ref.block);
      if (known && !stale(ref.block)) {
        piece(1, known.id, 0, ref.start);
        continue;
      }
      origins ??= originsOf(removed);
      piece(1, idOf(ref.block, this.#spliceOf(ref.block, origins, stale)), 0, ref.start);
    }
    if (suffix > 0) piece(0, old.length - suffix, suffix, shift);
    return pieces;
  }

  #spliceOf(
    block: MixBlock,
    origins: Map<MixClipBody, { block: MixBlock; index: number }>,
    stale: (block: MixBlock) => boolean,
  ): Splice {
    if (stale(block)) return NO_SPLICE;
    let base: MixBlock | undefined;
    for (const clip of block.clips) {
      base = origins.get(clip.body)?.block;
      if (base) break;
    }
    const known = base && this.#blocks.get(base);
    if (!base || !known) return NO_SPLICE;
    const a = block.clips;
    const b = base.clips;
    const least = Math.min(a.length, b.length);
    const same = (x: PlacedClip, y: PlacedClip, by: number) =>
      x.body === y.body && x.at - y.at === by;
    const prefixShift = a[0].at - b[0].at;
    let prefix = 0;
    while (prefix < least && same(a[prefix], b[prefix], prefixShift)) prefix++;
    const suffixShift = a[a.length - 1].at - b[b.length - 1].at;
    let suffix = 0;
    while (
      suffix < least - prefix &&
      same(a[a.length - 1 - suffix], b[b.length - 1 - suffix], suffixShift)
    ) suffix++;
    return { baseId: known.id, prefix, suffix, prefixShift, suffixShift };
  }

  #packBlock(
    block: MixBlock,
    id: number,
    splice: Splice,
    out: BytesWriter,
    sourceOf: (assetId: string) => number,
  ): void {
    const { baseId, prefix, suffix, prefixShift, suffixShift } = splice;
    const inserted = block.clips.slice(prefix, block.clips.length - suffix);
    out.u32(id);
    out.u32(baseId);
    out.u32(prefix);
    out.u32(suffix);
    out.f64(prefixShift);
    out.f64(suffixShift);
    out.u32(inserted.length);
    out.u32(0);
    for (const { at, body } of inserted) {
      const silent = isSilent(body);
      const { first, step } = sourcePath(body);
      out.u32(this.#uid(body.clipId));
      out.u32(silent ? 0 : sourceOf(body.assetId));
      out.f64(at);
      out.f64(body.lengthFrames);
      out.f64(first);
      out.f64(step);
      out.f64(body.fadeInFrames);
      out.f64(body.fadeOutFrames);
      out.f32(linear(body.gainDb));
      out.u32(
        (body.fadeInShape === "equalPower" ? 1 : 0) | (body.fadeOutShape === "equalPower" ? 2 : 0) |
          (silent ? 4 : 0),
      );
    }
  }
}

/** Where the bodies of removed blocks stood. */
function originsOf(
  removed: readonly BlockRef[],
): Map<MixClipBody, { block: MixBlock; index: number }> {
  const origins = new Map<MixClipBody, { block: MixBlock; index: number }>();
  for (const { block } of removed) {
    block.clips.forEach((clip, index) => origins.set(clip.body, { block, index }));
  }
  return origins;
}
