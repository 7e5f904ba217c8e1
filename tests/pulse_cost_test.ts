/**
 * An edit costs what it changed: what it looks at, journals, packs for the renderer, sends to a client and moves in that client's mirror, counted for every
 * edit there is at 100,000 clips. Counts, no times.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { applyEdits } from "../engine/pulse/apply_edits.ts";
import { emptyHistory } from "../engine/pulse/history.ts";
import { type JournalEntry, MemoryJournal } from "../engine/pulse/journal.ts";
import { modelFromTimeline } from "../engine/pulse/model_from_timeline.ts";
import { findClip, type TimelineModel, timelineOf } from "../engine/pulse/timeline_model.ts";
import { type Commit, TimelineService } from "../engine/pulse/timeline_service.ts";
import type { Changes, Edit } from "../engine/pulse/types.ts";
import { MOST_KEPT_CLIPS } from "../engine/signal/known_blocks.ts";
import { BLOCK_CLIPS } from "../engine/signal/model.ts";
import { Packer } from "../engine/signal/pack.ts";
import { encodeNotification } from "../server/notices.ts";
import { TimelineMirror } from "../server/web/client/mirror.js";

const CLIPS = 100_000;
/** Of a clip. */
const LENGTH = 100;
const KIB = 1_024;
/** What `lp_publish` is given, whatever is edited; a journal's row and a notification, */
const MOST_BYTES = 64 * KIB;
/** or so much for each track that changes: a cut through all of them changes clips on each. */
const MOST_BYTES_A_TRACK = 1.5 * KIB;
/** Clips looked at one by one: those of the few blocks that an edit opens on a track. */
const MOST_LOOKS_A_TRACK = 6_144;
const ANN = { clientId: "ann" };

/** Reads of clips in blocks of a model since the last {@linkcode Looks.take}. */
class Looks {
  #count = 0;

  take(): number {
    const count = this.#count;
    this.#count = 0;
    return count;
  }

  /** The model with blocks that count what is read of their clips. */
  watch(model: TimelineModel): TimelineModel {
    const watched = new Map<object, object>();
    const watch = <Block extends { clips: readonly unknown[] }>(block: Block): Block => {
      const clips = new Proxy(block.clips, {
        get: (target, name) => {
          if (typeof name === "string" && name >= "0" && name <= "99999") this.#count++;
          return Reflect.get(target, name);
        },
      });
      return watched.getOrInsertComputed(block, () => ({ ...block, clips })) as Block;
    };
    return {
      ...model,
      tracks: model.tracks.map((track) => ({
        ...track,
        blocks: track.blocks.map(({ start, block }) => ({ start, block: watch(block) })),
      })),
    };
  }
}

/** Bytes of a journal's row, as `SqliteJournal` writes it. */
function rowBytes({ revision: _r, cause: _c, step: _s, requestId = "", ...texts }: JournalEntry) {
  const { forward, backward, redo, ...info } = texts;
  return requestId.length + [info, forward, backward, redo]
    .reduce((sum, value) => sum + (value === undefined ? 0 : JSON.stringify(value).length), 0);
}

/** What a change has cost. */
interface Cost {
  looks: number;
  journalled: number;
  packed: number;
  sent: number;
  /** Clips that a client's mirror looked at or moved. */
  mirrored: number;
  changes: Changes;
}

/** A timeline with all that follows it. */
class Rig {
  readonly looks = new Looks();
  readonly service: TimelineService;
  readonly packer = new Packer({ keeps: true });
  readonly mirror = new TimelineMirror();
  #cost: Cost | null = null;
  #journalled = 0;

  constructor(tracks: number) {
    const model = this.looks.watch(laid(tracks));
    const journal = new MemoryJournal();
    const append = journal.append.bind(journal);
    journal.append = (entry) => {
      this.#journalled = rowBytes(entry);
      append(entry);
    };
    this.service = new TimelineService({
      state: { model, revision: 0, history: emptyHistory },
      journal,
      onCommit: (commit) => this.#commit(commit),
    });
    this.mirror.reset(timelineOf(model), 0);
    this.mirror.clips();
    this.#publish(model, 0, []);
    // Once for each block: which groups it has.
    this.edit({ op: "segment.delete", clipId: "c0", ripple: "group" });
    this.undo();
    this.looks.take();
  }

