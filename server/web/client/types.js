// @ts-check
/**
 * The words of the interface (API.md) for this side of the wire. Types alone: nothing here exists at run time.
 *
 * @module
 */

/** @typedef {import("./interface.ts").Clip} Clip */
/** @typedef {import("./interface.ts").ChangedClip} ChangedClip */
/** @typedef {import("./interface.ts").ClipInput} ClipInput */
/** @typedef {import("./interface.ts").Notifications["clip.pipelineUpdated"]} ClipPipeline */
/** @typedef {import("./interface.ts").TrackHeader} TrackHeader */
/** @typedef {import("./interface.ts").Track} Track */
/** @typedef {import("./interface.ts").Timeline} Timeline */
/** @typedef {import("./interface.ts").Changes} Changes */
/** @typedef {NonNullable<Timeline["ioPoints"]>} IoPoints */
/** @typedef {import("./interface.ts").Marker} Marker */
/** @typedef {NonNullable<Timeline["frameRate"]>} FrameRate */
/** @typedef {import("./interface.ts").Asset} Asset */
/** @typedef {Asset["offlineStatus"]} OfflineStatus */
/** @typedef {import("./interface.ts").Transport} Transport */
/** @typedef {Transport["loop"]} Loop */
/** @typedef {import("./interface.ts").Job} Job */
/** @typedef {import("./interface.ts").Project} Project */
/** @typedef {import("./interface.ts").Edit} Edit */
/** @typedef {import("./interface.ts").Topic} Topic */
/** @typedef {import("./interface.ts").Result<"timeline.edit">} EditResult */
/** @typedef {import("./interface.ts").Result<"timeline.history">["entries"][number]} HistoryEntry */
/** @typedef {import("./interface.ts").LibraryEntry} LibraryEntry */
/** @typedef {import("./interface.ts").Result<"library.list">} LibraryListing */
/** @typedef {import("./interface.ts").OpenDevice} OpenDevice */
/** @typedef {import("./interface.ts").Hello} Hello */
/** @typedef {import("./interface.ts").Notifications["transport.position"]} PositionReport */
/** @typedef {import("./interface.ts").Notifications["timeline.changed"]} TimelineChanged */

export {};
