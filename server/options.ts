/**
 * The command line (API.md, "Starting it"): arguments and environment to options, as a function from values to values.
 *
 * @module
 */
import type { Backend } from "../engine/options.ts";
import { isLoopback } from "./host.ts";

/** What was asked for. Members left out take the engine's own neutral values. */
export interface ServerOptions {
  /** Address to bind. */
  host: string;
  /** 0 takes a free one. */
  port: number;
  token?: string;
  /** Web origins that are let in beside the engine's own page, as browsers write them. */
  origins: string[];
  backend: Backend;
  device?: string;
  /** Frames in a device period. */
  period: number;
  /** Rate of a new project in Hz; `undefined` if not said: a new project then takes its first file's. */
  sampleRate?: number;
  dataDir?: string;
  cacheDir?: string;
  exportDir?: string;
  libraryRoots?: string[];
  /** Page budget, in MB of 10⁶ bytes. */
  memoryMb: number;
  project?: string;
  gpu: "auto" | "on" | "off";
  log: "text" | "json";
  /** Audio files to register and lay on a track, absolute. */
  files: string[];
}

/** What the command line asks for. */
export type Command = { kind: "serve"; options: ServerOptions } | { kind: "help"; text: string };

/** A command line that cannot be followed; the message names the option. */
export class OptionError extends Error {
  override name = "OptionError";
}

interface Row {
  readonly name: string;
  readonly value: string;
  readonly shown: string;
  readonly repeatable?: true;
  readonly help: string;
}

const BACKENDS = ["auto", "pulseaudio", "alsa", "jack", "coreaudio", "wasapi", "null"] as const;

/** Options in the order in which `--help` prints them. */
const ROWS = [
  { name: "host", value: "ADDRESS", shown: "127.0.0.1", help: "address to serve on" },
  { name: "port", value: "PORT", shown: "4747", help: "port to serve on; 0 takes a free one" },
  {
    name: "token",
    value: "TEXT",
    shown: "none on loopback, required elsewhere",
    help: "secret that every client must show",
  },
  {
    name: "origin",
    value: "ORIGIN",
    shown: "own page only",
    repeatable: true,
    help: "another web origin that is let in, such as http://localhost:5173",
  },
  { name: "backend", value: "NAME", shown: "auto", help: BACKENDS.join(", ") },
  {
    name: "device",
    value: "ID",
    shown: "the system's",
    help: "output device, as device.list names it",
  },
  { name: "period", value: "FRAMES", shown: "256", help: "frames in a device period" },
  {
    name: "sample-rate",
    value: "HZ",
    shown: "48000, or the first file's",
    help: "rate of a new project",
  },
  { name: "data-dir", value: "DIR", shown: "XDG data", help: "where the database is" },
  { name: "cache-dir", value: "DIR", shown: "XDG cache", help: "where the cold cache is" },
  {
    name: "export-dir",
    value: "DIR",
    shown: "Loophole in the music folder",
    help: "where renders may be written",
  },
  {
    name: "library",
    value: "DIR",
    shown: "the user's music folder",
    repeatable: true,
    help: "folder that audio files may come from",
  },
  { name: "memory-mb", value: "MB", shown: "500", help: "page budget, in MB of 10^6 bytes" },
  { name: "project", value: "FILE", shown: "last one", help: "project to open at start" },
  { name: "gpu", value: "WHEN", shown: "auto", help: "auto, on, off" },
  { name: "log", value: "FORMAT", shown: "text", help: "text, or json: one object an event" },
] as const satisfies readonly Row[];

type OptionName = typeof ROWS[number]["name"];
const NAMES: ReadonlySet<string> = new Set(ROWS.map((row) => row.name));
const REPEATABLE: ReadonlySet<string> = new Set(["origin", "library"]);

/** Where the command line came from. */
export interface Surroundings {
  /** An environment variable, `undefined` where it is unset or may not be read. */
  env(name: string): string | undefined;
  /** Folder that relative paths start from, absolute. */
  folder: string;
  os: typeof Deno.build.os;
}

/**
 * Reads a command line. Environment variables (`LOOPHOLE_PORT`, `LOOPHOLE_SAMPLE_RATE` …) stand in for options that are not
 * given.
 *
 * @throws {OptionError} for an unknown or conflicting option or a value out of its range.
 */
export function parseOptions(args: readonly string[], surroundings: Surroundings): Command {
  const given = new Map<OptionName, string[]>();
  const files: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i];
    if (arg === "--") {
      files.push(...args.slice(i + 1));
      break;
    }
    if (arg === "--help" || arg === "-h") return { kind: "help", text: helpText() };
    if (!arg.startsWith("-") || arg === "-") {
      files.push(arg);
      continue;
    }
    const [, name, inline] = /^--([^=]+)(?:=([\s\S]*))?$/.exec(arg) ?? [];
    if (name === undefined || !NAMES.has(name)) {
      throw new OptionError(
        `Cannot start: unknown option ${arg.split("=")[0]} (--help lists them)`,
      );
    }
    const value = inline ?? args[++i];
    if (value === undefined || value === "") {
      throw new OptionError(`Cannot start: --${name} needs a value`);
    }
    const values = given.get(name as OptionName) ?? [];
    if (values.length > 0 && !REPEATABLE.has(name) && values[0] !== value) {
      throw new OptionError(
        `Cannot start: conflicting values for --${name}: ${values[0]} and ${value}`,
      );
    }
    given.set(name as OptionName, [...values, value]);
  }
  return { kind: "serve", options: toOptions(given, files, surroundings) };
}

