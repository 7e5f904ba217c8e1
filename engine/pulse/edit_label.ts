/**
 * What an undo step is called when the client does not say.
 *
 * @module
 */
import type { Edit } from "./types.ts";

const LABELS: Readonly<Record<Edit["op"], string>> = {
  "track.add": "Add track",
  "track.remove": "Remove track",
  "track.move": "Move track",
  "track.set": "Change track",
  "clip.add": "Add clip",
  "clip.remove": "Remove clip",
  "clip.set": "Change clip",
  "clip.move": "Move clip",
  "clip.trim": "Trim clip",
  "clip.slip": "Slip clip",
  "clip.split": "Split clip",
  "range.delete": "Delete range",
  "range.insert": "Insert range",
  "segment.delete": "Delete segment",
  "segment.reorder": "Reorder segment",
  "marker.add": "Add marker",
  "marker.set": "Change marker",
  "marker.remove": "Remove marker",
  "io.set": "Set in and out",
};

/** The label of a request: that of its first edit. */
export function labelOf(edits: readonly Edit[]): string {
  return edits.length === 0 ? "Edit" : LABELS[edits[0].op];
}
