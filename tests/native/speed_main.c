/* Tests of clips at other rates: speed_main <test> … or all; speed_main report prints what the meter reads. Each ends the process with 1 at its first failure. */
#include <math.h>
#include <string.h>

#include "reading.h"
#include "speed_kernel.h"
#include "store_support.h"

__extension__ typedef __int128 exact;

static const double RATES[] = { 0.0625, 0.5, 0.75, 1, 1.1, 1.5, 2, 4, 16 };
#define COUNT(array) (sizeof(array) / sizeof *(array))

static uint32_t whole(uint64_t *random, uint32_t n) { return (uint32_t)((uint64_t)next_random(random) * n >> 32); }
static int64_t step_of(double rate) { return (int64_t)(rate * LP_PARTS); }

/* ---- the filter by its definition ------------------------------------------------------------------------------------- */

static long double bessel(long double x) {
  long double term = 1, sum = 1;
  for (int k = 1; k < 80; k++) sum += term *= x * x / 4 / ((long double)k * k);
  return sum;
}

/* The filter of a width, without its gain. */
static long double filter_at(long double d, long double width) {
  const long double half = 80 * width, cutoff = 0.951L / width, t = d / half, x = cutoff * d * 3.14159265358979323846264L;
  if (fabsl(d) >= half) return 0;
  return (x == 0 ? 1 : sinl(x) / x) * bessel(12.27L * sqrtl(1 - t * t)) / bessel(12.27L);
}

/* The next of 32 steps an octave. */
static long double width_of(double rate) { return rate <= 1 ? 1 : exp2l(ceill(log2l(rate) * 32 - 1e-9L) / 32); }

/* Its sum over a great many phases, so that it can be scaled to 1. */
static long double filter_sum(long double width) {
  long double sum = 0;
  const int phases = 8;
  for (int f = 0; f < phases; f++)
    for (int k = -1300; k <= 1300; k++) sum += filter_at(k - (f + 0.5L) / phases, width);
  return sum / phases;
}

static float *noise(int64_t n, uint64_t seed) {
  float *x = malloc((size_t)n * sizeof *x);
  CHECK(x, "no memory");
  for (int64_t i = 0; i < n; i++) x[i] = (float)((double)next_random(&seed) / 2147483648.0 - 1);
  return x;
}

static void test_definition(void) {
  enum { N = 40, IN = 4000 };
  uint64_t random = 5;
  float *in[2] = { noise(IN, 1), noise(IN, 2) };
  for (uint32_t i = 0; i < COUNT(RATES); i++) {
    const lp_speed_table *t = lp_speed_table_of(step_of(RATES[i]));
    CHECK(t && t->taps <= LP_SPEED_MAX_TAPS && t == lp_speed_table_of(-step_of(RATES[i])), "rate %g", RATES[i]);
    const long double width = width_of(RATES[i]), sum = filter_sum(width);
    for (uint32_t k = 0; lp_speed_kernel_at(k); k++) {
      const lp_speed_kernel *kernel = lp_speed_kernel_at(k);
      float left[N], right[N], *const out[2] = { left, right };
      int64_t at = whole(&random, 1 << 30);
      const int64_t step = (int64_t)whole(&random, LP_PARTS); /* any places, near each other */
      kernel->play(t, (const float *const *)in, 2, at, step, N, out);
      double worst = 0;
      for (int n = 0; n < N; n++, at += step)
        for (int side = 0; side < 2; side++) {
          const long double f = (long double)(at & (LP_PARTS - 1)) / LP_PARTS;
          long double y = 0;
          for (uint32_t tap = 0; tap < t->taps; tap++)
            y += in[side][(at >> LP_PART_BITS) + tap] * filter_at((long double)tap - (t->taps / 2 - 1) - f, width) / sum;
          worst = fmax(worst, fabs((double)(out[side][n] - y)));
        }
      CHECK(worst < 2e-6, "rate %g, %s: off by %g", RATES[i], kernel->name, worst);
    }
  }
  for (int side = 0; side < 2; side++) free(in[side]);
}

