/** What an edit costs the page's picture: the pieces that it changed, counted, and the same picture as if all of it had been drawn. */
import { assert, assertEquals } from "@std/assert";
import { needs } from "./needs.ts";
import { RATE, Scene } from "./support/page_scene.ts";
import { edited, inTrack, layTracks, seekTo } from "./support/page_tracks.ts";
import { TestClient } from "./support/server_client.ts";

interface Drawn {
  wholes: number;
  parts: number;
  clips: number;
}

/** Waits until files are known, and lets what is still learned of them pass by: it would draw everything. */
async function quiet(scene: Scene): Promise<void> {
  await scene.page.until("loophole.session.assets.all.every(({ complete }) => complete)");
  await scene.page.evaluate(`(() => {
    const { session } = loophole;
    const emit = session.emit.bind(session);
    session.emit = (name, value) => name === "assets" || emit(name, value);
    loophole.timeline.repaint();
  })()`);
}

/** What was drawn while something was done, once nothing is to be drawn any more. */
async function drawnBy(scene: Scene, act: () => Promise<unknown>): Promise<Drawn> {
  const { page } = scene;
  const idle = "loophole.loop.isIdle && loophole.tiles.waiting === 0";
  await page.until(idle);
  const before = await page.evaluate<Drawn>("({ ...loophole.timeline.drawn })");
  await act();
  await page.until(idle);
  const after = await page.evaluate<Drawn>("({ ...loophole.timeline.drawn })");
  return {
    wholes: after.wholes - before.wholes,
    parts: after.parts - before.parts,
    clips: after.clips - before.clips,
  };
}

/** Pixels of the lanes that a drawing of everything changes. */
async function differing(scene: Scene): Promise<number> {
  const { page } = scene;
  await page.evaluate(`(() => {
    const { context, canvas } = loophole.timeline.lanes;
    globalThis.before = new Uint32Array(context.getImageData(0, 0, canvas.width, canvas.height).data.buffer);
    loophole.timeline.repaint();
  })()`);
  await page.until("loophole.loop.isIdle");
  return await page.evaluate<number>(`(() => {
    const { context, canvas } = loophole.timeline.lanes;
    const now = new Uint32Array(context.getImageData(0, 0, canvas.width, canvas.height).data.buffer);
    return now.reduce((sum, pixel, at) => sum + (pixel === before[at] ? 0 : 1), 0);
  })()`);
}

Deno.test({
  name:
    "whatever is edited, selected or pointed at, the pieces that are drawn make the picture that drawing everything makes",
  ...needs("chromium"),
  async fn() {
    await using scene = await Scene.open();
    const { page } = scene;
    await layTracks(
      scene,
      [["a", 0, 0, 5], ["b", 1, 4, 5], ["c", 2, 9, 6], ["d", 0, 16, 4, 2]],
      [["e", 1, 1, 6], ["f", 2, 10, 5]],
      [["g", 0, 3, 12]],
    );
    await quiet(scene);
    const acts: [string, () => Promise<unknown>][] = [
      ["point at", async () => await page.move(await inTrack(scene, 6, 0))],
      ["select", async () => await page.click(await inTrack(scene, 2, 0))],
      ["gain", () => edited(scene, () => page.press("Alt+ArrowDown"))],
      [
        "move over a neighbour",
        async () => {
          await page.drag([await inTrack(scene, 2, 0), await inTrack(scene, 3, 0)]);
          await scene.settled();
        },
      ],
      [
        "trim",
        async () => {
          const place = await inTrack(scene, 20, 0);
          const to = await inTrack(scene, 18, 0);
          await page.drag([{ ...place, x: place.x - 3 }, { ...to, x: to.x - 3 }]);
          await scene.settled();
        },
      ],
      [
        "to another track",
        async () => {
          await page.drag([await inTrack(scene, 12, 1), await inTrack(scene, 17, 2)]);
          await scene.settled();
        },
      ],
      [
        "split",
        async () => {
          await page.press("Escape");
          await seekTo(scene, 4);
          await edited(scene, () => page.press("s"));
        },
      ],
      ["fade", async () => {
        await seekTo(scene, 6);
        await edited(scene, () => page.press("Alt+]"));
      }],
      ["group", async () => {
        await page.click(await inTrack(scene, 5, 1));
        await page.click(await inTrack(scene, 12, 2), { keys: ["Ctrl"] });
        await edited(scene, () => page.press("g"));
      }],
      ["delete with ripple", () => edited(scene, () => page.press("Delete"))],
      ["undo", () => edited(scene, () => page.press("Ctrl+z"))],
      ["range", async () => {
        await edited(scene, () => page.press("i"));
        await edited(scene, () => page.press("'"));
      }],
    ];
    for (const [what, act] of acts) {
      const drawn = await drawnBy(scene, act);
      // The tint of a range goes over all rows.
      const pieces = what === "range" ? drawn.wholes : drawn.parts;
      assert(pieces > 0, `${what}: ${JSON.stringify(drawn)}`);
      assertEquals(await differing(scene), 0, what);
    }
    assertEquals(page.complaints, []);
  },
});

