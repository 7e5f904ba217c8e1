/**
 * Signal over the native library: one page store, one live renderer, its device.
 *
 * @module
 */
import { check, nativeCode, NativeError } from "../../ffi/check.ts";
import { type NativeLibrary, openLibrary } from "../../ffi/library.ts";
import {
  type NativeSourceInfo,
  readSourceInfo,
  readWhy,
  SOURCE_INFO_BYTES,
} from "../../ffi/source_info.ts";
import { EngineError } from "../errors.ts";
import { hasSeekIndex, loadSeekFile, seekFilePath } from "../media/seek_file.ts";
import { AnticipationPlan } from "./anticipation.ts";
import { DamageLog, type FileDamage } from "./damage.ts";
import {
  BACKENDS,
  DEVICE_ENTRY_BYTES,
  DEVICE_STATUS_FIELDS,
  type DeviceStatus,
  readDeviceConfig,
  readDevices,
  readDeviceStatus,
  writeDeviceConfig,
} from "./device_records.ts";
import { CAUSES, EVENT_BYTES, readEvent } from "./events.ts";
import type { Frames, HeadMapStep, MixBlock, MixModel } from "./model.ts";
import { renderOffline } from "./offline.ts";
import { NativeDiagnosis } from "./native_diagnosis.ts";
import { Packer } from "./pack.ts";
import { assetOfSource } from "./played.ts";
import { PageWindow } from "./page_window.ts";
import { ProxyPairs } from "./proxy_pairs.ts";
import { Rebinding } from "./rebinding.ts";
import { SideStream } from "./side_stream.ts";
import type {
  AnticipationState,
  DeviceEntry,
  DeviceHealth,
  DeviceState,
  MeterReading,
  OfflineRender,
  PositionRecord,
  SignalApi,
  SignalEvent,
  SignalStream,
  SignalWindow,
  SourceInfo,
  SourceStretch,
  SourceSupply,
  WantedStretch,
  WindowRange,
} from "./signal_api.ts";
import { sourceError } from "./source_errors.ts";

export interface SignalOptions {
  /** The project's rate: 8,000 … 384,000. */
  sampleRate: number;
  /** Page budget, ≥ 65,536. Mapped once, never exceeded. */
  memoryBytes: number;
  /** The cold cache's folder, for seek indexes; without it none are looked for. */
  cacheDir?: string;
  /** Threads that read and decode. Default 4. */
  fillThreads?: number;
  /** Tests: time moves only with `lp_clock_set` and with rendered frames. */
  manualClock?: boolean;
  /** Tests: no threads; `lp_step_follow` and `lp_step_fill` do their work. */
  singleStep?: boolean;
}

const STATES = ["stopped", "paused", "playing"] as const;
const STORE_COUNTERS = [
  "units",
  "unitsFree",
  "pagesResident",
  "pageFills",
  "evictions",
  "bytesRead",
  "reads",
  "readNs",
  "convertNs",
  "queueLength",
  "queueDropped",
  "openFiles",
  "readErrors",
  "horizonMs",
  "voicesRefused",
  "stalledReads",
  "decodeNs",
  "brokenRuns",
  "fillThreads",
  "pagesFound",
  "pagesQueued",
  "readAheadMs",
  "slowSources",
  "framesFilled",
] as const;
const RENDER_COUNTERS = [
  "callbacks",
  "frames",
  "missing",
  "faded",
  ...CAUSES.map((cause) => `missing.${cause}`),
  ...CAUSES.map((cause) => `faded.${cause}`),
  "longestCallbackNs",
  "lateCallbacks",
  "publicationsTaken",
  "publicationsDisplaced",
  "admittedByDeadline",
  "crossfades",
  "callbackNs",
  "eventsLost",
  "oldFramesAfterPublish",
  "proxied",
  ...CAUSES.map((cause) => `proxied.${cause}`),
  "voiceHits",
  "voiceMisses",
  "unrecordedFrames",
];
const MOST_EVENTS = 256;
/** `LP_SIDES`. */
const MOST_STREAMS = 32;
const MOST_WINDOWS = 1024;
const MOST_FORMER = 4096;
/** How long changes of sources are gathered before blocks are packed anew, and the time between two lots of these, in milliseconds. */
const REBIND_MS = 5;
const NEXT_REBIND_MS = 10;
/** Blocks that are packed anew with an edit, whose own have to fit beside them. */
const BLOCKS_WITH_AN_EDIT = 1;
const NO_BLOCKS: ReadonlySet<MixBlock> = new Set();

