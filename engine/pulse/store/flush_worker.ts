/**
 * The flush thread: waits for disks so that the main thread need not.
 *
 * @module
 */
/// <reference lib="deno.worker" />
import { backup, DatabaseSync } from "node:sqlite";
import type { FlushReply, FlushRequest } from "./flush_protocol.ts";

const databases = new Map<string, DatabaseSync>();

function databaseAt(path: string): DatabaseSync {
  let database = databases.get(path);
  if (database === undefined) {
    database = new DatabaseSync(path);
    database.exec("PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 5000;");
    databases.set(path, database);
  }
  return database;
}

async function answer(request: FlushRequest): Promise<void> {
  switch (request.kind) {
    case "flush":
      // Passive: it waits for nobody and nobody waits for it. It syncs the log first.
      databaseAt(request.path).exec("PRAGMA wal_checkpoint(PASSIVE)");
      return;
    case "copy":
      // Not VACUUM INTO: that attaches a database, which Deno allows to fully permitted programs alone.
      await backup(databaseAt(request.path), request.to);
      return;
    case "release":
      databases.get(request.path)?.close();
      databases.delete(request.path);
      return;
  }
}

self.onmessage = async ({ data }: MessageEvent<FlushRequest>) => {
  let reply: FlushReply = { id: data.id };
  try {
    await answer(data);
  } catch (error) {
    reply = { ...reply, error: error instanceof Error ? error.message : String(error) };
  }
  self.postMessage(reply);
};
