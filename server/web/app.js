// @ts-check
import { layOut, layOutOnTracks } from "./model/edits.js";
import { baseName } from "./model/format.js";
import { Scope } from "./model/scope.js";
import { Notices } from "./model/notices.js";
import { PeakTiles } from "./model/peak_tiles.js";
import { Readiness } from "./model/readiness.js";
import { Selection } from "./model/selection.js";
import { Session } from "./model/session.js";
import { recall, remember } from "./model/settings.js";
import { timeFormatOf } from "./model/time_format.js";
import { View } from "./model/view.js";
import { gridFor } from "./timeline/ticks.js";
import { TimelineView } from "./timeline/timeline_view.js";
import { Audition } from "./model/audition.js";
import { DiagnosticsPanel } from "./diagnostics/diagnostics_panel.js";
import { AssetsPanel } from "./ui/assets_panel.js";
import { Commands } from "./ui/commands.js";
import { deviceMenu } from "./ui/device_menu.js";
import { themeMenu } from "./ui/theme_menu.js";
import { setAttribute } from "./ui/dom.js";
import { acceptDrops } from "./ui/drop.js";
import { Exchange } from "./ui/exchange_dialog.js";
import { ExportDialog } from "./ui/export_dialog.js";
import { FrameLoop } from "./ui/frame_loop.js";
import { openHelp } from "./ui/help_dialog.js";
import { HistoryPanel } from "./ui/history_panel.js";
import { listenToKeys } from "./ui/keyboard.js";
import { LibraryPanel } from "./ui/library_panel.js";
import { showNotices } from "./ui/notices_view.js";
import { projectMenu } from "./ui/project_menu.js";
import { Sidebar } from "./ui/sidebar.js";
import { SpeedDialog } from "./ui/speed_dialog.js";
import { StatusBar } from "./ui/status_bar.js";
import { chooseTheme, readTheme, watchSystemTheme } from "./ui/theme.js";
import { TransportBar } from "./ui/transport_bar.js";
import { Uploads } from "./ui/uploads_view.js";

/** @import { PulseClient } from "./client/client.js" */

/**
 * Where new material goes.
 * @typedef {object} Place
 * @property {number} frame
 * @property {string | "new" | null} trackId null: wherever there is room
 * @property {boolean} [onTracks] each on a new track of its own, instead of one after another
 */

/**
 * The page: joins what the engine says with what is drawn. Holds nothing that the engine does not know, save where one looks and what is
 * selected.
 */
export class App {
  loop = new FrameLoop();
  notices = new Notices();
  view = new View();
  theme = readTheme();
  timeFormat = timeFormatOf(recall("timeFormat"));
  snapping = recall("snapping") !== "off";
  /** @type {import("./client/types.js").ChangedClip[]} as they were when they were copied */
  clipboard = [];
  follow = recall("follow") !== "off";
  /** @type {"select" | "razor"} what a click in the lanes does */
  tool = "select";
  scope = new Scope();

