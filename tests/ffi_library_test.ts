import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { check, NativeError } from "../ffi/check.ts";
import { LibraryError, NativeLibrary, openLibraryAt } from "../ffi/library.ts";
import { SOURCE_INFO_BYTES, WHY } from "../ffi/source_info.ts";
import { ABI_VERSION, SCAN_SYMBOLS, SYMBOLS } from "../ffi/symbols.ts";
import { openScans, TemporaryFolder } from "./support/media.ts";

const HEADER = Deno.readTextFileSync(new URL("../ffi/native/engine.h", import.meta.url));

/** The functions of engine.h, by a parser that knows as much C as it holds. */
function declarations() {
  const found = new Map<string, { result: string; parameters: string[]; blocking: boolean }>();
  let thread = "";
  for (
    const [, comment, result, name, list] of HEADER.matchAll(
      /\/\*(.*?)\*\/|LP_API\s+(\w+)\s+(lp_\w+)\(([^)]*)\);/gs,
    )
  ) {
    if (comment !== undefined) {
      thread = comment.match(/^\s*\[(\w+)\]/)?.[1] ?? thread;
      continue;
    }
    found.set(name, {
      result,
      parameters: list === "void"
        ? []
        : list.split(",").map((text) => text.trim().replace(/\s+/g, " ")),
      blocking: thread === "blocking",
    });
  }
  return found;
}

Deno.test("the symbol table is engine.h: every function, parameter, result and thread", () => {
  const types: Record<string, string> = { uint32_t: "u32", int32_t: "i32", double: "f64" };
  const declared = declarations();
  assert(declared.size > 30);
  assertEquals(Object.keys(SYMBOLS), [...declared.keys()]);
  for (const [name, slot] of Object.entries(SYMBOLS)) {
    const c = declared.get(name)!;
    const expected = c.parameters.map((text) =>
      text.includes("*") ? "buffer" : types[text.split(" ")[0]]
    );
    assertEquals([...slot.parameters] as string[], expected, name);
    assertEquals(slot.result as string, types[c.result], name);
    assertEquals("nonblocking" in slot && slot.nonblocking, c.blocking, name);
  }
  assertEquals(ABI_VERSION, Number(HEADER.match(/#define LP_ABI_VERSION (\d+)/)![1]));
});

Deno.test("results and reasons have the numbers of engine.h", () => {
  for (const [, number] of HEADER.matchAll(/LP_E_\w+ = (-\d+)/g)) {
    const error = assertThrows(() => check(Number(number), "try"), NativeError);
    assert(error.code !== "unknown", number);
  }
  const whys = [...HEADER.matchAll(/LP_WHY_\w+ = (\d+)/g)].map((match) => Number(match[1]));
  assertEquals(Object.values(WHY) as number[], whys);
  assertEquals(check(7, "count"), 7);
  assertEquals(check(0, "count"), 0);
  assertEquals(assertThrows(() => check(-99, "count"), NativeError).code, "unknown");
  assertThrows(() => check(NaN, "count"), NativeError);
  assert(
    assertThrows(() => check(-5, "open x"), NativeError).message.startsWith("Cannot open x: "),
  );
});

Deno.test("a library that cannot be loaded: the message names it and what mends it", async () => {
  await using folder = await TemporaryFolder.make();
  const path = await folder.write("broken.so", new Uint8Array(64));
  const error = assertThrows(() => openLibraryAt(path, SCAN_SYMBOLS), LibraryError);
  assert(error.message.includes(path) && error.message.includes("deno task build"), error.message);
});

Deno.test("closing waits for calls under way, then refuses new ones", async () => {
  let release = () => {};
  let unloaded = false;
  const table = {
    lp_abi_version: SYMBOLS.lp_abi_version,
    lp_scan_close: SYMBOLS.lp_scan_close,
  } as const;
  const fake = {
    symbols: {
      lp_abi_version: () => ABI_VERSION,
      lp_scan_close: () => new Promise<number>((resolve) => release = () => resolve(0)),
    },
    close: () => unloaded = true,
  } as unknown as Deno.DynamicLibrary<typeof table>;
  const library = new NativeLibrary("fake", fake, table);
  const pending = library.symbols.lp_scan_close(1);
  const closed = library.close();
  assertThrows(() => library.symbols.lp_abi_version(), LibraryError, "closed");
  await Promise.resolve();
  assertEquals(unloaded, false);
  release();
  assertEquals(await pending, 0);
  await closed;
  assertEquals(unloaded, true);
  await library.close(); // once is enough

  const stuck = new NativeLibrary("fake", fake, table);
  unloaded = false;
  await stuck.close({ unload: false });
  assertEquals(unloaded, false);
  await assertRejects(async () => await stuck.symbols.lp_scan_close(1), LibraryError);
});

Deno.test("a record that is too short is refused, and a scan's handle is never 0", async () => {
  await using library = await openScans();
  const path = new TextEncoder().encode("/nowhere");
  const record = new Uint8Array(SOURCE_INFO_BYTES);
  assertEquals(library.symbols.lp_scan_open(path, path.length, record, 127), -1);
  assertEquals(library.symbols.lp_scan_open(path, path.length, record, 128), -5);
  for (const handle of [0, 1, 65_535, 0x7FFF_FFFF, 0xFFFF_FFFF]) {
    assertEquals(library.symbols.lp_scan_close(handle), -3);
  }
});
