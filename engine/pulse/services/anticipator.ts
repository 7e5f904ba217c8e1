/**
 * Keeps what may be wanted soon resident: plans anew whenever timeline, transport, intents or files change, and as the head moves on.
 *
 * @module
 */
import type { Caller } from "../../api.ts";
import { asIs, type PlayedOf } from "../../signal/played.ts";
import type { SignalApi } from "../../signal/signal_api.ts";
import {
  type Anticipated,
  type AnticipatedHead,
  anticipating,
  type AnticipationInput,
  type Intent,
  type Landing,
  type PageShape,
} from "../anticipation.ts";
import { type AssetCost, demanding } from "../demand.ts";
import { leadSeconds, type Measured } from "../lead_time.ts";
import { Slices } from "../store/slices.ts";
import type { TimelineModel } from "../timeline_model.ts";
import type { Frames } from "../types.ts";
import type { AssetEntry } from "./asset_entry.ts";
import type { RenderSource } from "./pitch_renders.ts";

/** Time between two looks at the head, in milliseconds. */
export const LOOK_MS = 500;
/** Least time between the begins of two plans, in milliseconds: a storm of edits is planned for as it goes on, not edit by edit. */
const LEAST_MS = 50;
/** How far a playing head moves before there is a new plan, in seconds. The renderer reads much further by itself. */
const MOVED_SECONDS = 1;
/** The same where all of the timeline is resident: only what would give way first has changed. */
const MOVED_SECONDS_WHOLE = 10;
/** Looks that a measurement goes back. */
const MEASURED_LOOKS = 20;
/** Seconds of playing over which the need is averaged. */
const NEED_SECONDS = 10;
/** A budget that has changed by less than this part is no reason for another plan. */
const BUDGET_PART = 1 / 64;
/** Nor is a lead that has changed by less than this. */
const LEAD_PART = 1 / 4;
const UNIT_BYTES = 16_384;
/** A plan follows each edit, and the next edit waits for no more than a slice of it, in milliseconds. */
const SLICE_MS = 1;
/** Frames in a page of 16-bit integers, and of floats. */
const SHORT_FRAMES = 8_192;
const FLOAT_FRAMES = 4_096;

export interface AnticipatorOptions {
  signal: () => SignalApi;
  model: () => TimelineModel;
  /** Where an undo and a redo would lead, if that is known without reading the journal. */
  landings: () => { undo?: Landing; redo?: Landing };
  head: () => AnticipatedHead & { readonly state: string };
  /** What is known of an asset. */
  asset: (assetId: string) => Readonly<AssetEntry> | undefined;
  /** What clips really play, and what is known of a render that they do; unless told, there are none. */
  played?: PlayedOf;
  render?: (sourceId: string) => RenderSource | undefined;
  memoryBytes: number;
  /** Gives others their turn while it is planned; {@linkcode Slices} of a millisecond unless told. */
  slices?: () => Pick<Slices, "turn">;
}

/** What of a plan is there. */
export interface AnticipationProgress {
  /** Pages of the plan that the budget allows, and those of them that are resident. */
  wantedPages: number;
  residentPages: number;
  /** Nothing is left to fetch. */
  settled: boolean;
  /** The plan has all that the timeline plays. */
  isWhole: boolean;
  /** How much of each place is there before the head lands on it. */
  leadMs: number;
}

/** The anticipation of the open project. */
export class Anticipator implements Disposable {
  readonly #options: AnticipatorOptions;
  readonly #intents = new Map<string, { caller: Caller; intent: Intent }>();
  readonly #measured: Measured[] = [];
  #timer: ReturnType<typeof setInterval> | null = null;
  #soon: ReturnType<typeof setTimeout> | null = null;
  #planning: Promise<void> | null = null;
  #isDue = false;
  #begunMs = -Infinity;
  #planned: { frame: Frames; budgetUnits: number; isWhole: boolean } | null = null;
  #lead = 0;
  /** Bytes of files that playing needs in a second, as of the last plan. */
  #bytesPerSecond = 0;
  #closed = false;

  constructor(options: AnticipatorOptions) {
    this.#options = options;
  }

