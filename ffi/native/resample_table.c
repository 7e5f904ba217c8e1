#include "resample_table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "resample_filter.h"

/* The filter's shape; resample_table.h says what they do. */
#define CUTOFF 0.9565
#define HALF_WIDTH 134.6
#define BETA 18.2

#define GROUP LP_RESAMPLE_GROUP
#define CHAINS LP_RESAMPLE_CHAINS
/* A cubic over 1/96 of the narrower rate's period misses the filter by less than -190 dB of a full-scale tone at the pass band's end. */
#define SEGMENTS 96
/* Power of what rounding to float may do to the coefficients of the tails: for one phase, where it is heard as noise (-165 dB), and divided by the
 * number of phases, where it changes the filter: upwards by so little that the stop band stays below -170 dB, downwards, where doubles would cost
 * more, below -167 dB. */
#define PHASE_ERROR 3.2e-17
#define FILTER_ERROR_UP 1e-19
#define FILTER_ERROR_DOWN 6.5e-19
/* And of what rounding does to their sums, against the result, where the input is noise: -160 dB. It decides in long filters alone. */
#define SUM_ERROR 1e-16
#define FLOAT_ROUNDING 1.5e-16 /* mean square of the relative error */

/* ---- the filter -------------------------------------------------------------------------------------------- */

static void filter_init(lp_filter *h, uint32_t up, uint32_t down) {
  double ratio = (double)up / (double)down;
  lp_filter_init(h, up < down ? CUTOFF * ratio : CUTOFF, up < down ? HALF_WIDTH / ratio : HALF_WIDTH, BETA);
}

/* ---- periodic ---------------------------------------------------------------------------------------------- */

/* Every phase's taps, phase after phase, or NULL. Phase L - f is phase f from the other end. */
static double *all_phases(const lp_resample_table *t, lp_filter *h) {
  uint32_t taps = t->taps, half = taps / 2;
  double *c = malloc((size_t)t->up * taps * sizeof *c), *distance = malloc(taps * sizeof *distance);
  if (c == NULL || distance == NULL) {
    free(c);
    free(distance);
    return NULL;
  }
  double sum = 0;
  for (uint32_t f = 0; f <= t->up / 2; f++) {
    for (uint32_t k = 0; k < taps; k++)
      distance[k] = (double)(((int64_t)k - (half - 1)) * (int64_t)t->up - f) / (double)t->up;
    double *row = c + (size_t)f * taps;
    lp_filter_at(h, distance, row, taps);
    double part = 0;
    for (uint32_t k = 0; k < taps; k++) part += row[k];
    sum += part;
    if (f == 0 || 2 * f == t->up) continue;
    double *mirror = c + (size_t)(t->up - f) * taps;
    for (uint32_t k = 0; k < taps; k++) mirror[k] = row[taps - 1 - k];
    sum += part;
  }
  free(distance);
  for (size_t i = 0; i < (size_t)t->up * taps; i++) c[i] *= t->up / sum;
  return c;
}

/* What each distance from the centre, in taps, adds up to over all phases. */
typedef struct profile {
  double power; /* of coefficients */
  double error; /* power of what rounding to float takes from them */
} profile;

/* How far from the centre, in taps, coefficients must be doubles for what is left of rounding errors to be out of the way. */
static uint32_t reach_of_middle(const lp_resample_table *t, const profile *at, uint32_t phases) {
  const double filter_error = t->up < t->down ? FILTER_ERROR_DOWN : FILTER_ERROR_UP;
  uint32_t reach = t->taps / 2;
  double all = 0, tails = 0, error = 0, sums = 0;
  for (uint32_t d = 0; d < reach; d++) all += at[d].power;
  for (; reach > 1; reach--) {
    error += at[reach - 1].error;
    tails += at[reach - 1].power;
    sums += tails * FLOAT_ROUNDING;
    if (error / phases > PHASE_ERROR || error / phases / phases > filter_error || sums > SUM_ERROR * all) break;
  }
  return reach;
}

/* Periods of L outputs in a period of whole groups, or nearly whole ones. */
static uint32_t periods_together(uint32_t up) {
  for (uint32_t n = 1;; n++) {
    uint32_t outputs = n * up, padded = (outputs + GROUP - 1) / GROUP * GROUP;
    if ((padded - outputs) * 40 <= outputs) return n; /* at the latest with n = GROUP */
  }
}

