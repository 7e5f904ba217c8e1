// @ts-check
/**
 * Commands of segments, ranges, trims and speeds.
 *
 * @module
 */
import { clipsAcross, deleteRange, insertSilence } from "../model/edits.js";
import {
  deleteSegments,
  group,
  orderOf,
  rippleTrimRange,
  splitClips,
  ungroup,
} from "../model/segments.js";
import { changeSpeed } from "../model/speed.js";
import { askText } from "./ask.js";

/** @import { App } from "../app.js" */
/** @import { ChangedClip } from "../client/types.js" */
/** @import { Command } from "./commands.js" */

const SLIP_MS = 10;

/** @type {Command[]} */
export const SEGMENT_COMMANDS = [
  {
    id: "segment.splitAll",
    title: "Split all tracks at the playhead",
    group: "Segments",
    keys: ["Alt+S"],
    run: ({ session, scope }) => {
      const clips = clipsAcross(session.mirror, session.frame)
        .filter(({ trackId }) => scope.reaches(trackId));
      return session.edit(splitClips(clips, session.frame), { label: "Split all tracks" });
    },
  },
  {
    id: "segment.group",
    title: "Group the selection",
    group: "Segments",
    keys: ["G"],
    ready: ({ selection }) => selection.size > 1,
    run: (app) => {
      const clips = selected(app);
      return app.session.edit(group(clips), { label: `Group ${clips.length} clips` });
    },
  },
  {
    id: "segment.ungroup",
    title: "Ungroup",
    group: "Segments",
    keys: ["Shift+G"],
    ready: (app) => selected(app).some(({ groupId }) => groupId !== undefined),
    run: (app) => app.session.edit(ungroup(selected(app)), { label: "Ungroup" }),
  },
  {
    id: "segment.delete",
    title: "Delete the segment and its gap",
    group: "Segments",
    keys: ["Alt+Delete", "Alt+Backspace"],
    ready: ({ selection }) => selection.size > 0,
    run: (app) => app.session.edit(deleteSegments(selected(app)), { label: "Delete segment" }),
  },
  {
    id: "segment.earlier",
    title: "Segment one place earlier",
    group: "Segments",
    keys: ["Alt+Shift+ArrowLeft"],
    ready: ({ selection }) => selection.size > 0,
    run: (app) => reorder(app, -1),
  },
  {
    id: "segment.later",
    title: "Segment one place later",
    group: "Segments",
    keys: ["Alt+Shift+ArrowRight"],
    ready: ({ selection }) => selection.size > 0,
    run: (app) => reorder(app, 1),
  },
  {
    id: "edit.razor",
    title: "Razor, on and off",
    group: "Segments",
    keys: ["C"],
    run: (app) => app.setTool(app.tool === "razor" ? "select" : "razor"),
  },
  {
    id: "edit.rippleStart",
    title: "Ripple trim up to the playhead",
    group: "Trimming",
    keys: ["Q"],
    run: (app) => rippleTrim(app, "start"),
  },
  {
    id: "edit.rippleEnd",
    title: "Ripple trim from the playhead",
    group: "Trimming",
    keys: ["W"],
    run: (app) => rippleTrim(app, "end"),
  },
  {
    id: "edit.slipBack",
    title: "Slip 10 ms earlier",
    group: "Trimming",
    keys: ["Alt+,"],
    run: (app) => slip(app, 1),
  },
  {
    id: "edit.slipOn",
    title: "Slip 10 ms later",
    group: "Trimming",
    keys: ["Alt+."],
    run: (app) => slip(app, -1),
  },
  {
    id: "edit.fadeInHere",
    title: "Fade in up to the playhead",
    group: "Trimming",
    keys: ["Alt+["],
    run: (app) => fadeTo(app, "in"),
  },
  {
    id: "edit.fadeOutHere",
    title: "Fade out from the playhead",
    group: "Trimming",
    keys: ["Alt+]"],
    run: (app) => fadeTo(app, "out"),
  },
  {
    id: "clip.speed",
    title: "Speed…",
    group: "Trimming",
    keys: ["R"],
    ready: ({ selection }) => selection.size > 0,
    run: (app) => app.openSpeed(),
  },
  {
    id: "clip.reverse",
    title: "Play backwards, on and off",
    group: "Trimming",
    keys: ["Alt+R"],
    ready: ({ selection }) => selection.size > 0,
    run: (app) => {
      const clips = selected(app);
      const reverse = !clips.every((clip) => clip.reverse);
      const edits = changeSpeed(app.session.mirror, clips, { reverse }, false) ?? [];
      return app.session.edit(edits, { label: reverse ? "Reverse" : "Play forwards" });
    },
  },
  {
    id: "range.play",
    title: "Play from in to out",
    group: "Ranges",
    keys: ["Shift+P"],
    ready: hasRange,
    run: ({ session }) => {
      const io = session.mirror.ioPoints;
      if (io !== null) return session.playRange(io.inFrame, io.outFrame);
    },
  },
  {
    id: "range.loopIo",
    title: "Loop from in to out",
    group: "Ranges",
    keys: ["Shift+L"],
    ready: hasRange,
    run: ({ session }) => {
      const io = session.mirror.ioPoints;
      if (io === null) return;
      return session.setLoop({ enabled: true, startFrame: io.inFrame, endFrame: io.outFrame });
    },
  },
  {
    id: "range.extract",
    title: "Delete in to out, close the gap",
    group: "Ranges",
    keys: ["'"],
    ready: hasRange,
    run: (app) => cutRange(app, true),
  },
  {
    id: "range.lift",
    title: "Delete in to out, leave the gap",
    group: "Ranges",
    keys: [";"],
    ready: hasRange,
    run: (app) => cutRange(app, false),
  },
  {
    id: "range.silence",
    title: "Insert silence",
    group: "Ranges",
    keys: ["H"],
    run: silence,
  },
  {
    id: "range.scope",
    title: "Track out of ripple and ranges",
    group: "Ranges",
    keys: ["Shift+R"],
    run: ({ session, selection, scope }) => {
      const trackId = selection.trackId ?? session.mirror.tracks[0]?.header.trackId;
      if (trackId !== undefined) scope.toggle(trackId);
    },
  },
];

