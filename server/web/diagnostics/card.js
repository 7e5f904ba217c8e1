// @ts-check
import { h, setText } from "../ui/dom.js";

/**
 * A titled part of the diagnostics: a line of figures, a picture or table, and what it means while there is nothing to show. Hidden where
 * the engine does not tell what it would show.
 */
export class Card {
  /**
   * @param {string} title
   * @param {object} options
   * @param {string} options.about what it shows, for who points at the title
   * @param {string} options.empty said while there is nothing
   * @param {"wide" | "full"} [options.size]
   * @param {Node[]} content
   */
  constructor(title, { about, empty, size }, ...content) {
    this.figures = h("p", { class: "card-figures" });
    this.emptyText = h("p", { class: "card-empty" }, empty);
    this.body = h("div", { class: "card-body" }, ...content);
    this.amount = h("span", { class: "card-amount" });
    this.element = h(
      "section",
      { class: size === undefined ? "card" : `card ${size}`, "aria-label": title },
      h("header", {}, h("h3", { title: about }, title), this.amount),
      this.figures,
      this.body,
      this.emptyText,
    );
    this.state("unknown");
  }

  /** @param {"unknown" | "empty" | "shown"} state unknown: the engine does not tell */
  state(state) {
    this.element.hidden = state === "unknown";
    this.body.hidden = state !== "shown";
    this.figures.hidden = this.amount.hidden = state !== "shown";
    this.emptyText.hidden = state !== "empty";
  }

  /**
   * @param {string} text lines
   * @param {string} [amount] how many there are, at the right of the title
   */
  say(text, amount = "") {
    setText(this.figures, text);
    setText(this.amount, amount);
  }
}
