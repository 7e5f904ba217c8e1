import { assert, assertEquals } from "@std/assert";
import {
  anticipate,
  type Anticipated,
  anticipating,
  type AnticipationInput,
  type PageShape,
} from "../engine/pulse/anticipation.ts";
import { clipsWithin, isAnyWithin } from "../engine/pulse/block_range.ts";
import { leadSeconds } from "../engine/pulse/lead_time.ts";
import { modelFromTimeline } from "../engine/pulse/model_from_timeline.ts";
import type { TimelineModel } from "../engine/pulse/timeline_model.ts";
import type { WantedStretch } from "../engine/signal/signal_api.ts";
import { prng } from "./support/prng.ts";
import { edited, model, type ShortClip, timeline } from "./support/timelines.ts";

const RATE = 48_000;
const PAGE = 8_192;
const s = (seconds: number) => Math.round(seconds * RATE);
/** Mono, 16-bit, an hour long. */
const SHAPE: PageShape = { channels: 1, pageFrames: PAGE, sourceFrames: s(3_600) };

function input(
  of: TimelineModel,
  at: number,
  rest: Partial<Omit<AnticipationInput, "head">> & { head?: Partial<AnticipationInput["head"]> } =
    {},
): AnticipationInput {
  return {
    model: of,
    intents: [],
    leadSeconds: 1,
    budgetUnits: Infinity,
    shapeOf: () => SHAPE,
    ...rest,
    head: {
      positionFrame: at,
      originFrame: at,
      loop: { enabled: false, startFrame: 0, endFrame: 0 },
      ...rest.head,
    },
  };
}

const pagesOf = ({ startFrame, endFrame }: WantedStretch) =>
  Array.from(
    { length: Math.ceil(endFrame / PAGE) - startFrame / PAGE },
    (_, i) => startFrame / PAGE + i,
  );
/** The rank of each page of the plan, by asset. */
function ranks(plan: readonly WantedStretch[]): Map<string, number> {
  const all = new Map<string, number>();
  for (const stretch of plan) {
    for (const page of pagesOf(stretch)) {
      const key = `${stretch.assetId} ${page}`;
      assert(!all.has(key), `page ${key} twice`);
      all.set(key, stretch.rankMs);
    }
  }
  return all;
}
const rankAt = (plan: readonly WantedStretch[], frame: number, assetId = "a") =>
  ranks(plan).get(`${assetId} ${Math.floor(frame / PAGE)}`);

Deno.test("anticipate() loads around the head, near before far and ahead before behind, until all is told", () => {
  const plan = anticipate(input(model({ t: [["c", 0, s(300)]] }), s(100)));
  const order = plan.map(({ startFrame, endFrame, rankMs }) => [
    Math.round(startFrame / RATE),
    Math.round(endFrame / RATE),
    rankMs,
  ]);
  assertEquals(order.slice(0, 8), [
    [100, 102, 0],
    [98, 100, 1],
    [102, 105, 2_000],
    [95, 98, 2_001],
    [105, 110, 5_000],
    [90, 95, 5_001],
    [110, 120, 10_000],
    [80, 90, 10_001],
  ]);
  assertEquals(order.slice(8, 14).map(([from]) => from), [120, 60, 140, 40, 160, 20]);
  assertEquals(ranks(plan).size, Math.ceil(s(300) / PAGE));
});

Deno.test("anticipate() keeps within the budget, to the page, and what it leaves out is the farthest", () => {
  const whole = input(model({ t: [["c", 0, s(600)]] }), s(300));
  const all = ranks(anticipate(whole));
  for (const budgetUnits of [0, 1, 7, 100, 1_001]) {
    const plan = ranks(anticipate({ ...whole, budgetUnits }));
    assertEquals(plan.size, budgetUnits);
    const last = Math.max(...plan.values());
    for (const [page, rank] of all) {
      if (rank < last) assertEquals(plan.get(page), rank, page);
    }
    if (budgetUnits < 100) continue;
    const numbers = [...plan.keys()].map((key) => Number(key.split(" ")[1])).sort((a, b) => a - b);
    assertEquals(numbers.at(-1)! - numbers[0] + 1, budgetUnits, "no hole around the head");
  }
});

