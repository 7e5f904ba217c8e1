/**
 * The proof that the callback never blocks (`ffi/effects.ts`), and that the proof would fail where it should.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { effectsOf, findEffectsClang, miniaudioFolder, ownSources } from "../ffi/effects.ts";
import { needs } from "./needs.ts";

const ROOT = import.meta.dirname!.replace(/[/\\]tests$/, "");
const NATIVE = `${ROOT}/ffi/native`;

const PLAYS = [
  "device.c",
  "device_clock.c",
  "directory.c",
  "engine.c",
  "head.c",
  "histogram.c",
  "master_rate.c",
  "mix.c",
  "overruns.c",
  "proxy.c",
  "reading.c",
  "mix_kernel_avx2.c",
  "mix_kernel_avx512.c",
  "mix_kernel_plain.c",
  "render.c",
  "resample.c",
  "resample_kernel_avx2.c",
  "resample_kernel_avx512.c",
  "resample_kernel_plain.c",
  "side.c",
  "snapshot.c",
  "speed_kernel_avx2.c",
  "speed_kernel_avx512.c",
  "speed_kernel_plain.c",
  "steady.c",
  "store.c",
  "tap.c",
  "track_cursor.c",
];

async function compiler(): Promise<string> {
  const clang = await findEffectsClang(Deno.env.get("PATH") ?? "", `${ROOT}/.build`);
  assert(clang !== undefined, "clang-22 is there and does not know effects");
  return clang;
}

Deno.test({
  name: "nothing that the callback calls can block, says clang",
  ...needs("clang-22"),
  async fn() {
    const [clang, headers, sources] = await Promise.all([
      compiler(),
      miniaudioFolder(),
      ownSources(),
    ]);
    const names = sources.map((path) => path.slice(path.lastIndexOf("/") + 1));
    assertEquals(PLAYS.filter((name) => !names.includes(name)), [], "sources that are gone");
    const queue = [...sources];
    const work = async () => {
      for (let source = queue.shift(); source !== undefined; source = queue.shift()) {
        assertEquals(await effectsOf(clang, source, headers), "");
      }
    };
    await Promise.all(Array.from({ length: navigator.hardwareConcurrency }, work));
  },
});

/** What is put into a copy of a source: behind the start of a function, so that the callback does it. */
const SINS: [what: string, file: string, start: RegExp, statement: string, said: RegExp][] = [
  ["allocation", "mix.c", /^static bool enough\(.*\{$/m, "free(malloc(1));", /'enough'/],
  [
    "allocation",
    "reading.c",
    /^static void turn\(.*\{$/m,
    "free(malloc(1));",
    /'turn'/,
  ],
  [
    "a lock",
    "render.c",
    /^static void finish_fade\(.*\{$/m,
    "pthread_mutex_lock(&r->lock);",
    /'finish_fade'[^]*'pthread_mutex_lock'/,
  ],
  [
    "a function of ours that is not marked",
    "render.c",
    /^static void meter_master\(.*\{$/m,
    "lp_engine_wake(r->engine);",
    /'lp_engine_wake'/,
  ],
  ["a read", "directory.c", /^static inline lp_sight look\(.*\{$/m, "read(0, 0, 0);", /'read'/],
  [
    "opening a file",
    "snapshot.c",
    /^static uint32_t first_place\(.*\{$/m,
    'open("/", 0);',
    /'open'/,
  ],
  ["sleeping", "head.c", /^static void run_map\(.*\{$/m, "usleep(1);", /'usleep'/],
  ["printing", "device.c", /^static void mark\(.*\{$/m, 'printf("%p", (void *)d);', /'printf'/],
  ["the clock, unless it is trusted", "tap.c", /^void lp_tap_pass\(.*\{$/m, "time(0);", /'time'/],
  [
    "a pointer to what is not marked",
    "master_rate.c",
    /^static void forget\(.*\{$/m,
    "void (*f)(void) = (void (*)(void))(uintptr_t)m; f();",
    /'forget'/,
  ],
  [
    "allocation behind a table of functions",
    "resample_kernel_body.h",
    /^TARGET static void unpack\(.*\{$/m,
    "free(malloc(1));",
    /'malloc'/,
  ],
  [
    "a lock behind another",
    "speed_kernel_body.h",
    /^TARGET static void play\(.*\{$/m,
    "pthread_mutex_lock(0);",
    /'pthread_mutex_lock'/,
  ],
];

for (const [what, file, start, statement, said] of SINS) {
  Deno.test({
    name: `a callback with ${what} in it is refused (${file})`,
    ...needs("clang-22"),
    async fn() {
      const text = await Deno.readTextFile(`${NATIVE}/${file}`);
      assertEquals(text.match(new RegExp(start, "gm"))?.length, 1, `${file} has no ${start}`);
      const folder = await Deno.makeTempDir();
      try {
        const headers = await miniaudioFolder();
        const copy = `${folder}/${file}`;
        const sin = (more: string) =>
          "#include <fcntl.h>\n#include <pthread.h>\n#include <stdio.h>\n#include <stdlib.h>\n" +
          "#include <time.h>\n#include <unistd.h>\n" + text.replace(start, (line) => line + more);
        let source = copy;
        if (file.endsWith(".h")) {
          // The copies' own folder comes first.
          const name = file.replace("_body.h", "_plain.c");
          source = `${folder}/${name}`;
          await Deno.copyFile(`${NATIVE}/${name}`, source);
        }
        const clang = await compiler();
        await Deno.writeTextFile(copy, sin(""));
        assertEquals(await effectsOf(clang, source, headers), "");
        await Deno.writeTextFile(copy, sin(` ${statement}`));
        const told = await effectsOf(clang, source, headers);
        assertMatch(told, /error: .*must not.*-Wfunction-effects\]/);
        assertMatch(told, said);
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}

Deno.test("what a header calls [callback] is marked LP_NONBLOCKING", async () => {
  const unmarked: string[] = [];
  let marked = 0;
  for await (const { name } of Deno.readDir(NATIVE)) {
    if (!name.endsWith(".h")) continue;
    const text = await Deno.readTextFile(`${NATIVE}/${name}`);
    // The comment, then what stands right below it, which it speaks of.
    const said =
      /\/\* (?:[a-z_]+\.c )?\[callback\b[^\]]*\](?:(?!\*\/)[^])*\*\/\n((?:(?!\n\n|\/\*)[^])*)/g;
    for (const [, declarations] of text.matchAll(said)) {
      for (const [declaration] of declarations.matchAll(/^[a-z][^;{]*\([^;{]*[;{]/gm)) {
        if (/LP_NONBLOCKING\s*[;{]$/.test(declaration)) marked++;
        else unmarked.push(`${name}: ${declaration}`);
      }
    }
  }
  assertEquals(unmarked, []);
  assert(marked >= 20, `only ${marked} are`);
});
