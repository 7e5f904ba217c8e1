import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { BuildError, type BuildOptions, checkDenoVersion, ensureLibrary } from "../ffi/build.ts";
import { runCommand } from "../ffi/build_command.ts";
import { compilerAdvice, lacksSystemHeaders } from "../ffi/build_compiler.ts";
import { debianArchives, parseSystemRelease } from "../ffi/build_debian.ts";
import {
  checkSum,
  headerSearchPath,
  type HeaderSource,
  headerVersion,
  isAtLeast,
  obtainHeader,
} from "../ffi/build_header.ts";
import { ensurePackages } from "../ffi/build_packages.ts";
import { compileFlags, includesOf, isForeign, isLibrarySource } from "../ffi/build_plan.ts";

/** A folder with a small library of two sources, and a machine that writes down what it runs. */
class Workshop implements AsyncDisposable {
  readonly commands: string[][] = [];
  readonly installed: string[][] = [];
  /** What was written as progress. */
  written = "";

  private constructor(readonly folder: string) {}

  static async open(): Promise<Workshop> {
    const workshop = new Workshop(await Deno.makeTempDir());
    await Deno.mkdir(`${workshop.folder}/native/programs`, { recursive: true });
    await workshop.write("one.h", "#include <stdint.h>\nint32_t lp_one(void);\n");
    await workshop.write(
      "one.c",
      `#include "one.h"\n__attribute__((visibility("default"))) int32_t lp_one(void) { return 1; }\n`,
    );
    await workshop.write(
      "two.c",
      `#include "one.h"\n__attribute__((visibility("default"))) int32_t lp_two(void);\n` +
        `int32_t lp_two(void) { return lp_one() + 1; }\n`,
    );
    // Neither belongs to the library; both would break it.
    await workshop.write("tool_main.c", "#error not part of the library\n");
    await workshop.write("programs/tool.c", "#error not part of the library\n");
    return workshop;
  }

  write(name: string, text: string): Promise<void> {
    return Deno.writeTextFile(`${this.folder}/native/${name}`, text);
  }

  build(env: Record<string, string> = {}, options: BuildOptions = {}): Promise<string> {
    const all: Record<string, string> = { PATH: Deno.env.get("PATH") ?? "", ...env };
    return ensureLibrary({
      nativeDir: `${this.folder}/native`,
      buildDir: `${this.folder}/build`,
      write: (text) => this.written += text,
      ...options,
      system: {
        env: (name) => all[name],
        run: (command, how) => {
          this.commands.push([...command]);
          return runCommand(command, how);
        },
        mayInstall: () => Promise.resolve(false),
        ...options.system,
      },
    });
  }

  /** The sources that were compiled since the last call, by name. */
  takeCompiled(): string[] {
    const compiled = this.commands.filter((command) => command.includes("-c"))
      .map((command) => command.at(-1)!.split("/").at(-1)!);
    this.commands.length = 0;
    return compiled.sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }
}

Deno.test("ensureLibrary() gives a library whose functions can be called, and leaves nothing half done", async () => {
  await using workshop = await Workshop.open();
  const path = await workshop.build();
  const library = Deno.dlopen(path, { lp_two: { parameters: [], result: "i32" } });
  assertEquals(library.symbols.lp_two(), 2);
  library.close();
  for (const folder of ["build", "build/objects"]) {
    for await (const entry of Deno.readDir(`${workshop.folder}/${folder}`)) {
      assertMatch(entry.name, /^(objects|liblp-[0-9a-f]{16}\.(so|dylib|dll)|[0-9a-f]{64}\.o)$/);
    }
  }
});

Deno.test("ensureLibrary() says what it does in one line, and nothing where there is nothing to do", async () => {
  await using workshop = await Workshop.open();
  await workshop.build();
  assertMatch(
    workshop.written,
    /^Native library: compiling 2 of 2 files with .+ … done in [\d.]+ s\n$/,
  );
  workshop.written = "";
  await workshop.build();
  assertEquals(workshop.written, "");
});

Deno.test("ensureLibrary() compiles nothing the second time, and only what changed after that", async () => {
  await using workshop = await Workshop.open();
  const first = await workshop.build();
  assertEquals(workshop.takeCompiled(), ["one.c", "two.c"]);

  assertEquals(await workshop.build(), first);
  assertEquals(workshop.takeCompiled(), []);

  const two = `#include "one.h"\nint32_t lp_two(void);\nint32_t lp_two(void) { return 2; }\n`;
  await workshop.write("two.c", two);
  const second = await workshop.build();
  assert(second !== first);
  assertEquals(workshop.takeCompiled(), ["two.c"]);

  await workshop.write("one.h", "#include <stdint.h>\nint32_t lp_one(void); /* changed */\n");
  await workshop.build();
  assertEquals(
    workshop.takeCompiled(),
    ["one.c", "two.c"],
    "a header counts for all who include it",
  );
});

