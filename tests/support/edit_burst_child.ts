/**
 * Edits a project as fast as it can and prints each acknowledged revision with a hash of the whole timeline, until it is killed.
 *
 * Arguments: the data folder, a seed.
 *
 * @module
 */
import { ProjectStore } from "../../engine/pulse/store/project_store.ts";
import { timelineOf } from "../../engine/pulse/timeline_model.ts";
import { hashRequest } from "../../engine/pulse/request_log.ts";
import type { Edit } from "../../engine/pulse/types.ts";
import { prng } from "./prng.ts";

const [dataDir, seed] = Deno.args;
const random = prng(Number(seed));
const store = ProjectStore.open({ dataDir });
const { file, recovery } = await store.openLast();
if (recovery !== null) {
  throw new Error(`lost ${recovery.lostRevisions.length} revisions: ${recovery.reason}`);
}
const { timeline } = file;
const out = new TextEncoder();
const caller = { clientId: `child ${seed}` };

function nextEdits(revision: number): Edit[] {
  const edits: Edit[] = [];
  const { tracks, markers } = timeline.model;
  if (tracks.length === 0) edits.push({ op: "track.add", track: { trackId: "t" } });
  if (markers.length > 20) edits.push({ op: "marker.remove", markerId: markers[0].markerId });
  edits.push({ op: "marker.add", marker: { markerId: `m${revision}`, frame: revision, name: "" } });
  const at = random.int(30_000);
  edits.push(
    random.chance(0.3)
      ? { op: "range.delete", startFrame: at, endFrame: at + 800, ripple: true, trackIds: ["t"] }
      : {
        op: "clip.add",
        trackId: "t",
        clip: { clipId: `c${revision}`, assetId: "a", startFrame: at, lengthFrames: 100 },
      },
  );
  return edits;
}

function say(word: string): void {
  const hash = hashRequest(timelineOf(timeline.model));
  Deno.stdout.writeSync(out.encode(`${word} ${timeline.revision} ${hash}\n`));
}

say("open");
for (;;) {
  const revision = timeline.revision + 1;
  if (random.chance(0.1) && timeline.canUndo) {
    timeline.undo({}, caller);
    say("undo");
  } else {
    timeline.edit(nextEdits(revision), {}, caller);
    say("edit");
  }
  // The file's own snapshots are too seldom for a life as short as this.
  if (revision % 32 === 0) file.save().catch(() => {});
  if (revision % 16 === 0) await new Promise((resolve) => setTimeout(resolve, 0));
}
