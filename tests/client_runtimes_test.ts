/** The client where it is used: Deno, Node.js, and a browser's page from another origin; over the real engine. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import config from "../deno.json" with { type: "json" };
import manifest from "../server/web/client/package.json" with { type: "json" };
import { connect } from "../server/web/client/mod.js";
import { Server } from "../server/server.ts";
import { needs } from "./needs.ts";
import { Browser } from "./support/chromium.ts";
import { driveEngine } from "./support/drive_engine.js";
import { serveEngine } from "./support/served_engine.ts";

const CLIENT = new URL("../server/web/client/", import.meta.url);
const DRIVE = new URL("./support/drive_engine.js", import.meta.url);

/** What driving the engine comes to, everywhere. */
const SEEN = {
  seen: ["c0,c1", "c1", "c0,c1", "c0,c1"],
  causes: ["edit", "undo"],
  stands: true,
  revision: 2, // The first answer to a request that was repeated after a break.
  peaks: [7, 4, 2],
  refusal: "job.notFound",
  isOpen: false,
};

async function run(program: string, args: string[], env: Record<string, string> = {}) {
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args,
    env: { NO_COLOR: "1", ...env },
    stdout: "piped",
    stderr: "piped",
  }).output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, out, err };
}

Deno.test("in Deno the client drives the engine, from mod.ts as by itself", async () => {
  await using test = await serveEngine();
  assertEquals(await driveEngine(connect, test.url), SEEN);
  assertEquals(test.server.faults, []);
  const whole = await import("../mod.ts");
  assertEquals(whole.connect, connect);
});

Deno.test("a program in Deno imports the client from the running engine, with its types", async () => {
  await using test = await serveEngine();
  const { host } = new URL(test.url);
  const write = async (name: string, uses: string) => {
    const path = `${test.place.base}/${name}.ts`;
    await Deno.writeTextFile(
      path,
      `import { connect } from "${test.url}/client/mod.js";
      const { client, view } = await connect("${test.url}");
      ${uses}
      await client.close();`,
    );
    // The project around the temporary folder is none of this program's.
    return [
      "run",
      "--check",
      "--no-config",
      "--no-lock",
      "--no-prompt",
      `--allow-net=${host}`,
      `--allow-import=${host}`,
      path,
    ];
  };
  const env = { DENO_DIR: `${test.place.base}/deno`, DENO_NO_UPDATE_CHECK: "1" };
  const right = await run(
    Deno.execPath(),
    await write(
      "right",
      `const { revision } = await client.call("timeline.get");
      console.log(revision === view.timeline.revision);`,
    ),
    env,
  );
  assertEquals([right.out, right.code], ["true\n", 0], right.err);
  const wrong = await run(
    Deno.execPath(),
    await write("wrong", `await client.call("transport.seek", { positionFrames: 1 });`),
    env,
  );
  assertStringIncludes(wrong.err, "positionFrames");
  assertEquals(wrong.code, 1);
});

Deno.test({
  name:
    "in Node.js the client drives the engine and lets the process end; without a WebSocket it says what to do",
  ...needs("node"),
  async fn() {
    await using test = await serveEngine();
    const script = `${test.place.base}/script.mjs`;
    await Deno.writeTextFile(
      script,
      `import { connect } from ${JSON.stringify(new URL("mod.js", CLIENT).href)};
      import { driveEngine } from ${JSON.stringify(DRIVE.href)};
      const { WebSocket } = globalThis;
      delete globalThis.WebSocket;
      const without = await connect(process.argv[2]).catch((error) => String(error));
      const seen = await driveEngine(connect, process.argv[2], { WebSocket });
      console.log(JSON.stringify({ without, seen }));`,
    );
    const { out: has } = await run("node", ["-p", "typeof WebSocket"]);
    const flags = has.trim() === "undefined" ? ["--experimental-websocket"] : [];
    const { code, out, err } = await run("node", [...flags, script, test.url]);
    assertEquals(code, 0, err);
    const { without, seen } = JSON.parse(out);
    assertEquals(seen, SEEN);
    for (const word of ["TypeError", "--experimental-websocket", "{ WebSocket }", "ws"]) {
      assertStringIncludes(without, word);
    }
  },
});

