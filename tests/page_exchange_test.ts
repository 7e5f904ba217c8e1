/** Timelines of other programs in a real browser: chosen, dropped, what became of them read, taken back; and ours as files for them. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { needs } from "./needs.ts";
import type { Page } from "./support/chromium.ts";
import { RATE, Scene, tone } from "./support/page_scene.ts";
import { edited, heldClips, undo } from "./support/page_tracks.ts";
import { until } from "./support/wait.ts";

const time = (seconds: number) => ({
  OTIO_SCHEMA: "RationalTime.1",
  value: seconds * 25,
  rate: 25,
});
const range = (start: number, length: number) => ({
  OTIO_SCHEMA: "TimeRange.1",
  start_time: time(start),
  duration: time(length),
});

/** Two clips with a gap between them, and something that sound has no counterpart for. */
function otio(path: string) {
  const clip = (name: string, start: number, length: number, effects: unknown[] = []) => ({
    OTIO_SCHEMA: "Clip.1",
    name,
    source_range: range(start, length),
    media_reference: {
      OTIO_SCHEMA: "ExternalReference.1",
      target_url: `file://${encodeURI(path)}`,
      available_range: range(0, 12),
    },
    effects,
    markers: [],
    metadata: {},
  });
  return {
    OTIO_SCHEMA: "Timeline.1",
    name: "Rough cut",
    global_start_time: null,
    metadata: {},
    tracks: {
      OTIO_SCHEMA: "Stack.1",
      name: "tracks",
      source_range: null,
      effects: [],
      markers: [],
      metadata: {},
      children: [{
        OTIO_SCHEMA: "Track.1",
        name: "Dialogue",
        kind: "Audio",
        source_range: null,
        effects: [],
        markers: [],
        metadata: {},
        children: [
          clip("Opening", 1, 3),
          {
            OTIO_SCHEMA: "Gap.1",
            name: "",
            source_range: range(0, 2),
            effects: [],
            markers: [],
            metadata: {},
          },
          clip("Closing", 6, 2, [{
            OTIO_SCHEMA: "Effect.1",
            name: "Denoise",
            effect_name: "denoise",
            metadata: {},
          }]),
        ],
      }],
    },
  };
}

/** A configuration of Cap with stretches of one recording. */
function cap(...stretches: [start: number, end: number][]) {
  const segments = stretches.map(([start, end]) => ({
    recordingSegment: 0,
    start,
    end,
    timescale: 1,
  }));
  return { timeline: { segments, zoomSegments: [] } };
}

/** Chooses files as a person does in the browser's own dialogue. */
async function choose(page: Page, files: string[]): Promise<void> {
  const { root } = await page.call("DOM.getDocument");
  const { nodeId } = await page.call("DOM.querySelector", {
    nodeId: root.nodeId,
    selector: "#exchange-file",
  });
  await page.call("DOM.setFileInputFiles", { nodeId, files });
}

Deno.test({
  name:
    "an OpenTimelineIO file is imported, what had no counterpart is told, and it is one step of undo; saved again as OTIO and EDL",
  ...needs("chromium"),
  async fn() {
    await using scene = await Scene.open();
    const { page, home } = scene;
    const before = await heldClips(scene);
    const path = `${home.path}/rough cut.otio`;
    await Deno.writeTextFile(path, JSON.stringify(otio(`${home.path}/Voice.wav`)));

    // From the menu of the project the browser asks for a file.
    await page.call("Page.setInterceptFileChooserDialog", { enabled: true });
    await page.click("#project");
    await page.until("document.querySelector('.menu')?.matches(':popover-open')");
    assertMatch(
      await page.evaluate("document.querySelector('.menu').textContent"),
      /Import a timeline….*Save as OpenTimelineIO.*Save as EDL/,
    );
    await page.press("Escape");
    await edited(scene, () => choose(page, [path]));
    await page.until("document.getElementById('exchange').open");
    await scene.screenshot("import");
    const told = await page.evaluate<string>("document.getElementById('exchange').textContent");
    assertMatch(told, /Imported rough cut\.otio/);
    assertMatch(told, /1 track, 2 clips/);
    assertMatch(told, /Without a counterpart/);
    assertMatch(told, /denoise/i);
    const held = await scene.timeline();
    assertEquals(held.tracks.map(({ name }) => name), ["Dialogue"]);
    assertEquals(
      held.tracks[0].clips.map((clip) => [
        clip.name,
        clip.startFrame / RATE,
        clip.lengthFrames / RATE,
        clip.sourceFrame / RATE,
      ]),
      [["Opening", 0, 3, 1], ["Closing", 5, 2, 6]],
    );
    await page.press("Escape");
    await page.until("!document.getElementById('exchange').open");

    // Out again: what comes down says the same.
    const downloads = `${home.path}/downloads`;
    await Deno.mkdir(downloads);
    await page.call("Browser.setDownloadBehavior", {
      behavior: "allow",
      downloadPath: downloads,
    });
    const name = await page.evaluate<string>("loophole.session.hello.project.name");
    for (const [item, ending] of [["Save as OpenTimelineIO", "otio"], ["Save as EDL", "edl"]]) {
      await page.click("#project");
      await page.until("document.querySelector('.menu')?.matches(':popover-open')");
      await page.evaluate(
        `[...document.querySelectorAll(".menu button")].find((b) => b.textContent === ${
          JSON.stringify(item)
        }).focus()`,
      );
      await page.press("Enter");
      let text = "";
      await until(async () => {
        text = await Deno.readTextFile(`${downloads}/${name}.${ending}`).catch(() => "");
        return text !== "";
      }, `${name}.${ending} is there`);
      if (ending === "otio") {
        const written = JSON.parse(text);
        assertMatch(written.OTIO_SCHEMA, /^Timeline\./);
        const [track] = written.tracks.children;
        assertEquals(track.name, "Dialogue");
        const clips = track.children.filter((child: { OTIO_SCHEMA: string }) =>
          child.OTIO_SCHEMA.startsWith("Clip.")
        );
        assertEquals(clips.map((clip: { name: string }) => clip.name), ["Opening", "Closing"]);
      } else assertMatch(text, /^TITLE: /m);
      await page.until("loophole.session.pending === 0");
      if (await page.evaluate("document.getElementById('exchange').open")) {
        await page.press("Escape");
        await page.until("!document.getElementById('exchange').open");
      }
    }

    // One step back, and a file that is none is refused in words.
    await undo(scene);
    assertEquals(await heldClips(scene), before);
    const broken = `${home.path}/broken.json`;
    await Deno.writeTextFile(broken, '{ "timeline": ');
    await choose(page, [broken]);
    await page.until("document.getElementById('notices').textContent.includes('broken.json')");
    assertMatch(
      await page.evaluate("document.getElementById('notices').textContent"),
      /Could not import broken\.json: .*JSON/,
    );
    const other = `${home.path}/other.json`;
    await Deno.writeTextFile(other, "[1, 2]");
    await page.dropFiles(await scene.at(5, 100), [other]);
    await page.until("document.getElementById('notices').textContent.includes('other.json')");
    assert(
      (await page.evaluate<string>("document.getElementById('notices').textContent"))
        .includes("it holds no timeline"),
    );
    assertEquals(await heldClips(scene), before);
    assertEquals(page.complaints, []);
  },
});

