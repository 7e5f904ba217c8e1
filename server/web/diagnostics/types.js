// @ts-check
/**
 * The answers that the diagnostics show, in short. Types alone.
 *
 * @module
 */

/** @typedef {import("../client/interface.ts").Result<"diagnostics.get">} Told */
/**
 * What an engine may leave untold is not drawn.
 * @typedef {Pick<Told, "timeMs" | "sinceMs" | "counters" | "tracks" | "underruns" | "warnings" | "device"> & Partial<Told>} Diagnostics
 */
/** @typedef {import("../client/interface.ts").Result<"diagnostics.underruns">["underruns"][number]} Underrun */
/** @typedef {Told["histograms"]["read"]} Histogram */
/** @typedef {Told["volumes"][number]} Volume */
/** @typedef {NonNullable<Told["forecast"]>["volumes"][number]} VolumeForecast */
/** @typedef {Diagnostics["tracks"][number]} TrackFigures */

export {};
