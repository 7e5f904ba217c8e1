/**
 * One file that the analysis worker knows: its header, its peaks as far as they are there, and its open scan.
 *
 * @module
 */
import { EngineError } from "../errors.ts";
import type { AnalysisResult, MediaId } from "./analysis_protocol.ts";
import { identityKey, sameIdentity } from "./identity.ts";
import { loadPeakFile, peakFilePath, probePeakFile } from "./peak_file.ts";
import type { PeakSubject } from "./peak_header.ts";
import type { PeakImage } from "./peak_image.ts";
import { Scan, type ScanLibrary } from "./scan.ts";
import { hasSeekIndex, seekFilePath } from "./seek_file.ts";
import type { Task } from "./task_queue.ts";

/** A file. Owned by the worker; everything here may block. */
export class MediaEntry implements Disposable {
  readonly info: Scan["info"];
  readonly subject: PeakSubject;
  readonly peakFile: string;
  /** Where its seek index is kept; `null` if it has none. */
  readonly seekFile: string | null;
  /** Peaks in memory: complete, or in the making. */
  image: PeakImage | undefined;
  /** Whether `peakFile` holds complete peaks, as far as is known: then the image may be dropped. */
  saved: boolean;
  /** The analysis under way. */
  analysis: Task<AnalysisResult> | undefined;
  /** Tasks other than the analysis that use it. */
  readonly tasks = new Set<Task<unknown>>();
  #scan: Scan | undefined;

  private constructor(
    readonly mediaId: MediaId,
    readonly path: string,
    readonly library: ScanLibrary,
    cacheDir: string,
    info: Scan["info"],
    /** Whether the file could be opened; else only its cached peaks are there. */
    readonly present: boolean,
  ) {
    this.info = info;
    const { frames, channels, sampleRate, encoding } = info;
    this.subject = {
      frames,
      channels,
      sampleRate,
      compact: encoding === "s16" || encoding === "u8" || encoding === "s8",
      identityKey: identityKey(info),
    };
    this.peakFile = peakFilePath(cacheDir, this.subject.identityKey);
    this.seekFile = hasSeekIndex(info.container) ? seekFilePath(cacheDir, info) : null;
    this.saved = probePeakFile(this.peakFile, this.subject) !== undefined;
  }

  /**
   * Reads the file's header.
   *
   * @param known What is known of the file from an earlier time: used where it is not there now but its peaks are.
   * @throws {EngineError} If the file cannot be read, and nothing is known of it.
   */
  static open(
    mediaId: MediaId,
    path: string,
    library: ScanLibrary,
    cacheDir: string,
    known?: Scan["info"],
  ): MediaEntry {
    try {
      using scan = Scan.open(library, path);
      return new MediaEntry(mediaId, path, library, cacheDir, scan.info, true);
    } catch (error) {
      if (known === undefined) throw error;
      const entry = new MediaEntry(mediaId, path, library, cacheDir, known, false);
      if (entry.saved) return entry;
      throw error;
    }
  }

  get isFloat(): boolean {
    return this.info.encoding === "f32" || this.info.encoding === "f64";
  }

  /**
   * Opens the file anew, and makes sure that it is still the one whose header is known.
   *
   * @throws {EngineError} If it is not, or cannot be read.
   */
  openScan(): Scan {
    const scan = Scan.open(this.library, this.path);
    if (sameIdentity(scan.info, this.info)) return scan;
    scan[Symbol.dispose]();
    throw new EngineError(
      "asset.unreadable",
      `Cannot read ${JSON.stringify(this.path)}: it has changed since it was opened`,
      { path: this.path, reason: "changed" },
    );
  }

  /** The scan that queries share, opened at first use. */
  sharedScan(): Scan {
    return this.#scan ??= this.openScan();
  }

  /** Closes the shared scan until it is needed again. */
  releaseScan(): void {
    this.#scan?.[Symbol.dispose]();
    this.#scan = undefined;
  }

  get hasSharedScan(): boolean {
    return this.#scan !== undefined;
  }

  /** The image, read back from its file if need be; `undefined` where the peaks have to be made (again). */
  loadImage(): PeakImage | undefined {
    if (this.image === undefined && this.saved) {
      this.image = loadPeakFile(this.peakFile, this.subject);
      this.saved = this.image !== undefined;
    }
    return this.image;
  }

  [Symbol.dispose](): void {
    this.analysis?.cancel();
    for (const task of this.tasks) task.cancel();
    this.releaseScan();
    this.image = undefined;
  }
}
