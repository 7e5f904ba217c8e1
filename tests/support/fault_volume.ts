/**
 * A volume that fails on command (`tests/native/fault_volume.c`): a folder, passed through by FUSE.
 *
 * A read that hangs in it cannot be killed before its process is: {@linkcode FaultVolume.kill} first, then all else ends.
 *
 * @module
 */
import { possible } from "../needs.ts";

const ROOT = import.meta.dirname!.replace(/[/\\]tests[/\\]support$/, "");
const SOURCE = `${ROOT}/tests/native/fault_volume.c`;
const FOLDER = `${ROOT}/.build/native_test`;

/** What a file of the volume does, once its first 4 KiB are read. */
export type Fault =
  /** Its reads take so many milliseconds longer. */
  | { kind: "delay"; value: number }
  /** Its reads wait until the fault is cleared. */
  | { kind: "hang" }
  /** Opening it waits too. */
  | { kind: "deaf" }
  | { kind: "eio" }
  /** A read brings no more than so many bytes at a time. */
  | { kind: "dribble"; value: number }
  /** From that byte on there is nothing, though the file's size says otherwise. */
  | { kind: "end"; value: number }
  /** It looks as if it had been cut off there, just now. */
  | { kind: "cut"; value: number };

export interface VolumeOptions {
  /** The system keeps nothing of what was read from it. Default true. */
  direct?: boolean;
  /** Added to the numbers of all files. Default 0. */
  inodes?: number;
}

/** Compiles it where that was not done yet; gives the program's path. */
async function build(): Promise<string> {
  const source = await Deno.readTextFile(SOURCE);
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(source));
  const program = `${FOLDER}/fault_volume-${new Uint8Array(digest).toHex().slice(0, 16)}`;
  if (await Deno.stat(program).then(() => true, () => false)) return program;
  await Deno.mkdir(FOLDER, { recursive: true });
  const unfinished = `${program}.${Deno.pid}`;
  const command = 'cc -std=gnu11 -O2 -Wall -Wextra -pthread -o "$0" "$1" ' +
    "$(pkg-config --cflags --libs fuse3)";
  const { ok, text } = await sh(command, unfinished, SOURCE);
  if (!ok) throw new Error(`Cannot build the volume for tests:\n${text}`);
  await Deno.rename(unfinished, program);
  return program;
}

async function sh(script: string, ...args: string[]): Promise<{ ok: boolean; text: string }> {
  const { success, stdout, stderr } = await new Deno.Command("sh", {
    args: ["-c", script, ...args],
  }).output();
  const decoder = new TextDecoder();
  return { ok: success, text: decoder.decode(stdout) + decoder.decode(stderr) };
}

/**
 * Looks whether volumes can be mounted here.
 *
 * @param fuse What `needs("fuse")` said.
 * @returns What makes the options of one test, by its name.
 */
export async function mountable(
  fuse: { ignore: boolean },
): Promise<(test: string) => { ignore: boolean }> {
  if (fuse.ignore) return () => fuse;
  const place = await Deno.makeTempDir({ prefix: "probe" });
  try {
    const { ok, text } = await sh('"$0" probe "$1"', await build(), place);
    const refusal = ok ? undefined : text.trim().replaceAll(/\s*\n\s*/g, "; ");
    return (test) => possible(test, refusal);
  } finally {
    await Deno.remove(place);
  }
}

/** A mounted volume. Disposal takes it away, whatever hangs in it. */
export class FaultVolume implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: ReadableStreamDefaultReader<string>;
  /** Commands are answered in turn. */
  #turn: Promise<unknown> = Promise.resolve();
  #ended: Promise<void> | null = null;

  private constructor(process: Deno.ChildProcess, readonly place: string) {
    this.#process = process;
    this.#writer = process.stdin.getWriter();
    this.#lines = process.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(lineStream())
      .getReader();
  }

  /** Mounts `folder` at `place`, a folder that is there. */
  static async mount(
    folder: string,
    place: string,
    { direct = true, inodes = 0 }: VolumeOptions = {},
  ): Promise<FaultVolume> {
    const options = [...(direct ? ["direct"] : []), `inodes=${inodes}`];
    const process = new Deno.Command("sh", {
      args: ["-c", 'exec "$0" "$@"', await build(), folder, place, ...options],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const volume = new FaultVolume(process, place);
    const { value } = await volume.#lines.read();
    if (value === "mounted") return volume;
    await volume.kill();
    throw new Error(`Cannot mount a volume at ${place}`);
  }

  /** Makes a file do that from now on, in place of what it did. */
  async set(name: string, fault: Fault): Promise<void> {
    await this.#ask(`${fault.kind} ${name} ${"value" in fault ? fault.value : 0}`, "ok");
  }

  /** Makes a file well again; all of them by default. Reads that hang go on. */
  async clear(name = "*"): Promise<void> {
    await this.#ask(`clear ${name}`, "ok");
  }

  /** How many reads hang now. */
  async hung(): Promise<number> {
    return Number(await this.#ask("hung"));
  }

  /** How many reads of a file were asked for. */
  async reads(name: string): Promise<number> {
    return Number(await this.#ask(`reads ${name}`));
  }

  #ask(command: string, expected?: string): Promise<string> {
    const answer = this.#turn.then(async () => {
      await this.#writer.write(new TextEncoder().encode(`${command}\n`));
      const { value } = await this.#lines.read();
      if (value === undefined || (expected !== undefined && value !== expected)) {
        throw new Error(`The volume answered "${command}" with ${value}`);
      }
      return value;
    });
    this.#turn = answer.catch(() => {});
    return answer;
  }

  /** Pulls it out: what is open in it fails from now on, and so does what hangs in it. */
  kill(): Promise<void> {
    return this.#ended ??= (async () => {
      try {
        this.#process.kill("SIGKILL");
      } catch {
        // It is gone already.
      }
      await this.#process.status;
      // Without its process the place answers with errors until this.
      await sh('fusermount3 -u -z -- "$0" || umount -l -- "$0"', this.place);
      await this.#writer.abort().catch(() => {});
      await this.#lines.cancel().catch(() => {});
    })();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }
}

/** Parts text into lines. */
function lineStream(): TransformStream<string, string> {
  let rest = "";
  return new TransformStream({
    transform(text, controller) {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      for (const line of lines) controller.enqueue(line);
    },
  });
}
