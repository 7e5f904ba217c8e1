import { assert, assertEquals } from "@std/assert";
import { type AssetCost, type Demand, demanding, demandOf } from "../engine/pulse/demand.ts";
import { modelFromTimeline } from "../engine/pulse/model_from_timeline.ts";
import { Stretches } from "../engine/pulse/stretches.ts";
import { seededRandom } from "./support/audio_files.ts";
import { DENSE_CLIPS, DENSE_TRACKS, denseTimeline } from "./support/dense_timeline.ts";
import { clip, model, type ShortClip } from "./support/timelines.ts";

const RATE = 48_000;
const NO_LOOP = { enabled: false, startFrame: 0, endFrame: 0 };

/** 16-bit stereo at the project's rate, ten minutes long. */
const PLAIN: AssetCost = {
  sampleRate: RATE,
  lengthSamples: 600 * RATE,
  bytesPerFrame: 4,
  compressed: false,
  volume: "disk",
};

function demand(
  tracks: Record<string, ShortClip[]>,
  { at = 0, loop = NO_LOOP, costs = {} as Record<string, AssetCost>, spanSeconds = 60 } = {},
): Demand {
  return demandOf(model(tracks), { positionFrame: at, loop }, {
    costOf: (assetId) => costs[assetId] ?? PLAIN,
    spanSeconds,
  });
}
const seconds = (n: number) => n * RATE;
const bytes = (
  d: Demand,
  volume = "disk",
) => [...d.volumes.find((v) => v.volume === volume)!.bytes];

Deno.test("demandOf() spreads a clip's bytes over the seconds in which it plays", () => {
  const d = demand({ t: [["c", seconds(1.5), seconds(3), { sourceFrame: 0 }]] }, {
    spanSeconds: 5,
  });
  assertEquals(bytes(d), [0, 96_000, 192_000, 0, 0]);
  assertEquals(d.assets, [{
    assetId: "a",
    volume: "disk",
    frames: seconds(1.5),
    mutedFrames: 0,
    firstMs: 1_500,
    bytes: seconds(1.5) * 4,
  }]);
  assertEquals(d.spanSeconds, 5);
});

Deno.test("demandOf() begins at the head and ends with the span", () => {
  const d = demand({ t: [["c", 0, seconds(100)]] }, { at: seconds(10), spanSeconds: 2 });
  assertEquals(bytes(d), [192_000, 192_000]);
  assertEquals(d.assets.map(({ frames, firstMs }) => [frames, firstMs]), [[seconds(2), 0]]);
});

Deno.test("demandOf() counts a loop once, and what lies outside of it not at all", () => {
  const loop = { enabled: true, startFrame: seconds(1), endFrame: seconds(3) };
  const clips: ShortClip[] = [["c", 0, seconds(10)]];
  const inside = demand({ t: clips }, { at: seconds(2), loop, spanSeconds: 8 });
  assertEquals(bytes(inside), [192_000, 192_000, 0, 0, 0, 0, 0, 0]);
  const behind = demand({ t: clips }, { at: seconds(3), loop, spanSeconds: 4 });
  assertEquals(
    bytes(behind),
    [192_000, 192_000, 192_000, 192_000],
    "a head behind the loop goes on",
  );
  const short = demand({ t: clips }, { at: seconds(2), loop, spanSeconds: 1 });
  assertEquals(bytes(short), [192_000]);
});

Deno.test("demandOf() counts a stretch that several clips play once, when it is needed first", () => {
  const d = demand({
    t: [["c", 0, seconds(1)], ["d", seconds(2), seconds(4), { sourceFrame: 0 }]],
    u: [["e", seconds(1), seconds(2), { sourceFrame: seconds(0.5) }]],
  }, { spanSeconds: 4 });
  // e plays 0.5 … 1.5 s of the asset, of which 1 … 1.5 s is new; d plays 0 … 2 s, of which 1.5 … 2 s is.
  assertEquals(bytes(d), [192_000, 96_000, 0, 96_000]);
  assertEquals(d.assets[0].frames, seconds(2));
});

Deno.test("demandOf() counts muted tracks apart, and only what no other plays", () => {
  const tracks = { t: [["c", 0, seconds(1)] as ShortClip], u: [["d", 0, seconds(3)] as ShortClip] };
  const input = {
    sampleRate: RATE,
    tracks: Object.entries(tracks).map(([trackId, clips]) => ({
      trackId,
      mute: trackId === "u",
      clips: clips.map(clip),
    })),
  };
  const head = { positionFrame: 0, loop: NO_LOOP };
  const d = demandOf(modelFromTimeline(input), head, { costOf: () => PLAIN, spanSeconds: 4 });
  assertEquals(bytes(d), [192_000, 0, 0, 0]);
  assertEquals([d.assets[0].frames, d.assets[0].mutedFrames], [seconds(1), seconds(2)]);
  assertEquals(d.volumes[0].mutedBytes, seconds(2) * 4);

  const solo = modelFromTimeline({
    ...input,
    tracks: input.tracks.map((track) => ({ ...track, mute: false, solo: track.trackId === "t" })),
  });
  const s = demandOf(solo, head, { costOf: () => PLAIN, spanSeconds: 4 });
  assertEquals(s.volumes[0].mutedBytes, seconds(2) * 4, "what is not soloed is not heard");
});

