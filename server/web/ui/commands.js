// @ts-check
import {
  changeGain,
  deleteRange,
  duplicate,
  extent,
  liftDelete,
  nextCut,
  nextTrackName,
  nudge,
  paste,
  rippleDelete,
  splitAt,
  toggleFadeShape,
  trimTo,
} from "../model/edits.js";
import { segmentOf } from "../model/groups.js";
import { newId } from "../model/ids.js";
import { nextTimeFormat } from "../model/time_format.js";
import { shownKey } from "./keys.js";
import { SEGMENT_COMMANDS } from "./segment_commands.js";

/** @import { App } from "../app.js" */
/** @import { ChangedClip } from "../client/types.js" */

/**
 * @typedef {object} Command
 * @property {string} id
 * @property {string} title
 * @property {string} group heading in the keyboard help
 * @property {string[]} keys as `keyName` writes them; the first is shown
 * @property {(app: App) => unknown} run
 * @property {(app: App) => boolean} [ready] false: there is nothing that it could do
 */

const ZOOM = 1.6;
/** Groups whose commands build on what the one before did. */
const ORDERED = new Set(["Editing", "Segments", "Trimming", "Ranges", "Selection", "Tracks"]);

/** @type {Command[]} everything that a key or a button can do */
export const COMMANDS = [
  {
    id: "transport.toggle",
    title: "Play or pause",
    group: "Playback",
    keys: ["Space"],
    run: ({ session }) => session.transport?.state === "playing" ? session.pause() : session.play(),
  },
  {
    id: "transport.stop",
    title: "Stop, back to where play began",
    group: "Playback",
    keys: ["Shift+Space", "."],
    run: ({ session }) => session.stop(),
  },
  {
    id: "transport.start",
    title: "To the beginning",
    group: "Playback",
    keys: ["Home"],
    run: (app) => goTo(app, 0),
  },
  {
    id: "transport.end",
    title: "To the end",
    group: "Playback",
    keys: ["End"],
    run: (app) => goTo(app, app.session.mirror.endFrame),
  },
  {
    id: "transport.back",
    title: "A ruler step back",
    group: "Playback",
    keys: ["ArrowLeft"],
    run: (app) => step(app, -1),
  },
  {
    id: "transport.forward",
    title: "A ruler step on",
    group: "Playback",
    keys: ["ArrowRight"],
    run: (app) => step(app, 1),
  },
  {
    id: "transport.backMore",
    title: "Five steps back",
    group: "Playback",
    keys: ["Shift+ArrowLeft"],
    run: (app) => step(app, -5),
  },
  {
    id: "transport.forwardMore",
    title: "Five steps on",
    group: "Playback",
    keys: ["Shift+ArrowRight"],
    run: (app) => step(app, 5),
  },
  {
    id: "transport.previousCut",
    title: "To the cut before",
    group: "Playback",
    keys: ["ArrowUp"],
    run: (app) => toCut(app, -1),
  },
  {
    id: "transport.nextCut",
    title: "To the next cut",
    group: "Playback",
    keys: ["ArrowDown"],
    run: (app) => toCut(app, 1),
  },
  {
    id: "range.loop",
    title: "Loop selection or range, on and off",
    group: "Ranges",
    keys: ["L"],
    run: toggleLoop,
  },
  { id: "edit.split", title: "Split at the playhead", group: "Editing", keys: ["S"], run: split },
  {
    id: "edit.deleteRipple",
    title: "Delete and close the gap",
    group: "Editing",
    keys: ["Delete", "Backspace"],
    run: (app) => remove(app, true),
  },
  {
    id: "edit.deleteLift",
    title: "Delete and leave the gap",
    group: "Editing",
    keys: ["Shift+Delete", "Shift+Backspace"],
    run: (app) => remove(app, false),
  },
  {
    id: "edit.duplicate",
    title: "Duplicate right after",
    group: "Editing",
    keys: ["Mod+D"],
    run: async ({ session, selection }) => {
      const { edits, clipIds } = duplicate(session.mirror, selection.clips(session.mirror));
      const { changes } = selection;
      if (!await session.edit(edits, { label: "Duplicate" })) return;
      if (selection.changes === changes) selection.set(clipIds);
    },
  },
  {
    id: "edit.copy",
    title: "Copy",
    group: "Editing",
    keys: ["Mod+C"],
    run: (app) => {
      const clips = app.selection.clips(app.session.mirror);
      if (clips.length > 0) app.clipboard = clips.map((clip) => ({ ...clip }));
    },
  },
  {
    id: "edit.paste",
    title: "Paste at the playhead",
    group: "Editing",
    keys: ["Mod+V"],
    run: async ({ session, selection, clipboard }) => {
      const { edits, clipIds } = paste(session.mirror, clipboard, session.frame);
      const { changes } = selection;
      if (!await session.edit(edits, { label: "Paste" })) return;
      if (selection.changes === changes) selection.set(clipIds);
    },
  },
  {
    id: "edit.earlier",
    title: "Move the selection a step back",
    group: "Editing",
    keys: ["Alt+ArrowLeft"],
    run: (app) => moveSelection(app, -1),
  },
  {
    id: "edit.later",
    title: "Move the selection a step on",
    group: "Editing",
    keys: ["Alt+ArrowRight"],
    run: (app) => moveSelection(app, 1),
  },
  {
    id: "edit.louder",
    title: "Selection 1 dB louder",
    group: "Editing",
    keys: ["Alt+ArrowUp"],
    run: (app) => gainSelection(app, 1),
  },
  {
    id: "edit.softer",
    title: "Selection 1 dB softer",
    group: "Editing",
    keys: ["Alt+ArrowDown"],
    run: (app) => gainSelection(app, -1),
  },
  {
    id: "edit.fadeShape",
    title: "Fades linear or equal power",
    group: "Trimming",
    keys: ["Shift+E"],
    run: ({ session, selection }) =>
      session.edit(toggleFadeShape(selection.clips(session.mirror)), {
        label: "Change fade shape",
      }),
  },
  {
    id: "edit.trimStart",
    title: "Trim the start to the playhead",
    group: "Trimming",
    keys: ["{"],
    run: (app) => trim(app, "start"),
  },
  {
    id: "edit.trimEnd",
    title: "Trim the end to the playhead",
    group: "Trimming",
    keys: ["}"],
    run: (app) => trim(app, "end"),
  },
  {
    id: "edit.undo",
    title: "Undo",
    group: "Editing",
    keys: ["Mod+Z"],
    ready: ({ session }) => session.canUndo,
    run: ({ session }) => session.undo(),
  },
  {
    id: "edit.redo",
    title: "Redo",
    group: "Editing",
    keys: ["Mod+Shift+Z", "Mod+Y"],
    ready: ({ session }) => session.canRedo,
    run: ({ session }) => session.redo(),
  },
  {
    id: "edit.selectAll",
    title: "Select all clips",
    group: "Selection",
    keys: ["Mod+A"],
    run: ({ session, selection }) =>
      selection.set(Array.from(session.mirror.clips(), ({ clipId }) => clipId)),
  },
  {
    id: "edit.deselect",
    title: "Select nothing",
    group: "Selection",
    keys: ["Escape"],
    run: (app) => {
      // The tool first: what is selected stays for the next one.
      if (app.tool !== "select") app.setTool("select");
      else app.selection.clear();
    },
  },
  {
    id: "edit.selectNext",
    title: "Select the next clip",
    group: "Selection",
    keys: ["]"],
    run: (app) => select(app, besides(app, 1)),
  },
  {
    id: "edit.selectPrevious",
    title: "Select the clip before",
    group: "Selection",
    keys: ["["],
    run: (app) => select(app, besides(app, -1)),
  },
  {
    id: "edit.selectBelow",
    title: "Select on the track below",
    group: "Selection",
    keys: ["PageDown"],
    run: (app) => select(app, across(app, 1)),
  },
  {
    id: "edit.selectAbove",
    title: "Select on the track above",
    group: "Selection",
    keys: ["PageUp"],
    run: (app) => select(app, across(app, -1)),
  },
  {
    id: "edit.addNext",
    title: "Add the next clip",
    group: "Selection",
    keys: ["Mod+]"],
    run: (app) => select(app, besides(app, 1), true),
  },
  {
    id: "edit.addPrevious",
    title: "Add the clip before",
    group: "Selection",
    keys: ["Mod+["],
    run: (app) => select(app, besides(app, -1), true),
  },
  {
    id: "edit.addBelow",
    title: "Add from the track below",
    group: "Selection",
    keys: ["Shift+PageDown"],
    run: (app) => select(app, across(app, 1), true),
  },
  {
    id: "edit.addAbove",
    title: "Add from the track above",
    group: "Selection",
    keys: ["Shift+PageUp"],
    run: (app) => select(app, across(app, -1), true),
  },
  {
    id: "range.in",
    title: "Set the in point",
    group: "Ranges",
    keys: ["I"],
    run: (app) => setIo(app, "in"),
  },
  {
    id: "range.out",
    title: "Set the out point",
    group: "Ranges",
    keys: ["O"],
    run: (app) => setIo(app, "out"),
  },
  {
    id: "range.fromSelection",
    title: "In and out around the selection",
    group: "Ranges",
    keys: ["Shift+I"],
    run: ({ session, selection }) => {
      const range = extent(selection.clips(session.mirror));
      if (range === null) return;
      const { startFrame: inFrame, endFrame: outFrame } = range;
      return session.edit([{ op: "io.set", inFrame, outFrame }], { label: "Set I/O points" });
    },
  },
  {
    id: "range.clear",
    title: "Clear the I/O points",
    group: "Ranges",
    keys: ["X"],
    ready: ({ session }) => session.mirror.ioPoints !== null,
    run: ({ session }) =>
      session.edit([{ op: "io.set", inFrame: null, outFrame: null }], {
        label: "Clear I/O points",
      }),
  },
  {
    id: "range.marker",
    title: "Add a marker",
    group: "Ranges",
    keys: ["M"],
    run: ({ session }) => {
      const name = String(session.mirror.markers.length + 1);
      const marker = { markerId: newId("marker"), frame: session.frame, name };
      session.edit([{ op: "marker.add", marker }], { label: "Add marker" });
    },
  },
  {
    id: "view.in",
    title: "Zoom in",
    group: "View",
    keys: ["+", "="],
    run: ({ timeline }) => timeline.zoom(ZOOM),
  },
  {
    id: "view.out",
    title: "Zoom out",
    group: "View",
    keys: ["-"],
    run: ({ timeline }) => timeline.zoom(1 / ZOOM),
  },
  {
    id: "view.fit",
    title: "Show everything",
    group: "View",
    keys: ["F"],
    run: ({ timeline }) => timeline.fit(),
  },
  {
    id: "view.selection",
    title: "Show the selection, or the range",
    group: "View",
    keys: ["Shift+F", "Z"],
    run: ({ session, selection, view, timeline }) => {
      const range = extent(selection.clips(session.mirror)) ?? ioRange(session);
      if (range === null) return;
      view.show(range.startFrame, range.endFrame);
      timeline.viewChanged();
    },
  },
  {
    id: "view.taller",
    title: "Taller tracks",
    group: "Tracks",
    keys: ["Alt++", "Alt+="],
    run: ({ timeline }) => timeline.resizeTracks(1),
  },
  {
    id: "view.flatter",
    title: "Flatter tracks",
    group: "Tracks",
    keys: ["Alt+-"],
    run: ({ timeline }) => timeline.resizeTracks(-1),
  },
  {
    id: "view.follow",
    title: "Follow the playhead, on and off",
    group: "View",
    keys: ["P"],
    run: (app) => app.setFollow(!app.follow),
  },
  {
    id: "view.snap",
    title: "Snap to cuts, on and off",
    group: "View",
    keys: ["N"],
    run: (app) => app.setSnapping(!app.snapping),
  },
  {
    id: "view.timeFormat",
    title: "Positions as time or as samples",
    group: "View",
    keys: ["T"],
    run: (app) => app.setTimeFormat(nextTimeFormat(app.timeFormat, app.session.mirror.frameRate)),
  },
  {
    id: "view.sidebar",
    title: "Show or hide the media",
    group: "View",
    keys: ["B"],
    run: (app) => app.toggleSidebar(),
  },
  {
    id: "view.diagnostics",
    title: "Diagnostics",
    group: "View",
    keys: ["D"],
    run: (app) => app.diagnostics.toggle(),
  },
  {
    id: "track.add",
    title: "Add a track",
    group: "Tracks",
    keys: ["Mod+Shift+T"],
    run: ({ session }) => {
      const track = { trackId: newId("track"), name: nextTrackName(session.mirror) };
      session.edit([{ op: "track.add", track }], { label: "Add track" });
    },
  },
  {
    id: "track.mute",
    title: "Mute the track, on and off",
    group: "Tracks",
    keys: ["Shift+M"],
    run: (app) => toggleTrack(app, "mute"),
  },
  {
    id: "track.solo",
    title: "Solo the track, on and off",
    group: "Tracks",
    keys: ["Shift+S"],
    run: (app) => toggleTrack(app, "solo"),
  },
  {
    id: "file.search",
    title: "Search the media",
    group: "Files",
    keys: ["Mod+K", "/"],
    run: (app) => app.searchMedia(),
  },
  {
    id: "file.export",
    title: "Export",
    group: "Files",
    keys: ["Mod+E"],
    run: (app) => app.openExport(),
  },
  {
    id: "file.import",
    title: "Import a timeline",
    group: "Files",
    keys: ["Mod+I"],
    run: (app) => app.exchange.open(),
  },
  {
    id: "help.keys",
    title: "This list",
    group: "Files",
    keys: ["?"],
    run: (app) => app.openHelp(),
  },
  ...SEGMENT_COMMANDS,
];

