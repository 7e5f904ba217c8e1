/**
 * Diagnostics as metrics for Prometheus: in seconds, bytes and frames, since the engine's start.
 *
 * @module
 */
import type { z } from "zod";
import { GAUGES } from "../../engine/pulse/services/diagnosis_snapshot.ts";
import type { DiagnosticsSchema } from "../schema/diagnostics.ts";
import { SERVER_CALLERS } from "../rpc/method.ts";
import { Exposition, EXPOSITION_TYPE } from "./exposition.ts";

/** What a client that never resets sees, so that counters only grow. */
export const METRICS_CALLER = { clientId: `${SERVER_CALLERS}metrics` };

/** The media type of the format. */
export const METRICS_TYPE = EXPOSITION_TYPE;

type Diagnostics = z.output<typeof DiagnosticsSchema>;
type Histograms = Diagnostics["histograms"];

const HISTOGRAMS: Record<keyof Histograms, [name: string, help: string, kind: string | null]> = {
  callback: ["callback_seconds", "Time of one callback of the renderer", null],
  callbackShare: ["callback_period_ratio", "Time of one callback as a share of its period", null],
  gateWait: ["gate_wait_seconds", "From an edit's publication until it may be heard", null],
  queueWaitRealtime: [
    "queue_wait_seconds",
    "From a page's being asked for to a thread's beginning to read it",
    "realtime",
  ],
  queueWaitAnticipative: [
    "queue_wait_seconds",
    "From a page's being asked for to a thread's beginning to read it",
    "anticipative",
  ],
  read: ["read_seconds", "Waiting for the disk, a block", null],
  decode: ["decode_seconds", "Decoding, resampling and converting, a block", null],
};

/** All figures as text; `server` are the server's own, by name: those that end in `_total` only grow. */
export function toMetrics(
  diagnostics: Diagnostics,
  server: Readonly<Record<string, number>>,
): string {
  const out = new Exposition();
  tellHistograms(out, diagnostics.histograms);
  tellFrames(out, diagnostics);
  tellTracks(out, diagnostics);
  tellCache(out, diagnostics);
  tellAnticipation(out, diagnostics);
  tellVolumes(out, diagnostics);
  tellRest(out, diagnostics);
  for (const [name, value] of Object.entries(server)) {
    const help = `The server's ${name.replace(/_total$/, "").replaceAll("_", " ")}`;
    if (name.endsWith("_total")) out.counter(`loophole_${name}`, help, value);
    else out.gauge(`loophole_${name}`, help, value);
  }
  return out.text();
}

function tellHistograms(out: Exposition, histograms: Histograms): void {
  for (const [name, histogram] of Object.entries(histograms)) {
    const [metric, help, tier] = HISTOGRAMS[name as keyof Histograms];
    const scale = histogram.unit === "ms" ? 1000 : 1;
    out.histogram(`loophole_${metric}`, help, {
      bounds: histogram.bounds.map((bound) => bound / scale),
      counts: histogram.counts,
      sum: histogram.sum / scale,
    }, { tier });
  }
}

function tellFrames(out: Exposition, { missing, faded, streams }: Diagnostics): void {
  const tell = (name: string, help: string, frames: Record<string, number>) => {
    for (const [cause, n] of Object.entries(frames)) out.counter(name, help, n, { cause });
  };
  tell("loophole_missing_frames", "Frames of the timeline's voices that were not there", missing);
  tell("loophole_faded_frames", "Frames that were faded around missing ones", faded);
  tell("loophole_stream_missing_frames", "Frames of streams that were not there", streams.missing);
  tell("loophole_stream_faded_frames", "Frames of streams that were faded", streams.faded);
}

function tellTracks(out: Exposition, { tracks, removedTracks }: Diagnostics): void {
  for (const { trackId, proxied, missingByCause, fadedByCause, impact } of tracks) {
    const label = { track_id: trackId };
    for (const [cause, n] of Object.entries(missingByCause)) {
      const help = "Frames of a track's voices that were not there";
      out.counter("loophole_track_missing_frames", help, n, { ...label, cause });
    }
    for (const [cause, n] of Object.entries(fadedByCause)) {
      const help = "Frames of a track that were faded around missing ones";
      out.counter("loophole_track_faded_frames", help, n, { ...label, cause });
    }
    out.counter(
      "loophole_track_proxied_frames",
      "Frames of a track that a proxy filled",
      proxied,
      label,
    );
    // What is shared out by a timeline that changes may also fall.
    out.gauge(
      "loophole_track_read_seconds",
      "Waiting for disks on behalf of a track",
      impact.readMs / 1000,
      label,
    );
    out.gauge(
      "loophole_track_decode_seconds",
      "Decoding on behalf of a track",
      impact.decodeMs / 1000,
      label,
    );
    out.gauge(
      "loophole_track_read_bytes",
      "Read from disks on behalf of a track",
      impact.bytes,
      label,
    );
  }
  out.gauge(
    "loophole_removed_tracks_missing_frames",
    "Missing frames of tracks that are gone",
    removedTracks.missing,
  );
  out.gauge(
    "loophole_removed_tracks_faded_frames",
    "Faded frames of tracks that are gone",
    removedTracks.faded,
  );
}

