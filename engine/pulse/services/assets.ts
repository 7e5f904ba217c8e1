/**
 * The assets of the open project: registering, listing, removing, and keeping up with what happens to their files.
 *
 * @module
 */
import type { Caller } from "../../api.ts";
import { EngineError, InvalidParams } from "../../errors.ts";
import type { FileFacts } from "../../files/files_protocol.ts";
import type { Grants } from "../../files/grants.ts";
import type { AudioHead } from "../../files/head.ts";
import { Limiter } from "../../limiter.ts";
import type { SignalApi, SourceInfo } from "../../signal/signal_api.ts";
import type { Asset, AssetType, OfflineStatus } from "../types.ts";
import {
  type AssetEntry,
  assetFromSource,
  contentType,
  entryOf,
  type FileIdentity,
  identityOf,
  identityOfSource,
  type KeptAsset,
  sameBytes,
  shapeOf,
  shown,
  statusOf,
  transientAsset,
} from "./asset_entry.ts";
import { AssetHolds, type HeldSource } from "./asset_holds.ts";
import type { AssetNotices } from "./asset_notices.ts";
import { type AssetRows, AssetShelf, ROWS_A_TURN } from "./asset_shelf.ts";
import { AssetSources } from "./asset_sources.ts";
import { AssetTransients } from "./asset_transients.ts";

export const DEFAULT_LIMIT = 1_000;
/** Most assets of a project. */
export const MAX_ASSETS = 100_000;
/** Files registered at the same time: more would not be quicker, and would hold up the main thread when they end together. */
const REGISTERING = 8;
/** Where registered assets are kept. */
export interface AssetKeeper {
  put(asset: Asset, identity: FileIdentity): void;
  remove(kept: KeptAsset): void;
  /** The id of an asset of that path that was removed: it gets it again, since undo may bring back its clips. */
  formerId(path: string): string | undefined;
  /** An asset that was removed, as it was then. */
  recall(assetId: string): KeptAsset | undefined;
}

/** Reads files behind, for peaks and hashes. */
export interface Analyser {
  /** Begins, goes on, or begins anew for another generation. */
  begin(asset: Asset): void;
  drop(assetId: string): void;
}

export interface AssetsOptions {
  signal: () => SignalApi;
  grants: Grants;
  notices: AssetNotices;
  keeper: AssetKeeper;
  analysis: Analyser;
  /** Whether clips of the timeline use it. */
  isUsed: (assetId: string) => boolean;
  /** Whether the project has nothing yet, so that its first file decides its rate. */
  rateIsOpen: () => boolean;
  /** Names what a path shares its fate with. */
  volumeOf: (path: string) => string;
  /** Gives the project another rate, if it is open. Says whether it did. */
  adoptRate: (sampleRate: number) => Promise<boolean>;
  /** Called when the source of an asset was opened, for the first time or anew. */
  onBound?: (assetId: string) => void;
}

/** The registry. What it answers is a copy. */
export class Assets {
  readonly #options: AssetsOptions;
  readonly #shelf = new AssetShelf();
  readonly #registering = new Map<string, Promise<Asset>>();
  readonly #transients = new AssetTransients();
  /** The chain of registrations while the project's rate may still change. */
  #first: Promise<unknown> = Promise.resolve();
  #closed = false;
  /** As they were counted when files were looked for that had changed. */
  #readErrors = 0;
  readonly #limiter = new Limiter(REGISTERING);
  readonly #holds = new AssetHolds();
  /** The end of what is being done with each asset's source. */
  readonly #turns = new Map<string, Promise<void>>();
  readonly #sources: AssetSources;

