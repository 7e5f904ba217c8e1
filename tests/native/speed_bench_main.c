/* A clip at another rate against libsoxr at its high quality (20 bits, as close as it has), and against a clip at the project's rate: one thread, stereo, periods of 256
 * frames, times of this thread alone. Each round measures all one after the other, so that a busy machine is busy for all; printed are medians over the rounds, of
 * times and of the rounds' own ratios.
 *
 * Ours is what the callback does for a voice once its pages are found: the filter at any place, anew for each period. soxr is fed on and keeps its state: a fixed
 * ratio that cannot begin at a place, go backwards, or be cut without a trace. */
#include <soxr.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mix_kernel.h"
#include "snapshot.h"
#include "speed_kernel.h"

#define PERIOD 256
#define PERIODS 64
#define NOISE (1 << 17)
#define MAX_ROUNDS 1000

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

static double median(const double *values, int n) {
  double sorted[MAX_ROUNDS];
  memcpy(sorted, values, (size_t)n * sizeof *sorted);
  qsort(sorted, (size_t)n, sizeof *sorted, by_value);
  return sorted[n / 2];
}

static double median_ratio(const double *theirs, const double *ours, int n) {
  double ratio[MAX_ROUNDS];
  for (int i = 0; i < n; i++) ratio[i] = theirs[i] / ours[i];
  return median(ratio, n);
}

static float *noise;   /* interleaved stereo is read from it too */
static float out[2][PERIOD * 8];

/* Each by the frame of the timeline, in ns. */
static double ours(const lp_speed_kernel *k, const lp_speed_table *t, int64_t step) {
  const double begun = now();
  for (int i = 0; i < PERIODS; i++) {
    const float *from = noise + rand() % (NOISE / 4);
    k->play(t, (const float *const[2]){ from, from + NOISE / 4 }, 2, rand() & (LP_PARTS - 1), step, PERIOD, (float *const[2]){ out[0], out[1] });
  }
  return (now() - begun) * 1e9 / (PERIODS * PERIOD);
}

static double soxr(soxr_t s, double rate) {
  const double begun = now();
  size_t made = 0;
  while (made < PERIODS * PERIOD) {
    size_t used, got;
    soxr_process(s, noise + rand() % (NOISE / 4), (size_t)(PERIOD * rate), &used, out[0], PERIOD * 2, &got);
    made += got;
  }
  return (now() - begun) * 1e9 / (double)made;
}

static double as_it_is(const lp_mix_kernel *k) {
  const double begun = now();
  lp_meter meter = { 0 };
  for (int i = 0; i < PERIODS; i++) {
    const float *from = noise + rand() % (NOISE / 4);
    k->f32((const float *const[2]){ from, from + NOISE / 4 }, PERIOD, 0.5f, (const float[2]){ 1, 1 }, (float *const[2]){ out[0], out[1] }, &meter);
  }
  return (now() - begun) * 1e9 / (PERIODS * PERIOD);
}

int main(int argc, char **argv) {
  const int rounds = argc > 1 ? atoi(argv[1]) : 41;
  static const double RATES[] = { 0.75, 1.5, 4, 16 };
  noise = malloc(NOISE * sizeof *noise);
  if (!noise || rounds < 1 || rounds > MAX_ROUNDS) return 1;
  for (int i = 0; i < NOISE; i++) noise[i] = (float)rand() / (float)RAND_MAX - 0.5f;
  const lp_speed_kernel *kernel = lp_speed_kernel_best();
  printf("stereo, %s, %d rounds; ns a frame, voices at 48 kHz that fill one core\n", kernel->name, rounds);
  for (unsigned r = 0; r < sizeof RATES / sizeof *RATES; r++) {
    const int64_t step = (int64_t)(RATES[r] * LP_PARTS);
    const lp_speed_table *t = lp_speed_table_of(step);
    soxr_error_t error;
    const soxr_quality_spec_t quality = soxr_quality_spec(SOXR_HQ, 0);
    soxr_t s = soxr_create(RATES[r], 1, 2, &error, NULL, &quality, NULL);
    if (!t || !s) return 1;
    double a[MAX_ROUNDS], b[MAX_ROUNDS], c[MAX_ROUNDS];
    for (int i = -2; i < rounds; i++) {
      const int at = i < 0 ? 0 : i;
      a[at] = ours(kernel, t, step);
      b[at] = soxr(s, RATES[r]);
      c[at] = as_it_is(lp_mix_kernel_best());
    }
    const double mine = median(a, rounds);
    printf("rate %-5g ours %6.1f ns (%5.0f voices), soxr HQ %6.1f ns: %.2f times ours; rate 1 %.2f ns: ours is %.0f times that\n", RATES[r], mine, 1e9 / 48000 / mine,
           median(b, rounds), median_ratio(b, a, rounds), median(c, rounds), median_ratio(a, c, rounds));
    soxr_delete(s);
  }
  free(noise);
  return 0;
}
