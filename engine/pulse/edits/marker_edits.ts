/**
 * Edits of markers and of the I/O points.
 *
 * @module
 */
import { EngineError, InvalidParams } from "../../errors.ts";
import { copyMeta, sameJson } from "../clip_body.ts";
import { LIMITS } from "../limits.ts";
import type { Edit, Marker } from "../types.ts";
import type { EditPath, TimelineDraft } from "./draft.ts";

type Of<Op extends Edit["op"]> = Extract<Edit, { op: Op }>;

/** A marker of our own: a `meta` of `null` is none. */
export function markerOf({ markerId, frame, name, meta }: Marker): Marker {
  return meta === undefined || meta === null
    ? { markerId, frame, name }
    : { markerId, frame, name, meta: copyMeta(meta) };
}

function indexOf(draft: TimelineDraft, markerId: string, path: EditPath): number {
  const i = draft.markers.findIndex((marker) => marker.markerId === markerId);
  if (i < 0) {
    throw new EngineError("timeline.notFound", `There is no marker ${JSON.stringify(markerId)}`, {
      markerId,
      path: [...path, "markerId"],
    });
  }
  return i;
}

export function addMarker(draft: TimelineDraft, edit: Of<"marker.add">, path: EditPath): void {
  const { markerId } = edit.marker;
  if (draft.markers.some((marker) => marker.markerId === markerId)) {
    throw new EngineError(
      "timeline.conflict",
      `Cannot add the marker: the id ${JSON.stringify(markerId)} is taken`,
      { markerId, path: [...path, "marker", "markerId"] },
    );
  }
  if (draft.markers.length >= LIMITS.markers) {
    throw new EngineError("limit.exceeded", `Cannot add the marker: there are ${LIMITS.markers}`, {
      limit: "markers",
      maximum: LIMITS.markers,
    });
  }
  draft.markers = [...draft.markers, markerOf(edit.marker)];
}

export function setMarker(draft: TimelineDraft, edit: Of<"marker.set">, path: EditPath): void {
  const i = indexOf(draft, edit.markerId, path);
  const { frame, name, meta } = edit.set;
  const old = draft.markers[i];
  const next = markerOf({
    markerId: edit.markerId,
    frame: frame ?? old.frame,
    name: name ?? old.name,
    meta: meta === undefined ? old.meta : meta,
  });
  if (!sameJson(next, old)) draft.markers = draft.markers.with(i, next);
}

export function removeMarker(
  draft: TimelineDraft,
  edit: Of<"marker.remove">,
  path: EditPath,
): void {
  draft.markers = draft.markers.toSpliced(indexOf(draft, edit.markerId, path), 1);
}

/** `io.set`: both ends, or `null` for both. */
export function setIo(draft: TimelineDraft, edit: Of<"io.set">, path: EditPath): void {
  const { inFrame, outFrame } = edit;
  if (inFrame === null && outFrame === null) {
    draft.ioPoints = undefined;
    return;
  }
  if (inFrame === null || outFrame === null) {
    const field = inFrame === null ? "inFrame" : "outFrame";
    throw new InvalidParams(
      [...path, field],
      `give both ends, or null for both (${inFrame}, ${outFrame})`,
    );
  }
  if (inFrame >= outFrame) {
    throw new InvalidParams(
      [...path, "outFrame"],
      `must be greater than inFrame (${outFrame} <= ${inFrame})`,
    );
  }
  if (draft.ioPoints?.inFrame === inFrame && draft.ioPoints.outFrame === outFrame) return;
  draft.ioPoints = { inFrame, outFrame };
}
