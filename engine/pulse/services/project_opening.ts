/**
 * What happens behind once a project is open: its assets are read, the sources of its timeline are opened and all files are looked at; what the
 * head plays comes first, the rest by its distance from the head, and what no clip plays last.
 *
 * @module
 */
import { assetsNear, byNearness } from "../nearness.ts";
import type { DemandHead } from "../demand.ts";
import { inSlices, Slices } from "../store/slices.ts";
import type { TimelineModel } from "../timeline_model.ts";
import { OPENING } from "./asset_sources.ts";
import type { Assets } from "./assets.ts";
import { VolumeLanes } from "./volume_lanes.ts";

/** How far ahead of the head sources are opened before anything else, in seconds. */
export const HEAD_SECONDS = 1;
/** Most assets that come before anything else. */
const HEAD_ASSETS = 512;
/** Time between two notices of how far it is, and before the first: most projects are there sooner, in milliseconds. */
const TELL_MS = 200;

/** How far the opening of a project is; assets. */
export interface OpeningProgress {
  total: number;
  /** Read from the project. */
  read: number;
  /** Whose files were looked at: opened, or found to be there, gone or unreadable. */
  checked: number;
  complete: boolean;
}

export interface ProjectOpeningOptions {
  assets: Pick<
    Assets,
    "entry" | "entries" | "bind" | "readOn" | "isWhole" | "size" | "read"
  >;
  model: () => TimelineModel;
  head: () => DemandHead;
  volumeOf: (path: string) => string;
  /** Looks whether an asset's file is there. Says whether its disk answered. */
  look: (assetId: string) => Promise<boolean>;
  /** Goes on with the analysis of an asset that was not analysed to its end. */
  analyse: (assetId: string) => void;
  tell: (progress: OpeningProgress) => void;
  /** Gives others their turn; {@linkcode Slices} unless told. */
  slices?: () => Pick<Slices, "turn">;
}

/** The opening of one project. */
export class ProjectOpening implements Disposable {
  readonly #options: ProjectOpeningOptions;
  readonly #lanes: VolumeLanes;
  /** Keys of the work that runs, has run or waits in a lane. */
  readonly #begun = new Set<string>();
  /** Assets that work waits or runs for. */
  readonly #ahead = new Set<string>();
  /** Of each volume: those to be analysed once its sources are open. */
  readonly #unanalysed = new Map<string, string[]>();
  readonly #whole = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<void>();
  /** Pieces of work that have not ended. */
  #left = 0;
  /** All work is in the lanes. */
  #isListed = false;
  #checked = 0;
  #isOver = false;
  #isDropped = false;
  #timer: ReturnType<typeof setInterval> | null = null;
  #hasTold = false;

  constructor(options: ProjectOpeningOptions) {
    this.#options = options;
    this.#lanes = new VolumeLanes(OPENING, (volume) => this.#onDrained(volume));
  }

  /** Whether everything was looked at. */
  get isOver(): boolean {
    return this.#isOver;
  }

