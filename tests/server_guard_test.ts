/** Who comes in, by HTTP and by upgrade: DNS rebinding, foreign origins, tokens, tickets. */
import { assert, assertEquals, assertMatch, assertNotMatch } from "@std/assert";
import {
  clientFrame,
  rawRequest,
  startServer,
  TestClient,
  upgradeHead,
  writeAll,
} from "./support/server_client.ts";
import { until } from "./support/wait.ts";

const FOREIGN = "http://evil.example";

function get(host: string, path: string, headers: Record<string, string> = {}, method = "GET") {
  const lines = Object.entries({ Host: host, Connection: "close", ...headers })
    .map(([name, value]) => `${name}: ${value}`);
  return `${method} ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`;
}

Deno.test("a foreign Host is answered 421, over HTTP and on upgrade", async () => {
  await using test = await startServer();
  const { port } = test.server;
  const hosts = [
    "evil.example",
    `evil.example:${port}`,
    `127.0.0.1:${port}.evil.example`,
    `127.0.0.1.evil.example:${port}`,
    "127.0.0.1:1",
    "127.0.0.1",
    `0.0.0.0:${port}`,
    `localhost.:${port}`,
    `192.168.1.2:${port}`,
    `user@127.0.0.1:${port}`,
    "",
  ];
  for (const host of hosts) {
    const { status, body } = await rawRequest(test.host, get(host, "/health"));
    assert(status === 421 || status === 400, `${host} was answered ${status}`);
    assertNotMatch(body, /"ok"/);
    const upgrade = await rawRequest(test.host, upgradeHead(host));
    assert(upgrade.status === 421 || upgrade.status === 400, `${host} upgraded: ${upgrade.status}`);
  }
  assertEquals((await rawRequest(test.host, get(hosts[0], "/health"))).status, 421);
  assertEquals((await rawRequest(test.host, upgradeHead(hosts[0]))).status, 421);
});

Deno.test("a Host that is missing, doubled or differs from the target is refused", async () => {
  await using test = await startServer();
  for (
    const head of [
      "GET /health HTTP/1.1\r\nConnection: close\r\n\r\n",
      "GET /health HTTP/1.0\r\n\r\n",
      `GET /health HTTP/1.1\r\nHost: ${test.host}\r\nHost: evil\r\nConnection: close\r\n\r\n`,
      `GET http://evil.example/health HTTP/1.1\r\nHost: ${test.host}\r\nConnection: close\r\n\r\n`,
    ]
  ) {
    const { status, body } = await rawRequest(test.host, head);
    assert(status === 421 || status === 400, `${head} was answered ${status}`);
    assertNotMatch(body, /"ok"/);
  }
});

Deno.test("the machine's own names come in", async () => {
  await using test = await startServer();
  const { port } = test.server;
  for (
    const host of [`127.0.0.1:${port}`, `localhost:${port}`, `LOCALHOST:${port}`, `[::1]:${port}`]
  ) {
    assertEquals((await rawRequest(test.host, get(host, "/health"))).status, 200);
    const own = get(host, "/health", { Origin: `http://${host.toLowerCase()}` });
    assertEquals((await rawRequest(test.host, own)).status, 200);
  }
});

Deno.test("a foreign or null Origin is answered 403, over HTTP and on upgrade", async () => {
  await using test = await startServer({ origins: ["http://localhost:5173"] });
  const { port } = test.server;
  const origins = [
    FOREIGN,
    "null",
    "",
    `https://127.0.0.1:${port}`,
    `http://127.0.0.1:${port}.evil.example`,
    "http://localhost:5174",
    "http://localhost:5173.evil.example",
    "http://LOCALHOST:5173",
    `http://localhost:${port}`, // Not the host that this request is for.
    "file://",
  ];
  for (const origin of origins) {
    const answer = await rawRequest(test.host, get(test.host, "/health", { Origin: origin }));
    assertEquals(answer.status, 403, origin);
    assertNotMatch(answer.head, /access-control-allow-origin/i);
    const protocols = { Origin: origin, "Sec-WebSocket-Protocol": "loophole.v1" };
    assertEquals(
      (await rawRequest(test.host, upgradeHead(test.host, protocols))).status,
      403,
      origin,
    );
    const put = get(
      test.host,
      "/aura/library/x.wav",
      { Origin: origin, "Content-Length": "0" },
      "PUT",
    );
    assertEquals((await rawRequest(test.host, put)).status, 403, origin);
  }
  assertEquals(test.engine.uploads.size, 0);
});

