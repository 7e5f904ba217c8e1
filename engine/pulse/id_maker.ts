/**
 * Ids that a client left to the engine.
 *
 * @module
 */

/** Makes ids `<seed>-1`, `<seed>-2`, … and leaves out those that are taken. The same seed on the same model gives the same ids. */
export class IdMaker {
  #count = 0;

  constructor(private readonly seed: string, private readonly isTaken: (id: string) => boolean) {}

  next(): string {
    for (;;) {
      const id = `${this.seed}-${++this.#count}`;
      if (!this.isTaken(id)) return id;
    }
  }
}

/** A seed that no other edit has: 12 characters of 60 random bits. */
export function newSeed(): string {
  const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
  let seed = "";
  for (const byte of crypto.getRandomValues(new Uint8Array(12))) seed += alphabet[byte & 31];
  return seed;
}
