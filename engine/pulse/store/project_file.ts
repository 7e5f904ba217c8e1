/**
 * An open project: one file with its timeline, journal, assets, grants and where the user left it.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";
import {
  emptyHistory,
  type History,
  type HistoryStep,
  liftStep,
  MOST_MOVED,
  pushStep,
} from "../history.ts";
import { stepHeadOf } from "../journal.ts";
import { replayChanges } from "../replay_changes.ts";
import type { TimelineModel } from "../timeline_model.ts";
import { TimelineService, type TimelineServiceOptions } from "../timeline_service.ts";
import type { Project } from "../types.ts";
import { AssetTable } from "./asset_table.ts";
import { inTransaction, openDatabase } from "./database.ts";
import { FileLock } from "./file_lock.ts";
import type { Flusher } from "./flusher.ts";
import { PathGrants } from "./path_grants.ts";
import { PROJECT_FILE } from "./project_schema.ts";
import { Settings } from "./settings.ts";
import { Slices } from "./slices.ts";
import { DamagedEntry, SqliteJournal } from "./sqlite_journal.ts";
import { type SavedHistory, TimelineSnapshots } from "./timeline_snapshot.ts";

/** What a project file says of itself. */
export interface ProjectIdentity {
  readonly projectId: string;
  readonly name: string;
}

/** What was lost when the journal was read. */
export interface Recovery {
  /** Revisions that could not be read and are set aside in the file. */
  readonly lostRevisions: readonly number[];
  readonly reason: string;
}

export type TimelineHooks = Omit<TimelineServiceOptions, "state" | "journal">;

/** Journal entries after which a snapshot is written. */
const ENTRIES_A_SNAPSHOT = 256;
/** Time without an edit after which a snapshot is written, in milliseconds. */
const IDLE_MS = 3_000;
/** Characters of the journal after which one is. */
const LENGTH_A_SNAPSHOT = 16_000_000;
/** What the journal keeps beside the undo steps, for clients that come back: so many revisions, unless they are large, but always some. */
const KEPT = { revisions: 1_024, bytes: 16_000_000, always: 64 };

export class ProjectFile {
  readonly assets: AssetTable;
  readonly grants: PathGrants;
  /** Values of the engine's own: position, loop, … Keys are its own. */
  readonly state: Settings;
  readonly #journal: SqliteJournal;
  readonly #snapshots: TimelineSnapshots;
  #timeline: TimelineService | null = null;
  /** Once another file has the timeline. */
  #lastRevision = 0;
  #snapshotRevision = 0;
  /** Of the journal since then, in characters. */
  #length = 0;
  #writing: Promise<void> = Promise.resolve();
  /** Snapshots that wait or run. */
  #snapshotting = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #editedMs = 0;
  #closed = false;

