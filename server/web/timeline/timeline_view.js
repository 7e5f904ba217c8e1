// @ts-check
import { clipEnd } from "../model/edits.js";
import { TRACK_HEIGHTS } from "../model/view.js";
import { byId } from "../ui/dom.js";
import { AccessibleLanes } from "./accessible.js";
import { Damage } from "./damage.js";
import { drawLanes, drawParts } from "./lanes.js";
import { lanePointer, overviewPointer, rulerPointer } from "./pointers.js";
import { Overview } from "./overview.js";
import { panWithMiddleButton } from "./pan.js";
import { Raster } from "./raster.js";
import { Readout } from "./readout.js";
import { drawRuler } from "./ruler.js";
import { Surface } from "./surface.js";
import { TrackHeaders } from "./track_headers.js";
import { handleWheel } from "./wheel.js";

/** @import { App } from "../app.js" */
/** @import { LaneScene } from "./lanes.js" */

/**
 * The timeline: ruler, headers, lanes, overview and what floats above them. Draws the parts that changed, once a frame.
 */
export class TimelineView {
  /** @type {string | null} */
  hoveredClipId = null;
  /** @type {import("./ruler.js").MarkerBox[]} */
  markerBoxes = [];
  /** @type {string | null} the project that the view was fitted to */
  #fittedTo = null;
  #raster = new Raster();
  #damage = new Damage();
  /** What the lanes were drawn for: another view is another picture. */
  #drawnFor = "";
  /** What drawing has cost, for measuring. @type {import("./lanes.js").Drawn} */
  drawn = { wholes: 0, parts: 0, clips: 0 };
  #shownScroll = "";
  /** The user looks elsewhere: playback does not drag the view along until the playhead is seen again. */
  #following = true;

