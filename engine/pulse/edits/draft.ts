/**
 * The timeline while the edits of one request are applied. It belongs to one call of `applyEdits`; the model that it comes from is never
 * changed, so that a refused edit leaves nothing behind.
 *
 * @module
 */
import { EngineError, InvalidParams } from "../../errors.ts";
import { type HeadMapStep, mapEnd, mapFrame } from "../../signal/model.ts";
import type { BlockContext, Blocks } from "../block_list.ts";
import { endOf } from "../block_list.ts";
import type { ClipBody } from "../clip_body.ts";
import type { ClipIndexDraft } from "../clip_index.ts";
import { IdMaker } from "../id_maker.ts";
import { LIMITS } from "../limits.ts";
import {
  type ClipPlace,
  countAllClips,
  findClip,
  type TimelineModel,
  type TimelineTrack,
} from "../timeline_model.ts";
import type { Frames, IoPoints, Marker } from "../types.ts";

/** Where an edit stands in the request: `["edits", 3]`. */
export type EditPath = readonly (string | number)[];

/** Entries of the index that may be stale, beside a quarter of all. */
const STALE_ENTRIES = 1_024;

export class TimelineDraft {
  tracks: TimelineTrack[];
  ioPoints: Readonly<IoPoints> | undefined;
  markers: readonly Readonly<Marker>[];
  /** How the head moves, step after step. */
  readonly map: HeadMapStep[] = [];
  readonly index: ClipIndexDraft;
  readonly #ids: IdMaker;
  readonly #rightGroups = new Map<string, string>();

  constructor(readonly base: TimelineModel, seed: string) {
    this.tracks = base.tracks.slice();
    this.ioPoints = base.ioPoints;
    this.markers = base.markers;
    this.index = base.index.draft();
    this.#ids = new IdMaker(seed, (id) => this.find(id) !== undefined);
  }

  newClipId(): string {
    return this.#ids.next();
  }

  /**
   * The group of what is right of a cut (`segments.ts` has the rule): the right parts of all its clips that are cut at `atFrame` within one
   * request belong together.
   *
   * @param known The group that it has already, by another request's cut.
   */
  rightGroup(groupId: string, atFrame: Frames, known?: string): string {
    const key = `${atFrame} ${groupId}`;
    let right = this.#rightGroups.get(key);
    if (right === undefined) this.#rightGroups.set(key, right = known ?? this.#ids.next());
    return right;
  }

  /** Id and group of the right part of `left`, cut at `atFrame`. */
  rightPart(left: ClipBody, atFrame: Frames): { clipId: string; groupId?: string } {
    const clipId = this.newClipId();
    return left.groupId === undefined
      ? { clipId }
      : { clipId, groupId: this.rightGroup(left.groupId, atFrame) };
  }

  find(clipId: string): ClipPlace | undefined {
    return findClip(this, clipId);
  }

  /** @throws {EngineError} `timeline.notFound`. */
  clip(clipId: string, path: EditPath): ClipPlace {
    const place = this.find(clipId);
    if (place === undefined) {
      throw new EngineError("timeline.notFound", `There is no clip ${JSON.stringify(clipId)}`, {
        clipId,
        path: [...path, "clipId"],
      });
    }
    return place;
  }

  /** @throws {EngineError} `timeline.notFound`. */
  trackIndex(trackId: string, path: EditPath): number {
    const i = this.tracks.findIndex((track) => track.trackId === trackId);
    if (i < 0) {
      throw new EngineError("timeline.notFound", `There is no track ${JSON.stringify(trackId)}`, {
        trackId,
        path,
      });
    }
    return i;
  }

  /** Indexes of the tracks named, or of all. */
  trackIndexes(trackIds: readonly string[] | undefined, path: EditPath): number[] {
    if (trackIds === undefined) return this.tracks.map((_, i) => i);
    return [...new Set(trackIds.map((id, i) => this.trackIndex(id, [...path, "trackIds", i])))];
  }

