/**
 * What a renderer puts out and what its device is given, from the same moment on.
 *
 * @module
 */
import { check } from "../../ffi/check.ts";
import type { Engine } from "../../engine/engine.ts";
import type { Signal } from "../../engine/signal/signal.ts";
import { eventually } from "./audio_server.ts";
import { unzip } from "./signal_rig.ts";

/** Both sides of what was rendered, at the project's rate, and of what the device got, at its own. */
export interface Tapped {
  mix: [Float32Array, Float32Array];
  device: [Float32Array, Float32Array];
}

/** Listens from before a device is opened, so that the first frame of one tap is the first of the other. */
export class DeviceTaps {
  readonly #signal: Signal;
  readonly #mix: Float32Array<ArrayBuffer>;
  readonly #device: Float32Array<ArrayBuffer>;

  private constructor(signal: Signal, seconds: number) {
    this.#signal = signal;
    const make = () => new Float32Array(seconds * 48_000 * 2).fill(0);
    this.#mix = make();
    this.#device = make();
    const { symbols, renderer } = signal.native;
    check(symbols.lp_tap_start(renderer, this.#mix, this.#mix.length / 2), "tap the mix");
    check(
      symbols.lp_device_tap_start(renderer, this.#device, this.#device.length / 2),
      "tap the device",
    );
  }

  /** Begins while nothing plays, then opens a device. */
  static async begin(
    engine: Engine,
    wish: { backend: string; period: number },
    seconds = 60,
  ): Promise<DeviceTaps> {
    const signal = engine.signal as Signal;
    await signal.closeDevice();
    const taps = new DeviceTaps(signal, seconds);
    await engine.devices.open(wish);
    return taps;
  }

  /** Ends it. */
  async end(): Promise<Tapped> {
    const { symbols, renderer } = this.#signal.native;
    const written = new Float64Array(1);
    const cut = (buffer: Float32Array) => unzip(buffer.subarray(0, written[0] * 2));
    await symbols.lp_device_tap_stop(renderer, written);
    const device = cut(this.#device);
    await symbols.lp_tap_stop(renderer, written);
    return { mix: cut(this.#mix), device };
  }
}

/** Waits until the first frames of the first asset are in memory: then nothing that is heard of them waits for a disk. */
export async function makeResident(owner: Engine, frames: number): Promise<void> {
  const { symbols, engine } = (owner.signal as Signal).native;
  await eventually(() => {
    check(symbols.lp_source_prefetch(engine, 1, 0, frames), "prefetch the first source");
    return symbols.lp_source_resident(engine, 1, 0, frames) === frames;
  }, `${frames} frames are resident`);
}
