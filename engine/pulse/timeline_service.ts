/**
 * The timeline of a project as requests see it: revisions, undo, conflicts, repeated requests. Each change is in the journal before
 * anybody hears of it.
 *
 * **What an edit costs**, from here on. It changes T of the timeline's t tracks and opens a few blocks on each (of up to 256 clips; b blocks on a track)
 * of which it changes k clips. All else is walks over places that are looked at and left as they are. `tests/pulse_cost_test.ts` counts it.
 *
 * | stage | looks at | makes |
 * | --- | --- | --- |
 * | model (`apply_edits.ts`, `block_list.ts`) | the clips of opened blocks; places: b on each of T, and b of all for the number of clips | opened blocks, k bodies, b places on each of T |
 * | differences, both ways (`diff_models.ts`) | clips of opened blocks; b places on each of T; t tracks by identity | k clips, a shift for each stretch that moved |
 * | journal | | the differences as JSON: about 250 bytes for each clip that goes or comes, both ways |
 * | packing (`signal/pack.ts`) | clips of opened blocks; b places on each of T; t tracks by identity | 72 bytes a new clip, 24 a stretch of blocks or tracks, 8 a block that goes or comes as a whole |
 * | `lp_publish` | what is packed; b places on each of T; a count for each of t tracks | opened blocks, b places on each of T |
 * | the callback's swap | t tracks | |
 * | the callback's periods (`track_cursor.h`) | what sounds, and a remembered frame for each track that rests | |
 * | `timeline.changed`, the reply | | the differences as JSON, once for all connections and once for the reply |
 * | a client's mirror (`track_clips.js`) | clips of opened blocks, a number for each other block of T | |
 * | the page | what is seen: at most a clip for each half column | |
 * | anticipation | in slices of a millisecond, at most 20 times a second: clips near the places where the head may land, until the budget is full | |
 * | the store's snapshot | once for 256 edits or after a pause, in slices: b blocks of all, and clips of those that are new | |
 *
 * What brings many clips back or takes them away (`track.remove`, a long `range.delete`, and their undo) costs by them in differences, journal and mirror,
 * since the interface names each; packing it does not, as the renderer keeps blocks that went as a whole.
 *
 * @module
 */
import type { Caller, EditOptions, EditResult, HistoryEntry } from "../api.ts";
import { EngineError, InvalidParams } from "../errors.ts";
import { type HeadMapStep, invertMap } from "../signal/model.ts";
import type { Landing } from "./anticipation.ts";
import { type Applied, applyEdits } from "./apply_edits.ts";
import { diffModels, isNoChange, noChanges } from "./diff_models.ts";
import { compactMap } from "./compact_map.ts";
import { labelOf } from "./edit_label.ts";
import { type Footprint, footprintOf, joinFootprints } from "./footprint.ts";
import {
  emptyHistory,
  type History,
  type HistoryStep,
  liftStep,
  pushStep,
  type StepHead,
  type StepMemory,
  stepToRedo,
  stepToUndo,
} from "./history.ts";
import { newSeed } from "./id_maker.ts";
import {
  type ChangeCause,
  type Journal,
  type JournalEntry,
  MemoryJournal,
  type MovedStep,
} from "./journal.ts";
import { type Merge, OpenSteps } from "./open_steps.ts";
import { modelFromTimeline, modelSteps, type TimelineInput } from "./model_from_timeline.ts";
import { replayChanges } from "./replay_changes.ts";
import { hashingRequest, hashRequest, RequestLog } from "./request_log.ts";
import { RevisionRing } from "./revision_ring.ts";
import {
  checkingTimeline,
  EditOptionsSchema,
  EditsSchema,
  isCheckedTimeline,
  parseParams,
} from "./schema.ts";
import { TimelineInputSchema } from "./schema/timeline.ts";
import {
  assetsOf,
  countAllClips,
  emptyModel,
  type TimelineModel,
  timelineOf,
  usesAsset,
} from "./timeline_model.ts";
import { inSlices, Slices } from "./store/slices.ts";
import { Turns } from "./turns.ts";
import type { Changes, Edit, Frames, Timeline } from "./types.ts";

/** Clips of a large timeline that are checked or made in one turn: together a fraction of a millisecond. */
const CLIPS_A_TURN = 128;

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
  /** Called with the steps that cannot be undone or done again any more, because the journal cannot be read there. Must not throw. */
  readonly onLost?: (lost: LostSteps) => void;
  /** True for ids of assets that clips may play. All, if left out. */
  readonly hasAsset?: (assetId: string) => boolean;
}

/** Steps that are forgotten because the journal cannot be read. */
export interface LostSteps {
  /** The revision whose entry cannot be read. */
  readonly revision: number;
  readonly cause: "undo" | "redo";
  readonly steps: number;
}

/** Where a step leads, and how the head gets there. */
interface Way {
  readonly model: TimelineModel;
  readonly map: readonly HeadMapStep[];
}

