/**
 * What a cut costs while it plays, at 100, 10,000 and 100,000 clips on 1 and 100 tracks, against the approach that it replaces: splicing all decoded audio of
 * a timeline of 10 and of 60 minutes into one buffer by memcpy (one that is in memory already, so that nothing but the copying counts).
 *
 * - From request to reply over a WebSocket (edit, cut, undo), by an engine that is a process of its own and plays to the null device; a clock request
 *   and an echo by Deno's own server tell what of it is the line. All of them are asked in turns, so that what else the machine does meets each.
 * - From a cut's request to the first frame of the new snapshot, on the null device: what the reply takes and the frames that were rendered of the old one
 *   after it was published. The wait for the next period comes on top, as with any device.
 * - Frames of the old snapshot after a publication, with a caller in the place of the device that takes 256 frames at a time: alone, and inside a running fade.
 * - Bytes packed for the renderer, written to the journal and sent to a client.
 * - The whole of a cut in one process (model, journal, packing, publishing) and the splices, in turns. A cut goes through all tracks, and who splices has a
 *   buffer a track: the goal is set against as many splices; the table tells the ratio to one as well.
 *
 * `deno bench --allow-all bench/edit_bench.ts`; `LOOPHOLE_BENCH_ROUNDS` makes it shorter or longer.
 *
 * @module
 */
import { EditRig } from "./support/edit_rig.ts";
import { printFigures, printTable, quantile, showMs } from "./support/figures.ts";
import { layClips, RATE, writeSource } from "./support/lay_clips.ts";
import { Home, startBare, startEngine } from "./support/ready_process.ts";
import { RpcSocket } from "./support/rpc_socket.ts";

const ROUNDS = Number(Deno.env.get("LOOPHOLE_BENCH_ROUNDS") ?? 300);
const PERIOD = 256;
const FADE = 720;
const WARM_UP = 30;
/** Pause between two rounds: a quick hand, not a storm. In milliseconds. */
const PAUSE_MS = 3;
/** Longer than a fade and a period of the null device, so that an edit is in before the next comes. In milliseconds. */
const SETTLED_MS = 45;
const PUBLICATIONS = Math.min(40, ROUNDS);
const SIZES = [1, 100].flatMap((tracks) =>
  [100, 10_000, 100_000].map((clips) => ({ clips, tracks }))
);
/** 99 of 100 edits are acknowledged within so many milliseconds. */
const ACKNOWLEDGED_MS: Record<number, number> = { 10_000: 5, 100_000: 10 };
const LEAST_RATIO = 100;

interface Row {
  size: string;
  tracks: number;
  ackP50: number;
  ackP99: number;
  heardMs: number;
  alone: number;
  inFade: number;
  packed: number;
  journalled: number;
  sent: number;
  workMs: number;
}

const goals: string[][] = [["goal", "measured", "met"]];
const goal = (what: string, measured: string, isMet: boolean) =>
  void goals.push([what, measured, isMet ? "yes" : "NO"]);

const audio = new Float32Array(60 * 60 * RATE * 2).fill(0.25);
const spliced = new Float32Array(audio.length).fill(0.25);
/** By minutes. */
const splices = new Map<number, number[]>([[10, []], [60, []]]);
const rows: Row[] = [];
for (const { clips, tracks } of SIZES) {
  splice();
  const size = `${clips.toLocaleString("en")} clips on ${tracks} track${tracks > 1 ? "s" : ""}`;
  const served = await measureServed(clips, tracks, size);
  const alone = await measureAlone(clips, tracks);
  rows.push({ size, tracks, ...served, ...alone });
}
report();

/** A clip near the middle of the first track, where the head is; another one each time. */
function clipNear(clips: number, tracks: number, round: number): string {
  const each = Math.floor(clips / tracks);
  return `c${Math.max(0, Math.min(each - 1, Math.floor(each / 2) + (round * 7) % 40 - 20))}`;
}

async function measureServed(clips: number, tracks: number, size: string) {
  await using home = await Home.make();
  await using bare = await startBare();
  await using server = await startEngine(home, {
    args: ["--library", home.path, "--period", `${PERIOD}`],
  });
  await using echo = await RpcSocket.connect(bare.url);
  await using client = await RpcSocket.connect(server.url);
  await using other = await RpcSocket.connect(server.url);
  for (const one of [client, other]) {
    await one.call("engine.hello", { protocol: 1 });
    await one.call("engine.subscribe", { topics: ["timeline", "transport"] });
  }
  const { lengthFrames } = await layClips(client, home, clips, tracks);
  const each = Math.floor(clips / tracks);
  await client.call("transport.play", { fromFrame: Math.floor(each / 2) * lengthFrames });
  const sent: number[] = [];
  other.onNotification = (method, length) => method === "timeline.changed" && sent.push(length);

  const times = new Map<string, number[]>();
  const timed = async (name: string, call: () => Promise<unknown>) => {
    const began = performance.now();
    await call();
    times.getOrInsertComputed(name, () => []).push(performance.now() - began);
  };
  for (let round = 0; round < WARM_UP + ROUNDS; round++) {
    if (round === WARM_UP) times.clear();
    const clipId = clipNear(clips, tracks, round);
    const edit = (op: Record<string, unknown>) => () =>
      client.call("timeline.edit", { edits: [{ ...op, clipId }] });
    await timed("echo by Deno.serve", () => echo.call("echo", { clipId }));
    await timed("engine.clock", () => client.call("engine.clock"));
    await timed("clip.set", edit({ op: "clip.set", set: { gainDb: -1 - round % 7 } }));
    await timed("segment.delete", edit({ op: "segment.delete" }));
    await timed("timeline.undo", () => client.call("timeline.undo"));
    await pause(PAUSE_MS);
  }
  printFigures(
    `Acknowledged over a WebSocket, ${size}`,
    [...times].map(([name, values]) => ({ name, values })),
  );

  const frames: number[] = [];
  for (let i = 0; i < PUBLICATIONS; i++) {
    const edits = [{ op: "segment.delete", clipId: clipNear(clips, tracks, i) }];
    for (const [method, params] of [["timeline.edit", { edits }], ["timeline.undo", {}]] as const) {
      await client.call(method, params);
      await pause(SETTLED_MS);
      frames.push((await client.call("diagnostics.get")).counters.oldFramesAfterPublish);
    }
  }
  const edits = ["clip.set", "segment.delete", "timeline.undo"].flatMap((name) => times.get(name)!);
  const ackP50 = quantile(edits, 0.5);
  return {
    ackP50,
    ackP99: quantile(edits, 0.99),
    heardMs: ackP50 + quantile(frames, 0.5) * 1_000 / RATE,
    sent: quantile(sent, 1),
  };
}

