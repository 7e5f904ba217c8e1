/**
 * Faults, each with what must hold of it. Builds `native/fault_main.c`, whose scenes play beside a control render, and runs it: plain, and what has threads in it under sanitizers.
 *
 * Of each fault: what it does not touch misses nothing and has the control's bits; what it does touch returns by a fade and has the control's bits again; no page, file,
 * thread or descriptor is left; and what was missing is the same by cause, by track, by the gaps that were told and by the samples that were silent.
 *
 * | fault | step by step, or beside a control | once for real, the whole engine |
 * |---|---|---|
 * | delay | `fault_main delay` | `fault_live_test` (FUSE) |
 * | hang for ever | `hang`, `hang-wide` (one file against its own volume), `store_main hang`, `bulkhead` | `fault_live_test`; a project over files that cannot even be opened, too |
 * | EIO | `eio`, `bad-spot` (one page), `store_main read-faults`, `bad-page` | `fault_live_test` |
 * | short reads | `short-reads` | `fault_live_test` |
 * | truncation, rename, overwriting in place | `changed-file`, `store_main changed` | `fault_live_test`, `engine_assets_test` |
 * | moved, linked, another mode: the same sound | | `fault_files_test` |
 * | a volume unmounted and back | `unmounted` | `fault_live_test`: as it was, under another number, with other numbers of its files |
 * | a thread held in every slot | `every-slot`, `store_main bulkhead` (prints how long a page takes) | |
 * | 1,000 seeks in 10 s | `seeks`, `abandoned` | `native_render_test` (storm) |
 * | 200 publications a second | `publications`, `signal_gate_test` | `native_render_test` (storm) |
 * | 1 to 3 pages in the whole store | `pages`, `store_main tiny-budget` | `signal_budget_test` |
 * | 8 MB with 64 tracks | `small-memory` | |
 * | `ulimit -n 256`, 2,000 files | `files`, `store_main descriptors` | `signal_budget_test` |
 * | cold page cache | `cold` | |
 * | device lost and back | `engine_devices_test` (a made device) | `device_pulse_test`, `device_jack_test` |
 * | event loop blocked for 30 s | | `signal_stall_test` |
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

const TESTS: [promise: string, mode: NativeMode, tests: string[]][] = [
  [
    "storms, little room, few descriptors and a cold cache change no bit of what is heard",
    "plain",
    ["bad-spot", "cold", "seeks", "publications", "pages", "small-memory", "files"],
  ],
  [
    "files and reads that fail cost their own frames alone, are heard again, and leave nothing behind (address sanitizer)",
    "address",
    [
      "delay",
      "hang",
      "eio",
      "short-reads",
      "changed-file",
      "unmounted",
      "abandoned",
    ],
  ],
  [
    "reads that hang hold up neither other files of their volume nor other volumes (thread sanitizer)",
    "thread",
    ["hang-wide", "every-slot"],
  ],
];

for (const [promise, mode, tests] of TESTS) {
  Deno.test({
    name: promise,
    ignore: !linux || (mode !== "plain" && !(await nativeModeWorks(mode))),
    fn: async () => {
      const { ok, text } = await runNative(await buildNative("fault", mode), tests);
      assertEquals(ok, true, text);
    },
  });
}
