import { assert, assertEquals } from "@std/assert";
import { FillNews, forensicsOf, type Gap } from "../engine/pulse/services/forensics.ts";
import { KEPT, type PageNews, Underruns } from "../engine/pulse/services/underruns.ts";
import type { PageFill, PageState } from "../engine/signal/diagnosis.ts";
import type { SignalEvent } from "../engine/signal/signal_api.ts";

const gap = (own: Partial<Gap> = {}): Gap => ({
  dueMs: 1_000,
  endMs: null,
  cause: "queue",
  filledBy: "silence",
  ...own,
});
const fill = (own: Partial<PageFill> = {}): PageFill => ({
  source: 1,
  page: 3,
  fromFrame: 300,
  toFrame: 400,
  askedMs: 900,
  queuedMs: 910,
  begunMs: 1_040,
  endedMs: 1_050,
  dueMs: 990,
  readMs: 7,
  decodeMs: 2,
  outcome: "filled",
  errno: 0,
  device: 42,
  ...own,
});
const state = (own: Partial<PageState> = {}): PageState => ({
  page: 3,
  device: 42,
  resident: "none",
  wait: "unasked",
  askedMs: null,
  queuedMs: null,
  begunMs: null,
  ...own,
});

Deno.test("a page that came late is told with its wait, its reading and how late it was", () => {
  assertEquals(forensicsOf(gap({ endMs: 1_060 }), [fill()], state({ resident: "whole" }), 1_100), {
    page: 3,
    volume: "42",
    dueMs: 1_000,
    askedMs: 900,
    begunMs: 1_040,
    validMs: 1_050,
    queueWaitMs: 130,
    readMs: 7,
    decodeMs: 2,
    lateByMs: 50,
    outcome: "filled",
    filledBy: "silence",
    cause: "queue",
  });
});

Deno.test("what came before it was needed, or after its gap, is no news of it", () => {
  const before = fill({ endedMs: 900 });
  const evicted = forensicsOf(gap({ endMs: 1_100 }), [before], state(), 1_100);
  assertEquals([evicted.outcome, evicted.validMs, evicted.page], ["unasked", null, 3]);
  const again = forensicsOf(gap({ endMs: 1_100 }), [before, fill()], state(), 1_100);
  assertEquals([again.outcome, again.validMs], ["filled", 1_050]);
  const after = forensicsOf(gap({ endMs: 1_010 }), [fill()], state(), 1_100);
  assertEquals([after.outcome, after.validMs], ["unasked", null]);
});

Deno.test("a page that has not come is told as it stands", () => {
  const waiting = state({ wait: "waiting", askedMs: 900, queuedMs: 950 });
  const told = forensicsOf(gap(), [], waiting, 1_100);
  assertEquals([told.outcome, told.askedMs, told.queueWaitMs, told.begunMs], [
    "waiting",
    900,
    150,
    null,
  ]);
  const reading = state({ wait: "reading", askedMs: 900, queuedMs: 950, begunMs: 980 });
  const read = forensicsOf(gap(), [], reading, 1_100);
  assertEquals([read.outcome, read.queueWaitMs, read.begunMs], ["reading", 30, 980]);
  const nobody = forensicsOf(gap({ cause: "absent" }), [], null, 1_100);
  assertEquals([nobody.outcome, nobody.page, nobody.volume, nobody.cause], [
    "unasked",
    null,
    null,
    "absent",
  ]);
});

Deno.test("a failure explains a page that waits to be tried again, one of long ago does not", () => {
  const failed = fill({ outcome: "failed", errno: 5, endedMs: 990 });
  const waiting = state({ wait: "waiting", askedMs: 1_090, queuedMs: 1_090 });
  const told = forensicsOf(gap({ cause: "read" }), [failed], waiting, 1_100);
  assertEquals([told.outcome, told.validMs, told.readMs, told.lateByMs], ["failed", null, 7, null]);
  const again = fill({ outcome: "failed", askedMs: 991, endedMs: 998 });
  const next = fill({ outcome: "failed", page: 4, fromFrame: 400, toFrame: 500, endedMs: 999 });
  const later = fill({ outcome: "failed", askedMs: 1_002, endedMs: 1_004 });
  const latest = forensicsOf(gap(), [failed, again, next, later], waiting, 1_100);
  assertEquals([latest.page, latest.askedMs], [3, 991], "the last one before it was needed");
  assertEquals(forensicsOf(gap(), [later], waiting, 1_100).askedMs, 1_002);
  const old = forensicsOf(gap({ dueMs: 60_000 }), [failed], waiting, 60_100);
  assertEquals(old.outcome, "waiting");
  const stalled = fill({ outcome: "stalled", endedMs: 1_540 });
  const came = fill({ endedMs: 1_700 });
  assertEquals(forensicsOf(gap(), [stalled], null, 1_600).outcome, "stalled");
  const healed = forensicsOf(gap({ endMs: 1_700 }), [stalled, came], null, 1_800);
  assertEquals([healed.outcome, healed.lateByMs], ["filled", 700]);
});

