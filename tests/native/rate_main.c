/* Tests of pages at another rate than their file's: rate_main <test> … or all. Each ends the process with 1 at its first failure.
 *
 * What a page must hold is computed apart from the store: the whole file is converted at once, and every page is compared with its part of that,
 * bit for bit. So contents depend neither on the order of filling, nor on threads, cursors, the length of steps or where pages begin. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "files.h"
#include "resample.h"
#include "store_support.h"

/* ---- what must be there ------------------------------------------------------------------------------------------- */

typedef struct converted {
  int64_t frames;
  float *plane[LP_MAX_CHANNELS];
} converted;

static converted convert(const sound *s, uint32_t engine_rate) {
  const lp_resampler *r;
  CHECK(lp_resampler_open(s->rate, engine_rate, &r) == LP_OK, "%u to %u", s->rate, engine_rate);
  converted c = {.frames = lp_resampled_frames(r, s->frames)};
  int64_t first, input;
  lp_resample_span(r, 0, c.frames, &first, &input);
  float *in = malloc((size_t)input * sizeof *in);
  void *scratch;
  CHECK(in && !posix_memalign(&scratch, 64, r->scratch_bytes), "memory");
  for (uint32_t i = 0; i < s->channels; i++) {
    for (int64_t f = 0; f < input; f++) in[f] = expected(s, first + f, i);
    c.plane[i] = malloc((size_t)c.frames * sizeof(float));
    CHECK(c.plane[i], "memory");
    lp_resample(r, 0, c.frames, in, c.plane[i], scratch);
  }
  free(scratch);
  free(in);
  lp_resampler_close(r);
  return c;
}

static void forget(converted *c) {
  for (uint32_t i = 0; i < LP_MAX_CHANNELS; i++) free(c->plane[i]);
}

/* [control] Frames [from, to) of the source, all resident, are those. */
static void check_frames(const sound *s, const lp_source *source, const converted *c, int64_t from, int64_t to) {
  float *planes[LP_MAX_CHANNELS];
  for (uint32_t i = 0; i < s->channels; i++) planes[i] = malloc(LP_F32_PAGE_FRAMES * sizeof(float));
  for (int64_t at = from; at < to;) {
    int32_t n = to - at < LP_F32_PAGE_FRAMES ? (int32_t)(to - at) : LP_F32_PAGE_FRAMES;
    CHECK(lp_source_run(source, at, n, NULL) == n, "%s: frame %lld is not there", s->path, (long long)at);
    lp_source_read(source, at, n, planes);
    for (uint32_t i = 0; i < s->channels; i++) {
      for (int32_t k = 0; k < n; k++) {
        CHECK(planes[i][k] == c->plane[i][at + k], "%s at %u Hz: frame %lld of channel %u is %a, not %a", s->path, s->rate, (long long)at + k, i,
              (double)planes[i][k], (double)c->plane[i][at + k]);
      }
    }
    at += n;
  }
  for (uint32_t i = 0; i < s->channels; i++) free(planes[i]);
}

static lp_store *store_at(uint32_t rate, double bytes, uint32_t threads, _Atomic uint64_t *clock) {
  lp_store_config c = {.sample_rate = rate, .slab_bytes = bytes, .threads = threads, .now_ns = clock ? set_now : real_now, .context = clock, .single_step = clock != NULL};
  lp_store *st = lp_store_create(&c);
  CHECK(st, "no store");
  return st;
}

static lp_source *open_at(lp_store *st, const sound *s, const converted *c) {
  lp_source *out;
  lp_source_info info;
  int r = lp_store_open_source(st, s->path, 1, &out, &info);
  CHECK(r == LP_OK, "%s: %d, why %u (%g)", s->path, r, info.why, info.why_value);
  CHECK(out->frames == c->frames && info.engine_frames == (double)c->frames && info.frames == (double)s->frames, "%s: %lld frames, not %lld", s->path,
        (long long)out->frames, (long long)c->frames);
  CHECK(!out->s16 && info.sample_rate == s->rate && info.page_frames == LP_F32_PAGE_FRAMES, "%s: wrong format", s->path);
  return out;
}

/* ---- tests --------------------------------------------------------------------------------------------------------- */

typedef struct pair {
  uint32_t from, to, channels;
  enum kind kind;
  int64_t frames;
} pair;

static const pair PAIRS[] = {
    {44100, 48000, 2, S16, 100001}, {48000, 44100, 1, S24, 90000},   {96000, 48000, 6, F32, 60000}, {8000, 48000, 2, S16, 20011},
    {192000, 44100, 2, F32, 130003}, {384000, 8000, 8, S16, 400000}, {8000, 384000, 1, S24, 2500},  {44101, 48000, 2, S16, 30000},
    {22050, 44100, 3, S16, 30000},  {11025, 96000, 2, S16, 9000},    {47999, 44100, 2, F32, 50000}, {48000, 16000, 1, S16, 1},
    {32000, 48000, 2, S16, 269},
};
#define PAIR_COUNT (int)(sizeof PAIRS / sizeof *PAIRS)

