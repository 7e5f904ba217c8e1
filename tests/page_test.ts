/** The page in a real browser over the real engine: what a person does first, and what they see. Pictures go to `.build/shots/`. */
import { assert, assertAlmostEquals, assertEquals, assertMatch } from "@std/assert";
import type { Timeline } from "../engine/pulse/types.ts";
import { needs } from "./needs.ts";
import { makeWav } from "./support/audio_files.ts";
import { Browser, type Page, type Place } from "./support/chromium.ts";
import { type Engine, Home } from "./support/engine_process.ts";
import { TestClient } from "./support/server_client.ts";

const RATE = 48_000;
const SHOTS = `${import.meta.dirname!.replace(/[/\\]tests$/, "")}/.build/shots`;

/** A tone that swells and fades once a second, so that its picture has a shape. */
function tone(seconds: number, channels: number, frequency: number): Uint8Array<ArrayBuffer> {
  const planes = Array.from(
    { length: channels },
    (_, channel) =>
      Float64Array.from({ length: seconds * RATE }, (_, i) => {
        const swell = 0.08 + 0.8 * Math.sin(Math.PI * ((i / RATE) % 1)) ** 2 * (channel ? 0.6 : 1);
        return Math.round(32_000 * swell * Math.sin((2 * Math.PI * frequency * i) / RATE));
      }),
  );
  return makeWav({ planes, encoding: "s16", sampleRate: RATE });
}

/** Starts an engine and waits until it answers. */
async function start(home: Home, ...args: string[]): Promise<{ engine: Engine; url: string }> {
  const engine = home.start("--export-dir", `${home.path}/exports`, ...args);
  return { engine, url: await engine.ready() };
}

/** A home with three files, the engine over them, and a page that shows it. */
async function open(options: { dark?: boolean; density?: number } = {}) {
  const home = await Home.make();
  await Deno.mkdir(SHOTS, { recursive: true });
  const files = ["Voice.wav", "Piano.wav", "Room.wav"].map((name) => `${home.path}/${name}`);
  await Deno.writeFile(files[0], tone(12, 1, 220));
  await Deno.writeFile(files[1], tone(10, 2, 330));
  await Deno.writeFile(files[2], tone(8, 2, 110));
  const { engine, url } = await start(home, ...files);
  const browser = await Browser.launch();
  const page = await browser.newPage(options);
  await page.goto(url);
  await page.until("globalThis.loophole?.session.mirror.clipCount === 3");
  await page.until("document.body.matches(':not(.offline)') && loophole.session.assets.size === 3");
  const scene = {
    home: home.path,
    url,
    browser,
    page,
    engine,
    /** Another engine in the same home, on the same port. */
    async restart() {
      ({ engine: scene.engine } = await start(home, "--port", new URL(url).port));
    },
    async [Symbol.asyncDispose]() {
      await browser[Symbol.asyncDispose]();
      await scene.engine.stop();
      await home[Symbol.asyncDispose]();
    },
  };
  return scene;
}

/** Where a second of the timeline is on the screen; `y` counts from the top of the lanes. */
async function at(page: Page, seconds: number, y: number): Promise<Place> {
  return await page.evaluate<Place>(`(() => {
    const box = document.getElementById("lanes").getBoundingClientRect();
    return { x: box.x + loophole.view.xOf(${seconds * RATE}), y: box.y + ${y} };
  })()`);
}

/** A place on the ruler. */
async function onRuler(page: Page, seconds: number): Promise<Place> {
  return await at(page, seconds, -10);
}

/** Start and length of each clip of each track, as the page has them. */
async function shown(page: Page): Promise<[number, number][][]> {
  return await page.evaluate(`loophole.session.mirror.tracks.map(({ clips }) =>
    clips.all().map(({ startFrame, lengthFrames }) => [startFrame, lengthFrames]))`);
}

/** The same as the engine has them, over a connection of our own. */
async function held(url: string): Promise<[number, number][][]> {
  await using client = await TestClient.connect(url);
  await client.call("engine.hello", { protocol: 1 });
  const { result } = await client.call("timeline.get", {});
  return (result.timeline as Timeline).tracks.map(({ clips }) =>
    clips.map(({ startFrame, lengthFrames }) => [startFrame, lengthFrames])
  );
}

/** Waits until a drag's edits have all arrived. */
async function settled(page: Page): Promise<[number, number][][]> {
  for (let last = -1;;) {
    await new Promise((resolve) => setTimeout(resolve, 200));
    const revision = await page.evaluate<number>("loophole.session.mirror.revision");
    if (revision === last) return await shown(page);
    last = revision;
  }
}

const frame = (page: Page) =>
  page.evaluate<number>("loophole.session.playhead.at(performance.now())");

