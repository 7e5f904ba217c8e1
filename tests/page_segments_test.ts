/** Segments, groups, ranges and trims in a real browser: driven by mouse and keys, checked at the engine and on the screen. */
import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertMatch,
  assertNotEquals,
} from "@std/assert";
import { needs } from "./needs.ts";
import { RATE } from "./support/page_scene.ts";
import type { Scene } from "./support/page_scene.ts";
import {
  clipsById,
  edited,
  heldClips,
  inTrack,
  type Laid,
  openTracks,
  seekTo,
  undo,
} from "./support/page_tracks.ts";

/** A recording of three takes with what the system played beside two of them. */
const RECORDING: Laid[][] = [
  [["v", 0, 0, 12], ["p", 1, 12, 10], ["r", 2, 22, 8]],
  [["sv", 2, 1, 8], ["sp", 1, 13, 8, 1]],
];

interface Hint {
  selectedClipIds: string[];
  cursorFrame: number;
  visible: { startFrame: number; endFrame: number };
}

const selected = (scene: Scene) =>
  scene.page.evaluate<string[]>("loophole.selection.clipIds.toSorted()");
const started = (text: string) => (scene: Scene) =>
  scene.page.until(
    `document.getElementById("lanes-canvas").textContent.includes(${JSON.stringify(text)})`,
  );

