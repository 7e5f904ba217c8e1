/**
 * The diagnostics of a Signal without an engine around it.
 *
 * @module
 */
import { DiagnosticsService } from "../../engine/pulse/services/diagnostics.ts";
import { Underruns } from "../../engine/pulse/services/underruns.ts";
import { emptyModel } from "../../engine/pulse/timeline_model.ts";
import type { SignalApi } from "../../engine/signal/signal_api.ts";

/** Diagnostics and the records of gaps; whoever drains the Signal's events hands gaps on to them. */
export function signalDiagnostics(
  signal: SignalApi,
  trackIds: () => readonly string[] = () => [],
): { diagnostics: DiagnosticsService; underruns: Underruns } {
  const underruns = new Underruns(() => {}, () => signal);
  const diagnostics = new DiagnosticsService({
    signal: () => signal,
    notify: () => {},
    underruns,
    trackIds,
    model: () => emptyModel(signal.sampleRate),
    placeOf: () => undefined,
    forecast: () => null,
    anticipation: () => ({
      wantedPages: 0,
      residentPages: 0,
      settled: true,
      isWhole: true,
      leadMs: 0,
    }),
    device: () => null,
    analysis: () => null,
  });
  diagnostics.begin();
  return { diagnostics, underruns };
}
