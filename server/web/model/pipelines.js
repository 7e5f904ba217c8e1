// @ts-check
/** @import { ChangedClip, ClipPipeline } from "../client/types.js" */

/** @typedef {Omit<ClipPipeline, "clipId">} Pipeline how far the stretched sound of a clip is */

/**
 * What the engine renders for clips ahead of playing them, as it tells.
 */
export class Pipelines {
  /** @type {Map<string, Pipeline>} */
  #byClip = new Map();

  /** @param {string} clipId */
  of(clipId) {
    return this.#byClip.get(clipId);
  }

  /**
   * @param {string} clipId
   * @param {Pipeline} pipeline
   * @returns {boolean} whether it has only just failed
   */
  put(clipId, pipeline) {
    const before = this.#byClip.get(clipId);
    this.#byClip.set(clipId, pipeline);
    return pipeline.state === "failed" && before?.state !== "failed";
  }

  /** @param {readonly ClipPipeline[]} pipelines of the clips whose sound is not ready; of all others it is */
  reset(pipelines) {
    this.#byClip = new Map(pipelines.map(({ clipId, ...pipeline }) => [clipId, pipeline]));
  }
}

/**
 * The state of a clip's stretched sound in a word or two; empty where there is nothing to tell.
 *
 * @param {Pick<ChangedClip, "speedMode" | "rate">} clip
 * @param {Pipeline | undefined} pipeline
 */
export function pipelineText({ speedMode, rate }, pipeline) {
  if (speedMode !== "maintainPitch" || rate === 1 || pipeline === undefined) return "";
  switch (pipeline.state) {
    case "queued":
      return "waiting";
    case "rendering":
      return `${Math.floor((pipeline.progress ?? 0) * 100)} % stretched`;
    case "failed":
      return "not stretched";
    case "ready":
      return "";
  }
}
