/** The diagnostics panel: figures over time, plots, tables, gaps with their causes; by button and keys, in both themes, on a small screen. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { niceTop } from "../server/web/diagnostics/coordinate.js";
import { percentiles, scaleOf } from "../server/web/diagnostics/histogram_scale.js";
import { budgetBytes, DiagnosticsHistory, KEPT } from "../server/web/diagnostics/history.js";
import { UnderrunBook } from "../server/web/diagnostics/underrun_book.js";
import {
  ago,
  bytes,
  count,
  lasting,
  milliseconds,
  percent,
  plain,
  rate,
} from "../server/web/diagnostics/words.js";
import { needs } from "./needs.ts";
import { sampleDiagnostics, sampleUnderruns } from "./support/diagnostics_sample.ts";
import { RATE, Scene } from "./support/page_scene.ts";

// deno-lint-ignore no-explicit-any
type Json = any;

Deno.test("figures have three digits that count, a unit, and a sign for what is not known", () => {
  assertEquals([0, 0.0123, 0.5, 9.999, 12.34, 999.4, 1_000, 61_500].map(milliseconds), [
    "0 ms",
    "12.3 µs",
    "0.50 ms",
    "10.00 ms",
    "12.3 ms",
    "999 ms",
    "1.00 s",
    "61.5 s",
  ]);
  assertEquals([0, 999, 1_000, 1.5e6, 999.9e6, 2.34e9].map(bytes), [
    "0 B",
    "999 B",
    "1.00 kB",
    "1.50 MB",
    "1.00 GB",
    "2.34 GB",
  ]);
  assertEquals(rate(31e6), "31.0 MB/s");
  // What is nearly all is not called all.
  assertEquals([0, 0.058, 0.5, 0.99997, 0.9999999, 1, 1.2].map(percent), [
    "0 %",
    "5.80 %",
    "50.0 %",
    "99.997 %",
    "99.999 %",
    "100 %",
    "120 %",
  ]);
  assertEquals([milliseconds, bytes, rate, percent, count].map((write) => write(null)), [
    "–",
    "–",
    "–",
    "–",
    "–",
  ]);
  assertEquals(["10.0 ms", "0.50 ms", "100 ms", "1.00 MB/s", "5\u2009000/s"].map(plain), [
    "10 ms",
    "0.5 ms",
    "100 ms",
    "1 MB/s",
    "5\u2009000/s",
  ]);
  assertEquals([ago(300), ago(61_000), lasting(119_000), lasting(7.3e6)], [
    "now",
    "61 s ago",
    "2 min",
    "2 h",
  ]);
  assertEquals([0.9, 1, 1.2, 2.1, 3, 7e5].map(niceTop), [1, 1, 2, 2.5, 5, 1e6]);
});

Deno.test("a histogram's scale holds all that has values and every mark, and at least two decades", () => {
  const histogram = (counts: number[]) => ({
    unit: "ms" as const,
    bounds: [1, 10, 100, 1_000],
    counts,
    count: counts.reduce((sum, value) => sum + value, 0),
    sum: 0,
    p50: 5,
    p99: 50,
    p999: null,
    max: 60,
  });
  const scale = scaleOf([histogram([0, 3, 0, 1, 0])], []);
  assertEquals([scale.from, scale.to], [1, 1_000]);
  assertEquals([1, 1_000, 0.1, 1e9].map((value) => Math.round(scale.at(value))), [0, 100, 0, 100]);
  assertEquals(Math.round(scale.at(Math.sqrt(1_000))), 50);
  const marked = scaleOf([histogram([0, 3, 0, 0, 0])], [{
    value: 5_000,
    label: "x",
    kind: "limit",
  }]);
  assert(marked.at(5_000) < 100 && marked.at(5_000) > 90);
  const narrow = scaleOf([histogram([0, 3, 0, 0, 0])], []);
  assertEquals(Math.round(Math.log10(narrow.to / narrow.from)), 2);
  // The open buckets at both ends are as wide as their neighbours.
  const open = scaleOf([histogram([1, 0, 0, 0, 1])], []);
  assertEquals([open.from, open.to], [0.1, 10_000]);
  assertEquals(
    percentiles(histogram([0, 3, 0, 1, 0])),
    "p50 5 ms · p99 50 ms · p99.9 – · max 60 ms",
  );
  assertEquals(
    percentiles({ ...histogram([0, 3, 0, 1, 0]), p999: 55 }),
    "p50 5 · p99 50 · p99.9 55 · max 60 ms",
  );
  assertEquals(percentiles(histogram([0, 0, 0, 0, 0])), "none");
});

Deno.test("what happened between two looks is told by the second; a reset or another engine begins anew; five minutes are kept", () => {
  const history = new DiagnosticsHistory();
  const look = (second: number) => sampleDiagnostics(second, ["a"]);
  history.take(look(41), RATE, true);
  assertEquals(history.samples[0].missing, null);
  assertEquals(history.samples[0].bytesPerSecond, null);
  history.take(look(42), RATE, true);
  const [first, second] = history.samples;
  assertEquals([second.missing, second.faded], [2_400 + 512, 960]);
  assertEquals(second.needBytesPerSecond, 9.9e6);
  assertEquals(second.horizonMs, look(42).cache!.horizonMs);
  assertEquals(first.timeMs + 1_000, second.timeMs);
  // Twice the time, the same rate.
  history.take({ ...look(44), counters: { ...look(42).counters } }, RATE, true);
  assertEquals(history.samples[2].missing, 0);
  history.take(look(46), RATE, false);
  assertEquals(history.samples[3].horizonMs, null, "nothing plays");
  // Counted from a reset on.
  history.take({ ...look(47), sinceMs: 47_000, counters: { missing: 3 } }, RATE, true);
  assertEquals(history.samples[4].missing, null);
  assertEquals(history.samples.length, 5);
  // A clock that went back is another engine's.
  history.take(look(1), RATE, true);
  assertEquals(history.samples.length, 1);
  for (let at = 2; at < KEPT + 10; at++) history.take(look(at), RATE, true);
  assertEquals(history.samples.length, KEPT);
  assertEquals(budgetBytes(look(3)), 500e6);
  assertEquals(budgetBytes({ ...look(3), cache: undefined }), 30_517 * 16_384);
});

Deno.test("gaps are asked for again from the first that had not ended", () => {
  const book = new UnderrunBook();
  assertEquals(book.query(0), { afterId: 0, limit: 200 });
  assertEquals(book.query(1_000), { afterId: 800, limit: 200 });
  const underruns = sampleUnderruns(50, ["a"]); // The third goes on.
  book.take({ underruns, total: 3 });
  assertEquals(book.query(3).afterId, 2);
  book.take({ underruns: [{ ...underruns[2], ended: true, frames: 9 }], total: 3 });
  assertEquals(book.all.map(({ frames }) => frames), [2_400, 1_500, 9]);
  assertEquals(book.query(5).afterId, 3);
  const many = Array.from({ length: 200 }, (_, i) => ({ ...underruns[0], underrunId: 4 + i }));
  book.take({ underruns: many, total: 203 });
  assertEquals([book.all.length, book.all[0].underrunId], [200, 4]);
});

/** Controls and figures of the panel that are covered, or reach out of the window. */
const HIDDEN =
  `[...document.querySelectorAll("#diagnostics > header button, #diagnostics-handle, .tiles > div, #lanes-canvas, #ruler, #diagnostics-button")]
  .filter((element) => {
    const { x, y, width, height } = element.getBoundingClientRect();
    if (x < 0 || y < 0 || x + width > innerWidth + 0.5 || y + height > innerHeight + 0.5) return true;
    const top = document.elementFromPoint(x + width / 2, y + height / 2);
    return !(element.contains(top) || top?.closest(".lanes, .playhead-box"));
  }).map((element) => element.id || element.className)`;

