// @ts-check
import { byId, h, icon } from "./dom.js";

/** @import { App } from "../app.js" */

const MOST = 4;
const INFO_MS = 5000;

/**
 * Shows notices as lines above the status bar; what is only information goes by itself.
 *
 * @param {App} app
 */
export function showNotices({ notices }) {
  const list = byId("notices", HTMLElement);
  /** @type {Map<string, ReturnType<typeof setTimeout>>} */
  const timers = new Map();
  notices.on("changed", () => {
    const shown = notices.all.slice(0, MOST);
    list.replaceChildren(...shown.map((notice) => {
      const { kind, tone, message, advice, count, link } = notice;
      if (tone === "info" && link === undefined) {
        clearTimeout(timers.get(kind));
        timers.set(kind, setTimeout(() => notices.dismiss(kind), INFO_MS));
      }
      return h(
        "li",
        { class: `notice ${tone}` },
        icon(tone === "info" ? "info" : "warning"),
        h(
          "p",
          {},
          h("span", { class: "notice-message" }, message),
          count > Math.max(1, notice.subjects?.length ?? 0)
            ? h("span", { class: "notice-count" }, `×${count}`)
            : null,
          advice ? h("span", { class: "notice-advice" }, advice) : null,
          link ? h("a", { href: link.href, download: link.download ?? "" }, link.label) : null,
        ),
        h("button", {
          class: "icon-button small",
          type: "button",
          "aria-label": "Dismiss",
          onclick: () => notices.dismiss(kind),
        }, icon("close")),
      );
    }));
  });
}