/** Commands by id, with what buttons and menus need to know of them. */
export class Commands {
  /** @type {Promise<unknown>} */
  #last = Promise.resolve();
  #byId = new Map(COMMANDS.map((command) => [command.id, command]));

  /** @param {App} app */
  constructor(app) {
    this.app = app;
  }

  /**
   * Edits wait for the one before, whose outcome they may build on; all else is done at once.
   *
   * @param {Command} command
   */
  run(command) {
    if (!ORDERED.has(command.group)) return void command.run(this.app);
    this.#last = this.#last.then(() => command.run(this.app)).catch(console.error);
  }

  /** Everything that there is, in the order of the help. */
  get all() {
    return COMMANDS;
  }

  /** @param {string} id */
  runById(id) {
    const command = this.#byId.get(id);
    if (command === undefined) throw new Error(`No such command: ${id}`);
    this.run(command);
  }

  /**
   * @param {string} keyName
   * @returns {Command | undefined}
   */
  forKey(keyName) {
    return COMMANDS.find(({ keys }) => keys.includes(keyName));
  }

  /**
   * @param {string[]} ids
   * @returns {import("./menu.js").MenuItem[]}
   */
  menu(ids) {
    return ids.flatMap((id) => {
      const command = this.#byId.get(id);
      if (command === undefined) return [];
      const [key] = command.keys;
      return [{
        label: command.title,
        keys: shownKey(key),
        run: () => this.run(command),
        disabled: command.ready?.(this.app) === false,
      }];
    });
  }

