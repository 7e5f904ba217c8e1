/**
 * Where renders may be written and read: the export folder, and nothing that a path or a link leads to outside it.
 *
 * @module
 */
import { basename, dirname, join, relative, resolve } from "node:path";
import { EngineError, InvalidParams } from "../../errors.ts";
import { fileNameFault, isWithin, MAX_PATH } from "../../files/paths.ts";

/** A file that a render may write. */
export interface ExportTarget {
  /** Absolute, its folder's links resolved as far as it exists. */
  path: string;
  /** From the export folder, with `/`. */
  relativePath: string;
}

/**
 * The file that `path` (relative to the export folder, or absolute and under it) names. Reads the export folder's own entries alone.
 *
 * @throws {InvalidParams} if a part of the path cannot be a file's name.
 * @throws {EngineError} `export.outside`.
 */
export function exportTarget(exportDir: string, path: string): ExportTarget {
  if (path === "" || path.includes("\0") || path.length > MAX_PATH) {
    throw new InvalidParams(["path"], `must be 1 to ${MAX_PATH} characters long, without NUL`);
  }
  const folder = resolve(exportDir);
  const full = resolve(folder, path);
  if (!isWithin(folder, full)) throw outside(path, folder);
  if (full === folder) throw new InvalidParams(["path"], "must name a file, not the export folder");
  const relativePath = relative(folder, full).replaceAll("\\", "/");
  for (const part of relativePath.split("/")) {
    const fault = fileNameFault(part);
    if (fault !== null) {
      throw new InvalidParams(["path"], `${JSON.stringify(part)} ${fault}`);
    }
  }
  const real = realFolder(dirname(full));
  const realRoot = realFolder(folder);
  if (real === null || realRoot === null || !isWithin(realRoot, real)) {
    throw outside(path, folder);
  }
  return { path: join(real, basename(full)), relativePath };
}

/**
 * A finished render's file.
 *
 * @throws {EngineError} `export.outside`, or `asset.notFound` if there is no such file.
 */
export function existingExport(exportDir: string, path: string): ExportTarget {
  const target = exportTarget(exportDir, path);
  const info = lstat(target.path);
  if (info?.isSymlink) throw outside(path, exportDir);
  if (!info?.isFile) {
    throw new EngineError(
      "asset.notFound",
      `Cannot find the export ${target.relativePath}: there is no such file in ${exportDir}`,
      { path: target.relativePath },
    );
  }
  return target;
}

/**
 * Refuses a target that is taken.
 *
 * @throws {EngineError} `export.exists` unless `overwrite`, which replaces files and links but never a folder.
 */
export function requireFree(target: ExportTarget, overwrite: boolean): void {
  const info = lstat(target.path);
  if (info === null) return;
  if (info.isDirectory) {
    throw new EngineError(
      "export.exists",
      `Cannot export to ${target.relativePath}: a folder has that name; choose another`,
      { path: target.relativePath },
    );
  }
  if (!overwrite) {
    throw new EngineError(
      "export.exists",
      `Cannot export to ${target.relativePath}: the file exists; choose another name or set overwrite`,
      { path: target.relativePath },
    );
  }
}

/**
 * The folder with its links resolved; what does not exist yet stays as it is written. `null` if it leads nowhere: through a dangling
 * link, which writing would follow, or through a file.
 */
function realFolder(folder: string): string | null {
  try {
    const real = Deno.realPathSync(folder);
    return lstat(real)?.isDirectory ? real : null;
  } catch (error) {
    if (error instanceof Deno.errors.NotADirectory) return null;
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    if (lstat(folder) !== null) return null;
    const parent = dirname(folder);
    if (parent === folder) return folder;
    const real = realFolder(parent);
    return real === null ? null : join(real, basename(folder));
  }
}

function lstat(path: string): Deno.FileInfo | null {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return null;
    }
    throw error;
  }
}

function outside(path: string, folder: string): EngineError {
  return new EngineError(
    "export.outside",
    `Cannot export to ${path}: it leads out of the export folder ${folder}; give a path under it`,
    { path, exportDir: folder },
  );
}
