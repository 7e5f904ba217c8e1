/* The resampler's filter and its tables.
 *
 * The filter h is a Kaiser-windowed sinc of a real width: at a distance of d input frames
 *   h(d) = C · c · sinc(c · d) · I0(beta · sqrt(1 - (d / H)²)) / I0(beta) within |d| < H, else 0, where
 *   c = 0.9565 · min(1, L/M), H = 134.6 · max(1, M/L), beta = 18.2, and C makes the sum over all phases equal L.
 * With T = 2 · ceil(H) taps, an output that stands f/L (0 ≤ f < L) after input frame i takes
 *   sum over k in [0, T) of x[i + k - (T/2 - 1)] · h(k - (T/2 - 1) - f/L).
 * That is 270, 294, 540 and 808 taps for 44.1→48, 48→44.1, 96→48 and 48→16 kHz. Everything is computed with additions, multiplications, divisions and
 * square roots of doubles alone, so that no machine's library of functions decides a bit.
 *
 * Where the rates have a common period of few outputs the table holds every phase ("periodic"). Where L · T would exceed
 * LP_RESAMPLE_MAX_COEFFICIENTS it holds cubic polynomials in f/L for each tap over segments short enough to be exact to -190 dB ("smooth").
 *
 * A coefficient as float is off by up to 2^-25 of itself, which at the centre of the filter alone would spoil stop band and noise. So the
 * central taps are doubles, and are summed in doubles: as many as it takes until what is left of the error is out of the way. */
#ifndef LP_RESAMPLE_TABLE_H
#define LP_RESAMPLE_TABLE_H

#include <stdbool.h>
#include <stdint.h>

/* Coefficients of a periodic table: 2 MiB as floats. With more phases a page is so few periods long that lanes stay empty, and curves are faster. */
#define LP_RESAMPLE_MAX_COEFFICIENTS (1u << 19)
/* Consecutive outputs that are computed together. */
#define LP_RESAMPLE_GROUP 6
/* Taps that are computed together in a smooth table. */
#define LP_RESAMPLE_CHAINS 16

typedef struct lp_resample_table {
  uint32_t up, down; /* L, M */
  uint32_t taps;     /* T, even */
  uint32_t centre;   /* taps (rows, where periodic) summed in double */
  bool smooth;

  /* Periodic: groups of consecutive outputs, always cut at the same absolute frames. A group reads `rows` input frames one after another. The
   * coefficients of a row are one for each of its outputs, 0 where the output does not reach it. An output is three sums: rows 0 up to edge - 1 in
   * float; rows - 1 down to rows - edge in float; and what they come to, plus rows edge up to rows - edge - 1, in double. */
  uint32_t period;  /* outputs: a multiple of L */
  uint32_t stride;  /* input frames in that time */
  uint32_t groups;  /* of a period; the last may have fewer outputs, and 0 as coefficients of the rest */
  uint32_t rows, edge;
  int32_t *offset;  /* groups: input frames from the position of the period's first output to that of the group's first */
  float *tails;     /* groups × edge × (GROUP of row j, GROUP of row rows - 1 - j) */
  double *middle;   /* groups × centre × GROUP */

  /* Smooth: `segments` of 1/segments of an input frame, each with `blocks` of CHAINS taps; taps beyond T are 0. Blocks [0, edge) are
   * summed first, then blocks - 1 down to edge + centre / CHAINS, then the others in double. */
  uint32_t segments, blocks;
  float *tail_curves;    /* segments × blocks of the tails in the order of use × 4 (constant term first) × CHAINS */
  double *middle_curves; /* segments × blocks of the middle × 4 × CHAINS */
  void *curves;          /* the memory of both */
} lp_resample_table;

/* [control] Takes up to tens of ms. up and down without common divisor, at most 384,000 each, down ≤ 48 · up and up ≤ 48 · down. NULL: no memory. */
lp_resample_table *lp_resample_table_create(uint32_t up, uint32_t down);
void lp_resample_table_destroy(lp_resample_table *t);

/* [any] The coefficient that is used for tap [0, T) of phase [0, L); of a smooth table what its polynomial gives in the kernels' arithmetic. */
double lp_resample_table_coefficient(const lp_resample_table *t, uint32_t phase, uint32_t tap);

#endif
