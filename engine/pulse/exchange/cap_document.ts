/**
 * Cap's project, as its editor writes it: `project-config.json`, and `recording-meta.json` beside it.
 *
 * Of the configuration are read: `timeline.segments[]` with `recordingSegment` (older files: `recordingClip`), `start`, `end`, `timescale`,
 * `speedAudioMode`, `name`; `timeline.transitions[]` with `segmentIndex`, `type`, `duration`; `timeline.audioSegments[]` (or
 * `musicSegments`) with `start`, `end`, `track`, `path`, `name`, `enabled`, `trimStart`, `volumeDb`, `fadeIn`, `fadeOut`; `clips[]` with
 * `index` and `offsets.mic|systemAudio`; `audio.mute|micVolumeDb|systemVolumeDb`. Of the recording: `segments[]` with `mic` (older:
 * `audio`) and `systemAudio`, each `path` and `startTime`, and `display.fps`; or one recording's `audio` and `display`. Each name may be written
 * in camelCase or in snake_case. Times are seconds.
 *
 * @module
 */
import { type CapRecording, readRecordings } from "./cap_recordings.ts";
import {
  CONFIG_PATH,
  indexOf,
  META_PATH,
  MOST_INDEX,
  MOST_SECONDS,
  requireFew,
  secondsOf,
} from "./cap_values.ts";
import {
  firstMember,
  invalid,
  isEmpty,
  isObject,
  type JsonObject,
  listOf,
  member,
  type Path,
  quote,
  requireNumber,
  requireObject,
  textOf,
  without,
} from "./fields.ts";
import { LIMITS } from "../limits.ts";
import { MAX_RATE, MIN_RATE } from "../../signal/speed.ts";
import type { Clip } from "../types.ts";
import { plainPath } from "./media.ts";
import type { ReportWriter } from "./report.ts";

/** A part of a recording on the timeline. */
export interface CapSegment {
  readonly path: Path;
  readonly recording: number;
  readonly start: number;
  readonly end: number;
  readonly timescale: number;
  readonly speedMode: Clip["speedMode"];
  readonly name?: string;
  /** Members that are not known here. */
  readonly rest: JsonObject;
}

export interface CapTransition {
  readonly kind: "crossFade" | "throughSilence";
  readonly seconds: number;
}

/** A piece of music, or other sound, at a place on the timeline. */
export interface CapMusic {
  readonly path: Path;
  readonly file: string;
  readonly track: number;
  readonly start: number;
  readonly end: number;
  readonly trimStart: number;
  readonly volumeDb: number;
  readonly fadeIn: number;
  readonly fadeOut: number;
  readonly enabled: boolean;
  readonly name?: string;
  readonly rest: JsonObject;
}

export interface CapProject {
  /** `null`: there is no timeline, whole recordings play one after another. */
  readonly segments: readonly CapSegment[] | null;
  /** By the index of the segment that comes in. */
  readonly transitions: ReadonlyMap<number, CapTransition>;
  readonly music: readonly CapMusic[];
  readonly recordings: readonly CapRecording[];
  readonly offsets: ReadonlyMap<number, { mic: number; systemAudio: number }>;
  readonly audio: { readonly mute: boolean; readonly micDb: number; readonly systemDb: number };
  /** Pictures a second of the recording's display, where it says so. */
  readonly fps: number | null;
}

const SEGMENT_MEMBERS = new Set([
  ..."recordingSegment recording_segment recordingClip recording_clip start end timescale".split(
    " ",
  ),
  ..."speedAudioMode speed_audio_mode name".split(" "),
]);
const MUSIC_MEMBERS = new Set([
  ..."start end track path name enabled trimStart trim_start volumeDb volume_db".split(" "),
  ..."fadeIn fade_in fadeOut fade_out".split(" "),
]);
const SPEED_MODES: ReadonlyMap<unknown, Clip["speedMode"]> = new Map<unknown, Clip["speedMode"]>([
  [undefined, "mute"],
  ["mute", "mute"],
  ["matchSpeed", "matchSpeed"],
  ["maintainPitch", "maintainPitch"],
]);

/**
 * Reads both documents in turns.
 *
 * @param meta `undefined` where there is none.
 * @throws {InvalidParams} with the place of the fault.
 */
