/**
 * FLAC files made by code (RFC 9639): what real encoders seldom or never write, so that nothing of the format stays untried. It does not
 * try to make them small.
 *
 * @module
 */

/** How a subframe is coded. */
export type Subframe =
  | "verbatim"
  | "constant"
  | "fixed0"
  | "fixed1"
  | "fixed2"
  | "fixed3"
  | "fixed4"
  | "lpc"
  | "escape";
/** How the two channels of a stereo frame are. */
export type Side = "independent" | "left" | "right" | "mid";

/** One frame. */
export interface FlacFrame {
  /** Samples a channel. */
  block: number;
  subframe?: Subframe;
  side?: Side;
  /** Low bits that are zero in all samples and not stored. */
  wasted?: number;
}

/** A file. */
export interface FlacMaterial {
  /** Integers of `bits` bits, channel after channel. */
  planes: readonly ArrayLike<number>[];
  bits: number;
  sampleRate?: number;
  frames: readonly FlacFrame[];
  /** Frames are numbered by samples. */
  variable?: boolean;
  /** The length that STREAMINFO claims: 0 says that it does not know. */
  total?: number;
  /** The number of the first sample. */
  origin?: number;
  /** Bytes put before the file: tags. */
  before?: Uint8Array;
  /** Points of a seek table: sample and offset from the first frame. */
  table?: readonly (readonly [sample: number, offset: number])[];
  /** How frames say the rate: not at all (as STREAMINFO has it), or in a field of 8 or 16 bits: kilohertz, hertz, tens of hertz. */
  rateField?: "none" | "kHz" | "Hz" | "10Hz";
  /** Claim sizes of blocks and frames, or 0: unknown. */
  claims?: boolean;
}

