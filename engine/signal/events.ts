/**
 * Native events (`lp_event`) as values.
 *
 * @module
 */
import type { Cause, SignalEvent } from "./signal_api.ts";

/** Bytes of an `lp_event`. */
export const EVENT_BYTES = 64;

/** Names of `enum lp_cause`, by number. */
export const CAUSES: readonly Cause[] = ["queue", "read", "decode", "stalled", "absent", "budget"];
const FILLINGS = ["silence", "proxy"] as const;
const STATES = ["stopped", "paused", "playing"] as const;

/** Who the numbers in an event mean. */
export interface EventNames {
  trackOf(slot: number): string | null;
  clipOf(uid: number): string | null;
  assetOf(source: number): string | null;
}

/** Reads the event at `at`; `null` for a kind that is not known. */
export function readEvent(view: DataView, at: number, names: EventNames): SignalEvent | null {
  const u32 = (offset: number) => view.getUint32(at + offset, true);
  const f64 = (offset: number) => view.getFloat64(at + offset, true);
  const timeMs = f64(40);
  const a = f64(24);
  const b = f64(32);
  switch (u32(0)) {
    case 1:
      return { kind: "swap", timeMs, before: a, after: b, revision: f64(48) };
    case 2:
      return { kind: "wrap", timeMs, from: a, to: b };
    case 3:
      return { kind: "end", timeMs, positionFrame: a };
    case 4:
    case 5:
      return {
        kind: u32(0) === 4 ? "gapBegin" : "gapEnd",
        timeMs,
        trackId: names.trackOf(u32(8)),
        clipId: names.clipOf(u32(12)),
        assetId: names.assetOf(u32(16)),
        positionFrame: a,
        frames: b,
        cause: CAUSES[u32(4)] ?? "queue",
        filledBy: FILLINGS[u32(20)] ?? "silence",
        source: u32(16),
        sourceFrame: f64(56),
        step: f64(48),
      };
    case 6:
      return { kind: "loopOff", timeMs };
    case 7:
      return { kind: "state", timeMs, state: STATES[f64(48)] };
    case 8:
      return { kind: "lost", timeMs, count: f64(48) };
  }
  return null;
}
