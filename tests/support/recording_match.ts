/**
 * Finds what was handed to a device in what was recorded of it, by content alone: a recording begins when it begins, and a server that was late has put
 * holes into it.
 *
 * @module
 */

/** How the recording goes together with what was handed over. */
export interface Match {
  /** Frames that are the same, bit for bit, from the first sound on. */
  frames: number;
  /** Frames from the first sound handed over to the last. */
  sounding: number;
  /** Places where the recording goes on otherwise, which is a hole that the server made or our fault. */
  holes: number;
  /** The parts between the holes. */
  pieces: Piece[];
}

/** A part of a recording, and where it stood in what was handed over. */
export interface Piece {
  recorded: number;
  handed: number;
  length: number;
}

type Sides = readonly [Float32Array, Float32Array];

/** Frames that must agree for a place to be found. */
const PROBE = 32;

/** From the first frame to the last that is not silent. */
function extent([left, right]: Sides): [number, number] {
  const sounds = (_: number, i: number) => left[i] !== 0 || right[i] !== 0;
  return [left.findIndex(sounds), left.findLastIndex(sounds) + 1];
}

/**
 * Matches a recording with what was handed over. The left side's samples must be different from one another for the most part; of several places that are the same, a hole
 * leads to the first that is still to come.
 */
export function matchRecording(handed: Sides, recorded: Sides): Match {
  const [from, to] = extent(handed);
  const [begin, end] = extent(recorded);
  const places = new Map<number, number[]>();
  for (let i = from; i < to; i++) {
    const same = places.get(handed[0][i]);
    if (same) same.push(i);
    else places.set(handed[0][i], [i]);
  }
  const same = (i: number, j: number) =>
    handed[0][i] === recorded[0][j] && handed[1][i] === recorded[1][j];
  const isPlace = (i: number, j: number) => {
    for (let k = 0; k < PROBE; k++) if (!same(i + k, j + k)) return false;
    return true;
  };

  const pieces: Piece[] = [];
  let i = from;
  let j = begin;
  let piece: Piece | null = null;
  while (i < to && j < end) {
    if (same(i, j)) {
      if (piece === null) pieces.push(piece = { recorded: j, handed: i, length: 0 });
      piece.length++;
      i++;
      j++;
      continue;
    }
    // Where does it go on?
    let found = -1;
    for (; j < end - PROBE; j++) {
      if (recorded[0][j] === 0) continue;
      found = places.get(recorded[0][j])?.find((place) =>
        place >= i && place + PROBE <= to && isPlace(place, j)
      ) ?? -1;
      if (found >= 0) {
        break;
      }
    }
    if (found < 0) break;
    piece = null;
    i = found;
  }
  const frames = pieces.reduce((sum, { length }) => sum + length, 0);
  // The end may be missing, and so may the beginning.
  const holes = pieces.length - 1 + (i < to ? 1 : 0) + (pieces[0]?.handed === from ? 0 : 1);
  return { frames, sounding: to - from, holes, pieces };
}
