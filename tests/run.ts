/**
 * `deno task test`: builds the library, gets what the tests need, runs them with narrow permissions, and ends with the line
 * `N passed, N failed`. Arguments go to `deno test`; files among them replace "all tests".
 *
 * @module
 */
import { BuildError, checkDenoVersion, ensureLibrary } from "../ffi/build.ts";
import { findOnPath } from "./needs.ts";
import { setUp, testFiles } from "./setup.ts";
import { countImpossible, parseSummary, verdict } from "./summary.ts";

/** Programs that tests may run, where the machine has them. */
const PROGRAMS = [
  "cc",
  "gcc",
  "clang",
  "clang-22",
  "sh",
  "pulseaudio",
  "pactl",
  "parec",
  "jackd",
  "ffmpeg",
  "mpg123",
  "ffprobe",
  "chromium",
  "node",
] as const;

/** A run that has not ended by then is stopped and counts as failed. */
const LIMIT_MINUTES = 19;

const ROOT = import.meta.dirname!.replace(/[/\\]tests$/, "");

async function main(args: readonly string[]): Promise<number> {
  const strict = Deno.env.get("CI") === "true";
  const given = args.filter((arg) => arg !== "--");
  const named = await testFiles(given);

  let library: string;
  try {
    checkDenoVersion();
    library = await ensureLibrary();
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    console.error(error.message);
    return conclude(0, 1);
  }
  const unmet = await setUp(
    named.length > 0 ? named : await testFiles([`${ROOT}/tests`]),
  );

  // Short, because sockets are made in it too, and those have short names.
  const temporary = `${ROOT}/.build/t${Deno.pid}`;
  await Deno.mkdir(temporary, { recursive: true });
  await removeOldRuns(`${ROOT}/.build`);
  const programs = [Deno.execPath(), ...PROGRAMS.flatMap((name) => findOnPath(name) ?? [])];
  const command = [
    "test",
    "--no-prompt",
    "--lock=deno.lock",
    "--allow-read",
    `--allow-write=${ROOT}/.build`,
    "--allow-env",
    "--allow-sys",
    "--allow-net=127.0.0.1,localhost,[::1],0.0.0.0",
    `--allow-run=${programs.join(",")}`,
    `--allow-ffi=${ROOT}/.build,${library}`,
    ...given,
    ...(named.length > 0 ? [] : [`${ROOT}/tests/`]),
  ];
  try {
    const { output, impossible, code } = await stream(command, {
      LOOPHOLE_NATIVE: library,
      TMPDIR: temporary,
    });
    const summary = parseSummary(output);
    if (strict && unmet.length > 0) console.log(`Not met on this machine: ${unmet.join(", ")}`);
    const skipped = (summary?.ignored ?? 0) - impossible;
    if (impossible > 0) console.log(`${impossible} skipped: not possible on this machine`);
    if (strict && skipped > 0) console.log(`${skipped} skipped: with CI=true that is a failure`);
    const { passed, failed, ok } = verdict(summary, code, strict, impossible);
    if (!ok && failed === 0) console.log("No test ran");
    return conclude(passed, failed);
  } finally {
    await Deno.remove(temporary, { recursive: true }).catch(() => {});
  }
}

/** Deletes the temporary folders of runs that were killed before they could. */
async function removeOldRuns(folder: string): Promise<void> {
  const oldest = Date.now() - 24 * 3600 * 1000;
  for await (const entry of Deno.readDir(folder)) {
    if (!/^t\d+$/.test(entry.name)) continue;
    const path = `${folder}/${entry.name}`;
    const modified = (await Deno.stat(path).catch(() => undefined))?.mtime?.getTime() ?? Infinity;
    if (modified < oldest) await Deno.remove(path, { recursive: true }).catch(() => {});
  }
}

/** Runs deno, passing its output through as it comes, keeping the part with the summary, and counting tests that cannot be run here. */
async function stream(
  args: readonly string[],
  env: Record<string, string>,
): Promise<{ output: string; impossible: number; code: number }> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [...args],
    env,
    cwd: ROOT,
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const stop = setTimeout(() => {
    console.error(`The tests have run for ${LIMIT_MINUTES} minutes and are stopped`);
    child.kill("SIGKILL");
  }, LIMIT_MINUTES * 60_000);
  const decoder = new TextDecoder();
  let output = "";
  let line = "";
  let impossible = 0;
  for await (const bytes of child.stdout) {
    for (let done = 0; done < bytes.length;) done += Deno.stdout.writeSync(bytes.subarray(done));
    const text = decoder.decode(bytes, { stream: true });
    output = (output + text).slice(-65_536);
    const lines = (line + text).split("\n");
    line = lines.pop()!;
    impossible += countImpossible(lines);
  }
  clearTimeout(stop);
  return { output, impossible, code: (await child.status).code };
}

/** Prints the last line; gives the exit status. */
function conclude(passed: number, failed: number): number {
  console.log(`${passed} passed, ${failed} failed`);
  return passed > 0 && failed === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
