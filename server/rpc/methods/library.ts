/**
 * `library.list`.
 *
 * @module
 */
import { z } from "zod";
import { PathSchema } from "../../../engine/pulse/schema.ts";
import { limit, offset } from "../../schema/base.ts";
import { LibraryEntrySchema } from "../../schema/device.ts";
import { method } from "../method.ts";

const list = method({
  name: "library.list",
  summary:
    "A folder's entries, or the roots. Never waits for a disk: the rest follows as library.changed.",
  params: z.strictObject({
    path: PathSchema.optional(),
    query: z.string().max(1_000).optional(),
    sort: z.enum(["name", "duration", "kind"]).optional(),
    offset: offset.optional(),
    limit: limit.optional(),
  }),
  result: z.object({ entries: z.array(LibraryEntrySchema), total: z.int() }),
  errors: ["asset.outsideLibrary", "asset.notFound"],
  run: (params, { engine }) => engine.library.list(params),
});

export const libraryMethods = [list];