  private constructor(
    readonly path: string,
    private readonly database: DatabaseSync,
    private readonly lock: FileLock,
    private readonly flusher: Flusher,
    readonly identity: ProjectIdentity,
    snapshots?: TimelineSnapshots,
  ) {
    const touch = () => flusher.touch(path);
    this.assets = new AssetTable(database, touch);
    this.grants = new PathGrants(database, touch);
    this.state = new Settings(database, touch);
    this.#snapshots = snapshots ?? new TimelineSnapshots(database);
    this.#journal = new SqliteJournal(
      database,
      (revision, length) => this.#appended(revision, length),
    );
  }

  /**
   * Makes a project file at a path where nothing is, with an empty timeline.
   *
   * @throws {FileInUse} @throws {UnusableFile}
   */
  static create(
    path: string,
    identity: ProjectIdentity,
    sampleRate: number,
    hooks: TimelineHooks,
    flusher: Flusher,
  ): ProjectFile {
    const lock = FileLock.take(`${path}-lock`, `the project ${path}`);
    try {
      const database = openDatabase(path, PROJECT_FILE);
      writeIdentity(database, identity, sampleRate);
      const file = new ProjectFile(path, database, lock, flusher, identity);
      file.#timeline = TimelineService.inMemory(sampleRate, { ...hooks, journal: file.#journal });
      flusher.touch(path);
      return file;
    } catch (error) {
      lock[Symbol.dispose]();
      throw error;
    }
  }

  /**
   * Opens a project file: the last snapshot and what the journal has since, read in slices. Entries that cannot be read, and all after
   * them, are set aside; `recovery` says which.
   *
   * @throws {FileInUse} @throws {UnusableFile}
   */
  static async open(
    path: string,
    hooks: TimelineHooks,
    flusher: Flusher,
  ): Promise<{ file: ProjectFile; recovery: Recovery | null }> {
    const lock = FileLock.take(`${path}-lock`, `the project ${path}`);
    let database: DatabaseSync | null = null;
    try {
      database = openDatabase(path, PROJECT_FILE);
      const settings = new Settings(database);
      const identity = {
        projectId: String(settings.get("project.id") ?? crypto.randomUUID()),
        name: String(settings.get("project.name") ?? "Untitled"),
      };
      const file = new ProjectFile(path, database, lock, flusher, identity);
      const sampleRate = Number(settings.get("project.sampleRate") ?? 48_000);
      return { file, recovery: await file.#load(sampleRate, hooks) };
    } catch (error) {
      database?.close();
      lock[Symbol.dispose]();
      throw error;
    }
  }

  /** False once another file has the timeline, or this one is closed. */
  get isOpen(): boolean {
    return this.#timeline !== null && !this.#closed;
  }

  get timeline(): TimelineService {
    return this.#timeline!;
  }

  /** The project in the interface's words. */
  get project(): Project {
    const revision = this.#timeline?.revision ?? this.#lastRevision;
    return { ...this.identity, path: this.path, revision };
  }

  /**
   * Gives a project that has no clips another rate, in Hz. Its undo history begins anew.
   *
   * @throws {Error} if there are clips.
   */
  adoptSampleRate(sampleRate: number): void {
    this.timeline.adoptSampleRate(sampleRate, (model, revision) => {
      inTransaction(this.database, () => {
        new Settings(this.database).set("project.sampleRate", sampleRate);
        // Without clips there are no blocks to write, so that this is one statement.
        this.#snapshots.writeNow(model, revision, savedHistory(emptyHistory));
      });
      this.#snapshotRevision = revision;
      this.flusher.touch(this.path);
    });
  }

  /** Resolves when the file holds a whole snapshot of the timeline as it is now, and the disk has it. */
  async save(): Promise<void> {
    await this.#snapshot();
    await this.flusher.flush(this.path);
  }

  /**
   * Makes a copy with another identity at a path where nothing is, and goes on there: the timeline, its undo history and edits that come
   * meanwhile are the copy's from then on. This file keeps all of them too, and is to be closed.
   */
  forkTo(path: string, identity: ProjectIdentity): Promise<ProjectFile> {
    return this.#inLine(async () => {
      await this.#writeSnapshot();
      const part = `${path}.${crypto.randomUUID().slice(0, 8)}.part`;
      let lock: FileLock | null = null;
      try {
        await this.flusher.copy(this.path, part);
        const copy = openDatabase(part, PROJECT_FILE);
        try {
          writeIdentity(copy, identity, this.timeline.model.sampleRate);
        } finally {
          copy.close();
        }
        lock = FileLock.take(`${path}-lock`, `the project ${path}`);
        Deno.renameSync(part, path);
        return this.#handOver(path, lock, identity);
      } catch (error) {
        lock?.[Symbol.dispose]();
        for (const suffix of ["", "-wal", "-shm"]) removeIfThere(part + suffix);
        throw error;
      }
    });
  }

  #handOver(path: string, lock: FileLock, identity: ProjectIdentity): ProjectFile {
    const database = openDatabase(path, PROJECT_FILE);
    const file = new ProjectFile(
      path,
      database,
      lock,
      this.flusher,
      identity,
      this.#snapshots.fork(database),
    );
    file.#snapshotRevision = this.#snapshotRevision;
    // Edits that came once the copy was being made.
    for (const revision of this.#journal.revisionsAfter(file.#journal.lastRevision())) {
      const entry = this.#journal.read(revision);
      if (entry !== null) file.#journal.append(entry);
    }
    file.#timeline = this.timeline;
    file.timeline.useJournal(file.#journal);
    this.#lastRevision = this.timeline.revision;
    this.#timeline = null;
    return file;
  }

  /** Writes a last snapshot, brings everything into the one file and lets go of it. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#writing;
    try {
      if (this.#timeline !== null && this.#isBehind()) {
        const { model, revision, undoHistory } = this.timeline;
        this.#snapshots.writeNow(model, revision, savedHistory(undoHistory));
      }
    } catch { /* the journal has it all: the next opening replays more */ }
    await this.flusher.release(this.path).catch(() => {});
    this.database.close();
    this.lock[Symbol.dispose]();
  }

  async #load(sampleRate: number, hooks: TimelineHooks): Promise<Recovery | null> {
    const snapshot = await this.#snapshots.load(sampleRate);
    this.#snapshotRevision = snapshot.revision;
    const builder = new StateBuilder(
      snapshot.model,
      snapshot.revision,
      historyOf(snapshot.history, this.#journal),
    );
    let recovery: Recovery | null = null;
    const revisions = this.#journal.revisionsAfter(snapshot.revision);
    const slices = new Slices();
    for (const [i, revision] of revisions.entries()) {
      try {
        builder.replay(revision, this.#journal);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        recovery = { lostRevisions: revisions.slice(i), reason };
        break;
      }
      await slices.turn();
    }
    // A revision that a client has heard of is not given again, even if it is lost.
    const revision = revisions.at(-1) ?? snapshot.revision;
    const { model, history } = builder;
    if (recovery !== null) {
      // In this order: with the snapshot the damaged rows lie in the past, whatever happens now.
      this.#snapshots.writeNow(model, revision, savedHistory(history));
      this.#snapshotRevision = revision;
      const { lostRevisions, reason } = recovery;
      inTransaction(this.database, () => this.#journal.setAside(lostRevisions[0], reason));
    }
    this.#timeline = new TimelineService({
      ...hooks,
      journal: this.#journal,
      state: { model, revision, history, requests: this.#journal.requests() },
    });
    return recovery;
  }

  #isBehind(): boolean {
    return this.timeline.revision > this.#snapshotRevision;
  }

  #appended(revision: number, length: number): void {
    this.#length += length;
    this.flusher.touch(this.path);
    this.#editedMs = performance.now();
    if (this.#snapshotting > 0) return;
    if (
      revision - this.#snapshotRevision === ENTRIES_A_SNAPSHOT ||
      this.#length > LENGTH_A_SNAPSHOT && this.#length - length <= LENGTH_A_SNAPSHOT
    ) this.#arm(0);
    else if (this.#timer === null) this.#arm(IDLE_MS);
  }

  #arm(delayMs: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#timerFired(), delayMs);
    Deno.unrefTimer(this.#timer);
  }

  #timerFired(): void {
    this.#timer = null;
    if (this.#closed || this.#timeline === null || !this.#isBehind()) return;
    const isDue = this.timeline.revision - this.#snapshotRevision >= ENTRIES_A_SNAPSHOT ||
      this.#length > LENGTH_A_SNAPSHOT;
    const idleMs = performance.now() - this.#editedMs;
    if (!isDue && idleMs < IDLE_MS) {
      this.#arm(IDLE_MS - idleMs);
      return;
    }
    // A snapshot that fails (disk full) is tried again after the next edit; the journal keeps everything until then.
    this.#snapshot().catch(() => {});
  }

  #snapshot(): Promise<void> {
    return this.#inLine(() => this.#writeSnapshot());
  }

  /** One at a time; a second waits for the first. */
  #inLine<T>(work: () => Promise<T>): Promise<T> {
    this.#snapshotting++;
    const done = this.#writing.then(work).finally(() => {
      this.#snapshotting--;
      const isOpen = !this.#closed && this.#timeline !== null;
      if (isOpen && this.#isBehind() && this.#timer === null) this.#arm(IDLE_MS);
    });
    this.#writing = done.then(() => {}, () => {});
    return done;
  }

  async #writeSnapshot(): Promise<void> {
    if (!this.#isBehind()) return;
    const { model, revision, undoHistory } = this.timeline;
    const history = savedHistory(undoHistory);
    this.#length = 0;
    await this.#snapshots.write(model, revision, history);
    this.#snapshotRevision = revision;
    this.#journal.forget(revision, history.steps, KEPT);
    this.flusher.touch(this.path);
  }
}

