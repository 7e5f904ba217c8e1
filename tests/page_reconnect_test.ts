/** The page when the connection or the engine goes away: it says so, comes back by itself, and shows what happened meanwhile. */
import { assertEquals } from "@std/assert";
import { needs } from "./needs.ts";
import { RATE, Scene } from "./support/page_scene.ts";
import { TestClient } from "./support/server_client.ts";

Deno.test({
  name:
    "an engine killed while it plays comes back with every edit, and the page goes on where it was",
  ...needs("chromium"),
  async fn() {
    await using scene = await Scene.open({ seconds: 60 });
    const { page } = scene;
    await page.click(await scene.onRuler(20));
    await page.until("Math.abs(loophole.session.frame / 48000 - 20) < 0.1");
    await page.press("s");
    await page.until("loophole.session.mirror.clipCount === 4");
    await page.click(await scene.at(10, 90));
    await page.press("Alt+ArrowDown");
    await page.until("loophole.session.mirror.tracks[0].clips.all()[0].gainDb === -1");
    const before = await scene.timeline();
    const view = await page.evaluate(
      "loophole.view.scrollFrame + '/' + loophole.view.framesPerPixel",
    );
    await page.press(" ");
    await page.until("loophole.session.frame > 20.5 * 48000");

    scene.engine.kill("SIGKILL");
    await scene.engine.end();
    await page.until("document.getElementById('connection').dataset.state === 'waiting'");
    // What is pressed now does nothing, and nobody is told of it ten times.
    const told = await page.evaluate("loophole.notices.all");
    for (let time = 0; time < 10; time++) await page.press("s");
    await page.press("Ctrl+z");
    assertEquals(await page.evaluate("loophole.notices.all"), told);
    await scene.screenshot("killed");

    await scene.restart();
    await page.until("document.getElementById('connection').dataset.state === 'open'", 60_000);
    assertEquals(await scene.timeline(), before);
    assertEquals((await scene.shown()).flat().length, 4);
    assertEquals(await scene.shown(), await scene.held());
    // Paused, where one looked, with what can be undone.
    assertEquals(await page.evaluate("loophole.session.transport.state !== 'playing'"), true);
    assertEquals(
      await page.evaluate("loophole.view.scrollFrame + '/' + loophole.view.framesPerPixel"),
      view,
    );
    await page.until("!document.getElementById('undo').disabled");
    await page.press("Ctrl+z");
    await page.until("loophole.session.mirror.tracks[0].clips.all()[0].gainDb === 0");
    await page.press("Ctrl+z");
    await page.until("loophole.session.mirror.clipCount === 3");
    assertEquals(await scene.shown(), await scene.held());
    const place = await scene.frame();
    await page.press(" ");
    await page.until(`loophole.session.frame > ${place} + 4800`);
    // Waveforms are asked for again, and come.
    await page.evaluate("loophole.view.show(0, 48000); loophole.timeline.viewChanged()");
    await page.until("loophole.tiles.waiting === 0");
    // The browser itself tells of what an engine that is gone, or only starts, did not answer.
    const ofTheBreak = /WebSocket|net::ERR_|503 \(Service Unavailable\)/;
    assertEquals(page.complaints.filter((text) => !ofTheBreak.test(text)), []);
  },
});

Deno.test({
  name:
    "edits of others during a break arrive as changes since the page's revision, in one picture",
  ...needs("chromium"),
  async fn() {
    await using scene = await Scene.open();
    const { page } = scene;
    await page.click(await scene.at(26, 90));
    await page.evaluate(`globalThis.syncs = [];
      loophole.client.on("sync", ({ topics }) => syncs.push(topics.timeline));
      loophole.client.close()`);
    await page.until("document.body.classList.contains('offline')");
    {
      await using client = await TestClient.connect(scene.url);
      await client.call("engine.hello", { protocol: 1 });
      const { result } = await client.call("timeline.get", {});
      const [track] = result.timeline.tracks;
      await client.call("timeline.edit", {
        edits: [
          { op: "segment.delete", clipId: track.clips[1].clipId },
          { op: "track.add", track: { trackId: "theirs", name: "Theirs" } },
        ],
      });
      await client.call("timeline.edit", {
        edits: [{
          op: "clip.move",
          clipId: track.clips[0].clipId,
          startFrame: 4800,
          trackId: "theirs",
        }],
      });
    }
    await page.evaluate("loophole.client.connect()");
    await scene.connected();
    await page.until("syncs.length > 0");
    assertEquals(
      await page.evaluate("syncs.map((state) => ['changes' in state, 'timeline' in state])"),
      [[true, false]] as never,
    );
    assertEquals(await scene.shown(), [[[12 * RATE, 8 * RATE]], [[4800, 12 * RATE]]]);
    assertEquals(await scene.shown(), await scene.held());
    await page.until("document.querySelectorAll('.track-header').length === 2");
    // What was selected still is, where it went.
    assertEquals(
      await page.evaluate(
        "loophole.selection.clips(loophole.session.mirror).map((c) => c.startFrame)",
      ),
      [12 * RATE] as never,
    );
    await page.until("!document.getElementById('undo').disabled");
    assertEquals(page.complaints, []);
  },
});
