/** A desk with a sound server: a folder of real files through the page, from drop to captured sound and exported file. */
import { assert, assertEquals } from "@std/assert";
import { needs } from "./needs.ts";
import { eventually } from "./support/audio_server.ts";
import { FIXTURES, openScans, readAll } from "./support/media.ts";
import { RATE, Scene } from "./support/page_scene.ts";
import { PulseServer } from "./support/pulse_server.ts";

/** Real files of other makers: three kinds, two rates, one and two channels. */
const MIXED = [
  "mp3_variable_stereo.mp3",
  "test_file_stereo.wav",
  "flac-01.flac",
  "test_file_mono_float32.wav",
];
/** The least step of the 24 bits that the page exports. */
const STEP = 2 ** -23;
/** Frames that must agree for a place to be found. */
const PROBE = 256;

type Sides = readonly [Float32Array, Float32Array];

/** Where the frames of `heard` at `from` stand in `exported`, which was rounded to 24 bits; -1 if nowhere. */
function placeOf(heard: Sides, from: number, exported: Sides): number {
  for (let at = 0; at + PROBE < exported[0].length; at++) {
    let n = 0;
    while (
      n < PROBE && Math.abs(heard[0][from + n] - exported[0][at + n]) <= STEP &&
      Math.abs(heard[1][from + n] - exported[1][at + n]) <= STEP
    ) n++;
    if (n === PROBE) return at;
  }
  return -1;
}

Deno.test({
  name:
    "a folder of real files, dropped on the page, plays on PulseAudio; what is cut while it sounds is heard as it is exported",
  ...needs("chromium", "pulseaudio"),
  async fn() {
    await using server = await PulseServer.start(RATE);
    await using scene = await Scene.open({ args: ["--backend", "pulseaudio", "--period", "2048"] });
    const { page, home } = scene;
    await page.until("loophole.session.device?.backend === 'pulseaudio'");
    const folder = `${home.path}/Takes`;
    await Deno.mkdir(folder);
    for (const [index, name] of MIXED.entries()) {
      await Deno.copyFile(`${FIXTURES}${name}`, `${folder}/${index} ${name}`);
    }
    await page.dropFiles(await scene.at(0, 450), [folder]);
    await page.until(`loophole.session.mirror.clipCount === ${3 + MIXED.length}`);
    await page.until("loophole.session.assets.all.every(({ complete }) => complete)");
    // The made tones go: the folder alone is heard, from the start.
    await page.evaluate(`loophole.session.edit([
      { op: "track.remove", trackId: loophole.session.mirror.tracks[0].header.trackId },
      { op: "clip.move", clipId: loophole.session.mirror.tracks[1].clips.all()[0].clipId, startFrame: 0 },
    ], { label: "Only these" })`);
    await page.until("loophole.session.pending === 0");
    const clips = await page.evaluate<
      { clipId: string; startFrame: number; lengthFrames: number }[]
    >("loophole.session.mirror.tracks[0].clips.all()");
    const [first, second] = clips;
    assertEquals([clips.length, first.startFrame], [MIXED.length, 0]);

    await using recording = await server.record(() => performance.now());
    // Ten seconds before the first one ends: time enough for a slow desk.
    const begin = second.startFrame - 10 * RATE;
    await page.evaluate(`loophole.session.seek(${begin})`);
    // What stands at the head is fetched before anyone plays: ten seconds of it.
    await page.until(`loophole.session.ask("diagnostics.get", {}, "look")
      .then(({ counters }) => counters.pagesResident >= 100)`);
    await page.press(" ");
    await page.until(`loophole.session.frame > ${begin + RATE / 2}`);
    assert(await page.evaluate<number>("loophole.session.frame") < second.startFrame);
    // The second is deleted while the first sounds; the third is heard in its place.
    await page.evaluate(`loophole.selection.choose(${JSON.stringify(second.clipId)})`);
    await page.press("Delete");
    await page.until(
      `loophole.session.mirror.clip(${JSON.stringify(second.clipId)}) === undefined`,
    );
    const cut = second.startFrame;
    await page.until(`loophole.session.frame > ${cut + 2 * RATE}`);
    await page.press(" ");
    await page.until("loophole.session.transport.state === 'paused'");
    const came = recording.frames;
    await eventually(() => recording.frames > came + RATE, "all of it is recorded");
    const pausedAt = await page.evaluate<number>("loophole.session.transport.positionFrame");
    const underruns = await server.underruns();
    const heard = recording.sides();

    await page.press("Ctrl+e");
    await page.until("document.getElementById('export').open");
    await page.evaluate("document.getElementById('export-name').value = 'Takes'");
    await page.click("#export-start");
    await page.until("!document.getElementById('export-link').hidden");
    await using library = await openScans();
    const [left, right] = readAll(library, `${home.path}/exports/Takes.wav`);
    const exported: Sides = [left, right];

    // From the first frame that can be told from others on, what was captured is what was exported, but for holes that the server says it made.
    const loud = heard[0].findIndex((x) => Math.abs(x) > 0.02);
    assert(loud > 0, "nothing was captured");
    let holes = 0;
    let from = loud;
    let frame = placeOf(heard, from, exported);
    assert(frame >= 0, "what was captured is not in what was exported");
    const crossed = { before: frame < cut, after: false };
    let same = 0;
    // The pause fades out over 15 ms.
    while (frame < pausedAt - 720 && from < heard[0].length) {
      const differs = Math.abs(heard[0][from] - left[frame]) > STEP ||
        Math.abs(heard[1][from] - right[frame]) > STEP;
      if (!differs) {
        from++;
        frame++;
        same++;
        if (frame > cut + RATE) crossed.after = true;
        continue;
      }
      if (++holes > underruns) break;
      let place = -1;
      while (place < 0 && from + PROBE < heard[0].length) {
        from += 64;
        if (Math.abs(heard[0][from]) > 0.001) place = placeOf(heard, from, exported);
      }
      if (place < 0) break;
      frame = place;
    }
    assert(
      holes <= underruns,
      `frame ${frame} was captured otherwise than exported, and the server made ${underruns} holes`,
    );
    assertEquals(crossed, { before: true, after: true }, `${same} frames were compared`);
    assertEquals(page.complaints, []);
  },
});