static void test_kernels(void) {
  enum { N = 300, IN = 8000 };
  uint64_t random = 9;
  float *in[2] = { noise(IN, 3), noise(IN, 4) };
  const lp_speed_kernel *best = lp_speed_kernel_best();
  for (int round = 0; round < 300; round++) {
    const double rate = exp2(8.0 * whole(&random, 1 << 20) / (1 << 20) - 4);
    int64_t step = step_of(rate);
    const lp_speed_table *t = lp_speed_table_of(step);
    CHECK(t, "no table for %g", rate);
    const int32_t most = (int32_t)((int64_t)(IN - t->taps - 20) * LP_PARTS / step), n = 1 + (int32_t)whole(&random, (uint32_t)(most < N ? most : N));
    int64_t at = whole(&random, LP_PARTS * 16);
    if (round % 2) {
      at += (n - 1) * step;
      step = -step;
    }
    float ours[2][N], both[2][N], part[N];
    best->play(t, (const float *const *)in, 2, at, step, n, (float *const[2]){ ours[0], ours[1] });
    for (uint32_t k = 0; lp_speed_kernel_at(k); k++) {
      const lp_speed_kernel *kernel = lp_speed_kernel_at(k);
      kernel->play(t, (const float *const *)in, 2, at, step, n, (float *const[2]){ both[0], both[1] });
      for (int side = 0; side < 2; side++)
        for (int i = 0; i < n; i++)
          CHECK(kernel->fused == best->fused ? both[side][i] == ours[side][i] : fabsf(both[side][i] - ours[side][i]) < 2e-6f, "%s, rate %g, frame %d: %g and %g",
                kernel->name, rate, i, (double)both[side][i], (double)ours[side][i]);
      /* A place alone decides what is there: from another begin, on another side of the memory, alone or with others. */
      const int32_t from = (int32_t)whole(&random, (uint32_t)n);
      const int64_t begin = at + from * step, last = at + (n - 1) * step, lowest = (begin < last ? begin : last) >> LP_PART_BITS;
      const int64_t shift = lowest > 5 ? 5 : lowest;
      kernel->play(t, (const float *const[2]){ in[1] + shift, NULL }, 1, begin - shift * LP_PARTS, step, n - from, (float *const[2]){ part, NULL });
      CHECK(!memcmp(part, both[1] + from, (size_t)(n - from) * sizeof *part), "%s: other bits from frame %d on", kernel->name, from);
    }
  }
  for (int side = 0; side < 2; side++) free(in[side]);
}

/* ---- what is heard ------------------------------------------------------------------------------------------------------ */

typedef struct tone {
  double gain_db; /* of the tone itself */
  double rest_db; /* all else, against a full scale tone */
} tone;

static double db(double power) { return power > 0 ? 10 * log10(power) : -400; }

/* Plays a tone of full scale, of so many cycles a source frame, at a rate; finds what comes out at the frequency where it belongs, and all that is not it. With
 * `heard` false it belongs nowhere: all is rest. */
static tone play_tone(double rate, double cycles, bool heard) {
  enum { N = 24000 };
  const int64_t step = step_of(rate);
  const lp_speed_table *t = lp_speed_table_of(step);
  const double two_pi = 6.283185307179586;
  const int64_t length = (int64_t)(N * rate) + t->taps + 2;
  float *in = malloc((size_t)length * sizeof *in), *out = malloc(N * sizeof *out);
  CHECK(t && in && out, "no memory");
  for (int64_t i = 0; i < length; i++) in[i] = (float)cos(two_pi * fmod(cycles * (double)i, 1) + 0.3);
  lp_speed_kernel_best()->play(t, (const float *const[2]){ in, NULL }, 1, LP_PARTS / 3, step, N, (float *const[2]){ out, NULL });
  /* The best fit of cos, sin and 1 by the normal equations of the first two, which are all but orthogonal over so many frames: refined twice. */
  const double w = cycles * (double)step / LP_PARTS;
  double a = 0, b = 0;
  for (int pass = 0; heard && pass < 4; pass++) {
    double cc = 0, ss = 0, cs = 0, yc = 0, ys = 0;
    for (int n = 0; n < N; n++) {
      const double p = two_pi * fmod(w * n, 1), c = cos(p), s = sin(p), y = (double)out[n] - a * c - b * s;
      cc += c * c;
      ss += s * s;
      cs += c * s;
      yc += y * c;
      ys += y * s;
    }
    const double det = cc * ss - cs * cs;
    a += (yc * ss - ys * cs) / det;
    b += (ys * cc - yc * cs) / det;
  }
  double rest = 0;
  for (int n = 0; n < N; n++) {
    const double p = two_pi * fmod(w * n, 1), y = (double)out[n] - a * cos(p) - b * sin(p);
    rest += y * y;
  }
  free(in);
  free(out);
  return (tone){ db(a * a + b * b), db(rest / N * 2) };
}

typedef struct report {
  double pass_end;  /* first -0.1 dB, as part of the limit: the lower of both Nyquist frequencies */
  double ripple_db; /* up to 0.88 of it */
  double rest_db;   /* worst THD+N of tones up to 0.88 of it: noise, and images of what is below the source's Nyquist frequency */
  double alias_db;  /* worst of what comes of tones above the limit */
} report;

