/**
 * The native records of devices (`lp_device_entry`, `lp_device_config`, the fields of `lp_device_status`).
 *
 * @module
 */
import type { DeviceEntry } from "./signal_api.ts";

/** Names of `enum lp_backend`, by number. */
export const BACKENDS = [
  "auto",
  "pulseaudio",
  "alsa",
  "jack",
  "coreaudio",
  "wasapi",
  "null",
] as const;
export type Backend = (typeof BACKENDS)[number];

/** Bytes of an `lp_device_entry`. */
export const DEVICE_ENTRY_BYTES = 320;
/** Bytes of an `lp_device_config`. */
export const DEVICE_CONFIG_BYTES = 256;
/** `LP_DEVICE_STATUS`. */
export const DEVICE_STATUS_FIELDS = 9;
/** Longest device id that can be opened, in bytes. */
export const DEVICE_ID_BYTES = 160;

const decoder = new TextDecoder();

/** Reads the first `count` entries of a listing. */
export function readDevices(bytes: Uint8Array, count: number): DeviceEntry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: count }, (_, i) => {
    const at = i * DEVICE_ENTRY_BYTES;
    const u32 = (offset: number) => view.getUint32(at + offset, true);
    const text = (offset: number, length: number) =>
      decoder.decode(bytes.subarray(at + offset, at + offset + length));
    return {
      backend: BACKENDS[u32(0)],
      isDefault: u32(4) !== 0,
      sampleRate: u32(12) || null,
      channels: u32(16) || null,
      device: text(32, u32(20)),
      name: text(192, u32(24)),
    };
  });
}

/** What is asked of a device. */
export interface DeviceRequest {
  readonly backend: number;
  /** Of the device's own. */
  readonly periodFrames: number;
  /** `null`: the system's default. */
  readonly id: string | null;
}

/**
 * @throws {RangeError} If the id is longer than {@linkcode DEVICE_ID_BYTES}.
 */
export function writeDeviceConfig(request: DeviceRequest): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(DEVICE_CONFIG_BYTES);
  const view = new DataView(bytes.buffer);
  const id = new TextEncoder().encode(request.id ?? "");
  if (id.length > DEVICE_ID_BYTES) {
    throw new RangeError(
      `Cannot open a device whose id has ${id.length} bytes: at most ${DEVICE_ID_BYTES}`,
    );
  }
  view.setUint32(0, request.backend, true);
  view.setUint32(8, request.periodFrames, true);
  view.setUint32(20, id.length, true);
  bytes.set(id, 32);
  return bytes;
}

/** What was opened. */
export function readDeviceConfig(bytes: Uint8Array): {
  backend: Backend;
  sampleRate: number;
  periodFrames: number;
  latencyFrames: number;
  name: string;
} {
  const view = new DataView(bytes.buffer, bytes.byteOffset, DEVICE_CONFIG_BYTES);
  const nameBytes = view.getUint32(24, true);
  return {
    backend: BACKENDS[view.getUint32(0, true)],
    sampleRate: view.getUint32(4, true),
    periodFrames: view.getUint32(8, true),
    latencyFrames: view.getUint32(16, true),
    name: decoder.decode(bytes.subarray(192, 192 + nameBytes)),
  };
}

/** What `lp_device_status` tells. */
export interface DeviceStatus {
  running: boolean;
  lost: boolean;
  /** Frames of the project. */
  latencyFrames: number;
  /** Frames of the device. */
  givenFrames: number;
  /** `null` before the first. */
  lastCallbackMs: number | null;
}

/** Reads the fields of a status. */
export function readDeviceStatus(fields: Float64Array): DeviceStatus {
  return {
    running: fields[0] !== 0,
    lost: fields[1] !== 0,
    latencyFrames: fields[4],
    givenFrames: fields[6],
    lastCallbackMs: fields[7] || null,
  };
}
