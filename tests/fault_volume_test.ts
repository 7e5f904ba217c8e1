import { assertEquals } from "@std/assert";
import { needs } from "./needs.ts";
import { FaultVolume, mountable } from "./support/fault_volume.ts";
import { until } from "./support/wait.ts";

const fuse = await mountable(needs("fuse"));

/** Reads a file by another process, that may be killed while it hangs. */
async function read(path: string): Promise<string> {
  const { code, stdout } = await new Deno.Command("sh", {
    args: ["-c", 'cat "$0" 2>&1 | cksum', path],
  }).output();
  return `${code} ${new TextDecoder().decode(stdout).trim()}`;
}

for (const direct of [true, false]) {
  const name =
    `the volume of our tests passes files through, and fails as it is told (direct ${direct})`;
  Deno.test({
    name,
    ...fuse(name),
    fn: async () => {
      const base = await Deno.makeTempDir();
      const [folder, place] = [`${base}/folder`, `${base}/place`];
      await Deno.mkdir(folder);
      await Deno.mkdir(place);
      const bytes = crypto.getRandomValues(new Uint8Array(50_000));
      await Deno.writeFile(`${folder}/a`, bytes);
      await Deno.writeFile(`${folder}/b`, bytes);
      await Deno.writeFile(`${folder}/short`, bytes.subarray(0, 20_000));
      const whole = await read(`${folder}/a`);
      const cut = await read(`${folder}/short`);
      try {
        await using volume = await FaultVolume.mount(folder, place, { direct, inodes: 1_000 });
        assertEquals(await read(`${place}/a`), whole);
        assertEquals(Deno.statSync(`${place}/a`).ino, Deno.statSync(`${folder}/a`).ino! + 1_000);
        await volume.set("a", { kind: "eio" });
        assertEquals(await read(`${place}/a`) === whole, false);
        assertEquals(await read(`${place}/b`), whole, "another file");
        await volume.set("a", { kind: "cut", value: 20_000 });
        assertEquals(await read(`${place}/a`), cut);
        assertEquals(Deno.statSync(`${place}/a`).size, 20_000);
        await volume.clear("a");
        if (direct) {
          // The system fills up with zeros what a read lacks that it keeps for others.
          await volume.set("a", { kind: "dribble", value: 777 });
          assertEquals(await read(`${place}/a`), whole);
          await volume.set("a", { kind: "end", value: 20_000 });
          assertEquals(await read(`${place}/a`), cut);
        }
        await volume.set("a", { kind: "hang" });
        const hanging = read(`${place}/a`);
        await until(async () => await volume.hung() > 0, "a read hangs");
        assertEquals(await read(`${place}/b`), whole, "another file");
        await volume.clear();
        assertEquals(await hanging, whole);
        await volume.set("b", { kind: "hang" });
        const lost = read(`${place}/b`);
        await until(async () => await volume.hung() > 0, "a read hangs");
        await volume.kill();
        assertEquals(await lost === whole, false, "what hung has failed");
        assertEquals([...Deno.readDirSync(place)], [], "nothing is mounted there any more");
      } finally {
        await Deno.remove(base, { recursive: true });
      }
    },
  });
}
