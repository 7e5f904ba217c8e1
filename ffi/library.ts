/**
 * Loading, checking and closing the native library.
 *
 * @module
 */
import { ensureLibrary } from "./build.ts";
import { ABI_VERSION, SYMBOLS } from "./symbols.ts";

type Interface = Deno.ForeignLibraryInterface;
/** The functions of a loaded library, typed by its table. */
export type NativeSymbols<S extends Interface = typeof SYMBOLS> = Deno.DynamicLibrary<S>["symbols"];

/** The library could not be loaded: the message lists what was tried and what mends it. */
export class LibraryError extends Error {
  override name = "LibraryError";
}

/**
 * The loaded library. Call its functions through `symbols` each time: after {@linkcode close} they throw there, where a call into
 * unloaded code would end the process.
 */
export class NativeLibrary<S extends Interface = typeof SYMBOLS> implements AsyncDisposable {
  readonly symbols: NativeSymbols<S>;
  readonly #library: Deno.DynamicLibrary<S>;
  readonly #pending = new Set<Promise<unknown>>();
  #closing: Promise<void> | undefined;

  /** @param path The library's file, which `library` was loaded from. */
  constructor(readonly path: string, library: Deno.DynamicLibrary<S>, table: S) {
    this.#library = library;
    const symbols = { ...library.symbols } as Record<string, (...args: unknown[]) => unknown>;
    for (const [name, slot] of Object.entries(table)) {
      if (!("nonblocking" in slot && slot.nonblocking)) continue;
      const call = symbols[name];
      symbols[name] = (...args) => {
        // `args` stays reachable until the call is over, so its buffers do too.
        const result = (call(...args) as Promise<unknown>).finally(() => {
          args.length = 0;
          this.#pending.delete(result);
        });
        this.#pending.add(result);
        return result;
      };
    }
    this.symbols = symbols as NativeSymbols<S>;
  }

  /**
   * Refuses new calls, waits for those under way, then unloads.
   *
   * @param options.unload `false` leaves the code mapped: for when a native thread hangs in it and could not be joined.
   */
  close({ unload = true }: { unload?: boolean } = {}): Promise<void> {
    return this.#closing ??= (async () => {
      const symbols = this.symbols as Record<string, unknown>;
      for (const name of Object.keys(symbols)) {
        symbols[name] = () => {
          throw new LibraryError(`Cannot call ${name}(): the native library is closed`);
        };
      }
      await Promise.allSettled(this.#pending);
      if (unload) this.#library.close();
    })();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/**
 * Loads the library, building it first if need be. `LOOPHOLE_NATIVE` names another one.
 *
 * @throws {LibraryError} If it cannot be loaded or is of another version.
 * @throws {BuildError} If it cannot be built.
 */
export async function openLibrary(): Promise<NativeLibrary> {
  return openLibraryAt(await libraryPath(), SYMBOLS);
}

let built: Promise<string> | null = null;

/**
 * Where the library lies, as {@linkcode ensureLibrary} tells. The sources are looked at once a process: a running program does not change its
 * library, and reading all of them takes longer than all else that opens a project.
 */
export async function libraryPath(): Promise<string> {
  if (isOverridden()) return await ensureLibrary();
  built ??= ensureLibrary();
  try {
    return await built;
  } catch (error) {
    built = null; // What was missing may be there the next time.
    throw error;
  }
}

/** Whether the environment names a library. Without permission to ask, nobody can tell: then no. */
function isOverridden(): boolean {
  try {
    return Boolean(Deno.env.get("LOOPHOLE_NATIVE"));
  } catch {
    return false;
  }
}

/**
 * Loads the library at a known path, at once: for workers, which get the path from the thread that started them.
 *
 * @param table The functions to bind, {@linkcode SYMBOLS} or a part of it with `lp_abi_version`.
 * @throws {LibraryError} If it cannot be loaded or is of another version.
 */
export function openLibraryAt<S extends Interface & Pick<typeof SYMBOLS, "lp_abi_version">>(
  path: string,
  table: S,
): NativeLibrary<S> {
  let library: Deno.DynamicLibrary<S>;
  try {
    library = Deno.dlopen(path, table);
  } catch (error) {
    throw new LibraryError(loadFailure(path, error), { cause: error });
  }
  const version = (library.symbols as NativeSymbols<typeof SYMBOLS>).lp_abi_version();
  if (version !== ABI_VERSION) {
    library.close();
    throw new LibraryError(
      `Cannot use the native library ${path}: its interface has version ${version}, this program needs ${ABI_VERSION}. ` +
        (isOverride(path)
          ? "LOOPHOLE_NATIVE names it: rebuild it, or unset the variable to have the right one built."
          : "Delete it and run `deno task build`."),
    );
  }
  return new NativeLibrary(path, library, table);
}

/** Whether the environment named this path. Without permission to ask, nobody can tell: then no. */
function isOverride(path: string): boolean {
  try {
    return Deno.env.get("LOOPHOLE_NATIVE") === path;
  } catch {
    return false;
  }
}

function loadFailure(path: string, error: unknown): string {
  const reason = error instanceof Error ? error.message : String(error);
  const lines = [`Cannot load the native library: ${reason}`, "Tried:"];
  lines.push(
    isOverride(path)
      ? `  ${path} (from LOOPHOLE_NATIVE, which overrides the built one)`
      : `  ${path} (LOOPHOLE_NATIVE is not set; this one was built from ffi/native)`,
  );
  if (error instanceof Deno.errors.NotCapable) {
    lines.push(`Allow it: run Deno with --allow-ffi=${path}`);
  } else if (isOverride(path)) {
    lines.push("Unset LOOPHOLE_NATIVE to have the library built, or rebuild the file it names.");
  } else {
    lines.push("Delete the file and run `deno task build`, which compiles it anew.");
  }
  return lines.join("\n");
}
