// @ts-check

/** Letters of an answer's columns that are not "i". */
const PENDING = "p".charCodeAt(0);
const OFFLINE = "o".charCodeAt(0);

/** @typedef {"instant" | "pending" | "offline"} ReadyState */
/** @typedef {{ startFrame: number, endFrame: number, state: ReadyState }} ReadyRun */
/** @typedef {{ start: number, end: number, width: number, revision: number, tracks: { trackId: string, columns: string }[] }} ReadyAnswer */

/** @type {ReadyState[]} */
const NAMES = ["instant", "pending", "offline"];

/**
 * Columns of tracks as one: the worst of each column counts, equal neighbours are one run.
 *
 * @param {ReadyAnswer} answer
 * @param {(trackId: string) => boolean} counts
 * @returns {ReadyRun[]}
 */
export function mergeColumns({ start, end, width, tracks }, counts) {
  const worst = new Uint8Array(width);
  for (const { trackId, columns } of tracks) {
    if (!counts(trackId)) continue;
    for (let i = 0; i < width; i++) {
      const letter = columns.charCodeAt(i);
      if (letter === OFFLINE) worst[i] = 2;
      else if (letter === PENDING && worst[i] === 0) worst[i] = 1;
    }
  }
  /** @type {ReadyRun[]} */
  const runs = [];
  for (let from = 0; from < width;) {
    let to = from + 1;
    while (to < width && worst[to] === worst[from]) to++;
    runs.push({
      startFrame: start + (from * (end - start)) / width,
      endFrame: start + (to * (end - start)) / width,
      state: NAMES[worst[from]],
    });
    from = to;
  }
  return runs;
}
