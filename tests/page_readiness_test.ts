/** The strip at the foot of the ruler: where playback would begin at once, as the engine says it, drawn, in words, and under the pointer. */
import { assertEquals, assertMatch } from "@std/assert";
import { mergeColumns } from "../server/web/model/ready_runs.js";
import { needs } from "./needs.ts";
import { RATE, Scene } from "./support/page_scene.ts";

Deno.test("columns of tracks become runs: the worst of each counts, tracks that are not heard do not", () => {
  const answer = {
    start: 100,
    end: 700,
    width: 6,
    revision: 1,
    tracks: [
      { trackId: "a", columns: "iippii" },
      { trackId: "b", columns: "iiiooi" },
      { trackId: "muted", columns: "oooooo" },
    ],
  };
  assertEquals(mergeColumns(answer, (trackId) => trackId !== "muted"), [
    { startFrame: 100, endFrame: 300, state: "instant" },
    { startFrame: 300, endFrame: 400, state: "pending" },
    { startFrame: 400, endFrame: 600, state: "offline" },
    { startFrame: 600, endFrame: 700, state: "instant" },
  ]);
  assertEquals(mergeColumns({ ...answer, tracks: [] }, () => true), [
    { startFrame: 100, endFrame: 700, state: "instant" },
  ]);
});

/** What the strip's pixels say at seconds of the timeline that are seen: a colour of its own, or a hatching, which has two. */
const drawn = (seconds: number[]) =>
  `(() => {
    const { context, canvas, density } = loophole.timeline.ruler;
    const colour = (text) => {
      const own = new OffscreenCanvas(1, 1).getContext("2d");
      own.fillStyle = text;
      own.fillRect(0, 0, 1, 1);
      return own.getImageData(0, 0, 1, 1).data.join();
    };
    const ready = colour(loophole.theme.ready), error = colour(loophole.theme.error);
    return ${JSON.stringify(seconds)}.map((second) => {
      const x = Math.round(loophole.view.xOf(second * ${RATE}) * density);
      const { data } = context.getImageData(x, canvas.height - Math.round(3 * density), 8, 1);
      const pixels = new Set(Array.from({ length: 8 }, (_, i) => data.slice(4 * i, 4 * i + 4).join()));
      if (pixels.size > 1) return "pending";
      return pixels.has(ready) ? "instant" : pixels.has(error) ? "offline" : [...pixels][0];
    });
  })()`;

Deno.test({
  name:
    "the strip shows what is resident, what is not and what is away, follows zoom and scroll, seeks and edits, and says it in words",
  ...needs("chromium"),
  async fn() {
    // Of thirty seconds, 5.7 MB, the store holds 1 MB: what lies at the head.
    await using scene = await Scene.open({ args: ["--memory-mb", "1"] });
    const { page } = scene;
    /** Waits for what the page knows of a place, and until it is drawn. */
    const until = (second: number, state: string) =>
      page.until(
        `loophole.readiness.at(${second * RATE})?.state === "${state}" && loophole.loop.isIdle`,
      );
    await until(1, "instant");
    await until(28, "pending");
    assertEquals(await page.evaluate(drawn([1, 3, 28])), ["instant", "instant", "pending"]);
    await scene.screenshot("readiness");
    // Word for word what the engine says.
    const { tracks } = await page.evaluate<{ tracks: { columns: string }[] }>(
      `fetch("/aura/readiness?start=0&end=${30 * RATE}&width=30").then((answer) => answer.json())`,
    );
    assertMatch(tracks[0].columns, /^i+p+$/);
    const words = () =>
      page.evaluate<string>("document.getElementById('readiness-text').textContent");
    await page.until("document.getElementById('readiness-text').textContent !== ''");
    assertMatch(
      await words(),
      /^Must be read first: .* to 00:00:30\.000\. The rest plays at once\.$/,
    );
    const { nodes } = await page.call("Accessibility.getFullAXTree");
    // deno-lint-ignore no-explicit-any
    const ruler = nodes.find(({ name }: any) => name?.value === "Ruler");
    assertEquals(ruler.description.value, await words());

    // A pointer over the ruler is told.
    const titleAt = async (second: number) => {
      const { x, y } = await scene.at(second, -3);
      await page.move({ x, y });
      return await page.evaluate<string>("document.getElementById('ruler').title");
    };
    assertEquals(await titleAt(1), "Plays at once");
    assertEquals(await titleAt(28), "Must be read first (Voice)");

    // Sent elsewhere, that is what is read.
    await page.click(await scene.onRuler(26));
    await until(26.5, "instant");
    await until(12, "pending");
    assertEquals(await page.evaluate(drawn([12, 26.5])), ["pending", "instant"]);

    // Closer, and to the side: the same places.
    await page.evaluate(
      `loophole.view.show(24 * ${RATE}, 29 * ${RATE}); loophole.timeline.viewChanged()`,
    );
    await page.until("loophole.loop.isIdle");
    assertEquals(await page.evaluate(drawn([26.5])), ["instant"]);
    await page.evaluate(`loophole.view.scrollBy(-14 * ${RATE}); loophole.timeline.viewChanged()`);
    await until(12, "pending");
    assertEquals(await page.evaluate(drawn([12])), ["pending"]);
    await page.press("f");

    // A file that goes away is silence, but where it is still in memory.
    await Deno.rename(`${scene.home.path}/Piano.wav`, `${scene.home.path}/Elsewhere.wav`);
    await until(14, "offline");
    assertEquals(await page.evaluate(drawn([14, 26.5])), ["offline", "instant"]);
    assertMatch(await titleAt(14), /^Silent here: the file is away \(Voice\)/);
    await page.until(
      "/^Silent, because a file is away: 00:00:1/.test(document.getElementById('readiness-text').textContent)",
    );
    await scene.screenshot("readiness offline");
    // A track that is not heard does not count.
    await page.evaluate(`loophole.session.edit([{ op: "track.set", set: { mute: true },
      trackId: loophole.session.mirror.tracks[0].header.trackId }], { label: "Mute" })`);
    await until(14, "instant");
    await page.press("Ctrl+z");
    await until(14, "offline");
    // An edit: without the clip, what follows it comes in its place, and is what it is.
    await page.click(await scene.at(14, 60));
    await page.press("Delete");
    await page.until(`loophole.session.mirror.endFrame === ${20 * RATE}`);
    await until(16.5, "instant");
    // Behind the end there is nothing to know.
    await page.until(`loophole.readiness.at(25 * ${RATE}) === null`);
    assertEquals(page.complaints, []);
  },
});
