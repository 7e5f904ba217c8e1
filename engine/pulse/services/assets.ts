/**
 * The assets of the open project: registering, listing, removing, and keeping up with what happens to their files.
 *
 * @module
 */
import type { Caller } from "../../api.ts";
import { withinMs } from "../../bounded.ts";
import { EngineError, InvalidParams } from "../../errors.ts";
import type { FileFacts } from "../../files/files_protocol.ts";
import type { Grants } from "../../files/grants.ts";
import type { AudioHead } from "../../files/head.ts";
import { Limiter } from "../../limiter.ts";
import type { SignalApi, SourceInfo } from "../../signal/signal_api.ts";
import type { Asset, AssetType, DecodeError, OfflineStatus } from "../types.ts";
import {
  assetFromSource,
  contentType,
  type FileIdentity,
  identityOf,
  sameBytes,
  shapeOf,
  transientAsset,
} from "./asset_entry.ts";
import { AssetHolds, type HeldSource } from "./asset_holds.ts";
import type { AssetNotices } from "./asset_notices.ts";

export const DEFAULT_LIMIT = 1_000;
/** Most assets of a project. */
export const MAX_ASSETS = 100_000;
/** Files registered at the same time: more would not be quicker, and would hold up the main thread when they end together. */
const REGISTERING = 8;
/** Files of one volume opened at the same time: one that hangs holds up its own alone, and few of the threads that all share. */
const OPENING = 4;
/** How long opening a file may take, in milliseconds. */
const OPEN_MS = 10_000;
/** Most transient assets that are remembered; the oldest are forgotten. */
const MAX_TRANSIENTS = 20_000;

/** Most transient assets whose files' state is remembered. */
const MAX_HEARD = 256;

/** Of an asset that was kept without one: any file is another. */
const NO_IDENTITY: FileIdentity = { device: 0, inode: 0, bytes: 0, mtimeMs: 0, ctimeMs: 0 };

/** An asset as it is kept. */
export interface KeptAsset {
  asset: Asset;
  identity: FileIdentity;
}

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
  onBound?: () => void;
}

/** A registered asset and what goes with it. */
export interface AssetEntry {
  asset: Asset;
  identity: FileIdentity;
  /** Whether Signal has its source open. */
  bound: boolean;
  /** Whether somebody has wanted it open. */
  wanted: boolean;
  /** The state of its file that was told to be unreadable. */
  refused: FileIdentity | null;
  /** The state of its file that was told to be broken in part. */
  damaged: FileIdentity | null;
  /** What was told last of what cannot be read of the file as it is. */
  error: DecodeError | null;
}

/** The registry. What it answers is a copy. */
export class Assets {
  readonly #options: AssetsOptions;
  readonly #entries = new Map<string, AssetEntry>();
  readonly #byPath = new Map<string, string>();
  readonly #registering = new Map<string, Promise<Asset>>();
  readonly #transients = new Map<string, Asset>();
  readonly #transientByPath = new Map<string, string>();
  /** Transient assets that were listened to, with their files' state then. */
  readonly #heard = new Map<string, AssetEntry>();
  /** The chain of registrations while the project's rate may still change. */
  #first: Promise<unknown> = Promise.resolve();
  #closed = false;
  /** As they were counted when files were looked for that had changed. */
  #readErrors = 0;
  readonly #limiter = new Limiter(REGISTERING);
  readonly #holds = new AssetHolds();
  /** The end of what is being done with each asset's source. */
  readonly #turns = new Map<string, Promise<void>>();
  /** By volume. */
  readonly #openings = new Map<string, Limiter>();
  /** Sources that are being opened. */
  readonly #opening = new Set<Promise<unknown>>();

  constructor(options: AssetsOptions) {
    this.#options = options;
  }

