/**
 * Counters for those who look: what was rendered, what was missing, what is held.
 *
 * @module
 */
import type { Caller } from "../../api.ts";
import type { Notify } from "../../notices.ts";
import type { SignalApi } from "../../signal/signal_api.ts";
import type { Underrun, Underruns } from "./underruns.ts";

/** Most warnings that are kept. */
const KEPT_WARNINGS = 100;
/** Most clients whose baselines are kept. */
const KEPT_BASELINES = 256;

/** `diagnostics.warning` of API.md. */
export interface Warning {
  code: string;
  message: string;
  details: Record<string, unknown>;
}

/** `missing` and `faded` frames of a track. */
export interface TrackCounters {
  trackId: string;
  missing: number;
  faded: number;
}

/** `diagnostics.get` of API.md. */
export interface Diagnostics {
  timeMs: number;
  /** When this client's counters began: its last reset, or the start. */
  sinceMs: number;
  /** Of renderer and page store. Those that only grow are counted from `sinceMs`. */
  counters: Record<string, number>;
  tracks: TrackCounters[];
  memory: { rssBytes: number; heapUsedBytes: number; externalBytes: number };
  underruns: number;
  warnings: Warning[];
  device: unknown;
  analysis: unknown;
}

interface Baseline {
  sinceMs: number;
  counters: Record<string, number>;
  tracks: Map<string, TrackCounters>;
}

export interface DiagnosticsOptions {
  signal: () => SignalApi;
  notify: Notify;
  underruns: Underruns;
  trackIds: () => readonly string[];
  device: () => unknown;
  analysis: () => unknown;
}

/** Counters that say how things are, not how often something happened: a reset does not change them. */
const GAUGES: ReadonlySet<string> = new Set([
  "longestCallbackNs",
  "units",
  "unitsFree",
  "pagesResident",
  "queueLength",
  "openFiles",
  "horizonMs",
  "oldFramesAfterPublish",
]);

/** `diagnostics.*` of API.md. */
export class DiagnosticsService {
  readonly #options: DiagnosticsOptions;
  readonly #baselines = new Map<string, Baseline>();
  readonly #warnings: Warning[] = [];
  #startedMs = 0;

  constructor(options: DiagnosticsOptions) {
    this.#options = options;
  }

  get({ clientId }: Caller): Diagnostics {
    const { signal, underruns, device, analysis } = this.#options;
    const baseline = this.#baselines.get(clientId);
    const { rss, heapUsed, external } = Deno.memoryUsage();
    return {
      timeMs: signal().nowMs(),
      sinceMs: baseline?.sinceMs ?? this.#startedMs,
      counters: since(signal().counters(), baseline?.counters ?? {}),
      tracks: this.#tracks().map((track) => {
        const before = baseline?.tracks.get(track.trackId);
        return {
          trackId: track.trackId,
          missing: track.missing - (before?.missing ?? 0),
          faded: track.faded - (before?.faded ?? 0),
        };
      }),
      memory: { rssBytes: rss, heapUsedBytes: heapUsed, externalBytes: external },
      underruns: underruns.list({ limit: 0 }).total,
      warnings: this.warnings,
      device: device(),
      analysis: analysis(),
    };
  }

  /** Begins this client's counters anew; other clients' stay. */
  reset({ clientId }: Caller): void {
    this.#baselines.delete(clientId);
    this.#baselines.set(clientId, {
      sinceMs: this.#options.signal().nowMs(),
      counters: this.#options.signal().counters(),
      tracks: new Map(this.#tracks().map((track) => [track.trackId, track])),
    });
    if (this.#baselines.size > KEPT_BASELINES) {
      this.#baselines.delete(this.#baselines.keys().next().value!);
    }
  }

  /** Begins anew for all clients: the renderer, and with it its counters, is a new one. */
  begin(): void {
    this.#startedMs = this.#options.signal().nowMs();
    this.#baselines.clear();
  }

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

  #tracks(): TrackCounters[] {
    return this.#options.trackIds().map((trackId) => ({
      trackId,
      ...this.#options.signal().trackCounters(trackId),
    }));
  }
}

function since(
  now: Record<string, number>,
  before: Record<string, number>,
): Record<string, number> {
  return Object.fromEntries(
    Object.entries(now).map(([name, value]) => [
      name,
      GAUGES.has(name) ? value : value - (before[name] ?? 0),
    ]),
  );
}
