/**
 * Sounds at other speeds, for tests: what a stretcher makes of planes, and where things stand in it.
 *
 * @module
 */
import { renderFrames, stretchFile } from "../../engine/media/stretch_render.ts";
import type { FrameReader } from "../../engine/media/stretch_source.ts";
import { Stretcher } from "../../engine/media/stretcher.ts";
import { finish } from "./media.ts";

type Plane = Float32Array<ArrayBuffer>;

/** Planes as a file that is read. */
export function planesAsFile(planes: readonly Plane[]): FrameReader {
  const frames = planes[0].length;
  return {
    info: { frames, channels: planes.length },
    read(start, count, out) {
      const got = Math.min(count, frames - start);
      planes.forEach((plane, c) => out.set(plane.subarray(start, start + got), c * count));
      return got;
    },
  };
}

/** A whole sound at another speed. */
export async function stretched(
  planes: readonly Plane[],
  rate: number,
  sampleRate = 48_000,
): Promise<Plane[]> {
  const channels = planes.length;
  const stretcher = await Stretcher.open(channels, sampleRate, rate);
  const out = planes.map((plane) => new Float32Array(renderFrames(plane.length, rate)));
  let at = 0;
  finish(stretchFile(planesAsFile(planes), stretcher, (samples) => {
    for (let i = 0; i < samples.length; i++) {
      out[i % channels][at + Math.floor(i / channels)] = samples[i];
    }
    at += samples.length / channels;
  }));
  if (at !== out[0].length) throw new Error(`wrote ${at} of ${out[0].length} frames`);
  return out;
}

/** Where the energy of a stretch lies in the middle. */
export function centreOf(plane: Plane, from: number, to: number): number {
  let energy = 0;
  let moment = 0;
  for (let i = Math.max(0, Math.floor(from)); i < Math.min(plane.length, to); i++) {
    energy += plane[i] ** 2;
    moment += plane[i] ** 2 * i;
  }
  return moment / energy;
}

/** Root of the mean square of a stretch. */
export function rmsOf(plane: Plane, from = 0, to = plane.length): number {
  let sum = 0;
  for (let i = from; i < to; i++) sum += plane[i] ** 2;
  return Math.sqrt(sum / (to - from));
}

/** By how many cents a steady tone that should have `hertz` is too high, by its phase over the middle of the plane. */
export function centsOff(plane: Plane, hertz: number, sampleRate = 48_000): number {
  const width = Math.round(sampleRate / 10);
  const hop = Math.round(width / 10);
  const turn = 2 * Math.PI * hertz / sampleRate;
  const phaseAt = (at: number) => {
    let re = 0;
    let im = 0;
    for (let i = 0; i < width; i++) {
      const weighted = plane[at + i] * (0.5 - 0.5 * Math.cos(2 * Math.PI * i / width));
      re += weighted * Math.cos(turn * (at + i));
      im -= weighted * Math.sin(turn * (at + i));
    }
    return Math.atan2(im, re);
  };
  const from = Math.floor(plane.length * 0.2);
  const to = Math.floor(plane.length * 0.8) - width;
  let last = phaseAt(from);
  let sum = 0;
  let at = from;
  for (; at + hop < to; at += hop) {
    const phase = phaseAt(at + hop);
    const step = phase - last - 2 * Math.PI * Math.round((phase - last) / 2 / Math.PI);
    sum += step;
    last = phase;
  }
  const off = sum / 2 / Math.PI / ((at - from) / sampleRate);
  return 1200 * Math.log2((hertz + off) / hertz);
}
