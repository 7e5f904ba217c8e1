#include "resample_meter.h"

#include <complex.h>
#include <math.h>
#include <string.h>

__extension__ typedef __int128 exact;

#define PI 3.14159265358979323846264338327950288L

const lp_resampler *open_rates(uint32_t in_rate, uint32_t out_rate, lp_resample_kind kind) {
  const lp_resampler *r = NULL;
  int result = lp_resampler_open_kind(in_rate, out_rate, kind, &r);
  CHECK(result == 0, "%u to %u Hz, kind %d: %d", in_rate, out_rate, (int)kind, result);
  return r;
}

uint32_t next_random(uint64_t *state) {
  *state = *state * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(*state >> 33);
}

material make_noise(int64_t frames, uint64_t seed) {
  material m = {malloc((size_t)(frames > 0 ? frames : 1) * sizeof(float)), frames};
  for (int64_t i = 0; i < frames; i++) m.samples[i] = (float)((double)next_random(&seed) / 1073741824.0 - 1);
  return m;
}

void convert(const lp_resampler *r, const material *m, int64_t first, int64_t frames, float *out) {
  int64_t from, n;
  lp_resample_span(r, first, frames, &from, &n);
  /* No byte more than was asked for, so that a sanitizer sees what is read beyond. */
  float *in = malloc((size_t)(n > 0 ? n : 1) * sizeof *in);
  for (int64_t i = 0; i < n; i++) in[i] = from + i >= 0 && from + i < m->frames ? m->samples[from + i] : 0;
  void *scratch = NULL;
  CHECK(posix_memalign(&scratch, 64, r->scratch_bytes > 0 ? r->scratch_bytes : 64) == 0, "no memory");
  memset(scratch, 0xFF, r->scratch_bytes); /* NaN, should anything of it count */
  lp_resample(r, first, frames, in, out, scratch);
  free(scratch);
  free(in);
}

/* ---- the definition ---------------------------------------------------------------------------------------- */

static long double bessel(long double x) {
  long double sum = 1, term = 1;
  for (int k = 1; term > sum * 1e-22L; k++) {
    term *= x * x / 4 / ((long double)k * k);
    sum += term;
  }
  return sum;
}

/* Without the factor that makes the sum L, which is 1 within 4e-9; see gain_of. */
static long double bare_filter(const lp_resampler *r, int64_t numerator) {
  long double ratio = r->up < r->down ? (long double)r->up / r->down : 1;
  long double d = (long double)numerator / r->up, width = 134.6L / ratio, cutoff = (long double)0.9565 * ratio;
  if (fabsl(d) >= width) return 0;
  long double x = PI * cutoff * d, t = d / width;
  return cutoff * (numerator == 0 ? 1 : sinl(x) / x) * bessel(18.2L * sqrtl(1 - t * t)) / bessel(18.2L);
}

/* L over the sum of all coefficients. The sum over all phases is the integral of the filter up to its level at multiples of the input rate,
 * below -170 dB of 1; where there are very many phases that many of them give the same. */
static long double gain_of(const lp_resampler *r) {
  static uint32_t up, down;
  static long double gain;
  if (r->up == up && r->down == down) return gain;
  uint32_t wider = r->up < r->down ? r->down : r->up;
  int64_t width = (int64_t)(134.6L * wider) + 2, step = wider > 2000 ? wider / 997 : 1;
  long double sum = 0;
  for (int64_t i = 0; i <= width; i += step) sum += (i == 0 ? 1 : 2) * bare_filter(r, i);
  up = r->up;
  down = r->down;
  gain = (long double)r->up / step / sum;
  return gain;
}

long double reference_filter(const lp_resampler *r, int64_t numerator) { return bare_filter(r, numerator) * gain_of(r); }

long double reference(const lp_resampler *r, const material *m, int64_t n) {
  exact place = (exact)n * r->down;
  int64_t half = r->taps / 2 + 1;
  int64_t at = (int64_t)(place / r->up);
  long double sum = 0;
  for (int64_t i = at - half; i <= at + half; i++)
    if (i >= 0 && i < m->frames) sum += m->samples[i] * reference_filter(r, (int64_t)((exact)i * r->up - place));
  return sum;
}

