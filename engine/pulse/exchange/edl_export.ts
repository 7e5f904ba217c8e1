/**
 * Tracks as an edit decision list in the CMX 3600 form: cuts, dissolves and speeds, to the nearest picture.
 *
 * An overlap is a dissolve as long as it lasts. A clip that lies within another is cut in, and the outer one resumes behind it.
 *
 * @module
 */
import type { ClipBody } from "../clip_body.ts";
import type { ExportedAsset } from "./otio_export.ts";
import type { ReportWriter } from "./report.ts";
import { type Counting, countingOf, pictureAt, timecode } from "./timecode.ts";
import type { TimelineModel, TimelineTrack } from "../timeline_model.ts";
import { Turns } from "../turns.ts";
import type { Frames } from "../types.ts";

export interface EdlExport {
  readonly title: string;
  /** All tracks, if left out. */
  readonly trackIds?: readonly string[];
  /** The picture at which the list begins. */
  readonly startPicture: number;
  readonly counting: Counting;
  readonly asset: (assetId: string) => ExportedAsset | undefined;
  readonly report: ReportWriter;
}

/** Channels of sound that a list has names for. */
const MOST_CHANNELS = 4;
/** Events that a list counts in three figures. */
const MOST_EVENTS = 999;
/** Longest dissolve that machines take, in pictures. */
const LONGEST_DISSOLVE = 255;
const REEL_CHARS = 8;
/** Pictures a second that timecode's two figures reach to. */
const MOST_PER_SECOND = 100;

/** Pictures a second where a timeline does not say: 30. */
export const DEFAULT_COUNTING = countingOf({ numerator: 30, denominator: 1 });

/** A piece of a clip that is heard in one go. */
interface Piece {
  readonly body: ClipBody;
  readonly start: Frames;
  readonly end: Frames;
  /** Frames of the clip before the piece. */
  readonly into: Frames;
  /** Its begin is a dissolve from the piece before it, so long. */
  readonly dissolve: Frames;
}

/** The list's text, made in turns. */
export function* exportEdl(model: TimelineModel, options: EdlExport): Generator<void, string> {
  const { report, counting, trackIds } = options;
  const turns = new Turns(64);
  const chosen = trackIds === undefined
    ? model.tracks
    : trackIds.map((trackId) => model.tracks.find((track) => track.trackId === trackId)!);
  const tracks = chosen.slice(0, MOST_CHANNELS);
  for (const { trackId } of chosen.slice(MOST_CHANNELS)) {
    const what = `a track beyond the ${MOST_CHANNELS} channels of a list`;
    report.add(["tracks", trackId], what, "left out: export it by itself");
  }
  if (counting.perSecond >= MOST_PER_SECOND) {
    report.add(
      ["frameRate"],
      `${counting.perSecond} pictures a second`,
      "frames have three figures",
    );
  }
  report.add(["tracks"], "places between pictures", "the nearest picture");
  const lines = [
    `TITLE: ${plain(options.title) || "Untitled"}`,
    `FCM: ${counting.drop ? "DROP FRAME" : "NON-DROP FRAME"}`,
  ];
  const writer = new EventWriter(model.sampleRate, options);
  for (const [i, track] of tracks.entries()) {
    report.once(["tracks", track.trackId], "gain, balance, mute and fades", "left out");
    for (const piece of yield* pieces(track, turns)) {
      if (turns.isOver()) yield;
      for (const line of writer.event(piece, i, track)) lines.push(line);
    }
    writer.endOfTrack();
  }
  if (writer.events > MOST_EVENTS) {
    report.add(["tracks"], `${writer.events} events, more than ${MOST_EVENTS}`, "numbers go on");
  }
  return `${lines.join("\r\n")}\r\n`;
}

/** What is heard of a track's clips, one after another. */
function* pieces(track: TimelineTrack, turns: Turns): Generator<void, Piece[]> {
  const found: Piece[] = [];
  /** Clips that go on behind what lies on them, the next one to resume last. */
  const resting: Piece[] = [];
  const push = (piece: Piece) => {
    const last = found.at(-1);
    if (last === undefined || last.end <= piece.start) {
      found.push(piece);
      return;
    }
    found[found.length - 1] = { ...last, end: piece.start };
    if (piece.end > last.end) found.push({ ...piece, dissolve: last.end - piece.start });
    else {
      found.push(piece);
      if (piece.end < last.end) {
        resting.push({
          ...last,
          into: last.into + piece.end - last.start,
          start: piece.end,
          dissolve: 0,
        });
      }
    }
    // One that another covers from its first frame on is not heard.
    if (found.at(-2)!.end <= found.at(-2)!.start) found.splice(-2, 1);
  };
  const resume = (before: Frames) => {
    for (let next = resting.at(-1); next !== undefined; next = resting.at(-1)) {
      // What was cut in may have grown by a dissolve since: the outer clip resumes behind all of it, if anything of it is left.
      const start = Math.max(next.start, found.at(-1)!.end);
      if (start >= before) return;
      resting.pop();
      if (start < next.end) push({ ...next, into: next.into + start - next.start, start });
    }
  };
  for (const { start: blockStart, block } of track.blocks) {
    for (const { at, body } of block.clips) {
      if (turns.isOver()) yield;
      const start = blockStart + at;
      resume(start);
      push({ body, start, end: start + body.lengthFrames, into: 0, dissolve: 0 });
    }
  }
  resume(Infinity);
  return found;
}

