import { assert, assertEquals } from "@std/assert";
import { MachineWatch, mostStoodStill } from "./support/machine_watch.ts";

Deno.test("16 tracks of 320 files with three pages a track and 256 file descriptors: every gap is counted", async () => {
  const child = new URL("./support/small_budget_child.ts", import.meta.url).pathname;
  const library = Deno.env.get("LOOPHOLE_NATIVE") ?? "";
  const command = [
    Deno.execPath(),
    "run",
    "--no-prompt",
    "--allow-read",
    "--allow-write",
    "--allow-env",
    `--allow-ffi=${library}`,
    child,
  ].map((word) => `'${word}'`).join(" ");
  const watch = await MachineWatch.start();
  const { code, stdout, stderr } = await new Deno.Command("sh", {
    args: ["-c", `ulimit -n 256 && exec ${command}`],
    stdout: "piped",
    stderr: "piped",
  }).output();
  const stoodStill = mostStoodStill(await watch.stop(), 1000);
  assertEquals(code, 0, new TextDecoder().decode(stderr));
  const result = JSON.parse(new TextDecoder().decode(stdout));
  const told = JSON.stringify(result);
  assert(result.openFiles <= 128, told);
  assert(result.evictions > 0, told);
  // A frame of the mix is wrong only where a voice was missing or faded, and each such voice-frame is counted, on its track too.
  assert(result.wrong <= result.missing + result.faded, told);
  assertEquals(result.wrong > 0, result.missing + result.faded > 0, told);
  assertEquals(result.byTrack, result.missing + result.faded, told);
  // Most of it is there all the same. Three pages last for a third of a second: a machine that stands still for as long has none.
  assert(result.wrong < result.frames / 2 || stoodStill > 100, told);
});
