/**
 * Schemas of devices and of the library's entries.
 *
 * @module
 */
import { z } from "zod";
import { IdSchema, OfflineStatusSchema } from "../../engine/pulse/schema.ts";

/** Backends that a client may name; `auto` falls to `null` with a warning. */
export const BackendSchema = z.enum([
  "auto",
  "pulseaudio",
  "alsa",
  "jack",
  "coreaudio",
  "wasapi",
  "null",
]);

/** A device that could be opened. */
export const DeviceInfoSchema = z.strictObject({
  backend: z.string(),
  device: z.string(),
  name: z.string(),
  isDefault: z.boolean(),
  sampleRate: z.number().nullable(),
  channels: z.int().nullable(),
});

/** The device that is open. */
export const OpenDeviceSchema = z.strictObject({
  backend: z.string(),
  device: z.string().nullable(),
  name: z.string(),
  sampleRate: z.number(),
  periodFrames: z.int(),
  latencyFrames: z.number(),
  state: z.enum(["running", "lost", "closed"]),
  cadence: z.number().nullable(),
});

/** A line of a folder's listing. */
export const LibraryEntrySchema = z.strictObject({
  name: z.string(),
  path: z.string(),
  kind: z.enum(["folder", "audio", "other"]),
  assetId: IdSchema.optional(),
  durationSeconds: z.number().optional(),
  offlineStatus: OfflineStatusSchema.optional(),
});
