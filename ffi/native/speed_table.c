#include "speed_table.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "resample_filter.h"
#include "snapshot.h"

/* The filter's shape; speed_table.h says what they do. */
#define CUTOFF 0.951
#define HALF_WIDTH 80
#define BETA 12.27

#define STEPS_AN_OCTAVE 32
#define WIDTHS (4 * STEPS_AN_OCTAVE + 1)
/* Of a filter that is not widened: at least as many per period of its cut-off there are in all. */
#define SEGMENT_BITS 5

/* Released once it is whole; made under the mutex. */
static _Atomic(lp_speed_table *) tables[WIDTHS];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

/* 2^(i / STEPS_AN_OCTAVE), the whole octaves exactly. */
static double width_of(uint32_t i) {
  double step = 2;
  for (int k = 1; k < STEPS_AN_OCTAVE; k *= 2) step = sqrt(step);
  double width = 1 << i / STEPS_AN_OCTAVE;
  for (uint32_t k = 0; k < i % STEPS_AN_OCTAVE; k++) width *= step;
  return width;
}

/* The narrowest that keeps what a step skips out. */
static uint32_t width_for(double rate) {
  uint32_t i = 0;
  while (i + 1 < WIDTHS && width_of(i) < rate) i++;
  return i;
}

static void destroy(lp_speed_table *t) {
  if (!t) return;
  free(t->curves);
  free(t);
}

static lp_speed_table *make(double width) {
  lp_filter h;
  lp_filter_init(&h, CUTOFF / width, HALF_WIDTH * width, BETA);
  lp_speed_table *t = calloc(1, sizeof *t);
  if (!t) return NULL;
  t->taps = 2 * (uint32_t)ceil(h.half_width);
  t->taps = (t->taps + LP_SPEED_CHAINS - 1) / LP_SPEED_CHAINS * LP_SPEED_CHAINS;
  t->segment_bits = SEGMENT_BITS;
  for (double w = 2; w <= width; w *= 2) t->segment_bits--;
  const uint32_t segments = 1u << t->segment_bits, taps = t->taps;
  const int64_t before = taps / 2 - 1;
  t->curves = aligned_alloc(64, (size_t)segments * taps * 4 * sizeof *t->curves);
  double *curves = malloc((size_t)segments * taps * 4 * sizeof *curves);
  double *distance = malloc(taps * sizeof *distance), *values = malloc((size_t)taps * 4 * sizeof *values);
  const bool ok = t->curves && curves && distance && values;
  double sum = 0;
  for (uint32_t s = 0; ok && s < segments; s++) {
    for (uint32_t i = 0; i < 4; i++) {
      const double position = (s + 0.5 + LP_FILTER_NODES[i]) / segments;
      for (uint32_t k = 0; k < taps; k++) distance[k] = (double)((int64_t)k - before) - position;
      lp_filter_at(&h, distance, values + (size_t)i * taps, taps);
    }
    for (uint32_t k = 0; k < taps; k++) {
      double *out = curves + ((size_t)s * taps + k) * 4;
      lp_filter_cubic(values[k], values[taps + k], values[2 * taps + k], values[3 * taps + k], out);
      sum += out[0] + out[2] / 12; /* the mean over the segment */
    }
  }
  /* So that what does not move passes as it is. */
  for (uint32_t s = 0; ok && s < segments; s++)
    for (uint32_t k = 0; k < taps; k++)
      for (uint32_t p = 0; p < 4; p++) {
        const size_t block = (size_t)s * taps / LP_SPEED_CHAINS + k / LP_SPEED_CHAINS;
        t->curves[(block * 4 + p) * LP_SPEED_CHAINS + k % LP_SPEED_CHAINS] = (float)(curves[((size_t)s * taps + k) * 4 + p] * segments / sum);
      }
  free(curves);
  free(distance);
  free(values);
  if (ok) return t;
  destroy(t);
  return NULL;
}

const lp_speed_table *lp_speed_table_of(int64_t step) {
  const uint32_t i = width_for(fabs((double)step) / LP_PARTS);
  /* Acquire: it is whole. */
  lp_speed_table *t = atomic_load_explicit(&tables[i], memory_order_acquire);
  if (t) return t;
  pthread_mutex_lock(&mutex);
  t = atomic_load_explicit(&tables[i], memory_order_relaxed);
  if (!t && (t = make(width_of(i)))) atomic_store_explicit(&tables[i], t, memory_order_release);
  pthread_mutex_unlock(&mutex);
  return t;
}