  constructor(options: AssetsOptions) {
    this.#options = options;
    this.#sources = new AssetSources({
      volumeOf: options.volumeOf,
      isBound: (assetId) => this.#shelf.get(assetId)?.bound ?? false,
    });
  }

  /** Takes a project's assets over, each of which is read when it is asked for; their files are looked at later. */
  open(rows: AssetRows): void {
    this.#shelf.open(rows);
  }

  /** Reads some more of the project's assets. Says whether there are more. */
  readOn(): boolean {
    return this.#shelf.readOn(ROWS_A_TURN);
  }

  /** Whether all of the project's assets are read. */
  get isWhole(): boolean {
    return this.#shelf.isWhole;
  }

  /** How many of them are read. */
  get read(): number {
    return this.#shelf.read;
  }

  /** Registers nothing any more. */
  close(): void {
    this.#closed = true;
  }

  /** Waits until no source is being opened. */
  async settled(): Promise<void> {
    await this.#sources.settled();
  }

  /** All registered assets that are read, with their state; in order of registration once all are. */
  entries(): Iterable<AssetEntry> {
    return this.#shelf.values();
  }

  entry(assetId: string): AssetEntry | undefined {
    return this.#shelf.get(assetId);
  }

  /** How many there are, read or not. */
  get size(): number {
    return this.#shelf.size;
  }

  /**
   * Registers a file. The same path, once resolved, gives the same asset.
   *
   * @param onNew Called where it was not registered before.
   * @throws {InvalidParams} @throws {EngineError} `asset.notFound`, `asset.outsideLibrary`, `asset.unsupported`, `asset.unreadable`,
   * `limit.exceeded`.
   */
  async register(
    path: string,
    type: AssetType | undefined,
    _caller: Caller,
    onNew: (assetId: string) => void = () => {},
  ): Promise<Asset> {
    if (type === "transient" || type === "proxy") {
      throw new InvalidParams(["type"], `must be sample, stem, recording or render, not ${type}`);
    }
    const facts = await this.#options.grants.resolve(path, "register");
    requireAudioFile(facts, path);
    const known = this.#shelf.at(facts.path)?.asset.assetId;
    if (known !== undefined) {
      await this.see(known, facts);
      return this.get(known);
    }
    const underway = this.#registering.get(facts.path);
    if (underway) return { ...(await underway) };
    const registering = this.#limiter.run(() =>
      this.#inOrder(() => this.#register(facts, type ?? "sample"))
    );
    this.#registering.set(facts.path, registering);
    try {
      const asset = await registering;
      onNew(asset.assetId);
      return { ...asset };
    } finally {
      this.#registering.delete(facts.path);
    }
  }

  /**
   * Registers a file that is not there or cannot be read now, for clips that are to play it once it can be. It is looked for like any that
   * is missing. What is registered already stays as it is.
   *
   * @param path Absolute, links followed, and allowed: nobody asks again.
   * @param onNew Called where it was not registered before.
   * @throws {EngineError} `limit.exceeded`.
   */
  registerMissing(
    path: string,
    type: AssetType,
    onNew: (assetId: string) => void = () => {},
  ): Asset {
    const known = this.#shelf.at(path)?.asset.assetId;
    if (known !== undefined) return this.get(known);
    this.#requireRoom(path);
    const assetId = this.#transients.idAt(path) ?? this.#newId(path);
    const asset: Asset = {
      ...transientAsset(assetId, path, undefined),
      type,
      offlineStatus: "missing",
      generation: 1,
    };
    const entry = { ...entryOf({ asset }), seen: true, wanted: true };
    this.#shelf.add(entry);
    this.#transients.forget(assetId, path);
    this.#options.keeper.put(asset, entry.identity);
    this.#options.notices.added({ ...asset });
    onNew(assetId);
    return { ...asset };
  }

  /** @throws {EngineError} `asset.notFound`. */
  get(assetId: string): Asset {
    const entry = this.#shelf.get(assetId);
    if (entry) return shown(entry);
    const asset = this.#transients.get(assetId);
    if (!asset) throw unknownAsset(assetId);
    const error = this.#transients.heardAs(assetId)?.error ?? null;
    return shown({ asset, seen: true, error });
  }

  /**
   * The asset's file and what tells its bytes from others'.
   *
   * @throws {EngineError} `asset.notFound`.
   */
  file(assetId: string): { path: string; etag: string; contentType: string } {
    const { path, container } = this.get(assetId);
    const identity = this.#shelf.get(assetId)?.identity;
    // Nobody looks after a transient asset's file: what a client holds of it is never known to be right.
    const etag = identity
      ? [identity.device, identity.inode, identity.bytes, Math.round(identity.mtimeMs * 1_000)]
        .map((value) => value.toString(36)).join("-")
      : crypto.randomUUID();
    return { path, etag: `"${etag}"`, contentType: contentType(container) };
  }

  /** Registered assets in order of registration. */
  list(params: { offset?: number; limit?: number; status?: OfflineStatus }): {
    assets: Asset[];
    total: number;
  } {
    const { offset = 0, limit = DEFAULT_LIMIT, status } = params;
    requireCount("offset", offset);
    requireCount("limit", limit);
    const assets: Asset[] = [];
    if (limit > 0) {
      for (const entry of this.#shelf.from(offset, status)) {
        if (assets.push(shown(entry)) === limit) break;
      }
    }
    return { assets, total: this.#shelf.count(status) };
  }

  /** @throws {EngineError} `asset.notFound`, `asset.inUse`. */
  remove(assetId: string): void {
    const entry = this.#shelf.get(assetId);
    if (!entry) throw unknownAsset(assetId);
    if (this.#options.isUsed(assetId)) {
      throw new EngineError(
        "asset.inUse",
        `Cannot remove ${entry.asset.path}: clips use it; delete them first`,
        { assetId },
      );
    }
    this.#shelf.delete(entry);
    this.#options.keeper.remove({ asset: entry.asset, identity: entry.identity });
    this.#options.analysis.drop(assetId);
    if (entry.bound) this.#options.signal().closeSource(assetId);
    this.#options.notices.removed(assetId);
  }

  /** Registers an asset again that was removed; nothing if it is registered or never was. */
  revive(assetId: string): void {
    if (this.#shelf.get(assetId) !== undefined) return;
    const kept = this.#options.keeper.recall(assetId);
    if (kept === undefined || this.#shelf.at(kept.asset.path) !== undefined) return;
    const entry = entryOf(kept);
    this.#shelf.add(entry);
    this.#options.keeper.put(kept.asset, kept.identity);
    this.#options.notices.added(shown(entry));
  }

  /** The asset under which a file of the library can be heard: its own, else a transient one that lasts as long as the project is open. */
  at(path: string, head: AudioHead | undefined): Asset {
    const registered = this.#shelf.at(path)?.asset;
    if (registered !== undefined) return registered;
    const assetId = this.#transients.idAt(path);
    const known = assetId === undefined ? undefined : this.#transients.get(assetId);
    if (known !== undefined && head === undefined) return known;
    return this.#transients.put(assetId ?? this.#newId(path), path, head);
  }

  /**
   * Keeps an asset's source open, for somebody who listens to it beside the timeline: a registered one's is, a transient one's is opened here.
   *
   * @throws {EngineError} `asset.notFound`, `asset.unsupported`, `asset.unreadable`.
   */
  async hold(assetId: string): Promise<HeldSource> {
    const entry = this.#shelf.get(assetId);
    if (entry) {
      if (!entry.bound) await this.bind(assetId);
      const { path, sampleRate, lengthSamples } = entry.asset;
      if (entry.bound) return { sampleRate, lengthSamples, release: () => {} };
      throw new EngineError(
        "asset.unreadable",
        `Cannot play ${path}: its file cannot be read now`,
        {
          assetId,
          path,
        },
      );
    }
    const { path } = this.get(assetId);
    const signal = this.#options.signal();
    return await this.#holds.hold(
      assetId,
      signal,
      async () => {
        const info = await this.#inTurn(
          assetId,
          () => this.#sources.open(signal, assetId, path),
        );
        this.#transients.hear(assetId, info);
        return info;
      },
      () => this.#shelf.get(assetId) !== undefined,
    );
  }

  /** Transient assets that were listened to, the latest last. */
  heard(): Iterable<AssetEntry> {
    return this.#transients.heard();
  }

  /** Takes note of how far an asset is analysed. */
  progress(assetId: string, analysedSamples: number, lengthSamples: number): void {
    const entry = this.#shelf.get(assetId);
    if (!entry) return;
    entry.asset = { ...entry.asset, analysedSamples };
    this.#options.notices.importProgress({
      assetId,
      analysed: [[0, analysedSamples]],
      lengthSamples,
    });
  }

  /** Takes note that an asset is analysed to its end. */
  analysed(
    assetId: string,
    { peakCache, lengthSamples }: { peakCache: string | null; lengthSamples: number },
  ): void {
    const entry = this.#shelf.get(assetId);
    if (!entry) return;
    this.#readable(entry);
    const { asset } = entry;
    const done = { peakCache, waveformCache: peakCache, analysedSamples: lengthSamples };
    if (asset.complete && asset.peakCache === peakCache) return;
    this.#options.notices.importProgress({
      assetId,
      analysed: [[0, lengthSamples]],
      lengthSamples,
    });
    this.update(assetId, { ...done, complete: true });
    this.#options.notices.ready(assetId);
  }

  /** Changes members of an asset, keeps them, and tells clients. */
  update(assetId: string, change: Partial<Asset>): void {
    const entry = this.#shelf.get(assetId);
    if (!entry) return;
    entry.asset = { ...entry.asset, ...change };
    this.#options.keeper.put(entry.asset, entry.identity);
    this.#options.notices.changed(shown(entry));
  }

  /** Opens the asset's source, if it is not open. An error is a state of the asset, not of a request. Says whether its disk answered. */
  bind(assetId: string): Promise<boolean> {
    return this.#inTurn(assetId, () => this.#bind(assetId));
  }

  /** Takes note of what stands at an asset's path now; `null` if nothing does. */
  see(assetId: string, facts: FileFacts | null): Promise<void> {
    return this.#inTurn(assetId, () => this.#see(assetId, facts));
  }

  /** Assets whose files Signal has found in another state than it knows, if any were since the last call. */
  takeStale(): string[] {
    const signal = this.#options.signal();
    const { readErrors } = signal.counters();
    if (readErrors === this.#readErrors) return [];
    this.#readErrors = readErrors;
    const stale: string[] = [];
    for (const { asset: { assetId }, bound } of this.#shelf.values()) {
      if (bound && signal.isStale(assetId)) stale.push(assetId);
    }
    return stale;
  }

  async #bind(assetId: string): Promise<boolean> {
    const entry = this.#shelf.get(assetId);
    if (!entry || entry.bound) return true;
    entry.wanted = true;
    const signal = this.#options.signal();
    let info: SourceInfo;
    try {
      info = await this.#sources.open(signal, assetId, entry.asset.path);
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      this.#refuse(entry, entry.identity, error);
      return error.details.reason !== "slow";
    }
    if (this.#shelf.get(assetId) !== entry) signal.closeSource(assetId);
    else {
      // The file that was kept, or another one by now: to open it is to have looked at it.
      const identity = identityOfSource(info);
      const changed = !sameBytes(identity, entry.identity);
      if (changed) this.#opened(entry, signal, info, { identity, changed });
      else {
        entry.bound = signal === this.#options.signal();
        this.#readable(entry);
        this.#options.onBound?.(assetId);
      }
      this.#setStatus(entry, "present");
    }
    return true;
  }

  async #see(assetId: string, facts: FileFacts | null): Promise<void> {
    const entry = this.#shelf.get(assetId);
    if (!entry) return;
    if (facts === null || facts.kind !== "file") return this.#setStatus(entry, "missing");
    const identity = identityOf(facts);
    const changed = !sameBytes(identity, entry.identity);
    const returned = entry.asset.offlineStatus === "missing";
    // So much as moved, linked, or its disk mounted again: the sound is the same, but Signal reads no file that is not in the state in which it was opened.
    const stale = entry.bound && this.#options.signal().isStale(assetId);
    const unopened = entry.wanted && !entry.bound; // It could not be read when it should have been.
    const isKnown = !changed && !returned && !stale && !unopened;
    if (isKnown) return this.#setStatus(entry, "present");
    if (changed || stale || !entry.bound) await this.#reopen(entry, identity, changed);
    this.#setStatus(entry, "present");
  }

  #setStatus(entry: AssetEntry, offlineStatus: OfflineStatus): void {
    const told = statusOf(entry);
    const isNews = entry.asset.offlineStatus !== offlineStatus;
    entry.seen = true;
    if (isNews) {
      entry.asset = { ...entry.asset, offlineStatus };
      this.#options.keeper.put(entry.asset, entry.identity);
    }
    if (isNews) this.#options.notices.statusChanged(entry.asset);
    else if (told !== offlineStatus) this.#options.notices.found(entry.asset);
  }

  /** Takes note that an asset's file could not be read. */
  unreadable(assetId: string, error: EngineError): void {
    const entry = this.#shelf.get(assetId);
    if (entry) this.#refuse(entry, entry.identity, error);
  }

  /** Takes note that an asset's file is broken in part: told once for each state that it is in. */
  damaged(assetId: string, error: EngineError): void {
    const entry = this.#shelf.get(assetId) ?? this.#transients.heardAs(assetId);
    if (!entry || (entry.damaged !== null && sameBytes(entry.damaged, entry.identity))) return;
    entry.damaged = entry.identity;
    this.#tellError(entry, error);
  }

  /** A file that cannot be read is told once for each state that it is in. */
  #refuse(entry: AssetEntry, identity: FileIdentity, error: EngineError): void {
    if (error.code === "asset.notFound") return this.#setStatus(entry, "missing");
    if (entry.refused !== null && sameBytes(entry.refused, identity)) {
      entry.error ??= { code: error.code, message: error.message };
      return;
    }
    entry.refused = identity;
    this.#tellError(entry, error);
  }

  /** Tells it, and keeps it for whoever asks for the asset later. */
  #tellError(entry: AssetEntry, { code, message }: EngineError): void {
    entry.error = { code, message };
    this.#options.notices.decodeError(entry.asset.assetId, { code, message });
    if (entry.asset.type !== "transient") this.#options.notices.changed(shown(entry));
  }

  /** The file can be read, as far as it is not broken in part. */
  #readable(entry: AssetEntry): void {
    if (entry.error === null || entry.error.code === "asset.damaged") return;
    entry.error = null;
    this.#options.notices.changed(shown(entry));
  }

  /** Opens the file that stands at the path now: another generation if its bytes are others. */
  async #reopen(entry: AssetEntry, identity: FileIdentity, changed: boolean): Promise<void> {
    const { assetId, path } = entry.asset;
    const signal = this.#options.signal();
    let info: SourceInfo;
    try {
      info = await this.#sources.open(signal, assetId, path);
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      // It is being written, or is no audio any more: the old samples stay until it can be read.
      return this.#refuse(entry, identity, error);
    }
    if (this.#shelf.get(assetId) !== entry) return signal.closeSource(assetId);
    this.#opened(entry, signal, info, { identity, changed });
  }

  /** The source of an asset is open as its file is now. */
  #opened(
    entry: AssetEntry,
    signal: SignalApi,
    info: SourceInfo,
    { identity, changed }: { identity: FileIdentity; changed: boolean },
  ): void {
    entry.bound = signal === this.#options.signal();
    entry.seen = true;
    entry.identity = identity;
    if (changed) entry.error = null;
    else this.#readable(entry);
    if (changed) {
      entry.asset = {
        ...entry.asset,
        ...shapeOf(info),
        generation: entry.asset.generation + 1,
        hash: null,
        analysedSamples: 0,
        complete: false,
      };
      this.#options.notices.changed(shown(entry));
      this.#options.notices.statusChanged(entry.asset);
    }
    this.#options.keeper.put(entry.asset, identity);
    this.#options.analysis.begin(entry.asset);
    this.#options.onBound?.(entry.asset.assetId);
  }

  #requireRoom(path: string): void {
    if (this.#shelf.size < MAX_ASSETS) return;
    throw new EngineError(
      "limit.exceeded",
      `Cannot register ${path}: the project has ${MAX_ASSETS} assets; remove some`,
      { limit: "assets", value: MAX_ASSETS },
    );
  }

  async #register(facts: FileFacts, type: AssetType): Promise<Asset> {
    this.#requireRoom(facts.path);
    const assetId = this.#transients.idAt(facts.path) ?? this.#newId(facts.path);
    return await this.#inTurn(assetId, () => this.#registerAs(assetId, facts, type));
  }

  async #registerAs(assetId: string, facts: FileFacts, type: AssetType): Promise<Asset> {
    const info = await this.#open(assetId, facts.path);
    if (this.#closed) throw new Error(`Cannot register ${facts.path}: its project was closed`);
    const asset = assetFromSource(assetId, facts.path, type, info);
    const identity = identityOf(facts);
    const entry = { ...entryOf({ asset, identity }), seen: true, bound: true, wanted: true };
    this.#shelf.add(entry);
    this.#transients.forget(assetId, facts.path);
    this.#options.keeper.put(asset, identity);
    this.#options.notices.added({ ...asset });
    this.#options.analysis.begin(asset);
    this.#options.onBound?.(assetId);
    return asset;
  }

  /** What opens and closes an asset's source happens one after another: a late opening would close, or take the place of, a newer one. */
  #inTurn<Result>(assetId: string, work: () => Promise<Result>): Promise<Result> {
    const done = (this.#turns.get(assetId) ?? Promise.resolve()).then(work);
    const over = done.then(() => {}, () => {}); // Told to whoever asked.
    this.#turns.set(assetId, over);
    over.then(() => {
      if (this.#turns.get(assetId) === over) this.#turns.delete(assetId);
    });
    return done;
  }

  async #open(assetId: string, path: string): Promise<SourceInfo> {
    const { signal, adoptRate } = this.#options;
    const info = await this.#sources.open(signal(), assetId, path);
    if (info.sampleRate === signal().sampleRate || !await adoptRate(info.sampleRate)) return info;
    return await this.#sources.open(signal(), assetId, path);
  }

  #newId(path: string): string {
    return this.#options.keeper.formerId(path) ?? crypto.randomUUID();
  }

  /** The first file decides the project's rate, so until there is one, files are taken one after another. */
  #inOrder(register: () => Promise<Asset>): Promise<Asset> {
    if (!this.#options.rateIsOpen()) return register();
    const next = this.#first.then(register);
    this.#first = next.catch(() => {});
    return next;
  }
}

function requireAudioFile(facts: FileFacts, path: string): void {
  if (facts.kind !== "file") {
    throw new EngineError(
      "asset.unsupported",
      facts.kind === "folder"
        ? `Cannot register ${path}: it is a folder; register the files in it`
        : `Cannot register ${path}: it is neither a file nor a folder`,
      { path, reason: facts.kind === "folder" ? "folder" : "special" },
    );
  }
  if (facts.bytes === 0) {
    throw new EngineError(
      "asset.unreadable",
      `Cannot register ${path}: the file is empty (0 bytes); copy or export it again`,
      { path, reason: "empty" },
    );
  }
}

function unknownAsset(assetId: string): EngineError {
  return new EngineError(
    "asset.notFound",
    `Cannot find asset ${assetId}: it is not registered in this project`,
    { assetId },
  );
}

function requireCount(field: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new InvalidParams([field], `must be an integer from 0 on, not ${value}`);
  }
}
