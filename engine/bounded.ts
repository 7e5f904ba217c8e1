/**
 * Waiting that ends.
 *
 * @module
 */

/** Parts of a wait that are counted one by one. */
const PARTS = 10;
/** So often a part that was late is waited for again. */
const MOST_LATE_PARTS = 20;

/**
 * Calls back once `ms` have passed in which the process ran. A machine that stood still makes everything late at once, and what was waited
 * for has not had its time then: of such a time a small part counts.
 *
 * @returns What ends the wait.
 */
export function afterMs(ms: number, callback: () => void): () => void {
  const partMs = ms / PARTS;
  let parts = 0;
  let lateParts = 0;
  let timer: ReturnType<typeof setTimeout>;
  const waitOn = () => {
    const begunMs = performance.now();
    timer = setTimeout(() => {
      const isLate = performance.now() - begunMs > 2 * partMs + 20;
      if (!isLate || ++lateParts > MOST_LATE_PARTS) parts++;
      if (parts < PARTS) waitOn();
      else callback();
    }, partMs);
  };
  waitOn();
  return () => clearTimeout(timer);
}

/** The promise's value, or `late` if it has not settled within `ms`; what the promise does afterwards is its own affair. */
export async function withinMs<Value, Late>(
  promise: Promise<Value>,
  ms: number,
  late: Late,
): Promise<Value | Late> {
  const bound = Promise.withResolvers<Late>();
  if (ms <= 0) bound.resolve(late);
  const stop = afterMs(ms, () => bound.resolve(late));
  try {
    return await Promise.race([promise, bound.promise]);
  } finally {
    stop();
  }
}
