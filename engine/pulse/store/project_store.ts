/**
 * The projects of a data folder, of which one is open.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import { EngineError, InvalidParams } from "../../errors.ts";
import type { Project } from "../types.ts";
import { CacheIndex } from "./cache_index.ts";
import { openDatabase, UnusableFile } from "./database.ts";
import { ENGINE_FILE } from "./engine_schema.ts";
import { FileInUse, FileLock } from "./file_lock.ts";
import { Flusher } from "./flusher.ts";
import { ProjectFile, type Recovery, type TimelineHooks } from "./project_file.ts";
import { ProjectList } from "./project_list.ts";
import { checkedPath, exists, freePath, requireFile } from "./project_paths.ts";
import { Settings } from "./settings.ts";

export interface ProjectStoreOptions {
  /** Folder of the databases; made if it is not there. */
  readonly dataDir: string;
  /** Folders that clients may name for project files, beside the data folder's own. */
  readonly projectFolders?: readonly string[];
  /** What the timeline of each project that is opened tells and asks. */
  readonly timeline?: TimelineHooks;
  /** Rate of a project that is made without one, in Hz. Default: 48,000. */
  readonly sampleRate?: number;
}

/** What came of opening a project. */
export interface Opened {
  readonly file: ProjectFile;
  /** What was lost, if the file was damaged. */
  readonly recovery: Recovery | null;
}

const LAST_PROJECT = "lastProject";

export class ProjectStore implements AsyncDisposable {
  /** What lies in the cold cache. */
  readonly cache: CacheIndex;
  /** Values of the engine's own that belong to no project. */
  readonly settings: Settings;
  readonly #list: ProjectList;
  readonly #folder: string;
  #current: ProjectFile | null = null;
  /** Opening, making and closing happen one after another. */
  #turn: Promise<unknown> = Promise.resolve();
  #closed = false;

  private constructor(
    private readonly options: ProjectStoreOptions,
    private readonly database: DatabaseSync,
    private readonly lock: FileLock,
    private readonly flusher: Flusher,
  ) {
    const path = join(options.dataDir, "engine.db");
    const touch = () => flusher.touch(path);
    this.cache = new CacheIndex(database, touch);
    this.settings = new Settings(database, touch);
    this.#list = new ProjectList(database);
    this.#folder = join(options.dataDir, "projects");
  }

  /**
   * Opens the data folder, which no other engine may use meanwhile. No project is open yet.
   *
   * @throws {FileInUse} if another engine uses it; the message says which.
   * @throws {UnusableFile} if its database cannot be used.
   */
  static open(options: ProjectStoreOptions): ProjectStore {
    const { dataDir } = options;
    Deno.mkdirSync(join(dataDir, "projects"), { recursive: true, mode: 0o700 });
    const lock = FileLock.take(join(dataDir, "engine.lock"), `the data folder ${dataDir}`);
    try {
      const database = openDatabase(join(dataDir, "engine.db"), ENGINE_FILE);
      return new ProjectStore(options, database, lock, new Flusher());
    } catch (error) {
      lock[Symbol.dispose]();
      throw error;
    }
  }

  /** The open project. @throws {EngineError} `project.notFound` while none is. */
  get current(): ProjectFile {
    if (this.#current !== null) return this.#current;
    throw new EngineError("project.notFound", "No project is open");
  }

  /** All known projects whose files are there, the latest opened first. */
  list(): Project[] {
    return this.#list.list().flatMap((project) => {
      if (project.projectId === this.#current?.identity.projectId) return [this.#current.project];
      return exists(project.path) ? [project] : [];
    });
  }

