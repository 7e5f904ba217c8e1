/**
 * Small schemas that requests and replies share, beside Pulse's own.
 *
 * @module
 */
import { z } from "zod";
import { LIMITS } from "../../engine/pulse/limits.ts";

/** Milliseconds on the engine's monotonic clock, with fractions. */
export const ms = z.number();
/** A revision of the timeline. */
export const revision = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
/** Where a page of a list begins. */
export const offset = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
/** How long a page of a list may be. */
export const limit = z.int().min(1).max(10_000);
/** Rate of a project, in Hz. */
export const sampleRate = z.int().min(LIMITS.minSampleRate).max(LIMITS.maxSampleRate);
/** No params, or an answer that says nothing but "done". */
export const nothing = z.strictObject({});
