/**
 * Counters for those who look: what was rendered, what was missing, what is held.
 *
 * @module
 */
import type { Caller } from "../../api.ts";
import type { Notification } from "../../api.ts";
import type { Notify } from "../../notices.ts";
import type { CauseFrames, HistogramName, Overrun } from "../../signal/diagnosis.ts";
import type { SignalApi } from "../../signal/signal_api.ts";
import type { TimelineModel } from "../timeline_model.ts";
import { type Impact, trackFrames, trackImpacts } from "../track_shares.ts";
import type { OfflineStatus } from "../types.ts";
import type { AnticipationProgress } from "./anticipator.ts";
import { DiagnosisChange, type DiagnosisSnapshot, takeSnapshot } from "./diagnosis_snapshot.ts";
import type { Forecast } from "./disk_watch.ts";
import type { HistogramView } from "./histogram_view.ts";
import type { Underrun, Underruns } from "./underruns.ts";
import { volumeFolders } from "./volume_folders.ts";

/** Most warnings that are kept. */
const KEPT_WARNINGS = 100;
/** Most clients whose baselines are kept. */
const KEPT_BASELINES = 256;
/** Most changes of assets' availability, and overruns, that are kept. */
const KEPT_CHANGES = 100;
const KEPT_OVERRUNS = 100;
/** Bytes of a unit of the page store. */
const UNIT_BYTES = 16_384;

/** `diagnostics.warning` of API.md. */
export interface Warning {
  code: string;
  message: string;
  details: Record<string, unknown>;
}

/** What became of a track's frames, and what fetching them took. */
export interface TrackDiagnostics {
  trackId: string;
  missing: number;
  faded: number;
  proxied: number;
  missingByCause: CauseFrames;
  fadedByCause: CauseFrames;
  impact: Impact;
}

/** A disk, as far as assets lie on it. */
export interface VolumeDiagnostics {
  volume: string;
  folder: string | null;
  bytes: number;
  reads: number;
  errors: number;
  stalls: number;
  stalled: boolean;
  bytesPerSecond: number | null;
  busyShare: number;
  latencyMs: number | null;
  longestMs: number | null;
}

/** An asset's file came, went, or was replaced. */
export interface AvailabilityChange {
  timeMs: number;
  assetId: string;
  offlineStatus: OfflineStatus;
  generation: number;
}

/** `diagnostics.get` of API.md. */
export interface Diagnostics {
  timeMs: number;
  /** When this client's counters began: its last reset, or the start. */
  sinceMs: number;
  /** Of renderer and page store. Those that only grow are counted from `sinceMs`. */
  counters: Record<string, number>;
  /** Of the timeline; streams are counted apart. */
  missing: CauseFrames;
  faded: CauseFrames;
  tracks: TrackDiagnostics[];
  removedTracks: { missing: number; faded: number };
  streams: { missing: CauseFrames; faded: CauseFrames };
  histograms: Record<HistogramName, HistogramView>;
  cache: {
    hits: number;
    misses: number;
    hitRate: number | null;
    evictions: number;
    budgetBytes: number;
    residentBytes: number;
    pinnedBytes: number;
    horizonMs: number;
  };
  anticipation: AnticipationProgress;
  volumes: VolumeDiagnostics[];
  forecast: Forecast | null;
  availability: { total: number; changes: AvailabilityChange[] };
  overruns: { total: number; overruns: Omit<Overrun & { overrunId: number }, "number">[] };
  underruns: number;
  underrunFrames: { recorded: number; unrecorded: number; open: number };
  memory: { rssBytes: number; heapUsedBytes: number; externalBytes: number };
  warnings: Warning[];
  device: unknown;
  analysis: unknown;
}

export interface DiagnosticsOptions {
  signal: () => SignalApi;
  notify: Notify;
  underruns: Underruns;
  trackIds: () => readonly string[];
  model: () => TimelineModel;
  /** Where an asset's file is; `undefined` for one that is not known. */
  placeOf: (assetId: string) => { path: string; volume: string } | undefined;
  forecast: () => Forecast | null;
  device: () => unknown;
  analysis: () => unknown;
  anticipation: () => AnticipationProgress;
}

/** `diagnostics.*` of API.md. */
export class DiagnosticsService {
  readonly #options: DiagnosticsOptions;
  readonly #baselines = new Map<string, DiagnosisSnapshot>();
  readonly #warnings: Warning[] = [];
  readonly #availability: AvailabilityChange[] = [];
  #availabilityTotal = 0;
  readonly #overruns: Overrun[] = [];
  #overrunsTotal = 0;
  #startedMs = 0;

  constructor(options: DiagnosticsOptions) {
    this.#options = options;
  }

