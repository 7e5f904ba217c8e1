// @ts-check
import { coordinate } from "./coordinate.js";
import { roughly } from "./words.js";

/** @import { Histogram } from "./types.js" */

/** Decades that are shown at least. */
const LEAST_DECADES = 2;

/** @typedef {{ value: number, label: string, kind: "mark" | "limit" }} Mark */

/** @param {Histogram} histogram */
export function percentiles({ p50, p99, p999, max, unit, count }) {
  if (count === 0) return "none";
  const figures = [p50, p99, p999, max].map((value) => roughly(value, unit));
  // A unit that all have is said once.
  const units = new Set(figures.map((figure) => figure.slice(figure.lastIndexOf(" "))));
  if (units.size === 1) {
    for (let i = 0; i < 3; i++) figures[i] = figures[i].slice(0, figures[i].lastIndexOf(" "));
  }
  const [median, most, nearlyAll, longest] = figures;
  return `p50 ${median} · p99 ${most} · p99.9 ${nearlyAll} · max ${longest}`;
}

/** @typedef {{ from: number, to: number, at: (value: number) => number }} Scale from and to are values; at gives 0 … 100 */

/**
 * A logarithmic scale over all that has values, and the marks.
 *
 * @param {Histogram[]} histograms
 * @param {Mark[]} marks
 * @returns {Scale}
 */
export function scaleOf(histograms, marks) {
  let from = Infinity;
  let to = 0;
  for (const { bounds, counts } of histograms) {
    counts.forEach((value, index) => {
      if (value === 0) return;
      const [low, high] = edges(bounds, index);
      from = Math.min(from, low);
      to = Math.max(to, high);
    });
  }
  for (const { value } of marks) {
    if (!(value > 0)) continue;
    from = Math.min(from, value / 1.2);
    to = Math.max(to, value * 1.2);
  }
  const lacking = LEAST_DECADES - Math.log10(to / from);
  if (lacking > 0) {
    from /= 10 ** (lacking / 2);
    to *= 10 ** (lacking / 2);
  }
  const length = Math.log(to / from);
  return {
    from,
    to,
    at: (value) => Math.min(100, Math.max(0, (100 * Math.log(value / from)) / length)),
  };
}

/**
 * Bounds of a bucket; those that are open are as wide as their neighbours.
 *
 * @param {number[]} bounds
 * @param {number} index
 * @returns {[number, number]}
 */
export function edges(bounds, index) {
  const last = bounds.length - 1;
  const low = index > 0 ? bounds[index - 1] : bounds[0] ** 2 / bounds[Math.min(1, last)];
  const high = index <= last ? bounds[index] : bounds[last] ** 2 / bounds[Math.max(0, last - 1)];
  return [low, high];
}

/** Powers of ten that the scale has. @param {Scale} scale */
export function decades({ from, to, at }) {
  const found = [];
  for (let power = Math.ceil(Math.log10(from)); 10 ** power <= to; power++) {
    found.push({ value: 10 ** power, x: coordinate(at(10 ** power)) });
  }
  return found;
}
