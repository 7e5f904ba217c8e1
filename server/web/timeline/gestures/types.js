// @ts-check
/** @import { App } from "../../app.js" */

/**
 * A pointer in the lanes: CSS pixels, and the frame under it.
 * @typedef {object} Point
 * @property {number} x
 * @property {number} y
 * @property {number} frame
 * @property {boolean} free snapping is off for now (Alt)
 * @property {boolean} extend adds to what was (Shift or Mod)
 * @property {boolean} shift
 * @property {boolean} mod Ctrl or Cmd
 *
 * What a drag does, from the first movement to the end of it. `moved` false: it was a click.
 * @typedef {object} Gesture
 * @property {(point: Point) => void} move
 * @property {(point: Point, moved: boolean) => void} end
 * @property {() => void} cancel
 * @property {string} [cursor]
 */

export {};
