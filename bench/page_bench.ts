/**
 * The page in headless Chromium with 10,000 clips over an hour on 16 tracks, while it plays: frames a second and the main thread's time a frame
 * (script, style, layout, paint), while zooming, scrolling in time and over the tracks, by wheel events as a hand makes them.
 *
 * The peers do less. `bare canvas` fills and strokes one rectangle for each clip that the same view shows, without waveform, name, ruler,
 * meters, or an engine: what drawing so many things costs any page in this browser. `wavesurfer.js` shows one waveform for the hour, in one row, and
 * a tenth of the clips as its regions (with all of them a frame takes seconds); it zooms in to a minute across, for its canvases end there.
 *
 * All take turns in one browser, 1280×720, so that what else the machine does meets all. There is no GPU: the rasteriser is software.
 *
 * @module
 */
// deno-lint-ignore no-import-prefix
import regionsCode from "npm:wavesurfer.js@8.0.1/dist/plugins/regions.esm.js" with { type: "text" };
// deno-lint-ignore no-import-prefix
import wavesurferCode from "npm:wavesurfer.js@8.0.1/dist/wavesurfer.esm.js" with { type: "text" };
import { findOnPath } from "../tests/needs.ts";
import { Browser, type Page } from "../tests/support/chromium.ts";
import { printFigures, quantile } from "./support/figures.ts";
import { HOUR_FOLDER, hourWav } from "./support/hour_wav.ts";
import { Home, startEngine } from "./support/ready_process.ts";
import { RpcSocket } from "./support/rpc_socket.ts";

const RATE = 48_000;
const SECONDS = 3_600;
const TRACKS = 16;
const CLIPS = 10_000;
const EACH = CLIPS / TRACKS;
const FRAMES = 150;
const ROUNDS = 3;
/** Regions for wavesurfer.js, and frames, which are long. */
const REGIONS = CLIPS / 10;
const REGION_FRAMES = 30;
/** Milliseconds between frames above which one was late: more than one and a half of 60 a second. */
const LATE_MS = 25;

/** A page, and how each path moves it by one frame: JavaScript of `(frame, frames) => …`. */
interface Contender {
  name: string;
  page: Page;
  frames: number;
  paths: Record<Path, string | null>;
}

const PATHS = [
  "hour to a minute and back",
  "hour to samples and back",
  "scroll at ten minutes across",
  "scroll at a minute across",
  "over the tracks",
] as const;
type Path = typeof PATHS[number];

if (findOnPath("chromium") === undefined) {
  console.log("\nSkipped: the page, for want of chromium");
} else {
  await measure();
}

async function measure(): Promise<void> {
  await using home = await Home.make();
  await using server = await startEngine(home, { args: ["--library", HOUR_FOLDER] });
  await using client = await RpcSocket.connect(server.url);
  await client.call("engine.hello", { protocol: 1 });
  const { asset } = await client.call("asset.register", { path: await hourWav() });
  await layOnTracks(client, asset.assetId);
  await using browser = await Browser.launch();
  const contenders = [
    await bareCanvas(browser),
    await wavesurfer(browser),
    await ours(browser, server.url),
  ];

  for (const path of PATHS) {
    const busy = new Map<string, number[]>();
    const rates = new Map<string, number[]>();
    const late = new Map<string, number>();
    const frameCounts = new Map<string, number>();
    for (let round = -1; round < ROUNDS; round++) {
      for (const { name, page, frames, paths } of contenders) {
        const step = paths[path];
        if (step === null) continue;
        const { busyMs, intervals } = await drive(page, step, frames);
        if (round < 0) continue; // The first goes to what is compiled and fetched once.
        const sum = intervals.reduce((total, interval) => total + interval, 0);
        frameCounts.set(name, (frameCounts.get(name) ?? 0) + intervals.length);
        put(busy, name, busyMs);
        put(rates, name, 1_000 * intervals.length / sum);
        late.set(
          name,
          (late.get(name) ?? 0) + intervals.filter((interval) => interval > LATE_MS).length,
        );
      }
    }
    printFigures(
      `Main thread a frame, ${path}`,
      [...busy].map(([name, values]) => ({ name, values })),
    );
    for (const [name, values] of rates) {
      console.log(
        `${name}: ${quantile(values, 0.5).toFixed(1)} frames a second (median of ${ROUNDS}), ` +
          `${late.get(name)} of ${frameCounts.get(name)} frames late`,
      );
    }
  }
}

