/** Every control of the timeline in a real browser: zoom, selection, drags, ranges, markers, tracks, history, settings. */
import { assert, assertAlmostEquals, assertEquals, assertMatch } from "@std/assert";
import type { Clip, Marker, Track } from "../engine/pulse/types.ts";
import { needs } from "./needs.ts";
import { RATE, Scene } from "./support/page_scene.ts";

/** The clips of the first track, as the engine has them. */
async function clipsOf(scene: Scene): Promise<Clip[]> {
  return (await scene.timeline()).tracks[0].clips;
}

/** Takes the last step back, and waits until the page shows it. */
async function undo(scene: Scene): Promise<void> {
  const revision = await scene.page.evaluate<number>("loophole.session.mirror.revision");
  await scene.page.press("Ctrl+z");
  await scene.page.until(`loophole.session.mirror.revision > ${revision}`);
}

Deno.test({
  name:
    "the view goes from an hour to single samples and back, by wheel and by keys, and the place under the cursor stays",
  ...needs("chromium"),
  async fn() {
    await using scene = await Scene.open();
    const { page } = scene;
    // A timeline of an hour: the last clip ends there.
    await page.evaluate(`(async () => {
      const clip = loophole.session.mirror.tracks[0].clips.all()[2];
      await loophole.session.edit([{ op: "clip.move", clipId: clip.clipId, startFrame: 3592 * 48000 }],
        { label: "Move clip" });
    })()`);
    await page.until("loophole.session.mirror.endFrame === 3600 * 48000");
    await page.press("f");
    await page.until("loophole.view.endVisibleFrame >= 3600 * 48000");
    await scene.screenshot("an hour");

    // A pointer stands on whole pixels: the first that is in the last clip.
    const edge = await scene.at(3592, 100);
    const place = { x: Math.ceil(edge.x), y: Math.round(edge.y) };
    const under = () =>
      page.evaluate<number>(
        `loophole.view.frameAt(${place.x} - document.getElementById("lanes").getBoundingClientRect().x)`,
      );
    const frame = await under();
    const perPixel = () => page.evaluate<number>("loophole.view.framesPerPixel");
    const hour = await perPixel();
    for (let turns = 0; await perPixel() > 1 / 48; turns++) {
      assert(turns < 100, `still at ${await perPixel()}`);
      await page.wheel(place, 0, -300, ["Ctrl"]);
    }
    assertEquals(await perPixel(), 1 / 48);
    assertAlmostEquals(await under(), frame, hour / 2);
    await page.until("loophole.loop.isIdle && loophole.tiles.waiting === 0");
    // Single samples: a dot each, 48 pixels apart, with the colour of the wave's core.
    const dots = await page.evaluate<number>(`(() => {
      const { context, canvas } = loophole.timeline.lanes;
      const { data } = context.getImageData(0, 24, canvas.width, loophole.view.trackHeight - 30);
      const core = loophole.theme.clips[0].pixels.core;
      const own = new Uint32Array(data.buffer);
      let columns = 0, run = 0;
      for (let x = 0; x < canvas.width; x++) {
        let filled = 0;
        for (let y = 0; y * canvas.width < own.length; y++) if (own[y * canvas.width + x] === core) filled++;
        if (filled >= 3) run++; else { if (run >= 2) columns++; run = 0; }
      }
      return columns;
    })()`);
    assert(dots >= 8, `${dots} dots`);
    await scene.screenshot("samples");
    for (let turns = 0; await perPixel() < hour; turns++) {
      assert(turns < 100, `still at ${await perPixel()}`);
      await page.wheel(place, 0, 300, ["Ctrl"]);
    }

    // By keys, around the playhead.
    await page.press("Home");
    await page.press("f");
    await page.until(`Math.abs(loophole.view.framesPerPixel - ${hour}) < 1`);
    for (let turns = 0; await perPixel() > 1 / 48; turns++) {
      assert(turns < 100, `still at ${await perPixel()}`);
      await page.press("+");
    }
    await page.press("-");
    assertAlmostEquals(await perPixel(), 1.6 / 48, 1e-9);
    // The selection, and everything again.
    await page.press("]");
    await page.until("loophole.selection.size === 1");
    await page.press("Shift+F");
    await page.until(
      "loophole.view.scrollFrame === 0 && loophole.view.endVisibleFrame > 12 * 48000",
    );
    assert(await page.evaluate<number>("loophole.view.endVisibleFrame") < 14 * RATE);
    await page.press("f");
    await page.until("loophole.view.endVisibleFrame >= 3600 * 48000");

    // Shift turns the wheel into time, over the ruler it zooms, the middle button takes hold of the ground.
    await page.wheel(await scene.onRuler(0), 0, -900);
    await page.until(`loophole.view.framesPerPixel < ${hour / 2}`);
    await page.wheel(place, 0, 200, ["Shift"]);
    await page.until("loophole.view.scrollFrame > 0");
    const scrolled = await page.evaluate<number>("loophole.view.scrollFrame");
    await page.drag([place, { x: place.x - 100, y: place.y }], { button: "middle" });
    await page.until(`loophole.view.scrollFrame > ${scrolled}`);
    const moved = await page.evaluate<number>("loophole.view.scrollFrame");
    assertAlmostEquals(moved - scrolled, 100 * await perPixel(), await perPixel());
    assertEquals(page.complaints, []);
  },
});

