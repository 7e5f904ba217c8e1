/**
 * Values of Cap's documents: seconds, numbers of recordings, lists.
 *
 * @module
 */
import { invalid, type Path, requireNumber } from "./fields.ts";

/** Where `timeline.importCap` is given the two documents. */
export const CONFIG_PATH: Path = ["document"];
export const META_PATH: Path = ["meta"];

/** Longest time, in seconds: beyond it a project at the highest rate could not say a place exactly. */
export const MOST_SECONDS = 1e9;
/** Most recordings of a project, and most tracks of music. */
export const MOST_INDEX = 65_535;

export function requireFew(list: readonly unknown[], most: number, path: Path): void {
  if (list.length > most) throw invalid(path, `must be a list of at most ${most}`, list);
}

/** Seconds. */
export function secondsOf(value: unknown, path: Path, least = -MOST_SECONDS): number {
  const seconds = requireNumber(value, path);
  if (seconds >= least && seconds <= MOST_SECONDS) return seconds;
  throw invalid(path, `must be from ${least} to ${MOST_SECONDS} seconds`, seconds);
}

export function indexOf(value: unknown, path: Path): number {
  const index = value ?? 0;
  if (Number.isInteger(index) && (index as number) >= 0 && (index as number) <= MOST_INDEX) {
    return index as number;
  }
  throw invalid(path, `must be an integer from 0 to ${MOST_INDEX}`, index);
}
