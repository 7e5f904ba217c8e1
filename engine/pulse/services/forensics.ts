/**
 * Why frames were not there in time: what became of the pages of a gap. Values to values.
 *
 * @module
 */
import type { PageFill, PageState } from "../../signal/diagnosis.ts";
import type { Cause } from "../../signal/signal_api.ts";

/** The record of `Underrun.forensics`. Times are of the engine's clock. */
export interface Forensics {
  /** Of the pages that frames were missing of, the first that came; while none has, the one that is waited for. By its number in the asset. */
  page: number | null;
  /** Name of the volume that the file lies on. */
  volume: string | null;
  /** When frames were first needed. */
  dueMs: number;
  askedMs: number | null;
  /** When a thread began to read it. */
  begunMs: number | null;
  /** When its frames were there; `null` if they did not come while the gap lasted. */
  validMs: number | null;
  /** From being put into the queue to a thread's beginning, or until now. */
  queueWaitMs: number | null;
  readMs: number | null;
  decodeMs: number | null;
  /** From when the frames were needed to when they were there. */
  lateByMs: number | null;
  outcome: "filled" | "failed" | "stalled" | "waiting" | "reading" | "unasked";
  filledBy: "proxy" | "silence";
  cause: Cause;
}

/** The gap, as far as it is known. */
export interface Gap {
  readonly dueMs: number;
  /** `null` while it lasts. */
  readonly endMs: number | null;
  readonly cause: Cause;
  readonly filledBy: "proxy" | "silence";
}

/** A page's frames may be seen a moment before its news says when they came, and after: the thread that tells it may have stood still between the two. */
const SLACK_MS = 20;

/** What failed is tried again within 2 s; a failure this long before is another story. */
const RETRIED_MS = 5_000;

const UNKNOWN = {
  page: null,
  volume: null,
  askedMs: null,
  begunMs: null,
  validMs: null,
  queueWaitMs: null,
  readMs: null,
  decodeMs: null,
  lateByMs: null,
  outcome: "unasked",
} as const;

/** The news that tells when the first frames of a gap came, if some did while it lasted. */
export function cameInGap({ dueMs, endMs }: Gap, fills: readonly PageFill[]): PageFill | undefined {
  return fills.find(({ outcome, endedMs }) =>
    outcome === "filled" && endedMs >= dueMs - SLACK_MS &&
    (endMs === null || endedMs <= endMs + SLACK_MS)
  );
}

/** Why frames were not there when they were needed: the last failure of the first page before that, else the first one in the gap. */
function failureOf(dueMs: number, fills: readonly PageFill[]): PageFill | undefined {
  const failed = fills.filter(({ outcome, endedMs }) =>
    outcome !== "filled" && endedMs > dueMs - RETRIED_MS
  );
  const before = failed.filter(({ endedMs }) => endedMs <= dueMs);
  const first = Math.min(...before.map(({ page }) => page));
  return before.findLast(({ page }) => page === first) ?? failed[0];
}

/**
 * The record of a gap.
 *
 * @param fills What became of its frames, the oldest first.
 * @param state How the page is now, or was when the gap ended, that it waits for; `null` if that is not known.
 */
export function forensicsOf(
  gap: Gap,
  fills: readonly PageFill[],
  state: PageState | null,
  nowMs: number,
): Forensics {
  const { dueMs, cause, filledBy } = gap;
  const common = { ...UNKNOWN, dueMs, cause, filledBy };
  const came = cameInGap(gap, fills);
  // It may wait by now to be tried again: why it did not come is that it failed.
  const told = came ?? failureOf(dueMs, fills);
  if (told !== undefined) {
    return {
      ...common,
      page: told.page,
      volume: String(told.device),
      askedMs: told.askedMs,
      begunMs: told.begunMs,
      validMs: came === undefined ? null : told.endedMs,
      queueWaitMs: Math.max(0, told.begunMs - told.queuedMs),
      readMs: told.readMs,
      decodeMs: told.decodeMs,
      lateByMs: came === undefined ? null : Math.max(0, told.endedMs - dueMs),
      outcome: told.outcome,
    };
  }
  if (state === null) return common;
  const { page, device, wait, askedMs, queuedMs, begunMs } = state;
  return {
    ...common,
    page,
    volume: String(device),
    askedMs,
    begunMs,
    queueWaitMs: queuedMs === null ? null : Math.max(0, (begunMs ?? nowMs) - queuedMs),
    outcome: wait,
  };
}

/** Most fills that are remembered; the oldest go first. */
const KEPT_FILLS = 2_048;

/** The latest news of pages that came late, by source. */
export class FillNews {
  #all: PageFill[] = [];
  readonly #bySource = new Map<number, PageFill[]>();

  /** Takes news in, the oldest first. */
  add(fills: readonly PageFill[]): void {
    for (const fill of fills) {
      this.#all.push(fill);
      const known = this.#bySource.get(fill.source);
      if (known === undefined) this.#bySource.set(fill.source, [fill]);
      else known.push(fill);
    }
    if (this.#all.length <= 2 * KEPT_FILLS) return;
    this.#all = this.#all.slice(-KEPT_FILLS);
    this.#bySource.clear();
    for (const fill of this.#all) {
      const known = this.#bySource.get(fill.source);
      if (known === undefined) this.#bySource.set(fill.source, [fill]);
      else known.push(fill);
    }
  }

  /** Of frames `firstFrame` to `lastFrame` of a source, the oldest first; what matters to a gap that began at `dueMs`. */
  of(source: number, firstFrame: number, lastFrame: number, dueMs: number): PageFill[] {
    const known = this.#bySource.get(source) ?? [];
    const found: PageFill[] = [];
    // They came in the order of their ends.
    for (let i = known.length - 1; i >= 0 && known[i].endedMs > dueMs - RETRIED_MS; i--) {
      const { fromFrame, toFrame } = known[i];
      if (fromFrame <= lastFrame && firstFrame < toFrame) found.push(known[i]);
    }
    return found.reverse();
  }

  clear(): void {
    this.#all = [];
    this.#bySource.clear();
  }
}
