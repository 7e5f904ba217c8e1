/**
 * What is known of one asset, and how it follows from what stands at its path. Values to values.
 *
 * @module
 */
import type { FileFacts } from "../../files/files_protocol.ts";
import type { AudioHead } from "../../files/head.ts";
import type { SourceInfo } from "../../signal/signal_api.ts";
import type { Asset, AssetType, DecodeError, OfflineStatus } from "../types.ts";

/** What tells one state of a file from another without reading it. */
export interface FileIdentity {
  device: number;
  inode: number;
  bytes: number;
  mtimeMs: number;
  ctimeMs: number;
}

/** Of an asset that was kept without one: any file is another. */
const NO_IDENTITY: FileIdentity = { device: 0, inode: 0, bytes: 0, mtimeMs: 0, ctimeMs: 0 };

/** An asset as it is kept. */
export interface KeptAsset {
  asset: Asset;
  identity: FileIdentity;
}

/** A registered asset and what goes with it. */
export interface AssetEntry extends KeptAsset {
  /** Whether its file was looked at since the project was opened: what is kept of its state is of another day. */
  seen: boolean;
  /** Whether Signal has its source open. */
  bound: boolean;
  /** Whether somebody has wanted it open. */
  wanted: boolean;
  /** The state of its file that was told to be unreadable. */
  refused: FileIdentity | null;
  /** The state of its file that was told to be broken in part. */
  damaged: FileIdentity | null;
  /** What was told last of what cannot be read of the file as it is. */
  error: DecodeError | null;
}

/** The entry of an asset that nobody has looked at yet. */
export function entryOf(
  { asset, identity }: { asset: Asset; identity?: FileIdentity | undefined },
): AssetEntry {
  return {
    asset,
    identity: identity ?? NO_IDENTITY,
    seen: false,
    bound: false,
    wanted: false,
    refused: null,
    damaged: null,
    error: null,
  };
}

/** Where its file is, as clients are told: not known before it was looked at. */
export function statusOf({ asset, seen }: Pick<AssetEntry, "asset" | "seen">): OfflineStatus {
  return seen ? asset.offlineStatus : "pending";
}

/** The asset as clients see it: a copy. */
export function shown(entry: Pick<AssetEntry, "asset" | "seen" | "error">): Asset {
  const { asset, error } = entry;
  const told = { ...asset, offlineStatus: statusOf(entry) };
  return error === null ? told : { ...told, decodeError: error };
}

export function identityOf(facts: FileFacts): FileIdentity {
  const { device, inode, bytes, mtimeMs, ctimeMs } = facts;
  return { device, inode, bytes, mtimeMs, ctimeMs };
}

/** The state of the file that a source was opened from. */
export function identityOfSource(info: SourceInfo): FileIdentity {
  const { device, inode, fileBytes: bytes, mtimeMs, ctimeMs } = info;
  return { device, inode, bytes, mtimeMs, ctimeMs };
}

/**
 * Whether it is the same file, unchanged. A change of owner, mode or link count (`ctimeMs` alone) is none of the sound, nor is a
 * disk that was mounted again under another number.
 */
export function sameBytes(a: FileIdentity, b: FileIdentity): boolean {
  return a.inode === b.inode && a.bytes === b.bytes &&
    Math.trunc(a.mtimeMs) === Math.trunc(b.mtimeMs);
}

/** Names of the usual layouts, by number of channels. */
const LAYOUTS = ["", "mono", "stereo", "3.0", "quad", "5.0", "5.1", "6.1", "7.1"];
/** By WAVE speaker mask, where it differs from the usual one of that many channels. */
const MASKED: ReadonlyMap<number, string> = new Map([
  [0x4, "mono"],
  [0x3, "stereo"],
  [0x7, "3.0"],
  [0xb, "2.1"],
  [0x33, "quad"],
  [0x603, "quad(side)"],
  [0x107, "4.0"],
  [0x37, "5.0"],
  [0x607, "5.0(side)"],
  [0x3f, "5.1"],
  [0x60f, "5.1(side)"],
  [0x13f, "6.1"],
  [0x63f, "7.1"],
  [0xff, "7.1(wide)"],
]);

/** A layout's name. */
export function channelLayout(channels: number, mask = 0): string {
  return MASKED.get(mask) ?? LAYOUTS[channels] ?? `${channels} channels`;
}

const CODECS: Readonly<Record<SourceInfo["encoding"], string>> = {
  u8: "pcm_u8",
  s8: "pcm_s8",
  s16: "pcm_s16",
  s24: "pcm_s24",
  s32: "pcm_s32",
  f32: "pcm_f32",
  f64: "pcm_f64",
};

/** What the file's own samples are coded in. */
function codecOf({ container, encoding }: SourceInfo): string {
  if (container === "mp3") return "mp3";
  return container === "flac" || container === "oggFlac" ? "flac" : CODECS[encoding];
}

/** An asset as its header says, nothing analysed yet. */
export function assetFromSource(
  assetId: string,
  path: string,
  type: AssetType,
  info: SourceInfo,
): Asset {
  return {
    assetId,
    path,
    type,
    ...shapeOf(info),
    peakCache: null,
    waveformCache: null,
    proxyStatus: "none",
    hash: null,
    offlineStatus: "present",
    generation: 1,
    analysedSamples: 0,
    complete: false,
  };
}

/** The part of an asset that its header says. */
export function shapeOf(
  info: SourceInfo,
): Pick<
  Asset,
  | "sampleRate"
  | "channels"
  | "bitDepth"
  | "lengthSamples"
  | "container"
  | "codec"
  | "channelLayout"
  | "durationSeconds"
  | "lengthExact"
> {
  return {
    sampleRate: info.sampleRate,
    channels: info.channels,
    bitDepth: info.bits,
    lengthSamples: info.frames,
    container: info.container,
    codec: codecOf(info),
    channelLayout: channelLayout(info.channels, info.channelMask),
    durationSeconds: info.frames / info.sampleRate,
    lengthExact: true,
  };
}

/** An asset that is in no project; what its head does not say yet is 0. */
export function transientAsset(
  assetId: string,
  path: string,
  head: AudioHead | undefined,
): Asset {
  const { sampleRate = 0, channels = 0, bitDepth = 0, lengthSamples = 0 } = head ?? {};
  return {
    assetId,
    path,
    type: "transient",
    sampleRate,
    channels,
    bitDepth,
    lengthSamples,
    peakCache: null,
    waveformCache: null,
    proxyStatus: "none",
    hash: null,
    offlineStatus: "present",
    container: head?.container ?? "",
    codec: "",
    channelLayout: channelLayout(channels),
    durationSeconds: sampleRate > 0 ? lengthSamples / sampleRate : 0,
    lengthExact: false,
    generation: 0,
    analysedSamples: 0,
    complete: false,
  };
}

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  wav: "audio/wav",
  rf64: "audio/wav",
  w64: "audio/x-w64",
  aiff: "audio/aiff",
  aifc: "audio/aiff",
  flac: "audio/flac",
  oggFlac: "audio/ogg",
  mp3: "audio/mpeg",
};

/** The media type of a container. */
export function contentType(container: string): string {
  return CONTENT_TYPES[container] ?? "application/octet-stream";
}
