import { assert, assertEquals } from "@std/assert";

Deno.test({
  name: "a null device of a process that stood still loses that time, as a real one does",
  ignore: Deno.build.os === "windows",
  async fn() {
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--no-prompt",
        "--allow-read",
        "--allow-env",
        `--allow-ffi=${Deno.env.get("LOOPHOLE_NATIVE") ?? ""}`,
        new URL("./support/null_device_child.ts", import.meta.url).pathname,
      ],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    assertEquals((await lines.read()).value, "running\n");
    child.kill("SIGSTOP");
    const stopped = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    const stoodMs = performance.now() - stopped;
    child.kill("SIGCONT");
    await child.stdin.close();
    let told = "";
    for (let part = await lines.read(); !part.done; part = await lines.read()) told += part.value;
    assertEquals((await child.status).success, true);
    const { frames, elapsedMs } = JSON.parse(told);
    // A fifth of a second is made up for, and the device begins with its buffer. A slow machine renders less, never more.
    const most = (elapsedMs - stoodMs + 200 + 50) * 48;
    assert(
      frames <= most,
      `${frames} frames in ${elapsedMs} ms, ${stoodMs} of which it stood still`,
    );
  },
});