Deno.test({
  name:
    "clips are selected by click, range, addition and rectangle; copied, slipped, made softer and trimmed, each one step of undo",
  ...needs("chromium"),
  async fn() {
    await using scene = await Scene.open();
    const { page } = scene;
    const start = await clipsOf(scene);
    const names = () =>
      page.evaluate<string[]>(`loophole.selection.clips(loophole.session.mirror)
        .map(({ startFrame }) => startFrame / 48000).sort((a, b) => a - b)`);
    const y = 120;
    await page.click(await scene.at(6, y));
    assertEquals(await names(), [0] as never);
    await page.click(await scene.at(26, y), { keys: ["Shift"] });
    assertEquals(await names(), [0, 12, 22] as never);
    await page.click(await scene.at(16, y), { keys: ["Ctrl"] });
    assertEquals(await names(), [0, 22] as never);
    await page.click(await scene.at(16, y), { keys: ["Ctrl"] });
    assertEquals(await names(), [0, 12, 22] as never);
    await page.press("Escape");
    assertEquals(await names(), []);
    await page.drag([await scene.at(20, 420), await scene.at(26, y)]);
    assertEquals(await names(), [12, 22] as never);
    await page.press("Ctrl+a");
    assertEquals(await names(), [0, 12, 22] as never);

    // A copy goes where the drag ends, what was grabbed stays.
    await page.press("-");
    await page.click(await scene.at(26, y));
    await page.drag([await scene.at(26, y), await scene.at(36, y)], { keys: ["Ctrl"] });
    const [copied] = await scene.settled();
    assertEquals(copied.length, 4);
    assertEquals(copied.slice(0, 3), start.map((clip) => [clip.startFrame, clip.lengthFrames]));
    assertAlmostEquals(copied[3][0] / RATE, 32, 0.15);
    assertEquals(await scene.held(), [copied]);
    await page.until("loophole.selection.size === 1");
    assertAlmostEquals((await names())[0] as never, 32, 0.15);
    await undo(scene);
    assertEquals(await clipsOf(scene), start);
    // Escape takes the copy back as well.
    await page.press("f");
    await page.drag([await scene.at(26, y), await scene.at(29, y)], { keys: ["Ctrl"], hold: true });
    await page.until("loophole.session.mirror.clipCount === 4");
    await page.press("Escape");
    await page.until("loophole.session.mirror.clipCount === 3");
    await page.release(await scene.at(29, 420));
    assertEquals(await clipsOf(scene), start);

    // Trimmed first, so that there is sound on both sides to slip to.
    await page.click(await scene.onRuler(2));
    await page.until("Math.abs(loophole.session.frame / 48000 - 2) < 0.1");
    await page.press("{");
    await page.until("loophole.session.mirror.tracks[0].clips.all()[0].startFrame > 1.8 * 48000");
    await page.click(await scene.onRuler(8));
    await page.until("Math.abs(loophole.session.frame / 48000 - 8) < 0.1");
    await page.press("}");
    await page.until("loophole.session.mirror.tracks[0].clips.all()[0].lengthFrames < 7 * 48000");
    const trimmed = await clipsOf(scene);
    assertAlmostEquals(trimmed[0].sourceFrame / RATE, 2, 0.1);
    await page.drag([await scene.at(6, y), await scene.at(5, y)], { keys: ["Ctrl", "Alt"] });
    await scene.settled();
    const slipped = await clipsOf(scene);
    assertAlmostEquals(slipped[0].sourceFrame / RATE, 3, 0.1);
    assertEquals({ ...slipped[0], sourceFrame: 0 }, { ...trimmed[0], sourceFrame: 0 });
    await undo(scene);
    assertEquals(await clipsOf(scene), trimmed);

    // The handle of the gain stands in the middle, below the title; 0.2 dB a pixel.
    const handle = await scene.at(17, 3 + 17 + 4);
    await page.move(handle);
    await page.drag([handle, { x: handle.x, y: handle.y + 30 }], { hold: true });
    await page.until("!document.getElementById('readout').hidden");
    assertEquals(
      await page.evaluate("document.getElementById('readout').textContent"),
      "−6.0 dB",
    );
    await scene.screenshot("gain");
    await page.release({ x: handle.x, y: handle.y + 30 });
    await scene.settled();
    assertEquals((await clipsOf(scene))[1].gainDb, -6);
    assertEquals(await page.evaluate("document.getElementById('readout').hidden"), true);
    await page.click(handle, { count: 2 });
    await page.until("loophole.session.mirror.tracks[0].clips.all()[1].gainDb === 0");
    await page.press("Alt+ArrowDown");
    await page.until("loophole.session.mirror.tracks[0].clips.all()[1].gainDb === -1");

    // The menu of a clip: what it offers is done.
    await page.click(await scene.at(26, y), { button: "right" });
    await page.until("document.querySelector('.menu')?.matches(':popover-open')");
    await scene.screenshot("menu");
    await page.click(".menu button:nth-child(6)"); // Rename…
    await page.until("document.activeElement?.closest('.ask')");
    await page.type("Refrain");
    await page.press("Enter");
    await page.until("loophole.session.mirror.tracks[0].clips.all()[2].name === 'Refrain'");

    // Whoever selects something else before the engine has answered keeps it.
    await page.evaluate(`(async () => {
      const [one, , three] = loophole.session.mirror.tracks[0].clips.all();
      loophole.selection.choose(one.clipId);
      document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "Delete", bubbles: true }));
      for (let turn = 0; turn < 10; turn++) await null; // Commands wait for each other: now it is on its way.
      loophole.selection.choose(three.clipId);
    })()`);
    await page.until("loophole.session.mirror.clipCount === 2");
    await scene.settled();
    assertEquals(await page.evaluate("loophole.selection.size"), 1);
    assertEquals(page.complaints, []);
    assertEquals(await page.evaluate("loophole.notices.all"), []);
  },
});

