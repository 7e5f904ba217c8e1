// @ts-check
/** @import { App } from "../app.js" */

const THRESHOLD_PX = 4;

/**
 * Takes a track by its header to another place in the order; a line shows where it would go. Escape takes it back.
 *
 * @param {App} app
 * @param {HTMLElement} header
 * @param {string} trackId
 * @param {PointerEvent} down on the header; on one of its controls it is that control's
 */
export function dragTrack(app, header, trackId, down) {
  const { target } = down;
  if (down.button !== 0 || !(target instanceof Element)) return;
  if (target.closest("input:not([readonly]), button, canvas") !== null) return;
  const { view, session } = app;
  const from = session.mirror.tracks.findIndex(({ header }) => header.trackId === trackId);
  const top = header.getBoundingClientRect().top - view.yOf(from);
  const stop = new AbortController();
  const { signal } = stop;
  /** @type {number | null} gap between tracks, 0 above the first */
  let gap = null;
  addEventListener("pointermove", (event) => {
    if (gap === null) {
      if (Math.abs(event.clientY - down.clientY) < THRESHOLD_PX) return;
      // Not before: clicks go where the pointer is held.
      header.setPointerCapture(down.pointerId);
    }
    const place = (event.clientY - top + view.scrollTop) / view.trackHeight;
    gap = Math.min(view.trackCount, Math.max(0, Math.round(place)));
    header.classList.add("dragged");
    app.timeline.showTrackGap(gap);
  }, { signal });
  const end = () => {
    stop.abort();
    header.classList.remove("dragged");
    app.timeline.showTrackGap(null);
  };
  addEventListener("pointerup", () => {
    end();
    if (gap === null || gap === from || gap === from + 1) return;
    // Taken out first, so what lies below it is one less.
    const toIndex = gap > from ? gap - 1 : gap;
    session.edit([{ op: "track.move", trackId, toIndex }], { label: "Move track" });
  }, { signal });
  addEventListener("pointercancel", end, { signal });
  addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopImmediatePropagation();
    end();
  }, { capture: true, signal });
}