  /**
   * Makes a project and opens it in place of the open one.
   *
   * @param params.path A place of the client's choice, in one of the folders that are allowed, where nothing is yet.
   * @throws {InvalidParams}
   */
  create(params: { name: string; path?: string; sampleRate?: number }): Promise<Opened> {
    return this.#inTurn(async () => {
      const { name, sampleRate = this.options.sampleRate ?? 48_000 } = params;
      const path = this.#newPath(name, params.path);
      const identity = { projectId: crypto.randomUUID(), name };
      const file = ProjectFile.create(
        path,
        identity,
        sampleRate,
        this.options.timeline ?? {},
        this.flusher,
      );
      return await this.#become({ file, recovery: null });
    });
  }

  /**
   * Opens a project in place of the open one, which stays open if that fails.
   *
   * @param params.trusted A person named the path at this machine: it may lie anywhere.
   * @throws {InvalidParams} @throws {EngineError} `project.notFound`, with the reason, also for a file that cannot be used.
   */
  open(params: { projectId?: string; path?: string; trusted?: boolean }): Promise<Opened> {
    return this.#inTurn(async () => {
      const path = this.#pathOf(params);
      if (path === this.#current?.path) return { file: this.#current, recovery: null };
      requireFile(path);
      return await this.#become(await this.#openFile(path));
    });
  }

  /** Opens the project that was open last, or makes one; one that cannot be opened stays where it is, and `skipped` says why. */
  async openLast(
    params: { name?: string; sampleRate?: number } = {},
  ): Promise<Opened & { skipped: Error | null }> {
    let skipped: Error | null = null;
    const last = this.settings.get(LAST_PROJECT);
    if (typeof last === "string" && exists(last)) {
      try {
        return { ...await this.open({ path: last, trusted: true }), skipped };
      } catch (error) {
        if (!(error instanceof EngineError)) throw error;
        skipped = error;
      }
    }
    const { name = "Untitled", sampleRate } = params;
    return { ...await this.create({ name, ...(sampleRate && { sampleRate }) }), skipped };
  }

  /** Copies the open project to a new file under another name and goes on with the copy, undo history and all. */
  saveAs(params: { name: string; path?: string }): Promise<Opened> {
    return this.#inTurn(async () => {
      const { current } = this;
      const path = this.#newPath(params.name, params.path);
      const identity = { projectId: crypto.randomUUID(), name: params.name };
      const file = await current.forkTo(path, identity);
      return await this.#become({ file, recovery: null });
    });
  }

  /** Closes the open project and lets go of the data folder. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#turn;
    if (this.#current !== null) {
      this.#remember(this.#current);
      await this.#current.close();
      this.#current = null;
    }
    await this.flusher.release(join(this.options.dataDir, "engine.db")).catch(() => {});
    await this.flusher[Symbol.asyncDispose]();
    this.database.close();
    this.lock[Symbol.dispose]();
  }

  /** Makes a file the open project and closes the one before. */
  async #become(opened: Opened): Promise<Opened> {
    const before = this.#current;
    this.#current = opened.file;
    this.#remember(opened.file);
    this.settings.set(LAST_PROJECT, opened.file.path);
    if (before !== null) {
      this.#remember(before);
      await before.close();
    }
    // The order of the list is that of opening.
    this.#remember(opened.file);
    return opened;
  }

  #remember(file: ProjectFile): void {
    this.#list.put(file.project);
    this.flusher.touch(join(this.options.dataDir, "engine.db"));
  }

  async #openFile(path: string): Promise<Opened> {
    try {
      return await ProjectFile.open(path, this.options.timeline ?? {}, this.flusher);
    } catch (error) {
      if (!(error instanceof UnusableFile || error instanceof FileInUse)) throw error;
      throw new EngineError("project.notFound", error.message, {
        path,
        reason: error instanceof FileInUse ? "inUse" : "unusable",
      });
    }
  }

  #folders(): string[] {
    return [this.#folder, ...this.options.projectFolders ?? []];
  }

  #newPath(name: string, path: string | undefined): string {
    if (path === undefined) return freePath(this.#folder, name);
    const checked = checkedPath(path, this.#folders());
    if (exists(checked)) {
      throw new InvalidParams(["path"], `there is a file already: ${JSON.stringify(path)}`);
    }
    return checked;
  }

  #pathOf(params: { projectId?: string; path?: string; trusted?: boolean }): string {
    const { projectId, path, trusted } = params;
    if (projectId !== undefined) {
      const known = this.#list.find(projectId);
      if (known !== undefined) return known.path;
      throw new EngineError(
        "project.notFound",
        `There is no project ${JSON.stringify(projectId)}`,
        {
          projectId,
        },
      );
    }
    if (path === undefined) throw new InvalidParams(["projectId"], "give projectId or path");
    if (!trusted) return checkedPath(path, this.#folders());
    try {
      return Deno.realPathSync(path);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      throw new EngineError("project.notFound", `There is no project file ${path}`, { path });
    }
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(new Error("The project store is closed"));
    const done = this.#turn.then(work);
    this.#turn = done.then(() => {}, () => {});
    return done;
  }
}
