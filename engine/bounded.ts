/**
 * Waiting that ends.
 *
 * @module
 */

/** The promise's value, or `late` if it has not settled within `ms`; what the promise does afterwards is its own affair. */
export async function withinMs<Value, Late>(
  promise: Promise<Value>,
  ms: number,
  late: Late,
): Promise<Value | Late> {
  const bound = Promise.withResolvers<Late>();
  const timer = setTimeout(() => bound.resolve(late), ms);
  try {
    return await Promise.race([promise, bound.promise]);
  } finally {
    clearTimeout(timer);
  }
}
