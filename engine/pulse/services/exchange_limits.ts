/**
 * Limits of documents of other programs, apart from what reads them, which is loaded when it is first needed.
 *
 * @module
 */

/** Most clips of a document that is answered; more go to a file. */
export const MAX_ANSWERED_CLIPS = 10_000;
/** Longest document, in bytes. */
export const MAX_DOCUMENT_BYTES = 1 << 29;
