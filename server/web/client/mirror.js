// @ts-check
import { TrackClips } from "./track_clips.js";

/** @import { ChangedClip, Changes, FrameRate, IoPoints, Marker, Timeline, TrackHeader } from "./types.js" */

/** @typedef {{ header: TrackHeader, clips: TrackClips }} MirroredTrack */
/** @typedef {{ from: number, to: number }} Span frames */

/**
 * A copy of the engine's timeline, kept by `changes`. It is never edited here: what it shows is what the engine has.
 */
export class TimelineMirror {
  /** @type {Map<string, MirroredTrack>} */
  #tracks = new Map();
  /** @type {Map<string, ChangedClip>} */
  #clips = new Map();
  /** @type {Map<string, Set<string>>} */
  #groups = new Map();
  /** @type {string[]} */
  #order = [];
  /** @type {MirroredTrack[] | null} in the timeline's order, once somebody has asked */
  #ordered = null;

  revision = -1;
  sampleRate = 48_000;
  /** @type {FrameRate | null} */
  frameRate = null;
  /** @type {IoPoints | null} */
  ioPoints = null;
  /** @type {Marker[]} */
  markers = [];
  /** @type {unknown} the timeline's own, undefined without */
  meta = undefined;
  /** @type {Map<string, Span> | null} where changes were since somebody asked, by track; null: anywhere */
  #touched = null;

  /** @returns {readonly MirroredTrack[]} in the timeline's order */
  get tracks() {
    return this.#ordered ??= this.#order.flatMap((trackId) => this.#tracks.get(trackId) ?? []);
  }

  get clipCount() {
    return this.#clips.size;
  }

  /** End of the last clip, in frames. */
  get endFrame() {
    let end = 0;
    for (const { clips } of this.#tracks.values()) end = Math.max(end, clips.endFrame);
    return end;
  }

  /** @param {string} clipId */
  clip(clipId) {
    const clip = this.#clips.get(clipId);
    if (clip !== undefined) this.#tracks.get(clip.trackId)?.clips.locate(clipId);
    return clip;
  }

  /** @param {string} groupId @returns {ReadonlySet<string>} ids of the clips of a group */
  group(groupId) {
    return this.#groups.get(groupId) ?? new Set();
  }

  /** @param {string} trackId */
  track(trackId) {
    return this.#tracks.get(trackId);
  }

  clips() {
    for (const { clips } of this.#tracks.values()) clips.all(); // They say where they are.
    return this.#clips.values();
  }

  /**
   * All of it as the engine would answer it. A copy, as far as clips.
   *
   * @returns {Timeline}
   */
  toTimeline() {
    return {
      sampleRate: this.sampleRate,
      ...(this.frameRate === null ? {} : { frameRate: this.frameRate }),
      tracks: this.tracks.map(({ header, clips }) => ({
        ...header,
        clips: clips.all().map(({ trackId: _, ...clip }) => clip),
      })),
      ...(this.ioPoints === null ? {} : { ioPoints: this.ioPoints }),
      ...(this.markers.length === 0 ? {} : { markers: this.markers }),
      ...(this.meta === undefined ? {} : { meta: this.meta }),
    };
  }

  /**
   * Where clips have come, gone, moved or changed since this was last asked, for whoever draws them.
   *
   * @returns {Map<string, Span> | null} by track, or anywhere
   */
  takeTouched() {
    const touched = this.#touched;
    this.#touched = new Map();
    return touched;
  }

  /**
   * @param {string} trackId
   * @param {number} from frame
   * @param {number} to
   */
  #touch(trackId, from, to) {
    const span = this.#touched?.get(trackId);
    if (span === undefined) this.#touched?.set(trackId, { from, to });
    else {
      span.from = Math.min(span.from, from);
      span.to = Math.max(span.to, to);
    }
  }

  /**
   * @param {Timeline} timeline
   * @param {number} revision
   */
  reset(timeline, revision) {
    this.revision = revision;
    this.#touched = null;
    this.sampleRate = timeline.sampleRate;
    this.frameRate = timeline.frameRate ?? null;
    this.ioPoints = timeline.ioPoints ?? null;
    this.markers = timeline.markers ?? [];
    this.meta = timeline.meta;
    this.#clips.clear();
    this.#groups.clear();
    this.#tracks.clear();
    this.#order = [];
    this.#ordered = null;
    for (const { clips, ...header } of timeline.tracks) {
      this.#putTrack(header);
      for (const clip of clips) this.#putClip({ ...clip, trackId: header.trackId });
    }
  }

  /**
   * Applies what changed, in the order that API.md gives: removed, shifted, tracks, trackOrder, clips, timeline. A clip goes behind those that
   * start with it.
   *
   * @param {Changes} changes
   * @param {number} revision that they lead to
   */
  apply(changes, revision) {
    this.revision = revision;
    this.#ordered = null;
    this.#removeClips(changes.removed.clipIds);
    for (const trackId of changes.removed.trackIds) this.#removeTrack(trackId);
    if (changes.removed.trackIds.length > 0) this.#touched = null;
    // Those that are told anew: where they were says nothing, and it might be past where others are moved to.
    this.#removeClips(changes.clips.map(({ clipId }) => clipId));
    for (const { trackId } of changes.shifted) this.#tracks.get(trackId)?.clips.settle();
    for (const { trackId, fromFrame, byFrames } of changes.shifted) {
      this.#tracks.get(trackId)?.clips.shift(fromFrame, byFrames);
      this.#touch(trackId, fromFrame + Math.min(0, byFrames), Infinity);
    }
    for (const header of changes.tracks) this.#putTrack(header);
    // Rows go elsewhere, and solo is silence for others.
    if (changes.tracks.length > 0 || changes.trackOrder !== undefined) this.#touched = null;
    if (changes.trackOrder !== undefined) this.#order = [...changes.trackOrder];
    for (const clip of changes.clips) this.#putClip({ ...clip });
    const { timeline } = changes;
    if (timeline === undefined) return;
    if (timeline.ioPoints !== undefined) this.ioPoints = timeline.ioPoints;
    if (timeline.markers !== undefined) this.markers = timeline.markers;
    if (timeline.frameRate !== undefined) this.frameRate = timeline.frameRate;
    if (timeline.sampleRate !== undefined) this.sampleRate = timeline.sampleRate;
    if (timeline.meta !== undefined) this.meta = timeline.meta ?? undefined;
  }

  /** @param {TrackHeader} header */
  #putTrack(header) {
    const known = this.#tracks.get(header.trackId);
    if (known !== undefined) {
      known.header = header;
      return;
    }
    this.#tracks.set(header.trackId, { header, clips: new TrackClips() });
    this.#order.push(header.trackId);
  }

