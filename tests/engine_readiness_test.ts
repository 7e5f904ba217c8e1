/** Where playback would begin at once: columns against single frames, pending before and instant after, offline where a file is away. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { EngineError, InvalidParams } from "../engine/errors.ts";
import { readiness, type ReadinessOptions } from "../engine/pulse/services/readiness.ts";
import type { Asset, OfflineStatus } from "../engine/pulse/types.ts";
import type { MixModel } from "../engine/signal/model.ts";
import type { Signal } from "../engine/signal/signal.ts";
import { randomPlanes, seededRandom } from "./support/audio_files.ts";
import { EnginePlace, lay, ME } from "./support/engine_place.ts";
import { serveEngine } from "./support/served_engine.ts";
import { clip, mixOf, openRig, type TestClip, track } from "./support/signal_rig.ts";
import { until } from "./support/wait.ts";

const PAGE = 8_192;
const UNIT = 16_384;

interface State {
  offlineStatus: OfflineStatus;
  bound: boolean;
  error: { code: string; message: string } | null;
}
const HERE: State = { offlineStatus: "present", bound: true, error: null };
const BROKEN = { code: "asset.unreadable", message: "It cannot be read" };

/** A single-stepped store of 64 units with assets of so many frames, and questions about mixes over it. */
async function openStore(frames: Readonly<Record<string, number>>) {
  const rig = await openRig({ singleStep: true, manualClock: true, memoryBytes: 64 * UNIT });
  const sources = new Map<string, number>();
  const states = new Map<string, State>();
  for (const [id, length] of Object.entries(frames)) {
    await rig.add(id, { planes: randomPlanes(sources.size, 1, length, "s16"), encoding: "s16" });
    sources.set(id, sources.size + 1);
    states.set(id, HERE);
  }
  const options = (model: MixModel): ReadinessOptions => ({
    signal: () => rig.signal,
    timeline: () => ({ model, revision: 7 }),
    endFrame: () =>
      Math.max(
        0,
        ...model.tracks.flatMap(({ blocks }) =>
          blocks.map(({ start, block }) => start + block.maxEnd)
        ),
      ),
    asset: (assetId) => {
      const state = states.get(assetId);
      if (state === undefined) return undefined;
      const { offlineStatus, bound, error } = state;
      return { asset: { assetId, offlineStatus } as Asset, bound, error: error as never };
    },
  });
  return {
    rig,
    sources,
    states,
    options,
    ask: (model: MixModel, query = {}) => readiness(query, options(model)),
    /** Reads pages of an asset. */
    read(assetId: string, fromPage: number, toPage: number) {
      const { symbols, engine } = rig.signal.native;
      symbols.lp_source_prefetch(
        engine,
        sources.get(assetId)!,
        fromPage * PAGE,
        toPage * PAGE,
      );
      while (symbols.lp_step_fill(engine) > 0);
    },
    [Symbol.asyncDispose]: () => rig[Symbol.asyncDispose](),
  };
}

const columnsOf = ({ tracks }: { tracks: { columns: string }[] }) =>
  tracks.map(({ columns }) => columns);

