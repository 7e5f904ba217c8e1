import { assert, assertEquals } from "@std/assert";
import { afterMs, withinMs } from "../engine/bounded.ts";

/** The process does nothing at all for so long, as in a standstill of the machine. */
function standStill(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

Deno.test("a wait ends after its time, and not before", async () => {
  const begun = performance.now();
  await new Promise<void>((resolve) => afterMs(100, resolve));
  assert(performance.now() - begun > 90);
  assertEquals(await withinMs(Promise.resolve(1), 0, 2), 1);
  assertEquals(await withinMs(new Promise(() => {}), 0, 2), 2);
  const stop = afterMs(20, () => {
    throw new Error("it was stopped");
  });
  stop();
  await new Promise<void>((resolve) => afterMs(60, resolve));
});

Deno.test("a standstill of the process uses up no more than a part of a wait: what came meanwhile is heard", async () => {
  const worker = new Worker(
    "data:application/javascript,onmessage = () => { postMessage(1); }",
    { type: "module" },
  );
  const heard = () =>
    new Promise<string>((resolve) => {
      worker.onmessage = () => resolve("heard");
      worker.postMessage(0);
    });
  await heard(); // it is up
  for (let i = 0; i < 5; i++) {
    const waiting = withinMs(heard(), 200, "late");
    standStill(400);
    assertEquals(await waiting, "heard");
  }
  worker.terminate();
});