  /** Gives the page's buttons their action, name and key. */
  wire() {
    for (const button of document.querySelectorAll("[data-command]")) {
      if (!(button instanceof HTMLElement)) continue;
      const command = this.#byId.get(button.dataset.command ?? "");
      if (command === undefined) throw new Error(`No such command: ${button.dataset.command}`);
      const title = button.dataset.title ?? command.title;
      button.title = `${title} (${shownKey(command.keys[0])})`;
      if (!button.textContent?.trim()) button.setAttribute("aria-label", title);
      button.addEventListener("click", () => this.run(command));
    }
  }
}

/**
 * @param {App} app
 * @param {number} frame
 */
async function goTo(app, frame) {
  await app.session.seek(frame);
  app.timeline.reveal(frame);
}

/**
 * @param {App} app
 * @param {number} steps
 */
function step(app, steps) {
  const { stepFrames, parts } = app.grid;
  return goTo(app, Math.max(0, app.session.frame + (steps * stepFrames) / parts));
}

/**
 * @param {App} app
 * @param {number} steps
 */
function moveSelection({ session, selection, grid: { stepFrames, parts } }, steps) {
  const by = Math.round((steps * stepFrames) / parts);
  const edits = nudge(selection.clips(session.mirror), by);
  return session.edit(edits, {
    label: "Move clips",
    mergeKey: `nudge-${selection.clipIds.join()}`.slice(0, 100),
  });
}

