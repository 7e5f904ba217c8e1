// @ts-check
import { stem } from "../model/format.js";
import { pipelineText } from "../model/pipelines.js";
import { speedWords } from "../model/speed.js";
import { writeTime } from "../model/time_format.js";
import { clipEnd } from "../model/edits.js";
import { byId, h, setText } from "../ui/dom.js";
import { describeReadiness } from "./readiness_strip.js";

/** @import { App } from "../app.js" */
/** @import { TimelineMirror } from "../client/mirror.js" */
/** @import { ChangedClip } from "../client/types.js" */

const SETTLE_MS = 200;
const MOST_CLIPS = 200;

/**
 * What the canvas shows, in words: its fallback content, which assistive technology reads. Only what is in view, and only once it
 * stands still.
 */
export class AccessibleLanes {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {App} app
   * @param {HTMLCanvasElement} canvas
   */
  constructor(app, canvas) {
    this.app = app;
    this.canvas = canvas;
    this.readiness = byId("readiness-text", HTMLElement);
  }

  changed() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#write(), SETTLE_MS);
  }

  /** What the strip below the ruler shows. */
  writeReadiness() {
    setText(this.readiness, describeReadiness(this.app));
  }

  #write() {
    const { session, view, selection } = this.app;
    const { mirror } = session;
    const time = (/** @type {number} */ frame) => writeTime(frame, mirror, this.app.timeFormat);
    let left = MOST_CLIPS;
    const tracks = mirror.tracks.map(({ header, clips }) => {
      const list = h("ol", { "aria-label": header.name });
      for (const clip of clips.range(view.scrollFrame, view.endVisibleFrame)) {
        if (left-- <= 0) break;
        const name = clip.name ?? stem(session.assets.get(clip.assetId)?.path ?? clip.assetId);
        list.append(h(
          "li",
          {
            "data-clip-id": clip.clipId,
            "data-start-frame": clip.startFrame,
            "data-length-frames": clip.lengthFrames,
          },
          [
            name,
            `${time(clip.startFrame)} to ${time(clipEnd(clip))}`,
            speedWords(clip),
            pipelineText(clip, session.pipelines.of(clip.clipId)),
            groupText(mirror, clip),
            selection.has(clip.clipId) ? "selected" : "",
          ].filter(Boolean).join(", "),
        ));
      }
      return list;
    });
    this.canvas.replaceChildren(...tracks);
    this.writeReadiness();
  }
}

/**
 * @param {TimelineMirror} mirror
 * @param {ChangedClip} clip
 */
function groupText(mirror, { groupId }) {
  const { size } = mirror.group(groupId ?? "");
  return size > 1 ? `in a group of ${size}` : "";
}
