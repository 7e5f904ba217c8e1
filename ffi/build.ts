/**
 * Builds the native library from `ffi/native/*.c` on first use, and knows where it lies from then on. Run as a script it builds
 * (`--check`: with warnings as errors) and writes the library's path into `.build/library.path`, for the tasks in `deno.json`.
 *
 * @module
 */
import { BuildError } from "./build_error.ts";
import {
  type Compiler,
  compilerAdvice,
  findCompiler,
  lacksSystemHeaders,
} from "./build_compiler.ts";
import { type Header, headerSearchPath, isAtLeast, obtainHeader } from "./build_header.ts";
import { ensurePackages } from "./build_packages.ts";
import {
  closureOf,
  compileFlags,
  digest,
  isForeign,
  isLibrarySource,
  libraryName,
  linkFlags,
  type ObjectPlan,
} from "./build_plan.ts";
import { Progress } from "./build_progress.ts";
import { type BuildSystem, machine } from "./build_system.ts";

export { BuildError };

/** How the library is built; every member has a default. */
export interface BuildOptions {
  /** The folder with the C sources. */
  nativeDir?: string;
  /** Where objects, libraries and fetched headers are kept; disposable. */
  buildDir?: string;
  /** What stands in for the machine, as far as it does. */
  system?: Partial<BuildSystem>;
  /** Where progress and the compiler's words go; standard error unless told. */
  write?: (text: string) => void;
  /** Refuse code that the compiler warns about. */
  warningsAreErrors?: boolean;
}

const ROOT = import.meta.dirname!.replace(/ffi$/, "");
/** The oldest Deno that the code is tested with. */
const MINIMUM_DENO = "2.9.6";
/** Objects and libraries that nobody has used for this long are deleted when a new one is made. */
const KEEP_MS = 7 * 24 * 3600 * 1000;

/**
 * The path of the native library, which is built first if it is not there for exactly these sources, flags and compiler.
 * `LOOPHOLE_NATIVE` overrides it.
 *
 * Needs permission to read, to write the build folder, to run the compiler and to read the environment; with `LOOPHOLE_NATIVE` set
 * only to read that variable and that file.
 *
 * @throws {BuildError} When it cannot be built; the message says what to do.
 */
export async function ensureLibrary(options: BuildOptions = {}): Promise<string> {
  const system = { ...machine, ...options.system };
  const override = system.env("LOOPHOLE_NATIVE");
  if (override) {
    if ((await Deno.stat(override).catch(() => undefined))?.isFile) return override;
    throw new BuildError(
      `Cannot use the native library: LOOPHOLE_NATIVE names "${override}", which is not a file. ` +
        `Unset it to have the library built.`,
    );
  }
  const nativeDir = (options.nativeDir ?? `${ROOT}ffi/native`).replace(/\/$/, "");
  const buildDir = (options.buildDir ?? `${ROOT}.build`).replace(/\/$/, "");
  const progress = new Progress("Native library", options.write);
  try {
    return await build({
      nativeDir,
      buildDir,
      system,
      progress,
      warningsAreErrors: options.warningsAreErrors ?? false,
    });
  } finally {
    progress.end();
  }
}

/**
 * Refuses a Deno that is too old for this code, by a message rather than by a puzzle.
 *
 * @throws {BuildError} When `version` is older than {@linkcode MINIMUM_DENO}.
 */
export function checkDenoVersion(version: string = Deno.version.deno): void {
  if (isAtLeast(version.replace(/[-+].*/, ""), MINIMUM_DENO)) return;
  throw new BuildError(
    `Cannot run on Deno ${version}: ${MINIMUM_DENO} or later is needed. ` +
      `Upgrade it (deno upgrade), or start with: npx --yes deno@${MINIMUM_DENO} task start`,
  );
}

interface BuildContext {
  nativeDir: string;
  buildDir: string;
  system: BuildSystem;
  progress: Progress;
  warningsAreErrors: boolean;
}

