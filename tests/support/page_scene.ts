/**
 * The page over an engine of its own: how tests of the page begin, and what they ask of it.
 *
 * @module
 */
import type { Timeline } from "../../engine/pulse/types.ts";
import { makeWav } from "./audio_files.ts";
import { Browser, type Page, type Place } from "./chromium.ts";
import { type Engine, Home } from "./engine_process.ts";
import { TestClient } from "./server_client.ts";

export const RATE = 48_000;

/** Pictures go here, which git does not keep. */
export const SHOTS = `${
  import.meta.dirname!.replace(/[/\\]tests[/\\]support$/, "")
}/.build/screenshots`;

/** A tone that swells and fades once a second, so that its picture has a shape. */
export function tone(
  seconds: number,
  channels: number,
  frequency: number,
): Uint8Array<ArrayBuffer> {
  const planes = Array.from(
    { length: channels },
    (_, channel) =>
      Float64Array.from({ length: seconds * RATE }, (_, i) => {
        const swell = 0.08 + 0.8 * Math.sin(Math.PI * ((i / RATE) % 1)) ** 2 * (channel ? 0.6 : 1);
        return Math.round(32_000 * swell * Math.sin((2 * Math.PI * frequency * i) / RATE));
      }),
  );
  return makeWav({ planes, encoding: "s16", sampleRate: RATE });
}

export interface SceneOptions {
  dark?: boolean;
  density?: number;
  width?: number;
  height?: number;
  /** Files to lay one after another; three tones by default. */
  files?: string[];
  /** Further arguments of the engine. */
  args?: string[];
  /** How long the first tone is. */
  seconds?: number;
  /** Puts something into the home before the engine starts. */
  prepare?: (home: Home) => Promise<void>;
}

/** A home with files, the engine over them, and a page that shows it. */
export class Scene implements AsyncDisposable {
  private constructor(
    readonly home: Home,
    public engine: Engine,
    readonly url: string,
    readonly browser: Browser,
    readonly page: Page,
  ) {}

  /** `Voice` of 12 s (or `seconds`), mono, `Piano` of 10 s and `Room` of 8 s, stereo, one after another. */
  static async open(options: SceneOptions = {}): Promise<Scene> {
    const home = await Home.make();
    await Deno.mkdir(SHOTS, { recursive: true });
    await options.prepare?.(home);
    let { files } = options;
    if (files === undefined) {
      files = ["Voice.wav", "Piano.wav", "Room.wav"].map((name) => `${home.path}/${name}`);
      await Deno.writeFile(files[0], tone(options.seconds ?? 12, 1, 220));
      await Deno.writeFile(files[1], tone(10, 2, 330));
      await Deno.writeFile(files[2], tone(8, 2, 110));
    }
    const engine = home.start(
      "--export-dir",
      `${home.path}/exports`,
      ...options.args ?? [],
      ...files,
    );
    const url = await engine.ready();
    const browser = await Browser.launch();
    const page = await browser.newPage(options);
    const scene = new Scene(home, engine, url, browser, page);
    await page.goto(url);
    await scene.connected(page);
    await page.until(`loophole.session.mirror.clipCount === ${files.length}`);
    // Not before it is laid out is the view fitted to them.
    await page.until("loophole.timeline.lanes.width > 0");
    return scene;
  }

  /** Waits until the page shows what the engine has. */
  async connected(page = this.page): Promise<void> {
    await page.until(
      "globalThis.loophole?.session.hello && !document.body.classList.contains('offline')",
    );
  }

  /** Another engine in the same home, on the same port. */
  async restart(): Promise<void> {
    const port = new URL(this.url).port;
    this.engine = this.home.start("--export-dir", `${this.home.path}/exports`, "--port", port);
    await this.engine.ready();
  }

  /** Where a second of the timeline is on the screen; `y` counts from the top of the lanes. */
  async at(seconds: number, y: number): Promise<Place> {
    return await this.page.evaluate<Place>(`(() => {
      const box = document.getElementById("lanes").getBoundingClientRect();
      return { x: box.x + loophole.view.xOf(${seconds * RATE}), y: box.y + ${y} };
    })()`);
  }

  /** A place on the ruler, below its band, or in the band. */
  async onRuler(seconds: number, part: "scale" | "band" = "scale"): Promise<Place> {
    return await this.at(seconds, part === "scale" ? -10 : -28);
  }

  /** Start and length of each clip of each track, as the page has them. */
  async shown(): Promise<[number, number][][]> {
    return await this.page.evaluate(`loophole.session.mirror.tracks.map(({ clips }) =>
      clips.all().map(({ startFrame, lengthFrames }) => [startFrame, lengthFrames]))`);
  }

  /** The timeline as the engine has it, over a connection of our own. */
  async timeline(): Promise<Timeline> {
    await using client = await TestClient.connect(this.url);
    await client.call("engine.hello", { protocol: 1 });
    return (await client.call("timeline.get", {})).result.timeline;
  }

  /** The same as `shown`, as the engine has them. */
  async held(): Promise<[number, number][][]> {
    return (await this.timeline()).tracks.map(({ clips }) =>
      clips.map(({ startFrame, lengthFrames }) => [startFrame, lengthFrames])
    );
  }

  /** Waits until all that was asked of the engine has been answered: the last edits of a drag, too. */
  async settled(): Promise<[number, number][][]> {
    await this.page.until("loophole.session.pending === 0");
    return await this.shown();
  }

  /** The frame that is heard, as the page has it. */
  async frame(): Promise<number> {
    return await this.page.evaluate<number>("loophole.session.playhead.at(performance.now())");
  }

  /** Keeps what plays between two frames, so that nothing depends on how long the rest takes. No frames: no longer. */
  async hold(startFrame?: number, endFrame = 0): Promise<void> {
    const loop = startFrame === undefined
      ? { enabled: false, startFrame: 0, endFrame: 0 }
      : { enabled: true, startFrame: Math.round(startFrame), endFrame: Math.round(endFrame) };
    await this.page.evaluate(`loophole.session.setLoop(${JSON.stringify(loop)})`);
  }

  async screenshot(name: string, page = this.page): Promise<void> {
    await page.screenshot(`${SHOTS}/${name}.png`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.browser[Symbol.asyncDispose]();
    await this.engine.stop();
    await this.home[Symbol.asyncDispose]();
  }
}
