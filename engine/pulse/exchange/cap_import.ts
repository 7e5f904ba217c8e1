/**
 * Cap's project as a timeline. A recording's microphone and system sound become two tracks, a segment's clips share a group, music has tracks of
 * its own.
 *
 * A segment begins where those before it end, to the nearest frame of the sum of their times: neighbours abut, and nothing drifts. Where
 * a segment goes on where the one before it ended in the recording, its source does so too.
 *
 * @module
 */
import { type CapMusic, type CapProject, type CapSegment, secondsLong } from "./cap_document.ts";
import { invalid, isEmpty, jsonBytes, type JsonObject } from "./fields.ts";
import { LIMITS } from "../limits.ts";
import type { FindMedia, Media, MediaNeed } from "./media.ts";
import type { TimelineInput } from "../model_from_timeline.ts";
import type { ReportWriter } from "./report.ts";
import { soundingFrame, soundingRate } from "../../signal/speed.ts";
import { sorting, Turns } from "../turns.ts";
import type { ClipInput, Frames } from "../types.ts";

/** A sum of seconds without the error that a hundred thousand roundings would make (Neumaier). */
class Seconds {
  #sum = 0;
  #lost = 0;

  add(seconds: number): void {
    const sum = this.#sum + seconds;
    this.#lost += Math.abs(this.#sum) >= Math.abs(seconds)
      ? this.#sum - sum + seconds
      : seconds - sum + this.#sum;
    this.#sum = sum;
  }

  get total(): number {
    return this.#sum + this.#lost;
  }
}

/** Below this Cap plays nothing, in decibels: of a recording, and of music. */
const RECORDING_SILENCE_DB = -30;
const MUSIC_SILENCE_DB = -60;
/** Most tracks that one of Cap's tracks of music becomes. */
const MOST_LANES = 16;

const SOUNDS = ["mic", "systemAudio"] as const;
type Sound = typeof SOUNDS[number];
const TRACKS = {
  mic: { trackId: "cap-mic", name: "Microphone" },
  systemAudio: { trackId: "cap-system", name: "System audio" },
} as const;

/** Where and how a segment plays, on every track. */
interface Placed {
  readonly segment: CapSegment;
  readonly startFrame: Frames;
  readonly lengthFrames: Frames;
  /** Of the recording, before its files' offsets. */
  readonly sourceFrame: number;
  readonly fades: Partial<ClipInput>;
  /** Of all segments that play the same part of the recording. */
  readonly id: string;
}

/**
 * The timeline of a project. Ids of clips say what they play, so that the same part has the same id when the document is imported again.
 *
 * @throws {InvalidParams} where a place lies beyond the last frame.
 */
export function* importCap(
  project: CapProject,
  context: {
    readonly sampleRate: number;
    readonly find: FindMedia;
    readonly report: ReportWriter;
    /** Whether somebody says which file a name means, such as `0/systemAudio`, beside the recording's own document. */
    readonly isNamed?: (name: string) => boolean;
  },
): Generator<void, TimelineInput> {
  const { sampleRate, find, report } = context;
  const turns = new Turns(256);
  const media = recordingMedia(project, find, context.isNamed ?? (() => false));
  const placed = yield* placeSegments(project, media, sampleRate, report, turns);
  const tracks: TimelineInput["tracks"] = [];
  for (const sound of SOUNDS) {
    const clips: ClipInput[] = [];
    for (const one of placed) {
      if (turns.isOver()) yield;
      const asset = media(one.segment.recording)[sound];
      if (asset) clips.push(clipOf(one, sound, asset, project, sampleRate, report));
    }
    if (clips.length === 0) continue;
    const db = sound === "mic" ? project.audio.micDb : project.audio.systemDb;
    tracks.push({
      ...TRACKS[sound],
      gainDb: db < RECORDING_SILENCE_DB ? null : Math.min(db, LIMITS.maxGainDb),
      mute: project.audio.mute,
      clips,
    });
  }
  tracks.push(...yield* placeMusic(project.music, sampleRate, find, report, turns));
  return {
    sampleRate,
    ...(project.fps !== null && { frameRate: { numerator: project.fps, denominator: 1 } }),
    tracks,
  };
}

/** The files of each recording; one that is not known at all has a microphone that is missing. */
function recordingMedia(
  project: CapProject,
  find: FindMedia,
  isNamed: (name: string) => boolean,
): (recording: number) => Partial<Record<Sound, Media | null>> {
  const known = new Map<number, Partial<Record<Sound, Media | null>>>();
  return (recording) => {
    const before = known.get(recording);
    if (before !== undefined) return before;
    const said = project.recordings[recording];
    const found: Partial<Record<Sound, Media | null>> = {};
    for (const sound of SOUNDS) {
      const given = said?.[sound];
      const isAssumed = said === undefined && sound === "mic";
      if (given === undefined && !isAssumed && !isNamed(`${recording}/${sound}`)) continue;
      found[sound] = find(needOf(recording, sound, given?.file ?? null, given?.path));
    }
    known.set(recording, found);
    return found;
  };
}