Deno.test("columns are pending until their frames are read, then instant; so are muted tracks, silence and what lies beyond a file", async () => {
  await using store = await openStore({ a: 4 * PAGE, b: 4 * PAGE });
  const mix = mixOf([
    track("first", [clip("c", "a", 2 * PAGE, 6 * PAGE)]),
    track("muted", [clip("d", "b", 0, 2 * PAGE, { sourceFrame: PAGE })], { mute: true }),
    track("empty", []),
  ]);
  const before = await store.ask(mix, { width: 8 });
  assertEquals([before.start, before.end, before.width, before.revision], [0, 8 * PAGE, 8, 7]);
  assertEquals(before.tracks, [
    { trackId: "first", columns: "iippppii" },
    { trackId: "muted", columns: "ppiiiiii" },
    { trackId: "empty", columns: "iiiiiiii" },
  ]);
  store.read("a", 1, 3);
  store.read("b", 2, 3);
  assertEquals(columnsOf(await store.ask(mix, { width: 8 })), ["iipiipii", "piiiiiii", "iiiiiiii"]);
  // One column of the three pages: one of them is not there.
  assertEquals(columnsOf(await store.ask(mix, { start: 3 * PAGE, end: 6 * PAGE, width: 1 })), [
    "p",
    "i",
    "i",
  ]);
  assertEquals(columnsOf(await store.ask(mix, { start: 3 * PAGE, end: 5 * PAGE, width: 1 })), [
    "i",
    "i",
    "i",
  ]);
  store.read("a", 0, 4);
  store.read("b", 0, 4);
  assertEquals(columnsOf(await store.ask(mix, { width: 8 })), ["iiiiiiii", "iiiiiiii", "iiiiiiii"]);
  // What goes is pending again.
  store.rig.signal.native.symbols.lp_store_drop(store.rig.signal.native.engine);
  assertEquals(columnsOf(await store.ask(mix, { width: 8 })), ["iippppii", "ppiiiiii", "iiiiiiii"]);
});

Deno.test("a file that is away is offline where it is not resident; one not opened yet is pending", async () => {
  await using store = await openStore({ a: 4 * PAGE });
  const mix = mixOf([
    track("t", [
      clip("c", "a", 0, 4 * PAGE),
      clip("d", "unknown", 4 * PAGE, PAGE),
      clip("e", "coming", 5 * PAGE, PAGE),
      clip("f", "refused", 6 * PAGE, PAGE),
    ]),
  ]);
  store.states.set("coming", { ...HERE, bound: false });
  store.states.set("refused", { ...HERE, bound: false, error: BROKEN });
  store.read("a", 1, 2);
  const columns = async (width: number) => columnsOf(await store.ask(mix, { width }))[0];
  assertEquals(await columns(7), "pippopo");
  for (const offlineStatus of ["missing", "cloud", "pending"] as const) {
    store.states.set("a", { ...HERE, offlineStatus });
    assertEquals(await columns(7), "oiooopo", offlineStatus);
  }
  // An old source that a new state of the file could not replace plays on.
  store.states.set("a", { ...HERE, error: BROKEN });
  assertEquals(await columns(7), "pippopo");
  // Of a column with several the worst counts.
  store.states.set("a", HERE);
  assertEquals(await columns(1), "o");
});

Deno.test("a file that reads find gone is offline at once, whatever is known of its path; opened again, all is pending, then instant", async () => {
  await using store = await openStore({ a: 8 * PAGE });
  const { rig } = store;
  const mix = mixOf([track("t", [clip("c", "a", 0, 8 * PAGE)])]);
  store.read("a", 2, 3);
  await Deno.rename(`${rig.folder}/a.wav`, `${rig.folder}/away.wav`);
  store.read("a", 5, 6);
  assertEquals(columnsOf(await store.ask(mix, { width: 8 })), ["ooiooooo"]);
  await Deno.rename(`${rig.folder}/away.wav`, `${rig.folder}/a.wav`);
  // It was moved, so it is another state of the file: opened anew, as the watch does.
  await rig.signal.openSource("a", `${rig.folder}/a.wav`);
  assertEquals(columnsOf(await store.ask(mix, { width: 8 })), ["pppppppp"]);
  store.sources.set("a", 2);
  store.read("a", 0, 8);
  assertEquals(columnsOf(await store.ask(mix, { width: 8 })), ["iiiiiiii"]);
});