Deno.test({
  name:
    "three files: the page shows them, plays, splits, deletes the middle while it sounds, undoes, exports, reloads",
  ...needs("chromium"),
  async fn() {
    await using scene = await open();
    const { page, url, home } = scene;
    const files = [[0, 12 * RATE], [12 * RATE, 10 * RATE], [22 * RATE, 8 * RATE]] as const;
    assertEquals(await shown(page), [files.map((clip) => [...clip])] as never);
    assertMatch(
      await page.evaluate("document.getElementById('size-text').textContent"),
      /48 kHz.*1 track.*3 clips.*0:30\.0/,
    );
    // What the canvas shows is there in words too.
    await page.until("document.querySelectorAll('#lanes-canvas li').length === 3");
    assertMatch(
      await page.evaluate("document.querySelector('#lanes-canvas li').textContent"),
      /^Voice, 00:00:00\.000 to 00:00:12\.000$/,
    );

    await page.press(" ");
    await page.until("loophole.session.transport.state === 'playing'");
    await page.until("loophole.session.playhead.at(performance.now()) > 4800");
    await page.until("loophole.session.meters.of('')[0]?.levelDb > -30");
    const before = await frame(page);
    const text = await page.evaluate("document.getElementById('time').textContent");
    await page.until(`document.getElementById('time').textContent !== ${JSON.stringify(text)}`);
    assert(await frame(page) > before);
    assertEquals(
      await page.evaluate("document.getElementById('play').getAttribute('aria-label')"),
      "Pause",
    );

    // The playhead goes where the ruler is clicked, and S cuts there, while it plays.
    await page.click(await onRuler(page, 14));
    await page.until("Math.abs(loophole.session.frame / 48000 - 14.3) < 0.6");
    await page.press("s");
    await page.until("loophole.session.mirror.clipCount === 4");
    await page.click(await onRuler(page, 17));
    await page.until("Math.abs(loophole.session.frame / 48000 - 17.3) < 0.6");
    await page.press("s");
    await page.until("loophole.session.mirror.clipCount === 5");
    const [clips] = await shown(page);
    const middle = clips[2];
    assert(middle[0] > 13.9 * RATE && middle[0] + middle[1] < 18 * RATE);
    await page.click(await at(page, 15.5, 90));
    assertEquals(await page.evaluate("loophole.selection.size"), 1);
    await page.screenshot(`${SHOTS}/selected.png`);

    // The playhead stands inside of the segment when it goes: it continues at the cut.
    await page.click(await onRuler(page, 15));
    await page.until("Math.abs(loophole.session.frame / 48000 - 15.2) < 0.4");
    await page.press("Delete");
    await page.until("loophole.session.mirror.clipCount === 4");
    const cut = middle[0];
    const expected = [
      clips[0],
      clips[1],
      [cut, clips[3][1]],
      [clips[4][0] - middle[1], clips[4][1]],
    ];
    assertEquals(await shown(page), [expected] as never);
    assertEquals(await held(url), [expected] as never);
    const after = await frame(page);
    assert(after >= cut - 0.05 * RATE && after < cut + 1.5 * RATE, `${after} is not at ${cut}`);
    assertEquals(await page.evaluate("loophole.session.transport.state"), "playing");
    await page.until(`loophole.session.playhead.at(performance.now()) > ${after + 4_800}`);
    await page.screenshot(`${SHOTS}/deleted.png`);

    await page.press("Ctrl+z");
    await page.until("loophole.session.mirror.clipCount === 5");
    assertEquals(await shown(page), [clips]);
    assertEquals(await held(url), [clips]);
    await page.press(" ");
    await page.until("loophole.session.transport.state === 'paused'");

    await page.press("Ctrl+e");
    await page.until("document.getElementById('export').open");
    await page.evaluate("document.getElementById('export-name').value = 'first mix.wav'");
    await page.click("#export-start");
    const href = await page.until<string>(
      "!document.getElementById('export-link').hidden && document.getElementById('export-link').href",
    );
    await page.screenshot(`${SHOTS}/exported.png`);
    const mix = await fetch(href);
    assertEquals(mix.status, 200);
    const bytes = new Uint8Array(await mix.arrayBuffer());
    assertEquals(new TextDecoder().decode(bytes.subarray(0, 4)), "RIFF");
    // 24 bits, two channels, 30 seconds, and a header.
    assertAlmostEquals(bytes.length, 30 * RATE * 6, 512);
    assertEquals((await Deno.stat(`${home}/exports/first mix.wav`)).size, bytes.length);
    await page.press("Escape");

    const place = await frame(page);
    await page.reload();
    await page.until("globalThis.loophole?.session.mirror.clipCount === 5");
    assertEquals(await shown(page), [clips]);
    assertEquals(await frame(page), place);
    assertEquals(await page.evaluate("document.getElementById('undo').disabled"), false);
    assertEquals(await page.evaluate("loophole.notices.all.length"), 0);
    assertEquals(page.complaints, []);
  },
});

