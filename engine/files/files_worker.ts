/**
 * The file worker: looks at media paths, so that the main thread never waits for a disk. Each request runs by itself; one that hangs
 * holds up no other.
 *
 * @module
 */
import { join } from "node:path";
import {
  type FileFacts,
  type FileFault,
  type FileMessage,
  type FileReply,
  type FileRequest,
  type FileRequests,
  type ListAnswer,
  type ListedEntry,
  type ListRequest,
  WORKER_UP,
} from "./files_protocol.ts";
import { findHead, type FoundHead, hasAudioName } from "./head.ts";
import { compareEntries, matches } from "./listing.ts";
import { isWithin } from "./paths.ts";

/** How long a folder's listing is used again, in milliseconds: paging does not read it anew. */
const LISTING_MS = 2_000;
const KEPT_LISTINGS = 16;
const KEPT_HEADS = 50_000;
/** Bounds of a search. */
const SEARCH_FOLDERS = 2_000;
const SEARCH_ENTRIES = 10_000;
const SEARCH_MS = 2_000;

const scope = self as unknown as {
  onmessage: (event: MessageEvent<FileMessage>) => void;
  postMessage(reply: FileReply): void;
};

interface Save {
  file: Deno.FsFile;
  temporary: string;
  target: string;
  overwrite: boolean;
}

const heads = new Map<string, FoundHead>();
const listings = new Map<string, { entries: ListedEntry[]; at: number }>();
const saves = new Map<number, Save>();
let lastSaveId = 0;

scope.onmessage = ({ data: { id, request } }) => {
  answer(request).then(
    (answer) => scope.postMessage({ id, answer }),
    (error) => scope.postMessage({ id, error: String(error) }),
  );
};
scope.postMessage({ id: WORKER_UP });

function answer(request: FileRequest): Promise<FileRequests[FileRequest["kind"]]["answer"]> {
  switch (request.kind) {
    case "identify":
      return identify(request.path);
    case "identifyMany":
      return Promise.all(request.paths.map(identify));
    case "list":
      return list(request);
    case "head":
      return head(request.path);
    case "readPart":
      return readPart(request.path, request.offset, request.length);
    case "saveBegin":
      return saveBegin(request.folder, request.name, request.overwrite ?? false);
    case "saveChunk":
      return saveChunk(request.saveId, request.bytes);
    case "saveEnd":
      return saveEnd(request.saveId, request.keep);
  }
}

async function identify(path: string): Promise<FileFacts | FileFault> {
  try {
    const real = await Deno.realPath(path);
    const info = await Deno.stat(real);
    return {
      path: real,
      kind: info.isFile ? "file" : info.isDirectory ? "folder" : "other",
      bytes: info.size,
      device: info.dev,
      inode: info.ino ?? 0,
      mtimeMs: info.mtime?.getTime() ?? 0,
      ctimeMs: info.ctime?.getTime() ?? 0,
    };
  } catch (error) {
    return asFault(error);
  }
}

async function readPart(
  path: string,
  offset: number,
  length: number,
): Promise<FileRequests["readPart"]["answer"]> {
  try {
    using file = await Deno.open(path);
    const info = await file.stat();
    const bytes = await readAt(file, offset, length);
    return { bytes, fileBytes: info.size, mtimeMs: info.mtime?.getTime() ?? 0 };
  } catch (error) {
    return asFault(error);
  }
}

/** Fewer bytes at the file's end. */
async function readAt(
  file: Deno.FsFile,
  offset: number,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  await file.seek(offset, Deno.SeekMode.Start);
  const bytes = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const read = await file.read(bytes.subarray(filled));
    if (read === null) break;
    filled += read;
  }
  return bytes.subarray(0, filled);
}

async function head(path: string): Promise<FoundHead | FileFault> {
  try {
    using file = await Deno.open(path);
    const { size } = await file.stat();
    const found = await findHead((offset, length) => readAt(file, offset, length), size);
    keep(heads, path, found, KEPT_HEADS);
    return found;
  } catch (error) {
    return asFault(error);
  }
}

async function list(request: ListRequest): Promise<ListAnswer | FileFault> {
  let entries: ListedEntry[];
  try {
    entries = request.query
      ? await search(request.path, request.roots, request.query)
      : await folder(request.path, request.roots);
  } catch (error) {
    return asFault(error);
  }
  const known = entries.map((entry) => {
    const head = entry.kind === "audio" ? heads.get(entry.path) : undefined;
    if (head === "other") return { ...entry, kind: head };
    return head ? { ...entry, head } : entry;
  }).sort(compareEntries(request.sort));
  return {
    entries: known.slice(request.offset, request.offset + request.limit),
    total: known.length,
  };
}

