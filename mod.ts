/**
 * Loophole engine: a local audio engine that imports audio files, shows their waveforms at any zoom, plays timelines of thousands of
 * clips from disk without a dropout, and lets them be cut while they play.
 *
 * This module is for programs that embed it. Frames are integers at the project's rate, ranges are `[start, end)`, levels are
 * decibels with `null` for silence; `types` and errors have the names of the interface that the server speaks.
 *
 * @example A file on a timeline, heard, cut and written
 * ```ts no-eval
 * import { Engine, EngineError } from "./mod.ts";
 *
 * await using engine = await Engine.open({ libraryRoots: ["/music"], exportDir: "/music/renders" });
 * const me = { clientId: "example" };
 * engine.listen(({ method, params }) => console.log(method, params));
 *
 * try {
 *   const { assetId, lengthSamples } = await engine.assets.register("/music/song.wav", "sample", me);
 *   engine.timeline.edit([
 *     { op: "track.add", track: { trackId: "voice", name: "Voice" } },
 *     {
 *       op: "clip.add",
 *       trackId: "voice",
 *       clip: { assetId, startFrame: 0, lengthFrames: lengthSamples },
 *     },
 *   ], { label: "Lay the song" }, me);
 *   engine.transport.play({});
 *   engine.timeline.edit(
 *     [{ op: "range.delete", startFrame: 48_000, endFrame: 96_000, ripple: true }],
 *     {},
 *     me,
 *   );
 *   engine.render.mixdown({ path: "cut.wav", container: "wav", sampleFormat: "s24" }, me);
 * } catch (error) {
 *   if (error instanceof EngineError) console.error(error.code, error.message);
 * }
 * ```
 *
 * It also exports the client of the server's interface, which is by itself in `server/web/client/mod.js` (`@loophole/engine/client`, and
 * `/client/mod.js` of a running engine): programs that only talk to an engine import that one.
 *
 * @module
 */
export { Engine } from "./engine/engine.ts";
export { EngineError, type ErrorCode, InvalidParams } from "./engine/errors.ts";
export type { Backend, EngineOptions } from "./engine/options.ts";
export type * from "./engine/api.ts";
export type * from "./engine/pulse/types.ts";
export {
  connect,
  ConnectionRefused,
  decodeFrame,
  Disconnected,
  EngineView,
  FrameError,
  Playhead,
  PulseClient,
  RpcError,
  TimelineMirror,
} from "./server/web/client/mod.js";
export type {
  ClientEvents,
  ClientOptions,
  ConnectionState,
  ConnectOptions,
  MetersFrame,
  MethodName,
  Methods,
  NotificationName,
  Notifications,
  Params,
  PeaksFrame,
  Result,
  Sync,
} from "./server/web/client/mod.js";