  run(change: (service: TimelineService) => void): Cost {
    this.#cost = null;
    change(this.service);
    assert(this.#cost !== null, "nothing changed");
    return this.#cost;
  }

  edit(edit: Edit): Cost {
    return this.run((service) => service.edit([edit], {}, ANN));
  }

  undo(): Cost {
    return this.run((service) => service.undo({}, ANN));
  }

  #publish(model: TimelineModel, revision: number, map: Commit["map"]): number {
    const packed = this.packer.pack(model, revision, map, () => 1);
    packed.commit();
    return packed.bytes.length;
  }

  #commit({ model, revision, map, previousModel: _, ...told }: Commit): void {
    const journalled = this.#journalled;
    const packed = this.#publish(model, revision, map);
    const looks = this.looks.take();
    const sent = encodeNotification("timeline.changed", { ...told, revision }).length;
    const before = this.#touched();
    this.mirror.apply(told.changes, revision);
    // What a page asks for after each edit: where it all ends, and what is seen.
    this.mirror.endFrame;
    for (const { clips } of this.mirror.tracks.slice(0, 8)) [...clips.range(5_000, 15_000)];
    const mirrored = this.#touched() - before;
    this.#cost = { looks, journalled, packed, sent, mirrored, changes: told.changes };
  }

  #touched(): number {
    return this.mirror.tracks.reduce((sum, { clips }) => sum + clips.touched, 0);
  }
}

/** `CLIPS` clips over so many tracks, end to end; those of track 0 go on for longest. */
function laid(tracks: number): TimelineModel {
  const each = Math.floor(CLIPS / tracks);
  return modelFromTimeline({
    sampleRate: 48_000,
    tracks: Array.from({ length: tracks }, (_, t) => ({
      trackId: `t${t}`,
      name: `Track ${t}`,
      clips: Array.from({ length: each }, (_, i) => ({
        clipId: `c${t * each + i}`,
        assetId: "6f1b1c36-0c6b-4a34-9a30-6bb4f7d1c001",
        startFrame: i * LENGTH,
        lengthFrames: LENGTH,
        sourceFrame: i * LENGTH,
        ...(i % 500 === 0 && { groupId: `g${i}` }),
      })),
    })),
    markers: [{ markerId: "m", frame: 5, name: "Here" }],
  });
}

