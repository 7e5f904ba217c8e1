// @ts-check
import { GROUP_HUES } from "../model/groups.js";
import { recall, remember } from "../model/settings.js";
import { mix, pixelOf, ramp } from "../timeline/raster.js";

/** How much of the picture is left where the file is not there. */
const MISSING_PART = 0.35;

/** One hue a track, in turn; far enough apart to tell, all of one lightness and little colour. */
const HUES = [232, 162, 62, 300, 20, 196];

/**
 * @typedef {object} ClipColours
 * @property {string} body
 * @property {string} title
 * @property {string} text
 * @property {string} wave
 * @property {string} core the rms inside the wave
 * @property {string} edge
 */

/**
 * The same as pixels (timeline/raster.js).
 * @typedef {object} ClipPixels
 * @property {number} body
 * @property {number} title
 * @property {number} edge
 * @property {number} wave
 * @property {number} core
 * @property {Uint32Array} waveOnBody
 * @property {Uint32Array} coreOnWave
 * @property {WavePixels} missing of a file that is not there
 *
 * @typedef {Pick<ClipPixels, "body" | "edge" | "wave" | "core" | "waveOnBody" | "coreOnWave">} WavePixels
 *
 * @typedef {ClipColours & { pixels: ClipPixels }} ClipPaint
 */

/**
 * @typedef {object} Theme
 * @property {string} lane
 * @property {string} laneAlternate
 * @property {string} line
 * @property {string} lineStrong
 * @property {string} text
 * @property {string} dim
 * @property {string} faint
 * @property {string} accent
 * @property {string} selection
 * @property {string} panel
 * @property {string} shade over what a fade takes away, and over pending parts
 * @property {string} warn
 * @property {string} error
 * @property {string} ready what plays at once
 * @property {string} font
 * @property {string} meterTrack
 * @property {string} meterCool
 * @property {string} meterWarm
 * @property {string} meterHot
 * @property {number[]} groups pixels of the marks that groups have
 * @property {ClipPaint[]} clips
 * @property {ClipPaint[]} selected
 * @property {ClipPaint} muted
 * @property {GroundPixels} ground
 */

/**
 * What lies under the clips.
 * @typedef {object} GroundPixels
 * @property {number} panel
 * @property {[number, number]} lanes in turn
 * @property {[number, number]} lines on those
 */

/** @typedef {"system" | "light" | "dark"} ThemeChoice */

let chosen = choiceOf(recall("theme"));
const systemIsDark = matchMedia("(prefers-color-scheme: dark)");

/** @param {string | null} text @returns {ThemeChoice} */
function choiceOf(text) {
  return text === "light" || text === "dark" ? text : "system";
}

/** @returns {ThemeChoice} what the user chose in this browser */
export function themeChoice() {
  return chosen;
}

/** @param {ThemeChoice} choice */
export function chooseTheme(choice) {
  chosen = choice;
  remember("theme", choice === "system" ? null : choice);
}

/** @param {() => void} changed the system went from light to dark or back */
export function watchSystemTheme(changed) {
  systemIsDark.addEventListener("change", changed);
}

/**
 * The colours of the style sheet, for canvases.
 *
 * @returns {Theme}
 */
