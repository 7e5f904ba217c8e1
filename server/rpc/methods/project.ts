/**
 * `project.*`: one is open at a time and saved at each edit.
 *
 * @module
 */
import { z } from "zod";
import { IdSchema, NameSchema, PathSchema, ProjectSchema } from "../../../engine/pulse/schema.ts";
import { nothing, sampleRate } from "../../schema/base.ts";
import { method } from "../method.ts";

const list = method({
  name: "project.list",
  summary: "The projects that the engine knows.",
  params: nothing,
  result: z.object({ projects: z.array(ProjectSchema) }),
  run: async (_params, { engine }) => ({ projects: await engine.projects.list() }),
});

const name = NameSchema.min(1);
const path = PathSchema.optional();

const create = method({
  name: "project.create",
  summary: "Makes an empty project and opens it.",
  params: z.strictObject({
    name,
    path,
    sampleRate: sampleRate.optional(),
  }),
  result: z.object({ project: ProjectSchema }),
  ordered: true,
  run: async (params, { engine }) => ({ project: await engine.projects.create(params) }),
});

const open = method({
  name: "project.open",
  summary: "Opens a project, by its id or its file.",
  params: z.strictObject({ projectId: IdSchema.optional(), path })
    .refine(
      ({ projectId, path }) => (projectId === undefined) !== (path === undefined),
      "either projectId or path must be given",
    ),
  result: z.object({ project: ProjectSchema }),
  ordered: true,
  errors: ["project.notFound"],
  run: async (params, { engine }) => ({ project: await engine.projects.open(params) }),
});

const saveAs = method({
  name: "project.saveAs",
  summary: "Copies the open project under another name and goes on in the copy.",
  params: z.strictObject({ name, path }),
  result: z.object({ project: ProjectSchema }),
  ordered: true,
  run: async (params, { engine }) => ({ project: await engine.projects.saveAs(params) }),
});

export const projectMethods = [list, create, open, saveAs];