Deno.test("FillNews knows the latest news of frames, and forgets the oldest", () => {
  const news = new FillNews();
  for (let page = 0; page < 20_000; page++) {
    news.add([fill({ source: page % 3, page, fromFrame: page * 100, toFrame: page * 100 + 100 })]);
  }
  const of = (source: number, first: number, last: number, dueMs = 1_000) =>
    news.of(source, first, last, dueMs).map(({ page }) => page);
  assertEquals(of(19_999 % 3, 1_999_950, 1_999_950), [19_999]);
  assertEquals(of(19_999 % 3, 1_999_650, 1_999_900), [19_996, 19_999], "the oldest first");
  assertEquals(of(0, 0, 99), []);
  assertEquals(of(19_998 % 3, 1_999_900, 1_999_999), [], "of another source");
  assertEquals(of(19_999 % 3, 1_999_950, 1_999_950, 60_000), [], "of long ago");
});

type GapEvent = Extract<SignalEvent, { kind: "gapBegin" | "gapEnd" }>;
const event = (kind: GapEvent["kind"], timeMs: number, own: Partial<GapEvent> = {}): GapEvent => ({
  kind,
  timeMs,
  trackId: "t",
  clipId: "c",
  assetId: "a",
  positionFrame: 0,
  frames: kind === "gapEnd" ? 480 : 0,
  cause: "queue",
  filledBy: "silence",
  source: 1,
  sourceFrame: 350,
  ...own,
});

/** Underruns over made news of pages. */
function made() {
  const pages = { fills: [] as PageFill[], state: state() as PageState | null, nowMs: 1_000 };
  const news: PageNews = {
    sampleRate: 48_000,
    nowMs: () => pages.nowMs,
    diagnosis: { takeFills: () => pages.fills.splice(0), page: () => pages.state },
  };
  const told: { ended: boolean; forensics?: unknown }[] = [];
  const underruns = new Underruns(({ params }) => told.push(params as never), () => news);
  return { pages, underruns, told };
}

Deno.test("news that come a moment after their gap's end still explain it", () => {
  const { pages, underruns, told } = made();
  pages.state = state({ wait: "reading", askedMs: 900, queuedMs: 910, begunMs: 990 });
  underruns.onGap(event("gapBegin", 1_000));
  assertEquals(underruns.list({}).underruns[0].forensics?.outcome, "reading");
  pages.nowMs = 1_020;
  pages.state = state({ resident: "whole" });
  underruns.onGap(event("gapEnd", 1_010));
  assertEquals(told.map(({ ended }) => ended), [false, true]);
  pages.fills.push(fill({ endedMs: 1_011 }));
  underruns.look();
  const [record] = underruns.list({}).underruns;
  assertEquals([record.forensics?.outcome, record.forensics?.validMs], ["filled", 1_011]);
  assertEquals(underruns.recordedFrames, 480);
});

Deno.test("many gaps that end at once are looked into one by one, and those that no news explains not for ever", () => {
  const { pages, underruns } = made();
  let asked = 0;
  Object.defineProperty(pages, "state", {
    get: () => (asked++, state({ resident: "whole", wait: "unasked" })),
  });
  const GAPS = 500;
  const gaps = Array.from({ length: GAPS }, (_, i) => ({ clipId: `${i}`, source: i + 1 }));
  for (const own of gaps) underruns.onGap(event("gapBegin", 1_000, own));
  pages.nowMs = 1_100;
  for (const own of gaps) underruns.onGap(event("gapEnd", 1_100, own));
  assert(asked <= 4 * GAPS, `asked ${asked} times for ${GAPS} gaps`);
  asked = 0;
  underruns.look();
  assert(asked > 0, "their news may still come");
  pages.nowMs = 5_000;
  underruns.look();
  asked = 0;
  underruns.look();
  assertEquals(asked, 0);
});

Deno.test("of gaps that a proxy fills no frame is missing", () => {
  const { underruns } = made();
  underruns.onGap(event("gapBegin", 1_000, { filledBy: "proxy" }));
  underruns.onGap(event("gapEnd", 1_010, { filledBy: "proxy" }));
  const [record] = underruns.list({}).underruns;
  assertEquals([record.frames, record.filledBy, record.forensics?.filledBy], [
    480,
    "proxy",
    "proxy",
  ]);
  assertEquals(underruns.recordedFrames, 0);
});

Deno.test("frames of records that are forgotten stay counted; another renderer begins anew", () => {
  const { underruns } = made();
  for (let i = 0; i < KEPT + 10; i++) {
    underruns.onGap(event("gapBegin", i));
    underruns.onGap(event("gapEnd", i));
  }
  assertEquals(underruns.list({ limit: 10_000 }).underruns.length, KEPT);
  assertEquals(underruns.list({}).total, KEPT + 10);
  assertEquals(underruns.recordedFrames, (KEPT + 10) * 480);
  underruns.onGap(event("gapBegin", 5_000));
  underruns.begin();
  const last = underruns.list({ limit: 10_000 }).underruns.at(-1)!;
  assertEquals([last.ended, underruns.recordedFrames], [true, 0]);
});
