// @ts-check
import { TrackHeaderView } from "./track_header.js";

/** @import { App } from "../app.js" */

/**
 * The column of track controls, in step with the lanes.
 */
export class TrackHeaders {
  /** @type {Map<string, TrackHeaderView>} */
  #views = new Map();

  /**
   * @param {App} app
   * @param {HTMLElement} list
   * @param {HTMLElement} footer stays below the last track
   */
  constructor(app, list, footer) {
    this.app = app;
    this.list = list;
    this.footer = footer;
  }

  update() {
    const { app, list, footer } = this;
    const tracks = app.session.mirror.tracks;
    const present = new Set(tracks.map(({ header }) => header.trackId));
    for (const [trackId, view] of this.#views) {
      if (present.has(trackId)) continue;
      view.element.remove();
      this.#views.delete(trackId);
    }
    tracks.forEach(({ header }, index) => {
      const view = this.#views.get(header.trackId) ?? new TrackHeaderView(app, header);
      this.#views.set(header.trackId, view);
      view.update(header, index);
      if (list.children[index] !== view.element) {
        list.insertBefore(view.element, list.children[index] ?? null);
      }
    });
    if (list.lastElementChild !== footer) list.append(footer);
    list.dataset.size = app.view.trackHeight < 64 ? "s" : app.view.trackHeight < 90 ? "m" : "l";
    list.style.setProperty("--track-height", `${app.view.trackHeight}px`);
  }

  scroll() {
    const transform = `translateY(${-this.app.view.scrollTop}px)`;
    if (this.list.style.transform === transform) return;
    this.list.style.transform = transform;
    this.app.metersChanged(); // Those that came into view.
  }

  drawMeters() {
    const { view, session } = this.app;
    session.mirror.tracks.forEach(({ header }, index) => {
      const y = view.yOf(index);
      if (y < view.height && y + view.trackHeight > 0) this.#views.get(header.trackId)?.drawMeter();
    });
  }
}