Deno.test({
  name:
    "groups are made, shown, selected, split, moved and deleted as one; with Alt a clip stands for itself",
  ...needs("chromium"),
  async fn() {
    await using scene = await openTracks(...RECORDING);
    const { page } = scene;
    const start = await heldClips(scene);
    await page.click(await inTrack(scene, 4, 0));
    await page.click(await inTrack(scene, 4, 1), { keys: ["Ctrl"] });
    assertEquals(await selected(scene), ["sv", "v"]);
    await edited(scene, () => page.press("g"));
    let clips = await clipsById(scene);
    const groupId = clips.get("v")!.groupId!;
    assert(groupId);
    assertEquals(clips.get("sv")!.groupId, groupId);
    assertEquals(clips.get("p")!.groupId, undefined);
    // The mark below the title has the group's colour, in words it is said too.
    const marked = (track: number) =>
      page.until(`(() => {
        const { context, density } = loophole.timeline.lanes;
        const clip = loophole.session.mirror.tracks[${track}].clips.all()[0];
        const x = (loophole.view.xOf(clip.startFrame) + 40) * density;
        const y = (loophole.view.yOf(${track}) + 3 + 17 - 1) * density;
        const { data } = context.getImageData(x, y, 1, 1);
        return loophole.theme.groups.includes(new Uint32Array(data.buffer)[0]);
      })()`);
    await marked(0);
    await marked(1);
    await started("in a group of 2")(scene);
    await scene.screenshot("group");

    await page.press("Escape");
    await page.click(await inTrack(scene, 17, 0));
    assertEquals(await selected(scene), ["p"]);
    await page.click(await inTrack(scene, 4, 1));
    assertEquals(await selected(scene), ["sv", "v"]);
    await page.click(await inTrack(scene, 4, 1), { keys: ["Alt"] });
    assertEquals(await selected(scene), ["sv"]);
    // By keys the group comes too, and a rectangle takes all of it.
    await page.press("Escape");
    await page.press("[");
    await page.press("PageUp");
    assertEquals(await selected(scene), ["sv", "v"]);
    await page.press("Escape");
    await page.drag([await inTrack(scene, 10, 1), await inTrack(scene, 8.5, 1)]);
    assertEquals(await selected(scene), ["sv", "v"]);

    // One drag, one step; Escape leaves nothing behind.
    const history = await scene.page.evaluate<number>("loophole.session.mirror.revision");
    await page.drag([await inTrack(scene, 4, 0), await inTrack(scene, 7, 0)], { hold: true });
    await page.until("loophole.session.mirror.clip('v').startFrame > 2 * 48000");
    await page.press("Escape");
    await page.until("loophole.session.mirror.clip('v').startFrame === 0");
    await page.release(await inTrack(scene, 7, 0));
    await scene.settled();
    assertEquals(await heldClips(scene), start);
    assert(await page.evaluate<number>("loophole.session.mirror.revision") > history);
    await page.drag([await inTrack(scene, 4, 0), await inTrack(scene, 7, 0)]);
    await scene.settled();
    clips = await clipsById(scene);
    const by = clips.get("v")!.startFrame;
    assertAlmostEquals(by / RATE, 3, 0.15);
    assertEquals(clips.get("sv")!.startFrame - RATE, by);
    await undo(scene);
    assertEquals(await heldClips(scene), start);
    // Alone, it leaves its group where it is.
    await page.drag([await inTrack(scene, 4, 1), await inTrack(scene, 6, 1)], { keys: ["Alt"] });
    await scene.settled();
    clips = await clipsById(scene);
    assertEquals(clips.get("v")!.startFrame, 0);
    assertAlmostEquals(clips.get("sv")!.startFrame / RATE, 3, 0.15);
    await undo(scene);

    // Both edges of a group that stand at one place are trimmed together: sv does not end where v does, so v alone.
    await page.click(await inTrack(scene, 4, 0));
    await seekTo(scene, 6);
    await edited(scene, () => page.press("s"));
    let held = await heldClips(scene);
    assertEquals(held.map((track) => track.slice(0, 2).map(([, from, to]) => [from, to])), [
      [[0, 6], [6, 12]],
      [[1, 6], [6, 9]],
    ]);
    clips = await clipsById(scene);
    const [right, rightSystem] = [held[0][1][0], held[1][1][0]];
    assertEquals(clips.get("v")!.groupId, groupId);
    assertNotEquals(clips.get(right)!.groupId, groupId);
    assertEquals(clips.get(right)!.groupId, clips.get(rightSystem)!.groupId);
    // The edge that both right parts have is drawn for both.
    await page.drag(
      [await inTrack(scene, 6, 1), await inTrack(scene, 7, 1)].map((place) => ({
        ...place,
        x: place.x + 2,
      })),
    );
    await scene.settled();
    clips = await clipsById(scene);
    assertEquals(clips.get(right)!.startFrame, clips.get(rightSystem)!.startFrame);
    assertAlmostEquals(clips.get(right)!.startFrame / RATE, 7, 0.15);
    await undo(scene);

    // The segment goes with its gap, on its own tracks.
    await page.click(await inTrack(scene, 7, 0));
    assertEquals(await selected(scene), [right, rightSystem].toSorted());
    await edited(scene, () => page.press("Alt+Delete"));
    held = await heldClips(scene);
    assertEquals(held[0].map(([id, from]) => [id, from]), [["v", 0], ["p", 6], ["r", 16]]);
    assertEquals(held[1].map(([id, from]) => [id, from]), [["sv", 1], ["sp", 7]]);
    await undo(scene);
    await undo(scene);
    await page.click(await inTrack(scene, 4, 0));
    await edited(scene, () => page.press("Shift+G"));
    clips = await clipsById(scene);
    assertEquals([clips.get("v")!.groupId, clips.get("sv")!.groupId], [undefined, undefined]);
    assertEquals(page.complaints, []);
    assertEquals(await page.evaluate("loophole.notices.all"), []);
  },
});