/** Steps that a request for the history gets if it does not say how many. */
const HISTORY_PAGE = 1_000;

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
  readonly #open: OpenSteps;

  constructor(options: TimelineServiceOptions) {
    this.#options = options;
    this.#model = options.state.model;
    this.#revision = options.state.revision;
    this.#history = options.state.history;
    this.#journal = options.journal ?? new MemoryJournal();
    this.#ring = new RevisionRing(this.#revision, this.#model);
    const last = stepToUndo(this.#history);
    // A drag goes on over a restart, unless an undo came after it.
    const isLast = last?.last === this.#revision && stepToRedo(this.#history) === undefined;
    this.#open = new OpenSteps(isLast ? this.#headOf(last) ?? undefined : undefined);
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
      return this.#commitEdit("edit", applied, footprintOf(checked), label, options, caller, tag);
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
      this.#checkRate(checked);
      const model = modelFromTimeline(checked as TimelineInput, this.#model, newSeed());
      return this.#commitModel(cause, model, options, caller, tag);
    });
  }

  /**
   * {@linkcode set} of a large timeline: all but the step itself is done in turns, in which others may edit. It takes effect at its end, and is refused
   * then if `baseRevision` is not the current one any more.
   *
   * @param timeline Must not change meanwhile.
   * @throws as `set`.
   */
  async setInTurns(
    timeline: Timeline,
    options: EditOptions,
    caller: Caller,
    slices: Pick<Slices, "turn"> = new Slices(),
  ): Promise<EditResult> {
    const { requestId } = parseParams(EditOptionsSchema, options);
    // One that was done already is answered below, before anything is made.
    if (requestId === undefined) this.#checkBase(options.baseRevision);
    const turns = new Turns(CLIPS_A_TURN);
    const checked = isCheckedTimeline(timeline) ? timeline as TimelineInput : await inSlices(
      checkingTimeline(timeline, ["timeline"], turns) as Generator<void, TimelineInput>,
      slices,
    );
    this.#checkRate(checked);
    const hash = requestId === undefined
      ? undefined
      : await inSlices(hashingRequest(timeline), slices);
    const steps = modelSteps(checked, this.#model, newSeed(), ["timeline"], turns);
    const model = await inSlices(steps, slices);
    return this.#request(timeline, options, caller, (tag) => {
      this.#checkRate(checked);
      return this.#commitModel("set", model, options, caller, tag);
    }, hash);
  }

  /**
   * Puts a model in the place of what stands, as one step that can be undone: what it shares with that stays as it was.
   *
   * @throws {EngineError} `timeline.conflict` (`baseRevision`, or another sample rate than the project's by now), `asset.notFound`.
   */
  replace(
    model: TimelineModel,
    cause: "set" | "import",
    options: Pick<EditOptions, "baseRevision" | "label">,
    caller: Caller,
  ): EditResult {
    const { baseRevision, label } = parseParams(EditOptionsSchema, options);
    this.#checkBase(baseRevision);
    if (model.sampleRate !== this.#model.sampleRate) {
      throw new EngineError(
        "timeline.conflict",
        `The project's sample rate is ${this.#model.sampleRate} by now, not ${model.sampleRate}`,
        { sampleRate: this.#model.sampleRate },
      );
    }
    return this.#commitModel(cause, model, label === undefined ? {} : { label }, caller, {});
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
    const { model, map } = this.#stepBack(step) ??
      this.#lose(step, "undo", { steps: steps.slice(applied), applied: 0 });
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
    const { model, map } = this.#stepForward(step) ??
      this.#lose(step, "redo", { steps: steps.slice(0, applied), applied });
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
    this.#open.close();
    const changes = diffModels(this.#model, model);
    this.#publish(model, "set", "Sample rate", "", changes, []);
  }

  /** Goes on in another journal, which has all that this one has. */
  useJournal(journal: Journal): void {
    this.#journal = journal;
  }

  /** Undo steps, oldest first. `applied` is false for those that were undone. */
  history(
    { offset = 0, limit = HISTORY_PAGE }: { offset?: number; limit?: number } = {},
  ): { entries: HistoryEntry[]; total: number } {
    const { steps, applied } = this.#history;
    const entries = steps.slice(offset, offset + limit).map((step, i) => {
      const { label = "", clientId = "" } = this.#headOf(step) ?? {};
      return { revision: step.last, label, clientId, applied: offset + i < applied };
    });
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
    hash?: string,
  ): EditResult {
    const { requestId, baseRevision } = parseParams(EditOptionsSchema, options);
    if (requestId === undefined) {
      this.#checkBase(baseRevision);
      return run({});
    }
    const requestHash = hash ?? hashRequest(content);
    const known = this.#requests.find(requestId, caller.clientId, requestHash);
    if (known !== undefined) return known;
    this.#checkBase(baseRevision);
    const result = run({ requestId, requestHash });
    const weight = result.changes.clips.length;
    this.#requests.remember(requestId, caller.clientId, requestHash, () => result, weight);
    return result;
  }

  #checkRate({ sampleRate }: Pick<Timeline, "sampleRate">): void {
    if (sampleRate === this.#model.sampleRate) return;
    throw new InvalidParams(
      ["timeline", "sampleRate"],
      `must be the project's, ${this.#model.sampleRate}, got ${sampleRate}`,
    );
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

  #commitModel(
    cause: "set" | "import",
    model: TimelineModel,
    options: EditOptions,
    caller: Caller,
    tag: RequestTag,
  ): EditResult {
    if (this.#options.hasAsset !== undefined) {
      for (const assetId of assetsOf(model)) this.#checkAsset(assetId, ["timeline"]);
    }
    const applied = { model, changes: diffModels(this.#model, model), map: [] };
    const label = options.label ?? (cause === "import" ? "Import" : "Set timeline");
    return this.#commitEdit(cause, applied, null, label, options, caller, tag);
  }

  #commitEdit(
    cause: "edit" | "set" | "import",
    applied: Applied,
    footprint: Footprint,
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
    const found = this.#open.find(
      this.#history,
      { clientId, mergeKey },
      footprint,
      (step) => this.#headOf(step),
    );
    const open = found === null ? null : this.#openMemory(found);
    const merge = open === null ? null : found;
    const before = open?.before ?? this.#model;
    const head: StepHead = {
      first: merge?.head.first ?? revision,
      last: revision,
      label: merge === null || options.label !== undefined ? label : merge.head.label,
      clientId,
      ...(mergeKey !== undefined && { mergeKey }),
      ...((merge?.head.apart || merge !== null && merge.moved.length > 0) && { apart: true }),
    };
    const step: HistoryStep = {
      last: revision,
      head,
      memory: open === null ? { before, after: model, map, footprint } : {
        before,
        after: model,
        map: compactMap([...open.map, ...map]),
        footprint: joinFootprints(open.footprint, footprint),
      },
    };
    this.#journal.append({
      revision,
      cause,
      step: head.first,
      label: head.label,
      clientId,
      ...(mergeKey !== undefined && { mergeKey }),
      ...(head.apart && { apart: true }),
      ...tag,
      map: step.memory!.map,
      forward: changes,
      backward: diffModels(model, before),
      ...(merge !== null && { redo: diffModels(before, model) }),
      ...(merge !== null && merge.moved.length > 0 && { moved: merge.moved.map(movedStepOf) }),
    });
    this.#history = merge === null
      ? pushStep(this.#history, step)
      : liftStep(this.#history, merge.index, step, merge.moved);
    if (merge !== null) this.#ring.pass(merge.open.last);
    this.#open.note(head);
    return this.#publish(model, cause, head.label, clientId, changes, map);
  }

  /** What an open step did so far, with the timeline before it as it is once the steps over which it moves are under it. */
  #openMemory({ open, moved }: Merge): Omit<StepMemory, "after"> | null {
    const { memory } = open;
    const before = moved.at(-1)?.memory?.after;
    if (memory !== undefined) return { ...memory, before: before ?? memory.before };
    const known = this.#journal.stepChanges(open.last);
    if (known === null) return null;
    return { before: replayChanges(this.#model, known.backward), map: known.map, footprint: null };
  }

  #commitMove(
    cause: "undo" | "redo",
    step: HistoryStep,
    model: TimelineModel,
    map: readonly HeadMapStep[],
    history: History,
    caller: Caller,
  ): EditResult {
    const label = this.#headOf(step)?.label ?? "";
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
    this.#open.close();
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

  /** What the step is called: of one from before the last start the journal knows it. */
  #headOf(step: HistoryStep): StepHead | null {
    return step.head ?? this.#journal.head(step.last);
  }

  /** The timeline before a step, `null` where the journal cannot be read. */
  #stepBack({ last, memory }: HistoryStep): Way | null {
    if (memory !== undefined) return { model: memory.before, map: invertMap(memory.map) };
    const known = this.#journal.stepChanges(last);
    return known === null
      ? null
      : { model: replayChanges(this.#model, known.backward), map: invertMap(known.map) };
  }

  /** The timeline after a step, `null` where the journal cannot be read. */
  #stepForward({ last, memory }: HistoryStep): Way | null {
    if (memory !== undefined) return { model: memory.after, map: memory.map };
    const known = this.#journal.stepChanges(last);
    return known === null
      ? null
      : { model: replayChanges(this.#model, known.redo), map: known.map };
  }

  /** Goes on with the history that can still be reached, where a step's entry cannot be read. */
  #lose({ last }: HistoryStep, cause: "undo" | "redo", history: History): never {
    const steps = this.#history.steps.length - history.steps.length;
    this.#history = history;
    this.#open.close();
    this.#options.onLost?.({ revision: last, cause, steps });
    throw new EngineError(
      "timeline.nothingToUndo",
      `Cannot ${cause} revision ${last}: the journal no longer has it; ${steps} steps are forgotten`,
      { revision: last, steps },
    );
  }

  /** The timeline of a past revision, if it is in memory or few steps back in the journal. */
  #modelAt(revision: number): TimelineModel | null {
    if (revision > this.#revision || revision < 0) return null;
    return this.#ring.get(revision) ??
      this.#ring.reach(revision, (entry) => this.#journal.entry(entry));
  }
}

function movedStepOf({ last, memory }: HistoryStep): MovedStep {
  const { before, after } = memory!;
  return { last, backward: diffModels(after, before), redo: diffModels(before, after) };
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
