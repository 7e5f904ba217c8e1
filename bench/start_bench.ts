/**
 * From the command to the ready line, from the second start on, against a bare start of the same runtime. Ending is not timed.
 *
 * @module
 */
import { Home, ReadyProcess, startEngine } from "./support/ready_process.ts";

const group = "start to the ready line";
const RUNS = { n: 5, warmup: 1 } as const;

Deno.bench({
  group,
  name: 'deno eval console.log("ready")',
  baseline: true,
  ...RUNS,
  async fn(b) {
    b.start();
    await using _ = await ReadyProcess.start(["eval", 'console.log("ready")']);
    b.end();
  },
});

for (const whole of [false, true]) {
  let home: Home | undefined; // The folder of all its starts; the first one is the warm-up.
  Deno.bench({
    group,
    name: whole ? "deno task start" : "deno run … server/main.ts",
    ...RUNS,
    async fn(b) {
      home ??= await Home.make();
      b.start();
      await using _ = await startEngine(home, { whole });
      b.end();
    },
  });
}
