/**
 * Waiting for what must come.
 *
 * @module
 */

/** Ends a test whose condition never comes, in milliseconds. It claims nothing about how long anything takes: machines are slow now and then. */
export const PATIENCE_MS = 180_000;

/** Waits until `condition` holds. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!await condition()) {
    if (performance.now() > end) throw new Error(`Waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
