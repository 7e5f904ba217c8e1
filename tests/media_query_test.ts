import { assert, assertEquals, assertThrows } from "@std/assert";
import { columnSamples } from "../engine/media/columns.ts";
import { Fold } from "../engine/media/fold.ts";
import { PeakImage } from "../engine/media/peak_image.ts";
import { BASE_FRAMES } from "../engine/media/peak_layout.ts";
import {
  fromBucketsAlone,
  type PeakQuery,
  queryPeaks,
  selectPlanes,
} from "../engine/media/peak_query.ts";
import { FLOATS_PER_PLANE, Scan, type ScanLibrary } from "../engine/media/scan.ts";
import { type AudioMaterial, makeWav, randomPlanes, seededRandom } from "./support/audio_files.ts";
import { openScans, TemporaryFolder } from "./support/media.ts";
import { naivePeaks } from "./support/naive_peaks.ts";

const PATIENT = { deadlineMs: 1e9 };

/** An open file with its peaks, the first `analysed` buckets of them. */
class Subject implements Disposable {
  readonly image: PeakImage;
  private constructor(readonly material: AudioMaterial, readonly scan: Scan, analysed: number) {
    const { frames, channels, sampleRate, encoding } = scan.info;
    this.image = PeakImage.create({
      frames,
      channels,
      sampleRate,
      compact: encoding === "s16",
      identityKey: new Uint8Array(32),
    });
    const buckets = Math.min(analysed, this.image.levels[0].buckets);
    const out = new Float32Array(buckets * scan.planes * FLOATS_PER_PLANE);
    this.image.append(out, scan.peaks(0, BASE_FRAMES, buckets, out));
  }
  static async open(
    library: ScanLibrary,
    folder: TemporaryFolder,
    material: AudioMaterial,
    analysed = Infinity,
  ): Promise<Subject> {
    const path = await folder.write("query.wav", makeWav(material));
    return new Subject(material, Scan.open(library, path), analysed);
  }
  query(query: PeakQuery, source: { image?: boolean; scan?: boolean } = {}, deadline = PATIENT) {
    const { frames, channels } = this.scan.info;
    return queryPeaks(
      {
        frames,
        channels,
        image: source.image === false ? undefined : this.image,
        scan: source.scan === false ? undefined : this.scan,
      },
      query,
      deadline,
    );
  }
  [Symbol.dispose]() {
    this.scan[Symbol.dispose]();
  }
}

/** Compares columns with the definition over the samples that `samplesOf` gives for each. */
function assertColumns(
  subject: Subject,
  query: PeakQuery,
  samplesOf: (i: number) => [first: number, end: number],
  answer = subject.query(query),
) {
  const { channels, frames } = subject.scan.info;
  const planes = selectPlanes(channels, query.channels ?? "all");
  assertEquals(answer.min.length, planes.length);
  assertEquals(answer.complete, true);
  for (let i = 0; i < query.width; i++) {
    const [first, end] = samplesOf(i).map((x) => Math.max(0, Math.min(frames, x)));
    const naive = first < end
      ? naivePeaks(subject.material, first, end).planes
      : planes.map(() => undefined);
    planes.forEach((plane, p) => {
      const expected = naive[first < end ? plane : p] ?? { min: 0, max: 0, rms: 0 };
      const where = `column ${i} [${first}, ${end}) plane ${plane} of ${Deno.inspect(query)}`;
      assertEquals(answer.min[p][i] + 0, expected.min + 0, `min, ${where}`);
      assertEquals(answer.max[p][i] + 0, expected.max + 0, `max, ${where}`);
      assert(Math.abs(answer.rms[p][i] - expected.rms) < 1e-6, `rms, ${where}`);
    });
  }
}

const FRAMES = 100_003;
const stereo: AudioMaterial = { planes: randomPlanes(21, 2, FRAMES, "s16"), encoding: "s16" };

