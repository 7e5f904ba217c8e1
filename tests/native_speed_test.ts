/**
 * Runs the tests in C of clips at other rates (`native/speed_main.c`): plain, where they measure what is heard, and under a sanitizer. What each proves is said
 * there; `.build/native_test/speed-plain report` prints the meter's figures.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import {
  buildNative,
  type NativeMode,
  nativeModeWorks,
  runNative,
} from "./support/native_program.ts";

const linux = Deno.build.os === "linux";
const works = {
  plain: linux && await nativeModeWorks("plain"),
  address: linux && await nativeModeWorks("address"),
};

const TESTS: [promise: string, mode: "plain" | "address", args: string[]][] = [
  ["what is heard at another rate has pass band, noise and stop band as stated", "plain", [
    "definition",
    "kernels",
    "level",
    "quality",
  ]],
  ["what a clip takes of its source is exact, and nothing else is touched", "address", [
    "kernels",
    "path",
    "there",
  ]],
];

for (const [promise, mode, args] of TESTS) {
  Deno.test({
    name: `${promise} (${mode})`,
    ignore: !works[mode],
    fn: async () => {
      const { ok, text } = await runNative(await buildNative("speed", mode as NativeMode), args);
      assertEquals(ok, true, text);
    },
  });
}
