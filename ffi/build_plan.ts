/** One object file to be made: which source, with which flags, and the name that its inputs give it. */
export interface ObjectPlan {
  /** The C file, absolute. */
  source: string;
  /** The compiler's arguments, save the source and the output. */
  flags: string[];
  /** Hex digest of everything that decides the object's contents. */
  key: string;
}

/** The language and code generation of every object. Floating point is exact as written: bits are compared in tests. */
const COMMON_FLAGS = [
  "-std=c11",
  "-O3",
  "-fvisibility=hidden",
  "-ffp-contract=off",
  "-fno-math-errno",
] as const;

const WARNING_FLAGS = [
  "-Wall",
  "-Wextra",
  "-Wshadow",
  "-Wstrict-prototypes",
  "-Wmissing-prototypes",
] as const;

/** The flags of one source. Foreign code (miniaudio's implementation) is not ours to warn about. */
export function compileFlags(
  os: typeof Deno.build.os,
  kind: "ours" | "foreign",
  warningsAreErrors: boolean,
): string[] {
  return [
    ...COMMON_FLAGS,
    ...(os === "windows" ? [] : ["-fPIC", "-pthread"]),
    ...(os === "linux" ? ["-D_GNU_SOURCE"] : []),
    // At -O3 its 90,000 lines take ten times as long as at -O1, all of it before the first start; its devices do not notice.
    ...(kind === "foreign" ? ["-w", "-O1"] : WARNING_FLAGS),
    ...(kind === "ours" && warningsAreErrors ? ["-Werror"] : []),
  ];
}

/** The flags that join the objects into a shared library. */
export function linkFlags(os: typeof Deno.build.os): string[] {
  switch (os) {
    case "windows":
      return ["-shared"];
    case "darwin":
      return ["-shared", "-lpthread", "-lm"];
    default:
      // A symbol that nothing defines fails here rather than when the library is opened. The code stays mapped once it is: a program that
      // ends by an exception unloads it under its running threads, and would crash instead of saying what was wrong.
      return ["-shared", "-Wl,--no-undefined", "-Wl,-z,nodelete", "-lpthread", "-lm", "-ldl"];
  }
}

/** The library's file name on a system, with the key of its contents. */
export function libraryName(os: typeof Deno.build.os, key: string): string {
  const suffix = os === "windows" ? "dll" : os === "darwin" ? "dylib" : "so";
  return `liblp-${key.slice(0, 16)}.${suffix}`;
}

/** The files that a C source names in its `#include` lines, in order, whatever conditions stand around them. */
export function includesOf(source: string): string[] {
  return [...source.matchAll(/^[ \t]*#[ \t]*include[ \t]*[<"]([^>"\n]+)[>"]/gm)].map((match) =>
    match[1]
  );
}

/** Whether a C file in the native folder belongs to the library: programs of their own do not. */
export function isLibrarySource(name: string): boolean {
  return name.endsWith(".c") && !name.endsWith("_main.c");
}

/** Whether a source is the one that holds miniaudio's implementation. */
export function isForeign(source: string): boolean {
  return /^[ \t]*#[ \t]*define[ \t]+MINIAUDIO_IMPLEMENTATION\b/m.test(source);
}

/**
 * Everything under `root` that a source includes, itself first, by following its `#include` lines.
 *
 * @param read Gives a file's text by its path relative to the native folder, or `undefined` if it is not there.
 */
export async function closureOf(
  root: string,
  read: (name: string) => Promise<string | undefined>,
): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const open = [root];
  while (open.length > 0) {
    const name = open.pop()!;
    if (found.has(name)) continue;
    const text = await read(name);
    if (text === undefined) continue;
    found.set(name, text);
    const folder = name.includes("/") ? name.slice(0, name.lastIndexOf("/") + 1) : "";
    for (const include of includesOf(text)) open.push(folder + include, include);
  }
  return found;
}

/** Hex SHA-256 of some parts, each of which counts on its own. */
export async function digest(parts: readonly string[]): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify(parts));
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}
