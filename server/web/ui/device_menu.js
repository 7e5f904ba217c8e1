// @ts-check
import { byId } from "./dom.js";
import { openMenu } from "./menu.js";

/** @import { App } from "../app.js" */

/** @param {App} app */
export function deviceMenu(app) {
  const button = byId("device", HTMLButtonElement);
  button.addEventListener("click", async () => {
    const answer = await app.session.ask("device.list", {}, "list the audio devices");
    if (answer === null) return;
    const current = app.session.device;
    const items = answer.devices.map((/** @type {any} */ { backend, device, name, isDefault }) => {
      const same = current?.device === null ? isDefault : current?.device === device;
      const open = current?.backend === backend && same;
      return {
        label: `${name}${isDefault ? " (default)" : ""}`,
        checked: open,
        keys: backend,
        run: () => app.session.ask("device.open", { backend, device }, `open ${name}`),
      };
    });
    openMenu(
      button,
      items.length > 0 ? items : [{ label: "No devices", run() {}, disabled: true }],
    );
  });
}
