/**
 * Makes the picture of the page that README.md shows, `.github/page.png`: a small session of generated sounds, playing. Run by hand after the
 * page's look has changed:
 *
 * ```sh
 * LOOPHOLE_NATIVE="$(cat .build/library.path)" deno run --allow-all tests/support/page_picture.ts
 * ```
 *
 * @module
 */
import { makeWav, seededRandom } from "./audio_files.ts";
import { Browser } from "./chromium.ts";
import { Home } from "./engine_process.ts";
import { TestClient } from "./server_client.ts";

const RATE = 48_000;
const PICTURE = new URL("../../.github/page.png", import.meta.url).pathname;

/** The device that the picture shows; the engine that it is taken from has none. */
const DEVICE = { name: "Built-in Audio", backend: "pulseaudio", state: "running" };

type Wave = (seconds: number) => [number, number];

function wav(length: number, wave: Wave): Uint8Array<ArrayBuffer> {
  const planes = [new Float64Array(length * RATE), new Float64Array(length * RATE)];
  for (let i = 0; i < planes[0].length; i++) {
    const [left, right] = wave(i / RATE);
    planes[0][i] = Math.round(32_000 * left);
    planes[1][i] = Math.round(32_000 * right);
  }
  return makeWav({ planes, encoding: "s16", sampleRate: RATE });
}

/** Words and pauses: syllables of uneven length and loudness. */
function speech(seed: number): Wave {
  const random = seededRandom(seed);
  const syllables: { at: number; length: number; loud: number }[] = [];
  for (let at = 0.3; at < 60;) {
    const length = 0.08 + 0.2 * random();
    syllables.push({ at, length, loud: 0.15 + 0.6 * random() ** 2 });
    at += length * (random() < 0.12 ? 5 : 1.15);
  }
  let current = 0;
  return (t) => {
    while (current + 1 < syllables.length && syllables[current + 1].at <= t) current++;
    const { at, length, loud } = syllables[current];
    const within = (t - at) / length;
    const shape = within > 0 && within < 1 ? Math.sin(Math.PI * within) ** 0.6 : 0;
    const voice = Math.sin(2 * Math.PI * 140 * t) + 0.5 * Math.sin(2 * Math.PI * 620 * t) +
      0.6 * (2 * random() - 1);
    const value = 0.48 * loud * shape * voice + 0.004 * (2 * random() - 1);
    return [value, value];
  };
}

/** Plucked chords, the right a little after the left. */
const music: Wave = (t) => {
  const pluck = (at: number, sharp: number) => {
    const within = (at % 0.5) / 0.5;
    const accent = Math.floor(at / 0.5) % 4 === 0 ? 1 : 0.6;
    const chord = [220, 277.2, 329.6].reduce((sum, f) => sum + Math.sin(2 * Math.PI * f * at), 0);
    return 0.2 * accent * chord * Math.exp(-sharp * within) * Math.min(1, within * 80);
  };
  return [pluck(t, 5), 0.8 * pluck(Math.max(0, t - 0.03), 4)];
};

await using home = await Home.make();
const sounds: [string, Uint8Array<ArrayBuffer>][] = [
  ["Interview.wav", wav(22, speech(3))],
  ["Theme.wav", wav(40, music)],
  ["Answers.wav", wav(14, speech(11))],
];
for (const [name, bytes] of sounds) await Deno.writeFile(`${home.path}/music/${name}`, bytes);
const engine = home.start("--export-dir", `${home.path}/exports`);
const url = await engine.ready();
try {
  await using client = await TestClient.connect(url);
  await client.call("engine.hello", { protocol: 1 });
  await client.call("project.create", { name: "Episode 12", sampleRate: RATE });
  const ids = [];
  for (const [name] of sounds) {
    const { result } = await client.call("asset.register", { path: `${home.path}/music/${name}` });
    ids.push(result.asset.assetId);
  }
  const [voice, theme, answers] = ids;
  const clip = (assetId: string, at: number, length: number, from: number, more = {}) => ({
    clipId: crypto.randomUUID(),
    assetId,
    startFrame: Math.round(at * RATE),
    lengthFrames: Math.round(length * RATE),
    sourceFrame: Math.round(from * RATE),
    ...more,
  });
  const header = { pan: 0, mute: false, solo: false };
  const chosen = clip(voice, 15, 6.2, 15.4, { fadeOutFrames: 28_000 });
  await client.call("timeline.set", {
    timeline: {
      sampleRate: RATE,
      markers: [{ markerId: "outro", frame: 22 * RATE, name: "Outro" }],
      tracks: [
        {
          ...header,
          trackId: "interview",
          name: "Interview",
          gainDb: 0,
          clips: [
            clip(voice, 2, 7.1, 0, { groupId: "opening" }),
            clip(voice, 9.6, 5.4, 8.2),
            chosen,
          ],
        },
        {
          ...header,
          trackId: "theme",
          name: "Theme",
          gainDb: -6.5,
          clips: [
            clip(theme, 0, 14.2, 0, { fadeInFrames: 72_000 }),
            clip(theme, 14.2, 13.2, 18, { fadeOutFrames: 168_000, fadeOutShape: "equalPower" }),
          ],
        },
        {
          ...header,
          trackId: "answers",
          name: "Answers",
          gainDb: -2,
          pan: -0.25,
          clips: [
            clip(answers, 4.3, 7, 0, { fadeInFrames: 18_000, groupId: "opening" }),
            clip(answers, 13, 8, 4, { rate: 1.25, fadeOutFrames: 66_000 }),
          ],
        },
      ],
    },
  });
  await using browser = await Browser.launch();
  const page = await browser.newPage({ width: 1280, height: 720, density: 2 });
  await page.goto(url);
  await page.until("globalThis.loophole?.session.mirror.clipCount === 7");
  await page.until("loophole.session.assets.all.every(({ complete }) => complete)", 60_000);
  await page.evaluate(`(() => {
    Object.assign(loophole.session.device, ${JSON.stringify(DEVICE)});
    loophole.session.emit("device", undefined);
    document.documentElement.style.setProperty("--font", '"Inter", system-ui, sans-serif');
    loophole.sidebar.show("assets");
    loophole.view.trackHeight = 136;
    loophole.timeline.contentChanged();
    loophole.view.show(0, 28.6 * ${RATE});
    loophole.view.scrollFrame = 0;
    loophole.timeline.viewChanged();
    loophole.timeline.headers.update();
    loophole.selection.choose(${JSON.stringify(chosen.clipId)});
  })()`);
  await page.until("loophole.loop.isIdle && loophole.tiles.waiting === 0");
  await page.evaluate(`loophole.session.seek(11.8 * ${RATE})`);
  await page.evaluate("loophole.session.play()");
  await page.until(`loophole.session.frame > 12.6 * ${RATE}`);
  await page.screenshot(PICTURE);
} finally {
  await engine.stop();
}
