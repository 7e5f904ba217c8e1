/**
 * Builds `native/supply_main.c` and runs it: what is had when there is too little, of time or of memory. What each of its tests proves is said there.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { buildNative, nativeModeWorks, runNative } from "./support/native_program.ts";

const linux = Deno.build.os === "linux";

const PROMISES = {
  plain: "too little time or memory: read-ahead, proxies, what degrades first",
  address: "the same touches nothing that is not its own (address sanitizer)",
  thread: "proxies while reads hang have no data race (thread sanitizer)",
};

for (const mode of ["plain", "address", "thread"] as const) {
  Deno.test({
    name: PROMISES[mode],
    ignore: !linux || (mode !== "plain" && !(await nativeModeWorks(mode))),
    fn: async () => {
      const { ok, text } = await runNative(await buildNative("supply", mode), [
        mode === "thread" ? "hang" : "all",
      ]);
      assertEquals(ok, true, text);
    },
  });
}
