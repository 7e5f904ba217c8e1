/**
 * Where project files may lie, and what they are called.
 *
 * @module
 */
import { dirname, isAbsolute, join, relative, resolve } from "node:path";
import { EngineError, InvalidParams } from "../../errors.ts";

export const PROJECT_EXTENSION = ".loophole";

/** A file name of a project's name: what file systems dislike becomes `_`. */
export function fileNameOf(name: string): string {
  const safe = name.normalize("NFC").replace(/[^\p{L}\p{N} ._()+-]/gu, "_").replace(
    /^[. ]+|[. ]+$/g,
    "",
  );
  // 200 bytes and the extension fit into every file system's 255.
  const encoder = new TextEncoder();
  let cut = "";
  for (const char of safe) {
    if (encoder.encode(cut + char).length > 200) break;
    cut += char;
  }
  return (cut || "Untitled") + PROJECT_EXTENSION;
}

/** A path in `folder` for a project of this name where nothing is yet. */
export function freePath(folder: string, name: string): string {
  const base = fileNameOf(name).slice(0, -PROJECT_EXTENSION.length);
  for (let i = 1;; i++) {
    const path = join(folder, `${base}${i === 1 ? "" : ` ${i}`}${PROJECT_EXTENSION}`);
    if (!exists(path)) return path;
  }
}

export function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/**
 * The path of a project that a client names, with links resolved. It must lie in one of `folders`; a relative one is taken in the first.
 *
 * @throws {InvalidParams} for another place, another extension, or a folder that is not there.
 */
export function checkedPath(path: string, folders: readonly string[]): string {
  const absolute = isAbsolute(path) ? resolve(path) : resolve(folders[0], path);
  if (!absolute.endsWith(PROJECT_EXTENSION)) {
    throw new InvalidParams(
      ["path"],
      `must end in ${PROJECT_EXTENSION}, got ${JSON.stringify(path)}`,
    );
  }
  const real = realPath(absolute, path);
  const isInside = folders.some((folder) => {
    const way = relative(realPath(folder, folder), real);
    return way !== "" && !way.startsWith("..") && !isAbsolute(way);
  });
  if (!isInside) {
    throw new InvalidParams(
      ["path"],
      `must be in ${folders.join(" or ")}, got ${JSON.stringify(path)}`,
    );
  }
  return real;
}

/** The path with links resolved, its own and its folder's. */
function realPath(path: string, given: string): string {
  try {
    return Deno.realPathSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  try {
    return join(Deno.realPathSync(dirname(path)), path.slice(dirname(path).length));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new InvalidParams(["path"], `its folder is not there: ${JSON.stringify(given)}`);
  }
}

/** @throws {EngineError} `project.notFound`. */
export function requireFile(path: string): void {
  if (exists(path)) return;
  throw new EngineError("project.notFound", `There is no project file ${path}`, { path });
}