/** Text of the panel whose colour is too near to what lies under it: less than 4.5 to 1 (WCAG 2.2, 1.4.3). */
const FAINT = `(() => {
  const own = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const over = (layers) => {
    own.clearRect(0, 0, 1, 1);
    for (const layer of layers) { own.fillStyle = layer; own.fillRect(0, 0, 1, 1); }
    return [...own.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((v) => v / 255).map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const found = [];
  for (const element of document.querySelectorAll("#diagnostics *, #diagnostics-button")) {
    const text = [...element.childNodes].filter((node) => node.nodeType === 3).map((node) => node.data.trim()).join("");
    if (text === "" || !element.checkVisibility()) continue;
    const layers = [];
    for (let at = element; at; at = at.parentElement) layers.unshift(getComputedStyle(at).backgroundColor);
    const ground = over(layers), ink = over([...layers, getComputedStyle(element).color]);
    const [high, low] = [luminance(ground), luminance(ink)].sort((a, b) => b - a);
    const ratio = (high + 0.05) / (low + 0.05);
    if (ratio < 4.5) found.push([element.className || element.tagName, text.slice(0, 30), ratio.toFixed(2)]);
  }
  return found;
})()`;

const text = (selector: string) =>
  `(document.querySelector(${JSON.stringify(selector)})?.textContent ?? null)`;
