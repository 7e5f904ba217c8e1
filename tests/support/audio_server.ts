/**
 * Audio servers as children of a test: they end with it, also when it fails or is killed, and touch nothing of the machine's own.
 *
 * @module
 */

/** Longest time that anything here may take on a machine that is busy with other things. */
const PATIENCE_MS = 60_000;
/** How long a program may take to end in order. */
const ORDERLY_MS = 10_000;

/** Waits until `condition` holds. */
export async function eventually(
  condition: () => boolean | Promise<boolean>,
  what: string,
): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!await condition()) {
    if (performance.now() > end) throw new Error(`Waited ${PATIENCE_MS} ms in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/**
 * A program that is killed when its keeper's input ends: on `kill()`, and when this process is no more. What it prints is kept for messages.
 */
export class KeptProgram implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #output: Promise<string>;
  readonly ended: Promise<unknown>;
  hasEnded = false;

  constructor(command: readonly string[], env: Record<string, string>) {
    // The keeper reads descriptor 3: what runs in the background has no input of its own. A word asks the program to end, the end of input kills it.
    const keeper = "{ read -r word <&3 && kill $p && cat <&3 >/dev/null; kill -9 $p; } 2>/dev/null";
    this.#child = new Deno.Command("sh", {
      args: ["-c", `exec 3<&0; "$@" & p=$!; ${keeper} & wait $p`, "sh", ...command],
      env,
      stdin: "piped",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.#output = new Response(this.#child.stderr).text();
    this.ended = this.#child.status.then(() => this.hasEnded = true);
  }

  /** At once, as by a crash; resolves when it is no more. */
  async kill(): Promise<void> {
    await this.#input.close().catch(() => {}); // It has ended already.
    await this.ended;
  }

  /** Everything it printed, once it has ended. */
  get output(): Promise<string> {
    return this.#output;
  }

  /** In order, or as by a crash where that takes long. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input.write(new TextEncoder().encode("end\n")).catch(() => {});
    const patience = setTimeout(() => this.kill(), ORDERLY_MS);
    await this.ended;
    clearTimeout(patience);
    await this.kill();
    await this.#output;
  }
}

/** Sets variables of this process's environment, which native libraries read, until it is disposed of. */
export function withEnvironment(values: Record<string, string>): Disposable {
  const before = Object.keys(values).map((name) => [name, Deno.env.get(name)] as const);
  for (const [name, value] of Object.entries(values)) Deno.env.set(name, value);
  return {
    [Symbol.dispose]: () => {
      for (const [name, value] of before) {
        if (value === undefined) Deno.env.delete(name);
        else Deno.env.set(name, value);
      }
    },
  };
}

/** Runs a program to its end; gives what it prints, or `null` if it fails. */
export async function ask(
  program: string,
  args: readonly string[],
  env: Record<string, string>,
): Promise<string | null> {
  const { success, stdout } = await new Deno.Command(program, { args: [...args], env }).output();
  return success ? new TextDecoder().decode(stdout) : null;
}
