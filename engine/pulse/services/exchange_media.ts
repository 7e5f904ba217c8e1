/**
 * The files that a document names, as assets: registered where they are in the library, else as missing ones, so that no clip is lost.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { basename, dirname, extname, isAbsolute, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import type { Caller } from "../../api.ts";
import { EngineError, InvalidParams } from "../../errors.ts";
import { type Files, SlowDisk } from "../../files/files.ts";
import type { Grants } from "../../files/grants.ts";
import { safeFileName } from "../../files/paths.ts";
import { lastPart, type Media, type MediaNeed } from "../exchange/media.ts";
import type { ReportWriter } from "../exchange/report.ts";
import type { Assets } from "./assets.ts";

/** Files of a document that are looked at at the same time. */
const AT_A_TIME = 16;
/** The folder of the library in which files are looked for that it cannot have from where they are. */
export const MISSING_FOLDER = "Missing media";

export interface MediaOptions {
  readonly assets: Assets;
  readonly grants: Grants;
  readonly files: Files;
}

/** What `files` of a request says: names as the document has them, or as the report calls them, and the paths of their files. */
export type FileMap = Readonly<Record<string, string>>;

/** The assets of one import. Those that it registered anew can be taken back. */
export class ExchangeMedia {
  readonly found = new Map<string, Media>();
  readonly #options: MediaOptions;
  readonly #report: ReportWriter;
  readonly #new: string[] = [];
  readonly #folders = new Map<string, Promise<string>>();
  /** Volumes that did not answer. */
  readonly #slow = new Set<string>();

  constructor(options: MediaOptions, report: ReportWriter) {
    this.#options = options;
    this.#report = report;
  }

  /**
   * Finds or registers every file.
   *
   * @param folder What relative paths begin at, `null` where the document has no place of its own.
   */
  async findAll(
    needs: Iterable<MediaNeed>,
    folder: string | null,
    files: FileMap,
    caller: Caller,
  ): Promise<void> {
    const waiting = [...needs];
    const missing = new Map<string, Parameters<typeof this.tell>>();
    const work = async () => {
      for (let need = waiting.shift(); need !== undefined; need = waiting.shift()) {
        await this.#find(need, folder, files, caller, (...told) => missing.set(need!.key, told));
      }
    };
    const order = waiting.map(({ key }) => key);
    await Promise.all(Array.from({ length: AT_A_TIME }, work));
    for (const key of order) {
      const told = missing.get(key);
      if (told !== undefined) this.tell(...told);
    }
  }

  /** Takes back what was registered anew, where nothing uses it. */
  undo(): void {
    for (const assetId of this.#new) {
      try {
        this.#options.assets.remove(assetId);
      } catch (error) {
        if (!(error instanceof EngineError)) throw error; // Somebody uses it already.
      }
    }
  }

