/**
 * Rate conversion against libsoxr at its very high quality, for 4,096-frame pages at random places and for streaming, by each kernel that
 * this machine has. Compiles and runs `tests/native/resample_bench_main.c`, which prints times and ratios; needs a C compiler and
 * Debian's `libsoxr-dev`.
 *
 * @module
 */
import { buildProgram } from "./support/build_program.ts";

const folder = Deno.makeTempDirSync({ prefix: "resample" });
try {
  const built = await buildProgram(folder, "resample_bench", {
    parts: /^resample.*\.c$/,
    libraries: ["-lsoxr", "-lm"],
  });
  if ("program" in built) {
    await new Deno.Command(built.program, { stdout: "inherit", stderr: "inherit" }).spawn().status;
  } else {
    console.error(
      "Cannot compare rate conversion: the program does not build. Install libsoxr-dev.\n" +
        built.error,
    );
  }
} finally {
  Deno.removeSync(folder, { recursive: true });
}
