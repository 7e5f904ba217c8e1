/**
 * The time stretcher of Signalsmith Stretch outside of the AudioWorklet that its package is written for: what such a worklet finds in its global scope
 * is lent to it while it loads. Only for the worker that stretches.
 *
 * @module
 */
import { EngineError } from "../errors.ts";

/** What a render's bits depend on beside the file and the rate: the package, and what is done here with it. */
export const STRETCHER_VERSION = "signalsmith-stretch 1.3.2, 1";

/** What the WASM offers, as far as it is used. Pointers are bytes into `HEAP8`. */
interface StretchWasm {
  readonly HEAP8: Int8Array<ArrayBuffer>;
  _configure(channels: number, blockFrames: number, hopFrames: number, split: number): void;
  _reset(): void;
  /** Makes room for so many frames a channel: first the inputs' planes, then the outputs'. Returns where they begin. */
  _setBuffers(channels: number, frames: number): number;
  _blockSamples(): number;
  _intervalSamples(): number;
  _inputLatency(): number;
  _outputLatency(): number;
  /** Takes the input's planes as what was heard until now, of a source that is gone through at `rate`. */
  _seek(inputFrames: number, rate: number): void;
  _process(inputFrames: number, outputFrames: number): void;
}

/** The worklet's processor. Only its WASM is used. */
interface Processor {
  readonly wasmModule: StretchWasm | null;
}
type ProcessorType = new (
  options: { numberOfOutputs: number; outputChannelCount: number[] },
) => Processor;

/** Seeds the generator that gives phases to what is stretched far: the same render has the same bits every time. */
const SEED = 0x5eed_1234;

/** What a block spans, as in the package's own preset. */
const BLOCK_SECONDS = 0.12;
/** Blocks that overlap in the output at least, as there. */
const OVERLAP = 4;
/** Blocks that overlap in the source at least: at a great speed they stand far from each other there, and what lies between two of them would be lost. */
const SOURCE_OVERLAP = 2;

let loading: Promise<ProcessorType> | undefined;
let opening: Promise<unknown> = Promise.resolve();

/**
 * Loads the package, once; it is fetched where it is not there yet.
 *
 * @throws {EngineError} `asset.unsupported` where it cannot be had. Another call tries again.
 */
export function loadStretcher(
  fetch: () => Promise<unknown> = () => import("../packages/stretch.ts"),
): Promise<unknown> {
  return loading ??= load(fetch).catch((error) => {
    loading = undefined;
    throw new EngineError(
      "asset.unsupported",
      "Cannot keep a pitch at another speed: the npm package signalsmith-stretch is not there and cannot be fetched; connect this machine to " +
        "the network once, or name a proxy in HTTPS_PROXY or a mirror in NPM_CONFIG_REGISTRY, and start again",
      { package: "signalsmith-stretch", reason: firstLines(error) },
    );
  });
}

