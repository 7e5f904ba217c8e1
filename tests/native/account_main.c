/* Tests of what the native half tells about itself: account_main <test> … or all. Each ends the process with 1 at its first failure. */
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <string.h>

#include "histogram.h"
#include "overruns.h"
#include "store_support.h"

/* ---- histograms -------------------------------------------------------------------------------------------------- */

static double bounds[LP_HISTOGRAM_BOUNDS];

static void read_bounds(void) { CHECK(lp_histogram_bounds(bounds, LP_HISTOGRAM_BOUNDS) == LP_HISTOGRAM_BOUNDS, "bounds"); }

/* Every value lies in the first bucket whose bound is not less than it. */
static void test_histogram(void) {
  read_bounds();
  CHECK(bounds[0] == 1e3 && bounds[LP_HISTOGRAM_BOUNDS - 1] == 1e10, "from 1 us to 10 s");
  for (int i = 1; i < LP_HISTOGRAM_BOUNDS; i++) CHECK(bounds[i] > bounds[i - 1] && bounds[i] / bounds[i - 1] < 1.6667, "bound %d", i);
  lp_histogram h = {0};
  double expected[LP_HISTOGRAM_BOUNDS + 1] = {0}, sum = 0, max = 0;
  uint64_t random = 5;
  for (int i = 0; i < 20000; i++) {
    /* Over all decades, and the bounds themselves and their neighbours. */
    uint64_t v = i < LP_HISTOGRAM_BOUNDS * 3 ? (uint64_t)bounds[i / 3] - 1 + (uint64_t)(i % 3) : (uint64_t)pow(10, next_random(&random) % 12000 / 1000.0);
    lp_histogram_add(&h, v);
    int place = 0;
    while (place < LP_HISTOGRAM_BOUNDS && (double)v > bounds[place]) place++;
    expected[place]++;
    sum += (double)v;
    if ((double)v > max) max = (double)v;
  }
  double got[LP_HISTOGRAM_BOUNDS + 3];
  CHECK(lp_histogram_read(&h, got, LP_HISTOGRAM_BOUNDS + 3) == LP_HISTOGRAM_BOUNDS + 3, "fields");
  CHECK(got[0] == sum && got[1] == max, "sum %g, max %g", got[0], got[1]);
  for (int i = 0; i <= LP_HISTOGRAM_BOUNDS; i++) CHECK(got[2 + i] == expected[i], "bucket %d: %g, not %g", i, got[2 + i], expected[i]);
  CHECK(lp_histogram_read(&h, got, 1) == 1, "no more than fits");
}

#define ADDERS 4
#define ADDED 20000

static void *add_many(void *context) {
  for (uint64_t i = 1; i <= ADDED; i++) lp_histogram_add(context, i * 1000);
  return NULL;
}

/* Nothing is lost where several add at a time. */
static void test_adders(void) {
  lp_histogram h = {0};
  pthread_t threads[ADDERS];
  for (int i = 0; i < ADDERS; i++) CHECK(pthread_create(&threads[i], NULL, add_many, &h) == 0, "thread");
  for (int i = 0; i < ADDERS; i++) pthread_join(threads[i], NULL);
  double got[LP_HISTOGRAM_BOUNDS + 3], count = 0;
  lp_histogram_read(&h, got, LP_HISTOGRAM_BOUNDS + 3);
  for (int i = 0; i <= LP_HISTOGRAM_BOUNDS; i++) count += got[2 + i];
  CHECK(count == ADDERS * ADDED, "%g counted", count);
  CHECK(got[0] == ADDERS * (ADDED * (ADDED + 1.0) / 2) * 1000 && got[1] == ADDED * 1000.0, "sum and max");
}

/* ---- overruns ---------------------------------------------------------------------------------------------------- */

static void test_overruns(void) {
  lp_overruns o = {0};
  double r[LP_OVERRUNS * 4];
  CHECK(lp_overruns_read(&o, 0, r, LP_OVERRUNS * 4) == 0, "none yet");
  for (uint64_t i = 1; i <= 10; i++) lp_overruns_note(&o, i * MS, i * 2 * MS, MS);
  CHECK(lp_overruns_read(&o, 7, r, LP_OVERRUNS * 4) == 3, "those after 7");
  CHECK(r[0] == 8 && r[1] == 8 && r[2] == 16 && r[3] == 1 && r[8] == 10, "in order");
  CHECK(lp_overruns_read(&o, 0, r, 11) == 2 && r[0] == 1 && r[4] == 2, "as many as fit");
  for (uint64_t i = 11; i <= 100; i++) lp_overruns_note(&o, i * MS, 0, 0);
  CHECK(lp_overruns_read(&o, 0, r, LP_OVERRUNS * 4) == LP_OVERRUNS && r[0] == 100 - LP_OVERRUNS + 1, "the last ones, from %g", r[0]);
}

