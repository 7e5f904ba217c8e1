/**
 * Packs a mix for the native side: what changed since the last published one, as splices of it (layout in
 * `ffi/native/snapshot.h`).
 *
 * @module
 */
import { BytesWriter } from "./bytes_writer.ts";
import { hasSolo, linear, trackGains } from "./gains.ts";
import { type BlocksDraft, KnownBlocks } from "./known_blocks.ts";
import { playedFrom } from "./played.ts";
import { isSilent, sourcePath } from "./speed.ts";
import type {
  BlockRef,
  Frames,
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

/** A track as it was published last. */
interface Published {
  readonly track: MixTrack;
  readonly slot: number;
  /** Among the tracks. */
  index: number;
  readonly left: number;
  readonly right: number;
}

/** A packed publication. Call `commit` once the native side has taken it; without, the packer stays as it was. */
export interface Packed {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Tracks that had no slot before, with theirs. */
  readonly assigned: readonly (readonly [trackId: string, slot: number])[];
  /** Blocks whose clips were packed, or that were made of others: they name the sources of now. */
  readonly fresh: Iterable<MixBlock>;
  commit(): void;
}

/** What of a mix is packed anew although the native side has it. */
export interface PackedAgain {
  readonly blocks: ReadonlySet<MixBlock>;
  /** Whether clips of a block may have been packed with a handle that is another now; `null` where none can. */
  readonly isOld: ((block: MixBlock) => boolean) | null;
}

const NOTHING_AGAIN: PackedAgain = { blocks: new Set(), isOld: null };

/** A new block's clips as a splice of an old block's. */
interface Splice {
  readonly base: MixBlock | null;
  readonly baseId: number;
  readonly prefix: number;
  readonly suffix: number;
  readonly prefixShift: number;
  readonly suffixShift: number;
}

const NO_SPLICE: Splice = {
  base: null,
  baseId: 0,
  prefix: 0,
  suffix: 0,
  prefixShift: 0,
  suffixShift: 0,
};
/** `flags` of a track: its content is as it was; it stands for a run of tracks as they were. */
const SAME_CONTENT = 1;
const RUN = 2;

/**
 * Packs one renderer's publications, each as what it changes of the one before.
 *
 * A publication costs a look at each track, and at each block of the tracks that changed; bytes it costs only for what is new, and a few for each stretch
 * of blocks or tracks that moved or stayed.
 */
export class Packer {
  readonly #blocks = new KnownBlocks();
  readonly #keepsBlocks: boolean;
  readonly #tracks = new Map<string, Published>();
  #order: readonly Published[] = [];
  #anySolo = false;
  #freeSlots: readonly number[] = [];
  #nextSlot = 0;
  #slotTracks: (string | null)[] = [];

  /** @param options.keeps Keep blocks that are taken away, for an undo. */
  constructor({ keeps = false } = {}) {
    this.#keepsBlocks = keeps;
  }

  /** The clip of a uid that a native event names. */
  clipOf(uid: number): string | null {
    return this.#blocks.clipOf(uid);
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
  /** Clips that have a number, and blocks that are kept beside what is published. */
  get known(): { clips: number; keptBlocks: number } {
    return { clips: this.#blocks.size, keptBlocks: this.#blocks.keptBlocks };
  }

  /**
   * @param mix What shall sound.
   * @param sourceOf Native handle of an asset's source, or of a render (`played.ts`), 0 if it has none.
   * @param again What is packed anew because handles have changed.
   * @throws {RangeError} If there are more tracks than slots.
   */
  pack(
    mix: MixModel,
    revision: number,
    map: readonly HeadMapStep[],
    sourceOf: (assetId: string) => number,
    again: PackedAgain = NOTHING_AGAIN,
  ): Packed {
    if (mix.tracks.length > MAX_TRACKS) {
      throw new RangeError(
        `Cannot publish ${mix.tracks.length} tracks: at most ${MAX_TRACKS} can sound`,
      );
    }
    const out = new BytesWriter();
    const body = new BytesWriter();
    const draft = this.#blocks.draft();
    const anySolo = hasSolo(mix);
    const [first, last] = this.#changedTracks(mix, anySolo, again.blocks.size > 0);
    const changed = mix.tracks.slice(first, mix.tracks.length - last);
    const slots = this.#assignSlots(changed, this.#order.slice(first, this.#order.length - last));

    const middle: Published[] = [];
    const runs = new RunWriter(body);
    runs.add(0, first);
    for (const [i, track] of changed.entries()) {
      const before = this.#tracks.get(track.trackId);
      const [left, right] = trackGains(track, anySolo);
      const slot = before?.slot ?? slots.of.get(track.trackId)!;
      middle.push({ track, slot, index: first + i, left, right });
      const sameContent = before !== undefined && before.track.blocks === track.blocks &&
        (again.blocks.size === 0 || !track.blocks.some((ref) => again.blocks.has(ref.block)));
      if (sameContent && before.left === left && before.right === right) {
        runs.add(before.index, 1);
        continue;
      }
      runs.flush();
      const piecesAt = writeTrack(body, slot, left, right, sameContent ? SAME_CONTENT : 0);
      if (sameContent) continue;
      const old = before?.track.blocks ?? [];
      const pieces = this.#packTrack(track, old, body, again, draft, (block, splice) => {
        const known = draft.fresh.get(block);
        if (known !== undefined) return known.id;
        const id = draft.add(block, splice);
        this.#packBlock(block, id, splice, out, sourceOf, draft);
        return id;
      });
      body.setU32(piecesAt, pieces);
    }
    runs.add(this.#order.length - last, last);
    runs.flush();
    for (const { track: { blocks } } of slots.gone) {
      for (const ref of blocks) draft.use(ref.block, -1);
    }

    const keeps = this.#keepsBlocks ? this.#blocks.keeps(draft, again.isOld) : [];
    const head = new BytesWriter();
    head.u32(MAGIC);
    head.u32(0);
    head.f64(revision);
    head.u32(map.length);
    head.u32(draft.fresh.size);
    head.u32(mix.tracks.length);
    head.u32(keeps.length);
    for (const step of map) {
      head.f64(step.at);
      head.f64(step.remove);
      head.f64(step.insert);
    }
    for (const { id, kept } of keeps) {
      head.u32(id);
      head.u32(kept ? 1 : 0);
    }
    head.setU32(4, head.length + out.length + body.length);
    const all = new Uint8Array(head.length + out.length + body.length);
    all.set(head.bytes());
    all.set(out.bytes(), head.length);
    all.set(body.bytes(), head.length + out.length);
    return {
      bytes: all,
      assigned: [...slots.of],
      fresh: draft.fresh.keys(),
      commit: () => {
        this.#blocks.commit(draft, keeps);
        for (const { track } of slots.gone) this.#tracks.delete(track.trackId);
        for (const published of middle) {
          this.#tracks.set(published.track.trackId, published);
          this.#slotTracks[published.slot] = published.track.trackId;
        }
        const rest = this.#order.slice(this.#order.length - last);
        rest.forEach((published, i) => published.index = mix.tracks.length - last + i);
        this.#order = [...this.#order.slice(0, first), ...middle, ...rest];
        this.#anySolo = anySolo;
        this.#freeSlots = slots.free;
        this.#nextSlot = slots.next;
      },
    };
  }

  /** How many tracks at the begin and at the end are the same objects as before, and sound as before. */
  #changedTracks({ tracks }: MixModel, anySolo: boolean, isAgain: boolean): [number, number] {
    const order = this.#order;
    if (anySolo !== this.#anySolo || isAgain) return [0, 0];
    const least = Math.min(tracks.length, order.length);
    let first = 0;
    while (first < least && tracks[first] === order[first].track) first++;
    let last = 0;
    while (
      last < least - first &&
      tracks[tracks.length - 1 - last] === order[order.length - 1 - last].track
    ) last++;
    return [first, last];
  }

  /**
   * Slots for the tracks of a stretch that had none, and the tracks that are gone from it. Slots are given back in the order freed, so that a slot rests
   * before it means another track.
   */
  #assignSlots(changed: readonly MixTrack[], before: readonly Published[]) {
    const of = new Map<string, number>();
    const free = [...this.#freeSlots];
    let next = this.#nextSlot;
    const here = new Set(changed.map((track) => track.trackId));
    for (const { trackId } of changed) {
      if (this.#tracks.has(trackId)) continue;
      of.set(trackId, next < MAX_TRACKS ? next++ : free.shift() ?? -1);
    }
    const gone = before.filter(({ track }) => !here.has(track.trackId));
    for (const { slot } of gone) free.push(slot);
    // Only when every slot was used once and all free ones are taken: those freed by this very edit.
    for (const [trackId, slot] of of) if (slot < 0) of.set(trackId, free.shift()!);
    return { of, free, next, gone };
  }

  /** Writes a track's pieces; returns how many. */
  #packTrack(
    track: MixTrack,
    old: readonly BlockRef[],
    body: BytesWriter,
    again: PackedAgain,
    draft: BlocksDraft,
    idOf: (block: MixBlock, base: Splice) => number,
  ): number {
    const now = track.blocks;
    const stale = (block: MixBlock) => again.blocks.has(block);
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
    const between = old.slice(prefix, old.length - suffix);
    for (const ref of between) draft.use(ref.block, -1);
    const places = new Map(between.map((ref, i) => [ref.block, prefix + i]));
    const here = now.slice(prefix, now.length - suffix);
    const pieces = new PieceWriter(body);
    pieces.places(0, prefix, 0);
    const origins = new Origins(between, here);
    for (const { start, block } of here) {
      draft.use(block, 1);
      const was = places.get(block);
      // One that comes back as it was kept would bring its old handles; one that stays waits for its turn.
      const isAgain = stale(block) || was === undefined && again.isOld?.(block);
      const known = isAgain ? undefined : this.#blocks.idOf(block);
      if (known !== undefined && was !== undefined) {
        pieces.places(was, 1, start - old[was].start);
      } else if (known !== undefined) {
        pieces.block(known, start);
      } else {
        pieces.block(idOf(block, this.#spliceOf(block, origins, again)), start);
      }
    }
    if (suffix > 0) pieces.places(old.length - suffix, suffix, shift);
    pieces.flush();
    return pieces.count;
  }

  #spliceOf(
    block: MixBlock,
    origins: Origins,
    again: PackedAgain,
  ): Splice {
    if (again.blocks.has(block) || again.isOld?.(block)) return NO_SPLICE;
    const base = origins.of(block);
    const baseId = base && this.#blocks.idOf(base);
    if (base === undefined || baseId === undefined) return NO_SPLICE;
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
    return { base, baseId, prefix, suffix, prefixShift, suffixShift };
  }

  #packBlock(
    block: MixBlock,
    id: number,
    splice: Splice,
    out: BytesWriter,
    sourceOf: (assetId: string) => number,
    draft: BlocksDraft,
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
    const played = playedFrom((sourceId) => sourceOf(sourceId) !== 0);
    for (const [i, clip] of inserted.entries()) {
      const { at } = clip;
      const body = played(clip.body);
      const silent = isSilent(body);
      const { first, step } = sourcePath(body);
      out.u32(draft.uidAt(block, prefix + i));
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

/** Gathers tracks that stay as they were, as long as they follow one another. */
class RunWriter {
  #from = 0;
  #count = 0;

  constructor(private readonly out: BytesWriter) {}

  /** @param from Index of the first among the tracks published last. */
  add(from: number, count: number): void {
    if (count === 0) return;
    if (this.#count > 0 && from !== this.#from + this.#count) this.flush();
    if (this.#count === 0) this.#from = from;
    this.#count += count;
  }

  flush(): void {
    if (this.#count === 0) return;
    this.out.setU32(writeTrack(this.out, this.#from, 0, 0, RUN), this.#count);
    this.#count = 0;
  }
}

/** Writes a track without its pieces; returns where their count stands. */
function writeTrack(
  out: BytesWriter,
  slot: number,
  left: number,
  right: number,
  flags: number,
): number {
  out.u32(slot);
  const at = out.length;
  out.u32(0);
  out.f32(left);
  out.f32(right);
  out.u32(flags);
  out.u32(0);
  return at;
}

/** Writes the pieces of a track's content, and gathers blocks that stay next to one another. */
class PieceWriter {
  #from = 0;
  #length = 0;
  #shift = 0;
  /** Pieces so far. */
  count = 0;

  constructor(private readonly out: BytesWriter) {}

  /** So many places of the content as it was, moved. */
  places(from: number, length: number, shift: Frames): void {
    if (length === 0) return;
    if (this.#length > 0 && (from !== this.#from + this.#length || shift !== this.#shift)) {
      this.flush();
    }
    if (this.#length === 0) [this.#from, this.#shift] = [from, shift];
    this.#length += length;
  }

  /** A block that was not there before. */
  block(id: number, start: Frames): void {
    this.flush();
    this.#write(1, id, 0, start);
  }

  flush(): void {
    if (this.#length > 0) this.#write(0, this.#from, this.#length, this.#shift);
    this.#length = 0;
  }

  #write(kind: number, a: number, b: number, value: number): void {
    this.out.u32(kind);
    this.out.u32(a);
    this.out.u32(b);
    this.out.u32(0);
    this.out.f64(value);
    this.count++;
  }
}

/** Which of the blocks that are gone from a track a new one is made of. */
class Origins {
  readonly #gone: MixBlock[];
  #byBody: Map<MixClipBody, MixBlock> | null = null;

  constructor(before: readonly BlockRef[], now: readonly BlockRef[]) {
    const stays = new Set(now.map(({ block }) => block));
    this.#gone = before.map(({ block }) => block).filter((block) => !stays.has(block));
  }

  of({ clips }: MixBlock): MixBlock | undefined {
    // Mostly the two begin or end alike.
    const first = clips[0].body;
    const last = clips[clips.length - 1].body;
    const alike = this.#gone.find(({ clips: old }) =>
      old[0].body === first || old[old.length - 1].body === last
    );
    if (alike !== undefined) return alike;
    const byBody = this.#byBody ??= new Map(
      this.#gone.flatMap((block) => block.clips.map(({ body }) => [body, block])),
    );
    for (const { body } of clips) {
      const block = byBody.get(body);
      if (block !== undefined) return block;
    }
    return undefined;
  }
}
