/**
 * A stretcher that renders when it is told to, for tests of what wants renders.
 *
 * @module
 */
import type { RenderFile, RenderOptions, RenderSubject } from "../../engine/media/stretch.ts";
import { CancelledError } from "../../engine/media/task_queue.ts";

/** A render that was asked for. */
export interface AskedRender {
  readonly subject: RenderSubject;
  priority: number;
  /** What became of it. */
  state: "underway" | "done" | "failed" | "cancelled";
  progress(done: number): void;
  finish(): void;
  fail(error: Error): void;
}

export class FakeStretch {
  /** Renders as they were asked for. */
  readonly asked: AskedRender[] = [];
  /** Names of renders that the cache has. */
  readonly cached = new Set<string>();
  /** How often each render is in use. */
  readonly held = new Map<string, number>();
  /** Names that became known by their content. */
  readonly learnt: string[] = [];
  /** Errors that looking for a path gives. */
  readonly broken = new Map<string, Error>();

  static nameOf({ path, rate }: RenderSubject): string {
    return `${path} at ${rate}`;
  }

  find(subject: RenderSubject): Promise<RenderFile | null> {
    const error = this.broken.get(subject.path);
    if (error !== undefined) return Promise.reject(error);
    const name = FakeStretch.nameOf(subject);
    return Promise.resolve(this.cached.has(name) ? this.#take(subject) : null);
  }

  render(subject: RenderSubject, { priority = 0, onProgress }: RenderOptions = {}) {
    const { promise, resolve, reject } = Promise.withResolvers<RenderFile>();
    const asked: AskedRender = {
      subject,
      priority,
      state: "underway",
      progress: (done) => onProgress?.(done),
      finish: () => {
        asked.state = "done";
        this.cached.add(FakeStretch.nameOf(subject));
        resolve(this.#take(subject));
      },
      fail: (error) => {
        asked.state = "failed";
        reject(error);
      },
    };
    this.asked.push(asked);
    return {
      done: promise,
      prioritise: (priority: number) => void (asked.priority = priority),
      cancel: () => {
        if (asked.state !== "underway") return;
        asked.state = "cancelled";
        reject(new CancelledError("Cancelled"));
      },
    };
  }

  learn(render: RenderFile): Promise<void> {
    this.learnt.push(render.name);
    return Promise.resolve();
  }

  release({ name }: RenderFile): Promise<void> {
    this.held.set(name, this.held.get(name)! - 1);
    return Promise.resolve();
  }

  /** Rates of the renders under way, as they were asked for. */
  underway(): number[] {
    return this.asked.filter(({ state }) => state === "underway")
      .map(({ subject }) => subject.rate);
  }

  #take(subject: RenderSubject): RenderFile {
    const name = FakeStretch.nameOf(subject);
    this.held.set(name, (this.held.get(name) ?? 0) + 1);
    return {
      name,
      path: `/cache/${name}.wav`,
      channels: 2,
      sampleRate: 48_000,
      lengthFrames: 1_000,
      bytes: 8_000,
      byContent: subject.hash !== null,
    };
  }
}
