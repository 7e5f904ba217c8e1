import { assertEquals } from "@std/assert";
import type { Asset } from "../engine/pulse/types.ts";
import { EnginePlace, ME } from "./support/engine_place.ts";
import { FaultSession, lay, noise, RATE, sum, TURN } from "./support/fault_session.ts";
import { until } from "./support/wait.ts";

async function sh(script: string, ...args: string[]): Promise<void> {
  const { success } = await new Deno.Command("sh", { args: ["-c", script, ...args] }).output();
  assertEquals(success, true);
}

Deno.test("files that are linked, moved away and back or given another mode are the same sound, and are read on", async () => {
  await using place = await EnginePlace.make();
  await using opened = await place.open({ sampleRate: RATE });
  const session = new FaultSession(opened.engine, opened.notices);
  const { engine, native } = session;
  const names = ["untouched", "linked", "moved", "mode"];
  const sounds = names.map((_, i) => noise(i + 1));
  const assets: Asset[] = [];
  for (const [i, name] of names.entries()) {
    await Deno.writeFile(`${place.library}/${name}.wav`, sounds[i].wav);
    const asset = await session.add(`${place.library}/${name}.wav`);
    assets.push(asset);
    engine.timeline.edit(lay(name, asset, i === 0 ? "left" : "right"), {}, ME);
  }
  const isThere = () => assets.every((asset) => session.isResident(asset));
  await until(isThere, "all is there");
  session.play(120);
  await session.rendered(TURN);
  const at = (name: string) => `${place.library}/${name}.wav`;
  await sh('ln "$0" "$1"', at("linked"), `${place.base}/second name`);
  await sh('mv "$0" "$1" && mv "$1" "$0"', at("moved"), `${place.base}/away`);
  await sh('chmod 600 "$0"', at("mode"));
  await session.rendered(TURN);
  const before = await session.stop();
  // What is in memory is heard on. What has to be read again is read, though the files' times of change are others.
  native.symbols.lp_store_drop(native.engine);
  await until(isThere, "all is there again");
  session.play(120);
  await session.rendered(2 * TURN);
  const after = await session.stop();
  const right = sum(sounds.slice(1).map(({ floats }) => floats));
  assertEquals(before.difference("left", sounds[0].floats), -1);
  assertEquals(before.difference("right", right), -1);
  assertEquals(after.difference("left", sounds[0].floats), -1);
  // A file that is opened anew goes over into itself, which rounds: that may be heard at the begin.
  assertEquals(after.difference("right", right, after.frames - TURN), -1);
  const { counters } = session.diagnostics();
  assertEquals([counters.missing, counters.faded], [0, 0]);
  const { assets: known } = engine.assets.list({});
  assertEquals(known.map(({ generation }) => generation), [1, 1, 1, 1], "none is another file");
});
