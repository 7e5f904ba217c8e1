/**
 * Reads a file piece by piece, as its reader asks.
 *
 * @module
 */

/** What identifies a file's bytes. */
export interface FileFacts {
  size: number;
  inode: number;
  mtimeMs: number;
}

/** A file that is open. */
export interface OpenFile {
  readonly facts: FileFacts;
  /** The bytes of `[start, end)`; `onEnd` is called once, when it is over either way, and the file closed. */
  stream(start: number, end: number, onEnd: () => void): ReadableStream<Uint8Array<ArrayBuffer>>;
  close(): void;
}

const PIECE_BYTES = 256 * 1024;
/** How long a disk may take for one piece, in milliseconds. */
const PIECE_WITHIN_MS = 30_000;

/**
 * Opens a file.
 *
 * @param path Resolved: if links lead elsewhere by now, there is no such file.
 * @returns `null` if there is no such file, or it is not a plain one.
 */
export async function openFile(path: string): Promise<OpenFile | null> {
  let file: Deno.FsFile;
  try {
    const before = await Deno.lstat(path);
    if (!before.isFile || await Deno.realPath(path) !== path) return null;
    file = await Deno.open(path, { read: true });
    const info = await file.stat();
    if (!info.isFile || info.ino !== before.ino || info.dev !== before.dev) {
      file.close();
      return null;
    }
    const facts = { size: info.size, inode: info.ino ?? 0, mtimeMs: info.mtime?.getTime() ?? 0 };
    return { facts, close: () => file.close(), stream: (...args) => stream(file, ...args) };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return null;
    }
    throw error;
  }
}

function stream(
  file: Deno.FsFile,
  start: number,
  end: number,
  onEnd: () => void,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  let at = start;
  let isOver = false;
  const finish = () => {
    if (isOver) return;
    isOver = true;
    file.close();
    onEnd();
  };
  return new ReadableStream({
    async pull(controller) {
      try {
        if (at === start) await file.seek(start, Deno.SeekMode.Start);
        const piece = new Uint8Array(Math.min(PIECE_BYTES, end - at));
        const read = await within(file.read(piece), PIECE_WITHIN_MS);
        if (read === null) throw new Error("the file became shorter while it was read");
        at += read;
        controller.enqueue(piece.subarray(0, read));
        if (at === end) {
          finish();
          controller.close();
        }
      } catch (error) {
        finish();
        controller.error(error);
      }
    },
    cancel: finish,
  }, { highWaterMark: 0 });
}

async function within<T>(promise: Promise<T>, limitMs: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`the disk did not answer in ${limitMs} ms`)),
      limitMs,
    );
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