async function build(context: BuildContext): Promise<string> {
  const { nativeDir, buildDir, system, progress } = context;
  const started = performance.now();
  const sources = await readSources(nativeDir);
  if (sources.size === 0) {
    throw new BuildError(`Cannot build the native library: there is no C source in ${nativeDir}.`);
  }
  const compiler = await findCompiler(system, (line) => progress.step(line));
  const header = [...sources.values()].some((files) => mentionsMiniaudio(files))
    ? await obtainHeader({
      searchPath: headerSearchPath(system.env("CPATH") ?? "", Deno.build.os),
      buildDir,
      onFetch: (name) => progress.step(`getting miniaudio.h from ${name}`),
    })
    : undefined;

  const plans = await planObjects(context, sources, compiler, header);
  const key = await digest([
    compiler.command.join(" "),
    compiler.version,
    ...linkFlags(Deno.build.os),
    ...plans.map((plan) => plan.key),
  ]);
  const library = `${buildDir}/${libraryName(Deno.build.os, key)}`;
  if ((await Deno.stat(library).catch(() => undefined))?.isFile) return library;

  const objectDir = `${buildDir}/objects`;
  await Deno.mkdir(objectDir, { recursive: true });
  const missing: ObjectPlan[] = [];
  for (const plan of plans) {
    const info = await Deno.stat(`${objectDir}/${plan.key}.o`).catch(() => undefined);
    if (!info?.isFile) missing.push(plan);
  }
  const name = compiler.version || compiler.command.join(" ");
  progress.step(`compiling ${missing.length} of ${plans.length} files with ${name}`);
  await compileAll(context, missing, objectDir, compiler);
  await link(context, plans, objectDir, library, compiler);
  progress.step(`done in ${((performance.now() - started) / 1000).toFixed(1)} s`);
  await prune(buildDir, new Set([library, ...plans.map((plan) => `${objectDir}/${plan.key}.o`)]));
  return library;
}

