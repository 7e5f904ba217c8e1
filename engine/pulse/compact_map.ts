/**
 * A head's map of many steps as few: what a drag of a thousand edits did to the head is one way.
 *
 * @module
 */
import type { Frames, HeadMapStep } from "../signal/model.ts";

/** From `x` on, positions go to `y` and further: on one place (`flat`), or with the distance that they have. */
interface Piece {
  readonly x: Frames;
  readonly y: Frames;
  readonly flat: boolean;
}

/**
 * Steps that take every position to where `map` takes it, no more of them than there are places where the map bends. Its inverse takes back
 * every position that `map` did not take onto a cut.
 *
 * @example
 * ```ts
 * import { compactMap } from "./compact_map.ts";
 *
 * const cut = { at: 100, remove: 10, insert: 0 };
 * console.log(compactMap([cut, cut])); // [{ at: 100, remove: 20, insert: 0 }]
 * ```
 */
export function compactMap(map: readonly HeadMapStep[]): HeadMapStep[] {
  let pieces: Piece[] = [{ x: 0, y: 0, flat: false }];
  for (const step of map) {
    pieces = joined(pieces.flatMap((piece, i) => through(piece, pieces[i + 1]?.x, step)));
  }
  return stepsOf(pieces);
}

/** A piece that ends before `until`, after a step: up to three pieces. */
function through({ x, y, flat }: Piece, until: Frames | undefined, step: HeadMapStep): Piece[] {
  const { at, remove, insert } = step;
  const go = (place: Frames) =>
    place < at ? place : place < at + remove ? at : place - remove + insert;
  if (flat) return [{ x, y: go(y), flat }];
  const pieces: Piece[] = [];
  /** The part of the piece whose places lie in `[from, to)`. */
  const part = (from: Frames, to: Frames, flat: boolean) => {
    const begin = Math.max(x, x + from - y);
    const end = Math.min(until ?? Infinity, x + to - y);
    if (begin < end) pieces.push({ x: begin, y: go(y + begin - x), flat });
  };
  part(-Infinity, at, false);
  part(at, at + remove, true);
  part(at + remove, Infinity, false);
  return pieces;
}

/** Pieces that go on as the one before did are not told. */
function joined(pieces: readonly Piece[]): Piece[] {
  const kept: Piece[] = [];
  for (const piece of pieces) {
    const last = kept.at(-1);
    const goesOn = last !== undefined && last.flat === piece.flat &&
      piece.y === (last.flat ? last.y : last.y + piece.x - last.x);
    if (!goesOn) kept.push(piece);
  }
  return kept;
}

/** From the right to the left, so that no step moves the place of one that follows. */
function stepsOf(pieces: readonly Piece[]): HeadMapStep[] {
  const steps: HeadMapStep[] = [];
  for (let i = pieces.length - 1; i >= 0; i--) {
    const { x, y, flat } = pieces[i];
    const before = pieces[i - 1];
    const after = pieces[i + 1];
    if (flat) {
      // What lies behind a flat piece moves apart from it by the same step; behind two flat ones it is an insertion of its own.
      const insert = after.flat ? 0 : after.y - y;
      steps.push({ at: x, remove: after.x - x, insert });
    }
    if (before !== undefined && before.flat && !flat) continue;
    const from = before === undefined ? x : before.flat ? before.y : before.y + x - before.x;
    if (y > from) steps.push({ at: x, remove: 0, insert: y - from });
  }
  return steps;
}
