/**
 * Timelines from other programs' documents and back. An import reads the whole document before it changes anything, and then is one step that can be
 * undone; what is long goes in slices, save that step itself.
 *
 * @module
 */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type {
  Caller,
  EdlParams,
  ExportedDocument,
  ImportCapParams,
  ImportParams,
  ImportResult,
  OtioParams,
} from "../../api.ts";
import { EngineError, InvalidParams } from "../../errors.ts";
import type { Files } from "../../files/files.ts";
import type { Grants } from "../../files/grants.ts";
import { absolutePath } from "../../files/paths.ts";
import { type Aside, type AsideContent, AsideWriter } from "../exchange/aside.ts";
import { readCap } from "../exchange/cap_document.ts";
import { importCap } from "../exchange/cap_import.ts";
import { CONFIG_PATH, META_PATH } from "../exchange/cap_values.ts";
import { DEFAULT_COUNTING, exportEdl } from "../exchange/edl_export.ts";
import { isObject, member, type Path } from "../exchange/fields.ts";
import { readJsonText } from "../exchange/json_reader.ts";
import { writeJson } from "../exchange/json_writer.ts";
import { type FindMedia, lastPart, MediaNeeds } from "../exchange/media.ts";
import { asideOf, metaWith } from "../exchange/otio_aside.ts";
import { type ExportedAsset, exportOtio } from "../exchange/otio_export.ts";
import { importOtio } from "../exchange/otio_import.ts";
import { type Report, ReportWriter } from "../exchange/report.ts";
import { countingOf, pictureOf } from "../exchange/timecode.ts";
import { newSeed } from "../id_maker.ts";
import { LIMITS } from "../limits.ts";
import { modelSteps, type TimelineInput } from "../model_from_timeline.ts";
import { ClipInputSchema, MarkerSchema, parseParams, TrackSetSchema } from "../schema.ts";
import { countAllClips, type TimelineModel } from "../timeline_model.ts";
import type { TimelineService } from "../timeline_service.ts";
import { Turns } from "../turns.ts";
import type { Assets } from "./assets.ts";
import { type FoundDocument, inSlices, readDocument, writeDocument } from "./exchange_files.ts";
import { MAX_ANSWERED_CLIPS } from "./exchange_limits.ts";
import { ExchangeMedia } from "./exchange_media.ts";

/** Documents whose rest the project keeps. */
const KEPT_ASIDES = 8;
const ASIDES = "exchange.kept";
const asideKey = (id: string) => `exchange.${id}`;
/** Clips of one turn. */
const TURN_CLIPS = 128;

export interface ExchangeOptions {
  readonly assets: Assets;
  readonly grants: Grants;
  readonly files: Files;
  readonly exportDir: string;
  readonly timeline: () => TimelineService;
  readonly projectName: () => string;
  /** What the project keeps by key. */
  readonly get: (key: string) => unknown;
  readonly set: (key: string, value: unknown) => void;
  /** Whether the project is still the open one. */
  readonly isOpen: () => boolean;
}

/** One pass over a document: the timeline that it makes where files are as `find` says. */
type Pass = (
  find: FindMedia,
  report: ReportWriter,
  sampleRate: number,
) => Generator<void, { timeline: TimelineInput; aside: Aside | null }>;

export class Exchange {
  readonly #options: ExchangeOptions;

  constructor(options: ExchangeOptions) {
    this.#options = options;
  }

  /**
   * Puts Cap's project in place of the timeline.
   *
   * @throws {InvalidParams} with the place in the document.
   * @throws {EngineError} `asset.notFound`, `asset.outsideLibrary`, `asset.unreadable` for the document itself, `timeline.conflict`,
   * `limit.exceeded`.
   */
  async importCap(params: ImportCapParams, caller: Caller): Promise<ImportResult> {
    this.#requireBase(params.baseRevision);
    const { value, folder } = await this.#document(params, "project-config.json");
    const meta = params.meta !== undefined
      ? await this.#parsed(params.meta, META_PATH)
      : folder === null
      ? undefined
      : await this.#beside(folder, "recording-meta.json");
    const isNamed = (name: string) => Object.hasOwn(params.files ?? {}, name);
    const pass: Pass = function* (find, report, sampleRate) {
      const project = yield* readCap(value, meta, report);
      const timeline = yield* importCap(project, { sampleRate, find, report, isNamed });
      const writer = new AsideWriter();
      writer.set("cap", { config: value, ...(meta !== undefined && { meta }) });
      const aside = yield* writer.done(report, CONFIG_PATH);
      const kept = aside === null ? {} : { aside: aside.id };
      return {
        timeline: { ...timeline, ...metaWith(undefined, kept, CONFIG_PATH, report) },
        aside,
      };
    };
    return await this.#import(pass, folder, { label: "Import from Cap", ...params }, caller);
  }

