/**
 * Programs in C that test the native library from within: built with sanitizers into the build folder, and run.
 *
 * @module
 */

import { findOnPath } from "../needs.ts";

const ROOT = import.meta.dirname!.replace(/[/\\]tests[/\\]support$/, "");
const BUILD = `${ROOT}/.build`;
const NATIVE = `${ROOT}/ffi/native`;
const TESTS = `${ROOT}/tests/native`;

/** How a program is built: by name, with the compiler's arguments. */
const MODES = {
  plain: ["-O2"],
  address: [
    "-O1",
    "-fsanitize=address,undefined,float-cast-overflow",
    "-fno-sanitize-recover=undefined,float-cast-overflow",
  ],
  // GCC warns that it does not know fences there; what they order is checked by values, what they publish by release and acquire.
  thread: ["-O1", "-fsanitize=thread", "-Wno-tsan"],
  // What is marked LP_NONBLOCKING is watched for whatever it calls.
  realtime: ["-O1", "-fsanitize=realtime"],
} as const;

/** GCC has no such sanitizer. */
const compilerOf = (mode: NativeMode) => mode === "realtime" ? "clang-22" : "cc";

export type NativeMode = keyof typeof MODES;

/** Parts of a file that is decoded ahead are short, so that short files have many. */
const COMMON = [
  "-DLP_TEST_PART_FRAMES=16384",
  "-std=gnu11",
  "-D_GNU_SOURCE",
  "-g1",
  "-pthread",
  "-ffp-contract=off",
];

/** What a program has put something of its own in the place of. */
const WRAPPED: Record<string, readonly string[]> = { realtime: ["lp_tap_pass"] };

/** Not needed by any program. */
const LEFT_OUT = new Set(["miniaudio.c", "scan.c"]);

async function run(
  command: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<{ ok: boolean; text: string }> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args: [...args], env })
    .output();
  const decoder = new TextDecoder();
  return { ok: success, text: decoder.decode(stdout) + decoder.decode(stderr) };
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

function names(folder: string, suffix: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name)
    .filter((name) => name.endsWith(suffix)).sort();
}

/** Where the build has put miniaudio.h, as the compiler is told; nothing where the system has it. */
function miniaudioFlags(): string[] {
  const folder = names(BUILD, "").find((name) => exists(`${BUILD}/${name}/miniaudio.h`));
  return folder === undefined ? [] : ["-isystem", `${BUILD}/${folder}`];
}

async function digest(parts: readonly string[]): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify(parts));
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex().slice(0, 16);
}

/** Compiles what is not compiled yet; gives the objects. */
async function objects(mode: NativeMode, sources: readonly string[]): Promise<string[]> {
  const folder = `${BUILD}/native_test`;
  Deno.mkdirSync(folder, { recursive: true });
  const headers = [NATIVE, TESTS].flatMap((from) =>
    names(from, ".h").map((name) => Deno.readTextFileSync(`${from}/${name}`))
  );
  const jobs = await Promise.all(sources.map(async (source) => {
    const foreign = source.endsWith("/miniaudio.c");
    const flags = [
      ...COMMON,
      ...(foreign ? ["-O0", "-w"] : [...MODES[mode], "-Wall", "-Wextra"]),
      ...miniaudioFlags(),
      `-I${NATIVE}`,
      `-I${TESTS}`,
    ];
    const key = await digest([
      ...flags,
      Deno.readTextFileSync(source),
      ...(foreign ? [] : headers),
    ]);
    const name = source.slice(source.lastIndexOf("/") + 1, -2);
    return { source, flags, prefix: `${mode}-${name}-`, object: `${mode}-${name}-${key}.o` };
  }));
  const queue = jobs.filter((job) => !exists(`${folder}/${job.object}`));
  const work = async () => {
    for (let job = queue.shift(); job !== undefined; job = queue.shift()) {
      const { source, flags, prefix, object } = job;
      const unfinished = `${folder}/${object}.${Deno.pid}`;
      const { ok, text } = await run(compilerOf(mode), [...flags, "-c", "-o", unfinished, source]);
      if (!ok) throw new Error(`Cannot compile ${source} for tests (${mode}):\n${text}`);
      for (const old of names(folder, ".o")) {
        if (old.startsWith(prefix) && old.length === object.length) {
          Deno.removeSync(`${folder}/${old}`);
        }
      }
      Deno.renameSync(unfinished, `${folder}/${object}`);
    }
  };
  await Promise.all(Array.from({ length: navigator.hardwareConcurrency }, work));
  return jobs.map((job) => `${folder}/${job.object}`);
}

/** Whether programs built in this mode run on this machine: the sanitizer's runtime may be missing. */
export async function nativeModeWorks(mode: NativeMode): Promise<boolean> {
  const path = `${BUILD}/native_probe-${mode}-${Deno.pid}`;
  try {
    Deno.writeTextFileSync(`${path}.c`, "int main(void) { return 0; }\n");
    const built = await run(compilerOf(mode), [...MODES[mode], `${path}.c`, "-o", path]);
    return built.ok && (await runNative(path, [])).ok;
  } catch {
    return false;
  } finally {
    for (const leftover of [path, `${path}.c`]) await Deno.remove(leftover).catch(() => {});
  }
}

/**
 * Builds `tests/native/<name>_main.c` with all of the native library that plays, and with what the tests in C share.
 *
 * @returns The program's path.
 */
export async function buildNative(name: string, mode: NativeMode): Promise<string> {
  const program = `${BUILD}/native_test/${name}-${mode}`;
  const sources = [
    ...names(NATIVE, ".c").filter((file) => !LEFT_OUT.has(file) && !file.endsWith("_main.c"))
      .map((file) => `${NATIVE}/${file}`),
    `${NATIVE}/miniaudio.c`,
    ...["store_support.c", "packer.c", `${name}_main.c`].map((file) => `${TESTS}/${file}`),
  ];
  const linked = await objects(mode, sources);
  const unfinished = `${program}.${Deno.pid}`;
  const { ok, text } = await run(compilerOf(mode), [
    ...MODES[mode].filter((flag) => flag.startsWith("-fsanitize")),
    ...linked,
    // The tests' reads can be made to fail.
    "-Wl,--wrap=lp_pcm_read,--wrap=lp_volume_id",
    ...(WRAPPED[name] ?? []).map((symbol) => `-Wl,--wrap=${symbol}`),
    "-o",
    unfinished,
    "-lpthread",
    "-lm",
    "-ldl",
  ]);
  if (!ok) throw new Error(`Cannot link ${name} for tests (${mode}):\n${text}`);
  Deno.renameSync(unfinished, program);
  return program;
}

/** Runs a program of the build folder, which tests may not run by themselves. */
export function runNative(
  program: string,
  args: readonly string[],
): Promise<{ ok: boolean; text: string }> {
  // Clang's own symbolizer is in a large package; GCC's binutils have one too.
  const symbolizer = findOnPath("addr2line");
  const env: Record<string, string> = symbolizer === undefined
    ? {}
    : { RTSAN_OPTIONS: `external_symbolizer_path=${symbolizer}` };
  return run("sh", ["-c", 'exec "$0" "$@"', program, ...args], env);
}