  get progress(): OpeningProgress {
    const { size: total, read } = this.#options.assets;
    return { total, read, checked: Math.min(this.#checked, total), complete: this.#isOver };
  }

  /** Resolves once all assets are read; `null` if they are. */
  whole(): Promise<void> | null {
    return this.#options.assets.isWhole ? null : this.#whole.promise;
  }

  /** Whether an asset's file will be looked at here. */
  isAhead(assetId: string): boolean {
    return !this.#isOver &&
      (!this.#isListed || this.#ahead.has(assetId));
  }

  /** Opens what the head plays at once. Resolves when it is open, or cannot be opened. */
  async head(): Promise<void> {
    const { model, head } = this.#options;
    const frames = HEAD_SECONDS * model().sampleRate;
    const near = assetsNear(model(), head(), frames, HEAD_ASSETS);
    await Promise.all([...near].map((assetId) => this.#open(assetId, true)));
  }

  /** Goes on with all the rest. Resolves when it is done, or dropped. */
  async run(): Promise<void> {
    this.#timer = setInterval(() => this.#tell(), TELL_MS);
    const done = this.#list().then(() => this.#finishIfDone());
    await Promise.race([done.then(() => this.#ended.promise), this.#ended.promise]);
  }

  /** What of these was not begun yet comes next: somebody looks at it. */
  hurry(assetIds: Iterable<string>): void {
    if (this.#isOver) return;
    for (const assetId of assetIds) {
      if (!this.#lanes.hurry(assetId)) void this.#open(assetId, true);
    }
  }

  /** Clips play these now: what is not open is opened, whatever was tried before. */
  want(assetIds: Iterable<string>): void {
    for (const assetId of assetIds) {
      if (this.#lanes.hurry(assetId)) continue;
      this.#begun.delete(assetId);
      void this.#open(assetId, true);
    }
  }

  /** The head was moved: what it plays there comes next. */
  moved(): void {
    if (this.#isOver) return;
    const { model, head } = this.#options;
    this.hurry(assetsNear(model(), head(), HEAD_SECONDS * model().sampleRate, HEAD_ASSETS));
  }

  /** Drops what was not begun. */
  [Symbol.dispose](): void {
    this.#isDropped = true;
    if (this.#isOver) return;
    this.#isOver = true;
    this.#lanes.close();
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#whole.resolve();
    this.#ended.resolve();
  }

  /** Puts everything in its volume's lane, in slices. */
  async #list(): Promise<void> {
    const { model, head, assets, slices: open = () => new Slices() } = this.#options;
    const slices = open();
    const used = await inSlices(byNearness(model(), head()), slices);
    while (!this.#isOver && assets.readOn()) await slices.turn();
    this.#whole.resolve();
    for (const assetId of used) {
      if (this.#isOver) return;
      void this.#open(assetId, false);
      await slices.turn();
    }
    for (const { asset: { assetId } } of [...assets.entries()]) {
      if (this.#isOver) return;
      this.#check(assetId);
      await slices.turn();
    }
    this.#isListed = true;
    for (const volume of [...this.#unanalysed.keys()]) {
      if (this.#lanes.isIdle(volume)) this.#onDrained(volume);
    }
  }

  /** Opens an asset's source, once. */
  #open(assetId: string, urgent: boolean): Promise<void> {
    return this.#add(assetId, urgent, assetId, () => this.#options.assets.bind(assetId));
  }

  /** Looks at the file of an asset that no clip plays. */
  #check(assetId: string): void {
    if (this.#begun.has(assetId)) return;
    void this.#add(lookKey(assetId), false, assetId, () => this.#options.look(assetId));
  }

  #add(
    key: string,
    urgent: boolean,
    assetId: string,
    work: () => Promise<boolean>,
  ): Promise<void> {
    const { assets, volumeOf } = this.#options;
    if (this.#isDropped || this.#begun.has(key)) return Promise.resolve();
    const entry = assets.entry(assetId);
    if (entry === undefined) return Promise.resolve(); // Its clips are silent: it was removed.
    this.#begun.add(key);
    this.#ahead.add(assetId);
    this.#left++;
    const volume = volumeOf(entry.asset.path);
    return new Promise((resolve) => {
      const done = () => {
        resolve();
        this.#left--;
        this.#checked++;
        this.#ahead.delete(assetId);
        this.#remember(assetId, volume);
        this.#finishIfDone();
      };
      const run = () =>
        work().catch((error) => {
          // What is cut off in the end fails in ways that say nothing.
          if (!this.#isDropped) console.error(`${entry.asset.path} could not be opened:`, error);
          return true;
        });
      this.#lanes.add(volume, { key, run, done }, urgent);
    });
  }

  #remember(assetId: string, volume: string): void {
    const asset = this.#options.assets.entry(assetId)?.asset;
    if (asset === undefined || asset.complete || asset.offlineStatus !== "present") return;
    const those = this.#unanalysed.get(volume);
    if (those) those.push(assetId);
    else this.#unanalysed.set(volume, [assetId]);
  }

  /** Analyses come once the sources of a volume are open. */
  #onDrained(volume: string): void {
    const those = this.#unanalysed.get(volume);
    if (!this.#isListed || those === undefined) return;
    this.#unanalysed.delete(volume);
    void this.#analyse(those);
  }

  async #analyse(assetIds: readonly string[]): Promise<void> {
    const { analyse, slices: open = () => new Slices() } = this.#options;
    const slices = open();
    for (const assetId of assetIds) {
      if (this.#isDropped) return;
      analyse(assetId);
      await slices.turn();
    }
  }

  #finishIfDone(): void {
    if (this.#isOver || !this.#isListed || this.#left > 0) return;
    this.#isOver = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    if (this.#hasTold) this.#tell();
    this.#ended.resolve();
  }

  #tell(): void {
    this.#hasTold = true;
    this.#options.tell(this.progress);
  }
}

/** By this the look at a file is known, whose source nobody wants yet. */
function lookKey(assetId: string): string {
  return `look ${assetId}`;
}
