/**
 * The mix computed again, naively and independently of the native code: frame by frame, each product and sum through `Math.fround`, in
 * track order. What the arithmetic is, `ffi/native/mix.c` says; nothing here is shared with it.
 *
 * @module
 */

/** A clip of the reference: a flat record. */
export interface ReferenceClip {
  assetId: string;
  startFrame: number;
  lengthFrames: number;
  sourceFrame: number;
  gainDb: number | null;
  fadeInFrames: number;
  fadeOutFrames: number;
  fadeInShape?: "linear" | "equalPower";
  fadeOutShape?: "linear" | "equalPower";
  rate: number;
  speedMode: "mute" | "matchSpeed" | "maintainPitch";
  reverse?: boolean;
}
export interface ReferenceTrack {
  gainDb: number | null;
  pan: number;
  mute: boolean;
  solo: boolean;
  /** In order: by start, ties in the order given. */
  clips: readonly ReferenceClip[];
}
/** Samples of each asset: planes, as floats. */
export type ReferenceSources = ReadonlyMap<string, readonly Float32Array[]>;

const f = Math.fround;

/** Where two things at most may sound otherwise than computed: single precision against double, in what is interpolated. */
export const INTERPOLATION_ERROR = 2e-5;

const PARTS = 2 ** 24;
const grid = (x: number) => Math.round(x * PARTS) / PARTS;

/** The filter of `ffi/native/speed_table.h` at distances of 1/1024 frame, unwidened, from its definition. */
const STEPS = 1024;
const HALF = 80;
let prototype: Float64Array | null = null;

function bessel(x: number): number {
  let term = 1;
  let sum = 1;
  for (let k = 1; k < 60; k++) sum += term *= x * x / 4 / (k * k);
  return sum;
}

function prototypeOf(): Float64Array {
  if (prototype !== null) return prototype;
  const h = new Float64Array(HALF * STEPS + 4);
  for (let i = 0; i < HALF * STEPS; i++) {
    const d = i / STEPS;
    const x = Math.PI * 0.951 * d;
    h[i] = 0.951 * (d === 0 ? 1 : Math.sin(x) / x) *
      bessel(12.27 * Math.sqrt(1 - (d / HALF) ** 2)) / bessel(12.27);
  }
  return prototype = h;
}

/** The filter at a distance, by the cubic through four of its values. */
function filterAt(distance: number): number {
  const h = prototypeOf();
  const at = Math.abs(distance) * STEPS;
  if (at >= HALF * STEPS) return 0;
  const i = Math.floor(at);
  const t = at - i;
  const [a, b, c, d] = [h[Math.abs(i - 1)], h[i], h[i + 1], h[i + 2]];
  return b +
    t * (c - a / 3 - b / 2 - d / 6 +
        t * (a / 2 - b + c / 2 + t * ((d - a) / 6 + (b - c) / 2)));
}

/** What a plane is between its frames, for a clip at a rate. */
function interpolated(plane: Float32Array, place: number, rate: number): number {
  const width = rate <= 1 ? 1 : 2 ** (Math.ceil(Math.log2(rate) * 32 - 1e-9) / 32);
  const reach = Math.ceil(HALF * width);
  const from = Math.max(0, Math.floor(place) - reach);
  const to = Math.min(plane.length - 1, Math.floor(place) + reach + 1);
  let sum = 0;
  for (let i = from; i <= to; i++) sum += plane[i] * filterAt((i - place) / width);
  return sum / width;
}

interface Prepared extends ReferenceClip {
  end: number;
  gain: number;
  /** Lengths of its fades as they sound. */
  in: number;
  out: number;
  nested: boolean;
}

function linear(gainDb: number | null): number {
  return gainDb === null ? 0 : f(10 ** (gainDb / 20));
}

function prepare(clips: readonly ReferenceClip[]): Prepared[] {
  const all = clips.map((clip) => ({
    ...clip,
    end: clip.startFrame + clip.lengthFrames,
    gain: linear(clip.gainDb),
    in: clip.fadeInFrames,
    out: clip.fadeOutFrames,
    nested: false,
  }));
  all.forEach((clip, i) => {
    const under = all.slice(0, i).findLast((other) => other.end > clip.startFrame);
    if (under) {
      clip.nested = under.end >= clip.end;
      if (!clip.nested) clip.in = under.end - clip.startFrame;
      if (i + 1 < all.length) clip.in = Math.min(clip.in, all[i + 1].startFrame - clip.startFrame);
    }
    if (all.slice(i + 1).some((o) => o.startFrame < clip.end && o.end > clip.end)) clip.out = 0;
  });
  return all;
}