Deno.test("the client is a package for Node.js of the engine's own version", () => {
  assertEquals(manifest.version, config.version);
  assertEquals([manifest.type, manifest.exports["."].default], ["module", "./mod.js"]);
});

/** A web server of somebody else: an empty page, and a copy of the client and of the program that uses it. */
function elsewhere() {
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    const { pathname } = new URL(request.url);
    const headers = { "content-type": "text/html" };
    if (pathname === "/") {
      return new Response("<!doctype html><link rel=icon href=data:,><title>elsewhere</title>", {
        headers,
      });
    }
    const file = pathname === "/drive.js" ? DRIVE : new URL(pathname.replace("/copy/", ""), CLIENT);
    try {
      headers["content-type"] = "text/javascript";
      return new Response(await Deno.readTextFile(file), { headers });
    } catch {
      return new Response(null, { status: 404 });
    }
  });
}

Deno.test({
  name:
    "a page of an origin that is let in imports the client from the engine and drives it, with a token; one of another is told that it is not let in",
  ...needs("chromium"),
  async fn() {
    await using admitted = elsewhere();
    await using other = elsewhere();
    const origin = `http://127.0.0.1:${admitted.addr.port}`;
    const otherOrigin = `http://127.0.0.1:${other.addr.port}`;
    await using test = await serveEngine({ origins: [origin], token: "geheim" });
    await using browser = await Browser.launch();
    const page = await browser.newPage();
    await page.goto(`${origin}/`);
    await page.until("document.title === 'elsewhere'");
    const program = (connectFrom: string, driveFrom: string, options: unknown) =>
      `import { connect } from "${connectFrom}/mod.js";
      import { driveEngine } from "${driveFrom}/drive.js";
      export default await driveEngine(connect, "${test.url}", ${JSON.stringify(options)})
        .catch(({ name, reason }) => ({ name, reason }));`;
    const imported = (text: string) =>
      page.evaluate(`(async () => {
        const url = URL.createObjectURL(new Blob([${
        JSON.stringify(text)
      }], { type: "text/javascript" }));
        return (await import(url)).default;
      })()`);
    assertEquals(
      await imported(program(`${test.url}/client`, origin, { token: "geheim" })),
      SEEN,
    );
    assertEquals(
      await imported(program(`${test.url}/client`, origin, { token: "falsch" })),
      { name: "ConnectionRefused", reason: "token" },
    );
    assertEquals(page.complaints.filter((text) => !/401|4001/.test(text)), []);

    // An engine that starts anew, for as long as it takes, is waited for.
    await imported(
      `import { connect } from "${test.url}/client/mod.js";
      const { client } = await connect("${test.url}", { token: "geheim", retryMs: [20] });
      const states = [];
      client.on("connection", ({ state }) => states.push(state));
      globalThis.kept = { client, states };
      export default 0;`,
    );
    await test.server.close();
    await using again = await Server.bind({
      host: "127.0.0.1",
      port: test.server.port,
      token: "geheim",
      origins: [origin],
    });
    await page.until("kept.states.filter((state) => state === 'waiting').length > 3");
    again.serve(test.engine);
    await page.until("kept.client.isOpen");
    assertEquals(await page.evaluate("kept.states.includes('refused')"), false);
    await page.evaluate("kept.client.close()");

    await page.goto(`${otherOrigin}/`);
    await page.until("document.title === 'elsewhere'");
    const blocked = await page.evaluate(
      `import("${test.url}/client/mod.js").then(() => "loaded", () => "blocked")`,
    );
    assertEquals(blocked, "blocked");
    assertEquals(
      await imported(program(`${otherOrigin}/copy`, otherOrigin, { retryMs: [1] })),
      { name: "ConnectionRefused", reason: "origin" },
    );
    assertEquals(test.server.faults, []);
  },
});