/* Pages that fit are filled in random order, with the place to begin chosen at random, then dropped, and so on. */
static void test_random_order(void) {
  for (int n = 0; n < PAIR_COUNT; n++) {
    const pair *p = &PAIRS[n];
    sound s = {.kind = p->kind, .seed = (uint32_t)n, .channels = p->channels, .frames = p->frames, .rate = p->from};
    make_sound(&s, "rate");
    converted c = convert(&s, p->to);
    for (uint32_t threads = 1; threads <= 8; threads = threads == 1 ? 2 : threads * 4) {
      lp_store *st = store_at(p->to, 64 * MIB, threads, NULL);
      lp_source *source = open_at(st, &s, &c);
      lp_origin o = {0};
      uint64_t random = threads + 100 * (uint64_t)n;
      for (int round = 0; round < (QUICK ? 1 : 3); round++) {
        for (int64_t k = 0; k < 3 * source->pages && k < 300; k++) {
          lp_want w = {.source = source, .page = next_random(&random) % (uint64_t)source->pages, .tier = LP_TIER_REALTIME, .deadline_ns = next_random(&random)};
          w.first_frame = (int32_t)(next_random(&random) % LP_F32_PAGE_FRAMES);
          lp_store_want(st, &o, &w, 1, NULL);
        }
        for (int64_t page = 0; page < source->pages; page++) want(st, &o, source, page, LP_TIER_REALTIME, 1);
        for (int64_t page = 0; page < source->pages; page++) await_page(st, source, page);
        check_frames(&s, source, &c, 0, c.frames);
        lp_store_drop_all(st);
      }
      lp_store_remove_origin(st, &o);
      lp_source_unref(source);
      lp_store_destroy(st);
    }
    forget(&c);
  }
}

/* A linear run reads every frame of the file once: the filter's tail goes with the cursor. */
static void test_cursor(void) {
  for (int n = 0; n < PAIR_COUNT; n++) {
    const pair *p = &PAIRS[n];
    sound s = {.kind = p->kind, .seed = 7, .channels = p->channels, .frames = p->frames, .rate = p->from};
    make_sound(&s, "cursor");
    converted c = convert(&s, p->to);
    _Atomic uint64_t clock = 0;
    lp_store *st = store_at(p->to, 64 * MIB, 1, &clock);
    lp_source *source = open_at(st, &s, &c);
    lp_origin o = {0};
    uint64_t bytes = (uint64_t)s.frames * s.channels * (s.kind == S16 ? 2 : s.kind == S24 ? 3 : 4);
    for (int64_t page = 0; page < source->pages; page++) {
      want(st, &o, source, page, LP_TIER_REALTIME, 0);
      int64_t before = 0, first = page * LP_F32_PAGE_FRAMES;
      while (lp_store_step(st)) {
        /* What is there is right, and it grows with each step. */
        int64_t run = lp_source_run(source, first, LP_F32_PAGE_FRAMES, NULL);
        CHECK(run > before, "%u to %u: a step without a frame", p->from, p->to);
        if (run > c.frames - first) run = c.frames - first;
        check_frames(&s, source, &c, first + before, first + run);
        before = run;
      }
      CHECK(is_resident(source, page), "page %lld of %u to %u", (long long)page, p->from, p->to);
    }
    CHECK((uint64_t)counter_of(st, 5) == bytes, "%u to %u: %.0f bytes were read, the file has %llu", p->from, p->to, counter_of(st, 5), (unsigned long long)bytes);
    lp_store_remove_origin(st, &o);
    lp_source_unref(source);
    lp_store_destroy(st);
    forget(&c);
  }
}

/* Two heads that take turns on one source have a cursor each. */
static void test_two_heads(void) {
  sound s = {.kind = S16, .channels = 2, .frames = 400000, .rate = 44100};
  make_sound(&s, "heads");
  converted c = convert(&s, RATE);
  _Atomic uint64_t clock = 0;
  lp_store *st = store_at(RATE, 64 * MIB, 1, &clock);
  lp_source *source = open_at(st, &s, &c);
  lp_origin o = {0};
  int64_t half = source->pages / 2;
  for (int64_t k = 0; k < half; k++) {
    for (int head = 0; head < 2; head++) {
      want(st, &o, source, k + head * half, LP_TIER_REALTIME, 0);
      while (lp_store_step(st)) {}
    }
  }
  check_frames(&s, source, &c, 0, half * 2 * LP_F32_PAGE_FRAMES);
  double bytes = counter_of(st, 5), least = (double)(half * 2) * LP_F32_PAGE_FRAMES * 44100 / 48000 * 4;
  CHECK(bytes < least + 3 * 270 * 4, "%.0f bytes were read, %.0f are needed", bytes, least);
  lp_store_remove_origin(st, &o);
  lp_source_unref(source);
  lp_store_destroy(st);
  forget(&c);
}

