/** The page in a real browser over the real engine: what a person does first, and what they see. */
import { assert, assertAlmostEquals, assertEquals, assertMatch } from "@std/assert";
import { needs } from "./needs.ts";
import { RATE, Scene, tone } from "./support/page_scene.ts";

Deno.test({
  name:
    "three files: the page shows them, plays, splits, deletes the middle while it sounds, undoes, exports, reloads",
  ...needs("chromium"),
  async fn() {
    await using scene = await Scene.open({ seconds: 30 });
    const { page, home } = scene;
    const files: [number, number][] = [
      [0, 30 * RATE],
      [30 * RATE, 10 * RATE],
      [40 * RATE, 8 * RATE],
    ];
    assertEquals(await scene.shown(), [files]);
    assertMatch(
      await page.evaluate("document.getElementById('size-text').textContent"),
      /48 kHz.*1 track.*3 clips.*0:48\.0/,
    );
    // What the canvas shows is there in words too.
    await page.until("document.querySelectorAll('#lanes-canvas li').length === 3");
    assertMatch(
      await page.evaluate("document.querySelector('#lanes-canvas li').textContent"),
      /^Voice, 00:00:00\.000 to 00:00:30\.000$/,
    );

    await page.press(" ");
    await page.until("loophole.session.transport.state === 'playing'");
    await page.until("loophole.session.playhead.at(performance.now()) > 4800");
    await page.until("loophole.session.meters.of('')[0]?.levelDb > -30");
    const before = await scene.frame();
    const text = await page.evaluate("document.getElementById('time').textContent");
    await page.until(`document.getElementById('time').textContent !== ${JSON.stringify(text)}`);
    assert(await scene.frame() > before);
    assertEquals(
      await page.evaluate("document.getElementById('play').getAttribute('aria-label')"),
      "Pause",
    );

    // The playhead goes where the ruler is clicked, and S cuts there, while it plays. How long any of it takes does not matter: a loop
    // keeps the head where it is.
    const headIn = (from: number, to: number) =>
      page.until(
        `loophole.session.frame >= ${from * RATE} && loophole.session.frame < ${to * RATE}`,
      );
    await scene.hold(2 * RATE, 11 * RATE);
    await page.click(await scene.onRuler(2));
    await headIn(1.9, 12);
    await page.press("s");
    await page.until("loophole.session.mirror.clipCount === 4");
    const left = (await scene.shown())[0][1][0] / RATE;
    await scene.hold((left + 12) * RATE, (left + 17) * RATE);
    await page.click(await scene.onRuler(left + 12));
    await headIn(left + 11.9, 30);
    await page.press("s");
    await page.until("loophole.session.mirror.clipCount === 5");
    const [clips] = await scene.shown();
    const [cut, length] = clips[1];
    assert(length > 11 * RATE && cut + length < 30 * RATE, `${clips}`);
    await page.click(await scene.at(left + 6, 90));
    assertEquals(await page.evaluate("loophole.selection.size"), 1);
    await scene.screenshot("selected");

    // The playhead stands inside of the segment when it goes: it continues at the cut.
    await scene.hold((left + 8) * RATE, (left + 11) * RATE);
    await page.click(await scene.onRuler(left + 8));
    await headIn(left + 7.9, left + 11.5);
    const deletedMs = performance.now();
    await page.press("Delete");
    await page.until("loophole.session.mirror.clipCount === 4");
    const expected: [number, number][] = [
      clips[0],
      [cut, clips[2][1]],
      [clips[3][0] - length, clips[3][1]],
      [clips[4][0] - length, clips[4][1]],
    ];
    assertEquals(await scene.shown(), [expected]);
    assertEquals(await scene.held(), [expected]);
    const after = await scene.frame();
    // It has not played longer since than time has passed; the device makes up for 0.2 s at most, the page runs ahead by 0.3 s.
    const most = cut + ((performance.now() - deletedMs) / 1_000 + 0.6) * RATE;
    assert(after >= cut - 0.05 * RATE && after < most, `${after} is not behind ${cut}`);
    assertEquals(await page.evaluate("loophole.session.transport.state"), "playing");
    await page.until(`loophole.session.playhead.at(performance.now()) > ${after + 4_800}`);
    await scene.screenshot("deleted");

    await page.press("Ctrl+z");
    await page.until("loophole.session.mirror.clipCount === 5");
    assertEquals(await scene.shown(), [clips]);
    assertEquals(await scene.held(), [clips]);
    await page.press(" ");
    await page.until("loophole.session.transport.state === 'paused'");

    await page.press("Ctrl+e");
    await page.until("document.getElementById('export').open");
    await page.evaluate("document.getElementById('export-name').value = 'first mix.wav'");
    await page.click("#export-start");
    const href = await page.until<string>(
      "!document.getElementById('export-link').hidden && document.getElementById('export-link').href",
    );
    await scene.screenshot(`exported`);
    const mix = await fetch(href);
    assertEquals(mix.status, 200);
    const bytes = new Uint8Array(await mix.arrayBuffer());
    assertEquals(new TextDecoder().decode(bytes.subarray(0, 4)), "RIFF");
    // 24 bits, two channels, 48 seconds, and a header.
    assertAlmostEquals(bytes.length, 48 * RATE * 6, 512);
    assertEquals((await Deno.stat(`${home.path}/exports/first mix.wav`)).size, bytes.length);
    await page.press("Escape");

    const place = await scene.frame();
    await page.reload();
    await page.until("globalThis.loophole?.session.mirror.clipCount === 5");
    assertEquals(await scene.shown(), [clips]);
    assertEquals(await scene.frame(), place);
    await page.until("!document.getElementById('undo').disabled");
    assertEquals(await page.evaluate("loophole.notices.all.length"), 0);
    assertEquals(page.complaints, []);
  },
});

