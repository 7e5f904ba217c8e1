/**
 * A PulseAudio server with a null sink of its own, and recordings of what the sink plays.
 *
 * @module
 */
import { ask, eventually, KeptProgram, withEnvironment } from "./audio_server.ts";

/** The name of the sink. */
export const SINK = "loop";

/** One server at a time; libpulse in this process, and its children, find it and no other. */
export class PulseServer implements AsyncDisposable {
  readonly #folder: string;
  readonly #env: Record<string, string>;
  readonly #environment: Disposable;
  readonly rate: number;
  #program: KeptProgram | null = null;

  private constructor(folder: string, rate: number) {
    this.#folder = folder;
    this.rate = rate;
    this.#env = {
      XDG_RUNTIME_DIR: folder,
      HOME: folder,
      PULSE_SERVER: `unix:${folder}/pulse/native`,
      PULSE_COOKIE: `${folder}/cookie`,
    };
    const { PULSE_SERVER, PULSE_COOKIE } = this.#env;
    this.#environment = withEnvironment({ PULSE_SERVER, PULSE_COOKIE });
  }

  /** A server whose sink takes 32-bit floats in stereo at `rate`, so that nothing is converted on the way to it. */
  static async start(rate = 48_000): Promise<PulseServer> {
    const folder = await Deno.makeTempDir({ prefix: "p" });
    await Deno.chmod(folder, 0o700);
    const server = new PulseServer(folder, rate);
    try {
      await server.run();
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
    return server;
  }

  /** Runs it, again after `kill()`. */
  async run(): Promise<void> {
    // No autospawn, no realtime: neither may be had on a machine that only runs tests.
    const program = new KeptProgram([
      "pulseaudio",
      "-n",
      "--daemonize=no",
      "--use-pid-file=no",
      "--exit-idle-time=-1",
      "--log-level=debug",
      `--log-target=file:${this.#log}`,
      "--load=module-native-protocol-unix",
      `--load=module-null-sink sink_name=${SINK} rate=${this.rate} format=float32le channels=2`,
    ], this.#env);
    this.#program = program;
    await eventually(async () => {
      if (program.hasEnded) throw new Error(`pulseaudio has ended:\n${await program.output}`);
      return (await this.pactl("list", "short", "sinks"))?.includes(SINK) ?? false;
    }, "pulseaudio answers");
  }

  get #log(): string {
    return `${this.#folder}/log`;
  }

  /** How often a stream of ours had nothing to give when the sink wanted something: each is a hole of the server's in what is recorded. */
  async underruns(): Promise<number> {
    return (await Deno.readTextFile(this.#log)).match(/underrun of 'Loophole'/g)?.length ?? 0;
  }

  /** As by a crash: nobody is told. */
  async kill(): Promise<void> {
    await this.#program?.kill();
    this.#program = null;
  }

  /** What `pactl` prints, `null` if it fails. */
  pactl(...args: string[]): Promise<string | null> {
    return ask("pactl", args, this.#env);
  }

  /** Records what the sink plays, from when the first sample has come. */
  async record(nowMs: () => number, latencyMs = 10): Promise<Recording> {
    const recording = new Recording(this.#env, this.rate, latencyMs, nowMs);
    await eventually(() => recording.frames > 0, "the monitor is recorded");
    return recording;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program?.[Symbol.asyncDispose]();
    this.#environment[Symbol.dispose]();
    await Deno.remove(this.#folder, { recursive: true });
  }
}

/** A piece of a recording: how many frames had come by then. */
export interface Arrival {
  frames: number;
  timeMs: number;
}

/** What came out of a sink, in stereo. */
export class Recording implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #reading: Promise<void>;
  #bytes = new Uint8Array(1 << 20);
  #used = 0;
  /** When how much had come. */
  readonly arrivals: Arrival[] = [];

  constructor(
    env: Record<string, string>,
    rate: number,
    latencyMs: number,
    nowMs: () => number,
  ) {
    this.#child = new Deno.Command("parec", {
      args: [
        `--device=${SINK}.monitor`,
        "--raw",
        "--format=float32le",
        `--rate=${rate}`,
        "--channels=2",
        `--latency-msec=${latencyMs}`,
      ],
      env,
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    this.#reading = this.#read(nowMs);
  }

  async #read(nowMs: () => number): Promise<void> {
    for await (const bytes of this.#child.stdout) {
      while (this.#used + bytes.length > this.#bytes.length) {
        const more = new Uint8Array(this.#bytes.length * 2);
        more.set(this.#bytes);
        this.#bytes = more;
      }
      this.#bytes.set(bytes, this.#used);
      this.#used += bytes.length;
      this.arrivals.push({ frames: this.frames, timeMs: nowMs() });
    }
  }

  /** Frames that have come. */
  get frames(): number {
    return Math.floor(this.#used / 8);
  }

  /** All that has come, each side for itself. */
  sides(from = 0): [Float32Array<ArrayBuffer>, Float32Array<ArrayBuffer>] {
    const all = new Float32Array(this.#bytes.buffer, 0, this.frames * 2);
    const frames = this.frames - from;
    const side = (s: number) =>
      Float32Array.from({ length: frames }, (_, i) => all[(from + i) * 2 + s]);
    return [side(0), side(1)];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended with its server.
    }
    await this.#reading.catch(() => {});
    await this.#child.status;
  }
}
