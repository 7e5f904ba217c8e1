/**
 * Runs a program in Deno with `native/interposer.c` preloaded, which writes down whatever a device's callback calls that may block; and builds a
 * library whose callback does such things on command.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { ensureLibrary } from "../../ffi/build.ts";
import { runCommand } from "../../ffi/build_command.ts";

const ROOT = import.meta.dirname!.replace(/[/\\]tests[/\\]support$/, "");
const BUILD = `${ROOT}/.build/interposed`;
const NATIVE = `${ROOT}/tests/native`;

/** A call from within a callback that may block. */
export interface Finding {
  /** Its kind: `allocate`, `lock`, … */
  door: string;
  /** The function's name. */
  call: string;
  /** Who called, innermost first: object, offset, and the function where it has a public name. */
  stack: string[];
}

/** What the interposer saw of a process. */
export interface InterposerReport {
  callbacks: number;
  /** Calls outside of callbacks by kind: what is above 0 does come by here. */
  passed: Record<string, number>;
  found: number;
  findings: Finding[];
}

/** What a preloaded interposer tells, from within its process. */
export function openInterposer(path: string) {
  const { symbols } = Deno.dlopen(path, {
    interposer_callbacks: { parameters: [], result: "u64" },
    interposer_found: { parameters: [], result: "u64" },
    interposer_report: { parameters: ["buffer", "u32" /* bytes */], result: "u32" },
  });
  return {
    callbacks: (): number => Number(symbols.interposer_callbacks()),
    found: (): number => Number(symbols.interposer_found()),
    report(): InterposerReport {
      const bytes = new Uint8Array(1 << 18);
      const used = symbols.interposer_report(bytes, bytes.length);
      return JSON.parse(new TextDecoder().decode(bytes.subarray(0, used)));
    },
  };
}

async function buildInterposer(): Promise<string> {
  await Deno.mkdir(BUILD, { recursive: true });
  const path = `${BUILD}/interposer.so`;
  const unfinished = `${path}.${Deno.pid}`;
  const { code, stderr } = await runCommand([
    ..."cc -std=gnu11 -D_GNU_SOURCE -O2 -Wall -Wextra -Werror -fPIC -shared".split(" "),
    ...["-fvisibility=hidden", "-o", unfinished, `${NATIVE}/interposer.c`, "-ldl", "-lpthread"],
  ]);
  assertEquals(code, 0, stderr);
  await Deno.rename(unfinished, path);
  return path;
}

/** Builds the library from a copy of its sources, whose render function sins where it hands its sound to the tap. */
export async function buildSinner(): Promise<string> {
  const folder = `${BUILD}/sinner`;
  await Deno.mkdir(folder, { recursive: true });
  for await (const { name } of Deno.readDir(folder)) await Deno.remove(`${folder}/${name}`);
  const source = `${ROOT}/ffi/native`;
  for await (const { name } of Deno.readDir(source)) {
    await Deno.copyFile(`${source}/${name}`, `${folder}/${name}`);
  }
  await Deno.copyFile(`${NATIVE}/sins.c`, `${folder}/sins.c`);
  const tap = await Deno.readTextFile(`${folder}/tap.c`);
  const start = /^void lp_tap_pass\(.*\{$/m;
  assertEquals(start.test(tap), true, "tap.c has no lp_tap_pass");
  await Deno.writeTextFile(
    `${folder}/tap.c`,
    "void lp_sin(void);\n" + tap.replace(start, (line) => `${line}\n  lp_sin();`),
  );
  return await ensureLibrary({
    nativeDir: folder,
    buildDir: `${ROOT}/.build`,
    // The run's own library is not the one that is wanted.
    system: { env: (name) => name === "LOOPHOLE_NATIVE" ? undefined : Deno.env.get(name) },
    write: () => {},
  });
}

/**
 * Runs `support/<child>` under the interposer, whose path is its first argument.
 *
 * @param library The native library that it loads.
 * @returns What it printed, as JSON.
 */
export async function runInterposed<T>(
  child: string,
  library: string,
  ...args: string[]
): Promise<T> {
  const interposer = await buildInterposer();
  // By way of a shell: Deno does not hand LD_PRELOAD to its children.
  const { code, stdout, stderr } = await runCommand(
    [
      "sh",
      "-c",
      'LD_PRELOAD="$0" exec "$@"',
      interposer,
      Deno.execPath(),
      "run",
      "--no-prompt",
      "--allow-read",
      `--allow-write=${ROOT}/.build`,
      "--allow-env",
      "--allow-sys",
      `--allow-ffi=${library},${interposer}`,
      `${ROOT}/tests/support/${child}`,
      interposer,
      ...args,
    ],
    { env: { LOOPHOLE_NATIVE: library } },
  );
  assertEquals(code, 0, `${child} ended with status ${code}:\n${stdout}\n${stderr}`);
  return JSON.parse(stdout.slice(stdout.lastIndexOf("\n{") + 1));
}
