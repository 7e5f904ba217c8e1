/** The page as a whole: that it fits a small screen, that everything has a name and a place in the order of Tab, and that it bears many clips. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { needs } from "./needs.ts";
import { Scene } from "./support/page_scene.ts";
import { TestClient } from "./support/server_client.ts";

/** Controls that are covered by something, or reach out of the window. */
const HIDDEN = `[...document.querySelectorAll("button, input, select, canvas, [tabindex]")]
  .filter((element) => element.checkVisibility({ visibilityProperty: true }) && !element.closest(".vertical-bar"))
  .filter((element) => {
    const { x, y, width, height } = element.getBoundingClientRect();
    if (x < 0 || y < 0 || x + width > innerWidth + 0.5 || y + height > innerHeight + 0.5) return true;
    const top = document.elementFromPoint(x + width / 2, y + height / 2);
    return !(element.contains(top) || top?.contains(element) || top?.closest(".lanes, .playhead-box"));
  })
  .map((element) => element.outerHTML.slice(0, 120))`;

Deno.test({
  name:
    "everything has a name and fits 1280×720, light and dark; the keyboard reaches it and help tells of every key",
  ...needs("chromium"),
  async fn() {
    await using scene = await Scene.open();
    const { page } = scene;
    await page.evaluate("loophole.openHelp()");
    await page.until("document.getElementById('help').open");
    const fits = `(() => { const { scrollHeight, clientHeight } = document.getElementById("help");
      return scrollHeight <= clientHeight; })()`;
    assert(await page.evaluate(fits), "the help does not fit");
    assertEquals(
      await page.evaluate(`loophole.commands.all.filter(({ title }) =>
        !document.getElementById("help-body").textContent.includes(title)).map(({ id }) => id)`),
      [],
    );
    await scene.screenshot("help");
    await page.press("Escape");
    await page.until("!document.getElementById('help').open");
    // No key means two things.
    assertEquals(
      await page.evaluate(`loophole.commands.all.flatMap(({ keys }) => keys)
        .filter((key, index, all) => all.indexOf(key) !== index)`),
      [],
    );
    for (const tab of ["library", "assets", "history"]) {
      await page.click(`#tab-${tab}`);
      assertEquals(await page.evaluate(HIDDEN), []);
    }
    assertEquals(
      await page.evaluate(
        "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]",
      ),
      [1280, 720] as never,
    );
    const { nodes } = await page.call("Accessibility.getFullAXTree");
    // deno-lint-ignore no-explicit-any
    const nameless = nodes.filter(({ ignored, role, name }: any) =>
      !ignored &&
      /^(button|slider|textbox|searchbox|tab|tabpanel|tree|listbox|menuitem|progressbar|checkbox|combobox|dialog|image)$/
        .test(role?.value) &&
      !name?.value
    );
    // deno-lint-ignore no-explicit-any
    assertEquals(nameless.map(({ role, properties }: any) => [role.value, properties]), []);

    // Tab goes from the bar over the media and the tracks to the clips; each stop can be seen.
    await page.evaluate(`document.querySelector("button").focus()`);
    const stops: string[] = [];
    for (let step = 0; step < 60 && !stops.includes("lanes-canvas"); step++) {
      await page.press("Tab");
      stops.push(
        await page.evaluate<string>(`(() => {
          const { id, className, dataset } = document.activeElement;
          return id || dataset.command || String(className);
        })()`),
      );
    }
    for (const stop of ["play", "tab-history", "view.snap", "track-name", "slider gain"]) {
      assert(stops.includes(stop), `${stop} is not among ${stops}`);
    }
    assertEquals(stops.at(-1), "lanes-canvas");

    const other = await scene.browser.newPage({ width: 1280, height: 720, dark: false });
    await other.goto(scene.url);
    await scene.connected(other);
    assertEquals(await other.evaluate(HIDDEN), []);
    await scene.screenshot("light 1280", other);
    const wide = await scene.browser.newPage({ width: 2560, height: 1440 });
    await wide.goto(scene.url);
    await scene.connected(wide);
    assertEquals(await wide.evaluate(HIDDEN), []);
    await scene.screenshot("dark 2560", wide);
    assertEquals([...page.complaints, ...other.complaints, ...wide.complaints], []);
  },
});

Deno.test({
  name: "ten thousand clips are shown, found under the pointer, selected and deleted",
  ...needs("chromium"),
  async fn() {
    await using scene = await Scene.open();
    const { page } = scene;
    await using client = await TestClient.connect(scene.url);
    await client.call("engine.hello", { protocol: 1 });
    const { result } = await client.call("timeline.get", {});
    const [{ assetId }] = result.timeline.tracks[0].clips;
    const track = { gainDb: 0, pan: 0, mute: false, solo: false };
    const length = 48_000;
    const tracks = Array.from({ length: 10 }, (_, row) => ({
      ...track,
      trackId: `t${row}`,
      name: `Track ${row}`,
      clips: Array.from({ length: 1_000 }, (_, index) => ({
        clipId: `c${row}-${index}`,
        assetId,
        startFrame: index * length,
        lengthFrames: length,
        sourceFrame: ((index * 7) % 10) * length,
      })),
    }));
    await client.call("timeline.set", { timeline: { sampleRate: 48_000, tracks } });
    await page.until("loophole.session.mirror.clipCount === 10000", 60_000);
    await page.press("f");
    await page.until("loophole.view.endVisibleFrame >= 1000 * 48000");
    await page.until("loophole.loop.isIdle && loophole.tiles.waiting === 0");
    await scene.screenshot("ten thousand");
    // Every column of the first lane has a clip in it.
    const ground = await page.evaluate<number>(`(() => {
      const { context } = loophole.timeline.lanes;
      const width = Math.floor(loophole.view.xOf(1000 * 48000));
      const data = context.getImageData(0, 6, width, 1).data;
      const lane = loophole.theme.ground.lanes;
      return new Uint32Array(data.buffer).filter((pixel) => lane.includes(pixel)).length;
    })()`);
    assertEquals(ground, 0);
    await page.press("Ctrl+a");
    assertEquals(await page.evaluate("loophole.selection.size"), 10_000);
    await page.press("Escape");
    await page.evaluate(
      "loophole.view.show(500 * 48000, 510 * 48000); loophole.timeline.viewChanged()",
    );
    await page.click(await scene.at(505.5, 30));
    assertEquals(await page.evaluate("loophole.selection.clipIds"), ["c0-505"]);
    await page.press("Delete");
    // Closed on all tracks: one clip of each goes.
    await page.until("loophole.session.mirror.clipCount === 9990");
    assertEquals(await scene.shown(), await scene.held());
    assertMatch(
      await page.evaluate("document.getElementById('size-text').textContent"),
      /10 tracks.*9990 clips/,
    );
    assertEquals(page.complaints, []);
  },
});