/** Every edit, at places that change; `middle` is a clip of track 0. */
function everyEdit(tracks: number): Edit[] {
  const each = Math.floor(CLIPS / tracks);
  const middle = Math.floor(each / 2);
  const at = middle * LENGTH;
  const clipId = `c${middle}`;
  const other = `t${tracks - 1}`;
  const clip = { assetId: "a", startFrame: at + 7, lengthFrames: 5 };
  return [
    { op: "track.add", track: { trackId: "new", clips: [clip] }, toIndex: 0 },
    { op: "track.move", trackId: "new", toIndex: tracks },
    { op: "track.set", trackId: "t0", set: { gainDb: -6 } },
    { op: "track.set", trackId: "new", set: { solo: true } },
    { op: "track.set", trackId: "new", set: { solo: false } },
    { op: "track.remove", trackId: "new" },
    { op: "clip.add", trackId: "t0", clip },
    { op: "clip.remove", clipId: "c0" },
    { op: "clip.set", clipId, set: { gainDb: -3 } },
    { op: "clip.move", clipId, startFrame: 10 },
    { op: "clip.move", clipId: `c${middle + 1}`, trackId: other, startFrame: at },
    { op: "clip.trim", clipId: `c${middle + 2}`, startFrame: at + 2 * LENGTH + 10 },
    { op: "clip.slip", clipId: `c${middle + 3}`, sourceFrame: 7 },
    { op: "clip.split", clipId: `c${middle + 4}`, atFrame: at + 4 * LENGTH + 50 },
    { op: "range.delete", startFrame: 50, endFrame: 150, ripple: true },
    { op: "range.delete", startFrame: at + 50, endFrame: at + 350, ripple: false },
    { op: "range.delete", startFrame: 1_000, endFrame: 1_350, ripple: true, trackIds: ["t0"] },
    { op: "range.insert", atFrame: at + 50, lengthFrames: 1_000 },
    { op: "segment.delete", clipId: `c${middle + 20}` },
    { op: "segment.delete", clipId: `c${middle + 21}`, ripple: "group" },
    { op: "segment.delete", clipId: "c500", ripple: "group" },
    { op: "segment.reorder", clipId: "c10", toIndex: Math.floor(each * 0.9) },
    { op: "marker.add", marker: { markerId: "n", frame: at, name: "There" } },
    { op: "marker.set", markerId: "n", set: { frame: 9 } },
    { op: "marker.remove", markerId: "n" },
    { op: "io.set", inFrame: 5, outFrame: at },
  ].filter((edit) => tracks <= each || !("clipId" in edit) || edit.clipId !== "c500") as Edit[];
}

/** Tracks whose clips an edit changed, at most. */
function tracksOf({ removed, shifted, clips }: Changes): number {
  const named = new Set([...shifted, ...clips].map(({ trackId }) => trackId)).size;
  return Math.max(1, named, removed.clipIds.length);
}

/** Edit, undo and redo, each with what it has cost. */
function* rounds(rig: Rig, edits: readonly Edit[]): Generator<[what: string, Cost]> {
  for (const edit of edits) {
    const what = JSON.stringify(edit);
    yield [what, rig.edit(edit)];
    yield [`undo of ${what}`, rig.undo()];
    yield [`redo of ${what}`, rig.run((service) => service.redo({}, ANN))];
  }
}

function show(what: string, { changes: _, ...cost }: Cost): string {
  return `${what}: ${JSON.stringify(cost)}`;
}

for (const tracks of [1, 100]) {
  Deno.test(`every edit of ${CLIPS} clips on ${tracks} tracks, its undo and redo: at most 64 KiB packed, journalled and sent, and clips of few blocks looked at`, () => {
    const rig = new Rig(tracks);
    for (const [what, cost] of rounds(rig, everyEdit(tracks))) {
      const said = show(what, cost);
      const changed = tracksOf(cost.changes);
      const most = MOST_LOOKS_A_TRACK * changed;
      const mostBytes = Math.max(MOST_BYTES, MOST_BYTES_A_TRACK * changed);
      assert(cost.packed <= MOST_BYTES, said);
      assert(cost.sent <= mostBytes, said);
      assert(cost.journalled <= mostBytes, said);
      assert(cost.looks <= most, said);
      assert(cost.mirrored <= most, said);
      if (Deno.env.get("LOOPHOLE_SHOW_COST")) console.log(said);
    }
    assertEquals(rig.mirror.toTimeline(), rig.service.get().timeline);
  });
}

Deno.test("a track or a stretch of 80,000 clips goes, comes back and goes again: 64 KiB packed each time; journal and clients get what has changed, once", () => {
  const edits: Edit[] = [
    { op: "track.remove", trackId: "t0" },
    { op: "range.delete", startFrame: 1_000_050, endFrame: 9_000_050, ripple: true },
    { op: "range.delete", startFrame: 1_000_050, endFrame: 9_000_050, ripple: false },
  ];
  for (const edit of edits) {
    const rig = new Rig(1);
    for (const [what, cost] of rounds(rig, [edit])) {
      const { removed, clips } = cost.changes;
      const said = show(what, cost);
      assert(cost.packed <= MOST_BYTES, said);
      // The interface names every clip that goes or comes.
      assert(cost.sent <= MOST_BYTES + 400 * clips.length + 50 * removed.clipIds.length, said);
      if (Deno.env.get("LOOPHOLE_SHOW_COST")) console.log(said);
    }
    assertEquals(rig.mirror.toTimeline(), rig.service.get().timeline);
  }
});

