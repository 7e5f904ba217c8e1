/**
 * Programs in C that benchmarks run: ours on parts of the native library, and peers on miniaudio's own engine.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { compileFlags } from "../../ffi/build_plan.ts";

const ROOT = import.meta.dirname!.replace(/[/\\]bench[/\\]support$/, "");
const NATIVE = `${ROOT}/ffi/native`;

export interface ProgramOptions {
  /** Which of the native library's C files go in; none unless told. */
  parts?: RegExp;
  /** Libraries besides the C library, as `-lm`. */
  libraries: readonly string[];
  /** Without warnings, where it is not our code that is compiled. */
  quiet?: boolean;
}

/**
 * Compiles `tests/native/PROGRAM_main.c` into a folder, with miniaudio's header where the build has put one.
 *
 * @returns its path, or what the compiler said instead.
 */
export async function buildProgram(
  folder: string,
  program: string,
  { parts, libraries, quiet = false }: ProgramOptions,
): Promise<{ program: string } | { error: string }> {
  const path = `${folder}/${program}`;
  const files = parts === undefined ? [] : names(NATIVE).filter((name) => parts.test(name));
  const { success, stderr } = await new Deno.Command("cc", {
    args: [
      ...compileFlags(Deno.build.os, "ours", false),
      ...quiet ? ["-w"] : [],
      ...miniaudio(),
      `-I${NATIVE}`,
      ...files.map((name) => `${NATIVE}/${name}`),
      `${ROOT}/tests/native/${program}_main.c`,
      ...["-o", path],
      ...libraries,
    ],
  }).output();
  return success ? { program: path } : { error: new TextDecoder().decode(stderr) };
}

/** Where the build has put miniaudio.h; nothing where the system has it, or nothing was built yet. */
function miniaudio(): string[] {
  const build = `${ROOT}/.build`;
  const folders = existsSync(build) ? names(build).filter((name) => /^miniaudio-/.test(name)) : [];
  return folders.flatMap((name) => ["-isystem", `${build}/${name}`]);
}

function names(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name);
}