Deno.test({
  name:
    "loop, I/O points and markers are drawn, moved, named and cleared on the ruler; playing stays in the loop",
  ...needs("chromium"),
  async fn() {
    await using scene = await Scene.open();
    const { page } = scene;
    const loop = async () => {
      await scene.settled();
      const { enabled, startFrame, endFrame } = await page.evaluate<
        { enabled: boolean; startFrame: number; endFrame: number }
      >("loophole.session.transport.loop");
      return { enabled, from: startFrame / RATE, to: endFrame / RATE };
    };
    const near = (actual: number, expected: number) => assertAlmostEquals(actual, expected, 0.15);

    await page.drag([await scene.onRuler(4, "band"), await scene.onRuler(6, "band")]);
    let drawn = await loop();
    near(drawn.from, 4);
    near(drawn.to, 6);
    assertEquals(drawn.enabled, true);
    await page.drag([await scene.onRuler(5, "band"), await scene.onRuler(7.5, "band")]);
    drawn = await loop();
    near(drawn.from, 6.5);
    near(drawn.to, 8.5);
    await page.drag([await scene.onRuler(drawn.to, "band"), await scene.onRuler(7, "band")]);
    near((await loop()).to, 7);
    const held = await loop();
    await page.drag([await scene.onRuler(7, "band"), await scene.onRuler(10, "band")], {
      hold: true,
    });
    await page.until("loophole.session.transport.loop.endFrame > 9 * 48000");
    await page.press("Escape");
    await page.until(`loophole.session.transport.loop.endFrame < 7.5 * 48000`);
    assertEquals(await loop(), held);
    await page.release(await scene.onRuler(10, "band"));
    await scene.screenshot("loop");

    // Half a second of loop: sooner or later the head goes back, and never beyond.
    await page.click(await scene.onRuler(6.6));
    await page.until("Math.abs(loophole.session.frame / 48000 - 6.6) < 0.1");
    await page.evaluate(`globalThis.seen = []; (function look() {
      seen.push(loophole.session.playhead.at(performance.now())); requestAnimationFrame(look);
    })()`);
    await page.press(" ");
    await page.until("seen.some((frame, index) => index > 0 && frame < seen[index - 1] - 4800)");
    await page.press(" ");
    await page.until("loophole.session.transport.state === 'paused'");
    const furthest = await page.evaluate<number>("Math.max(...seen)");
    assert(furthest <= held.to * RATE, `${furthest} is beyond ${held.to * RATE}`);
    await page.press("l");
    await page.until("!loophole.session.transport.loop.enabled");

    // In and out, at the playhead, around the selection, by drag; cleared.
    const io = async () => {
      await scene.settled();
      return (await scene.timeline()).ioPoints ?? null;
    };
    await page.click(await scene.onRuler(14));
    await page.until("Math.abs(loophole.session.frame / 48000 - 14) < 0.1");
    await page.press("i");
    await page.until("loophole.session.mirror.ioPoints !== null");
    await page.click(await scene.onRuler(20));
    await page.until("Math.abs(loophole.session.frame / 48000 - 20) < 0.1");
    await page.press("o");
    await page.until("loophole.session.mirror.ioPoints.outFrame < 21 * 48000");
    near((await io())!.inFrame / RATE, 14);
    near((await io())!.outFrame / RATE, 20);
    await page.drag([await scene.onRuler(20, "band"), await scene.onRuler(25, "band")]);
    near((await io())!.outFrame / RATE, 25);
    await page.click(await scene.at(16, 120));
    await page.press("Shift+I");
    await page.until("loophole.session.mirror.ioPoints.outFrame === 22 * 48000");
    assertEquals(await io(), { inFrame: 12 * RATE, outFrame: 22 * RATE });
    await scene.screenshot("range");
    await page.press("Escape");
    await page.press("Shift+F"); // Without a selection, the range.
    await page.until("Math.abs(loophole.view.endVisibleFrame / 48000 - 22.3) < 0.5");
    await page.press("f");
    await page.press("x");
    await page.until("loophole.session.mirror.ioPoints === null");
    assertEquals(await io(), null);

    // Markers.
    const markers = async (): Promise<Marker[]> => (await scene.timeline()).markers ?? [];
    await page.click(await scene.onRuler(9));
    await page.until("Math.abs(loophole.session.frame / 48000 - 9) < 0.1");
    await page.press("m");
    await page.until("loophole.timeline.markerBoxes.length === 1");
    const flag = async (seconds: number) => {
      const { x, y } = await scene.onRuler(seconds, "band");
      return { x: x + 4, y };
    };
    const [{ frame }] = await markers();
    await page.drag([await flag(frame / RATE), await flag(frame / RATE + 6)]);
    await scene.settled();
    near((await markers())[0].frame / RATE, frame / RATE + 6);
    await page.click(await flag((await markers())[0].frame / RATE), { count: 2 });
    await page.until("document.activeElement?.closest('.ask')");
    await page.type("Chorus");
    await page.press("Enter");
    await page.until("loophole.session.mirror.markers[0].name === 'Chorus'");
    await scene.screenshot("marker");
    await page.click(await flag((await markers())[0].frame / RATE), { button: "right" });
    await page.click(".menu .danger");
    await page.until("loophole.session.mirror.markers.length === 0");
    assertEquals(await markers(), []);
    assertEquals(page.complaints, []);
  },
});