static void *note_many(void *context) {
  for (uint64_t i = 1; i <= 30000; i++) lp_overruns_note(context, i * MS, i * 2 * MS, i * 3 * MS);
  return NULL;
}

/* A record is whole, or is not told. */
static void test_overruns_whole(void) {
  lp_overruns o = {0};
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, note_many, &o) == 0, "thread");
  double r[LP_OVERRUNS * 4], last = 0;
  while (last < 30000) {
    const uint32_t n = lp_overruns_read(&o, last, r, LP_OVERRUNS * 4);
    for (uint32_t i = 0; i < n; i++) {
      const double *e = r + i * 4;
      CHECK(e[0] > last && e[1] == e[0] && e[2] == 2 * e[0] && e[3] == 3 * e[0], "record %g: %g %g %g after %g", e[0], e[1], e[2], e[3], last);
      last = e[0];
    }
  }
  pthread_join(thread, NULL);
}

/* ---- the fill log ------------------------------------------------------------------------------------------------ */

enum { LOG_ROOM = 64 * LP_FILL_FIELDS };
static double entries[LOG_ROOM];

static uint32_t fills_since(lp_store *st, double since) { return lp_store_fills_read(st, since, entries, LOG_ROOM); }
static double field(uint32_t entry, int i) { return entries[entry * LP_FILL_FIELDS + (uint32_t)i]; }

static double page_state(lp_store *st, const lp_source *s, int64_t page, int i) {
  double state[LP_PAGE_STATE];
  CHECK(lp_store_page_state_read(st, s, page, state, LP_PAGE_STATE) == LP_PAGE_STATE, "state");
  return state[i];
}

/* What came late is told with its times, on the engine's clock; what came in time is not. */
static void test_late_fill(void) {
  sound s = {.kind = S16, .seed = 1, .channels = 2, .frames = 100000};
  make_sound(&s, "late");
  _Atomic uint64_t clock = 1000 * MS;
  lp_store *st = make_stepped(4 * MIB, &clock);
  lp_source *source = open_sound(st, &s);
  lp_origin o = {0};
  CHECK(page_state(st, source, 3, 1) == LP_PAGE_UNASKED && isnan(page_state(st, source, 3, 2)), "nobody has asked");
  want(st, &o, source, 3, LP_TIER_REALTIME, 1100 * MS);
  want(st, &o, source, 8, LP_TIER_REALTIME, 60000 * MS);
  CHECK(page_state(st, source, 3, 1) == LP_PAGE_WAITING && page_state(st, source, 3, 2) == 1000 && page_state(st, source, 3, 5) == 1100, "it waits");
  atomic_store(&clock, 1700 * MS);
  CHECK(lp_store_step(st) == 1 && lp_store_step(st) == 1 && lp_store_step(st) == 0, "two reads");
  CHECK(page_state(st, source, 3, 0) == 2 && page_state(st, source, 3, 1) == LP_PAGE_UNASKED, "it is there");
  CHECK(fills_since(st, 0) == 1, "the late one alone");
  CHECK(field(0, 0) == 1 && field(0, 1) == source->handle && field(0, 2) == 3 && field(0, 3) == 3 * 8192 && field(0, 4) == 8192, "which");
  CHECK(field(0, 5) == 1000 && field(0, 6) == 1000 && field(0, 7) == 1700 && field(0, 8) == 1700 && field(0, 9) == 1100, "when");
  CHECK(field(0, 10) > 0 && field(0, 11) > 0 && field(0, 12) == LP_FILL_FILLED && field(0, 13) == 0, "how");
  CHECK(field(0, 14) == (double)lp_volume_id(&source->identity), "where");
  CHECK(fills_since(st, 1) == 0, "once");
  double h[LP_HISTOGRAM_BOUNDS + 3];
  lp_store_histogram_read(st, LP_STORE_QUEUE_REALTIME, h, LP_HISTOGRAM_BOUNDS + 3);
  CHECK(h[0] == 1400.0 * MS && h[1] == 700.0 * MS, "both waited for 700 ms: %g in all", h[0]);
  lp_source_unref(source);
  CHECK(lp_store_destroy(st) == 0, "threads left");
}

