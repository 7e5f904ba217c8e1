/**
 * Whether the machine stood still while a test measured in real time. A virtual machine's processors are taken from it now and then, and
 * nothing inside tells: only that everything is late at once. A process beside the engine, which shares nothing with it, notes that.
 *
 * @module
 */

const TESTS = import.meta.dirname!.replace(/[/\\]support$/, "");
const BUILD = `${TESTS.replace(/[/\\]tests$/, "")}/.build`;

/** A stretch of time, in milliseconds of the engine's clock, in which a processor ran nothing. */
export interface Standstill {
  beginMs: number;
  endMs: number;
}

/** Watches from {@linkcode MachineWatch.start} until {@linkcode MachineWatch.stop}. */
export class MachineWatch {
  readonly #process: Deno.ChildProcess | null;

  private constructor(process: Deno.ChildProcess | null) {
    this.#process = process;
  }

  static async start(): Promise<MachineWatch> {
    if (Deno.build.os !== "linux") return new MachineWatch(null); // nothing is known there, so nothing is excused
    const process = new Deno.Command("sh", {
      args: ["-c", 'exec "$0"', await build()],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    return new MachineWatch(process);
  }

  /** Every time that a processor was late by more than two milliseconds, in order of their begin. */
  async stop(): Promise<Standstill[]> {
    if (this.#process === null) return [];
    await this.#process.stdin.close();
    const { success, stdout } = await this.#process.output();
    if (!success) throw new Error("Cannot watch the machine: the program failed");
    const lines = new TextDecoder().decode(stdout).trim().split("\n").slice(1);
    return lines.map((line) => line.split(" ").map(Number))
      .map(([beginMs, endMs]) => ({ beginMs, endMs }))
      .sort((a, b) => a.beginMs - b.beginMs);
  }
}

/** The most milliseconds of standstill that lie within any `withinMs`, those of several processors counted each. */
export function mostStoodStill(standstills: readonly Standstill[], withinMs: number): number {
  let most = 0;
  for (const { endMs } of standstills) {
    let sum = 0;
    for (const other of standstills) {
      const begin = Math.max(other.beginMs, endMs - withinMs);
      sum += Math.max(0, Math.min(other.endMs, endMs) - begin);
    }
    most = Math.max(most, sum);
  }
  return most;
}

async function build(): Promise<string> {
  const folder = `${BUILD}/native_test`;
  await Deno.mkdir(folder, { recursive: true });
  const program = `${folder}/watch`;
  const unfinished = `${program}.${Deno.pid}`;
  const { success, stderr } = await new Deno.Command("cc", {
    args: [
      "-O1",
      "-std=gnu11",
      "-D_GNU_SOURCE",
      "-pthread",
      `${TESTS}/native/watch_main.c`,
      "-o",
      unfinished,
    ],
  }).output();
  if (!success) throw new Error(`Cannot compile the watch: ${new TextDecoder().decode(stderr)}`);
  await Deno.rename(unfinished, program);
  return program;
}