Deno.test({
  name:
    "track headers set gain, pan, mute, solo, name and order; their meters move with what is heard",
  ...needs("chromium"),
  async fn() {
    await using scene = await Scene.open();
    const { page } = scene;
    // Each clip on a track of its own, from the beginning.
    await page.evaluate(`(async () => {
      const clips = loophole.session.mirror.tracks[0].clips.all();
      const edits = clips.slice(1).flatMap(({ clipId }, index) => [
        { op: "track.add", track: { trackId: "extra" + index, name: "Extra " + (index + 1) } },
        { op: "clip.move", clipId, startFrame: 0, trackId: "extra" + index },
      ]);
      await loophole.session.edit(edits, { label: "Spread" });
    })()`);
    await page.until("document.querySelectorAll('.track-header').length === 3");
    const tracks = async (): Promise<Track[]> => {
      await scene.settled();
      return (await scene.timeline()).tracks;
    };
    const header = (index: number) => `.track-header:nth-child(${index + 1})`;
    const within = async (selector: string, part: number) => {
      const box = await page.evaluate<{ x: number; y: number; width: number; height: number }>(
        `document.querySelector(${JSON.stringify(selector)}).getBoundingClientRect().toJSON()`,
      );
      return { x: box.x + 5 + (box.width - 10) * part, y: box.y + box.height / 2 };
    };

    // By the hand, by keys, and back by a double click. The fader reaches from −60 to +12.
    await page.click(await within(`${header(1)} .gain`, 0.5));
    assertAlmostEquals((await tracks())[1].gainDb!, -24, 1.5);
    await page.press("Home");
    await page.until("loophole.session.mirror.tracks[1].header.gainDb === null");
    assertEquals((await tracks())[1].gainDb, null);
    await page.click(await within(`${header(1)} .gain`, 0.5), { count: 2 });
    assertEquals((await tracks())[1].gainDb, 0);
    await page.press("ArrowLeft");
    await page.until("loophole.session.mirror.tracks[1].header.gainDb < 0");
    assertAlmostEquals((await tracks())[1].gainDb!, -0.1, 1e-9);
    await page.drag([
      await within(`${header(1)} .pan`, 0.5),
      await within(`${header(1)} .pan`, 0.8),
      await within(`${header(1)} .pan`, 0.75),
    ]);
    assertAlmostEquals((await tracks())[1].pan, 0.5, 0.06);
    assertMatch(
      await page.evaluate(`document.querySelector("${header(1)} .track-pan output").textContent`),
      /^R(4|5)\d$/,
    );
    // One step, however far the hand went.
    await undo(scene);
    assertEquals((await tracks())[1].pan, 0);

    // What sounds shows in the meters: rows of the canvas that are not its ground.
    const lit = (index: number) =>
      `(() => {
      const canvas = document.querySelector("${header(index)} .track-meter");
      const { data } = canvas.getContext("2d").getImageData(0, 0, 1, canvas.height);
      const rows = new Uint32Array(data.buffer);
      return rows.filter((pixel) => pixel !== rows[0]).length;
    })()`;
    await scene.hold(0, 6 * RATE); // All three sound for so long.
    await page.press(" ");
    for (const index of [0, 1, 2]) await page.until(`${lit(index)} > 10`);
    await page.until("loophole.session.meters.of('')[0].levelDb > -20");
    await page.click(`${header(2)} .toggle-mute`);
    await page.until("loophole.session.mirror.tracks[2].header.mute");
    await page.until(`${lit(2)} === 0`);
    assertEquals((await tracks())[2].mute, true);
    await page.click(`${header(0)} .toggle-solo`);
    await page.until("loophole.session.mirror.tracks[0].header.solo");
    await page.until(`${lit(1)} === 0`);
    await page.until(`${lit(0)} > 10`);
    await scene.screenshot("tracks");
    // With Ctrl, this one alone; by key, the track that was chosen last.
    await page.click(`${header(1)} .toggle-solo`, { keys: ["Ctrl"] });
    await page.until("loophole.session.mirror.tracks[1].header.solo");
    assertEquals((await tracks()).map(({ solo }) => solo), [false, true, false]);
    await page.press("Shift+S");
    await page.until("!loophole.session.mirror.tracks[1].header.solo");
    await page.press("Shift+M");
    await page.until("loophole.session.mirror.tracks[1].header.mute");
    // Space plays and pauses, though the button was clicked last.
    await page.press(" ");
    await page.until("loophole.session.transport.state === 'paused'");
    assertEquals((await tracks()).map(({ solo }) => solo), [false, false, false]);

    // A name, and the order.
    await page.click(`${header(2)} .track-name`, { count: 2 });
    await page.until(
      `document.activeElement === document.querySelector("${header(2)} .track-name")`,
    );
    await page.type("Atmosphere");
    await page.press("Enter");
    await page.until("loophole.session.mirror.tracks[2].header.name === 'Atmosphere'");
    const grip = await within(`${header(2)} .track-name`, 0.3);
    const top = await within(`${header(0)} .track-name`, 0.3);
    await page.drag([grip, { x: grip.x, y: top.y - 20 }]);
    await page.until("loophole.session.mirror.tracks[0].header.name === 'Atmosphere'");
    assertEquals((await tracks()).map(({ name }) => name)[0], "Atmosphere");
    await page.until(`document.querySelector("${header(0)} .track-name").value === "Atmosphere"`);
    assertEquals(page.complaints, []);
  },
});

