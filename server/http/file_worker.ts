/**
 * Reads files, away from the main thread: a disk that hangs holds up this worker's threads and nobody else's.
 *
 * @module
 */
/// <reference lib="deno.worker" />
import type { FileAnswers, FileMessage, FileReply, FileRequest } from "./file_protocol.ts";

const files = new Map<number, Deno.FsFile>();
let lastId = 0;

self.onmessage = async ({ data: { id, request } }: MessageEvent<FileMessage>) => {
  try {
    const answer = await perform(request);
    const transfer = answer instanceof Uint8Array ? [answer.buffer] : [];
    self.postMessage({ id, answer } satisfies FileReply, { transfer });
  } catch (error) {
    self.postMessage({ id, error: String(error) } satisfies FileReply);
  }
};

async function perform(request: FileRequest): Promise<FileAnswers[keyof FileAnswers]> {
  switch (request.kind) {
    case "open":
      return await open(request.path);
    case "read":
      return await read(request.fileId, request.at, request.length);
    case "close":
      files.get(request.fileId)?.close();
      files.delete(request.fileId);
      return null;
  }
}

async function open(path: string): Promise<FileAnswers["open"]> {
  try {
    const before = await Deno.lstat(path);
    if (!before.isFile || await Deno.realPath(path) !== path) return null;
    const file = await Deno.open(path, { read: true });
    const info = await file.stat();
    // A link put there in between would lead to another file.
    if (!info.isFile || info.ino !== before.ino || info.dev !== before.dev) {
      file.close();
      return null;
    }
    const fileId = ++lastId;
    files.set(fileId, file);
    const facts = { size: info.size, inode: info.ino ?? 0, mtimeMs: info.mtime?.getTime() ?? 0 };
    return { fileId, facts };
  } catch (error) {
    const { NotFound, NotADirectory, FilesystemLoop, PermissionDenied } = Deno.errors;
    if (
      [NotFound, NotADirectory, FilesystemLoop, PermissionDenied].some((kind) =>
        error instanceof kind
      )
    ) {
      return null;
    }
    throw error;
  }
}

/** Reads of one file follow each other: whoever streams it asks for a piece when the one before has come. */
async function read(fileId: number, at: number, length: number): Promise<FileAnswers["read"]> {
  const file = files.get(fileId);
  if (file === undefined) throw new Error(`file ${fileId} is closed`);
  await file.seek(at, Deno.SeekMode.Start);
  const bytes = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const count = await file.read(bytes.subarray(filled));
    if (count === null) break;
    filled += count;
  }
  return filled === length ? bytes : bytes.slice(0, filled);
}