class BitWriter {
  readonly bytes: number[] = [];
  #bits = 0;
  #count = 0;
  put(value: bigint | number, bits: number): void {
    const x = BigInt.asUintN(64, BigInt(value));
    for (let i = bits - 1; i >= 0; i--) {
      this.#bits = this.#bits << 1 | Number(x >> BigInt(i) & 1n);
      if (++this.#count === 8) this.#flush();
    }
  }
  unary(zeros: number): void {
    for (let i = 0; i < zeros; i++) this.put(0, 1);
    this.put(1, 1);
  }
  align(): void {
    while (this.#count > 0) this.put(0, 1);
  }
  #flush(): void {
    this.bytes.push(this.#bits);
    this.#bits = 0;
    this.#count = 0;
  }
}

function crc(bytes: ArrayLike<number>, polynomial: number, width: number): number {
  const top = 1 << (width - 1);
  let c = 0;
  for (let i = 0; i < bytes.length; i++) {
    c ^= bytes[i] << (width - 8);
    for (let bit = 0; bit < 8; bit++) c = c & top ? c << 1 ^ polynomial : c << 1;
    c &= (1 << width) - 1;
  }
  return c;
}

/** UTF-8's scheme, for up to 36 bits. */
function codedNumber(x: number): number[] {
  if (x < 0x80) return [x];
  const tail: number[] = [];
  let rest = x;
  for (let room = 5;; room--) {
    tail.unshift(0x80 | rest % 64);
    rest = Math.floor(rest / 64);
    if (rest < 2 ** room) {
      return [0xff00 >> tail.length + 1 & 0xff | rest, ...tail];
    }
  }
}

const FIXED = [[], [1n], [2n, -1n], [3n, -3n, 1n], [4n, -6n, 4n, -1n]];

/** Predicted by nobody's choice but the test's: 3 coefficients of 15 bits with shift 11. */
const LPC = [3000n, -1200n, 240n];

function writeSubframe(w: BitWriter, x: bigint[], bits: number, kind: Subframe, wasted: number) {
  const samples = x.map((v) => v >> BigInt(wasted));
  const width = bits - wasted;
  const order = kind === "lpc"
    ? 3
    : kind.startsWith("fixed")
    ? Number(kind[5])
    : kind === "escape"
    ? 1
    : 0;
  const type = kind === "constant"
    ? 0
    : kind === "verbatim"
    ? 1
    : kind === "lpc"
    ? 32 + 2
    : 8 + order;
  w.put(type, 7);
  w.put(wasted > 0 ? 1 : 0, 1);
  if (wasted > 0) w.unary(wasted - 1);
  if (kind === "constant") return w.put(samples[0], width);
  if (kind === "verbatim") return samples.forEach((v) => w.put(v, width));
  for (let i = 0; i < order; i++) w.put(samples[i], width);
  const coefficients = kind === "lpc" ? LPC : FIXED[order];
  const shift = kind === "lpc" ? 11n : 0n;
  if (kind === "lpc") {
    w.put(14, 4);
    w.put(shift, 5);
    LPC.forEach((c) => w.put(c, 15));
  }
  const residual = samples.slice(order).map((v, i) =>
    v - (coefficients.reduce((sum, c, j) => sum + c * samples[order + i - 1 - j], 0n) >> shift)
  );
  const wide = kind === "escape" || residual.some((v) => v > 2n ** 20n || v < -(2n ** 20n));
  w.put(1, 2);
  w.put(0, 4);
  if (wide) {
    w.put(31, 5);
    const need = residual.reduce(
      (most, v) => Math.max(most, (v < 0n ? ~v : v).toString(2).length + 1),
      1,
    );
    if (need > 31) throw new RangeError(`Cannot write a residual of ${need} bits: 31 at most`);
    w.put(need, 5);
    residual.forEach((v) => w.put(v, need));
    return;
  }
  const mean = residual.reduce((sum, v) => sum + (v < 0n ? -v : v), 0n) /
    BigInt(Math.max(1, residual.length));
  const k = Math.min(30, mean.toString(2).length);
  w.put(k, 5);
  for (const v of residual) {
    const folded = v >= 0n ? 2n * v : -2n * v - 1n;
    w.unary(Number(folded >> BigInt(k)));
    if (k > 0) w.put(folded, k);
  }
}

/** A frame's bytes. */
function writeFrame(m: FlacMaterial, frame: FlacFrame, first: number, number: number): number[] {
  const { block, subframe = "fixed2", side = "independent", wasted = 0 } = frame;
  const head = [0xff, m.variable ? 0xf9 : 0xf8];
  const channelCode = side === "independent"
    ? m.planes.length - 1
    : { left: 8, right: 9, mid: 10 }[side];
  const rate = m.sampleRate ?? 48_000;
  const rateField = m.rateField ?? "none";
  const code = { none: 0, kHz: 12, Hz: 13, "10Hz": 14 }[rateField];
  head.push(0x70 | code, channelCode << 4, ...codedNumber(number), block - 1 >> 8, block - 1 & 255);
  if (rateField === "kHz") head.push(rate / 1_000);
  if (rateField === "Hz") head.push(rate >> 8, rate & 255);
  if (rateField === "10Hz") head.push(rate / 10 >> 8, rate / 10 & 255);
  head.push(crc(head, 0x07, 8));
  const w = new BitWriter();
  head.forEach((byte) => w.put(byte, 8));
  const planes = m.planes.map((plane) =>
    Array.from({ length: block }, (_, i) => BigInt(plane[first + i]))
  );
  const [a, b] = planes;
  if (side === "left") planes[1] = a.map((v, i) => v - b[i]);
  else if (side === "right") planes[0] = a.map((v, i) => v - b[i]);
  else if (side === "mid") {
    planes[0] = a.map((v, i) => v + b[i] >> 1n);
    planes[1] = a.map((v, i) => v - b[i]);
  }
  planes.forEach((plane, c) => {
    const isSide = side === "right" ? c === 0 : side !== "independent" && c === 1;
    writeSubframe(w, plane, m.bits + (isSide ? 1 : 0), subframe, wasted);
  });
  w.align();
  w.put(crc(w.bytes, 0x8005, 16), 16);
  return w.bytes;
}

/** The file, and where each frame begins in it. */
export function makeFlac(m: FlacMaterial): { bytes: Uint8Array<ArrayBuffer>; offsets: number[] } {
  const { sampleRate = 48_000, origin = 0, before = new Uint8Array() } = m;
  const samples = m.planes[0].length;
  const blocks = m.frames.map((frame) => frame.block);
  const body: number[] = [];
  const offsets: number[] = [];
  const sizes: number[] = [];
  let first = 0;
  m.frames.forEach((frame, i) => {
    offsets.push(body.length);
    const number = m.variable ? origin + first : origin / blocks[0] + i;
    const bytes = writeFrame(m, frame, first, number);
    sizes.push(bytes.length);
    for (const byte of bytes) body.push(byte);
    first += frame.block;
  });
  const w = new BitWriter();
  [..."fLaC"].forEach((c) => w.put(c.charCodeAt(0), 8));
  w.put(m.table ? 0 : 0x80, 8);
  w.put(34, 24);
  const claims = m.claims ?? true;
  const inner = blocks.slice(0, -1).length > 0 ? blocks.slice(0, -1) : blocks;
  w.put(claims ? Math.min(...inner) : 0, 16);
  w.put(claims ? Math.max(...blocks) : 0, 16);
  w.put(claims ? Math.min(...sizes) : 0, 24);
  w.put(claims ? Math.max(...sizes) : 0, 24);
  w.put(sampleRate, 20);
  w.put(m.planes.length - 1, 3);
  w.put(m.bits - 1, 5);
  w.put(m.total ?? samples, 36);
  for (let i = 0; i < 16; i++) w.put(0, 8);
  if (m.table) {
    w.put(0x83, 8);
    w.put(m.table.length * 18, 24);
    for (const [sample, offset] of m.table) {
      w.put(BigInt(sample), 64);
      w.put(BigInt(offset), 64);
      w.put(0, 16);
    }
  }
  const at = before.length + w.bytes.length;
  return {
    bytes: Uint8Array.from([...before, ...w.bytes, ...body]),
    offsets: offsets.map((offset) => at + offset),
  };
}