/** What an error says, without the colours of a terminal. */
function firstLines(error: unknown): string {
  const said = error instanceof Error ? error.message : String(error);
  // deno-lint-ignore no-control-regex
  return said.replaceAll(/\x1b\[[0-9;]*m/g, "").slice(0, 1000);
}

async function load(fetch: () => Promise<unknown>): Promise<ProcessorType> {
  let found: ProcessorType | undefined;
  const giveBack = lend({
    AudioWorkletProcessor: Worklet,
    registerProcessor: (_name: string, type: ProcessorType) => found = type,
  });
  try {
    await fetch();
  } finally {
    giveBack();
  }
  if (found === undefined) throw new Error("it does not register a processor");
  return found;
}

/** What a processor extends. Its port leads back to whoever made it. */
class Worklet {
  static onReady: (() => void) | null = null;
  readonly port = {
    onmessage: null,
    postMessage: ([what]: unknown[]) => {
      if (what === "ready") Worklet.onReady?.();
    },
  };
}

/** Puts names into the global scope. The result takes them away again, and what was there before comes back. */
function lend(names: Readonly<Record<string, unknown>>): () => void {
  const before = Object.keys(names).map((name) =>
    [name, Object.getOwnPropertyDescriptor(globalThis, name)] as const
  );
  for (const [name, value] of Object.entries(names)) {
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  }
  return () => {
    for (const [name, descriptor] of before) {
      if (descriptor === undefined) Reflect.deleteProperty(globalThis, name);
      else Object.defineProperty(globalThis, name, descriptor);
    }
  };
}

/** Random bytes that are always the same. */
function seededCrypto(): { getRandomValues: (view: Uint8Array) => Uint8Array } {
  let x = SEED;
  return {
    getRandomValues(view) {
      for (let i = 0; i < view.length; i++) {
        x ^= x << 13; // xorshift (Marsaglia 2003)
        x ^= x >>> 17;
        x ^= x << 5;
        view[i] = x;
      }
      return view;
    },
  };
}

/**
 * A stretcher with a memory of its own. Each call of {@linkcode Stretcher.step} looks at one block of the source and gives the next `hopFrames` frames.
 *
 * A block's middle stands `inputLatency` frames before the end of the history that is given, and `outputLatency` frames behind the first frame that
 * this step gives.
 */
export class Stretcher {
  readonly channels: number;
  /** Frames of the source for one of the output. */
  readonly rate: number;
  /** Frames that a block spans; also those of the source that sound in one frame of the output. */
  readonly blockFrames: number;
  /** Frames of output a step. */
  readonly hopFrames: number;
  /** Frames of the source that a step looks at: a block, and what the block before it had earlier. */
  readonly historyFrames: number;
  readonly inputLatency: number;
  readonly outputLatency: number;
  readonly #wasm: StretchWasm;
  readonly #planes: number;
  #heap: ArrayBuffer | undefined;
  #inputs: Float32Array<ArrayBuffer>[] = [];
  #outputs: Float32Array<ArrayBuffer>[] = [];

  private constructor(wasm: StretchWasm, channels: number, sampleRate: number, rate: number) {
    this.#wasm = wasm;
    this.channels = channels;
    this.rate = rate;
    const block = Math.round(BLOCK_SECONDS * sampleRate);
    const hop = Math.max(1, Math.floor(block / Math.max(OVERLAP, SOURCE_OVERLAP * rate)));
    wasm._configure(channels, block, hop, 0);
    wasm._reset();
    this.blockFrames = wasm._blockSamples();
    this.hopFrames = wasm._intervalSamples();
    this.historyFrames = this.blockFrames + this.hopFrames;
    this.inputLatency = wasm._inputLatency();
    this.outputLatency = wasm._outputLatency();
    this.#planes = wasm._setBuffers(channels, this.historyFrames);
  }

  /**
   * Makes one.
   *
   * @param channels Stretched together, so that what is between them stays.
   * @param sampleRate In Hz.
   * @param rate Frames of the source for one of the output, 1/16 … 16.
   * @throws {EngineError} As {@linkcode loadStretcher}.
   */
  static async open(channels: number, sampleRate: number, rate: number): Promise<Stretcher> {
    const Processor = await loadStretcher() as ProcessorType;
    // One after another: each needs the global scope for itself.
    const mine = opening.then(() => Stretcher.#open(Processor, channels, sampleRate, rate));
    opening = mine.catch(() => {}); // Told to whoever asked.
    return await mine;
  }

  static async #open(
    Processor: ProcessorType,
    channels: number,
    sampleRate: number,
    rate: number,
  ): Promise<Stretcher> {
    const ready = Promise.withResolvers<void>();
    Worklet.onReady = ready.resolve;
    const giveBack = lend({ sampleRate });
    try {
      // It takes its source of randomness while it is constructed.
      const giveCryptoBack = lend({ crypto: seededCrypto() });
      let processor: Processor;
      try {
        processor = new Processor({ numberOfOutputs: 1, outputChannelCount: [channels] });
      } finally {
        giveCryptoBack();
      }
      await ready.promise;
      return new Stretcher(processor.wasmModule!, channels, sampleRate, rate);
    } finally {
      Worklet.onReady = null;
      giveBack();
    }
  }

  /** Where `historyFrames` frames of the source go, a plane a channel, before {@linkcode step}. */
  get inputs(): readonly Float32Array<ArrayBuffer>[] {
    this.#look();
    return this.#inputs;
  }

  /** What the last step gave: `hopFrames` frames, a plane a channel. */
  get outputs(): readonly Float32Array<ArrayBuffer>[] {
    this.#look();
    return this.#outputs;
  }

  /** Takes the inputs, and gives the next outputs. */
  step(): void {
    this.#wasm._seek(this.historyFrames, this.rate);
    this.#wasm._process(0, this.hopFrames);
  }

  /** The planes, anew where the memory has grown. */
  #look(): void {
    const { buffer } = this.#wasm.HEAP8;
    if (buffer === this.#heap) return;
    this.#heap = buffer;
    const plane = (index: number, frames: number) =>
      new Float32Array(buffer, this.#planes + index * this.historyFrames * 4, frames);
    const channels = Array.from({ length: this.channels }, (_, channel) => channel);
    this.#inputs = channels.map((channel) => plane(channel, this.historyFrames));
    this.#outputs = channels.map((channel) => plane(this.channels + channel, this.hopFrames));
  }
}
