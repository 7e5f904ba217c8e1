// @ts-check
/** @import { Asset } from "../client/types.js" */

const PAGE = 1000;

/**
 * The project's assets by id, in order of registration.
 */
export class AssetBook {
  /** @type {Map<string, Asset>} */
  #assets = new Map();

  /** @param {string} assetId */
  get(assetId) {
    return this.#assets.get(assetId);
  }

  get all() {
    return [...this.#assets.values()];
  }

  get size() {
    return this.#assets.size;
  }

  /** @param {Asset[]} assets */
  put(assets) {
    for (const asset of assets) this.#assets.set(asset.assetId, asset);
  }

  /** @param {string[]} assetIds */
  remove(assetIds) {
    for (const assetId of assetIds) this.#assets.delete(assetId);
  }

  /** @param {{ assetId: string, offlineStatus: Asset["offlineStatus"], proxyStatus: Asset["proxyStatus"], generation: number }[]} changes */
  setStatus(changes) {
    for (const { assetId, ...status } of changes) {
      const asset = this.#assets.get(assetId);
      if (asset !== undefined) this.#assets.set(assetId, { ...asset, ...status });
    }
  }

  /** @param {{ assetId: string, analysed: [number, number][], lengthSamples: number }[]} imports */
  setProgress(imports) {
    for (const { assetId, analysed, lengthSamples } of imports) {
      const asset = this.#assets.get(assetId);
      if (asset === undefined) continue;
      const analysedSamples = analysed.reduce((sum, [start, end]) => sum + end - start, 0);
      this.#assets.set(assetId, {
        ...asset,
        lengthSamples,
        analysedSamples,
        complete: asset.complete || analysedSamples >= lengthSamples,
      });
    }
  }

  /** @param {string[]} assetIds */
  setReady(assetIds) {
    for (const assetId of assetIds) {
      const asset = this.#assets.get(assetId);
      if (asset === undefined) continue;
      this.#assets.set(assetId, { ...asset, complete: true, analysedSamples: asset.lengthSamples });
    }
  }

  /**
   * Asks for everything, page after page.
   *
   * @param {(method: string, params: Record<string, unknown>) => Promise<any>} request
   */
  async load(request) {
    /** @type {Map<string, Asset>} */
    const assets = new Map();
    for (let offset = 0, total = 1; offset < total; offset += PAGE) {
      const answer = await request("asset.list", { offset, limit: PAGE });
      total = answer.total;
      for (const asset of answer.assets) assets.set(asset.assetId, asset);
    }
    this.#assets = assets;
  }
}