Deno.test("on 2,000 tracks an edit of one costs as on one track, and a ripple over all costs by the track", () => {
  const rig = new Rig(2_000);
  const [one, other, all] = [
    { op: "clip.set", clipId: "c25", set: { gainDb: -3 } },
    { op: "track.set", trackId: "t999", set: { pan: 0.5 } },
    { op: "segment.delete", clipId: "c25" },
  ] as Edit[];
  for (const [what, cost] of rounds(rig, [one, other])) {
    assert(cost.packed <= KIB, show(what, cost));
    assert(Math.max(cost.sent, cost.journalled) <= 2 * KIB, show(what, cost));
    assert(Math.max(cost.looks, cost.mirrored) <= MOST_LOOKS_A_TRACK, show(what, cost));
  }
  for (const [what, cost] of rounds(rig, [all])) {
    assert(cost.packed <= MOST_BYTES + 200 * 2_000, show(what, cost));
    assert(cost.looks <= 600 * 2_000, show(what, cost));
    if (Deno.env.get("LOOPHOLE_SHOW_COST")) console.log(show(what, cost));
  }
});

Deno.test("the index of clips forgets those that are gone", () => {
  let model = modelFromTimeline({ sampleRate: 48_000, tracks: [{ trackId: "t" }] });
  let most = 0;
  for (let i = 0; i < 12_000; i++) {
    const clip = { clipId: `x${i}`, assetId: "a", startFrame: i, lengthFrames: 1 };
    model = applyEdits(model, [{ op: "clip.add", trackId: "t", clip }], "s").model;
    if (i >= 20) {
      const clipId = `x${i - 20}`;
      model = applyEdits(
        model,
        [{ op: "range.delete", startFrame: 0, endFrame: i - 19, ripple: false }],
        "s",
      ).model;
      assertEquals(findClip(model, clipId), undefined);
      assert(findClip(model, `x${i}`) !== undefined);
    }
    most = Math.max(most, model.index.size);
  }
  assert(most < 6_000, `${most} entries for 20 clips`);
});

Deno.test("the packer forgets clips that neither what is published nor what is kept for an undo has", () => {
  const rig = new Rig(1);
  for (let i = 0; i < 300; i++) {
    const clip = { clipId: `x${i}`, assetId: "a", startFrame: i * 7_000, lengthFrames: 50 };
    rig.edit({ op: "clip.add", trackId: "t0", clip });
    rig.edit({ op: "clip.remove", clipId: `x${i}` });
  }
  assertEquals(rig.packer.known, { clips: CLIPS, keptBlocks: 0 });
});

Deno.test("whole timelines that come and go: what is kept of them for an undo has a bound", () => {
  const packer = new Packer({ keeps: true });
  const publish = (model: TimelineModel) => {
    const { commit, bytes } = packer.pack(model, 0, [], () => 1);
    commit();
    return bytes.length;
  };
  const empty = modelFromTimeline({ sampleRate: 48_000, tracks: [] });
  for (let i = 0; i < 5; i++) {
    const clips = Array.from({ length: CLIPS }, (_, k) => ({
      clipId: `r${i}.${k}`,
      assetId: "a",
      startFrame: k * LENGTH,
      lengthFrames: LENGTH,
    }));
    const model = modelFromTimeline({ sampleRate: 48_000, tracks: [{ trackId: "t", clips }] });
    publish(model);
    publish(empty);
    assert(publish(model) <= MOST_BYTES);
    publish(empty);
    assertEquals(packer.known.clips <= MOST_KEPT_CLIPS + BLOCK_CLIPS, true);
  }
  assertEquals(packer.known.keptBlocks > 0, true);
});