/* ---- the filter -------------------------------------------------------------------------------------------- */

/* In place, n a power of two. */
static void transform(double complex *x, size_t n) {
  for (size_t i = 1, j = 0; i < n; i++) {
    size_t bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      double complex t = x[i];
      x[i] = x[j];
      x[j] = t;
    }
  }
  double complex *turn = malloc(n / 2 * sizeof *turn);
  for (size_t i = 0; i < n / 2; i++) turn[i] = cos(2 * (double)PI * (double)i / (double)n) - I * sin(2 * (double)PI * (double)i / (double)n);
  for (size_t size = 2; size <= n; size *= 2) {
    size_t half = size / 2, step = n / size;
    for (size_t i = 0; i < n; i += size) {
      for (size_t k = 0; k < half; k++) {
        double complex w = turn[k * step], b = x[i + k + half];
        double complex v = (creal(w) * creal(b) - cimag(w) * cimag(b)) + I * (creal(w) * cimag(b) + cimag(w) * creal(b));
        x[i + k + half] = x[i + k] - v;
        x[i + k] += v;
      }
    }
  }
  free(turn);
}

filter_report measure_filter(const lp_resampler *r) {
  size_t length = (size_t)r->up * r->taps, n = 1;
  while (n < length * 6) n *= 2;
  double complex *h = calloc(n, sizeof *h);
  for (uint32_t f = 0; f < r->up; f++)
    for (uint32_t k = 0; k < r->taps; k++) h[(size_t)k * r->up + (r->up - 1 - f)] = lp_resample_coefficient(r, f, k) / r->up;
  transform(h, n);
  /* The table's own rate is L times the input's. */
  double lower = 0.5 * (r->up < r->down ? (double)r->up / r->down : 1) / r->up;
  filter_report report = {.pass_end = 0, .ripple_db = 0, .stop_db = -1000};
  for (size_t i = 0; i <= n / 2; i++) {
    double at = (double)i / (double)n / lower, level = 20 * log10(cabs(h[i]) + 1e-30);
    if (report.pass_end == 0 && level < -0.1) report.pass_end = at;
    if (at <= 0.9 && fabs(level) > report.ripple_db) report.ripple_db = fabs(level);
    if (at >= 1 && level > report.stop_db) report.stop_db = level;
  }
  free(h);
  return report;
}

/* ---- tones ------------------------------------------------------------------------------------------------- */

/* cos and sin of one turn in `rate` steps. */
static double complex *turn_of(int64_t rate) {
  double complex *turn = malloc((size_t)rate * sizeof *turn);
  for (int64_t i = 0; i < rate; i++) {
    long double angle = 2 * PI * (long double)i / rate;
    turn[i] = (double)cosl(angle) + I * (double)sinl(angle);
  }
  return turn;
}

/* The part of one second of samples at a whole number of Hz: amplitude and phase against a cosine. */
static double complex part_of(const double *y, const double complex *turn, int64_t rate, int64_t hz) {
  double cosine = 0, sine = 0;
  for (int64_t i = 0; i < rate; i++) {
    cosine += y[i] * creal(turn[hz * i % rate]);
    sine += y[i] * cimag(turn[hz * i % rate]);
  }
  return 2 * (cosine - I * sine) / (double)rate;
}

/* Power of one second of samples outside 20 Hz … 20 kHz. The lower edge is negligible, and the upper one is a sum over its parts: so it is
 * estimated by a steep filter instead, a difference with what a long window keeps. */
static double power_to_20k(const double *y, int64_t rate) {
  enum { HALF = 400 };
  double power = 0;
  if (rate <= 40000) {
    for (int64_t i = 0; i < rate; i++) power += y[i] * y[i];
    return power / (double)rate;
  }
  static double window[2 * HALF + 1];
  double cut = 20000.0 / (double)rate * 2, total = 0;
  for (int i = -HALF; i <= HALF; i++) {
    double x = (double)PI * cut * i, t = (double)i / (HALF + 1);
    window[i + HALF] = cut * (i == 0 ? 1 : sin(x) / x) * (0.54 + 0.46 * cos((double)PI * t));
    total += window[i + HALF];
  }
  int64_t count = 0;
  for (int64_t i = HALF; i < rate - HALF; i++, count++) {
    double sum = 0;
    for (int k = -HALF; k <= HALF; k++) sum += y[i + k] * window[k + HALF];
    power += sum / total * (sum / total);
  }
  return power / (double)count;
}

