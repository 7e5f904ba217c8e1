// @ts-check
import { askText } from "./ask.js";
import { byId } from "./dom.js";
import { openMenu } from "./menu.js";

/** @import { App } from "../app.js" */
/** @import { Project } from "../client/types.js" */

/** Projects that the menu shows; more are opened by name on the command line. */
const SHOWN = 12;

/**
 * Projects: begin one, copy this one, go to another.
 *
 * @param {App} app
 */
export function projectMenu(app) {
  const { session } = app;
  const button = byId("project", HTMLButtonElement);
  const ask = (/** @type {string} */ label, /** @type {string} */ value) => {
    const box = button.getBoundingClientRect();
    return askText(box.left, box.bottom + 4, label, value);
  };
  button.addEventListener("click", async () => {
    const answer = await session.ask("project.list", {}, "list the projects");
    if (answer === null) return;
    const current = session.hello?.project;
    /** @type {Project[]} */
    const projects = answer.projects;
    openMenu(button, [
      {
        label: "New project…",
        run: async () => {
          const name = await ask("Name of the new project", "");
          if (name) session.ask("project.create", { name }, "begin a project");
        },
      },
      {
        label: "Save a copy as…",
        run: async () => {
          const name = await ask("Name of the copy", current?.name ?? "");
          if (name) session.ask("project.saveAs", { name }, "save the project");
        },
      },
      { label: "Import a timeline…", divided: true, run: () => app.exchange.open() },
      { label: "Save as OpenTimelineIO", run: () => app.exchange.save("otio") },
      { label: "Save as EDL", run: () => app.exchange.save("edl") },
      ...projects.slice(0, SHOWN).map(({ projectId, name }, index) => ({
        label: name,
        checked: projectId === current?.projectId,
        divided: index === 0,
        run: () =>
          projectId !== current?.projectId &&
          session.ask("project.open", { projectId }, `open ${name}`),
      })),
    ]);
  });
}
