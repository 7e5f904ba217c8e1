/* The resampler's inner loops, once for each kind of machine. All kernels that fuse multiplication and addition give the same bits; the one
 * that cannot rounds each product as well. They are made from one text, resample_kernel_body.h. */
#ifndef LP_RESAMPLE_KERNEL_H
#define LP_RESAMPLE_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "nonblocking.h"
#include "resample_table.h"

/* An output of a smooth table. */
typedef struct lp_resample_point {
  double position; /* from the middle of its segment, in segments: [-1/2, 1/2] */
  int32_t frame;   /* of the input, for its first tap */
  int32_t output;
} lp_resample_point;

/* A tile is a matrix of rows × lanes. Lane l stands for a stretch of outputs that begins l times the same whole number of periods after
 * that of lane 0, so that one coefficient serves a row. */
typedef struct lp_resample_kernel {
  const char *name;
  bool fused;            /* multiplies and adds with one rounding */
  uint32_t wide, narrow; /* lanes */
  /* [any] Samples; NaN and infinity become 0. */
  void (*take)(float *restrict out, const float *restrict in, int64_t n) LP_NONBLOCKING;
  /* [any] x[row][lane] = in[lane · stride + row], for lanes below `used`; the others get what some used lane has. x has 4 rows more. */
  void (*pack)(float *restrict x, const float *restrict in, int64_t stride, uint32_t rows, uint32_t lanes, uint32_t used) LP_NONBLOCKING;
  /* [any] y[row][lane]: `count` groups of outputs from `group` on, wrapping around at the end of the period. Row 0 of x is the first row of
   * the first group. y has GROUP rows more than outputs. */
  void (*tile_wide)(const lp_resample_table *t, uint32_t group, uint32_t count, const float *restrict x, float *restrict y) LP_NONBLOCKING;
  void (*tile_narrow)(const lp_resample_table *t, uint32_t group, uint32_t count, const float *restrict x, float *restrict y) LP_NONBLOCKING;
  /* [any] out[lane][row] = y[row][lane] for 8 lanes; at least 4 rows. */
  void (*unpack)(float *const *restrict out, const float *restrict y, uint32_t rows, uint32_t lanes) LP_NONBLOCKING;
  /* [any] Outputs that a smooth table has in one segment. Samples may be read up to CHAINS - 1 beyond the last one's taps. */
  void (*segment)(const lp_resample_table *t, uint32_t number, const lp_resample_point *points, uint32_t count, const float *in, float *out) LP_NONBLOCKING;
} lp_resample_kernel;

extern const lp_resample_kernel lp_resample_plain; /* what every machine of this kind has */
#if defined(__x86_64__)
extern const lp_resample_kernel lp_resample_avx2;   /* AVX2 and FMA */
extern const lp_resample_kernel lp_resample_avx512; /* AVX-512 F, VL and DQ too */
#endif

#endif