/* A read that fails is told whoever asked, with its errno. */
static void test_failed_fill(void) {
  sound s = {.kind = S24, .seed = 2, .channels = 2, .frames = 50000};
  make_sound(&s, "failed");
  _Atomic uint64_t clock = 1000 * MS;
  lp_store *st = make_stepped(4 * MIB, &clock);
  lp_source *source = open_sound(st, &s);
  lp_origin o = {0};
  atomic_store(&read_fault, -EIO);
  want(st, &o, source, 2, LP_TIER_ANTICIPATIVE, 60000 * MS);
  CHECK(lp_store_step(st) == 1, "a read");
  atomic_store(&read_fault, 0);
  CHECK(fills_since(st, 0) == 1 && field(0, 2) == 2 && field(0, 12) == LP_FILL_FAILED && field(0, 13) == EIO, "outcome %g", field(0, 12));
  double v[LP_VOLUME_STATS], f[LP_SOURCE_STATS];
  CHECK(lp_store_volume_stats_read(st, v, LP_VOLUME_STATS) == 1 && v[10] == 1 && v[9] == 0, "an error of the volume");
  CHECK(lp_store_source_stats_read(st, NULL, f, LP_SOURCE_STATS) == 1 && f[0] == source->handle && f[7] == 1 && f[2] == 0, "of the source");
  lp_source_unref(source);
  CHECK(lp_store_destroy(st) == 0, "threads left");
}

/* Bytes are those of the file, and each is counted once: by the source, by its volume, in all. */
static void test_bytes(void) {
  sound s = {.kind = S24, .seed = 3, .channels = 2, .frames = 50000}, t = {.kind = S16, .seed = 4, .channels = 1, .frames = 90000};
  make_sound(&s, "bytes-s");
  make_sound(&t, "bytes-t");
  _Atomic uint64_t clock = 1000 * MS;
  lp_store *st = make_stepped(4 * MIB, &clock);
  lp_source *a = open_sound(st, &s), *b = open_sound(st, &t);
  lp_origin o = {0};
  for (int64_t i = 0; i < a->pages; i++) want(st, &o, a, i, LP_TIER_REALTIME, 60000 * MS);
  for (int64_t i = 0; i < b->pages; i++) want(st, &o, b, i, LP_TIER_REALTIME, 60000 * MS);
  while (lp_store_step(st) == 1) {
  }
  double f[2 * LP_SOURCE_STATS], v[LP_VOLUME_STATS];
  CHECK(lp_store_source_stats_read(st, NULL, f, 2 * LP_SOURCE_STATS) == 2, "two sources");
  double all = 0;
  for (int i = 0; i < 2; i++) all += f[i * LP_SOURCE_STATS + 2];
  CHECK(all == 50000.0 * 6 + 90000.0 * 2, "%g bytes", all);
  lp_source *unread = open_sound(st, &t);
  CHECK(lp_store_source_stats_read(st, b, f, LP_SOURCE_STATS) == 1 && f[0] == b->handle && f[2] == 90000.0 * 2, "%g bytes of one", f[2]);
  CHECK(lp_store_source_stats_read(st, unread, f, LP_SOURCE_STATS) == 1 && f[1] == 0, "of one of which nothing was read");
  CHECK(lp_store_source_stats_read(st, NULL, f, 0) == 2, "it is not among those that were");
  lp_source_unref(unread);
  CHECK(lp_store_volume_stats_read(st, v, LP_VOLUME_STATS) == 1 && v[1] == 2 && v[5] == all, "%g bytes of the volume", v[5]);
  CHECK(v[9] == (double)(a->pages + b->pages), "%g pages", v[9]);
  CHECK(v[6] > 0 && v[7] > 0 && v[13] > 0 && v[14] >= v[13] && v[12] == 0, "times; the clock stood");
  double r[LP_HISTOGRAM_BOUNDS + 3], blocks = 0;
  lp_store_histogram_read(st, LP_STORE_READ, r, LP_HISTOGRAM_BOUNDS + 3);
  for (int i = 0; i <= LP_HISTOGRAM_BOUNDS; i++) blocks += r[2 + i];
  CHECK(blocks == v[4], "%g blocks in the histogram, %g of the volume", blocks, v[4]);
  lp_source_unref(a);
  lp_source_unref(b);
  CHECK(lp_store_destroy(st) == 0, "threads left");
}

/* A volume is busy while it is read from, and not while nobody does: bytes by busy time is what it gives, on the engine's clock. */
static void test_busy(void) {
  sound s = {.kind = S16, .seed = 8, .channels = 2, .frames = 500000};
  make_sound(&s, "busy");
  _Atomic uint64_t clock = 1000 * MS;
  lp_store *st = make_stepped(8 * MIB, &clock);
  lp_source *source = open_sound(st, &s);
  lp_origin o = {0};
  atomic_store(&read_takes_ns, 40 * MS);
  atomic_store(&read_clock, &clock);
  uint32_t reads = 0;
  for (int64_t i = 0; i < source->pages; i++) want(st, &o, source, i, LP_TIER_REALTIME, 600000 * MS);
  while (lp_store_step(st) == 1) {
    reads++;
    atomic_fetch_add(&clock, 7000 * MS); /* nobody reads */
  }
  atomic_store(&read_clock, NULL);
  double v[LP_VOLUME_STATS];
  CHECK(lp_store_volume_stats_read(st, v, LP_VOLUME_STATS) == 1 && v[4] == reads && v[5] == 500000.0 * 4, "%g blocks, %g bytes", v[4], v[5]);
  CHECK(v[12] == reads * 40.0, "busy for %g ms", v[12]);
  lp_source_unref(source);
  CHECK(lp_store_destroy(st) == 0, "threads left");
}