Deno.test({
  name:
    "a segment is taken to another place by hand and by keys, and a mark shows where it goes in",
  ...needs("chromium"),
  async fn() {
    await using scene = await openTracks(...RECORDING);
    const { page } = scene;
    const start = await heldClips(scene);
    const order = async () => (await heldClips(scene))[0].map(([id]) => id).join();
    await page.drag([await inTrack(scene, 26, 0), await inTrack(scene, 14, 0)], {
      keys: ["Shift"],
      hold: true,
    });
    // Between v and p, where p begins.
    await page.until("!document.getElementById('insertion').hidden");
    const mark = await page.evaluate<{ x: number; height: number }>(`(() => {
      const { x, width, height } = document.getElementById("insertion").getBoundingClientRect();
      return { x: x + width / 2 - document.getElementById("lanes").getBoundingClientRect().x, height };
    })()`);
    assertAlmostEquals(mark.x, await page.evaluate("loophole.view.xOf(12 * 48000)"), 1.5);
    assertAlmostEquals(mark.height, await page.evaluate("loophole.view.trackHeight"), 1);
    assertEquals(await page.evaluate("document.getElementById('readout').textContent"), "2 of 3");
    await scene.screenshot("reorder");
    await page.press("Escape");
    await page.release(await inTrack(scene, 14, 0));
    assertEquals(await page.evaluate("document.getElementById('insertion').hidden"), true);
    assertEquals(await heldClips(scene), start);
    await edited(
      scene,
      async () =>
        await page.drag([await inTrack(scene, 26, 0), await inTrack(scene, 14, 0)], {
          keys: ["Shift"],
        }),
    );
    assertEquals(await order(), "v,r,p");
    assertEquals((await heldClips(scene))[0].map(([, from, to]) => [from, to]), [
      [0, 12],
      [12, 20],
      [20, 30],
    ]);
    await undo(scene);
    assertEquals(await heldClips(scene), start);
    await page.click(await inTrack(scene, 5, 0));
    await edited(scene, () => page.press("Alt+Shift+ArrowRight"));
    assertEquals(await order(), "p,v,r");
    await edited(scene, () => page.press("Alt+Shift+ArrowRight"));
    assertEquals(await order(), "p,r,v");
    await edited(scene, () => page.press("Alt+Shift+ArrowLeft"));
    assertEquals(await order(), "p,v,r");
    // What is grouped moves along, on its own track.
    await undo(scene);
    await undo(scene);
    await undo(scene);
    assertEquals(await heldClips(scene), start);
    await page.click(await inTrack(scene, 17, 0));
    await page.click(await inTrack(scene, 17, 1), { keys: ["Ctrl"] });
    await edited(scene, () => page.press("g"));
    await edited(
      scene,
      async () =>
        await page.drag([await inTrack(scene, 17, 0), await inTrack(scene, 2, 0)], {
          keys: ["Shift"],
        }),
    );
    const held = await heldClips(scene);
    assertEquals(held[0].map(([id]) => id).join(), "p,v,r");
    assertEquals(held[1].map(([id, from]) => [id, from])[0], ["sp", 1]);
    // A click with Shift selects up to the clip, as it always did.
    await page.press("Escape");
    await page.click(await inTrack(scene, 5, 0));
    await page.click(await inTrack(scene, 26, 0), { keys: ["Shift"] });
    assertEquals(await selected(scene), ["p", "r", "sp", "v"]);
    assertEquals(page.complaints, []);
    assertEquals(await page.evaluate("loophole.notices.all"), []);
  },
});

