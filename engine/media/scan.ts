/**
 * A file opened for analysis, read synchronously: only for the analysis worker, whose thread may wait for a disk.
 *
 * @module
 */
import { check } from "../../ffi/check.ts";
import type { NativeLibrary } from "../../ffi/library.ts";
import {
  type NativeSourceInfo,
  readSourceInfo,
  readWhy,
  SOURCE_INFO_BYTES,
} from "../../ffi/source_info.ts";
import type { SCAN_SYMBOLS } from "../../ffi/symbols.ts";
import { fileError } from "./file_error.ts";

/** The library with the functions that a scan needs. */
export type ScanLibrary = NativeLibrary<typeof SCAN_SYMBOLS>;

/** Floats that {@linkcode Scan.peaks} writes for one plane of one bucket: min, max, rms. */
export const FLOATS_PER_PLANE = 3;

/** One open file. Positions are frames of the file. */
export class Scan implements Disposable {
  /** Planes of {@linkcode peaks}: one a channel, and the mono mix if there is more than one. */
  readonly planes: number;
  /** NaN and infinite samples that {@linkcode peaks} met so far; repeated reading counts again. */
  get invalidSamples(): number {
    return this.#invalid[0];
  }
  #invalid = new Float64Array(1);
  #handle: number;

  private constructor(
    readonly path: string,
    readonly info: NativeSourceInfo,
    readonly library: ScanLibrary,
    handle: number,
  ) {
    this.#handle = handle;
    this.planes = info.channels > 1 ? info.channels + 1 : 1;
  }

  /**
   * Opens the file and reads its header.
   *
   * @throws {EngineError} `asset.notFound`, `asset.unsupported`, `asset.unreadable`, `limit.exceeded`.
   */
  static open(library: ScanLibrary, path: string): Scan {
    const name = new TextEncoder().encode(path);
    const record = new Uint8Array(SOURCE_INFO_BYTES);
    const handle = library.symbols.lp_scan_open(name, name.length, record, record.length);
    if (handle < 0) throw fileError(path, handle, readWhy(record));
    return new Scan(path, readSourceInfo(record), library, handle);
  }

  /**
   * Reduces `buckets` buckets of `framesPerBucket` frames from `start` on into `out`: for each bucket, for each plane, min, max and rms.
   * Returns how many there were: fewer at the end of the file, where the last one may be partial, and where a compressed file is still being
   * decoded, but at least one before its end.
   */
  peaks(
    start: number,
    framesPerBucket: number,
    buckets: number,
    out: Float32Array<ArrayBuffer>,
  ): number {
    return check(
      this.library.symbols.lp_scan_peaks(
        this.#handle,
        start,
        framesPerBucket,
        buckets,
        out,
        out.length,
        this.#invalid,
      ),
      `read ${JSON.stringify(this.path)} from frame ${start}`,
    );
  }

  /** Reads `frames` frames from `start` on into `out`, plane after plane, `frames` apart. Returns how many there were. */
  read(start: number, frames: number, out: Float32Array<ArrayBuffer>): number {
    return check(
      this.library.symbols.lp_scan_read(this.#handle, start, frames, out, out.length),
      `read ${JSON.stringify(this.path)} from frame ${start}`,
    );
  }

  /** A step of building the file's seek index, of about so many milliseconds. False when it is complete, or none is needed. */
  indexStep(budgetMs: number): boolean {
    return check(
      this.library.symbols.lp_scan_index_step(this.#handle, budgetMs),
      `index ${JSON.stringify(this.path)}`,
    ) === 1;
  }

  /** The complete seek index as bytes for the cold cache; `undefined` where there is none. */
  takeIndex(): Uint8Array<ArrayBuffer> | undefined {
    const take = (out: Uint8Array<ArrayBuffer>) =>
      check(
        this.library.symbols.lp_scan_index_take(this.#handle, out, out.length),
        `take the index of ${JSON.stringify(this.path)}`,
      );
    const size = take(new Uint8Array(0));
    if (size === 0) return undefined;
    const bytes = new Uint8Array(size);
    take(bytes); // It is complete, so it has the same size.
    return bytes;
  }

  /** Closes the file. Closing twice does nothing. */
  [Symbol.dispose](): void {
    if (this.#handle === 0) return;
    this.library.symbols.lp_scan_close(this.#handle);
    this.#handle = 0;
  }
}
