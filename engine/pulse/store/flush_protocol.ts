/**
 * What the flush thread is asked and what it answers.
 *
 * @module
 */

export type FlushRequest =
  /** Flushes the database's log to the disk and brings it over into the file. */
  | { readonly id: number; readonly kind: "flush"; readonly path: string }
  /** Writes a whole copy of a database to a path where nothing is. */
  | { readonly id: number; readonly kind: "copy"; readonly path: string; readonly to: string }
  /** Lets go of a database. */
  | { readonly id: number; readonly kind: "release"; readonly path: string };

export interface FlushReply {
  readonly id: number;
  /** Why it failed. */
  readonly error?: string;
}
