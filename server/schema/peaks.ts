/**
 * Schemas of peaks queries.
 *
 * @module
 */
import { z } from "zod";

/** Most channels that a query may name. */
const MAX_CHANNELS = 32;

/** Which channels: all, their mono mix, or some by number. */
export const ChannelsSchema = z.union([
  z.literal("all"),
  z.literal("mix"),
  z.array(z.int().min(0).max(MAX_CHANNELS - 1)).min(1).max(MAX_CHANNELS),
]);