function writeIdentity(
  database: DatabaseSync,
  identity: ProjectIdentity,
  sampleRate: number,
): void {
  const settings = new Settings(database);
  inTransaction(database, () => {
    settings.set("project.id", identity.projectId);
    settings.set("project.name", identity.name);
    settings.set("project.sampleRate", sampleRate);
  });
}

function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch { /* was not there */ }
}

function savedHistory({ steps, applied }: History): SavedHistory {
  return { steps: steps.map(({ last }) => last), applied };
}

/** The undo history of a snapshot: what each step is called stands in the journal. A step that is not there ends it towards the past. */
function historyOf({ steps, applied }: SavedHistory, journal: SqliteJournal): History {
  const missing = journal.newestMissing(steps);
  const first = missing === 0 ? 0 : steps.filter((last) => last <= missing).length;
  return {
    steps: steps.slice(first).map((last) => ({ last })),
    applied: Math.max(0, applied - first),
  };
}

/** A timeline and its undo history, growing entry by entry as they once did. */
class StateBuilder {
  constructor(
    public model: TimelineModel,
    private revision: number,
    public history: History,
  ) {}

  /** @throws {DamagedEntry} and whatever an entry that does not fit throws. */
  replay(revision: number, journal: SqliteJournal): void {
    if (revision !== this.revision + 1) {
      throw new DamagedEntry(`The journal has a gap: ${revision} follows ${this.revision}`);
    }
    const entry = journal.read(revision)!;
    const { cause, step, forward } = entry;
    const { steps, applied } = this.history;
    if (cause === "undo" || cause === "redo") {
      const changes = journal.stepChanges(step);
      if (changes === null) {
        throw new DamagedEntry(`The journal has no revision ${step} to ${cause}`);
      }
      const isUndo = cause === "undo";
      this.model = replayChanges(this.model, isUndo ? changes.backward : changes.redo);
      const top = steps[isUndo ? applied - 1 : applied];
      if (top?.last === step) this.history = { steps, applied: applied + (isUndo ? -1 : 1) };
    } else {
      if (forward === undefined) throw new DamagedEntry(`Revision ${revision} says no changes`);
      this.model = replayChanges(this.model, forward);
      const next = { last: revision, head: stepHeadOf(entry) };
      const merged = step === revision ? -1 : this.#stepThatBegins(step, journal);
      this.history = merged < 0
        ? pushStep(this.history, next)
        : liftStep(this.history, merged, next);
    }
    this.revision = revision;
  }

  /** Index of the applied step that began with a revision, −1 where there is none near the top. */
  #stepThatBegins(first: number, journal: SqliteJournal): number {
    const { steps, applied } = this.history;
    const isIt = ({ last, head }: HistoryStep) => (head ?? journal.head(last))?.first === first;
    const low = Math.max(0, applied - 1 - MOST_MOVED);
    const index = steps.slice(low, applied).findLastIndex(isIt);
    return index < 0 ? -1 : low + index;
  }
}
