// @ts-check
/**
 * The answers that the diagnostics show, in short. Types alone.
 *
 * @module
 */

/** @typedef {import("../client/interface.ts").Result<"diagnostics.get">} Diagnostics */
/** @typedef {import("../client/interface.ts").Result<"diagnostics.underruns">["underruns"][number]} Underrun */
/** @typedef {NonNullable<Diagnostics["histograms"]>["read"]} Histogram */
/** @typedef {NonNullable<Diagnostics["volumes"]>[number]} Volume */
/** @typedef {NonNullable<Diagnostics["forecast"]>["volumes"][number]} VolumeForecast */
/** @typedef {Diagnostics["tracks"][number]} TrackFigures */

export {};
