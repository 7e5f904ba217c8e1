// @ts-check
/**
 * An id that nobody else has. (`crypto.randomUUID` is missing where a page comes over plain HTTP from another machine.)
 *
 * @param {string} kind prefix for people who read logs
 */
export function newId(kind) {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return `${kind}-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