static report measure(double asked) {
  const double rate = (double)step_of(asked) / LP_PARTS;
  const double limit = 0.5 / fmax(1, rate);
  report r = { 1, 0, -400, -400 };
  for (int i = 1; i <= 44; i++) {
    const tone t = play_tone(rate, limit * (i * 0.02 + 0.00013), true);
    r.ripple_db = fmax(r.ripple_db, fabs(t.gain_db));
    r.rest_db = fmax(r.rest_db, t.rest_db);
  }
  for (double at = 0.88; at < 1; at += 0.002)
    if (play_tone(rate, limit * at, true).gain_db < -0.1) {
      r.pass_end = at;
      break;
    }
  /* Up to the source's own limit; at rates up to 1 there is nothing above it, and what is mirrored there is in rest_db. */
  for (double at = 1.0005; rate > 1 && at < rate; at += at < 1.3 ? 0.02 : rate / 37)
    r.alias_db = fmax(r.alias_db, play_tone(rate, limit * at, false).rest_db);
  return r;
}

static void test_report(void) {
  printf("rate      pass band to   ripple      THD+N      above the limit\n");
  for (uint32_t i = 0; i < COUNT(RATES); i++) {
    const report r = measure(RATES[i]);
    printf("%-8g  %.3f of limit  %.5f dB  %6.1f dB  %6.1f dB\n", RATES[i], r.pass_end, r.ripple_db, r.rest_db, r.alias_db);
  }
}

static void test_quality(void) {
  static const double SOME[] = { 0.5, 0.75, 1, 1.1, 1.5, 2, 4, 16 };
  for (uint32_t i = 0; i < COUNT(SOME); i++) {
    const report r = measure(SOME[i]);
    /* Between two widths of the filter the limit lies up to 2.2 % lower. */
    CHECK(r.pass_end >= 0.89, "rate %g: the pass band ends at %g", SOME[i], r.pass_end);
    CHECK(r.ripple_db <= 0.01, "rate %g: ripple of %g dB", SOME[i], r.ripple_db);
    CHECK(r.rest_db <= -120, "rate %g: THD+N %g dB", SOME[i], r.rest_db);
    CHECK(r.alias_db <= -110, "rate %g: %g dB of what lies above the limit", SOME[i], r.alias_db);
  }
}

/* What does not move passes as it is, whatever the rate. */
static void test_level(void) {
  float ones[4096], out[64];
  for (int i = 0; i < 4096; i++) ones[i] = 1;
  for (double rate = 1.0 / 16; rate <= 16; rate *= 1.19) {
    const lp_speed_table *t = lp_speed_table_of(step_of(rate));
    lp_speed_kernel_best()->play(t, (const float *const[2]){ ones, NULL }, 1, 12345, LP_PARTS / 64 + 777, 64, (float *const[2]){ out, NULL });
    for (int i = 0; i < 64; i++) CHECK(fabsf(out[i] - 1) < 3e-6f, "rate %g: %.9g", rate, (double)out[i]);
  }
}

/* ---- ways through a source ----------------------------------------------------------------------------------------------- */

static lp_clip random_clip(uint64_t *random, double most_rate) {
  static const double SOME[] = { 1, 1, 1.5, 0.75, 2, 0.0625, 16, 3.14159, 0.33333 };
  lp_clip c = { .uid = 1, .length = 1 + whole(random, 5000), .first = (int64_t)whole(random, 6000) - 2000 };
  double rate = SOME[whole(random, COUNT(SOME))];
  if (rate > most_rate) rate = most_rate;
  c.step = step_of(rate) * (whole(random, 2) ? 1 : -1);
  c.fraction = whole(random, 3) ? whole(random, LP_PARTS) : 0;
  if (llabs(c.step) != LP_PARTS || c.fraction) c.table = lp_speed_table_of(c.step);
  return c;
}

static void test_path(void) {
  uint64_t random = 11;
  for (int round = 0; round < 20000; round++) {
    lp_clip c = random_clip(&random, 16);
    if (!whole(&random, 4)) c.first = ((int64_t)1 << 52) - (int64_t)whole(&random, 1000);
    const int64_t k = whole(&random, 3) ? whole(&random, 5000) : (int64_t)next_random(&random) << 20;
    const exact at = (exact)c.first * LP_PARTS + c.fraction + (exact)k * c.step;
    const lp_spot s = lp_clip_spot(&c, k);
    CHECK(s.frame == (int64_t)(at >> LP_PART_BITS) && s.fraction == (uint32_t)(at & (LP_PARTS - 1)), "frame %lld stands at %lld", (long long)k, (long long)s.frame);
    /* The first that stands beyond, one by one. */
    const int64_t bound = s.frame + (int64_t)whole(&random, 400) - 200;
    int64_t n = 0;
    while (n < 300 && (c.step > 0 ? lp_clip_spot(&c, k + n).frame < bound : lp_clip_spot(&c, k + n).frame >= bound)) n++;
    CHECK(lp_clip_frames_to(&c, k, bound, 300) == n, "%lld frames to %lld, not %lld", (long long)n, (long long)bound, (long long)lp_clip_frames_to(&c, k, bound, 300));
  }
}