  /** @param {string} trackId */
  #removeTrack(trackId) {
    for (const clip of this.#tracks.get(trackId)?.clips.all() ?? []) this.#forget(clip);
    this.#tracks.delete(trackId);
    this.#order = this.#order.filter((id) => id !== trackId);
  }

  /** @param {ChangedClip} clip */
  #putClip(clip) {
    const { clipId, groupId } = clip;
    this.#clips.set(clipId, clip);
    if (groupId !== undefined) {
      const members = this.#groups.get(groupId);
      if (members === undefined) this.#groups.set(groupId, new Set([clipId]));
      else {
        if (members.size === 1) this.#touchClips(members);
        members.add(clipId);
      }
    }
    this.#touch(clip.trackId, clip.startFrame, clip.startFrame + clip.lengthFrames);
    this.#tracks.get(clip.trackId)?.clips.add(clip);
  }

  /** @param {ChangedClip} clip */
  #forget({ clipId, groupId }) {
    this.#clips.delete(clipId);
    const members = groupId === undefined ? undefined : this.#groups.get(groupId);
    if (!members?.delete(clipId)) return;
    if (members.size === 0) this.#groups.delete(groupId ?? "");
    if (members.size === 1) this.#touchClips(members);
  }

  /** What is alone in its group is drawn as if there were none. @param {Iterable<string>} clipIds */
  #touchClips(clipIds) {
    for (const clipId of clipIds) {
      const clip = this.clip(clipId);
      if (clip !== undefined) {
        this.#touch(clip.trackId, clip.startFrame, clip.startFrame + clip.lengthFrames);
      }
    }
  }

  /** @param {string[]} clipIds */
  #removeClips(clipIds) {
    /** @type {Map<string, Set<string>>} */
    const byTrack = new Map();
    for (const clipId of clipIds) {
      const clip = this.clip(clipId);
      if (clip === undefined) continue;
      this.#touch(clip.trackId, clip.startFrame, clip.startFrame + clip.lengthFrames);
      this.#forget(clip);
      const set = byTrack.get(clip.trackId) ?? new Set();
      byTrack.set(clip.trackId, set.add(clipId));
    }
    for (const [trackId, set] of byTrack) this.#tracks.get(trackId)?.clips.remove(set);
  }
}
