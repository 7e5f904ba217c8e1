/**
 * The reasons that clients are told with `device.changed`.
 *
 * @module
 */

/** Why `device.changed` is sent. */
export const DEVICE_REASONS = [
  "open", // as was asked for
  "fallback", // nothing could be opened: silence runs on
  "unavailable", // not even that
  "lost", // it is gone, or no longer asks for sound; what follows says where playback goes on
  "reopened", // playback goes on here by itself
  "returned", // the device that was wished for is there again
  "period", // it was opened with a longer period, since it did not hold its own
  "latency", // the audio system tells another latency than was known
  "list", // other devices came or went; the open one is as it was
] as const;
export type DeviceReason = (typeof DEVICE_REASONS)[number];
