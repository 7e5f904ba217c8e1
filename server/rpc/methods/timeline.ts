/**
 * `timeline.*`: edits are all or nothing, and take effect in the order sent.
 *
 * @module
 */
import { z } from "zod";
import {
  ChangesSchema,
  checkingTimeline,
  EditOptionsSchema,
  EditsSchema,
  FrameSchema,
  HistoryEntrySchema,
  isLargeTimeline,
  parseParams,
  TimelineInputSchema,
  TimelineSchema,
} from "../../../engine/pulse/schema.ts";
import { inSlices } from "../../../engine/pulse/store/slices.ts";
import { Turns } from "../../../engine/pulse/turns.ts";
import type { Edit, Timeline } from "../../../engine/pulse/types.ts";
import { limit, nothing, offset, revision } from "../../schema/base.ts";
import { method } from "../method.ts";

/** Clips that are checked in one turn: together a fraction of a millisecond. */
const CLIPS_A_TURN = 64;

const editResult = z.object({ revision, playheadFrame: FrameSchema, changes: ChangesSchema });
const baseRevision = revision.optional();
const errors = ["timeline.conflict", "timeline.notFound", "asset.notFound"] as const;

const get = method({
  name: "timeline.get",
  summary: "The whole timeline.",
  params: nothing,
  result: z.object({ timeline: TimelineSchema, revision }),
  ordered: true,
  run: (_params, { engine }) => engine.timeline.get(),
});

const set = method({
  name: "timeline.set",
  summary: "Puts another timeline in place of what stands, as one edit.",
  params: EditOptionsSchema.extend({ timeline: TimelineInputSchema }),
  result: editResult,
  ordered: true,
  errors,
  checkInTurns(params) {
    const { timeline, ...options } = (params ?? {}) as { timeline?: unknown };
    if (!isLargeTimeline(timeline)) return null;
    const checked = parseParams(EditOptionsSchema, options);
    const steps = checkingTimeline(timeline, ["timeline"], new Turns(CLIPS_A_TURN));
    return inSlices(steps).then((timeline) => ({ ...checked, timeline }));
  },
  run: ({ timeline, ...options }, { engine, client }) =>
    isLargeTimeline(timeline)
      ? engine.timeline.setInTurns(timeline as Timeline, options, client)
      : engine.timeline.set(timeline as Timeline, options, client),
});

const doEdit = method({
  name: "timeline.edit",
  summary: "Edits, all or nothing.",
  params: EditOptionsSchema.extend({ edits: EditsSchema.min(1) }),
  result: editResult,
  ordered: true,
  errors,
  run: ({ edits, ...options }, { engine, client }) =>
    engine.timeline.edit(edits as Edit[], options, client),
});

const undo = method({
  name: "timeline.undo",
  summary: "Takes the last step back; undo is the project's, not the client's.",
  params: z.strictObject({ baseRevision }),
  result: editResult,
  ordered: true,
  errors: ["timeline.conflict", "timeline.nothingToUndo"],
  run: (params, { engine, client }) => engine.timeline.undo(params, client),
});

const redo = method({
  name: "timeline.redo",
  summary: "Does again what was taken back last.",
  params: z.strictObject({ baseRevision }),
  result: editResult,
  ordered: true,
  errors: ["timeline.conflict", "timeline.nothingToUndo"],
  run: (params, { engine, client }) => engine.timeline.redo(params, client),
});

const history = method({
  name: "timeline.history",
  summary: "The steps that were taken, applied or taken back.",
  params: z.strictObject({ offset: offset.optional(), limit: limit.optional() }),
  result: z.object({
    entries: z.array(HistoryEntrySchema),
    total: z.int(),
  }),
  ordered: true,
  run: (params, { engine }) => engine.timeline.history(params),
});

export const timelineMethods = [get, set, doEdit, undo, redo, history];