Deno.test("columns cut a range without gaps or overlaps; a narrow one shows the sample under it", () => {
  const random = seededRandom(5);
  for (let round = 0; round < 500; round++) {
    const start = random() * 1000 * (round % 2 ? 1 : 1e9);
    const width = 1 + Math.floor(random() * 300);
    const end = start + width * (1.5 + random() * 50);
    const { first, end: last } = columnSamples({ start, end, width });
    assertEquals(first[0], Math.floor(start));
    assertEquals(last[width - 1], Math.floor(end));
    for (let i = 1; i < width; i++) assertEquals(first[i], last[i - 1]);
  }
  const narrow = columnSamples({ start: 10.5, end: 12.5, width: 8 });
  assertEquals([...narrow.first], [10, 10, 11, 11, 11, 11, 12, 12]);
  assertEquals([...narrow.end], [11, 11, 12, 12, 12, 12, 13, 13]);
});

Deno.test("any run of buckets folds to what its samples are, from whichever levels", async () => {
  await using library = await openScans();
  await using folder = await TemporaryFolder.make();
  using subject = await Subject.open(library, folder, stereo);
  const { image } = subject;
  const buckets = image.levels[0].buckets;
  const random = seededRandom(6);
  for (let round = 0; round < 40; round++) {
    let start = Math.floor(random() * buckets);
    let end = Math.floor(random() * buckets) + 1;
    if (round % 7 === 0) end = buckets;
    if (round % 11 === 0) start = 0;
    if (start >= end) [start, end] = [end - 1, start + 1];
    const naive = naivePeaks(stereo, start * 256, Math.min(FRAMES, end * 256)).planes;
    naive.forEach((peak, plane) => {
      const fold = new Fold(image, plane);
      fold.addBuckets(start, end);
      assertEquals([fold.min, fold.max], [peak.min, peak.max], `${start} ${end} ${plane}`);
      assertEquals(fold.frames, Math.min(FRAMES, end * 256) - start * 256);
      assert(Math.abs(fold.rms - peak.rms) < 1e-6);
    });
  }
});

Deno.test("columns under 4096 samples are exact whatever their edges", async () => {
  await using library = await openScans();
  await using folder = await TemporaryFolder.make();
  using subject = await Subject.open(library, folder, stereo);
  const queries: PeakQuery[] = [
    { start: 0, end: FRAMES, width: 1000 },
    { start: 0, end: FRAMES, width: 100 },
    { start: 0, end: FRAMES, width: 57, channels: "mix" },
    { start: 0, end: FRAMES, width: 25, channels: [1] },
    { start: 1234, end: 51_234, width: 33, channels: [1, 0, 1] },
    { start: 777.25, end: 40_000.75, width: 61 },
    { start: 99_000, end: FRAMES, width: 2 },
    { start: 10.5, end: 12.5, width: 8 },
    { start: 50_000, end: 50_001, width: 100 },
  ];
  for (const query of queries) {
    const { first, end } = columnSamples(query);
    assertColumns(subject, query, (i) => [first[i], end[i]]);
    // The same before anything is analysed, from samples alone.
    assertColumns(
      subject,
      query,
      (i) => [first[i], end[i]],
      subject.query(query, { image: false }),
    );
  }
});

Deno.test("aligned columns of any width are exact, from buckets alone", async () => {
  await using library = await openScans();
  await using folder = await TemporaryFolder.make();
  using subject = await Subject.open(library, folder, stereo);
  for (
    const [start, column, width] of [[0, 256, 300], [512, 768, 50], [256, 4352, 20], [0, 25_600, 3]]
  ) {
    const query = { start, end: start + column * width, width };
    assert(fromBucketsAlone(query));
    const answer = subject.query(query, { scan: false });
    assertColumns(subject, query, (i) => [start + i * column, start + (i + 1) * column], answer);
  }
});

Deno.test("wide columns move their edges to the nearer bucket, by 1/32 of a column at most", async () => {
  await using library = await openScans();
  await using folder = await TemporaryFolder.make();
  using subject = await Subject.open(library, folder, stereo);
  const cases = [
    { start: 0, end: FRAMES, width: 20, unit: 256 },
    { start: 1000, end: 98_765.4, width: 7, unit: 256 },
    { start: 0, end: FRAMES, width: 6, unit: 1024 },
    { start: 700, end: FRAMES - 700, width: 1, unit: 4096 },
    { start: -1000, end: FRAMES + 70_000, width: 4, unit: 1024 },
  ];
  for (const { unit, ...query } of cases) {
    assert(unit / 2 <= (query.end - query.start) / query.width / 32);
    const { first, end } = columnSamples(query);
    const near = (x: number) => x >= FRAMES ? x : Math.round(x / unit) * unit;
    const answer = subject.query(query, { scan: false });
    assertColumns(subject, query, (i) => [near(first[i]), near(end[i])], answer);
  }
});

