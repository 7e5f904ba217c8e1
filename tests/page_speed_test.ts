/** Speeds in a real browser: by dialogue, by key and by drawing an edge; checked at the engine, in the picture and in words. */
import { assert, assertAlmostEquals, assertEquals, assertMatch } from "@std/assert";
import { needs } from "./needs.ts";
import { RATE, type Scene } from "./support/page_scene.ts";
import {
  clipsById,
  edited,
  heldClips,
  inTrack,
  openTracks,
  seekTo,
  undo,
} from "./support/page_tracks.ts";

/** How high the wave stands in the columns of a stretch of a track, in device pixels: the picture of its sound. */
async function pictureOf(
  scene: Scene,
  track: number,
  from: string,
  to: string,
): Promise<number[]> {
  await scene.page.until("loophole.loop.isIdle && loophole.tiles.waiting === 0");
  return await scene.page.evaluate<number[]>(`(() => {
    const { view, theme, session: { mirror } } = loophole;
    const { context, density } = loophole.timeline.lanes;
    const x = Math.round(view.xOf(${from}) * density);
    const width = Math.round(view.xOf(${to}) * density) - x;
    const top = Math.round((view.yOf(${track}) + 30) * density);
    const height = Math.round((view.trackHeight - 40) * density);
    const pixels = new Uint32Array(context.getImageData(x, top, width, height).data.buffer);
    const paints = [...theme.clips, ...theme.selected].map((paint) => paint.pixels);
    const grounds = new Set(paints.map(({ body }) => body));
    return Array.from({ length: width }, (_, column) => {
      let lit = 0;
      for (let row = 0; row < height; row++) if (!grounds.has(pixels[row * width + column])) lit++;
      return lit;
    });
  })()`);
}

/** The same of a whole clip. */
function shape(scene: Scene, track: number, clipId: string): Promise<number[]> {
  const clip = `mirror.clip(${JSON.stringify(clipId)})`;
  return pictureOf(
    scene,
    track,
    `${clip}.startFrame`,
    `(${clip}.startFrame + ${clip}.lengthFrames)`,
  );
}

/** Mean difference of two pictures, by the mean height of the first; the first and last columns are edges. */
function difference(a: number[], b: number[]): number {
  let [apart, height] = [0, 0];
  for (let column = 8; column < Math.min(a.length, b.length) - 8; column++) {
    apart += Math.abs(a[column] - b[column]);
    height += a[column];
  }
  return apart / height;
}

const words = (scene: Scene, text: string) =>
  scene.page.until(
    `document.getElementById("lanes-canvas").textContent.includes(${JSON.stringify(text)})`,
  );

Deno.test({
  name:
    "the speed of clips is set in a dialogue: rate, pitch, direction; what follows moves along, and picture, words and engine agree",
  ...needs("chromium"),
  async fn() {
    await using scene = await openTracks(
      [["v", 0, 0, 6], ["p", 1, 6, 4]],
      [["r", 2, 1, 3]],
    );
    const { page } = scene;
    const start = await heldClips(scene);
    await page.click(await inTrack(scene, 3, 0));
    await page.press("r");
    await page.until("document.getElementById('speed').open");
    assertEquals(await page.evaluate("document.activeElement.id"), "speed-rate");
    assertEquals(await page.evaluate("document.getElementById('speed-rate').value"), "100");
    await page.type("150");
    await page.until(
      "document.getElementById('speed-length').textContent === 'Length 0:06.0 → 0:04.0'",
    );
    await scene.screenshot("speed");
    await edited(scene, () => page.press("Enter"));
    assertEquals(await page.evaluate("document.getElementById('speed').open"), false);
    let v = (await clipsById(scene)).get("v")!;
    assertEquals([v.rate, v.lengthFrames, v.sourceFrame], [1.5, 4 * RATE, 0]);
    assertEquals((await heldClips(scene))[0], [["v", 0, 4], ["p", 4, 8]]);
    assertEquals((await heldClips(scene))[1], start[1]);
    await words(scene, "at 150 % speed");
    assertMatch(
      await page.evaluate("document.getElementById('selection-text').textContent"),
      /150 %/,
    );
    // Its picture is drawn at its rate: six swells of a second in four seconds.
    const columns = await shape(scene, 0, "v");
    const peaks = columns.filter((height, column) =>
      column > 8 && column < columns.length - 8 &&
      height === Math.max(...columns.slice(column - 8, column + 9))
    );
    assert(peaks.length >= 6, `${peaks.length} swells`);
    await undo(scene);
    assertEquals(await heldClips(scene), start);

    // A mistake is named where it is made, and nothing is sent.
    await page.press("r");
    await page.until("document.getElementById('speed').open");
    await page.type("2000");
    await page.until(
      "document.getElementById('speed-length').textContent.startsWith('From 6.25 % to 1600 %')",
    );
    await page.press("Enter");
    assertEquals(await page.evaluate("document.getElementById('speed').open"), true);
    await page.press("Escape");
    await page.until("!document.getElementById('speed').open");
    assertEquals(await heldClips(scene), start);

    // Two at once: the field is empty where they differ, and stays as they are.
    await edited(scene, () => page.press("Alt+r"));
    assertEquals((await clipsById(scene)).get("v")!.reverse, true);
    await page.click(await inTrack(scene, 8, 0), { keys: ["Ctrl"] });
    await page.press("r");
    await page.until("document.getElementById('speed').open");
    assertEquals(
      await page.evaluate("document.getElementById('speed-reverse').indeterminate"),
      true,
    );
    await page.click("#speed-presets button:nth-child(6)");
    await page.click("#speed-ripple");
    await edited(scene, () => page.click("#speed .primary"));
    const both = await clipsById(scene);
    assertEquals([both.get("v")!.rate, both.get("p")!.rate], [2, 2]);
    assertEquals([both.get("v")!.reverse, both.get("p")!.reverse], [true, undefined]);
    assertEquals((await heldClips(scene))[0], [["v", 0, 3], ["p", 6, 8]]);
    await words(scene, "at 200 % speed, pitch follows the speed, reversed");
    v = both.get("v")!;
    await undo(scene);
    await undo(scene);
    assertEquals(await heldClips(scene), start);
    assertEquals(page.complaints, []);
    assertEquals(await page.evaluate("loophole.notices.all"), []);
  },
});