Deno.test({
  name:
    "the waveform on the screen has the peaks that the engine gives, from the whole file to single samples",
  ...needs("chromium"),
  async fn() {
    await using scene = await Scene.open();
    const { page, url } = scene;
    const clip = await page.evaluate<{ assetId: string }>(
      "loophole.session.mirror.tracks[0].clips.all()[0]",
    );
    for (const [start, end] of [[0, 12], [3, 4], [3.2, 3.22]]) {
      await page.evaluate(`loophole.view.show(${start * RATE}, ${end * RATE});
        loophole.timeline.viewChanged()`);
      // Where the drawn shape begins in each column, as a part of the half height; null outside of the canvas.
      const drawn = `(() => {
        const { context, canvas } = loophole.timeline.lanes;
        const { view } = loophole;
        const top = 3 + 17 + 1, bottom = view.trackHeight - 5, half = (bottom - top) / 2;
        return [0.1, 0.25, 0.4, 0.55, 0.7, 0.85].map((part) => {
          const x = Math.round(view.width * part);
          const data = context.getImageData(x, top, 1, Math.floor(half)).data;
          let y = 0;
          while (y < half - 1 && Math.abs(data[4 * y + 1] - data[1]) < 24) y++;
          return { sample: view.frameAt(x), perPixel: view.framesPerPixel, height: 1 - y / half };
        });
      })()`;
      await page.until(`${drawn}.filter(({ height }) => height > 0.05).length >= 4`);
      await page.until("loophole.loop.isIdle && loophole.tiles.waiting === 0");
      const peakOf = async (from: number, to: number) => {
        const query = new URLSearchParams({ start: `${from}`, end: `${to}`, width: "1" });
        const answer = await fetch(`${url}/aura/assets/${clip.assetId}/peaks?${query}`);
        const peaks = await answer.json();
        return Math.max(0, peaks.max[0][0]);
      };
      for (const { sample, perPixel, height } of await page.evaluate<Drawn[]>(drawn)) {
        // Columns are made of ready ones, which may reach into the neighbours; edges are smoothed.
        const least = await peakOf(sample, sample + perPixel);
        const most = await peakOf(sample - perPixel, sample + 2 * perPixel);
        const what = `${height} for ${least}…${most} at sample ${sample}`;
        assert(height > least - 0.05 && height < most + 0.05, what);
      }
      await scene.screenshot(`waveform ${start}-${end}`);
    }
    assertEquals(page.complaints, []);
  },
});

type Drawn = { sample: number; perPixel: number; height: number };

