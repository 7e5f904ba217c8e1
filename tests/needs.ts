/**
 * What single tests need from the system. `deno task test` installs it as root on Debian; where it is missing, the tests that need
 * it are skipped and say why. With `CI=true` `tests/run.ts` counts a skipped test as a failure.
 *
 * @module
 */

/** Programs that a test runs, and where they come from. */
export interface Need {
  /** Looked for along `PATH`; all must be there. */
  programs: readonly string[];
  /** Other files that must be there, such as a library's header. */
  files?: readonly string[];
  /** Debian's packages that hold them. */
  packages: readonly string[];
}

/** Every need that a test may name. Only those that a test does name are installed. */
export const NEEDS = {
  "pulseaudio": {
    programs: ["pulseaudio", "pactl", "parec"],
    packages: ["pulseaudio", "pulseaudio-utils"],
  },
  // Debian 12 has it in its security archive; where the system has no such package the tests are skipped.
  "clang-22": { programs: ["clang-22"], packages: ["clang-22", "libclang-rt-22-dev"] },
  "mpg123": { programs: ["mpg123"], packages: ["mpg123"] },
  "jack": { programs: ["jackd"], packages: ["jackd2"] },
  "ffmpeg": { programs: ["ffmpeg", "ffprobe"], packages: ["ffmpeg"] },
  "node": { programs: ["node"], packages: ["nodejs"] },
  "fuse": {
    programs: ["fusermount3", "pkg-config"],
    files: ["/usr/include/fuse3/fuse.h"],
    packages: ["fuse3", "libfuse3-dev", "pkg-config"],
  },
  "chromium": { programs: ["chromium"], packages: ["chromium", "fonts-dejavu-core"] },
} as const satisfies Record<string, Need>;

/** The name of a need. */
export type NeedName = keyof typeof NEEDS;

const told = new Set<NeedName>();

/**
 * The programs, and other files, of a need that are not there.
 *
 * @param path Folders joined by colons, as in `PATH`.
 */
export function missingPrograms(name: NeedName, path = Deno.env.get("PATH") ?? ""): string[] {
  const { programs, files = [] }: Need = NEEDS[name];
  return [
    ...programs.filter((program) => findOnPath(program, path) === undefined),
    ...files.filter((file) => !isFile(file)),
  ];
}

/** Where `PATH` has a program, or `undefined`. */
export function findOnPath(
  program: string,
  path = Deno.env.get("PATH") ?? "",
): string | undefined {
  const windows = Deno.build.os === "windows";
  for (const folder of path.split(windows ? ";" : ":")) {
    const candidate = `${folder}/${program}${windows ? ".exe" : ""}`;
    if (folder !== "" && isFile(candidate)) return candidate;
  }
  return undefined;
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/**
 * For the options of a test that runs system programs: skips it, visibly, where they are missing.
 *
 * ```ts ignore
 * Deno.test({ name: "plays on a real server", ...needs("pulseaudio"), fn: async () => { … } });
 * ```
 */
export function needs(...names: NeedName[]): { ignore: boolean } {
  let ignore = false;
  for (const name of names) {
    const missing = missingPrograms(name);
    if (missing.length === 0) continue;
    ignore = true;
    if (told.has(name)) continue;
    told.add(name);
    console.error(
      `Skipping the tests that need ${name}: ${missing.join(", ")} not found. ` +
        `Install ${NEEDS[name].packages.join(", ")}.`,
    );
  }
  return { ignore };
}

/** How the line begins that excuses one test, on stdout: `run.ts` counts them. */
export const NOT_POSSIBLE = "Not possible on this machine: ";

/**
 * For the options of a test of something that the system itself may refuse, such as mounting in a container that may not: there it is skipped, visibly, and
 * no package would mend it, so that `CI=true` does not count it as a failure. Called once for each test, after {@linkcode needs} was asked.
 *
 * @param test What is not tested then.
 * @param refusal What the system said; `undefined` where it does what the test asks of it.
 */
export function possible(test: string, refusal: string | undefined): { ignore: boolean } {
  if (refusal === undefined) return { ignore: false };
  console.log(`${NOT_POSSIBLE}${test}: ${refusal}`);
  return { ignore: true };
}