Deno.test("an embed by another site's page is refused, a link to the page is followed", async () => {
  await using test = await startServer({ origins: ["http://localhost:5173"] });
  const embed = {
    "Sec-Fetch-Site": "cross-site",
    "Sec-Fetch-Mode": "no-cors",
    "Sec-Fetch-Dest": "image",
  };
  const svg = "/aura/assets/a/thumbnail.svg";
  const status = async (path: string, headers: Record<string, string>) =>
    (await rawRequest(test.host, get(test.host, path, headers))).status;
  assertEquals(await status(svg, embed), 403);
  assertEquals(await status(svg, { ...embed, Referer: `${FOREIGN}/x` }), 403);
  assertEquals(await status(svg, { ...embed, Referer: "http://localhost:5173/x" }), 200);
  assertEquals(await status(svg, { ...embed, "Sec-Fetch-Site": "same-origin" }), 200);
  const link = { "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate" };
  assertEquals(await status("/", { ...link, "Sec-Fetch-Dest": "document" }), 200);
  assertEquals(await status("/", { ...link, "Sec-Fetch-Dest": "iframe" }), 403);
});

Deno.test("an admitted origin gets CORS, with ETag and Content-Range to read", async () => {
  await using test = await startServer({ origins: ["http://localhost:5173", "tauri://localhost"] });
  for (const origin of ["http://localhost:5173", "tauri://localhost"]) {
    const answer = await rawRequest(test.host, get(test.host, "/health", { Origin: origin }));
    assertEquals(answer.status, 200);
    assertMatch(answer.head, new RegExp(`access-control-allow-origin: ${origin}`, "i"));
    assertMatch(answer.head, /access-control-expose-headers: .*ETag.*Content-Range/i);
    assertMatch(answer.head, /vary: .*Origin/i);
    // A refusal can be read as well.
    const missing = await rawRequest(test.host, get(test.host, "/nothing", { Origin: origin }));
    assertEquals(missing.status, 404);
    assertMatch(missing.head, /access-control-allow-origin/i);
    const preflight = await rawRequest(
      test.host,
      get(test.host, "/aura/library/x.wav", {
        Origin: origin,
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "authorization",
      }, "OPTIONS"),
    );
    assertEquals(preflight.status, 204);
    assertMatch(preflight.head, /access-control-allow-methods: .*PUT/i);
    assertMatch(preflight.head, /access-control-allow-headers: .*Authorization/i);
    const upgraded = await rawRequest(test.host, upgradeHead(test.host, { Origin: origin }));
    assertEquals(upgraded.status, 101);
  }
  const foreign = get(test.host, "/health", {
    Origin: FOREIGN,
    "Access-Control-Request-Method": "GET",
  }, "OPTIONS");
  assertEquals((await rawRequest(test.host, foreign)).status, 403);
});

Deno.test("without the token every route but the page is answered 401", async () => {
  await using test = await startServer({ token: "s3cret" });
  const paths = [
    "/health",
    "/metrics",
    "/openapi.json",
    "/openrpc.json",
    "/aura/assets/a/peaks",
    "/aura/assets/a/audio",
    "/aura/exports/x.wav",
  ];
  for (const path of paths) {
    for (
      const headers of [
        {},
        { Authorization: "Bearer wrong" },
        { Authorization: "Bearer s3cre" },
        { Authorization: "Bearer s3cret2" },
        { Authorization: "Basic s3cret" },
        { Authorization: "Bearer" },
      ]
    ) {
      const { status, head } = await rawRequest(
        test.host,
        get(test.host, path, headers as Record<string, string>),
      );
      assertEquals(status, 401, `${path} ${JSON.stringify(headers)}`);
      assertMatch(head, /www-authenticate: Bearer/i);
    }
    assertEquals((await rawRequest(test.host, get(test.host, `${path}?ticket=wrong`))).status, 401);
    assertEquals((await rawRequest(test.host, get(test.host, `${path}?token=s3cret`))).status, 401);
  }
  const right = get(test.host, "/health", { Authorization: "Bearer s3cret" });
  assertEquals((await rawRequest(test.host, right)).status, 200);
  const put = get(test.host, "/aura/library/x.wav", { "Content-Length": "0" }, "PUT");
  assertEquals((await rawRequest(test.host, put)).status, 401);
  assertEquals((await rawRequest(test.host, get(test.host, "/"))).status, 200);
});

Deno.test("an upgrade without the token is answered 401, or closed with 4001 where it speaks our protocol", async () => {
  await using test = await startServer({ token: "s3cret" });
  assertEquals((await rawRequest(test.host, upgradeHead(test.host))).status, 401);
  const query = upgradeHead(test.host).replace("/pulse", "/pulse?token=s3cret");
  assertEquals((await rawRequest(test.host, query)).status, 401);
  for (const shown of [[], ["token.d3Jvbmc"], ["token.!!!"], ["token."], ["token.czNjcmV0eA"]]) {
    const client = await TestClient.connect(test.url, ["loophole.v1", ...shown]);
    assertEquals((await client.closed).code, 4001);
    assertEquals(client.heard, []);
  }
  await using client = await TestClient.connect(test.url, ["loophole.v1", "token.czNjcmV0"]);
  assertEquals(client.protocol, "loophole.v1");
  assert((await client.call("engine.hello", { protocol: 1 })).result);
});

