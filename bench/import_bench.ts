/**
 * An hour of stereo, 48 kHz, 16 bits, which lies in the page cache: from registering it to the first peaks and to the last, with a cold
 * cache of peaks each time, against `ffmpeg -f null -` and `audiowaveform -z 256 -b 16` where they are installed.
 *
 * First peaks: a query for the whole file in 1,920 columns answers with something at its start.
 *
 * @module
 */
import { Engine } from "../engine/engine.ts";
import { findOnPath } from "../tests/needs.ts";
import { HOUR_FOLDER, hourWav } from "./support/hour_wav.ts";
import { Home, startEngine } from "./support/ready_process.ts";
import { RpcSocket } from "./support/rpc_socket.ts";

const group = "import of 60 minutes, s16 stereo";
const RUNS = { n: 3, warmup: 1 } as const;
/** Time between two looks over HTTP, in milliseconds: for the end as often as the engine tells of progress. */
const LOOK_EVERY_MS = { "first peaks": 5, "complete": 50 } as const;

const path = await hourWav();

const others = ([
  ["ffmpeg", ["-v", "error", "-i", path, "-f", "null", "-"]],
  ["audiowaveform", ["-q", "-i", path, "-o", `${HOUR_FOLDER}/hour.dat`, "-z", "256", "-b", "16"]],
] as const).flatMap(([name, args]) => {
  const program = findOnPath(name);
  if (program === undefined) console.log(`Skipped: ${name} is not installed`);
  return program === undefined ? [] : [{ name, program, args: [...args] }];
});

others.forEach(({ name, program, args }, i) =>
  Deno.bench({
    group,
    name,
    baseline: i === 0,
    ...RUNS,
    async fn() {
      const { success, stderr } = await new Deno.Command(program, { args }).output();
      if (!success) throw new Error(`${name} failed: ${new TextDecoder().decode(stderr)}`);
    },
  })
);

Deno.bench({
  group,
  name: "register to first peaks",
  ...RUNS,
  async fn(b) {
    await importInto(b, async (engine, assetId, more) => {
      while (true) {
        const { min } = await engine.assets.peaks(assetId, { width: 1_920 });
        if (!Number.isNaN(min[0][0])) return;
        await more();
      }
    });
  },
});

Deno.bench({
  group,
  name: "register to complete",
  ...RUNS,
  async fn(b) {
    await importInto(b, async (engine, assetId, more) => {
      while (!engine.assets.get(assetId).complete) await more();
    });
  },
});

/** Registers the hour in a new engine; what is timed ends when `seen` does. */
async function importInto(
  b: Deno.BenchContext,
  seen: (engine: Engine, assetId: string, more: () => Promise<void>) => Promise<void>,
): Promise<void> {
  await using home = await Home.make();
  await using engine = await Engine.open({
    dataDir: `${home.path}/data`,
    cacheDir: `${home.path}/cache`,
    exportDir: `${home.path}/exports`,
    libraryRoots: [HOUR_FOLDER],
    backend: "null",
  });
  b.start();
  const { assetId } = await engine.assets.register(path, undefined, { clientId: "bench" });
  let wake = () => {};
  let news = false;
  engine.assets.onAnalysed(assetId, () => {
    news = true;
    wake();
  });
  await seen(engine, assetId, async () => {
    if (!news) await new Promise<void>((resolve) => wake = resolve);
    news = false;
  });
  b.end();
}

for (const until of ["first peaks", "complete"] as const) {
  Deno.bench({
    group,
    name: `register to ${until}, asked over HTTP`,
    ...RUNS,
    async fn(b) {
      await using home = await Home.make();
      await using server = await startEngine(home, { args: ["--library", HOUR_FOLDER] });
      await using client = await RpcSocket.connect(server.url);
      b.start();
      const { asset } = await client.call("asset.register", { path });
      while (true) {
        const answer = await fetch(`${server.url}/aura/assets/${asset.assetId}/peaks?width=1920`);
        const { min, complete } = await answer.json();
        if (until === "complete" ? complete : min[0][0] !== null) break;
        await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS[until]));
      }
      b.end();
    },
  });
}
