// @ts-check
import { isTimelineFile } from "../model/exchange.js";
import { duration } from "../model/format.js";
import { statusIcon } from "./asset_status.js";
import { draggable } from "./drag_source.js";
import { byId, h, icon } from "./dom.js";
import { openMenuAt } from "./menu.js";

/** @import { App } from "../app.js" */
/** @import { LibraryEntry } from "../client/types.js" */

const PAGE = 500;
const SEARCH_MS = 180;

/**
 * A folder of the tree: what is known of it and whether it is open.
 * @typedef {object} Folder
 * @property {LibraryEntry[] | null} entries null: not asked for yet
 * @property {number} total
 * @property {boolean} open
 */

/**
 * The library as a tree, opened folder by folder, or as the answers to a search.
 */
export class LibraryPanel {
  #tree = byId("library", HTMLElement);
  #search = byId("library-search", HTMLInputElement);
  #empty = byId("library-empty", HTMLElement);
  /** @type {Map<string, Folder>} `""` holds the roots */
  #folders = new Map();
  /** @type {LibraryEntry[] | null} */
  #found = null;
  #query = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {App} app */
  constructor(app) {
    this.app = app;
    this.#search.addEventListener("input", () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#find(), SEARCH_MS);
    });
    this.#search.addEventListener("keydown", (event) => {
      if (event.key === "Escape") {
        this.#search.value = "";
        this.#find();
        this.#search.blur();
      } else if (event.key === "ArrowDown") {
        event.preventDefault();
        this.#focusables()[0]?.focus();
      }
    });
    this.#tree.addEventListener("keydown", (event) => this.#key(event));
    // Whoever comes back may have put files there meanwhile.
    addEventListener("focus", () => app.client.isOpen && this.refresh());
    app.session.on("library", ({ path, entries }) => this.#changed(path, entries));
    app.session.on("connected", (connected) => connected && this.refresh());
    app.audition.on("changed", () => this.#render());
  }

  focusSearch() {
    this.#search.focus();
    this.#search.select();
  }

  /** Reads open folders again, as after files were added. */
  async refresh() {
    const open = [...this.#folders].filter(([path, folder]) => path === "" || folder.open);
    if (open.length === 0) open.push(["", { entries: null, total: 0, open: true }]);
    for (const [path, folder] of open) this.#folders.set(path, { ...folder, open: true });
    await Promise.all(open.map(([path]) => this.#load(path)));
    const roots = this.#folders.get("")?.entries ?? [];
    // A lone root is opened for the user.
    if (roots.length === 1 && roots[0].kind === "folder" && !this.#folders.has(roots[0].path)) {
      await this.#toggle(roots[0].path);
    }
  }

  /** @param {string} path */
  async #load(path) {
    const folder = this.#folders.get(path);
    const params = path === "" ? {} : { path };
    const answer = await this.app.session.ask(
      "library.list",
      { ...params, limit: PAGE },
      "list the folder",
    );
    if (answer === null || folder === undefined) return;
    folder.entries = answer.entries;
    folder.total = answer.total;
    this.#render();
  }

  /** @param {string} path */
  async #more(path) {
    const folder = this.#folders.get(path);
    if (folder?.entries === null || folder === undefined) return;
    const params = { path, offset: folder.entries.length, limit: PAGE };
    const answer = await this.app.session.ask("library.list", params, "list the folder");
    if (answer === null) return;
    folder.entries.push(...answer.entries);
    this.#render();
  }

  /** @param {string} path */
  async #toggle(path) {
    const folder = this.#folders.get(path) ?? { entries: null, total: 0, open: false };
    this.#folders.set(path, folder);
    folder.open = !folder.open;
    this.#render();
    if (folder.open && folder.entries === null) await this.#load(path);
  }

  /**
   * More became known: of a folder, or of a search below it.
   *
   * @param {string} path
   * @param {LibraryEntry[]} entries
   */
  #changed(path, entries) {
    const query = this.#search.value.trim().toLowerCase();
    for (const entry of entries) {
      const home = parentOf(entry.path);
      const folder = this.#folders.get(home)?.entries;
      if (folder) put(folder, entry, home === path);
      if (this.#found !== null) put(this.#found, entry, entry.name.toLowerCase().includes(query));
    }
    const folder = this.#folders.get(path);
    if (folder !== undefined) folder.total = Math.max(folder.total, folder.entries?.length ?? 0);
    this.#render();
  }

  /** Searches below each root. */
  async #find() {
    const query = this.#search.value.trim();
    const turn = ++this.#query;
    if (query === "") {
      this.#found = null;
      return this.#render();
    }
    const roots = this.#folders.get("")?.entries ?? [];
    const answers = await Promise.all(
      roots.map(({ path }) =>
        this.app.session.ask("library.list", { path, query, limit: PAGE }, "search the library")
      ),
    );
    if (turn !== this.#query) return;
    this.#found = answers.flatMap((answer) => answer?.entries ?? []);
    this.#render();
  }

  #render() {
    const focused = document.activeElement instanceof HTMLElement
      ? document.activeElement.dataset.path
      : undefined;
    /** @type {HTMLElement[]} */
    const rows = [];
    if (this.#found !== null) { for (const entry of this.#found) rows.push(this.#row(entry, 0)); }
    else this.#walk("", 0, rows);
    this.#tree.replaceChildren(...rows);
    this.#empty.hidden = rows.length > 0;
    this.#empty.textContent = this.#found === null
      ? "No folders. Start the engine with --library and a folder, or drop files here."
      : "Nothing found.";
    const focusables = this.#focusables();
    const again = focusables.find(({ dataset }) => dataset.path === focused);
    for (const row of focusables) row.tabIndex = row === (again ?? focusables[0]) ? 0 : -1;
    again?.focus();
  }

  /**
   * @param {string} path
   * @param {number} depth
   * @param {HTMLElement[]} rows
   */
  #walk(path, depth, rows) {
    const folder = this.#folders.get(path);
    if (folder?.entries === null || folder === undefined) {
      if (depth > 0) rows.push(note("Reading…", depth));
      return;
    }
    for (const entry of folder.entries) {
      rows.push(this.#row(entry, depth));
      if (entry.kind === "folder" && this.#folders.get(entry.path)?.open) {
        this.#walk(entry.path, depth + 1, rows);
      }
    }
    const left = folder.total - folder.entries.length;
    if (left > 0) {
      rows.push(
        h(
          "li",
          { class: "tree-more", style: `--depth: ${depth}` },
          h("button", { type: "button", onclick: () => this.#more(path) }, `${left} more`),
        ),
      );
    }
    if (folder.entries.length === 0 && depth > 0) rows.push(note("Empty", depth));
  }

  /**
   * @param {LibraryEntry} entry
   * @param {number} depth
   */
  #row(entry, depth) {
    const { kind, name, path, offlineStatus } = entry;
    const open = kind === "folder" && (this.#folders.get(path)?.open ?? false);
    const row = h(
      "li",
      {
        class: `tree-row ${kind}`,
        role: "treeitem",
        tabindex: -1,
        title: kind === "audio"
          ? `${path}\nDouble-click adds it at the playhead, → listens to it`
          : isTimeline(entry)
          ? `${path}\nDouble-click imports it as the timeline`
          : path,
        "aria-level": depth + 1,
        "aria-expanded": kind === "folder" ? String(open) : null,
        "data-path": path,
        style: `--depth: ${depth}`,
      },
      kind === "folder"
        ? icon(open ? "open" : "closed")
        : kind === "audio" && entry.assetId !== undefined
        ? this.#listenButton(entry.assetId, name)
        : h("span", { class: "icon" }),
      icon(kind === "folder" ? "folder" : kind === "audio" ? "wave" : "file"),
      h("span", { class: "tree-name" }, name),
      offlineStatus ? statusIcon(offlineStatus) : null,
      entry.durationSeconds === undefined
        ? null
        : h("span", { class: "tree-detail" }, duration(entry.durationSeconds)),
    );
    if (kind === "folder") row.addEventListener("click", () => this.#toggle(path));
    row.addEventListener("contextmenu", (event) => this.#menu(event, entry));
    if (kind === "audio") {
      draggable(row, () => entry);
      row.addEventListener("dblclick", () => this.app.addPaths([path]));
    }
    if (isTimeline(entry)) {
      row.addEventListener("dblclick", () => this.app.exchange.takePath(path));
    }
    return row;
  }

  /**
   * @param {string} assetId
   * @param {string} name
   */
  #listenButton(assetId, name) {
    const { audition } = this.app;
    const heard = audition.assetId === assetId;
    return h(
      "button",
      {
        class: "listen",
        type: "button",
        tabindex: -1,
        "aria-pressed": String(heard),
        "aria-label": `${heard ? "Stop" : "Listen to"} ${name}`,
        onclick: (/** @type {MouseEvent} */ event) => {
          event.stopPropagation();
          audition.toggle(assetId, name);
        },
        ondblclick: (/** @type {MouseEvent} */ event) => event.stopPropagation(),
      },
      icon(heard ? "stop" : "play"),
    );
  }

  /** @param {string} path */
  #audioAt(path) {
    const entries = this.#found ?? this.#folders.get(parentOf(path))?.entries ?? [];
    const entry = entries.find((entry) => entry.path === path);
    return entry?.kind === "audio" ? entry : undefined;
  }

  /** Listens to the file at a path, or no more. @param {string} path */
  #listen(path) {
    const { assetId, name = "" } = this.#audioAt(path) ?? {};
    if (assetId !== undefined) this.app.audition.toggle(assetId, name);
  }

  /** Whoever listens and goes on to the next file listens to that. @param {string} path */
  #listenOn(path) {
    const { audition } = this.app;
    const { assetId, name = "" } = this.#audioAt(path) ?? {};
    if (audition.assetId === null || assetId === undefined) return;
    if (assetId !== audition.assetId) audition.listen(assetId, name);
  }

  /**
   * @param {MouseEvent} event
   * @param {LibraryEntry} entry
   */
  #menu(event, entry) {
    event.preventDefault();
    const { app } = this;
    const { kind, name, path, assetId } = entry;
    if (isTimeline(entry)) {
      return openMenuAt(event.clientX, event.clientY, [
        { label: "Import as the timeline", run: () => app.exchange.takePath(path), keys: "Enter" },
      ]);
    }
    if (kind === "other") return;
    if (kind === "audio") {
      return openMenuAt(event.clientX, event.clientY, [
        ...assetId === undefined ? [] : [{
          label: app.audition.assetId === assetId ? "Stop listening" : "Listen",
          run: () => app.audition.toggle(assetId, name),
          keys: "→",
        }],
        { label: "Add at the playhead", run: () => app.addPaths([path]), keys: "Enter" },
        { label: "Add on a new track", run: () => app.addPaths([path], this.#atHead("new")) },
      ]);
    }
    const add = (/** @type {boolean} */ onTracks) => async () => {
      const paths = await this.#audioIn(path);
      if (paths.length > 0) await app.addPaths(paths, { ...this.#atHead(null), onTracks });
    };
    openMenuAt(event.clientX, event.clientY, [
      { label: "Add its files one after another", run: add(false) },
      { label: "Add its files on a track each", run: add(true) },
    ]);
  }

  /** @param {string | "new" | null} trackId */
  #atHead(trackId) {
    return { frame: this.app.session.frame, trackId };
  }

  /**
   * @param {string} path of a folder
   * @returns {Promise<string[]>} the audio files in it, not in folders below
   */
  async #audioIn(path) {
    const params = { path, limit: PAGE };
    const answer = await this.app.session.ask("library.list", params, "list the folder");
    return (answer?.entries ?? []).flatMap((/** @type {LibraryEntry} */ entry) =>
      entry.kind === "audio" ? [entry.path] : []
    );
  }

  /** @returns {HTMLElement[]} */
  #focusables() {
    return [...this.#tree.querySelectorAll("[role=treeitem]")].filter((row) =>
      row instanceof HTMLElement
    );
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const rows = this.#focusables();
    const at = rows.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    if (at < 0) return;
    const path = rows[at].dataset.path ?? "";
    const expanded = rows[at].getAttribute("aria-expanded");
    const focus = (/** @type {number} */ index) => {
      const row = rows[Math.min(rows.length - 1, Math.max(0, index))];
      row.focus();
      this.#listenOn(row.dataset.path ?? "");
    };
    const level = Number(rows[at].getAttribute("aria-level"));
    const actions = new Map(Object.entries({
      ArrowDown: () => focus(at + 1),
      ArrowUp: () => focus(at - 1),
      Home: () => focus(0),
      End: () => focus(rows.length - 1),
      ArrowRight: () =>
        expanded === "false"
          ? this.#toggle(path)
          : expanded === "true"
          ? focus(at + 1)
          : this.#listen(path),
      ArrowLeft: () => {
        if (expanded === "true") return this.#toggle(path);
        const parent = rows.slice(0, at).findLastIndex((row) =>
          Number(row.getAttribute("aria-level")) < level
        );
        if (parent >= 0) focus(parent);
      },
      Enter: () =>
        expanded !== null
          ? this.#toggle(path)
          : this.#audioAt(path) === undefined && isTimelineFile(path)
          ? this.app.exchange.takePath(path)
          : this.app.addPaths([path]),
    }));
    const action = actions.get(event.key);
    if (action === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  }
}

/** @param {LibraryEntry} entry */
function isTimeline({ kind, name }) {
  return kind === "other" && isTimelineFile(name);
}

/**
 * @param {string} text
 * @param {number} depth
 */
function note(text, depth) {
  return h("li", { class: "tree-note", style: `--depth: ${depth}` }, text);
}

/**
 * @param {LibraryEntry[]} entries
 * @param {LibraryEntry} entry
 * @param {boolean} add where it is not there yet
 */
function put(entries, entry, add) {
  const at = entries.findIndex(({ path }) => path === entry.path);
  if (at >= 0) entries[at] = entry;
  else if (add) entries.push(entry);
}

/** @param {string} path of either kind of system */
function parentOf(path) {
  return path.slice(0, Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")));
}
