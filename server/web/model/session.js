// @ts-check
import { Emitter } from "../client/emitter.js";
import { EngineView } from "../client/engine_view.js";
import { AssetBook } from "./asset_book.js";
import { newId } from "./ids.js";
import { baseName } from "./format.js";
import { Meters } from "./meters.js";
import { Pipelines } from "./pipelines.js";

/** @import { PulseClient, Sync } from "../client/client.js" */
/** @import { Edit, EditResult, Hello, Job, OpenDevice, Transport } from "../client/types.js" */
/** @import { Notices } from "./notices.js" */

const HINT_MS = 120;

/** Why a gap came, and what helps, by the engine's word for it. */
const CAUSES = new Map(Object.entries({
  queue: "The machine had too much to do at once.",
  read: "The disk was too slow: other programs may be using it.",
  decode: "A part of a file could not be read.",
  stalled: "A disk or network drive does not answer.",
  budget: "Too much sounds at once: start the engine with a larger --memory-mb.",
}));

/**
 * `timeline`: clips, tracks or what belongs to them. `history`: what can be undone. `library`: a folder's entries, as they come.
 * @typedef {{ connected: boolean, timeline: void, history: void, transport: Transport, assets: string[] | null, device: void,
 *   jobs: Job, pipeline: string, meters: void, library: { path: string, entries: any[] }, project: void }} SessionEvents
 */

/**
 * What the page knows of the engine, kept current. Requests that fail become notices here, so that whoever asks need not.
 *
 * @extends {Emitter<SessionEvents>}
 */
export class Session extends Emitter {
  assets = new AssetBook();
  meters = new Meters();
  pipelines = new Pipelines();
  /** @type {Map<string, Job>} */
  jobs = new Map();
  /** @type {Transport | null} */
  transport = null;
  /** @type {OpenDevice | null} */
  device = null;
  /** @type {Hello | null} */
  hello = null;
  /** Requests that are not answered yet. */
  pending = 0;
  canUndo = false;
  canRedo = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #hintTimer;
  /** @type {Record<string, unknown>} */
  #hint = {};

  /**
   * @param {PulseClient} client
   * @param {Notices} notices
   */
  constructor(client, notices) {
    super();
    this.client = client;
    this.notices = notices;
    // Hears of everything before this does: what is said below finds the timeline up to date.
    this.view = new EngineView(client, now);
    this.mirror = this.view.timeline;
    this.playhead = this.view.playhead;
    client.on("sync", (sync) => this.#sync(sync));
    client.on("connection", ({ state }) => {
      if (state !== "open") this.emit("connected", false);
    });
    this.#listen();
  }

  get sampleRate() {
    return this.mirror.sampleRate;
  }

  /** @returns {number} the frame that is heard now, or where playing would begin */
  get frame() {
    return Math.round(this.playhead.at(now()));
  }

  /**
   * @param {string} method
   * @param {Record<string, unknown>} params
   * @param {string} action for the notice, as in "Could not …"
   * @returns {Promise<any>} the result, or null where it failed
   */
  async ask(method, params, action) {
    this.pending++;
    try {
      return await this.client.request(method, params);
    } catch (error) {
      this.notices.fail(error, action);
      return null;
    } finally {
      this.pending--;
    }
  }

  /**
   * An edit that is on its way when the connection breaks is not lost: it has an id, so that the client asks again and it is done once.
   *
   * @param {Edit[]} edits
   * @param {{ label: string, mergeKey?: string }} options
   * @returns {Promise<EditResult | null>}
   */
  async edit(edits, options) {
    if (edits.length === 0) return null;
    const params = { edits, ...options, requestId: newId("edit") };
    return this.#edited(await this.ask("timeline.edit", params, lower(options.label)));
  }

  async undo() {
    return this.#edited(await this.ask("timeline.undo", {}, "undo"));
  }

  async redo() {
    return this.#edited(await this.ask("timeline.redo", {}, "redo"));
  }

  /** @param {number} positionFrame */
  seek(positionFrame) {
    const frame = Math.max(0, Math.round(positionFrame));
    return this.#transported("seek", { positionFrame: frame }, "move the playhead");
  }

  /** Plays to the end, or in a loop for good; from the end, plays from the beginning. */
  play() {
    const { endFrame } = this.mirror;
    const loop = this.transport?.loop;
    const { frame } = this;
    const loops = loop?.enabled && frame < loop.endFrame;
    const params = loops || endFrame === 0
      ? {}
      : frame >= endFrame
      ? { fromFrame: 0, toFrame: endFrame }
      : { toFrame: endFrame };
    return this.#transported("play", params, "play");
  }

  /**
   * @param {number} fromFrame
   * @param {number} toFrame where it pauses
   */
  playRange(fromFrame, toFrame) {
    return this.#transported("play", { fromFrame, toFrame }, "play the range");
  }

  pause() {
    return this.#transported("pause", {}, "pause");
  }

  stop() {
    return this.#transported("stop", {}, "stop");
  }

  /** @param {{ enabled: boolean, startFrame: number, endFrame: number }} loop */
  setLoop(loop) {
    return this.#transported("setLoop", { ...loop }, "set the loop");
  }

  /**
   * Tells the engine what the user may do next. The latest counts, so a burst is sent as one.
   *
   * @param {{ selectedClipIds?: string[], cursorFrame?: number, visible?: { startFrame: number, endFrame: number } }} hint
   */
  hint(hint) {
    Object.assign(this.#hint, hint);
    this.#hint.selectedClipIds = hint.selectedClipIds?.slice(0, 1000) ?? this.#hint.selectedClipIds;
    this.#hintTimer ??= setTimeout(() => {
      this.#hintTimer = undefined;
      // Only advice: an engine that cannot use it need not bother anyone.
      this.client.request("view.hint", this.#hint).catch(() => {});
    }, HINT_MS);
  }

  /** @param {Sync} sync */
  async #sync({ hello, fresh, topics }) {
    this.hello = hello;
    if (fresh) this.jobs.clear();
    if (topics.timeline !== undefined) this.pipelines.reset(topics.timeline.pipelines ?? []);
    const { assets, device, jobs, diagnostics } = topics;
    this.device = device?.device ?? hello.device;
    for (const job of jobs?.jobs ?? []) this.jobs.set(job.jobId, job);
    if (assets !== undefined) this.assets.reset(assets.assets);
    if (fresh) { for (const warning of diagnostics?.warnings ?? []) this.#warn(warning); }
    this.emit("project", undefined);
    this.emit("device", undefined);
    this.emit("timeline", undefined);
    this.emit("connected", true);
    this.emit("assets", null);
    await this.#loadHistoryState();
  }

  async #loadHistoryState() {
    try {
      // The first step is the last to be undone, and what was undone stands at the end.
      const oldest = await this.client.call("timeline.history", { offset: 0, limit: 1 });
      const offset = Math.max(0, oldest.total - 1);
      const newest = await this.client.call("timeline.history", { offset, limit: 1 });
      this.canUndo = oldest.entries.some(({ applied }) => applied);
      this.canRedo = newest.entries.some(({ applied }) => !applied);
    } catch {
      this.canUndo = this.canRedo = true; // Not known: let the engine answer.
    }
    this.emit("history", undefined);
  }

