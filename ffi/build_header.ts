import { BuildError } from "./build_error.ts";
import { unpackDebianPackage } from "./build_debian.ts";

/** The oldest miniaudio whose behaviour the engine builds on. */
export const MINIMUM_VERSION = "0.11.22";

/**
 * The two editions of `miniaudio.h` that may be fetched. Both sums are of the header itself, not of the package around it (a
 * package's own integrity is apt's business).
 */
export const DEBIAN_HEADER = {
  package: "libminiaudio-dev=0.11.25+dfsg-1",
  suite: "forky",
  sha256: "fc7798c303a6c4fef10f1c81ecf4480a4ca399fd8db67713e1f90a43902da20f",
} as const;
export const UPSTREAM_HEADER = {
  url: "https://raw.githubusercontent.com/mackron/miniaudio/0.11.25/miniaudio.h",
  sha256: "ac7af4de748b7e26b777f37e01cee313a308a7296a3eb080e2906b320cc55c89",
} as const;

/** A `miniaudio.h` that the library can be built with. */
export interface Header {
  path: string;
  /** The folder to search for it when compiling. */
  folder: string;
}

/** Where an installed `miniaudio.h` is looked for, first the folders of `CPATH`, then the system's. */
export function headerSearchPath(cpath: string, os: typeof Deno.build.os): string[] {
  const folders = cpath.split(os === "windows" ? ";" : ":").filter((folder) => folder !== "");
  if (os === "darwin") folders.push("/opt/homebrew/include", "/usr/local/include");
  else if (os !== "windows") folders.push("/usr/local/include", "/usr/include");
  return folders.map((folder) => `${folder.replace(/[/\\]+$/, "")}/miniaudio.h`);
}

/** The version that a `miniaudio.h` states, as `major.minor.revision`; `undefined` if it states none. */
export function headerVersion(text: string): string | undefined {
  const parts = ["MAJOR", "MINOR", "REVISION"].map((part) =>
    new RegExp(`^#define MA_VERSION_${part}\\s+(\\d+)`, "m").exec(text)?.[1]
  );
  return parts.includes(undefined) ? undefined : parts.join(".");
}

/** Whether `version` is `minimum` or later. Both are numbers joined by dots. */
export function isAtLeast(version: string, minimum: string): boolean {
  const wanted = minimum.split(".").map(Number);
  const given = version.split(".").map(Number);
  for (let i = 0; i < wanted.length; i++) {
    if ((given[i] ?? 0) !== wanted[i]) return (given[i] ?? 0) > wanted[i];
  }
  return true;
}

/** Throws unless `bytes` have the SHA-256 `expected`. */
export async function checkSum(
  bytes: Uint8Array<ArrayBuffer>,
  expected: string,
  from: string,
): Promise<void> {
  const actual = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
  if (actual !== expected) {
    throw new BuildError(
      `Cannot use miniaudio.h from ${from}: its SHA-256 is ${actual}, expected ${expected}. ` +
        `It was not kept: something on the way may have changed it`,
    );
  }
}

/** A place that a header may come from: its name in messages, and how to get the bytes. */
export interface HeaderSource {
  name: string;
  sha256: string;
  fetch(): Promise<Uint8Array<ArrayBuffer>>;
}

/** The sources in order of preference; Debian's edition has later fixes to the parsers. */
export function headerSources(buildDir: string): HeaderSource[] {
  return [
    {
      name: `Debian (${DEBIAN_HEADER.suite})`,
      sha256: DEBIAN_HEADER.sha256,
      async fetch() {
        const folder = `${buildDir}/apt`;
        try {
          const files = await unpackDebianPackage(
            DEBIAN_HEADER.package,
            DEBIAN_HEADER.suite,
            folder,
          );
          return await Deno.readFile(`${files}/usr/include/miniaudio.h`);
        } finally {
          await Deno.remove(folder, { recursive: true }).catch(() => {});
        }
      },
    },
    {
      name: "GitHub",
      sha256: UPSTREAM_HEADER.sha256,
      async fetch() {
        const response = await fetch(UPSTREAM_HEADER.url, { signal: AbortSignal.timeout(60_000) });
        if (!response.ok) {
          await response.body?.cancel();
          throw new Error(`the server answered ${response.status} ${response.statusText}`);
        }
        return new Uint8Array(await response.arrayBuffer());
      },
    },
  ];
}

/** What {@linkcode obtainHeader} needs to know. */
export interface HeaderOptions {
  /** Where installed headers are looked for, as {@linkcode headerSearchPath} gives it. */
  searchPath: readonly string[];
  /** Where fetched headers are kept. Absolute. */
  buildDir: string;
  /** Where else a header may come from; {@linkcode headerSources} unless told. */
  sources?: readonly HeaderSource[];
  /** Told the name of each source before it is asked. */
  onFetch?: (name: string) => void;
}

/**
 * Finds a `miniaudio.h` that is new enough: installed, or fetched before, or fetched now.
 *
 * @throws {BuildError} When none can be had; the message lists what was tried and what helps.
 */
export async function obtainHeader(options: HeaderOptions): Promise<Header> {
  const tried: string[] = [];
  for (const path of options.searchPath) {
    const text = await Deno.readTextFile(path).catch(() => undefined);
    if (text === undefined) continue;
    const version = headerVersion(text);
    if (version !== undefined && isAtLeast(version, MINIMUM_VERSION)) return headerAt(path);
    tried.push(`${path} is version ${version ?? "unknown"}, older than ${MINIMUM_VERSION}`);
  }
  if (tried.length === 0) tried.push(`not installed (looked for ${options.searchPath.join(", ")})`);

  const sources = options.sources ?? headerSources(options.buildDir);
  const keptAt = (source: HeaderSource) =>
    `${options.buildDir}/miniaudio-${source.sha256.slice(0, 12)}/miniaudio.h`;
  for (const source of sources) {
    const path = keptAt(source);
    if ((await Deno.stat(path).catch(() => undefined))?.isFile) return headerAt(path);
  }
  for (const source of sources) {
    options.onFetch?.(source.name);
    try {
      const bytes = await source.fetch();
      await checkSum(bytes, source.sha256, source.name);
      const path = keptAt(source);
      await Deno.mkdir(headerAt(path).folder, { recursive: true });
      const unfinished = `${path}.${crypto.randomUUID()}`;
      await Deno.writeFile(unfinished, bytes);
      await Deno.rename(unfinished, path);
      return headerAt(path);
    } catch (error) {
      tried.push(`${source.name}: ${reasonOf(error)}`);
    }
  }
  throw new BuildError(
    `Cannot build the native library: miniaudio.h (${MINIMUM_VERSION} or later) could not be had.\n` +
      tried.map((line) => `  - ${line.replaceAll("\n", "\n    ")}\n`).join("") +
      `Connect to the network and start again, or install the header (Debian: libminiaudio-dev, ` +
      `Homebrew: miniaudio), or put miniaudio.h in a folder and name that folder in CPATH.`,
  );
}

/** An error's message with those of its causes: `fetch` says why it failed only in the cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message} (${reasonOf(error.cause)})`;
}

function headerAt(path: string): Header {
  return { path, folder: path.slice(0, path.lastIndexOf("/")) };
}
