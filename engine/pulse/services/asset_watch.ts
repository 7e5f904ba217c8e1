/**
 * Keeps looking whether the assets' files are still there and still the same, rarely while nothing happens.
 *
 * @module
 */
import type { Files } from "../../files/files.ts";
import type { Assets } from "./assets.ts";

/** Time between two rounds, in milliseconds. */
const ROUND_MS = 1_000;
/** Most files of a volume looked at in a round. */
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

/**
 * When a file is looked at next: steadily while it is there, ever more rarely while it is missing.
 *
 * @param leastMs The least wait: the time in which all files have had their turn.
 */
export function nextLook(
  look: Look | undefined,
  missing: boolean,
  nowMs: number,
  leastMs = 0,
): Look {
  if (!missing) return { atMs: nowMs + Math.max(PRESENT_MS, leastMs), waitMs: 0 };
  const waitMs = look && look.waitMs > 0
    ? Math.min(look.waitMs * 2, MISSING_MS.longest)
    : MISSING_MS.first;
  return { atMs: nowMs + Math.max(waitMs, leastMs), waitMs };
}

/** In so many milliseconds each of `files` has its turn; 0 where a round has room for all. */
export function allLookedAtMs(files: number): number {
  return files <= ROUND_FILES ? 0 : Math.ceil(files / ROUND_FILES) * ROUND_MS;
}

/** Looks at the files of all assets in turn, through the file worker. */
export class AssetWatch implements Disposable {
  readonly #looks = new Map<string, Look>();
  /** When one of each volume's missing files was looked for last, and how often. */
  readonly #scouted = new Map<string, { atMs: number; count: number }>();
  /** Volumes of which missing files came back in this round. */
  readonly #returned = new Set<string>();
  /** Volumes whose last round has not ended: one that hangs holds up no other. */
  readonly #busy = new Set<string>();
  #timer: ReturnType<typeof setTimeout> | null = null;
  #closed = false;

  constructor(
    readonly assets: Assets,
    readonly files: Files,
    readonly now: () => number = () => performance.now(),
    /** Whether somebody else is about to look at an asset's file. */
    readonly isAhead: (assetId: string) => boolean = () => false,
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
    const due = new Map<string, string[]>();
    const missing = new Map<string, string[]>();
    for (const { asset: { assetId, path, offlineStatus }, seen } of this.assets.entries()) {
      if (!seen && this.isAhead(assetId)) continue;
      const isDue = (this.#looks.get(assetId)?.atMs ?? 0) <= now;
      if (!isDue && offlineStatus !== "missing") continue;
      const volume = this.files.volumeOf(path);
      const by = isDue ? due : missing;
      const those = by.get(volume);
      if (those === undefined) by.set(volume, [assetId]);
      else if (!isDue || those.length < ROUND_FILES) those.push(assetId);
    }
    for (const [volume, assetIds] of missing) {
      const scouts = this.#scout(volume, assetIds, now);
      if (scouts.length > 0) due.set(volume, [...due.get(volume) ?? [], ...scouts]);
    }
    await Promise.all([...due].map(([volume, assetIds]) => this.#round(volume, assetIds)));
    this.#hurryReturned();
  }

  /** A volume's part of a round; nothing while the one before has not ended. */
  async #round(volume: string, assetIds: readonly string[]): Promise<void> {
    if (this.#busy.has(volume)) return;
    this.#busy.add(volume);
    try {
      await Promise.all(assetIds.map((assetId) => this.lookAt(assetId)));
    } finally {
      this.#busy.delete(volume);
    }
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

  /** Looks at one asset's file now. Says whether its disk answered. */
  async lookAt(assetId: string): Promise<boolean> {
    const entry = this.assets.entry(assetId);
    if (!entry) {
      this.#looks.delete(assetId);
      return true;
    }
    const { path, offlineStatus } = entry.asset;
    let missing = true;
    let answered = true;
    try {
      const facts = await this.files.ask(path, { kind: "identify", path });
      if (this.#closed) return true;
      // A link that was put in the file's place leads elsewhere: that is not the file that was allowed.
      missing = "fault" in facts || facts.path !== path;
      await this.assets.see(
        assetId,
        missing ? null : facts as Exclude<typeof facts, { fault: unknown }>,
      );
    } catch {
      // The disk does not answer: what plays from memory goes on, the asset stays what it was until it answers.
      answered = false;
    }
    this.#looks.set(
      assetId,
      nextLook(this.#looks.get(assetId), missing, this.now(), allLookedAtMs(this.assets.size)),
    );
    if (!missing && offlineStatus === "missing") this.#returned.add(this.files.volumeOf(path));
    return answered;
  }

  #schedule(ms: number): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#schedule(ROUND_MS);
      void this.look();
    }, ms);
  }
}