Deno.test("demandOf() reckons in bytes and frames of the file, by volume", () => {
  const flac: AssetCost = {
    sampleRate: 96_000,
    lengthSamples: 96_000,
    bytesPerFrame: 3,
    compressed: true,
    volume: "other",
  };
  const d = demand({
    t: [["c", 0, seconds(2), { assetId: "f", sourceFrame: 0 }]],
    u: [["d", 0, seconds(2)]],
  }, { costs: { f: flac }, spanSeconds: 2 });
  assertEquals(bytes(d), [192_000, 192_000]);
  assertEquals(bytes(d, "other"), [288_000, 0], "beyond its end is silence");
  assertEquals([...d.volumes.find((v) => v.volume === "other")!.decodeFrames], [96_000, 0]);
  assertEquals([...d.volumes.find((v) => v.volume === "disk")!.decodeFrames], [0, 0]);
});

Deno.test("demandOf() leaves out what lies before a source and files that are away", () => {
  const early = demand({ t: [["c", 0, seconds(2), { sourceFrame: -seconds(1) }]] }, {
    spanSeconds: 2,
  });
  assertEquals(bytes(early), [0, 192_000]);
  assertEquals(early.assets[0].firstMs, 1_000);
  const head = { positionFrame: 0, loop: NO_LOOP };
  const away = demandOf(model({ t: [["c", 0, seconds(2)]] }), head, { costOf: () => undefined });
  assertEquals(away, { spanSeconds: 60, assets: [], volumes: [] });
});

Deno.test("demandOf() leaves out what is resident, also where it comes again", () => {
  const asked: number[][] = [];
  const clips: ShortClip[] = [["c", 0, seconds(1)], ["d", seconds(1), seconds(3)], [
    "e",
    seconds(3),
    seconds(4),
    { sourceFrame: seconds(1.5) },
  ]];
  const d = demandOf(model({ t: clips }), { positionFrame: 0, loop: NO_LOOP }, {
    costOf: () => PLAIN,
    isResident: (_assetId, from, to) => {
      asked.push([from, to]);
      return from === seconds(1) && to === seconds(3);
    },
    spanSeconds: 4,
  });
  assertEquals(bytes(d), [192_000, 0, 0, 0]);
  assertEquals(asked, [[0, seconds(1)], [seconds(1), seconds(3)], [seconds(1.5), seconds(2.5)]]);
});

Deno.test("demandOf() takes a clip's rate into account", () => {
  const d = demand({ t: [["c", 0, seconds(2), { rate: 2, sourceFrame: 0 }]] }, { spanSeconds: 3 });
  assertEquals(bytes(d), [384_000, 384_000, 0]);
  assertEquals(d.assets[0].frames, seconds(4));
});

Deno.test("demandOf() has a clip that plays backwards begin with its end, and one that mutes at its rate need nothing", () => {
  const back = { rate: 2, sourceFrame: 0, reverse: true };
  const asked: [number, number][] = [];
  const isResident = (_: string, from: number, to: number) => {
    asked.push([from, to]);
    return false;
  };
  const of = model({
    t: [["c", 0, seconds(2), back]],
    // Of what it plays in its second second, the first clip has had all two seconds earlier.
    u: [["d", seconds(2), seconds(4), { ...back, reverse: false }]],
    v: [["e", 0, seconds(4), { rate: 2, speedMode: "mute", assetId: "silent" }]],
  });
  const head = { positionFrame: 0, loop: NO_LOOP };
  const d = demandOf(of, head, { costOf: () => PLAIN, isResident, spanSeconds: 5 });
  assertEquals(bytes(d), [384_000, 384_000, 0, 0, 0]);
  assertEquals(asked, [[0, seconds(4)], [0, seconds(4)]]);
  assertEquals(d.assets.map(({ assetId }) => assetId), ["a"]);
  const file = { ...PLAIN, lengthSamples: seconds(1) };
  // Of four seconds that it plays from their end the file has but the first: they are needed last.
  const end = demand({ t: [["c", 0, seconds(2), back]] }, { costs: { a: file }, spanSeconds: 3 });
  assertEquals(end.assets.map(({ firstMs, frames }) => [firstMs, frames]), [[1_500, seconds(1)]]);
  assertEquals(bytes(end), [0, 192_000, 0]);
});

