/** Aura over HTTP: peaks, pictures, files with ranges, uploads, the page; and paths that try to get out. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { parseRange } from "../server/http/conditional.ts";
import { createApp } from "../server/http/app.ts";
import { FileReader } from "../server/http/file_reader.ts";
import { rawRequest, startServer } from "./support/server_client.ts";
import { StandInEngine } from "./support/stand_in_engine.ts";
import { until } from "./support/wait.ts";

const app = createApp({
  files: new FileReader(),
  engine: new StandInEngine(),
  webRoot: "/nowhere",
  guard: null,
  counters: () => ({ own: 7 }),
  openRpc: () => ({}),
});

async function errorOf(answer: Response): Promise<[number, string]> {
  const { error } = await answer.json();
  assertEquals(Object.keys(error).sort(), ["code", "details", "message"]);
  return [answer.status, error.code];
}

Deno.test("peaks are JSON or a frame, with a validator each, and 304 where it still holds", async () => {
  const path = "/aura/assets/a/peaks?start=0&end=99.5&width=4&channels=0,1";
  const json = await app.request(path);
  assertEquals(json.headers.get("content-type"), "application/json");
  const body = await json.json();
  assertEquals([body.start, body.end, body.width, body.channels, body.complete], [
    0,
    99.5,
    4,
    2,
    true,
  ]);
  assertEquals(body.min, [[-0.5, -0.5, -0.5, -0.5], [-0.5, -0.5, -0.5, -0.5]]);
  assertEquals(Math.fround(body.rms[1][3]), Math.fround(0.1));
  const bin = await app.request(`${path}&format=bin`);
  const view = new DataView(await bin.arrayBuffer());
  assertEquals([view.getUint8(0), view.getUint16(2, true), view.getUint32(24, true)], [2, 2, 4]);
  const etags = [json.headers.get("etag")!, bin.headers.get("etag")!];
  assert(etags[0] !== etags[1] && etags.every((etag) => /^"[^"]+"$/.test(etag)));
  for (const tag of [etags[0], `W/${etags[0]}`, `"x", ${etags[0]}`, "*"]) {
    const same = await app.request(path, { headers: { "if-none-match": tag } });
    assertEquals(same.status, 304, tag);
    assertEquals(same.headers.get("etag"), etags[0]);
    assertEquals(await same.text(), "");
  }
  assertEquals((await app.request(path, { headers: { "if-none-match": etags[1] } })).status, 200);
});

Deno.test("a partial answer says so, has null columns and no validator", async () => {
  const answer = await app.request("/aura/assets/partial/peaks?width=2&channels=mix");
  assertEquals(answer.headers.get("etag"), null);
  assertEquals(answer.headers.get("cache-control"), "no-store");
  const body = await answer.json();
  assertEquals([body.complete, body.max], [false, [[null, null]]]);
});

Deno.test("queries that are wrong are answered 400 with the member's name", async () => {
  const cases: [string, string][] = [
    ["width=0", "width"],
    ["width=8193", "width"],
    ["width=1.5", "width"],
    ["width=", "width"],
    ["width=0x10", "width"],
    ["width=1e999", "width"],
    ["width=4&width=5", "width"],
    ["start=NaN", "start"],
    ["end=Infinity", "end"],
    ["channels=left", "channels"],
    ["channels=0,,1", "channels"],
    ["format=xml", "format"],
    ["colour=red", "colour"],
    ["__proto__=1", "__proto__"],
  ];
  for (const [query, name] of cases) {
    const answer = await app.request(`/aura/assets/a/peaks?${query}`);
    assertEquals(answer.status, 400, query);
    const { error } = await answer.json();
    assertEquals(error.code, "request.invalid");
    assertEquals(error.details.path, [name], query);
  }
  assertEquals(await errorOf(await app.request("/aura/assets/nowhere/peaks")), [
    404,
    "asset.notFound",
  ]);
  assertEquals(await errorOf(await app.request("/aura/assets/a/waveform.dat?bits=7")), [
    400,
    "request.invalid",
  ]);
});

Deno.test("waveforms, pictures, health and metrics have their types", async () => {
  const types: [string, string][] = [
    [
      "/aura/assets/a/waveform.dat?bits=8&samplesPerPixel=512&split=true",
      "application/octet-stream",
    ],
    ["/aura/assets/a/waveform.json", "application/json"],
    ["/aura/assets/a/wavesurfer.json?points=10", "application/json"],
    ["/aura/assets/a/thumbnail.svg?width=10&height=10", "image/svg+xml"],
    ["/health", "application/json"],
    ["/metrics", "text/plain; version=0.0.4; charset=utf-8"],
  ];
  for (const [path, type] of types) {
    const answer = await app.request(path);
    assertEquals([answer.status, answer.headers.get("content-type")], [200, type], path);
    assertEquals(answer.headers.get("x-content-type-options"), "nosniff");
  }
  const metrics = await (await app.request("/metrics")).text();
  assertStringIncludes(metrics, 'loophole_missing_frames_total{cause="read"} 2\n');
  assertStringIncludes(
    metrics,
    'loophole_track_missing_frames_total{track_id="a\\"b",cause="absent"} 1\n',
  );
  assertStringIncludes(metrics, "loophole_own 7\n");
  assertStringIncludes(
    (await app.request("/aura/assets/a/thumbnail.svg")).headers.get("content-security-policy")!,
    "sandbox",
  );
});

Deno.test("what is no route is answered 404 in the interface's form", async () => {
  for (const path of ["/nothing", "/aura", "/aura/assets/a", "/aura/assets/a/b/peaks"]) {
    assertEquals(await errorOf(await app.request(path)), [404, "route.notFound"]);
  }
  assertEquals((await app.request("/health", { method: "POST" })).status, 404);
  assertEquals((await app.request("/aura/assets/a/peaks", { method: "DELETE" })).status, 404);
});

Deno.test("one range is read from its header, as RFC 9110 has it", () => {
  const cases: [string | null, number, ReturnType<typeof parseRange>][] = [
    [null, 10, null],
    ["bytes=0-0", 10, { start: 0, end: 1 }],
    ["bytes=2-4", 10, { start: 2, end: 5 }],
    ["bytes=2-", 10, { start: 2, end: 10 }],
    ["bytes=-3", 10, { start: 7, end: 10 }],
    ["bytes=-30", 10, { start: 0, end: 10 }],
    ["bytes=5-99", 10, { start: 5, end: 10 }],
    ["bytes=9-9", 10, { start: 9, end: 10 }],
    ["bytes=10-", 10, "unsatisfiable"],
    ["bytes=-0", 10, "unsatisfiable"],
    ["bytes=0-", 0, "unsatisfiable"],
    ["bytes=4-2", 10, null],
    ["bytes=-", 10, null],
    ["bytes=0-1,3-4", 10, null],
    ["bytes=a-b", 10, null],
    ["bytes=1--2", 10, null],
    ["items=0-1", 10, null],
    ["bytes=0-999999999999999999999", 10, null],
  ];
  for (const [header, size, range] of cases) {
    assertEquals(parseRange(header, size), range, `${header}`);
  }
});

Deno.test("an asset's file is served whole and in ranges, with exact lengths", async () => {
  const folder = await Deno.realPath(await Deno.makeTempDir());
  const bytes = crypto.getRandomValues(new Uint8Array(50_000));
  const long = new Uint8Array(3_000_000).map((_, i) => i * 7);
  await Deno.writeFile(`${folder}/a.wav`, bytes);
  await Deno.writeFile(`${folder}/long.wav`, long);
  await Deno.writeFile(`${folder}/empty.wav`, new Uint8Array());
  await using test = await startServer({}, {
    files: {
      a: `${folder}/a.wav`,
      long: `${folder}/long.wav`,
      empty: `${folder}/empty.wav`,
      gone: `${folder}/gone.wav`,
      folder,
    },
  });
  const url = `${test.url}/aura/assets/a/audio`;
  const get = async (headers: Record<string, string> = {}, method = "GET", from = url) => {
    const answer = await fetch(from, { method, headers });
    return { answer, body: new Uint8Array(await answer.arrayBuffer()), headers: answer.headers };
  };
  const whole = await get();
  assertEquals([whole.answer.status, whole.body], [200, bytes]);
  assertEquals(whole.headers.get("content-length"), "50000");
  assertEquals(whole.headers.get("accept-ranges"), "bytes");
  assertEquals(whole.headers.get("etag"), '"a"');
  const part = await get({ range: "bytes=100-199" });
  assertEquals([part.answer.status, part.body], [206, bytes.slice(100, 200)]);
  assertEquals(part.headers.get("content-range"), "bytes 100-199/50000");
  assertEquals(part.headers.get("content-length"), "100");
  assertEquals((await get({ range: "bytes=-5" })).body, bytes.slice(-5));
  const beyond = await get({ range: "bytes=50000-" });
  assertEquals([beyond.answer.status, beyond.headers.get("content-range")], [416, "bytes */50000"]);
  const several = await get({ range: "bytes=0-1,4-5" });
  assertEquals([several.answer.status, several.body.length], [200, 50_000]);
  assertEquals((await get({ range: "bytes=0-1", "if-range": '"a"' })).answer.status, 206);
  assertEquals((await get({ range: "bytes=0-1", "if-range": '"old"' })).answer.status, 200);
  assertEquals((await get({ "if-none-match": '"a"' })).answer.status, 304);
  const head = await get({}, "HEAD");
  assertEquals([head.answer.status, head.headers.get("content-length"), head.body.length], [
    200,
    "50000",
    0,
  ]);
  assertEquals((await get({}, "GET", `${test.url}/aura/assets/long/audio`)).body, long);
  assertEquals((await get({}, "GET", `${test.url}/aura/assets/empty/audio`)).body.length, 0);
  assertEquals((await get({}, "GET", `${test.url}/aura/assets/gone/audio`)).answer.status, 404);
  assertEquals((await get({}, "GET", `${test.url}/aura/assets/folder/audio`)).answer.status, 404);
  assertEquals((await get({}, "GET", `${test.url}/aura/assets/none/audio`)).answer.status, 404);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a download that is broken off leaves no file open", async () => {
  const folder = await Deno.realPath(await Deno.makeTempDir());
  await Deno.writeFile(`${folder}/a.wav`, new Uint8Array(50_000_000));
  await using test = await startServer({}, { files: { a: `${folder}/a.wav` } });
  for (let i = 0; i < 5; i++) {
    const stop = new AbortController();
    const answer = await fetch(`${test.url}/aura/assets/a/audio`, { signal: stop.signal });
    const reader = answer.body!.getReader();
    await reader.read();
    stop.abort();
    await reader.read().catch(() => {});
  }
  const streams = async () =>
    Number(
      /loophole_file_streams (\d+)/.exec(await (await fetch(`${test.url}/metrics`)).text())?.[1],
    );
  await until(async () => await streams() === 0, "no file is open");
  await Deno.remove(folder, { recursive: true });
});