  #listen() {
    const { client } = this;
    client.on("timeline.changed", ({ revision, canUndo, canRedo }) => {
      if (revision !== this.mirror.revision) return; // A sync follows.
      this.canUndo = canUndo;
      this.canRedo = canRedo;
      this.emit("timeline", undefined);
      this.emit("history", undefined);
    });
    this.view.on("transport", (transport) => {
      this.transport = transport;
      this.emit("transport", transport);
    });
    client.on("meters", (frame) => {
      const trackIds = this.mirror.tracks.map(({ header }) => header.trackId);
      this.meters.take(frame, trackIds, now());
      this.emit("meters", undefined);
    });
    for (const name of /** @type {const} */ (["asset.added", "asset.changed"])) {
      client.on(name, ({ assets }) => this.#assetsChanged(assets, () => this.assets.put(assets)));
    }
    client.on("asset.statusChanged", ({ changes }) => {
      this.#assetsChanged(changes, () => this.assets.setStatus(changes));
    });
    client.on("asset.importProgress", ({ imports }) => {
      this.#assetsChanged(imports, () => this.assets.setProgress(imports));
    });
    client.on("asset.ready", ({ assetIds }) => {
      this.assets.setReady(assetIds);
      this.emit("assets", assetIds);
    });
    client.on("asset.removed", ({ assetIds }) => {
      this.assets.remove(assetIds);
      this.emit("assets", assetIds);
    });
    for (const name of /** @type {const} */ (["job.progress", "job.finished"])) {
      client.on(name, ({ job }) => {
        this.jobs.set(job.jobId, job);
        this.emit("jobs", job);
      });
    }
    client.on("clip.pipelineUpdated", ({ clipId, ...pipeline }) => {
      const failed = this.pipelines.put(clipId, pipeline);
      this.emit("pipeline", clipId);
      if (!failed) return;
      this.notices.fail(pipeline.error, "stretch", this.#nameOf(clipId));
    });
    client.on("device.changed", ({ device }) => {
      this.device = device;
      this.emit("device", undefined);
    });
    client.on("library.changed", (changed) => this.emit("library", changed));
    client.on("decode.error", ({ assetId, code, message }) => {
      const path = this.assets.get(assetId)?.path;
      this.notices.fail({ code, message }, "read", path === undefined ? "a file" : baseName(path));
    });
    client.on("diagnostics.warning", (warning) => this.#warn(warning));
    client.on("stream.underrun", ({ ended, cause }) => {
      // A missing file is shown as such where it lies.
      if (ended || cause === "absent") return;
      this.notices.add({
        kind: "stream.underrun",
        tone: "warning",
        message: "Playback had a gap.",
        advice: CAUSES.get(cause),
      });
    });
  }

  /** @param {string} clipId */
  #nameOf(clipId) {
    const clip = this.mirror.clip(clipId);
    const path = this.assets.get(clip?.assetId ?? "")?.path;
    return clip?.name ?? (path === undefined ? "a clip" : baseName(path));
  }

  /** @param {{ code: string, message: string }} warning */
  #warn({ code, message }) {
    this.notices.add({ kind: code, tone: "warning", message });
  }

  /**
   * @param {{ assetId: string }[]} those
   * @param {() => void} take
   */
  #assetsChanged(those, take) {
    take();
    this.emit("assets", those.map(({ assetId }) => assetId));
  }

  /** @param {EditResult | null} result */
  #edited(result) {
    if (result !== null) this.playhead.move(result.playheadFrame, now());
    return result;
  }

  /**
   * What it changes is told before it is answered.
   *
   * @param {string} what
   * @param {Record<string, unknown>} params
   * @param {string} action
   */
  async #transported(what, params, action) {
    await this.ask(`transport.${what}`, params, action);
  }
}

/** Our clock. */
function now() {
  return performance.now();
}

/** @param {string} text */
function lower(text) {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