/* What is left of a second of samples without the tone, against the tone. */
static void residue(double *y, const double complex *turn, int64_t rate, int64_t hz, double complex tone, double *all_db, double *band_db) {
  double power = 0;
  for (int64_t i = 0; i < rate; i++) {
    y[i] -= creal(tone) * creal(turn[hz * i % rate]) - cimag(tone) * cimag(turn[hz * i % rate]);
    power += y[i] * y[i];
  }
  double tone_power = (creal(tone) * creal(tone) + cimag(tone) * cimag(tone)) / 2;
  *all_db = 10 * log10(power / (double)rate / tone_power);
  *band_db = 10 * log10(power_to_20k(y, rate) / tone_power);
}

tone_report measure_tone(const lp_resampler *r, uint32_t in_rate, uint32_t out_rate, uint32_t hz, bool with_floor) {
  material m = {malloc((size_t)in_rate * 3 * sizeof(float)), (int64_t)in_rate * 3};
  double complex *in_turn = turn_of(in_rate), *turn = turn_of(out_rate);
  for (int64_t i = 0; i < m.frames; i++) m.samples[i] = (float)cimag(in_turn[hz * i % in_rate]);
  free(in_turn);
  float *out = malloc(out_rate * sizeof *out);
  double *y = malloc(out_rate * sizeof *y);
  convert(r, &m, out_rate, out_rate, out);
  for (uint32_t i = 0; i < out_rate; i++) y[i] = out[i];
  tone_report report = {.worst_spur_db = -1000};
  if (2 * hz >= out_rate) {
    /* Only there: the rounding of the input's samples to float is noise over the whole band, and comes out as such. */
    int64_t alias = hz % out_rate > out_rate / 2 ? out_rate - hz % out_rate : hz % out_rate;
    report.worst_spur_db = 20 * log10(cabs(part_of(y, turn, out_rate, alias)) + 1e-30);
  } else {
    double complex tone = part_of(y, turn, out_rate, hz);
    report.gain_db = 20 * log10(cabs(tone));
    /* A sine is a cosine that is a quarter of a turn late. */
    report.delay = -carg(tone * I) / (2 * (double)PI * hz / out_rate);
    residue(y, turn, out_rate, hz, tone, &report.thdn_db, &report.thdn_20k_db);
    for (int64_t k = 1; k <= r->up && k <= 12; k++) {
      for (int side = -1; side <= 1; side += 2) {
        int64_t image = (k * in_rate + side * (int64_t)hz) % out_rate;
        if (image > out_rate / 2) image = out_rate - image;
        if (image == hz || image == 0) continue;
        double level = 20 * log10(cabs(part_of(y, turn, out_rate, image)) + 1e-30);
        if (level > report.worst_spur_db) report.worst_spur_db = level;
      }
    }
  }
  if (with_floor) {
    /* The same input by doubles: taken from the coefficients, since long doubles would take minutes. */
    double *c = malloc((size_t)r->up * r->taps * sizeof *c);
    for (uint32_t f = 0; f < r->up; f++)
      for (uint32_t k = 0; k < r->taps; k++) c[(size_t)f * r->taps + k] = (double)reference_filter(r, ((int64_t)k - r->before) * r->up - f);
    for (uint32_t i = 0; i < out_rate; i++) {
      int64_t at;
      uint32_t phase;
      lp_resample_position(r, (int64_t)out_rate + i, &at, &phase);
      double sum = 0;
      for (uint32_t k = 0; k < r->taps; k++) sum += c[(size_t)phase * r->taps + k] * m.samples[at - r->before + k];
      y[i] = (float)sum;
    }
    double complex tone = part_of(y, turn, out_rate, hz);
    residue(y, turn, out_rate, hz, tone, &report.floor_db, &report.floor_20k_db);
    free(c);
  }
  free(m.samples);
  free(turn);
  free(out);
  free(y);
  return report;
}