Deno.test("anticipate() goes through clips at their rates, backwards from their ends, and leaves out those that mute", () => {
  const clips: ShortClip[] = [
    ["c", 0, s(60), { rate: 4, sourceFrame: 0 }],
    ["d", s(60), s(120), { rate: 2, sourceFrame: 0, reverse: true, assetId: "b" }],
    ["e", s(120), s(180), { rate: 2, speedMode: "mute", assetId: "m" }],
  ];
  const plan = anticipate(input(model({ t: clips }), 0));
  assertEquals(rankAt(plan, s(4)), 0);
  assertEquals(rankAt(plan, s(30)), 5_000);
  assertEquals(rankAt(plan, s(239)), rankAt(plan, s(200)));
  // The end of what it plays comes first: it is needed after 60 s, its begin after 120.
  assert(rankAt(plan, s(119), "b")! < rankAt(plan, s(1), "b")!);
  const first = plan.find(({ assetId }) => assetId === "b")!;
  assert(first.endFrame >= s(120), `${first.startFrame} … ${first.endFrame}`);
  assert(plan.every(({ assetId }) => assetId !== "m"));
  // What the filter takes beyond its places belongs to it.
  const cut = anticipate(
    input(model({ t: [["c", 0, 10, { rate: 1.5, sourceFrame: PAGE + 5 }]] }), 0),
  );
  assertEquals([...ranks(cut).keys()].sort(), ["a 0", "a 1"]);
});

Deno.test("anticipate() has the first seconds of every place that one step leads to, ranked by their distance from it", () => {
  const far = (n: number) => s(200 + 100 * n);
  const before = model({
    t: [["c", 0, s(900)], ["d", s(900), s(960)], ["e", s(1_000), s(1_200)]],
  }, {
    markers: [{ markerId: "m", frame: far(0), name: "A" }, {
      markerId: "n",
      frame: far(1),
      name: "B",
    }],
    ioPoints: { inFrame: far(2), outFrame: far(3) },
  });
  const plan = anticipate(input(before, s(10), {
    leadSeconds: 4,
    budgetUnits: 600,
    head: {
      originFrame: far(4),
      loop: { enabled: false, startFrame: far(5), endFrame: far(5) + s(3) },
    },
    intents: [{ cursorFrame: far(6) }, { selectedClipIds: ["d", "none"] }],
  }));
  for (const [place, from] of [["in", far(2)], ["out", far(3)], ["stop", far(4)]] as const) {
    assertEquals(
      [0, 1.5, 2.5, 3.9].map((at) => rankAt(plan, from + s(at))),
      [0, 0, 2_000, 2_000],
      place,
    );
  }
  assertEquals([0, 2.5].map((at) => rankAt(plan, far(5) + s(at))), [0, 2_000], "the loop's begin");
  assertEquals(rankAt(plan, far(5) + s(3.5)), undefined, "no more than the loop is long");
  assertEquals([0, 2.5].map((at) => rankAt(plan, far(6) + s(at))), [0, 2_000], "the cursor");
  assertEquals(rankAt(plan, s(900) + PAGE), 0, "the selected clip");
  assertEquals(rankAt(plan, s(959.9)), undefined, "not all of it");
  assertEquals(rankAt(plan, s(1_000) + PAGE), undefined, "silence follows it");
  assertEquals([0, 2.5].map((at) => rankAt(plan, far(0) + s(at))), [0, 2_000], "the marker");
  assertEquals([0, 2.5].map((at) => rankAt(plan, far(1) + s(at))), [250, 2_250], "the next one");
});

