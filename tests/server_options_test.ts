/** The command line: what it gives, and what it refuses by name. */
import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { OptionError, parseOptions, type ServerOptions } from "../server/options.ts";

function parse(args: string[], env: Record<string, string> = {}): ServerOptions {
  const command = parseOptions(args, { env: (name) => env[name], folder: "/home/me", os: "linux" });
  if (command.kind !== "serve") throw new Error("expected options");
  return command.options;
}

function refusal(args: string[], env: Record<string, string> = {}): string {
  return (assertThrows(() => parse(args, env), OptionError) as unknown as Error).message;
}

Deno.test("an empty command line serves on loopback with the contract's defaults", () => {
  const options = parse([]);
  assertEquals(options.host, "127.0.0.1");
  assertEquals(options.port, 4747);
  assertEquals(options.token, undefined);
  assertEquals(options.origins, []);
  assertEquals(options.backend, "auto");
  assertEquals(options.period, 256);
  assertEquals(options.memoryMb, 500);
  assertEquals(options.gpu, "auto");
  assertEquals(options.log, "text");
  assertEquals(options.files, []);
});

Deno.test("a sample rate that is not said is told from one that is", () => {
  assertEquals(parse([]).sampleRate, undefined);
  assertEquals(parse(["--sample-rate", "48000"]).sampleRate, 48_000);
});

Deno.test("options take their value behind a blank or an equals sign, files come anywhere", () => {
  const options = parse(["a.wav", "--port=0", "--library", "/m", "--library=sub", "/b.aiff"]);
  assertEquals(options.port, 0);
  assertEquals(options.libraryRoots, ["/m", "/home/me/sub"]);
  assertEquals(options.files, ["/home/me/a.wav", "/b.aiff"]);
  assertEquals(parse(["--", "--port"]).files, ["/home/me/--port"]);
});

Deno.test("the environment stands in for what is not given", () => {
  const env = {
    LOOPHOLE_PORT: "5000",
    LOOPHOLE_SAMPLE_RATE: "44100",
    LOOPHOLE_ORIGIN: "http://a:1, http://b:2",
    LOOPHOLE_LIBRARY: "/x:/y",
    LOOPHOLE_TOKEN: "",
  };
  const options = parse(["--port", "1"], env);
  assertEquals(options.port, 1);
  assertEquals(options.sampleRate, 44_100);
  assertEquals(options.origins, ["http://a:1", "http://b:2"]);
  assertEquals(options.libraryRoots, ["/x", "/y"]);
  assertEquals(options.token, undefined);
  assertStringIncludes(refusal([], { LOOPHOLE_PORT: "x" }), "LOOPHOLE_PORT");
});

Deno.test("what is unknown, conflicting or out of range is refused by name", () => {
  assertStringIncludes(refusal(["--prot", "1"]), "--prot");
  assertStringIncludes(refusal(["-p"]), "-p");
  assertStringIncludes(refusal(["--__proto__", "1"]), "--__proto__");
  assertStringIncludes(refusal(["--port"]), "--port");
  assertStringIncludes(refusal(["--port", "65536"]), "--port");
  assertStringIncludes(refusal(["--port", "-1"]), "--port");
  assertStringIncludes(refusal(["--port", "0x10"]), "--port");
  assertStringIncludes(refusal(["--port", "1", "--port", "2"]), "--port");
  assertStringIncludes(refusal(["--period", "1.5"]), "--period");
  assertStringIncludes(refusal(["--backend", "asio"]), "--backend");
  assertStringIncludes(refusal(["--backend", "null", "--device", "x"]), "--device");
  assertStringIncludes(refusal(["--gpu", "maybe"]), "--gpu");
  assertStringIncludes(refusal(["--origin", "localhost:5173"]), "--origin");
  assertStringIncludes(refusal(["--origin", "http://a/path"]), "--origin");
  assertStringIncludes(refusal(["--origin", "null"]), "--origin");
  assertStringIncludes(refusal(["--origin", "*"]), "--origin");
  assertStringIncludes(refusal(["--token", "has blank"]), "--token");
  assertStringIncludes(refusal(["--host", "a b"]), "--host");
});

Deno.test("another interface needs a token", () => {
  for (const host of ["0.0.0.0", "::", "192.168.1.2", "studio.local"]) {
    assertStringIncludes(refusal(["--host", host]), "--token");
    assertEquals(parse(["--host", host, "--token", "t"]).host, host);
  }
  for (const host of ["127.0.0.1", "localhost", "::1", "[::1]", "127.1.2.3"]) {
    parse(["--host", host]);
  }
});

Deno.test("origins are kept as browsers write them", () => {
  const { origins } = parse(["--origin", "HTTP://Localhost:80/", "--origin", "tauri://localhost"]);
  assertEquals(origins, ["http://localhost", "tauri://localhost"]);
});

Deno.test("--help lists every option", () => {
  const command = parseOptions(["--help"], { env: () => undefined, folder: "/", os: "linux" });
  if (command.kind !== "help") throw new Error("expected help");
  const options = [
    "host port token origin backend device period sample-rate data-dir cache-dir",
    "export-dir library memory-mb project gpu log help",
  ].join(" ");
  for (const option of options.split(" ")) assertStringIncludes(command.text, `--${option} `);
});
