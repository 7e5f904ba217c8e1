/**
 * Where the head will stand once the renderer has taken what was sent to it: the twin of `ffi/native/head.c`, for answers that may not
 * wait for a callback.
 *
 * @module
 */
import { type Frames, type HeadMapStep, mapEnd, mapFrame } from "../../signal/model.ts";
import type { PositionRecord } from "../../signal/signal_api.ts";
import type { Loop, TransportState } from "../types.ts";

export interface Head {
  state: TransportState;
  positionFrame: Frames;
  /** Where play began; `stop` returns to it. */
  originFrame: Frames;
  toFrame: Frames | null;
  loop: Loop;
}

/** One step of the head's program; a frame left out is where the head stands, or no end. */
export type HeadStep =
  | { kind: "map"; revision: number; map: readonly HeadMapStep[] }
  | { kind: "play"; fromFrame?: Frames; toFrame?: Frames }
  | { kind: "pause" }
  | { kind: "stop" }
  | { kind: "seek"; positionFrame: Frames }
  | { kind: "loop"; loop: Loop };

/** The head after a step. */
export function runStep(head: Head, step: HeadStep): Head {
  switch (step.kind) {
    case "map":
      return mapHead(head, step.map);
    case "play": {
      const positionFrame = step.fromFrame ?? head.positionFrame;
      const begins = head.state !== "playing" || step.fromFrame !== undefined;
      return {
        ...head,
        positionFrame,
        state: "playing",
        originFrame: begins ? positionFrame : head.originFrame,
        toFrame: step.toFrame !== undefined && step.toFrame > positionFrame ? step.toFrame : null,
      };
    }
    case "pause":
      return { ...head, state: head.state === "playing" ? "paused" : head.state };
    case "stop":
      return {
        ...head,
        positionFrame: head.state === "stopped" ? head.positionFrame : head.originFrame,
        state: "stopped",
        toFrame: null,
      };
    case "seek":
      return {
        ...head,
        positionFrame: step.positionFrame,
        originFrame: head.state === "playing" ? head.originFrame : step.positionFrame,
        toFrame: head.toFrame !== null && head.toFrame <= step.positionFrame ? null : head.toFrame,
      };
    case "loop":
      return { ...head, loop: step.loop };
  }
}

/** Everything that stands at a frame goes through an edit's map; a loop left shorter than a frame is switched off. */
function mapHead(head: Head, map: readonly HeadMapStep[]): Head {
  if (map.length === 0) return head;
  const startFrame = mapFrame(map, head.loop.startFrame);
  const endFrame = Math.max(startFrame, mapEnd(map, head.loop.endFrame));
  return {
    ...head,
    positionFrame: mapFrame(map, head.positionFrame),
    originFrame: mapFrame(map, head.originFrame),
    toFrame: head.toFrame === null ? null : mapEnd(map, head.toFrame),
    loop: { enabled: head.loop.enabled && endFrame - startFrame >= 1, startFrame, endFrame },
  };
}

/** What the renderer's record does not say of the head. */
type Unseen = Pick<Head, "originFrame" | "toFrame">;

/** The steps that the renderer has not acknowledged yet. */
export class PendingSteps {
  /** `number`: of the publication that takes the step to the renderer, once it is made; an edit's is known by its revision. */
  #steps: { step: HeadStep; after: Unseen; number: number }[] = [];
  #acknowledged: Unseen = { originFrame: 0, toFrame: null };

  /** Forgets all steps: the renderer is a new one. */
  clear(): void {
    this.#steps = [];
    this.#acknowledged = { originFrame: 0, toFrame: null };
  }

  /** Adds a step that is about to be sent to the renderer. */
  push(record: PositionRecord, step: HeadStep): void {
    const after = runStep(this.predict(record), step);
    this.#steps.push({ step, after, number: Infinity });
  }

  /** Takes note that the step added last was sent, of the record as it is since then. */
  sent({ made }: PositionRecord): void {
    const last = this.#steps.at(-1);
    if (last !== undefined) last.number = made;
  }

  /** Takes note that the head reached the frame that it was to play to. */
  ended(): void {
    this.#acknowledged = { ...this.#acknowledged, toFrame: null };
  }

  /**
   * The head as it will be. The renderer takes what was sent in order, and its record says up to which publication: what came with that or
   * before it is done, however long the callback has taken to come.
   */
  predict(record: PositionRecord): Head {
    const taken = this.#steps.findLastIndex(({ step, number }) =>
      step.kind === "map" ? step.revision <= record.revision : number <= record.acknowledged
    );
    if (taken >= 0) {
      const { originFrame, toFrame } = this.#steps[taken].after;
      this.#acknowledged = { originFrame, toFrame };
      this.#steps.splice(0, taken + 1);
    }
    const { state, positionFrame, loop } = record;
    const head: Head = { state, positionFrame, loop, ...this.#acknowledged };
    return this.#steps.reduce((head, { step }) => runStep(head, step), head);
  }

  /** Whether something has not been acknowledged yet (as of the last prediction). */
  get any(): boolean {
    return this.#steps.length > 0;
  }
}
