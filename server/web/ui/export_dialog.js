// @ts-check
import { decibels, duration } from "../model/format.js";
import { byId, setText } from "./dom.js";

/** @import { App } from "../app.js" */
/** @import { Job } from "../client/types.js" */

/** Formats by the engine's names, the usual one first. */
const FORMATS = [["s24", "WAV, 24 bit"], ["s16", "WAV, 16 bit, dithered"], [
  "f32",
  "WAV, 32 bit float",
]];

/**
 * Renders the timeline to a file: name, format, range, progress, and the file at the end.
 */
export class ExportDialog {
  #dialog = byId("export", HTMLDialogElement);
  #form = byId("export-form", HTMLFormElement);
  #name = byId("export-name", HTMLInputElement);
  #format = byId("export-format", HTMLSelectElement);
  #range = byId("export-range", HTMLSelectElement);
  #replace = byId("export-replace", HTMLInputElement);
  #progress = byId("export-progress", HTMLProgressElement);
  #state = byId("export-state", HTMLElement);
  #start = byId("export-start", HTMLButtonElement);
  #cancel = byId("export-cancel", HTMLButtonElement);
  #link = byId("export-link", HTMLAnchorElement);
  /** @type {string | null} */
  #jobId = null;

  /** @param {App} app */
  constructor(app) {
    this.app = app;
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#render();
    });
    this.#cancel.addEventListener("click", () => {
      if (this.#jobId === null) this.#dialog.close();
      else app.session.ask("job.cancel", { jobId: this.#jobId }, "cancel the export");
    });
    app.session.on("jobs", (job) => this.#follow(job));
    app.session.on("connected", (connected) => {
      if (!connected && this.#jobId !== null) this.#finished("The connection was lost.");
    });
  }

  open() {
    const { mirror, hello } = this.app.session;
    if (this.#format.length === 0) this.#offerFormats();
    if (this.#name.value === "") this.#name.value = `${plain(hello?.project.name ?? "")}.wav`;
    const hasRange = mirror.ioPoints !== null;
    for (const option of this.#range.options) {
      if (option.value === "io") option.disabled = !hasRange;
    }
    if (!hasRange) this.#range.value = "all";
    this.#start.disabled = this.#jobId !== null || mirror.clipCount === 0;
    if (mirror.clipCount === 0) setText(this.#state, "The timeline is empty.");
    this.#dialog.showModal();
    this.#name.setSelectionRange(0, Math.max(0, this.#name.value.length - 4));
  }

  #offerFormats() {
    const { render } = /** @type {{ render?: { sampleFormats?: string[] } }} */ (this.app.session
      .hello?.capabilities ?? {});
    for (const [value, text] of FORMATS) {
      if (render?.sampleFormats?.includes(value) ?? value !== "s16") {
        this.#format.append(new Option(text, value));
      }
    }
  }

  async #render() {
    const { session } = this.app;
    const { ioPoints } = session.mirror;
    const range = this.#range.value === "io" && ioPoints !== null
      ? { startFrame: ioPoints.inFrame, lengthFrames: ioPoints.outFrame - ioPoints.inFrame }
      : {};
    this.#link.hidden = true;
    this.#start.disabled = true;
    setText(this.#state, "Starting…");
    try {
      const { jobId } = await this.app.client.request("render.mixdown", {
        path: this.#fileName(),
        container: "wav",
        sampleFormat: this.#format.value,
        dither: this.#format.value === "s16",
        overwrite: this.#replace.checked,
        ...range,
      });
      this.#jobId = jobId;
      this.#progress.hidden = false;
      this.#progress.value = 0;
      setText(this.#state, "Rendering…");
      const known = session.jobs.get(jobId);
      if (known !== undefined) this.#follow(known);
    } catch (error) {
      const { code, message } = /** @type {{ code?: string, message: string }} */ (error);
      this.#finished(
        code === "export.exists"
          ? `${this.#fileName()} exists already: choose another name, or tick “Replace”.`
          : message,
      );
    }
  }

  #fileName() {
    const name = this.#name.value.trim();
    return /\.wav$/i.test(name) ? name : `${name}.wav`;
  }

  /** @param {Job} job */
  #follow(job) {
    if (job.jobId !== this.#jobId) return;
    this.#progress.value = job.progress;
    if (job.state === "running") {
      setText(this.#state, `Rendering… ${Math.round(job.progress * 100)} %`);
    }
    if (job.state === "failed") this.#finished(job.error?.message ?? "The export failed.");
    if (job.state === "cancelled") this.#finished("Cancelled; nothing was written.");
    if (job.state === "done") this.#done(job);
  }

  /** @param {Job} job */
  #done(job) {
    const { files } =
      /** @type {{ files: { path: string, url: string, lengthFrames: number, peakDb: number | null }[] }} */ (job
        .result);
    const [file] = files;
    const { session, authorize } = this.app;
    const length = duration(file.lengthFrames / session.sampleRate);
    this.#finished(`Done: ${length}, peak ${decibels(file.peakDb)} dBFS.`);
    this.#link.href = authorize(file.url);
    this.#link.hidden = false;
    setText(this.#link, `Download ${file.path.split(/[/\\]/).pop()}`);
    if (this.#dialog.open) return;
    this.app.notices.add({
      kind: "export.done",
      tone: "info",
      message: `Exported ${file.path}.`,
      link: { label: "Download", href: this.#link.href },
    });
  }

  /** @param {string} message */
  #finished(message) {
    this.#jobId = null;
    this.#progress.hidden = true;
    this.#start.disabled = false;
    setText(this.#state, message);
  }
}

/** @param {string} name a project's, as a file may be called */
function plain(name) {
  return name.replace(/[^\p{L}\p{N} _.-]+/gu, "").trim() || "mixdown";
}