async function folder(path: string, roots: readonly string[]): Promise<ListedEntry[]> {
  const now = performance.now();
  const kept = listings.get(path);
  if (kept && now - kept.at < LISTING_MS) return kept.entries;
  const entries: ListedEntry[] = [];
  for await (const entry of Deno.readDir(path)) {
    if (entry.name.startsWith(".")) continue;
    const full = join(path, entry.name);
    let { isDirectory, isFile } = entry;
    if (entry.isSymlink) {
      const facts = await identify(full);
      if ("fault" in facts || !roots.some((root) => isWithin(root, facts.path))) continue;
      isDirectory = facts.kind === "folder";
      isFile = facts.kind === "file";
    }
    const kind = isDirectory ? "folder" : isFile && hasAudioName(entry.name) ? "audio" : "other";
    entries.push({ name: entry.name, path: full, kind });
  }
  keep(listings, path, { entries, at: now }, KEPT_LISTINGS);
  return entries;
}

/** Breadth first, links to folders not followed, within bounds of folders, entries and time. */
async function search(
  path: string,
  roots: readonly string[],
  query: string,
): Promise<ListedEntry[]> {
  let spentMs = 0;
  const found: ListedEntry[] = [];
  const folders = [path];
  const seen = new Set<string>();
  for (let i = 0; i < folders.length && i < SEARCH_FOLDERS && spentMs < SEARCH_MS; i++) {
    const begunMs = performance.now();
    let entries: ListedEntry[];
    try {
      const real = await Deno.realPath(folders[i]);
      if (seen.has(real)) continue;
      seen.add(real);
      entries = await folder(folders[i], roots);
    } catch (error) {
      if (i === 0) throw error;
      continue; // A folder below that cannot be read has no results.
    }
    // A folder that took longer than this waited for the machine or the disk: the others are looked at all the same.
    spentMs += Math.min(performance.now() - begunMs, SEARCH_MS / 10);
    for (const entry of entries) {
      if (entry.kind === "folder") folders.push(entry.path);
      if (matches(entry.name, query)) found.push(entry);
      if (found.length >= SEARCH_ENTRIES) return found;
    }
  }
  return found;
}

async function saveBegin(
  folder: string,
  name: string,
  overwrite: boolean,
): Promise<FileRequests["saveBegin"]["answer"]> {
  const target = join(folder, name);
  try {
    await Deno.mkdir(folder, { recursive: true });
    if (!overwrite && await exists(target)) return { taken: true };
    const temporary = join(folder, `.loophole-${crypto.randomUUID()}.part`);
    const file = await Deno.open(temporary, { write: true, createNew: true });
    const saveId = ++lastSaveId;
    saves.set(saveId, { file, temporary, target, overwrite });
    return { saveId, temporary };
  } catch (error) {
    return asFault(error);
  }
}

async function saveChunk(
  saveId: number,
  bytes: Uint8Array,
): Promise<{ written: true } | FileFault | { full: true }> {
  const save = saves.get(saveId);
  if (!save) return { fault: "failed", message: `there is no upload ${saveId}` };
  try {
    for (let at = 0; at < bytes.length;) at += await save.file.write(bytes.subarray(at));
    return { written: true };
  } catch (error) {
    return isDiskFull(error) ? { full: true } : asFault(error);
  }
}

async function saveEnd(
  saveId: number,
  keepIt: boolean,
): Promise<{ path: string | null } | FileFault | { taken: true } | { full: true }> {
  const save = saves.get(saveId);
  if (!save) return { path: null };
  saves.delete(saveId);
  try {
    if (keepIt) await save.file.sync();
    save.file.close();
    if (!keepIt) return { path: null };
    if (save.overwrite) await Deno.rename(save.temporary, save.target);
    else await appear(save.temporary, save.target);
    listings.clear();
    return { path: save.target };
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return { taken: true };
    return isDiskFull(error) ? { full: true } : asFault(error);
  } finally {
    await Deno.remove(save.temporary).catch(() => {}); // Gone already where it was kept.
  }
}

/** Gives a whole file its name without ever replacing another: a hard link fails where the name is taken. */
async function appear(temporary: string, target: string): Promise<void> {
  try {
    await Deno.link(temporary, target);
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) throw error;
    // A file system without hard links.
    if (await exists(target)) throw new Deno.errors.AlreadyExists(target);
    await Deno.rename(temporary, target);
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function asFault(error: unknown): FileFault {
  const message = error instanceof Error ? error.message : String(error);
  const fault = error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory
    ? "missing"
    : error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotCapable
    ? "denied"
    : "failed";
  return { fault, message };
}

function isDiskFull(error: unknown): boolean {
  const code = (error as { code?: string } | null)?.code;
  return code === "ENOSPC" || code === "EDQUOT";
}

/** Keeps the newest `most` values. */
function keep<Value>(map: Map<string, Value>, key: string, value: Value, most: number): void {
  map.delete(key);
  map.set(key, value);
  if (map.size > most) map.delete(map.keys().next().value!);
}
