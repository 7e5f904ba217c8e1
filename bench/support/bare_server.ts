/**
 * What a server costs that does nothing: Deno's own, which echoes JSON-RPC on a WebSocket and answers `GET /<bytes>` with so many bytes.
 *
 * @module
 */
Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ port }) => console.log(`Listening on http://127.0.0.1:${port}`),
}, (request) => {
  if (request.headers.get("upgrade") !== "websocket") {
    return new Response(new Uint8Array(Number(new URL(request.url).pathname.slice(1))));
  }
  const { socket, response } = Deno.upgradeWebSocket(request);
  socket.onmessage = ({ data }) => {
    const { id, params } = JSON.parse(data);
    socket.send(JSON.stringify({ jsonrpc: "2.0", id, result: params }));
  };
  return response;
});
