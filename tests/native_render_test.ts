/**
 * Runs the tests in C of the rendering half under sanitizers: `native/render_main.c` (step by step), `native/render_stress_main.c` (everything at
 * once), `native/storm_main.c`, `native/steady_main.c`, `native/track_cursor_main.c` and `native/publish_fuzz_main.c` (packed edits from outside). Longer runs of the second and the last: build them by this test, then
 * `.build/native_test/render_stress-thread 1 600000`, `.build/native_test/publish_fuzz-address 1 1000000`.
 *
 * @module
 */
import { assertEquals, assertMatch } from "@std/assert";
import {
  buildNative,
  type NativeMode,
  nativeModeWorks,
  runNative,
} from "./support/native_program.ts";

const linux = Deno.build.os === "linux";
const works = {
  address: linux && await nativeModeWorks("address"),
  thread: linux && await nativeModeWorks("thread"),
};

const TESTS: [promise: string, mode: "address" | "thread", program: string, args: string[]][] = [
  [
    "the rendering half keeps its promises, and touches nothing that is not its own",
    "address",
    "render",
    ["all"],
  ],
  ["the rendering half has no data race, step by step", "thread", "render", ["all"]],
  ["a renderer survives everything at once, and closes at any moment", "address", "render_stress", [
    "1",
    "60000",
    "6",
  ]],
  ["everything at once has no data race", "thread", "render_stress", ["101", "60000", "6"]],
  [
    "200 publications a second, seeks, evictions and devices that come and go have no data race",
    "thread",
    "storm",
    ["1"],
  ],
  [
    "what sounds the quick way sounds as the long way, to the bit, by every kernel",
    "address",
    "steady",
    [
      "1",
      "40",
    ],
  ],
  [
    "what lies at a head is found by going on as by searching, and blocks that are kept come back by their ids",
    "address",
    "track_cursor",
    ["1", "400"],
  ],
  ["10,000 damaged edits are refused whole, or are valid", "address", "publish_fuzz", [
    "7",
    "40000",
  ]],
];

for (const [promise, mode, program, args] of TESTS) {
  Deno.test({
    name: `${promise} (${mode} sanitizer)`,
    ignore: !works[mode],
    fn: async () => {
      const { ok, text } = await runNative(await buildNative(program, mode as NativeMode), args);
      assertEquals(ok, true, text);
    },
  });
}

Deno.test({
  name: "a race in a storm is reported (thread sanitizer)",
  ignore: !works.thread,
  fn: async () => {
    const { ok, text } = await runNative(await buildNative("storm", "thread"), [
      "2",
      "20",
      "careless",
    ]);
    assertEquals(ok, false, text);
    assertMatch(text, /data race[^]*ask_main/);
  },
});
