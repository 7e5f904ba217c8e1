/**
 * `render.requestClipGhost`: makes what a clip is to be heard from, now.
 *
 * @module
 */
import type { Caller } from "../../api.ts";
import { EngineError } from "../../errors.ts";
import { findClip, type TimelineModel } from "../timeline_model.ts";
import type { Jobs } from "./jobs.ts";
import type { PitchRenders } from "./pitch_renders.ts";

export interface ClipGhostsOptions {
  jobs: Jobs;
  renders: Pick<PitchRenders, "need">;
  model: () => TimelineModel;
}

export class ClipGhosts {
  constructor(readonly options: ClipGhostsOptions) {}

  /**
   * Starts a job for a clip as it stands. It is done at once where the clip needs nothing, or has it.
   *
   * @throws {EngineError} `timeline.notFound`.
   */
  request(clipId: string, caller: Caller): { jobId: string } {
    const { jobs, renders, model } = this.options;
    const body = findClip(model(), clipId)?.body;
    if (body === undefined) {
      throw new EngineError(
        "timeline.notFound",
        `Cannot render clip ${clipId}: there is none of that id`,
        { clipId },
      );
    }
    const { jobId } = jobs.start("render.clipGhost", caller, async (task) => {
      using _held = await renders.need([body], task.signal, task.progress);
      return { clipId };
    }, { isLight: true });
    return { jobId };
  }
}
