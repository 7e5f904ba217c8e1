/**
 * Messages between the server and the worker that reads the files it sends. Types alone.
 *
 * @module
 */

/** What identifies a file's bytes. */
export interface FileFacts {
  size: number;
  inode: number;
  mtimeMs: number;
}

/** What is asked of the worker. */
export type FileRequest =
  /** Opens a plain file; a path that is not its own resolution is none. */
  | { kind: "open"; path: string }
  | { kind: "read"; fileId: number; at: number; length: number }
  /** Answered like the others, at once. */
  | { kind: "close"; fileId: number };

/** The answers, by kind of request. */
export interface FileAnswers {
  open: { fileId: number; facts: FileFacts } | null;
  /** `length` bytes, fewer at the file's end. */
  read: Uint8Array<ArrayBuffer>;
  close: null;
}

export interface FileMessage {
  id: number;
  request: FileRequest;
}
export interface FileReply {
  id: number;
  answer?: FileAnswers[keyof FileAnswers];
  error?: string;
}