/** 625 clips of nearly six seconds on each track, from all over the hour. */
async function layOnTracks(client: RpcSocket, assetId: string): Promise<void> {
  const length = SECONDS * RATE / EACH;
  const header = { gainDb: -24, pan: 0, mute: false, solo: false };
  const tracks = Array.from({ length: TRACKS }, (_, row) => ({
    ...header,
    trackId: `t${row}`,
    name: `Track ${row + 1}`,
    clips: Array.from({ length: EACH }, (_, index) => ({
      clipId: `c${row}-${index}`,
      assetId,
      startFrame: index * length,
      lengthFrames: length - 4_800,
      sourceFrame: ((index * 7 + row * 31) % EACH) * length,
      fadeInFrames: 2_400,
      fadeOutFrames: 4_800,
    })),
  }));
  await client.call("timeline.set", { timeline: { sampleRate: RATE, tracks } });
}

/** Moves a page frame by frame along a path, and tells how long its main thread was busy a frame and when frames came. */
async function drive(
  page: Page,
  step: string,
  frames: number,
): Promise<{ busyMs: number; intervals: number[] }> {
  await page.call("Page.bringToFront");
  const before = await taskSeconds(page);
  const times = await page.evaluate<number[]>(`new Promise((done) => {
    const step = ${step};
    const times = [];
    requestAnimationFrame(function next(now) {
      times.push(now);
      if (times.length > ${frames}) return done(times);
      step(times.length - 1, ${frames});
      requestAnimationFrame(next);
    });
  })`);
  const busyMs = 1_000 * (await taskSeconds(page) - before) / frames;
  return { busyMs, intervals: times.slice(1).map((time, index) => time - times[index]) };
}

async function taskSeconds(page: Page): Promise<number> {
  const { metrics } = await page.call("Performance.getMetrics");
  return metrics.find(({ name }: { name: string }) => name === "TaskDuration").value;
}

async function ours(browser: Browser, url: string): Promise<Contender> {
  const page = await browser.newPage();
  await page.call("Performance.enable");
  await page.goto(url);
  await page.until(`globalThis.loophole?.session.mirror.clipCount === ${CLIPS}`, 60_000);
  await page.until("loophole.session.assets.all.every(({ complete }) => complete)", 120_000);
  await page.evaluate("loophole.timeline.fit(); loophole.session.play()");
  await page.until("loophole.session.transport.state === 'playing'");
  const wheel = (options: string) =>
    `((o) => { const lanes = document.getElementById("lanes");
      const { x, y, width } = lanes.getBoundingClientRect();
      lanes.dispatchEvent(new WheelEvent("wheel",
        { cancelable: true, clientX: x + width / 2, clientY: y + 100, ...o })); })(${options})`;
  // A notch zooms by e^0.0018 a pixel: as many of them as the way is long, there and back.
  const zoom = (factor: number) => {
    const delta = Math.log(factor) / 0.0018 / (FRAMES / 2);
    return `(frame, frames) => { if (frame === 0) loophole.timeline.fit();
      ${wheel(`{ ctrlKey: true, deltaY: frame < frames / 2 ? ${-delta} : ${delta} }`)} }`;
  };
  const scroll = (seconds: number) =>
    `(frame) => frame === 0
      ? (loophole.view.show(600 * ${RATE}, ${
      (600 + seconds) * RATE
    }), loophole.timeline.viewChanged())
      : ${wheel("{ deltaX: 16, deltaY: 0 }")}`;
  return {
    name: "Loophole",
    page,
    frames: FRAMES,
    paths: {
      "hour to a minute and back": zoom(60),
      "hour to samples and back": zoom(SECONDS * RATE * 48 / 800),
      "scroll at ten minutes across": scroll(600),
      "scroll at a minute across": scroll(60),
      "over the tracks": `(frame, frames) => ${
        wheel("{ deltaX: 0, deltaY: frame < frames / 2 ? 8 : -8 }")
      }`,
    },
  };
}

