/**
 * A checksum against damage, not against forgers.
 *
 * @module
 */

/** FNV-1a of 32 bits over texts, in order; `null` differs from an empty text. */
export function checksumOf(...texts: (string | number | null)[]): number {
  let hash = 0x811c9dc5;
  for (const text of texts) {
    if (text === null) {
      hash = Math.imul(hash ^ 0x10000, 0x01000193);
      continue;
    }
    const units = String(text);
    for (let i = 0; i < units.length; i++) {
      hash = Math.imul(hash ^ units.charCodeAt(i), 0x01000193);
    }
    hash = Math.imul(hash ^ 0x10001, 0x01000193);
  }
  return hash >>> 0;
}