/** Without a server, and with a caller in the place of the device. */
async function measureAlone(clips: number, tracks: number) {
  const folder = Deno.makeTempDirSync({ prefix: "edit" });
  try {
    await writeSource(`${folder}/source.wav`);
    await using rig = await EditRig.open(folder, clips, tracks);
    const each = Math.floor(clips / tracks);
    await rig.play(Math.floor(each / 2) * rig.lengthFrames);
    const oldFrames = () => rig.signal.counters().oldFramesAfterPublish;
    const [alone, inFade, packed, journalled, work]: number[][] = [[], [], [], [], []];
    for (let round = 0; round < WARM_UP + ROUNDS; round++) {
      const clipId = clipNear(clips, tracks, round);
      const began = performance.now();
      rig.cut(clipId);
      const took = performance.now() - began;
      const bytes = [rig.signal.lastPackedBytes, rig.journalledBytes];
      rig.render(PERIOD);
      const first = oldFrames();
      rig.undo(); // A period into the fade.
      bytes[0] = Math.max(bytes[0], rig.signal.lastPackedBytes);
      rig.render(3 * PERIOD);
      const second = oldFrames();
      rig.render(4 * PERIOD);
      if (round < WARM_UP) continue;
      work.push(took);
      alone.push(first);
      inFade.push(second);
      packed.push(bytes[0]);
      journalled.push(bytes[1]);
    }
    return {
      alone: quantile(alone, 1),
      inFade: quantile(inFade, 1),
      packed: quantile(packed, 1),
      journalled: quantile(journalled, 1),
      workMs: quantile(work, 0.5),
    };
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

/** Cuts 5 s out of the middle of each. */
function splice(): void {
  for (const [minutes, times] of splices) {
    const samples = minutes * 60 * RATE * 2;
    const start = samples * 0.4;
    const end = start + 5 * RATE * 2;
    const began = performance.now();
    spliced.set(audio.subarray(0, start));
    spliced.set(audio.subarray(end, samples), start);
    times.push(performance.now() - began);
  }
}

function report(): void {
  const [of10, of60] = [10, 60].map((minutes) => quantile(splices.get(minutes)!, 0.5));
  printTable(
    `What a cut costs (splicing 10 minutes: ${showMs(of10)}, 60 minutes: ${showMs(of60)})`,
    [
      [
        "",
        "acknowledged p50",
        "p99",
        "and old frames",
        "frames alone",
        "in a fade",
        "packed",
        "journalled",
        "sent",
        "work",
        "of a splice of 10 min",
        "of 60 min",
        "of its tracks' 60 min",
      ],
      ...rows.map((row) => [
        row.size,
        showMs(row.ackP50),
        showMs(row.ackP99),
        showMs(row.heardMs),
        `${row.alone}`,
        `${row.inFade}`,
        `${row.packed} B`,
        `${row.journalled} B`,
        `${row.sent} B`,
        showMs(row.workMs),
        `1/${Math.round(of10 / row.workMs)}`,
        `1/${Math.round(of60 / row.workMs)}`,
        `1/${Math.round(of60 * row.tracks / row.workMs)}`,
      ]),
    ],
  );
  for (const { clips, tracks } of SIZES) {
    const row = rows[SIZES.findIndex((size) => size.clips === clips && size.tracks === tracks)];
    const most = ACKNOWLEDGED_MS[clips];
    if (most !== undefined) {
      goal(
        `${row.size}: 99 of 100 acknowledged in ${most} ms`,
        showMs(row.ackP99),
        row.ackP99 < most,
      );
    }
    goal(
      `${row.size}: heard in the next period, or the one in which a running fade ends`,
      `${row.alone} and ${row.inFade} old frames`,
      row.alone === 0 && row.inFade <= FADE - PERIOD,
    );
    const ratio = of60 * tracks / row.workMs;
    goal(
      `${row.size}: 1/${LEAST_RATIO} of splicing 60 minutes of its tracks`,
      `1/${Math.round(ratio)}`,
      ratio >= LEAST_RATIO,
    );
    goal(
      `${row.size}: 64 KiB packed and journalled`,
      `${row.packed} and ${row.journalled} B`,
      Math.max(row.packed, row.journalled) <= 65_536,
    );
  }
  printTable("Goals", goals);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