Deno.test("ensureLibrary() shows what the compiler said, for every file that it refused", async () => {
  await using workshop = await Workshop.open();
  await workshop.write("one.c", "int lp_one(void) { return misspelt_one; }\n");
  await workshop.write("two.c", "int lp_two(void) { return misspelt_two; }\n");
  const error = await assertRejects(() => workshop.build(), BuildError, "refused 2 of its files");
  assertMatch(error.message, /misspelt_one/);
  assertMatch(error.message, /misspelt_two/);
});

Deno.test("ensureLibrary() refuses a warning only when told to", async () => {
  await using workshop = await Workshop.open();
  await workshop.write("one.c", "int lp_one(int unused) { return 1; }\n");
  await workshop.build();
  assertMatch(workshop.written, /unused parameter/, "the warning is shown");
  await assertRejects(
    () => workshop.build({}, { warningsAreErrors: true }),
    BuildError,
    "unused parameter",
  );
});

Deno.test("ensureLibrary() reports a function that nothing defines when building, not when loading", async () => {
  await using workshop = await Workshop.open();
  await workshop.write(
    "two.c",
    "int lp_absent(void); int lp_two(void); int lp_two(void) { return lp_absent(); }\n",
  );
  await assertRejects(() => workshop.build(), BuildError, "lp_absent");
});

Deno.test("ensureLibrary() names a CC that is not there and says what to do", async () => {
  await using workshop = await Workshop.open();
  const error = await assertRejects(() => workshop.build({ CC: "no-such-cc -m64" }), BuildError);
  assertMatch(error.message, /CC names "no-such-cc", which is not there\. Set CC .* or unset it/);
});

Deno.test("ensureLibrary() names a CC that does not answer", async () => {
  await using workshop = await Workshop.open();
  const error = await assertRejects(
    () =>
      workshop.build({ CC: "sh" }, {
        system: { run: () => Promise.resolve({ code: 2, stdout: "", stderr: "Illegal option" }) },
      }),
    BuildError,
  );
  assertMatch(error.message, /CC names "sh".*--version ended with status 2[^]*Illegal option/);
});

Deno.test("ensureLibrary() without a compiler installs one where it may, else says how to get one", async () => {
  await using workshop = await Workshop.open();
  const PATH = `${workshop.folder}/empty`;
  const refusal = await assertRejects(() => workshop.build({ PATH }), BuildError);
  assertMatch(refusal.message, /there is no C compiler \(cc, clang, gcc\) on PATH\. Install/);

  const failed = await assertRejects(
    () =>
      workshop.build({ PATH }, {
        system: {
          mayInstall: () => Promise.resolve(true),
          install: (packages) => {
            workshop.installed.push([...packages]);
            return Promise.resolve({ code: 100, stdout: "", stderr: "E: no network" });
          },
        },
      }),
    BuildError,
  );
  assertEquals(workshop.installed, [["gcc", "libc6-dev"]]);
  assertMatch(workshop.written, /Installing a C compiler: apt-get install gcc libc6-dev/);
  assertMatch(failed.message, /installing one failed\.\nE: no network/);
});

Deno.test("ensureLibrary() takes LOOPHOLE_NATIVE as it is, and says so when it is no file", async () => {
  await using workshop = await Workshop.open();
  const LOOPHOLE_NATIVE = `${workshop.folder}/native/one.c`;
  assertEquals(await workshop.build({ LOOPHOLE_NATIVE }), LOOPHOLE_NATIVE);
  assertEquals(workshop.commands, []);
  await assertRejects(
    () => workshop.build({ LOOPHOLE_NATIVE: `${workshop.folder}/absent.so` }),
    BuildError,
    "which is not a file",
  );
});

Deno.test("ensureLibrary() says so when there are no sources", async () => {
  await using workshop = await Workshop.open();
  await assertRejects(
    () => workshop.build({}, { nativeDir: `${workshop.folder}/nowhere` }),
    BuildError,
    "there is no C source",
  );
});