Deno.test("what a client sends behind a wrong token is never run", async () => {
  await using test = await startServer({ token: "s3cret" });
  const [hostname, port] = test.host.split(":");
  using line = await Deno.connect({ hostname, port: Number(port) });
  const edit = JSON.stringify({
    jsonrpc: "2.0",
    method: "timeline.edit",
    params: { edits: [{ op: "clip.remove", clipId: "x" }] },
  });
  const head = upgradeHead(test.host, { "Sec-WebSocket-Protocol": "loophole.v1" });
  await writeAll(line, new TextEncoder().encode(head));
  await writeAll(line, clientFrame(1, new TextEncoder().encode(edit)));
  await new Promise((resolve) => setTimeout(resolve, 50));
  assertEquals(test.engine.applied, []);
});

Deno.test("a ticket lets reads in while its connection lives, and nothing else", async () => {
  await using test = await startServer({ token: "s3cret" });
  const client = await TestClient.connect(test.url, ["loophole.v1", "token.czNjcmV0"]);
  const { result: { ticket } } = await client.call("engine.hello", { protocol: 1 });
  assert(ticket.length >= 32);
  const path = `/aura/assets/a/thumbnail.svg?ticket=${ticket}`;
  const status = async (text: string) => (await rawRequest(test.host, text)).status;
  assertEquals(await status(get(test.host, path)), 200);
  assertEquals(await status(get(test.host, path, {}, "HEAD")), 200);
  assertEquals(await status(get(test.host, `${path}x`)), 401);
  assertEquals(await status(get("evil.example", path)), 421);
  assertEquals(await status(get(test.host, path, { Origin: FOREIGN })), 403);
  const put = `/aura/library/x.wav?ticket=${ticket}`;
  assertEquals(await status(get(test.host, put, { "Content-Length": "0" }, "PUT")), 401);
  assertEquals(
    await status(upgradeHead(test.host).replace("/pulse", `/pulse?ticket=${ticket}`)),
    401,
  );
  await using other = await TestClient.connect(test.url, ["loophole.v1", "token.czNjcmV0"]);
  const second = await other.call("engine.hello", { protocol: 1 });
  assert(second.result.ticket !== ticket);
  await client.close();
  await until(async () => await status(get(test.host, path)) === 401, "the ticket has gone");
  assertEquals(await status(get(test.host, path.replace(ticket, second.result.ticket))), 200);
});

Deno.test("an upgrade elsewhere or of another kind opens nothing", async () => {
  await using test = await startServer();
  const status = async (text: string) => (await rawRequest(test.host, text)).status;
  assertEquals(await status(upgradeHead(test.host).replace("/pulse", "/health")), 404);
  assertEquals(await status(upgradeHead(test.host, { "Sec-WebSocket-Version": "8" })), 400);
  assertEquals(await status(upgradeHead(test.host, { "Sec-WebSocket-Key": "short" })), 400);
  assertEquals(await status(upgradeHead(test.host, { Upgrade: "h2c" })), 400);
  assertEquals(await status(get(test.host, "/pulse")), 400);
});

Deno.test("on every interface addresses come in and names do not", async () => {
  await using test = await startServer({ host: "0.0.0.0", token: "t" });
  const { port } = test.server;
  const status = async (host: string) =>
    (await rawRequest(test.host, get(host, "/health", { Authorization: "Bearer t" }))).status;
  assertEquals(await status(`127.0.0.1:${port}`), 200);
  assertEquals(await status(`192.168.1.2:${port}`), 200);
  assertEquals(await status(`[fe80::1]:${port}`), 200);
  assertEquals(await status(`evil.example:${port}`), 421);
  assertEquals(await status(`192.168.1.2:1`), 421);
});

Deno.test("huge heads, too many headers and smuggled bodies are refused, and the server lives", async () => {
  await using test = await startServer();
  const big = get(test.host, "/health", { Big: "x".repeat(1_000_000) });
  assertEquals((await rawRequest(test.host, big)).status, 431);
  const long = get(test.host, `/${"x".repeat(100_000)}`);
  assert([400, 414, 431].includes((await rawRequest(test.host, long)).status));
  const both = get(test.host, "/health", { "Transfer-Encoding": "chunked", "Content-Length": "5" });
  assertEquals((await rawRequest(test.host, both)).status, 400);
  assertEquals((await rawRequest(test.host, "GARBAGE\r\n\r\n")).status, 400);
  assertEquals((await rawRequest(test.host, get(test.host, "/\0"))).status, 400);
  assertEquals((await rawRequest(test.host, get(test.host, "/health"))).status, 200);
});