const card = (title: string) => `.card[aria-label="${title}"]`;

Deno.test({
  name:
    "by key and button the panel opens over the timeline, shows what the engine counts, stands still, counts anew, is copied, and closes",
  ...needs("chromium"),
  async fn() {
    // A store of 1 MB: what lies at the end of thirty seconds is not in it.
    await using scene = await Scene.open({ args: ["--memory-mb", "1"] });
    const { page } = scene;
    await page.press("d");
    await page.until("loophole.diagnostics.shown >= 2");
    const expanded = () =>
      page.evaluate<string>(
        "document.getElementById('diagnostics-button').getAttribute('aria-expanded')",
      );
    assertEquals(await expanded(), "true");
    assertEquals(await page.evaluate(HIDDEN), []);
    assertEquals(
      await page.evaluate(text(`${card("Gaps")} .card-empty`)),
      "No gap so far. Should frames be missing, each gap is explained here.",
    );
    const { nodes } = await page.call("Accessibility.getFullAXTree");
    const nameless = nodes.filter(({ ignored, role, name }: Json) =>
      !ignored && /^(button|region|group|image|splitter|table|list)$/.test(role?.value) &&
      !name?.value
    ).map(({ role, properties }: Json) => [role.value, properties]);
    assertEquals(nameless, []);

    // It plays, and a file is taken away: both are told.
    await page.press(" ");
    await page.until("loophole.session.transport.state === 'playing'");
    await page.until(
      `/^(No dropout|.* frames (missing|faded))$/.test(${text("#diagnostics-verdict")})`,
    );
    await scene.screenshot("diagnostics");
    await Deno.rename(`${scene.home.path}/Room.wav`, `${scene.home.path}/Elsewhere.wav`);
    await page.until(
      "loophole.session.assets.all.some(({ offlineStatus }) => offlineStatus === 'missing')",
    );
    await page.click(await scene.onRuler(24));
    // A machine that is busy may have brought gaps of other causes.
    const gap = ".underruns li:has(.cause.absent)";
    await page.until(`document.querySelector("${gap}") !== null`);
    await page.until(`/frames missing/.test(${text("#diagnostics-verdict")})`);
    await page.press(" ");
    await page.until("loophole.session.transport.state !== 'playing'");
    assertEquals(await page.evaluate(text(`${gap} .cause`)), "absent");
    assertEquals(await page.evaluate(text(`${gap} .where`)), "Voice · Room");
    // Nothing moves any more: what is shown is what the engine says.
    const engineSays =
      "loophole.client.request('diagnostics.get', {}).then(({ counters }) => counters.missing)";
    const shownMissing = `Number(${text(".tiles .value")}.replaceAll("\\u2009", ""))`;
    await page.until(`${engineSays}.then((missing) => missing === ${shownMissing})`);
    assert(await page.evaluate<number>(shownMissing) > 0);
    // There, where the gap was.
    await page.evaluate(`document.querySelector("${gap}").scrollIntoView()`);
    await page.click(`${gap} .place`);
    await page.until(`(async () => {
      const { underruns } = await loophole.client.request("diagnostics.underruns", {});
      const id = Number(document.querySelector("${gap}").dataset.underrunId);
      const { positionFrame } = underruns.find(({ underrunId }) => underrunId === id);
      return loophole.session.frame === positionFrame;
    })()`);

    // Paused, whatever would make it look does not.
    await page.click("#diagnostics-pause");
    assertEquals(
      await page.evaluate(
        "document.getElementById('diagnostics-pause').getAttribute('aria-pressed')",
      ),
      "true",
    );
    await page.evaluate("loophole.client.request('diagnostics.get', {})");
    const stood = await page.evaluate<number>("loophole.diagnostics.shown");
    await page.evaluate(`(async () => {
      document.dispatchEvent(new Event("visibilitychange"));
      await new Promise((resolve) => setTimeout(resolve, 0));
      for (let i = 0; i < 3; i++) await loophole.client.request("diagnostics.get", {});
    })()`);
    assertEquals(await page.evaluate("loophole.diagnostics.shown"), stood);
    await page.click("#diagnostics-pause");
    await page.until(`loophole.diagnostics.shown > ${stood}`);

    // On the clipboard, as it stands.
    await page.evaluate(
      "navigator.clipboard.writeText = async (text) => { globalThis.copied = text; }",
    );
    await page.click("#diagnostics-copy");
    const copied = JSON.parse(await page.until<string>("globalThis.copied"));
    assertEquals(Object.keys(copied), ["taken", "engine", "diagnostics", "underruns", "overTime"]);
    assertEquals(copied.diagnostics.counters.missing, await page.evaluate(engineSays));
    assert(copied.underruns.some(({ cause }: Json) => cause === "absent"));
    assertEquals(copied.underruns.length, copied.diagnostics.underruns);

    // From now on, for this page.
    await page.click("#diagnostics-reset");
    await page.until(`${text("#diagnostics-verdict")} === "No dropout"`);
    assertEquals(await page.evaluate(shownMissing), 0);
    assertEquals(await page.evaluate("document.querySelectorAll('.underruns li').length"), 0);

    await page.evaluate("document.getElementById('diagnostics-body').scrollTop = 0");
    // Taller and back by keys, at most as far as the timeline allows.
    const height = () =>
      page.evaluate<number>("document.getElementById('diagnostics').offsetHeight");
    const before = await height();
    await page.evaluate("document.getElementById('diagnostics-handle').focus()");
    await page.press("ArrowUp");
    assertEquals(await height(), before + 24);
    for (let i = 0; i < 30; i++) await page.press("ArrowUp");
    assertEquals(await height(), 720 - 300);
    assertEquals(await page.evaluate(HIDDEN), []);
    for (let i = 0; i < 30; i++) await page.press("ArrowDown");
    assertEquals(await height(), 160);
    assertEquals(await page.evaluate("loophole.session.frame / 48000 > 20"), true);
    await page.press("Escape");
    assertEquals(await expanded(), "false");
    assertEquals(await page.evaluate("document.activeElement.id"), "diagnostics-button");
    assertEquals(await page.evaluate("loophole.diagnostics.isOpen"), false);
    await page.click("#diagnostics-button");
    await page.until("loophole.diagnostics.isOpen");
    assertEquals(await height(), 160);
    assertEquals(page.complaints, []);
  },
});

