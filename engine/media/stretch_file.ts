/**
 * Files of renders in the cold cache: WAV of floats, with a chunk behind the samples that says what they are. All calls block: for the worker that
 * stretches.
 *
 * A file is trusted where nobody has written to it since it was made, which its time of modification tells: it stands in the chunk too. Where it has
 * another one (the cache was copied, a disk mended), its samples are checked before they are heard.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { Steps } from "./task_queue.ts";
import { dataBytes, wavHeader, type WavShape } from "./wav_header.ts";

const CHUNK_ID = new TextEncoder().encode("lprd");
const VERSION = 1;
const PAYLOAD_BYTES = 104;
/** Of the chunk with its head. */
const TAIL_BYTES = 8 + PAYLOAD_BYTES;
/** Where in it things stand: id, size, version, channels, frames, time of modification in seconds, rate, then these. */
const RECIPE_AT = 40;
const SUM_AT = 72;
/** The first bytes of a checksum of all that stands before them. */
const OWN_SUM_AT = 104;
const WRITE_BYTES = 1 << 18;
/** What is written is handed to the disk in such parts, so that not all of it is waited for in the end. */
const SYNC_BYTES = 1 << 25;
const CHECK_BYTES = 1 << 20;

/** What a render is, as its file says. */
export interface RenderShape {
  channels: number;
  /** In Hz. */
  sampleRate: number;
  lengthFrames: number;
}

function shapeOfWav({ channels, sampleRate, lengthFrames }: RenderShape): WavShape {
  return { sampleFormat: "f32", channels, sampleRate, lengthFrames };
}

/** Bytes of a render's file. */
export function renderBytes(shape: RenderShape): number {
  const wav = shapeOfWav(shape);
  return wavHeader(wav, TAIL_BYTES).length + dataBytes(wav) + TAIL_BYTES;
}

/** A file in the making. It has its full size at once, so that others see what room it will take. */
export class RenderWriter implements Disposable {
  readonly #file: Deno.FsFile;
  readonly #hash = createHash("sha256");
  readonly #buffer = new Uint8Array(WRITE_BYTES);
  #buffered = 0;
  #unsynced = 0;
  #open = true;

