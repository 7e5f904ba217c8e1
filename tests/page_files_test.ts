/** Files through the page: a folder of mixed real ones from drop to export, how far imports are, what is missing, what cannot be read. */
import { assert, assertAlmostEquals, assertEquals, assertMatch } from "@std/assert";
import { needs } from "./needs.ts";
import { FIXTURES } from "./support/media.ts";
import { RATE, Scene, tone } from "./support/page_scene.ts";

/** Real files of other makers: three kinds, three rates, one and two channels. */
const MIXED = [
  "flac-01.flac", // 44.1 kHz, stereo
  "mp3_constant_stereo.mp3", // 44.1 kHz, stereo
  "test_file_mono_float32.wav", // 16 kHz, mono
  "test_file_stereo.mp3", // 16 kHz, stereo
  "test_file_stereo.wav", // 16 kHz, stereo
];

Deno.test({
  name:
    "a folder of mixed real files is dropped on the page, shown, played, cut while it sounds, and exported",
  ...needs("chromium"),
  async fn() {
    await using scene = await Scene.open();
    const { page, home } = scene;
    const folder = `${home.path}/Session`;
    await Deno.mkdir(`${folder}/Takes`, { recursive: true });
    for (const [index, name] of MIXED.entries()) {
      await Deno.copyFile(`${FIXTURES}${name}`, `${folder}/${index < 3 ? "" : "Takes/"}${name}`);
    }
    await Deno.writeTextFile(`${folder}/notes.txt`, "no sound at all");
    await page.dropFiles(await scene.at(5, 450), [folder]);
    await page.until("loophole.session.mirror.clipCount === 8");
    await page.until("loophole.session.assets.all.every(({ complete }) => complete)");
    await page.until(`[...document.querySelectorAll(".notice")].some(({ textContent }) =>
      /1 file is no audio by name/.test(textContent))`);

    // Below all tracks: one after another on a new one, by name, each as long as it is, at the project's rate.
    const clips = await page.evaluate<
      { clipId: string; name: string; startFrame: number; lengthFrames: number; seconds: number }[]
    >(`loophole.session.mirror.tracks[1].clips.all().map((clip) => {
      const asset = loophole.session.assets.get(clip.assetId);
      return { ...clip, name: asset.path.split("/").pop(), seconds: asset.durationSeconds };
    })`);
    assertEquals(clips.map(({ name }) => name), MIXED);
    for (const [index, { startFrame, lengthFrames, seconds }] of clips.entries()) {
      assertAlmostEquals(lengthFrames, seconds * RATE, 1);
      const before = clips[index - 1];
      if (before === undefined) assertAlmostEquals(startFrame / RATE, 5, 0.1);
      else assertEquals(startFrame, before.startFrame + before.lengthFrames);
    }
    await page.click("#tab-assets");
    await page.press("f");
    await page.until("loophole.loop.isIdle && loophole.tiles.waiting === 0");
    await scene.screenshot("mixed");

    // Each has a picture, and each is heard: the other track is silent.
    await page.evaluate(`loophole.session.edit([
      { op: "track.set", trackId: loophole.session.mirror.tracks[0].header.trackId, set: { mute: true } },
    ], { label: "Mute" })`);
    await page.press(" ");
    for (const { name, startFrame, lengthFrames } of clips) {
      await scene.hold(startFrame + 0.2 * lengthFrames, startFrame + 0.9 * lengthFrames);
      await page.evaluate(`loophole.session.meters.resetClipped();
        loophole.session.seek(${startFrame + 0.2 * lengthFrames})`);
      const heard = `loophole.session.meters.of('').some(({ levelDb }) => levelDb > -50) &&
        loophole.session.frame >= ${startFrame + 0.2 * lengthFrames}`;
      try {
        await page.until(heard);
      } catch (error) {
        throw new Error(`${name} is not heard`, { cause: error });
      }
      // From where it was heard to silence, so that the next is heard by itself.
      await page.evaluate(`loophole.session.pause()`);
      await page.until("loophole.session.meters.of('').every(({ levelDb }) => levelDb <= -60)");
      await page.evaluate(`loophole.session.play()`);
    }

    await scene.hold();

    // The second is cut out while it sounds, the rest moves up.
    const [, second] = clips;
    await page.evaluate(`loophole.session.seek(${second.startFrame + 4800})`);
    await page.until(`loophole.session.frame >= ${second.startFrame + 4800}`);
    await page.evaluate(`loophole.selection.choose(${JSON.stringify(second.clipId)})`);
    await page.press("Delete");
    await page.until(
      `loophole.session.mirror.clip(${JSON.stringify(second.clipId)}) === undefined`,
    );
    const [, left] = await scene.settled();
    const [, held] = await scene.held();
    assertEquals(left, held);
    assertEquals(left[1], [second.startFrame, clips[2].lengthFrames]);
    await page.press(" ");
    await page.until("loophole.session.transport.state === 'paused'");

    await page.press("Ctrl+e");
    await page.until("document.getElementById('export').open");
    await page.evaluate("document.getElementById('export-name').value = 'Mixed'");
    await page.click("#export-start");
    const href = await page.until<string>(
      "!document.getElementById('export-link').hidden && document.getElementById('export-link').href",
    );
    assertMatch(
      await page.evaluate("document.getElementById('export-state').textContent"),
      /^Done: .*, peak −?\d+\.\d dBFS/,
    );
    const bytes = new Uint8Array(await (await fetch(href)).arrayBuffer());
    const end = Math.max(...(await scene.shown()).flat().map(([start, length]) => start + length));
    const frames = Math.floor((bytes.length - 44) / 6);
    assertAlmostEquals(frames, end, 100);
    // Every clip is in the file: the middle of each has sound, and before the first of them there is none.
    const from = bytes.length - end * 6;
    const loudest = (start: number, length: number) => {
      let most = 0;
      for (let at = from + start * 6; at < from + (start + length) * 6; at += 3) {
        const sample = (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16)) << 8 >> 8;
        most = Math.max(most, Math.abs(sample) / 2 ** 23);
      }
      return most;
    };
    for (const [start, length] of left) assert(loudest(start, length) > 0.01, `${start} is silent`);
    assertEquals(loudest(0, left[0][0]), 0);
    assertEquals(page.complaints, []);
  },
});

