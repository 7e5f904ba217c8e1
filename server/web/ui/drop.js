// @ts-check
import { isTimelineFile } from "../model/exchange.js";
import { byId } from "./dom.js";
import { DRAG_TYPE, draggedMedia } from "./drag_source.js";
import { droppedFiles } from "./dropped_files.js";

/** @import { App } from "../app.js" */

/** How long a file from the desktop is shown before anyone knows. */
const UNKNOWN_SECONDS = 10;

/**
 * Takes media from the side column and files from the desktop: on the lanes they are laid where they fall, anywhere else they only become
 * part of the project.
 *
 * @param {App} app
 */
export function acceptDrops(app) {
  const lanes = byId("lanes", HTMLElement);
  const { view, session } = app;
  let depth = 0;
  const over = (/** @type {boolean} */ on) => document.body.classList.toggle("file-over", on);

  addEventListener("dragenter", (event) => {
    if (!isFile(event)) return;
    depth++;
    over(true);
  });
  addEventListener("dragleave", (event) => {
    if (!isFile(event)) return;
    depth = Math.max(0, depth - 1);
    if (depth === 0) over(false);
  });
  addEventListener("dragover", (event) => {
    const inLanes = lanes.contains(/** @type {Node} */ (event.target));
    if (!isFile(event) && !(inLanes && isMedia(event))) return app.timeline.showGhost(null);
    event.preventDefault();
    if (event.dataTransfer !== null) event.dataTransfer.dropEffect = "copy";
    if (!inLanes) return app.timeline.showGhost(null);
    const media = draggedMedia();
    const { frame, trackIndex } = placeOf(event);
    const seconds = media?.durationSeconds ?? UNKNOWN_SECONDS;
    app.timeline.showGhost({
      frame,
      trackIndex,
      lengthFrames: seconds * session.sampleRate,
      label: media?.name ?? fileLabel(event),
    });
  });
  addEventListener("dragend", () => app.timeline.showGhost(null));
  addEventListener("drop", async (event) => {
    depth = 0;
    over(false);
    app.timeline.showGhost(null);
    const inLanes = lanes.contains(/** @type {Node} */ (event.target));
    const { frame, trackIndex } = placeOf(event);
    const trackId = session.mirror.tracks[trackIndex]?.header.trackId ?? "new";
    const place = { frame, trackId, onTracks: event.altKey };
    if (isFile(event)) {
      event.preventDefault();
      const { files: dropped, leftOut } = await droppedFiles(event.dataTransfer);
      const files = dropped.filter(({ name }) => !isTimelineFile(name));
      for (const file of dropped) if (isTimelineFile(file.name)) await app.exchange.take(file);
      if (leftOut > 0) {
        app.notices.add({
          kind: "drop.leftOut",
          tone: "info",
          message: `${leftOut} ${
            leftOut === 1 ? "file is" : "files are"
          } no audio by name, and left out.`,
        });
      }
      if (files.length === 0) return;
      const assets = await app.uploads.send(files);
      session.assets.putNew(assets);
      app.library.refresh();
      if (inLanes) await app.addAssets(assets.map(({ assetId }) => assetId), place);
      else app.sidebar.show("assets");
    } else if (isMedia(event) && inLanes) {
      event.preventDefault();
      const { path, assetId } = JSON.parse(event.dataTransfer?.getData(DRAG_TYPE) ?? "{}");
      const asset = session.assets.get(assetId);
      // What was only listed or heard is in no project yet.
      if (asset === undefined || asset.type === "transient") await app.addPaths([path], place);
      else await app.addAssets([assetId], place);
    }
  });

  /** @param {DragEvent} event */
  function placeOf(event) {
    const box = lanes.getBoundingClientRect();
    return {
      frame: Math.max(0, Math.round(view.frameAt(event.clientX - box.left))),
      trackIndex: view.trackIndexAt(event.clientY - box.top),
    };
  }
}

/** @param {DragEvent} event */
function isFile(event) {
  return event.dataTransfer?.types.includes("Files") ?? false;
}

/** @param {DragEvent} event */
function isMedia(event) {
  return event.dataTransfer?.types.includes(DRAG_TYPE) ?? false;
}

/** @param {DragEvent} event */
function fileLabel(event) {
  const count = event.dataTransfer?.items.length ?? 1;
  return count === 1 ? "Add file" : `Add ${count} files`;
}
