/**
 * One sound beside the timeline: a renderer of its own over the same pages, mixed into what the live renderer puts out.
 *
 * @module
 */
import { check } from "../../ffi/check.ts";
import type { NativeSymbols } from "../../ffi/library.ts";
import type { Frames, HeadMapStep, MixClipBody, MixModel } from "./model.ts";
import { EVENT_BYTES, readEvent } from "./events.ts";
import { Packer } from "./pack.ts";
import type { SignalStream, SignalStreamEvent, StreamSound, StreamState } from "./signal_api.ts";

/** Longer than any head can stand from 0: whatever is taken out with it goes to the beginning. */
const EVERYTHING = 2 ** 52;
/** A fade and some periods: by then a stream that was told to end is silent, or nobody drives it. */
const FADED_MS = 250;
const MOST_EVENTS = 16;

/** What a stream needs of the Signal that it sounds in. */
export interface StreamHost {
  readonly symbols: NativeSymbols;
  readonly engine: number;
  /** The live renderer. */
  readonly renderer: number;
  /** Native handle of an asset's source, 0 if it has none. */
  readonly sourceOf: (assetId: string) => number;
}

export class SideStream implements SignalStream {
  readonly #host: StreamHost;
  readonly #renderer: number;
  readonly #onClosing: (stream: SideStream) => void;
  readonly #packer = new Packer();
  readonly #record = new Float64Array(16);
  readonly #events = new Uint8Array(MOST_EVENTS * EVENT_BYTES);
  #sound: StreamSound | null = null;
  #mix: MixModel = { tracks: [] };
  #revision = 0;
  /** The last publication of the last `play`: until it is taken the stream fills. */
  #publication = 0;
  #gap = false;
  #closing: Promise<void> | null = null;
  #isClosed = false;
  /** What was told while it was closing. */
  #rest: SignalStreamEvent[] = [];

  /**
   * @param onClosing Called when it is silent, before its native half goes.
   * @throws {NativeError} `limit` beyond 32 at a time.
   */
  constructor(host: StreamHost, onClosing: (stream: SideStream) => void) {
    this.#host = host;
    this.#onClosing = onClosing;
    const { symbols } = host;
    this.#renderer = check(symbols.lp_renderer_create(host.engine, 0), "make a stream");
    const attached = symbols.lp_side_attach(host.renderer, this.#renderer);
    if (attached < 0) {
      void symbols.lp_renderer_close(this.#renderer);
      check(attached, "let a stream sound beside the timeline");
    }
  }

  /** Its native handle. */
  get renderer(): number {
    return this.#renderer;
  }

  /** The asset that sounds, `null` before the first {@linkcode play}. */
  get assetId(): string | null {
    return this.#sound?.assetId ?? null;
  }

  play(sound: StreamSound): void {
    const { assetId, lengthFrames, startFrame, loop, gainDb } = sound;
    const body: MixClipBody = {
      clipId: `${assetId} ${this.#revision}`,
      assetId,
      lengthFrames,
      sourceFrame: 0,
      gainDb: 0,
      fadeInFrames: 0,
      fadeOutFrames: 0,
      rate: 1,
      speedMode: "matchSpeed",
    };
    const block = { clips: [{ at: 0, body }], maxEnd: lengthFrames };
    this.#mix = {
      tracks: [{
        trackId: "stream",
        gainDb,
        pan: 0,
        mute: false,
        solo: false,
        blocks: [{ start: 0, block }],
      }],
    };
    this.#sound = sound;
    // One publication takes the sound and the head over, so that the old fades into the new.
    this.#publish([
      { at: 0, remove: EVERYTHING, insert: 0 },
      { at: 0, remove: 0, insert: startFrame },
    ]);
    const { symbols } = this.#host;
    check(
      symbols.lp_transport_loop(this.#renderer, loop ? 1 : 0, 0, lengthFrames),
      `loop a stream of ${lengthFrames} frames`,
    );
    const end = loop ? NaN : lengthFrames;
    check(
      symbols.lp_transport_play(this.#renderer, this.#revision === 1 ? startFrame : NaN, end),
      `play a stream from frame ${startFrame}`,
    );
    symbols.lp_position(this.#renderer, this.#record, this.#record.length);
    this.#publication = this.#record[11];
  }

  /** The asset's source is another one: it is taken over where the head stands. */
  rebound(assetId: string): void {
    if (this.#closing === null && this.assetId === assetId) this.#publish([], true);
  }

  #publish(map: readonly HeadMapStep[], isRebound = false): void {
    const { blocks } = this.#mix.tracks[0];
    const again = new Set(isRebound ? blocks.map(({ block }) => block) : []);
    const packed = this.#packer.pack(
      this.#mix,
      ++this.#revision,
      map,
      this.#host.sourceOf,
      { blocks: again, isOld: null },
    );
    check(
      this.#host.symbols.lp_publish(this.#renderer, packed.bytes, packed.bytes.length),
      "publish a stream",
    );
    packed.commit();
  }

  state(): StreamState {
    const r = this.#record;
    check(this.#host.symbols.lp_position(this.#renderer, r, r.length), "read a stream's position");
    const filling = r[10] < this.#publication;
    return {
      positionFrame: filling ? this.#sound?.startFrame ?? 0 : r[0],
      timeMs: r[1],
      state: filling ? "filling" : this.#gap ? "underrun" : "ready",
    };
  }

  drainEvents(): SignalStreamEvent[] {
    if (this.#isClosed) return this.#rest.splice(0);
    const view = new DataView(this.#events.buffer);
    const names = {
      trackOf: () => null,
      clipOf: () => null,
      assetOf: () => this.assetId,
    };
    const events: SignalStreamEvent[] = [];
    for (;;) {
      const count = check(
        this.#host.symbols.lp_events(this.#renderer, this.#events, this.#events.length),
        "read a stream's events",
      );
      for (let i = 0; i < count; i++) {
        const event = readEvent(view, i * EVENT_BYTES, names);
        if (event === null) continue;
        if (event.kind === "gapBegin") this.#gap = event.filledBy === "silence";
        if (event.kind === "gapEnd" || event.kind === "lost") this.#gap = false;
        if (event.kind !== "gapBegin" && event.kind !== "gapEnd" && event.kind !== "end") continue;
        events.push(event);
      }
      if (count < MOST_EVENTS) return events;
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#closing ??= this.#close();
  }

  async #close(): Promise<void> {
    const { symbols } = this.#host;
    symbols.lp_transport_pause(this.#renderer);
    const until = performance.now() + FADED_MS;
    do {
      await new Promise((resolve) => setTimeout(resolve, 5));
      symbols.lp_position(this.#renderer, this.#record, this.#record.length);
    } while ((this.#record[3] === 2 || this.#record[13] > 0) && performance.now() < until);
    this.#rest = this.drainEvents();
    this.#isClosed = true;
    this.#onClosing(this);
    await symbols.lp_renderer_close(this.#renderer);
  }
}

/** A whole asset at the project's rate. */
export function streamFrames(
  asset: { lengthSamples: number; sampleRate: number },
  projectRate: number,
): Frames {
  return Math.ceil(asset.lengthSamples * projectRate / asset.sampleRate);
}