Deno.test({
  name:
    "an import shows how far it is, a file that went away is marked until it returns, and many failures are few lines",
  ...needs("chromium"),
  async fn() {
    await using scene = await Scene.open();
    const { page, home } = scene;
    await page.click("#tab-assets");
    await page.until("document.querySelectorAll('#assets .asset').length === 3");
    // Nothing is to be told of them any more: they are analysed, and hashed.
    await page.until("loophole.session.assets.all.every(({ complete, hash }) => complete && hash)");
    await page.until("document.getElementById('import-text').hidden");

    // What the engine says while it analyses, said by hand: the real one is through before anyone could look.
    await page.evaluate(`(() => {
      const asset = loophole.session.assets.all[0];
      const half = { ...asset, complete: false, analysedSamples: 0 };
      loophole.client.emit("asset.changed", { assets: [half] });
      loophole.client.emit("asset.importProgress", { imports: [{
        assetId: asset.assetId, analysed: [[0, asset.lengthSamples / 2]], lengthSamples: asset.lengthSamples,
      }] });
    })()`);
    await page.until(
      "document.querySelector('#assets .import-bar:not([hidden])')?.ariaValueNow === '50'",
    );
    assertEquals(await page.evaluate("document.getElementById('import-text').hidden"), false);
    assertMatch(
      await page.evaluate("document.getElementById('import-text').textContent"),
      /Analysing 1 file/,
    );
    assertAlmostEquals(
      await page.evaluate("document.getElementById('import-progress').value"),
      0.5,
      0.01,
    );
    await scene.screenshot("importing");
    await page.evaluate(`loophole.client.emit("asset.ready", {
      assetIds: [loophole.session.assets.all[0].assetId],
    })`);
    await page.until("document.getElementById('import-text').hidden");
    await page.until("document.querySelectorAll('#assets .import-bar:not([hidden])').length === 0");

    // Gone, and back.
    await Deno.rename(`${home.path}/Piano.wav`, `${home.path}/Elsewhere.wav`);
    await page.until("document.querySelector('#assets .status.missing')");
    await page.until("loophole.loop.isIdle");
    await scene.screenshot("missing");
    assertMatch(
      await page.evaluate("document.querySelector('#assets .status.missing').ariaLabel"),
      /^Missing: /,
    );
    await Deno.rename(`${home.path}/Elsewhere.wav`, `${home.path}/Piano.wav`);
    await page.until("document.querySelector('#assets .status') === null");

    // Twenty files that are none: one line, which names some of them.
    const broken = [];
    for (let index = 0; index < 20; index++) {
      broken.push(`${home.path}/Broken ${index}.wav`);
      await Deno.writeTextFile(broken[index], "no sound at all");
    }
    await page.dropFiles(await scene.at(5, 450), [...broken, `${home.path}/Voice.wav`]);
    await page.until("loophole.notices.all[0]?.count === 20");
    await page.until("loophole.session.mirror.tracks.length === 2");
    assertEquals(await page.evaluate("document.querySelectorAll('.notice').length"), 1);
    assertMatch(
      await page.evaluate("document.querySelector('.notice-message').textContent"),
      /^Could not add Broken 19\.wav, Broken 18\.wav, Broken 17\.wav and 17 more: /,
    );
    await scene.screenshot("failures");
    assertEquals(page.complaints.filter((text) => !/422|415|400/.test(text)), []);
  },
});

