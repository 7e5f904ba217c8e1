/**
 * Paths from outside: taken apart and decoded once, refused where a part could lead out of its folder.
 *
 * @module
 */

/** Whether a decoded segment names a file or folder and nothing else: no separator, no control character, no leading dot. */
export function isPlainName(segment: string): boolean {
  // deno-lint-ignore no-control-regex
  return segment !== "" && !segment.startsWith(".") && !/[/\\\x00-\x1f\x7f]/.test(segment) &&
    segment.isWellFormed();
}

/** The segments of a raw path, each decoded once; `null` if one is no plain name. */
export function decodeSegments(pathname: string): string[] | null {
  const segments: string[] = [];
  for (const raw of pathname.replace(/^\//, "").split("/")) {
    let segment: string;
    try {
      segment = decodeURIComponent(raw);
    } catch {
      return null; // Malformed percent-encoding.
    }
    if (!isPlainName(segment)) return null;
    segments.push(segment);
  }
  return segments;
}
