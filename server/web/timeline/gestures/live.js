// @ts-check
import { LiveEdit } from "../../model/live_edit.js";

/** @import { App } from "../../app.js" */
/** @import { Edit } from "../../client/types.js" */

/**
 * Edits that follow the pointer and can be taken back as a whole.
 *
 * @param {App} app
 * @param {string} label
 */
export function liveEdit(app, label) {
  const live = new LiveEdit((edits, options) => app.session.edit(edits, options), label);
  return {
    update: (/** @type {Edit[] | (() => Edit[])} */ edits) => live.update(edits),
    first: (/** @type {Edit[]} */ edits) => live.first(edits),
    async cancel() {
      await live.settled();
      if (live.touched) await app.session.undo();
    },
  };
}
