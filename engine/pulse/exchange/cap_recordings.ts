/**
 * Cap's recordings: the files of `recording-meta.json`, and when their devices began.
 *
 * @module
 */
import { META_PATH, MOST_INDEX, requireFew, secondsOf } from "./cap_values.ts";
import {
  firstMember,
  invalid,
  isObject,
  type JsonObject,
  listOf,
  member,
  type Path,
  requireObject,
} from "./fields.ts";
import { LIMITS } from "../limits.ts";
import { plainPath } from "./media.ts";

/** One sound of a recording. */
export interface CapSound {
  readonly path: Path;
  readonly file: string;
  readonly startTime: number | null;
}
export interface CapRecording {
  readonly mic?: CapSound;
  readonly systemAudio?: CapSound;
  /** Seconds of each file that lie before the recording's begin, where no `clips[]` says so. */
  readonly micOffset: number;
  readonly systemOffset: number;
}

/** The recordings in their order, and the most pictures a second that one of them has. */
export function readRecordings(
  meta: JsonObject,
): { recordings: CapRecording[]; fps: number | null } {
  const listed = listOf(meta, "segments", META_PATH);
  requireFew(listed, MOST_INDEX + 1, [...META_PATH, "segments"]);
  // A recording of a single piece has its files in the document itself; its `segments` then are something else.
  const isSingle = isObject(member(meta, "display")) || isObject(member(meta, "audio"));
  const given: [Path, JsonObject][] = isSingle
    ? [[META_PATH, meta]]
    : listed.map((one, i): [Path, JsonObject] => {
      const path = [...META_PATH, "segments", i];
      return [path, requireObject(one, path)];
    });
  let fps: number | null = null;
  const recordings = given.map(([path, object]): CapRecording => {
    const display = member(object, "display");
    const pictures = isObject(display) ? member(display, "fps") : undefined;
    if (typeof pictures === "number" && Number.isInteger(pictures) && pictures >= 1) {
      fps = Math.max(fps ?? 0, Math.min(pictures, 1_000));
    }
    const mic = readSound(object, ["mic", "audio"], path);
    const systemAudio = readSound(object, ["systemAudio", "system_audio"], path);
    const latest = latestStart(object);
    const before = (sound: CapSound | undefined) =>
      latest === null || sound === undefined || sound.startTime === null
        ? 0
        : latest - sound.startTime;
    return {
      ...(mic && { mic }),
      ...(systemAudio && { systemAudio }),
      micOffset: before(mic),
      systemOffset: before(systemAudio),
    };
  });
  return { recordings, fps };
}

function readSound(
  recording: JsonObject,
  names: readonly string[],
  path: Path,
): CapSound | undefined {
  const { name, value } = firstMember(recording, names);
  if (value === undefined) return undefined;
  const here = [...path, name];
  const object = requireObject(value, here);
  const file = member(object, "path");
  if (typeof file !== "string" || file === "" || file.length > LIMITS.pathChars) {
    throw invalid([...here, "path"], `must be a path of 1 to ${LIMITS.pathChars} characters`, file);
  }
  const start = firstMember(object, ["startTime", "start_time"]);
  return {
    path: [...here, "path"],
    file: insideProject(file.toWellFormed()),
    startTime: start.value === undefined ? null : secondsOf(start.value, [...here, start.name]),
  };
}

/** A recording was once written with its folder before each path: what counts begins at the project's own folders. */
function insideProject(file: string): string {
  const path = plainPath(file);
  if (/^(?:content|screenshots|output)\//.test(path)) return path;
  const at = /(?:content|screenshots|output)\//.exec(path)?.index;
  return at === undefined ? path : path.slice(at);
}

/** When the last of a recording's devices began, in seconds; `null` where one does not say when it did. */
function latestStart(recording: JsonObject): number | null {
  let latest = -Infinity;
  for (
    const names of [["display"], ["camera"], ["mic", "audio"], ["systemAudio", "system_audio"]]
  ) {
    const { value: device } = firstMember(recording, names);
    if (!isObject(device)) {
      if (names[0] === "display") return null;
      continue;
    }
    const { value: start } = firstMember(device, ["startTime", "start_time"]);
    if (typeof start !== "number" || !Number.isFinite(start)) return null;
    latest = Math.max(latest, start);
  }
  return latest;
}
