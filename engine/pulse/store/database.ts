/**
 * Opening SQLite files the way all of ours are opened: write-ahead log, no waiting for the disk at a commit, a versioned schema.
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";

/** What a kind of file is and how it came to its present shape. */
export interface FileKind {
  /** In words, for messages: "project file". */
  readonly name: string;
  /** SQLite's `application_id`: tells our files from others. */
  readonly applicationId: number;
  /** SQL that leads from version i to i + 1. */
  readonly migrations: readonly string[];
}

/** A file that cannot be used; the message says why. */
export class UnusableFile extends Error {
  override name = "UnusableFile";
}

/**
 * Opens or makes a database.
 *
 * A commit survives the death of the process at once, and of the machine as soon as the log is flushed (`Flusher`): with
 * `synchronous=NORMAL` a commit waits for no disk, and checkpoints are made by another thread.
 *
 * @throws {UnusableFile} if the file is no database, another program's, or a newer version's.
 */
export function openDatabase(path: string, kind: FileKind): DatabaseSync {
  const action = `Cannot open the ${kind.name} ${path}`;
  let database: DatabaseSync;
  try {
    database = new DatabaseSync(path);
  } catch (error) {
    throw new UnusableFile(`${action}: ${reasonOf(error)}`);
  }
  try {
    database.exec("PRAGMA busy_timeout = 2000");
    const id = numberOf(database, "application_id");
    const version = numberOf(database, "user_version");
    const isEmpty = id === 0 && version === 0 && numberOf(database, "schema_version") === 0;
    if (!isEmpty && id !== kind.applicationId) {
      throw new UnusableFile(`${action}: it is another program's database`);
    }
    if (version > kind.migrations.length) {
      throw new UnusableFile(
        `${action}: it is of version ${version}, and this engine knows versions up to ${kind.migrations.length}`,
      );
    }
    // Not before this: another program's file stays as it is.
    database.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = NORMAL;
      PRAGMA wal_autocheckpoint = 0;
      PRAGMA temp_store = MEMORY;
    `);
    if (version < kind.migrations.length) migrate(database, kind, version);
    return database;
  } catch (error) {
    database.close();
    if (error instanceof UnusableFile) throw error;
    throw new UnusableFile(`${action}: ${reasonOf(error)}`);
  }
}

function migrate(database: DatabaseSync, kind: FileKind, from: number): void {
  inTransaction(database, () => {
    for (const sql of kind.migrations.slice(from)) database.exec(sql);
    database.exec(`
      PRAGMA application_id = ${kind.applicationId};
      PRAGMA user_version = ${kind.migrations.length};
    `);
  });
}

function numberOf(database: DatabaseSync, pragma: string): number {
  return Number(Object.values(database.prepare(`PRAGMA ${pragma}`).get()!)[0]);
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Runs `work` in a transaction: all of it is kept, or, if it throws, nothing. */
export function inTransaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec("BEGIN IMMEDIATE");
  try {
    const result = work();
    database.exec("COMMIT");
    return result;
  } catch (error) {
    // After some errors (disk full) SQLite has rolled back by itself, and this one would hide the cause.
    try {
      database.exec("ROLLBACK");
    } catch { /* nothing to roll back */ }
    throw error;
  }
}
