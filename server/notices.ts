/**
 * The engine's notifications as parcels: made once for all connections, and what only the newest counts of told apart.
 *
 * @module
 */
import type { Notification } from "../engine/api.ts";
import { isLarge, jsonInSlices } from "../engine/json_slices.ts";
import { inSlices } from "../engine/pulse/store/slices.ts";
import type { Parcel } from "./outbox.ts";

/** A notification's message. */
export function encodeNotification(method: string, params: unknown): string {
  return JSON.stringify({ jsonrpc: "2.0", method, params });
}

/** A parcel that remembers what it says, to be merged with a newer one. */
interface Told extends Parcel {
  params?: unknown;
}

interface Import {
  assetId: string;
}

/**
 * A notification as a parcel. Positions, progress and states that repeat are coalesced for a client that reads slowly; every other notification
 * arrives.
 */
export function toParcel({ method, params }: Notification): Parcel {
  const key = keyOf(method, params);
  if (key === null) {
    if (!isLarge(params)) return { data: encodeNotification(method, params) };
    let writing: Promise<string> | undefined;
    const late = () => writing ??= inSlices(jsonInSlices({ jsonrpc: "2.0", method, params }));
    return { data: "", late };
  }
  let text: string | undefined;
  const parcel: Told = {
    data: () => text ??= encodeNotification(method, params),
    key,
    params,
  };
  if (method === "asset.importProgress") parcel.merge = (older) => mergeImports(older, params);
  return parcel;
}

/** Under what a notification waits, `null` for those that must all arrive. */
function keyOf(method: string, params: unknown): string | null {
  switch (method) {
    case "transport.position":
    case "asset.importProgress":
    case "project.opening":
      return method;
    case "stream.state":
      return `${method} ${(params as { handle?: { handleId?: string } }).handle?.handleId}`;
    case "job.progress":
      return `${method} ${(params as { job?: { jobId?: string } }).job?.jobId}`;
    case "clip.pipelineUpdated":
      return `${method} ${(params as { clipId?: string }).clipId}`;
    default:
      return null;
  }
}

/** Progress of several assets travels together: what is newer of each stands. */
function mergeImports(older: Told, newer: unknown): Parcel {
  const imports = new Map<string, Import>();
  for (const params of [older.params, newer]) {
    for (const one of (params as { imports?: Import[] } | undefined)?.imports ?? []) {
      imports.set(one.assetId, one);
    }
  }
  return toParcel({
    topic: "assets",
    method: "asset.importProgress",
    params: { imports: [...imports.values()] },
  });
}