/* Asking again for what is there is a page found; for what is queued, neither. */
static void test_found(void) {
  sound s = {.kind = S16, .seed = 5, .channels = 2, .frames = 50000};
  make_sound(&s, "found");
  _Atomic uint64_t clock = 1000 * MS;
  lp_store *st = make_stepped(4 * MIB, &clock);
  lp_source *source = open_sound(st, &s);
  lp_origin o = {0};
  double c[21];
  for (int i = 0; i < 2; i++) want(st, &o, source, 1, LP_TIER_REALTIME, 2000 * MS);
  while (lp_store_step(st) == 1) {
  }
  for (int i = 0; i < 3; i++) want(st, &o, source, 1, LP_TIER_REALTIME, 2000 * MS);
  CHECK(lp_store_counters_read(st, c, 21) == 21 && c[19] == 3 && c[20] == 1, "%g found, %g queued", c[19], c[20]);
  lp_source_unref(source);
  CHECK(lp_store_destroy(st) == 0, "threads left");
}

/* A read that hangs is seen while it does, told when it is found hanging, and is busy time and latency of its volume. */
static void test_stall(void) {
  sound s = {.kind = S16, .seed = 6, .channels = 2, .frames = 50000};
  make_sound(&s, "stall");
  lp_store *st = make_store(4 * MIB, 1);
  lp_source *source = open_sound(st, &s);
  lp_origin o = {.sticky = true};
  atomic_store(&reads_hang, true);
  want(st, &o, source, 3, LP_TIER_REALTIME, real_now(NULL));
  while (atomic_load(&reads_hanging) == 0) sleep_ms(1);
  const double asked = page_state(st, source, 3, 2), begun = page_state(st, source, 3, 4);
  CHECK(page_state(st, source, 3, 1) == LP_PAGE_READING && begun >= asked, "asked at %g, begun at %g", asked, begun);
  while (cause_at(source, 3) != LP_CAUSE_STALLED) {
    want(st, &o, source, 3, LP_TIER_REALTIME, real_now(NULL)); /* whoever asks looks for stalls */
    sleep_ms(10);
  }
  CHECK(page_state(st, source, 3, 1) == LP_PAGE_STALLED && page_state(st, source, 3, 4) == begun, "stalled");
  CHECK(fills_since(st, 0) == 1 && field(0, 2) == 3 && field(0, 12) == LP_FILL_STALLED && field(0, 5) == asked && field(0, 7) == begun, "told");
  CHECK(field(0, 8) - begun >= 499, "after half a second, not %g ms", field(0, 8) - begun);
  double v[LP_VOLUME_STATS];
  CHECK(lp_store_volume_stats_read(st, v, LP_VOLUME_STATS) == 1 && v[3] == 1 && v[11] == 1, "of the volume");
  CHECK(v[12] >= 499, "it was busy all the while, not for %g ms", v[12]);
  atomic_store(&reads_hang, false);
  await_page(st, source, 3);
  CHECK(lp_store_volume_stats_read(st, v, LP_VOLUME_STATS) == 1 && v[14] >= 499 && v[3] == 0, "the longest wait: %g ms", v[14]);
  const uint32_t n = fills_since(st, 1);
  bool came = false;
  for (uint32_t i = 0; i < n; i++) came = came || (field(i, 2) == 3 && field(i, 12) == LP_FILL_FILLED && field(i, 5) == asked);
  CHECK(came, "what came of it in the end is told too");
  double f[LP_SOURCE_STATS];
  CHECK(lp_store_source_stats_read(st, NULL, f, LP_SOURCE_STATS) == 1 && f[8] == 1, "of the source");
  lp_store_remove_origin(st, &o);
  lp_source_unref(source);
  CHECK(lp_store_destroy(st) == 0, "threads left");
}

/* ---- all of them ------------------------------------------------------------------------------------------------- */

static const test TESTS[] = {
    {"histogram", test_histogram},         {"adders", test_adders},       {"overruns", test_overruns}, {"overruns-whole", test_overruns_whole},
    {"late-fill", test_late_fill},         {"failed-fill", test_failed_fill}, {"bytes", test_bytes},   {"found", test_found},
    {"busy", test_busy},                   {"stall", test_stall},
};

int main(int argc, char **argv) {
  atexit(end_files);
  setvbuf(stdout, NULL, _IOLBF, 0);
  return run_tests("account_main", TESTS, sizeof TESTS / sizeof *TESTS, argc, argv);
}
