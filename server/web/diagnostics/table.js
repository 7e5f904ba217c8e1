// @ts-check
import { h, icon, setText } from "../ui/dom.js";

/**
 * @template Row
 * @typedef {object} Column
 * @property {string} title
 * @property {string} [about]
 * @property {(row: Row) => string} text
 * @property {(row: Row) => number | string | null} order what it is sorted by
 * @property {boolean} [figure] a number: to the right, the greatest first
 * @property {(row: Row) => number} [share] 0 … 1: a bar behind the figure
 * @property {(row: Row) => "good" | "warn" | "bad" | ""} [tone]
 */

/**
 * A table that is kept, not made anew: what is selected or scrolled to stays while figures change. A click on a heading sorts by it.
 *
 * @template Row
 */
export class Table {
  /** @type {Map<string, HTMLTableRowElement>} */
  #rows = new Map();
  /** @type {Row[]} */
  #shown = [];
  #down = true;
  /** @type {Column<Row> | null} null: in the order given */
  #sorted = null;

  /**
   * @param {string} label
   * @param {Column<Row>[]} columns
   * @param {(row: Row) => string} keyOf
   */
  constructor(label, columns, keyOf) {
    this.columns = columns;
    this.keyOf = keyOf;
    this.heads = columns.map((column) =>
      h(
        "th",
        { scope: "col", class: column.figure ? "figure" : "" },
        h(
          "button",
          { type: "button", title: column.about ?? "", onclick: () => this.#sort(column) },
          column.title,
          icon("open"),
        ),
      )
    );
    this.body = h("tbody");
    this.element = h(
      "div",
      { class: "table-box" },
      h("table", { "aria-label": label }, h("thead", {}, h("tr", {}, ...this.heads)), this.body),
    );
  }

  /** @param {Row[]} rows */
  show(rows) {
    this.#shown = rows;
    const keys = new Set(rows.map(this.keyOf));
    for (const [key, element] of this.#rows) {
      if (keys.has(key)) continue;
      element.remove();
      this.#rows.delete(key);
    }
    this.#inOrder().forEach((row, index) => {
      const key = this.keyOf(row);
      let element = this.#rows.get(key);
      if (element === undefined) {
        element = h(
          "tr",
          {},
          ...this.columns.map(({ figure }) => h("td", { class: figure ? "figure" : "" })),
        );
        this.#rows.set(key, element);
      }
      this.columns.forEach((column, at) => fill(element.cells[at], column, row));
      if (this.body.children[index] !== element) {
        this.body.insertBefore(element, this.body.children[index] ?? null);
      }
    });
  }

  /** @param {Column<Row>} column */
  #sort(column) {
    const down = this.#sorted === column ? !this.#down : column.figure === true;
    this.#sorted = column;
    this.#down = down;
    this.heads.forEach((head, at) => {
      if (this.columns[at] !== column) head.removeAttribute("aria-sort");
      else head.setAttribute("aria-sort", down ? "descending" : "ascending");
    });
    this.show(this.#shown);
  }

  #inOrder() {
    const column = this.#sorted;
    if (column === null) return this.#shown;
    const way = this.#down ? -1 : 1;
    return this.#shown.toSorted((a, b) => way * compare(column.order(a), column.order(b)));
  }
}

/**
 * What is not known comes last where the greatest is first.
 *
 * @param {number | string | null} a
 * @param {number | string | null} b
 */
function compare(a, b) {
  if (typeof a === "string" || typeof b === "string") return String(a).localeCompare(String(b));
  return (a ?? -Infinity) === (b ?? -Infinity) ? 0 : (a ?? -Infinity) < (b ?? -Infinity) ? -1 : 1;
}

/**
 * @template Row
 * @param {HTMLTableCellElement} cell
 * @param {Column<Row>} column
 * @param {Row} row
 */
function fill(cell, column, row) {
  setText(cell, column.text(row));
  if (column.share !== undefined) {
    cell.style.setProperty("--share", `${Math.round(100 * column.share(row))}%`);
  }
  const tone = column.tone?.(row) ?? "";
  if ((cell.dataset.tone ?? "") !== tone) cell.dataset.tone = tone;
}
