/* Measures the resampler: its filter as it stands in the tables, and tones through its outputs. Knows the filter's definition (resample_table.h)
 * for itself, in long double and by the library's functions. */
#ifndef RESAMPLE_METER_H
#define RESAMPLE_METER_H

#include <stdio.h>
#include <stdlib.h>

#include "resample.h"

#define CHECK(condition, ...)                                                    \
  do {                                                                           \
    if (!(condition)) {                                                          \
      fprintf(stderr, "%s:%d: %s: ", __FILE__, __LINE__, #condition);            \
      fprintf(stderr, __VA_ARGS__);                                              \
      fputc('\n', stderr);                                                       \
      exit(1);                                                                   \
    }                                                                            \
  } while (0)

/* Opens or fails the test. */
const lp_resampler *open_rates(uint32_t in_rate, uint32_t out_rate, lp_resample_kind kind);

/* A channel of material: frames [0, frames), silence outside. */
typedef struct material {
  float *samples;
  int64_t frames;
} material;

/* Noise of full scale; the same for the same seed. */
material make_noise(int64_t frames, uint64_t seed);
uint32_t next_random(uint64_t *state);

/* Output frames [first, first + frames) of a material, from a copy of just the input frames that lp_resample_span asks for. */
void convert(const lp_resampler *r, const material *m, int64_t first, int64_t frames, float *out);

/* The same by the definition: one output in long double, and what its rounding would be scaled by (sum of |x · h|). */
long double reference(const lp_resampler *r, const material *m, int64_t n);
/* The definition's factor at a distance of numerator / L input frames. */
long double reference_filter(const lp_resampler *r, int64_t numerator);

/* The filter, from every coefficient of the table by one Fourier transform; frequencies as parts of the lower Nyquist. */
typedef struct filter_report {
  double pass_end;   /* first -0.1 dB */
  double ripple_db;  /* largest deviation up to 0.9 */
  double stop_db;    /* highest from 1 on */
} filter_report;
filter_report measure_filter(const lp_resampler *r);

/* A tone of full scale, one second of it after a second of run-in, whose frequency is a whole number of Hz. */
typedef struct tone_report {
  double gain_db;
  double thdn_db;       /* everything but the tone, up to the output's Nyquist frequency */
  double thdn_20k_db;   /* the same from 20 Hz to 20 kHz (AES17) */
  double floor_db;      /* thdn_db of the exact result rounded to float once: what no converter of floats to floats goes below */
  double floor_20k_db;
  double delay;         /* output frames */
  double worst_spur_db; /* highest of the tone's images; of a tone above the output's Nyquist frequency what it is folded to */
} tone_report;
tone_report measure_tone(const lp_resampler *r, uint32_t in_rate, uint32_t out_rate, uint32_t hz, bool with_floor);

#endif
