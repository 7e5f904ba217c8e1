/** What the page knows of an undo history that is longer than one look at it. */
import { assertEquals } from "@std/assert";
import { PulseClient } from "../server/web/client/client.js";
import { Notices } from "../server/web/model/notices.js";
import { Session } from "../server/web/model/session.js";
import { TimelineEngine } from "./support/timeline_engine.ts";

const me = { clientId: "me" };

Deno.test("a page that is opened knows whether there is something to undo and to do again, however many steps there are", async () => {
  const engine = new TimelineEngine();
  await using server = await engine.serve();
  /** Opens a page and asks what it offers. */
  const offered = async () => {
    const client = new PulseClient({ url: server.url, topics: ["timeline"] });
    const session = new Session(client, new Notices());
    const known = new Promise<void>((resolve) => session.on("history", () => resolve()));
    client.connect();
    await known;
    await client.close();
    return { undo: session.canUndo, redo: session.canRedo };
  };
  const { service } = engine;
  assertEquals(await offered(), { undo: false, redo: false });
  for (let i = 0; i < 450; i++) {
    service.edit([{ op: "io.set", inFrame: i, outFrame: i + 1 }], {}, me);
  }
  assertEquals(await offered(), { undo: true, redo: false });
  service.undo({}, me);
  assertEquals(await offered(), { undo: true, redo: true });
  while (service.canUndo) service.undo({}, me);
  assertEquals(await offered(), { undo: false, redo: true });
});