Deno.test({
  name: "a clip that plays backwards is drawn backwards, and trims and slips as it is heard",
  ...needs("chromium"),
  async fn() {
    // A second and a half of a swell a second is no palindrome.
    await using scene = await openTracks([["v", 0, 1, 1.5]], [["s", 0, 1, 4, 3]], [[
      "p",
      1,
      12,
      2,
    ]]);
    const { page } = scene;
    const forwards = await shape(scene, 0, "v");
    // Sixty single samples from a place on, as they lie.
    const samples = async (from: number) => {
      await page.evaluate(
        `loophole.view.show(${from}, ${from + 60}); loophole.timeline.viewChanged()`,
      );
      const lit = await pictureOf(scene, 0, String(from), String(from + 60));
      await page.evaluate("loophole.timeline.fit()");
      return lit;
    };
    const last = await samples(1.7 * RATE);
    assert(difference(forwards, forwards.toReversed()) > 0.2, "the picture is a palindrome");
    await page.click(await inTrack(scene, 1.7, 0));
    await edited(scene, () => page.press("Alt+r"));
    await page.press("Escape");
    const backwards = await shape(scene, 0, "v");
    assertEquals(backwards.length, forwards.length);
    assert(
      difference(backwards, forwards.toReversed()) < 0.06,
      `${difference(backwards, forwards.toReversed())}`,
    );
    await scene.screenshot("backwards");
    // What lay 0.8 s before its end lies 0.8 s behind its start, the other way round.
    const first = await samples(1.8 * RATE - 60);
    assert(difference(last, last.toReversed()) > 0.1, "the samples are a palindrome");
    assert(difference(first, last.toReversed()) < 0.06, `${difference(first, last.toReversed())}`);

    // Its start is the end of what it plays: trimmed by a second, a second of the end of the source range goes.
    await page.click(await inTrack(scene, 3, 1));
    await edited(scene, () => page.press("Alt+r"));
    await seekTo(scene, 2);
    await edited(scene, () => page.press("{"));
    const s = (await clipsById(scene)).get("s")!;
    assertEquals([s.startFrame, s.lengthFrames, s.sourceFrame], [2 * RATE, 3 * RATE, 3 * RATE]);
    // Drawn to the right, the sound goes to the right: a later part of the source comes in from the left.
    const place = await inTrack(scene, 3, 1);
    const to = await inTrack(scene, 3.5, 1);
    await page.drag([place, to], { keys: ["Ctrl", "Alt"] });
    await scene.settled();
    const slipped = (await clipsById(scene)).get("s")!;
    assertAlmostEquals((slipped.sourceFrame - s.sourceFrame) / RATE, 0.5, 0.05);
    // The left edge goes as far as the end of the source, the right one as far as its beginning.
    await undo(scene);
    const edge = await inTrack(scene, 5, 1);
    await page.drag([{ ...edge, x: edge.x - 3 }, await inTrack(scene, 11, 1)]);
    await scene.settled();
    assertEquals((await clipsById(scene)).get("s")!.sourceFrame, 0);
    assertEquals((await heldClips(scene))[1], [["s", 2, 8]]);
    assertEquals(page.complaints, []);
  },
});

