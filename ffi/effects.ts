/**
 * Proves that what is marked `LP_NONBLOCKING` in the native sources (the device's callback and all that it calls) cannot block, by
 * clang's `-Wfunction-effects`. Run as a script it checks the library's sources, or says in one line that no clang here can.
 *
 * @module
 */
import { BuildError } from "./build_error.ts";
import { findProgram, runCommand } from "./build_command.ts";
import { headerSearchPath, obtainHeader } from "./build_header.ts";
import { compileFlags, isForeign, isLibrarySource } from "./build_plan.ts";

const ROOT = import.meta.dirname!.replace(/[/\\]ffi$/, "");
const NATIVE = `${ROOT}/ffi/native`;

/** The names under which a clang that can may be installed, the one that tests are made with first. */
export const EFFECTS_CLANGS = ["clang-22", "clang-21", "clang-20", "clang"] as const;

const EFFECTS_FLAGS = ["-fsyntax-only", "-Wfunction-effects", "-Werror=function-effects"];

/** One call that blocks, from what may not: a compiler that says nothing of it cannot check. */
const PROBE = "void *malloc(unsigned long);\n" +
  "void *probe(void) __attribute__((nonblocking));\nvoid *probe(void) { return malloc(1); }\n";

/**
 * Whether a compiler refuses a function that is marked and blocks.
 *
 * @param folder Where the probe may be written.
 */
export async function knowsEffects(clang: string, folder: string): Promise<boolean> {
  const path = `${folder}/effects-${crypto.randomUUID()}.c`;
  try {
    await Deno.writeTextFile(path, PROBE);
    const { code, stderr } = await runCommand([clang, ...EFFECTS_FLAGS, path]);
    return code !== 0 && /function-effects/.test(stderr) && /non-'nonblocking'/.test(stderr);
  } finally {
    await Deno.remove(path).catch(() => {});
  }
}

/** The first compiler along `path` that can check, or `undefined`. */
export async function findEffectsClang(path: string, folder: string): Promise<string | undefined> {
  for (const name of EFFECTS_CLANGS) {
    const clang = await findProgram(name, path);
    if (clang !== undefined && await knowsEffects(clang, folder)) return clang;
  }
  return undefined;
}

/** The library's own sources by path; what stands in the place of miniaudio's text is foreign. */
export async function ownSources(folder = NATIVE): Promise<string[]> {
  const found: string[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    if (!isLibrarySource(name)) continue;
    if (!isForeign(await Deno.readTextFile(`${folder}/${name}`))) found.push(`${folder}/${name}`);
  }
  return found.sort();
}

/**
 * What a compiler says against a source, `""` if nothing.
 *
 * @param headers The folder of `miniaudio.h`.
 */
export async function effectsOf(clang: string, source: string, headers: string): Promise<string> {
  const { code, stderr, stdout } = await runCommand([
    clang,
    ...compileFlags(Deno.build.os, "ours", false),
    ...EFFECTS_FLAGS,
    "-isystem",
    headers,
    `-I${NATIVE}`,
    source,
  ]);
  return code === 0 ? "" : stderr || stdout || `${clang} ended with status ${code}`;
}

/** The folder of `miniaudio.h`, which is fetched if need be. */
export async function miniaudioFolder(): Promise<string> {
  const header = await obtainHeader({
    searchPath: headerSearchPath(Deno.env.get("CPATH") ?? "", Deno.build.os),
    buildDir: `${ROOT}/.build`,
  });
  return header.folder;
}

async function main(): Promise<number> {
  await Deno.mkdir(`${ROOT}/.build`, { recursive: true });
  const clang = await findEffectsClang(Deno.env.get("PATH") ?? "", `${ROOT}/.build`);
  if (clang === undefined) {
    console.error(
      `Not checked that the callback never blocks: that takes clang 20 or later ` +
        `(looked for ${EFFECTS_CLANGS.join(", ")}; Debian 12: apt-get install clang-22)`,
    );
    return 0;
  }
  const headers = await miniaudioFolder();
  const queue = await ownSources();
  let failed = 0;
  const work = async () => {
    for (let source = queue.shift(); source !== undefined; source = queue.shift()) {
      const said = await effectsOf(clang, source, headers);
      if (said === "") continue;
      failed++;
      console.error(said.trimEnd());
    }
  };
  await Promise.all(Array.from({ length: navigator.hardwareConcurrency }, work));
  return failed === 0 ? 0 : 1;
}

if (import.meta.main) {
  try {
    Deno.exit(await main());
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    console.error(error.message);
    Deno.exit(1);
  }
}
