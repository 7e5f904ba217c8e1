import { DatabaseSync } from "node:sqlite";
import { assert, assertEquals } from "@std/assert";
import { ProjectStore } from "../engine/pulse/store/project_store.ts";
import { hashRequest } from "../engine/pulse/request_log.ts";
import { timelineOf } from "../engine/pulse/timeline_model.ts";
import { prng } from "./support/prng.ts";

const parent = { clientId: "parent" };
const RUNS = 100;
const CHILD = new URL("./support/edit_burst_child.ts", import.meta.url).pathname;
const CONFIG = new URL("../deno.json", import.meta.url).pathname;

/** What the child said before it died: whole lines alone, as a client would have them. */
async function burst(dataDir: string, seed: number, liveMs: number): Promise<string[]> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--no-check",
      "--cached-only",
      `--config=${CONFIG}`,
      "--allow-read",
      "--allow-write",
      CHILD,
      dataDir,
      String(seed),
    ],
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let text = "";
  let timer: ReturnType<typeof setTimeout> | undefined;
  const decoder = new TextDecoder();
  const errors = new Response(child.stderr).text();
  for await (const bytes of child.stdout) {
    text += decoder.decode(bytes, { stream: true });
    // From the second edit on, so that however slow the machine is there is something to lose.
    if (text.split("\n").length > 3) timer ??= setTimeout(() => child.kill("SIGKILL"), liveMs);
  }
  clearTimeout(timer);
  const { signal } = await child.status;
  assertEquals(signal, "SIGKILL", await errors);
  await errors;
  return text.split("\n").slice(0, -1);
}

/** Kills one project's engine again and again; gives how many edits it acknowledged. */
async function lane(seed: number, runs: number): Promise<number> {
  const dataDir = await Deno.makeTempDir();
  const random = prng(seed);
  let acknowledged = 0;
  try {
    for (let run = 0; run < runs; run++) {
      const lines = await burst(dataDir, seed * 1_000 + run, random.int(120));
      const [, last, hash] = lines.at(-1)!.split(" ");
      acknowledged += lines.length - 1;

      await using store = ProjectStore.open({ dataDir });
      const { file, recovery, skipped } = await store.openLast();
      assertEquals([recovery, skipped], [null, null]);
      const { timeline } = file;
      const more = timeline.revision - Number(last);
      // One more may have been kept whose answer the death cut off: undone, it leaves what was acknowledged.
      assert(more === 0 || more === 1, `revision ${timeline.revision} after ${last}`);
      if (more === 1) {
        const { cause } = lastEntry(file.path);
        if (cause === "undo") timeline.redo({}, parent);
        else timeline.undo({}, parent);
      }
      assertEquals(hashRequest(timelineOf(timeline.model)), hash, `run ${run}`);
    }
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
  return acknowledged;
}

Deno.test(`kill -9 in a burst of edits, ${RUNS} times: every acknowledged edit is there`, async () => {
  // Two at a time: most of the time is the children's start.
  const counts = await Promise.all([lane(1, RUNS / 2), lane(2, RUNS / 2)]);
  const acknowledged = counts[0] + counts[1];
  assert(acknowledged >= 2 * RUNS, `${acknowledged} acknowledged edits`);
});

/** The cause of the newest entry in a project's journal. */
function lastEntry(path: string): { cause: string } {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const row = database.prepare("SELECT cause FROM journal ORDER BY revision DESC LIMIT 1").get();
    return { cause: row!.cause as string };
  } finally {
    database.close();
  }
}
