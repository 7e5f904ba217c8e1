/**
 * What a clip really plays: its asset, or, where its pitch stays at another speed, a render of the asset at that speed once there is one.
 *
 * A render is a source like any other, of the whole asset at one rate, and is played at its own speed: wherever a clip is split, trimmed or slipped, it
 * plays the same samples of it.
 *
 * @module
 */
import type { MixClipBody } from "./model.ts";
import { soundingFrame, soundingRate } from "./speed.ts";

const PREFIX = "stretched ";
/** Keeps places that lie halfway between two frames from going one way here and the other way there. */
const BIAS = 2 ** -20;

/** What is known of bodies that keep their pitch, by identity. */
const known = new WeakMap<MixClipBody, MixClipBody>();

/** The source that is the render of an asset at a rate, as Signal names it. */
export function renderId(assetId: string, rate: number): string {
  return `${PREFIX}${soundingRate(rate)} ${assetId}`;
}

/** The asset that a source is of: itself, unless it is a render. */
export function assetOfSource(sourceId: string): string {
  if (!sourceId.startsWith(PREFIX)) return sourceId;
  return sourceId.slice(sourceId.indexOf(" ", PREFIX.length) + 1);
}

/** Whether a clip is to be heard from a render. */
export function wantsRender({ rate, speedMode }: Pick<MixClipBody, "rate" | "speedMode">): boolean {
  return speedMode === "maintainPitch" && soundingRate(rate) !== 1;
}

/** The clip as its render has it; `null` if it wants none, or lies so far from its asset that no place of the render is as far: it is silent with or without. */
export function renderedBody<Body extends MixClipBody>(body: Body): Body | null {
  if (!wantsRender(body)) return null;
  let rendered = known.get(body) as Body | undefined;
  if (rendered === undefined) {
    const rate = soundingRate(body.rate);
    const sourceFrame = Math.round(soundingFrame(body.sourceFrame) / rate + BIAS);
    const end = sourceFrame + body.lengthFrames;
    if (sourceFrame < -Number.MAX_SAFE_INTEGER || end > Number.MAX_SAFE_INTEGER) return null;
    rendered = Object.freeze({
      ...body,
      assetId: renderId(body.assetId, rate),
      sourceFrame,
      rate: 1,
      speedMode: "matchSpeed",
    } as Body);
    known.set(body, rendered);
  }
  return rendered;
}

/** What a clip really plays, as a clip: itself, or its render where that is open. */
export type PlayedOf = <Body extends MixClipBody>(body: Body) => Body;

/** Where no render is. */
export const asIs: PlayedOf = (body) => body;

/** What clips really play while those renders are open. */
export function playedFrom(isOpen: (sourceId: string) => boolean): PlayedOf {
  return (body) => {
    const rendered = renderedBody(body);
    return rendered !== null && isOpen(rendered.assetId) ? rendered : body;
  };
}

/** The sources that a clip may play: its asset, and its render. */
export function sourcesOf(body: MixClipBody): string[] {
  const rendered = renderedBody(body);
  return rendered === null ? [body.assetId] : [body.assetId, rendered.assetId];
}