  /** Takes a project's assets over; their files are looked at later. */
  load(assets: Iterable<KeptAsset>): void {
    this.#entries.clear();
    this.#byPath.clear();
    for (const { asset, identity } of assets) {
      const known = identity ?? NO_IDENTITY;
      this.#entries.set(asset.assetId, {
        asset,
        identity: known,
        bound: false,
        wanted: false,
        refused: null,
        damaged: null,
        error: null,
      });
      this.#byPath.set(asset.path, asset.assetId);
    }
  }

  /** Registers nothing any more. */
  close(): void {
    this.#closed = true;
  }

  /** Waits until no source is being opened. */
  async settled(): Promise<void> {
    while (this.#opening.size > 0) await Promise.allSettled(this.#opening);
  }

  /** All registered assets with their state, in order of registration. */
  entries(): Iterable<AssetEntry> {
    return this.#entries.values();
  }

  entry(assetId: string): AssetEntry | undefined {
    return this.#entries.get(assetId);
  }

  get size(): number {
    return this.#entries.size;
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
    const known = this.#byPath.get(facts.path);
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
    const known = this.#byPath.get(path);
    if (known !== undefined) return this.get(known);
    this.#requireRoom(path);
    const assetId = this.#transientByPath.get(path) ?? this.#newId(path);
    const asset: Asset = {
      ...transientAsset(assetId, path, undefined),
      type,
      offlineStatus: "missing",
      generation: 1,
    };
    this.#entries.set(assetId, {
      asset,
      identity: NO_IDENTITY,
      bound: false,
      wanted: true,
      refused: null,
      damaged: null,
      error: null,
    });
    this.#byPath.set(path, assetId);
    this.#transients.delete(assetId);
    this.#transientByPath.delete(path);
    this.#options.keeper.put(asset, NO_IDENTITY);
    this.#options.notices.added({ ...asset });
    onNew(assetId);
    return { ...asset };
  }

  /** @throws {EngineError} `asset.notFound`. */
  get(assetId: string): Asset {
    const entry = this.#entries.get(assetId);
    if (entry) return shown(entry);
    const asset = this.#transients.get(assetId);
    if (!asset) throw unknownAsset(assetId);
    return shown({ asset, error: this.#heard.get(assetId)?.error ?? null });
  }

  /**
   * The asset's file and what tells its bytes from others'.
   *
   * @throws {EngineError} `asset.notFound`.
   */
  file(assetId: string): { path: string; etag: string; contentType: string } {
    const { path, container } = this.get(assetId);
    const identity = this.#entries.get(assetId)?.identity;
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
    let total = 0;
    for (const entry of this.#entries.values()) {
      if (status !== undefined && entry.asset.offlineStatus !== status) continue;
      if (total >= offset && assets.length < limit) assets.push(shown(entry));
      total++;
    }
    return { assets, total };
  }

  /** @throws {EngineError} `asset.notFound`, `asset.inUse`. */
  remove(assetId: string): void {
    const entry = this.#entries.get(assetId);
    if (!entry) throw unknownAsset(assetId);
    if (this.#options.isUsed(assetId)) {
      throw new EngineError(
        "asset.inUse",
        `Cannot remove ${entry.asset.path}: clips use it; delete them first`,
        { assetId },
      );
    }
    this.#entries.delete(assetId);
    this.#byPath.delete(entry.asset.path);
    this.#options.keeper.remove({ asset: entry.asset, identity: entry.identity });
    this.#options.analysis.drop(assetId);
    if (entry.bound) this.#options.signal().closeSource(assetId);
    this.#options.notices.removed(assetId);
  }

  /** Registers an asset again that was removed; nothing if it is registered or never was. */
  revive(assetId: string): void {
    if (this.#entries.has(assetId)) return;
    const kept = this.#options.keeper.recall(assetId);
    if (kept === undefined || this.#byPath.has(kept.asset.path)) return;
    this.#entries.set(assetId, {
      ...kept,
      bound: false,
      wanted: false,
      refused: null,
      damaged: null,
      error: null,
    });
    this.#byPath.set(kept.asset.path, assetId);
    this.#options.keeper.put(kept.asset, kept.identity);
    this.#options.notices.added({ ...kept.asset });
  }

  /** The asset under which a file of the library can be heard: its own, else a transient one that lasts as long as the project is open. */
  at(path: string, head: AudioHead | undefined): Asset {
    const assetId = this.#byPath.get(path) ?? this.#transientByPath.get(path);
    const known = assetId === undefined
      ? undefined
      : this.#entries.get(assetId)?.asset ?? this.#transients.get(assetId);
    if (known !== undefined && (known.type !== "transient" || head === undefined)) return known;
    const asset = transientAsset(assetId ?? this.#newId(path), path, head);
    this.#transients.set(asset.assetId, asset);
    this.#transientByPath.set(path, asset.assetId);
    if (this.#transients.size > MAX_TRANSIENTS) {
      const [oldest, { path }] = this.#transients.entries().next().value!;
      this.#transients.delete(oldest);
      this.#transientByPath.delete(path);
    }
    return asset;
  }

  /**
   * Keeps an asset's source open, for somebody who listens to it beside the timeline: a registered one's is, a transient one's is opened here.
   *
   * @throws {EngineError} `asset.notFound`, `asset.unsupported`, `asset.unreadable`.
   */
  async hold(assetId: string): Promise<HeldSource> {
    const entry = this.#entries.get(assetId);
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
          () => this.#openSource(signal, assetId, path),
        );
        this.#hear(assetId, info);
        return info;
      },
      () => this.#entries.has(assetId),
    );
  }

  /** Transient assets that were listened to, the latest last. */
  heard(): Iterable<AssetEntry> {
    return this.#heard.values();
  }

  #hear(assetId: string, info: SourceInfo): void {
    const asset = this.#transients.get(assetId);
    if (!asset) return;
    const { device, inode, fileBytes: bytes, mtimeMs, ctimeMs, sampleRate } = info;
    const identity = { device, inode, bytes, mtimeMs, ctimeMs };
    const { damaged = null, error = null } = this.#heard.get(assetId) ?? {};
    const entry = {
      asset: { ...asset, sampleRate },
      identity,
      bound: false,
      wanted: false,
      refused: null,
      damaged,
      error,
    };
    this.#heard.delete(assetId);
    this.#heard.set(assetId, entry);
    if (this.#heard.size > MAX_HEARD) this.#heard.delete(this.#heard.keys().next().value!);
  }

  /** Takes note of how far an asset is analysed. */
  progress(assetId: string, analysedSamples: number, lengthSamples: number): void {
    const entry = this.#entries.get(assetId);
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
    const entry = this.#entries.get(assetId);
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
    const entry = this.#entries.get(assetId);
    if (!entry) return;
    entry.asset = { ...entry.asset, ...change };
    this.#options.keeper.put(entry.asset, entry.identity);
    this.#options.notices.changed(shown(entry));
  }

  /** Opens the asset's source, if it is not open. An error is a state of the asset, not of a request. */
  bind(assetId: string): Promise<void> {
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
    return [...this.#entries].flatMap(([assetId, { bound }]) =>
      bound && signal.isStale(assetId) ? assetId : []
    );
  }

  async #bind(assetId: string): Promise<void> {
    const entry = this.#entries.get(assetId);
    if (!entry || entry.bound) return;
    entry.wanted = true;
    const signal = this.#options.signal();
    try {
      await this.#openSource(signal, assetId, entry.asset.path);
      if (this.#entries.get(assetId) !== entry) signal.closeSource(assetId);
      else {
        entry.bound = signal === this.#options.signal();
        this.#readable(entry);
        this.#options.onBound?.();
      }
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      this.#refuse(entry, entry.identity, error);
    }
  }

  async #see(assetId: string, facts: FileFacts | null): Promise<void> {
    const entry = this.#entries.get(assetId);
    if (!entry) return;
    if (facts === null || facts.kind !== "file") return this.#setStatus(entry, "missing");
    const identity = identityOf(facts);
    const changed = !sameBytes(identity, entry.identity);
    const returned = entry.asset.offlineStatus === "missing";
    // So much as moved, linked, or its disk mounted again: the sound is the same, but Signal reads no file that is not in the state in which it was opened.
    const stale = entry.bound && this.#options.signal().isStale(assetId);
    const unopened = entry.wanted && !entry.bound; // It could not be read when it should have been.
    if (!changed && !returned && !stale && !unopened) return;
    if (changed || stale || !entry.bound) await this.#reopen(entry, identity, changed);
    this.#setStatus(entry, "present");
  }

  #setStatus(entry: AssetEntry, offlineStatus: OfflineStatus): void {
    if (entry.asset.offlineStatus === offlineStatus) return;
    entry.asset = { ...entry.asset, offlineStatus };
    this.#options.keeper.put(entry.asset, entry.identity);
    this.#options.notices.statusChanged(entry.asset);
  }

  /** Takes note that an asset's file could not be read. */
  unreadable(assetId: string, error: EngineError): void {
    const entry = this.#entries.get(assetId);
    if (entry) this.#refuse(entry, entry.identity, error);
  }

  /** Takes note that an asset's file is broken in part: told once for each state that it is in. */
  damaged(assetId: string, error: EngineError): void {
    const entry = this.#entries.get(assetId) ?? this.#heard.get(assetId);
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
      info = await this.#openSource(signal, assetId, path);
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      // It is being written, or is no audio any more: the old samples stay until it can be read.
      return this.#refuse(entry, identity, error);
    }
    if (this.#entries.get(assetId) !== entry) return signal.closeSource(assetId);
    entry.bound = signal === this.#options.signal();
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
    this.#options.onBound?.();
  }

  #requireRoom(path: string): void {
    if (this.#entries.size < MAX_ASSETS) return;
    throw new EngineError(
      "limit.exceeded",
      `Cannot register ${path}: the project has ${MAX_ASSETS} assets; remove some`,
      { limit: "assets", value: MAX_ASSETS },
    );
  }

  async #register(facts: FileFacts, type: AssetType): Promise<Asset> {
    this.#requireRoom(facts.path);
    const assetId = this.#transientByPath.get(facts.path) ?? this.#newId(facts.path);
    return await this.#inTurn(assetId, () => this.#registerAs(assetId, facts, type));
  }

  async #registerAs(assetId: string, facts: FileFacts, type: AssetType): Promise<Asset> {
    const info = await this.#open(assetId, facts.path);
    if (this.#closed) throw new Error(`Cannot register ${facts.path}: its project was closed`);
    const asset = assetFromSource(assetId, facts.path, type, info);
    const identity = identityOf(facts);
    this.#entries.set(assetId, {
      asset,
      identity,
      bound: true,
      wanted: true,
      refused: null,
      damaged: null,
      error: null,
    });
    this.#byPath.set(facts.path, assetId);
    this.#heard.delete(assetId);
    this.#transients.delete(assetId);
    this.#transientByPath.delete(facts.path);
    this.#options.keeper.put(asset, identity);
    this.#options.notices.added({ ...asset });
    this.#options.analysis.begin(asset);
    this.#options.onBound?.();
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
    const info = await this.#openSource(signal(), assetId, path);
    if (info.sampleRate === signal().sampleRate || !await adoptRate(info.sampleRate)) return info;
    return await this.#openSource(signal(), assetId, path);
  }

  #newId(path: string): string {
    return this.#options.keeper.formerId(path) ?? crypto.randomUUID();
  }

  async #openSource(signal: SignalApi, assetId: string, path: string): Promise<SourceInfo> {
    let late = false;
    const opening = this.#openingsOf(path).run(() => {
      if (late) return Promise.reject(new Error(`Nobody waits for ${path} any more`));
      return signal.openSource(assetId, path);
    });
    this.#opening.add(opening);
    opening.finally(() => this.#opening.delete(opening)).catch(() => {}); // Told below.
    const info = await withinMs(opening, OPEN_MS, null);
    if (info !== null) return info;
    late = true;
    opening.then(() => {
      if (!this.#entries.get(assetId)?.bound) signal.closeSource(assetId);
    }, () => {});
    throw new EngineError(
      "asset.unreadable",
      `Cannot read ${path}: its disk did not answer within ${
        OPEN_MS / 1_000
      } s; check that it is connected`,
      { path, reason: "slow" },
    );
  }

  #openingsOf(path: string): Limiter {
    const volume = this.#options.volumeOf(path);
    let openings = this.#openings.get(volume);
    if (openings === undefined) this.#openings.set(volume, openings = new Limiter(OPENING));
    return openings;
  }

  /** The first file decides the project's rate, so until there is one, files are taken one after another. */
  #inOrder(register: () => Promise<Asset>): Promise<Asset> {
    if (!this.#options.rateIsOpen()) return register();
    const next = this.#first.then(register);
    this.#first = next.catch(() => {});
    return next;
  }
}

/** The asset as clients see it. */
function shown({ asset, error }: Pick<AssetEntry, "asset" | "error">): Asset {
  return error === null ? { ...asset } : { ...asset, decodeError: error };
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
