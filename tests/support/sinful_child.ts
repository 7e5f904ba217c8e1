/**
 * Child of `callback_watch_test.ts`, with a library whose callback does what `native/sins.c` lists, each once, on the null device.
 *
 * @module
 */
import { Signal } from "../../engine/signal/signal.ts";
import { openInterposer } from "./interposer.ts";

const interposer = openInterposer(Deno.args[0]);
const { symbols } = Deno.dlopen(Deno.env.get("LOOPHOLE_NATIVE")!, {
  lp_sin_names: { parameters: ["buffer", "u32" /* bytes */], result: "u32" },
  lp_sin_next: { parameters: ["u32" /* index */], result: "void" },
  lp_sins_done: { parameters: [], result: "u32" },
});
const bytes = new Uint8Array(4096);
const used = symbols.lp_sin_names(bytes, bytes.length);
const names = new TextDecoder().decode(bytes.subarray(0, used)).split(",");

await using signal = await Signal.open({ sampleRate: 48_000, memoryBytes: 1e6 });
await signal.openDevice({ backend: "null", period: 256 });
while (interposer.callbacks() < 3) await new Promise((resolve) => setTimeout(resolve, 1));
const foundBefore = interposer.found();
/** How often the callback was found out for each. */
const times: number[] = [];
for (let i = 0; i < names.length; i++) {
  const before = interposer.found();
  symbols.lp_sin_next(i);
  while (symbols.lp_sins_done() <= i) await new Promise((resolve) => setTimeout(resolve, 1));
  times.push(interposer.found() - before);
}
await signal.closeDevice();
console.log("\n" + JSON.stringify({ names, times, foundBefore, ...interposer.report() }));
