/**
 * The rendering half under clang's sanitizer of realtime code (RTSan), which ends a program that allocates, locks, waits or calls the system from
 * what is marked LP_NONBLOCKING; and that it does end one that sins (`native/realtime_main.c`).
 *
 * @module
 */
import { assertEquals, assertMatch } from "@std/assert";
import { needs } from "./needs.ts";
import { buildNative, nativeModeWorks, runNative } from "./support/native_program.ts";

// Asked for only where there is the compiler; its runtime may still be missing.
const { ignore } = needs("clang-22");
const works = { ignore: ignore || !await nativeModeWorks("realtime") };

const PROGRAMS: [promise: string, program: string, args: string[]][] = [
  ["rendering step by step does nothing that may block", "render", ["all"]],
  ["rendering with everything at once does nothing that may block", "render_stress", [
    "201",
    "60000",
    "6",
  ]],
  ["what stands between a device and the mix does nothing that may block", "device", ["all"]],
  ["a storm does nothing that may block", "storm", ["201"]],
];

for (const [promise, program, args] of PROGRAMS) {
  Deno.test({
    name: `${promise} (realtime sanitizer)`,
    ...works,
    fn: async () => {
      const { ok, text } = await runNative(await buildNative(program, "realtime"), args);
      assertEquals(ok, true, text);
    },
  });
}

for (
  const sin of ["malloc", "free", "pthread_mutex_lock", "read", "open", "nanosleep", "mmap"]
) {
  Deno.test({
    name:
      `a render function that calls ${sin} is reported, by a device and by hand (realtime sanitizer)`,
    ...works,
    fn: async () => {
      const program = await buildNative("realtime", "realtime");
      for (const driver of ["device", "caller"]) {
        const innocent = await runNative(program, ["none", driver]);
        assertEquals([innocent.ok, innocent.text], [true, "did none\n"]);
        const { ok, text } = await runNative(program, [sin, driver]);
        assertEquals(ok, false, text);
        assertMatch(text, new RegExp(`real-time unsafe function \`${sin}\` in real-time context`));
        assertMatch(text, driver === "device" ? /on_data/ : /lp_render\b/);
      }
    },
  });
}
