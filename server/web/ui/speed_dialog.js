// @ts-check
import { duration } from "../model/format.js";
import { pipelineText } from "../model/pipelines.js";
import { changeSpeed, LEAST_RATE, MOST_RATE, percent, SPEED_MODES } from "../model/speed.js";
import { byId, h, setText } from "./dom.js";

/** @import { App } from "../app.js" */
/** @import { ChangedClip } from "../client/types.js" */
/** @import { SpeedChange } from "../model/speed.js" */

const PRESETS = [0.5, 0.75, 1, 1.25, 1.5, 2];

/**
 * The speed of the selected clips: how fast, what becomes of the pitch, and which way. Where they differ a field is empty, and what is
 * left empty stays as it is.
 */
export class SpeedDialog {
  #dialog = byId("speed", HTMLDialogElement);
  #form = byId("speed-form", HTMLFormElement);
  #rate = byId("speed-rate", HTMLInputElement);
  #mode = byId("speed-mode", HTMLSelectElement);
  #reverse = byId("speed-reverse", HTMLInputElement);
  #ripple = byId("speed-ripple", HTMLInputElement);
  #length = byId("speed-length", HTMLElement);
  #state = byId("speed-state", HTMLElement);
  /** @type {ChangedClip[]} */
  #clips = [];

  /** @param {App} app */
  constructor(app) {
    this.app = app;
    for (const [mode, text] of SPEED_MODES) this.#mode.append(new Option(text, mode));
    byId("speed-presets", HTMLElement).append(...PRESETS.map((rate) =>
      h("button", {
        type: "button",
        onclick: () => {
          this.#rate.value = String(rate * 100);
          this.#show();
        },
      }, percent(rate))
    ));
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#apply();
    });
    this.#form.addEventListener("input", () => this.#show());
    byId("speed-cancel", HTMLButtonElement).addEventListener("click", () => this.#dialog.close());
    app.session.on("pipeline", () => this.#dialog.open && this.#showState());
  }

  open() {
    const { session, selection } = this.app;
    this.#clips = selection.clips(session.mirror).map((clip) => ({ ...clip }));
    const [first] = this.#clips;
    if (first === undefined) return;
    const all = (/** @type {(clip: ChangedClip) => unknown} */ what) =>
      this.#clips.every((clip) => what(clip) === what(first));
    const sameRate = all(({ rate }) => rate);
    this.#rate.value = sameRate ? String(Number((first.rate * 100).toFixed(3))) : "";
    this.#rate.placeholder = sameRate ? "" : "different";
    this.#mode.value = all(({ speedMode }) => speedMode) ? first.speedMode : "";
    const backwards = this.#clips.filter(({ reverse }) => reverse).length;
    this.#reverse.checked = backwards === this.#clips.length;
    this.#reverse.indeterminate = backwards > 0 && backwards < this.#clips.length;
    this.#show();
    this.#showState();
    this.#dialog.showModal();
    this.#rate.select();
  }

  /** @returns {number | null | undefined} what is asked for; undefined: nothing; null: no speed */
  get #wanted() {
    const text = this.#rate.value.trim().replace(",", ".").replace(/\s*%$/, "");
    if (text === "") return undefined;
    const rate = Number(text) / 100;
    // As it was shown, it was not touched: what a hand has drawn has more digits.
    const [first] = this.#clips;
    if (String(Number((first.rate * 100).toFixed(3))) === text) return first.rate;
    return rate >= LEAST_RATE && rate <= MOST_RATE ? rate : null;
  }

  #show() {
    const rate = this.#wanted;
    const { sampleRate } = this.app.session;
    const seconds = (/** @type {number | undefined} */ rate) =>
      this.#clips.reduce(
        (sum, clip) => sum + clip.lengthFrames * (rate === undefined ? 1 : clip.rate / rate),
        0,
      ) / sampleRate;
    this.#rate.setCustomValidity(
      rate === null
        ? `From ${percent(LEAST_RATE)} to ${percent(MOST_RATE)}: that is what the engine plays.`
        : "",
    );
    if (rate === null) return setText(this.#length, this.#rate.validationMessage);
    const what = this.#clips.length === 1 ? "Length" : `${this.#clips.length} clips, together`;
    setText(this.#length, `${what} ${duration(seconds(undefined))} → ${duration(seconds(rate))}`);
  }

  #showState() {
    const { pipelines } = this.app.session;
    const states = this.#clips.flatMap((clip) => {
      const pipeline = pipelines.of(clip.clipId);
      const text = pipelineText(clip, pipeline);
      if (text === "") return [];
      return [
        pipeline?.error?.message ?? `The pitch follows the speed until that is done: ${text}.`,
      ];
    });
    setText(this.#state, [...new Set(states)].join(" "));
  }

  async #apply() {
    const rate = this.#wanted;
    if (rate === null) return void this.#rate.reportValidity();
    const { session, notices } = this.app;
    /** @type {SpeedChange} */
    const change = {};
    if (rate !== undefined) change.rate = rate;
    if (this.#mode.value !== "") {
      change.speedMode = /** @type {ChangedClip["speedMode"]} */ (this.#mode.value);
    }
    if (!this.#reverse.indeterminate) change.reverse = this.#reverse.checked;
    // What is there still, as it is now.
    const clips = this.#clips.flatMap(({ clipId }) => session.mirror.clip(clipId) ?? []);
    const edits = changeSpeed(session.mirror, clips, change, this.#ripple.checked);
    this.#dialog.close();
    if (edits === null) {
      notices.add({
        kind: "ripple.tooMany",
        tone: "warning",
        message: "More clips follow than can be moved at once through a crossfade.",
        advice: "Change the speed without moving what follows.",
      });
      return;
    }
    await session.edit(edits, { label: "Change speed" });
  }
}