/** Implements {@linkcode SignalApi}. Open it with {@linkcode Signal.open}, dispose of it when done. */
export class Signal implements SignalApi {
  readonly sampleRate: number;
  readonly #library: NativeLibrary;
  readonly #engine: number;
  readonly #renderer: number;
  readonly #cacheDir: string | undefined;
  readonly #packer = new Packer({ keeps: true });
  readonly #damage: DamageLog;
  readonly #plan: AnticipationPlan;
  readonly #sources = new Map<string, number>();
  readonly #assets = new Map<number, string>();
  /** Sources closed of late: what is heard of them once more is their last gap's end. The oldest go first. */
  readonly #former = new Map<number, string>();
  /** Assets whose sources have changed since streams and windows were told. */
  readonly #rebound = new Set<string>();
  readonly #rebinding: Rebinding;
  readonly #proxies: ProxyPairs;
  readonly diagnosis: NativeDiagnosis;
  readonly #record = new Float64Array(16);
  readonly #events = new Uint8Array(MOST_EVENTS * EVENT_BYTES);
  readonly #status = new Float64Array(DEVICE_STATUS_FIELDS);
  readonly #streams = new Set<SideStream>();
  readonly #windows = new Set<PageWindow>();
  #meters = new Uint8Array(0);
  #last: { mix: MixModel; revision: number } | null = null;
  #republish: ReturnType<typeof setTimeout> | undefined;
  #device: { state: DeviceState } | null = null;
  #closed = false;

