// @ts-check
/** @import { PulseClient } from "../client/client.js" */
/** @import { PeaksFrame } from "../client/binary.js" */
/** @import { Asset } from "../client/types.js" */

/** Columns a tile. */
export const TILE = 512;
/** At level L a column spans 2^L samples of the asset. */
export const MAX_LEVEL = 24;
const KEPT_TILES = 3000;
const BATCH = 48;
const BATCHES_AT_ONCE = 2;
const RETRY_MS = [200, 400, 800, 1600, 3000];

/** One count for all: ids are the connection's. */
let nextPreviewId = 1;

/** @typedef {"all" | "mix"} Channels */

/**
 * A stretch of an asset in one resolution.
 * @typedef {object} Tile
 * @property {Series} series
 * @property {number} index it begins at sample `index · TILE · 2^level`
 * @property {PeaksFrame | null} peaks null until the first answer
 * @property {boolean} asked on its way
 * @property {number} againAt our clock: not to be asked for before; Infinity when nothing more is to come
 * @property {number} tries
 * @property {number} usedIn the pass that it was last seen in
 */

/**
 * An asset in one resolution, tile by tile.
 * @typedef {object} Series
 * @property {Asset} asset
 * @property {Channels} channels
 * @property {number} level
 * @property {Map<number, Tile>} tiles by index
 */

/**
 * An asset in all resolutions, for as long as it stays the same. (The length is a part of that: while a file grows or is being measured, its
 * last tiles change.)
 * @typedef {object} Known
 * @property {number} generation
 * @property {number} lengthSamples
 * @property {Record<Channels, Series[]>} series by level
 */

/**
 * Peaks by tile: what has been seen is kept, what is seen and missing is asked for, in batches, the newest view first. Tiles that are not
 * complete yet are asked for again with growing patience, at once when the engine says that more is known.
 */
export class PeakTiles {
  /** @type {Map<string, Known>} by asset */
  #known = new Map();
  /** @type {Set<Tile>} */
  #wanted = new Set();
  /** @type {Map<number, Tile>} by preview */
  #previews = new Map();
  #size = 0;
  #pass = 0;
  #batches = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #wake;