/* Reads that fail, and files that end before they should, are told as such and heal. */
static void test_faults(void) {
  sound s = {.kind = S16, .channels = 2, .frames = 60000, .rate = 44100};
  make_sound(&s, "faults");
  converted c = convert(&s, RATE);
  _Atomic uint64_t clock = 1;
  lp_store *st = store_at(RATE, 64 * MIB, 1, &clock);
  lp_source *source = open_at(st, &s, &c);
  lp_origin o = {0};
  atomic_store(&read_fault, -EIO);
  want(st, &o, source, 3, LP_TIER_REALTIME, 0);
  while (lp_store_step(st)) {}
  CHECK(cause_at(source, 3) == LP_CAUSE_READ && counter_of(st, 12) == 1, "cause %u, %g errors", cause_at(source, 3), counter_of(st, 12));
  atomic_store(&read_fault, 0);
  atomic_fetch_add(&clock, 10000 * MS);
  atomic_store(&read_shortfall, 5);
  want(st, &o, source, 3, LP_TIER_REALTIME, 0);
  while (lp_store_step(st)) {}
  CHECK(cause_at(source, 3) == LP_CAUSE_READ && counter_of(st, 12) == 2, "cause %u, %g errors", cause_at(source, 3), counter_of(st, 12));
  atomic_store(&read_shortfall, 0);
  atomic_fetch_add(&clock, 10000 * MS);
  for (int64_t page = source->pages - 1; page >= 0; page--) want(st, &o, source, page, LP_TIER_REALTIME, 0);
  while (lp_store_step(st)) {}
  check_frames(&s, source, &c, 0, c.frames);
  lp_store_remove_origin(st, &o);
  lp_source_unref(source);
  lp_store_destroy(st);
  forget(&c);
}

static void test_refused(void) {
  static const uint32_t odd[] = {1, 4000, 7999, 384001, 768000};
  lp_store *st = store_at(RATE, MIB, 1, NULL);
  for (unsigned i = 0; i < sizeof odd / sizeof *odd; i++) {
    sound s = {.kind = S16, .channels = 1, .frames = 10, .rate = odd[i]};
    make_sound(&s, "odd");
    lp_source *out;
    lp_source_info info;
    int r = lp_store_open_source(st, s.path, 1, &out, &info);
    CHECK(r == LP_E_UNSUPPORTED && info.why == LP_WHY_RATE && info.why_value == odd[i], "%u Hz: %d, why %u (%g)", odd[i], r, info.why, info.why_value);
  }
  lp_store_destroy(st);
}

/* The scratch that a worker has is enough for every pair of rates. */
static void test_scratch(void) {
  if (QUICK) return; /* arithmetic alone */
  static const uint32_t rates[] = {8000, 11025, 12000, 16000, 22050, 24000, 32000, 37800, 44056, 44100, 47952, 48000, 48048, 64000, 88200, 96000, 176400, 192000, 352800, 383999, 384000};
  enum { N = sizeof rates / sizeof *rates };
  for (int a = 0; a < N; a++) {
    for (int b = 0; b < N; b++) {
      if (a == b) continue;
      for (int kind = LP_RESAMPLE_PLAIN; kind <= LP_RESAMPLE_AVX512; kind++) {
        lp_source s = {.channels = LP_MAX_CHANNELS, .format = {.frame_bytes = 8 * LP_MAX_CHANNELS}};
        if (lp_resampler_open_kind(rates[a], rates[b], (lp_resample_kind)kind, &s.resampler) != LP_OK) continue;
        CHECK(lp_rate_fits(&s) == LP_OK, "%u to %u: %zu bytes of scratch", rates[a], rates[b], s.resampler->scratch_bytes);
        CHECK(lp_rate_cursor.capacity(&s, LP_READ_BYTES) >= 1, "%u to %u", rates[a], rates[b]);
        lp_resampler_close(s.resampler);
      }
    }
  }
}

static const test TESTS[] = {
    {"random-order", test_random_order}, {"cursor", test_cursor}, {"two-heads", test_two_heads}, {"faults", test_faults}, {"refused", test_refused}, {"scratch", test_scratch},
};

int main(int argc, char **argv) {
  atexit(end_files);
  setvbuf(stdout, NULL, _IOLBF, 0);
  return run_tests("rate_main", TESTS, sizeof TESTS / sizeof *TESTS, argc, argv);
}