  /**
   * @param recipe What was done with the file, 32 bytes (`stretch_cache.ts`). What it was done with is said by the render's name, of which it may have two.
   * @throws What the file system throws.
   */
  constructor(
    readonly path: string,
    readonly recipe: Uint8Array<ArrayBuffer>,
    readonly shape: RenderShape,
  ) {
    this.#file = Deno.openSync(path, { write: true, createNew: true });
    try {
      this.#file.truncateSync(renderBytes(shape));
      this.#put(wavHeader(shapeOfWav(shape), TAIL_BYTES));
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** Appends interleaved samples. */
  write(samples: Float32Array<ArrayBuffer>): void {
    this.#put(new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength));
  }

  /** Ends the file, once it has had all of its samples; it is on the disk then. */
  finish(): void {
    this.#flush();
    const modified = Math.floor(Date.now() / 1000);
    this.#writeAll(makeTail(this.recipe, this.shape, modified, this.#hash.digest()));
    this.#file.syncSync();
    this[Symbol.dispose]();
    Deno.utimeSync(this.path, new Date(), new Date(modified * 1000));
  }

  [Symbol.dispose](): void {
    if (!this.#open) return;
    this.#open = false;
    this.#file.close();
  }

  #put(bytes: Uint8Array<ArrayBuffer>): void {
    for (let at = 0; at < bytes.length;) {
      const part = bytes.subarray(at, at + this.#buffer.length - this.#buffered);
      this.#buffer.set(part, this.#buffered);
      this.#buffered += part.length;
      at += part.length;
      if (this.#buffered === this.#buffer.length) this.#flush();
    }
  }

  #flush(): void {
    const bytes = this.#buffer.subarray(0, this.#buffered);
    this.#hash.update(bytes);
    this.#writeAll(bytes);
    this.#buffered = 0;
    this.#unsynced += bytes.length;
    if (this.#unsynced < SYNC_BYTES) return;
    this.#file.syncDataSync();
    this.#unsynced = 0;
  }

  #writeAll(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) at += this.#file.writeSync(bytes.subarray(at));
  }
}

/** A file that is what it says it is, as far as its size and its last chunk tell. */
export interface ProbedRender extends RenderShape {
  readonly bytes: number;
  /** Nobody wrote to it since it was made. */
  readonly trusted: boolean;
}

/** Looks whether a file is a render of that recipe. Cheap: nothing is read but its last chunk. */
export function probeRender(
  path: string,
  recipe: Uint8Array<ArrayBuffer>,
): ProbedRender | undefined {
  try {
    using file = Deno.openSync(path);
    const { size, mtime } = file.statSync();
    const tail = readTail(file, size);
    if (tail === undefined || !sameBytes(tail.recipe, recipe)) return undefined;
    if (renderBytes(tail) !== size) return undefined;
    const { channels, sampleRate, lengthFrames } = tail;
    const trusted = mtime?.getTime() === tail.modified * 1000;
    return { channels, sampleRate, lengthFrames, bytes: size, trusted };
  } catch {
    return undefined; // Whatever it is, making the render anew is the answer.
  }
}

/** Reads a whole file: whether its samples are those that were written. From then on it is trusted. */
export function* checkRender(path: string): Steps<boolean> {
  try {
    let modified: number;
    {
      using file = Deno.openSync(path);
      const { size } = file.statSync();
      const tail = readTail(file, size);
      if (tail === undefined) return false;
      const hash = createHash("sha256");
      const buffer = new Uint8Array(CHECK_BYTES);
      file.seekSync(0, Deno.SeekMode.Start);
      for (let left = size - TAIL_BYTES; left > 0;) {
        const got = file.readSync(buffer.subarray(0, Math.min(left, buffer.length)));
        if (got === null) return false;
        hash.update(buffer.subarray(0, got));
        left -= got;
        yield;
      }
      if (!sameBytes(hash.digest(), tail.sum)) return false;
      modified = tail.modified;
    }
    touchRender(path, new Date(modified * 1000));
    return true;
  } catch {
    return false;
  }
}

/** Takes note that a file is in use now: what was used last is kept longest. */
export function touchRender(path: string, modified?: Date): void {
  try {
    Deno.utimeSync(path, new Date(), modified ?? Deno.statSync(path).mtime!);
  } catch {
    // Another user's file, perhaps: it is there all the same.
  }
}

function makeTail(
  recipe: Uint8Array,
  { channels, sampleRate, lengthFrames }: RenderShape,
  modified: number,
  sum: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(TAIL_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(CHUNK_ID);
  view.setUint32(4, PAYLOAD_BYTES, true);
  view.setUint32(8, VERSION, true);
  view.setUint32(12, channels, true);
  view.setFloat64(16, lengthFrames, true);
  view.setFloat64(24, modified, true);
  view.setUint32(32, sampleRate, true);
  bytes.set(recipe, RECIPE_AT);
  bytes.set(sum, SUM_AT);
  bytes.set(ownSum(bytes), OWN_SUM_AT);
  return bytes;
}

interface Tail extends RenderShape {
  readonly recipe: Uint8Array;
  readonly sum: Uint8Array;
  /** In seconds. */
  readonly modified: number;
}

/** `undefined` where there is none, or one that was damaged or is of another version. */
function readTail(file: Deno.FsFile, size: number): Tail | undefined {
  if (size < TAIL_BYTES) return undefined;
  const bytes = new Uint8Array(TAIL_BYTES);
  file.seekSync(size - TAIL_BYTES, Deno.SeekMode.Start);
  for (let at = 0; at < TAIL_BYTES;) {
    const got = file.readSync(bytes.subarray(at));
    if (got === null) return undefined;
    at += got;
  }
  const view = new DataView(bytes.buffer);
  if (!sameBytes(ownSum(bytes), bytes.subarray(OWN_SUM_AT))) return undefined;
  if (!sameBytes(bytes.subarray(0, 4), CHUNK_ID)) return undefined;
  if (view.getUint32(4, true) !== PAYLOAD_BYTES || view.getUint32(8, true) !== VERSION) {
    return undefined;
  }
  return {
    channels: view.getUint32(12, true),
    lengthFrames: view.getFloat64(16, true),
    modified: view.getFloat64(24, true),
    sampleRate: view.getUint32(32, true),
    recipe: bytes.slice(RECIPE_AT, RECIPE_AT + 32),
    sum: bytes.slice(SUM_AT, SUM_AT + 32),
  };
}

function ownSum(tail: Uint8Array): Uint8Array {
  const digest = createHash("sha256").update(tail.subarray(0, OWN_SUM_AT)).digest();
  return digest.subarray(0, TAIL_BYTES - OWN_SUM_AT);
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((value, index) => value === b[index]);
}
