/**
 * Keeps looking whether the assets' files are still there and still the same, rarely while nothing happens.
 *
 * @module
 */
import type { Files } from "../../files/files.ts";
import type { Assets } from "./assets.ts";

/** Time between two rounds, in milliseconds. */
const ROUND_MS = 1_000;
/** Most files looked at in a round. */
const ROUND_FILES = 256;
/** How often a file that is there is looked at, in milliseconds. */
export const PRESENT_MS = 5_000;
/** The first and the longest wait for a file that is missing, in milliseconds. */
export const MISSING_MS = { first: 1_000, longest: 30_000 } as const;

interface Look {
  atMs: number;
  waitMs: number;
}

/** When a file is looked at next: steadily while it is there, ever more rarely while it is missing. */
export function nextLook(look: Look | undefined, missing: boolean, nowMs: number): Look {
  if (!missing) return { atMs: nowMs + PRESENT_MS, waitMs: 0 };
  const waitMs = look && look.waitMs > 0
    ? Math.min(look.waitMs * 2, MISSING_MS.longest)
    : MISSING_MS.first;
  return { atMs: nowMs + waitMs, waitMs };
}

/** Looks at the files of all assets in turn, through the file worker. */
export class AssetWatch implements Disposable {
  readonly #looks = new Map<string, Look>();
  #timer: ReturnType<typeof setTimeout> | null = null;
  #closed = false;

  constructor(
    readonly assets: Assets,
    readonly files: Files,
    readonly now: () => number = () => performance.now(),
  ) {}

  /** Begins with a look at every asset, those that are used first. */
  begin(): void {
    this.#looks.clear();
    this.#schedule(0);
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** One round. */
  async look(): Promise<void> {
    const now = this.now();
    const due: string[] = [];
    for (const { asset: { assetId } } of this.assets.entries()) {
      if ((this.#looks.get(assetId)?.atMs ?? 0) <= now) due.push(assetId);
      if (due.length === ROUND_FILES) break;
    }
    await Promise.all(due.map((assetId) => this.#lookAt(assetId)));
  }

  async #lookAt(assetId: string): Promise<void> {
    const entry = this.assets.entry(assetId);
    if (!entry) return void this.#looks.delete(assetId);
    const { path } = entry.asset;
    let missing = true;
    try {
      const facts = await this.files.ask(path, { kind: "identify", path });
      if (this.#closed) return;
      // A link that was put in the file's place leads elsewhere: that is not the file that was allowed.
      missing = "fault" in facts || facts.path !== path;
      await this.assets.see(
        assetId,
        missing ? null : facts as Exclude<typeof facts, { fault: unknown }>,
      );
    } catch {
      // The disk does not answer: what plays from memory goes on, the asset stays what it was until it answers.
    }
    this.#looks.set(assetId, nextLook(this.#looks.get(assetId), missing, this.now()));
  }

  #schedule(ms: number): void {
    if (this.#closed) return;
    this.#timer = setTimeout(async () => {
      await this.look();
      this.#schedule(ROUND_MS);
    }, ms);
  }
}
