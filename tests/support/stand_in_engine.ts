/**
 * An engine without sound, for faults of the server that the real one cannot be made to show: answers that come late, notifications in storms,
 * states of any size. Keeps what {@linkcode EngineApi} says of order.
 *
 * @module
 */
import { madeDiagnostics } from "./made_diagnostics.ts";
import type {
  Caller,
  EngineApi,
  Notification,
  PeaksColumns,
  ReadinessQuery,
  Topic,
} from "../../engine/api.ts";
import { EngineError } from "../../engine/errors.ts";
import type { Asset, Changes, Timeline, Transport } from "../../engine/pulse/types.ts";

const NO_CHANGES: Changes = {
  removed: { trackIds: [], clipIds: [] },
  shifted: [],
  tracks: [],
  clips: [],
};

/** What a test may set. */
export interface StandInOptions {
  /** Files by asset id, for `/audio`. */
  files?: Readonly<Record<string, string>>;
  /** Folder of finished renders. */
  exportDir?: string;
  uploadBytes?: number;
  /** `meta` of the timeline: makes `timeline.get` as great as a test wants. */
  meta?: unknown;
}

/** The stand-in; methods that no test calls throw. */
export class StandInEngine implements EngineApi {
  readonly version = "0.0.0-stand-in";
  readonly instanceId = crypto.randomUUID();
  readonly limits: Readonly<Record<string, number>>;
  readonly capabilities = {};
  readonly kernels = {};
  readonly sampleRate = 48_000;
  /** Edits in the order in which they took effect. */
  readonly applied: string[] = [];
  /** Uploaded bodies by name. */
  readonly uploads = new Map<string, number>();
  /** Called before `projects.open` answers. */
  beforeOpen: () => Promise<void> = () => Promise.resolve();
  /** Called before `assets.register` answers. */
  beforeRegister: (path: string) => Promise<void> = () => Promise.resolve();
  metersTaken = 0;
  #revision = 0;
  readonly #options: StandInOptions;
  readonly #listeners = new Set<(notification: Notification) => void>();
  readonly #analysed = new Set<() => void>();
  #analysedColumns = 0;

  constructor(options: StandInOptions = {}) {
    this.#options = options;
    this.limits = { uploadBytes: options.uploadBytes ?? 1_000_000 };
  }

  get listenerCount(): number {
    return this.#listeners.size;
  }
  get followerCount(): number {
    return this.#analysed.size;
  }

