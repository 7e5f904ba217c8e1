/**
 * A file as a stretcher reads it: any place near the last one, from front to back, silence around it.
 *
 * @module
 */

/** What is read. {@linkcode Scan} is one. */
export interface FrameReader {
  readonly info: { readonly frames: number; readonly channels: number };
  /** Reads frames from `start` on into `out`, plane after plane, `frames` apart. Returns how many there were. */
  read(start: number, frames: number, out: Float32Array<ArrayBuffer>): number;
}

/** Frames read at a time. */
const READ_FRAMES = 1 << 15;
/** What is louder would not be finite any more once it is squared and summed up. */
const LOUDEST = 1e12;

/** Stretches of a file that come in order of their ends. */
export class StretchSource {
  readonly #file: FrameReader;
  readonly #planes: Float32Array<ArrayBuffer>[];
  readonly #read: Float32Array<ArrayBuffer>;
  /** Frames of the file that are in the planes, the first one first. */
  #from = 0;
  #to = 0;

  /** @param mostFrames Longest stretch that is asked for. */
  constructor(file: FrameReader, mostFrames: number) {
    this.#file = file;
    const { channels } = file.info;
    this.#read = new Float32Array(READ_FRAMES * channels);
    this.#planes = Array.from({ length: channels }, () => {
      return new Float32Array(mostFrames + READ_FRAMES);
    });
  }

  /**
   * Fills `planes` with the file's frames from `start` on; outside of the file there is silence. What is no number is silence too.
   *
   * @param start Not before the last call's by more than what that asked for.
   * @throws {Error} If the file ends before its header says so.
   */
  copy(start: number, planes: readonly Float32Array<ArrayBuffer>[]): void {
    const { frames } = this.#file.info;
    const length = planes[0].length;
    const from = Math.min(Math.max(start, 0), frames);
    const to = Math.min(Math.max(start + length, 0), frames);
    while (this.#to < to) this.#readOn(from);
    planes.forEach((plane, channel) => {
      plane.fill(0, 0, Math.min(length, Math.max(0, from - start)));
      if (to > from) {
        plane.set(this.#planes[channel].subarray(from - this.#from, to - this.#from), from - start);
      }
      plane.fill(0, Math.max(0, to - start));
    });
  }

  /** Reads the next frames; what lies before `keep` is forgotten. */
  #readOn(keep: number): void {
    const { frames } = this.#file.info;
    const kept = Math.min(Math.max(keep, this.#from), this.#to);
    for (const plane of this.#planes) plane.copyWithin(0, kept - this.#from, this.#to - this.#from);
    this.#from = kept;
    const wanted = Math.min(READ_FRAMES, frames - this.#to);
    const got = this.#file.read(this.#to, wanted, this.#read);
    if (got <= 0) throw new Error(`it ended at frame ${this.#to} of ${frames}`);
    this.#planes.forEach((plane, channel) => {
      const read = this.#read.subarray(channel * wanted, channel * wanted + got);
      const at = this.#to - this.#from;
      for (let i = 0; i < got; i++) {
        const value = read[i];
        plane[at + i] = Math.abs(value) <= LOUDEST ? value : 0;
      }
    });
    this.#to += got;
  }
}
