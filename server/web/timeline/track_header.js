// @ts-check
import { LiveEdit } from "../model/live_edit.js";
import { decibels, panning } from "../model/format.js";
import { h, icon, setAttribute, setText } from "../ui/dom.js";
import { drawStrip } from "../ui/meter_strip.js";
import { shownKey } from "../ui/keys.js";
import { openMenu, openMenuAt } from "../ui/menu.js";
import { dragTrack } from "./track_drag.js";

/** @import { App } from "../app.js" */
/** @import { TrackHeader } from "../client/types.js" */

const FADER_FLOOR_DB = -60;

/**
 * A track's controls: name, mute, solo, gain, pan, meter.
 */
export class TrackHeaderView {
  /** @type {TrackHeader} */
  #track;
  /** What else is shown. */
  #state = "";
  #grabbed = false;

  /**
   * @param {App} app
   * @param {TrackHeader} track
   */
  constructor(app, track) {
    this.app = app;
    this.#track = track;
    this.name = h("input", {
      class: "track-name",
      "aria-label": "Track name",
      maxlength: 200,
      spellcheck: "false",
      readonly: true,
      title: "Double-click to rename; drag to move the track",
      ondblclick: () => this.#rename(),
      onblur: () => {
        this.name.readOnly = true;
        this.name.setSelectionRange(0, 0);
      },
      ondragstart: (/** @type {DragEvent} */ event) => event.preventDefault(),
      onchange: () => this.#set({ name: this.name.value.trim() || this.#track.name }),
      onkeydown: (/** @type {KeyboardEvent} */ event) => this.#nameKey(event),
    });
    this.mute = this.#toggle("M", "Mute", () => ({ mute: !this.#track.mute }));
    this.solo = this.#toggle("S", "Solo", () => ({ solo: !this.#track.solo }));
    this.solo.title = `Solo (${shownKey("Shift+S")}); with ${shownKey("Mod")} this track alone`;
    this.mute.title = `Mute (${shownKey("Shift+M")})`;
    // Shown where the track is left out alone: in most projects none is.
    this.apart = h("button", {
      class: "icon-button small apart",
      type: "button",
      title: `Ripple, ranges and splits leave this track alone (${shownKey("Shift+R")})`,
      hidden: true,
      onclick: () => app.scope.toggle(this.#track.trackId),
    }, icon("apart"));
    const menu = h("button", {
      class: "icon-button small",
      type: "button",
      "aria-label": "Track actions",
      "aria-haspopup": "menu",
      onclick: () => openMenu(menu, this.#actions()),
    }, icon("more"));
    this.gain = this.#slider("Gain", FADER_FLOOR_DB, 12, 0.1, 0, (value) => ({
      gainDb: /** @type {number} */ (value <= FADER_FLOOR_DB ? null : value),
    }));
    this.gainText = h("output", { class: "track-value" });
    this.pan = this.#slider("Pan", -1, 1, 0.01, 0, (value) => ({ pan: value }));
    this.panText = h("output", { class: "track-value" });
    this.meter = h("canvas", {
      class: "track-meter",
      "aria-hidden": "true",
      title: "Level in dBFS; red at the top: it was above full scale. Click to clear",
      onclick: () => app.clearOverloads(),
    });
    this.element = h(
      "div",
      {
        class: "track-header",
        role: "group",
        onpointerdown: (/** @type {PointerEvent} */ event) => {
          this.#select();
          dragTrack(app, this.element, this.#track.trackId, event);
        },
        oncontextmenu: (/** @type {MouseEvent} */ event) => {
          if (event.target === this.name && !this.name.readOnly) return;
          event.preventDefault();
          openMenuAt(event.clientX, event.clientY, this.#actions(), menu);
        },
      },
      h(
        "div",
        { class: "track-controls" },
        h("div", { class: "track-row" }, this.name, this.apart, this.mute, this.solo, menu),
        h("div", { class: "track-row track-gain" }, this.gain, this.gainText),
        h("div", { class: "track-row track-pan" }, this.pan, this.panText),
      ),
      this.meter,
    );
    this.update(track, 0);
  }

  /**
   * @param {TrackHeader} track
   * @param {number} index
   */
  update(track, index) {
    const { element, name, mute, solo, gain, pan } = this;
    const { selection, scope } = this.app;
    const selected = selection.trackId === track.trackId;
    const reached = scope.reaches(track.trackId);
    const state = `${index}/${selected}/${reached}`;
    // After an edit of one clip a thousand headers say what they said; what a person has moved or typed, and the engine has refused, goes back.
    const isShown = track === this.#track && state === this.#state && name.value === track.name &&
      gain.value === String(track.gainDb ?? FADER_FLOOR_DB) && pan.value === String(track.pan);
    if (isShown) return;
    this.#track = track;
    this.#state = state;
    setAttribute(element, "aria-label", `Track ${index + 1}: ${track.name}`);
    element.style.setProperty("--track-hue", `var(--hue-${index % 6})`);
    element.classList.toggle("selected", selected);
    if (name.readOnly) name.value = track.name;
    setAttribute(mute, "aria-pressed", String(track.mute));
    setAttribute(solo, "aria-pressed", String(track.solo));
    this.apart.hidden = reached;
    setAttribute(this.apart, "aria-label", `Let ripple, ranges and splits reach ${track.name}`);
    setAttribute(mute, "aria-label", `Mute ${track.name}`);
    setAttribute(solo, "aria-label", `Solo ${track.name}`);
    setAttribute(gain, "aria-label", `Gain of ${track.name}`);
    setAttribute(pan, "aria-label", `Pan of ${track.name}`);
    const gainDb = track.gainDb ?? FADER_FLOOR_DB;
    if (!this.#grabbed) {
      gain.value = String(gainDb);
      pan.value = String(track.pan);
    }
    const gainText = decibels(gainDb <= FADER_FLOOR_DB ? null : gainDb);
    setText(this.gainText, gainText);
    setText(this.panText, panning(track.pan));
    setAttribute(gain, "aria-valuetext", `${gainText} decibels`);
    setAttribute(pan, "aria-valuetext", panning(track.pan));
    gain.style.setProperty("--at", `${((gainDb - FADER_FLOOR_DB) / 72) * 100}%`);
    pan.style.setProperty("--at", `${(track.pan + 1) * 50}%`);
  }

  drawMeter() {
    drawStrip(this.meter, this.app.session.meters.of(this.#track.trackId), this.app.theme, "up");
  }

  #rename() {
    this.name.readOnly = false;
    this.name.focus();
    this.name.select();
  }

  /** @param {KeyboardEvent} event */
  #nameKey(event) {
    if (this.name.readOnly) {
      if (event.key !== "Enter" && event.key !== "F2") return;
      event.preventDefault();
      return this.#rename();
    }
    if (event.key === "Escape") this.name.value = this.#track.name;
    if (event.key === "Enter" || event.key === "Escape") this.name.blur();
  }

  #select() {
    this.app.selection.setTrack(this.#track.trackId);
  }

  /**
   * @param {string} letter
   * @param {string} title
   * @param {() => Partial<TrackHeader>} next
   */
  #toggle(letter, title, next) {
    return h("button", {
      class: `track-toggle toggle-${title.toLowerCase()}`,
      type: "button",
      title,
      onclick: (/** @type {MouseEvent} */ event) => {
        if (title === "Solo" && (event.ctrlKey || event.metaKey)) this.#soloAlone();
        else this.#set(next());
      },
    }, letter);
  }