  /**
   * @param {PulseClient} client
   * @param {() => void} arrived something that was wanted is there: draw again
   */
  constructor(client, arrived) {
    this.client = client;
    this.arrived = arrived;
    client.on("peaks", (frame) => this.#take(frame));
  }

  /** Tiles that are seen and of which more is to come. */
  get waiting() {
    return this.#wanted.size;
  }

  /** Begins a drawing pass: what the one before wanted and did not get is forgotten. */
  begin() {
    this.#pass++;
    this.#wanted.clear();
  }

  /**
   * @param {Asset} asset
   * @param {Channels} channels
   * @param {number} level up to `MAX_LEVEL`
   * @param {number} index of the tile
   * @returns {PeaksFrame | null} what is known; if that is not all, more is asked for at the end of the pass
   */
  want(asset, channels, level, index) {
    const series = this.#seriesOf(asset, channels, level);
    let tile = series.tiles.get(index);
    if (tile === undefined) {
      tile = { series, index, peaks: null, asked: false, againAt: 0, tries: 0, usedIn: 0 };
      series.tiles.set(index, tile);
      this.#size++;
    }
    tile.usedIn = this.#pass;
    if (tile.peaks?.complete !== true) this.#wanted.add(tile);
    return tile.peaks;
  }

  /**
   * @param {Asset} asset
   * @param {Channels} channels
   * @param {number} level
   * @param {number} index
   * @returns {PeaksFrame | null} what happens to be there; nothing is asked for
   */
  peek(asset, channels, level, index) {
    if (level > MAX_LEVEL) return null;
    return this.#seriesOf(asset, channels, level).tiles.get(index)?.peaks ?? null;
  }

  /** Ends a drawing pass: asks for what was wanted. */
  flush() {
    clearTimeout(this.#wake);
    const now = performance.now();
    /** @type {Tile[]} */
    const due = [];
    let next = Infinity;
    for (const tile of this.#wanted) {
      if (tile.asked) continue;
      if (tile.againAt > now) next = Math.min(next, tile.againAt);
      else due.push(tile);
    }
    while (due.length > 0 && this.#batches < BATCHES_AT_ONCE && this.client.isOpen) {
      this.#ask(due.splice(0, BATCH));
    }
    if (next < Infinity) this.#wake = setTimeout(() => this.flush(), next - now);
  }

  /**
   * More is known about an asset: its incomplete tiles may be asked for again.
   *
   * @param {string} assetId
   */
  stir(assetId) {
    for (const tile of tilesOf(this.#known.get(assetId))) {
      if (tile.peaks?.complete) continue;
      tile.againAt = 0;
      tile.tries = 0;
    }
    this.flush();
  }

  /** Another engine: what was on its way is lost, and what failed may work now. */
  restart() {
    this.#previews.clear();
    this.#batches = 0;
    for (const known of this.#known.values()) {
      for (const tile of tilesOf(known)) {
        tile.asked = false;
        if (!tile.peaks?.complete) tile.againAt = tile.tries = 0;
      }
    }
    this.arrived();
  }

  /**
   * @param {Asset} asset
   * @param {Channels} channels
   * @param {number} level
   * @returns {Series}
   */
  #seriesOf(asset, channels, level) {
    let known = this.#known.get(asset.assetId);
    if (
      known === undefined || known.generation !== asset.generation ||
      known.lengthSamples !== asset.lengthSamples
    ) {
      for (const { series, index } of tilesOf(known)) this.#drop(series, index);
      const { generation, lengthSamples } = asset;
      known = { generation, lengthSamples, series: { all: [], mix: [] } };
      this.#known.set(asset.assetId, known);
    }
    return known.series[channels][level] ??= { asset, channels, level, tiles: new Map() };
  }

  /** @param {Tile[]} batch */
  async #ask(batch) {
    this.#batches++;
    const previews = batch.map((tile) => {
      const { series: { asset, channels, level }, index } = tile;
      const spanned = 2 ** level;
      const start = index * TILE * spanned;
      const end = Math.min(asset.lengthSamples, start + TILE * spanned);
      const width = Math.max(1, Math.ceil((end - start) / spanned));
      const previewId = nextPreviewId++;
      tile.asked = true;
      this.#previews.set(previewId, tile);
      return { previewId, assetId: asset.assetId, start, end, width, channels };
    });
    try {
      await this.client.request("asset.previewPeaks", { previews });
    } catch {
      // No notice: a waveform that does not come shows as such, and is asked for again.
    }
    this.#batches = Math.max(0, this.#batches - 1);
    const now = performance.now();
    for (const { previewId } of previews) this.#previews.delete(previewId);
    for (const tile of batch) {
      tile.asked = false;
      if (tile.peaks?.complete) tile.againAt = Infinity;
      else tile.againAt = now + RETRY_MS[Math.min(tile.tries++, RETRY_MS.length - 1)];
    }
    if (this.#size > KEPT_TILES) this.#trim();
    this.flush();
  }

  /** @param {PeaksFrame} frame */
  #take(frame) {
    const tile = this.#previews.get(frame.previewId);
    if (tile === undefined) return;
    tile.peaks = frame;
    if (this.#wanted.has(tile)) this.arrived();
    if (frame.complete) this.#wanted.delete(tile);
  }

  /** Forgets a part of what has not been looked at for longest. */
  #trim() {
    const idle = [...this.#known.values()].flatMap((known) =>
      [...tilesOf(known)].filter(({ asked, usedIn }) => !asked && usedIn < this.#pass)
    );
    idle.sort((a, b) => a.usedIn - b.usedIn);
    for (const { series, index } of idle.slice(0, this.#size - KEPT_TILES * 0.8)) {
      this.#drop(series, index);
    }
  }

  /**
   * @param {Series} series
   * @param {number} index
   */
  #drop(series, index) {
    if (series.tiles.delete(index)) this.#size--;
  }
}

/**
 * @param {Known | undefined} known
 * @returns {Generator<Tile>}
 */
function* tilesOf(known) {
  if (known === undefined) return;
  for (const levels of [known.series.all, known.series.mix]) {
    for (const series of levels) if (series !== undefined) yield* series.tiles.values();
  }
}