Deno.test({
  name:
    "the razor splits under the pointer; Q and W cut to the edges; edges trim with ripple, each one step",
  ...needs("chromium"),
  async fn() {
    await using scene = await openTracks(...RECORDING);
    const { page } = scene;
    const start = await heldClips(scene);
    const spans = async (track: number) =>
      (await heldClips(scene))[track].map(([, from, to]) => [from, to]);

    await page.press("c");
    assertEquals(
      await page.evaluate(`document.querySelector("[data-command='edit.razor']").ariaPressed`),
      "true",
    );
    await page.move(await inTrack(scene, 5, 0));
    await page.until("!document.getElementById('snap-line').hidden");
    await edited(scene, async () => await page.click(await inTrack(scene, 5, 0)));
    let tracks = await heldClips(scene);
    assertEquals(tracks.map(({ length }) => length), [4, 2]);
    assertAlmostEquals(tracks[0][0][2], 5, 0.1);
    await edited(
      scene,
      async () => await page.click(await inTrack(scene, 7, 0), { keys: ["Shift"] }),
    );
    tracks = await heldClips(scene);
    assertEquals(tracks.map(({ length }) => length), [5, 3]);
    assertEquals(tracks[0][1][2], tracks[1][0][2]);
    await page.press("Escape");
    assertEquals(await page.evaluate("loophole.tool"), "select");
    await undo(scene);
    await undo(scene);
    assertEquals(await heldClips(scene), start);
    // All tracks at the playhead, whatever is selected.
    await page.click(await inTrack(scene, 5, 0));
    await seekTo(scene, 4);
    await edited(scene, () => page.press("Alt+s"));
    assertEquals((await heldClips(scene)).map(({ length }) => length), [4, 3]);
    await undo(scene);

    // From the edge before, up to the playhead, on all tracks; the head stands on the cut.
    await page.press("Escape");
    await seekTo(scene, 4);
    await edited(scene, () => page.press("q"));
    // The nearest edge is that of sv, at 1 s.
    assertEquals(await spans(0), [[0, 1], [1, 9], [9, 19], [19, 27]]);
    assertEquals(await spans(1), [[1, 6], [10, 18]]);
    assertEquals(await page.evaluate("loophole.session.frame"), 1 * RATE);
    await undo(scene);
    assertEquals(await heldClips(scene), start);
    await seekTo(scene, 4);
    await edited(scene, () => page.press("w"));
    assertEquals(await spans(0), [[0, 4], [4, 7], [7, 17], [17, 25]]);
    assertEquals(await spans(1), [[1, 4], [8, 16]]);
    await undo(scene);
    assertEquals(await heldClips(scene), start);

    // An edge with Mod: what follows on its track keeps its distance; taken back, longer again, and by Escape.
    const beside = async (seconds: number, px: number) => {
      const place = await inTrack(scene, seconds, 0);
      return { ...place, x: place.x + px };
    };
    await page.drag([await beside(12, -3), await beside(9, -3)], { keys: ["Ctrl"] });
    await scene.settled();
    let [v, p, r] = await spans(0);
    assertAlmostEquals(v[1], 9, 0.1);
    assertEquals(p, [v[1], v[1] + 10]);
    assertEquals(r, [p[1], p[1] + 8]);
    assertEquals(await spans(1), start[1].map(([, from, to]) => [from, to]));
    await page.drag([await beside(v[1], -3), await beside(10, -3)], { keys: ["Ctrl"] });
    await scene.settled();
    [v, p, r] = await spans(0);
    assertAlmostEquals(v[1], 10, 0.1);
    assertEquals([p[0], r[0]], [v[1], v[1] + 10]);
    await undo(scene);
    await undo(scene);
    assertEquals(await heldClips(scene), start);
    await page.drag([await beside(12, -3), await beside(6, -3)], { keys: ["Ctrl"], hold: true });
    await page.until("loophole.session.mirror.clip('v').lengthFrames < 8 * 48000");
    await page.press("Escape");
    await page.until("loophole.session.mirror.clip('v').lengthFrames === 12 * 48000");
    await page.release(await beside(6, -3));
    await scene.settled();
    assertEquals(await heldClips(scene), start);
    // The start: p begins where it began, and later in its source.
    await page.drag([await beside(12, 3), await beside(14, 3)], { keys: ["Ctrl"] });
    await scene.settled();
    [v, p, r] = await spans(0);
    assertEquals(v, [0, 12]);
    assertEquals(p[0], 12);
    assertAlmostEquals(p[1], 20, 0.1);
    assertEquals(r[0], p[1]);
    const trimmed = (await clipsById(scene)).get("p")!;
    assertEquals(trimmed.sourceFrame, 10 * RATE - trimmed.lengthFrames);
    await page.drag([await beside(12, 3), await beside(11, 3)], { keys: ["Ctrl"] });
    await scene.settled();
    assertAlmostEquals((await spans(0))[1][1], 21, 0.2);
    assertEquals((await spans(0))[1][0], 12);
    await undo(scene);
    await undo(scene);
    assertEquals(await heldClips(scene), start);

    // Through a crossfade what follows moves one by one, and its length stays.
    await page.evaluate(
      `loophole.session.edit([{ op: "clip.move", clipId: "p", startFrame: 11 * 48000 },
      { op: "clip.move", clipId: "r", startFrame: 21 * 48000 }], { label: "Overlap" })`,
    );
    await page.until("loophole.session.mirror.clip('p').startFrame === 11 * 48000");
    await page.press("Escape");
    await page.click(await inTrack(scene, 4, 0));
    await page.drag([await beside(12, -3), await beside(9, -3)], { keys: ["Ctrl"] });
    await scene.settled();
    [v, p, r] = await spans(0);
    assertAlmostEquals(v[1], 9, 0.1);
    assertAlmostEquals(v[1] - p[0], 1, 1e-9);
    assertAlmostEquals(r[0], p[1], 1e-9);
    // Slips and fades by keys.
    await undo(scene);
    await undo(scene);
    await page.press("Escape");
    await page.click(await inTrack(scene, 17, 1));
    await edited(scene, () => page.press("Alt+,"));
    assertEquals((await clipsById(scene)).get("sp")!.sourceFrame, RATE + 480);
    await edited(scene, () => page.press("Alt+."));
    assertEquals((await clipsById(scene)).get("sp")!.sourceFrame, RATE);
    await seekTo(scene, 14);
    await edited(scene, () => page.press("Alt+["));
    await seekTo(scene, 19);
    await edited(scene, () => page.press("Alt+]"));
    const faded = (await clipsById(scene)).get("sp")!;
    assertEquals([faded.fadeInFrames, faded.fadeOutFrames], [RATE, 2 * RATE]);
    assertEquals(page.complaints, []);
    assertEquals(await page.evaluate("loophole.notices.all"), []);
  },
});

