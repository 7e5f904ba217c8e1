import { assert, assertEquals } from "@std/assert";
import { modelFromTimeline } from "../engine/pulse/model_from_timeline.ts";
import { assetsNear, byNearness, distanceOf } from "../engine/pulse/nearness.ts";
import { type AssetRow, AssetShelf, ROWS_A_TURN } from "../engine/pulse/services/asset_shelf.ts";
import { entryOf } from "../engine/pulse/services/asset_entry.ts";
import { ProjectOpening } from "../engine/pulse/services/project_opening.ts";
import { VolumeLanes } from "../engine/pulse/services/volume_lanes.ts";
import { atOnce } from "../engine/pulse/turns.ts";
import type { Asset } from "../engine/pulse/types.ts";
import { inARow, madeAsset, SOUND_FRAMES } from "./support/big_project.ts";
import { prng } from "./support/prng.ts";

const NO_LOOP = { enabled: false, startFrame: 0, endFrame: 0 };
const named = (count: number) =>
  Array.from({ length: count }, (_, i) => madeAsset(`a${i}`, `/v${i % 2}/${i}.wav`));

/** Rows of assets in memory; `asked` counts what was read of them. */
function rowsOf(assets: Asset[]) {
  const rows: (AssetRow & { number: number })[] = assets.map((asset, i) => ({
    asset,
    number: 2 * i + 1,
  }));
  const asked = { rows: 0 };
  const counted = <Row>(some: Row[]) => {
    asked.rows += some.length;
    return some;
  };
  return {
    rows,
    asked,
    get: (assetId: string) => counted(rows.filter(({ asset }) => asset.assetId === assetId))[0],
    byPath: (path: string) => counted(rows.filter(({ asset }) => asset.path === path))[0],
    after: (number: number, most: number) =>
      counted(rows.filter((row) => row.number > number).slice(0, most)),
    some: (offset: number, most: number) => counted(rows.slice(offset, offset + most)),
    get size() {
      return rows.length;
    },
  };
}

Deno.test("distances count frames of playing until a clip is heard, over the loop's end too; what lies behind is further", () => {
  const head = { positionFrame: 1_000, loop: NO_LOOP };
  assertEquals(distanceOf(900, 1_001, head), 0);
  assertEquals(distanceOf(1_500, 1_600, head), 500);
  assertEquals(distanceOf(0, 1_000, head), 4);
  const loop = { enabled: true, startFrame: 200, endFrame: 1_200 };
  assertEquals(distanceOf(100, 300, { positionFrame: 1_000, loop }), 200);
  assertEquals(distanceOf(300, 400, { positionFrame: 1_000, loop }), 300);
  assertEquals(distanceOf(1_500, 1_600, { positionFrame: 1_000, loop }), 500);
});

Deno.test("byNearness() gives each asset once, by its nearest clip, in steps of at most 256 clips", () => {
  const random = prng(11);
  const assets = named(500);
  const { tracks: [track] } = inARow(assets, "t");
  const clips = Array.from({ length: 20_000 }, (_, i) => ({
    ...track.clips[random.int(500)],
    clipId: `c${i}`,
    startFrame: random.int(1e8),
  }));
  const model = modelFromTimeline({ sampleRate: 48_000, tracks: [{ trackId: "t", clips }] });
  const head = { positionFrame: 4e7, loop: NO_LOOP };
  const steps = byNearness(model, head);
  let turns = 0;
  let step = steps.next();
  for (; !step.done; step = steps.next()) turns++;
  const nearest = new Map<string, number>();
  for (const { assetId, startFrame, lengthFrames } of clips) {
    const distance = distanceOf(startFrame, startFrame + lengthFrames, head);
    nearest.set(assetId, Math.min(distance, nearest.get(assetId) ?? Infinity));
  }
  assert(turns >= 20_000 / 256, `${turns} turns`);
  assertEquals(step.value.toSorted(), [...nearest.keys()].toSorted());
  const distances = step.value.map((assetId) => nearest.get(assetId)!);
  assertEquals(distances, distances.toSorted((a, b) => a - b));
});

Deno.test("muted tracks come later, and what the head plays soon is found without the rest", () => {
  const [a, b, c] = named(3);
  const { tracks: [muted] } = inARow([a], "muted");
  const { tracks: [heard] } = inARow([b, c], "heard", 48_000);
  const model = modelFromTimeline({
    sampleRate: 48_000,
    tracks: [{ ...muted, mute: true }, heard],
  });
  const head = { positionFrame: 0, loop: NO_LOOP };
  assertEquals(atOnce(byNearness(model, head)), ["a1", "a2", "a0"]);
  assertEquals([...assetsNear(model, head, 48_000, 9)], ["a0"]);
  assertEquals([...assetsNear(model, head, 48_001 + SOUND_FRAMES, 9)], ["a0", "a1", "a2"]);
  assertEquals([...assetsNear(model, head, 1e6, 2)], ["a0", "a1"]);
  const loop = { enabled: true, startFrame: 48_000, endFrame: 200_000 };
  assertEquals([...assetsNear(model, { positionFrame: 199_000, loop }, 1_100, 9)], ["a1"]);
});

