/**
 * Builds `native/resample_main.c` with the resampler and runs it: plain, and under the sanitizers that the compiler has. What each of its
 * tests proves is said there; `resample_main report` prints the meter's figures.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { nativeModeWorks, runNative } from "./support/native_program.ts";

const ROOT = import.meta.dirname!.replace(/[/\\]tests$/, "");
const NATIVE = `${ROOT}/ffi/native`;
const TESTS = `${ROOT}/tests/native`;
const FOLDER = `${ROOT}/.build/native_test`;

/** How the program is built: by name, with the compiler's arguments. */
const MODES = {
  plain: ["-O2"],
  address: ["-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=undefined"],
  thread: ["-O1", "-fsanitize=thread"],
} as const;

type Mode = keyof typeof MODES;

/** Everything that the program is made of. */
function sources(): string[] {
  const kernels = [...Deno.readDirSync(NATIVE)].map(({ name }) => name)
    .filter((name) => /^resample.*\.c$/.test(name)).sort();
  return [
    ...kernels.map((name) => `${NATIVE}/${name}`),
    `${TESTS}/resample_meter.c`,
    `${TESTS}/resample_main.c`,
  ];
}

/** Builds and runs it. */
async function runTests(mode: Mode, tests: readonly string[]): Promise<void> {
  Deno.mkdirSync(FOLDER, { recursive: true });
  const program = `${FOLDER}/resample-${mode}-${Deno.pid}`;
  const { success, stderr } = await new Deno.Command("cc", {
    args: [
      "-std=gnu11",
      "-D_GNU_SOURCE",
      "-g1",
      "-pthread",
      "-ffp-contract=off",
      ...MODES[mode],
      "-Wall",
      "-Wextra",
      `-I${NATIVE}`,
      `-I${TESTS}`,
      ...sources(),
      "-o",
      program,
      "-lm",
    ],
  }).output();
  try {
    if (!success) {
      const words = new TextDecoder().decode(stderr);
      throw new Error(`Cannot build the tests of the resampler:\n${words}`);
    }
    const { ok, text } = await runNative(program, tests);
    assertEquals(ok, true, text);
  } finally {
    await Deno.remove(program).catch(() => {});
  }
}

const PROMISES: Record<Mode, { name: string; tests: string[] }> = {
  plain: {
    name: "rate conversion: fidelity by its meter, the definition at any ratio, the same bits by " +
      "any page, order and vector width",
    tests: ["all"],
  },
  address: {
    name: "rate conversion touches nothing that is not its own (address sanitizer)",
    tests: ["all"],
  },
  thread: {
    name: "rate conversion has no data race (thread sanitizer)",
    tests: ["open", "threads"],
  },
};

for (const mode of ["plain", "address", "thread"] as const) {
  const { name, tests } = PROMISES[mode];
  Deno.test({
    name,
    ignore: Deno.build.os !== "linux" ||
      (mode !== "plain" && !(await nativeModeWorks(mode))),
    fn: () => runTests(mode, tests),
  });
}
