/**
 * `timeline.import…` and `timeline.export…`: documents of other programs.
 *
 * @module
 */
import { z } from "zod";
import {
  EditOptionsSchema,
  IdSchema,
  NameSchema,
  PathSchema,
} from "../../../engine/pulse/schema.ts";
import { SERVER_LIMITS } from "../../limits.ts";
import { revision } from "../../schema/base.ts";
import { ReportSchema } from "../../schema/exchange.ts";
import { method } from "../method.ts";

/** A document, or its text. */
const document = z.union([z.string(), z.record(z.string(), z.unknown())]);

/** Names as the document has them (a path, a URL, the last part of either, or `0/mic`), and the files that they mean. */
const files = z.record(z.string().min(1).max(4_096), PathSchema).refine(
  (map) => Object.keys(map).length <= SERVER_LIMITS.exchangeFiles,
  { error: `must name at most ${SERVER_LIMITS.exchangeFiles} files` },
);

const { baseRevision, label } = EditOptionsSchema.shape;
const importMembers = {
  path: PathSchema.optional(),
  document: document.optional(),
  folder: PathSchema.optional(),
  files: files.optional(),
  baseRevision,
  label,
};
const oneOf = [
  ({ path, document }: { path?: unknown; document?: unknown }) =>
    (path === undefined) !== (document === undefined),
  "either path or document must be given",
] as const;
const imported = z.object({ revision, report: ReportSchema });
const importErrors = [
  "timeline.conflict",
  "asset.notFound",
  "asset.outsideLibrary",
  "asset.unsupported",
  "asset.unreadable",
] as const;

const importCap = method({
  name: "timeline.importCap",
  summary:
    "Puts a project of Cap's in place of what stands, as one edit: its folder or project-config.json, and recording-meta.json.",
  params: z.strictObject({ ...importMembers, meta: document.optional() }).refine(...oneOf),
  result: imported,
  ordered: true,
  errors: importErrors,
  run: (params, { engine, client }) => engine.timeline.importCap(params, client),
});

const importOtio = method({
  name: "timeline.importOtio",
  summary: "Puts an OpenTimelineIO document in place of what stands, as one edit.",
  params: z.strictObject(importMembers).refine(...oneOf),
  result: imported,
  ordered: true,
  errors: importErrors,
  run: (params, { engine, client }) => engine.timeline.importOtio(params, client),
});

const exportMembers = { path: PathSchema.optional(), overwrite: z.boolean().optional() };
const file = z.strictObject({ path: PathSchema, url: z.string(), bytes: z.int().min(0) });
const exportErrors = [
  "export.exists",
  "export.outside",
  "export.diskFull",
  "asset.unreadable",
] as const;

const exportOtio = method({
  name: "timeline.exportOtio",
  summary: "The timeline as an OpenTimelineIO document; with a path it goes to the export folder.",
  params: z.strictObject(exportMembers),
  result: z.object({
    document: z.record(z.string(), z.unknown()).optional(),
    file: file.optional(),
    report: ReportSchema,
  }),
  // What is edited before it is in the document.
  ordered: true,
  errors: exportErrors,
  async run(params, { engine }) {
    const { document, ...rest } = await engine.timeline.exportOtio(params);
    return {
      ...rest,
      ...(document !== undefined && { document: document as Record<string, unknown> }),
    };
  },
});

const exportEdl = method({
  name: "timeline.exportEdl",
  summary: "Tracks as an edit decision list (CMX 3600); with a path it goes to the export folder.",
  params: z.strictObject({
    ...exportMembers,
    trackIds: z.array(IdSchema).min(1).max(64).optional(),
    title: NameSchema.optional(),
    startTimecode: z.string().max(16).optional(),
  }),
  result: z.object({
    document: z.string().optional(),
    file: file.optional(),
    report: ReportSchema,
  }),
  ordered: true,
  errors: [...exportErrors, "timeline.notFound"],
  async run(params, { engine }) {
    const { document, ...rest } = await engine.timeline.exportEdl(params);
    return { ...rest, ...(document !== undefined && { document: document as string }) };
  },
});

export const exchangeMethods = [importCap, importOtio, exportOtio, exportEdl];
