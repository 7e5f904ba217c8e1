/**
 * Rate conversion against libsoxr at its very high quality, for 4,096-frame pages at random places and for streaming, by each kernel that
 * this machine has. Compiles and runs `tests/native/resample_bench_main.c`, which prints times and ratios; needs a C compiler and
 * Debian's `libsoxr-dev`.
 *
 * @module
 */
import { compileFlags } from "../ffi/build_plan.ts";

const ROOT = import.meta.dirname!.replace(/[/\\]bench$/, "");
const NATIVE = `${ROOT}/ffi/native`;

const folder = Deno.makeTempDirSync({ prefix: "resample" });
try {
  const program = `${folder}/bench`;
  const built = await new Deno.Command("cc", {
    args: [
      ...compileFlags(Deno.build.os, "ours", false),
      `-I${NATIVE}`,
      ...[...Deno.readDirSync(NATIVE)].map(({ name }) => name)
        .filter((name) => /^resample.*\.c$/.test(name)).map((name) => `${NATIVE}/${name}`),
      `${ROOT}/tests/native/resample_bench_main.c`,
      "-o",
      program,
      "-lsoxr",
      "-lm",
    ],
  }).output();
  if (built.success) {
    await new Deno.Command(program, { stdout: "inherit", stderr: "inherit" }).spawn().status;
  } else {
    console.error(
      "Cannot compare rate conversion: the program does not build. Install libsoxr-dev.\n" +
        new TextDecoder().decode(built.stderr),
    );
  }
} finally {
  Deno.removeSync(folder, { recursive: true });
}
