/**
 * Schemas of what imports and exports report.
 *
 * @module
 */
import { z } from "zod";
import { IdSchema } from "../../engine/pulse/schema.ts";

const place = z.array(z.union([z.string(), z.int().min(0)]));

/** What an import or export did, and what had no counterpart. */
export const ReportSchema = z.strictObject({
  tracks: z.int().min(0),
  clips: z.int().min(0),
  markers: z.int().min(0),
  entries: z.array(z.strictObject({ path: place, what: z.string(), done: z.string() })),
  moreEntries: z.int().min(0),
  missing: z.array(z.strictObject({
    name: z.string(),
    path: place,
    reason: z.string(),
    assetId: IdSchema.optional(),
    lookedFor: z.string().optional(),
  })),
});