Deno.test("anticipate() has what stands right of the cut that deleting a selected clip makes", () => {
  const of = model({
    t: [["c", 0, s(300)], ["d", s(300), s(400)], ["e", s(400), s(500)]],
    u: [["f", 0, s(500), { assetId: "b" }]],
  });
  const plan = anticipate(input(of, s(10), {
    budgetUnits: 400,
    intents: [{ selectedClipIds: ["d"] }],
  }));
  const after = edited(of, { op: "segment.delete", clipId: "d" });
  // What the timeline without it plays in the second from the cut on.
  for (const { trackId, blocks } of after.tracks) {
    clipsWithin(blocks, s(300), s(301), (start, { assetId, sourceFrame }) => {
      for (let at = Math.max(start, s(300)); at < s(301); at += 1_000) {
        const rank = rankAt(plan, sourceFrame + at - start, assetId);
        assertEquals(rank, 0, `${trackId} ${at}`);
      }
    });
  }
});

Deno.test("anticipate() has what an undo or a redo makes heard at the head, and what they bring back", () => {
  const before = model({ t: [["c", 0, s(600)]], u: [["d", 0, s(600), { assetId: "b" }]] });
  const cut = { op: "range.delete", startFrame: s(100), endFrame: s(400), ripple: true } as const;
  const after = edited(before, cut);
  // The head stands on the cut: an undo takes it behind what comes back.
  const undone = anticipate(input(after, s(100), {
    budgetUnits: 300,
    undo: { model: before, map: [{ at: s(100), remove: 0, insert: s(300) }] },
  }));
  for (const asset of ["a", "b"]) {
    assertEquals(rankAt(undone, s(400) + PAGE, asset), 0, "where the head lands");
    assertEquals(rankAt(undone, s(399.5), asset), 0, "just behind it");
    assertEquals(rankAt(undone, s(100.5), asset), 0, "where it comes back");
    assertEquals(rankAt(undone, s(250), asset), undefined, "not all of it");
  }
  const moved = edited(before, { op: "clip.slip", clipId: "c", sourceFrame: s(1_000) });
  const redone = anticipate(input(before, s(50), {
    budgetUnits: 300,
    redo: { model: moved, map: [] },
  }));
  assertEquals(rankAt(redone, s(1_050.5)), 0);
  assertEquals(rankAt(redone, s(1_049.5)), 0);
});

Deno.test("anticipate() lets muted tracks wait, leaves out what cannot be read, and ends with the file", () => {
  const muted = edited(
    model({
      t: [["c", 0, s(20)]],
      u: [["d", 0, s(20), { assetId: "b" }]],
      v: [["e", 0, s(20), { assetId: "gone" }]],
    }),
    { op: "track.set", trackId: "u", set: { mute: true } },
  );
  const shapes: Record<string, PageShape> = {
    a: { channels: 2, pageFrames: PAGE, sourceFrames: s(7) },
    b: SHAPE,
  };
  const plan = anticipate(input(muted, 0, { shapeOf: (assetId) => shapes[assetId] }));
  assertEquals([rankAt(plan, 0), rankAt(plan, 0, "b")], [0, 5_000]);
  assertEquals(new Set(plan.map(({ assetId }) => assetId)), new Set(["a", "b"]));
  const ends = plan.filter(({ assetId }) => assetId === "a").map(({ endFrame }) => endFrame);
  assertEquals(Math.max(...ends), s(7));
  const few = anticipate(
    input(muted, 0, { shapeOf: (assetId) => shapes[assetId], budgetUnits: 5 }),
  );
  assertEquals(ranks(few).size, 2, "two pages of two channels, and a unit left over");
});

Deno.test("anticipate() has what is seen after the nearest, and nothing of a view of everything", () => {
  const of = model({ t: [["c", 0, s(3_000)]] });
  const visible = (from: number, to: number) =>
    anticipate(input(of, 0, {
      budgetUnits: 500,
      intents: [{ visible: { startFrame: s(from), endFrame: s(to) } }],
    }));
  const plan = visible(2_000, 2_030);
  assertEquals([2_000.5, 2_019, 2_025].map((at) => rankAt(plan, s(at))), [20_000, 20_000, 25_000]);
  assertEquals(rankAt(plan, s(15)), 10_000);
  assertEquals(visible(0, 3_000), anticipate(input(of, 0, { budgetUnits: 500 })));
});

