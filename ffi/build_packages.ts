/**
 * The npm packages that the engine runs with, fetched before it starts, so that a machine without a network is told what to do.
 *
 * @module
 */
import { BuildError } from "./build_error.ts";

/** What {@linkcode ensurePackages} needs. */
export interface PackagesOptions {
  /** The program whose packages are fetched. */
  entry: string;
  /** What may want a package later: fetched with the others where that succeeds, else when it is needed. */
  also?: string;
  /** The lock file, which says which they are. */
  lock: string;
  /** Where it is noted that they are there. */
  buildDir: string;
  /** Environment of the program that fetches them (tests). */
  env?: Record<string, string>;
}

/** How long what is wanted later may take now, in milliseconds. */
const ALSO_MS = 10_000;

/**
 * Fetches what is not there yet; nothing is asked where this was done for the same lock file before.
 *
 * @throws {BuildError} If they cannot be had.
 */
export async function ensurePackages(options: PackagesOptions): Promise<void> {
  const { entry, also, lock, buildDir, env } = options;
  const digest = await crypto.subtle.digest("SHA-256", await Deno.readFile(lock));
  const note = `${buildDir}/packages-${new Uint8Array(digest).toHex().slice(0, 16)}`;
  if (await Deno.stat(note).then(() => true, () => false)) return;
  const fetch = (program: string, signal?: AbortSignal) =>
    new Deno.Command(Deno.execPath(), {
      args: ["cache", "--quiet", `--lock=${lock}`, program],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
      env: { NO_COLOR: "1", ...env },
      ...(signal !== undefined && { signal }),
    }).output();
  const { success, stderr } = await fetch(entry);
  if (!success) {
    const said = new TextDecoder().decode(stderr).trim();
    throw new BuildError(
      "Cannot fetch the npm packages that the engine runs with. The first start needs the network: connect this machine, or name " +
        "a proxy in HTTPS_PROXY or a mirror in NPM_CONFIG_REGISTRY, and start again. Later starts work without it.\n" +
        said.split("\nStack backtrace")[0].trim(),
    );
  }
  // Without a network that answers, nobody waits for what can be had later.
  if (also !== undefined) await fetch(also, AbortSignal.timeout(ALSO_MS)).catch(() => {});
  await Deno.mkdir(buildDir, { recursive: true });
  await Deno.writeTextFile(note, "");
}
