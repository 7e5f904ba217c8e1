/**
 * Markers of an OpenTimelineIO document: those of its clips and tracks too stand on the timeline here.
 *
 * @module
 */
import type { Exact } from "./exact_time.ts";
import { type JsonObject, listOf, member, type Path, requireObject, textOf } from "./fields.ts";
import { LIMITS } from "../limits.ts";
import { metaWith, othersMetadata, oursOf } from "./otio_aside.ts";
import { readRange } from "./otio_clip.ts";
import { freeId, type OtioPlaces, requireAtMost } from "./otio_context.ts";
import { idIn, metaIn } from "./otio_ours.ts";
import type { Frames, Marker } from "../types.ts";

/** The color that a marker without one is written with. */
export const PLAIN_COLOR = "RED";

export class OtioMarkers {
  readonly markers: Marker[] = [];
  readonly #ids = new Set<string>();
  readonly #places: OtioPlaces;

  constructor(places: OtioPlaces) {
    this.#places = places;
  }

  /** Takes an item's markers over. `frameOf` says where a time of the item is on the timeline. */

  read(
    object: JsonObject,
    path: Path,
    frameOf: (time: Exact, path: Path) => Frames,
  ): void {
    const { report } = this.#places;
    for (const [i, one] of listOf(object, "markers", path).entries()) {
      const at = [...path, "markers", i];
      const given = requireObject(one, at);
      // In the first version of its schema the range had a shorter name.
      const range = readRange(given, "marked_range", at) ?? readRange(given, "range", at);
      if (range === null) {
        report.add(at, "a marker without a place", "left out");
        continue;
      }
      const ours = oursOf(given);
      const place = frameOf(range.start.exact, [...at, "marked_range", "start_time"]);
      if (place < 0) report.add(at, "a marker before the timeline's begin", "at its begin");
      if (path.at(-1) !== "tracks") {
        report.add(at, "a marker of a clip or track", "on the timeline");
      }
      const color = textOf(member(given, "color"), 60);
      const aside = {
        metadata: othersMetadata(given),
        color: color !== undefined && !(ours.plain === true && color === PLAIN_COLOR)
          ? color
          : undefined,
        comment: textOf(member(given, "comment"), LIMITS.metaBytes) || undefined,
        duration: range.duration.value > 0
          ? { value: range.duration.value, rate: range.duration.rate }
          : undefined,
      };
      const meta = ours.whole === true
        ? metaIn(ours) === undefined ? {} : { meta: metaIn(ours) }
        : metaWith(metaIn(ours), aside, at, report);
      requireAtMost("markers", this.markers.length + 1, LIMITS.markers);
      this.markers.push({
        markerId: this.#id(idIn(ours, "markerId")),
        frame: Math.min(Math.max(0, place), LIMITS.maxFrame),
        name: textOf(member(given, "name"), LIMITS.nameChars) ?? "",
        ...meta,
      });
    }
  }

  #id(own: string | undefined): string {
    const isFree = own !== undefined && !this.#ids.has(own);
    const wish = isFree ? own : `otio-marker-${this.markers.length}`;
    const id = freeId(wish, (one) => this.#ids.has(one));
    this.#ids.add(id);
    return id;
  }
}