function toOptions(
  given: ReadonlyMap<OptionName, string[]>,
  files: string[],
  { env, folder, os }: Surroundings,
): ServerOptions {
  const variable = (name: OptionName) => `LOOPHOLE_${name.replaceAll("-", "_").toUpperCase()}`;
  /** Values of an option and the name to blame for them. */
  const read = (name: OptionName, separator?: RegExp): { values: string[]; from: string } => {
    const values = given.get(name);
    if (values) return { values, from: `--${name}` };
    const text = env(variable(name));
    if (!text) return { values: [], from: variable(name) };
    const parts = separator ? text.split(separator).filter((part) => part !== "") : [text];
    return { values: parts, from: variable(name) };
  };
  const text = (name: OptionName) => read(name).values[0];
  const integer = (name: OptionName, min: number, max: number): number | undefined => {
    const { values: [value], from } = read(name);
    if (value === undefined) return undefined;
    const number = /^[0-9]{1,15}$/.test(value) ? Number(value) : NaN;
    if (!(number >= min && number <= max)) {
      throw new OptionError(
        `Cannot start: ${from} must be an integer from ${min} to ${max}, not ${value}`,
      );
    }
    return number;
  };
  const oneOf = <T extends string>(name: OptionName, allowed: readonly T[]): T | undefined => {
    const { values: [value], from } = read(name);
    if (value === undefined) return undefined;
    const found = allowed.find((one) => one === value);
    if (found === undefined) {
      throw new OptionError(
        `Cannot start: ${from} must be one of ${allowed.join(", ")}, not ${value}`,
      );
    }
    return found;
  };
  const path = (value: string) => resolvePath(value, folder, os);
  const pathOf = (name: OptionName) => {
    const value = text(name);
    return value === undefined ? undefined : path(value);
  };

  const host = (text("host") ?? "127.0.0.1").replace(/^\[(.*)\]$/, "$1");
  if (!/^[A-Za-z0-9.:_-]+$/.test(host)) {
    throw new OptionError(`Cannot start: --host must be an address or a name, not ${host}`);
  }
  const { values: [token], from: tokenFrom } = read("token");
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token)) {
    throw new OptionError(`Cannot start: ${tokenFrom} must be printable ASCII without spaces`);
  }
  if (token === undefined && !isLoopback(host)) {
    throw new OptionError(
      `Cannot start: --host ${host} can be reached from other machines and needs --token`,
    );
  }
  const backend = oneOf("backend", BACKENDS) ?? "auto";
  const device = text("device");
  if (backend === "null" && device !== undefined) {
    throw new OptionError(
      `Cannot start: --device ${device} conflicts with --backend null, which has no devices`,
    );
  }
  const origins = read("origin", /[\s,]+/);
  const { values: roots } = read("library", os === "windows" ? /;/ : /:/);
  return {
    host,
    port: integer("port", 0, 65_535) ?? 4747,
    ...(token === undefined ? {} : { token }),
    origins: origins.values.map((value) => toOrigin(value, origins.from)),
    backend,
    ...(device === undefined ? {} : { device }),
    period: integer("period", 16, 16_384) ?? 256,
    sampleRate: integer("sample-rate", 8_000, 384_000),
    dataDir: pathOf("data-dir"),
    cacheDir: pathOf("cache-dir"),
    exportDir: pathOf("export-dir"),
    libraryRoots: roots.length > 0 ? roots.map(path) : undefined,
    memoryMb: integer("memory-mb", 1, 1_000_000) ?? 500,
    project: pathOf("project"),
    gpu: oneOf("gpu", ["auto", "on", "off"] as const) ?? "auto",
    log: oneOf("log", ["text", "json"] as const) ?? "text",
    files: files.map(path),
  };
}

/** An origin as browsers write it: scheme, host and, where it is not the scheme's own, port. */
function toOrigin(value: string, from: string): string {
  const [, scheme, authority] = /^([a-z][a-z0-9+.-]*):\/\/([^/?#@\s]+)\/?$/i.exec(value) ?? [];
  if (scheme === undefined) {
    throw new OptionError(
      `Cannot start: ${from} must be an origin such as http://localhost:5173, not ${value}`,
    );
  }
  const origin = `${scheme}://${authority}`.toLowerCase();
  return origin.replace(/^(http:\/\/.*):80$/, "$1").replace(/^(https:\/\/.*):443$/, "$1");
}

/** `value` made absolute, seen from `folder`. */
function resolvePath(value: string, folder: string, os: typeof Deno.build.os): string {
  const absolute = os === "windows"
    ? /^([a-z]:[\\/]|[\\/]{2})/i.test(value)
    : value.startsWith("/");
  return absolute ? value : `${folder.replace(/[\\/]+$/, "")}/${value}`;
}

function helpText(): string {
  const rows = ROWS.map((row) => {
    const repeat = "repeatable" in row ? " (repeatable)" : "";
    return `  ${`--${row.name} ${row.value}`.padEnd(22)}${row.help}${repeat} [${row.shown}]`;
  });
  return [
    "Usage: deno task start [options] [FILE …]",
    "",
    "Serves the audio engine on this machine. Audio FILEs are registered and laid on the timeline one after another.",
    "",
    ...rows,
    `  ${"--help".padEnd(22)}print this`,
    "",
    "Each option is also read from the environment: LOOPHOLE_PORT for --port, LOOPHOLE_SAMPLE_RATE for --sample-rate.",
    "",
  ].join("\n");
}