/* A source of small pages, some of them there in part. */
typedef struct pages {
  lp_source source;
  lp_table *table[2];
  lp_page page[1024];
} pages;

enum { SMALL_SHIFT = 5 };

static void scatter(pages *p, uint64_t *random) {
  memset(p->table[0], 0, sizeof *p->table[0]);
  memset(p->table[1], 0, sizeof *p->table[1]);
  const uint32_t holes = whole(random, 4) ? 1 + whole(random, 60) : 2;
  for (int64_t i = 0; i < p->source.pages; i++) {
    lp_entry *e = lp_source_entry(&p->source, i);
    atomic_store(&e->page, NULL);
    atomic_store(&e->cause, (uint8_t)whole(random, 5));
    if (!whole(random, holes)) continue;
    const uint32_t size = 1u << SMALL_SHIFT, lo = whole(random, 10) ? 0 : whole(random, size), hi = whole(random, 10) ? size : lo + whole(random, size - lo + 1);
    atomic_store(&p->page[i].valid, lo << 16 | hi);
    atomic_store(&e->page, &p->page[i]);
  }
}

static bool is_there(const lp_source *s, int64_t frame) { return lp_source_run(s, frame, 1, NULL) == 1; }

static bool has(const lp_source *s, const lp_clip *c, int64_t k) {
  const lp_span w = lp_clip_span(c, k, k + 1);
  for (int64_t f = w.from; f < w.to; f++)
    if (!is_there(s, f)) return false;
  return true;
}

static void test_there(void) {
  uint64_t random = 13;
  static pages p;
  _Atomic(lp_table *) tables[2];
  for (int i = 0; i < 2; i++) {
    p.table[i] = calloc(1, sizeof(lp_table));
    CHECK(p.table[i], "no memory");
    atomic_store(&tables[i], p.table[i]);
  }
  p.source = (lp_source){ .channels = 1, .page_frames = 1 << SMALL_SHIFT, .page_shift = SMALL_SHIFT, .frames = 900 * (1 << SMALL_SHIFT) + 7, .pages = 901, .tables = tables };
  for (int round = 0; round < 3000; round++) {
    if (round % 20 == 0) scatter(&p, &random);
    lp_clip c = random_clip(&random, 4);
    c.first = (int64_t)whole(&random, (uint32_t)p.source.frames + 2000) - 1000;
    const int64_t k = whole(&random, 200), max = 1 + whole(&random, 300);
    const int32_t n = 1 + (int32_t)whole(&random, (uint32_t)max);
    lp_reading r;
    lp_reading_look(&r, &c, &p.source, k, n, max - n);
    if (lp_clip_is_forward(&c)) continue; /* as it always was: no further than its view */
    int64_t run = 0, hole = 0, lacks = -1;
    while (run < max && has(&p.source, &c, k + run)) run++;
    while (hole < n && !has(&p.source, &c, k + hole)) hole++;
    uint32_t cause = 77;
    CHECK(lp_reading_run(&r, k, max, &cause) == run, "round %d: %lld frames there, not %lld", round, (long long)run, (long long)lp_reading_run(&r, k, max, NULL));
    CHECK((cause == 77) == (run == max), "round %d: a cause where there is none", round);
    CHECK(lp_reading_hole(&r, k, n, &lacks) == hole, "round %d: %lld frames missing, not %lld", round, (long long)hole, (long long)lp_reading_hole(&r, k, n, &lacks));
    if (!hole) continue;
    const lp_span w = lp_clip_span(&c, k, k + 1);
    int64_t first = c.step > 0 ? w.from : w.to - 1;
    while (is_there(&p.source, first)) first += c.step > 0 ? 1 : -1;
    CHECK(lacks == first, "round %d: frame %lld lacks, not %lld", round, (long long)first, (long long)lacks);
  }
  free(p.table[0]);
  free(p.table[1]);
}

int main(int argc, char **argv) {
  static const test TESTS[] = { { "definition", test_definition }, { "kernels", test_kernels }, { "level", test_level },
                                { "quality", test_quality },       { "path", test_path },       { "there", test_there } };
  if (argc == 2 && !strcmp(argv[1], "report")) {
    test_report();
    return 0;
  }
  return run_tests("report | ", TESTS, COUNT(TESTS), argc, argv);
}