/** sin(π/2 · w) by its Taylor series to x^15, by Horner's rule in double precision. */
function quarterSine(w: number): number {
  const x = w * (Math.PI / 2);
  const y = x * x;
  let sum = 0;
  for (const n of [15, 13, 11, 9, 7, 5, 3]) {
    const sign = (n - 1) / 2 % 2 ? -1 : 1;
    let factorial = 1;
    for (let k = 2; k <= n; k++) factorial *= k;
    sum = sign / factorial + y * sum;
  }
  return x * (1 + y * sum);
}

function shape(kind: "linear" | "equalPower" | undefined, w: number): number {
  if (w <= 0) return 0;
  if (w >= 1) return 1;
  return f(kind === "equalPower" ? quarterSine(w) : w);
}

function ownEnvelope(clip: Prepared, t: number): number {
  let e = 1;
  if (clip.in > 0 && t < clip.startFrame + clip.in) {
    e = f(e * shape(clip.fadeInShape, (t - clip.startFrame + 0.5) / clip.in));
  }
  if (clip.out > 0 && t >= clip.end - clip.out) {
    e = f(e * shape(clip.fadeOutShape, (clip.end - t - 0.5) / clip.out));
  }
  return e;
}

/** How much of what lies under a clip is heard at t. */
function coverOf(under: Prepared, top: Prepared, t: number): number {
  if (top.in > 0 && t < top.startFrame + top.in) {
    const kind = top.nested ? top.fadeInShape : under.fadeOutShape;
    return shape(kind, (top.startFrame + top.in - t - 0.5) / top.in);
  }
  if (under.end >= top.end && top.out > 0 && t >= top.end - top.out) {
    return shape(top.fadeOutShape, 1 - (top.end - t - 0.5) / top.out);
  }
  return 0;
}

/** Where a clip stands in its source at its frame `k`, and whether it plays frames as they are. */
function placeOf(clip: ReferenceClip, k: number): { place: number; rate: number; exact: boolean } {
  const rate = grid(clip.rate);
  const source = grid(clip.sourceFrame);
  const place = source + (clip.reverse ? clip.lengthFrames - 1 - k : k) * rate;
  return { place, rate, exact: rate === 1 && Number.isInteger(source) };
}

function sidesOf(
  planes: readonly Float32Array[],
  { place: frame, rate, exact }: ReturnType<typeof placeOf>,
): [number, number] {
  const length = planes[0].length;
  if (!exact) {
    const sides = planes.map((plane) => interpolated(plane, frame, rate));
    return [sides[0], sides[sides.length - 1]];
  }
  if (frame < 0 || frame >= length) return [0, 0];
  if (planes.length === 1) return [planes[0][frame], planes[0][frame]];
  if (planes.length === 2) return [planes[0][frame], planes[1][frame]];
  throw new Error("The reference folds no more than two channels");
}

/**
 * Renders `[from, from + frames)`: left and right.
 *
 * @param approximate Gets a 1 at each frame in which something sounds that is interpolated: there the arithmetic is not said to the bit.
 */
export function referenceMix(
  tracks: readonly ReferenceTrack[],
  sources: ReferenceSources,
  from: number,
  frames: number,
  approximate?: Uint8Array,
): [Float32Array, Float32Array] {
  const left = new Float32Array(frames);
  const right = new Float32Array(frames);
  const solo = tracks.some((track) => track.solo);
  for (const track of tracks) {
    if (track.mute || (solo && !track.solo)) continue;
    const gain = track.gainDb === null ? 0 : 10 ** (track.gainDb / 20);
    const side = (fall: number) => fall >= 1 ? 0 : Math.cos(fall * Math.PI / 2);
    const gainLeft = f(gain * (track.pan > 0 ? side(track.pan) : 1));
    const gainRight = f(gain * (track.pan < 0 ? side(-track.pan) : 1));
    const clips = prepare(track.clips).filter((c) => c.end > from && c.startFrame < from + frames);
    for (let i = 0; i < frames; i++) {
      const t = from + i;
      const there = clips.filter((c) => c.startFrame <= t && t < c.end);
      if (there.length === 0) continue;
      const top = there[there.length - 1];
      const under = there[there.length - 2];
      let l = 0;
      let r = 0;
      for (const clip of under ? [under, top] : [top]) {
        let e = ownEnvelope(clip, t);
        if (clip === under) {
          const c = coverOf(under, top, t);
          if (c === 0) continue;
          e = f(e * c);
        }
        const planes = sources.get(clip.assetId);
        const where = placeOf(clip, t - clip.startFrame);
        if (!planes || clip.speedMode === "mute" && where.rate !== 1) continue;
        if (approximate !== undefined && !where.exact) approximate[i] = 1;
        const [a, b] = sidesOf(planes, where);
        const g = f(clip.gain * e);
        l = f(l + f(a * g));
        r = f(r + f(b * g));
      }
      left[i] = f(left[i] + f(l * gainLeft));
      right[i] = f(right[i] + f(r * gainRight));
    }
  }
  return [left, right];
}
