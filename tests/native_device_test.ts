/**
 * Runs the tests in C of what stands between a renderer and a device: `native/device_main.c`.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { buildNative, nativeModeWorks, runNative } from "./support/native_program.ts";

const works = Deno.build.os === "linux" && await nativeModeWorks("address");

Deno.test({
  name:
    "the mix at a device's rate is the mix converted as a whole, and frames are due on a steady line (address sanitizer)",
  ignore: !works,
  fn: async () => {
    const { ok, text } = await runNative(await buildNative("device", "address"), ["all"]);
    assertEquals(ok, true, text);
  },
});