Deno.test({
  name:
    "a Cap configuration is imported; its missing file is chosen in the report, and one of the library finds its files by itself",
  ...needs("chromium"),
  async fn() {
    await using scene = await Scene.open({
      async prepare(home) {
        const sound = `${home.path}/music/take.cap/content/segments/segment-0`;
        await Deno.mkdir(sound, { recursive: true });
        await Deno.writeFile(`${sound}/audio-input.wav`, tone(6, 1, 180));
        const mic = { path: "content/segments/segment-0/audio-input.wav" };
        await Deno.writeTextFile(
          `${home.path}/music/take.cap/recording-meta.json`,
          JSON.stringify({ platform: "MacOS", pretty_name: "Take", segments: [{ mic }] }),
        );
        await Deno.writeTextFile(
          `${home.path}/music/take.cap/project-config.json`,
          JSON.stringify(cap([0, 2], [4, 5.5])),
        );
      },
    });
    const { page, home } = scene;
    const path = `${home.path}/project-config.json`;
    await Deno.writeTextFile(path, JSON.stringify(cap([1, 3], [6, 8])));
    await edited(scene, async () => await page.dropFiles(await scene.at(5, 100), [path]));
    await page.until("document.getElementById('exchange').open");
    assertMatch(
      await page.evaluate("document.getElementById('exchange-body').textContent"),
      /1 file cannot be read now.*Microphone of recording 0/s,
    );
    await scene.screenshot("missing files");
    assertEquals(
      await page.evaluate("document.getElementById('exchange-again').disabled"),
      true,
    );
    // Chosen among those that are known.
    await page.evaluate("document.querySelector('#exchange-body select').focus()");
    const chosen = () =>
      page.evaluate<string>("document.querySelector('#exchange-body select').value");
    for (let step = 0; !(await chosen()).endsWith("/Voice.wav"); step++) {
      assert(step < 10, `still at ${await chosen()}`);
      await page.press("ArrowDown");
    }
    await page.until("!document.getElementById('exchange-again').disabled");
    await edited(scene, () => page.click("#exchange-again"));
    await page.until("document.getElementById('exchange').open");
    assertMatch(
      await page.evaluate("document.getElementById('exchange-summary').textContent"),
      /1 track, 2 clips\. Everything had a counterpart/,
    );
    await page.press("Escape");
    const places = async () => {
      const { tracks } = await scene.timeline();
      const assets: Record<string, string> = await page.evaluate(
        "Object.fromEntries(loophole.session.assets.all.map(({ assetId, path }) => [assetId, path]))",
      );
      return tracks.map(({ clips }) =>
        clips.map(({ assetId, startFrame, lengthFrames, sourceFrame }) => [
          assets[assetId].split("/").pop(),
          startFrame / RATE,
          lengthFrames / RATE,
          sourceFrame / RATE,
        ])
      );
    };
    assertEquals(await places(), [[["Voice.wav", 0, 2, 1], ["Voice.wav", 2, 2, 6]]]);
    // What stood for it is no longer in the project.
    await page.until(
      "loophole.session.assets.all.every(({ offlineStatus }) => offlineStatus === 'present')",
    );

    // One of the library, beside its recording.
    const row = (name: string) => `#library [data-path$=${JSON.stringify(name)}]`;
    await page.click("#tab-library");
    await page.click(row("take.cap"));
    await edited(scene, () => page.click(row("project-config.json"), { count: 2 }));
    await page.until("document.getElementById('exchange').open");
    assertMatch(
      await page.evaluate("document.getElementById('exchange').textContent"),
      /Imported project-config\.json\s.*Everything had a counterpart/s,
    );
    await page.press("Escape");
    assertEquals(await places(), [[
      ["audio-input.wav", 0, 2, 0],
      ["audio-input.wav", 2, 1.5, 4],
    ]]);
    assertEquals(page.complaints, []);
    assertEquals(await page.evaluate("loophole.notices.all"), []);
  },
});
