/**
 * The whole timeline in a project file, so that opening need not replay everything: only blocks that the file does not have yet are
 * written, in slices, while edits go on.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";
import type { PlacedClip } from "../../signal/model.ts";
import type { TimelineBlock, TimelineBlockRef } from "../block_list.ts";
import type { ClipBody } from "../clip_body.ts";
import { ClipIndex } from "../clip_index.ts";
import { emptyModel, headerOf, type TimelineModel, trackOf } from "../timeline_model.ts";
import type { TrackHeader } from "../types.ts";
import { checksumOf } from "./checksum.ts";
import { inTransaction, UnusableFile } from "./database.ts";
import { Slices } from "./slices.ts";

/** Undo steps as the snapshot keeps them: last revisions of the steps, and how many are applied. */
export interface SavedHistory {
  readonly steps: readonly number[];
  readonly applied: number;
}

export interface Snapshot {
  readonly revision: number;
  readonly model: TimelineModel;
  readonly history: SavedHistory;
}

type SavedTrack = TrackHeader & { blocks: [start: number, blockId: number][] };
type SavedTimeline = Omit<TimelineModel, "tracks" | "index"> & { tracks: SavedTrack[] };

/** Blocks of one transaction. */
const BLOCKS_A_TURN = 4;

export class TimelineSnapshots {
  /** Numbers of blocks that have been written. Only those in `#live` are still in the file. */
  #numbers = new WeakMap<TimelineBlock, number>();
  #live = new Set<number>();
  #next = 1;

  constructor(private readonly database: DatabaseSync) {}

  /** The same for a copy of the file as it is now. The original must not be written to any more. */
  fork(database: DatabaseSync): TimelineSnapshots {
    const fork = new TimelineSnapshots(database);
    fork.#numbers = this.#numbers;
    fork.#live = new Set(this.#live);
    fork.#next = this.#next;
    return fork;
  }

  /**
   * Reads the snapshot, in slices; an empty timeline at revision 0 where there is none.
   *
   * @throws {UnusableFile} if it is damaged.
   */
  async load(sampleRate: number): Promise<Snapshot> {
    const row = this.database.prepare("SELECT * FROM snapshot").get();
    if (row === undefined) {
      this.#dropOrphans();
      return { revision: 0, model: emptyModel(sampleRate), history: { steps: [], applied: 0 } };
    }
    const { revision, checksum, timeline, history } = row as Record<string, string>;
    if (checksumOf(Number(revision), timeline, history) !== Number(checksum)) {
      throw new UnusableFile("Cannot read the timeline: its snapshot is damaged");
    }
    const { tracks: savedTracks, ...saved }: SavedTimeline = JSON.parse(timeline);
    const select = this.database.prepare("SELECT checksum, clips FROM block WHERE block_id = ?");
    const slices = new Slices();
    const index = ClipIndex.empty.draft();
    const tracks = [];
    for (const { blocks, ...header } of savedTracks) {
      const refs: TimelineBlockRef[] = [];
      for (const [start, number] of blocks) {
        const found = select.get(number);
        if (found === undefined || checksumOf(found.clips as string) !== Number(found.checksum)) {
          throw new UnusableFile(`Cannot read the timeline: block ${number} is damaged`);
        }
        const block = blockOf(found.clips as string, header.trackId);
        for (const { body } of block.clips) index.set(body.clipId, block.home);
        this.#numbers.set(block, number);
        this.#live.add(number);
        refs.push({ start, block });
        await slices.turn();
      }
      tracks.push(trackOf(header, refs));
    }
    this.#dropOrphans();
    const model = { ...saved, tracks, index: index.done() };
    return { revision: Number(revision), model, history: JSON.parse(history) };
  }

  /** Writes what the file does not have of this timeline yet, then makes it the snapshot. */
  async write(model: TimelineModel, revision: number, history: SavedHistory): Promise<void> {
    const slices = new Slices();
    for (const step of this.#steps(model, revision, history)) {
      step();
      await slices.turn();
    }
  }

  /** The same at once. A timeline without clips is one statement, which may be part of a transaction. */
  writeNow(model: TimelineModel, revision: number, history: SavedHistory): void {
    for (const step of this.#steps(model, revision, history)) step();
  }

  *#steps(
    model: TimelineModel,
    revision: number,
    history: SavedHistory,
  ): Generator<() => void> {
    const fresh: TimelineBlock[] = [];
    for (const { blocks } of model.tracks) {
      for (const { block } of blocks) if (this.#numberOf(block) === undefined) fresh.push(block);
    }
    for (let i = 0; i < fresh.length; i += BLOCKS_A_TURN) {
      yield () => this.#insert(fresh.slice(i, i + BLOCKS_A_TURN));
    }
    const before = this.#live;
    yield () => {
      this.#live = this.#writeHead(model, revision, history);
    };
    const gone = [...before].filter((number) => !this.#live.has(number));
    const remove = this.database.prepare("DELETE FROM block WHERE block_id = ?");
    for (let i = 0; i < gone.length; i += 64) {
      yield () =>
        inTransaction(this.database, () => {
          for (const number of gone.slice(i, i + 64)) remove.run(number);
        });
    }
  }

  #numberOf(block: TimelineBlock): number | undefined {
    const number = this.#numbers.get(block);
    return number !== undefined && this.#live.has(number) ? number : undefined;
  }

  #insert(blocks: readonly TimelineBlock[]): void {
    const insert = this.database.prepare(
      "INSERT INTO block (block_id, checksum, clips) VALUES (?, ?, ?)",
    );
    const first = this.#next;
    this.#next += blocks.length;
    inTransaction(this.database, () => {
      blocks.forEach((block, i) => {
        const clips = JSON.stringify(block.clips.map(({ at, body }) => [at, body]));
        insert.run(first + i, checksumOf(clips), clips);
      });
    });
    blocks.forEach((block, i) => {
      this.#numbers.set(block, first + i);
      this.#live.add(first + i);
    });
  }

  /** Makes the timeline the snapshot and gives the numbers of its blocks. */
  #writeHead(model: TimelineModel, revision: number, history: SavedHistory): Set<number> {
    const live = new Set<number>();
    const { index: _, ...saved } = model;
    const timeline: SavedTimeline = {
      ...saved,
      tracks: model.tracks.map((track) => ({
        ...headerOf(track),
        blocks: track.blocks.map(({ start, block }) => {
          const number = this.#numbers.get(block)!;
          live.add(number);
          return [start, number];
        }),
      })),
    };
    const texts = [JSON.stringify(timeline), JSON.stringify(history)];
    this.database.prepare(`
      INSERT OR REPLACE INTO snapshot (snapshot_id, revision, checksum, timeline, history) VALUES (1, ?, ?, ?, ?)
    `).run(revision, checksumOf(revision, ...texts), ...texts);
    return live;
  }

  /** Blocks of a snapshot that was not finished before the process died. */
  #dropOrphans(): void {
    const remove = this.database.prepare("DELETE FROM block WHERE block_id = ?");
    for (const row of this.database.prepare("SELECT block_id FROM block").all()) {
      const number = Number(row.block_id);
      this.#next = Math.max(this.#next, number + 1);
      if (!this.#live.has(number)) remove.run(number);
    }
  }
}

function blockOf(text: string, trackId: string): TimelineBlock {
  let maxEnd = 0;
  const clips = (JSON.parse(text) as [number, ClipBody][]).map(
    ([at, body]): PlacedClip<ClipBody> => {
      maxEnd = Math.max(maxEnd, at + body.lengthFrames);
      return { at, body: Object.freeze(body) };
    },
  );
  return { clips, maxEnd, home: { trackId } };
}