/** `Deno.symlink` wants the permission to read and write everything; tests have less. */
async function link(target: string, path: string): Promise<void> {
  const args = ["-c", 'ln -s "$0" "$1"', target, path];
  assert((await new Deno.Command("sh", { args }).output()).success);
}

Deno.test("paths and links that lead out of the exports and the page are answered as nothing", async () => {
  const folder = await Deno.realPath(await Deno.makeTempDir());
  await Deno.mkdir(`${folder}/exports/sub`, { recursive: true });
  await Deno.mkdir(`${folder}/web/.hidden`, { recursive: true });
  await Deno.writeTextFile(`${folder}/secret.wav`, "secret");
  await Deno.writeTextFile(`${folder}/secret.js`, "secret");
  await Deno.writeTextFile(`${folder}/exports/sub/ok é.wav`, "fine");
  await Deno.writeTextFile(`${folder}/web/index.html`, "page");
  await Deno.writeTextFile(`${folder}/web/.hidden/x.js`, "secret");
  await Deno.writeTextFile(`${folder}/web/deno.lock`, "secret");
  await link(`${folder}/secret.wav`, `${folder}/exports/link.wav`);
  await link(folder, `${folder}/exports/up`);
  await link(`${folder}/secret.js`, `${folder}/web/link.js`);
  await link(folder, `${folder}/web/up`);
  await using test = await startServer({ webRoot: `${folder}/web` }, {
    exportDir: `${folder}/exports`,
  });
  const escapes = [
    "../secret",
    "..%2fsecret",
    "%2e%2e/secret",
    "%2e%2e%2fsecret",
    "..%5csecret",
    "sub/../../secret",
    "sub%2f..%2f..%2fsecret",
    "link",
    "up/secret",
    ".hidden/x",
    "%00",
    "a%00b",
    "%ff",
    "%",
    "//secret",
    "/etc/passwd",
    `/${folder}/secret`,
    "sub",
    "",
  ];
  for (const [prefix, ending] of [["/aura/exports/", ".wav"], ["/", ".js"]]) {
    for (const escape of escapes) {
      const path = `${prefix}${escape}${ending}`;
      const head = `GET ${path} HTTP/1.1\r\nHost: ${test.host}\r\nConnection: close\r\n\r\n`;
      const { status, body } = await rawRequest(test.host, head);
      assert([400, 403, 404].includes(status), `${path} was answered ${status}`);
      assert(!body.includes('secret"') && body !== "secret", `${path} told: ${body}`);
    }
  }
  const fine = await fetch(`${test.url}/aura/exports/sub/ok%20%C3%A9.wav`);
  assertEquals(await fine.text(), "fine");
  const page = await fetch(test.url);
  assertEquals(await page.text(), "page");
  assertEquals(page.headers.get("content-type"), "text/html; charset=utf-8");
  const policy = page.headers.get("content-security-policy")!;
  assertStringIncludes(policy, "default-src 'self'");
  assertStringIncludes(policy, "connect-src 'self' ws:");
  assertMatch(page.headers.get("etag")!, /^".+"$/);
  const again = await fetch(test.url, { headers: { "if-none-match": page.headers.get("etag")! } });
  assertEquals(again.status, 304);
  // Endings that a page has not are none of its files.
  assertEquals(await errorOf(await fetch(`${test.url}/deno.lock`)), [404, "route.notFound"]);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("an upload is saved under one plain name, up to the limit", async () => {
  await using test = await startServer({}, { uploadBytes: 100_000 });
  const put = (name: string, body: BodyInit) =>
    fetch(`${test.url}/aura/library/${name}`, { method: "PUT", body });
  const created = await put("a%20b.wav", new Uint8Array(100_000));
  assertEquals(created.status, 201);
  assertEquals((await created.json()).asset.assetId, "a b.wav");
  assertEquals(test.engine.uploads.get("a b.wav"), 100_000);
  assertEquals(await errorOf(await put("a%20b.wav", "x")), [409, "export.exists"]);
  assertEquals(await errorOf(await put("c.wav", new Uint8Array(100_001))), [
    413,
    "request.tooLarge",
  ]);
  assertEquals(await errorOf(await put("c.wav", new Uint8Array(30_000_000))), [
    413,
    "request.tooLarge",
  ]);
  // Without a length that could be seen ahead.
  const stream = new ReadableStream({
    pull(controller) {
      controller.enqueue(new Uint8Array(64_000));
    },
  });
  assertEquals(await errorOf(await put("d.wav", stream)), [413, "request.tooLarge"]);
  const names = [
    "..%2fx.wav",
    "%2e%2e",
    ".hidden.wav",
    "a%2fb.wav",
    "a%5cb.wav",
    "a%00.wav",
    "%0a.wav",
  ];
  for (const name of [...names, "x".repeat(256)]) {
    const refused = await put(name, "x");
    await refused.body?.cancel();
    assertEquals([400, 404].includes(refused.status), true, name);
  }
  assertEquals([...test.engine.uploads.keys()], ["a b.wav"]);
  // Decoded once: what looks encoded after that is the name.
  const doubly = await put("a%252fb.wav", "x");
  await doubly.body?.cancel();
  assertEquals(doubly.status, 201);
  assertEquals(test.engine.uploads.has("a%2fb.wav"), true);
});

Deno.test("before the engine is there and after it has gone, answers are 503", async () => {
  const { Server } = await import("../server/server.ts");
  const origin = "http://studio.example";
  await using server = await Server.bind({
    host: "127.0.0.1",
    port: 0,
    token: null,
    origins: [origin],
  });
  assertEquals(await errorOf(await fetch(`${server.url}/health`)), [503, "engine.unavailable"]);
  // A page that is let in may read that it is to come back later.
  const admitted = await fetch(`${server.url}/health`, { headers: { origin } });
  assertEquals(admitted.headers.get("access-control-allow-origin"), origin);
  assertEquals(await errorOf(admitted), [503, "engine.unavailable"]);
  const asked = await fetch(`${server.url}/health`, {
    method: "OPTIONS",
    headers: {
      origin,
      "access-control-request-method": "GET",
      "access-control-request-headers": "authorization",
    },
  });
  assertEquals(asked.status, 204);
  assertMatch(asked.headers.get("access-control-allow-headers")!, /Authorization/);
  const foreign = await fetch(`${server.url}/health`, {
    headers: { origin: "http://evil.example" },
  });
  assertEquals(await errorOf(foreign), [403, "request.forbidden"]);
});
