// @ts-check
import { h, setAttribute, setText } from "../ui/dom.js";
import { budgetBytes } from "./history.js";
import { bytes, CAUSES, count, milliseconds, percent, rate, UNKNOWN } from "./words.js";

/** @import { Sample } from "./history.js" */
/** @import { Diagnostics } from "./types.js" */

/** @typedef {"good" | "warn" | "bad" | ""} Tone */
/** @typedef {{ title: string, value: string, note: string, tone: Tone }} Tile */

/** A callback that takes more of its period than this is close to being late. */
const BUSY_SHARE = 0.5;
const SCARCE_MARGIN = 1.5;
/** What is read ahead where there is room for it, in milliseconds. */
const WHOLE_HORIZON_MS = 10_000;

/** The figures that tell at a glance how things stand. */
export class Tiles {
  element = h("dl", { class: "tiles" });

  /**
   * @param {Diagnostics} diagnostics
   * @param {Sample | undefined} latest
   * @param {boolean} plays
   */
  show(diagnostics, latest, plays) {
    const tiles = tilesOf(diagnostics, latest, plays);
    while (this.element.childElementCount > tiles.length) this.element.lastElementChild?.remove();
    tiles.forEach(({ title, value, note, tone }, index) => {
      const box = this.element.children[index] ??
        this.element.appendChild(
          h("div", {}, h("dt"), h("dd", { class: "value" }), h("dd", { class: "note" })),
        );
      [title, value, note].forEach((text, at) => setText(box.children[at], text));
      setAttribute(box, "title", `${value} ${note}`);
      box.className = tone;
    });
  }
}

/**
 * @param {Diagnostics} diagnostics
 * @param {Sample | undefined} latest
 * @param {boolean} plays
 * @returns {Tile[]}
 */
export function tilesOf(diagnostics, latest, plays) {
  const { counters, histograms, cache, forecast, device } = diagnostics;
  /** @type {(Tile | null)[]} */
  const tiles = [
    frames("Missing", counters.missing, diagnostics.missing, "bad"),
    frames("Faded", counters.faded, diagnostics.faded, "warn"),
    callback(diagnostics),
    horizon(latest?.horizonMs ?? null, counters.voicesRefused, plays),
    prefetched(diagnostics.anticipation),
    memory(diagnostics, latest),
    cache === undefined ? null : {
      title: "Cache hits",
      value: percent(cache.hitRate),
      note: `${count(cache.evictions)} pages evicted`,
      tone: "",
    },
    disk(forecast, latest),
    histograms === undefined ? queue(counters) : {
      title: "Queue wait",
      value: milliseconds(histograms.queueWaitRealtime.p99),
      note: "p99 of what plays",
      tone: "",
    },
    device?.cadence
      ? {
        title: "Device",
        value: `${(device.cadence / 1000).toFixed(2)} kHz`,
        note: `of ${device.sampleRate / 1000} kHz asked for`,
        tone: Math.abs(device.cadence / device.sampleRate - 1) > 0.02 ? "warn" : "",
      }
      : null,
  ];
  return tiles.filter((tile) => tile !== null);
}

/**
 * @param {string} title
 * @param {number | undefined} value
 * @param {Diagnostics["missing"]} byCause
 * @param {"warn" | "bad"} tone
 * @returns {Tile}
 */
function frames(title, value, byCause, tone) {
  const causes = Object.entries(byCause ?? {}).filter(([, frames]) => frames > 0)
    .toSorted(([, a], [, b]) => b - a)
    .map(([cause, frames]) =>
      `${count(frames)} ${CAUSES[/** @type {keyof typeof CAUSES} */ (cause)]?.[0] ?? cause}`
    );
  return {
    title,
    value: count(value),
    note: causes.length > 0 ? causes.join(", ") : value === 0 ? "frames" : "frames since the reset",
    tone: value === 0 ? "good" : value === undefined ? "" : tone,
  };
}

/** @param {Diagnostics} diagnostics @returns {Tile | null} */
function callback({ histograms, counters, device, overruns }) {
  const late = overruns?.total ?? counters.lateCallbacks ?? 0;
  const period = device === null
    ? ""
    : ` of ${milliseconds((1000 * device.periodFrames) / device.sampleRate)}`;
  const share = histograms?.callbackShare.p999 ?? null;
  if (share === null) {
    if (!counters.callbacks) return null;
    return {
      title: "Callback",
      value: milliseconds(counters.callbackNs / counters.callbacks / 1e6),
      note: `mean${period}, ${count(late)} late`,
      tone: late > 0 ? "warn" : "",
    };
  }
  return {
    title: "Callback p99.9",
    value: percent(share),
    note: `${period.trim() || "of its period"}, ${count(late)} late`,
    tone: share > 1 ? "bad" : share > BUSY_SHARE || late > 0 ? "warn" : "good",
  };
}

/**
 * @param {number | null} ms
 * @param {number | undefined} refused
 * @param {boolean} plays
 * @returns {Tile}
 */
function horizon(ms, refused, plays) {
  return {
    title: "Read ahead",
    value: plays ? milliseconds(ms) : UNKNOWN,
    note: refused
      ? `${count(refused)} voices refused`
      : plays
      ? "of all that plays"
      : "while it plays",
    tone: refused ? "bad" : plays && ms !== null && ms < WHOLE_HORIZON_MS / 10 ? "warn" : "",
  };
}

/** @param {Diagnostics["anticipation"]} plan @returns {Tile | null} */
function prefetched(plan) {
  if (plan === undefined) return null;
  const { wantedPages, residentPages, isWhole } = plan;
  return {
    title: "Prefetched",
    value: wantedPages === 0 ? UNKNOWN : percent(residentPages / wantedPages),
    note: wantedPages === 0 ? "nothing to fetch" : isWhole ? "of the timeline" : "of what may come",
    tone: "",
  };
}

/**
 * @param {Diagnostics} diagnostics
 * @param {Sample | undefined} latest
 * @returns {Tile | null}
 */
function memory(diagnostics, latest) {
  const budget = budgetBytes(diagnostics);
  const used = latest?.residentBytes ?? null;
  if (budget === null || used === null) return null;
  return { title: "Memory", value: bytes(used), note: `of ${bytes(budget)}`, tone: "" };
}

/**
 * @param {Diagnostics["forecast"]} forecast
 * @param {Sample | undefined} latest
 * @returns {Tile}
 */
function disk(forecast, latest) {
  const margins = (forecast?.volumes ?? []).flatMap(({ margin }) => margin ?? []);
  if (margins.length === 0) {
    return { title: "Disk", value: rate(latest?.bytesPerSecond), note: "read now", tone: "" };
  }
  const least = Math.min(...margins);
  return {
    title: "Disk margin",
    value: `× ${least >= 100 ? count(least) : least.toPrecision(2)}`,
    note: `${rate(latest?.needBytesPerSecond)} needed`,
    tone: least < 1 ? "bad" : least < SCARCE_MARGIN ? "warn" : "good",
  };
}

/** @param {Record<string, number>} counters @returns {Tile | null} */
function queue({ queueLength }) {
  if (queueLength === undefined) return null;
  return { title: "Queue", value: count(queueLength), note: "pages asked for", tone: "" };
}
