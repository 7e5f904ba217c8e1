/**
 * Renders a revision to files under the export folder.
 *
 * @module
 */
import { basename, dirname, extname, join } from "node:path";
import type { Caller, MixdownParams } from "../../api.ts";
import { EngineError, InvalidParams } from "../../errors.ts";
import { safeFileName } from "../../files/paths.ts";
import { wavHeader, type WavShape } from "../../media/wav_header.ts";
import type { MixModel, MixTrack } from "../../signal/model.ts";
import type { SignalApi } from "../../signal/signal_api.ts";
import type { Frames } from "../types.ts";
import { type ExportTarget, exportTarget, requireFree } from "./export_path.ts";
import type { Jobs, JobTask } from "./jobs.ts";
import { type PitchRenders, rendersWithin } from "./pitch_renders.ts";
import { SampleEncoder } from "./wav.ts";

/** Frames rendered at a time: what is done with them on the main thread takes well under a millisecond. */
const BLOCK_FRAMES = 8_192;
const CHANNELS = 2;
/** Longest render, in frames: 24 h at 192 kHz. */
const MAX_LENGTH: Frames = 24 * 3_600 * 192_000;

/** One file of a finished render. */
export interface RenderedFile {
  /** Absolute. */
  path: string;
  /** Below the server's root. */
  url: string;
  trackId?: string;
  lengthFrames: Frames;
  /** Greatest absolute sample, `null` for silence. */
  peakDb: number | null;
}

/** A track with the name that its stem's file takes. */
export interface NamedTrack {
  trackId: string;
  name: string;
}

export interface MixdownOptions {
  signal: () => SignalApi;
  jobs: Jobs;
  exportDir: string;
  /** What clips that keep their pitch are rendered from, for as long as a mixdown takes. */
  renders?: Pick<PitchRenders, "need">;
  /** The current revision: what sounds, its tracks' names in order, and where its last clip ends. */
  snapshot: () => { mix: MixModel; revision: number; tracks: NamedTrack[]; endFrame: Frames };
}

interface Part {
  target: ExportTarget;
  mix: MixModel;
  trackId?: string;
}

/** `render.mixdown`: each is a job on an immutable revision, so edits meanwhile change nothing of it. */
export class Mixdown {
  constructor(readonly options: MixdownOptions) {}

  /**
   * Starts a render of the current revision.
   *
   * @throws {InvalidParams} @throws {EngineError} `export.exists`, `export.outside`.
   */
  start(params: MixdownParams, caller: Caller): { jobId: string; revision: number } {
    const { jobs, exportDir, snapshot, signal, renders } = this.options;
    const { mix, revision, tracks, endFrame } = snapshot();
    const renderer = signal();
    requireSupported(params, renderer.sampleRate);
    const startFrame = params.startFrame ?? 0;
    const lengthFrames = params.lengthFrames ?? endFrame - startFrame;
    requireRange(startFrame, lengthFrames, endFrame);
    const chosen = chooseTracks(tracks, params.trackIds);
    const audible = foldMutes(mix);
    const target = exportTarget(exportDir, withExtension(params.path));
    const parts = params.stems
      ? stemParts(target, audible, chosen)
      : [{ target, mix: onlyTracks(audible, chosen) }];
    for (const part of parts) requireFree(part.target, params.overwrite ?? false);

    const render = { ...params, startFrame, lengthFrames, sampleRate: renderer.sampleRate };
    const { jobId } = jobs.start(
      "render.mixdown",
      caller,
      (task) => renderWhole(renderer, parts, render, task, renders),
    );
    return { jobId, revision };
  }
}

type Render = MixdownParams & { startFrame: Frames; lengthFrames: Frames; sampleRate: number };

/** Part of a mixdown's progress that waiting for renders of its clips is, if there is something to wait for. */
const WAITING_SHARE = 0.5;

