/**
 * The engine as a process of its own, with the permissions that `deno task start` gives it, in a home of its own.
 *
 * @module
 */
import { ensureLibrary } from "../../ffi/build.ts";
import config from "../../deno.json" with { type: "json" };
import { makeWav, sinePlanes } from "./audio_files.ts";

const ROOT = import.meta.dirname!.replace(/[/\\]tests[/\\]support$/, "");
const library = await ensureLibrary();

/** The arguments of `deno` in the task, with the library's path in place. */
const TASK = /\bdeno (run .*server\/main\.ts)/.exec(config.tasks.start.command)![1]
  .replaceAll('"$(cat .build/library.path)"', library).split(" ");

/** Where this run's packages are; the engines' own homes have none. */
const DENO_DIR = Deno.env.get("DENO_DIR") ??
  `${Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME")}/.cache`}/deno`;

/** A folder for everything that an engine touches, gone with the test. */
export class Home implements AsyncDisposable {
  private constructor(readonly path: string) {}

  static async make(): Promise<Home> {
    const path = await Deno.realPath(await Deno.makeTempDir());
    await Deno.mkdir(`${path}/run`, { mode: 0o700 });
    await Deno.mkdir(`${path}/music`);
    return new Home(path);
  }

  get runtimeFile(): string {
    return `${this.path}/run/loophole/engine.json`;
  }

  async write(name: string, frames: number, sampleRate = 48_000): Promise<string> {
    const planes = sinePlanes(440, 2, frames, "s16", { sampleRate });
    const path = `${this.path}/${name}`;
    await Deno.writeFile(path, makeWav({ planes, encoding: "s16", sampleRate }));
    return path;
  }

  /** Starts the engine here. */
  start(...args: string[]): Engine {
    return new Engine(this, args);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}

/** A started engine. */
export class Engine {
  readonly #child: Deno.ChildProcess;
  readonly #lines: ReadableStreamDefaultReader<string>;
  readonly #stderr: Promise<string>;

  constructor(home: Home, args: string[]) {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: [...TASK, ...args],
      cwd: ROOT,
      env: {
        LOOPHOLE_NATIVE: library,
        LOOPHOLE_BACKEND: "null",
        LOOPHOLE_PORT: "0",
        DENO_DIR,
        INIT_CWD: home.path,
        HOME: home.path,
        XDG_RUNTIME_DIR: `${home.path}/run`,
        XDG_DATA_HOME: `${home.path}/data`,
        XDG_CACHE_HOME: `${home.path}/cache`,
        XDG_MUSIC_DIR: `${home.path}/music`,
        NO_COLOR: "1",
      },
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#lines = this.#child.stdout.pipeThrough(new TextDecoderStream())
      .pipeThrough(linesOf()).getReader();
    this.#stderr = new Response(this.#child.stderr).text();
  }

  /** The next line of stdout, `""` at its end. */
  async line(): Promise<string> {
    const { value } = await this.#lines.read();
    return value ?? "";
  }

  /** Waits for the ready line and gives the address. */
  async ready(): Promise<string> {
    const line = await this.line();
    const url = /^Loophole listening on (http:\S+)$/.exec(line)?.[1];
    if (url !== undefined) return url;
    const { code, stderr } = await this.end();
    throw new Error(`not ready, ended with ${code}: ${line} ${stderr}`);
  }

  kill(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** Waits for the end and gives what was said. */
  async end(): Promise<{ code: number; stdout: string; stderr: string }> {
    let stdout = "";
    for (let line = await this.line(); line !== ""; line = await this.line()) stdout += `${line}\n`;
    await this.#lines.cancel();
    const [{ code }, stderr] = await Promise.all([this.#child.status, this.#stderr]);
    return { code, stdout, stderr };
  }

  async stop(): Promise<{ code: number; stdout: string; stderr: string }> {
    this.kill("SIGTERM");
    return await this.end();
  }
}

function linesOf(): TransformStream<string, string> {
  let rest = "";
  return new TransformStream({
    transform(text, controller) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) controller.enqueue(line);
    },
    flush(controller) {
      if (rest !== "") controller.enqueue(rest);
    },
  });
}