Deno.test({
  name:
    "of a hundred thousand clips an edit draws those that it touched, while a drag goes on and when it ends",
  ...needs("chromium"),
  async fn() {
    await using scene = await Scene.open();
    const { page } = scene;
    await using client = await TestClient.connect(scene.url);
    await client.call("engine.hello", { protocol: 1 });
    const { result } = await client.call("timeline.get", {});
    const [{ assetId }] = result.timeline.tracks[0].clips;
    const length = RATE / 2;
    const tracks = Array.from({ length: 10 }, (_, row) => ({
      trackId: `t${row}`,
      name: `Track ${row}`,
      gainDb: 0,
      pan: 0,
      mute: false,
      solo: false,
      clips: Array.from({ length: 10_000 }, (_, index) => ({
        clipId: `c${row}-${index}`,
        assetId,
        startFrame: index * length,
        lengthFrames: length,
        sourceFrame: ((index * 7) % 20) * length,
      })),
    }));
    await client.call("timeline.set", { timeline: { sampleRate: RATE, tracks } });
    await page.until("loophole.session.mirror.clipCount === 100000");
    // A window with fifty clips of each track that has room.
    await page.evaluate(
      `loophole.view.show(1000 * ${RATE}, 1025 * ${RATE}); loophole.timeline.viewChanged()`,
    );
    await quiet(scene);
    const all = await drawnBy(scene, () => page.evaluate("loophole.timeline.repaint()"));
    assert(all.clips > 100, `${all.clips} clips are seen`);
    const clip = "loophole.session.mirror.clip('c1-2020')";
    const place = await inTrack(scene, 1010.25, 1);
    await page.move(place);
    const picked = await drawnBy(scene, () => page.click(place));
    assertEquals(await page.evaluate("loophole.selection.clipIds"), ["c1-2020"]);
    assertEquals(picked.wholes, 0);
    const near = await inTrack(scene, 1010.6, 1);
    const dragged = await drawnBy(scene, async () => {
      await page.drag([place, near], { keys: ["Alt"] });
      await scene.settled();
    });
    assert(await page.evaluate<number>(`${clip}.startFrame`) > 2020 * length);
    assertEquals(dragged.wholes, 0);
    assert(dragged.parts > 0);
    // Itself and its neighbours, each time.
    assert(dragged.clips <= dragged.parts * 8, JSON.stringify(dragged));
    assertEquals(await differing(scene), 0);
    // What goes with ripple on its own track moves the rest of that row, and of no other.
    const cut = await drawnBy(scene, () => edited(scene, () => page.press("Alt+Delete")));
    assertEquals(cut.wholes, 0);
    assert(cut.clips < all.clips / 2, JSON.stringify({ cut, all }));
    assertEquals(await differing(scene), 0);
    assertEquals(page.complaints, []);
  },
});