async function bareCanvas(browser: Browser): Promise<Contender> {
  const page = await browser.newPage();
  await page.call("Performance.enable");
  await page.evaluate(`document.body.innerHTML = "<canvas width=800 height=568></canvas>";
    globalThis.show = (start, end, top) => {
      const canvas = document.querySelector("canvas");
      const context = globalThis.context ??= canvas.getContext("2d", { alpha: false });
      context.fillStyle = "#111216";
      context.fillRect(0, 0, canvas.width, canvas.height);
      context.fillStyle = "#1d4a5f";
      context.strokeStyle = "#3f7f9a";
      const each = ${SECONDS / EACH}, perSecond = canvas.width / (end - start);
      for (let row = 0; row < ${TRACKS}; row++) {
        const y = row * 52 - top;
        if (y > canvas.height || y < -52) continue;
        for (let index = Math.max(0, Math.floor(start / each)); index < ${EACH} && index * each < end; index++) {
          const x = (index * each - start) * perSecond, width = (each - 0.1) * perSecond;
          context.fillRect(x, y + 3, width, 45);
          context.strokeRect(x, y + 3, width, 45);
        }
      }
    }`);
  const zoom = (factor: number) =>
    `(frame, frames) => {
      const part = 1 - Math.abs(1 - 2 * frame / frames);
      const half = ${SECONDS / 2} / ${factor} ** part;
      show(${SECONDS / 2} - half, ${SECONDS / 2} + half, 0);
    }`;
  const scroll = (seconds: number) =>
    `(frame) => { const start = 600 + frame * 16 * ${seconds / 800};
      show(start, start + ${seconds}, 0); }`;
  return {
    name: "bare canvas, rectangles alone",
    page,
    frames: FRAMES,
    paths: {
      "hour to a minute and back": zoom(60),
      "hour to samples and back": zoom(SECONDS * RATE * 48 / 800),
      "scroll at ten minutes across": scroll(600),
      "scroll at a minute across": scroll(60),
      "over the tracks":
        `(frame, frames) => show(0, ${SECONDS}, 4 * (frames / 2 - Math.abs(frames / 2 - frame)))`,
    },
  };
}

async function wavesurfer(browser: Browser): Promise<Contender> {
  const page = await browser.newPage();
  await page.call("Performance.enable");
  const load = (code: string) =>
    `(await import(URL.createObjectURL(new Blob([${
      JSON.stringify(code)
    }], { type: "text/javascript" })))).default`;
  await page.evaluate(`(async () => {
    document.body.innerHTML = "<div style='width:800px'></div>";
    const WaveSurfer = ${load(wavesurferCode)};
    const Regions = ${load(regionsCode)};
    const regions = Regions.create();
    const peaks = Float32Array.from({ length: 20 * ${SECONDS} }, (_, i) => Math.sin(i / 7) * Math.sin(i / 900));
    globalThis.waves = WaveSurfer.create({
      container: "div", height: 128, peaks: [peaks], duration: ${SECONDS}, plugins: [regions],
    });
    await new Promise((resolve) => waves.once("ready", resolve));
    const each = ${SECONDS / REGIONS};
    for (let index = 0; index < ${REGIONS}; index++) {
      regions.addRegion({ start: index * each, end: (index + 0.98) * each, drag: true, resize: true });
    }
  })()`);
  const fit = 800 / SECONDS;
  const zoom = (factor: number) =>
    `(frame, frames) => waves.zoom(${fit} * ${factor} ** (1 - Math.abs(1 - 2 * frame / frames)))`;
  const scroll = (seconds: number) =>
    `(frame) => { if (frame === 0) waves.zoom(${800 / seconds});
      waves.setScroll(${600 * 800 / seconds} + frame * 16); }`;
  return {
    name: "wavesurfer.js, one row, a tenth of the clips",
    page,
    frames: REGION_FRAMES,
    paths: {
      "hour to a minute and back": zoom(60),
      "hour to samples and back": null,
      "scroll at ten minutes across": scroll(600),
      "scroll at a minute across": scroll(60),
      "over the tracks": null,
    },
  };
}

function put(map: Map<string, number[]>, name: string, value: number): void {
  const all = map.get(name) ?? [];
  map.set(name, all);
  all.push(value);
}
