/**
 * The faults of disks once for real: a whole engine with its threads, playing on the null device, over a healthy library and a volume of ours that fails on command. What each
 * fault does in detail is tested step by step in `fault_store_test.ts`, whose head has the table of all faults.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { needs } from "./needs.ts";
import type { Asset } from "../engine/pulse/types.ts";
import { EnginePlace, ME } from "./support/engine_place.ts";
import {
  descriptorsUnder,
  FADE,
  FaultSession,
  lay,
  noise,
  RATE,
  sum,
  TURN,
} from "./support/fault_session.ts";
import { FaultVolume, mountable } from "./support/fault_volume.ts";
import { until } from "./support/wait.ts";

const fuse = await mountable(needs("fuse"));
const HEALTHY = ["u0", "u1", "u2", "u3"];

interface Place {
  session: FaultSession;
  volume: FaultVolume;
  /** Where the volume's files really lie. */
  folder: string;
  mount: string;
  library: string;
  /** Sounds by the names of files. */
  sounds: Map<string, Float32Array>;
  /** Puts the volume there again, after it was killed. */
  remount(inodes?: number): Promise<void>;
  /** Opens another engine there, after the first one was closed. */
  open(): ReturnType<EnginePlace["open"]>;
  /** Mounts another one elsewhere. */
  another(): Promise<void>;
}

/** An engine over a healthy library and a volume of ours; whatever happens, the volume is gone before the engine ends. */
async function on(names: readonly string[], test: (place: Place) => Promise<void>): Promise<void> {
  await using place = await EnginePlace.make();
  const folder = `${place.base}/folder`;
  const mount = `${place.base}/mount`;
  await Deno.mkdir(folder);
  const elsewhere = `${place.base}/elsewhere`;
  await Deno.mkdir(mount);
  await Deno.mkdir(elsewhere);
  const sounds = new Map<string, Float32Array>();
  let seed = 1;
  for (const name of [...HEALTHY, ...names]) {
    const { wav, floats } = noise(seed++);
    const where = HEALTHY.includes(name) ? place.library : folder;
    await Deno.writeFile(`${where}/${name}.wav`, wav);
    sounds.set(name, floats);
  }
  const volumes = [await FaultVolume.mount(folder, mount)];
  try {
    const open = () => place.open({ libraryRoots: [place.library, mount], sampleRate: RATE });
    await using opened = await open();
    const session = new FaultSession(opened.engine, opened.notices);
    try {
      await test({
        session,
        get volume() {
          return volumes.at(-1)!;
        },
        folder,
        mount,
        library: place.library,
        sounds,
        open,
        async remount(inodes = 0) {
          volumes.push(await FaultVolume.mount(folder, mount, { inodes }));
        },
        async another() {
          volumes.unshift(await FaultVolume.mount(folder, elsewhere));
        },
      });
    } finally {
      for (const volume of volumes) await volume.kill();
    }
    assertEquals(await descriptorsUnder(mount), [], "descriptors of the volume are left");
  } finally {
    for (const volume of volumes) await volume.kill();
  }
}

/** Registers all files, and waits until they are analysed. */
async function registerAll(
  { session, library, mount, sounds }: Place,
): Promise<Map<string, Asset>> {
  const assets = new Map<string, Asset>();
  for (const name of sounds.keys()) {
    const folder = HEALTHY.includes(name) ? library : mount;
    assets.set(name, await session.add(`${folder}/${name}.wav`));
  }
  return assets;
}

/** Lays assets in the loop, those of which a fault is none on the left. */
function layAll({ session }: Place, assets: Map<string, Asset>, untouched: readonly string[]) {
  const edits = [...assets].flatMap(([name, asset]) =>
    lay(name, asset, untouched.includes(name) ? "left" : "right")
  );
  session.engine.timeline.edit(edits, {}, ME);
}