Deno.test({
  name:
    "the steps are listed and gone to; light, dark and the way of writing time are kept over a reload",
  ...needs("chromium"),
  async fn() {
    await using scene = await Scene.open();
    const { page } = scene;
    const start = await scene.shown();
    await page.click("#tab-history");
    await page.click(await scene.at(26, 120));
    await page.press("Ctrl+d");
    await page.until("loophole.session.mirror.clipCount === 4");
    await page.press("Delete");
    await page.until("loophole.session.mirror.clipCount === 3");
    await scene.settled();
    await page.press("Alt+ArrowDown"); // Nothing is selected: no step.
    await page.click(await scene.at(5, 120));
    await page.press("Alt+ArrowDown");
    await page.until("loophole.session.mirror.tracks[0].clips.all()[0].gainDb === -1");
    const steps = () =>
      page.evaluate<string[]>(
        "[...document.querySelectorAll('#history button')].map((b) => b.className + b.textContent)",
      );
    await page.until("document.querySelectorAll('#history button').length === 5");
    assertEquals((await steps()).slice(0, 3), ["Change gain", "Delete clip", "Duplicate"]);
    await scene.screenshot("history");
    await page.click("#history li:nth-child(4) button");
    await page.until("loophole.session.mirror.tracks[0].clips.all()[0].gainDb === 0");
    await page.until("document.querySelectorAll('#history .undone').length === 3");
    assertEquals(await scene.shown(), start);
    assertEquals(await scene.held(), start);
    await page.click("#history li:nth-child(3) button");
    await page.until("loophole.session.mirror.clipCount === 4");
    await page.until("document.querySelectorAll('#history .undone').length === 2");

    // The ground of the lanes tells light from dark, whatever draws it.
    const ground = () =>
      page.evaluate<number>(`loophole.timeline.lanes.context.getImageData(2, 1, 1, 1).data[0]`);
    const bright = `loophole.timeline.lanes.context.getImageData(2, 1, 1, 1).data[0] > 200`;
    const dark = `loophole.timeline.lanes.context.getImageData(2, 1, 1, 1).data[0] < 60`;
    await page.until(dark);
    await page.prefer("light");
    await page.until(bright);
    await page.prefer("dark");
    await page.until(dark);
    await page.click("#theme");
    await page.click(".menu button:nth-child(2)");
    await page.until(bright);
    assertMatch(await page.evaluate("getComputedStyle(document.body).backgroundColor"), /^rgb\(2/);
    await page.press("t");
    await page.until("document.getElementById('time').textContent === '0'");
    await page.press("n");
    await page.reload();
    await scene.connected();
    await page.until(bright);
    await page.until("document.getElementById('time').textContent === '0'");
    assertEquals(
      await page.evaluate(`document.querySelector("[data-command='view.snap']").ariaPressed`),
      "false",
    );
    await scene.screenshot("light, in samples");
    await page.click("#theme");
    await page.click(".menu button:nth-child(1)");
    await page.until(dark);
    assert(await ground() < 60);
    await page.click("#time");
    await page.until("document.getElementById('time').textContent === '00:00:00.000'");
    assertEquals(page.complaints, []);
  },
});
