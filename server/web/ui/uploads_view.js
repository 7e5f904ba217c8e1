// @ts-check
import { byId, h, setText } from "./dom.js";
import { upload } from "./upload.js";

/** @import { App } from "../app.js" */
/** @import { Asset } from "../client/types.js" */

/**
 * Files on their way to the library, one after another, each with a line that shows how far it is.
 */
export class Uploads {
  #list = byId("uploads", HTMLElement);

  /** @param {App} app */
  constructor(app) {
    this.app = app;
  }

  /**
   * @param {File[]} files
   * @returns {Promise<Asset[]>} those that arrived
   */
  async send(files) {
    const lines = files.map((file) => {
      const bar = h("progress", { max: 1, value: 0, "aria-label": `Upload of ${file.name}` });
      const line = h("li", { class: "upload" }, h("span", {}, file.name), bar);
      this.#list.append(line);
      return { file, line, bar };
    });
    /** @type {Asset[]} */
    const assets = [];
    for (const { file, line, bar } of lines) {
      try {
        assets.push(await upload(file, this.app.client.token, (part) => bar.value = part));
      } catch (error) {
        this.app.notices.fail(error, "add", file.name);
      }
      line.remove();
    }
    setText(this.#list, "");
    return assets;
  }
}
