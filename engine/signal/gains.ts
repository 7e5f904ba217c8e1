/**
 * Linear gains of clips and tracks from what the mix says.
 *
 * @module
 */
import type { Decibels, MixModel, MixTrack } from "./model.ts";

/** Linear gain of decibels, rounded to single precision; `null` is silence. */
export function linear(gainDb: Decibels): number {
  return gainDb === null ? 0 : Math.fround(Math.pow(10, gainDb / 20));
}

/**
 * Linear gain of each side of a balance: both at unity in the middle; towards one side the other falls along a cosine to silence.
 *
 * @param pan −1 … 1.
 */
export function balance(pan: number): [left: number, right: number] {
  const fall = (x: number) => x >= 1 ? 0 : Math.cos(x * Math.PI / 2);
  return [pan > 0 ? fall(pan) : 1, pan < 0 ? fall(-pan) : 1];
}

/** Gains of a track's sides, mute and solo included, in single precision. */
export function trackGains(track: MixTrack, anySolo: boolean): [left: number, right: number] {
  if (track.mute || (anySolo && !track.solo)) return [0, 0];
  const gain = track.gainDb === null ? 0 : Math.pow(10, track.gainDb / 20);
  const [left, right] = balance(track.pan);
  return [Math.fround(gain * left), Math.fround(gain * right)];
}

/** Whether any track is soloed. */
export function hasSolo(mix: MixModel): boolean {
  return mix.tracks.some((track) => track.solo);
}
