/**
 * Which asset stands in for which: pairs of assets, kept as pairs of their sources as those come and go.
 *
 * @module
 */
import { nativeCode } from "../../ffi/check.ts";
import type { NativeSymbols } from "../../ffi/library.ts";
import { InvalidParams } from "../errors.ts";

export class ProxyPairs {
  readonly #symbols: NativeSymbols;
  readonly #engine: number;
  readonly #sourceOf: (assetId: string) => number;
  readonly #proxies = new Map<string, string>();

  /** @param sourceOf Native handle of an asset's source, 0 if it has none. */
  constructor(symbols: NativeSymbols, engine: number, sourceOf: (assetId: string) => number) {
    this.#symbols = symbols;
    this.#engine = engine;
    this.#sourceOf = sourceOf;
  }

  /** @throws {InvalidParams} If the two cannot be a pair. */
  set(assetId: string, proxyAssetId: string | null): void {
    if (proxyAssetId === null) {
      this.#proxies.delete(assetId);
      const source = this.#sourceOf(assetId);
      if (source !== 0) this.#symbols.lp_source_set_proxy(this.#engine, source, 0);
      return;
    }
    const refused = this.#pair(assetId, proxyAssetId);
    if (refused !== null) {
      throw new InvalidParams(
        ["proxyAssetId"],
        `${proxyAssetId} cannot be the proxy of ${assetId}: ${refused}`,
      );
    }
    this.#proxies.set(assetId, proxyAssetId);
  }

  /** A source of the asset is open, or another than before: it is in the same pairs. Where its new length forbids that, it has no proxy. */
  opened(assetId: string): void {
    for (const [full, proxy] of this.#proxies) {
      if (full === assetId || proxy === assetId) this.#pair(full, proxy);
    }
  }

  /** Why not, `null` where they are a pair or one of them is not open. */
  #pair(assetId: string, proxyAssetId: string): string | null {
    const source = this.#sourceOf(assetId);
    const proxy = this.#sourceOf(proxyAssetId);
    if (source === 0 || proxy === 0) return null;
    const result = this.#symbols.lp_source_set_proxy(this.#engine, source, proxy);
    if (result >= 0) return null;
    return nativeCode(result) === "state"
      ? "a proxy has no proxy, and what has one is none"
      : "it is another asset of the same length, give or take 10 ms";
  }
}
