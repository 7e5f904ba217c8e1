/* The mixer's inner loops, once for each kind of machine. They are made from one text, mix_kernel_body.h, multiply and add with a rounding each, and so
 * give the same bits. */
#ifndef LP_MIX_KERNEL_H
#define LP_MIX_KERNEL_H

#include <stdint.h>

#include "nonblocking.h"

/* Least gain that the kernels may take together with the scale of 16-bit samples: from there on the product of both is exact. */
#define LP_MIX_LEAST_GAIN 1e-20f

/* What a track has put out since the meters were taken. */
typedef struct lp_meter {
  float peak[2];
  double square[2];
} lp_meter;

/* Both sides of a track, each from its own plane (of a mono source both are one): t = sample × gain × fader[side], rounded twice; out[side] += t; and
 * the meter gathers |t| and t². */
typedef struct lp_mix_kernel {
  const char *name;
  /* [callback] Samples as x / 32768. gain is 0 or at least LP_MIX_LEAST_GAIN in magnitude. */
  void (*s16)(const int16_t *const in[2], int32_t n, float gain, const float fader[2], float *const out[2], lp_meter *meter) LP_NONBLOCKING;
  void (*f32)(const float *const in[2], int32_t n, float gain, const float fader[2], float *const out[2], lp_meter *meter) LP_NONBLOCKING;
  /* [callback] The meter alone, of one side. */
  void (*measure)(const float *in, int32_t n, float *peak, double *square) LP_NONBLOCKING;
} lp_mix_kernel;

extern const lp_mix_kernel lp_mix_plain; /* what every machine of this kind has */
#if defined(__x86_64__)
extern const lp_mix_kernel lp_mix_avx2;
extern const lp_mix_kernel lp_mix_avx512; /* F */
#endif

/* [any] The best that this machine has. */
const lp_mix_kernel *lp_mix_kernel_best(void);
/* [any] For tests: kernel `index` of those that this machine has, NULL beyond the last. */
const lp_mix_kernel *lp_mix_kernel_at(uint32_t index);

#endif
