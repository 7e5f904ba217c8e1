/** Builds `native/readiness_main.c` and runs it: plain, and under the sanitizers that the compiler has. */
import { assertEquals } from "@std/assert";
import { buildNative, nativeModeWorks, runNative } from "./support/native_program.ts";

const linux = Deno.build.os === "linux";

const PROMISES = {
  plain: "columns tell pages that cannot be read from those that were not, and from what is there",
  address: "asking for columns touches nothing that is not its own (address sanitizer)",
  thread: "columns can be asked for while pages come and go (thread sanitizer)",
};

for (const mode of ["plain", "address", "thread"] as const) {
  Deno.test({
    name: PROMISES[mode],
    ignore: !linux || (mode !== "plain" && !(await nativeModeWorks(mode))),
    fn: async () => {
      const { ok, text } = await runNative(await buildNative("readiness", mode), []);
      assertEquals(ok, true, text);
    },
  });
}