function needOf(
  recording: number,
  sound: Sound,
  file: string | null,
  path: MediaNeed["path"] = ["files", `${recording}/${sound}`],
): MediaNeed {
  const name = `${recording}/${sound}`;
  return {
    key: file ?? name,
    names: file === null ? [name] : [name, file],
    location: file,
    title: `${TRACKS[sound].name} of recording ${recording}`,
    path,
  };
}

function* placeSegments(
  project: CapProject,
  media: ReturnType<typeof recordingMedia>,
  sampleRate: number,
  report: ReportWriter,
  turns: Turns,
): Generator<void, Placed[]> {
  const segments = project.segments ?? wholeRecordings(project, media, report);
  const placed: Placed[] = [];
  const seen = new Map<string, number>();
  const total = new Seconds();
  let before: { segment: CapSegment; startFrame: Frames; sourceFrame: number } | null = null;
  for (const [i, segment] of segments.entries()) {
    if (turns.isOver()) yield;
    const incoming = project.transitions.get(i);
    const outgoing = project.transitions.get(i + 1);
    if (incoming !== undefined) total.add(-incoming.seconds);
    const begin = total.total;
    total.add(secondsLong(segment));
    const startFrame = Math.round(begin * sampleRate);
    const endFrame = Math.round(total.total * sampleRate);
    if (endFrame > LIMITS.maxFrame) {
      throw invalid(segment.path, `must end at frame ${LIMITS.maxFrame} or before`, endFrame);
    }
    const goesOn = before !== null && incoming === undefined &&
      before.segment.recording === segment.recording && before.segment.end === segment.start &&
      before.segment.timescale === segment.timescale;
    const sourceFrame: number = goesOn
      ? before!.sourceFrame + (startFrame - before!.startFrame) * soundingRate(segment.timescale)
      : segment.timescale === 1
      ? Math.round(segment.start * sampleRate)
      : soundingFrame(segment.start * sampleRate);
    before = { segment, startFrame, sourceFrame };
    if (endFrame <= startFrame) {
      report.add(segment.path, "a segment shorter than a frame", "left out");
      continue;
    }
    const part = `${segment.recording}:${segment.start}:${segment.end}`;
    const count = seen.get(part) ?? 0;
    seen.set(part, count + 1);
    const id = count === 0 ? part : `${part}#${count + 1}`;
    const half = (seconds: number) => Math.round(seconds / 2 * sampleRate);
    const cut = { head: 0, tail: 0 };
    const fades: Partial<ClipInput> = {};
    if (incoming?.kind === "crossFade") fades.fadeInShape = "equalPower";
    if (outgoing?.kind === "crossFade") fades.fadeOutShape = "equalPower";
    if (incoming?.kind === "throughSilence") {
      cut.head = half(incoming.seconds);
      fades.fadeInFrames = Math.round(incoming.seconds * sampleRate) - cut.head;
    }
    if (outgoing?.kind === "throughSilence") {
      fades.fadeOutFrames = half(outgoing.seconds);
      cut.tail = Math.round(outgoing.seconds * sampleRate) - fades.fadeOutFrames;
    }
    placed.push({
      segment,
      startFrame: startFrame + cut.head,
      lengthFrames: endFrame - startFrame - cut.head - cut.tail,
      sourceFrame: cut.head === 0
        ? sourceFrame
        : soundingFrame(sourceFrame) + cut.head * soundingRate(segment.timescale),
      fades,
      id,
    });
  }
  return placed.filter(({ lengthFrames }) => lengthFrames > 0);
}

/** Without a timeline everything plays, as long as it lasts. */
function wholeRecordings(
  project: CapProject,
  media: ReturnType<typeof recordingMedia>,
  report: ReportWriter,
): CapSegment[] {
  return project.recordings.flatMap((_, recording): CapSegment[] => {
    const end = Math.max(
      0,
      ...SOUNDS.map((sound) =>
        (media(recording)[sound]?.seconds ?? 0) - offsetOf(project, recording, sound)
      ),
    );
    const path = ["meta", "segments", recording];
    if (end === 0) {
      report.add(path, "a recording of unknown length, and no timeline", "left out");
      return [];
    }
    return [{ path, recording, start: 0, end, timescale: 1, speedMode: "mute", rest: {} }];
  });
}

/** Seconds of the file before the recording's begin. */
function offsetOf(project: CapProject, recording: number, sound: Sound): number {
  const said = project.offsets.get(recording);
  if (said !== undefined) return said[sound];
  const found = project.recordings[recording];
  return found === undefined ? 0 : sound === "mic" ? found.micOffset : found.systemOffset;
}

