/**
 * Gets what the tests need from the system before they run.
 *
 * @module
 */
import { installPackages, mayInstallPackages } from "../ffi/build_debian.ts";
import { missingPrograms, type NeedName, NEEDS } from "./needs.ts";

/** The test files among some paths, in order: files as they are, folders with all that is under them. */
export async function testFiles(paths: readonly string[]): Promise<string[]> {
  const files: string[] = [];
  for (const path of paths) {
    const info = await Deno.stat(path).catch(() => undefined);
    if (info?.isFile) files.push(path);
    if (!info?.isDirectory) continue;
    for await (const entry of Deno.readDir(path)) {
      if (entry.isDirectory) files.push(...await testFiles([`${path}/${entry.name}`]));
      else if (/_test\.tsx?$/.test(entry.name)) files.push(`${path}/${entry.name}`);
    }
  }
  return files.sort();
}

/** The needs that a test's source names in calls of `needs(…)`. */
export function needsNamedIn(source: string): NeedName[] {
  const named = new Set<NeedName>();
  for (const call of source.matchAll(/\bneeds\(([^)]*)\)/g)) {
    for (const [, name] of call[1].matchAll(/["']([^"']+)["']/g)) {
      if (Object.hasOwn(NEEDS, name)) named.add(name as NeedName);
    }
  }
  return [...named];
}

/** What setting up asks of the machine; tests of it put their own in its place. */
export interface SetUpSystem {
  mayInstall(): Promise<boolean>;
  install(packages: readonly string[]): Promise<{ code: number; stderr: string }>;
  /** Folders joined by colons, where programs are looked for. */
  path(): string;
  /** Told what is done, line by line. */
  say(line: string): void;
}

const machine: SetUpSystem = {
  mayInstall: mayInstallPackages,
  install: installPackages,
  path: () => Deno.env.get("PATH") ?? "",
  say: console.error,
};

/**
 * Installs the packages that the given test files need, where that may be done, and otherwise says in one line what to install.
 *
 * @returns The needs that are still not met.
 */
export async function setUp(
  files: readonly string[],
  system: SetUpSystem = machine,
): Promise<NeedName[]> {
  const named = new Set<NeedName>();
  for (const file of files) {
    for (const name of needsNamedIn(await Deno.readTextFile(file))) named.add(name);
  }
  const unmet = () => [...named].filter((name) => missingPrograms(name, system.path()).length > 0);
  const missing = unmet();
  if (missing.length === 0) return [];

  const packages = missing.flatMap((name) => NEEDS[name].packages);
  if (!await system.mayInstall()) {
    system.say(`Some tests will be skipped. To run them, install: ${packages.join(" ")}`);
    return missing;
  }
  system.say(`Installing for the tests: apt-get install ${packages.join(" ")}`);
  const result = await system.install(packages);
  if (result.code === 0) return unmet();
  system.say(result.stderr.trim());
  // One package that this system does not have must not keep the others away.
  for (const name of missing.length > 1 ? missing : []) {
    const { code, stderr } = await system.install(NEEDS[name].packages);
    if (code !== 0) system.say(stderr.trim());
  }
  return unmet();
}
