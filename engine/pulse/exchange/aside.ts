/**
 * What a document holds that has no place on a timeline, such as pictures: the project keeps it, and writes it back where it can.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { Path } from "./fields.ts";
import { writeJson } from "./json_writer.ts";
import type { ReportWriter } from "./report.ts";

/** Set aside, named by its content. The timeline's `meta` names it too, so that undo and redo go along. */
export interface Aside {
  readonly id: string;
  readonly content: AsideContent;
}

export interface AsideContent {
  /** The timeline's name. */
  readonly name?: string;
  readonly metadata?: unknown;
  /** Metadata of the stack of tracks. */
  readonly stack?: unknown;
  readonly globalStart?: unknown;
  /** Tracks that are none of sound, with their places among all. */
  readonly tracks?: readonly { readonly index: number; readonly track: unknown }[];
  /** Cap's documents. */
  readonly cap?: unknown;
}

/** Most characters of JSON that are kept. */
export const MOST_ASIDE_CHARS = 1 << 23;

/** Gathers what is set aside of one document. */
export class AsideWriter {
  readonly #content: Record<string, unknown> = {};
  readonly #tracks: { index: number; track: unknown }[] = [];

  /** `undefined` sets nothing. */
  set(name: Exclude<keyof AsideContent, "tracks">, value: unknown): void {
    if (value !== undefined) this.#content[name] = value;
  }

  track(index: number, track: unknown): void {
    this.#tracks.push({ index, track });
  }

  /** `null` where there is nothing, or too much. */
  *done(report: ReportWriter, path: Path): Generator<void, Aside | null> {
    if (this.#tracks.length > 0) this.#content.tracks = this.#tracks;
    if (Object.keys(this.#content).length === 0) return null;
    const hash = createHash("sha256");
    let chars = 0;
    for (const piece of writeJson(this.#content)) {
      if (piece !== null) {
        hash.update(piece);
        chars += piece.length;
      }
      if (chars > MOST_ASIDE_CHARS) {
        report.add(
          path,
          `more than ${MOST_ASIDE_CHARS} characters without counterpart`,
          "left out",
        );
        return null;
      }
      yield;
    }
    return { id: hash.digest("hex").slice(0, 32), content: this.#content };
  }
}
