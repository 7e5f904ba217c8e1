/**
 * Builds `native/store_main.c` with the page store and runs it: plain, and under the sanitizers that the compiler has. What each of
 * its tests proves is said there.
 *
 * @module
 */
import { assertEquals } from "@std/assert";

const ROOT = import.meta.dirname!.replace(/[/\\]tests$/, "");
const BUILD = `${ROOT}/.build`;
const SOURCES = [
  ...[
    "heap",
    "fill_queue",
    "fold",
    "directory",
    "slab",
    "residency",
    "files",
    "store",
    "pool",
    "pcm_file",
    "pcm_convert",
    "pcm_header_riff",
    "pcm_header_aiff",
  ].map((name) => `${ROOT}/ffi/native/${name}.c`),
  `${ROOT}/tests/native/store_support.c`,
  `${ROOT}/tests/native/store_main.c`,
];

/** How the program is built: by name, with the compiler's arguments. */
const MODES = {
  plain: ["-O2"],
  address: ["-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=undefined"],
  // GCC warns that it does not know fences there; what they order is checked by values, what they publish by release and acquire.
  thread: ["-O1", "-fsanitize=thread", "-Wno-tsan"],
} as const;

const linux = Deno.build.os === "linux";

async function run(
  command: string,
  args: readonly string[],
): Promise<{ ok: boolean; text: string }> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args: [...args] }).output();
  const decoder = new TextDecoder();
  return { ok: success, text: decoder.decode(stdout) + decoder.decode(stderr) };
}

/** A digest of everything that the program is made of. */
async function digest(mode: string): Promise<string> {
  const folders = [`${ROOT}/ffi/native`, `${ROOT}/tests/native`];
  const headers = folders.flatMap((folder) =>
    [...Deno.readDirSync(folder)].filter((entry) => entry.name.endsWith(".h"))
      .map((entry) => `${folder}/${entry.name}`)
  );
  const text = [mode, ...SOURCES.concat(headers.sort()).map((path) => Deno.readTextFileSync(path))];
  const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text.join("\0")));
  return new Uint8Array(bytes).toHex().slice(0, 16);
}

/** The program's path; it is built if it is not there. */
async function build(mode: keyof typeof MODES): Promise<string> {
  const prefix = `store_test-${mode}-`;
  const path = `${BUILD}/${prefix}${await digest(MODES[mode].join(" "))}`;
  try {
    Deno.statSync(path);
    return path;
  } catch {
    // To be built.
  }
  for (const { name } of Deno.readDirSync(BUILD)) {
    if (name.startsWith(prefix)) Deno.removeSync(`${BUILD}/${name}`);
  }
  const { ok, text } = await run("cc", [
    "-std=gnu11",
    "-D_GNU_SOURCE",
    "-g",
    ...MODES[mode],
    "-ffp-contract=off",
    `-I${ROOT}/ffi/native`,
    `-I${ROOT}/tests/native`,
    ...SOURCES,
    "-Wl,--wrap=lp_pcm_read",
    "-o",
    `${path}.new`,
    "-lpthread",
    "-lm",
  ]);
  if (!ok) throw new Error(`Cannot build the tests of the page store:\n${text}`);
  Deno.renameSync(`${path}.new`, path);
  return path;
}

/** Whether programs built in this mode work on this machine. */
async function works(mode: keyof typeof MODES): Promise<boolean> {
  const path = `${BUILD}/store_probe-${mode}-${Deno.pid}`;
  try {
    Deno.writeTextFileSync(`${path}.c`, "int main(void) { return 0; }\n");
    const built = await run("cc", [...MODES[mode], `${path}.c`, "-o", path]);
    return built.ok && (await run("sh", ["-c", `exec "${path}"`])).ok;
  } catch {
    return false;
  } finally {
    for (const leftover of [path, `${path}.c`]) {
      await Deno.remove(leftover).catch(() => {});
    }
  }
}

const PROMISES = {
  plain: "the page store keeps its promises: contents, ranks, budget, epochs, faults, stopping",
  address:
    "the page store leaks nothing and touches nothing that is not its own (address sanitizer)",
  thread: "the page store has no data race (thread sanitizer)",
};

for (const mode of ["plain", "address", "thread"] as const) {
  Deno.test({
    name: PROMISES[mode],
    ignore: !linux || (mode !== "plain" && !(await works(mode))),
    fn: async () => {
      const program = await build(mode);
      const { ok, text } = await run("sh", ["-c", `exec "${program}" all`]);
      assertEquals(ok, true, text);
    },
  });
}
