/**
 * Builds `native/store_main.c` with the page store and runs it: plain, and under the sanitizers that the compiler has. What each of
 * its tests proves is said there.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { buildNative, nativeModeWorks, runNative } from "./support/native_program.ts";

const linux = Deno.build.os === "linux";

const PROMISES = {
  plain: "the page store keeps its promises: contents, ranks, budget, epochs, faults, stopping",
  address:
    "the page store leaks nothing and touches nothing that is not its own (address sanitizer)",
  thread: "the page store has no data race (thread sanitizer)",
};

for (const mode of ["plain", "address", "thread"] as const) {
  Deno.test({
    name: PROMISES[mode],
    ignore: !linux || (mode !== "plain" && !(await nativeModeWorks(mode))),
    fn: async () => {
      const { ok, text } = await runNative(await buildNative("store", mode), ["all"]);
      assertEquals(ok, true, text);
    },
  });
}
