// @ts-check
import { analysedPart } from "../model/asset_book.js";
import { extent } from "../model/edits.js";
import { duration, kilohertz, stem } from "../model/format.js";
import { speedText } from "../model/speed.js";
import { writeTime } from "../model/time_format.js";
import { byId, setText } from "./dom.js";

/** @import { App } from "../app.js" */
/** @import { ConnectionState } from "../client/client.js" */

/**
 * The line at the bottom: connection, selection, size of the project.
 */
export class StatusBar {
  #connection = byId("connection", HTMLElement);
  #connectionText = byId("connection-text", HTMLElement);
  #selection = byId("selection-text", HTMLElement);
  #size = byId("size-text", HTMLElement);
  #imports = byId("import-text", HTMLElement);
  #importProgress = byId("import-progress", HTMLProgressElement);

  /** @param {App} app */
  constructor(app) {
    this.app = app;
    app.client.on("connection", (state) => this.#connected(state));
    app.session.on("timeline", () => this.update());
    app.session.on("assets", () => this.update());
  }

  update() {
    const { mirror, assets } = this.app.session;
    const clips = this.app.selection.clips(mirror);
    const range = extent(clips);
    const tracks = mirror.tracks.length;
    setText(
      this.#size,
      [
        kilohertz(mirror.sampleRate),
        counted(tracks, "track"),
        counted(mirror.clipCount, "clip"),
        duration(mirror.endFrame / mirror.sampleRate),
      ].join("  ·  "),
    );
    this.#showImports();
    if (range === null) return setText(this.#selection, "");
    const time = (/** @type {number} */ frame) => writeTime(frame, mirror, this.app.timeFormat);
    const [clip] = clips;
    const what = clips.length === 1
      ? clip.name ?? stem(assets.get(clip.assetId)?.path ?? "Clip")
      : `${clips.length} clips`;
    const length = time(range.endFrame - range.startFrame);
    const speed = clips.length === 1 ? speedText(clip) : "";
    setText(
      this.#selection,
      [what, `${time(range.startFrame)} – ${time(range.endFrame)}`, `(${length})`, speed]
        .filter(Boolean).join("   "),
    );
  }

  /** How far the analysis of all files together is. */
  #showImports() {
    const pending = this.app.session.assets.all.filter((asset) =>
      asset.type !== "transient" && asset.offlineStatus === "present" && analysedPart(asset) < 1
    );
    this.#imports.hidden = pending.length === 0;
    if (pending.length === 0) return;
    const length = pending.reduce((sum, { durationSeconds }) => sum + durationSeconds, 0);
    const done = pending.reduce(
      (sum, asset) => sum + analysedPart(asset) * asset.durationSeconds,
      0,
    );
    this.#importProgress.value = length > 0 ? done / length : 0;
    const [text] = this.#imports.getElementsByTagName("span");
    setText(text, `Analysing ${counted(pending.length, "file")}`);
  }

  /** @param {ConnectionState} state */
  #connected(state) {
    const texts = {
      connecting: "Connecting…",
      open: "Connected",
      closed: "Closed",
      waiting: "The engine does not answer. Trying again…",
      refused: "The engine refused this page",
    };
    this.#connection.dataset.state = state.state;
    setText(this.#connectionText, texts[state.state]);
    document.body.classList.toggle("offline", state.state !== "open");
  }
}

/**
 * @param {number} count
 * @param {string} what
 */
function counted(count, what) {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}