  /**
   * Puts an OpenTimelineIO document in place of the timeline.
   *
   * @throws As {@linkcode importCap}.
   */
  async importOtio(params: ImportParams, caller: Caller): Promise<ImportResult> {
    this.#requireBase(params.baseRevision);
    const { value, folder } = await this.#document(params, null);
    const pass: Pass = (find, report, sampleRate) =>
      importOtio(value, { sampleRate, find, report });
    return await this.#import(
      pass,
      folder,
      { label: "Import from OpenTimelineIO", ...params },
      caller,
    );
  }

  /**
   * The timeline as it stands as an OpenTimelineIO document: answered, or written under the export folder where `path` is given.
   *
   * @throws {InvalidParams} @throws {EngineError} `export.outside`, `export.exists`, `export.diskFull`, `limit.exceeded`.
   */
  async exportOtio(params: OtioParams): Promise<ExportedDocument> {
    const { model } = this.#options.timeline();
    this.#requireAnswerable(model, params.path);
    const report = new ReportWriter();
    const document = await inSlices(exportOtio(model, {
      name: this.#options.projectName(),
      asset: this.#assetOf(),
      aside: this.#asideOf(model),
      report,
    }));
    const told = { report: reportOf(model, report) };
    if (params.path === undefined) return { document, ...told };
    const path = withEnding(params.path, ".otio");
    const file = await writeDocument(
      writeJson(document),
      path,
      params.overwrite ?? false,
      this.#options,
    );
    return { file, ...told };
  }

  /**
   * Tracks as they stand as an edit decision list (CMX 3600): answered, or written under the export folder where `path` is given.
   *
   * @throws As {@linkcode exportOtio}, and {EngineError} `timeline.notFound` for a track that is not there.
   */
  async exportEdl(params: EdlParams): Promise<ExportedDocument> {
    const { model } = this.#options.timeline();
    for (const trackId of params.trackIds ?? []) {
      if (model.tracks.some((track) => track.trackId === trackId)) continue;
      throw new EngineError("timeline.notFound", `There is no track ${JSON.stringify(trackId)}`, {
        trackId,
      });
    }
    this.#requireAnswerable(model, params.path);
    const { frameRate } = model;
    const report = new ReportWriter();
    const counting = frameRate === undefined ? DEFAULT_COUNTING : countingOf(frameRate);
    if (frameRate === undefined) report.add(["frameRate"], "no frame rate", "30 pictures a second");
    else if (frameRate.drop === true && !counting.drop) {
      report.add(
        ["frameRate", "drop"],
        "drop-frame counting at a rate that has none",
        "not dropped",
      );
    }
    const { startTimecode = "00:00:00:00" } = params;
    const startPicture = pictureOf(startTimecode, counting);
    if (startPicture === null) {
      const rate = `${counting.perSecond} pictures a second${counting.drop ? ", drop-frame" : ""}`;
      throw new InvalidParams(
        ["startTimecode"],
        `must be a timecode at ${rate}, got ${JSON.stringify(startTimecode)}`,
      );
    }
    const text = await inSlices(exportEdl(model, {
      title: params.title ?? this.#options.projectName(),
      ...(params.trackIds && { trackIds: params.trackIds }),
      startPicture,
      counting,
      asset: this.#assetOf(),
      report,
    }));
    const told = { report: reportOf(model, report) };
    if (params.path === undefined) return { document: text, ...told };
    const path = withEnding(params.path, ".edl");
    const file = await writeDocument([text], path, params.overwrite ?? false, this.#options);
    return { file, ...told };
  }

  async #import(
    pass: Pass,
    folder: string | null,
    params: ImportParams,
    caller: Caller,
  ): Promise<ImportResult> {
    const { baseRevision, label, files = {} } = params;
    const { timeline, isOpen } = this.#options;
    // Once without files: what is wrong in the document is found before anything is registered.
    const needs = new MediaNeeds();
    const { sampleRate } = timeline().model;
    await inSlices(pass(needs.find, new ReportWriter(), sampleRate));
    const report = new ReportWriter();
    const media = new ExchangeMedia(this.#options, report);
    try {
      await media.findAll(needs.needs.values(), folder, files, caller);
      // The first file of an empty project may have given it its rate.
      const previous = timeline().model;
      const find: FindMedia = ({ key }) => media.found.get(key) ?? null;
      const made = await inSlices(pass(find, report, previous.sampleRate));
      await inSlices(checkSteps(made.timeline));
      const model = await inSlices(
        modelSteps(made.timeline, previous, newSeed(), ["timeline"], new Turns(TURN_CLIPS)),
      );
      if (!isOpen()) {
        throw new EngineError(
          "timeline.conflict",
          "Cannot import: another project was opened meanwhile; import again",
          { reason: "switching" },
        );
      }
      if (made.aside !== null) this.#keep(made.aside);
      const options = { label, ...(baseRevision !== undefined && { baseRevision }) };
      const { revision } = timeline().replace(model, "import", options, caller);
      return { revision, report: reportOf(model, report) };
    } catch (error) {
      if (isOpen()) media.undo();
      throw error;
    }
  }

  /** The document of a request, from its params or a file. */
  async #document(
    { path, document, folder }: ImportParams,
    inFolder: string | null,
  ): Promise<{ value: unknown; folder: string | null }> {
    if ((path === undefined) === (document === undefined)) {
      throw new InvalidParams(["path"], "either path or document must be given");
    }
    const begin = folder === undefined ? null : absolutePath(folder, ["folder"]);
    if (path === undefined) {
      return { value: await this.#parsed(document, CONFIG_PATH), folder: begin };
    }
    const found = await this.#read(path, inFolder, CONFIG_PATH);
    return { value: found.value, folder: begin ?? found.folder };
  }

  async #parsed(document: unknown, path: Path): Promise<unknown> {
    return typeof document === "string" ? await inSlices(readJsonText(document, path)) : document;
  }

  #read(path: string, inFolder: string | null, field: Path): Promise<FoundDocument> {
    return readDocument(path, inFolder, field, this.#options);
  }

  /** Another document of the same folder; `undefined` where there is none. */
  async #beside(folder: string, name: string): Promise<unknown> {
    try {
      return (await this.#read(join(folder, name), null, META_PATH)).value;
    } catch (error) {
      // A document that was named by itself allows nothing else of its folder.
      const isAway = error instanceof EngineError &&
        (error.code === "asset.notFound" || error.code === "asset.outsideLibrary");
      if (isAway) return undefined;
      throw error;
    }
  }

  #requireBase(baseRevision: number | undefined): void {
    const { revision } = this.#options.timeline();
    if (baseRevision === undefined || baseRevision === revision) return;
    throw new EngineError(
      "timeline.conflict",
      `Cannot import on revision ${baseRevision}: the timeline is at revision ${revision}`,
      { baseRevision, revision },
    );
  }

  #requireAnswerable(model: TimelineModel, path: string | undefined): void {
    const clips = countAllClips(model.tracks);
    if (path !== undefined || clips <= MAX_ANSWERED_CLIPS) return;
    throw new EngineError(
      "limit.exceeded",
      `Cannot answer a document of ${clips} clips: give a path under the export folder`,
      { limit: "answeredClips", maximum: MAX_ANSWERED_CLIPS, actual: clips },
    );
  }

  #assetOf(): (assetId: string) => ExportedAsset | undefined {
    const known = new Map<string, ExportedAsset | undefined>();
    return (assetId) => {
      if (known.has(assetId)) return known.get(assetId);
      const entry = this.#options.assets.entry(assetId);
      const asset = entry && {
        url: pathToFileURL(entry.asset.path).href,
        name: lastPart(entry.asset.path),
        lengthSamples: entry.asset.lengthSamples,
        sampleRate: entry.asset.sampleRate,
        isMissing: entry.asset.offlineStatus === "missing",
      };
      known.set(assetId, asset);
      return asset;
    };
  }

  /** Keeps what a document holds beside the timeline; of many, the latest. */
  #keep({ id, content }: Aside): void {
    const { get, set } = this.#options;
    const kept = get(ASIDES);
    const ids = Array.isArray(kept) ? kept.filter((one) => typeof one === "string") : [];
    const next = [...ids.filter((one) => one !== id), id];
    for (const old of next.splice(0, Math.max(0, next.length - KEPT_ASIDES))) {
      set(asideKey(old), undefined);
    }
    if (!ids.includes(id)) set(asideKey(id), content);
    set(ASIDES, next);
  }

  #asideOf({ meta }: TimelineModel): Aside | null {
    const id = member(asideOf(meta), "aside");
    const content = typeof id === "string" ? this.#options.get(asideKey(id)) : undefined;
    return isObject(content) ? { id: id as string, content: content as AsideContent } : null;
  }
}

/** What an import made must be what a client might have set. @throws {InvalidParams} */
function* checkSteps({ tracks, markers = [] }: TimelineInput): Generator<void, void> {
  const turns = new Turns(TURN_CLIPS);
  for (const [i, { clips = [], trackId: _, ...header }] of tracks.entries()) {
    parseParams(TrackSetSchema, header, ["timeline", "tracks", i]);
    for (let j = 0; j < clips.length; j++) {
      if (turns.isOver()) yield;
      parseParams(ClipInputSchema, clips[j], ["timeline", "tracks", i, "clips", j]);
    }
  }
  for (const [i, marker] of markers.entries()) {
    if (turns.isOver()) yield;
    parseParams(MarkerSchema, marker, ["timeline", "markers", i]);
  }
}

function reportOf({ tracks, markers }: TimelineModel, report: ReportWriter): Report {
  return report.done({
    tracks: tracks.length,
    clips: countAllClips(tracks),
    markers: markers.length,
  });
}

/** A path with its ending, where it has none. */
function withEnding(path: string, ending: string): string {
  return /\.[A-Za-z0-9]+$/.test(lastPart(path)) || path.length > LIMITS.pathChars - ending.length
    ? path
    : `${path}${ending}`;
}
