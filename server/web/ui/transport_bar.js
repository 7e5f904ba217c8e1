// @ts-check
import { kilohertz } from "../model/format.js";
import { writeTime } from "../model/time_format.js";
import { byId, setAttribute, setText } from "./dom.js";
import { drawStrip } from "./meter_strip.js";

/** @import { App } from "../app.js" */

/**
 * Play, position, master meter, device: the bar at the top.
 */
export class TransportBar {
  #play = byId("play", HTMLButtonElement);
  #playIcon = /** @type {SVGUseElement} */ (document.querySelector("#play use"));
  #loop = byId("loop", HTMLButtonElement);
  #undo = byId("undo", HTMLButtonElement);
  #redo = byId("redo", HTMLButtonElement);
  #time = byId("time", HTMLElement);
  #otherTime = byId("other-time", HTMLElement);
  #meter = byId("master-meter", HTMLCanvasElement);
  #clip = byId("master-clip", HTMLButtonElement);
  #project = byId("project-name", HTMLElement);
  #deviceName = byId("device-name", HTMLElement);
  #deviceDetail = byId("device-detail", HTMLElement);
  #device = byId("device", HTMLButtonElement);

  /** @param {App} app */
  constructor(app) {
    this.app = app;
    const { session } = app;
    session.on("transport", () => this.#transport());
    session.on("history", () => this.#history());
    session.on("device", () => this.#showDevice());
    session.on("project", () => this.#showProject());
    this.#clip.addEventListener("click", () => app.clearOverloads());
    this.#history();
  }

  /** @param {number} frame */
  showPosition(frame) {
    const { session: { mirror }, timeFormat } = this.app;
    const at = Math.floor(frame);
    setText(this.#time, writeTime(at, mirror, timeFormat));
    // The small line tells the other thing.
    const other = timeFormat === "samples" ? "auto" : "samples";
    setText(this.#otherTime, `${writeTime(at, mirror, other)}${other === "samples" ? " smp" : ""}`);
  }

  drawMeter() {
    const channels = this.app.session.meters.of("");
    drawStrip(this.#meter, channels, this.app.theme, "right");
    this.#clip.classList.toggle("lit", channels.some(({ clipped }) => clipped));
  }

  #transport() {
    const { transport } = this.app.session;
    const playing = transport?.state === "playing";
    setAttribute(this.#playIcon, "href", playing ? "#i-pause" : "#i-play");
    setAttribute(this.#play, "aria-label", playing ? "Pause" : "Play");
    setAttribute(this.#play, "aria-pressed", String(playing));
    setAttribute(this.#loop, "aria-pressed", String(transport?.loop.enabled ?? false));
  }

  #history() {
    this.#undo.disabled = !this.app.session.canUndo;
    this.#redo.disabled = !this.app.session.canRedo;
  }

  #showDevice() {
    const { device } = this.app.session;
    const silent = device === null || device.backend === "null";
    const lost = device !== null && device.state !== "running";
    setText(this.#deviceName, silent ? "No sound output" : device.name);
    setText(
      this.#deviceDetail,
      device === null
        ? "choose a device"
        : lost
        ? device.state
        : `${kilohertz(device.sampleRate)} · ${device.periodFrames} frames`,
    );
    this.#device.classList.toggle("lost", silent || lost);
    this.#device.title = device === null
      ? "No audio device is open: choose one"
      : `${device.name} (${device.backend}), period ${device.periodFrames} frames, latency ${
        Math.round((device.latencyFrames * 1000) / this.app.session.sampleRate)
      } ms`;
  }

  #showProject() {
    const name = this.app.session.hello?.project.name ?? "";
    setText(this.#project, name);
    document.title = name ? `${name} – Loophole` : "Loophole";
  }
}
