/**
 * 1,920 columns of an hour of stereo at several zooms: asked of the engine in process and over HTTP, against `ffmpeg` drawing the same range
 * with `showwavespic`, where it is installed, and against Deno's own server sending as many bytes.
 *
 * @module
 */
import { Engine } from "../engine/engine.ts";
import { seededRandom } from "../tests/support/audio_files.ts";
import { findOnPath } from "../tests/needs.ts";
import { printFigures } from "./support/figures.ts";
import { HOUR_FOLDER, HOUR_FRAMES, hourWav } from "./support/hour_wav.ts";
import { Home, type ReadyProcess, startBare, startEngine } from "./support/ready_process.ts";
import { RpcSocket } from "./support/rpc_socket.ts";

const WIDTH = 1_920;
const RATE = 48_000;
/** Samples in a column; the last is the whole file. */
const ZOOMS = [0.5, 16, 300, 1_000, 4_096, 20_000, HOUR_FRAMES / WIDTH];
const ROUNDS = 100;
const WARM_UP = 10;
/** So often ffmpeg draws; a long range once. */
const DRAWINGS = 2;
const LONG_FRAMES = 600 * RATE;

const path = await hourWav();
const ffmpeg = findOnPath("ffmpeg");
if (ffmpeg === undefined) console.log("Skipped: ffmpeg is not installed");
await measure();

async function measure(): Promise<void> {
  await using home = await Home.make();
  await using engineHome = await Home.make();
  await using engine = await Engine.open({
    dataDir: `${engineHome.path}/data`,
    cacheDir: `${engineHome.path}/cache`,
    exportDir: `${engineHome.path}/exports`,
    libraryRoots: [HOUR_FOLDER],
    backend: "null",
  });
  await using bare = await startBare();
  await using server = await startEngine(home, { args: ["--library", HOUR_FOLDER] });
  const { assetId } = await engine.assets.register(path, undefined, { clientId: "bench" });
  const url = `${server.url}/aura/assets/${await registered(server)}/peaks`;
  while (!engine.assets.get(assetId).complete) await pause(20);

  for (const samples of ZOOMS) {
    const span = samples * WIDTH;
    const random = seededRandom(samples);
    const range = () => {
      const start = Math.floor(random() * (HOUR_FRAMES - span));
      return { start, end: start + span };
    };
    const of = (format: string, { start, end }: { start: number; end: number }) =>
      `${url}?start=${start}&end=${end}&width=${WIDTH}&format=${format}`;
    const jsonBytes = await get(of("json", range()));
    const times = new Map<string, number[]>();
    const timed = async (name: string, run: () => Promise<unknown>) => {
      const began = performance.now();
      await run();
      const all = times.get(name) ?? [];
      times.set(name, all);
      all.push(performance.now() - began);
    };
    if (ffmpeg !== undefined) {
      for (let i = 0; i < (span > LONG_FRAMES ? 1 : DRAWINGS); i++) {
        await timed("ffmpeg showwavespic", () => draw(ffmpeg, range()));
      }
    }
    for (let round = 0; round < WARM_UP + ROUNDS; round++) {
      if (round === WARM_UP) {
        for (const name of times.keys()) if (!name.startsWith("ffmpeg")) times.delete(name);
      }
      await timed(`bare HTTP, ${jsonBytes} bytes`, () => get(`${bare.url}/${jsonBytes}`));
      await timed("in process", () => engine.assets.peaks(assetId, { ...range(), width: WIDTH }));
      await timed("over HTTP, bin", () => get(of("bin", range())));
      await timed("over HTTP, json", () => get(of("json", range())));
    }
    printFigures(
      `${WIDTH} columns of ${Number(samples.toFixed(1)).toLocaleString("en")} samples`,
      [...times].map(([name, values]) => ({ name, values })),
    );
  }
}

/** Registers the hour over the wire, waits until it is analysed and gives its id. */
async function registered(server: ReadyProcess): Promise<string> {
  await using client = await RpcSocket.connect(server.url);
  const { asset: { assetId } } = await client.call("asset.register", { path });
  while (!(await client.call("asset.get", { assetId })).asset.complete) await pause(20);
  return assetId;
}

/** Fetches all of an answer and says how many bytes it had. */
async function get(url: string): Promise<number> {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
  return (await answer.bytes()).length;
}

async function draw(ffmpeg: string, { start, end }: { start: number; end: number }): Promise<void> {
  const { success, stderr } = await new Deno.Command(ffmpeg, {
    args: [
      ...["-v", "error", "-ss", `${start / RATE}`, "-t", `${(end - start) / RATE}`, "-i", path],
      ...["-filter_complex", `[0:a]showwavespic=s=${WIDTH}x200:split_channels=1[picture]`],
      ...["-map", "[picture]", "-frames:v", "1", "-f", "null", "-"],
    ],
  }).output();
  if (!success) throw new Error(`ffmpeg failed: ${new TextDecoder().decode(stderr)}`);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