  tell(need: MediaNeed, reason: string, assetId: string | undefined, lookedFor?: string): void {
    this.#report.missing.push({
      name: need.location ?? need.title,
      path: [...need.path],
      reason,
      ...(assetId !== undefined && { assetId }),
      ...(lookedFor !== undefined && { lookedFor }),
    });
  }

  async #find(
    need: MediaNeed,
    folder: string | null,
    files: FileMap,
    caller: Caller,
    tell: (...told: Parameters<ExchangeMedia["tell"]>) => void,
  ): Promise<void> {
    const named = need.names.find((name) => Object.hasOwn(files, name));
    const location = named === undefined ? need.location : files[named];
    let reason = location === null
      ? "the document names no file"
      : "it is a relative path or a URL of no file of this machine, and the document has no folder";
    for (const path of pathsOf(location, folder)) {
      try {
        return this.#take(need, await this.#register(path, caller));
      } catch (error) {
        if (error instanceof InvalidParams) {
          reason = error.reason;
          continue;
        }
        if (!(error instanceof EngineError) || error.code === "limit.exceeded") throw error;
        reason = error.message;
        if (error.code === "asset.outsideLibrary") continue;
        // In the library, and not there or not to be read now: it sounds once it can be.
        const at = await this.#realPath(path);
        const asset = this.#registerMissing(at);
        this.#take(need, asset);
        return tell(need, reason, asset.assetId, at);
      }
    }
    const place = await this.#placeholder(need);
    if (place === null) {
      return tell(need, `${reason}; there is no library to look for it in`, undefined);
    }
    const asset = await this.#register(place, caller).catch((error) => {
      if (error instanceof EngineError && error.code !== "limit.exceeded") return null;
      throw error;
    });
    if (asset !== null) return this.#take(need, asset, true);
    const missing = this.#registerMissing(place);
    this.#take(need, missing, true);
    tell(need, reason, missing.assetId, place);
  }

  #take(
    { key }: MediaNeed,
    { assetId, durationSeconds }: { assetId: string; durationSeconds: number },
    isPlaceholder = false,
  ): void {
    this.found.set(key, {
      assetId,
      seconds: durationSeconds > 0 ? durationSeconds : null,
      ...(isPlaceholder && { isPlaceholder }),
    });
  }

  async #register(path: string, caller: Caller) {
    const { assets, files } = this.#options;
    const volume = files.volumeOf(path);
    if (this.#slow.has(volume)) {
      throw new EngineError(
        "asset.unreadable",
        `Cannot register ${path}: its disk does not answer`,
        {
          path,
          reason: "slow",
        },
      );
    }
    try {
      const asset = await assets.register(path, "recording", caller, (assetId) => {
        this.#new.push(assetId);
      });
      return asset;
    } catch (error) {
      if (error instanceof EngineError && error.details.reason === "slow") this.#slow.add(volume);
      throw error;
    }
  }

  #registerMissing(path: string) {
    return this.#options.assets.registerMissing(path, "recording", (assetId) => {
      this.#new.push(assetId);
    });
  }

  /** Where a file of the library is to appear: with the links of its folder followed, as far as that is there. */
  async #realPath(path: string): Promise<string> {
    const folder = dirname(path);
    let real = this.#folders.get(folder);
    if (real === undefined) {
      real = this.#realFolder(folder);
      this.#folders.set(folder, real);
    }
    return join(await real, basename(path));
  }

  async #realFolder(folder: string): Promise<string> {
    try {
      const facts = await this.#options.files.ask(folder, { kind: "identify", path: folder });
      if (!("fault" in facts)) return facts.path;
    } catch (error) {
      if (!(error instanceof SlowDisk)) throw error;
      return folder;
    }
    const parent = dirname(folder);
    return parent === folder ? folder : join(await this.#realFolder(parent), basename(folder));
  }

  /** A place in the library for a file that is not in it: the same each time. */
  async #placeholder({ key, location, title }: MediaNeed): Promise<string | null> {
    const [root] = this.#options.grants.roots;
    if (root === undefined) return null;
    const name = (location === null ? title : lastPart(location)) || title;
    const ending = /^\.[A-Za-z0-9]{1,8}$/.test(extname(name)) ? extname(name) : "";
    const stem = safeFileName(name.slice(0, name.length - ending.length), "Unnamed");
    const hash = createHash("sha256").update(key).digest("hex").slice(0, 8);
    return await this.#realPath(join(root, MISSING_FOLDER, `${stem} (${hash})${ending}`));
  }
}

/** Paths that a document's word for a file may mean. */
function pathsOf(location: string | null, folder: string | null): string[] {
  if (location === null || location.includes("\0")) return [];
  if (/^file:/i.test(location)) {
    try {
      return [normalize(fileURLToPath(location.replace(/^file:\/\/localhost\//i, "file:///")))];
    } catch {
      return [];
    }
  }
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(location)) return [];
  if (isAbsolute(location)) return [normalize(location)];
  if (folder === null) return [];
  const plain = location.replaceAll("\\", "/");
  const paths = [join(folder, plain)];
  try {
    const decoded = decodeURIComponent(plain);
    // What is a URL by OpenTimelineIO's rules may have been written as a path.
    if (decoded !== plain && !decoded.includes("\0")) paths.unshift(join(folder, decoded));
  } catch {
    // No URL: as it stands.
  }
  return paths;
}