Deno.test({
  name:
    "in and out: played, looped, cut with and without ripple, filled with silence, on all tracks or without those left out",
  ...needs("chromium"),
  async fn() {
    await using scene = await openTracks(...RECORDING);
    const { page } = scene;
    const start = await heldClips(scene);
    const spans = async () =>
      (await heldClips(scene)).map((track) => track.map(([, from, to]) => [from, to]));
    await seekTo(scene, 3);
    await edited(scene, () => page.press("i"));
    await seekTo(scene, 5);
    await edited(scene, () => page.press("o"));
    assertEquals((await scene.timeline()).ioPoints, { inFrame: 3 * RATE, outFrame: 5 * RATE });

    await edited(scene, () => page.press("'"));
    assertEquals(await spans(), [
      [[0, 3], [3, 10], [10, 20], [20, 28]],
      [[1, 3], [3, 7], [11, 19]],
    ]);
    await undo(scene);
    assertEquals(await heldClips(scene), start);
    await edited(scene, () => page.press(";"));
    assertEquals(await spans(), [
      [[0, 3], [5, 12], [12, 22], [22, 30]],
      [[1, 3], [5, 9], [13, 21]],
    ]);
    await undo(scene);
    await edited(scene, () => page.press("h"));
    assertEquals(await spans(), [
      [[0, 3], [5, 14], [14, 24], [24, 32]],
      [[1, 3], [5, 11], [15, 23]],
    ]);
    await undo(scene);
    assertEquals(await heldClips(scene), start);

    // A track that is left out stays as it is; its button brings it back.
    await page.click(await inTrack(scene, 17, 1));
    await page.press("Escape");
    await page.press("Shift+R");
    await page.until("document.querySelector('.track-header:nth-child(2) .apart:not([hidden])')");
    await scene.screenshot("left out");
    await edited(scene, () => page.press("'"));
    assertEquals(await spans(), [
      [[0, 3], [3, 10], [10, 20], [20, 28]],
      start[1].map(([, from, to]) => [from, to]),
    ]);
    await undo(scene);
    await seekTo(scene, 4);
    await edited(scene, () => page.press("s"));
    assertEquals((await spans()).map(({ length }) => length), [4, 2]);
    await undo(scene);
    await page.click(".track-header:nth-child(2) .apart");
    await page.until("document.querySelector('.track-header:nth-child(2) .apart').hidden");

    // Played from in to out, where it pauses; looped.
    await page.press("Shift+P");
    await page.until("loophole.session.transport.state === 'playing'");
    await page.until("loophole.session.transport.state === 'paused'");
    await page.until("loophole.session.frame === 5 * 48000");
    await page.press("Shift+L");
    await page.until("loophole.session.transport.loop.enabled");
    assertEquals(await page.evaluate("loophole.session.transport.loop"), {
      enabled: true,
      startFrame: 3 * RATE,
      endFrame: 5 * RATE,
    });
    await page.press("l");
    await page.until("!loophole.session.transport.loop.enabled");

    // Without points, silence is asked for in seconds, and what is none is said.
    await edited(scene, () => page.press("x"));
    await seekTo(scene, 10);
    await page.press("h");
    await page.until("document.activeElement?.closest('.ask')");
    await page.press("Ctrl+a");
    await page.type("much");
    await page.press("Enter");
    await page.until("loophole.notices.all.length === 1");
    assertMatch(
      await page.evaluate("document.getElementById('notices').textContent"),
      /Could not insert silence: “much” is no number of seconds/,
    );
    await page.evaluate("loophole.notices.dismiss('silence.length')");
    await page.press("h");
    await page.until("document.activeElement?.closest('.ask')");
    await page.press("Ctrl+a");
    await page.type("1.5");
    await edited(scene, () => page.press("Enter"));
    assertEquals((await spans())[0], [[0, 10], [11.5, 13.5], [13.5, 23.5], [23.5, 31.5]]);
    assertEquals(page.complaints, []);
  },
});