/** What stands at the end of each of these tests: the healthy were heard as if nothing were, and all that was missing is explained. */
async function assertAccounts(session: FaultSession, untouched: readonly string[]): Promise<void> {
  await until(() => session.unexplained() === "", "all that is missing is explained").catch(() => {
    throw new Error(session.unexplained());
  });
  const { tracks, counters } = session.diagnostics();
  for (const { trackId, missing, faded } of tracks) {
    if (untouched.includes(trackId)) assertEquals([trackId, missing, faded], [trackId, 0, 0]);
  }
  assertEquals(counters.eventsLost, 0);
  for (const { cause, forensics } of session.underruns()) {
    assertEquals(forensics?.cause, cause, "each gap has its forensic record");
  }
}

const soft = "files that are slow, hang, fail, end early, are cut, replaced and overwritten " +
  "cost their own frames alone, and are heard again when they are well";
Deno.test({
  name: soft,
  ...fuse(soft),
  fn: () => {
    const touched = ["slow", "hung", "failing", "short", "cut", "renamed", "overwritten"];
    return on(["beside", ...touched], async (place) => {
      const { session, folder, sounds } = place;
      const { engine } = session;
      const assets = await registerAll(place);
      const { volume } = place;
      await volume.set("slow.wav", { kind: "delay", value: 200 });
      await volume.set("hung.wav", { kind: "hang" });
      await volume.set("failing.wav", { kind: "eio" });
      await volume.set("short.wav", { kind: "end", value: 60_000 });
      layAll(place, assets, [...HEALTHY, "beside"]);
      const at = (name: string) => session.isResident(assets.get(name)!);
      const well = [...HEALTHY, "beside", "slow", "cut", "renamed", "overwritten"];
      await until(() => well.every(at), "what can be read is there");
      await until(async () => await volume.hung() > 0, "a read hangs");
      session.play(120);
      await session.rendered(TURN);

      // While it sounds, three files become others. Their old sound stays until the new one is there.
      const generation = (name: string) => engine.assets.get(assets.get(name)!.assetId).generation;
      await volume.set("cut.wav", { kind: "cut", value: 44 + TURN });
      const [renamed, overwritten] = [noise(101), noise(102)];
      await Deno.writeFile(`${folder}/new.wav`, renamed.wav);
      await Deno.rename(`${folder}/new.wav`, `${folder}/renamed.wav`);
      await Deno.writeFile(`${folder}/overwritten.wav`, overwritten.wav);
      sounds.set("renamed", renamed.floats);
      sounds.set("overwritten", overwritten.floats);
      await until(
        () => ["cut", "renamed", "overwritten"].every((name) => generation(name) > 1),
        "they are other generations",
      );
      assertEquals(engine.assets.get(assets.get("cut")!.assetId).lengthSamples, TURN / 2);
      await session.rendered(TURN);
      const { tracks } = session.diagnostics();
      for (const name of ["hung", "failing", "short"]) {
        assert(tracks.find(({ trackId }) => trackId === name)!.missing >= TURN / 2, name);
      }

      await volume.clear();
      await until(() => generation("cut") > 2, "it is whole again");
      await until(() => [...HEALTHY, "beside", ...touched].every(at), "all is there again");
      await session.rendered(TURN + RATE);
      const heard = await session.stop();
      assertEquals(
        heard.difference("left", sum([...HEALTHY, "beside"].map((n) => sounds.get(n)!))),
        -1,
      );
      const right = sum(touched.map((name) => sounds.get(name)!));
      assertEquals(heard.difference("right", right, heard.frames - TURN), -1, "all is heard again");
      assert(heard.difference("right", right, 0, TURN) >= 0, "and was not meanwhile");

      await assertAccounts(session, [...HEALTHY, "beside"]);
      const causes = new Map(session.underruns().map(({ trackId, cause }) => [trackId, cause]));
      assertEquals(causes.get("hung"), "stalled");
      assertEquals(causes.get("failing"), "read");
      assertEquals(causes.get("short"), "read");
      await until(
        () => session.signal.counters().fillThreads === 4,
        "threads in excess have ended",
      );
    });
  },
});

