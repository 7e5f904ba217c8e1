/**
 * Where playback would begin at once, for `GET /aura/readiness` of API.md.
 *
 * @module
 */
import type { Readiness, ReadinessQuery } from "../../api.ts";
import { EngineError, InvalidParams } from "../../errors.ts";
import { MAX_COLUMNS } from "../../media/columns.ts";
import type { MixModel } from "../../signal/model.ts";
import { asIs, assetOfSource, type PlayedOf } from "../../signal/played.ts";
import type { SignalApi, SourceStretch } from "../../signal/signal_api.ts";
import {
  columnGrid,
  columnsWithin,
  INSTANT,
  OFFLINE,
  PENDING,
  stretchesWithin,
  writeColumns,
} from "../readiness.ts";
import { Slices } from "../store/slices.ts";
import type { Frames } from "../types.ts";
import type { AssetEntry } from "./asset_entry.ts";

/** Frames of a source that one call asks about: at most 4,096 pages, a fraction of a millisecond. */
const CALL_FRAMES = 2 ** 24;
/** Clips between two looks at the clock. */
const CLIPS_A_TURN = 16;

export interface ReadinessOptions {
  /** `null` when the project was left. */
  readonly signal: () => SignalApi | null;
  readonly timeline: () => { readonly model: MixModel; readonly revision: number };
  /** Where the last clip ends. */
  readonly endFrame: () => Frames;
  readonly asset: (assetId: string) => Pick<AssetEntry, "asset" | "bound" | "error"> | undefined;
  /** What clips really play; unless told, what they say. */
  readonly played?: PlayedOf;
}

/**
 * Answers for the timeline as it stands when asked, in slices: the main thread is never held up, however many clips there are.
 *
 * @throws {InvalidParams} for a range or width that is none. @throws {EngineError} `timeline.conflict` if the project is left meanwhile.
 */
export async function readiness(
  query: ReadinessQuery,
  options: ReadinessOptions,
): Promise<Readiness> {
  const { model, revision } = options.timeline();
  const signal = options.signal();
  if (signal === null) throw left();
  const { start, end, width } = checked(query, options.endFrame());
  const grid = columnGrid({ start, end, width });
  // A column narrower than a frame shows the frame under it, which may begin before the range.
  const [from, to] = [grid.first[0], grid.end[width - 1]];
  const slices = new Slices();
  const turn = async () => {
    await slices.turn();
    if (options.signal() !== signal) throw left();
  };
  const found = new Uint8Array(width);
  const tracks = [];
  for (const track of model.tracks) {
    const columns = new Uint8Array(width);
    let clips = 0;
    for (const stretch of stretchesWithin(track, from, to, options.played ?? asIs)) {
      if (clips++ % CLIPS_A_TURN === 0) await turn();
      const missing = missingIs(stretch.assetId, options);
      for (const part of partsOf(stretch)) {
        if (part !== stretch) await turn();
        const [first, past] = columnsWithin(grid, part.fromFrame, part.toFrame);
        // Where as much is missing already, a clip in one column says nothing new.
        if (past - first === 1 && columns[first] >= missing) continue;
        // What is offline stays it, and need not be looked at.
        for (let i = first; i < past; i++) found[i] = columns[i] === OFFLINE ? OFFLINE : INSTANT;
        const isKnown = signal.raiseColumns(part, grid, [first, past], found);
        for (let i = first; i < past; i++) {
          if (isKnown && found[i] === INSTANT) continue;
          columns[i] = Math.max(columns[i], found[i], missing);
        }
      }
    }
    await turn();
    tracks.push({ trackId: track.trackId, columns: writeColumns(columns) });
  }
  return { start, end, width, revision, tracks };
}

/** A stretch in parts that are each asked about in one call; itself if it is short. */
function* partsOf(stretch: SourceStretch): Generator<SourceStretch> {
  const { fromFrame, toFrame, sourceFrame, step } = stretch;
  const frames = Math.floor(CALL_FRAMES / Math.max(1, Math.abs(step)));
  if (toFrame - fromFrame <= frames) return yield stretch;
  for (let at = fromFrame; at < toFrame; at += frames) {
    yield {
      ...stretch,
      fromFrame: at,
      toFrame: Math.min(toFrame, at + frames),
      sourceFrame: sourceFrame + (at - fromFrame) * step,
    };
  }
}

/** What it means that frames of an asset are not resident. */
function missingIs(
  sourceId: string,
  { asset }: ReadinessOptions,
): typeof PENDING | typeof OFFLINE {
  if (assetOfSource(sourceId) !== sourceId) return PENDING; // A render is here, wherever its asset is.
  const entry = asset(sourceId);
  if (entry === undefined || entry.asset.offlineStatus !== "present") return OFFLINE;
  return !entry.bound && entry.error !== null ? OFFLINE : PENDING;
}

function checked(query: ReadinessQuery, endFrame: Frames) {
  const { start = 0, width = 1_024 } = query;
  for (const name of ["start", "end"] as const) {
    const value = query[name] ?? 0;
    if (!(Math.abs(value) <= Number.MAX_SAFE_INTEGER)) {
      throw new InvalidParams([name], `must be a frame, at most 2^53, not ${value}`);
    }
  }
  // A timeline without a clip has a frame to show too.
  const end = query.end ?? Math.max(endFrame, Math.floor(start) + 1);
  if (end <= start) {
    throw new InvalidParams(["end"], `must be greater than start (${end} <= ${start})`);
  }
  if (!Number.isInteger(width) || width < 1 || width > MAX_COLUMNS) {
    throw new InvalidParams(["width"], `must be an integer from 1 to ${MAX_COLUMNS}, not ${width}`);
  }
  return { start, end, width };
}

function left(): EngineError {
  return new EngineError(
    "timeline.conflict",
    "Cannot say what is ready: another project was opened meanwhile; ask again",
    { reason: "switching" },
  );
}
