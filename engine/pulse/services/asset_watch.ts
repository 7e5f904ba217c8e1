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

/** How often one of the missing files of a volume is looked for, however long they are missing, in milliseconds: when a disk is back, all of its files are. */
export const SCOUT_MS = 2_000;

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
  /** When one of each volume's missing files was looked for last, and how often. */
  readonly #scouted = new Map<string, { atMs: number; count: number }>();
  /** Volumes of which missing files came back in this round. */
  readonly #returned = new Set<string>();
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

  /** An asset could not be read where it should be heard: it is looked at in the next round. */
  hurry(assetId: string): void {
    const look = this.#looks.get(assetId);
    if (look !== undefined) look.atMs = 0;
  }

  /** One round. */
  async look(): Promise<void> {
    const now = this.now();
    for (const assetId of this.assets.takeStale()) this.hurry(assetId);
    const due: string[] = [];
    const missing = new Map<string, string[]>();
    for (const { asset: { assetId, path, offlineStatus } } of this.assets.entries()) {
      if ((this.#looks.get(assetId)?.atMs ?? 0) <= now) {
        due.push(assetId);
        if (due.length === ROUND_FILES) break;
      } else if (offlineStatus === "missing") {
        const volume = this.files.volumeOf(path);
        const those = missing.get(volume);
        if (those) those.push(assetId);
        else missing.set(volume, [assetId]);
      }
    }
    for (const [volume, assetIds] of missing) due.push(...this.#scout(volume, assetIds, now));
    await Promise.all(due.map((assetId) => this.#lookAt(assetId)));
    this.#hurryReturned();
  }

  /** One of a volume's missing files, each in its turn. */
  #scout(volume: string, assetIds: readonly string[], now: number): string[] {
    const { atMs, count } = this.#scouted.get(volume) ?? { atMs: -Infinity, count: 0 };
    if (now - atMs < SCOUT_MS) return [];
    this.#scouted.set(volume, { atMs: now, count: count + 1 });
    return [assetIds[count % assetIds.length]];
  }

  /** Where a file is there again, others of its volume may be too: told once a round, however many have come. */
  #hurryReturned(): void {
    if (this.#returned.size === 0) return;
    for (const { asset: { assetId, path, offlineStatus } } of this.assets.entries()) {
      if (offlineStatus === "missing" && this.#returned.has(this.files.volumeOf(path))) {
        this.hurry(assetId);
      }
    }
    this.#returned.clear();
  }

  async #lookAt(assetId: string): Promise<void> {
    const entry = this.assets.entry(assetId);
    if (!entry) return void this.#looks.delete(assetId);
    const { path, offlineStatus } = entry.asset;
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
    if (!missing && offlineStatus === "missing") this.#returned.add(this.files.volumeOf(path));
  }

  #schedule(ms: number): void {
    if (this.#closed) return;
    this.#timer = setTimeout(async () => {
      await this.look();
      this.#schedule(ROUND_MS);
    }, ms);
  }
}
