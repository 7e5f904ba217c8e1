/**
 * The shape of `engine.db`, the engine's own memory: which projects there are, and what lies in the cold cache.
 *
 * @module
 */
import type { FileKind } from "./database.ts";

export const ENGINE_FILE: FileKind = {
  name: "engine's database",
  applicationId: 0x4c6f6f45, // "LooE"
  migrations: [
    `
    CREATE TABLE setting (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

    CREATE TABLE project (
      project_id TEXT PRIMARY KEY,
      name TEXT NOT NULL,
      path TEXT NOT NULL UNIQUE,
      revision INTEGER NOT NULL,
      opened_ms INTEGER NOT NULL
    ) WITHOUT ROWID;

    -- Files of the cold cache; the cache itself may be deleted at any time.
    CREATE TABLE cache_entry (
      key TEXT PRIMARY KEY,
      path TEXT NOT NULL,
      bytes INTEGER NOT NULL,
      used_ms INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX cache_entry_used ON cache_entry (used_ms);
    `,
  ],
};
