/**
 * Audio tracks of an OpenTimelineIO document as tracks here.
 *
 * @module
 */
import { type JsonObject, listOf, member, type Path, textOf } from "./fields.ts";
import { LIMITS } from "../limits.ts";
import type { TimelineInput } from "../model_from_timeline.ts";
import { metaWith, othersMetadata, oursOf } from "./otio_aside.ts";
import { type Draft, freeId, type OtioPlaces, placeIn, requireAtMost } from "./otio_context.ts";
import { gainIn, idIn, metaIn, numberIn } from "./otio_ours.ts";
import type { ReportWriter } from "./report.ts";
import { sorting, type Turns } from "../turns.ts";

/** An audio track at the top, with a lane for each of its compounds' tracks that sound together. */
export interface TopTrack {
  readonly given: JsonObject;
  readonly path: Path;
  readonly lanes: Draft[][];
}

/** One of a track's lanes, made if it is not there. */
export function laneOf({ lanes }: TopTrack, lane: number): Draft[] {
  requireAtMost("tracks", lane + 1, LIMITS.tracks);
  while (lanes.length <= lane) lanes.push([]);
  return lanes[lane];
}

/** The tracks at the top, lanes that we parted ourselves together again. */
export function* joinTracks(
  tops: readonly TopTrack[],
  places: OtioPlaces,
  turns: Turns,
): Generator<void, TimelineInput["tracks"]> {
  const made: { header: TimelineInput["tracks"][number]; drafts: Draft[] }[] = [];
  const byId = new Map<string, { drafts: Draft[] }>();
  for (const top of tops) {
    const ours = oursOf(top.given);
    const own = idIn(ours, "trackId");
    const isLane = (numberIn(ours, "lane", 1, LIMITS.tracks) ?? 0) > 0;
    const home = own === undefined ? undefined : byId.get(own);
    if (isLane && home !== undefined && top.lanes.length === 1) {
      for (const draft of top.lanes[0]) home.drafts.push(draft);
      continue;
    }
    for (const [i, drafts] of top.lanes.entries()) {
      const header = headerOf(top, ours, i, (id) => byId.has(id), places.report);
      const track = { header, drafts: [...drafts] };
      byId.set(header.trackId, track);
      made.push(track);
    }
  }
  requireAtMost("tracks", made.length, LIMITS.tracks);
  const tracks: TimelineInput["tracks"] = [];
  for (const { header, drafts } of made) {
    const byTie = yield* sorting(drafts, ({ tie }) => tie, turns);
    const inOrder = yield* sorting(byTie, ({ clip }) => clip.startFrame, turns);
    tracks.push({ ...header, clips: inOrder.map(({ clip }) => clip) });
  }
  return tracks;
}

function headerOf(
  { given, path }: TopTrack,
  ours: JsonObject,
  lane: number,
  isTaken: (id: string) => boolean,
  report: ReportWriter,
): TimelineInput["tracks"][number] {
  const place = `otio-track-${placeIn(path)}`;
  const own = lane === 0 ? idIn(ours, "trackId") : undefined;
  const wish = own ?? (lane === 0 ? place : `${place}.${lane + 1}`);
  const trackId = freeId(own !== undefined && isTaken(own) ? place : wish, isTaken);
  const name = textOf(member(given, "name"), LIMITS.nameChars - 8) ?? "";
  if (lane === 0 && listOf(given, "effects", path).length > 0) {
    report.add(
      [...path, "effects"],
      "effects of a track",
      "not heard; kept aside with the track",
    );
  }
  const gain = gainIn(ours);
  const effects = listOf(given, "effects", path);
  return {
    trackId,
    name: lane === 0
      ? textOf(member(given, "name"), LIMITS.nameChars) ?? ""
      : `${name} ${lane + 1}`,
    gainDb: gain === undefined ? 0 : gain,
    pan: numberIn(ours, "pan", -1, 1) ?? 0,
    mute: member(given, "enabled") === false,
    solo: ours.solo === true,
    ...(lane > 0
      ? {}
      : ours.whole === true
      ? metaIn(ours) === undefined ? {} : { meta: metaIn(ours) }
      : metaWith(
        metaIn(ours),
        {
          metadata: othersMetadata(given),
          effects: effects.length > 0 ? effects : undefined,
        },
        path,
        report,
      )),
  };
}
