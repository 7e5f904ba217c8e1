/**
 * What the worker that stretches and its client say to each other. Types only.
 *
 * @module
 */
import type { WireError } from "./analysis_protocol.ts";
import type { RenderShape } from "./stretch_file.ts";

/** First message to the worker. */
export interface StretchInit {
  libraryPath: string;
  cacheDir: string;
  /** Bytes that renders may take in the cold cache. */
  budgetBytes: number;
}

/** What a render is of. */
export interface RenderSubject {
  path: string;
  /** SHA-256 of the file's content in hex, if that is known. */
  hash: string | null;
  /** The state of the file whose hash it is: a file in another one is another. */
  state: { inode: number; bytes: number; mtimeMs: number };
  /** Frames of the file for one of the render, a multiple of 2⁻²⁴ from 1/16 to 16. */
  rate: number;
}

/** A render that is in use from now on. */
export interface RenderFile extends RenderShape {
  /** What it is given back by. */
  name: string;
  path: string;
  bytes: number;
  /** Whether its name comes from the file's content; else from the file's state. */
  byContent: boolean;
}

/** Each request's parameters and answer, by name. */
export interface StretchCalls {
  /** Takes a render into use that is there; `null` if there is none. Nothing is rendered. */
  find: { params: { subject: RenderSubject; priority: number }; answer: RenderFile | null };
  /** The same; what is not there is rendered. */
  render: { params: { subject: RenderSubject; priority: number }; answer: RenderFile };
  /** The content of what a render is of has become known: it will be found by that too. */
  learn: { params: { name: string; hash: string; rate: number }; answer: void };
  /** Gives back what `find` or `render` answered. */
  release: { params: { name: string }; answer: void };
  /** Ends everything; the worker closes by itself afterwards. */
  stop: { params: Record<never, never>; answer: void };
}

export type StretchCall = keyof StretchCalls;

export type StretchRequest =
  | { [K in StretchCall]: { id: number; call: K; params: StretchCalls[K]["params"] } }[StretchCall]
  | { cancel: number }
  /** The greater goes first. */
  | { prioritise: number; priority: number };

export type StretchReply =
  | { ready: true }
  | { id: number; answer: unknown }
  | { id: number; error: WireError }
  /** The part of a render that is done, 0 … 1. */
  | { id: number; progress: number };
