/**
 * Child of `signal_standstill_test.ts`: opens the null device, says so, and when its standard input ends prints how many frames were
 * rendered and how many milliseconds have passed since before the device was opened.
 *
 * @module
 */
import { Signal } from "../../engine/signal/signal.ts";

await using signal = await Signal.open({ sampleRate: 48_000, memoryBytes: 1e6 });
const begun = performance.now();
await signal.openDevice({ backend: "null", period: 256 });
while (signal.position().framesRendered < 4_800) await new Promise((r) => setTimeout(r, 5));
console.log("running");
for await (const _ of Deno.stdin.readable);
const before = signal.position().framesRendered;
while (signal.position().framesRendered < before + 9_600) {
  await new Promise((r) => setTimeout(r, 5));
}
const frames = signal.position().framesRendered;
console.log(JSON.stringify({ frames, elapsedMs: performance.now() - begun }));