/** Whether all is there that a clip takes of its source for its frame `k`. */
function isResident(signal: Signal, clip: TestClip, k: number): boolean {
  const { assetId, lengthFrames, sourceFrame, rate, reverse, speedMode } = clip;
  if (rate !== 1 && speedMode === "mute") return true;
  const own = Math.floor(sourceFrame + (reverse ? lengthFrames - 1 - k : k) * rate);
  const isPlain = rate === 1 && Number.isInteger(sourceFrame);
  // The filter has 160 taps, at higher rates as many times more: in steps of 32 an octave, and of 16 taps.
  const width = rate <= 1 ? 1 : 2 ** (Math.ceil(Math.log2(rate) * 32 - 1e-9) / 32);
  const after = isPlain ? 0 : 8 * Math.ceil(Math.ceil(80 * width) / 8);
  const from = Math.max(0, isPlain ? own : own - after + 1);
  const count = own + after + 1 - from;
  return count <= 0 || signal.residentFrames(assetId, from, count) === count;
}

Deno.test("columns of any range and width say what the frames under them say", async () => {
  await using store = await openStore({ a: 7 * PAGE + 100, b: 3 * PAGE });
  const random = seededRandom(5);
  const integer = (most: number) => Math.floor(random() * most);
  store.states.set("b", { ...HERE, offlineStatus: "missing" });
  store.read("a", 1, 2);
  store.read("a", 4, 6);
  store.read("b", 1, 2);
  const { signal } = store.rig;
  for (let turn = 0; turn < 60; turn++) {
    // Short clips, over each other or not, in blocks of four.
    const clips = Array.from(
      { length: 12 },
      (_, i) =>
        clip(`c${i}`, random() < 0.5 ? "a" : "b", integer(40_000), 1 + integer(9_000), {
          sourceFrame: integer(9 * PAGE) - PAGE + (random() < 0.3 ? 0.5 : 0),
          ...(random() < 0.3 && { rate: [1.5, 0.5, 2, 16][integer(4)] }),
          ...(random() < 0.3 && { reverse: true }),
          ...(random() < 0.1 && { speedMode: "mute" }),
        }),
    );
    const mix = mixOf([track("t", clips)], 4);
    const width = 1 + integer(300);
    const start = random() < 0.5 ? integer(30_000) : random() * 30_000;
    const end = start + (random() < 0.3 ? width * random() : 1 + integer(20_000));
    const answer = await store.ask(mix, { start, end, width });
    const expected = Array.from({ length: width }, (_, c) => {
      const edge = (i: number) => Math.floor(start + i * (end - start) / width);
      let worst = 0;
      for (let frame = edge(c); frame < Math.max(edge(c) + 1, edge(c + 1)); frame++) {
        for (const clip of clips) {
          const { assetId, startFrame, lengthFrames } = clip;
          if (frame < startFrame || frame >= startFrame + lengthFrames) continue;
          if (isResident(signal, clip, frame - startFrame)) continue;
          worst = Math.max(worst, assetId === "a" ? 1 : 2);
        }
      }
      return "ipo"[worst];
    });
    assertEquals(
      answer.tracks[0].columns,
      expected.join(""),
      `turn ${turn}: ${start} … ${end} in ${width}`,
    );
  }
});

Deno.test("a wrong range or width is refused by name and value", async () => {
  await using store = await openStore({});
  const mix = mixOf([]);
  const cases: [object, string, RegExp][] = [
    [{ start: NaN }, "start", /NaN/],
    [{ start: 2 ** 53 + 2 }, "start", /9007199254740994/],
    [{ end: Infinity }, "end", /Infinity/],
    [{ start: 5, end: 5 }, "end", /5 <= 5/],
    [{ start: 5, end: 1 }, "end", /1 <= 5/],
    [{ width: 0 }, "width", /0/],
    [{ width: 8_193 }, "width", /8193/],
    [{ width: 1.5 }, "width", /1\.5/],
  ];
  for (const [query, name, value] of cases) {
    const error = await assertRejects(() => store.ask(mix, query), InvalidParams);
    assertEquals(error.path, [name]);
    assert(value.test(error.message), error.message);
  }
  // Nothing on it: a frame to show all the same.
  const empty = await store.ask(mix);
  assertEquals([empty.start, empty.end, empty.width, empty.tracks], [0, 1, 1_024, []]);
});