export function* readCap(
  config: unknown,
  meta: unknown,
  report: ReportWriter,
): Generator<void, CapProject> {
  const document = requireObject(config, CONFIG_PATH);
  const timeline = member(document, "timeline");
  const timelinePath = [...CONFIG_PATH, "timeline"];
  const recordings = meta === undefined
    ? { recordings: [], fps: null }
    : readRecordings(requireObject(meta, META_PATH));
  const { audio, offsets } = readMix(document, report);
  if (timeline === undefined) {
    return {
      segments: null,
      transitions: new Map(),
      music: [],
      ...recordings,
      offsets,
      audio,
    };
  }
  const object = requireObject(timeline, timelinePath);
  const segments: CapSegment[] = [];
  const given = listOf(object, "segments", timelinePath);
  requireFew(given, LIMITS.clips, [...timelinePath, "segments"]);
  for (let i = 0; i < given.length; i++) {
    segments.push(readSegment(given[i], [...timelinePath, "segments", i]));
    if (i % 256 === 255) yield;
  }
  const music: CapMusic[] = [];
  for (const name of ["audioSegments", "audio_segments", "musicSegments", "music_segments"]) {
    const path = [...timelinePath, name];
    const listed = listOf(object, name, timelinePath);
    requireFew(listed, LIMITS.clips, path);
    for (let i = 0; i < listed.length; i++) {
      music.push(readMusic(listed[i], [...path, i]));
      if (i % 256 === 255) yield;
    }
  }
  reportPictures(object, timelinePath, report);
  return {
    segments,
    transitions: readTransitions(object, timelinePath, segments),
    music,
    ...recordings,
    offsets,
    audio,
  };
}

function readSegment(given: unknown, path: Path): CapSegment {
  const object = requireObject(given, path);
  const recording = firstMember(object, [
    "recordingSegment",
    "recording_segment",
    "recordingClip",
    "recording_clip",
  ]);
  const start = secondsOf(member(object, "start"), [...path, "start"]);
  const end = secondsOf(member(object, "end"), [...path, "end"]);
  if (end < start) throw invalid([...path, "end"], `must be at least start (${start})`, end);
  const timescale = requireNumber(member(object, "timescale") ?? 1, [...path, "timescale"]);
  if (timescale < MIN_RATE || timescale > MAX_RATE) {
    throw invalid([...path, "timescale"], "must be from 1/16 to 16", timescale);
  }
  const mode = firstMember(object, ["speedAudioMode", "speed_audio_mode"]);
  const speedMode = SPEED_MODES.get(mode.value);
  if (speedMode === undefined) {
    throw invalid([...path, mode.name], "must be mute, matchSpeed or maintainPitch", mode.value);
  }
  const name = textOf(member(object, "name"), LIMITS.nameChars);
  return {
    path,
    recording: indexOf(recording.value, [...path, recording.name]),
    start,
    end,
    timescale,
    speedMode,
    ...(name !== undefined && { name }),
    rest: without(object, SEGMENT_MEMBERS),
  };
}

function readMusic(given: unknown, path: Path): CapMusic {
  const object = requireObject(given, path);
  const file = member(object, "path");
  if (typeof file !== "string" || file === "" || file.length > LIMITS.pathChars) {
    throw invalid([...path, "path"], `must be a path of 1 to ${LIMITS.pathChars} characters`, file);
  }
  const start = secondsOf(member(object, "start"), [...path, "start"], 0);
  const end = secondsOf(member(object, "end"), [...path, "end"], 0);
  if (end < start) throw invalid([...path, "end"], `must be at least start (${start})`, end);
  const optional = (names: string[], least: number) => {
    const { name, value } = firstMember(object, names);
    return value === undefined ? 0 : secondsOf(value, [...path, name], least);
  };
  const name = textOf(member(object, "name"), LIMITS.nameChars);
  return {
    path,
    file: plainPath(file.toWellFormed()),
    track: indexOf(member(object, "track"), [...path, "track"]),
    start,
    end,
    trimStart: optional(["trimStart", "trim_start"], 0),
    volumeDb: optional(["volumeDb", "volume_db"], -MOST_SECONDS),
    fadeIn: optional(["fadeIn", "fade_in"], 0),
    fadeOut: optional(["fadeOut", "fade_out"], 0),
    enabled: member(object, "enabled") !== false,
    ...(name !== undefined && { name }),
    rest: without(object, MUSIC_MEMBERS),
  };
}