function tellCache(out: Exposition, { cache }: Diagnostics): void {
  out.counter("loophole_cache_hits", "Voices rendered with all frames resident", cache.hits);
  out.counter("loophole_cache_misses", "Voices rendered with frames missing", cache.misses);
  out.counter("loophole_cache_evictions", "Pages that made room for others", cache.evictions);
  out.gauge("loophole_cache_budget_bytes", "The page budget", cache.budgetBytes);
  out.gauge("loophole_cache_resident_bytes", "Pages that are filled", cache.residentBytes);
  out.gauge("loophole_cache_pinned_bytes", "Pages that windows hold", cache.pinnedBytes);
  out.gauge(
    "loophole_cache_horizon_seconds",
    "How far ahead of all playing heads pages are asked for",
    cache.horizonMs / 1000,
  );
}

function tellAnticipation(out: Exposition, { anticipation }: Diagnostics): void {
  const { wantedPages, residentPages, leadMs } = anticipation;
  out.gauge("loophole_anticipation_wanted_pages", "Pages that are fetched ahead", wantedPages);
  out.gauge("loophole_anticipation_resident_pages", "Those of them that are there", residentPages);
  out.gauge(
    "loophole_anticipation_lead_seconds",
    "How much of each place is there before the head lands on it",
    leadMs / 1000,
  );
}

function tellVolumes(out: Exposition, { volumes, forecast }: Diagnostics): void {
  for (const volume of volumes) {
    const label = { volume: volume.volume, folder: volume.folder };
    out.counter("loophole_volume_read_bytes", "Read from a volume", volume.bytes, label);
    out.counter("loophole_volume_reads", "Blocks read from a volume", volume.reads, label);
    out.counter("loophole_volume_errors", "Reads of a volume that failed", volume.errors, label);
    out.counter("loophole_volume_stalls", "Reads of a volume that hung", volume.stalls, label);
    out.gauge("loophole_volume_stalled", "A read hangs there now", +volume.stalled, label);
    out.gauge(
      "loophole_volume_busy_ratio",
      "Part of the time since the start in which it was read from",
      volume.busyShare,
      label,
    );
    for (
      const [name, help, value] of [
        ["bytes_per_second", "While it was read from", volume.bytesPerSecond],
        [
          "latency_seconds",
          "Mean wait of a read, the latest weighing most",
          inSeconds(volume.latencyMs),
        ],
        ["longest_seconds", "Longest wait of a read", inSeconds(volume.longestMs)],
      ] as const
    ) {
      if (value !== null) out.gauge(`loophole_volume_${name}`, help, value, label);
    }
  }
  for (const volume of forecast?.volumes ?? []) {
    const label = { volume: volume.volume, folder: volume.folder };
    out.gauge(
      "loophole_forecast_need_bytes_per_second",
      "What the timeline needs of a volume in the next minute",
      volume.needBytesPerSecond,
      label,
    );
    if (volume.haveBytesPerSecond !== null) {
      out.gauge(
        "loophole_forecast_have_bytes_per_second",
        "What a volume gave lately while it was read from",
        volume.haveBytesPerSecond,
        label,
      );
    }
    if (volume.margin !== null) {
      out.gauge("loophole_forecast_margin_ratio", "have / need", volume.margin, label);
    }
  }
}

function inSeconds(ms: number | null): number | null {
  return ms === null ? null : ms / 1000;
}

function tellRest(out: Exposition, diagnostics: Diagnostics): void {
  const { counters, underruns, underrunFrames, overruns, availability, memory } = diagnostics;
  for (const [name, value] of Object.entries(counters)) {
    if (name.includes(".")) continue; // Told by cause.
    const [unit, scale] = name.endsWith("Ns")
      ? ["_seconds", 1e9]
      : name.endsWith("Ms")
      ? ["_seconds", 1000]
      : ["", 1];
    const words = snakeCase(scale === 1 ? name : name.slice(0, -2));
    const metric = `loophole_counters_${words}${unit}`;
    const help = `As counters.${name} of diagnostics.get`;
    if (GAUGES.has(name)) out.gauge(metric, help, value / scale);
    else out.counter(metric, help, value / scale);
  }
  out.counter("loophole_underruns", "Gaps that were heard", underruns);
  out.counter(
    "loophole_underrun_recorded_frames",
    "Missing frames that records of gaps tell",
    underrunFrames.recorded,
  );
  out.counter(
    "loophole_underrun_unrecorded_frames",
    "Missing frames of gaps whose records were lost",
    underrunFrames.unrecorded,
  );
  out.counter("loophole_overruns", "Callbacks longer than their period", overruns.total);
  out.counter(
    "loophole_availability_changes",
    "Assets' files that came, went or were replaced",
    availability.total,
  );
  out.gauge("loophole_memory_rss_bytes", "Memory of the process", memory.rssBytes);
  out.gauge("loophole_memory_heap_used_bytes", "JavaScript's heap", memory.heapUsedBytes);
  out.gauge("loophole_memory_external_bytes", "JavaScript's buffers", memory.externalBytes);
  tellNested(out, "loophole_device", diagnostics.device);
  tellNested(out, "loophole_analysis", diagnostics.analysis);
}

/** Every number of a record as a gauge, nested names joined by `_`. */
function tellNested(out: Exposition, name: string, value: unknown, path = "", depth = 0): void {
  if (typeof value === "number" || typeof value === "boolean") {
    if (Number.isFinite(+value)) out.gauge(name, `As ${path} of diagnostics.get`, +value);
    return;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value) || depth > 4) return;
  const root = name.slice("loophole_".length);
  for (const [key, member] of Object.entries(value)) {
    tellNested(out, `${name}_${snakeCase(key)}`, member, `${path || root}.${key}`, depth + 1);
  }
}

function snakeCase(name: string): string {
  return name.replace(/([a-z0-9])([A-Z])/g, "$1_$2").replace(/[^A-Za-z0-9_]/g, "_").toLowerCase();
}
