/**
 * The small schemas that the others are made of.
 *
 * @module
 */
import { z } from "zod";
import { LIMITS } from "../limits.ts";

const wellFormed = (text: string) => text.isWellFormed();
const notWellFormed = { error: "must be well-formed Unicode" };

/** An id that a client may choose: 1 to 128 characters. */
export const IdSchema = z.string().min(1).max(LIMITS.idChars).refine(wellFormed, notWellFormed);

/** A name that a person reads: at most 256 characters. */
export const NameSchema = z.string().max(LIMITS.nameChars).refine(wellFormed, notWellFormed);

/** A place in frames at the project's rate: 0 … 2^53 − 1. */
export const FrameSchema = z.int().min(0).max(LIMITS.maxFrame);

/** A length in frames that is not empty. */
export const LengthSchema = z.int().min(1).max(LIMITS.maxFrame);

/** A place in a source, in frames at the project's rate: may lie outside it and may have a fraction. */
export const SourceFrameSchema = z.number().min(-LIMITS.maxFrame).max(LIMITS.maxFrame);

/** Decibels, −300 … 60; `null` is silence. */
export const GainSchema = z.number().min(LIMITS.minGainDb).max(LIMITS.maxGainDb).nullable();

/** A balance, −1 … 1. */
export const PanSchema = z.number().min(-1).max(1);

/** Frames a second. */
export const SampleRateSchema = z.int().min(LIMITS.minSampleRate).max(LIMITS.maxSampleRate);

const encoder = new TextEncoder();

/** Bytes of a value as JSON, or `null` where it has no JSON form. */
function jsonBytes(value: unknown): number | null {
  try {
    const text = JSON.stringify(value);
    if (text === undefined) return null;
    // A UTF-16 unit is at most three bytes of UTF-8: short texts need no count.
    return text.length * 3 <= LIMITS.metaBytes ? text.length : encoder.encode(text).length;
  } catch {
    return null; // a cycle or a bigint: only an embedding program can send one
  }
}

/** A client's own JSON, at most 4 KiB of it. */
export const MetaSchema = z.unknown().refine(
  (value) => value === undefined || (jsonBytes(value) ?? Infinity) <= LIMITS.metaBytes,
  { error: `must be JSON of at most ${LIMITS.metaBytes} bytes` },
);
