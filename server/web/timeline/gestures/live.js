// @ts-check
import { LiveEdit } from "../../model/live_edit.js";

/** @import { App } from "../../app.js" */

/**
 * Edits that follow the pointer and can be taken back as a whole.
 *
 * @param {App} app
 * @param {string} label
 */
export function liveEdit(app, label) {
  const live = new LiveEdit((edits, options) => app.session.edit(edits, options), label);
  return {
    update: (/** @type {import("../../client/types.js").Edit[]} */ edits) => live.update(edits),
    async cancel() {
      if (!live.touched) return;
      await live.settled();
      await app.session.undo();
    },
  };
}
