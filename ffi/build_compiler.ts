import { BuildError } from "./build_error.ts";
import { findProgram } from "./build_command.ts";
import type { BuildSystem } from "./build_system.ts";

/** A C compiler that was found and that answers. */
export interface Compiler {
  /** The program by its path, then whatever arguments `CC` gave. */
  command: string[];
  /** The first line of its `--version`, e.g. `gcc (Debian 12.2.0-14) 12.2.0`. */
  version: string;
  /** The folder that it takes headers from besides its own, by the environment: part of what it makes. */
  cpath: string;
}

/** The names that are tried in order, where `CC` names none. */
export const COMPILERS = ["cc", "clang", "gcc"] as const;

/** What to do where there is no compiler, by system. */
export function compilerAdvice(os: typeof Deno.build.os): string {
  switch (os) {
    case "darwin":
      return "Install Apple's command line tools: xcode-select --install";
    case "windows":
      return "Install LLVM (clang) or MinGW-w64 (gcc) and have it on PATH";
    default:
      return "Install one with its C library headers (Debian, Ubuntu: sudo apt-get install gcc libc6-dev; " +
        "Fedora: sudo dnf install gcc; Arch: sudo pacman -S gcc)";
  }
}

/**
 * Finds the C compiler: `CC` if it is set, else {@linkcode COMPILERS} along `PATH`. As root on Debian a missing one is installed.
 *
 * @param log Told one line before anything is installed.
 * @throws {BuildError} When there is none, or `CC` names one that does not work.
 */
export async function findCompiler(
  system: BuildSystem,
  log: (line: string) => void,
): Promise<Compiler> {
  const path = system.env("PATH") ?? "";
  const cpath = system.env("CPATH") ?? "";
  const named = (system.env("CC") ?? "").split(/\s+/).filter((word) => word !== "");
  if (named.length > 0) {
    const program = await findProgram(named[0], path);
    if (program === undefined) {
      throw new BuildError(
        `Cannot build the native library: CC names "${named[0]}", which is not there. ` +
          `Set CC to a C compiler, or unset it to have ${COMPILERS.join(", ")} tried.`,
      );
    }
    const command = [program, ...named.slice(1)];
    const answer = await system.run([...command, "--version"]);
    if (answer.code !== 0) {
      throw new BuildError(
        `Cannot build the native library: CC names "${
          named.join(" ")
        }", but asking its --version ` +
          `ended with status ${answer.code}. Set CC to a C compiler, or unset it.\n${answer.stderr}`,
      );
    }
    return { command, version: firstLine(answer.stdout), cpath };
  }

  const search = async () => {
    for (const name of COMPILERS) {
      const program = await findProgram(name, path);
      if (program === undefined) continue;
      const answer = await system.run([program, "--version"]);
      // On a Mac without its tools `cc` exists and only says how to get them.
      if (answer.code === 0) {
        return { command: [program], version: firstLine(answer.stdout), cpath };
      }
    }
    return undefined;
  };
  const found = await search();
  if (found !== undefined) return found;
  if (await system.mayInstall()) {
    log("Installing a C compiler: apt-get install gcc libc6-dev");
    const result = await system.install(["gcc", "libc6-dev"]);
    const installed = await search();
    if (installed !== undefined) return installed;
    throw new BuildError(
      `Cannot build the native library: there is no C compiler, and installing one failed.\n` +
        `${result.stderr.trim()}\n${compilerAdvice(Deno.build.os)}.`,
    );
  }
  throw new BuildError(
    `Cannot build the native library: there is no C compiler (${COMPILERS.join(", ")}) on PATH. ` +
      `${compilerAdvice(Deno.build.os)}.`,
  );
}

/** Whether a failed compilation failed for want of the C library's own headers. */
export function lacksSystemHeaders(stderr: string): boolean {
  return /(?:stdio|stdint|stdlib|stddef|string|math|errno|pthread)\.h['"]?:? .*(?:No such file|not found)/
    .test(stderr);
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0].trim();
}