Deno.test("anticipate() of random timelines: in order, each page once, all that clips play and nothing else, and a smaller budget leaves out the last", () => {
  const random = prng(11);
  for (let round = 0; round < 60; round++) {
    const tracks: Record<string, ShortClip[]> = {};
    for (let t = 0; t < 1 + random.int(4); t++) {
      const clips: ShortClip[] = [];
      let at = random.int(s(30));
      for (let i = 0; i < random.int(30); i++) {
        const length = 1 + random.int(s(random.pick([0.1, 2, 60])));
        clips.push([`${t}.${i}`, at, at + length, {
          assetId: random.pick(["a", "b"]),
          sourceFrame: random.int(s(600)),
        }]);
        at += random.chance(0.5) ? length : random.int(s(20));
      }
      tracks[`t${t}`] = clips;
    }
    const of = model(tracks, {
      markers: Array.from({ length: random.int(5) }, (_, i) => ({
        markerId: `m${i}`,
        frame: random.int(s(300)),
        name: "",
      })),
    });
    const given = input(of, random.int(s(200)), {
      leadSeconds: 0.5 + random.next() * 10,
      intents: [{ cursorFrame: random.int(s(200)) }],
      head: { originFrame: random.int(s(200)) },
    });
    const plan = anticipate(given);
    const rising = plan.map(({ rankMs }) => rankMs);
    assertEquals(rising, rising.toSorted((a, b) => a - b));
    const played = new Set<string>();
    for (const { blocks } of of.tracks) {
      clipsWithin(blocks, 0, Infinity, (_, { assetId, sourceFrame, lengthFrames }) => {
        for (
          let page = Math.floor(sourceFrame / PAGE);
          page * PAGE < sourceFrame + lengthFrames;
          page++
        ) played.add(`${assetId} ${page}`);
      });
    }
    const all = ranks(plan);
    assertEquals([...all.keys()].sort(), [...played].sort());
    const budgetUnits = random.int(all.size + 1);
    const less = ranks(anticipate({ ...given, budgetUnits }));
    assertEquals(less.size, budgetUnits);
    const last = Math.max(0, ...less.values());
    for (const [page, rank] of all) if (rank < last) assertEquals(less.get(page), rank);
  }
});

Deno.test("planning at 100,000 clips looks into the blocks near the place alone, and gives way again and again", () => {
  const CLIPS = 100_000;
  const clips: ShortClip[] = Array.from(
    { length: CLIPS },
    (_, i) => [`${i}`, i * RATE, (i + 1) * RATE, { sourceFrame: (i * 7 % 3_000) * RATE }],
  );
  const of = modelFromTimeline(timeline({ t: clips }));
  const opened = new Set<unknown>();
  const watched: TimelineModel = {
    ...of,
    tracks: of.tracks.map((track) => ({
      ...track,
      blocks: track.blocks.map(({ start, block }) => ({
        start,
        block: {
          ...block,
          get clips() {
            opened.add(block);
            return block.clips;
          },
        },
      })),
    })),
  };
  const steps = anticipating(input(watched, s(50_000), { budgetUnits: 12_000 }));
  let turns = 0;
  let last = steps.next();
  for (; !last.done; last = steps.next()) turns++;
  assertEquals(ranks((last.value as Anticipated).stretches).size, 12_000);
  assert(turns > 30, `${turns} turns`);
  assert(opened.size < 25, `${opened.size} of ${of.tracks[0].blocks.length} blocks`);
});

Deno.test("planning has few steps and valid ranks however far apart head and clips are", () => {
  const last = Number.MAX_SAFE_INTEGER;
  const of = model({
    t: [["c", 0, PAGE], ["d", 2 ** 40, 2 ** 40 + PAGE], ["e", last - PAGE, last]].map((
      [clipId, start, end],
    ) => [clipId, start, end, { sourceFrame: 0 }] as ShortClip),
    u: [["f", 2 ** 40, 2 ** 40 + PAGE, { assetId: "b", sourceFrame: 0 }]],
  });
  for (const at of [0, 2 ** 40, 2 ** 52, last]) {
    const steps = anticipating(input(of, at));
    let turns = 0;
    let result = steps.next();
    for (; !result.done; result = steps.next()) turns++;
    const { stretches, isWhole } = result.value as Anticipated;
    assert(turns < 100, `${turns} turns from ${at}`);
    assertEquals([isWhole, [...ranks(stretches).keys()].sort()], [true, ["a 0", "b 0"]]);
    const rising = stretches.map(({ rankMs }) => rankMs);
    assert(
      rising.every((rank) => rank >= 0 && rank <= 1e12 && Number.isInteger(rank)),
      `${rising}`,
    );
    assertEquals(rising, rising.toSorted((a, b) => a - b));
  }
});

