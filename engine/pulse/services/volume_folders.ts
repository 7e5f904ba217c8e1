/**
 * What people call a volume: the deepest folder that all of its assets lie in.
 *
 * @module
 */
/** The deepest folder that holds all of these files; `null` without one. */
export function commonFolder(paths: Iterable<string>): string | null {
  let common: string[] | null = null;
  for (const path of paths) {
    const parts = path.split("/").slice(0, -1);
    if (common === null) {
      common = parts;
      continue;
    }
    let same = 0;
    while (same < common.length && same < parts.length && common[same] === parts[same]) same++;
    common.length = same;
  }
  return common === null ? null : common.join("/") || "/";
}

/** By volume, its folder. */
export function volumeFolders(
  assets: Iterable<{ path: string; volume: string }>,
): Map<string, string> {
  const paths = new Map<string, string[]>();
  for (const { path, volume } of assets) {
    const known = paths.get(volume);
    if (known === undefined) paths.set(volume, [path]);
    else known.push(path);
  }
  return new Map([...paths].map(([volume, of]) => [volume, commonFolder(of)!]));
}
