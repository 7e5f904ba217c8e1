/**
 * Edits as a function from a timeline to the next.
 *
 * @module
 */
import { EngineError } from "../errors.ts";
import type { HeadMapStep } from "../signal/model.ts";
import { diffModels } from "./diff_models.ts";
import {
  addClip,
  moveClip,
  removeOneClip,
  setClip,
  slipClip,
  splitClip,
  trimClip,
} from "./edits/clip_edits.ts";
import { type EditPath, TimelineDraft } from "./edits/draft.ts";
import { addMarker, removeMarker, setIo, setMarker } from "./edits/marker_edits.ts";
import { deleteRange, insertRange } from "./edits/range_edits.ts";
import { deleteSegment, reorderSegment } from "./edits/segment_edits.ts";
import { addTrack, moveTrack, removeTrack, setTrack } from "./edits/track_edits.ts";
import { newSeed } from "./id_maker.ts";
import type { TimelineModel } from "./timeline_model.ts";
import type { Changes, Edit } from "./types.ts";

/** What edits made of a timeline. */
export interface Applied {
  /** The next timeline; the same object where nothing changed. */
  readonly model: TimelineModel;
  readonly changes: Changes;
  /** How the head moves: only ripples over all tracks have steps. */
  readonly map: readonly HeadMapStep[];
}

/**
 * Applies edits in order, all or none: when it throws, nothing has changed.
 *
 * The edits have the shape that `EditsSchema` checks; what a shape cannot say is checked here.
 *
 * @param seed Of ids that a client leaves out: the same seed gives the same ids.
 * @throws {EngineError} `timeline.notFound`, `timeline.conflict` (an id is taken), `limit.exceeded`; `details.path` is the field.
 * @throws {InvalidParams} with `path` `["edits", i, field]`.
 */
export function applyEdits(
  model: TimelineModel,
  edits: readonly Edit[],
  seed: string = newSeed(),
): Applied {
  const draft = new TimelineDraft(model, seed);
  edits.forEach((edit, i) => applyEdit(draft, edit, ["edits", i]));
  const next = draft.done();
  return {
    model: next,
    changes: diffModels(model, next),
    map: draft.map,
  };
}

function applyEdit(draft: TimelineDraft, edit: Edit, path: EditPath): void {
  switch (edit.op) {
    case "track.add":
      return addTrack(draft, edit, path);
    case "track.remove":
      return removeTrack(draft, edit, path);
    case "track.move":
      return moveTrack(draft, edit, path);
    case "track.set":
      return setTrack(draft, edit, path);
    case "clip.add":
      return addClip(draft, edit, path);
    case "clip.remove":
      return removeOneClip(draft, edit, path);
    case "clip.set":
      return setClip(draft, edit, path);
    case "clip.move":
      return moveClip(draft, edit, path);
    case "clip.trim":
      return trimClip(draft, edit, path);
    case "clip.slip":
      return slipClip(draft, edit, path);
    case "clip.split":
      return splitClip(draft, edit, path);
    case "range.delete":
      return deleteRange(draft, edit, path);
    case "range.insert":
      return insertRange(draft, edit, path);
    case "segment.delete":
      return deleteSegment(draft, edit, path);
    case "segment.reorder":
      return reorderSegment(draft, edit, path);
    case "marker.add":
      return addMarker(draft, edit, path);
    case "marker.set":
      return setMarker(draft, edit, path);
    case "marker.remove":
      return removeMarker(draft, edit, path);
    case "io.set":
      return setIo(draft, edit, path);
    default:
      throw new EngineError("timeline.notFound", `There is no edit ${(edit as Edit).op}`, { path });
  }
}
