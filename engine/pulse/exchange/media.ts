/**
 * Files that a document names, before it is known whether they are there.
 *
 * @module
 */
import type { Path } from "./fields.ts";

/** One file that clips of a document play. */
export interface MediaNeed {
  /** One need a file of the document: the same key is the same file. */
  readonly key: string;
  /** How `files` may name it, the most exact first. */
  readonly names: readonly string[];
  /** A path or URL as the document gives it; `null` where it gives none. */
  readonly location: string | null;
  /** What a person calls it. */
  readonly title: string;
  /** Where the document first names it. */
  readonly path: Path;
}

/** The asset that stands for a file, there or missing. */
export interface Media {
  readonly assetId: string;
  /** Its length; `null` where that is not known. */
  readonly seconds: number | null;
  /** It stands for a file that the library cannot have: what the document says of its place is kept. */
  readonly isPlaceholder?: boolean;
}

/** Gives the asset of a file, `null` where nothing can stand for it. */
export type FindMedia = (need: MediaNeed) => Media | null;

/** Collects the files that a document names, by running its import without any. */
export class MediaNeeds {
  readonly needs = new Map<string, MediaNeed>();

  readonly find: FindMedia = (need) => {
    if (!this.needs.has(need.key)) this.needs.set(need.key, need);
    return { assetId: need.key.slice(0, 128) || "unnamed", seconds: 1 };
  };
}

/** A path without what differs between systems: `/` alone, no `./` before it. */
export function plainPath(path: string): string {
  return path.replaceAll("\\", "/").replace(/^(?:\.\/)+/, "");
}

/** The last part of a path or URL. */
export function lastPart(path: string): string {
  return plainPath(path).replace(/\/+$/, "").split("/").at(-1) ?? "";
}
