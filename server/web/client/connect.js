// @ts-check
import { PulseClient } from "./client.js";
import { EngineView } from "./engine_view.js";
import { ConnectionRefused, Disconnected } from "./errors.js";

/** @import { ConnectOptions } from "./interface.ts" */

/**
 * Connects to an engine. Waits for one that is not there yet, and mends the connection from then on.
 *
 * @param {string} url of the engine, such as `http://127.0.0.1:4747`
 * @param {ConnectOptions} [options] `topics` are `timeline` and `transport`, unless others are given; `signal`
 *   ends the waiting
 * @returns {Promise<{ client: PulseClient, view: EngineView }>} once the timeline is there
 * @throws {ConnectionRefused} where the engine will not have us
 * @throws {Disconnected} when `signal` ends the waiting
 * @throws {TypeError} where there is no WebSocket
 */
export async function connect(url, { topics = ["timeline", "transport"], signal, ...rest } = {}) {
  const client = new PulseClient({ url, topics, ...rest });
  const view = new EngineView(client);
  const abort = () => void client.close();
  try {
    await new Promise((resolve, reject) => {
      const stop = client.on("connection", (now) => {
        if (now.state === "connecting" || now.state === "waiting") return;
        stop();
        if (now.state === "open") resolve(undefined);
        else if (now.state === "refused") reject(new ConnectionRefused(now.reason));
        else reject(new Disconnected("engine.hello"));
      });
      signal?.addEventListener("abort", abort);
      client.connect();
      if (signal?.aborted) abort();
    });
  } finally {
    signal?.removeEventListener("abort", abort);
  }
  return { client, view };
}
