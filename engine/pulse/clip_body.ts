/**
 * The clip body: a clip without its place, frozen; its identity means "the same sound".
 *
 * @module
 */
import { InvalidParams } from "../errors.ts";
import type { MixClipBody } from "../signal/model.ts";
import { slicedSourceFrame, soundingRate } from "../signal/speed.ts";
import { LIMITS } from "./limits.ts";
import type { Clip, ClipInput, Frames, Meta } from "./types.ts";

export { soundingRate };

/** A clip without its place. */
export interface ClipBody extends MixClipBody {
  readonly groupId?: string;
  readonly name?: string;
  readonly meta?: Meta;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Optional members that a `null` in `clip.set` takes away, and a `reverse` of `false` too. */
const OPTIONAL = ["fadeInShape", "fadeOutShape", "reverse", "groupId", "name", "meta"] as const;

const isNone = (name: string, value: unknown) =>
  value === undefined || value === null || name === "reverse" && value === false;

/** A private copy of a client's JSON. */
export function copyMeta(meta: Meta): Meta {
  return typeof meta === "object" && meta !== null ? JSON.parse(JSON.stringify(meta)) : meta;
}

/** The body of a clip that a client gives, checked by its schema before. */
export function bodyFromInput(clip: ClipInput, clipId: string): ClipBody {
  const body: Mutable<ClipBody> = {
    clipId,
    assetId: clip.assetId,
    lengthFrames: clip.lengthFrames,
    sourceFrame: clip.sourceFrame ?? 0,
    gainDb: clip.gainDb === undefined ? 0 : clip.gainDb,
    fadeInFrames: clip.fadeInFrames ?? 0,
    fadeOutFrames: clip.fadeOutFrames ?? 0,
    rate: clip.rate ?? 1,
    speedMode: clip.speedMode ?? "matchSpeed",
  };
  for (const name of OPTIONAL) {
    const value = clip[name] as unknown;
    if (isNone(name, value)) continue;
    (body as unknown as Record<string, unknown>)[name] = name === "meta" ? copyMeta(value) : value;
  }
  return Object.freeze(body);
}

/**
 * What a body's shape cannot say: no fade is longer than its clip, and all frames of the source are exact numbers.
 *
 * @param path Of the object that holds the members.
 * @param sourceField The request's field that moved the source's begin.
 * @throws {InvalidParams}
 */
export function checkBody(
  body: ClipBody,
  path: readonly (string | number)[],
  sourceField = "sourceFrame",
): void {
  for (const name of ["fadeInFrames", "fadeOutFrames"] as const) {
    if (body[name] > body.lengthFrames) {
      throw new InvalidParams(
        [...path, name],
        `must be at most lengthFrames (${body[name]} > ${body.lengthFrames})`,
      );
    }
  }
  const sourceEnd = body.sourceFrame + body.lengthFrames * soundingRate(body.rate);
  if (body.sourceFrame < -LIMITS.maxFrame || sourceEnd > LIMITS.maxFrame) {
    throw new InvalidParams(
      [...path, sourceField],
      `the clip would play frames of its source beyond ±${LIMITS.maxFrame} (${body.sourceFrame} … ${sourceEnd})`,
    );
  }
}

/** True where two values are the same JSON. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every((key) =>
    Object.hasOwn(b, key) &&
    sameJson((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key])
  );
}

/** True where two bodies say the same. */
export function sameBody(a: ClipBody, b: ClipBody): boolean {
  return a === b ||
    a.clipId === b.clipId && a.assetId === b.assetId && a.lengthFrames === b.lengthFrames &&
      a.sourceFrame === b.sourceFrame && a.gainDb === b.gainDb &&
      a.fadeInFrames === b.fadeInFrames && a.fadeOutFrames === b.fadeOutFrames &&
      a.fadeInShape === b.fadeInShape && a.fadeOutShape === b.fadeOutShape &&
      a.rate === b.rate && a.speedMode === b.speedMode && a.reverse === b.reverse &&
      a.groupId === b.groupId && a.name === b.name && sameJson(a.meta, b.meta);
}

/** Without members that an embedding program passes as `undefined`. */
export function definedOnly<T extends object>(set: T): T {
  return Object.fromEntries(Object.entries(set).filter(([, value]) => value !== undefined)) as T;
}

/** `body` with members changed; the same object where nothing differs. `null` and `undefined` take optional members away. */
export function changeBody(body: ClipBody, set: Readonly<Record<string, unknown>>): ClipBody {
  const next = { ...body } as unknown as Record<string, unknown>;
  let changed = false;
  for (const [name, value] of Object.entries(set)) {
    const optional = (OPTIONAL as readonly string[]).includes(name);
    if (value === undefined && !optional) continue;
    const present = optional && isNone(name, value) ? undefined : value;
    if (sameJson(next[name], present)) continue;
    changed = true;
    if (present === undefined) delete next[name];
    else next[name] = name === "meta" ? copyMeta(present) : present;
  }
  return changed ? Object.freeze(next as unknown as ClipBody) : body;
}

/**
 * The part of a clip that lasts `lengthFrames` from `offsetFrames` after its begin: the same sound at the same time. A side that is
 * `cut` has no fade; another keeps its own, clamped to the new length.
 *
 * @param offsetFrames May be negative: the clip grows to the left.
 */
export function sliceBody(
  body: ClipBody,
  offsetFrames: Frames,
  lengthFrames: Frames,
  cut: { left?: boolean; right?: boolean } = {},
  identity: { clipId?: string; groupId?: string } = {},
): ClipBody {
  return changeBody(body, {
    clipId: identity.clipId ?? body.clipId,
    groupId: identity.groupId ?? body.groupId,
    lengthFrames,
    sourceFrame: slicedSourceFrame(body, offsetFrames, lengthFrames),
    fadeInFrames: cut.left ? 0 : Math.min(body.fadeInFrames, lengthFrames),
    fadeOutFrames: cut.right ? 0 : Math.min(body.fadeOutFrames, lengthFrames),
  });
}

/** The clip in the interface's words. Frozen: it is shared between answers. */
export function clipOf(body: ClipBody, startFrame: Frames): Clip {
  const clip: Clip = {
    clipId: body.clipId,
    assetId: body.assetId,
    startFrame,
    lengthFrames: body.lengthFrames,
    sourceFrame: body.sourceFrame,
    gainDb: body.gainDb,
    fadeInFrames: body.fadeInFrames,
    fadeOutFrames: body.fadeOutFrames,
    rate: body.rate,
    speedMode: body.speedMode,
  };
  if (body.reverse) clip.reverse = true;
  if (body.fadeInShape !== undefined) clip.fadeInShape = body.fadeInShape;
  if (body.fadeOutShape !== undefined) clip.fadeOutShape = body.fadeOutShape;
  if (body.groupId !== undefined) clip.groupId = body.groupId;
  if (body.name !== undefined) clip.name = body.name;
  if (body.meta !== undefined) clip.meta = body.meta;
  return Object.freeze(clip);
}
