/**
 * The timeline of a project as requests see it: revisions, undo, conflicts, repeated requests. Each change is in the journal before
 * anybody hears of it.
 *
 * @module
 */
import type { Caller, EditOptions, EditResult, HistoryEntry } from "../api.ts";
import { EngineError, InvalidParams } from "../errors.ts";
import { type HeadMapStep, invertMap } from "../signal/model.ts";
import type { Landing } from "./anticipation.ts";
import { type Applied, applyEdits } from "./apply_edits.ts";
import { diffModels, isNoChange, noChanges } from "./diff_models.ts";
import { labelOf } from "./edit_label.ts";
import {
  emptyHistory,
  type History,
  type HistoryStep,
  mergeStep,
  pushStep,
  stepToRedo,
  stepToUndo,
} from "./history.ts";
import { newSeed } from "./id_maker.ts";
import { type ChangeCause, type Journal, type JournalEntry, MemoryJournal } from "./journal.ts";
import { LIMITS } from "./limits.ts";
import { modelFromTimeline, type TimelineInput } from "./model_from_timeline.ts";
import { replayChanges } from "./replay_changes.ts";
import { hashRequest, RequestLog } from "./request_log.ts";
import { RevisionRing } from "./revision_ring.ts";
import { EditOptionsSchema, EditsSchema, isCheckedTimeline, parseParams } from "./schema.ts";
import { TimelineInputSchema } from "./schema/timeline.ts";
import {
  assetsOf,
  countAllClips,
  emptyModel,
  type TimelineModel,
  timelineOf,
  usesAsset,
} from "./timeline_model.ts";
import type { Changes, Edit, Frames, Timeline } from "./types.ts";

/** A change that has happened. */
export interface Commit {
  readonly model: TimelineModel;
  readonly previousModel: TimelineModel;
  readonly revision: number;
  readonly previousRevision: number;
  readonly cause: ChangeCause;
  readonly label: string;
  readonly clientId: string;
  readonly canUndo: boolean;
  readonly canRedo: boolean;
  readonly changes: Changes;
  /** How the head moves. */
  readonly map: readonly HeadMapStep[];
}

/** What a timeline starts with: read from a project, or nothing. */
export interface TimelineState {
  readonly model: TimelineModel;
  readonly revision: number;
  readonly history: History;
  /** The newest entries that had a `requestId`, oldest first. */
  readonly requests?: readonly JournalEntry[];
}

export interface TimelineServiceOptions {
  readonly state: TimelineState;
  /** Memory, if left out. */
  readonly journal?: Journal;
  /** Called with each change after it is journalled and before the request is answered. Must not throw. */
  readonly onCommit?: (commit: Commit) => void;
  /** Where the head is once a change is published, for the answers. 0 if left out. */
  readonly playhead?: () => Frames;
  /** True for ids of assets that clips may play. All, if left out. */
  readonly hasAsset?: (assetId: string) => boolean;
}

/** What the journal keeps of a request, so that it is known after a restart. */
interface RequestTag {
  readonly requestId?: string;
  readonly requestHash?: string;
}

export class TimelineService {
  #model: TimelineModel;
  #revision: number;
  #history: History;
  #journal: Journal;
  readonly #options: TimelineServiceOptions;
  readonly #requests = new RequestLog<EditResult>();
  readonly #ring: RevisionRing;
  /** The last change, if it was an edit that more may be merged into. */
  #mergeable: { readonly clientId: string; readonly mergeKey: string } | null = null;

