// @ts-check
import { byId } from "./dom.js";

const TABS = ["library", "assets", "history"];

/**
 * The tabs of the media column.
 */
export class Sidebar {
  #current = "library";
  /** @type {(tab: string) => void} */
  onshow = () => {};

  constructor() {
    const list = byId("tabs", HTMLElement);
    list.addEventListener("click", (event) => {
      const tab = event.target instanceof Element ? event.target.closest("[role=tab]") : null;
      if (tab instanceof HTMLElement) this.show(tab.dataset.tab ?? "library");
    });
    list.addEventListener("keydown", (event) => {
      const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
      if (step === 0) return;
      event.preventDefault();
      const next = TABS[(TABS.indexOf(this.#current) + step + TABS.length) % TABS.length];
      this.show(next);
      byId(`tab-${next}`, HTMLElement).focus();
    });
  }

  get current() {
    return this.#current;
  }

  /** @param {string} tab */
  show(tab) {
    this.#current = tab;
    for (const name of TABS) {
      const selected = name === tab;
      const button = byId(`tab-${name}`, HTMLElement);
      button.setAttribute("aria-selected", String(selected));
      button.tabIndex = selected ? 0 : -1;
      byId(`panel-${name}`, HTMLElement).hidden = !selected;
    }
    this.onshow(tab);
  }

  toggle() {
    document.body.classList.toggle("no-sidebar");
  }
}
