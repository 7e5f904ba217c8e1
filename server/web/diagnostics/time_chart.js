// @ts-check
import { h } from "../ui/dom.js";
import { Card } from "./card.js";
import { coordinate, niceTop } from "./coordinate.js";
import { plotArea, s } from "./svg.js";
import { ago, lasting, plain } from "./words.js";

/** @import { Sample } from "./history.js" */

/** What is shown of the past at most, and at least where there is less, in milliseconds. */
const SPAN_MS = { most: 120_000, least: 30_000 };

/**
 * @typedef {object} TimeSeries
 * @property {string} label
 * @property {"line" | "area" | "bars" | "dashed"} kind
 * @property {string} [colour] a class, else by its place
 * @property {(sample: Sample) => number | null} value
 */

/**
 * Values over the last two minutes, or as long as they are known, the latest at the right; where one is not known, there is a gap.
 */
export class TimeChart extends Card {
  /**
   * @param {string} title
   * @param {object} options
   * @param {string} options.about
   * @param {string} options.empty
   * @param {TimeSeries[]} options.series
   * @param {(value: number | null) => string} options.write
   * @param {number} options.least what the scale reaches at least
   * @param {boolean} [options.centred] 0 in the middle, and as much below as above
   */
  constructor(title, { about, empty, series, write, least, centred = false }) {
    const svg = plotArea(title);
    const top = h("span", { class: "scale-top", "aria-hidden": "true" });
    const begin = h("span", {}, ago(SPAN_MS.least));
    const legend = h("div", { class: "legend", "aria-hidden": "true" });
    super(
      title,
      { about, empty },
      legend,
      h("div", { class: "plot-box" }, svg, top),
      h(
        "div",
        { class: "axis ends", "aria-hidden": "true" },
        begin,
        h("span", {}, "now"),
      ),
    );
    this.title = title;
    this.svg = svg;
    this.top = top;
    this.begin = begin;
    this.legend = legend;
    this.series = series;
    this.write = write;
    this.least = least;
    this.centred = centred;
  }

  /**
   * @param {Sample[]} samples
   * @param {object} [more]
   * @param {number | null} [more.limit] a line that stands
   * @param {string} [more.limitLabel]
   * @param {string} [more.figures] else the latest values
   */
  show(samples, { limit = null, limitLabel = "", figures } = {}) {
    const latest = samples.at(-1);
    if (latest === undefined) return this.state("unknown");
    const span = Math.min(SPAN_MS.most, Math.max(SPAN_MS.least, latest.timeMs - samples[0].timeMs));
    const from = latest.timeMs - span;
    const shown = samples.filter(({ timeMs }) => timeMs >= from);
    const told = this.series.filter(({ value }) => shown.some((sample) => value(sample) !== null));
    if (told.length === 0) return this.state("empty");
    this.state("shown");
    const values = told.flatMap(({ value }) => shown.map(value)).filter((value) => value !== null);
    const most = niceTop(Math.max(this.least, limit ?? 0, ...values.map(Math.abs)));
    const x = (/** @type {number} */ timeMs) => coordinate((100 * (timeMs - from)) / span);
    const [zero, scale] = this.centred ? [51, 47] : [98, 94];
    const y = (/** @type {number} */ value) => coordinate(zero - (scale * value) / most);
    this.svg.replaceChildren(
      ...[this.centred ? -most : most / 2, 0, most].map((value) =>
        s("line", { class: "grid", x1: 0, x2: 100, y1: y(value), y2: y(value) })
      ),
      ...told.flatMap((one) => {
        const points = shown.map((sample) => ({ at: x(sample.timeMs), value: one.value(sample) }));
        return draw(points, one.kind, this.#colourOf(one), y);
      }),
      ...(limit === null ? [] : [
        s(
          "line",
          { class: "limit", x1: 0, x2: 100, y1: y(limit), y2: y(limit) },
          s("title", {}, document.createTextNode(`${limitLabel}: ${this.write(limit)}`)),
        ),
      ]),
    );
    this.begin.textContent = ago(span);
    this.top.textContent = plain(this.write(most));
    const now = told.map(({ label, value }) =>
      `${told.length > 1 ? `${label} ` : ""}${this.write(value(latest))}`
    ).join(" · ");
    const text = figures ?? now;
    this.say(text);
    this.svg.setAttribute("aria-label", `${this.title}, the last ${lasting(span)}; now: ${text}`);
    this.legend.hidden = told.length === 1 && limit === null;
    this.legend.replaceChildren(
      ...told.map((one) =>
        h("span", { class: `key ${this.#colourOf(one)} ${one.kind}` }, one.label)
      ),
      ...(limit === null ? [] : [h("span", { class: "key limit" }, limitLabel)]),
    );
  }

  /** @param {TimeSeries} one */
  #colourOf(one) {
    return one.colour ?? `series-${this.series.indexOf(one)}`;
  }
}

/**
 * @param {{ at: number, value: number | null }[]} points
 * @param {TimeSeries["kind"]} kind
 * @param {string} colour
 * @param {(value: number) => number} y
 */
function draw(points, kind, colour, y) {
  if (kind === "bars") {
    return points.flatMap(({ at, value }) =>
      value === null || value === 0 ? [] : [
        s("rect", {
          class: `bar ${colour}`,
          x: at - 0.7,
          width: 0.7,
          y: y(value),
          height: Math.max(1, y(0) - y(value)),
        }),
      ]
    );
  }
  return runs(points).flatMap((run) => {
    const line = run.map(({ at, value }, i) => `${i === 0 ? "M" : "L"}${at} ${y(value)}`).join("");
    const path = s("path", {
      class: `line ${colour}${kind === "dashed" ? " dashed" : ""}`,
      d: line,
    });
    if (kind !== "area") return [path];
    const area = `${line}L${run[run.length - 1].at} ${y(0)}L${run[0].at} ${y(0)}Z`;
    return [s("path", { class: `area ${colour}`, d: area }), path];
  });
}

/**
 * Stretches in which values are known.
 *
 * @param {{ at: number, value: number | null }[]} points
 */
function runs(points) {
  /** @type {{ at: number, value: number }[][]} */
  const found = [];
  let open = false;
  for (const { at, value } of points) {
    if (value !== null) {
      if (!open) found.push([]);
      found[found.length - 1].push({ at, value });
    }
    open = value !== null;
  }
  return found;
}
