/**
 * One render: found in the cold cache, or made and put there.
 *
 * @module
 */
import { EngineError } from "../errors.ts";
import { identityKey, sameIdentity } from "./identity.ts";
import { Scan, type ScanLibrary } from "./scan.ts";
import { renderKey, renderRecipe, type StretchCache } from "./stretch_cache.ts";
import { checkRender, probeRender, type RenderShape, RenderWriter } from "./stretch_file.ts";
import type { RenderFile, RenderSubject } from "./stretch_protocol.ts";
import { renderFrames, stretchFile } from "./stretch_render.ts";
import type { Stretcher } from "./stretcher.ts";
import type { Steps } from "./task_queue.ts";

type Key = Uint8Array<ArrayBuffer>;
type SourceInfo = Scan["info"];

/** A render that is not there, and what it takes to make it. */
export interface MissingRender {
  readonly subject: RenderSubject;
  /** The file as it is. */
  readonly info: SourceInfo;
  readonly key: Key;
  readonly byContent: boolean;
}

/**
 * Looks for a render, and takes it into use. One that is damaged is deleted.
 *
 * @throws {EngineError} If there is none and the file cannot be read either.
 */
export function* findRender(
  library: ScanLibrary,
  cache: StretchCache,
  subject: RenderSubject,
): Steps<RenderFile | MissingRender> {
  const { hash, rate } = subject;
  const byHash = hash === null ? null : renderKey({ hash }, rate);
  const known = byHash && (yield* take(cache, byHash, rate, true));
  if (known) return known;
  const info = infoOf(library, subject.path);
  const byState = renderKey({ state: identityKey(info) }, rate);
  const isKnown = byHash !== null && isInState(info, subject.state);
  const found = yield* take(cache, byState, rate, false);
  if (found === null) {
    return { subject, info, key: isKnown ? byHash : byState, byContent: isKnown };
  }
  if (isKnown) cache.alias(byState, byHash);
  return found;
}

/**
 * Makes a render and takes it into use. What was begun is gone if it fails or is ended before its end.
 *
 * @param onProgress Called with the part that is done.
 * @throws {EngineError} If the file cannot be read or has changed, or the cache has no room.
 */
export function* makeRender(
  library: ScanLibrary,
  cache: StretchCache,
  { subject, info, key, byContent }: MissingRender,
  stretcher: Stretcher,
  onProgress: (done: number) => void,
): Steps<RenderFile> {
  const { path, rate } = subject;
  const shape: RenderShape = {
    channels: info.channels,
    sampleRate: info.sampleRate,
    lengthFrames: renderFrames(info.frames, rate),
  };
  const recipe = renderRecipe(rate);
  const unfinished = inCache(() => cache.makeRoom(key, shape));
  let isDone = false;
  try {
    using writer = inCache(() => new RenderWriter(unfinished, recipe, shape));
    {
      using scan = openSame(library, path, info);
      let done = 0;
      yield* stretchFile(reading(scan, path), stretcher, (samples) => {
        inCache(() => writer.write(samples));
        done += samples.length / shape.channels;
        onProgress(done / shape.lengthFrames);
      });
    }
    openSame(library, path, info)[Symbol.dispose](); // Half of an old and half of a new file are kept by nobody.
    inCache(() => {
      writer.finish();
      cache.settle(unfinished, key, (path) => probeRender(path, recipe)?.trusted ?? false);
    });
    isDone = true;
  } finally {
    if (!isDone) removeQuietly(unfinished);
  }
  return fileOf(cache, key, rate, byContent)!;
}

function* take(
  cache: StretchCache,
  key: Key,
  rate: number,
  byContent: boolean,
): Steps<RenderFile | null> {
  if (!inCache(() => cache.hold(key))) return null;
  let isWhole = false;
  try {
    const probed = probeRender(cache.path(key), renderRecipe(rate));
    isWhole = probed !== undefined && (probed.trusted || (yield* checkRender(cache.path(key))));
    if (isWhole) return fileOf(cache, key, rate, byContent);
    cache.discard(key);
    return null;
  } finally {
    if (!isWhole) cache.release(key);
  }
}

function fileOf(
  cache: StretchCache,
  key: Key,
  rate: number,
  byContent: boolean,
): RenderFile | null {
  const path = cache.path(key);
  const probed = probeRender(path, renderRecipe(rate));
  if (probed === undefined) return null;
  const { channels, sampleRate, lengthFrames, bytes } = probed;
  return { name: key.toHex(), path, channels, sampleRate, lengthFrames, bytes, byContent };
}

function infoOf(library: ScanLibrary, path: string): SourceInfo {
  using scan = Scan.open(library, path);
  return scan.info;
}

/** @throws {EngineError} If it is not the same file any more. */
function openSame(library: ScanLibrary, path: string, info: SourceInfo): Scan {
  const scan = Scan.open(library, path);
  if (sameIdentity(scan.info, info)) return scan;
  scan[Symbol.dispose]();
  throw new EngineError(
    "asset.unreadable",
    `Cannot keep the pitch of ${path}: it has changed while it was rendered`,
    { path, reason: "changed" },
  );
}

/** Whether a file is in the state that a hash is of: as assets are told apart (`pulse/services/asset_entry.ts`). */
function isInState(info: SourceInfo, state: RenderSubject["state"]): boolean {
  const mtimeMs = info.mtimeSeconds * 1000 + info.mtimeNanoseconds / 1e6;
  return info.inode === state.inode && info.fileBytes === state.bytes &&
    Math.trunc(mtimeMs) === Math.trunc(state.mtimeMs);
}

/** A scan whose errors say what could not be done. */
function reading(scan: Scan, path: string) {
  return {
    info: scan.info,
    read(start: number, frames: number, out: Float32Array<ArrayBuffer>): number {
      let got = 0;
      let why = `it ended at frame ${start} of ${scan.info.frames}`;
      try {
        got = scan.read(start, frames, out);
      } catch (error) {
        why = error instanceof Error ? error.message : String(error);
      }
      if (got > 0) return got;
      throw new EngineError("asset.unreadable", `Cannot keep the pitch of ${path}: ${why}`, {
        path,
        reason: "read",
        frame: start,
      });
    },
  };
}

/** Does something in the cache's folder; what fails says what to do. */
function inCache<Result>(work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    if (error instanceof EngineError || !(error instanceof Error)) throw error;
    const { code } = error as { code?: string };
    const isFull = code === "ENOSPC" || code === "EDQUOT";
    throw new EngineError(
      "cache.budget",
      isFull
        ? "Cannot write a render: the disk of the cache folder is full; free some space"
        : `Cannot write a render to the cache folder: ${error.message}; make the folder writable, or name another with --cache-dir`,
      { reason: isFull ? "diskFull" : "folder" },
    );
  }
}

function removeQuietly(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // It has its name already, or never was.
  }
}
