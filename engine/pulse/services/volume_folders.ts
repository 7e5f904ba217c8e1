/**
 * What people call a volume: the deepest folder that all of its assets lie in.
 *
 * @module
 */

/** The deepest folder of files that are told one by one. */
class CommonFolder {
  #parts: string[] | null = null;

  add(path: string): void {
    const parts = path.split("/").slice(0, -1);
    const common = this.#parts ??= parts;
    let same = 0;
    while (same < common.length && same < parts.length && common[same] === parts[same]) same++;
    common.length = same;
  }

  /** `null` without a file. */
  get path(): string | null {
    return this.#parts === null ? null : this.#parts.join("/") || "/";
  }
}

/** The folders of volumes whose assets are told one by one. */
export class VolumeFolders {
  readonly #common = new Map<string, CommonFolder>();

  add({ path, volume }: { path: string; volume: string }): void {
    let common = this.#common.get(volume);
    if (common === undefined) this.#common.set(volume, common = new CommonFolder());
    common.add(path);
  }

  /** `null` where no asset of the volume was told. */
  of(volume: string): string | null {
    return this.#common.get(volume)?.path ?? null;
  }

  get volumes(): Iterable<string> {
    return this.#common.keys();
  }
}

/** The deepest folder that holds all of these files; `null` without one. */
export function commonFolder(paths: Iterable<string>): string | null {
  const common = new CommonFolder();
  for (const path of paths) common.add(path);
  return common.path;
}

/** By volume, its folder. */
export function volumeFolders(
  assets: Iterable<{ path: string; volume: string }>,
): Map<string, string> {
  const folders = new VolumeFolders();
  for (const asset of assets) folders.add(asset);
  return new Map([...folders.volumes].map((volume) => [volume, folders.of(volume)!]));
}