Deno.test({
  name:
    "the library adds a folder's files one after another or on a track each, and opens projects",
  ...needs("chromium"),
  async fn() {
    await using scene = await Scene.open({
      async prepare({ path }) {
        for (const name of ["One", "Two"]) {
          await Deno.writeFile(`${path}/music/${name}.wav`, tone(2, 1, 300));
        }
      },
    });
    const { page } = scene;
    await page.press("/");
    await page.type("o");
    await page.until("document.querySelectorAll('#library .tree-row.audio').length === 2");
    await page.press("Escape");
    await page.click(`#library .tree-row.folder`, { button: "right" });
    await page.click(".menu button:nth-child(2)");
    await page.until("loophole.session.mirror.tracks.length === 3");
    assertEquals((await scene.timeline()).tracks.slice(1).map(({ name }) => name), ["One", "Two"]);
    await page.press("Ctrl+z");
    await page.until("loophole.session.mirror.tracks.length === 1");
    // A double click lays it at the playhead.
    await page.click(await scene.onRuler(30));
    await page.until("Math.abs(loophole.session.frame / 48000 - 30) < 0.1");
    await page.click("#library .tree-row.audio", { count: 2 });
    await page.until("loophole.session.mirror.clipCount === 4");

    // Dragged to a track it lies where it was let go, below all of them on a new one.
    await page.press("-");
    await page.until("loophole.view.endVisibleFrame > 40 * 48000");
    const row = await page.middleOf("#library .tree-row.audio");
    await page.dragElement(row, await scene.at(36, 120));
    await page.until("loophole.session.mirror.clipCount === 5");
    const [dragged] = (await scene.shown())[0].slice(-1);
    assertAlmostEquals(dragged[0] / RATE, 36, 0.2);
    await page.dragElement(row, await scene.at(10, 500));
    await page.until("loophole.session.mirror.tracks.length === 2");
    assertAlmostEquals((await scene.shown())[1][0][0] / RATE, 10, 0.2);
    await page.press("Ctrl+z");
    await page.until("loophole.session.mirror.clipCount === 5");

    const before = await scene.shown();
    const name = await page.evaluate("document.getElementById('project-name').textContent");
    await page.click("#project");
    await page.click(".menu button:nth-child(1)");
    await page.until("document.activeElement?.closest('.ask')");
    await page.type("Another");
    await page.press("Enter");
    await page.until("document.getElementById('project-name').textContent === 'Another'");
    await page.until("loophole.session.mirror.clipCount === 0");
    await page.click("#project");
    await page.until("document.querySelectorAll('.menu [role=menuitemradio]').length === 2");
    await scene.screenshot("projects");
    await page.click(`.menu [aria-checked="false"]`);
    await page.until(
      `document.getElementById('project-name').textContent === ${JSON.stringify(name)}`,
    );
    await page.until("loophole.session.mirror.clipCount === 5");
    assertEquals(await scene.shown(), before);
    assertEquals(page.complaints, []);
  },
});