static bool fill_periodic(lp_resample_table *t) {
  lp_filter h;
  filter_init(&h, t->up, t->down);
  uint32_t half = t->taps / 2, together = periods_together(t->up);
  t->period = together * t->up;
  t->stride = together * t->down;
  t->groups = (t->period + GROUP - 1) / GROUP;

  double *phases = all_phases(t, &h);
  profile *at = calloc(half, sizeof *at);
  t->offset = malloc(t->groups * sizeof *t->offset);
  if (phases == NULL || at == NULL || t->offset == NULL) goto fail;
  for (uint32_t f = 0; f < t->up; f++) {
    for (uint32_t k = 0; k < t->taps; k++) {
      double exact = phases[(size_t)f * t->taps + k], error = exact - (double)(float)exact;
      profile *p = &at[k < half ? half - 1 - k : k - half];
      p->power += exact * exact;
      p->error += error * error;
    }
  }
  uint32_t reach = reach_of_middle(t, at, t->up), widest = 0;
  for (uint32_t g = 0; g < t->groups; g++) {
    uint64_t first = (uint64_t)g * GROUP, last = first + GROUP - 1 < t->period ? first + GROUP - 1 : t->period - 1;
    uint32_t from = (uint32_t)(first * t->down / t->up), to = (uint32_t)(last * t->down / t->up);
    t->offset[g] = (int32_t)from;
    if (to - from > widest) widest = to - from;
  }
  t->rows = t->taps + widest;
  t->edge = half - reach;
  t->centre = 2 * reach + widest;
  t->tails = malloc((size_t)t->groups * t->edge * 2 * GROUP * sizeof *t->tails);
  t->middle = malloc((size_t)t->groups * t->centre * GROUP * sizeof *t->middle);
  if (t->tails == NULL || t->middle == NULL) goto fail;
  for (uint32_t g = 0; g < t->groups; g++) {
    float *tail = t->tails + (size_t)g * t->edge * 2 * GROUP;
    double *middle = t->middle + (size_t)g * t->centre * GROUP;
    for (uint32_t p = 0; p < GROUP; p++) {
      uint64_t output = (uint64_t)g * GROUP + p;
      bool real = output < t->period;
      uint32_t shift = real ? (uint32_t)(output * t->down / t->up) - (uint32_t)t->offset[g] : 0;
      const double *c = phases + (size_t)(output * t->down % t->up) * t->taps;
      for (uint32_t row = 0; row < t->rows; row++) {
        double value = real && row >= shift && row - shift < t->taps ? c[row - shift] : 0;
        if (row < t->edge)
          tail[row * 2 * GROUP + p] = (float)value;
        else if (row < t->rows - t->edge)
          middle[(row - t->edge) * GROUP + p] = value;
        else
          tail[((t->rows - 1 - row) * 2 + 1) * GROUP + p] = (float)value;
      }
    }
  }
  free(phases);
  free(at);
  return true;
fail:
  free(phases);
  free(at);
  return false;
}

/* ---- smooth ------------------------------------------------------------------------------------------------ */

static bool fill_smooth(lp_resample_table *t) {
  lp_filter h;
  filter_init(&h, t->up, t->down);
  uint32_t half = t->taps / 2;
  t->blocks = (t->taps + CHAINS - 1) / CHAINS;
  uint32_t width = t->blocks * CHAINS;
  t->segments = t->up < t->down ? (uint32_t)((uint64_t)SEGMENTS * t->up / t->down) + 1 : SEGMENTS;

  double *curves = malloc((size_t)t->segments * width * 4 * sizeof *curves);
  double *distance = malloc(width * sizeof *distance), *values = malloc((size_t)width * 4 * sizeof *values);
  profile *at = calloc(half, sizeof *at);
  if (curves == NULL || distance == NULL || values == NULL || at == NULL) goto fail;
  double sum = 0;
  for (uint32_t s = 0; s < t->segments; s++) {
    for (uint32_t i = 0; i < 4; i++) {
      double position = (s + 0.5 + LP_FILTER_NODES[i]) / t->segments;
      for (uint32_t k = 0; k < width; k++) distance[k] = (double)((int64_t)k - (half - 1)) - position;
      lp_filter_at(&h, distance, values + (size_t)i * width, width);
    }
    for (uint32_t k = 0; k < width; k++) {
      double *out = curves + ((size_t)s * width + k) * 4;
      lp_filter_cubic(values[k], values[width + k], values[2 * width + k], values[3 * width + k], out);
      if (k >= t->taps) out[0] = out[1] = out[2] = out[3] = 0;
      sum += out[0] + out[2] / 12; /* the mean over the segment */
    }
  }
  for (uint32_t s = 0; s < t->segments; s++) {
    for (uint32_t k = 0; k < t->taps; k++) {
      double *out = curves + ((size_t)s * width + k) * 4;
      for (int i = 0; i < 4; i++) out[i] *= t->segments / sum;
      /* The constant term's rounding and the sum's. */
      double error = out[0] - (double)(float)out[0];
      profile *p = &at[k < half ? half - 1 - k : k - half];
      p->power += out[0] * out[0];
      p->error += 2 * error * error;
    }
  }
  uint32_t reach = reach_of_middle(t, at, t->segments);
  t->edge = (half - reach) / CHAINS;
  uint32_t end = (half + reach + CHAINS - 1) / CHAINS;
  t->centre = (end - t->edge) * CHAINS;
  uint32_t middle_blocks = end - t->edge, tail_blocks = t->blocks - middle_blocks;
  /* Both on lines of 64 bytes, which their parts are multiples of. */
  size_t middle_bytes = (size_t)t->segments * middle_blocks * 4 * CHAINS * sizeof *t->middle_curves;
  t->curves = malloc(middle_bytes + (size_t)t->segments * tail_blocks * 4 * CHAINS * sizeof *t->tail_curves + 64);
  if (t->curves == NULL) goto fail;
  char *line = (char *)t->curves + (64 - (uintptr_t)t->curves % 64) % 64;
  t->middle_curves = (double *)(void *)line;
  t->tail_curves = (float *)(void *)(line + middle_bytes);
  for (uint32_t s = 0; s < t->segments; s++) {
    for (uint32_t k = 0; k < width; k++) {
      const double *from = curves + ((size_t)s * width + k) * 4;
      uint32_t block = k / CHAINS, lane = k % CHAINS;
      bool inside = block >= t->edge && block < end;
      uint32_t slot = block < t->edge ? block : inside ? block - t->edge : t->edge + (t->blocks - 1 - block);
      for (uint32_t i = 0; i < 4; i++) {
        if (inside)
          t->middle_curves[(((size_t)s * middle_blocks + slot) * 4 + i) * CHAINS + lane] = from[i];
        else
          t->tail_curves[(((size_t)s * tail_blocks + slot) * 4 + i) * CHAINS + lane] = (float)from[i];
      }
    }
  }
  free(curves);
  free(distance);
  free(values);
  free(at);
  return true;
fail:
  free(curves);
  free(distance);
  free(values);
  free(at);
  return false;
}

