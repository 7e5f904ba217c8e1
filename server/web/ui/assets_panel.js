// @ts-check
import { baseName, duration, kilohertz } from "../model/format.js";
import { Raster } from "../timeline/raster.js";
import { paintWaveform } from "../timeline/waveform.js";
import { PeakTiles } from "../model/peak_tiles.js";
import { analysedPart } from "../model/asset_book.js";
import { statusIcon } from "./asset_status.js";
import { draggable } from "./drag_source.js";
import { byId, h, setAttribute, setText } from "./dom.js";
import { openMenuAt } from "./menu.js";

/** @import { App } from "../app.js" */
/** @import { Asset } from "../client/types.js" */

/**
 * @typedef {object} Row
 * @property {HTMLElement} element
 * @property {HTMLCanvasElement} canvas
 * @property {HTMLElement} bar
 * @property {HTMLElement} detail
 * @property {HTMLElement} state
 */

/**
 * The project's assets, each with its waveform, state and how far its analysis is.
 */
export class AssetsPanel {
  #list = byId("assets", HTMLElement);
  #empty = byId("assets-empty", HTMLElement);
  #count = byId("assets-count", HTMLElement);
  /** @type {Map<string, Row>} */
  #rows = new Map();
  /** @type {PeakTiles} */
  #tiles;
  #raster = new Raster();

  /** @param {App} app */
  constructor(app) {
    this.app = app;
    this.#tiles = new PeakTiles(app.client, () => app.loop.request(this.#draw));
    app.session.on("assets", (assetIds) => {
      for (const assetId of assetIds ?? []) this.#tiles.stir(assetId);
      this.update();
    });
    app.session.on("connected", (connected) => connected && this.#tiles.restart());
    app.audition.on("changed", (heard) => {
      for (const [assetId, { element }] of this.#rows) {
        element.classList.toggle("heard", assetId === heard);
      }
    });
  }

  update() {
    const assets = this.app.session.assets.all.filter(({ type }) => type !== "transient");
    const present = new Set(assets.map(({ assetId }) => assetId));
    for (const [assetId, { element }] of this.#rows) {
      if (present.has(assetId)) continue;
      element.remove();
      this.#rows.delete(assetId);
    }
    assets.forEach((asset, index) => {
      const row = this.#rows.get(asset.assetId) ?? this.#make(asset.assetId);
      this.#rows.set(asset.assetId, row);
      this.#show(row, asset);
      const there = this.#list.children[index];
      if (there !== row.element) this.#list.insertBefore(row.element, there ?? null);
    });
    this.#empty.hidden = assets.length > 0;
    setText(this.#count, assets.length > 0 ? String(assets.length) : "");
    this.app.loop.request(this.#draw);
  }

  repaint() {
    this.app.loop.request(this.#draw);
  }

  /** @param {string} assetId */
  #make(assetId) {
    const canvas = h("canvas", { class: "asset-wave", "aria-hidden": "true" });
    const bar = h("span", { class: "import-bar", role: "progressbar", "aria-label": "Analysis" });
    const detail = h("span", { class: "asset-detail" });
    const state = h("span", { class: "asset-state" });
    const element = h(
      "li",
      {
        class: "asset",
        role: "option",
        tabindex: 0,
        ondblclick: () => this.app.addAssets([assetId]),
        onkeydown: (/** @type {KeyboardEvent} */ event) => {
          if (event.key === "Enter") this.app.addAssets([assetId]);
          if (event.key !== "ArrowRight") return;
          event.stopPropagation();
          event.preventDefault();
          this.#listen(assetId);
        },
        oncontextmenu: (/** @type {MouseEvent} */ event) => this.#menu(event, assetId),
      },
      canvas,
      h("span", { class: "asset-line" }, h("span", { class: "asset-name" }), state),
      detail,
      bar,
    );
    draggable(element, () => {
      const asset = this.app.session.assets.get(assetId);
      return asset === undefined ? null : {
        assetId,
        path: asset.path,
        name: baseName(asset.path),
        durationSeconds: asset.durationSeconds,
      };
    });
    return { element, canvas, bar, detail, state };
  }

  /**
   * @param {Row} row
   * @param {Asset} asset
   */
  #show(row, asset) {
    const { element, bar, detail, state } = row;
    const name = baseName(asset.path);
    const nameElement = /** @type {HTMLElement} */ (element.querySelector(".asset-name"));
    setText(nameElement, name);
    element.title =
      `${asset.path}\n${asset.container} ${asset.codec}, ${asset.bitDepth} bit\nDouble-click adds it at the playhead, → listens to it`;
    element.dataset.assetId = asset.assetId;
    setText(
      detail,
      [
        duration(asset.durationSeconds),
        kilohertz(asset.sampleRate),
        asset.channels === 1 ? "mono" : asset.channels === 2 ? "stereo" : `${asset.channels} ch`,
      ].join(" · "),
    );
    if (state.dataset.status !== asset.offlineStatus) {
      state.dataset.status = asset.offlineStatus;
      const sign = statusIcon(asset.offlineStatus);
      state.replaceChildren(...(sign === null ? [] : [sign]));
    }
    const part = analysedPart(asset);
    bar.hidden = part >= 1;
    setAttribute(bar, "aria-valuenow", String(Math.round(part * 100)));
    bar.style.setProperty("--part", String(part));
  }

  /** @param {string} assetId */
  #listen(assetId) {
    const path = this.app.session.assets.get(assetId)?.path ?? "";
    this.app.audition.toggle(assetId, baseName(path));
  }

  /**
   * @param {MouseEvent} event
   * @param {string} assetId
   */
  #menu(event, assetId) {
    event.preventDefault();
    openMenuAt(event.clientX, event.clientY, [
      {
        label: this.app.audition.assetId === assetId ? "Stop listening" : "Listen",
        run: () => this.#listen(assetId),
        keys: "→",
      },
      { label: "Add at the playhead", run: () => this.app.addAssets([assetId]), keys: "Enter" },
      {
        label: "Remove from the project",
        run: () => this.app.session.ask("asset.remove", { assetId }, "remove the file"),
        danger: true,
      },
    ]);
  }

  #draw = () => {
    const { theme, session } = this.app;
    this.#tiles.begin();
    for (const [assetId, { canvas }] of this.#rows) {
      const asset = session.assets.get(assetId);
      if (asset === undefined || canvas.clientWidth === 0) continue;
      const density = devicePixelRatio;
      canvas.width = Math.round(canvas.clientWidth * density);
      canvas.height = Math.round(canvas.clientHeight * density);
      const context = canvas.getContext("2d");
      if (context === null) continue;
      this.#raster.resize(canvas.width, canvas.height);
      this.#raster.pixels.fill(theme.ground.lanes[0]);
      paintWaveform(
        this.#raster,
        this.#tiles,
        asset,
        {
          x: 0,
          width: canvas.width,
          y: 0,
          height: canvas.height,
          sample: 0,
          samplesPerColumn: Math.max(1, asset.lengthSamples / canvas.width),
          gain: 1,
        },
        theme.muted.pixels,
        density,
      );
      this.#raster.put(context);
    }
    this.#tiles.flush();
  };
}
