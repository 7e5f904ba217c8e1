/**
 * What we wrote into `metadata.loophole` ourselves: read back as far as it is right. Other programs copy it along, and may change it.
 *
 * @module
 */
import { isObject, type JsonObject, member } from "./fields.ts";
import { LIMITS } from "../limits.ts";
import type { Decibels, FadeShape, FrameRate, Frames, IoPoints } from "../types.ts";

/** A text that can be an id. */
export function idIn(ours: JsonObject, name: string): string | undefined {
  const id = member(ours, name);
  return typeof id === "string" && id !== "" && id.length <= LIMITS.idChars && id.isWellFormed()
    ? id
    : undefined;
}

export function numberIn(
  ours: JsonObject,
  name: string,
  least: number,
  most: number,
): number | undefined {
  const value = member(ours, name);
  return typeof value === "number" && value >= least && value <= most ? value : undefined;
}

/** Decibels; silence is `null`. `undefined` where it says nothing. */
export function gainIn(ours: JsonObject): Decibels | undefined {
  if (Object.hasOwn(ours, "gainDb") && ours.gainDb === null) return null;
  return numberIn(ours, "gainDb", LIMITS.minGainDb, LIMITS.maxGainDb);
}

/** Whole frames, at another rate than ours where `scale` is not 1. */
export function framesIn(ours: JsonObject, name: string, scale: number): Frames | undefined {
  const value = numberIn(ours, name, 0, LIMITS.maxFrame);
  if (value === undefined) return undefined;
  const frames = Math.round(value * scale);
  return frames <= LIMITS.maxFrame ? frames : undefined;
}

export function shapeIn(ours: JsonObject, name: string): FadeShape | undefined {
  const value = member(ours, name);
  return value === "linear" || value === "equalPower" ? value : undefined;
}

export function speedModeIn(ours: JsonObject): "mute" | "matchSpeed" | "maintainPitch" {
  const value = member(ours, "speedMode");
  return value === "mute" || value === "maintainPitch" ? value : "matchSpeed";
}

export function frameRateIn(ours: JsonObject): FrameRate | undefined {
  const value = member(ours, "frameRate");
  if (!isObject(value)) return undefined;
  const numerator = numberIn(value, "numerator", 1, 1_000_000);
  const denominator = numberIn(value, "denominator", 1, 1_000_000);
  if (!Number.isInteger(numerator) || !Number.isInteger(denominator)) return undefined;
  const drop = member(value, "drop");
  return {
    numerator: numerator!,
    denominator: denominator!,
    ...(typeof drop === "boolean" && { drop }),
  };
}

export function ioPointsIn(ours: JsonObject, scale: number): IoPoints | undefined {
  const value = member(ours, "ioPoints");
  if (!isObject(value)) return undefined;
  const inFrame = framesIn(value, "inFrame", scale);
  const outFrame = framesIn(value, "outFrame", scale);
  return inFrame !== undefined && outFrame !== undefined && inFrame < outFrame
    ? { inFrame, outFrame }
    : undefined;
}

/** A client's own JSON as it was written; `undefined` where there was none. */
export function metaIn(ours: JsonObject): unknown {
  return member(ours, "meta");
}
