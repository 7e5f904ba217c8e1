/* Tests of the resampler: resample_main <test> … or all; resample_main report prints what its meter reads. Each ends the process with 1 at its
 * first failure. */
#include <math.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "engine.h"
#include "resample_meter.h"

__extension__ typedef __int128 exact;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED true
#else
#define SANITIZED false
#endif

typedef struct rates {
  uint32_t in, out;
} rates;

static const uint32_t PROJECT_RATES[] = {48000, 44100};
static const uint32_t FILE_RATES[] = {8000, 11025, 16000, 22050, 32000, 88200, 96000, 192000};

/* Ratios with a long period, or with none that a table could hold. */
static const rates AWKWARD[] = {
    {44101, 48000}, {48000, 44101}, {48048, 48000},  {47952, 48000}, {44056, 48000},  {22254, 44100},
    {11127, 48000}, {96000, 44099}, {383999, 96001}, {8001, 383999}, {383999, 8001}, {8000, 384000},
    {384000, 8000}, {384000, 8192}, {44144, 48000},  {37800, 44100},
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

static int kinds(lp_resample_kind *out) {
  static const lp_resample_kind ALL[] = {LP_RESAMPLE_PLAIN, LP_RESAMPLE_AVX2, LP_RESAMPLE_AVX512};
  int n = 0;
  for (unsigned i = 0; i < COUNT(ALL); i++) {
    const lp_resampler *r;
    int result = lp_resampler_open_kind(44100, 48000, ALL[i], &r);
    CHECK(result == LP_OK || result == LP_E_UNSUPPORTED, "kind %d: %d", (int)ALL[i], result);
    if (result != LP_OK) continue;
    out[n++] = ALL[i];
    lp_resampler_close(r);
  }
  return n;
}

static bool rounds_products(const lp_resampler *r) { return strcmp(r->kernel, "plain") == 0; }

/* ---- against the definition --------------------------------------------------------------------------------- */

/* Some outputs of noise, at both ends of the material and inside, against long double. */
static void check_reference(rates at, lp_resample_kind kind, int64_t frames, int64_t checked) {
  const lp_resampler *r = open_rates(at.in, at.out, kind);
  material m = make_noise(frames, at.in * 31 + at.out);
  int64_t length = lp_resampled_frames(r, frames);
  float *out = malloc((size_t)length * sizeof *out);
  convert(r, &m, 0, length, out);
  double error = 0, power = 0, worst = 0, peak = 0;
  uint64_t random = 7;
  for (int64_t i = 0; i < checked; i++) {
    int64_t n = i < checked / 4 ? i : i < checked / 2 ? length - 1 - (i - checked / 4) : (int64_t)(next_random(&random) % (uint64_t)length);
    if (n < 0 || n >= length) continue;
    double expected = (double)reference(r, &m, n), off = fabs(out[n] - expected);
    error += off * off;
    power += expected * expected;
    if (off > worst) worst = off;
    if (fabs(expected) > peak) peak = fabs(expected);
  }
  /* Rounding a result once puts noise at about -152 dB of it; the rest is room for sums in float. */
  double level = 10 * log10(error / power), bound = checked < 50 ? -140 : rounds_products(r) ? -148.5 : -149;
  CHECK(level < bound, "%u to %u Hz by %s: error %.1f dB", at.in, at.out, r->kernel, level);
  CHECK(worst < 3e-7 * peak, "%u to %u Hz by %s: worst error %g of %g", at.in, at.out, r->kernel, worst, peak);
  free(out);
  free(m.samples);
  lp_resampler_close(r);
}

static void test_reference(void) {
  for (unsigned p = 0; p < COUNT(PROJECT_RATES); p++) {
    for (unsigned i = 0; i < COUNT(FILE_RATES); i++) check_reference((rates){FILE_RATES[i], PROJECT_RATES[p]}, LP_RESAMPLE_BEST, 6000, SANITIZED ? 20 : 200);
    check_reference((rates){PROJECT_RATES[p], PROJECT_RATES[1 - p]}, LP_RESAMPLE_BEST, 6000, SANITIZED ? 20 : 200);
  }
  check_reference((rates){44100, 48000}, LP_RESAMPLE_PLAIN, 6000, SANITIZED ? 20 : 200);
  check_reference((rates){96000, 44100}, LP_RESAMPLE_PLAIN, 6000, SANITIZED ? 20 : 200);
}

static void test_awkward(void) {
  for (unsigned i = 0; i < COUNT(AWKWARD); i++) {
    bool long_filter = AWKWARD[i].in > 20 * AWKWARD[i].out;
    check_reference(AWKWARD[i], LP_RESAMPLE_BEST, long_filter ? 40000 : 3000, SANITIZED || long_filter ? 8 : 80);
  }
  check_reference((rates){44101, 48000}, LP_RESAMPLE_PLAIN, 3000, SANITIZED ? 8 : 80);
}

/* ---- bits --------------------------------------------------------------------------------------------------- */

/* Every piece of any size, in any order, by any kernel that fuses equals the whole; the one that does not is near it. */
static void check_pieces(rates at, int64_t origin, int64_t length, int pieces) {
  lp_resample_kind kind[3];
  int n = kinds(kind);
  const lp_resampler *whole = open_rates(at.in, at.out, kind[n - 1]);
  int64_t from, count;
  lp_resample_span(whole, origin, length, &from, &count);
  /* Frames of material, seen from `from` on. */
  float *in = malloc((size_t)count * sizeof *in), *expected = malloc((size_t)length * sizeof *expected);
  uint64_t random = at.in + at.out * 3u;
  for (int64_t i = 0; i < count; i++) in[i] = (float)((double)next_random(&random) / 1073741824.0 - 1);
  void *scratch = NULL;
  CHECK(posix_memalign(&scratch, 64, whole->scratch_bytes + 64) == 0, "no memory");
  lp_resample(whole, origin, length, in, expected, scratch);
  free(scratch);
  for (int k = 0; k < n; k++) {
    const lp_resampler *r = open_rates(at.in, at.out, kind[k]);
    CHECK(posix_memalign(&scratch, 64, r->scratch_bytes + 64) == 0, "no memory");
    for (int i = 0; i < pieces; i++) {
      static const int64_t SIZES[] = {1, 2, 5, 64, 128, 441, 511, 4096, 4096, 4097};
      int64_t size = i % 4 == 3 ? 1 + next_random(&random) % 6000 : SIZES[next_random(&random) % COUNT(SIZES)];
      if (size > length) size = length;
      int64_t first = i == 0 ? 0 : i == 1 ? length - size : (int64_t)(next_random(&random) % (uint64_t)(length - size + 1));
      if (i % 5 == 4) first = first / 4096 * 4096;
      int64_t begin, frames;
      lp_resample_span(r, origin + first, size, &begin, &frames);
      CHECK(begin >= from && begin + frames <= from + count, "span");
      /* Copies, so that a sanitizer sees what is read or written beyond. */
      float *part = malloc((size_t)frames * sizeof *part), *out = malloc((size_t)size * sizeof *out);
      memcpy(part, in + (begin - from), (size_t)frames * sizeof *part);
      lp_resample(r, origin + first, size, part, out, scratch);
      for (int64_t j = 0; j < size; j++) {
        if (rounds_products(r))
          CHECK(fabsf(out[j] - expected[first + j]) <= 0x1p-22f, "%u to %u Hz, %s, frame %lld: %.9g, not %.9g", at.in, at.out, r->kernel,
                (long long)(first + j), out[j], expected[first + j]);
        else
          CHECK(memcmp(out + j, expected + first + j, 4) == 0, "%u to %u Hz, %s, frame %lld of %lld at %lld: %.9g, not %.9g", at.in, at.out, r->kernel,
                (long long)j, (long long)size, (long long)(origin + first), out[j], expected[first + j]);
      }
      free(part);
      free(out);
    }
    free(scratch);
    lp_resampler_close(r);
  }
  free(in);
  free(expected);
  lp_resampler_close(whole);
}

static void test_bits(void) {
  int pieces = SANITIZED ? 12 : 60;
  for (unsigned p = 0; p < COUNT(PROJECT_RATES); p++) {
    for (unsigned i = 0; i < COUNT(FILE_RATES); i++) check_pieces((rates){FILE_RATES[i], PROJECT_RATES[p]}, 0, 20000, pieces);
    check_pieces((rates){PROJECT_RATES[p], PROJECT_RATES[1 - p]}, 0, 50000, pieces);
  }
  for (unsigned i = 0; i < COUNT(AWKWARD); i++) check_pieces(AWKWARD[i], 1000, AWKWARD[i].in > 20 * AWKWARD[i].out ? 3000 : 15000, pieces / 6);
}

/* The bits themselves, which are the same on every machine that fuses: what is kept under a content address may come from another one. Whoever changes
 * them on purpose takes new sums from here. */
static void test_golden(void) {
  static const struct {
    rates at;
    uint64_t sum;
  } GOLDEN[] = {
      {{44100, 48000}, 0x850e55ba7ec81f29}, {{48000, 44100}, 0x9559cfd5caebc962}, {{96000, 48000}, 0x960c9e589f80e02b}, {{48000, 16000}, 0x6cafe01d77372287},
      {{44101, 48000}, 0x64526c6e5d2ebc4f}, {{48048, 48000}, 0xbcbeeadab14c03e4}, {{8000, 44100}, 0x699f5ded880036c6},
  };
  enum { FRAMES = 5000 };
  static float out[FRAMES];
  for (unsigned i = 0; i < COUNT(GOLDEN); i++) {
    const lp_resampler *r = open_rates(GOLDEN[i].at.in, GOLDEN[i].at.out, LP_RESAMPLE_BEST);
    int64_t first, frames;
    lp_resample_span(r, 777, FRAMES, &first, &frames);
    material m = make_noise(frames, i);
    void *scratch = NULL;
    CHECK(posix_memalign(&scratch, 64, r->scratch_bytes) == 0, "no memory");
    lp_resample(r, 777, FRAMES, m.samples, out, scratch);
    uint64_t sum = 0xcbf29ce484222325; /* FNV-1a */
    for (size_t j = 0; j < sizeof out; j++) sum = (sum ^ ((const uint8_t *)out)[j]) * 0x100000001b3;
    CHECK(rounds_products(r) || sum == GOLDEN[i].sum, "%u to %u Hz by %s: %#llx", GOLDEN[i].at.in, GOLDEN[i].at.out, r->kernel, (unsigned long long)sum);
    free(scratch);
    free(m.samples);
    lp_resampler_close(r);
  }
}

/* Before frame 0 too: a renderer may ask for what comes before the material. */
static void test_far(void) {
  static const int64_t FAR[] = {-50000, -7, 1ll << 31, (1ll << 32) - 5, 1ll << 33, (1ll << 33) * 3 + 1, 1ll << 45, (1ll << 53) - 9000};
  static const rates RATES[] = {{44100, 48000}, {48000, 44100}, {96000, 48000}, {48000, 16000}, {44101, 48000}, {384000, 8001}};
  for (unsigned k = 0; k < COUNT(RATES); k++) {
    const lp_resampler *r = open_rates(RATES[k].in, RATES[k].out, LP_RESAMPLE_BEST);
    uint64_t random = k;
    for (int i = 0; i < 20000; i++) {
      int64_t n = (int64_t)((uint64_t)next_random(&random) << 31 ^ next_random(&random)) % (1ll << 53), at;
      if (i % 3 == 0) n = -n;
      if (i % 3 == 1) n >>= next_random(&random) % 53;
      uint32_t phase;
      lp_resample_position(r, n, &at, &phase);
      CHECK(phase < r->up && (exact)at * r->up + phase == (exact)n * r->down, "%lld · %u / %u is not %lld + %u", (long long)n, r->down, r->up,
            (long long)at, phase);
      int64_t frames = n < 0 ? -n : n, length = lp_resampled_frames(r, frames);
      CHECK((exact)length * r->down >= (exact)frames * r->up && (exact)(length - 1) * r->down < (exact)frames * r->up, "length of %lld", (long long)frames);
    }
    for (unsigned f = 0; f < COUNT(FAR); f++) {
      if (k < 4) check_pieces(RATES[k], FAR[f], 9000, SANITIZED ? 3 : 8);
      /* And right, not only the same: a stretch of noise there, by the definition. */
      material m = make_noise(r->taps + 64, f);
      int64_t first, count;
      lp_resample_span(r, FAR[f], 1, &first, &count);
      float out;
      void *scratch = NULL;
      CHECK(posix_memalign(&scratch, 64, r->scratch_bytes) == 0, "no memory");
      lp_resample(r, FAR[f], 1, m.samples, &out, scratch);
      free(scratch);
      long double expected = 0;
      for (int64_t i = 0; i < count; i++)
        expected += m.samples[i] * reference_filter(r, (int64_t)((exact)(first + i) * r->up - (exact)FAR[f] * r->down));
      CHECK(fabs(out - (double)expected) < 3e-7, "%u to %u Hz at %lld: %.9g, not %.9g", RATES[k].in, RATES[k].out, (long long)FAR[f], out, (double)expected);
      free(m.samples);
    }
    lp_resampler_close(r);
  }
}

/* ---- lengths, edges, special samples ------------------------------------------------------------------------ */

static void test_length(void) {
  for (unsigned i = 0; i < COUNT(AWKWARD); i++) {
    const lp_resampler *r = open_rates(AWKWARD[i].in, AWKWARD[i].out, LP_RESAMPLE_BEST);
    for (int64_t n = 0; n < 3000; n++) {
      int64_t expected = (int64_t)(((exact)n * AWKWARD[i].out + AWKWARD[i].in - 1) / AWKWARD[i].in);
      CHECK(lp_resampled_frames(r, n) == expected, "%lld frames at %u Hz", (long long)n, AWKWARD[i].in);
    }
    /* The last output stands before the material's end, the next one would not. */
    int64_t at, length = lp_resampled_frames(r, 12345);
    uint32_t phase;
    lp_resample_position(r, length - 1, &at, &phase);
    CHECK(at < 12345, "last output at %lld", (long long)at);
    lp_resample_position(r, length, &at, &phase);
    CHECK(at >= 12345, "end at %lld", (long long)at);
    lp_resampler_close(r);
  }
}

static void test_spans(void) {
  static const rates RATES[] = {{44100, 48000}, {96000, 48000}, {44101, 48000}, {48000, 48000}};
  for (unsigned k = 0; k < COUNT(RATES); k++) {
    const lp_resampler *r = open_rates(RATES[k].in, RATES[k].out, LP_RESAMPLE_BEST);
    int64_t first, count, end;
    lp_resample_span(r, 0, 0, &first, &count);
    CHECK(count == 0, "%lld frames for nothing", (long long)count);
    lp_resample(r, 0, 0, NULL, NULL, NULL);
    lp_resample_span(r, 0, 1, &first, &count);
    CHECK(first == -r->before && count == r->taps, "%lld, %lld", (long long)first, (long long)count);
    /* As far as input reaches, and not one frame further. */
    for (int64_t in_end = 0; in_end < 2000; in_end += 7) {
      int64_t ready = lp_resample_ready(r, in_end);
      lp_resample_span(r, 0, ready, &first, &count);
      CHECK(ready == 0 || first + count <= in_end, "%lld frames from %lld", (long long)ready, (long long)in_end);
      lp_resample_span(r, 0, ready + 1, &first, &count);
      CHECK(first + count > in_end, "more than %lld frames from %lld", (long long)ready, (long long)in_end);
    }
    /* A span ends where that of its last output does. */
    for (int64_t n = 0; n < 500; n++) {
      lp_resample_span(r, 1000, n + 1, &first, &count);
      end = first + count;
      lp_resample_span(r, 1000 + n, 1, &first, &count);
      CHECK(first + count == end, "end at %lld", (long long)n);
    }
    lp_resampler_close(r);
  }
}

/* A single sample of 1 draws the filter: each output is the rounded coefficient. Also at the material's first and last frame. */
static void test_impulse(void) {
  static const rates RATES[] = {{44100, 48000}, {48000, 44100}, {96000, 48000}, {24000, 48000}, {48000, 16000}, {44101, 48000}, {48048, 48000}};
  for (unsigned k = 0; k < COUNT(RATES); k++) {
    const lp_resampler *r = open_rates(RATES[k].in, RATES[k].out, LP_RESAMPLE_BEST);
    enum { FRAMES = 1200 };
    for (int64_t at = 0; at < FRAMES; at += FRAMES - 1) {
      material m = {calloc(FRAMES, sizeof(float)), FRAMES};
      m.samples[at] = 1;
      int64_t length = lp_resampled_frames(r, FRAMES);
      float *out = malloc((size_t)length * sizeof *out);
      convert(r, &m, 0, length, out);
      for (int64_t n = 0; n < length; n++) {
        int64_t frame;
        uint32_t phase;
        lp_resample_position(r, n, &frame, &phase);
        int64_t tap = at - (frame - r->before);
        double expected = tap >= 0 && tap < r->taps ? lp_resample_coefficient(r, phase, (uint32_t)tap) : 0;
        CHECK(out[n] == (float)expected, "%u to %u Hz, frame %lld: %.9g, not %.9g", RATES[k].in, RATES[k].out, (long long)n, out[n], (float)expected);
        double defined = (double)reference_filter(r, ((int64_t)tap - r->before) * r->up - phase);
        CHECK(fabs(expected - defined) < 4e-9 + fabs(defined) * 0x1p-24, "coefficient %.12g, not %.12g", expected, defined);
      }
      free(out);
      free(m.samples);
    }
    lp_resampler_close(r);
  }
}

/* The filter is the same to both sides of an output. */
static void test_symmetry(void) {
  static const rates RATES[] = {{44100, 48000}, {96000, 48000}, {48000, 16000}, {24000, 48000}};
  for (unsigned k = 0; k < COUNT(RATES); k++) {
    const lp_resampler *r = open_rates(RATES[k].in, RATES[k].out, LP_RESAMPLE_BEST);
    for (uint32_t f = 0; f < r->up; f += 1 + r->up / 17) {
      for (uint32_t tap = 0; tap < r->taps; tap++) {
        double here = lp_resample_coefficient(r, f, tap);
        double there = 0; /* phase 0 has a tap more after the output than before: nothing */
        if (f > 0) there = lp_resample_coefficient(r, r->up - f, r->taps - 1 - tap);
        if (f == 0 && tap + 1 < r->taps) there = lp_resample_coefficient(r, 0, r->taps - 2 - tap);
        CHECK((float)here == (float)there, "phase %u, tap %u: %g, %g", f, tap, here, there);
      }
    }
    lp_resampler_close(r);
  }
}

static void test_silence(void) {
  static const rates RATES[] = {{44100, 48000}, {96000, 48000}, {44101, 48000}, {48000, 48000}};
  for (unsigned k = 0; k < COUNT(RATES); k++) {
    const lp_resampler *r = open_rates(RATES[k].in, RATES[k].out, LP_RESAMPLE_BEST);
    enum { FRAMES = 6000, OUT = 900 };
    material zeros = {calloc(FRAMES, sizeof(float)), FRAMES}, odd = make_noise(FRAMES, 5), even = make_noise(FRAMES, 5);
    float out[OUT], other[OUT];
    convert(r, &zeros, 0, OUT, out);
    for (int i = 0; i < OUT; i++) CHECK(out[i] == 0 && !signbit(out[i]), "silence gives %g", out[i]);
    /* What is no number is silence. */
    for (int i = 0; i < FRAMES; i += 7) {
      odd.samples[i] = i % 3 == 0 ? NAN : i % 3 == 1 ? INFINITY : -INFINITY;
      even.samples[i] = 0;
    }
    convert(r, &odd, 10, OUT, out);
    convert(r, &even, 10, OUT, other);
    CHECK(memcmp(out, other, sizeof out) == 0, "%u to %u Hz: NaN and infinity are not silence", RATES[k].in, RATES[k].out);
    if (r->up != r->down) {
      /* So are subnormals, and the caller's mode is as it was. */
      for (int i = 0; i < FRAMES; i++) zeros.samples[i] = 1e-40f;
      convert(r, &zeros, 0, OUT, out);
      for (int i = 0; i < OUT; i++) CHECK(out[i] == 0, "subnormals give %g", out[i]);
      volatile float tiny = 1e-40f;
      CHECK(tiny * 2 > 0, "subnormals are flushed in the caller's thread");
    }
    /* A constant stays one. */
    for (int i = 0; i < FRAMES; i++) zeros.samples[i] = 0.75f;
    convert(r, &zeros, OUT, OUT, out);
    for (int i = 0; i < OUT; i++) CHECK(fabsf(out[i] - 0.75f) <= 0x1p-24f, "a constant of 0.75 gives %.9g", out[i]);
    free(zeros.samples);
    free(odd.samples);
    free(even.samples);
    lp_resampler_close(r);
  }
}

static void test_same_rate(void) {
  const lp_resampler *r = open_rates(48000, 48000, LP_RESAMPLE_BEST);
  CHECK(r->taps == 1 && r->before == 0 && r->up == 1 && r->down == 1, "%u taps", r->taps);
  CHECK(lp_resampled_frames(r, 1234567) == 1234567, "length");
  material m = make_noise(5000, 1);
  float out[777];
  convert(r, &m, 1001, 777, out);
  CHECK(memcmp(out, m.samples + 1001, sizeof out) == 0, "samples differ");
  free(m.samples);
  lp_resampler_close(r);
}

/* ---- tables ------------------------------------------------------------------------------------------------- */

static void test_open(void) {
  const lp_resampler *r = NULL, *same = NULL, *other = NULL;
  static const rates BAD[] = {{7999, 48000}, {48000, 7999}, {384001, 48000}, {48000, 384001}, {0, 48000}, {48000, 0}, {UINT32_MAX, 48000}};
  for (unsigned i = 0; i < COUNT(BAD); i++) {
    int result = lp_resampler_open(BAD[i].in, BAD[i].out, &r);
    CHECK(result == LP_E_ARGUMENT && r == NULL, "%u to %u Hz: %d", BAD[i].in, BAD[i].out, result);
  }
  CHECK(lp_resampler_open_kind(44100, 48000, (lp_resample_kind)99, &r) != LP_OK, "a kind that is none");
  r = open_rates(44100, 48000, LP_RESAMPLE_BEST);
  CHECK(r->up == 160 && r->down == 147 && r->taps == 270 && r->before == 134, "%u/%u, %u taps", r->up, r->down, r->taps);
  same = open_rates(88200, 96000, LP_RESAMPLE_BEST);
  CHECK(same == r, "equal ratios do not share");
  other = open_rates(44100, 48000, LP_RESAMPLE_PLAIN);
  lp_resampler_close(r);
  CHECK(same->taps == 270, "gone while in use");
  lp_resampler_close(same);
  CHECK(other->taps == 270, "gone while in use");
  lp_resampler_close(other);
  lp_resampler_close(NULL);
  static const struct {
    rates at;
    uint32_t taps;
  } TAPS[] = {{{48000, 44100}, 294}, {{96000, 48000}, 540}, {{48000, 16000}, 808}, {{8000, 384000}, 270}, {{44101, 48000}, 270}};
  for (unsigned i = 0; i < COUNT(TAPS); i++) {
    r = open_rates(TAPS[i].at.in, TAPS[i].at.out, LP_RESAMPLE_BEST);
    CHECK(r->taps == TAPS[i].taps, "%u to %u Hz: %u taps", TAPS[i].at.in, TAPS[i].at.out, r->taps);
    lp_resampler_close(r);
  }
}

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void test_cost(void) {
  for (unsigned i = 0; i < COUNT(AWKWARD); i++) {
    double begun = seconds();
    const lp_resampler *r = open_rates(AWKWARD[i].in, AWKWARD[i].out, LP_RESAMPLE_BEST);
    double spent = seconds() - begun;
    CHECK(SANITIZED || spent < 1, "%u to %u Hz: %.0f ms", AWKWARD[i].in, AWKWARD[i].out, spent * 1e3);
    CHECK(r->scratch_bytes < 8 << 20, "%u to %u Hz: %zu bytes", AWKWARD[i].in, AWKWARD[i].out, r->scratch_bytes);
    lp_resampler_close(r);
  }
}

/* Opening, converting and closing from several threads at once. */
static void *run_thread(void *arg) {
  uint64_t random = (uint64_t)(uintptr_t)arg;
  static const rates RATES[] = {{44100, 48000}, {32000, 48000}, {96000, 48000}};
  material m = make_noise(3000, 3);
  for (int i = 0; i < 12; i++) {
    rates at = RATES[next_random(&random) % COUNT(RATES)];
    const lp_resampler *r = open_rates(at.in, at.out, LP_RESAMPLE_BEST);
    float out[512], again[512];
    convert(r, &m, 100, 512, out);
    convert(r, &m, 100, 512, again);
    CHECK(memcmp(out, again, sizeof out) == 0, "not the same twice");
    lp_resampler_close(r);
  }
  free(m.samples);
  return NULL;
}

static void test_threads(void) {
  pthread_t threads[4];
  for (uintptr_t i = 0; i < 4; i++) CHECK(pthread_create(&threads[i], NULL, run_thread, (void *)(i + 1)) == 0, "no thread");
  for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
}

/* ---- fidelity ----------------------------------------------------------------------------------------------- */

static const rates METERED[] = {{44100, 48000}, {48000, 44100}, {96000, 48000}, {48000, 16000}, {48000, 96000}, {32000, 48000},
                                {88200, 48000}, {96000, 44100}, {192000, 48000}, {8000, 48000}, {22050, 44100}};

static void test_filter(void) {
  for (unsigned i = 0; i < COUNT(METERED); i++) {
    const lp_resampler *r = open_rates(METERED[i].in, METERED[i].out, LP_RESAMPLE_BEST);
    filter_report f = measure_filter(r);
    bool up = METERED[i].in < METERED[i].out;
    CHECK(f.pass_end >= 0.934 && f.pass_end < 0.95, "%u to %u Hz: -0.1 dB at %.4f", METERED[i].in, METERED[i].out, f.pass_end);
    CHECK(f.ripple_db <= 1e-7, "%u to %u Hz: ripple %.2g dB", METERED[i].in, METERED[i].out, f.ripple_db);
    CHECK(f.stop_db <= (up ? -170 : -167), "%u to %u Hz: stop band %.1f dB", METERED[i].in, METERED[i].out, f.stop_db);
    lp_resampler_close(r);
  }
}

/* 997 Hz of full scale. By 2 and more downwards the input's own noise is filtered away with its band. From 48 to 44.1 kHz even the exact result,
 * rounded once, stands at -150.9 dB: there the bound is that of conversion upwards. */
static void test_tone(void) {
  lp_resample_kind kind[3];
  int n = kinds(kind);
  for (unsigned i = 0; i < COUNT(METERED); i++) {
    rates at = METERED[i];
    const lp_resampler *r = open_rates(at.in, at.out, LP_RESAMPLE_BEST);
    tone_report t = measure_tone(r, at.in, at.out, 997, true);
    double bound = at.in >= 2 * at.out ? -152 : -149.9;
    CHECK(t.thdn_db <= bound, "%u to %u Hz: THD+N %.2f dB", at.in, at.out, t.thdn_db);
    CHECK(t.thdn_db <= t.floor_db + 0.3, "%u to %u Hz: THD+N %.2f dB, where %.2f is possible", at.in, at.out, t.thdn_db, t.floor_db);
    CHECK(fabs(t.delay) < 1e-6 && fabs(t.delay) * at.in / at.out < 1e-6, "%u to %u Hz: delay %g", at.in, at.out, t.delay);
    CHECK(fabs(t.gain_db) < 1e-7, "%u to %u Hz: gain %g dB", at.in, at.out, t.gain_db);
    lp_resampler_close(r);
  }
  for (int k = 0; k < n; k++) {
    const lp_resampler *r = open_rates(44100, 48000, kind[k]);
    tone_report t = measure_tone(r, 44100, 48000, 997, false);
    CHECK(t.thdn_db <= (rounds_products(r) ? -149 : -149.9), "%s: THD+N %.2f dB", r->kernel, t.thdn_db);
    lp_resampler_close(r);
  }
  const lp_resampler *r = open_rates(44101, 48000, LP_RESAMPLE_BEST);
  tone_report t = measure_tone(r, 44101, 48000, 997, false);
  CHECK(t.thdn_db <= -149.9 && fabs(t.delay) < 1e-6, "44101 to 48000 Hz: THD+N %.2f dB, delay %g", t.thdn_db, t.delay);
  lp_resampler_close(r);
}

/* The stop band through outputs: images of tones in the pass band, and what is left of tones above the output's. */
static void test_stop_band(void) {
  static const rates RATES[] = {{44100, 48000}, {32000, 48000}, {48000, 96000}, {48000, 44100}, {96000, 48000}, {48000, 16000}, {44101, 48000}};
  static const double PLACES[] = {0.05, 0.31, 0.6, 0.8, 0.9, 0.93};
  for (unsigned k = 0; k < COUNT(RATES); k++) {
    const lp_resampler *r = open_rates(RATES[k].in, RATES[k].out, LP_RESAMPLE_BEST);
    double lower = RATES[k].in < RATES[k].out ? RATES[k].in / 2.0 : RATES[k].out / 2.0;
    for (unsigned i = 0; i < COUNT(PLACES); i++) {
      uint32_t hz = (uint32_t)(lower * PLACES[i]) | 1;
      tone_report t = measure_tone(r, RATES[k].in, RATES[k].out, hz, false);
      CHECK(t.worst_spur_db <= -170, "%u to %u Hz: an image of %u Hz at %.1f dB", RATES[k].in, RATES[k].out, hz, t.worst_spur_db);
    }
    for (double hz = RATES[k].out / 2.0; hz < RATES[k].in / 2.0; hz += RATES[k].in / 41.0) {
      tone_report t = measure_tone(r, RATES[k].in, RATES[k].out, (uint32_t)hz + 1, false);
      CHECK(t.worst_spur_db <= -167, "%u to %u Hz: %.0f Hz come out at %.1f dB", RATES[k].in, RATES[k].out, hz, t.worst_spur_db);
    }
    lp_resampler_close(r);
  }
}

static void report(void) {
  printf("%-14s %5s %8s %9s %8s %9s %9s %9s %9s\n", "", "taps", "-0.1 dB", "ripple dB", "stop dB", "THD+N dB", "possible", "to 20 kHz", "delay");
  for (unsigned i = 0; i < COUNT(METERED); i++) {
    rates at = METERED[i];
    const lp_resampler *r = open_rates(at.in, at.out, LP_RESAMPLE_BEST);
    filter_report f = measure_filter(r);
    tone_report t = measure_tone(r, at.in, at.out, 997, true);
    printf("%6u→%-6u %5u %8.4f %9.1e %8.1f %9.2f %9.2f %9.2f %9.1e\n", at.in, at.out, r->taps, f.pass_end, f.ripple_db, f.stop_db, t.thdn_db, t.floor_db,
           t.thdn_20k_db, t.delay);
    lp_resampler_close(r);
  }
}

/* --------------------------------------------------------------------------------------------------------------- */

typedef struct test {
  const char *name;
  void (*run)(void);
  bool heavy; /* not under a sanitizer: nothing new is touched */
} test;

static const test TESTS[] = {
    {"open", test_open, false},           {"length", test_length, false},       {"spans", test_spans, false},
    {"same-rate", test_same_rate, false}, {"impulse", test_impulse, false},     {"symmetry", test_symmetry, false},
    {"silence", test_silence, false},     {"cost", test_cost, false},           {"threads", test_threads, false},
    {"reference", test_reference, false}, {"awkward", test_awkward, false},     {"bits", test_bits, false},
    {"golden", test_golden, false},       {"far", test_far, false},             {"filter", test_filter, true},
    {"tone", test_tone, true},            {"stop-band", test_stop_band, true},
};

int main(int argc, char **argv) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  if (argc > 1 && strcmp(argv[1], "report") == 0) {
    report();
    return 0;
  }
  bool all = argc > 1 && strcmp(argv[1], "all") == 0;
  int run = 0;
  for (unsigned i = 0; i < COUNT(TESTS); i++) {
    bool named = all && !(SANITIZED && TESTS[i].heavy);
    for (int a = 1; a < argc; a++) named = named || strcmp(argv[a], TESTS[i].name) == 0;
    if (!named) continue;
    double begun = seconds();
    TESTS[i].run();
    printf("ok %s (%.0f ms)\n", TESTS[i].name, (seconds() - begun) * 1e3);
    run++;
  }
  if (!run) fputs("usage: resample_main report | all | <test> ...\n", stderr);
  return run ? 0 : 2;
}
