// @ts-check
import { h } from "../ui/dom.js";
import { Card } from "./card.js";
import { decades, edges, percentiles, scaleOf } from "./histogram_scale.js";
import { coordinate } from "./coordinate.js";
import { plotArea, s } from "./svg.js";
import { count, measured, plain } from "./words.js";

/** @import { Mark, Scale } from "./histogram_scale.js" */
/** @import { Histogram } from "./types.js" */

/**
 * @typedef {object} HistogramSeries
 * @property {string} label
 * @property {Histogram} histogram
 */

/**
 * How often something took how long: bars over a logarithmic scale, of a height that is logarithmic too, so that a single late one is seen beside
 * a million others. With two series, two rows of bars.
 */
export class HistogramChart extends Card {
  /**
   * @param {string} title
   * @param {object} options
   * @param {string} options.about
   * @param {string} options.empty
   * @param {string} options.what what is counted, such as "reads"
   */
  constructor(title, { about, empty, what }) {
    const svg = plotArea(title);
    const axis = h("div", { class: "axis", "aria-hidden": "true" });
    const legend = h("div", { class: "legend", "aria-hidden": "true" });
    super(title, { about, empty }, legend, h("div", { class: "plot-box" }, svg), axis);
    this.title = title;
    this.what = what;
    this.svg = svg;
    this.axis = axis;
    this.legend = legend;
  }

  /**
   * @param {HistogramSeries[]} series
   * @param {Mark[]} [limits] beside the percentiles of the first
   * @param {string} [note] below the figures
   */
  show(series, limits = [], note = "") {
    if (series.length === 0) return this.state("unknown");
    if (series.every(({ histogram }) => histogram.count === 0)) return this.state("empty");
    this.state("shown");
    const named = (/** @type {HistogramSeries} */ { label, histogram }) =>
      `${series.length > 1 ? `${label}: ` : ""}${percentiles(histogram)}`;
    const lines = [...series.map(named), ...(note === "" ? [] : [note])];
    const all = series.reduce((sum, { histogram }) => sum + histogram.count, 0);
    this.say(lines.join("\n"), `${count(all)} ${this.what}`);
    this.svg.setAttribute(
      "aria-label",
      `${this.title}, ${count(all)} ${this.what}. ${lines.join(". ")}`,
    );
    const [{ histogram: first }] = series;
    const marks = [...limits];
    if (first.p999 !== null) marks.push({ value: first.p999, label: "p99.9", kind: "mark" });
    const scale = scaleOf(series.map(({ histogram }) => histogram), marks);
    const row = 100 / series.length;
    this.svg.replaceChildren(
      ...decades(scale).map(({ x }) => s("line", { class: "grid", x1: x, x2: x, y1: 0, y2: 100 })),
      ...series.flatMap(({ histogram }, index) =>
        bars(histogram, scale, index, (index + 1) * row, row * 0.94)
      ),
      ...marks.map(({ value, label, kind }) => {
        const x = coordinate(scale.at(value));
        return s(
          "line",
          { class: kind, x1: x, x2: x, y1: 0, y2: 100 },
          s("title", {}, document.createTextNode(`${label}: ${measured(value, first.unit)}`)),
        );
      }),
    );
    this.axis.replaceChildren(
      ...decades(scale).map(({ x, value }) =>
        h("span", { style: `left: ${x}%; --x: ${-x}%` }, plain(measured(value, first.unit)))
      ),
    );
    this.legend.replaceChildren(
      ...(series.length > 1 ? series : []).map(({ label }, index) =>
        h("span", { class: `key series-${index}` }, label)
      ),
      ...marks.map(({ label, kind }) => h("span", { class: `key ${kind}` }, label)),
    );
  }
}

/**
 * @param {Histogram} histogram
 * @param {Scale} scale
 * @param {number} series
 * @param {number} bottom
 * @param {number} height of the highest
 */
function bars({ bounds, counts, count: all, unit }, scale, series, bottom, height) {
  const most = Math.log1p(Math.max(1, ...counts));
  return counts.flatMap((value, index) => {
    if (value === 0) return [];
    const [low, high] = edges(bounds, index);
    const [x, right] = [scale.at(low), scale.at(high)];
    const tall = Math.max(3, (height * Math.log1p(value)) / most);
    const range = index >= bounds.length
      ? `over ${measured(bounds[bounds.length - 1], unit)}`
      : `${measured(low, unit)} to ${measured(high, unit)}`;
    return s(
      "rect",
      {
        class: `bar series-${series}`,
        x: coordinate(x),
        y: coordinate(bottom - tall),
        width: coordinate(Math.max(0.4, (right - x) * 0.94)),
        height: coordinate(tall),
      },
      s(
        "title",
        {},
        document.createTextNode(
          `${range}: ${count(value)} (${((100 * value) / all).toPrecision(2)} %)`,
        ),
      ),
    );
  });
}
