/**
 * Clips at other rates, as the callback renders them, against libsoxr at its high quality and against clips at the project's rate, in one run. Compiles and runs
 * `tests/native/speed_bench_main.c`, which says how it is measured; needs a C compiler and Debian's `libsoxr-dev`.
 *
 * @module
 */
import { buildProgram } from "./support/build_program.ts";

const folder = Deno.makeTempDirSync({ prefix: "speed" });
try {
  const built = await buildProgram(folder, "speed_bench", {
    parts: /^(speed_\w+|resample_filter|mix_kernel_\w+)\.c$/,
    libraries: ["-lsoxr", "-lm"],
  });
  if ("program" in built) {
    await new Deno.Command(built.program, { stdout: "inherit", stderr: "inherit" }).spawn().status;
  } else {
    console.error(
      "Cannot compare clips at other rates: the program does not build. Install libsoxr-dev.\n" +
        built.error,
    );
  }
} finally {
  Deno.removeSync(folder, { recursive: true });
}