Deno.test("demandOf() orders assets by when they are needed", () => {
  const d = demand({
    t: [["c", seconds(5), seconds(6), { assetId: "later" }]],
    u: [["d", seconds(1), seconds(2), { assetId: "first" }], ["e", seconds(90), seconds(91), {
      assetId: "never",
    }]],
  });
  assertEquals(d.assets.map(({ assetId, firstMs }) => [assetId, firstMs]), [
    ["first", 1_000],
    ["later", 5_000],
  ]);
});

Deno.test("demandOf() looks into the blocks that the span meets alone", () => {
  const clips = Array.from({ length: 100_000 }, (_, i) => ({
    clipId: `c${i}`,
    assetId: `a${i % 50}`,
    startFrame: i * RATE,
    lengthFrames: RATE,
    sourceFrame: i * RATE,
  }));
  const big = modelFromTimeline({ sampleRate: RATE, tracks: [{ trackId: "t", clips }] });
  let looked = 0;
  const tracks = big.tracks.map((track) => ({
    ...track,
    blocks: track.blocks.map(({ start, block }) => ({
      start,
      block: {
        ...block,
        get clips() {
          looked++;
          return block.clips;
        },
      },
    })),
  }));
  const head = { positionFrame: seconds(50_000), loop: NO_LOOP };
  const long = { ...PLAIN, lengthSamples: 1e12 };
  const d = demandOf({ sampleRate: RATE, tracks }, head, { costOf: () => long });
  assertEquals(d.assets.length, 50);
  assertEquals(bytes(d), Array(60).fill(192_000));
  assert(looked <= 2, `${looked} blocks were looked into`);
});

Deno.test("demanding() looks at 100,000 dense clips in many turns, each of which is bounded", () => {
  let work = 0;
  const dense = denseTimeline();
  const tracks = dense.tracks.map((track) => ({
    ...track,
    blocks: track.blocks.map(({ start, block }) => ({
      start,
      block: {
        ...block,
        clips: block.clips.map(({ at, body, ...rest }) => ({
          ...rest,
          at,
          get body() {
            work++;
            return body;
          },
        })),
      },
    })),
  }));
  const steps = demanding({ sampleRate: RATE, tracks }, { positionFrame: 0, loop: NO_LOOP }, {
    costOf: () => {
      work++;
      return { ...PLAIN, lengthSamples: 1e12 };
    },
    isResident: () => {
      work++;
      return false;
    },
  });
  let turns = 0;
  let most = 0;
  let all = 0;
  for (;;) {
    work = 0;
    const { done, value } = steps.next();
    most = Math.max(most, work);
    all += work;
    if (done) {
      assertEquals(bytes(value).map(Math.round), Array(60).fill(DENSE_TRACKS * 192_000));
      break;
    }
    turns++;
  }
  assert(all >= 2 * DENSE_CLIPS, "every clip was looked at and asked about");
  assert(most <= 512, `${most} looks in one turn`);
  assert(turns > 1_000, `${turns} turns`);
});

Deno.test("demanding() goes through many assets in turns too, and has them in order", () => {
  const many = 20_000;
  let asked = 0;
  const steps = demanding(
    model({
      t: Array.from({ length: many }, (_, i): ShortClip => [`c${i}`, i * 100, i * 100 + 100, {
        assetId: `${i}`,
        sourceFrame: 0,
      }]),
    }),
    { positionFrame: 0, loop: NO_LOOP },
    {
      costOf: () => {
        asked++;
        return PLAIN;
      },
    },
  );
  let most = 0;
  let step = steps.next();
  for (; !step.done; step = steps.next()) {
    most = Math.max(most, asked);
    asked = 0;
  }
  assert(most <= 256, `${most} assets in one turn`);
  assertEquals(
    step.value.assets.map(({ assetId }) => assetId),
    Array.from({ length: many }, (_, i) => `${i}`),
  );
});

Deno.test("Stretches.take() tells what is new, as a set of points does", () => {
  const next = seededRandom(7);
  const random = (n: number) => Math.floor(next() * n);
  for (let round = 0; round < 200; round++) {
    const stretches = new Stretches();
    const points = new Set<number>();
    for (let i = 0; i < 30; i++) {
      const start = random(60);
      const end = start + random(12);
      const told: number[] = [];
      stretches.take(start, end, (a, b) => {
        assert(a < b);
        for (let x = a; x < b; x++) told.push(x);
      });
      const fresh: number[] = [];
      for (let x = start; x < end; x++) if (!points.has(x)) fresh.push(x);
      for (const x of fresh) points.add(x);
      assertEquals(told, fresh);
    }
  }
});