  constructor(options: TimelineServiceOptions) {
    this.#options = options;
    this.#model = options.state.model;
    this.#revision = options.state.revision;
    this.#history = options.state.history;
    this.#journal = options.journal ?? new MemoryJournal();
    this.#ring = new RevisionRing(this.#revision, this.#model);
    for (const { requestId, clientId, requestHash, revision } of options.state.requests ?? []) {
      if (requestId === undefined) continue;
      this.#requests.remember(
        requestId,
        clientId,
        requestHash ?? "",
        () => this.#answer(revision, this.#journal.entry(revision)?.forward ?? noChanges()),
      );
    }
  }

  /** An empty timeline that dies with the process. */
  static inMemory(
    sampleRate: number,
    options: Omit<TimelineServiceOptions, "state"> = {},
  ): TimelineService {
    const state = { model: emptyModel(sampleRate), revision: 0, history: emptyHistory };
    return new TimelineService({ ...options, state });
  }

  get model(): TimelineModel {
    return this.#model;
  }
  /** Grows with every change, an undo too. */
  get revision(): number {
    return this.#revision;
  }
  get canUndo(): boolean {
    return stepToUndo(this.#history) !== undefined;
  }
  get canRedo(): boolean {
    return stepToRedo(this.#history) !== undefined;
  }
  /** The undo history as it stands, for a checkpoint. */
  get undoHistory(): History {
    return this.#history;
  }

  /** Where an undo and a redo would lead, as far as that is in memory. */
  get landings(): { undo?: Landing; redo?: Landing } {
    const undo = stepToUndo(this.#history)?.memory;
    const redo = stepToRedo(this.#history)?.memory;
    return {
      ...(undo !== undefined && { undo: { model: undo.before, map: invertMap(undo.map) } }),
      ...(redo !== undefined && { redo: { model: redo.after, map: redo.map } }),
    };
  }

  /** The whole timeline. Its clips are frozen and shared between answers. */
  get(): { timeline: Timeline; revision: number } {
    return { timeline: timelineOf(this.#model), revision: this.#revision };
  }

  /** True where a clip plays the asset. */
  usesAsset(assetId: string): boolean {
    return usesAsset(this.#model, assetId);
  }

  /**
   * Applies edits, all or none.
   *
   * @throws {InvalidParams} with the path of the field.
   * @throws {EngineError} `timeline.conflict`, `timeline.notFound`, `asset.notFound`, `limit.exceeded`.
   */
  edit(edits: readonly Edit[], options: EditOptions, caller: Caller): EditResult {
    return this.#request(edits, options, caller, (tag) => {
      const checked = parseParams(EditsSchema, edits, ["edits"]) as Edit[];
      this.#checkAssets(assetFields(checked));
      const applied = applyEdits(this.#model, checked, newSeed());
      const label = options.label ?? labelOf(checked);
      return this.#commitEdit("edit", applied, label, options, caller, tag);
    });
  }

  /**
   * Sets the whole timeline, as one step that can be undone. Clips that it says as they were stay as they were.
   *
   * @throws {InvalidParams} with the path of the field; the project's sample rate cannot be changed.
   * @throws {EngineError} `timeline.conflict` (`baseRevision`), `asset.notFound`, `limit.exceeded`.
   */
  set(
    timeline: Timeline,
    options: EditOptions,
    caller: Caller,
    cause: "set" | "import" = "set",
  ): EditResult {
    return this.#request(timeline, options, caller, (tag) => {
      const checked = isCheckedTimeline(timeline)
        ? timeline
        : parseParams(TimelineInputSchema, timeline, ["timeline"]) as Timeline;
      if (checked.sampleRate !== this.#model.sampleRate) {
        throw new InvalidParams(
          ["timeline", "sampleRate"],
          `must be the project's, ${this.#model.sampleRate}, got ${checked.sampleRate}`,
        );
      }
      const model = modelFromTimeline(checked as TimelineInput, this.#model, newSeed());
      if (this.#options.hasAsset !== undefined) {
        for (const assetId of assetsOf(model)) this.#checkAsset(assetId, ["timeline"]);
      }
      const applied = { model, changes: diffModels(this.#model, model), map: [], touched: [] };
      const label = options.label ?? (cause === "import" ? "Import" : "Set timeline");
      return this.#commitEdit(cause, applied, label, options, caller, tag);
    });
  }

  /**
   * Takes the last applied step back, whoever did it.
   *
   * @throws {EngineError} `timeline.nothingToUndo`, `timeline.conflict` (`baseRevision`).
   */
  undo(options: { baseRevision?: number }, caller: Caller): EditResult {
    this.#checkBase(options.baseRevision);
    const step = stepToUndo(this.#history);
    if (step === undefined) {
      throw new EngineError("timeline.nothingToUndo", "There is nothing to undo");
    }
    const { steps, applied } = this.#history;
    const { model, map } = this.#stepBack(step);
    return this.#commitMove("undo", step, model, map, { steps, applied: applied - 1 }, caller);
  }

  /**
   * Does the step again that was undone last.
   *
   * @throws {EngineError} `timeline.nothingToUndo`, `timeline.conflict` (`baseRevision`).
   */
  redo(options: { baseRevision?: number }, caller: Caller): EditResult {
    this.#checkBase(options.baseRevision);
    const step = stepToRedo(this.#history);
    if (step === undefined) {
      throw new EngineError("timeline.nothingToUndo", "There is nothing to do again");
    }
    const { steps, applied } = this.#history;
    const { model, map } = this.#stepForward(step);
    return this.#commitMove("redo", step, model, map, { steps, applied: applied + 1 }, caller);
  }

  /**
   * Gives a timeline without clips another rate, in Hz, before anything can sound at it. That cannot be undone: the undo history begins anew.
   *
   * @param persist Keeps the timeline of the new revision; nothing changes if it throws.
   * @throws {Error} if there are clips.
   */
  adoptSampleRate(
    sampleRate: number,
    persist: (model: TimelineModel, revision: number) => void = () => {},
  ): void {
    if (sampleRate === this.#model.sampleRate) return;
    const clips = countAllClips(this.#model.tracks);
    if (clips > 0) {
      throw new Error(`Cannot change the project's sample rate: there are ${clips} clips`);
    }
    const model = { ...this.#model, sampleRate };
    persist(model, this.#revision + 1);
    this.#history = emptyHistory;
    this.#mergeable = null;
    const changes = diffModels(this.#model, model);
    this.#publish(model, "set", "Sample rate", "", changes, []);
  }

  /** Goes on in another journal, which has all that this one has. */
  useJournal(journal: Journal): void {
    this.#journal = journal;
  }

  /** Undo steps, oldest first. `applied` is false for those that were undone. */
  history(
    { offset = 0, limit = LIMITS.undoSteps }: { offset?: number; limit?: number } = {},
  ): { entries: HistoryEntry[]; total: number } {
    const { steps, applied } = this.#history;
    const entries = steps.slice(offset, offset + limit).map(({ last, label, clientId }, i) => ({
      revision: last,
      label,
      clientId,
      applied: offset + i < applied,
    }));
    return { entries, total: steps.length };
  }

  /**
   * What has changed since a revision, as one `changes` where it is still known, else the whole timeline.
   */
  changesSince(
    sinceRevision?: number,
  ): { revision: number; changes: Changes } | { revision: number; timeline: Timeline } {
    const then = sinceRevision === undefined ? null : this.#modelAt(sinceRevision);
    return then === null
      ? this.get()
      : { revision: this.#revision, changes: diffModels(then, this.#model) };
  }

  /** Answers a request once: a repeated one gets its first answer, one on an old revision is refused. */
  #request(
    content: unknown,
    options: EditOptions,
    caller: Caller,
    run: (tag: RequestTag) => EditResult,
  ): EditResult {
    const { requestId, baseRevision } = parseParams(EditOptionsSchema, options);
    if (requestId === undefined) {
      this.#checkBase(baseRevision);
      return run({});
    }
    const requestHash = hashRequest(content);
    const known = this.#requests.find(requestId, caller.clientId, requestHash);
    if (known !== undefined) return known;
    this.#checkBase(baseRevision);
    const result = run({ requestId, requestHash });
    const weight = result.changes.clips.length;
    this.#requests.remember(requestId, caller.clientId, requestHash, () => result, weight);
    return result;
  }

  #checkBase(baseRevision: number | undefined): void {
    if (baseRevision === undefined || baseRevision === this.#revision) return;
    throw new EngineError(
      "timeline.conflict",
      `Cannot edit revision ${baseRevision}: the timeline is at revision ${this.#revision}`,
      { baseRevision, revision: this.#revision },
    );
  }

  #checkAssets(fields: Iterable<{ assetId: string; path: (string | number)[] }>): void {
    if (this.#options.hasAsset === undefined) return;
    for (const { assetId, path } of fields) this.#checkAsset(assetId, path);
  }

  #checkAsset(assetId: string, path: (string | number)[]): void {
    if (this.#options.hasAsset!(assetId)) return;
    throw new EngineError("asset.notFound", `There is no asset ${JSON.stringify(assetId)}`, {
      assetId,
      path,
    });
  }

  #commitEdit(
    cause: "edit" | "set" | "import",
    applied: Applied,
    label: string,
    options: EditOptions,
    caller: Caller,
    tag: RequestTag,
  ): EditResult {
    const { model, changes, map } = applied;
    if (isNoChange(changes) && map.length === 0) return this.#answer(this.#revision, changes);
    const { mergeKey } = options;
    const { clientId } = caller;
    const revision = this.#revision + 1;
    const last = stepToUndo(this.#history);
    const open = mergeKey !== undefined && this.#mergeable?.mergeKey === mergeKey &&
        this.#mergeable.clientId === clientId && last?.memory !== undefined
      ? last.memory
      : null;
    const before = open?.before ?? this.#model;
    const step: HistoryStep = {
      first: open === null ? revision : last!.first,
      last: revision,
      label: open === null || options.label !== undefined ? label : last!.label,
      clientId,
      ...(mergeKey !== undefined && { mergeKey }),
      memory: { before, after: model, map: [...open?.map ?? [], ...map] },
    };
    this.#journal.append({
      revision,
      cause,
      step: step.first,
      label: step.label,
      clientId,
      ...(mergeKey !== undefined && { mergeKey }),
      ...tag,
      map: step.memory!.map,
      forward: changes,
      backward: diffModels(model, before),
      ...(open !== null && { redo: diffModels(before, model) }),
    });
    this.#history = open === null ? pushStep(this.#history, step) : mergeStep(this.#history, step);
    this.#mergeable = mergeKey === undefined ? null : { clientId, mergeKey };
    return this.#publish(model, cause, step.label, clientId, changes, map);
  }

  #commitMove(
    cause: "undo" | "redo",
    step: HistoryStep,
    model: TimelineModel,
    map: readonly HeadMapStep[],
    history: History,
    caller: Caller,
  ): EditResult {
    const { label } = step;
    const { clientId } = caller;
    const changes = diffModels(this.#model, model);
    this.#journal.append({
      revision: this.#revision + 1,
      cause,
      step: step.last,
      label,
      clientId,
      map,
    });
    this.#history = history;
    this.#mergeable = null;
    return this.#publish(model, cause, label, clientId, changes, map);
  }

  #publish(
    model: TimelineModel,
    cause: ChangeCause,
    label: string,
    clientId: string,
    changes: Changes,
    map: readonly HeadMapStep[],
  ): EditResult {
    const previousModel = this.#model;
    const previousRevision = this.#revision;
    this.#model = model;
    this.#revision++;
    this.#ring.push(this.#revision, model);
    this.#options.onCommit?.({
      model,
      previousModel,
      revision: this.#revision,
      previousRevision,
      cause,
      label,
      clientId,
      canUndo: this.canUndo,
      canRedo: this.canRedo,
      changes,
      map,
    });
    return this.#answer(this.#revision, changes);
  }

  #answer(revision: number, changes: Changes): EditResult {
    return { revision, playheadFrame: this.#options.playhead?.() ?? 0, changes };
  }

  #stepBack(step: HistoryStep): { model: TimelineModel; map: readonly HeadMapStep[] } {
    if (step.memory !== undefined) {
      return { model: step.memory.before, map: invertMap(step.memory.map) };
    }
    const { backward, map } = this.#journalled(step);
    return { model: replayChanges(this.#model, backward), map: invertMap(map) };
  }

  #stepForward(step: HistoryStep): { model: TimelineModel; map: readonly HeadMapStep[] } {
    if (step.memory !== undefined) return { model: step.memory.after, map: step.memory.map };
    const { redo, map } = this.#journalled(step);
    return { model: replayChanges(this.#model, redo), map };
  }

  #journalled(step: HistoryStep) {
    const changes = this.#journal.stepChanges(step.last);
    if (changes === null) {
      throw new EngineError(
        "timeline.nothingToUndo",
        `The journal no longer has revision ${step.last}`,
        { revision: step.last },
      );
    }
    return changes;
  }

  /** The timeline of a past revision, if it is in memory or few steps back in the journal. */
  #modelAt(revision: number): TimelineModel | null {
    if (revision > this.#revision || revision < 0) return null;
    return this.#ring.get(revision) ??
      this.#ring.reach(revision, (entry) => this.#journal.entry(entry));
  }
}

/** Ids of assets that edits name, with their places in the request. */
function* assetFields(
  edits: readonly Edit[],
): Generator<{ assetId: string; path: (string | number)[] }> {
  for (const [i, edit] of edits.entries()) {
    if (edit.op === "clip.add") {
      yield { assetId: edit.clip.assetId, path: ["edits", i, "clip", "assetId"] };
    } else if (edit.op === "clip.set" && edit.set.assetId !== undefined) {
      yield { assetId: edit.set.assetId, path: ["edits", i, "set", "assetId"] };
    } else if (edit.op === "track.add") {
      for (const [j, { assetId }] of (edit.track.clips ?? []).entries()) {
        yield { assetId, path: ["edits", i, "track", "clips", j, "assetId"] };
      }
    }
  }
}