  get({ clientId }: Caller): Diagnostics {
    const { signal, underruns, trackIds, model, placeOf, forecast, device, analysis } =
      this.#options;
    const baseline = this.#baselines.get(clientId);
    const change = new DiagnosisChange(this.#snapshot(), baseline, this.#startedMs);
    const { rss, heapUsed, external } = Deno.memoryUsage();
    const counters = change.counters();
    const fetched = change.fetched();
    const impacts = trackImpacts(fetched, trackFrames(model()));
    const places = [...fetched.keys()].flatMap((assetId) => placeOf(assetId) ?? []);
    this.look();
    return {
      timeMs: change.now.timeMs,
      sinceMs: baseline?.timeMs ?? this.#startedMs,
      counters,
      missing: change.frames("missing"),
      faded: change.frames("faded"),
      tracks: trackIds().map((trackId): TrackDiagnostics => {
        const frames = change.track(trackId);
        return {
          trackId,
          missing: frames.missingFrames,
          faded: frames.fadedFrames,
          proxied: frames.proxied,
          missingByCause: frames.missing,
          fadedByCause: frames.faded,
          impact: impacts.get(trackId) ?? { readMs: 0, decodeMs: 0, bytes: 0 },
        };
      }),
      removedTracks: change.removedTracks(),
      streams: change.streams(),
      histograms: change.histograms(signal().diagnosis.bounds),
      cache: this.#cache(counters),
      volumes: volumesOf(change, volumeFolders(places)),
      forecast: forecast(),
      availability: { total: this.#availabilityTotal, changes: [...this.#availability] },
      overruns: {
        total: this.#overrunsTotal,
        overruns: this.#overruns.map(({ number, ...rest }) => ({ overrunId: number, ...rest })),
      },
      underruns: underruns.list({ limit: 0 }).total,
      underrunFrames: change.underrunFrames(),
      memory: { rssBytes: rss, heapUsedBytes: heapUsed, externalBytes: external },
      warnings: this.warnings,
      device: device(),
      analysis: analysis(),
      anticipation: this.#options.anticipation(),
    };
  }

  /** Begins this client's counters anew; other clients' stay. */
  reset({ clientId }: Caller): void {
    this.#baselines.delete(clientId);
    this.#baselines.set(clientId, this.#snapshot());
    if (this.#baselines.size > KEPT_BASELINES) {
      this.#baselines.delete(this.#baselines.keys().next().value!);
    }
  }

  /** Begins anew for all clients: the renderer, and with it its counters, is a new one. */
  begin(): void {
    this.#startedMs = this.#options.signal().nowMs();
    this.#baselines.clear();
    this.#overruns.length = 0;
    this.#overrunsTotal = 0;
  }

  /** Takes note of what only the latest of is remembered elsewhere; called a few times a second. */
  look(): void {
    for (const overrun of this.#options.signal().diagnosis.takeOverruns()) {
      this.#overruns.push(overrun);
      this.#overrunsTotal = overrun.number;
    }
    this.#overruns.splice(0, this.#overruns.length - KEPT_OVERRUNS);
  }

  /** Takes note of assets that came and went. */
  readonly hear = ({ method, params, isNoNews }: Notification): void => {
    if (method !== "asset.statusChanged" || isNoNews) return;
    const { changes } = params as { changes: Omit<AvailabilityChange, "timeMs">[] };
    const timeMs = this.#options.signal().nowMs();
    for (const { assetId, offlineStatus, generation } of changes) {
      this.#availabilityTotal++;
      this.#availability.push({ timeMs, assetId, offlineStatus, generation });
    }
    this.#availability.splice(0, this.#availability.length - KEPT_CHANGES);
  };

  /** What clients were warned of, oldest first. */
  get warnings(): Warning[] {
    return [...this.#warnings];
  }

  underruns(params: { afterId?: number; limit?: number }): {
    underruns: Underrun[];
    total: number;
  } {
    return this.#options.underruns.list(params);
  }

  /** Tells clients of something that a person should know, and keeps it. */
  readonly warn = (code: string, message: string, details: Record<string, unknown> = {}): void => {
    const warning = { code, message, details };
    this.#warnings.push(warning);
    if (this.#warnings.length > KEPT_WARNINGS) this.#warnings.shift();
    this.#options.notify({ topic: "diagnostics", method: "diagnostics.warning", params: warning });
  };

  #snapshot(): DiagnosisSnapshot {
    const { signal, underruns } = this.#options;
    return takeSnapshot(signal(), underruns);
  }

  #cache(counters: Record<string, number>): Diagnostics["cache"] {
    const { voiceHits = 0, voiceMisses = 0, evictions = 0, units = 0, unitsFree = 0 } = counters;
    const all = voiceHits + voiceMisses;
    return {
      hits: voiceHits,
      misses: voiceMisses,
      hitRate: all === 0 ? null : voiceHits / all,
      evictions,
      budgetBytes: units * UNIT_BYTES,
      residentBytes: (units - unitsFree) * UNIT_BYTES,
      pinnedBytes: this.#options.signal().diagnosis.windowBytes().wanted,
      horizonMs: counters.horizonMs ?? 0,
    };
  }
}

function volumesOf(
  change: DiagnosisChange,
  folders: ReadonlyMap<string, string>,
): VolumeDiagnostics[] {
  return change.volumes().map((volume) => ({
    volume: String(volume.device),
    folder: folders.get(String(volume.device)) ?? null,
    bytes: volume.bytes,
    reads: volume.reads,
    errors: volume.errors,
    stalls: volume.stalls,
    stalled: volume.hanging > 0,
    bytesPerSecond: volume.busyMs > 0 ? volume.bytes / volume.busyMs * 1000 : null,
    busyShare: volume.sinceMs > 0 ? Math.min(1, volume.busyMs / volume.sinceMs) : 0,
    latencyMs: volume.reads > 0 ? volume.latencyMs : null,
    longestMs: volume.longestMs > 0 ? volume.longestMs : null,
  }));
}
