import { assert, assertEquals } from "@std/assert";
import { missingPrograms, possible } from "./needs.ts";
import { needsNamedIn, setUp } from "./setup.ts";
import { countImpossible, parseSummary, verdict } from "./summary.ts";

Deno.test("parseSummary() takes the last summary that deno printed, with or without colours", () => {
  assertEquals(
    parseSummary(
      "ok | 9 passed | 9 failed (1s)\nnoise\nFAILED | 12 passed (3 steps) | 2 failed (1 step) | 4 ignored (2s)\n",
    ),
    { passed: 12, failed: 2, ignored: 4 },
  );
  assertEquals(
    parseSummary("\x1b[32mok\x1b[0m | 3 passed | 0 failed \x1b[38;5;245m(2ms)\x1b[0m\n"),
    { passed: 3, failed: 0, ignored: 0 },
  );
  assertEquals(parseSummary("error: Type checking failed.\n"), undefined);
});

Deno.test("verdict() passes only a run that ran something and lost nothing", () => {
  const clean = { passed: 3, failed: 0, ignored: 0 };
  assertEquals(verdict(clean, 0, true), { passed: 3, failed: 0, ok: true });
  assertEquals(verdict({ ...clean, ignored: 2 }, 0, false), { passed: 3, failed: 0, ok: true });
  assertEquals(verdict({ ...clean, ignored: 2 }, 0, true), { passed: 3, failed: 2, ok: false });
  assertEquals(verdict(clean, 1, false), { passed: 3, failed: 1, ok: false });
  assertEquals(verdict({ ...clean, ignored: 2 }, 0, true, 1), { passed: 3, failed: 1, ok: false });
  assertEquals(verdict({ ...clean, ignored: 2 }, 0, true, 2), { passed: 3, failed: 0, ok: true });
  assertEquals(verdict(undefined, 1, false), { passed: 0, failed: 1, ok: false });
  assertEquals(verdict({ passed: 0, failed: 0, ignored: 0 }, 0, false).ok, false);
});

Deno.test("needsNamedIn() finds what tests ask for, and missingPrograms() what is not there", () => {
  const call = "needs"; // apart from its bracket, or this file itself would seem to need them
  assertEquals(
    needsNamedIn(`Deno.test({ ...${call}("ffmpeg", 'pulseaudio'), fn }); ${call}("unheard of");`),
    ["ffmpeg", "pulseaudio"],
  );
  assertEquals(missingPrograms("ffmpeg", "/nowhere"), ["ffmpeg", "ffprobe"]);
});

Deno.test("possible() says of each test that the system refuses it, in a line that is counted", () => {
  const said: string[] = [];
  const { log } = console;
  console.log = (line: string) => void said.push(line);
  try {
    assertEquals(possible("a fault", undefined), { ignore: false });
    assertEquals(possible("another", "mounting is not permitted"), { ignore: true });
  } finally {
    console.log = log;
  }
  assertEquals(said, ["Not possible on this machine: another: mounting is not permitted"]);
  assertEquals(countImpossible(["ok", ...said, `quoted: ${said[0]}`]), 1);
});

Deno.test("setUp() gets what the system has, though it has not all of it", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const call = "needs";
    const file = `${folder}/x_test.ts`;
    await Deno.writeTextFile(file, `${call}("clang-22"); ${call}("mpg123", "ffmpeg");`);
    const said: string[] = [];
    const asked: string[][] = [];
    const unmet = await setUp([file], {
      mayInstall: () => Promise.resolve(true),
      // As apt does: all of them or none.
      install: async (packages) => {
        asked.push([...packages]);
        if (packages.includes("clang-22")) {
          return { code: 100, stderr: "E: Unable to locate package clang-22\n" };
        }
        for (const name of packages) await Deno.writeTextFile(`${folder}/${name}`, "");
        if (packages.includes("ffmpeg")) await Deno.writeTextFile(`${folder}/ffprobe`, "");
        return { code: 0, stderr: "" };
      },
      path: () => folder,
      say: (line) => void said.push(line),
    });
    assertEquals(unmet, ["clang-22"]);
    assertEquals(asked.length, 4, `${asked}`);
    assert(said.some((line) => line.includes("Unable to locate package clang-22")));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("the lock holds packages alone, nothing that a test once loaded", async () => {
  const lock = JSON.parse(await Deno.readTextFile(new URL("../deno.lock", import.meta.url)));
  assertEquals(Object.keys(lock).sort(), ["npm", "specifiers", "version"]);
});