Deno.test("headerSearchPath() puts CPATH before the system's folders", () => {
  assertEquals(headerSearchPath("", "linux"), [
    "/usr/local/include/miniaudio.h",
    "/usr/include/miniaudio.h",
  ]);
  assertEquals(headerSearchPath("/a:/b/:", "darwin"), [
    "/a/miniaudio.h",
    "/b/miniaudio.h",
    "/opt/homebrew/include/miniaudio.h",
    "/usr/local/include/miniaudio.h",
  ]);
  assertEquals(headerSearchPath("C:\\audio", "windows"), ["C:\\audio/miniaudio.h"]);
});

Deno.test("headerVersion() and isAtLeast() decide which headers are new enough", () => {
  assertEquals(headerVersion(versionLines(0, 11, 25)), "0.11.25");
  assertEquals(headerVersion("/* something else */"), undefined);
  assert(isAtLeast("0.11.22", "0.11.22"));
  assert(isAtLeast("0.12.0", "0.11.22"));
  assert(isAtLeast("1.0.0", "0.11.22"));
  assert(!isAtLeast("0.11.9", "0.11.22"), "compared as numbers, not as text");
});

Deno.test("obtainHeader() takes the first installed header that is new enough and asks nobody", async () => {
  await using workshop = await Workshop.open();
  await workshop.write("old.h", versionLines(0, 11, 21));
  await workshop.write("new.h", versionLines(0, 11, 22));
  const header = await obtainHeader({
    searchPath: ["absent.h", "old.h", "new.h"].map((name) => `${workshop.folder}/native/${name}`),
    buildDir: `${workshop.folder}/build`,
    sources: [unreachableSource("a")],
  });
  assertEquals(header.path, `${workshop.folder}/native/new.h`);
  assertEquals(header.folder, `${workshop.folder}/native`);
});

Deno.test("obtainHeader() goes to the next source when one fails, keeps what it got, and asks once", async () => {
  await using workshop = await Workshop.open();
  const bytes = new TextEncoder().encode(versionLines(0, 11, 25));
  let asked = 0;
  const options = {
    searchPath: [],
    buildDir: `${workshop.folder}/build`,
    sources: [unreachableSource("a"), {
      name: "b",
      sha256: new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex(),
      fetch: () => {
        asked++;
        return Promise.resolve(bytes);
      },
    }],
  };
  const header = await obtainHeader(options);
  assertEquals(await Deno.readFile(header.path), bytes);
  assertEquals((await obtainHeader(options)).path, header.path);
  assertEquals(asked, 1);
});

Deno.test("obtainHeader() keeps no header whose SHA-256 is another, and tells what was tried and what helps", async () => {
  await using workshop = await Workshop.open();
  await workshop.write("miniaudio.h", versionLines(0, 11, 11));
  const error = await assertRejects(
    () =>
      obtainHeader({
        searchPath: [`${workshop.folder}/native/miniaudio.h`],
        buildDir: `${workshop.folder}/build`,
        sources: [unreachableSource("Debian"), {
          name: "GitHub",
          sha256: "00".repeat(32),
          fetch: () => Promise.resolve(new Uint8Array([1])),
        }],
      }),
    BuildError,
  );
  assertMatch(error.message, /miniaudio\.h is version 0\.11\.11, older than 0\.11\.22/);
  assertMatch(error.message, /Debian: no route to host/);
  assertMatch(error.message, /GitHub: .*its SHA-256 is 4bf5122f[0-9a-f]{56}, expected 0{64}/);
  assertMatch(error.message, /Connect to the network .* install the header .* CPATH/);
  await assertRejects(() => Deno.stat(`${workshop.folder}/build`), Deno.errors.NotFound);
});

Deno.test("checkSum() passes the right bytes", async () => {
  const sum = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"; // of nothing
  await checkSum(new Uint8Array(), sum, "here");
  await assertRejects(() => checkSum(new Uint8Array(1), sum, "here"), BuildError, "from here");
});