/**
 * @param {App} app
 * @param {number} byDb
 */
function gainSelection({ session, selection }, byDb) {
  const edits = changeGain(selection.clips(session.mirror), byDb);
  return session.edit(edits, {
    label: "Change gain",
    mergeKey: `gain-${selection.clipIds.join()}`.slice(0, 100),
  });
}

/**
 * @param {App} app
 * @param {-1 | 1} direction
 */
function toCut(app, direction) {
  const frame = nextCut(app.session.mirror, app.session.frame, direction);
  return frame === null ? undefined : goTo(app, frame);
}

/** @param {App} app */
async function split(app) {
  const { session, selection, scope } = app;
  const { edits, rightIds } = splitAt(
    session.mirror,
    (clipId) => selection.has(clipId),
    session.frame,
    (trackId) => scope.reaches(trackId),
  );
  if (edits.length === 0) {
    app.notices.add({
      kind: "split.nothing",
      tone: "info",
      message: "There is no clip under the playhead to split.",
    });
    return;
  }
  const kept = selection.clipIds;
  const { changes } = selection;
  if (!await session.edit(edits, { label: "Split" })) return;
  // The part that goes on playing stays selected, unless somebody has selected something else meanwhile.
  if (selection.changes !== changes) return;
  selection.set(kept.map((clipId) => rightIds.get(clipId) ?? clipId));
}

