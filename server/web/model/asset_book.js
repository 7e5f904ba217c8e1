// @ts-check
/** @import { Asset } from "../client/types.js" */

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

  /** @param {Asset[]} assets all that there are */
  reset(assets) {
    this.#assets.clear();
    this.put(assets);
  }

  /** @param {Asset[]} assets */
  put(assets) {
    for (const asset of assets) this.#assets.set(asset.assetId, asset);
  }

  /**
   * Takes what came as an answer over HTTP, which may be older than what notifications have said meanwhile.
   *
   * @param {Asset[]} assets
   */
  putNew(assets) {
    this.put(assets.filter(({ assetId }) => !this.#assets.has(assetId)));
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
}

/** How much of a file has been analysed, 0…1. @param {Asset} asset */
export function analysedPart(asset) {
  if (asset.complete || asset.lengthSamples === 0) return 1;
  return Math.min(1, asset.analysedSamples / asset.lengthSamples);
}

/** Whether a file is known not to be there. @param {Asset} asset */
export function isAway({ offlineStatus }) {
  return offlineStatus === "missing" || offlineStatus === "cloud";
}
