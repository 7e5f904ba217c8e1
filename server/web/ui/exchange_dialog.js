// @ts-check
import { baseName } from "../model/format.js";
import { counted, hasRemarks, kindOf, summaryOf, writePath } from "../model/exchange.js";
import { byId, h, setText } from "./dom.js";

/** @import { App } from "../app.js" */
/** @import { Report } from "../model/exchange.js" */

const METHODS = /** @type {const} */ ({ otio: "timeline.importOtio", cap: "timeline.importCap" });

/**
 * Timelines of other programs: chosen or dropped, handed to the engine, and what became of them shown; and ours as a file for them.
 */
export class Exchange {
  #input = byId("exchange-file", HTMLInputElement);
  #dialog = byId("exchange", HTMLDialogElement);
  #title = byId("exchange-title", HTMLElement);
  #summary = byId("exchange-summary", HTMLElement);
  #body = byId("exchange-body", HTMLElement);
  #undo = byId("exchange-undo", HTMLButtonElement);
  #again = byId("exchange-again", HTMLButtonElement);
  /** @type {{ name: string, kind: "otio" | "cap", source: { document: unknown } | { path: string } } | null} what was imported last */
  #last = null;
  /** @type {Report["missing"]} */
  #missing = [];
  /** Files chosen for what was missing, by the names that the document has for them. @type {Map<string, string>} */
  #files = new Map();

