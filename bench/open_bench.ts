/**
 * From `project.open` to the first sound where the head stands, and how long the main thread stood still meanwhile: 1,000 assets and 10,000
 * clips, and 10,000 assets, each a file of its own, with the files in the system's cache and not; against the eager way, which opens every file
 * before it plays, and against ffprobe, asked about each file in turn (from a sample).
 *
 * Run it by itself: `deno bench` takes no such figures, so they are printed as tables.
 *
 * @module
 */
import { Engine } from "../engine/engine.ts";
import { publishGradually } from "../engine/pulse/services/publish_gradually.ts";
import { ProjectStore } from "../engine/pulse/store/project_store.ts";
import type { Asset, Project } from "../engine/pulse/types.ts";
import { Signal } from "../engine/signal/signal.ts";
import { makeWav, randomPlanes } from "../tests/support/audio_files.ts";
import { inARow, madeAsset, makeProjects, SOUND_FRAMES } from "../tests/support/big_project.ts";
import { printFigures } from "./support/figures.ts";
import { Home } from "./support/ready_process.ts";

const RATE = 48_000;
const TRACKS = 10;
const RUNS = 5;
const SAMPLE = 40;
const PERIOD = 256;

interface Opened {
  soundMs: number;
  stallMs: number;
  /** Of the longest turn that this thread was given; what other programs took of its time is not in it. */
  turnMs: number;
  /** Until every file was looked at. */
  allMs: number;
}

/** The longest time that this thread did not come back to its event loop. */
class Stalls implements Disposable {
  #last = performance.now();
  #longest = 0;
  #lastTurn = ranMs();
  #longestTurn = 0;
  readonly #timer = setInterval(() => this.#look(), 1);

