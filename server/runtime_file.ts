/**
 * `loophole/engine.json` in the user's runtime folder: how programs on this machine find the engine and its token.
 *
 * @module
 */
import { tmpdir } from "node:os";

/** What the file tells. */
export interface RuntimeFacts {
  url: string;
  /** `null` where none is asked for. */
  token: string | null;
  pid: number;
  instanceId: string;
}

/** The user's runtime folder. */
export function runtimeFolder(env: (name: string) => string | undefined): string {
  return env("XDG_RUNTIME_DIR") || env("TMPDIR") || tmpdir();
}

/** The file of one engine, from its writing to its removal. */
export class RuntimeFile {
  private constructor(readonly path: string, readonly facts: RuntimeFacts) {}

  /**
   * Writes the file, for its owner's eyes alone (mode 0600); another engine's takes its place whole.
   *
   * @throws if the folder belongs to someone else or cannot be written.
   */
  static write(folder: string, facts: RuntimeFacts): RuntimeFile {
    const own = `${folder.replace(/[\\/]+$/, "")}/loophole`;
    Deno.mkdirSync(own, { recursive: true, mode: 0o700 });
    const info = Deno.lstatSync(own);
    // In a temporary folder that everyone can write, someone else may have been first.
    if (!info.isDirectory || (Deno.build.os !== "windows" && info.uid !== Deno.uid())) {
      throw new Error(`Cannot write ${own}/engine.json: the folder is not this user's own`);
    }
    const path = `${own}/engine.json`;
    const beside = `${path}.${facts.pid}.${facts.instanceId.slice(0, 8)}`;
    Deno.writeTextFileSync(beside, JSON.stringify(facts) + "\n", { createNew: true, mode: 0o600 });
    Deno.renameSync(beside, path);
    return new RuntimeFile(path, facts);
  }

  /** Removes the file, unless another engine has put its own there. Never throws. */
  remove(): void {
    try {
      const { instanceId } = JSON.parse(Deno.readTextFileSync(this.path)) as RuntimeFacts;
      if (instanceId === this.facts.instanceId) Deno.removeSync(this.path);
    } catch {
      // It is gone already, or is no longer ours to judge.
    }
  }
}