/** Shortest transition that Cap makes, in seconds. */
const LEAST_TRANSITION = 0.05;

/** Each as long as it sounds: at most half of either segment, and none where that is too short. Of two for one segment the later counts. */
function readTransitions(
  timeline: JsonObject,
  timelinePath: Path,
  segments: readonly CapSegment[],
): Map<number, CapTransition> {
  const found = new Map<number, CapTransition>();
  for (const [i, given] of listOf(timeline, "transitions", timelinePath).entries()) {
    const path = [...timelinePath, "transitions", i];
    const object = requireObject(given, path);
    const at = firstMember(object, ["segmentIndex", "segment_index"]);
    const index = indexOf(at.value, [...path, at.name]);
    const seconds = secondsOf(member(object, "duration"), [...path, "duration"]);
    const type = member(object, "type") ?? "cross-fade";
    if (type !== "cross-fade" && type !== "fade-through-black") {
      throw invalid([...path, "type"], "must be cross-fade or fade-through-black", type);
    }
    found.delete(index);
    if (index === 0 || index >= segments.length || seconds <= 0) continue;
    const most = Math.min(...[index - 1, index].map((k) => secondsLong(segments[k]))) / 2;
    if (most < LEAST_TRANSITION) continue;
    found.set(index, {
      kind: type === "cross-fade" ? "crossFade" : "throughSilence",
      seconds: Math.min(Math.max(seconds, LEAST_TRANSITION), most),
    });
  }
  return found;
}

/** How long a segment lasts on the timeline, in seconds. */
export function secondsLong({ start, end, timescale }: CapSegment): number {
  return (end - start) / timescale;
}

function readMix(
  document: JsonObject,
  report: ReportWriter,
): Pick<CapProject, "audio" | "offsets"> {
  const offsets = new Map<number, { mic: number; systemAudio: number }>();
  const clips = listOf(document, "clips", CONFIG_PATH);
  requireFew(clips, MOST_INDEX + 1, [...CONFIG_PATH, "clips"]);
  for (const [i, given] of clips.entries()) {
    const path = [...CONFIG_PATH, "clips", i];
    const object = requireObject(given, path);
    const index = indexOf(member(object, "index"), [...path, "index"]);
    if (offsets.has(index)) continue; // The first of several counts, as in Cap.
    const said = member(object, "offsets");
    const of = said === undefined ? {} : requireObject(said, [...path, "offsets"]);
    const offset = (names: string[]) => {
      const { name, value } = firstMember(of, names);
      return value === undefined ? 0 : secondsOf(value, [...path, "offsets", name]);
    };
    offsets.set(index, {
      mic: offset(["mic"]),
      systemAudio: offset(["systemAudio", "system_audio"]),
    });
  }
  const given = member(document, "audio");
  const path = [...CONFIG_PATH, "audio"];
  const object = given === undefined ? {} : requireObject(given, path);
  const decibels = (names: string[]) => {
    const { name, value } = firstMember(object, names);
    return value === undefined ? 0 : requireNumber(value, [...path, name]);
  };
  if (member(object, "improve") === true) {
    report.add([...path, "improve"], "improving of voices", "not applied; kept aside");
  }
  const { name, value: stereo } = firstMember(object, ["micStereoMode", "mic_stereo_mode"]);
  if (stereo !== undefined && stereo !== "stereo") {
    const what = `one side of the microphone alone (${quote(stereo)})`;
    report.add([...path, name], what, "both sides sound; kept aside");
  }
  return {
    offsets,
    audio: {
      mute: member(object, "mute") === true,
      micDb: decibels(["micVolumeDb", "mic_volume_db"]),
      systemDb: decibels(["systemVolumeDb", "system_volume_db"]),
    },
  };
}

/** What of the timeline is for the eye. */
function reportPictures(timeline: JsonObject, path: Path, report: ReportWriter): void {
  const known = new Set(
    "segments transitions audioSegments audio_segments musicSegments music_segments".split(" "),
  );
  for (const name of Object.keys(timeline)) {
    if (known.has(name)) continue;
    const value = timeline[name];
    if (Array.isArray(value) ? value.length === 0 : !isObject(value) || isEmpty(value)) continue;
    const count = Array.isArray(value) ? `${value.length} of them` : "an object";
    report.add([...path, name], `nothing that sounds (${count})`, "kept aside");
  }
}