/**
 * @param {App} app
 * @param {boolean} ripple
 */
async function remove(app, ripple) {
  const { session, selection, scope } = app;
  const clips = selection.clips(session.mirror);
  const io = session.mirror.ioPoints;
  if (clips.length > 0) {
    const own = clips.map(({ trackId }) => trackId);
    const edits = ripple
      ? rippleDelete(clips, scope.trackIds(session.mirror, own))
      : liftDelete(clips);
    const label = `${ripple ? "Delete" : "Lift"} ${
      clips.length === 1 ? "clip" : `${clips.length} clips`
    }`;
    // What goes is forgotten by the selection when it has gone.
    await session.edit(edits, { label });
  } else if (io !== null && io.outFrame > io.inFrame) {
    const range = { startFrame: io.inFrame, endFrame: io.outFrame };
    await session.edit([deleteRange(range, ripple, scope.trackIds(session.mirror))], {
      label: ripple ? "Delete range" : "Lift range",
    });
  } else {
    app.notices.add({
      kind: "delete.nothing",
      tone: "info",
      message: "Nothing is selected.",
      advice: "Click a clip, or set in and out points with I and O.",
    });
  }
}

/** @param {App} app */
function toggleLoop({ session, selection }) {
  const loop = session.transport?.loop;
  if (loop === undefined) return;
  if (loop.enabled) return session.setLoop({ ...loop, enabled: false });
  const { mirror } = session;
  const range = extent(selection.clips(mirror)) ??
    ioRange(session) ??
    (loop.endFrame > loop.startFrame ? loop : { startFrame: 0, endFrame: mirror.endFrame });
  if (range.endFrame <= range.startFrame) return;
  return session.setLoop({ enabled: true, startFrame: range.startFrame, endFrame: range.endFrame });
}

/**
 * @param {import("../model/session.js").Session} session
 * @returns {import("../model/edits.js").Range | null}
 */