Deno.test({
  name:
    "all that diagnostics may tell has its plot, row and words; what an engine does not tell is not drawn; text is legible in both themes",
  ...needs("chromium"),
  async fn() {
    await using scene = await Scene.open();
    const { page } = scene;
    await page.press("d");
    await page.until("loophole.diagnostics.shown >= 1");
    await page.evaluate(`(async () => {
      loophole.diagnostics.pause(true);
      await loophole.session.edit(["Theme", "Answers"].map((name) =>
        ({ op: "track.add", track: { trackId: name, name } })), { label: "Add tracks" });
      document.getElementById("diagnostics").style.height = "420px";
    })()`);
    await page.until("loophole.session.mirror.tracks.length === 3");
    const ids = await page.evaluate<string[]>(
      "loophole.session.mirror.tracks.map(({ header }) => header.trackId)",
    );
    const looks = Array.from({ length: 58 }, (_, i) => sampleDiagnostics(i + 1, ids));
    await page.evaluate(`(() => {
      loophole.session.transport.state = "playing";
      for (const look of ${JSON.stringify(looks)}) {
        loophole.diagnostics.show(look, ${JSON.stringify(sampleUnderruns(58, ids))});
      }
    })()`);
    const shownCards = () =>
      page.evaluate<string[]>(`[...document.querySelectorAll(".card")]
        .filter((card) => !card.hidden && !card.querySelector(".card-body").hidden)
        .map((card) => card.getAttribute("aria-label"))`);
    const histograms = ["Callback", "Queue wait", "Reading", "Decoding", "Edits and commands"];
    const overTime = [
      "Missing and faded",
      "Callback load",
      "Read ahead",
      "Disk",
      "Memory",
      "Queue",
    ];
    assertEquals(
      (await shownCards()).sort(),
      [...histograms, ...overTime, "Device", "Gaps", "Tracks", "Disks", "Warnings and changes"]
        .sort(),
    );
    await scene.screenshot("diagnostics sample");
    const label = (title: string) =>
      page.evaluate<string>(
        `document.querySelector(${
          JSON.stringify(`${card(title)} svg.plot`)
        }).getAttribute("aria-label")`,
      );
    for (const title of histograms) {
      assertMatch(await label(title), /^[A-Z].*\. .*p50 .* · p99 .* · p99\.9 .* · max /s, title);
      assert(
        await page.evaluate<number>(
          `document.querySelectorAll(${JSON.stringify(`${card(title)} .bar`)}).length`,
        ) > 2,
        title,
      );
    }
    for (const title of overTime) {
      assertMatch(await label(title), /, the last 57 s; now: \S/, title);
      assert(
        await page.evaluate(
          `document.querySelector(${
            JSON.stringify(`${card(title)} path, ${card(title)} .bar`)
          }) !== null`,
        ),
        title,
      );
    }
    // The period is a line at its place, right of p99.9.
    const x = (kind: string) =>
      page.evaluate<number>(
        `Number(document.querySelector(${
          JSON.stringify(`${card("Callback")} line.${kind}`)
        }).getAttribute("x1"))`,
      );
    assert(await x("limit") > await x("mark"));
    assertEquals(
      await label("Memory"),
      "Memory, the last 57 s; now: 380 MB of 500 MB · 41.0 MB pinned · 120 MB free",
    );

    const tiles = await page.evaluate<string[][]>(`[...document.querySelectorAll(".tiles > div")]
      .map((tile) => [...tile.children].map(({ textContent }) => textContent).concat(tile.className))`);
    const missing = looks[57].counters.missing;
    assertEquals(tiles[0], ["Missing", count(missing), "7\u2009200 read, 1\u2009024 queue", "bad"]);
    assertEquals(tiles.find(([title]) => title === "Prefetched")!.slice(1), [
      "100 %",
      "of what may come",
      "",
    ]);
    assertEquals(tiles.find(([title]) => title === "Disk margin")!.slice(1), [
      "× 0.92",
      "9.90 MB/s needed",
      "bad",
    ]);
    assertEquals(
      await page.evaluate(text("#diagnostics-verdict")),
      `${count(missing)} frames missing`,
    );
    assertEquals(await page.evaluate(text("#diagnostics-since")), "counted for 58 s");

    // Sorted by what is asked for, the greatest first, and back.
    const firstTracks = () =>
      page.evaluate<string[]>(
        `[...document.querySelectorAll(${
          JSON.stringify(`${card("Tracks")} tbody tr`)
        })].map((row) => row.cells[0].textContent)`,
      );
    assertEquals(await firstTracks(), ["Voice", "Theme", "Answers"]);
    await page.evaluate(
      `document.querySelector(${JSON.stringify(card("Tracks"))}).scrollIntoView()`,
    );
    await page.click(`${card("Tracks")} th:nth-child(3) button`);
    assertEquals(await firstTracks(), ["Answers", "Theme", "Voice"]);
    assertEquals(
      await page.evaluate(
        `document.querySelector(${
          JSON.stringify(`${card("Tracks")} th:nth-child(3)`)
        }).getAttribute("aria-sort")`,
      ),
      "descending",
    );
    await page.click(`${card("Tracks")} th:nth-child(3) button`);
    assertEquals(await firstTracks(), ["Voice", "Theme", "Answers"]);
    const disks = await page.evaluate<string[][]>(
      `[...document.querySelectorAll(${
        JSON.stringify(`${card("Disks")} tbody tr`)
      })].map((row) => [...row.cells].map(({ textContent }) => textContent))`,
    );
    assertEquals(disks[1], [
      "/net/archive",
      "2.30 MB/s",
      "2.50 MB/s",
      "× 0.92",
      "81.0 %",
      "44.0 ms",
      "2.31 s",
      "122 MB",
      "1",
      "1, hangs now",
    ]);

    // A gap and why, the latest first; what was opened stays open while figures change.
    const causes = () =>
      page.evaluate<string[]>(
        "[...document.querySelectorAll('.underruns .cause')].map((e) => e.textContent)",
      );
    assertEquals(await causes(), ["stalled", "queue", "read"]);
    await page.evaluate("document.querySelector('.underruns li:last-child summary').click()");
    const fields = () =>
      page.evaluate<Record<string, string>>(`Object.fromEntries(
        [...document.querySelectorAll('.underruns li:last-child dl div')].map((row) =>
          [row.children[0].textContent, row.children[1].textContent]))`);
    assertEquals(await fields(), {
      "Page": "71",
      "Disk": "8:1",
      "What became of it": "came late",
      "Asked for": "900 ms before",
      "Read from": "700 ms before",
      "There": "50.0 ms after",
      "In the queue": "200 ms",
      "Reading": "742 ms",
      "Decoding": "8.10 ms",
      "Late by": "50.0 ms",
    });
    await page.evaluate(`loophole.diagnostics.show(${JSON.stringify(sampleDiagnostics(70, ids))},
      ${JSON.stringify(sampleUnderruns(70, ids))})`);
    assertEquals(
      await page.evaluate("document.querySelector('.underruns li:last-child details').open"),
      true,
    );
    assertMatch(
      await page.evaluate(text(".happenings .warning .text")),
      /2\.3 MB\/s of the 2\.5 MB\/s/,
    );
    assertEquals(
      await page.evaluate(text(".happenings .late .text")),
      "A callback took 6.10 ms, longer than its period of 5.33 ms.",
    );

    for (const theme of ["dark", "light"] as const) {
      await page.evaluate(`loophole.setTheme("${theme}")`);
      assertEquals(await page.evaluate(FAINT), [], theme);
    }
    await scene.screenshot("diagnostics sample light");

    // An engine that tells less.
    const { timeMs, sinceMs, counters, memory, device, analysis } = sampleDiagnostics(71, ids);
    const little = {
      ...{ timeMs, sinceMs, memory, device, analysis, warnings: [], underruns: 0 },
      counters: { missing: 0, faded: 0, callbacks: counters.callbacks },
      tracks: [],
    };
    await page.evaluate(`loophole.diagnostics.show(${JSON.stringify(little)}, [])`);
    const cards = await shownCards();
    for (const title of [...histograms, "Disks", "Tracks", "Gaps"]) {
      assert(!cards.includes(title), `${title} is drawn of nothing`);
    }
    assertEquals(await page.evaluate(text("#diagnostics-verdict")), "No dropout");
    assertEquals(page.complaints, []);
  },
});

