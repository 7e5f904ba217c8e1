/**
 * The stand-in with the engine's own timeline in it: revisions, journal, undo and repeated requests are real.
 *
 * @module
 */
import type { EngineApi, Topic } from "../../engine/api.ts";
import { TimelineService } from "../../engine/pulse/timeline_service.ts";
import { Server } from "../../server/server.ts";
import { StandInEngine } from "./stand_in_engine.ts";

export class TimelineEngine extends StandInEngine {
  readonly service = TimelineService.inMemory(48_000, {
    onCommit: ({ model: _, previousModel: __, map: ___, ...told }) =>
      this.tell("timeline", "timeline.changed", told),
  });

  override readonly timeline: EngineApi["timeline"] = {
    importCap: () => Promise.reject(new Error("no test imports here")),
    importOtio: () => Promise.reject(new Error("no test imports here")),
    exportOtio: () => Promise.reject(new Error("no test exports here")),
    exportEdl: () => Promise.reject(new Error("no test exports here")),
    get: () => this.service.get(),
    set: (timeline, options, caller) => this.service.set(timeline, options, caller),
    setInTurns: (timeline, options, caller) => this.service.setInTurns(timeline, options, caller),
    edit: (edits, options, caller) => this.service.edit(edits, options, caller),
    undo: (options, caller) => this.service.undo(options, caller),
    redo: (options, caller) => this.service.redo(options, caller),
    history: (params) => this.service.history(params),
  };

  override topicState(topic: Topic, sinceRevision?: number): unknown {
    return topic === "timeline"
      ? this.service.changesSince(sinceRevision)
      : super.topicState(topic);
  }

  /** A server over it that also lets clients in that come by other addresses. */
  async serve(origins: string[] = [], port = 0): Promise<Server> {
    const server = await Server.bind({
      host: "127.0.0.1",
      port,
      token: null,
      origins,
      checkResults: true,
    });
    server.serve(this);
    return server;
  }
}