Deno.test({
  name:
    "an edge drawn with Shift stretches the clip and what is grouped with it; Escape brings the speed back",
  ...needs("chromium"),
  async fn() {
    await using scene = await openTracks([["v", 0, 0, 6]], [["r", 2, 2, 4]], [["p", 1, 20, 2]]);
    const { page } = scene;
    const start = await heldClips(scene);
    const edge = async (seconds: number, px: number, track = 0) => {
      const place = await inTrack(scene, seconds, track);
      return { ...place, x: place.x + px };
    };
    await page.drag([await edge(6, -3), await edge(9, -3)], { keys: ["Shift"], hold: true });
    await page.until("loophole.session.mirror.clip('v').rate < 0.7");
    assertMatch(
      await page.evaluate("document.getElementById('readout').textContent"),
      /^6[67](\.\d+)? %$/,
    );
    await scene.screenshot("stretch");
    await page.press("Escape");
    await page.until("loophole.session.mirror.clip('v').rate === 1");
    await page.release(await edge(9, -3));
    await scene.settled();
    assertEquals(await heldClips(scene), start);

    await page.click(await inTrack(scene, 1, 0));
    await page.click(await inTrack(scene, 3, 1), { keys: ["Ctrl"] });
    await edited(scene, () => page.press("g"));
    await page.drag([await edge(6, -3), await edge(12, -3)], { keys: ["Shift"] });
    await scene.settled();
    const clips = await clipsById(scene);
    const [v, r] = [clips.get("v")!, clips.get("r")!];
    assertAlmostEquals(v.rate, 0.5, 0.01);
    assertAlmostEquals(r.rate, v.rate, 1e-4);
    // The same of the source, and in step: what began 2 s later begins later by as much as the speed says.
    assertAlmostEquals(v.rate * v.lengthFrames, 6 * RATE, 1);
    assertAlmostEquals(r.rate * r.lengthFrames, 4 * RATE, 1);
    assertAlmostEquals(r.startFrame * v.rate, 2 * RATE, 1);
    assertEquals(v.startFrame, 0);
    await undo(scene);
    await undo(scene);
    assertEquals(await heldClips(scene), start);
    // At the other edge the end stays.
    await page.press("Escape");
    await page.drag([await edge(20, 3, 2), await edge(19, 3, 2)], { keys: ["Shift"] });
    await scene.settled();
    const p = (await clipsById(scene)).get("p")!;
    assertEquals(p.startFrame + p.lengthFrames, 22 * RATE);
    assertAlmostEquals(p.rate, 2 / 3, 0.03);
    assertEquals(page.complaints, []);
    assertEquals(await page.evaluate("loophole.notices.all"), []);
  },
});

Deno.test({
  name:
    "how far the stretched sound of a clip is, is told in its title, in words and in the dialogue, and why there is none",
  ...needs("chromium"),
  async fn() {
    await using scene = await openTracks([["v", 0, 0, 6]], [["p", 1, 20, 2]]);
    const { page } = scene;
    await page.click(await inTrack(scene, 3, 0));
    await page.press("r");
    await page.until("document.getElementById('speed').open");
    await page.type("80");
    await page.evaluate("document.getElementById('speed-mode').focus()");
    await page.press("ArrowDown");
    assertEquals(
      await page.evaluate("document.getElementById('speed-mode').value"),
      "maintainPitch",
    );
    await edited(scene, () => page.click("#speed .primary"));
    const v = (await clipsById(scene)).get("v")!;
    assertEquals([v.rate, v.speedMode, v.lengthFrames], [0.8, "maintainPitch", 7.5 * RATE]);
    // The engine has rendered it.
    await page.until("loophole.session.pipelines.of('v')?.state === 'ready'");
    await words(scene, "at 80 % speed, keep the pitch");
    assertEquals(
      await page.evaluate(
        `document.getElementById("lanes-canvas").textContent.includes("stretched")`,
      ),
      false,
    );
    // On the way, and where it fails: what the engine tells of it.
    const tell = (told: Record<string, unknown>) =>
      page.evaluate(
        `loophole.client.emit("clip.pipelineUpdated", ${JSON.stringify({ clipId: "v", ...told })})`,
      );
    await tell({ state: "rendering", progress: 0.4 });
    await words(scene, "40 % stretched");
    await scene.screenshot("stretching");
    await tell({
      state: "failed",
      error: { code: "asset.unreadable", message: "Cannot stretch Voice.wav: the disk is full" },
    });
    await words(scene, "not stretched");
    await page.until(
      "document.getElementById('notices').textContent.includes('Could not stretch')",
    );
    assertMatch(
      await page.evaluate("document.getElementById('notices').textContent"),
      /Could not stretch Voice\.wav: the disk is full/,
    );
    await page.press("r");
    await page.until("document.getElementById('speed').open");
    assertEquals(
      await page.evaluate("document.getElementById('speed-state').textContent"),
      "Cannot stretch Voice.wav: the disk is full",
    );
    await scene.screenshot("not stretched");
    await page.press("Escape");
    assertEquals(page.complaints, []);
  },
});