Deno.test({
  name:
    "clips are moved, trimmed, faded and duplicated by hand, each one step of undo; files from the desktop are added where they fall",
  ...needs("chromium"),
  async fn() {
    await using scene = await Scene.open({ dark: false });
    const { page, home } = scene;
    const start = await scene.shown();
    const y = 100;
    const undone = async () => {
      await page.press("Ctrl+z");
      await page.until(`loophole.session.canRedo && JSON.stringify(loophole.session.mirror.tracks
        .map(({ clips }) => clips.all().map(({ startFrame, lengthFrames }) =>
          [startFrame, lengthFrames]))) === ${JSON.stringify(JSON.stringify(start))}`);
    };

    await page.drag([await scene.at(26, y), await scene.at(28.5, y)]);
    await page.until("loophole.session.mirror.endFrame > 32 * 48000");
    const [moved] = await scene.settled();
    assertAlmostEquals(moved[2][0] / RATE, 24.5, 0.1);
    assertEquals(await scene.held(), [moved]);
    await undone();

    // The end of the first clip, two seconds in; Escape takes a drag back.
    const edge = { ...await scene.at(12, y) };
    edge.x -= 3;
    await page.drag([edge, { x: (await scene.at(10, y)).x - 3, y: edge.y }]);
    await page.until("loophole.session.mirror.tracks[0].clips.all()[0].lengthFrames < 11 * 48000");
    assertAlmostEquals((await scene.settled())[0][0][1] / RATE, 10, 0.1);
    await undone();
    await page.drag([edge, { x: (await scene.at(8, y)).x, y: edge.y }], { hold: true });
    await page.until("loophole.session.mirror.tracks[0].clips.all()[0].lengthFrames < 9 * 48000");
    await page.press("Escape");
    await page.until("loophole.session.mirror.tracks[0].clips.all()[0].lengthFrames === 576000");
    await page.click(await scene.at(31, 400)); // Lets go of the button.

    // The fade's handle stands at the upper corner.
    const corner = await scene.at(12, 3 + 17 + 4);
    const handle = { x: corner.x + 6, y: corner.y };
    await page.move(handle);
    await page.drag([handle, { x: (await scene.at(15, y)).x, y: handle.y }]);
    await scene.settled();
    const faded = await page.evaluate<number>(
      "loophole.session.mirror.tracks[0].clips.all()[1].fadeInFrames",
    );
    assertAlmostEquals(faded / RATE, 3, 0.3);
    await scene.screenshot(`faded`);

    await page.click(await scene.at(26, y));
    await page.press("Ctrl+d");
    await page.until("loophole.session.mirror.clipCount === 4");
    assertEquals((await scene.shown())[0][3], [30 * RATE, 8 * RATE]);

    // I/O points by Shift on the ruler, then the loop over them.
    await page.press("Escape");
    await page.drag([await scene.onRuler(5), await scene.onRuler(9)], { keys: ["Shift"] });
    await scene.settled();
    await page.press("l");
    await page.until("loophole.session.transport.loop.enabled");
    const loop = await page.evaluate<{ startFrame: number; endFrame: number }>(
      "loophole.session.transport.loop",
    );
    assertAlmostEquals(loop.startFrame / RATE, 5, 0.1);
    assertAlmostEquals(loop.endFrame / RATE, 9, 0.1);

    await page.click(".toggle-mute");
    await page.until("loophole.session.mirror.tracks[0].header.mute");
    await page.click(".toggle-mute");

    await Deno.writeFile(`${home.path}/Dropped.wav`, tone(4, 2, 440));
    await page.dropFiles(await scene.at(20, 450), [`${home.path}/Dropped.wav`]);
    await page.until("loophole.session.mirror.tracks.length === 2");
    const [, added] = await scene.shown();
    assertAlmostEquals(added[0][0] / RATE, 20, 0.1);
    assertEquals(added[0][1], 4 * RATE);
    await page.click("#tab-assets");
    await page.until("document.querySelectorAll('#assets .asset').length === 4");
    await scene.screenshot(`light`);

    // What cannot be read says so once, however often it is tried.
    await Deno.writeTextFile(`${home.path}/Notes.wav`, "no sound at all");
    for (let time = 0; time < 3; time++) {
      await page.dropFiles(await scene.at(20, 450), [`${home.path}/Notes.wav`]);
      await page.until(`loophole.notices.all[0]?.count === ${time + 1}`);
    }
    assertEquals(await page.evaluate("document.querySelectorAll('.notice').length"), 1);
    await scene.screenshot(`notice`);
    await page.click(".notice button");
    await page.until("document.querySelectorAll('.notice').length === 0");
    assertEquals(await page.evaluate("loophole.session.mirror.tracks.length"), 2);
  },
});

Deno.test({
  name: "the page comes back by itself when the engine was started anew, and goes on from there",
  ...needs("chromium"),
  async fn() {
    await using scene = await Scene.open();
    const { page, url } = scene;
    const before = await scene.shown();
    const instance = await page.evaluate("loophole.session.hello.instanceId");
    await scene.engine.stop();
    await page.until("document.getElementById('connection').dataset.state === 'waiting'");
    await scene.screenshot(`waiting`);
    await scene.restart();
    await page.until("document.getElementById('connection').dataset.state === 'open'");
    assert(await page.evaluate("loophole.session.hello.instanceId") !== instance);
    assertEquals(await scene.shown(), before);
    await page.click(await scene.onRuler(6));
    await page.until("Math.abs(loophole.session.frame / 48000 - 6) < 0.1");
    await page.press("s");
    await page.until("loophole.session.mirror.clipCount === 4");
    await page.press(" ");
    await page.until("loophole.session.frame > 6.2 * 48000");
    // Another page hears of it at once.
    const other = await scene.browser.newPage();
    await other.goto(url);
    await other.until("globalThis.loophole?.session.mirror.clipCount === 4");
    await page.press("Ctrl+z");
    await other.until("loophole.session.mirror.clipCount === 3");
    assertEquals(await other.evaluate("loophole.session.transport.state"), "playing");
    assertEquals(other.complaints, []);
  },
});