/** Waits for what the parts' clips are to be heard from, then renders them. */
async function renderWhole(
  signal: SignalApi,
  parts: readonly Part[],
  params: Render,
  task: JobTask,
  renders: MixdownOptions["renders"],
): Promise<{ files: RenderedFile[] }> {
  if (renders === undefined) return await renderParts(signal, parts, params, task);
  const { startFrame, lengthFrames } = params;
  const mixes = parts.map(({ mix }) => mix);
  const bodies = await rendersWithin(mixes, startFrame, startFrame + lengthFrames);
  let waited = 0;
  using _held = await renders.need(bodies, task.signal, (done) => {
    waited = WAITING_SHARE;
    task.progress(done * WAITING_SHARE);
  });
  const progress = (done: number) => task.progress(waited + (1 - waited) * done);
  return await renderParts(signal, parts, params, { ...task, progress });
}

async function renderParts(
  signal: SignalApi,
  parts: readonly Part[],
  params: Render,
  task: JobTask,
): Promise<{ files: RenderedFile[] }> {
  const written: { part: Part; temporary: string; peak: number }[] = [];
  try {
    for (const [index, part] of parts.entries()) {
      const folder = dirname(part.target.path);
      await Deno.mkdir(folder, { recursive: true });
      const temporary = join(folder, `.loophole-${crypto.randomUUID()}.part`);
      const entry = { part, temporary, peak: 0 };
      written.push(entry);
      entry.peak = await renderFile(signal, part.mix, temporary, params, task.signal, (done) => {
        task.progress((index + done) / parts.length);
      });
    }
    task.commit();
    for (const { part, temporary } of written) {
      await giveName(temporary, part.target, params.overwrite ?? false);
    }
  } catch (error) {
    throw asExportError(error, params.path);
  } finally {
    for (const { temporary } of written) {
      await Deno.remove(temporary).catch(() => {}); // Gone already where it got its name.
    }
  }
  return {
    files: written.map(({ part, peak }) => ({
      path: part.target.path,
      url: `/aura/exports/${part.target.relativePath.split("/").map(encodeURIComponent).join("/")}`,
      ...(part.trackId === undefined ? {} : { trackId: part.trackId }),
      lengthFrames: params.lengthFrames,
      peakDb: peak > 0 ? 20 * Math.log10(peak) : null,
    })),
  };
}

/** Writes one file and returns its greatest absolute sample. */
async function renderFile(
  signal: SignalApi,
  mix: MixModel,
  path: string,
  params: Render,
  abort: AbortSignal,
  progress: (done: number) => void,
): Promise<number> {
  const shape: WavShape = {
    sampleFormat: params.sampleFormat,
    channels: CHANNELS,
    sampleRate: params.sampleRate,
    lengthFrames: params.lengthFrames,
  };
  const encoder = new SampleEncoder(shape.sampleFormat, params.dither);
  await using render = signal.renderOffline(mix, params.startFrame);
  using file = await Deno.open(path, { write: true, createNew: true });
  await writeAll(file, wavHeader(shape));
  for (let done = 0; done < shape.lengthFrames;) {
    abort.throwIfAborted();
    const frames = Math.min(BLOCK_FRAMES, shape.lengthFrames - done);
    await writeAll(file, encoder.encode(await render.next(frames)));
    done += frames;
    progress(done / shape.lengthFrames);
  }
  const missing = render.missing();
  if (missing > 0) {
    throw new EngineError(
      "asset.unreadable",
      `Cannot render: ${missing} frames of its files could not be read; bring them back, or remove their clips`,
      { missingFrames: missing },
    );
  }
  await file.sync();
  return encoder.peak;
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
}

/** Makes a whole file appear under its name; without `overwrite` never in place of another. */
async function giveName(
  temporary: string,
  target: ExportTarget,
  overwrite: boolean,
): Promise<void> {
  requireFree(target, overwrite);
  if (overwrite) return await Deno.rename(temporary, target.path);
  try {
    await Deno.link(temporary, target.path);
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) requireFree(target, false);
    // A file system without hard links: the name was free a moment ago.
    await Deno.rename(temporary, target.path);
  }
}

