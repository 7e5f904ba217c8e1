// @ts-check
/**
 * What a person set in this browser and finds again. A browser that keeps nothing (private windows, blocked storage) works as well, until
 * it is closed.
 *
 * @module
 */

const PREFIX = "loophole.";

/**
 * @param {string} name
 * @returns {string | null}
 */
export function recall(name) {
  try {
    return localStorage.getItem(PREFIX + name);
  } catch {
    return null;
  }
}

/**
 * @param {string} name
 * @param {string | null} value null forgets it
 */
export function remember(name, value) {
  try {
    if (value === null) localStorage.removeItem(PREFIX + name);
    else localStorage.setItem(PREFIX + name, value);
  } catch {
    // Not kept: the setting lasts as long as the page.
  }
}
