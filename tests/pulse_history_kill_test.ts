/** The timeline and its undo history after kill -9, against a replay of what was acknowledged. */
import { assert, assertEquals } from "@std/assert";
import { applyChanges } from "../engine/pulse/apply_changes.ts";
import { ProjectStore } from "../engine/pulse/store/project_store.ts";
import type { Timeline } from "../engine/pulse/types.ts";
import type { StormLine, StormRequest } from "./support/edit_storm_child.ts";
import { NaiveHistory } from "./support/naive_history.ts";
import { prng } from "./support/prng.ts";

const CHILD = new URL("./support/edit_storm_child.ts", import.meta.url).pathname;
const CONFIG = new URL("../deno.json", import.meta.url).pathname;
const parent = { clientId: "parent" };

/** All that a child told before it was killed: whole lines alone. It is killed once it has told of `count` answers. */
async function storm(
  dataDir: string,
  seed: number,
  life: number,
  count: number,
): Promise<StormLine[]> {
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
      String(life),
    ],
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const errors = new Response(child.stderr).text();
  const decoder = new TextDecoder();
  let text = "";
  let answers = 0;
  for await (const bytes of child.stdout) {
    const more = decoder.decode(bytes, { stream: true });
    text += more;
    answers += more.split(`{"done"`).length - 1;
    if (answers >= count) {
      try {
        child.kill("SIGKILL");
      } catch { /* it is gone already */ }
    }
  }
  const { signal } = await child.status;
  assertEquals(signal, "SIGKILL", await errors);
  await errors;
  return text.split("\n").slice(0, -1).map((line) => JSON.parse(line));
}

/** What was acknowledged so far, replayed on plain arrays. */
class Replay {
  timeline: Timeline = { sampleRate: 48_000, tracks: [] };
  revision = 0;
  readonly history = new NaiveHistory();
  isLastAnEdit = false;

  /** A request that led to `after`. */
  take({ kind, clientId, edits, options }: StormRequest, after: Timeline, name: string): void {
    this.isLastAnEdit = kind === "edit";
    if (kind === "edit") this.history.edit(clientId, edits, options, this.timeline, after);
    else assertEquals(after, this.history[kind](), `${name}: ${kind}`);
    this.timeline = after;
    this.revision++;
  }

  /** @returns the request whose answer is missing, if one is. */
  follow(lines: StormLine[], name: string): StormRequest | null {
    let pending: StormRequest | null = null;
    for (const line of lines) {
      if ("ask" in line) pending = line.ask;
      else if ("open" in line) assertEquals(line.open, this.revision, name);
      else {
        pending = null;
        if ("refused" in line || line.revision === this.revision) continue;
        assertEquals(line.revision, this.revision + 1, name);
        this.take(line.done, applyChanges(this.timeline, line.changes), name);
      }
    }
    return pending;
  }
}

/** One project, killed and opened again; how many steps it was taken back and forth. */
async function lane(seed: number, lives: number): Promise<number> {
  const dataDir = await Deno.makeTempDir();
  const random = prng(seed);
  const replay = new Replay();
  const { history } = replay;
  let walked = 0;
  try {
    for (let life = 0; life < lives; life++) {
      const name = `seed ${seed}, life ${life}`;
      const pending = replay.follow(await storm(dataDir, seed, life, 1 + random.int(90)), name);

      await using store = ProjectStore.open({ dataDir });
      const { file, recovery, skipped } = await store.openLast();
      assertEquals([recovery, skipped], [null, null], name);
      const { timeline } = file;
      if (timeline.revision !== replay.revision) {
        // One more may have been kept whose answer the death cut off.
        assert(pending !== null && timeline.revision === replay.revision + 1, name);
        replay.take(pending, timeline.get().timeline, name);
      }
      assertEquals(timeline.get(), { timeline: replay.timeline, revision: replay.revision }, name);
      history.restart(replay.isLastAnEdit);
      const { entries, total } = timeline.history({ limit: 10_000 });
      assertEquals(
        entries.map(({ label, clientId, applied }) => [label, clientId, applied]),
        history.steps.map(({ label, clientId }, i) => [label, clientId, i < history.applied]),
        name,
      );
      assertEquals(total, history.steps.length);
      // Every second time the next life goes on at once, so that a drag goes on over the restart.
      if (life % 2 === 0 && life + 1 < lives) continue;
      const { applied } = history;
      let { revision } = replay;
      while (timeline.canUndo) {
        assertEquals(timeline.undo({}, parent).revision, ++revision);
        assertEquals(timeline.get().timeline, history.undo(), name);
        walked++;
      }
      assertEquals(timeline.get().timeline, { sampleRate: 48_000, tracks: [] });
      assertEquals(history.applied, 0);
      while (history.applied < applied || random.chance(0.5) && timeline.canRedo) {
        timeline.redo({}, parent);
        revision++;
        assertEquals(timeline.get().timeline, history.redo(), name);
        walked++;
      }
      Object.assign(replay, { timeline: timeline.get().timeline, revision, isLastAnEdit: false });
    }
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
  return walked;
}

Deno.test("kill -9 while two clients edit, undo, redo and drag: timeline and history are those of the acknowledged requests, step by step down to the empty timeline", async () => {
  const walked = await Promise.all([lane(1, 8), lane(2, 8)]);
  assert(walked[0] + walked[1] > 200, `${walked} steps`);
});