  #look(): void {
    const now = performance.now();
    this.#longest = Math.max(this.#longest, now - this.#last);
    this.#last = now;
    const ran = ranMs();
    this.#longestTurn = Math.max(this.#longestTurn, ran - this.#lastTurn);
    this.#lastTurn = ran;
  }

  get found(): { stallMs: number; turnMs: number } {
    this.#look();
    return { stallMs: this.#longest, turnMs: this.#longestTurn };
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

/** How long this thread, the process's first, has run on a processor, in milliseconds; NaN where the system does not tell. */
function ranMs(): number {
  try {
    return Number(Deno.readTextFileSync("/proc/self/schedstat").split(" ")[0]) / 1e6;
  } catch {
    return NaN;
  }
}

/** Waits until something sounds of a renderer. */
async function firstSound(signal: Signal): Promise<number> {
  const { symbols, renderer } = signal.native;
  const captured = new Float32Array(RATE * 2 * 5);
  symbols.lp_tap_start(renderer, captured, captured.length / 2);
  // What is rendered from now on is written, but perhaps not what was under way.
  const before = signal.position().framesRendered + PERIOD;
  const end = performance.now() + 5_000;
  for (let at = 0, isSilent = true; isSilent && performance.now() < end;) {
    const frames = Math.max(0, signal.position().framesRendered - before);
    const written = Math.min(captured.length, frames * 2);
    while (at < written && captured[at] === 0) at++;
    isSilent = at === written;
    if (isSilent) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const now = performance.now();
  await symbols.lp_tap_stop(renderer, new Float64Array(1));
  return now;
}

async function openOurs(engine: Engine, small: Project, big: Project): Promise<Opened> {
  await engine.projects.open({ projectId: small.projectId });
  await new Promise((resolve) => setTimeout(resolve, 300));
  using stalls = new Stalls();
  const begun = performance.now();
  await engine.projects.open({ projectId: big.projectId });
  engine.transport.play({});
  const sound = await firstSound(engine.signal as Signal);
  engine.transport.stop();
  while (engine.assets.list({ status: "pending", limit: 1 }).total > 0) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const all = performance.now();
  return { soundMs: sound - begun, allMs: all - begun, ...stalls.found };
}

/** The way that it replaces: the whole project is read and every source opened, then it is published and played. */
async function openEagerly(dataDir: string, path: string): Promise<Opened> {
  using stalls = new Stalls();
  const begun = performance.now();
  await using store = ProjectStore.open({ dataDir });
  const { file } = await store.open({ path, trusted: true });
  const { positionFrame } = file.state.get("transport") as { positionFrame: number };
  await using signal = await Signal.open({ sampleRate: RATE, memoryBytes: 64e6 });
  const rows = file.assets.all();
  const queue = rows.map(({ asset }) => asset);
  const work = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      await signal.openSource(next.assetId, next.path);
    }
  };
  await Promise.all(Array.from({ length: 4 }, work));
  await publishGradually(signal, file.timeline.model, file.timeline.revision);
  signal.publish(file.timeline.model, file.timeline.revision, []);
  signal.seek(positionFrame);
  await signal.openDevice({ backend: "null" });
  signal.play();
  const sound = await firstSound(signal);
  return {
    soundMs: sound - begun,
    allMs: sound - begun,
    ...stalls.found,
  };
}

/** Milliseconds that ffprobe takes for a file, asked one by one. */
async function probe(assets: readonly Asset[]): Promise<number | null> {
  const begun = performance.now();
  for (const { path } of assets) {
    try {
      const args = ["-v", "error", "-show_streams", path];
      const { success } = await new Deno.Command("ffprobe", { args, stdout: "null" }).output();
      if (!success) return null;
    } catch {
      return null;
    }
  }
  return (performance.now() - begun) / assets.length;
}

/** Has the system forget the files' contents; what it knows of folders stays. */
async function forget(folder: string): Promise<boolean> {
  const { success } = await new Deno.Command("sh", {
    args: [
      "-c",
      'sync && find "$0" -name "*.wav" -exec dd if={} iflag=nocache count=0 status=none \\;',
      folder,
    ],
  }).output();
  return success;
}

async function measure(assets: number, clips: number): Promise<void> {
  await using home = await Home.make();
  const folder = `${home.path}/library`;
  await Deno.mkdir(folder);
  const wav = makeWav({ planes: randomPlanes(1, 1, SOUND_FRAMES, "s16"), encoding: "s16" });
  const view = new DataView(wav.buffer);
  const made: Asset[] = [];
  for (let i = 0; i < assets; i++) {
    const path = `${folder}/${i}.wav`;
    view.setUint32(wav.length - 4, i); // No two files have the same bytes.
    await Deno.writeFile(path, wav);
    made.push(madeAsset(`a${i}`, path));
  }
  const tracks = Array.from({ length: TRACKS }, (_, t) => {
    const own = Array.from(
      { length: clips / TRACKS },
      (_, i) => made[(i * TRACKS + t) * 7_919 % assets],
    );
    return inARow(own, `t${t}`).tracks[0];
  });
  const dataDir = `${home.path}/data`;
  const positionFrame = Math.floor(clips / TRACKS / 2) * SOUND_FRAMES;
  const [small, big] = await makeProjects(dataDir, [
    { name: "small", assets: [], timeline: { sampleRate: RATE, tracks: [] } },
    { name: "big", assets: made, timeline: { sampleRate: RATE, tracks }, positionFrame },
  ]);
  const probeMs = await probe(made.slice(0, SAMPLE));
  for (const cold of [false, true]) {
    const runs = { ours: [] as Opened[], eager: [] as Opened[] };
    for (let run = 0; run < (cold ? 2 : RUNS); run++) {
      if (cold && !await forget(folder)) return console.log("dd cannot drop the cache here");
      {
        await using engine = await Engine.open({
          dataDir,
          cacheDir: `${home.path}/cache`,
          exportDir: `${home.path}/exports`,
          libraryRoots: [folder],
          memoryBytes: 64e6,
          backend: "null",
        });
        runs.ours.push(await openOurs(engine, small, big));
      }
      if (cold) await forget(folder);
      runs.eager.push(await openEagerly(dataDir, big.path));
    }
    const what = `${assets.toLocaleString("en")} assets, ${clips.toLocaleString("en")} clips, ${
      cold ? "files not in the cache" : "files in the cache"
    }`;
    const of = (key: keyof Opened, whose: keyof typeof runs) => runs[whose].map((run) => run[key]);
    printFigures(`project.open to the first sound: ${what}`, [
      { name: "every source opened first", values: of("soundMs", "eager") },
      ...(probeMs === null ? [] : [{
        name: `ffprobe of each file (of ${SAMPLE}, times ${assets / SAMPLE})`,
        values: [probeMs * assets],
      }]),
      { name: "ours", values: of("soundMs", "ours") },
      { name: "ours, until every file was looked at", values: of("allMs", "ours") },
    ]);
    printFigures(`longest standstill of the main thread until every file was looked at: ${what}`, [
      { name: "every source opened first", values: of("stallMs", "eager") },
      { name: "ours", values: of("stallMs", "ours") },
      { name: "every source opened first, time on a processor", values: of("turnMs", "eager") },
      { name: "ours, time on a processor", values: of("turnMs", "ours") },
    ]);
  }
}

await measure(1_000, 10_000);
await measure(10_000, 10_000);