class EventWriter {
  events = 0;
  /** The piece before on the track, as it was written. */
  #before: { reel: string; name: string; source: number; out: number } | null = null;
  readonly #reels = new Map<string, string>();
  /** Taken names, each with the last figure that one was told apart by. */
  readonly #takenReels = new Map<string, number>();

  constructor(readonly sampleRate: number, readonly options: EdlExport) {}

  endOfTrack(): void {
    this.#before = null;
  }

  event(piece: Piece, channel: number, track: TimelineTrack): string[] {
    const { counting, report, startPicture } = this.options;
    const { body } = piece;
    const path = ["tracks", track.trackId, "clips", body.clipId];
    const picture = (frame: Frames) => pictureAt(frame, this.sampleRate, counting);
    const recordIn = picture(piece.start);
    const recordOut = picture(piece.end);
    const long = recordOut - recordIn;
    if (long <= 0) {
      report.add(path, "a clip shorter than half a picture", "left out");
      this.#before = null;
      return [];
    }
    const reverse = body.reverse === true;
    const rate = reverse ? -body.rate : body.rate;
    // Played backwards it begins at the end of what it plays.
    const first = reverse
      ? body.sourceFrame + (body.lengthFrames - piece.into) * body.rate
      : body.sourceFrame + piece.into * body.rate;
    const source = picture(first);
    if (source < 0) {
      report.add(path, "a source that begins before its file", "a day's last timecode");
    }
    const sourceOut = source + Math.round(long * body.rate);
    const asset = this.options.asset(body.assetId);
    const name = plain(body.name || asset?.name || body.assetId);
    const reel = this.#reelOf(body.assetId, asset?.name ?? body.assetId);
    const number = String(++this.events).padStart(3, "0");
    const code = (at: number) => timecode(at, counting);
    const head = (of: string, edit: string) =>
      `${number}  ${of.padEnd(REEL_CHARS)} ${CHANNELS[channel].padEnd(5)} ${edit.padEnd(8)}`;
    const record = (at: number) => code(startPicture + at);
    const lines: string[] = [];
    const dissolve = Math.min(picture(piece.start + piece.dissolve) - recordIn, long);
    const from = dissolve > 0 ? this.#before : null;
    if (from !== null) {
      if (dissolve > LONGEST_DISSOLVE) {
        report.add(path, `a dissolve of ${dissolve} pictures`, `longer than ${LONGEST_DISSOLVE}`);
      }
      const still = [code(from.out), code(from.out), record(recordIn), record(recordIn)];
      lines.push(`${head(from.reel, "C")} ${still.join(" ")}`);
    }
    const edit = from === null ? "C" : `D    ${String(dissolve).padStart(3, "0")}`;
    lines.push(
      `${head(reel, edit)} ${
        [code(source), code(sourceOut), record(recordIn), record(recordOut)].join(" ")
      }`,
    );
    if (rate !== 1) {
      const speed = rate * counting.numerator / counting.denominator;
      const sign = speed < 0 ? "-" : "";
      const figures = Math.abs(speed).toFixed(1).padStart(5, "0");
      lines.push(
        `M2   ${reel.padEnd(REEL_CHARS)}       ${sign}${figures}                ${code(source)}`,
      );
    }
    if (from !== null) {
      lines.push(`* FROM CLIP NAME: ${from.name}`, `* TO CLIP NAME: ${name}`);
    } else lines.push(`* FROM CLIP NAME: ${name}`);
    this.#before = { reel, name, source, out: sourceOut };
    return lines;
  }

  /** A name of eight letters and figures, one an asset. */
  #reelOf(assetId: string, name: string): string {
    const known = this.#reels.get(assetId);
    if (known !== undefined) return known;
    const letters = name.replace(/\.[^.]*$/, "").toUpperCase().replace(/[^A-Z0-9]/g, "");
    const base = letters.slice(0, REEL_CHARS) || "AX";
    let reel = base;
    for (let n = this.#takenReels.get(base) ?? 1; this.#takenReels.has(reel); n++) {
      reel = `${base.slice(0, REEL_CHARS - String(n + 1).length)}${n + 1}`;
      this.#takenReels.set(base, n + 1);
    }
    this.#takenReels.set(reel, this.#takenReels.get(reel) ?? 1);
    this.#reels.set(assetId, reel);
    return reel;
  }
}

const CHANNELS = ["A", "A2", "A3", "A4"];

/** On one line, without what would end it. */
function plain(text: string): string {
  return text.replace(/\p{Cc}+/gu, " ").trim();
}
