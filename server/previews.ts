/**
 * Peaks over WebSocket: sent once, or again as more of the asset is analysed.
 *
 * @module
 */
import type { EngineApi, PeaksQuery } from "../engine/api.ts";
import { encodePeaksFrame } from "../engine/media/peaks_frame.ts";
import type { Client } from "./rpc/method.ts";

/** What `asset.previewPeaks` asks for. */
export interface Preview extends PeaksQuery {
  previewId: number;
  assetId: string;
}

/** Least time between two frames of one followed preview, in milliseconds. */
const FOLLOW_EVERY_MS = 100;

/**
 * Sends a preview's frame and says whether it is complete.
 *
 * @param key Of frames that wait under one key the newest is kept; without one the frame keeps its place before the reply.
 */
export async function sendPreview(
  engine: EngineApi,
  client: Client,
  { previewId, assetId, ...query }: Preview,
  key?: string,
): Promise<boolean> {
  const columns = await engine.assets.peaks(assetId, query);
  client.sendBinary(encodePeaksFrame(columns, previewId), key);
  return columns.complete;
}

/**
 * Sends a preview's frame now and again as more becomes known, until it is complete or its entry in `client.followed` is called.
 *
 * @returns whether the first frame was complete.
 */
export async function follow(
  engine: EngineApi,
  client: Client,
  preview: Preview,
): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isStopped = false;
  let isSending = true;
  let isDirty = false;
  const stopListening = engine.assets.onAnalysed(preview.assetId, () => {
    isDirty = true;
    schedule();
  });
  const stop = () => {
    isStopped = true;
    clearTimeout(timer);
    stopListening();
    if (client.followed.get(preview.previewId) === stop) client.followed.delete(preview.previewId);
  };
  const send = async (key?: string): Promise<boolean> => {
    isSending = true;
    isDirty = false;
    try {
      const complete = await sendPreview(engine, client, preview, key);
      if (complete) stop();
      return complete;
    } finally {
      isSending = false;
      timer = undefined;
      if (isDirty) schedule();
    }
  };
  const schedule = () => {
    if (isStopped || isSending || timer !== undefined) return;
    // An asset that is gone or fails ends its preview: the client hears of it as asset.removed or decode.error.
    timer = setTimeout(() => void send(`peaks ${preview.previewId}`).catch(stop), FOLLOW_EVERY_MS);
  };
  client.followed.get(preview.previewId)?.();
  client.followed.set(preview.previewId, stop);
  try {
    return await send();
  } catch (error) {
    stop();
    throw error;
  }
}
