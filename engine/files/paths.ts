/**
 * Questions about paths that need no disk.
 *
 * @module
 */
import { isAbsolute, normalize, relative } from "node:path";
import { InvalidParams } from "../errors.ts";

/** Longest path that is taken, in UTF-16 units. */
export const MAX_PATH = 4_096;

/** Whether `path` is `folder` or lies under it, by their text alone: both absolute and normalized. */
export function isWithin(folder: string, path: string): boolean {
  const rest = relative(folder, path);
  return rest === "" || (rest !== ".." && !rest.startsWith("../") && !rest.startsWith("..\\") &&
    !isAbsolute(rest));
}

/**
 * A path of a request, normalized.
 *
 * @param field Where the path stands in the params.
 * @throws {InvalidParams} if it is empty, relative, too long or has a NUL.
 */
export function absolutePath(path: string, field: readonly (string | number)[]): string {
  const reason = path === ""
    ? "must not be empty"
    : path.includes("\0")
    ? "must not hold a NUL character"
    : path.length > MAX_PATH
    ? `must be at most ${MAX_PATH} characters long, not ${path.length}`
    : !isAbsolute(path)
    ? `must be absolute, not ${JSON.stringify(path)}`
    : null;
  if (reason !== null) throw new InvalidParams(field, reason);
  const normal = normalize(path);
  return normal.length > 1 && /[/\\]$/.test(normal) && !/^[A-Za-z]:[/\\]$/.test(normal)
    ? normal.slice(0, -1)
    : normal;
}

const CONTROL = /\p{Cc}/u;
const WINDOWS_DEVICE = /^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)/i;

/**
 * Why `name` cannot be the name of a new file, `null` if it can: one name without separators, not hidden, at most 255 bytes, that every
 * system can hold.
 */
export function fileNameFault(name: string): string | null {
  if (name === "") return "must not be empty";
  if (/[/\\]/.test(name)) return "must be a name without / or \\";
  if (name.startsWith(".")) return "must not begin with a dot";
  if (CONTROL.test(name)) return "must not hold control characters";
  if (/[<>:"|?*]/.test(name)) return 'must not hold any of < > : " | ? *';
  if (/[. ]$/.test(name)) return "must not end with a dot or a space";
  if (WINDOWS_DEVICE.test(name)) return "is the name of a device on some systems";
  const bytes = new TextEncoder().encode(name).length;
  return bytes > 255 ? `must be at most 255 bytes long, not ${bytes}` : null;
}

/** `name` with whatever {@linkcode fileNameFault} refuses taken out; `fallback` if nothing is left. */
export function safeFileName(name: string, fallback: string): string {
  const plain = name.replace(/[/\\<>:"|?*]|\p{Cc}/gu, "_").replace(/^[. ]+|[. ]+$/g, "").slice(
    0,
    80,
  );
  return fileNameFault(plain) === null ? plain : fallback;
}