Deno.test({
  name:
    "gaps and warnings are counted on the button until they are looked at, in one line of notices each",
  ...needs("chromium"),
  async fn() {
    await using scene = await Scene.open();
    const { page } = scene;
    const label = () =>
      page.evaluate<string>(
        "document.getElementById('diagnostics-button').getAttribute('aria-label')",
      );
    const badge = () =>
      page.evaluate<string | null>(`(() => { const e = document.getElementById("diagnostics-count");
        return e.hidden ? null : e.textContent; })()`);
    await page.evaluate(`loophole.diagnostics.badge.looking(false)`);
    assertEquals([await label(), await badge()], ["Diagnostics", null]);
    await page.evaluate(`(() => {
      const gap = { underrunId: 1, assetId: "a", positionFrame: 0, frames: 0, timeMs: 0, filledBy: "silence" };
      const { client } = loophole;
      for (let i = 0; i < 3; i++) {
        client.emit("stream.underrun", { ...gap, ended: false, cause: "read" });
        client.emit("stream.underrun", { ...gap, ended: true, cause: "read", frames: 9 });
      }
      client.emit("stream.underrun", { ...gap, ended: false, cause: "absent" });
      client.emit("diagnostics.warning", { code: "disk.slow", message: "The disk is slow.", details: {} });
    })()`);
    assertEquals([await label(), await badge()], [
      "Diagnostics, 3 gaps and 1 warning since you last looked",
      "4",
    ]);
    const notices = () =>
      page.evaluate<[string, number][]>(
        "loophole.notices.all.filter(({ kind }) => /underrun|disk/.test(kind)).map(({ kind, count }) => [kind, count])",
      );
    assertEquals(await notices(), [["disk.slow", 1], ["stream.underrun", 3]]);
    await page.press("d");
    assertEquals([await label(), await badge()], ["Diagnostics", null]);
    // Seen as it happens.
    await page.evaluate(
      `loophole.client.emit("diagnostics.warning", { code: "x", message: "y", details: {} })`,
    );
    assertEquals(await badge(), null);
    await page.press("d");
    await page.evaluate(`for (let i = 0; i < 120; i++) {
      loophole.client.emit("diagnostics.warning", { code: "x", message: "y", details: {} }); }`);
    assertEquals([await label(), await badge()], [
      "Diagnostics, 120 warnings since you last looked",
      "99+",
    ]);
    assertEquals(page.complaints, []);
  },
});