function ioRange({ mirror: { ioPoints } }) {
  return ioPoints === null ? null : { startFrame: ioPoints.inFrame, endFrame: ioPoints.outFrame };
}

/**
 * The track that was chosen last.
 *
 * @param {App} app
 * @param {"mute" | "solo"} what
 */
function toggleTrack({ session, selection }, what) {
  const header = session.mirror.track(selection.trackId ?? "")?.header ??
    session.mirror.tracks[0]?.header;
  if (header === undefined) return;
  const edit = {
    op: /** @type {const} */ ("track.set"),
    trackId: header.trackId,
    set: { [what]: !header[what] },
  };
  return session.edit([edit], { label: what === "mute" ? "Mute track" : "Solo track" });
}

/**
 * @param {App} app
 * @param {"start" | "end"} side
 */
function trim({ session, selection }, side) {
  const edits = trimTo(session.mirror, (clipId) => selection.has(clipId), session.frame, side);
  return session.edit(edits, { label: "Trim to the playhead" });
}

/**
 * @param {App} app
 * @param {"in" | "out"} side
 */
function setIo({ session }, side) {
  const { mirror, frame } = session;
  const io = mirror.ioPoints;
  let inFrame = side === "in" ? frame : io?.inFrame ?? 0;
  let outFrame = side === "out" ? frame : io?.outFrame ?? mirror.endFrame;
  // A point beyond the other one begins a new range.
  if (side === "in" && outFrame <= inFrame) outFrame = Math.max(mirror.endFrame, inFrame + 1);
  if (side === "out" && inFrame >= outFrame) inFrame = 0;
  if (outFrame <= inFrame) return;
  return session.edit([{ op: "io.set", inFrame, outFrame }], { label: `Set ${side} point` });
}

/**
 * Selects the clip beside what is selected, with what is grouped with it.
 *
 * @param {App} app
 * @param {ChangedClip | undefined} clip
 * @param {boolean} [adds] what was selected stays so
 */
function select({ session, selection, timeline }, clip, adds = false) {
  if (clip === undefined) return;
  const segment = segmentOf(session.mirror, clip);
  if (adds) selection.set([...selection.clipIds, ...segment]);
  else selection.choose(clip.clipId, segment);
  selection.setTrack(clip.trackId);
  timeline.revealClip(clip.clipId);
}

/**
 * @param {App} app
 * @param {-1 | 1} direction
 * @returns {ChangedClip | undefined} the next on the track, or where nothing is selected the one at the playhead
 */
function besides({ session: { mirror, frame }, selection }, direction) {
  const selected = selection.clips(mirror);
  const trackId = selection.trackId ?? selected[0]?.trackId ?? mirror.tracks[0]?.header.trackId;
  const clips = mirror.track(trackId ?? "")?.clips.all() ?? [];
  const isSelected = (/** @type {ChangedClip} */ { clipId }) => selection.has(clipId);
  const at = direction > 0 ? clips.findLastIndex(isSelected) : clips.findIndex(isSelected);
  return at >= 0
    ? clips[at + direction]
    : clips.find(({ startFrame, lengthFrames }) => startFrame + lengthFrames > frame);
}

/**
 * @param {App} app
 * @param {-1 | 1} direction
 * @returns {ChangedClip | undefined} what lies nearest to the selection or the playhead on the next track that has anything
 */
function across({ session: { mirror, frame }, selection }, direction) {
  const { tracks } = mirror;
  const selected = selection.clips(mirror);
  const at = tracks.findIndex(({ header }) => header.trackId === selection.trackId);
  const place = selected.find(({ trackId }) => trackId === selection.trackId)?.startFrame ?? frame;
  const rest = direction > 0 ? tracks.slice(at + 1) : tracks.slice(0, Math.max(0, at)).reverse();
  const clips = rest.find(({ clips }) => clips.size > 0)?.clips.all() ?? [];
  return clips.find(({ startFrame, lengthFrames }) => startFrame + lengthFrames > place) ??
    clips.at(-1);
}