Deno.test({
  name:
    "the waveform on the screen has the peaks that the engine gives, from the whole file to single samples",
  ...needs("chromium"),
  async fn() {
    await using scene = await open();
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
      await new Promise((resolve) => setTimeout(resolve, 400));
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
      await page.screenshot(`${SHOTS}/waveform ${start}-${end}.png`);
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
    await using scene = await open({ dark: false });
    const { page, url, home } = scene;
    const start = await shown(page);
    const y = 100;
    const undone = async () => {
      await page.press("Ctrl+z");
      await page.until(`loophole.session.canRedo && JSON.stringify(loophole.session.mirror.tracks
        .map(({ clips }) => clips.all().map(({ startFrame, lengthFrames }) =>
          [startFrame, lengthFrames]))) === ${JSON.stringify(JSON.stringify(start))}`);
    };

    await page.drag([await at(page, 26, y), await at(page, 28.5, y)]);
    await page.until("loophole.session.mirror.endFrame > 32 * 48000");
    const [moved] = await settled(page);
    assertAlmostEquals(moved[2][0] / RATE, 24.5, 0.1);
    assertEquals(await held(url), [moved]);
    await undone();

    // The end of the first clip, two seconds in; Escape takes a drag back.
    const edge = { ...await at(page, 12, y) };
    edge.x -= 3;
    await page.drag([edge, { x: (await at(page, 10, y)).x - 3, y: edge.y }]);
    await page.until("loophole.session.mirror.tracks[0].clips.all()[0].lengthFrames < 11 * 48000");
    assertAlmostEquals((await settled(page))[0][0][1] / RATE, 10, 0.1);
    await undone();
    await page.drag([edge, { x: (await at(page, 8, y)).x, y: edge.y }], { hold: true });
    await page.until("loophole.session.mirror.tracks[0].clips.all()[0].lengthFrames < 9 * 48000");
    await page.press("Escape");
    await page.until("loophole.session.mirror.tracks[0].clips.all()[0].lengthFrames === 576000");
    await page.click(await at(page, 31, 400)); // Lets go of the button.

    // The fade's handle stands at the upper corner.
    const corner = await at(page, 12, 3 + 17 + 4);
    const handle = { x: corner.x + 6, y: corner.y };
    await page.move(handle);
    await page.drag([handle, { x: (await at(page, 15, y)).x, y: handle.y }]);
    await settled(page);
    const faded = await page.evaluate<number>(
      "loophole.session.mirror.tracks[0].clips.all()[1].fadeInFrames",
    );
    assertAlmostEquals(faded / RATE, 3, 0.3);
    await page.screenshot(`${SHOTS}/faded.png`);

    await page.click(await at(page, 26, y));
    await page.press("Ctrl+d");
    await page.until("loophole.session.mirror.clipCount === 4");
    assertEquals((await shown(page))[0][3], [30 * RATE, 8 * RATE]);

    // I/O points by Shift on the ruler, then the loop over them.
    await page.press("Escape");
    await page.drag([await onRuler(page, 5), await onRuler(page, 9)], { keys: ["Shift"] });
    await settled(page);
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

    await Deno.writeFile(`${home}/Dropped.wav`, tone(4, 2, 440));
    await page.dropFiles(await at(page, 20, 450), [`${home}/Dropped.wav`]);
    await page.until("loophole.session.mirror.tracks.length === 2");
    const [, added] = await shown(page);
    assertAlmostEquals(added[0][0] / RATE, 20, 0.1);
    assertEquals(added[0][1], 4 * RATE);
    await page.click("#tab-assets");
    await page.until("document.querySelectorAll('#assets .asset').length === 4");
    await page.screenshot(`${SHOTS}/light.png`);

    // What cannot be read says so once, however often it is tried.
    await Deno.writeTextFile(`${home}/Notes.wav`, "no sound at all");
    for (let time = 0; time < 3; time++) {
      await page.dropFiles(await at(page, 20, 450), [`${home}/Notes.wav`]);
      await page.until(`loophole.notices.all[0]?.count === ${time + 1}`);
    }
    assertEquals(await page.evaluate("document.querySelectorAll('.notice').length"), 1);
    await page.screenshot(`${SHOTS}/notice.png`);
    await page.click(".notice button");
    await page.until("document.querySelectorAll('.notice').length === 0");
    assertEquals(await page.evaluate("loophole.session.mirror.tracks.length"), 2);
  },
});

Deno.test({
  name: "the page comes back by itself when the engine was started anew, and goes on from there",
  ...needs("chromium"),
  async fn() {
    await using scene = await open();
    const { page, url } = scene;
    const before = await shown(page);
    const instance = await page.evaluate("loophole.session.hello.instanceId");
    await scene.engine.stop();
    await page.until("document.getElementById('connection').dataset.state === 'waiting'");
    await page.screenshot(`${SHOTS}/waiting.png`);
    await scene.restart();
    await page.until("document.getElementById('connection').dataset.state === 'open'");
    assert(await page.evaluate("loophole.session.hello.instanceId") !== instance);
    assertEquals(await shown(page), before);
    await page.click(await onRuler(page, 6));
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
