/**
 * What an engine is opened with, and the neutral values of what is left out.
 *
 * @module
 */
import { defaultPlaces } from "./places.ts";
import type { Backend } from "./signal/device_records.ts";

export type { Backend };

/** Options of {@linkcode Engine.open}; each may be left out. */
export interface EngineOptions {
  /** Folder of the database. Default: `loophole` in the user's data folder. */
  dataDir?: string;
  /** Folder of the cold cache; may be deleted at any time while no engine runs. Default: `loophole` in the user's cache folder. */
  cacheDir?: string;
  /** Folder that renders are written to, and nothing outside it. Default: `Loophole` in the user's music folder. */
  exportDir?: string;
  /** Folders that assets may come from. Default: the user's music folder. */
  libraryRoots?: readonly string[];
  /** Files that are allowed though they lie outside the roots: those a person named. */
  allowedFiles?: readonly string[];
  /** Budget of the page store, in bytes. Default: 500·10⁶. */
  memoryBytes?: number;
  /** Where sound goes to. `auto`, the default, takes the system's own and falls to `null`. */
  backend?: Backend;
  /** A device's id as `devices.list()` gives it; the system's default device if left out. */
  device?: string;
  /** Frames in a device period. Default: 256. */
  period?: number;
  /** Rate of a new project, in Hz. Left out, a new project takes its first file's. */
  sampleRate?: number;
  /** Project file to open; the last one if left out. */
  project?: string;
  /** Whether analysis may use a GPU. Default: `auto`. */
  gpu?: "auto" | "on" | "off";
}

/** Options with every neutral value in place. */
export type ResolvedOptions =
  & Required<Omit<EngineOptions, "device" | "sampleRate" | "project">>
  & Pick<EngineOptions, "device" | "sampleRate" | "project">;

/** The rate of a project that has no file yet, in Hz. */
export const DEFAULT_SAMPLE_RATE = 48_000;
/** Rates that a project may have, in Hz. */
export const SAMPLE_RATE_RANGE = { min: 8_000, max: 384_000 } as const;

/**
 * Puts the neutral values in place and checks ranges.
 *
 * @throws {RangeError} if a number is out of its range.
 */
export function resolveOptions(options: EngineOptions): ResolvedOptions {
  const places = defaultPlaces();
  const resolved: ResolvedOptions = {
    dataDir: options.dataDir ?? places.dataDir(),
    cacheDir: options.cacheDir ?? places.cacheDir(),
    exportDir: options.exportDir ?? places.exportDir(),
    libraryRoots: options.libraryRoots ?? [places.musicDir()],
    allowedFiles: options.allowedFiles ?? [],
    memoryBytes: options.memoryBytes ?? 500_000_000,
    backend: options.backend ?? "auto",
    device: options.device,
    period: options.period ?? 256,
    sampleRate: options.sampleRate,
    project: options.project,
    gpu: options.gpu ?? "auto",
  };
  requireWithin("memoryBytes", resolved.memoryBytes, 1_000_000, 1e12);
  requireWithin("period", resolved.period, 16, 16_384);
  if (resolved.sampleRate !== undefined) {
    requireWithin(
      "sampleRate",
      resolved.sampleRate,
      SAMPLE_RATE_RANGE.min,
      SAMPLE_RATE_RANGE.max,
    );
  }
  return resolved;
}

function requireWithin(name: string, value: number, min: number, max: number): void {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new RangeError(
      `Cannot open the engine: ${name} must be an integer from ${min} to ${max}, not ${value}`,
    );
  }
}