/** Each library source with all the files of the native folder that it includes, by name. */
async function readSources(nativeDir: string): Promise<Map<string, Map<string, string>>> {
  const texts = new Map<string, Promise<string | undefined>>();
  const read = (name: string) => {
    let text = texts.get(name);
    if (text === undefined) {
      text = Deno.readTextFile(`${nativeDir}/${name}`).catch(() => undefined);
      texts.set(name, text);
    }
    return text;
  };
  const names: string[] = [];
  try {
    for await (const entry of Deno.readDir(nativeDir)) {
      if (!entry.isDirectory && isLibrarySource(entry.name)) names.push(entry.name);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  const sources = new Map<string, Map<string, string>>();
  for (const name of names.sort()) sources.set(name, await closureOf(name, read));
  return sources;
}

function mentionsMiniaudio(files: ReadonlyMap<string, string>): boolean {
  if (files.has("miniaudio.h")) return false; // a copy of the folder's own
  return [...files.values()].some((text) => /#[ \t]*include[ \t]*[<"]miniaudio\.h[>"]/.test(text));
}

async function planObjects(
  context: BuildContext,
  sources: ReadonlyMap<string, ReadonlyMap<string, string>>,
  compiler: Compiler,
  header: Header | undefined,
): Promise<ObjectPlan[]> {
  const headerSum = header === undefined
    ? ""
    : await digest([await Deno.readTextFile(header.path)]);
  const plans: ObjectPlan[] = [];
  for (const [name, files] of sources) {
    const kind = isForeign(files.get(name)!) ? "foreign" : "ours";
    const usesMiniaudio = header !== undefined && mentionsMiniaudio(files);
    const flags = [
      ...compileFlags(Deno.build.os, kind, context.warningsAreErrors),
      ...(usesMiniaudio ? ["-isystem", header.folder] : []),
    ];
    const parts = [compiler.command.join(" "), compiler.version, compiler.cpath, ...flags];
    if (usesMiniaudio) parts.push(headerSum);
    for (const [file, text] of files) parts.push(file, text);
    plans.push({ source: `${context.nativeDir}/${name}`, flags, key: await digest(parts) });
  }
  // The largest first, so that the others are compiled beside it.
  return plans.sort((a, b) => Number(b.flags.includes("-w")) - Number(a.flags.includes("-w")));
}

async function compileAll(
  { system, progress }: BuildContext,
  plans: readonly ObjectPlan[],
  objectDir: string,
  compiler: Compiler,
): Promise<void> {
  const failures: string[] = [];
  const queue = [...plans];
  const work = async () => {
    for (let plan = queue.shift(); plan !== undefined; plan = queue.shift()) {
      const { source, flags } = plan;
      const object = `${objectDir}/${plan.key}.o`;
      const unfinished = `${object}.${crypto.randomUUID()}`;
      const command = [...compiler.command, ...flags, "-c", "-o", unfinished, source];
      let result = await system.run(command);
      if (result.code !== 0 && lacksSystemHeaders(result.stderr) && await system.mayInstall()) {
        progress.step("Installing the C library's headers: apt-get install libc6-dev");
        await system.install(["libc6-dev"]);
        result = await system.run(command);
      }
      if (result.code !== 0) {
        await Deno.remove(unfinished).catch(() => {});
        failures.push(result.stderr || `${command.join(" ")}\nended with status ${result.code}\n`);
      } else {
        if (result.stderr !== "") progress.print(result.stderr);
        await Deno.rename(unfinished, object);
      }
    }
  };
  const workers = Math.max(1, Math.min(navigator.hardwareConcurrency, plans.length));
  await Promise.all(Array.from({ length: workers }, work));
  if (failures.length > 0) {
    const advice = failures.some(lacksSystemHeaders) ? `\n${compilerAdvice(Deno.build.os)}.` : "";
    throw new BuildError(
      `Cannot build the native library: ${compiler.command.join(" ")} refused ${failures.length} ` +
        `of its files.\n${failures.join("")}${advice}`,
    );
  }
}

async function link(
  { system }: BuildContext,
  plans: readonly ObjectPlan[],
  objectDir: string,
  library: string,
  compiler: Compiler,
): Promise<void> {
  const unfinished = `${library}.${crypto.randomUUID()}`;
  const objects = plans.map((plan) => `${objectDir}/${plan.key}.o`);
  const command = [
    ...compiler.command,
    "-o",
    unfinished,
    ...objects,
    ...linkFlags(Deno.build.os),
  ];
  const result = await system.run(command);
  if (result.code !== 0) {
    await Deno.remove(unfinished).catch(() => {});
    throw new BuildError(
      `Cannot build the native library: joining its ${objects.length} objects failed ` +
        `(status ${result.code}).\n${result.stderr}`,
    );
  }
  await Deno.rename(unfinished, library);
}

/** Deletes what old builds left, and what interrupted ones did. Failing is harmless: the next build tries again. */
async function prune(buildDir: string, keep: ReadonlySet<string>): Promise<void> {
  const oldest = Date.now() - KEEP_MS;
  for (const folder of [buildDir, `${buildDir}/objects`]) {
    for await (const entry of Deno.readDir(folder)) {
      const path = `${folder}/${entry.name}`;
      if (!entry.isFile || keep.has(path) || !/^liblp-|\.o(\.|$)/.test(entry.name)) continue;
      const modified = (await Deno.stat(path).catch(() => undefined))?.mtime?.getTime() ?? Infinity;
      if (modified < oldest) await Deno.remove(path).catch(() => {});
    }
  }
}

if (import.meta.main) {
  try {
    checkDenoVersion();
    await ensurePackages({
      entry: `${ROOT}server/main.ts`,
      also: `${ROOT}engine/packages/stretch.ts`,
      lock: `${ROOT}deno.lock`,
      buildDir: `${ROOT}.build`,
    });
    const library = await ensureLibrary({ warningsAreErrors: Deno.args.includes("--check") });
    await Deno.mkdir(`${ROOT}.build`, { recursive: true });
    const pointer = `${ROOT}.build/library.path`;
    const unfinished = `${pointer}.${crypto.randomUUID()}`;
    await Deno.writeTextFile(unfinished, library);
    await Deno.rename(unfinished, pointer);
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    console.error(error.message);
    Deno.exit(1);
  }
}
