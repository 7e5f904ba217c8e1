// @ts-check
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

  /** @param {App} app */
  constructor(app) {
    this.app = app;
    this.#input.addEventListener("change", () => {
      const [file] = this.#input.files ?? [];
      // So that the same file can be chosen again.
      this.#input.value = "";
      if (file !== undefined) this.take(file);
    });
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
    const { session, notices } = this.app;
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
    const answer = await session.ask(METHODS[kind], { document }, `import ${file.name}`);
    if (answer === null) return;
    this.app.timeline.fit();
    this.#show(`Imported ${file.name}`, answer.report, true);
  }

  /** @param {"otio" | "edl"} kind */
  async save(kind) {
    const { session, notices } = this.app;
    const what = kind === "otio" ? "OpenTimelineIO" : "EDL";
    const method = kind === "otio" ? "timeline.exportOtio" : "timeline.exportEdl";
    const answer = await session.ask(method, {}, `write the timeline as ${what}`);
    if (answer === null) return;
    const { document, report } = answer;
    const text = typeof document === "string" ? document : `${JSON.stringify(document, null, 2)}\n`;
    const name = `${fileName(session.hello?.project.name ?? "")}.${kind}`;
    download(name, new Blob([text], { type: kind === "otio" ? "application/json" : "text/plain" }));
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
    if (missing.length > 0) {
      this.#body.append(section(
        `${counted(missing.length, "file")} cannot be read now: silent until they are there`,
        missing.map(({ name, reason, lookedFor, path }) => ({
          what: name,
          done: lookedFor === undefined ? reason : `${reason} (looked for ${lookedFor})`,
          path,
        })),
      ));
    }
    if (entries.length > 0) {
      this.#body.append(section("Without a counterpart", entries, more));
    }
    this.#body.hidden = !hasRemarks(report);
    this.#undo.hidden = !imported;
    this.#dialog.showModal();
  }
}

/**
 * @param {string} title
 * @param {{ what: string, done: string, path: (string | number)[] }[]} rows
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
 * @param {string} name
 * @param {Blob} blob
 */
function download(name, blob) {
  const href = URL.createObjectURL(blob);
  const link = h("a", { href, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  // The download has begun with the click; the browser holds the blob itself.
  setTimeout(() => URL.revokeObjectURL(href));
}

/** @param {string} name a project's, as a file may be called */
function fileName(name) {
  return name.replace(/[^\p{L}\p{N} _.-]+/gu, "").trim() || "timeline";
}