Deno.test("a shelf reads an asset when it is asked for, and lists all in order of registration whatever was read before", () => {
  const assets = named(1_000);
  const rows = rowsOf(assets);
  const shelf = new AssetShelf();
  shelf.open(rows);
  assertEquals([shelf.size, shelf.read, shelf.isWhole, rows.asked.rows], [1_000, 0, false, 0]);
  assertEquals(shelf.get("a700")?.asset, assets[700]);
  assertEquals(shelf.at("/v1/33.wav")?.asset, assets[33]);
  assertEquals([shelf.get("none"), shelf.at("/none")], [undefined, undefined]);
  assertEquals(rows.asked.rows, 2);
  assert(shelf.get("a700") === shelf.at("/v0/700.wav"));
  assertEquals(rows.asked.rows, 2);
  // A page of a list costs its own rows.
  const page = [];
  for (const { asset } of shelf.from(690)) if (page.push(asset) === 20) break;
  assertEquals(page, assets.slice(690, 710));
  assert(rows.asked.rows <= 2 + ROWS_A_TURN, `${rows.asked.rows} rows`);
  // One that is registered, one that is removed, one that was seen, while the rest is read.
  const late = madeAsset("late", "/late.wav");
  shelf.add(entryOf({ asset: late }));
  rows.rows.push({ asset: late, number: 5_000 });
  shelf.delete(shelf.get("a500")!);
  rows.rows.splice(500, 1);
  shelf.get("a900")!.seen = true;
  const expected = [...assets.filter(({ assetId }) => assetId !== "a500"), late];
  assertEquals([shelf.count(), shelf.count("pending"), shelf.count("present")], [1_000, 999, 1]);
  assertEquals([...shelf.from(0, "present")].map(({ asset }) => asset.assetId), ["a900"]);
  let turns = 0;
  for (let read = shelf.read; shelf.readOn(); read = shelf.read) {
    assert(shelf.read - read <= ROWS_A_TURN);
    turns++;
  }
  assert(turns >= 1_000 / ROWS_A_TURN - 1, `${turns} turns`);
  assertEquals(shelf.isWhole, true);
  assertEquals([...shelf.values()].map(({ asset }) => asset), expected);
  assertEquals([...shelf.from(998)].map(({ asset }) => asset.assetId), ["a999", "late"]);
  assertEquals([...shelf.from(997, "pending")].map(({ asset }) => asset.assetId), ["a999", "late"]);
  assertEquals([shelf.size, shelf.get("a500"), shelf.at("/v0/500.wav")], [
    1_000,
    undefined,
    undefined,
  ]);
  const asked = rows.asked.rows;
  shelf.get("none");
  assertEquals(rows.asked.rows, asked);
});

/** Work that ends when the test says so. */
function work(key: string, begun: string[]) {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  return {
    key,
    run: () => {
      begun.push(key);
      return promise;
    },
    done: () => {},
    end: resolve,
  };
}

Deno.test("lanes run so many of a volume at once, the urgent first; one that does not answer holds up its own alone", async () => {
  const begun: string[] = [];
  const drained: string[] = [];
  const lanes = new VolumeLanes(2, (volume) => void drained.push(volume));
  const a = Array.from({ length: 6 }, (_, i) => work(`a${i}`, begun));
  const b = [work("b0", begun)];
  for (const one of a) lanes.add("a", one);
  lanes.add("b", b[0]);
  assertEquals(begun, ["a0", "a1", "b0"]);
  assertEquals([lanes.hurry("a4"), lanes.hurry("a0"), lanes.waiting], [true, false, 4]);
  b[0].end(true);
  a[0].end(true);
  await Promise.resolve().then(() => {});
  await new Promise((resolve) => setTimeout(resolve, 0));
  assertEquals([begun.slice(3), drained], [["a4"], ["b"]]);
  // It does not answer: only one at a time is risked.
  a[4].end(false);
  await new Promise((resolve) => setTimeout(resolve, 0));
  assertEquals(begun.slice(4), []);
  a[1].end(true);
  await new Promise((resolve) => setTimeout(resolve, 0));
  assertEquals(begun.slice(4), ["a2", "a3"]);
  lanes.close();
  a[2].end(true);
  await new Promise((resolve) => setTimeout(resolve, 0));
  assertEquals([begun.length, lanes.waiting], [6, 0]);
});