/** @param {App} app @returns {ChangedClip[]} */
function selected({ selection, session }) {
  return selection.clips(session.mirror);
}

/** @param {App} app */
function hasRange({ session }) {
  return session.mirror.ioPoints !== null;
}

/**
 * @param {App} app
 * @param {-1 | 1} direction
 */
async function reorder(app, direction) {
  const [clip] = selected(app).toSorted((a, b) => a.startFrame - b.startFrame);
  if (clip === undefined) return;
  const { current, others } = orderOf(app.session.mirror, clip);
  const toIndex = current + direction;
  if (toIndex < 0 || toIndex > others.length) return;
  await app.session.edit([{ op: "segment.reorder", clipId: clip.clipId, toIndex }], {
    label: "Reorder",
  });
  app.timeline.revealClip(clip.clipId);
}

/**
 * @param {App} app
 * @param {"start" | "end"} side
 */
function rippleTrim(app, side) {
  const { session, selection, scope } = app;
  const range = rippleTrimRange(
    session.mirror,
    ({ clipId }) => selection.has(clipId),
    (trackId) => scope.reaches(trackId),
    session.frame,
    side,
  );
  if (range === null) {
    app.notices.add({
      kind: "ripple.nothing",
      tone: "info",
      message: "There is no clip under the playhead to cut.",
    });
    return;
  }
  return session.edit([deleteRange(range, true, scope.trackIds(session.mirror))], {
    label: side === "start" ? "Trim up to the playhead" : "Trim from the playhead",
  });
}

/**
 * @param {App} app
 * @param {-1 | 1} direction in the source
 */
function slip(app, direction) {
  const { session, selection } = app;
  const by = direction * Math.round((session.sampleRate * SLIP_MS) / 1000);
  const edits = selected(app).map(({ clipId, sourceFrame, reverse }) => ({
    op: /** @type {const} */ ("clip.slip"),
    clipId,
    sourceFrame: Math.max(0, sourceFrame + (reverse ? -by : by)),
  }));
  return session.edit(edits, {
    label: "Slip",
    mergeKey: `slip-${selection.clipIds.join()}`.slice(0, 100),
  });
}

/**
 * @param {App} app
 * @param {"in" | "out"} side
 */
function fadeTo(app, side) {
  const { session, selection } = app;
  const under = clipsAcross(session.mirror, session.frame);
  const chosen = under.filter(({ clipId }) => selection.has(clipId));
  const edits = (chosen.length > 0 ? chosen : under).map((clip) => {
    const inside = session.frame - clip.startFrame;
    const set = side === "in"
      ? { fadeInFrames: Math.min(inside, clip.lengthFrames - clip.fadeOutFrames) }
      : {
        fadeOutFrames: Math.min(clip.lengthFrames - inside, clip.lengthFrames - clip.fadeInFrames),
      };
    return { op: /** @type {const} */ ("clip.set"), clipId: clip.clipId, set };
  });
  return session.edit(edits, { label: side === "in" ? "Fade in" : "Fade out" });
}

/**
 * @param {App} app
 * @param {boolean} ripple
 */
function cutRange({ session, scope }, ripple) {
  const io = session.mirror.ioPoints;
  if (io === null) return;
  const range = { startFrame: io.inFrame, endFrame: io.outFrame };
  return session.edit([deleteRange(range, ripple, scope.trackIds(session.mirror))], {
    label: ripple ? "Delete range" : "Lift range",
  });
}

/** @param {App} app */
async function silence(app) {
  const { session, scope, view } = app;
  const { mirror } = session;
  const io = mirror.ioPoints;
  const insert = (/** @type {number} */ at, /** @type {number} */ length) =>
    session.edit([insertSilence(at, length, scope.trackIds(mirror))], { label: "Insert silence" });
  if (io !== null) return await insert(io.inFrame, io.outFrame - io.inFrame);
  const at = session.frame;
  const box = app.timeline.lanesElement.getBoundingClientRect();
  const x = box.left + Math.min(view.width, Math.max(0, view.xOf(at)));
  const text = await askText(x, box.top + 8, "Seconds of silence", "1");
  if (text === null || text === "") return;
  const frames = Math.round(Number(text.replace(",", ".")) * session.sampleRate);
  if (frames >= 1) return await insert(at, frames);
  app.notices.add({
    kind: "silence.length",
    tone: "error",
    message: `Could not insert silence: “${text}” is no number of seconds above 0.`,
  });
}
