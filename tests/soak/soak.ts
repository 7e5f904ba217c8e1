/**
 * `deno task soak [minutes] [seed]`: a long run of everything at once, in real time on the null device, 10 minutes if not told otherwise.
 *
 * Eight tracks of a healthy library sound on the left in a loop, and no frame of them may be missing or wrong. Meanwhile tracks on the right come, go, are cut,
 * moved and undone at random; streams and windows of their files are opened and closed; all that nothing holds is thrown out of memory; and their disk, a FUSE volume of ours, is slow, hangs, fails,
 * changes its files under the engine, and is pulled out and put back. Once a minute all that was missing must be explained by `diagnostics.get`, and memory, threads and descriptors
 * must be steady.
 *
 * Where a volume cannot be mounted the run goes on without its faults and says so. Exits with 1 at the first thing that is wrong.
 *
 * @module
 */
import type { Asset } from "../../engine/pulse/types.ts";
import { missingPrograms } from "../needs.ts";
import { seededRandom } from "../support/audio_files.ts";
import { EnginePlace, ME } from "../support/engine_place.ts";
import {
  descriptorsUnder,
  FaultSession,
  lay,
  noise,
  RATE,
  sum,
  TURN,
} from "../support/fault_session.ts";
import { type Fault, FaultVolume, mountable } from "../support/fault_volume.ts";
import { until } from "../support/wait.ts";

const HEALTHY = Array.from({ length: 8 }, (_, i) => `healthy${i}`);
const SICK = Array.from({ length: 24 }, (_, i) => `sick${i}`);
/** How much more memory than after the first minute is no longer steady, in bytes. */
const GROWTH = 150e6;

const minutes = Number(Deno.args[0] ?? 10);
const seed = Number(Deno.args[1] ?? 1);
if (!(minutes > 0) || !Number.isSafeInteger(seed)) {
  console.error("usage: deno task soak [minutes > 0] [seed, an integer]");
  Deno.exit(2);
}
const random = seededRandom(seed);
const whole = (n: number) => Math.floor(random() * n);
const pick = <Value>(values: readonly Value[]) => values[whole(values.length)];

