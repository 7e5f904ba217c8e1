/**
 * Messages between the engine and its file worker, the one thread that touches media paths. Types alone.
 *
 * @module
 */
import type { AudioHead, FoundHead } from "./head.ts";

/** What stands at a path, links followed. */
export interface FileFacts {
  /** Resolved. */
  path: string;
  kind: "file" | "folder" | "other";
  bytes: number;
  device: number;
  inode: number;
  mtimeMs: number;
  ctimeMs: number;
}

/** Why a path could not be looked at. */
export interface FileFault {
  fault: "missing" | "denied" | "failed";
  message: string;
}

/** An entry of a folder as the worker knows it without opening it. */
export interface ListedEntry {
  name: string;
  path: string;
  kind: "folder" | "audio" | "other";
  head?: AudioHead;
}

export interface ListRequest {
  kind: "list";
  path: string;
  /** Folders that a link may lead into; an entry that leads elsewhere is left out. */
  roots: readonly string[];
  /** Part of a name, in any case; searches the folders below too. */
  query?: string;
  sort: "name" | "duration" | "kind";
  offset: number;
  limit: number;
}

export interface ListAnswer {
  entries: ListedEntry[];
  total: number;
}

/** What is asked of the worker, by kind: request and answer. */
export interface FileRequests {
  identify: { request: { kind: "identify"; path: string }; answer: FileFacts | FileFault };
  identifyMany: {
    request: { kind: "identifyMany"; paths: readonly string[] };
    answer: (FileFacts | FileFault)[];
  };
  list: { request: ListRequest; answer: ListAnswer | FileFault };
  head: { request: { kind: "head"; path: string }; answer: FoundHead | FileFault };
  /** A part of a file that is no medium, such as another program's project. `fileBytes` and `mtimeMs` tell whether it is still the same. */
  readPart: {
    request: { kind: "readPart"; path: string; offset: number; length: number };
    answer:
      | { bytes: Uint8Array<ArrayBuffer>; fileBytes: number; mtimeMs: number }
      | FileFault;
  };
  /** Begins a file that appears as `folder/name` when it is whole. */
  saveBegin: {
    request: { kind: "saveBegin"; folder: string; name: string; overwrite?: boolean };
    answer: { saveId: number; temporary: string } | FileFault | { taken: true };
  };
  saveChunk: {
    request: { kind: "saveChunk"; saveId: number; bytes: Uint8Array<ArrayBuffer> };
    answer: { written: true } | FileFault | { full: true };
  };
  saveEnd: {
    request: { kind: "saveEnd"; saveId: number; keep: boolean };
    answer: { path: string | null } | FileFault | { taken: true } | { full: true };
  };
}

export type FileKind = keyof FileRequests;
export type FileRequest = FileRequests[FileKind]["request"];

/** The id of the message by which the worker says that it is up. Requests begin at 1. */
export const WORKER_UP = 0;

export interface FileMessage {
  id: number;
  request: FileRequest;
}
export interface FileReply {
  id: number;
  answer?: unknown;
  /** The worker's own fault. */
  error?: string;
}