function requireSupported(params: MixdownParams, sampleRate: number): void {
  if (params.container !== "wav") {
    throw new InvalidParams(
      ["container"],
      `must be "wav" in this version, not ${JSON.stringify(params.container)}`,
    );
  }
  if (!["s16", "s24", "f32"].includes(params.sampleFormat)) {
    throw new InvalidParams(
      ["sampleFormat"],
      `must be "s16", "s24" or "f32", not ${JSON.stringify(params.sampleFormat)}`,
    );
  }
  if (params.dither && params.sampleFormat === "f32") {
    throw new InvalidParams(["dither"], "is for s16 and s24; floats are not rounded");
  }
  if (params.sampleRate !== undefined && params.sampleRate !== sampleRate) {
    throw new InvalidParams(
      ["sampleRate"],
      `must be the project's (${sampleRate}) in this version, not ${params.sampleRate}`,
    );
  }
}

function requireRange(startFrame: Frames, lengthFrames: Frames, endFrame: Frames): void {
  if (!Number.isSafeInteger(startFrame) || startFrame < 0) {
    throw new InvalidParams(["startFrame"], `must be an integer from 0 on, not ${startFrame}`);
  }
  if (Number.isSafeInteger(lengthFrames) && lengthFrames > 0 && lengthFrames <= MAX_LENGTH) return;
  const empty = endFrame <= startFrame;
  throw new InvalidParams(
    ["lengthFrames"],
    empty && lengthFrames === endFrame - startFrame
      ? `there is nothing to render: the timeline ends at ${endFrame}, startFrame is ${startFrame}`
      : `must be an integer from 1 to ${MAX_LENGTH}, not ${lengthFrames}`,
  );
}

function chooseTracks(tracks: NamedTrack[], trackIds: string[] | undefined): NamedTrack[] {
  if (trackIds === undefined) return tracks;
  if (trackIds.length === 0) throw new InvalidParams(["trackIds"], "must name at least one track");
  const known = new Set(tracks.map(({ trackId }) => trackId));
  for (const [index, trackId] of trackIds.entries()) {
    if (!known.has(trackId)) {
      throw new EngineError("timeline.notFound", `Cannot render track ${trackId}: there is none`, {
        trackId,
        path: ["trackIds", index],
      });
    }
  }
  const wanted = new Set(trackIds);
  return tracks.filter(({ trackId }) => wanted.has(trackId));
}

/** Turns solo into mute, so that a part of the tracks sounds as it does among all: stems add up to the mix. */
function foldMutes(mix: MixModel): MixModel {
  const anySolo = mix.tracks.some((track) => track.solo);
  return {
    tracks: mix.tracks.map((track): MixTrack => ({
      trackId: track.trackId,
      gainDb: track.gainDb,
      pan: track.pan,
      mute: track.mute || (anySolo && !track.solo),
      solo: false,
      blocks: track.blocks,
    })),
  };
}

function onlyTracks(mix: MixModel, chosen: readonly NamedTrack[]): MixModel {
  const wanted = new Set(chosen.map(({ trackId }) => trackId));
  return { tracks: mix.tracks.filter(({ trackId }) => wanted.has(trackId)) };
}

/** `song.wav` becomes `song - 01 Drums.wav` and so on, numbered in the tracks' order. */
function stemParts(target: ExportTarget, mix: MixModel, chosen: readonly NamedTrack[]): Part[] {
  const extension = extname(target.path);
  const digits = Math.max(2, String(chosen.length).length);
  return chosen.map((track, index) => {
    const number = String(index + 1).padStart(digits, "0");
    const tail = ` - ${number} ${safeFileName(track.name, "Track")}${extension}`;
    const rename = (path: string) => path.slice(0, -extension.length) + tail;
    return {
      target: { path: rename(target.path), relativePath: rename(target.relativePath) },
      mix: onlyTracks(mix, [track]),
      trackId: track.trackId,
    };
  });
}

/** `mix` becomes `mix.wav`; `mix.wav` stays. */
function withExtension(path: string): string {
  return /\.wav$/i.test(basename(path)) ? path : `${path}.wav`;
}

function asExportError(error: unknown, path: string): unknown {
  const code = (error as { code?: string } | null)?.code;
  if (code === "ENOSPC" || code === "EDQUOT") {
    return new EngineError(
      "export.diskFull",
      `Cannot export ${path}: the disk is full; free some space and render again`,
      { path },
    );
  }
  return error;
}