  /** @throws {EngineError} `timeline.conflict` for an id that a clip has. */
  checkNewClipId(clipId: string, path: EditPath): void {
    if (this.find(clipId) === undefined) return;
    throw new EngineError(
      "timeline.conflict",
      `Cannot add the clip: the id ${JSON.stringify(clipId)} is taken`,
      { clipId, path },
    );
  }

  /** What making blocks of a track needs. */
  context(trackIndex: number): BlockContext {
    return { trackId: this.tracks[trackIndex].trackId, index: this.index };
  }

  setBlocks(trackIndex: number, blocks: Blocks): void {
    const track = this.tracks[trackIndex];
    if (track.blocks !== blocks) this.tracks[trackIndex] = { ...track, blocks };
  }

  /** @throws {InvalidParams} where moving the track's clips by `by` would put one beyond the last frame. */
  checkRoom(blocks: Blocks, by: Frames, path: EditPath): void {
    const end = endOf(blocks);
    if (end + by <= LIMITS.maxFrame) return;
    throw new InvalidParams(
      path,
      `a clip would end beyond frame ${LIMITS.maxFrame} (${end} + ${by})`,
    );
  }

  /** @throws {InvalidParams} where moving what stands at or after `from` by `by` would put a marker or an I/O point beyond the last frame. */
  checkHeads(from: Frames, by: Frames, path: EditPath): void {
    for (const { markerId, frame } of this.markers) {
      if (frame < from || frame + by <= LIMITS.maxFrame) continue;
      throw new InvalidParams(
        path,
        `the marker ${
          JSON.stringify(markerId)
        } would lie beyond frame ${LIMITS.maxFrame} (${frame} + ${by})`,
      );
    }
    const out = this.ioPoints?.outFrame ?? 0;
    if (out <= from || out + by <= LIMITS.maxFrame) return;
    throw new InvalidParams(
      path,
      `the out point would lie beyond frame ${LIMITS.maxFrame} (${out} + ${by})`,
    );
  }

  /** A ripple over all tracks: the head, markers and I/O points go the same way. */
  moveHeads(step: HeadMapStep): void {
    this.map.push(step);
    const moved = this.markers.map((marker) => {
      const frame = mapFrame([step], marker.frame);
      return frame === marker.frame ? marker : { ...marker, frame };
    });
    if (moved.some((marker, i) => marker !== this.markers[i])) this.markers = moved;
    if (this.ioPoints === undefined) return;
    const inFrame = mapFrame([step], this.ioPoints.inFrame);
    const outFrame = mapEnd([step], this.ioPoints.outFrame);
    if (inFrame === this.ioPoints.inFrame && outFrame === this.ioPoints.outFrame) return;
    this.ioPoints = inFrame < outFrame ? { inFrame, outFrame } : undefined;
  }

  /**
   * The model that the edits made: the base itself where nothing changed.
   *
   * @throws {EngineError} `limit.exceeded` for too many clips.
   */
  done(): TimelineModel {
    const { base } = this;
    const tracks = this.tracks.length === base.tracks.length &&
        this.tracks.every((track, i) => track === base.tracks[i])
      ? base.tracks
      : this.tracks;
    if (
      tracks === base.tracks && this.ioPoints === base.ioPoints && this.markers === base.markers
    ) {
      return base;
    }
    const count = countAllClips(tracks);
    if (count > LIMITS.clips) {
      throw new EngineError(
        "limit.exceeded",
        `Cannot edit the timeline: it would have ${count} clips, more than ${LIMITS.clips}`,
        { limit: "clips", maximum: LIMITS.clips },
      );
    }
    if (this.index.size > count + count / 4 + STALE_ENTRIES) {
      const added = Math.max(0, this.index.size - base.index.size);
      this.index.sweep(1 + Math.ceil(added / 16), (id) => this.find(id) !== undefined);
    }
    const { ioPoints: _, ...rest } = base;
    return {
      ...rest,
      tracks,
      ...(this.ioPoints && { ioPoints: this.ioPoints }),
      markers: this.markers,
      index: this.index.done(),
    };
  }
}
