/**
 * Processes that say in their first line that they are ready, and the folders that an engine among them lives in.
 *
 * @module
 */
import { ensureLibrary } from "../../ffi/build.ts";
import config from "../../deno.json" with { type: "json" };

const ROOT = import.meta.dirname!.replace(/[/\\]bench[/\\]support$/, "");

const living = new Set<ReadyProcess>();
const homes = new Set<Home>();
// For a run that is filtered or fails: nothing is left behind.
globalThis.addEventListener("unload", () => {
  for (const process of living) process.kill();
  for (const home of homes) home.removeNow();
});

/** A folder for everything that an engine touches, gone in the end. */
export class Home implements AsyncDisposable {
  private constructor(readonly path: string) {
    homes.add(this);
  }

  static async make(): Promise<Home> {
    const home = new Home(await Deno.realPath(await Deno.makeTempDir({ prefix: "bench" })));
    await Deno.mkdir(`${home.path}/run`, { mode: 0o700 });
    return home;
  }

  /** Command line options that keep an engine in this folder and in silence. */
  get options(): string[] {
    return [
      ...["--port", "0", "--backend", "null", "--data-dir", `${this.path}/data`],
      ...["--cache-dir", `${this.path}/cache`, "--export-dir", `${this.path}/exports`],
    ];
  }

  removeNow(): void {
    try {
      Deno.removeSync(this.path, { recursive: true });
    } catch {
      // A temporary folder; a process that is just ending may still write to it.
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    homes.delete(this);
    await Deno.remove(this.path, { recursive: true });
  }
}

/** A process from its ready line to its end. */
export class ReadyProcess implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #rest: Promise<void>;
  readonly #stderr: Promise<string>;

  private constructor(child: Deno.ChildProcess, stdout: ReadableStream, stderr: Promise<string>) {
    this.#child = child;
    this.#rest = stdout.pipeTo(new WritableStream());
    this.#stderr = stderr;
    living.add(this);
  }

  /** The address in the ready line, or `""`. */
  url = "";

  /**
   * Starts `deno` and waits for its first line.
   *
   * @throws if it ends without one; the message has what it said.
   */
  static async start(args: string[], env: Record<string, string> = {}): Promise<ReadyProcess> {
    const child = new Deno.Command(Deno.execPath(), {
      args,
      cwd: ROOT,
      env: { NO_COLOR: "1", ...env },
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const stderr = new Response(child.stderr).text();
    const [head, rest] = child.stdout.tee();
    const process = new ReadyProcess(child, rest, stderr);
    let line = "";
    for await (const text of head.pipeThrough(new TextDecoderStream())) {
      line += text;
      if (line.includes("\n")) break;
    }
    if (!line.includes("\n")) {
      await process.#ended();
      throw new Error(`deno ${args.join(" ")} was never ready: ${line} ${await stderr}`);
    }
    process.url = /http:\/\/\S+/.exec(line)?.[0] ?? "";
    return process;
  }

  kill(): void {
    try {
      this.#child.kill("SIGTERM");
    } catch {
      // It has ended by itself.
    }
  }

  async #ended(): Promise<void> {
    await Promise.all([this.#child.status, this.#rest, this.#stderr]);
    living.delete(this);
  }

  /** Asks it to end, and waits for that. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.kill();
    await this.#ended();
  }
}

/** The arguments of `deno` in the task `start`, with the library's path in place. */
const SERVE = /\bdeno (run .*server\/main\.ts)/.exec(config.tasks.start.command)![1]
  .replaceAll('"$(cat .build/library.path)"', await ensureLibrary()).split(" ");

/** Starts the engine as the task does, without the task; or, with `whole`, by the task. */
export async function startEngine(
  home: Home,
  { whole = false, args = [] as string[] } = {},
): Promise<ReadyProcess> {
  return await ReadyProcess.start(
    [...(whole ? ["task", "start"] : SERVE), ...home.options, ...args],
    { XDG_RUNTIME_DIR: `${home.path}/run`, LOOPHOLE_NATIVE: await ensureLibrary() },
  );
}

/** Starts a server of Deno's own, which answers at once: `bare_server.ts`. */
export async function startBare(): Promise<ReadyProcess> {
  return await ReadyProcess.start([
    ...["run", "--no-prompt", "--allow-net=127.0.0.1"],
    `${import.meta.dirname}/bare_server.ts`,
  ]);
}
