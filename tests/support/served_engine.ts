/**
 * The real engine with a server over it, in a place of its own, without sound.
 *
 * @module
 */
import type { Engine } from "../../engine/engine.ts";
import { Server, type ServerConfig } from "../../server/server.ts";
import { sinePlanes } from "./audio_files.ts";
import { EnginePlace, lay, ME } from "./engine_place.ts";

export interface ServedEngine extends AsyncDisposable {
  place: EnginePlace;
  engine: Engine;
  server: Server;
  url: string;
}

/** Opens an engine with two seconds of sound as the clips `c0` and `c1`, and serves it on a free port. */
export async function serveEngine(config: Partial<ServerConfig> = {}): Promise<ServedEngine> {
  const place = await EnginePlace.make();
  const opened = await place.open();
  const { engine } = opened;
  const assets = [];
  for (const name of ["a.wav", "b.wav"]) {
    const planes = sinePlanes(440, 2, 48_000, "s16");
    const path = await place.wav(name, { planes, encoding: "s16", sampleRate: 48_000 });
    assets.push(await engine.assets.register(path, "sample", ME));
  }
  engine.timeline.edit(lay(...assets), {}, ME);
  const server = await Server.bind({
    host: "127.0.0.1",
    port: 0,
    token: null,
    origins: [],
    checkResults: true,
    ...config,
  });
  server.serve(engine);
  return {
    ...{ place, engine, server, url: server.url },
    async [Symbol.asyncDispose]() {
      await server.close();
      await opened[Symbol.asyncDispose]();
      await place[Symbol.asyncDispose]();
    },
  };
}