  /** @param {PulseClient} client */
  constructor(client) {
    this.client = client;
    this.session = new Session(client, this.notices);
    this.audition = new Audition(this.session);
    this.selection = new Selection((clipIds) => this.#selected(clipIds));
    this.tiles = new PeakTiles(client, () => this.timeline.waveformsArrived());
    this.readiness = new Readiness(this.session, this.view, this.authorize);
    this.commands = new Commands(this);
    this.sidebar = new Sidebar();
    this.timeline = new TimelineView(this);
    this.bar = new TransportBar(this);
    this.status = new StatusBar(this);
    this.library = new LibraryPanel(this);
    this.assets = new AssetsPanel(this);
    this.history = new HistoryPanel(this);
    this.uploads = new Uploads(this);
    this.exporter = new ExportDialog(this);
    this.speed = new SpeedDialog(this);
    this.exchange = new Exchange(this);
    this.diagnostics = new DiagnosticsPanel(this);
    this.sidebar.onshow = (tab) => {
      if (tab === "history") this.history.update();
      if (tab === "assets") this.assets.repaint();
    };
    this.commands.wire();
    listenToKeys(this);
    showNotices(this);
    acceptDrops(this);
    deviceMenu(this);
    themeMenu(this);
    projectMenu(this);
    this.#listen();
  }

  /** A link that works where a token is asked for: browsers send no header with it. @param {string} url */
  authorize = (url) => {
    const ticket = this.session.hello?.ticket;
    if (this.client.token === null || !ticket) return url;
    return `${url}${url.includes("?") ? "&" : "?"}ticket=${encodeURIComponent(ticket)}`;
  };

  /** @param {number} frame */
  showPosition(frame) {
    this.bar.showPosition(frame);
  }

  metersChanged() {
    this.loop.request(this.#drawMeters);
  }

  clearOverloads() {
    this.session.meters.resetClipped();
    this.metersChanged();
  }

  openExport() {
    this.exporter.open();
  }

  openHelp() {
    openHelp();
  }

  openSpeed() {
    this.speed.open();
  }

  /** @param {"select" | "razor"} tool */
  setTool(tool) {
    this.tool = tool;
    this.timeline.showSnap(null);
    this.timeline.lanesElement.style.cursor = tool === "razor" ? "crosshair" : "default";
    this.#showToggles();
  }

  searchMedia() {
    document.body.classList.remove("no-sidebar");
    this.sidebar.show("library");
    this.library.focusSearch();
  }

  toggleSidebar() {
    this.sidebar.toggle();
  }

  /** The ruler's divisions at this zoom. */
  get grid() {
    const { sampleRate, frameRate } = this.session.mirror;
    return gridFor(this.view.framesPerPixel, sampleRate, frameRate, this.timeFormat);
  }

  /** @param {import("./model/time_format.js").TimeFormat} format */
  setTimeFormat(format) {
    this.timeFormat = format;
    remember("timeFormat", format === "auto" ? null : format);
    this.loop.request(this.timeline.movePlayhead);
    this.timeline.repaint();
    this.status.update();
  }

  /** @param {import("./ui/theme.js").ThemeChoice} choice */
  setTheme(choice) {
    chooseTheme(choice);
    this.#showTheme();
  }

  /** @param {boolean} on */
  setSnapping(on) {
    this.snapping = on;
    remember("snapping", on ? null : "off");
    this.#showToggles();
  }

  /** @param {boolean} on */
  setFollow(on) {
    this.follow = on;
    remember("follow", on ? null : "off");
    this.#showToggles();
    if (on) this.timeline.reveal(this.session.frame);
  }

  /**
   * Registers files and lays them on the timeline.
   *
   * @param {string[]} paths
   * @param {Place} [place] the playhead by default
   */
  async addPaths(paths, place) {
    const answer = await this.session.ask("asset.register", { paths }, "add the file");
    if (answer === null) return;
    const assets = [];
    for (const [index, result] of answer.results.entries()) {
      if ("error" in result) this.notices.fail(result.error, "add", baseName(paths[index]));
      else assets.push(result.asset);
    }
    this.session.assets.put(assets);
    await this.addAssets(assets.map(({ assetId }) => assetId), place);
  }

  /**
   * @param {string[]} assetIds
   * @param {Place} [place]
   */
  async addAssets(assetIds, place) {
    const { session, selection } = this;
    const assets = assetIds.flatMap((assetId) => session.assets.get(assetId) ?? []);
    if (assets.length === 0) return;
    const frame = place?.frame ?? session.frame;
    const trackId = place?.trackId ?? selection.trackId;
    const { edits, clipIds } = place?.onTracks
      ? layOutOnTracks(session.mirror, assets, frame)
      : layOut(session.mirror, assets, frame, trackId);
    const label = assets.length === 1 ? "Add clip" : `Add ${assets.length} clips`;
    const { changes } = selection;
    if (await session.edit(edits, { label }) === null) return;
    if (selection.changes === changes) selection.set(clipIds);
    this.timeline.revealClip(clipIds[0]);
  }

  /** @param {Iterable<string>} clipIds that are selected now, or were before */
  #selected(clipIds) {
    this.timeline.selectionChanged(clipIds);
    this.timeline.headers.update();
    this.status.update();
    this.session.hint({ selectedClipIds: this.selection.clipIds, cursorFrame: this.session.frame });
  }

  #showTheme() {
    this.theme = readTheme();
    this.timeline.repaint();
    this.assets.repaint();
    this.metersChanged();
  }

  #showToggles() {
    const states = [
      ["view.snap", this.snapping],
      ["view.follow", this.follow],
      ["edit.razor", this.tool === "razor"],
    ];
    for (const [id, on] of states) {
      const button = document.querySelector(`[data-command="${id}"]`);
      if (button !== null) setAttribute(button, "aria-pressed", String(on));
    }
  }

  #listen() {
    const { session, loop } = this;
    session.on("timeline", () => {
      this.selection.prune(session.mirror);
      this.timeline.contentChanged();
    });
    session.on("pipeline", (clipId) => this.timeline.clipsChanged([clipId]));
    this.scope.on("changed", () => {
      this.timeline.headers.update();
      this.timeline.repaint();
    });
    session.on("assets", (assetIds) => {
      for (const assetId of assetIds ?? []) this.tiles.stir(assetId);
      this.timeline.repaint();
    });
    session.on("transport", () => {
      loop.request(this.timeline.movePlayhead);
      this.timeline.rulerChanged();
      session.hint({ cursorFrame: session.frame });
    });
    session.on("meters", () => this.metersChanged());
    this.readiness.on("changed", () => {
      this.timeline.rulerChanged();
      this.timeline.accessible.writeReadiness();
    });
    session.on("connected", (connected) => connected && this.tiles.restart());
    watchSystemTheme(() => this.#showTheme());
    this.metersChanged();
    this.#showToggles();
  }

  /** @type {(nowMs: number) => boolean} */
  #drawMeters = (nowMs) => {
    const moves = this.session.meters.advance(nowMs);
    this.bar.drawMeter();
    this.timeline.headers.drawMeters();
    return moves;
  };
}