  /** Plans, and goes on with it until it is disposed of. */
  begin(): void {
    this.#timer ??= setInterval(() => this.tick(), LOOK_MS);
    this.changed();
  }

  /** How far it is, for diagnostics. */
  get progress(): AnticipationProgress {
    const { wantedPages, residentPages, settled } = this.#options.signal().anticipation();
    const isWhole = this.#planned?.isWhole ?? false;
    return { wantedPages, residentPages, settled, isWhole, leadMs: this.#lead * 1000 };
  }

  /** What the user of a client may do next, in place of what it told before. Nothing: it tells no more. */
  hint(caller: Caller, intent: Intent): void {
    const known = this.#intents.get(caller.clientId);
    if (Object.values(intent).some((value) => value !== undefined)) {
      this.#intents.set(caller.clientId, { caller, intent });
    } else if (known?.caller === caller) {
      this.#intents.delete(caller.clientId);
    } else return; // A connection that ends takes back nothing that a later one of its client has told.
    this.changed();
  }

  /** Says that something changed that plans are made of. */
  changed(): void {
    if (this.#closed || this.#timer === null) return;
    this.#isDue = true;
    if (this.#planning !== null || this.#soon !== null) return;
    const wait = Math.max(0, this.#begunMs + LEAST_MS - performance.now());
    this.#soon = setTimeout(() => {
      this.#soon = null;
      this.#planning = this.#plan().catch((error) => {
        // Nobody waits for it; what is cut off in the end says nothing.
        if (!this.#closed) console.error("What may be wanted could not be planned:", error);
      }).finally(() => {
        this.#planning = null;
        if (this.#isDue) this.changed();
      });
    }, wait);
  }

  /** Looks whether the head has moved on, and what reading gives; called by itself. */
  tick(): void {
    const signal = this.#options.signal();
    this.#measured.push(readingOf(signal.counters()));
    if (this.#measured.length > MEASURED_LOOKS) this.#measured.shift();
    const planned = this.#planned;
    if (planned === null) return this.changed();
    const moved = Math.abs(this.#options.head().positionFrame - planned.frame);
    const budgetUnits = this.#budgetUnits();
    const isThere = planned.isWhole && signal.anticipation().settled;
    const far = (isThere ? MOVED_SECONDS_WHOLE : MOVED_SECONDS) * signal.sampleRate;
    const grown = Math.abs(budgetUnits - planned.budgetUnits) > budgetUnits * BUDGET_PART;
    const lead = this.#leadNow();
    const slower = Math.abs(lead - this.#lead) > this.#lead * LEAD_PART;
    if (moved >= far || grown || slower) this.changed();
  }

  /** Resolves once the plan says what there is now. */
  async settled(): Promise<void> {
    while (!this.#closed && (this.#isDue || this.#planning !== null)) {
      await (this.#planning ?? new Promise((resolve) => setTimeout(resolve, 1)));
    }
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.#isDue = false;
    if (this.#timer !== null) clearInterval(this.#timer);
    if (this.#soon !== null) clearTimeout(this.#soon);
    this.#timer = this.#soon = null;
  }

  async #plan(): Promise<void> {
    this.#isDue = false;
    this.#begunMs = performance.now();
    const signal = this.#options.signal();
    const steps = this.#steps();
    const { slices: open = () => new Slices(SLICE_MS) } = this.#options;
    const slices = open();
    for (;;) {
      const { done, value } = steps.next();
      if (!done) {
        await slices.turn();
        if (this.#closed) return;
        if (this.#options.signal() === signal) continue;
        // Another renderer reads, perhaps at another rate: what was reckoned for this one is not for it.
        this.#isDue = true;
        return;
      }
      const { input: { head: { positionFrame: frame }, budgetUnits }, plan } = value;
      this.#planned = { frame, budgetUnits, isWhole: plan.isWhole };
      signal.anticipate(plan.stretches);
      return;
    }
  }

  /** Plans for the state as it is at the first step. */
  *#steps(): Generator<void, { input: AnticipationInput; plan: Anticipated }> {
    const model = this.#options.model();
    const head = this.#options.head();
    const intents = [...this.#intents.values()].map(({ intent }) => intent);
    const landings = this.#options.landings();
    this.#bytesPerSecond = yield* this.#need(model, head);
    this.#lead = this.#leadNow();
    const input = {
      model,
      head,
      intents,
      ...landings,
      leadSeconds: this.#lead,
      budgetUnits: this.#budgetUnits(),
      shapeOf: (assetId: string) =>
        renderShape(this.#options.render?.(assetId), model.sampleRate) ??
          pageShape(this.#options.asset(assetId), model.sampleRate),
      played: this.#options.played ?? asIs,
    };
    return { input, plan: yield* anticipating(input) };
  }

  /** As the renderer says; before its first plan, all. */
  #budgetUnits(): number {
    const { plan, budgetUnits } = this.#options.signal().anticipation();
    return plan > 0 ? budgetUnits : Math.floor(this.#options.memoryBytes / UNIT_BYTES);
  }

  #leadNow(): number {
    return leadSeconds(this.#reading(), { bytesPerSecond: this.#bytesPerSecond });
  }

  /** What was read since the oldest look that is remembered. */
  #reading(): Measured {
    const now = this.#measured.at(-1) ?? NOTHING;
    const then = this.#measured[0] ?? NOTHING;
    const since = (name: keyof Measured) => now[name] - then[name];
    return {
      bytes: since("bytes"),
      reads: since("reads"),
      readSeconds: since("readSeconds"),
      convertSeconds: since("convertSeconds"),
    };
  }

  *#need(model: TimelineModel, head: AnticipatedHead): Generator<void, number> {
    const { volumes } = yield* demanding(model, head, {
      costOf: (assetId) =>
        renderCost(this.#options.render?.(assetId)) ?? assetCost(this.#options.asset(assetId)),
      played: this.#options.played ?? asIs,
      spanSeconds: NEED_SECONDS,
    });
    const bytes = volumes.reduce((sum, volume) => sum + volume.bytes.reduce((a, b) => a + b, 0), 0);
    return bytes / NEED_SECONDS;
  }
}

const NOTHING: Measured = { bytes: 0, reads: 0, readSeconds: 0, convertSeconds: 0 };

function readingOf(counters: Record<string, number>): Measured {
  const of = (name: string) => counters[name] ?? 0;
  return {
    bytes: of("bytesRead"),
    reads: of("reads"),
    readSeconds: of("readNs") / 1e9,
    convertSeconds: of("convertNs") / 1e9,
  };
}

function renderShape(render: RenderSource | undefined, sampleRate: number): PageShape | undefined {
  if (render === undefined) return undefined;
  const sourceFrames = Math.ceil(render.lengthSamples * sampleRate / render.sampleRate);
  return { channels: render.channels, pageFrames: FLOAT_FRAMES, sourceFrames };
}

function renderCost(render: RenderSource | undefined): AssetCost | undefined {
  if (render === undefined) return undefined;
  const { sampleRate, lengthSamples, bytesPerFrame } = render;
  return { sampleRate, lengthSamples, bytesPerFrame, compressed: false, volume: "" };
}

/** How Signal holds an asset's samples (`lp_source` of `ffi/native/store.h`). */
function pageShape(
  entry: Readonly<AssetEntry> | undefined,
  sampleRate: number,
): PageShape | undefined {
  if (!entry?.bound) return undefined;
  const { asset } = entry;
  const { codec, bitDepth, channels, lengthSamples } = asset;
  const isShort = asset.sampleRate === sampleRate && bitDepth <= 16 && codec !== "mp3";
  return {
    channels,
    pageFrames: isShort ? SHORT_FRAMES : FLOAT_FRAMES,
    sourceFrames: Math.ceil(lengthSamples * sampleRate / asset.sampleRate),
  };
}

/** All volumes as one: what they give is measured together. */
function assetCost(entry: Readonly<AssetEntry> | undefined): AssetCost | undefined {
  if (!entry?.bound || entry.asset.lengthSamples === 0) return undefined;
  const { asset: { sampleRate, lengthSamples, codec }, identity } = entry;
  return {
    sampleRate,
    lengthSamples,
    bytesPerFrame: identity.bytes / lengthSamples,
    compressed: codec === "mp3" || codec === "flac",
    volume: "",
  };
}