const COMEBACKS: [how: string, inodes: number, number: boolean][] = [
  ["as it was", 0, false],
  ["under another number", 0, true],
  ["with other numbers of its files", 5_000, true],
];
for (const [how, inodes, renumbered] of COMEBACKS) {
  const name =
    `a volume that is unmounted and comes back ${how} is heard again, and others never notice`;
  Deno.test({
    name,
    ...fuse(name),
    fn: () =>
      on(["a", "b"], async (place) => {
        const { session, sounds } = place;
        const assets = await registerAll(place);
        layAll(place, assets, HEALTHY);
        const { engine } = session;
        const at = (name: string) => session.isResident(assets.get(name)!);
        await until(() => [...assets.keys()].every(at), "all is there");
        await place.volume.kill();
        // What is in memory would be heard for as long as it is not needed for something else.
        session.native.symbols.lp_store_drop(session.native.engine);
        await until(() => HEALTHY.every(at), "the healthy are there again");
        session.play(120);
        await session.rendered(TURN);
        await until(
          () => engine.assets.list({ status: "missing" }).total === 2,
          "the volume is missed",
        );
        // A system gives the lowest number that is free.
        if (renumbered) await place.another();
        await place.remount(inodes);
        await until(() => [...assets.keys()].every(at), "all is there again");
        await session.rendered(TURN + RATE);
        const heard = await session.stop();
        const right = sum(["a", "b"].map((name) => sounds.get(name)!));
        assertEquals(heard.difference("left", sum(HEALTHY.map((name) => sounds.get(name)!))), -1);
        assertEquals(heard.difference("right", sum([]), 0, TURN), -1, "nothing of it is heard");
        assertEquals(
          heard.difference("right", right, heard.frames - TURN),
          -1,
          "it is heard again",
        );
        // It has come back by a fade: no step is larger than one of the sound itself, sunk as far as the fade stands.
        const back = heard.right.findIndex((x) => x !== 0);
        for (let i = 0; i < FADE; i++) {
          const most = (i + 1) / FADE / 16 + 1e-6;
          assert(Math.abs(heard.right[back + i]) <= most, `frame ${i} of the fade`);
        }
        await assertAccounts(session, HEALTHY);
        assert(session.underruns().every(({ cause }) => cause === "absent"));
        assertEquals(engine.assets.list({ status: "present" }).total, assets.size);
      }),
  });
}

const deaf =
  "a project over a volume that does not answer opens, is heard and worked with as far as it can be, and as a whole when the volume answers";
Deno.test({
  name: deaf,
  ...fuse(deaf),
  fn: async () => {
    const names = Array.from({ length: 40 }, (_, i) => `deaf${i}`);
    await on(names, async (place) => {
      const { session, volume, sounds, library } = place;
      layAll(place, await registerAll(place), HEALTHY);
      const { engine: before } = session;
      for (const name of names) await volume.set(`${name}.wav`, { kind: "deaf" });
      await before[Symbol.asyncDispose]();
      await using opened = await place.open();
      const again = new FaultSession(opened.engine, opened.notices);
      const { engine } = again;
      const { assets } = engine.assets.list({});
      const at = (name: string) =>
        again.isResident(assets.find(({ path }) => path.endsWith(`/${name}.wav`))!);
      await until(() => HEALTHY.every(at), "the healthy are there");
      await until(async () => await volume.hung() > 3, "openings hang");
      again.play(120);
      // More than the threads that all of a process's files and native calls share would hang by now, were they let.
      await Deno.writeFile(`${library}/late.wav`, noise(200).wav);
      const late = await again.add(`${library}/late.wav`);
      assertEquals((await engine.library.list({ path: library })).total, HEALTHY.length + 1);
      engine.timeline.edit(
        [{ op: "marker.add", marker: { markerId: "m", frame: 1, name: "m" } }],
        {},
        ME,
      );
      assertEquals(late.complete, true);
      assert(await volume.hung() < 16);
      await again.rendered(TURN);
      await volume.clear();
      await until(() => names.every(at), "all is there");
      await again.rendered(2 * TURN);
      const heard = await again.stop();
      assertEquals(heard.difference("left", sum(HEALTHY.map((name) => sounds.get(name)!))), -1);
      const right = sum(names.map((name) => sounds.get(name)!));
      assertEquals(heard.difference("right", right, heard.frames - TURN), -1, "it is heard");
      await assertAccounts(again, HEALTHY);
    });
  },
});
