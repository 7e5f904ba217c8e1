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
 * @property {PeaksFrame | null} peaks null until the first answer
 * @property {boolean} asked on its way
 * @property {number} againAt our clock: not to be asked for before; Infinity when nothing more is to come
 * @property {number} tries
 */

/**
 * @typedef {object} Wanted
 * @property {string} key
 * @property {Asset} asset
 * @property {Channels} channels
 * @property {number} level
 * @property {number} index
 */

/**
 * Peaks by tile: what has been seen is kept, what is seen and missing is asked for, in batches, the newest view first. Tiles that are not
 * complete yet are asked for again with growing patience, at once when the engine says that more is known.
 */
export class PeakTiles {
  /** @type {Map<string, Tile>} in order of last use */
  #tiles = new Map();
  /** @type {Map<string, Wanted>} */
  #wanted = new Map();
  /** @type {Map<number, string>} previewId → key */
  #previews = new Map();
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

  /** Begins a drawing pass: what the one before wanted and did not get is forgotten. */
  begin() {
    this.#wanted.clear();
  }

  /**
   * @param {Asset} asset
   * @param {Channels} channels
   * @param {number} level
   * @param {number} index of the tile: it begins at sample `index · TILE · 2^level`
   * @returns {PeaksFrame | null} what is known; if that is not all, more is asked for at the end of the pass
   */
  want(asset, channels, level, index) {
    const key = keyOf(asset, channels, level, index);
    const tile = this.#tiles.get(key);
    if (tile !== undefined) {
      this.#tiles.delete(key);
      this.#tiles.set(key, tile);
    }
    if (tile?.peaks?.complete !== true) {
      this.#wanted.set(key, { key, asset, channels, level, index });
    }
    return tile?.peaks ?? null;
  }

  /**
   * @param {Asset} asset
   * @param {Channels} channels
   * @param {number} level
   * @param {number} index
   * @returns {PeaksFrame | null} what happens to be there; nothing is asked for
   */
  peek(asset, channels, level, index) {
    return this.#tiles.get(keyOf(asset, channels, level, index))?.peaks ?? null;
  }

  /** Ends a drawing pass: asks for what was wanted. */
  flush() {
    clearTimeout(this.#wake);
    const now = performance.now();
    /** @type {Wanted[]} */
    const due = [];
    let next = Infinity;
    for (const wanted of this.#wanted.values()) {
      const tile = this.#tiles.get(wanted.key);
      if (tile?.asked) continue;
      if (tile !== undefined && tile.againAt > now) next = Math.min(next, tile.againAt);
      else due.push(wanted);
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
    for (const [key, tile] of this.#tiles) {
      if (!key.startsWith(`${assetId}/`) || tile.peaks?.complete) continue;
      tile.againAt = 0;
      tile.tries = 0;
    }
    this.flush();
  }

  /** Another engine: what was on its way is lost, and what failed may work now. */
  restart() {
    this.#previews.clear();
    this.#batches = 0;
    for (const [key, tile] of this.#tiles) {
      if (tile.peaks === null) this.#tiles.delete(key);
      else if (!tile.peaks.complete) tile.againAt = 0;
      tile.asked = false;
    }
    this.arrived();
  }

  /** @param {Wanted[]} batch */
  async #ask(batch) {
    this.#batches++;
    const ids = batch.map(({ key }) => {
      const tile = this.#tiles.get(key) ?? { peaks: null, asked: true, againAt: 0, tries: 0 };
      tile.asked = true;
      this.#tiles.set(key, tile);
      const previewId = nextPreviewId++;
      this.#previews.set(previewId, key);
      return previewId;
    });
    const previews = batch.map(({ asset, channels, level, index }, at) => {
      const spanned = 2 ** level;
      const start = index * TILE * spanned;
      const end = Math.min(asset.lengthSamples, start + TILE * spanned);
      const width = Math.max(1, Math.ceil((end - start) / spanned));
      return { previewId: ids[at], assetId: asset.assetId, start, end, width, channels };
    });
    try {
      await this.client.request("asset.previewPeaks", { previews });
    } catch {
      // No notice: a waveform that does not come shows as such, and is asked for again.
    }
    this.#batches = Math.max(0, this.#batches - 1);
    const now = performance.now();
    for (const [at, { key }] of batch.entries()) {
      this.#previews.delete(ids[at]);
      const tile = this.#tiles.get(key);
      if (tile === undefined) continue;
      tile.asked = false;
      if (tile.peaks?.complete) tile.againAt = Infinity;
      else tile.againAt = now + RETRY_MS[Math.min(tile.tries++, RETRY_MS.length - 1)];
    }
    this.#trim();
    this.flush();
  }

  /** @param {PeaksFrame} frame */
  #take(frame) {
    const key = this.#previews.get(frame.previewId);
    const tile = key === undefined ? undefined : this.#tiles.get(key);
    if (key === undefined || tile === undefined) return;
    tile.peaks = frame;
    if (this.#wanted.has(key)) this.arrived();
    if (frame.complete) this.#wanted.delete(key);
  }

  #trim() {
    for (const key of this.#tiles.keys()) {
      if (this.#tiles.size <= KEPT_TILES) return;
      this.#tiles.delete(key);
    }
  }
}

/**
 * @param {Asset} asset
 * @param {Channels} channels
 * @param {number} level
 * @param {number} index
 */
function keyOf(asset, channels, level, index) {
  // The length is a part of it: while a file grows or is being measured, its last tile changes.
  return `${asset.assetId}/${asset.generation}/${asset.lengthSamples}/${channels}/${level}/${index}`;
}
