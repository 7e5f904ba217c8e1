import { assert, assertEquals } from "@std/assert";
import { needs } from "./needs.ts";

Deno.test({
  name:
    "where no audio system answers, listing and opening say so by their results and print nothing",
  ...needs("pulseaudio", "jack"),
  fn: async () => {
    const folder = await Deno.makeTempDir();
    try {
      const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: [
          "run",
          "--quiet",
          "--no-prompt",
          "--allow-read",
          "--allow-write",
          "--allow-env",
          `--allow-ffi=${Deno.env.get("LOOPHOLE_NATIVE")}`,
          new URL("./support/quiet_list_child.ts", import.meta.url).pathname,
        ],
        env: {
          PULSE_SERVER: `unix:${folder}/nowhere`,
          JACK_DEFAULT_SERVER: `nobody-${crypto.randomUUID().slice(0, 8)}`,
          // A card that is not there: libasound has much to say of that.
          ALSA_CARD: "nothing",
        },
      }).output();
      const words = new TextDecoder().decode(stderr);
      assertEquals([success, words], [true, ""]);
      const { listed, refused } = JSON.parse(new TextDecoder().decode(stdout));
      assert(listed.includes("null"), `${listed}`);
      assert(!listed.includes("jack") && !listed.includes("pulseaudio"), `${listed}`);
      assert(refused.includes("pulseaudio") && refused.includes("jack"), `${refused}`);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
