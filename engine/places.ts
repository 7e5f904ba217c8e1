/**
 * The user's own folders on each system (XDG base directories on Linux).
 *
 * @module
 */

/** Folders that are used where none is named; read from the environment when asked for, not before. */
export interface Places {
  dataDir(): string;
  cacheDir(): string;
  exportDir(): string;
  musicDir(): string;
}

/** The places of this system and user. */
export function defaultPlaces(env: (name: string) => string | undefined = Deno.env.get): Places {
  const os = Deno.build.os;
  const separator = os === "windows" ? "\\" : "/";
  const join = (...parts: string[]) => parts.join(separator);
  const home = () => {
    const folder = os === "windows" ? env("USERPROFILE") : env("HOME");
    if (!folder) {
      throw new Error(
        "Cannot find the user's home folder: HOME is not set; name dataDir, cacheDir, exportDir and libraryRoots",
      );
    }
    return folder;
  };
  const music = () => (os === "linux" && env("XDG_MUSIC_DIR")) || join(home(), "Music");
  return {
    dataDir() {
      if (os === "windows") {
        return join(env("APPDATA") ?? join(home(), "AppData", "Roaming"), "loophole");
      }
      if (os === "darwin") return join(home(), "Library", "Application Support", "loophole");
      return join(env("XDG_DATA_HOME") || join(home(), ".local", "share"), "loophole");
    },
    cacheDir() {
      if (os === "windows") {
        return join(env("LOCALAPPDATA") ?? join(home(), "AppData", "Local"), "loophole", "cache");
      }
      if (os === "darwin") return join(home(), "Library", "Caches", "loophole");
      return join(env("XDG_CACHE_HOME") || join(home(), ".cache"), "loophole");
    },
    exportDir: () => join(music(), "Loophole"),
    musicDir: music,
  };
}
