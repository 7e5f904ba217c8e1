/**
 * Times of documents as fractions of a second, so that thousands of them add up to where they say, whatever rates they are given at.
 *
 * @module
 */
import {
  invalid,
  type JsonObject,
  member,
  type Path,
  requireNumber,
  requireObject,
} from "./fields.ts";
import { LIMITS } from "../limits.ts";
import type { Frames } from "../types.ts";

/** n / d seconds; d > 0. */
export interface Exact {
  readonly n: bigint;
  readonly d: bigint;
}

export const ZERO: Exact = { n: 0n, d: 1n };

/** Rates that are written as decimals and mean n·1000/1001. */
const NTSC = [24, 30, 48, 60, 120].map((whole) => [BigInt(whole * 1_000), 1_001n] as const);
/** How far from it such a decimal may be: 23.98 means 24000/1001. */
const NTSC_SLACK = 0.005;
/** What values and rates that are no integers are rounded to: finer than a thousandth of a frame at any rate. */
const FRACTION = 2 ** 24;
/** A denominator beyond it comes of no honest document: then the fraction is rounded to 2⁻⁸⁰ s. */
const MOST_DENOMINATOR = 1n << 200n;
const COARSE = 1n << 80n;
/** Greatest rate of a time, a second. */
const MOST_RATE = 1e9;

const knownRates = new Map<number, readonly [bigint, bigint]>();

/** A rate as a fraction: integers as they are, 29.97 and its like as n·1000/1001. */
export function rateFraction(rate: number): readonly [numerator: bigint, denominator: bigint] {
  const known = knownRates.get(rate);
  if (known !== undefined) return known;
  const found = findRate(rate);
  if (knownRates.size < 256) knownRates.set(rate, found);
  return found;
}

function findRate(rate: number): readonly [bigint, bigint] {
  if (Number.isInteger(rate)) return [BigInt(rate), 1n];
  for (const [n, d] of NTSC) {
    if (Math.abs(rate - Number(n) / Number(d)) < NTSC_SLACK) return [n, d];
  }
  return [BigInt(Math.max(1, Math.round(rate * FRACTION))), BigInt(FRACTION)];
}

/** value / rate seconds. */
export function exactTime(value: number, rate: number): Exact {
  const [n, d] = rateFraction(rate);
  if (Number.isInteger(value)) return { n: BigInt(value) * d, d: n };
  return { n: BigInt(Math.round(value * FRACTION)) * d, d: n * BigInt(FRACTION) };
}

function gcd(a: bigint, b: bigint): bigint {
  while (b !== 0n) [a, b] = [b, a % b];
  return a;
}

export function plus(a: Exact, b: Exact): Exact {
  if (a.n === 0n) return b;
  if (b.n === 0n) return a;
  if (a.d === b.d) return { n: a.n + b.n, d: a.d };
  const common = a.d / gcd(a.d, b.d) * b.d;
  const sum = { n: a.n * (common / a.d) + b.n * (common / b.d), d: common };
  return common <= MOST_DENOMINATOR ? sum : { n: sum.n * COARSE / sum.d, d: COARSE };
}

export function minus(a: Exact, b: Exact): Exact {
  return plus(a, { n: -b.n, d: b.d });
}

/** The nearest frame; halves go up. */
export function framesOf({ n, d }: Exact, sampleRate: number): number {
  const twice = 2n * n * BigInt(sampleRate) + d;
  const by = 2n * d;
  const quotient = twice / by;
  return Number(twice < 0n && quotient * by !== twice ? quotient - 1n : quotient);
}

/** The same as {@linkcode framesOf}, and refused where no timeline reaches. @throws {InvalidParams} */
export function placeOf(time: Exact, sampleRate: number, path: Path): Frames {
  const frames = framesOf(time, sampleRate);
  if (Number.isSafeInteger(frames)) return frames;
  throw invalid(path, `must lie within ±${LIMITS.maxFrame} frames`, frames);
}

/** A fraction of frames, as near as a double gets. */
export function framesWithFraction({ n, d }: Exact, sampleRate: number): number {
  const scaled = n * BigInt(sampleRate);
  const whole = scaled / d;
  return Number(whole) + Number(scaled - whole * d) / Number(d);
}

/** A `RationalTime`: as written and as a fraction. */
export interface RationalTime {
  readonly value: number;
  readonly rate: number;
  readonly exact: Exact;
}

/** @throws {InvalidParams} where it is none. */
export function readRationalTime(given: unknown, path: Path): RationalTime {
  const object: JsonObject = requireObject(given, path);
  const value = requireNumber(member(object, "value"), [...path, "value"]);
  const rate = requireNumber(member(object, "rate"), [...path, "rate"]);
  if (rate <= 0 || rate > MOST_RATE) {
    throw invalid([...path, "rate"], `must be greater than 0 and at most ${MOST_RATE}`, rate);
  }
  if (Math.abs(value) > LIMITS.maxFrame) {
    throw invalid([...path, "value"], `must lie within ±${LIMITS.maxFrame}`, value);
  }
  return { value, rate, exact: exactTime(value, rate) };
}
