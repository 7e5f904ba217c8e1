/**
 * The shape of a project file (`.loophole`): one SQLite database that holds all of a project but its audio.
 *
 * @module
 */
import type { FileKind } from "./database.ts";

export const PROJECT_FILE: FileKind = {
  name: "project file",
  applicationId: 0x4c6f6f70, // "Loop"
  migrations: [
    `
    -- One value each, as JSON: what the project is (project.*) and where the user left it (state.*).
    CREATE TABLE setting (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

    -- One row a revision. Changes are in the form of API.md; info holds label, client, keys and the head's map.
    CREATE TABLE journal (
      revision INTEGER PRIMARY KEY,
      cause TEXT NOT NULL,
      step INTEGER NOT NULL,
      request_id TEXT,
      checksum INTEGER NOT NULL,
      info TEXT NOT NULL,
      forward TEXT,
      backward TEXT,
      redo TEXT
    );

    -- Rows of the journal that could not be read, kept for a person to look at.
    CREATE TABLE lost (revision INTEGER, cause TEXT, info TEXT, forward TEXT, backward TEXT, reason TEXT);

    -- Up to 256 clips with places relative to the block. Never changed: an edit makes other blocks.
    CREATE TABLE block (block_id INTEGER PRIMARY KEY, checksum INTEGER NOT NULL, clips TEXT NOT NULL);

    -- The whole timeline at one revision: tracks as lists of blocks. The journal goes on from there.
    CREATE TABLE snapshot (
      snapshot_id INTEGER PRIMARY KEY CHECK (snapshot_id = 1),
      revision INTEGER NOT NULL,
      checksum INTEGER NOT NULL,
      timeline TEXT NOT NULL,
      history TEXT NOT NULL
    );

    -- In order of registration.
    CREATE TABLE asset (
      number INTEGER PRIMARY KEY AUTOINCREMENT,
      asset_id TEXT NOT NULL UNIQUE,
      path TEXT NOT NULL UNIQUE,
      asset TEXT NOT NULL,
      identity TEXT
    );

    -- Files outside the library that a person named.
    CREATE TABLE path_grant (path TEXT PRIMARY KEY) WITHOUT ROWID;
    `,
  ],
};
