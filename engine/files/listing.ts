/**
 * Sorting, searching and paging of a folder's entries: values to values.
 *
 * @module
 */
import type { ListedEntry } from "./files_protocol.ts";

/** Folders first, then names as people count ("take 2" before "take 10"). */
const names = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
const KIND_ORDER = { folder: 0, audio: 1, other: 2 } as const;

/** Orders entries; equal ones by name, so that pages never overlap. */
export function compareEntries(
  sort: "name" | "duration" | "kind",
): (a: ListedEntry, b: ListedEntry) => number {
  const byName = (a: ListedEntry, b: ListedEntry) =>
    names.compare(a.name, b.name) || (a.path < b.path ? -1 : a.path > b.path ? 1 : 0);
  const isFolder = (entry: ListedEntry) => entry.kind === "folder" ? 0 : 1;
  if (sort === "kind") {
    return (a, b) => KIND_ORDER[a.kind] - KIND_ORDER[b.kind] || byName(a, b);
  }
  if (sort === "duration") {
    const seconds = ({ head }: ListedEntry) =>
      head ? head.lengthSamples / head.sampleRate : Number.MAX_VALUE;
    return (a, b) => isFolder(a) - isFolder(b) || seconds(a) - seconds(b) || byName(a, b);
  }
  return (a, b) => isFolder(a) - isFolder(b) || byName(a, b);
}

/** Whether a name has `query` in it, in any case. */
export function matches(name: string, query: string): boolean {
  return name.toLowerCase().includes(query.toLowerCase());
}