  /**
   * @param {string} what
   * @param {number} min
   * @param {number} max
   * @param {number} step
   * @param {number} neutral where a double click puts it
   * @param {(value: number) => Partial<TrackHeader>} toSet
   */
  #slider(what, min, max, step, neutral, toSet) {
    let live = this.#live(what);
    const slider = h("input", {
      type: "range",
      min,
      max,
      step,
      class: `slider ${what.toLowerCase()}`,
    });
    slider.title = `${what}: double-click to reset`;
    const update = () => {
      const set = toSet(Number(slider.value));
      live.update([{ op: "track.set", trackId: this.#track.trackId, set }]);
    };
    slider.addEventListener("input", () => {
      this.#grabbed = true;
      update();
    });
    slider.addEventListener("change", () => {
      this.#grabbed = false;
      live = this.#live(what);
    });
    slider.addEventListener("dblclick", () => {
      slider.value = String(neutral);
      update();
      live = this.#live(what);
    });
    return slider;
  }

  /** @param {string} what */
  #live(what) {
    return new LiveEdit(
      (edits, options) => this.app.session.edit(edits, options),
      `Set ${what.toLowerCase()}`,
    );
  }

  /** @param {Partial<TrackHeader>} set */
  #set(set) {
    const [what] = Object.keys(set);
    const label = what === "name" ? "Rename track" : what === "mute" ? "Mute track" : "Solo track";
    this.app.session.edit([{ op: "track.set", trackId: this.#track.trackId, set }], { label });
  }

  #soloAlone() {
    const { session } = this.app;
    const alone = this.#track.trackId;
    const edits = session.mirror.tracks
      .filter(({ header }) => header.solo !== (header.trackId === alone))
      .map(({ header: { trackId } }) => ({
        op: /** @type {const} */ ("track.set"),
        trackId,
        set: { solo: trackId === alone },
      }));
    session.edit(edits, { label: "Solo track alone" });
  }

  /** @returns {import("../ui/menu.js").MenuItem[]} */
  #actions() {
    const { trackId } = this.#track;
    const { session, selection } = this.app;
    const index = session.mirror.tracks.findIndex(({ header }) => header.trackId === trackId);
    const move = (/** @type {number} */ toIndex) => () =>
      session.edit([{ op: "track.move", trackId, toIndex }], { label: "Move track" });
    const clips = session.mirror.track(trackId)?.clips.all() ?? [];
    return [
      { label: "Rename", keys: "Enter", run: () => this.#rename() },
      {
        label: "Select all its clips",
        run: () => selection.set(clips.map(({ clipId }) => clipId)),
        disabled: clips.length === 0,
      },
      { label: "Solo alone", run: () => this.#soloAlone() },
      {
        label: this.app.scope.reaches(trackId)
          ? "Leave out of ripple, ranges and splits"
          : "Let ripple, ranges and splits reach it",
        run: () => this.app.scope.toggle(trackId),
      },
      { label: "Move up", divided: true, run: move(index - 1), disabled: index <= 0 },
      {
        label: "Move down",
        run: move(index + 1),
        disabled: index >= session.mirror.tracks.length - 1,
      },
      {
        label: "Delete track",
        run: () => session.edit([{ op: "track.remove", trackId }], { label: "Delete track" }),
        danger: true,
        divided: true,
      },
    ];
  }
}