Deno.test("an answer under way when the project is left is refused, and touches nothing that is gone", async () => {
  await using store = await openStore({ a: PAGE });
  const mix = mixOf([
    track("t", Array.from({ length: 64 }, (_, i) => clip(`c${i}`, "a", i * 10, 10))),
  ]);
  const options = store.options(mix);
  let asked = 0;
  const error = await assertRejects(
    () =>
      readiness({}, {
        ...options,
        signal: () => asked++ < 3 ? options.signal() : null,
      }),
    EngineError,
  );
  assertEquals([error.code, error.details.reason], ["timeline.conflict", "switching"]);
});

Deno.test("GET /aura/readiness: pending while the disk does not answer, instant when it has, offline when the file is away", async () => {
  await using served = await serveEngine();
  const { engine, url } = served;
  const ask = async (query = "") => {
    const answer = await fetch(`${url}/aura/readiness${query}`);
    return { answer, body: await answer.json() };
  };
  const { symbols, engine: native } = (engine.signal as Signal).native;
  // From here on no page is read; those that were go.
  symbols.lp_gate_set(native, 1);
  await until(() => {
    symbols.lp_store_drop(native);
    return engine.signal.counters().pagesResident === 0;
  }, "nothing is resident");
  const { answer, body } = await ask("?width=4");
  assertEquals(answer.status, 200);
  assertEquals(answer.headers.get("cache-control"), "no-store");
  assertEquals(body, {
    start: 0,
    end: 96_000,
    width: 4,
    revision: engine.timeline.get().revision,
    tracks: [{ trackId: "t", columns: "pppp" }],
  });
  symbols.lp_gate_set(native, 0);
  await until(
    async () => (await ask("?width=4")).body.tracks[0].columns === "iiii",
    "all is read",
  );
  const names = [
    ["?width=0", "width"],
    ["?width=8193", "width"],
    ["?width=x", "width"],
    ["?start=NaN", "start"],
    ["?start=1&start=2", "start"],
    ["?start=9&end=3", "end"],
    ["?colour=red", "colour"],
  ];
  for (const [query, name] of names) {
    const { answer, body } = await ask(query);
    assertEquals([answer.status, body.error.code], [400, "request.invalid"], query);
    assert(JSON.stringify(body.error).includes(name), `${query}: ${body.error.message}`);
  }
  await Deno.remove(engine.assets.list({}).assets[0].path);
  // It plays on from what is resident, until that goes.
  await until(
    () => engine.assets.list({ status: "missing" }).total === 1,
    "the file is missed",
  );
  assertEquals((await ask("?width=4")).body.tracks[0].columns, "iiii");
  symbols.lp_gate_set(native, 1);
  await until(() => {
    symbols.lp_store_drop(native);
    return engine.signal.counters().pagesResident === 0;
  }, "nothing is resident");
  assertEquals((await ask("?width=4")).body.tracks[0].columns, "oopp");
  symbols.lp_gate_set(native, 0);
});

Deno.test("asked while another project is being opened, the answer is of one of the two as a whole", async () => {
  await using place = await EnginePlace.make();
  await using opened = await place.open();
  const { engine } = opened;
  const tone = { planes: randomPlanes(1, 1, 48_000, "s16"), encoding: "s16" } as const;
  const asset = await engine.assets.register(
    await place.wav("a.wav", { ...tone, sampleRate: 48_000 }),
    undefined,
    ME,
  );
  engine.timeline.edit(lay(asset), {}, ME);
  const { projectId } = engine.projects.current();
  const other = await engine.projects.create({ name: "Other" });
  for (let turn = 0; turn < 6; turn++) {
    const next = turn % 2 === 0 ? projectId : other.projectId;
    const switched = engine.projects.open({ projectId: next });
    let over = false;
    switched.finally(() => over = true);
    while (!over) {
      const { tracks, end } = await engine.readiness({ width: 1 });
      if (tracks.length === 0) assertEquals(end, 1);
      else assertEquals([tracks.length, end, tracks[0].trackId], [1, 48_000, "t"]);
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    await switched;
  }
});