Deno.test({
  name:
    "what is cut by a key while it plays is what sounds: the device tells of the edit's revision",
  ...needs("chromium"),
  async fn() {
    await using scene = await openTracks(...RECORDING);
    const { page } = scene;
    await page.evaluate(
      `loophole.client.on("transport.position", (report) => globalThis.told = report)`,
    );
    await scene.hold(RATE, 11 * RATE);
    await seekTo(scene, 2);
    await page.press(" ");
    await page.until("globalThis.told?.positionFrame > 1.5 * 48000");
    // What is selected is said, so that what deleting it leads to is there before the key is pressed.
    await page.evaluate(`(() => {
      const { client } = loophole;
      const request = client.request.bind(client);
      globalThis.hints = [];
      client.request = (method, params) => {
        if (method === "view.hint") hints.push(structuredClone(params));
        return request(method, params);
      };
    })()`);
    await page.click(await inTrack(scene, 17, 0));
    await page.until("hints.at(-1)?.selectedClipIds.join() === 'p'");
    const hint = await page.evaluate<Hint>("hints.at(-1)");
    assert(hint.cursorFrame >= RATE && hint.cursorFrame < 11.5 * RATE, `${hint.cursorFrame}`);
    assert(hint.visible.startFrame === 0 && hint.visible.endFrame >= 30 * RATE);
    for (const [key, clips] of [["Delete", 3], ["Ctrl+z", 5]] as const) {
      await edited(scene, () => page.press(key));
      assertEquals(await page.evaluate("loophole.session.mirror.clipCount"), clips);
      const revision = await page.evaluate<number>("loophole.session.mirror.revision");
      await page.until(`globalThis.told.revision === ${revision}`);
    }
    assertEquals(await page.evaluate("loophole.session.transport.state"), "playing");
    assertEquals(page.complaints, []);
  },
});

Deno.test({
  name:
    "the steps are there after the engine was started anew: listed, gone to by a click, and undone by keys",
  ...needs("chromium"),
  async fn() {
    await using scene = await openTracks(...RECORDING);
    const { page } = scene;
    const start = await heldClips(scene);
    await page.click(await inTrack(scene, 17, 0));
    await edited(scene, () => page.press("Alt+Delete"));
    const cut = await heldClips(scene);
    await page.click(await inTrack(scene, 4, 1));
    // One drag, however many edits it took.
    await page.drag([await inTrack(scene, 4, 1), await inTrack(scene, 6, 1)]);
    await scene.settled();
    const moved = await heldClips(scene);
    assertNotEquals(moved, cut);
    await page.click("#tab-history");
    const steps = () =>
      page.evaluate<string[]>(
        "[...document.querySelectorAll('#history button')].map((b) => b.className + b.textContent)",
      );
    await page.until("document.querySelector('#history button')?.textContent === 'Move clip'");
    const before = await steps();
    assertEquals(before.slice(0, 2), ["Move clip", "Delete segment"]);

    await scene.engine.stop();
    await page.until("document.body.classList.contains('offline')");
    await scene.restart();
    await scene.connected();
    await page.until("document.querySelectorAll('#history button').length > 2");
    assertEquals(await steps(), before);
    await edited(scene, () => page.click("#history li:nth-child(3) button"));
    await page.until("document.querySelectorAll('#history .undone').length === 2");
    assertEquals(await heldClips(scene), start);
    await edited(scene, () => page.press("Ctrl+Shift+z"));
    assertEquals(await heldClips(scene), cut);
    await edited(scene, () => page.press("Ctrl+y"));
    assertEquals(await heldClips(scene), moved);
  },
});
