/**
 * Builds `native/account_main.c` with the native half and runs it. What each of its tests proves is said there.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { buildNative, nativeModeWorks, runNative } from "./support/native_program.ts";

const linux = Deno.build.os === "linux";

const PROMISES = {
  plain: "histograms, overruns, late pages and what fetching took are told as they were",
  thread: "whoever reads these figures races with nobody (thread sanitizer)",
};

for (const mode of ["plain", "thread"] as const) {
  Deno.test({
    name: PROMISES[mode],
    ignore: !linux || (mode !== "plain" && !(await nativeModeWorks(mode))),
    fn: async () => {
      const { ok, text } = await runNative(await buildNative("account", mode), ["all"]);
      assertEquals(ok, true, text);
    },
  });
}
