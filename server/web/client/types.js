// @ts-check
/**
 * The words of the interface (API.md) for this side of the wire. Types alone: nothing here exists at run time.
 *
 * @module
 */

/** @typedef {import("../../../engine/pulse/types.ts").Clip} Clip */
/** @typedef {import("../../../engine/pulse/types.ts").ChangedClip} ChangedClip */
/** @typedef {import("../../../engine/pulse/types.ts").ClipInput} ClipInput */
/** @typedef {import("../../../engine/pulse/types.ts").TrackHeader} TrackHeader */
/** @typedef {import("../../../engine/pulse/types.ts").Track} Track */
/** @typedef {import("../../../engine/pulse/types.ts").Timeline} Timeline */
/** @typedef {import("../../../engine/pulse/types.ts").Changes} Changes */
/** @typedef {import("../../../engine/pulse/types.ts").IoPoints} IoPoints */
/** @typedef {import("../../../engine/pulse/types.ts").Marker} Marker */
/** @typedef {import("../../../engine/pulse/types.ts").FrameRate} FrameRate */
/** @typedef {import("../../../engine/pulse/types.ts").Asset} Asset */
/** @typedef {import("../../../engine/pulse/types.ts").OfflineStatus} OfflineStatus */
/** @typedef {import("../../../engine/pulse/types.ts").Transport} Transport */
/** @typedef {import("../../../engine/pulse/types.ts").Loop} Loop */
/** @typedef {import("../../../engine/pulse/types.ts").Job} Job */
/** @typedef {import("../../../engine/pulse/types.ts").Project} Project */
/** @typedef {import("../../../engine/pulse/types.ts").Edit} Edit */
/** @typedef {import("../../../engine/api.ts").Topic} Topic */
/** @typedef {import("../../../engine/api.ts").EditResult} EditResult */
/** @typedef {import("../../../engine/api.ts").HistoryEntry} HistoryEntry */
/** @typedef {import("../../../engine/api.ts").LibraryEntry} LibraryEntry */
/** @typedef {import("../../../engine/api.ts").LibraryListing} LibraryListing */
/** @typedef {import("../../../engine/api.ts").OpenDevice} OpenDevice */

/**
 * What `engine.hello` answers.
 * @typedef {object} Hello
 * @property {string} version
 * @property {number} protocol
 * @property {string} instanceId
 * @property {string} clientId
 * @property {string | null} ticket
 * @property {number} sampleRate
 * @property {OpenDevice | null} device
 * @property {Record<string, unknown>} kernels
 * @property {Record<string, unknown>} capabilities
 * @property {Record<string, number>} limits
 * @property {Project} project
 */

/**
 * `transport.position`.
 * @typedef {object} PositionReport
 * @property {number} positionFrame
 * @property {number} audibleFrame
 * @property {number} timeMs
 * @property {number} rate
 * @property {number} revision
 */

/**
 * `timeline.changed`.
 * @typedef {object} TimelineChanged
 * @property {number} revision
 * @property {number} previousRevision
 * @property {"edit" | "undo" | "redo" | "set" | "import"} cause
 * @property {string} label
 * @property {string} clientId
 * @property {boolean} canUndo
 * @property {boolean} canRedo
 * @property {Changes} changes
 */

export {};
