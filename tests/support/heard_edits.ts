/**
 * Explains a recording of a timeline that was edited while it played: where each edit was taken, by content alone, so that all of it is what must be heard. Outside of
 * the fades to the bit; within them the linear blend of old and new.
 *
 * @module
 */
import { FADE, type PlayerTrack } from "./expected_player.ts";
import { referenceMix, type ReferenceSources } from "./reference_mix.ts";

type Sides = readonly [Float32Array, Float32Array];
type HeadMap = readonly { at: number; remove: number; insert: number }[];

/** An edit, with the frames of the recording that it was taken between. */
export interface HeardEdit {
  what: string;
  tracks: readonly PlayerTrack[];
  map: HeadMap;
  /** Taken at this frame or later. */
  fromFrame: number;
  /** Taken at this frame or before, or displaced by one that was. */
  toFrame: number;
}

export interface Explanation {
  /** Fades that changed what was heard. */
  audible: number;
  /** Edits that another one displaced. */
  displaced: number;
  /** Where the head stands at the end of what was explained. */
  headFrame: number;
}

/** What is rounded in a fade. */
const ROUNDED = 2e-6;
const BLOCK = 2_048;
/** Places that are tried for edits, in all; what is not explained by then is not explained. */
const MOST_TRIED = 5_000_000;

/** What a timeline sounds like at any frame. */
class Sound {
  readonly #blocks = new Map<number, Sides>();

  constructor(
    private readonly tracks: readonly PlayerTrack[],
    private readonly sources: ReferenceSources,
  ) {}

  at(side: 0 | 1, frame: number): number {
    const number = Math.floor(frame / BLOCK);
    let block = this.#blocks.get(number);
    if (!block) {
      block = referenceMix(this.tracks, this.sources, number * BLOCK, BLOCK);
      this.#blocks.set(number, block);
    }
    return block[side][frame - number * BLOCK];
  }
}

function mapped(map: HeadMap, frame: number): number {
  let x = frame;
  for (const { at, remove, insert } of map) {
    if (x < at) continue;
    x = x < at + remove ? at : x - remove + insert;
  }
  return x;
}

/** Where playing stands: a frame of the recording, the head there, and what sounds. */
interface Place {
  frame: number;
  head: number;
  sound: Sound;
}

/**
 * @param recorded Both sides.
 * @param begin The frame of the recording at which playing began, with the head on frame 0.
 * @param end What is explained ends here.
 * @throws {Error} Where nothing explains it.
 */
export function explain(
  recorded: Sides,
  sources: ReferenceSources,
  first: readonly PlayerTrack[],
  edits: readonly HeardEdit[],
  begin: number,
  end: number,
): Explanation {
  const sounds = edits.map(({ tracks }) => new Sound(tracks, sources));
  const sides = [0, 1] as const;
  let triedInAll = 0;
  let furthest = { frame: 0, what: "" };

  /** The first frame in `[place.frame, to)` that is not the place's sound; `to` if all are. */
  function differsAt({ frame, head, sound }: Place, to: number): number {
    for (let i = frame; i < to; i++) {
      for (const side of sides) {
        if (recorded[side][i] !== sound.at(side, head + i - frame)) return i;
      }
    }
    return to;
  }

  /** Whether a fade begins at the place and leads to the other, and has no step beyond those of old and new and of its own slope. */
  function fades(old: Place, now: Place): boolean {
    for (const side of sides) {
      for (let i = 0, before = NaN; i < FADE; i++) {
        const got = recorded[side][old.frame + i];
        const [a, b] = [old.sound.at(side, old.head + i), now.sound.at(side, now.head + i)];
        const w = (i + 0.5) / FADE;
        if (Math.abs(got - (b * w + a * (1 - w))) > ROUNDED) return false;
        const stepOf = (sound: Sound, head: number, x: number) =>
          Math.abs(x - sound.at(side, head + i - 1));
        const most = i === 0 ? Infinity : Math.max(
          stepOf(old.sound, old.head, a),
          stepOf(now.sound, now.head, b),
        );
        if (Math.abs(got - before) > most + 2 / FADE) {
          throw new Error(`A step of ${got - before} in a fade, at frame ${old.frame + i}`);
        }
        before = got;
      }
    }
    return true;
  }

  /** Where edits take the head. */
  function through(next: number, last: number, head: number): number {
    for (let i = next; i <= last; i++) head = mapped(edits[i].map, head);
    return head;
  }

  function solve(place: Place, next: number): Explanation | null {
    const until = next < edits.length ? Math.min(edits[next].toFrame + FADE, end) : end;
    const differs = differsAt(place, until);
    if (differs > furthest.frame) {
      furthest = { frame: differs, what: edits[next - 1]?.what ?? "play" };
    }
    if (next === edits.length) {
      if (differs < end) return null;
      return { audible: 0, displaced: 0, headFrame: place.head + end - place.frame };
    }
    // Edits that may be taken next: each as long as its own time has not passed.
    for (let taken = next; taken < edits.length; taken++) {
      const from = Math.max(place.frame, edits[taken].fromFrame);
      const to = Math.min(differs, edits[next].toFrame, edits[taken].toFrame);
      if (taken > next && edits[taken].fromFrame > edits[next].toFrame) break;
      // What is heard tells where it was; what is not may have been anywhere, and early leaves room for the next.
      const isHeard = differs < until;
      for (let tried = 0; tried <= to - from; tried++) {
        if (++triedInAll > MOST_TRIED) return null;
        const at = isHeard ? to - tried : from + tried;
        const head = place.head + at - place.frame;
        const old = { ...place, frame: at, head };
        const newHead = through(next, taken, head);
        const now = { frame: at, head: newHead, sound: sounds[taken] };
        if (!fades(old, now)) continue;
        const after = { frame: at + FADE, head: newHead + FADE, sound: sounds[taken] };
        if (!isHeard && differsAt(after, until) < until) continue;
        const rest = solve(after, taken + 1);
        if (!rest) {
          // What is not heard sounds the same wherever it was, unless the head went to the cut from where it was.
          const first = place.head + from - place.frame;
          const isShift = through(next, taken, first) - first === newHead - head;
          if (isShift && at + FADE <= differs) break;
          continue;
        }
        return {
          ...rest,
          audible: rest.audible + (differs < until ? 1 : 0),
          displaced: rest.displaced + taken - next,
        };
      }
    }
    return null;
  }

  const found = solve({ frame: begin, head: 0, sound: new Sound(first, sources) }, 0);
  if (found) return found;
  const { frame, what } = furthest;
  throw new Error(
    `Nothing explains frame ${frame} of ${end}, after ${what}: ${recorded[0][frame]} and ${
      recorded[1][frame]
    }`,
  );
}
