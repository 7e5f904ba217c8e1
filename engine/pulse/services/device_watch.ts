/**
 * The list of devices, looked at now and then, off the main thread and one look at a time.
 *
 * @module
 */
import type { DeviceInfo } from "../../api.ts";
import type { SignalApi } from "../../signal/signal_api.ts";
import { sameDevices } from "./device_return.ts";

/** Least time between two looks, in milliseconds. */
export const LOOK_MS = 2_000;
/** A look may take this part of the time at most: where an audio system is slow it is asked less often. */
const SHARE = 1 / 20;

/** Audio systems that have devices which come and go. */
const BACKENDS = ["coreaudio", "wasapi", "pulseaudio", "alsa", "jack"] as const;

/**
 * Knows what is there. A look costs PulseAudio a question and ALSA a walk through its names. To be asked, JACK wants a client in its graph, which
 * other programs can hear: it is looked for while it is away; once it is there, its device goes when its server does, which is told otherwise.
 */
export class DeviceWatch {
  readonly #signal: () => SignalApi;
  #known: DeviceInfo[] | null = null;
  #looking: Promise<boolean> | null = null;
  #nextMs = 0;
  readonly #doubted = new Set<string>();

  constructor(signal: () => SignalApi) {
    this.#signal = signal;
  }

  /** What was listed last; `null` before the first look. */
  get known(): readonly DeviceInfo[] | null {
    return this.#known;
  }

  /** All devices, asked now. */
  async list(): Promise<DeviceInfo[]> {
    return this.#known = await this.#signal().listDevices();
  }

  /** The next look happens at once. */
  hurry(): void {
    this.#nextMs = 0;
  }

  /** An audio system may be gone: the next look asks it, whichever it is. */
  doubt(backend: string): void {
    this.#doubted.add(backend);
  }

  /** Looks, if it is time to; says whether anything has changed. */
  look(): Promise<boolean> {
    const signal = this.#signal();
    if (this.#looking !== null || signal.nowMs() < this.#nextMs) return Promise.resolve(false);
    const looking = this.#look(signal);
    this.#looking = looking;
    return looking.finally(() => this.#looking = null);
  }

  async #look(signal: SignalApi): Promise<boolean> {
    const beganMs = signal.nowMs();
    const before = this.#known;
    const list: DeviceInfo[] = [];
    for (const backend of BACKENDS) {
      const held = backend !== "jack" || this.#doubted.delete(backend)
        ? []
        : (before ?? []).filter((entry) => entry.backend === backend);
      list.push(...(held.length > 0 ? held : await signal.listDevices(backend)));
    }
    const tookMs = signal.nowMs() - beganMs;
    this.#nextMs = signal.nowMs() + Math.max(LOOK_MS, tookMs / SHARE);
    this.#known = list;
    return before !== null && !sameDevices(before.filter(isReal), list);
  }

  /** Resolves when no look is under way. */
  async settled(): Promise<void> {
    await this.#looking?.catch(() => {});
  }
}

function isReal({ backend }: DeviceInfo): boolean {
  return backend !== "null";
}