Deno.test("what is not analysed yet is NaN; the rest is there and right", async () => {
  await using library = await openScans();
  await using folder = await TemporaryFolder.make();
  using subject = await Subject.open(library, folder, stereo, 100); // 25,600 frames
  const answer = subject.query({ start: 0, end: FRAMES, width: 20 });
  assertEquals(answer.complete, false);
  const known = [...answer.max[0]].map((x) => !Number.isNaN(x));
  assertEquals(known, [true, true, true, true, true, ...Array(15).fill(false)]);
  for (let i = 0; i < 5; i++) {
    const from = Math.round(i * FRAMES / 20 / 256) * 256;
    const to = Math.round((i + 1) * FRAMES / 20 / 256) * 256;
    assertEquals(answer.min[1][i], naivePeaks(stereo, from, to).planes[1].min);
    assertEquals([answer.min[0], answer.max[0], answer.rms[0]].map((p) => Number.isNaN(p[i])), [
      false,
      false,
      false,
    ]);
  }
  // Close up it is complete: samples can be read.
  assertEquals(subject.query({ start: 60_000, end: 70_000, width: 100 }).complete, true);
});

Deno.test("beyond the file is silence, beside it the file", async () => {
  await using library = await openScans();
  await using folder = await TemporaryFolder.make();
  using subject = await Subject.open(library, folder, stereo);
  for (
    const query of [
      { start: -1000, end: 1000, width: 20 },
      { start: FRAMES - 50, end: FRAMES + 50, width: 10 },
      { start: FRAMES + 10, end: FRAMES + 20, width: 5 },
      { start: -500_000, end: -100_000, width: 3 },
    ]
  ) {
    const { first, end } = columnSamples(query);
    assertColumns(subject, query, (i) => [first[i], end[i]]);
  }
});

Deno.test("a deadline leaves the columns that it did not reach, and says so", async () => {
  await using library = await openScans();
  await using folder = await TemporaryFolder.make();
  using subject = await Subject.open(library, folder, stereo);
  let time = 0;
  const answer = subject.query(
    { start: 0, end: FRAMES, width: 500 },
    {},
    { deadlineMs: 4.5, now: () => time++ } as typeof PATIENT,
  );
  assertEquals(answer.complete, false);
  const known = [...answer.max[0]].filter((x) => !Number.isNaN(x)).length;
  assert(known > 0 && known < 500, `${known}`);
});

Deno.test("without the file narrow columns show whole buckets, and the answer is not complete", async () => {
  await using library = await openScans();
  await using folder = await TemporaryFolder.make();
  using subject = await Subject.open(library, folder, stereo);
  const answer = subject.query({ start: 0, end: 2560, width: 100 }, { scan: false });
  assertEquals(answer.complete, false);
  assertEquals(answer.max[0][0], naivePeaks(stereo, 0, 256).planes[0].max);
  assert(answer.max[0].every((x) => !Number.isNaN(x)));
});

Deno.test("queries that make no sense are refused", async () => {
  await using library = await openScans();
  await using folder = await TemporaryFolder.make();
  using subject = await Subject.open(library, folder, stereo);
  for (
    const query of [
      { start: 0, end: 0, width: 1 },
      { start: 5, end: 4, width: 1 },
      { start: NaN, end: 4, width: 1 },
      { start: 0, end: Infinity, width: 1 },
      { start: 0, end: 2 ** 60, width: 1 },
      { start: 0, end: 10, width: 0 },
      { start: 0, end: 10, width: 1.5 },
      { start: 0, end: 10, width: 8193 },
      { start: 0, end: 10, width: 1, channels: [] },
      { start: 0, end: 10, width: 1, channels: [2] },
      { start: 0, end: 10, width: 1, channels: [-1] },
      { start: 0, end: 10, width: 1, channels: [0.5] },
    ]
  ) assertThrows(() => subject.query(query), RangeError);
});
