/**
 * The journal in a project file.
 *
 * @module
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { StepHead } from "../history.ts";
import {
  type Journal,
  type JournalEntry,
  movedEntry,
  type StepChanges,
  stepChangesOf,
  stepHeadOf,
} from "../journal.ts";
import { LIMITS } from "../limits.ts";
import { checksumOf } from "./checksum.ts";
import { inTransaction } from "./database.ts";

/** A row that cannot be read. */
export class DamagedEntry extends Error {
  override name = "DamagedEntry";
}

interface Row {
  readonly revision: number;
  readonly cause: string;
  readonly step: number;
  readonly request_id: string | null;
  readonly checksum: number;
  readonly info: string;
  readonly forward: string | null;
  readonly backward: string | null;
  readonly redo: string | null;
}

/** An entry without its changes and its map. */
type EntryHead = Omit<JournalEntry, "map" | "forward" | "backward" | "redo" | "moved">;

export class SqliteJournal implements Journal {
  readonly #append: StatementSync;
  readonly #replace: StatementSync;
  readonly #row: StatementSync;
  readonly #head: StatementSync;

  /** @param onAppend Called after each entry, with how many characters it is. */
  constructor(
    private readonly database: DatabaseSync,
    private readonly onAppend: (revision: number, length: number) => void = () => {},
  ) {
    this.#append = database.prepare(`
      INSERT INTO journal (revision, cause, step, request_id, checksum, info, forward, backward, redo)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
    `);
    this.#replace = database.prepare(`
      UPDATE journal SET cause = ?2, step = ?3, request_id = ?4, checksum = ?5, info = ?6, forward = ?7, backward = ?8, redo = ?9
      WHERE revision = ?1
    `);
    this.#row = database.prepare("SELECT * FROM journal WHERE revision = ?");
    this.#head = database.prepare(
      "SELECT revision, cause, step, info FROM journal WHERE revision = ?",
    );
  }

  append(entry: JournalEntry): void {
    const { moved } = entry;
    let length = 0;
    if (moved === undefined) length = write(this.#append, entry);
    else {
      inTransaction(this.database, () => {
        length = write(this.#append, entry);
        for (const step of moved) {
          const known = this.entry(step.last);
          if (known !== null) write(this.#replace, movedEntry(known, step));
        }
      });
    }
    this.onAppend(entry.revision, length);
  }

  /** The entry of a revision, or `null` where there is none. @throws {DamagedEntry} */
  read(revision: number): JournalEntry | null {
    const row = this.#row.get(revision) as unknown as Row | undefined;
    return row === undefined ? null : entryOf(row);
  }

  /** The entry of a revision, or `null` where there is none that can be read. */
  entry(revision: number): JournalEntry | null {
    try {
      return this.read(revision);
    } catch (error) {
      if (error instanceof DamagedEntry) return null;
      throw error;
    }
  }

  stepChanges(revision: number): StepChanges | null {
    return stepChangesOf(this.entry(revision));
  }

  /** Revisions after `revision`, in order. */
  revisionsAfter(revision: number): number[] {
    return this.database.prepare(
      "SELECT revision FROM journal WHERE revision > ? ORDER BY revision",
    ).all(revision).map((row) => Number(row.revision));
  }

  /** The newest revision, 0 where there is none. */
  lastRevision(): number {
    const row = this.database.prepare("SELECT max(revision) AS revision FROM journal").get();
    return Number(row!.revision ?? 0);
  }

  /** The newest entries that had a `requestId`, oldest first, without their changes. */
  requests(): JournalEntry[] {
    const rows = this.database.prepare(`
      SELECT revision, cause, step, request_id, info FROM journal WHERE request_id IS NOT NULL
      ORDER BY revision DESC LIMIT ?
    `).all(LIMITS.rememberedRequests);
    return rows.reverse().flatMap((row) => {
      const head = headOf(row);
      return head === null ? [] : [{ ...head, map: [], requestId: row.request_id as string }];
    });
  }

  head(revision: number): StepHead | null {
    const row = this.#head.get(revision);
    const head = row === undefined ? null : headOf(row);
    return head === null ? null : stepHeadOf(head);
  }

  /** The newest of these revisions that the journal does not have, 0 where it has all. */
  newestMissing(revisions: readonly number[]): number {
    const row = this.database.prepare(`
      SELECT max(value) AS revision FROM json_each(?) WHERE value NOT IN (SELECT revision FROM journal)
    `).get(JSON.stringify(revisions));
    return Number(row!.revision ?? 0);
  }

  /**
   * Takes rows out that nobody will ask for, of those up to `revision`: whatever happens the rows of `needed` stay; of the others the newest
   * ones, up to `most.revisions` and up to `most.bytes` together, and the last `most.always` however large they are.
   */
  forget(
    revision: number,
    needed: readonly number[],
    most: { revisions: number; bytes: number; always: number },
  ): void {
    const steps = JSON.stringify(needed);
    const oldest = revision - most.revisions;
    this.database.prepare(`
      DELETE FROM journal WHERE revision <= ? AND revision NOT IN (SELECT value FROM json_each(?))
    `).run(oldest, steps);
    const row = this.database.prepare(`
      SELECT max(revision) AS last FROM (
        SELECT revision, sum(octet_length(info) + ifnull(octet_length(forward), 0) + ifnull(octet_length(backward), 0)
          + ifnull(octet_length(redo), 0)) OVER (ORDER BY revision DESC) AS total
        FROM journal WHERE revision > ?1 AND revision <= ?2 AND revision NOT IN (SELECT value FROM json_each(?3))
      ) WHERE total > ?4
    `).get(oldest, revision, steps, most.bytes);
    const last = Math.min(Number(row!.last ?? 0), revision - most.always);
    if (last <= oldest) return;
    this.database.prepare(`
      DELETE FROM journal WHERE revision <= ? AND revision NOT IN (SELECT value FROM json_each(?))
    `).run(last, steps);
  }

  /** Moves the rows from `revision` on to where a person can look at them. */
  setAside(revision: number, reason: string): void {
    this.database.prepare(`
      INSERT INTO lost SELECT revision, cause, info, forward, backward, ? FROM journal WHERE revision >= ?
    `).run(reason, revision);
    this.database.prepare("DELETE FROM journal WHERE revision >= ?").run(revision);
  }
}

/** @returns how many characters it is. */
function write(statement: StatementSync, entry: JournalEntry): number {
  const { revision, cause, step, requestId = null, forward, backward, redo, ...info } = entry;
  const texts = [info, forward, backward, redo].map((value) =>
    value === undefined ? null : JSON.stringify(value)
  );
  const checksum = checksumOf(revision, cause, step, requestId, ...texts);
  statement.run(revision, cause, step, requestId, checksum, ...texts);
  return texts.reduce((sum, text) => sum + (text?.length ?? 0), 0);
}

function entryOf(row: Row): JournalEntry {
  const { revision, cause, step, request_id, info, forward, backward, redo } = row;
  const checksum = checksumOf(revision, cause, step, request_id, info, forward, backward, redo);
  if (checksum !== row.checksum) {
    throw new DamagedEntry(`Revision ${revision} of the journal is damaged: wrong checksum`);
  }
  try {
    return {
      revision,
      cause: cause as JournalEntry["cause"],
      step,
      ...(request_id !== null && { requestId: request_id }),
      ...JSON.parse(info),
      ...(forward !== null && { forward: JSON.parse(forward) }),
      ...(backward !== null && { backward: JSON.parse(backward) }),
      ...(redo !== null && { redo: JSON.parse(redo) }),
    };
  } catch (error) {
    throw new DamagedEntry(`Revision ${revision} of the journal is damaged: ${error}`);
  }
}

function headOf(row: Record<string, unknown>): EntryHead | null {
  try {
    const { map: _, moved: __, ...info } = JSON.parse(row.info as string);
    return {
      revision: Number(row.revision),
      cause: row.cause as JournalEntry["cause"],
      step: Number(row.step),
      ...info,
    };
  } catch {
    return null;
  }
}
