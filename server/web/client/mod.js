// @ts-check
// @ts-self-types="./mod.d.ts"
/**
 * The client's door, also for browsers: a running engine serves it at `/client/mod.js`. What users see of it is in `mod.d.ts`.
 *
 * @module
 */
export { decodeFrame } from "./binary.js";
export { PulseClient } from "./client.js";
export { ClockEstimate, ClockSync } from "./clock.js";
export { connect } from "./connect.js";
export { Emitter } from "./emitter.js";
export { EngineView } from "./engine_view.js";
export { ConnectionRefused, Disconnected, FrameError, RpcError } from "./errors.js";
export { TimelineMirror } from "./mirror.js";
export { Playhead } from "./playhead.js";
export { TrackClips } from "./track_clips.js";
