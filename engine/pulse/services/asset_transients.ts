/**
 * Files of the library that are in no project, and can be heard.
 *
 * @module
 */
import type { AudioHead } from "../../files/head.ts";
import type { SourceInfo } from "../../signal/signal_api.ts";
import type { Asset } from "../types.ts";
import { type AssetEntry, entryOf, identityOfSource, transientAsset } from "./asset_entry.ts";

/** Most transient assets that are remembered; the oldest are forgotten. */
const MAX_TRANSIENTS = 20_000;
/** Most transient assets whose files' state is remembered. */
const MAX_HEARD = 256;

/** Transient assets by id and by path; they last as long as the project is open. */
export class AssetTransients {
  readonly #assets = new Map<string, Asset>();
  readonly #byPath = new Map<string, string>();
  /** Those that were listened to, with their files' state then. */
  readonly #heard = new Map<string, AssetEntry>();

  get(assetId: string): Asset | undefined {
    return this.#assets.get(assetId);
  }

  idAt(path: string): string | undefined {
    return this.#byPath.get(path);
  }

  /** Remembers a file, as its head says if that is known. */
  put(assetId: string, path: string, head: AudioHead | undefined): Asset {
    const asset = transientAsset(assetId, path, head);
    this.#assets.set(assetId, asset);
    this.#byPath.set(path, assetId);
    if (this.#assets.size > MAX_TRANSIENTS) {
      const [oldest, { path }] = this.#assets.entries().next().value!;
      this.#assets.delete(oldest);
      this.#byPath.delete(path);
    }
    return asset;
  }

  /** Forgets one that was registered. */
  forget(assetId: string, path: string): void {
    this.#heard.delete(assetId);
    this.#assets.delete(assetId);
    this.#byPath.delete(path);
  }

  /** Those that were listened to, the latest last. */
  heard(): Iterable<AssetEntry> {
    return this.#heard.values();
  }

  heardAs(assetId: string): AssetEntry | undefined {
    return this.#heard.get(assetId);
  }

  /** Takes note that one is listened to. */
  hear(assetId: string, info: SourceInfo): void {
    const asset = this.#assets.get(assetId);
    if (!asset) return;
    const identity = identityOfSource(info);
    const { damaged = null, error = null } = this.#heard.get(assetId) ?? {};
    const entry = {
      ...entryOf({ asset: { ...asset, sampleRate: info.sampleRate }, identity }),
      seen: true,
      damaged,
      error,
    };
    this.#heard.delete(assetId);
    this.#heard.set(assetId, entry);
    if (this.#heard.size > MAX_HEARD) this.#heard.delete(this.#heard.keys().next().value!);
  }
}