function require(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

/** What was done, by kind, for the lines and the summary. */
const done = new Map<string, number>();
const did = (what: string) => void done.set(what, (done.get(what) ?? 0) + 1);

class Soak {
  #volume: FaultVolume | null = null;
  readonly #assets = new Map<string, Asset>();
  readonly #sounds = new Map<string, Float32Array>();
  readonly #streams: string[] = [];
  readonly #windows: string[] = [];
  #clips = 0;
  #generation = 1_000;

  constructor(
    readonly session: FaultSession,
    readonly place: EnginePlace,
    readonly folder: string,
    readonly mount: string,
    readonly mounts: boolean,
  ) {}

  async mountVolume(): Promise<void> {
    if (!this.mounts) return;
    this.#volume = await FaultVolume.mount(this.folder, this.mount, { inodes: whole(2) * 1_000 });
  }

  async end(): Promise<void> {
    await this.#volume?.kill();
    this.#volume = null;
  }

  async begin(): Promise<void> {
    for (const [i, name] of [...HEALTHY, ...SICK].entries()) {
      const { wav, floats } = noise(i + 1);
      const healthy = HEALTHY.includes(name);
      await Deno.writeFile(`${healthy ? this.place.library : this.folder}/${name}.wav`, wav);
      this.#sounds.set(name, floats);
    }
    await this.mountVolume();
    for (const name of this.#sounds.keys()) {
      const root = HEALTHY.includes(name) ? this.place.library : this.mount;
      this.#assets.set(name, await this.session.add(`${root}/${name}.wav`));
    }
    const { engine } = this.session;
    engine.timeline.edit(
      [
        ...HEALTHY.flatMap((name) => lay(name, this.#assets.get(name)!, "left")),
        ...SICK.slice(0, 12).flatMap((name) => lay(name, this.#assets.get(name)!, "right")),
      ],
      {},
      ME,
    );
    // Held by windows, so that what throws everything else out of memory costs them nothing.
    for (const name of HEALTHY) {
      const { assetId } = this.#assets.get(name)!;
      const range = { startSample: 0, endSample: TURN, isLooping: true };
      await engine.clipWindows.request({ assetId, ...range, cohort: "realtime" }, ME);
    }
    const held = () =>
      this.session.notices.filter(({ method }) => method === "stream.prefetchComplete").length;
    await until(() => held() >= HEALTHY.length, "the healthy tracks are held in memory");
  }

  healthyAreThere(): boolean {
    return HEALTHY.every((name) => this.session.isResident(this.#assets.get(name)!));
  }

  left(): Float32Array {
    return sum(HEALTHY.map((name) => this.#sounds.get(name)!));
  }

  /** One thing of many. */
  async step(): Promise<void> {
    const { engine } = this.session;
    const kind = pick([
      "edit",
      "edit",
      "edit",
      "undo",
      "stream",
      "window",
      "fault",
      "fault",
      "file",
      "volume",
      "memory",
      "memory",
    ]);
    did(kind);
    switch (kind) {
      case "edit":
        return this.#edit();
      case "undo": {
        const entry = engine.timeline.history({ limit: 1 }).entries[0];
        // Only what was done here: never the healthy tracks.
        if (entry?.label !== "soak" || !entry.applied) return;
        engine.timeline.undo({}, ME);
        if (whole(2)) engine.timeline.redo({}, ME);
        return;
      }
      case "stream":
        return this.#stream();
      case "window":
        return await this.#window();
      case "fault":
        return await this.#fault();
      case "file":
        return await this.#file();
      case "volume":
        return await this.#remount();
      case "memory":
        return void this.session.native.symbols.lp_store_drop(this.session.native.engine);
    }
  }

  #edit(): void {
    const { engine } = this.session;
    const trackId = pick(SICK.slice(0, 12));
    const { timeline } = engine.timeline.get();
    const clips = timeline.tracks.find((track) => track.trackId === trackId)!.clips;
    const options = { label: "soak" };
    const clip = pick(clips);
    const way = clip === undefined ? "add" : pick(["add", "remove", "move", "split", "gain"]);
    if (way === "add") {
      if (clips.length > 20) return;
      const startFrame = whole(TURN - 2_000);
      engine.timeline.edit(
        [{
          op: "clip.add",
          trackId,
          clip: {
            clipId: `soak${this.#clips++}`,
            assetId: this.#assets.get(pick(SICK))!.assetId,
            startFrame,
            lengthFrames: 1_000 + whole(TURN - startFrame - 1_000),
            sourceFrame: whole(TURN / 2),
          },
        }],
        options,
        ME,
      );
    } else if (way === "remove") {
      engine.timeline.edit([{ op: "clip.remove", clipId: clip.clipId }], options, ME);
    } else if (way === "move") {
      const startFrame = whole(TURN - 1_000);
      engine.timeline.edit([{ op: "clip.move", clipId: clip.clipId, startFrame }], options, ME);
    } else if (way === "split" && clip.lengthFrames > 2_000) {
      const atFrame = clip.startFrame + 1_000 + whole(clip.lengthFrames - 1_500);
      engine.timeline.edit([{ op: "clip.split", clipId: clip.clipId, atFrame }], options, ME);
    } else {
      engine.timeline.edit(
        [{ op: "track.set", trackId, set: { gainDb: -whole(12) } }],
        options,
        ME,
      );
    }
  }

  #stream(): void {
    const { engine } = this.session;
    if (this.#streams.length > 3) {
      const handleId = this.#streams.shift()!;
      const streams = (engine.topicState("streams") as { streams: { handleId: string }[] }).streams;
      if (streams.some((stream) => stream.handleId === handleId)) engine.streams.stop(handleId);
      return;
    }
    const { assetId } = this.#assets.get(pick(SICK))!;
    // Silent: what is heard is the timeline alone. It is read and mixed all the same.
    const params = { assetId, gainDb: null, loop: whole(2) === 1 };
    this.#streams.push(engine.streams.start(params, ME).handleId);
  }

  async #window(): Promise<void> {
    const { engine } = this.session;
    if (this.#windows.length > 3) return engine.clipWindows.release(this.#windows.shift()!);
    const startSample = whole(TURN / 2);
    const params = {
      assetId: this.#assets.get(pick(SICK))!.assetId,
      startSample,
      endSample: startSample + 1 + whole(TURN / 2),
      cohort: pick(["realtime", "anticipative"] as const),
    };
    // Of an asset that cannot be read now none is to be had.
    const asked = engine.clipWindows.request(params, ME).catch(() => null);
    const answer = await Promise.race([
      asked,
      new Promise<null>((r) => setTimeout(r, 1_000, null)),
    ]);
    if (answer !== null) this.#windows.push(answer.windowId);
  }

  async #fault(): Promise<void> {
    if (this.#volume === null) return;
    const faults: readonly Fault[] = [
      { kind: "delay", value: 1 + whole(300) },
      { kind: "hang" },
      { kind: "deaf" },
      { kind: "eio" },
      { kind: "dribble", value: 100 + whole(5_000) },
      { kind: "end", value: 5_000 + whole(80_000) },
      { kind: "cut", value: 5_000 + whole(80_000) },
    ];
    if (whole(3) === 0) await this.#volume.clear();
    else await this.#volume.set(`${pick(SICK)}.wav`, pick(faults));
  }

  /** A file becomes another one, by renaming or in place, or goes away for a while. */
  async #file(): Promise<void> {
    const path = `${this.folder}/${pick(SICK)}.wav`;
    const { wav } = noise(this.#generation++);
    if (whole(2)) return await Deno.writeFile(path, wav);
    await Deno.writeFile(`${this.folder}/new`, wav);
    await Deno.rename(`${this.folder}/new`, path);
  }

  async #remount(): Promise<void> {
    if (!this.mounts || whole(4) > 0) return;
    did(this.#volume === null ? "mounted" : "pulled out");
    if (this.#volume === null) return await this.mountVolume();
    await this.end();
  }

  /** All is well: everything is there again, and all that was missing is explained. */
  async settle(): Promise<void> {
    if (this.mounts && this.#volume === null) await this.mountVolume();
    await this.#volume?.clear();
    const { engine } = this.session;
    await until(
      () => engine.assets.list({ status: "present" }).total === this.#assets.size,
      "all files are there",
    );
    await until(
      () => this.session.signal.counters().fillThreads <= 4,
      "threads in excess have ended",
    );
    await until(async () => (await this.#volume?.hung() ?? 0) === 0, "nothing hangs");
  }
}

const began = performance.now();
const missing = missingPrograms("fuse");
const refusal = missing.length > 0
  ? { ignore: true }
  : (await mountable({ ignore: false }))("the faults of a volume");
if (missing.length > 0) {
  console.log(`Without the faults of a volume: ${missing.join(", ")} not found`);
}

await using place = await EnginePlace.make();
const folder = `${place.base}/folder`;
const mount = `${place.base}/mount`;
await Deno.mkdir(folder);
await Deno.mkdir(mount);
const mounts = !refusal.ignore;
const opened = await place.open({
  libraryRoots: [place.library, mounts ? mount : folder],
  sampleRate: RATE,
  memoryBytes: 2 ** 23,
});
const session = new FaultSession(opened.engine, opened.notices);
const soak = new Soak(session, place, folder, mounts ? mount : folder, mounts);
let failed = false;
try {
  await soak.begin();
  const left = soak.left();
  let heardFrames = 0;
  let baseline: number | null = null;
  for (let minute = 1; minute <= Math.ceil(minutes); minute++) {
    const seconds = Math.min(60, (minutes - minute + 1) * 60);
    opened.notices.length = 0;
    session.play(Math.ceil(seconds) + 300);
    const end = performance.now() + seconds * 1_000;
    while (performance.now() < end) {
      await soak.step();
      await session.rendered(whole(RATE / 4));
    }
    await soak.settle();
    const heard = await session.stop();
    // Seeks, as fast as they are heard; the capture is over, since each goes over into the next.
    session.engine.transport.play({ fromFrame: 0 });
    for (let i = 0; i < 100; i++) {
      session.engine.transport.seek(whole(TURN));
      await session.rendered(whole(RATE / 50));
    }
    session.engine.transport.stop();
    await until(() => session.signal.position().state === "stopped", "it is stopped");
    done.set("seek", (done.get("seek") ?? 0) + 100);
    require(soak.healthyAreThere(), "windows do not hold what they should");
    heardFrames += heard.frames;
    const wrong = heard.difference("left", left);
    require(wrong < 0, `the untouched tracks are wrong at frame ${wrong} of minute ${minute}`);
    const { tracks, counters } = session.diagnostics();
    for (const { trackId, missing, faded } of tracks) {
      if (!HEALTHY.includes(trackId)) continue;
      require(missing + faded === 0, `${trackId}: ${missing} missing, ${faded} faded`);
    }
    const rss = Deno.memoryUsage().rss;
    baseline ??= rss;
    require(rss - baseline < GROWTH, `${rss} bytes of memory, ${baseline} after the first minute`);
    const explained = counters.eventsLost > 0 ? "events were lost" : session.unexplained(true);
    require(explained === "", `not explained: ${explained}`);
    console.log(
      `minute ${minute}: ${heardFrames} frames heard, untouched 0 missing 0 faded; touched ${counters.missing} missing, ` +
        `${counters.faded} faded in ${session.diagnostics().underruns} gaps, all explained; ` +
        `${
          Math.round(rss / 1e6)
        } MB, ${counters.fillThreads} threads, ${counters.openFiles} files open`,
    );
  }
} catch (error) {
  failed = true;
  console.error(error);
} finally {
  await soak.end();
  await opened[Symbol.asyncDispose]();
}
const left = await descriptorsUnder(place.base);
if (left.length > 0) {
  failed = true;
  console.error("descriptors are left:", left);
}
const counts = [...done].map(([what, times]) => `${times} ${what}`).join(", ");
console.log(
  `${failed ? "FAILED" : "ok"} after ${
    ((performance.now() - began) / 60_000).toFixed(1)
  } min (seed ${seed}): ${counts}`,
);
if (failed) Deno.exitCode = 1;
