// @ts-check

/**
 * Calls something that takes its time with whatever came last: one call at a time, and of those that wait only the latest.
 *
 * @template {unknown[]} Args
 * @param {(...args: Args) => Promise<unknown> | unknown} call
 * @returns {(...args: Args) => void}
 */
export function latest(call) {
  let busy = false;
  /** @type {Args | null} */
  let waiting = null;
  return async (...args) => {
    waiting = args;
    if (busy) return;
    busy = true;
    try {
      while (waiting !== null) {
        const next = waiting;
        waiting = null;
        await call(...next);
      }
    } finally {
      busy = false;
    }
  };
}
