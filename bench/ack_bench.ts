/**
 * `timeline.edit` over a WebSocket from request to reply, at 100, 10,000 and 100,000 clips on one track, while it plays, against an echo of
 * JSON-RPC by Deno's own server; and how many frames are still rendered from the old snapshot after an edit is published, against the
 * device's period.
 *
 * The engine and the echo are processes of their own, asked in turns, so that what else the machine does meets both.
 *
 * @module
 */
import { printFigures, quantile } from "./support/figures.ts";
import { layClips } from "./support/lay_clips.ts";
import { Home, startBare, startEngine } from "./support/ready_process.ts";
import { RpcSocket } from "./support/rpc_socket.ts";

const PERIOD = 256;
const ROUNDS = 300;
const WARM_UP = 20;
/** Pause between two rounds: a quick hand, not a storm. In milliseconds. */
const PAUSE_MS = 3;
const PUBLICATIONS = 60;
/** Longer than a fade and a period, so that an edit is in before the next comes. In milliseconds. */
const SETTLED_MS = 40;

for (const clips of [100, 10_000, 100_000]) await measure(clips);

async function measure(clips: number): Promise<void> {
  await using home = await Home.make();
  await using bare = await startBare();
  await using server = await startEngine(home, {
    args: ["--library", home.path, "--period", `${PERIOD}`],
  });
  await using echo = await RpcSocket.connect(bare.url);
  await using client = await RpcSocket.connect(server.url);
  await client.call("engine.hello", { protocol: 1 });
  await client.call("engine.subscribe", { topics: ["timeline", "transport"] });
  const { lengthFrames } = await layClips(client, home, clips);
  const middle = Math.floor(clips / 2);
  await client.call("transport.play", { fromFrame: middle * lengthFrames });

  const times = new Map<string, number[]>();
  const timed = async (name: string, call: () => Promise<unknown>) => {
    const began = performance.now();
    await call();
    const all = times.get(name) ?? [];
    times.set(name, all);
    all.push(performance.now() - began);
  };
  /** Another clip each time, near the middle, where the head is. */
  const clipId = (round: number) => `c${middle + (round * 7) % 40 - 20}`;

  for (let round = 0; round < WARM_UP + ROUNDS; round++) {
    if (round === WARM_UP) times.clear();
    const edit = (op: Record<string, unknown>) => () =>
      client.call("timeline.edit", { edits: [{ ...op, clipId: clipId(round) }] });
    await timed("echo by Deno.serve", () => echo.call("echo", { clipId: clipId(round) }));
    await timed("engine.clock", () => client.call("engine.clock"));
    await timed("clip.set", edit({ op: "clip.set", set: { gainDb: -1 - round % 7 } }));
    await timed("segment.delete", edit({ op: "segment.delete" }));
    await timed("timeline.undo", () => client.call("timeline.undo"));
    await pause(PAUSE_MS);
  }
  const count = clips.toLocaleString("en");
  printFigures(
    `Edit acknowledged over a WebSocket, ${count} clips on one track`,
    [...times].map(([name, values]) => ({ name, values })),
  );

  const before = await counters(client);
  const frames: number[] = [];
  for (let i = 0; i < PUBLICATIONS; i += 2) {
    const edits = [{ op: "segment.delete", clipId: clipId(i) }];
    for (const [method, params] of [["timeline.edit", { edits }], ["timeline.undo", {}]] as const) {
      await client.call(method, params);
      await pause(SETTLED_MS);
      frames.push((await counters(client)).oldFramesAfterPublish);
    }
  }
  const after = await counters(client);
  const grown = (name: string) => `${name} ${after[name] - before[name]}`;
  const [median, p99] = [0.5, 0.99].map((part) => quantile(frames, part));
  console.log(
    `Frames of the old snapshot after a publish: median ${median}, p99 ${p99}, longest ${
      quantile(frames, 1)
    }, ` +
      `of ${frames.length}; a period has ${PERIOD}, so p99 is ${
        (p99 / PERIOD).toFixed(1)
      } periods\n` +
      `Meanwhile: ${["missing", "faded", "admittedByDeadline"].map(grown).join(", ")}`,
  );
}

async function counters(client: RpcSocket): Promise<Record<string, number>> {
  return (await client.call("diagnostics.get")).counters;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
