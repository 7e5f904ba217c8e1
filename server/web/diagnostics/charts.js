// @ts-check
import { HistogramChart } from "./histogram_chart.js";
import { budgetBytes } from "./history.js";
import { TimeChart } from "./time_chart.js";
import { bytes, count, milliseconds, percent, rate, roughly, UNKNOWN } from "./words.js";

/** @import { Sample } from "./history.js" */
/** @import { Diagnostics, Histogram } from "./types.js" */

/** The plots of the diagnostics, in the order in which they stand. */
export class Charts {
  #callback = new HistogramChart("Callback", {
    about: "Time of one callback by its period: at 100 % it is late",
    empty: "Nothing was rendered since the last reset.",
    what: "callbacks",
  });
  #queue = new HistogramChart("Queue wait", {
    about:
      "From a page's being asked for until a thread begins to read it: of what plays, and of what is read ahead of need",
    empty: "No page was asked for since the last reset.",
    what: "pages",
  });
  #read = new HistogramChart("Reading", {
    about: "Waiting for the disk, a block of one or more pages",
    empty: "Nothing was read since the last reset: what is heard is in memory.",
    what: "reads",
  });
  #decode = new HistogramChart("Decoding", {
    about: "Decoding, resampling and converting, a block",
    empty: "Nothing was decoded since the last reset.",
    what: "blocks",
  });
  #gate = new HistogramChart("Edits and commands", {
    about:
      "From an edit or a command until the renderer may take it: what it plays next is read before",
    empty: "Nothing was edited or sent since the last reset.",
    what: "of them",
  });
  #gaps = new TimeChart("Missing and faded", {
    about: "Frames a second that were not there, and that were faded around those",
    empty: "Counting begins with the second look.",
    series: [
      { label: "missing", kind: "bars", colour: "series-bad", value: ({ missing }) => missing },
      { label: "faded", kind: "line", colour: "series-warn", value: ({ faded }) => faded },
    ],
    write: (value) => value === null ? "–" : `${count(value)}/s`,
    least: 10,
  });
  #disk = new TimeChart("Disk", {
    about: "What is read, and what the next minute of the timeline needs at its busiest",
    empty: "Counting begins with the second look.",
    series: [
      { label: "read", kind: "area", value: ({ bytesPerSecond }) => bytesPerSecond },
      { label: "needed", kind: "dashed", value: ({ needBytesPerSecond }) => needBytesPerSecond },
    ],
    write: rate,
    least: 1e5,
  });
  #memory = new TimeChart("Memory", {
    about: "Pages in memory, those that windows pin, and the budget",
    empty: "The engine does not tell.",
    series: [
      { label: "in use", kind: "area", value: ({ residentBytes }) => residentBytes },
      { label: "pinned", kind: "line", value: ({ pinnedBytes }) => pinnedBytes },
    ],
    write: bytes,
    least: 1e6,
  });
  #horizon = new TimeChart("Read ahead", {
    about: "How far ahead of all that plays pages are asked for; ten seconds where there is room",
    empty: "Nothing plays.",
    series: [{ label: "ahead", kind: "area", value: ({ horizonMs }) => horizonMs }],
    write: milliseconds,
    least: 10_000,
  });
  #load = new TimeChart("Callback load", {
    about: "Mean time of callbacks by the time that their frames last",
    empty: "Nothing is rendered.",
    series: [{ label: "load", kind: "area", value: ({ callbackShare }) => callbackShare }],
    write: percent,
    least: 0.1,
  });
  #queueLength = new TimeChart("Queue", {
    about: "Pages asked for that are not read yet",
    empty: "The engine does not tell.",
    series: [{ label: "pages", kind: "area", value: ({ queueLength }) => queueLength }],
    write: count,
    least: 10,
  });
  #cadence = new TimeChart("Device", {
    about: "How much faster or slower than its rate the device asks for frames",
    empty: "No device is open, or it is not measured yet.",
    series: [{ label: "off its rate", kind: "line", value: ({ cadenceError }) => cadenceError }],
    write: signed,
    least: 0.005,
    centred: true,
  });

  /** @returns {HTMLElement[]} */
  get elements() {
    return [
      this.#gaps,
      this.#callback,
      this.#load,
      this.#horizon,
      this.#disk,
      this.#memory,
      this.#queueLength,
      this.#queue,
      this.#read,
      this.#decode,
      this.#gate,
      this.#cadence,
    ].map(({ element }) => element);
  }

  /**
   * @param {Diagnostics} diagnostics
   * @param {Sample[]} samples
   */
  show(diagnostics, samples) {
    const { histograms, device } = diagnostics;
    const one = (/** @type {Histogram | undefined} */ histogram, label = "") =>
      histogram === undefined ? [] : [{ label, histogram }];
    this.#callback.show(
      one(histograms?.callbackShare),
      [{ value: 1, label: "period", kind: "limit" }],
      histograms === undefined || histograms.callback.p999 === null
        ? ""
        : `in time: p99.9 ${roughly(histograms.callback.p999, "ms")} · max ${
          roughly(histograms.callback.max, "ms")
        }`,
    );
    this.#queue.show([
      ...one(histograms?.queueWaitRealtime, "playing"),
      ...one(histograms?.queueWaitAnticipative, "ahead"),
    ]);
    this.#read.show(one(histograms?.read));
    this.#decode.show(one(histograms?.decode));
    this.#gate.show(one(histograms?.gateWait));
    this.#gaps.show(samples);
    this.#disk.show(samples);
    this.#load.show(samples);
    const budget = budgetBytes(diagnostics);
    this.#memory.show(samples, {
      limit: budget,
      limitLabel: "budget",
      figures: memoryWords(samples, budget),
    });
    this.#horizon.show(samples);
    this.#queueLength.show(samples);
    this.#cadence.show(samples, {
      figures: device?.cadence
        ? `${(device.cadence / 1000).toFixed(3)} of ${device.sampleRate / 1000} kHz · ${
          signed(samples.at(-1)?.cadenceError ?? 0)
        }`
        : undefined,
    });
  }
}

/** @param {number | null} share */
function signed(share) {
  if (share === null) return UNKNOWN;
  return `${share < 0 ? "−" : "+"}${(Math.abs(share) * 100).toFixed(3)} %`;
}

/**
 * @param {Sample[]} samples
 * @param {number | null} budget
 */
function memoryWords(samples, budget) {
  const latest = samples.at(-1);
  if (latest === undefined || latest.residentBytes === null || budget === null) return undefined;
  const { residentBytes, pinnedBytes } = latest;
  return [
    `${bytes(residentBytes)} of ${bytes(budget)}`,
    pinnedBytes === null ? "" : `${bytes(pinnedBytes)} pinned`,
    `${bytes(Math.max(0, budget - residentBytes))} free`,
  ].filter(Boolean).join(" · ");
}