  private constructor(
    library: NativeLibrary,
    engine: number,
    renderer: number,
    sampleRate: number,
    cacheDir: string | undefined,
  ) {
    this.#library = library;
    this.#cacheDir = cacheDir;
    this.#damage = new DamageLog(library.symbols);
    this.#proxies = new ProxyPairs(library.symbols, engine, this.#sourceOf);
    this.#engine = engine;
    this.#renderer = renderer;
    this.sampleRate = sampleRate;
    this.#rebinding = new Rebinding(sampleRate);
    this.#plan = new AnticipationPlan(library.symbols, engine, this.#sourceOf);
    this.diagnosis = new NativeDiagnosis({
      symbols: library.symbols,
      engine,
      renderer,
      assetOf: (source) => this.#assets.get(source) ?? null,
      slotOf: (trackId) => this.#packer.slotOf(trackId),
      slots: () => this.#packer.slots,
      streams: () => [...this.#streams].map((stream) => stream.renderer),
    });
  }

  /**
   * Loads the native library, building it if need be, and maps the page budget.
   *
   * @throws {NativeError} If an option is out of range or there is no memory.
   */
  static async open(options: SignalOptions): Promise<Signal> {
    const library = await openLibrary();
    try {
      const { symbols } = library;
      const flags = (options.manualClock ? 1 : 0) | (options.singleStep ? 2 : 0);
      const engine = check(
        symbols.lp_engine_create(
          options.sampleRate,
          options.memoryBytes,
          options.fillThreads ?? 4,
          flags,
        ),
        `open an engine at ${options.sampleRate} Hz with ${options.memoryBytes} bytes of pages`,
      );
      const renderer = symbols.lp_renderer_create(engine, 0);
      if (renderer < 0) {
        await symbols.lp_engine_close(engine);
        check(renderer, "make a renderer");
      }
      return new Signal(library, engine, renderer, options.sampleRate, options.cacheDir);
    } catch (error) {
      await library.close();
      throw error;
    }
  }

  /** The native functions and handles, for tests and benches. */
  get native(): { symbols: NativeLibrary["symbols"]; engine: number; renderer: number } {
    return { symbols: this.#library.symbols, engine: this.#engine, renderer: this.#renderer };
  }

  /** Whether what plays sources that were opened or closed of late is still to be published anew. */
  get isRebinding(): boolean {
    return this.#republish !== undefined;
  }

  nowMs(): number {
    return this.#library.symbols.lp_now_ms(this.#engine);
  }

  async openSource(assetId: string, path: string): Promise<SourceInfo> {
    const name = new TextEncoder().encode(path);
    const record = new Uint8Array(SOURCE_INFO_BYTES);
    const result = await this.#library.symbols.lp_source_open(
      this.#engine,
      name,
      name.length,
      record,
      record.length,
    );
    if (result < 0) throw sourceError(path, result, readWhy(record), this.sampleRate);
    const info = readSourceInfo(record);
    await this.#giveIndex(info);
    const before = this.#sources.get(assetId);
    this.#sources.set(assetId, result);
    this.#assets.set(result, assetOfSource(assetId)); // Of a render its asset is what people know.
    this.#former.delete(result);
    this.#rebind(assetId, before);
    this.#proxies.opened(assetId);
    return {
      frames: info.frames,
      sourceFrames: info.engineFrames,
      sampleRate: info.sampleRate,
      channels: info.channels,
      bits: info.bits,
      encoding: info.encoding,
      container: info.container,
      channelMask: info.channelMask,
      fileBytes: info.fileBytes,
      dataOffset: info.dataOffset,
      device: info.device,
      inode: info.inode,
      mtimeMs: info.mtimeSeconds * 1000 + info.mtimeNanoseconds / 1e6,
      ctimeMs: info.ctimeSeconds * 1000 + info.ctimeNanoseconds / 1e6,
      lengthLied: info.lengthLied,
    };
  }

  /** The index that the cache has of a compressed file spares playback from building it. One that is damaged is refused, and built anew. */
  async #giveIndex(info: NativeSourceInfo): Promise<void> {
    if (this.#cacheDir === undefined || !hasSeekIndex(info.container)) return;
    const bytes = await loadSeekFile(seekFilePath(this.#cacheDir, info));
    if (bytes !== undefined && !this.#closed) {
      this.#library.symbols.lp_index_give(bytes, bytes.length);
    }
  }

  closeSource(assetId: string): void {
    const before = this.#sources.get(assetId);
    if (before === undefined) return;
    this.#sources.delete(assetId);
    this.#rebind(assetId, before);
  }

  setProxy(assetId: string, proxyAssetId: string | null): void {
    this.#proxies.set(assetId, proxyAssetId);
  }

  isStale(assetId: string): boolean {
    return this.#library.symbols.lp_source_stale(this.#engine, this.#sourceOf(assetId)) > 0;
  }

  /** Clips of the asset are packed anew, once for all assets that change within a few milliseconds, and few blocks at a time. */
  #rebind(assetId: string, before: number | undefined): void {
    this.#rebound.add(assetId);
    this.#rebinding.add(assetId);
    if (before !== undefined) {
      this.diagnosis.closing(before, assetOfSource(assetId));
      this.#assets.delete(before);
      this.#former.set(before, assetOfSource(assetId));
      if (this.#former.size > MOST_FORMER) {
        this.#former.delete(this.#former.keys().next().value!);
      }
      // Blocks hold their own reference: the old source goes when the last snapshot that names it does.
      this.#library.symbols.lp_source_close(this.#engine, before);
    }
    this.#republish ??= setTimeout(() => this.#publishRebound(), REBIND_MS);
  }

  #publishRebound(): void {
    clearTimeout(this.#republish);
    this.#republish = undefined;
    if (this.#closed) return;
    if (this.#rebound.size > 0) {
      for (const stream of this.#streams) {
        if (stream.assetId !== null && this.#rebound.has(stream.assetId)) {
          stream.rebound(stream.assetId);
        }
      }
      for (const window of this.#windows) {
        if (this.#rebound.has(window.range.assetId)) window.rebound();
      }
      this.#rebound.clear();
    }
    if (!this.#last) return this.#rebinding.clear();
    const { mix, revision } = this.#last;
    const again = this.#rebinding.take(mix, this.position().positionFrame);
    // What is kept for an undo lets go of old sources too.
    if (again.size > 0 || this.#packer.known.keptBlocks > 0) {
      this.#publish(mix, revision, [], again);
    } else this.#rebinding.done(again);
    if (this.#rebinding.isDone) return;
    this.#republish ??= setTimeout(() => this.#publishRebound(), NEXT_REBIND_MS);
  }

  #sourceOf = (assetId: string): number => this.#sources.get(assetId) ?? 0;

  publish(mix: MixModel, revision: number, map: readonly HeadMapStep[]): void {
    const again = this.#rebinding.isDone ? NO_BLOCKS : this.#rebinding.take(
      mix,
      this.position().positionFrame,
      BLOCKS_WITH_AN_EDIT,
      BLOCKS_WITH_AN_EDIT,
    );
    this.#publish(mix, revision, map, again);
  }

  /** @param again Blocks that are packed although they were before. */
  #publish(
    mix: MixModel,
    revision: number,
    map: readonly HeadMapStep[],
    again: ReadonlySet<MixBlock>,
  ): void {
    const isOld = this.#rebinding.isDone ? null : (block: MixBlock) => this.#rebinding.isOld(block);
    const packed = this.#packer.pack(mix, revision, map, this.#sourceOf, { blocks: again, isOld });
    check(
      this.#library.symbols.lp_publish(this.#renderer, packed.bytes, packed.bytes.length),
      `publish revision ${revision}`,
    );
    packed.commit();
    for (const [trackId, slot] of packed.assigned) this.diagnosis.assigned(trackId, slot);
    if (!this.#rebinding.isDone) this.#rebinding.done(packed.fresh);
    this.#last = { mix, revision };
    this.lastPackedBytes = packed.bytes.length;
  }

  /** Bytes that the last publication was packed into. */
  lastPackedBytes = 0;

  play(fromFrame?: Frames, toFrame?: Frames): void {
    check(
      this.#library.symbols.lp_transport_play(this.#renderer, fromFrame ?? NaN, toFrame ?? NaN),
      `play from frame ${fromFrame ?? "where it stands"}`,
    );
  }
  pause(): void {
    check(this.#library.symbols.lp_transport_pause(this.#renderer), "pause");
  }
  stop(): void {
    check(this.#library.symbols.lp_transport_stop(this.#renderer), "stop");
  }
  seek(positionFrame: Frames): void {
    check(
      this.#library.symbols.lp_transport_seek(this.#renderer, positionFrame),
      `seek to frame ${positionFrame}`,
    );
  }
  setLoop(loop: { enabled: boolean; startFrame: Frames; endFrame: Frames }): void {
    check(
      this.#library.symbols.lp_transport_loop(
        this.#renderer,
        loop.enabled ? 1 : 0,
        loop.startFrame,
        loop.endFrame,
      ),
      `set the loop to ${loop.startFrame} … ${loop.endFrame}`,
    );
  }

  position(): PositionRecord {
    const r = this.#record;
    check(this.#library.symbols.lp_position(this.#renderer, r, r.length), "read the position");
    return {
      positionFrame: r[0],
      timeMs: r[1],
      audibleFrame: r[2],
      state: STATES[r[3]],
      revision: r[4],
      loop: { enabled: r[5] !== 0, startFrame: r[6], endFrame: r[7] },
      latencyFrames: r[8],
      rate: r[14],
      framesRendered: r[9],
      gateWaiting: r[15] !== 0,
      acknowledged: r[10],
      made: r[11],
    };
  }

  drainEvents(): SignalEvent[] {
    const events: SignalEvent[] = [];
    const view = new DataView(this.#events.buffer);
    const names = {
      trackOf: (slot: number) => this.#packer.trackOf(slot),
      clipOf: (uid: number) => this.#packer.clipOf(uid),
      assetOf: (source: number) => this.#assets.get(source) ?? this.#former.get(source) ?? null,
    };
    for (;;) {
      const count = check(
        this.#library.symbols.lp_events(this.#renderer, this.#events, this.#events.length),
        "read events",
      );
      for (let i = 0; i < count; i++) {
        const event = readEvent(view, i * EVENT_BYTES, names);
        if (event) events.push(event);
      }
      if (count < MOST_EVENTS) return events;
    }
  }

  takeMeters(): MeterReading | null {
    const slots = this.#packer.slots;
    const bytes = 32 + 16 * (1 + slots);
    if (this.#meters.length !== bytes) this.#meters = new Uint8Array(bytes);
    const result = this.#library.symbols.lp_meters(this.#renderer, this.#meters, bytes);
    if (result < 0) return null;
    const view = new DataView(this.#meters.buffer);
    const at = (index: number) => {
      const f = (k: number) => view.getFloat32(32 + index * 16 + k * 4, true);
      return { peak: [f(0), f(1)] as [number, number], rms: [f(2), f(3)] as [number, number] };
    };
    const tracks: MeterReading["tracks"] = new Map();
    for (const track of this.#last?.mix.tracks ?? []) {
      const slot = this.#packer.slotOf(track.trackId);
      if (slot !== undefined && slot < slots) tracks.set(track.trackId, at(slot + 1));
    }
    return {
      audibleFrame: view.getFloat64(0, true),
      timeMs: view.getFloat64(8, true),
      revision: view.getFloat64(16, true),
      master: at(0),
      tracks,
    };
  }

  counters(): Record<string, number> {
    const out: Record<string, number> = {};
    const read = (names: readonly string[], fill: (into: Float64Array<ArrayBuffer>) => number) => {
      const values = new Float64Array(names.length);
      const count = fill(values);
      for (let i = 0; i < count; i++) out[names[i]] = values[i];
    };
    const { symbols } = this.#library;
    read(RENDER_COUNTERS, (v) => symbols.lp_counters(this.#renderer, v, v.length));
    read(STORE_COUNTERS, (v) => symbols.lp_store_counters(this.#engine, v, v.length));
    return out;
  }

  takeDamage(): FileDamage[] {
    return this.#damage.take();
  }

  trackCounters(trackId: string): { missing: number; faded: number; proxied: number } {
    const slot = this.#packer.slotOf(trackId);
    if (slot === undefined) return { missing: 0, faded: 0, proxied: 0 };
    const values = new Float64Array(3);
    this.#library.symbols.lp_track_counters(this.#renderer, slot, values, 3);
    return { missing: values[0], faded: values[1], proxied: values[2] };
  }

  renderOffline(mix: MixModel, startFrame: Frames): OfflineRender {
    return renderOffline(this.#library.symbols, this.#engine, mix, startFrame, this.#sourceOf);
  }

  openStream(): SignalStream {
    const host = {
      symbols: this.#library.symbols,
      engine: this.#engine,
      renderer: this.#renderer,
      sourceOf: this.#sourceOf,
    };
    try {
      const stream = new SideStream(host, (closing) => {
        this.diagnosis.ending(closing.renderer);
        this.#streams.delete(closing);
      });
      this.#streams.add(stream);
      return stream;
    } catch (error) {
      if (!(error instanceof NativeError) || error.code !== "limit") throw error;
      throw new EngineError(
        "limit.exceeded",
        `Cannot start a stream: ${MOST_STREAMS} sound at a time; stop one first`,
        { limit: "streams", value: MOST_STREAMS },
      );
    }
  }

  openWindow(range: WindowRange): SignalWindow {
    try {
      const window = new PageWindow(
        this.#library.symbols,
        this.#engine,
        this.#sourceOf,
        range,
        (closed) => this.#windows.delete(closed),
      );
      this.#windows.add(window);
      return window;
    } catch (error) {
      if (!(error instanceof NativeError)) throw error;
      if (error.code === "state") {
        throw new EngineError(
          "limit.exceeded",
          `Cannot hold another window: ${MOST_WINDOWS} are held; release one first`,
          { limit: "clipWindows", value: MOST_WINDOWS },
        );
      }
      if (error.code !== "limit") throw error;
      const bytes = new Float64Array(2);
      this.#library.symbols.lp_window_budget(this.#engine, bytes, bytes.length);
      const [heldBytes, budgetBytes] = bytes;
      throw new EngineError(
        "cache.budget",
        `Cannot hold frames ${range.startFrame} … ${range.endFrame}: windows hold ${
          megabytes(heldBytes)
        } of the ${
          megabytes(budgetBytes)
        } that they may; release some, or start with more --memory-mb`,
        { heldBytes, budgetBytes, startFrame: range.startFrame, endFrame: range.endFrame },
      );
    }
  }

  anticipate(stretches: readonly WantedStretch[]): number {
    return this.#plan.set(stretches);
  }
  anticipation(): AnticipationState {
    return this.#plan.state();
  }

  supply(assetId: string): SourceSupply | null {
    const v = new Float64Array(3);
    const source = this.#sourceOf(assetId);
    const { symbols } = this.#library;
    if (source === 0 || symbols.lp_source_supply(this.#engine, source, v, v.length) < 0) {
      return null;
    }
    return { readAheadMs: v[0], slackMs: v[1] < 0 ? null : v[1], slow: v[2] !== 0 };
  }

  residentFrames(assetId: string, positionFrame: Frames, maxFrames: Frames): Frames {
    const source = this.#sourceOf(assetId);
    if (source === 0) return 0;
    const { symbols } = this.#library;
    return Math.max(
      0,
      symbols.lp_source_resident(this.#engine, source, positionFrame, maxFrames),
    );
  }

  raiseColumns(
    { assetId, fromFrame, toFrame, sourceFrame, step }: SourceStretch,
    { first, end }: { first: Float64Array<ArrayBuffer>; end: Float64Array<ArrayBuffer> },
    [from, past]: readonly [number, number],
    out: Uint8Array<ArrayBuffer>,
  ): boolean {
    const source = this.#closed ? 0 : this.#sourceOf(assetId);
    if (source === 0) return false;
    const result = this.#library.symbols.lp_source_columns(
      this.#engine,
      source,
      first,
      end,
      from,
      past,
      fromFrame,
      toFrame,
      sourceFrame,
      step,
      out,
    );
    return result === 0;
  }

  async listDevices(backend = "auto"): Promise<DeviceEntry[]> {
    const number = backendNumber(backend);
    for (let room = 32;; room *= 2) {
      const bytes = new Uint8Array(room * DEVICE_ENTRY_BYTES);
      const count = check(
        await this.#library.symbols.lp_device_list(this.#renderer, number, bytes, bytes.length),
        `list devices of ${backend}`,
      );
      if (count <= room) return readDevices(bytes, count);
    }
  }

  async openDevice(
    params: { backend?: string; device?: string; period?: number },
  ): Promise<DeviceState> {
    const backend = params.backend ?? "auto";
    const config = writeDeviceConfig({
      backend: backendNumber(backend),
      periodFrames: params.period ?? 256,
      id: params.device ?? null,
    });
    await this.closeDevice();
    const result = await this.#library.symbols.lp_device_open(
      this.#renderer,
      config,
      config.length,
    );
    if (result < 0) {
      const of = backend === "auto" ? "any audio system" : backend;
      const which = params.device
        ? `the device "${params.device}" of ${of}`
        : `the default device of ${of}`;
      throw new EngineError(
        "device.unavailable",
        nativeCode(result) === "absent"
          ? `Cannot open ${which}: there is none of that name; device.list tells the names`
          : `Cannot open ${which}: the audio system refused; check that a sound server or card is there, ` +
            `or choose the backend "null"`,
        { backend, device: params.device ?? null },
      );
    }
    const opened = readDeviceConfig(config);
    this.#device = {
      state: { ...opened, device: params.device ?? null, state: "running" },
    };
    return { ...this.#device.state };
  }

  async closeDevice(): Promise<void> {
    if (!this.#device) return;
    this.#device = null;
    await this.#library.symbols.lp_device_close(this.#renderer);
  }

  deviceState(): DeviceState | null {
    if (!this.#device) return null;
    const { running, lost, latencyFrames } = this.#deviceStatus();
    const state = lost ? "lost" : running ? "running" : "closed";
    return { ...this.#device.state, latencyFrames, state };
  }

  deviceHealth(): DeviceHealth | null {
    if (!this.#device) return null;
    const { givenFrames, lastCallbackMs } = this.#deviceStatus();
    return { givenFrames, lastCallbackMs };
  }

  async measureDevice(): Promise<number> {
    if (!this.#device) return 0;
    return Math.max(0, await this.#library.symbols.lp_device_measure(this.#renderer));
  }

  #deviceStatus(): DeviceStatus {
    this.#library.symbols.lp_device_status(this.#renderer, this.#status, this.#status.length);
    return readDeviceStatus(this.#status);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#republish);
    await Promise.all([...this.#streams].map((stream) => stream[Symbol.asyncDispose]()));
    const stuck = await this.#library.symbols.lp_engine_close(this.#engine);
    // A thread that hangs in a dead volume still runs this code: the library stays mapped.
    await this.#library.close({ unload: stuck === 0 });
  }
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e5) / 10} MB`;
}

/** @throws {EngineError} `device.unavailable` for a name that is none. */
function backendNumber(name: string): number {
  const number = (BACKENDS as readonly string[]).indexOf(name);
  if (number < 0) {
    throw new EngineError(
      "device.unavailable",
      `Cannot use the backend "${name}": it is one of ${BACKENDS.join(", ")}`,
      { backend: name },
    );
  }
  return number;
}