export function readTheme() {
  const root = document.documentElement;
  if (chosen === "system") delete root.dataset.theme;
  else root.dataset.theme = chosen;
  const dark = chosen === "system" ? systemIsDark.matches : chosen === "dark";
  const style = getComputedStyle(root);
  const probe = document.createElement("i");
  document.body.append(probe);
  const read = (/** @type {string} */ name) => {
    if (name === "--font") return style.getPropertyValue(name).trim();
    // As the browser resolves it: canvases do not know what light-dark() means.
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
  const line = read("--line-soft");
  const lanes = [read("--lane"), read("--lane-alternate")];
  /** @type {Theme} */
  const theme = {
    lane: read("--lane"),
    laneAlternate: read("--lane-alternate"),
    line: read("--line-soft"),
    lineStrong: read("--line"),
    text: read("--text"),
    dim: read("--dim"),
    faint: read("--faint"),
    accent: read("--accent"),
    selection: read("--selection"),
    panel: read("--panel"),
    shade: read("--shade"),
    warn: read("--warn"),
    error: read("--error"),
    ready: read("--ready"),
    font: read("--font"),
    meterTrack: read("--meter-track"),
    meterCool: read("--meter-cool"),
    meterWarm: read("--meter-warm"),
    meterHot: read("--meter-hot"),
    clips: HUES.map((hue) => painted(dark ? darkClip(hue, 0.055) : lightClip(hue, 0.05))),
    selected: HUES.map((hue) => painted(dark ? darkSelected(hue) : lightSelected(hue))),
    groups: Array.from(
      { length: GROUP_HUES },
      (_, index) =>
        pixelOf(`oklch(${dark ? "0.82 0.15" : "0.58 0.19"} ${(index * 360) / GROUP_HUES + 25})`),
    ),
    muted: painted(dark ? darkClip(260, 0.006) : lightClip(260, 0.004)),
    ground: {
      panel: pixelOf(read("--panel")),
      lanes: [pixelOf(lanes[0]), pixelOf(lanes[1])],
      lines: [pixelOf(lanes[0], line), pixelOf(lanes[1], line)],
    },
  };
  probe.remove();
  return theme;
}

/**
 * @param {ClipColours} colours
 * @returns {ClipPaint}
 */
function painted(colours) {
  const [body, title, edge, wave, core] = [
    colours.body,
    colours.title,
    colours.edge,
    colours.wave,
    colours.core,
  ].map((colour) => pixelOf(colour));
  const waves = (/** @type {number} */ part) => {
    const [w, c] = [mix(body, wave, part), mix(body, core, part)];
    return { body, edge, wave: w, core: c, waveOnBody: ramp(body, w), coreOnWave: ramp(w, c) };
  };
  return { ...colours, pixels: { title, ...waves(1), missing: waves(MISSING_PART) } };
}

/**
 * @param {number} hue
 * @param {number} chroma
 * @returns {ClipColours}
 */
function darkClip(hue, chroma) {
  return {
    body: `oklch(0.31 ${chroma} ${hue})`,
    title: `oklch(0.385 ${chroma * 1.15} ${hue})`,
    text: `oklch(0.93 ${chroma * 0.3} ${hue})`,
    wave: `oklch(0.63 ${chroma * 1.7} ${hue})`,
    core: `oklch(0.77 ${chroma * 1.7} ${hue})`,
    edge: `oklch(0.47 ${chroma * 1.2} ${hue})`,
  };
}

/** @param {number} hue @returns {ClipColours} */
function darkSelected(hue) {
  return {
    body: `oklch(0.42 0.075 ${hue})`,
    title: `oklch(0.53 0.09 ${hue})`,
    text: "oklch(0.99 0 0)",
    wave: `oklch(0.74 0.1 ${hue})`,
    core: `oklch(0.89 0.08 ${hue})`,
    edge: `oklch(0.95 0.02 ${hue})`,
  };
}

/**
 * @param {number} hue
 * @param {number} chroma
 * @returns {ClipColours}
 */
function lightClip(hue, chroma) {
  return {
    body: `oklch(0.915 ${chroma * 0.75} ${hue})`,
    title: `oklch(0.845 ${chroma * 1.1} ${hue})`,
    text: `oklch(0.3 ${chroma} ${hue})`,
    wave: `oklch(0.66 ${chroma * 2} ${hue})`,
    core: `oklch(0.53 ${chroma * 2.2} ${hue})`,
    edge: `oklch(0.74 ${chroma * 1.4} ${hue})`,
  };
}

/** @param {number} hue @returns {ClipColours} */
function lightSelected(hue) {
  return {
    body: `oklch(0.82 0.085 ${hue})`,
    title: `oklch(0.56 0.12 ${hue})`,
    text: "oklch(1 0 0)",
    wave: `oklch(0.53 0.13 ${hue})`,
    core: `oklch(0.4 0.12 ${hue})`,
    edge: `oklch(0.38 0.1 ${hue})`,
  };
}
