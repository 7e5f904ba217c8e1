/**
 * The undo history done the plain way: whole timelines before and after each step. Written from API.md and DESIGN.md, sharing no code with the
 * engine's; what it is told of edits is what clients are told.
 *
 * @module
 */
import type { Edit, Timeline, Track } from "../../engine/pulse/types.ts";

interface NaiveStep {
  before: Timeline;
  after: Timeline;
  clientId: string;
  label: string;
  /** What it touched; `null`: anything, or unknown. */
  keys: Set<string> | null;
}

/** Steps over which another is moved, at most. */
const MOST = 16;

export class NaiveHistory {
  steps: NaiveStep[] = [];
  applied = 0;
  /** Each client's last step, if it had a key. */
  open = new Map<string, { mergeKey: string; step: NaiveStep }>();

  /** An edit that changed something. */
  edit(
    clientId: string,
    edits: readonly Edit[],
    { mergeKey, label = "" }: { mergeKey?: string; label?: string },
    before: Timeline,
    after: Timeline,
  ): void {
    const keys = touched(edits);
    const open = this.open.get(clientId);
    const known = open !== undefined && open.mergeKey === mergeKey ? open.step : undefined;
    const done = this.steps.slice(0, this.applied);
    let step = known !== undefined && this.#lift(done, known, keys) ? known : undefined;
    if (step === undefined) {
      step = { before, after, clientId, label, keys };
      done.push(step);
    } else {
      step.after = after;
      if (label !== "") step.label = label;
      step.keys = step.keys && keys && step.keys.union(keys);
    }
    this.steps = done;
    this.applied = done.length;
    if (mergeKey === undefined) this.open.delete(clientId);
    else this.open.set(clientId, { mergeKey, step });
  }

  undo(): Timeline {
    this.open.clear();
    return this.steps[--this.applied].before;
  }

  redo(): Timeline {
    this.open.clear();
    return this.steps[this.applied++].after;
  }

  /** The engine was started anew: it knows of the last step alone that it is open. */
  restart(isLastAnEdit: boolean): void {
    const last = this.steps[this.applied - 1];
    for (const [clientId, { step }] of this.open) {
      if (step !== last || !isLastAnEdit) this.open.delete(clientId);
    }
    for (const step of this.steps) step.keys = null;
  }

  /** Puts a step on top of those above it, if these touch nothing of it. */
  #lift(done: NaiveStep[], step: NaiveStep, more: Set<string> | null): boolean {
    const index = done.indexOf(step);
    if (index < 0 || done.length - 1 - index > MOST) return false;
    if (index === done.length - 1) return true;
    const above = done.slice(index + 1);
    const own = step.keys && more && step.keys.union(more);
    if (own === null || above.some(({ keys }) => !keys?.isDisjointFrom(own))) return false;
    let { before } = step;
    for (const other of above) {
      const after = without(other.after, step.before, step.keys!);
      Object.assign(other, { before, after });
      before = after;
    }
    step.before = before;
    done.splice(index, 1);
    done.push(step);
    return true;
  }
}

const SINGLE = ["clip.remove", "clip.set", "clip.move", "clip.trim", "clip.slip"];

function touched(edits: readonly Edit[]): Set<string> | null {
  const keys = new Set<string>();
  for (const edit of edits) {
    if (SINGLE.includes(edit.op) && "clipId" in edit) keys.add(`c:${edit.clipId}`);
    else if (edit.op === "clip.add" && edit.clip.clipId) keys.add(`c:${edit.clip.clipId}`);
    else if (edit.op === "track.set") keys.add(`t:${edit.trackId}`);
    else if (edit.op.startsWith("marker.")) keys.add("markers");
    else if (edit.op === "io.set") keys.add("io");
    else return null;
  }
  return keys;
}

/** `now` with what the keys name as it was in `then`. */
function without(now: Timeline, then: Timeline, keys: Set<string>): Timeline {
  const state = structuredClone(now);
  for (const key of keys) {
    if (key === "markers") {
      if (then.markers) state.markers = then.markers;
      else delete state.markers;
    } else if (key === "io") {
      if (then.ioPoints) state.ioPoints = then.ioPoints;
      else delete state.ioPoints;
    } else if (key.startsWith("t:")) {
      const was = then.tracks.find(({ trackId }) => `t:${trackId}` === key);
      const track = state.tracks.find(({ trackId }) => `t:${trackId}` === key);
      if (was && track) {
        delete track.meta;
        Object.assign(track, { ...was, clips: track.clips });
      }
    } else {for (const track of state.tracks) {
        track.clips = track.clips.filter(({ clipId }) => `c:${clipId}` !== key);
      }}
  }
  // In the order of the keys, each behind what starts with it.
  for (const key of keys) {
    for (const was of then.tracks) {
      const clip = was.clips.find(({ clipId }) => `c:${clipId}` === key);
      if (clip) putBack(state.tracks.find(({ trackId }) => trackId === was.trackId)!, clip);
    }
  }
  return state;
}

function putBack(track: Track, clip: Track["clips"][number]): void {
  const i = track.clips.findIndex(({ startFrame }) => startFrame > clip.startFrame);
  track.clips.splice(i < 0 ? track.clips.length : i, 0, clip);
}