Deno.test("planning costs no look at each of many tracks for each page where few sound at a time", () => {
  const TRACKS = 1_000;
  const SECONDS = 10;
  const of = modelFromTimeline(timeline(Object.fromEntries(
    Array.from({ length: TRACKS }, (_, i): [string, ShortClip[]] => [
      `${i}`,
      [[`${i}`, s(i * SECONDS), s((i + 1) * SECONDS), { assetId: `${i}` }]],
    ]),
  )));
  const steps = anticipating(input(of, 0, { budgetUnits: 5_000 }));
  let turns = 0;
  let last = steps.next();
  for (; !last.done; last = steps.next()) turns++;
  const all = ranks((last.value as Anticipated).stretches);
  assertEquals(all.size, 5_000);
  // The first tracks as a whole, as far as that reaches.
  const pages = (i: number) =>
    Math.ceil(s((i + 1) * SECONDS) / PAGE) - Math.floor(s(i * SECONDS) / PAGE);
  let left = 5_000;
  for (let i = 0; left > pages(i); left -= pages(i++)) {
    const of = [...all.keys()].filter((key) => key.startsWith(`${i} `)).length;
    assertEquals(of, pages(i), `track ${i}`);
  }
  assert(turns < 100, `${turns} turns`);
});

Deno.test("clipsWithin() and isAnyWithin() find what a walk over all clips finds", () => {
  const random = prng(5);
  for (let round = 0; round < 200; round++) {
    const clips: ShortClip[] = Array.from({ length: random.int(700) }, (_, i) => {
      const start = random.int(50_000);
      return [`${i}`, start, start + 1 + random.int(random.chance(0.05) ? 20_000 : 300)];
    });
    const { tracks: [{ blocks }] } = modelFromTimeline(timeline({ t: clips }));
    const from = random.int(60_000);
    const to = from + random.int(2_000);
    const found: string[] = [];
    clipsWithin(blocks, from, to, (_, { clipId }) => found.push(clipId));
    const expected = blocks.flatMap(({ start, block }) =>
      block.clips.filter(({ at, body }) => start + at < to && start + at + body.lengthFrames > from)
        .map(({ body }) => body.clipId)
    );
    assertEquals(found, expected);
    assertEquals(isAnyWithin(blocks, from, to), expected.length > 0);
  }
});

Deno.test("leadSeconds() grows with the need and shrinks with what reading gives, from half a second to thirty", () => {
  const measured = { bytes: 100e6, reads: 200, readSeconds: 1, convertSeconds: 0 };
  const lead = (bytesPerSecond: number, more = {}) =>
    leadSeconds({ ...measured, ...more }, { bytesPerSecond });
  assertEquals(
    leadSeconds({ bytes: 0, reads: 0, readSeconds: 0, convertSeconds: 0 }, { bytesPerSecond: 1e9 }),
    0.5,
  );
  // A hundredth of the disk: 0.5 s, four reads of 5 ms, and 10 s · 1 / 99.
  assert(Math.abs(lead(1e6) - (0.5 + 0.02 + 10 / 99)) < 1e-9, `${lead(1e6)}`);
  assert(Math.abs(lead(50e6) - 10.52) < 1e-9);
  assertEquals(lead(99e6), 30);
  assertEquals(lead(200e6), 30);
  const random = prng(3);
  for (let i = 0; i < 1_000; i++) {
    const need = random.next() * 200e6;
    const slower = { readSeconds: 1 + random.next() };
    assert(lead(need) >= 0.5 && lead(need) <= 30);
    assert(lead(need) <= lead(need * (1 + random.next())));
    assert(lead(need) <= lead(need, slower));
  }
});
