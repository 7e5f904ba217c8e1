/**
 * Builds `native/rate_main.c` with the page store and runs it: plain, and under the sanitizers that the compiler has. What each of
 * its tests proves is said there.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { buildNative, nativeModeWorks, runNative } from "./support/native_program.ts";

const PROMISES = {
  plain:
    "pages at another rate are the file converted at once, whatever the order, threads, steps and cursors",
  address: "filling pages at another rate touches nothing that is not its own (address sanitizer)",
  thread: "filling pages at another rate has no data race (thread sanitizer)",
};

for (const mode of ["plain", "address", "thread"] as const) {
  Deno.test({
    name: PROMISES[mode],
    ignore: Deno.build.os !== "linux" || (mode !== "plain" && !(await nativeModeWorks(mode))),
    fn: async () => {
      const { ok, text } = await runNative(await buildNative("rate", mode), ["all"]);
      assertEquals(ok, true, text);
    },
  });
}
