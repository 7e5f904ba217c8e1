/** The engine as a process, with the permissions that `deno task start` gives it: command line, ready line, runtime file, signals. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Home } from "./support/engine_process.ts";
import { TestClient } from "./support/server_client.ts";

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

Deno.test("a start says one line, tells programs where it is, and ends cleanly on SIGTERM", async () => {
  await using home = await Home.make();
  const engine = home.start();
  const url = await engine.ready();
  const health = await fetch(`${url}/health`).then((answer) => answer.json());
  assertEquals(health.status, "ok");
  const facts = JSON.parse(await Deno.readTextFile(home.runtimeFile));
  assertEquals(Object.keys(facts).sort(), ["instanceId", "pid", "token", "url"]);
  assertEquals([facts.url, facts.token, facts.instanceId], [url, null, health.instanceId]);
  const info = await Deno.stat(home.runtimeFile);
  assertEquals((info.mode ?? 0) & 0o777, 0o600);
  const client = await TestClient.connect(url);
  const { result } = await client.call("engine.hello", { protocol: 1 });
  assertEquals(result.instanceId, facts.instanceId);
  const { code, stdout } = await engine.stop();
  assertEquals([code, stdout], [0, ""]);
  assertEquals((await client.closed).code, 1001);
  assertEquals(await exists(home.runtimeFile), false);
});

Deno.test("--log json says one object an event", async () => {
  await using home = await Home.make();
  const engine = home.start("--log", "json");
  const events = [];
  for (let line = await engine.line(); line !== ""; line = await engine.line()) {
    events.push(JSON.parse(line));
    if (events.at(-1).event === "ready") engine.kill("SIGINT");
  }
  assertEquals((await engine.end()).code, 0);
  const ready = events.find(({ event }) => event === "ready");
  assertMatch(ready.url, /^http:\/\/127\.0\.0\.1:\d+$/);
});

Deno.test("a wrong command line ends with 2 and the option's name, --help with 0", async () => {
  await using home = await Home.make();
  const wrong: [string[], string][] = [
    [["--prot", "1"], "--prot"],
    [["--port", "1", "--port", "2"], "--port"],
    [["--host", "0.0.0.0"], "--token"],
  ];
  for (const [args, name] of wrong) {
    const { code, stdout, stderr } = await home.start(...args).end();
    assertEquals([code, stdout], [2, ""]);
    assertStringIncludes(stderr, name);
  }
  const { code } = await home.start("--help").end();
  assertEquals(code, 0);
  assertEquals(await exists(home.runtimeFile), false);
});

Deno.test("a port that is taken ends with 1 and says so", async () => {
  await using home = await Home.make();
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr as Deno.NetAddr;
  const { code, stderr } = await home.start("--port", `${port}`).end();
  assertEquals(code, 1);
  assertStringIncludes(stderr, `port ${port}`);
  assertStringIncludes(stderr, "--port");
});

Deno.test("another interface than this machine's own is refused with the task that may serve on it", async () => {
  await using home = await Home.make();
  const { code, stderr } = await home.start("--host", "0.0.0.0", "--token", "abc").end();
  assertEquals([code, stderr.trim().split("\n").length], [1, 1], stderr);
  assertStringIncludes(stderr, "deno task start:net --host 0.0.0.0");
});

Deno.test("files on the command line lie one after another, once, at the first one's rate; what cannot be read is left out", async () => {
  await using home = await Home.make();
  const first = await home.write("first.wav", 44_100, 44_100);
  await home.write("second.wav", 22_050, 44_100);
  const args = ["first.wav", "missing.wav", "second.wav"];
  for (let start = 0; start < 2; start++) {
    const engine = home.start(...args);
    const url = await engine.ready();
    const client = await TestClient.connect(url);
    const { result: { timeline } } = await client.call("timeline.get");
    const { result: { assets } } = await client.call("asset.list");
    assertEquals(timeline.sampleRate, 44_100);
    assertEquals(timeline.tracks.length, 1);
    assertEquals(
      timeline.tracks[0].clips.map((clip: Record<string, unknown>) => [
        clip.assetId,
        clip.startFrame,
        clip.lengthFrames,
      ]),
      [[assets[0].assetId, 0, 44_100], [assets[1].assetId, 44_100, 22_050]],
    );
    assertEquals(assets[0].path, first);
    const audio = await fetch(`${url}/aura/assets/${assets[0].assetId}/audio`);
    assertEquals(new Uint8Array(await audio.arrayBuffer()), await Deno.readFile(first));
    const { code, stderr } = await engine.stop();
    assertEquals(code, 0);
    assertStringIncludes(stderr, "missing.wav");
    await client.closed;
  }
});

Deno.test("--sample-rate rules over the first file's", async () => {
  await using home = await Home.make();
  await home.write("first.wav", 4_410, 44_100);
  const engine = home.start("--sample-rate", "48000", "first.wav");
  const client = await TestClient.connect(await engine.ready());
  assertEquals((await client.call("timeline.get")).result.timeline.sampleRate, 48_000);
  await engine.stop();
  await client.closed;
});

Deno.test("the token of the command line stands in the runtime file and opens the door", async () => {
  await using home = await Home.make();
  const engine = home.start("--token", "s3cret");
  const url = await engine.ready();
  const { token } = JSON.parse(await Deno.readTextFile(home.runtimeFile));
  const refused = await fetch(`${url}/health`);
  await refused.body?.cancel();
  assertEquals(refused.status, 401);
  const admitted = await fetch(`${url}/health`, { headers: { authorization: `Bearer ${token}` } });
  assertEquals((await admitted.json()).status, "ok");
  assertEquals((await engine.stop()).code, 0);
});

Deno.test("what a killed engine leaves is replaced by the next", async () => {
  await using home = await Home.make();
  const killed = home.start();
  await killed.ready();
  killed.kill("SIGKILL");
  await killed.end();
  assert(await exists(home.runtimeFile));
  const engine = home.start();
  const url = await engine.ready();
  assertEquals(JSON.parse(await Deno.readTextFile(home.runtimeFile)).url, url);
  assertEquals((await engine.stop()).code, 0);
  assertEquals(await exists(home.runtimeFile), false);
});

Deno.test("signals in one breath are one; a later one ends at once, and still tidies up", async () => {
  await using home = await Home.make();
  const once = home.start();
  await once.ready();
  // Both are there when it looks, however long the machine takes between the two.
  once.kill("SIGSTOP");
  once.kill("SIGINT");
  once.kill("SIGTERM");
  once.kill("SIGCONT");
  assertEquals((await once.end()).code, 0);
  assertEquals(await exists(home.runtimeFile), false);

  const engine = home.start(await home.write("long.wav", 4_000_000));
  const url = await engine.ready();
  // A download that nobody reads keeps the end waiting for its grace.
  const [hostname, port] = new URL(url).host.split(":");
  using line = await Deno.connect({ hostname, port: Number(port) });
  const client = await TestClient.connect(url);
  const { assetId } = (await client.call("asset.list")).result.assets[0];
  const head = `GET /aura/assets/${assetId}/audio HTTP/1.1\r\nHost: ${hostname}:${port}\r\n\r\n`;
  await line.write(new TextEncoder().encode(head));
  await line.read(new Uint8Array(100));
  // Those that come at once with the first are one with it; one of those that follow is the second.
  const signals = setInterval(() => {
    try {
      engine.kill("SIGTERM");
    } catch {
      // It has ended.
    }
  }, 50);
  const { code } = await engine.end();
  clearInterval(signals);
  assertEquals(code, 130);
  assertEquals(await exists(home.runtimeFile), false);
  await client.closed;
});
