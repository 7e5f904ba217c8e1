// @ts-check
import { byId } from "./dom.js";
import { openMenu } from "./menu.js";
import { themeChoice } from "./theme.js";

/** @import { App } from "../app.js" */
/** @import { ThemeChoice } from "./theme.js" */

/** @type {[ThemeChoice, string][]} */
const CHOICES = [["system", "As the system"], ["light", "Light"], ["dark", "Dark"]];

/** @param {App} app */
export function themeMenu(app) {
  const button = byId("theme", HTMLButtonElement);
  button.addEventListener("click", () => {
    openMenu(
      button,
      CHOICES.map(([choice, label]) => ({
        label,
        checked: choice === themeChoice(),
        run: () => app.setTheme(choice),
      })),
    );
  });
}
