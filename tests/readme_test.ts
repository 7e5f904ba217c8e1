import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Home } from "./support/engine_process.ts";
import { TestClient } from "./support/server_client.ts";

const README = await Deno.readTextFile(new URL("../README.md", import.meta.url));

Deno.test("the README's example works as it is pasted: it plays and deletes the segment that sounds", async () => {
  const [, example] = README.match(/```js\n([^]*?)```/) ?? [];
  assertEquals(example.trimEnd().split("\n").length, 10);
  await using home = await Home.make();
  const engine = home.start(
    // The first sounds long enough for the slowest machine to be in it after half a second.
    await home.write("a.wav", 40 * 48_000),
    await home.write("b.wav", 96_000),
  );
  const url = await engine.ready();
  try {
    const path = `${home.path}/example.mjs`;
    await Deno.writeTextFile(path, example.replaceAll("127.0.0.1:4747", new URL(url).host));
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", "--allow-net=127.0.0.1", path],
      env: { NO_COLOR: "1" },
      stdout: "piped",
    }).spawn();
    // The example keeps its connection; what it prints is read, then it is ended.
    let said = "";
    for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
      said += text;
      if (said.includes("playheadFrame")) child.kill();
    }
    await child.status;
    assertStringIncludes(said, "playheadFrame: 0");
    await using client = await TestClient.connect(url);
    const { result } = await client.call("timeline.get");
    assertEquals(result.timeline.tracks[0].clips.length, 1);
    assertEquals((await client.call("transport.get")).result.state, "playing");

    // The client's examples go on from there; they end by themselves.
    const [undo, session] = [...README.matchAll(/```ts\n([^]*?)```/g)].map(([, code]) => code);
    const told = await runClient(undo, url, home.path);
    assertMatch(told, /^undo Delete segment\n.* 2 clips, at frame \d+/);
    const before = (await client.call("timeline.get")).result;
    const printed = await runClient(session, url, home.path);
    assertMatch(
      printed,
      new RegExp(`^revision ${before.revision + 5}, the playhead at frame \\d+`),
    );
    const { clips } = (await client.call("timeline.get")).result.timeline.tracks[0];
    // The first second is gone, the rest is faster with its pitch; the second taken out after it is back.
    assertEquals(clips.map(({ clipId }: { clipId: string }) => clipId), [
      "rest",
      before.timeline.tracks[0].clips[1].clipId,
    ]);
    assertEquals([clips[0].startFrame, clips[0].rate, clips[0].speedMode], [
      0,
      1.25,
      "maintainPitch",
    ]);
  } finally {
    await engine.stop();
  }
});

/** Runs an example that uses the engine's client, checked for its types, and gives what it prints. */
async function runClient(example: string, url: string, folder: string): Promise<string> {
  const { host } = new URL(url);
  const program = `${folder}/client.ts`;
  await Deno.writeTextFile(program, example.replaceAll("127.0.0.1:4747", host));
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--check",
      "--no-config",
      "--no-lock",
      "--no-prompt",
      `--allow-net=${host}`,
      `--allow-import=${host}`,
      program,
    ],
    env: { NO_COLOR: "1", DENO_DIR: `${folder}/deno` },
    stdout: "piped",
    stderr: "piped",
  }).output();
  assertEquals(code, 0, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

Deno.test("the README opens with what it is and the two commands, and shows the page", async () => {
  const start = README.indexOf("deno task start");
  const test = README.indexOf("deno task test");
  assert(start > 0 && test > start && start < 1500);
  for (const command of ["npx --yes deno@2.9.6 task start", "npx --yes deno@2.9.6 task test"]) {
    assertStringIncludes(README, command);
  }
  const [, picture] = README.match(/!\[[^\]]+\]\(([^)]+)\)/) ?? [];
  const { size } = await Deno.stat(new URL(`../${picture}`, import.meta.url));
  assert(size > 10_000 && size < 400_000);
  const ci = await Deno.readTextFile(new URL("../.ci/run", import.meta.url));
  assertStringIncludes(ci, "deno task test");
  assertStringIncludes(ci, "npx --yes deno@2.9.6 task test");
});