function clipOf(
  { segment, startFrame, lengthFrames, sourceFrame, fades, id }: Placed,
  sound: Sound,
  { assetId }: Media,
  project: CapProject,
  sampleRate: number,
  report: ReportWriter,
): ClipInput {
  const offset = Math.round(offsetOf(project, segment.recording, sound) * sampleRate);
  return {
    clipId: `${TRACKS[sound].trackId}:${id}`,
    assetId,
    startFrame,
    lengthFrames,
    sourceFrame: sourceFrame + offset,
    fadeInFrames: 0,
    fadeOutFrames: 0,
    ...fades,
    rate: segment.timescale,
    speedMode: segment.speedMode,
    groupId: `cap:${id}`,
    ...(segment.name !== undefined && { name: segment.name }),
    ...metaOf(segment.rest, segment, report),
  };
}

/** Unknown members, where they fit. */
function metaOf(
  rest: JsonObject,
  { path }: { readonly path: CapSegment["path"] },
  report: ReportWriter,
): { meta?: unknown } {
  if (isEmpty(rest)) return {};
  const meta = { cap: rest };
  if (jsonBytes(meta) <= LIMITS.metaBytes) return { meta };
  report.add(
    path,
    "members of more than 4 KiB that are not known",
    "kept aside, not with the clip",
  );
  return {};
}

/** Music that overlaps on one of Cap's tracks sounds together there: here it has tracks of its own. */
function* placeMusic(
  music: readonly CapMusic[],
  sampleRate: number,
  find: FindMedia,
  report: ReportWriter,
  turns: Turns,
): Generator<void, TimelineInput["tracks"]> {
  const lanes = new Map<string, { end: Frames; track: number; clips: ClipInput[] }>();
  const seen = new Map<string, number>();
  for (const one of yield* sorting(music, ({ start }) => start, turns)) {
    if (turns.isOver(MOST_LANES)) yield;
    const startFrame = Math.round(one.start * sampleRate);
    const endFrame = Math.round(one.end * sampleRate);
    if (endFrame <= startFrame) {
      report.add(one.path, "music shorter than a frame", "left out");
      continue;
    }
    const asset = find({
      key: one.file,
      names: [one.file],
      location: one.file,
      title: one.name ?? one.file,
      path: [...one.path, "path"],
    });
    if (asset === null) continue;
    let lane = 0;
    while ((lanes.get(`${one.track}.${lane}`)?.end ?? 0) > startFrame && lane < MOST_LANES - 1) {
      lane++;
    }
    if ((lanes.get(`${one.track}.${lane}`)?.end ?? 0) > startFrame) {
      report.once(
        one.path,
        `more than ${MOST_LANES} pieces of music at once`,
        "they fade into each other",
      );
    }
    const key = `${one.track}.${lane}`;
    const on = lanes.get(key) ?? { end: 0, track: one.track, clips: [] };
    lanes.set(key, on);
    on.end = Math.max(on.end, endFrame);
    on.clips.push(musicClip(one, asset, startFrame, endFrame, sampleRate, seen, report));
  }
  return [...lanes].toSorted(([, a], [, b]) => a.track - b.track).map(([key, { clips }], i) => ({
    trackId: `cap-music-${key}`,
    name: i === 0 ? "Music" : `Music ${i + 1}`,
    clips,
  }));
}

function musicClip(
  one: CapMusic,
  { assetId }: Media,
  startFrame: Frames,
  endFrame: Frames,
  sampleRate: number,
  seen: Map<string, number>,
  report: ReportWriter,
): ClipInput {
  const part = `${one.track}:${one.start}:${one.end}`;
  const count = seen.get(part) ?? 0;
  seen.set(part, count + 1);
  const lengthFrames = endFrame - startFrame;
  const fade = (seconds: number) => Math.min(lengthFrames, Math.round(seconds * sampleRate));
  const isSilent = !one.enabled || one.volumeDb <= MUSIC_SILENCE_DB;
  if (!one.enabled) {
    report.add([...one.path, "enabled"], "music that is switched off", "there, but silent");
  }
  const rest = one.enabled ? one.rest : { ...one.rest, enabled: false };
  return {
    clipId: `cap-music:${part}${count === 0 ? "" : `#${count + 1}`}`,
    assetId,
    startFrame,
    lengthFrames,
    sourceFrame: Math.round(one.trimStart * sampleRate),
    gainDb: isSilent ? null : Math.min(one.volumeDb, LIMITS.maxGainDb),
    fadeInFrames: fade(one.fadeIn),
    fadeOutFrames: fade(one.fadeOut),
    ...(one.name !== undefined && { name: one.name }),
    ...metaOf(rest, one, report),
  };
}
