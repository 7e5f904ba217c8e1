/**
 * Files that nobody gets to before a test says so: every opening of a source and every look at a file in this process goes through here meanwhile.
 *
 * @module
 */
import { Files } from "../../engine/files/files.ts";
import { Signal } from "../../engine/signal/signal.ts";

/** Holds up what concerns some paths. Disposal lets everything through again. */
export class HeldFiles implements Disposable {
  /** Paths whose sources were begun to be opened, in that order; held ones too. */
  readonly opened: string[] = [];
  /** Paths that were looked at. */
  readonly looked: string[] = [];
  readonly #waiting = new Set<{ path: string; go: () => void }>();
  #isHeld: (path: string) => boolean;
  readonly #openSource = Signal.prototype.openSource;
  readonly #ask = Files.prototype.ask;

  constructor(isHeld: (path: string) => boolean) {
    this.#isHeld = isHeld;
    // deno-lint-ignore no-this-alias
    const held = this;
    const openSource = this.#openSource;
    const ask = this.#ask;
    Signal.prototype.openSource = async function (assetId, path) {
      held.opened.push(path);
      await held.#pass(path);
      return await openSource.call(this, assetId, path);
    };
    Files.prototype.ask = async function (path, request, options) {
      if (request.kind === "identify") {
        held.looked.push(path);
        await held.#pass(path);
      }
      return await ask.call(this, path, request, options) as never;
    };
  }

  /** How many openings and looks wait. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Lets everything go on whose path passes; all by default. What is asked from now on is held by `isHeld` alone. */
  release(isHeld: (path: string) => boolean = () => false): void {
    this.#isHeld = isHeld;
    for (const one of this.#waiting) {
      if (isHeld(one.path)) continue;
      this.#waiting.delete(one);
      one.go();
    }
  }

  [Symbol.dispose](): void {
    this.release();
    Signal.prototype.openSource = this.#openSource;
    Files.prototype.ask = this.#ask;
  }

  async #pass(path: string): Promise<void> {
    if (!this.#isHeld(path)) return;
    await new Promise<void>((go) => this.#waiting.add({ path, go }));
  }
}
