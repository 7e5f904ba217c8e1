/**
 * Two clients edit a project at random, with undos, redos and merged edits, until the process is killed. Each request is told on a line
 * before it is made and on another once it is acknowledged.
 *
 * Arguments: the data folder, a seed, the number of this life.
 *
 * @module
 */
import { EngineError, InvalidParams } from "../../engine/errors.ts";
import { ProjectStore } from "../../engine/pulse/store/project_store.ts";
import type { Changes, Edit } from "../../engine/pulse/types.ts";
import { prng } from "./prng.ts";
import { randomGesture, startIds } from "./random_edits.ts";

/** What the child tells of a request. */
export type StormLine =
  | { open: number }
  | { ask: StormRequest }
  | { done: StormRequest; revision: number; changes: Changes }
  | { refused: StormRequest };

export interface StormRequest {
  kind: "edit" | "undo" | "redo";
  clientId: string;
  edits: Edit[];
  options: { mergeKey?: string; label?: string };
}

const RANGE = { frames: 2_000, tracks: 3, clips: 60 };

if (import.meta.main) {
  const [dataDir, seed, life] = Deno.args;
  const random = prng(Number(seed) * 1_000 + Number(life));
  startIds(Number(life) * 1_000_000);
  const store = ProjectStore.open({ dataDir });
  const { file, recovery } = await store.openLast();
  if (recovery !== null) throw new Error(recovery.reason);
  const { timeline } = file;
  const out = new TextEncoder();
  const say = (line: StormLine) => {
    const bytes = out.encode(`${JSON.stringify(line)}\n`);
    for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
  };
  say({ open: timeline.revision });
  const keys = { ann: "k", bob: "k" };
  for (let step = 0;; step++) {
    const clientId = random.pick(["ann", "bob"] as const);
    if (random.chance(0.1)) keys[clientId] = `k${step}`;
    const dice = random.int(100);
    const kind = dice < 8 && timeline.canUndo
      ? "undo"
      : dice < 14 && timeline.canRedo
      ? "redo"
      : "edit";
    const request: StormRequest = {
      kind,
      clientId,
      edits: kind === "edit" ? randomGesture(random, timeline.get().timeline, RANGE) : [],
      options: random.chance(0.5) ? { mergeKey: keys[clientId], label: "drag" } : { label: "edit" },
    };
    say({ ask: request });
    try {
      const { edits, options } = request;
      const caller = { clientId };
      const { revision, changes } = kind === "edit"
        ? timeline.edit(edits, options, caller)
        : timeline[kind]({}, caller);
      say({ done: request, revision, changes });
    } catch (error) {
      if (!(error instanceof EngineError || error instanceof InvalidParams)) throw error;
      say({ refused: request });
    }
    // The file's own snapshots are too seldom for a life as short as this.
    if (random.chance(0.05)) file.save().catch(() => {});
    if (random.chance(0.2)) await new Promise((resolve) => setTimeout(resolve, 0));
  }
}