/* ---- tables ------------------------------------------------------------------------------------------------ */

lp_resample_table *lp_resample_table_create(uint32_t up, uint32_t down) {
  lp_resample_table *t = calloc(1, sizeof *t);
  if (t == NULL) return NULL;
  t->up = up;
  t->down = down;
  /* ceil of a quotient that is exact in doubles up to one rounding: a half width that is a whole number needs no tap beyond. */
  double half = up < down ? HALF_WIDTH * (double)down / (double)up : HALF_WIDTH;
  t->taps = 2 * (uint32_t)ceil(half);
  t->smooth = (uint64_t)up * t->taps > LP_RESAMPLE_MAX_COEFFICIENTS;
  if (t->smooth ? fill_smooth(t) : fill_periodic(t)) return t;
  lp_resample_table_destroy(t);
  return NULL;
}

void lp_resample_table_destroy(lp_resample_table *t) {
  if (t == NULL) return;
  free(t->offset);
  free(t->tails);
  free(t->middle);
  free(t->curves);
  free(t);
}

static double periodic_coefficient(const lp_resample_table *t, uint32_t phase, uint32_t tap) {
  /* The output of the first period that has this phase. */
  uint64_t output = 0;
  while (output * t->down % t->up != phase) output++;
  uint32_t g = (uint32_t)(output / GROUP), p = (uint32_t)(output % GROUP);
  uint32_t row = tap + (uint32_t)(output * t->down / t->up) - (uint32_t)t->offset[g];
  const float *tails = t->tails + (size_t)g * t->edge * 2 * GROUP;
  if (row < t->edge) return tails[row * 2 * GROUP + p];
  if (row < t->rows - t->edge) return t->middle[((size_t)g * t->centre + row - t->edge) * GROUP + p];
  return tails[((t->rows - 1 - row) * 2 + 1) * GROUP + p];
}

static double smooth_coefficient(const lp_resample_table *t, uint32_t phase, uint32_t tap) {
  uint64_t scaled = (uint64_t)phase * t->segments;
  uint32_t s = (uint32_t)(scaled / t->up), block = tap / CHAINS, lane = tap % CHAINS;
  double position = (double)(scaled % t->up) / (double)t->up - 0.5;
  uint32_t middle_blocks = t->centre / CHAINS, end = t->edge + middle_blocks, tail_blocks = t->blocks - middle_blocks;
  if (block >= t->edge && block < end) {
    const double *c = t->middle_curves + ((size_t)s * middle_blocks + block - t->edge) * 4 * CHAINS + lane;
    return fma(fma(fma(c[3 * CHAINS], position, c[2 * CHAINS]), position, c[CHAINS]), position, c[0]);
  }
  uint32_t slot = block < t->edge ? block : t->edge + (t->blocks - 1 - block);
  const float *c = t->tail_curves + ((size_t)s * tail_blocks + slot) * 4 * CHAINS + lane;
  float at = (float)position;
  return fmaf(fmaf(fmaf(c[3 * CHAINS], at, c[2 * CHAINS]), at, c[CHAINS]), at, c[0]);
}

double lp_resample_table_coefficient(const lp_resample_table *t, uint32_t phase, uint32_t tap) {
  return t->smooth ? smooth_coefficient(t, phase, tap) : periodic_coefficient(t, phase, tap);
}
