/**
 * Which tracks a revision has and in which order, for meters of revisions that still sound.
 *
 * @module
 */
import type { MixModel } from "../../signal/model.ts";

/** Revisions that may still sound while newer ones are made. */
const KEPT = 64;

/** The orders of the latest revisions. */
export class TrackOrders {
  #orders: { revision: number; tracks: MixModel["tracks"]; trackIds: readonly string[] }[] = [];

  /** Takes note of a revision. */
  push(revision: number, mix: MixModel): void {
    const last = this.#orders.at(-1);
    if (last?.tracks === mix.tracks) return;
    if (last && isOrderOf(last.trackIds, mix.tracks)) {
      last.tracks = mix.tracks;
      return;
    }
    const trackIds = mix.tracks.map(({ trackId }) => trackId);
    this.#orders.push({ revision, tracks: mix.tracks, trackIds });
    if (this.#orders.length > KEPT) this.#orders.shift();
  }

  /** Forgets all: another project is open. */
  clear(): void {
    this.#orders = [];
  }

  /** The tracks of a revision, in order; the oldest that is known if it is older still. */
  at(revision: number): readonly string[] {
    const order = this.#orders.findLast((order) => order.revision <= revision) ?? this.#orders[0];
    return order?.trackIds ?? [];
  }
}

function isOrderOf(trackIds: readonly string[], tracks: MixModel["tracks"]): boolean {
  return trackIds.length === tracks.length &&
    tracks.every(({ trackId }, i) => trackId === trackIds[i]);
}