/** An opening over made assets; `begun` is what was done with files, in that order. */
function openingOf(
  assets: Asset[],
  clips: Asset[],
  positionFrame: number,
  turn = () => new Promise<void>((resolve) => setTimeout(resolve, 0)),
) {
  const shelf = new AssetShelf();
  const rows = rowsOf(assets);
  shelf.open(rows);
  const { tracks } = inARow(clips, "t");
  const model = modelFromTimeline({ sampleRate: 48_000, tracks });
  const begun: string[] = [];
  const ends: (() => void)[] = [];
  const state = { isHeld: false, positionFrame, most: 0, worked: 0, rows: 0, turns: 0 };
  const file = (what: string) => {
    begun.push(what);
    state.worked++;
    if (!state.isHeld) return Promise.resolve(true);
    return new Promise<boolean>((resolve) => ends.push(() => resolve(true)));
  };
  const told: unknown[] = [];
  const analysed: string[] = [];
  const opening = new ProjectOpening({
    assets: {
      entry: (assetId) => shelf.get(assetId),
      entries: () => shelf.values(),
      bind: (assetId) => file(assetId),
      readOn: () => shelf.readOn(),
      get isWhole() {
        return shelf.isWhole;
      },
      get size() {
        return shelf.size;
      },
      get read() {
        return shelf.read;
      },
    },
    model: () => model,
    head: () => ({ positionFrame: state.positionFrame, loop: NO_LOOP }),
    volumeOf: (path) => path.slice(0, 3),
    look: (assetId) => file(`look ${assetId}`),
    analyse: (assetId) => void analysed.push(assetId),
    tell: (progress) => void told.push(progress),
    slices: () => ({
      turn: () => {
        state.turns++;
        state.most = Math.max(state.most, state.worked, rows.asked.rows - state.rows);
        state.worked = 0;
        state.rows = rows.asked.rows;
        return turn();
      },
    }),
  });
  return { opening, shelf, rows, begun, ends, state, told, analysed };
}

Deno.test("a project's files are opened by their distance from the head, what no clip plays is looked at last, and all is told", async () => {
  const assets = named(400);
  const clips = assets.slice(0, 300);
  const at = 200 * SOUND_FRAMES;
  const { opening, begun, shelf } = openingOf(assets, clips, at);
  assert(opening.whole() !== null && opening.isAhead("a1"));
  await opening.head();
  // A second of it: ten sounds of a tenth each.
  assertEquals(begun.splice(0), Array.from({ length: 10 }, (_, i) => `a${200 + i}`));
  assertEquals(shelf.read, 10);
  await opening.run();
  // What was just left is near too, but further with each sound than what comes.
  assertEquals(begun.slice(0, 5), ["a199", "a198", "a197", "a210", "a211"]);
  assertEquals(begun.slice(290), Array.from({ length: 100 }, (_, i) => `look a${300 + i}`));
  assertEquals(new Set(begun).size, 390);
  const all = { total: 400, read: 400, checked: 400, complete: true };
  assertEquals([opening.progress, opening.isOver, opening.whole()], [all, true, null]);
  assertEquals(opening.isAhead("a1"), false);
});

Deno.test("10,000 assets are opened in thousands of turns, of which each reads and begins no more than a few", async () => {
  const assets = named(10_000);
  const { opening, state, shelf } = openingOf(
    assets,
    assets.slice(0, 5_000),
    0,
    () => Promise.resolve(),
  );
  await opening.run();
  assertEquals([shelf.isWhole, opening.progress.checked], [true, 10_000]);
  assert(state.most <= ROWS_A_TURN, `${state.most} at once`);
  assert(state.turns >= 10_000, `${state.turns} turns`);
});

Deno.test("what a user looks at, where the head is moved and what an edit plays comes next", async () => {
  const assets = named(400);
  const { opening, begun, ends, state } = openingOf(assets, assets.slice(0, 300), 0);
  state.isHeld = true;
  const running = opening.run();
  const go = async () => {
    for (const end of ends.splice(0)) end();
    for (let i = 0; i < 4; i++) await new Promise((resolve) => setTimeout(resolve, 0));
  };
  const untilListed = async () => {
    while (opening.isAhead("nobody")) await new Promise((resolve) => setTimeout(resolve, 0));
  };
  await untilListed();
  begun.length = 0;
  opening.hurry(["a250", "a251"]);
  await go();
  assertEquals(begun.splice(0).slice(0, 2).toSorted(), ["a250", "a251"]);
  state.positionFrame = 150 * SOUND_FRAMES;
  opening.moved();
  await go();
  const moved = begun.splice(0);
  assert(
    moved.every((key) => Number(key.slice(1)) >= 150 && Number(key.slice(1)) < 160),
    `${moved}`,
  );
  // Nothing played this one; now a clip does. What was opened before, in vain, is tried again.
  opening.want(["a399", "a0"]);
  await go();
  assert(begun.includes("a399") && begun.includes("a0"), `${begun}`);
  begun.length = 0;
  opening[Symbol.dispose]();
  await running;
  await go();
  assertEquals(begun, []);
});
