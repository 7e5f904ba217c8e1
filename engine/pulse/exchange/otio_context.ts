/**
 * What the parts of an OpenTimelineIO import share.
 *
 * @module
 */
import { EngineError } from "../../errors.ts";
import { type Exact, placeOf } from "./exact_time.ts";
import type { Path } from "./fields.ts";
import { LIMITS } from "../limits.ts";
import type { FindMedia } from "./media.ts";
import type { ReportWriter } from "./report.ts";
import type { ClipInput, Frames } from "../types.ts";

export interface OtioContext {
  readonly sampleRate: number;
  readonly find: FindMedia;
  readonly report: ReportWriter;
}

/** A context and what the document says of its own rate. */
export class OtioPlaces {
  readonly sampleRate: number;
  readonly report: ReportWriter;

  /** @param scale Frames of ours for one of the document's, where we wrote it at another rate. */
  constructor({ sampleRate, report }: OtioContext, readonly scale: number) {
    this.sampleRate = sampleRate;
    this.report = report;
  }

  /** @throws {InvalidParams} where no timeline reaches. */
  frameAt(time: Exact, path: Path): Frames {
    return placeOf(time, this.sampleRate, path);
  }
}

/** `[from, to)`: what of a composition is seen. */
export interface Seen {
  readonly from: Frames;
  readonly to: Frames;
}

/** A clip on its way, with its place among those that start with it. */
export interface Draft {
  readonly clip: ClipInput;
  readonly tie: number;
}

/** Numbers of a document's place, for ids that are the same each time. */
export function placeIn(path: Path): string {
  return path.filter((step) => typeof step === "number").join("-");
}

/** An id that nobody has: the one wished for, else one like it. */
export function freeId(wish: string, isTaken: (id: string) => boolean): string {
  let id = wish.slice(0, LIMITS.idChars);
  for (let n = 2; isTaken(id); n++) id = `${wish.slice(0, LIMITS.idChars - 8)}.${n}`;
  return id;
}

/** @throws {EngineError} `limit.exceeded`. */
export function requireAtMost(
  limit: "tracks" | "clips" | "markers",
  count: number,
  maximum: number,
): void {
  if (count <= maximum) return;
  throw new EngineError("limit.exceeded", `Cannot import: more than ${maximum} ${limit}`, {
    limit,
    maximum,
  });
}