  /** @param {App} app */
  constructor(app) {
    this.app = app;
    this.#input.addEventListener("change", () => {
      const [file] = this.#input.files ?? [];
      // So that the same file can be chosen again.
      this.#input.value = "";
      if (file !== undefined) this.take(file);
    });
    this.#again.addEventListener("click", () => this.#importAgain());
    this.#undo.addEventListener("click", () => {
      this.#dialog.close();
      app.commands.runById("edit.undo");
    });
  }

  /** Lets a person choose a file. */
  open() {
    this.#input.click();
  }

  /** @param {File} file */
  async take(file) {
    const { notices } = this.app;
    /** @type {unknown} */
    let document;
    try {
      document = JSON.parse(await file.text());
    } catch (error) {
      const { message } = /** @type {Error} */ (error);
      return notices.fail({ code: "exchange.json", message }, "import", file.name);
    }
    const kind = kindOf(document);
    if (kind === null) {
      return notices.fail(
        { code: "exchange.kind", message: "it holds no timeline of Cap or OpenTimelineIO." },
        "import",
        file.name,
      );
    }
    this.#last = { name: file.name, kind, source: { document } };
    this.#files.clear();
    await this.#import();
  }

  /**
   * One of the library: files beside it are found by themselves.
   *
   * @param {string} path
   */
  async takePath(path) {
    this.#last = {
      name: baseName(path),
      kind: /\.otio$/i.test(path) ? "otio" : "cap",
      source: { path },
    };
    this.#files.clear();
    await this.#import();
  }

  /** @returns {Promise<boolean>} whether it is there now */
  async #import() {
    if (this.#last === null) return false;
    const { name, kind, source } = this.#last;
    const params = {
      ...source,
      ...this.#files.size > 0 && { files: Object.fromEntries(this.#files) },
    };
    const answer = await this.app.session.ask(METHODS[kind], params, `import ${name}`);
    if (answer === null) return false;
    this.app.timeline.fit();
    this.#show(`Imported ${name}`, answer.report, true);
    return true;
  }

  /** With the files that were chosen; what stood for them is not needed any more. */
  async #importAgain() {
    const stoodFor = this.#missing.flatMap(({ assetId, ...file }) =>
      assetId !== undefined && this.#files.has(fileKey(file)) ? [assetId] : []
    );
    this.#dialog.close();
    if (!await this.#import()) return;
    for (const assetId of stoodFor) {
      // Where something else uses it after all, it stays.
      await this.app.client.request("asset.remove", { assetId }).catch(() => {});
    }
  }

  /** @param {"otio" | "edl"} kind */
  async save(kind) {
    const { session, notices } = this.app;
    const what = kind === "otio" ? "OpenTimelineIO" : "EDL";
    const method = kind === "otio" ? "timeline.exportOtio" : "timeline.exportEdl";
    const name = `${fileName(session.hello?.project.name ?? "")}.${kind}`;
    const { client, authorize } = this.app;
    const action = `write the timeline as ${what}`;
    const answer = await client.request(method, {}).catch((error) =>
      // More than fits an answer goes to the export folder first.
      error.code === "limit.exceeded"
        ? session.ask(method, { path: name, overwrite: true }, action)
        : notices.fail(error, action)
    );
    if (!answer) return;
    const { document, file, report } = answer;
    if (file !== undefined) download(name, authorize(file.url));
    else {
      const text = typeof document === "string"
        ? document
        : `${JSON.stringify(document, null, 2)}\n`;
      const type = kind === "otio" ? "application/json" : "text/plain";
      const href = URL.createObjectURL(new Blob([text], { type }));
      download(name, href);
      // The download has begun with the click; the browser holds the blob itself.
      setTimeout(() => URL.revokeObjectURL(href));
    }
    if (hasRemarks(report)) this.#show(`Saved ${name}`, report, false);
    else {
      notices.add({
        kind: "exchange.saved",
        tone: "info",
        message: `Saved ${name}: ${summaryOf(report)}.`,
      });
    }
  }

  /**
   * Which of the files that are known is meant.
   *
   * @param {Report["missing"][number]} file
   */
  #chooser(file) {
    const key = fileKey(file);
    const select = h("select", { "aria-label": `File for ${file.name}` });
    select.append(new Option("Choose a file of the project or library…", ""));
    const there = this.app.session.assets.all.filter((asset) => asset.offlineStatus === "present")
      .toSorted((a, b) => a.path.localeCompare(b.path, undefined, { numeric: true }));
    for (const { path } of there) select.append(new Option(baseName(path), path));
    select.value = this.#files.get(key) ?? "";
    select.addEventListener("change", () => {
      if (select.value === "") this.#files.delete(key);
      else this.#files.set(key, select.value);
      this.#again.disabled = this.#files.size === 0;
    });
    return select;
  }

  /**
   * @param {string} title
   * @param {Report} report
   * @param {boolean} imported
   */
  #show(title, report, imported) {
    const { entries, moreEntries, missing } = report;
    setText(this.#title, title);
    setText(
      this.#summary,
      hasRemarks(report)
        ? `${summaryOf(report)}.`
        : `${summaryOf(report)}. Everything had a counterpart.`,
    );
    const more = moreEntries > 0
      ? h("p", { class: "dialog-note" }, `and ${moreEntries} more`)
      : null;
    this.#body.replaceChildren();
    this.#missing = missing;
    if (missing.length > 0) {
      this.#body.append(section(
        `${counted(missing.length, "file")} cannot be read now: silent until there`,
        missing.map((file) => ({
          what: file.name,
          done: h(
            "span",
            {},
            file.lookedFor === undefined
              ? file.reason
              : `${file.reason} (looked for ${file.lookedFor})`,
            imported && this.#chooser(file),
          ),
          path: file.path,
        })),
      ));
    }
    if (entries.length > 0) {
      this.#body.append(section("Without a counterpart", entries, more));
    }
    this.#body.hidden = !hasRemarks(report);
    this.#undo.hidden = !imported;
    this.#again.hidden = !imported || missing.length === 0;
    this.#again.disabled = true;
    this.#dialog.showModal();
  }
}

/**
 * @param {string} title
 * @param {{ what: string, done: string | Node, path: (string | number)[] }[]} rows
 * @param {HTMLElement | null} [more]
 */
function section(title, rows, more = null) {
  return h(
    "section",
    {},
    h("h3", {}, title),
    h(
      "dl",
      {},
      ...rows.map(({ what, done, path }) =>
        h("div", { title: writePath(path) }, h("dt", {}, what), h("dd", {}, done))
      ),
    ),
    more,
  );
}

/**
 * By what name an import takes a file that is missing.
 *
 * @param {{ name: string, path: (string | number)[] }} file
 */
function fileKey({ name, path }) {
  return path[0] === "files" && typeof path[1] === "string" ? path[1] : name;
}

/**
 * @param {string} name
 * @param {string} href
 */
function download(name, href) {
  const link = h("a", { href, download: name });
  document.body.append(link);
  link.click();
  link.remove();
}

/** @param {string} name a project's, as a file may be called */
function fileName(name) {
  return name.replace(/[^\p{L}\p{N} _.-]+/gu, "").trim() || "timeline";
}
