/**
 * Gathers the many small notices of imports, so that registering a thousand files does not send thousands of messages.
 *
 * @module
 */
import type { Notify } from "../../notices.ts";
import type { Asset, DecodeError, OfflineStatus } from "../types.ts";

/** How long notices are gathered, in milliseconds (API.md, "Notifications"). */
export const GATHER_MS = 100;

/** `asset.statusChanged`, one asset of it. */
export interface StatusChange {
  assetId: string;
  offlineStatus: OfflineStatus;
  proxyStatus: Asset["proxyStatus"];
  generation: number;
}

/** `asset.importProgress`, one asset of it. Ranges are `[start, end)` in the asset's own samples. */
export interface ImportProgress {
  assetId: string;
  analysed: [number, number][];
  lengthSamples: number;
}

/**
 * The newest of each kind for each asset is kept and sent at the end of the 100 ms that its first began. `added` and `removed` are
 * never gathered: the request that caused them is answered after its notice.
 */
export class AssetNotices implements Disposable {
  readonly #changed = new Map<string, Asset>();
  readonly #status = new Map<string, StatusChange>();
  readonly #found = new Map<string, StatusChange>();
  readonly #progress = new Map<string, ImportProgress>();
  readonly #ready = new Set<string>();
  #timer: ReturnType<typeof setTimeout> | null = null;

  readonly #send: Notify;
  #closed = false;

  constructor(notify: Notify) {
    this.#send = (notification) => {
      if (!this.#closed) notify(notification);
    };
  }

  added(asset: Asset): void {
    this.#send({ topic: "assets", method: "asset.added", params: { assets: [asset] } });
  }

  removed(assetId: string): void {
    for (const map of [this.#changed, this.#status, this.#found, this.#progress, this.#ready]) {
      map.delete(assetId);
    }
    this.#send({ topic: "assets", method: "asset.removed", params: { assetIds: [assetId] } });
  }

  changed(asset: Asset): void {
    this.#changed.set(asset.assetId, asset);
    this.#gather();
  }

  statusChanged(asset: Asset): void {
    this.#found.delete(asset.assetId);
    this.#status.set(asset.assetId, statusChange(asset));
    this.#gather();
  }

  /** The file is as it was kept, which is known now: `asset.statusChanged`, though nothing has happened to it. */
  found(asset: Asset): void {
    this.#found.set(asset.assetId, statusChange(asset));
    this.#gather();
  }

  importProgress(progress: ImportProgress): void {
    this.#progress.set(progress.assetId, progress);
    this.#gather();
  }

  ready(assetId: string): void {
    this.#ready.add(assetId);
    this.#gather();
  }

  /** `decode.error`: the asset stays, and what cannot be read of it plays as silence. */
  decodeError(assetId: string, { code, message }: DecodeError): void {
    this.#send({ topic: "assets", method: "decode.error", params: { assetId, code, message } });
  }

  /** Sends what waits, now. */
  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#flushOf("asset.statusChanged", "changes", this.#status);
    this.#flushOf("asset.statusChanged", "changes", this.#found, true);
    this.#flushOf("asset.changed", "assets", this.#changed);
    this.#flushOf("asset.importProgress", "imports", this.#progress);
    this.#flushOf("asset.ready", "assetIds", this.#ready);
  }

  /** Sends nothing any more. */
  [Symbol.dispose](): void {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #gather(): void {
    if (this.#closed) return;
    this.#timer ??= setTimeout(() => this.flush(), GATHER_MS);
  }

  #flushOf(
    method: string,
    member: string,
    waiting: Map<string, unknown> | Set<string>,
    isNoNews = false,
  ): void {
    if (waiting.size === 0) return;
    const params = { [member]: [...waiting.values()] };
    waiting.clear();
    this.#send({ topic: "assets", method, params, ...(isNoNews && { isNoNews }) });
  }
}

function statusChange(asset: Asset): StatusChange {
  const { assetId, offlineStatus, proxyStatus, generation } = asset;
  return { assetId, offlineStatus, proxyStatus, generation };
}
