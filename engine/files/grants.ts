/**
 * Which files may be read: those under the library roots, and those that a person named.
 *
 * @module
 */
import { EngineError } from "../errors.ts";
import type { FileFacts, FileFault } from "./files_protocol.ts";
import { type Files, SlowDisk } from "./files.ts";
import { absolutePath, isWithin } from "./paths.ts";

/** The gate that every path of a request goes through: roots and one project's grants. */
export class Grants {
  #realRoots: string[] = [];
  readonly #granted = new Set<string>();

  /**
   * @param files Resolves links away from the main thread.
   * @param roots Absolute folders, as configured.
   */
  constructor(readonly files: Files, readonly roots: readonly string[]) {}

  /** The roots with their links resolved, as far as their disks have answered. */
  get realRoots(): readonly string[] {
    return this.#realRoots;
  }

  /** Resolves the roots; those that cannot be looked at are tried again when a path under them is asked for. */
  async resolveRoots(): Promise<void> {
    const answers = await Promise.all(this.roots.map(async (root) => {
      try {
        const facts = await this.files.ask(root, { kind: "identify", path: root });
        return "fault" in facts ? null : facts.path;
      } catch (error) {
        if (error instanceof SlowDisk) return null;
        throw error;
      }
    }));
    this.#realRoots = answers.filter((path) => path !== null);
  }

  /** Allows a file by its resolved path. */
  grant(resolvedPath: string): void {
    this.#granted.add(resolvedPath);
  }

  /** Whether a resolved path may be read. */
  allows(resolvedPath: string): boolean {
    return this.#granted.has(resolvedPath) ||
      this.#realRoots.some((root) => isWithin(root, resolvedPath));
  }

  /**
   * What stands at a path that may be read. Outside the roots the answer is the same whether something stands there or not.
   *
   * @param action What is being done, for messages: `register`, `list`.
   * @throws {EngineError} `asset.outsideLibrary`, `asset.notFound`, `asset.unreadable`.
   */
  async resolve(path: string, action: string): Promise<FileFacts> {
    const asked = absolutePath(path, ["path"]);
    const facts = await this.#identify(asked, action);
    if (!("fault" in facts) && this.allows(facts.path)) return facts;
    if (this.#realRoots.length < this.roots.length) {
      await this.resolveRoots();
      if (!("fault" in facts) && this.allows(facts.path)) return facts;
    }
    const inside = this.#granted.has(asked) ||
      [...this.roots, ...this.#realRoots].some((root) => isWithin(root, asked));
    if ("fault" in facts && inside) throw faultError(facts, asked, action);
    const link = inside && !("fault" in facts);
    throw new EngineError(
      "asset.outsideLibrary",
      link
        ? `Cannot ${action} ${asked}: it is a link that leads out of the library, to ${facts.path}; ` +
          `copy the file into the library, or start the engine with --library for its folder`
        : `Cannot ${action} ${asked}: it lies outside the library (${this.roots.join(", ")}); ` +
          `move it there, or start the engine with --library for its folder`,
      link
        ? { path: asked, resolvedPath: facts.path, reason: "link" }
        : { path: asked, reason: "outside", roots: this.roots },
    );
  }

  async #identify(path: string, action: string): Promise<FileFacts | FileFault> {
    try {
      return await this.files.ask(path, { kind: "identify", path });
    } catch (error) {
      if (!(error instanceof SlowDisk)) throw error;
      throw new EngineError(
        "asset.unreadable",
        `Cannot ${action} ${path}: its disk did not answer in time; check that it is connected and try again`,
        { path, reason: "slow" },
      );
    }
  }
}

/** The error for a path that could not be looked at. */
export function faultError(fault: FileFault, path: string, action: string): EngineError {
  switch (fault.fault) {
    case "missing":
      return new EngineError(
        "asset.notFound",
        `Cannot ${action} ${path}: there is no such file; check the path, or connect its disk`,
        { path, reason: "missing" },
      );
    case "denied":
      return new EngineError(
        "asset.unreadable",
        `Cannot ${action} ${path}: reading it is not permitted; change its permissions`,
        { path, reason: "denied" },
      );
    case "failed":
      return new EngineError(
        "asset.unreadable",
        `Cannot ${action} ${path}: ${fault.message}`,
        { path, reason: "failed" },
      );
  }
}
