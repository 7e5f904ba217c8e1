/**
 * SMPTE timecode. Drop-frame counting leaves numbers out, never pictures: two a minute (four at 59.94), save each tenth.
 *
 * @module
 */
import type { FrameRate, Frames } from "../types.ts";

/** How pictures are counted. */
export interface Counting {
  readonly numerator: number;
  readonly denominator: number;
  /** Numbers a second: the rate, rounded up to a whole one. */
  readonly perSecond: number;
  readonly drop: boolean;
}

/** The counting of a rate. `drop` is kept only where there is such a counting: 29.97 and 59.94. */
export function countingOf({ numerator, denominator, drop }: FrameRate): Counting {
  const canDrop = denominator === 1_001 && (numerator === 30_000 || numerator === 60_000);
  return {
    numerator,
    denominator,
    perSecond: Math.max(1, Math.round(numerator / denominator)),
    drop: drop === true && canDrop,
  };
}

/** The picture nearest to a place, by whole numbers alone; halves go up. */
export function pictureAt(frame: Frames, sampleRate: number, counting: Counting): number {
  const { numerator, denominator } = counting;
  const n = 2n * BigInt(Math.round(frame)) * BigInt(numerator) +
    BigInt(sampleRate) * BigInt(denominator);
  const d = 2n * BigInt(sampleRate) * BigInt(denominator);
  const quotient = n / d;
  return Number(n < 0n && quotient * d !== n ? quotient - 1n : quotient);
}

/** Hours after which timecode begins anew. */
const DAY_HOURS = 24;

/** `HH:MM:SS:FF`, with `;` before the frames where numbers are dropped. Negative and beyond a day: modulo a day. */
export function timecode(picture: number, counting: Counting): string {
  const { perSecond, drop } = counting;
  const minute = perSecond * 60;
  const dropped = drop ? perSecond / 15 : 0;
  const tenMinutes = minute * 10 - dropped * 9;
  const day = drop ? tenMinutes * 6 * DAY_HOURS : minute * 60 * DAY_HOURS;
  let number = ((picture % day) + day) % day;
  if (drop) {
    const tens = Math.floor(number / tenMinutes);
    const rest = number % tenMinutes;
    const minutes = rest < minute ? 0 : 1 + Math.floor((rest - minute) / (minute - dropped));
    number += dropped * (9 * tens + minutes);
  }
  const two = (value: number) => String(value).padStart(2, "0");
  const seconds = Math.floor(number / perSecond);
  const parts = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60];
  return `${parts.map(two).join(":")}${drop ? ";" : ":"}${two(number % perSecond)}`;
}

/** The picture that a timecode names; `null` where it names none. */
export function pictureOf(text: string, counting: Counting): number | null {
  const parts = /^(\d{2}):(\d{2}):(\d{2})[:;](\d{2,3})$/.exec(text)?.slice(1).map(Number);
  if (parts === undefined) return null;
  const [hours, minutes, seconds, frames] = parts;
  const { perSecond, drop } = counting;
  if (hours >= DAY_HOURS || minutes >= 60 || seconds >= 60 || frames >= perSecond) return null;
  const number = ((hours * 60 + minutes) * 60 + seconds) * perSecond + frames;
  if (!drop) return number;
  const dropped = perSecond / 15;
  if (seconds === 0 && frames < dropped && minutes % 10 !== 0) return null;
  const allMinutes = hours * 60 + minutes;
  return number - dropped * (allMinutes - Math.floor(allMinutes / 10));
}
