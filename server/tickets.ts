/**
 * Tickets: what lets `<img>` and `<audio>` in, which can show no token. One a connection, gone with it.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { randomSecret } from "./secrets.ts";

/** The tickets of the connections that live. */
export class Tickets {
  /** Digests, so that a look-up tells by its time nothing about a ticket. */
  readonly #digests = new Set<string>();

  /** A new ticket and the function that ends it. */
  issue(): { ticket: string; revoke: () => void } {
    const ticket = randomSecret();
    const digest = digestOf(ticket);
    this.#digests.add(digest);
    return { ticket, revoke: () => void this.#digests.delete(digest) };
  }

  /** Whether a connection that lives holds this ticket. */
  isValid(ticket: string): boolean {
    return this.#digests.has(digestOf(ticket));
  }
}

function digestOf(ticket: string): string {
  return createHash("sha256").update(ticket).digest("base64");
}
