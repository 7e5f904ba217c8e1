/**
 * From the command to the ready line, from the second start on, against a bare start of the same runtime. Ending is not timed.
 *
 * @module
 */
import { layClips } from "./support/lay_clips.ts";
import { Home, ReadyProcess, startEngine } from "./support/ready_process.ts";
import { RpcSocket } from "./support/rpc_socket.ts";

const group = "start to the ready line";
const RUNS = { n: 5, warmup: 1 } as const;
const CLIPS = 100_000;

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

benchStart("deno run … server/main.ts", {});
benchStart("deno task start", { whole: true });
benchStart(`deno run … server/main.ts, ${CLIPS.toLocaleString("en")} clips`, {}, async (home) => {
  await using server = await startEngine(home, { args: ["--library", home.path] });
  await using client = await RpcSocket.connect(server.url);
  await layClips(client, home, CLIPS);
});

function benchStart(
  name: string,
  options: { whole?: boolean },
  prepare?: (home: Home) => Promise<void>,
): void {
  let home: Home | undefined; // The folder of all its starts; the first of them is the warm-up.
  Deno.bench({
    group,
    name,
    ...RUNS,
    async fn(b) {
      if (home === undefined) {
        home = await Home.make();
        await prepare?.(home);
      }
      b.start();
      await using _ = await startEngine(home, { ...options, args: ["--library", home.path] });
      b.end();
    },
  });
}