Deno.test("debianArchives() finds the system's archive in both of apt's notations, and no others", () => {
  const files = new Map([
    [
      "/etc/apt/sources.list",
      "# deb http://mirror.example/commented bookworm main\n" +
      "deb [arch=amd64 signed-by=/keys/debian.gpg] http://mirror.example/debian bookworm main contrib # ours\n" +
      "deb http://mirror.example/security bookworm-security main\n" +
      "deb-src http://mirror.example/source bookworm main\n" +
      "deb http://mirror.example/tools bookworm stable\n",
    ],
    [
      "/etc/apt/sources.list.d/debian.sources",
      "Types: deb deb-src\n# a remark\nURIs: http://other.example/debian\n  http://third.example/debian\n" +
      "Suites: bookworm bookworm-updates\nComponents: main\nSigned-By: /keys/other.gpg\n\n" +
      "Types: deb\nURIs: http://off.example/debian\nSuites: bookworm\nComponents: main\nEnabled: no\n\n" +
      "Types: deb\nURIs: http://inline.example/debian\nSuites: bookworm\nComponents: main\n" +
      "Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc\n",
    ],
  ]);
  assertEquals(debianArchives(files, "bookworm"), [
    { uri: "http://mirror.example/debian", signedBy: "/keys/debian.gpg" },
    { uri: "http://other.example/debian", signedBy: "/keys/other.gpg" },
    { uri: "http://third.example/debian", signedBy: "/keys/other.gpg" },
    { uri: "http://inline.example/debian", signedBy: "" },
  ]);
  assertEquals(debianArchives(files, "trixie"), []);
});

Deno.test("parseSystemRelease() reads quoted and bare values", () => {
  assertEquals(
    parseSystemRelease(
      `ID=ubuntu\nID_LIKE="debian other"\nVERSION_CODENAME='noble'\nHOME_URL="x"\n`,
    ),
    { id: "ubuntu", like: ["debian", "other"], codename: "noble" },
  );
});

Deno.test("the plan leaves out programs and finds includes and foreign code", () => {
  assert(isLibrarySource("engine.c"));
  assert(!isLibrarySource("probe_main.c"));
  assert(!isLibrarySource("engine.h"));
  assertEquals(
    includesOf(`#include "a.h"\n  #  include <sys/b.h>\n// #include "c.h"\n`),
    ["a.h", "sys/b.h"],
  );
  assert(isForeign("#define MINIAUDIO_IMPLEMENTATION\n#include <miniaudio.h>\n"));
  assert(!isForeign("// MINIAUDIO_IMPLEMENTATION is defined elsewhere\n"));
  assert(compileFlags("linux", "ours", true).includes("-Werror"));
  assert(!compileFlags("linux", "foreign", true).includes("-Werror"));
});

Deno.test("advice fits the system, and missing C headers are told from other errors", () => {
  assertMatch(compilerAdvice("darwin"), /xcode-select/);
  assertMatch(compilerAdvice("linux"), /apt-get install gcc libc6-dev/);
  assert(lacksSystemHeaders("a.c:1:10: fatal error: stdint.h: No such file or directory"));
  assert(lacksSystemHeaders("a.c:1:10: fatal error: 'stdio.h' file not found"));
  assert(!lacksSystemHeaders("a.c:1:10: fatal error: absent.h: No such file or directory"));
});

Deno.test("ensurePackages() says what to do without a network, and asks nobody once they are there", async () => {
  const root = new URL("..", import.meta.url).pathname;
  const folder = await Deno.makeTempDir();
  try {
    const options = {
      entry: `${root}server/main.ts`,
      lock: `${root}deno.lock`,
      buildDir: `${folder}/build`,
    };
    // Nothing is cached, and nobody answers.
    const env = { DENO_DIR: `${folder}/deno`, NPM_CONFIG_REGISTRY: "http://127.0.0.1:9/" };
    const error = await assertRejects(() => ensurePackages({ ...options, env }), BuildError);
    assertMatch(error.message, /^Cannot fetch the npm packages .* needs the network.*\n.*error/);
    await assertRejects(() => Deno.stat(options.buildDir), Deno.errors.NotFound);
    // What is wanted later, and cannot be had now, keeps nobody from starting.
    await ensurePackages({ ...options, also: `${root}engine/packages/absent.ts` });
    await ensurePackages({ ...options, env });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("checkDenoVersion() names the version that is needed and two ways to it", () => {
  checkDenoVersion("2.9.6");
  checkDenoVersion("2.10.0-rc.1");
  const error = assertThrows(() => checkDenoVersion("2.8.3"), BuildError);
  assertMatch(error.message, /Deno 2\.8\.3: 2\.9\.6 or later.*deno upgrade.*npx/);
});

function versionLines(major: number, minor: number, revision: number): string {
  return `#define MA_VERSION_MAJOR    ${major}\n#define MA_VERSION_MINOR    ${minor}\n` +
    `#define MA_VERSION_REVISION ${revision}\n`;
}

function unreachableSource(name: string): HeaderSource {
  return {
    name,
    sha256: name.charCodeAt(0).toString(16).repeat(32),
    fetch: () => Promise.reject(new Error("no route to host")),
  };
}