  /** @param {App} app */
  constructor(app) {
    this.app = app;
    const lanes = byId("lanes", HTMLElement);
    const canvas = byId("lanes-canvas", HTMLCanvasElement);
    this.lanesElement = lanes;
    this.marquee = byId("marquee", HTMLElement);
    this.snapLine = byId("snap-line", HTMLElement);
    this.insertion = byId("insertion", HTMLElement);
    this.ghost = byId("drop-ghost", HTMLElement);
    this.playheadElement = byId("playhead", HTMLElement);
    this.verticalBar = byId("vertical-bar", HTMLElement);
    this.trackGap = byId("track-gap", HTMLElement);
    this.lanes = new Surface(canvas, () => this.#resized());
    this.ruler = new Surface(byId("ruler", HTMLCanvasElement), () => this.#drawRuler());
    this.overview = new Overview(
      new Surface(byId("overview", HTMLCanvasElement), () => this.overview.draw(this.#scene)),
    );
    this.headers = new TrackHeaders(
      app,
      byId("track-headers", HTMLElement),
      byId("track-footer", HTMLElement),
    );
    this.accessible = new AccessibleLanes(app, canvas);
    // Who clicks knows where they are: the ring is for those who came by key.
    canvas.addEventListener("pointerdown", () => canvas.dataset.pointer = "");
    canvas.addEventListener("blur", () => delete canvas.dataset.pointer);
    handleWheel(app, lanes, { zooms: false });
    handleWheel(app, byId("ruler", HTMLElement), { zooms: true });
    handleWheel(app, byId("overview", HTMLElement), { zooms: true });
    handleWheel(app, byId("header-box", HTMLElement), { zooms: false });
    this.readout = new Readout(app, byId("readout", HTMLElement));
    lanePointer(app, lanes);
    panWithMiddleButton(app, lanes);
    rulerPointer(app, byId("ruler", HTMLElement));
    overviewPointer(app, byId("overview", HTMLElement));
    this.verticalBar.addEventListener("scroll", () => {
      if (Math.abs(this.verticalBar.scrollTop - app.view.scrollTop) < 1) return;
      app.view.scrollTop = this.verticalBar.scrollTop;
      this.viewChanged();
    });
  }

  /** Clips or tracks changed. */
  contentChanged() {
    const { view, session } = this.app;
    const touched = session.mirror.takeTouched();
    if (touched === null) this.#damage.addAll();
    else for (const [trackId, { from, to }] of touched) this.#damage.add(trackId, from, to);
    view.endFrame = session.mirror.endFrame;
    view.trackCount = session.mirror.tracks.length;
    view.sampleRate = session.mirror.sampleRate;
    const projectId = session.hello?.project.projectId ?? null;
    if (this.#fittedTo !== projectId && view.endFrame > 0 && this.lanes.width > 0) {
      this.#fittedTo = projectId;
      view.fitTracks();
      view.fit();
    }
    view.clamp();
    this.overview.invalidate();
    this.headers.update();
    this.app.metersChanged();
    document.body.classList.toggle("empty-timeline", session.mirror.clipCount === 0);
    this.viewChanged();
  }

  /** What is seen moved, or what is seen changed. */
  viewChanged() {
    const { loop, view, session } = this.app;
    loop.request(this.#draw);
    loop.request(this.movePlayhead);
    this.accessible.changed();
    this.app.readiness.viewChanged();
    session.hint({
      visible: {
        startFrame: Math.floor(view.scrollFrame),
        endFrame: Math.ceil(view.endVisibleFrame),
      },
    });
    const x = view.xOf(session.frame);
    this.#following = x >= 0 && x <= view.width;
  }

  /**
   * Other clips are selected.
   *
   * @param {Iterable<string>} clipIds that are now, or were
   */
  selectionChanged(clipIds) {
    this.overview.invalidate();
    this.clipsChanged(clipIds);
  }

  /**
   * Clips look otherwise where they are.
   *
   * @param {Iterable<string>} clipIds
   */
  clipsChanged(clipIds) {
    for (const clipId of clipIds) this.#damageClip(clipId);
    this.app.loop.request(this.#draw);
    this.accessible.changed();
  }

  /** Colours, assets or anything else changed, nothing moved. */
  repaint() {
    this.#damage.addAll();
    this.overview.invalidate();
    this.app.loop.request(this.#draw);
    this.accessible.changed();
  }

  waveformsArrived() {
    this.#damage.addAll();
    this.app.loop.request(this.#draw);
  }

  /** Loop, I/O points or markers changed. */
  rulerChanged() {
    this.app.loop.request(this.#drawRulerSoon);
  }

  /** @param {number} factor */
  zoom(factor) {
    const { view, session } = this.app;
    const x = view.xOf(session.frame);
    view.zoomAt(x >= 0 && x <= view.width ? x : view.width / 2, factor);
    this.viewChanged();
  }

  fit() {
    this.app.view.fit();
    this.viewChanged();
  }

  /** @param {number} steps */
  resizeTracks(steps) {
    const { view } = this.app;
    const at = TRACK_HEIGHTS.indexOf(view.trackHeight) + steps;
    const height = TRACK_HEIGHTS[Math.min(TRACK_HEIGHTS.length - 1, Math.max(0, at))];
    view.scrollTop *= height / view.trackHeight;
    view.trackHeight = height;
    view.clamp();
    this.headers.update();
    this.viewChanged();
  }

  /** @param {string | null} clipId */
  hover(clipId) {
    if (clipId === this.hoveredClipId) return;
    for (const each of [clipId, this.hoveredClipId]) if (each !== null) this.#damageClip(each);
    this.hoveredClipId = clipId;
    this.app.loop.request(this.#draw);
  }

  /** @param {{ left: number, top: number, width: number, height: number } | null} box */
  showMarquee(box) {
    this.marquee.hidden = box === null;
    if (box === null) return;
    const { style } = this.marquee;
    style.transform = `translate(${box.left}px, ${box.top}px)`;
    style.width = `${box.width}px`;
    style.height = `${box.height}px`;
  }

  /**
   * @param {number | null} frame
   * @param {number[]} [rows] of the tracks that it goes over; all by default
   */
  showSnap(frame, rows = []) {
    this.snapLine.hidden = frame === null;
    if (frame === null) return;
    const { view } = this.app;
    const top = rows.length === 0 ? 0 : view.yOf(Math.min(...rows));
    const bottom = rows.length === 0 ? view.height : view.yOf(Math.max(...rows) + 1);
    this.snapLine.style.transform = `translate(${Math.round(view.xOf(frame))}px, ${top}px)`;
    this.snapLine.style.height = `${bottom - top}px`;
  }

  /**
   * Where a segment would go in.
   *
   * @param {{ frame: number, rows: number[] } | null} place rows of the tracks that it goes in on
   */
  showInsertion(place) {
    this.insertion.hidden = place === null;
    if (place === null) return;
    const { view } = this.app;
    const top = view.yOf(Math.min(...place.rows));
    const bottom = view.yOf(Math.max(...place.rows) + 1);
    this.insertion.style.transform = `translate(${Math.round(view.xOf(place.frame))}px, ${top}px)`;
    this.insertion.style.height = `${bottom - top}px`;
  }

  /** @param {{ frame: number, lengthFrames: number, trackIndex: number, label: string } | null} drop */
  showGhost(drop) {
    this.ghost.hidden = drop === null;
    if (drop === null) return;
    const { view } = this.app;
    const index = Math.min(drop.trackIndex, view.trackCount);
    this.ghost.textContent = drop.label;
    this.ghost.style.transform = `translate(${view.xOf(drop.frame)}px, ${view.yOf(index) + 3}px)`;
    this.ghost.style.width = `${Math.max(24, drop.lengthFrames / view.framesPerPixel)}px`;
    this.ghost.style.height = `${view.trackHeight - 7}px`;
  }

  /** @param {number | null} index of the track below the gap */
  showTrackGap(index) {
    this.trackGap.hidden = index === null;
    if (index === null) return;
    this.trackGap.style.transform = `translateY(${this.app.view.yOf(index) - 1}px)`;
  }

  /** Brings a place into view, as when the playhead was sent there. @param {number} frame */
  reveal(frame) {
    if (this.app.view.reveal(frame)) this.viewChanged();
  }

  /** @param {string} clipId */
  revealClip(clipId) {
    const clip = this.app.session.mirror.clip(clipId);
    if (clip === undefined) return;
    const { view } = this.app;
    if (clip.startFrame > view.endVisibleFrame || clipEnd(clip) < view.scrollFrame) {
      this.reveal(clip.startFrame);
    }
  }

  /** @type {(nowMs: number) => boolean} */
  movePlayhead = (nowMs) => {
    const { view, session, follow } = this.app;
    const frame = session.playhead.at(nowMs);
    if (session.playhead.moving && follow && this.#following && view.reveal(frame)) {
      this.#following = true;
      this.app.loop.request(this.#draw);
      this.accessible.changed();
    }
    const x = view.xOf(frame);
    const seen = x >= -1 && x <= view.width + 1;
    if (seen && session.playhead.moving) this.#following = true;
    this.playheadElement.style.visibility = seen ? "visible" : "hidden";
    // On whole device pixels: a line between two of them is a blur.
    const crisp = Math.round(x * devicePixelRatio) / devicePixelRatio;
    this.playheadElement.style.transform = `translateX(${crisp}px)`;
    this.app.showPosition(frame);
    return session.playhead.moving;
  };

  #resized() {
    const { view } = this.app;
    const first = view.width;
    view.width = this.lanes.width;
    view.height = this.lanes.height;
    if (first !== view.width) this.contentChanged();
    view.clamp();
    this.#draw();
    this.viewChanged();
  }

  /** @returns {LaneScene} */
  get #scene() {
    const { view, session, selection, tiles, theme, grid, readiness } = this.app;
    return {
      view,
      mirror: session.mirror,
      assets: session.assets,
      selection,
      tiles,
      pipelines: session.pipelines,
      scope: this.app.scope,
      theme,
      grid,
      hoveredClipId: this.hoveredClipId,
      loop: session.transport?.loop ?? null,
      readiness: readiness.runs,
    };
  }

  /** @param {string} clipId */
  #damageClip(clipId) {
    const clip = this.app.session.mirror.clip(clipId);
    if (clip !== undefined) this.#damage.add(clip.trackId, clip.startFrame, clipEnd(clip));
  }

  #drawLanes() {
    const { view, session: { mirror } } = this.app;
    const { canvas, density } = this.lanes;
    const { ioPoints, sampleRate, frameRate } = mirror;
    const drawnFor = JSON.stringify([
      [view.scrollFrame, view.framesPerPixel, view.scrollTop, view.trackHeight],
      [canvas.width, canvas.height, density],
      [ioPoints, sampleRate, frameRate, this.app.timeFormat],
    ]);
    const parts = this.#damage.take(mirror, view);
    const scene = this.#scene;
    if (parts !== null && drawnFor === this.#drawnFor) {
      drawParts(this.lanes, this.#raster, scene, parts, this.drawn);
    } else drawLanes(this.lanes, this.#raster, scene, this.drawn);
    this.#drawnFor = drawnFor;
  }

  #draw = () => {
    this.#drawLanes();
    this.#drawRuler();
    this.overview.draw(this.#scene);
    this.headers.scroll();
    this.#syncVerticalBar();
  };

  #drawRulerSoon = () => this.#drawRuler();

  #drawRuler() {
    this.markerBoxes = drawRuler(this.ruler, this.#scene);
  }

  #syncVerticalBar() {
    const { view } = this.app;
    const bar = this.verticalBar;
    bar.hidden = view.contentHeight <= view.height + 1;
    const inner = /** @type {HTMLElement} */ (bar.firstElementChild);
    const height = `${view.contentHeight}px`;
    const state = `${height}/${view.height}/${view.scrollTop}`;
    // Asking an element for its place makes the browser lay out the page: only when ours has changed.
    if (state === this.#shownScroll) return;
    this.#shownScroll = state;
    if (inner.style.height !== height) inner.style.height = height;
    if (Math.abs(bar.scrollTop - view.scrollTop) >= 1) bar.scrollTop = view.scrollTop;
  }
}