  clock() {
    return { timeMs: performance.now(), unixMs: Date.now() };
  }
  listen(listener: (notification: Notification) => void) {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
  tell(topic: Topic, method: string, params: unknown, clientId?: string) {
    const notification = { topic, method, params, ...(clientId === undefined ? {} : { clientId }) };
    for (const listener of this.#listeners) listener(notification);
  }
  topicState(topic: Topic, _sinceRevision?: number): unknown {
    switch (topic) {
      case "timeline":
        return { revision: this.#revision, timeline: this.#timeline() };
      case "transport":
        return this.#transport();
      case "library":
        return { entries: [], total: 0 };
      case "device":
        return { device: null };
      case "diagnostics":
        return { warnings: [] };
      case "meters":
        return { trackIds: [] };
      default:
        return { [topic]: [] };
    }
  }
  takeMeters() {
    this.metersTaken++;
    return new Uint8Array([1, 1, this.metersTaken >> 8, this.metersTaken]);
  }
  readiness({ start = 0, end = 1, width = 1_024 }: ReadinessQuery) {
    return Promise.resolve({ start, end, width, revision: this.#revision, tracks: [] });
  }
  /** What clients said of what their users may do next. */
  readonly hints: unknown[] = [];
  viewHint(_caller: Caller, hint: unknown) {
    this.hints.push(hint);
  }

  readonly projects: EngineApi["projects"] = {
    current: () => ({ projectId: "p", name: "P", path: "/p", revision: this.#revision }),
    list: () => Promise.resolve([this.projects.current()]),
    create: () => Promise.resolve(this.projects.current()),
    open: async () => {
      await this.beforeOpen();
      this.applied.push("open");
      return this.projects.current();
    },
    saveAs: () => Promise.resolve(this.projects.current()),
  };
  readonly library: EngineApi["library"] = {
    list: () => Promise.resolve({ entries: [], total: 0 }),
    upload: async (name, body) => {
      if (this.uploads.has(name)) throw new EngineError("export.exists", `${name} is taken`);
      let bytes = 0;
      for await (const piece of body) bytes += piece.length;
      this.uploads.set(name, bytes);
      return this.#asset(name);
    },
  };
  readonly assets: EngineApi["assets"] = {
    whole: () => null,
    register: async (path) => {
      await this.beforeRegister(path);
      return this.#asset(path);
    },
    get: (assetId) => this.#asset(assetId),
    list: () => ({ assets: [], total: 0 }),
    remove: () => {},
    file: (assetId) => {
      const path = this.#options.files?.[assetId];
      if (path === undefined) throw new EngineError("asset.notFound", `No asset ${assetId}`);
      return { path, etag: `"${assetId}"`, contentType: "audio/wav" };
    },
    peaks: (assetId, { start = 0, end = 1_000, width, channels = "all" }) => {
      if (assetId === "nowhere") {
        return Promise.reject(new EngineError("asset.notFound", "No asset"));
      }
      const planes = channels === "mix" ? 1 : Array.isArray(channels) ? channels.length : 2;
      const complete = assetId !== "partial" || this.#analysedColumns >= width;
      const known = assetId === "partial" ? this.#analysedColumns : width;
      const make = (value: number) =>
        Array.from(
          { length: planes },
          () => Float32Array.from({ length: width }, (_, i) => i < known ? value : NaN),
        );
      const columns: PeaksColumns = {
        start,
        end,
        width,
        min: make(-0.5),
        max: make(0.25),
        rms: make(0.1),
        complete,
        etag: complete ? `${assetId}-${start}-${end}-${width}-${channels}` : null,
      };
      return Promise.resolve(columns);
    },
    waveformDat: () => Promise.resolve({ bytes: new Uint8Array(24), complete: true, etag: "dat" }),
    waveformJson: () =>
      Promise.resolve({ bytes: new TextEncoder().encode("{}"), complete: true, etag: "json" }),
    wavesurferJson: () =>
      Promise.resolve({ bytes: new TextEncoder().encode("{}"), complete: false, etag: null }),
    waveformSvg: () => Promise.resolve({ svg: "<svg/>", complete: true }),
    onAnalysed: (_assetId, listener) => {
      this.#analysed.add(listener);
      return () => void this.#analysed.delete(listener);
    },
  };
  /** Says that `columns` of the asset `partial` are known. */
  analyse(columns: number) {
    this.#analysedColumns = columns;
    for (const listener of [...this.#analysed]) listener();
  }

  readonly timeline: EngineApi["timeline"] = {
    get: () => ({ timeline: this.#timeline(), revision: this.#revision }),
    set: (_timeline, { label = "" }, caller) => this.#edit(label, caller, "set"),
    setInTurns: (_timeline, { label = "" }, caller) =>
      Promise.resolve(this.#edit(label, caller, "set")),
    edit: (edits, { label = "", baseRevision }, caller) => {
      if (baseRevision !== undefined && baseRevision !== this.#revision) {
        throw new EngineError("timeline.conflict", "Another revision stands", {
          revision: this.#revision,
        });
      }
      return this.#edit(label || edits[0].op, caller, "edit");
    },
    undo: (_options, caller) => this.#edit("undo", caller, "undo"),
    redo: (_options, caller) => this.#edit("redo", caller, "redo"),
    history: () => ({ entries: [], total: 0 }),
    importCap: () => Promise.reject(new Error("no test imports here")),
    importOtio: () => Promise.reject(new Error("no test imports here")),
    exportOtio: () => Promise.reject(new Error("no test exports here")),
    exportEdl: () => Promise.reject(new Error("no test exports here")),
  };
  readonly transport: EngineApi["transport"] = {
    get: () => this.#transport(),
    play: () => this.#act("play"),
    pause: () => this.#act("pause"),
    stop: () => this.#act("stop"),
    seek: (frame) => this.#act(`seek ${frame}`),
    setLoop: () => this.#act("loop"),
  };
  readonly streams: EngineApi["streams"] = {
    start: ({ assetId, positionSamples = 0 }) => {
      this.#act(`stream ${assetId}`);
      const handleId = crypto.randomUUID();
      const state = "filling" as const;
      return { handleId, assetId, positionSamples, timeMs: 0, state, lastReadMs: 0 };
    },
    stop: (handleId, reason) => void this.#act(`end ${handleId} ${reason ?? "stopped"}`),
  };
  readonly clipWindows: EngineApi["clipWindows"] = {
    request: ({ assetId }) => {
      this.#act(`window ${assetId}`);
      return Promise.resolve({ windowId: crypto.randomUUID(), resident: false });
    },
    release: (windowId) => void this.#act(`release ${windowId}`),
  };
  readonly render: EngineApi["render"] = {
    mixdown: () => ({ jobId: "j", revision: this.#revision }),
    requestClipGhost: () => ({ jobId: "g" }),
    exportFile: (path) => ({
      path: `${this.#options.exportDir}/${path}`,
      contentType: "audio/wav",
    }),
  };
  readonly jobs: EngineApi["jobs"] = {
    list: () => [],
    get: (jobId) => {
      throw new EngineError("job.notFound", `No job ${jobId}`, { jobId });
    },
    cancel: (jobId) => this.jobs.get(jobId),
  };
  readonly devices: EngineApi["devices"] = {
    list: () => Promise.resolve([]),
    current: () => null,
    open: () => Promise.reject(new EngineError("device.unavailable", "There is none")),
  };
  readonly diagnostics: EngineApi["diagnostics"] = {
    get: () => madeDiagnostics(),
    reset: () => {
      throw new Error("a secret of the inside: /home/user/.ssh");
    },
    underruns: () => ({ underruns: [], total: 0 }),
  };

  #edit(label: string, { clientId }: Caller, cause: string) {
    const previousRevision = this.#revision++;
    this.applied.push(label);
    this.tell("timeline", "timeline.changed", {
      revision: this.#revision,
      previousRevision,
      cause,
      label,
      clientId,
      canUndo: true,
      canRedo: false,
      changes: NO_CHANGES,
    });
    return { revision: this.#revision, playheadFrame: 0, changes: NO_CHANGES };
  }
  #act(label: string): Transport {
    this.applied.push(label);
    this.tell("transport", "transport.state", {
      ...this.#transport(),
      reason: label.split(" ")[0],
    });
    return this.#transport();
  }
  #timeline(): Timeline {
    const { meta } = this.#options;
    return { sampleRate: 48_000, tracks: [], ...(meta === undefined ? {} : { meta }) };
  }
  #transport(): Transport {
    return {
      state: "stopped",
      positionFrame: 0,
      audibleFrame: 0,
      timeMs: 0,
      revision: this.#revision,
      loop: { enabled: false, startFrame: 0, endFrame: 0 },
      rate: 1,
      deviceLatencyFrames: 0,
    };
  }
  #asset(assetId: string): Asset {
    return {
      assetId,
      path: `/music/${assetId}`,
      type: "sample",
      sampleRate: 48_000,
      channels: 2,
      bitDepth: 16,
      lengthSamples: 1_000,
      peakCache: null,
      waveformCache: null,
      proxyStatus: "none",
      hash: "h",
      offlineStatus: "present",
      container: "wav",
      codec: "pcm_s16",
      channelLayout: "stereo",
      durationSeconds: 1_000 / 48_000,
      lengthExact: true,
      generation: 1,
      analysedSamples: 1_000,
      complete: true,
    };
  }
}
