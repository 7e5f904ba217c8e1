// @ts-check

/** What of a folder is taken; a file that is dropped by itself is always tried. */
const AUDIO = /\.(wav|wave|bwf|rf64|w64|aiff?|aifc|flac|mp3|ogg|oga)$/i;
/** Nobody means more than this with one drop. */
const MOST_FILES = 2000;

/**
 * The files of a drop, those in folders too, by name.
 *
 * @param {DataTransfer | null} transfer
 * @returns {Promise<{ files: File[], leftOut: number }>} `leftOut`: files in folders that are no audio by their names
 */
export async function droppedFiles(transfer) {
  if (transfer === null) return { files: [], leftOut: 0 };
  // Read before anything is waited for: afterwards the drop has no items.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.() ?? null);
  const plain = [...transfer.files];
  if (!entries.some((entry) => entry?.isDirectory)) return { files: plain, leftOut: 0 };
  /** @type {File[]} */
  const files = [];
  let leftOut = 0;
  for (const entry of entries) {
    if (entry === null) continue;
    for await (const { file, direct } of filesOf(entry, true)) {
      if (files.length >= MOST_FILES) return { files, leftOut };
      if (direct || AUDIO.test(file.name)) files.push(file);
      else leftOut++;
    }
  }
  return { files, leftOut };
}

/**
 * @param {FileSystemEntry} entry
 * @param {boolean} direct dropped itself, not within a folder
 * @returns {AsyncGenerator<{ file: File, direct: boolean }>}
 */
async function* filesOf(entry, direct) {
  if (entry.isFile) {
    const { file } = /** @type {FileSystemFileEntry} */ (entry);
    yield {
      file: await new Promise((resolve, reject) => file.call(entry, resolve, reject)),
      direct,
    };
    return;
  }
  const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader();
  /** @type {FileSystemEntry[]} */
  const all = [];
  for (;;) {
    // A folder comes in parts, the last of which is empty.
    /** @type {FileSystemEntry[]} */
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) break;
    all.push(...some);
  }
  // By name as people count, a folder's own files before those of folders in it.
  all.sort((a, b) =>
    Number(a.isDirectory) - Number(b.isDirectory) ||
    a.name.localeCompare(b.name, undefined, { numeric: true })
  );
  for (const each of all) if (!each.name.startsWith(".")) yield* filesOf(each, false);
}
