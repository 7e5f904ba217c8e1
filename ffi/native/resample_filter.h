/* Kaiser-windowed sincs, from which all tables of filters are made. At a distance of d input frames
 *   h(d) = gain · c · sinc(c · d) · I0(beta · sqrt(1 - (d / H)²)) / I0(beta) within |d| < H, else 0.
 * Everything is computed with additions, multiplications, divisions and square roots of doubles alone, so that no machine's library of functions decides a
 * bit. */
#ifndef LP_RESAMPLE_FILTER_H
#define LP_RESAMPLE_FILTER_H

#include <stdint.h>

/* Where the rest of the terms of a sine in [0, pi/2], and of I0 up to 18.2, is below 2^-56 of the sum. */
#define LP_FILTER_SINE_TERMS 11
#define LP_FILTER_BESSEL_TERMS 44

typedef struct lp_filter {
  double cutoff;     /* c: of the input's Nyquist frequency */
  double half_width; /* H, in input frames */
  double bessel[LP_FILTER_BESSEL_TERMS]; /* I0(beta · sqrt(u)) / I0(beta) by powers of u */
  double sine[LP_FILTER_SINE_TERMS];     /* sin(pi · x) / x by powers of x² */
  double gain;
} lp_filter;

/* [any] With a gain of 1. */
void lp_filter_init(lp_filter *h, double cutoff, double half_width, double beta);
/* [any] h at n distances. */
void lp_filter_at(const lp_filter *h, const double *distance, double *out, uint32_t n);

/* Where cubics touch the filter, in a segment from -1/2 to 1/2: Chebyshev's nodes, cos((2 i + 1) pi / 8) / 2. */
extern const double LP_FILTER_NODES[4];
/* [any] The cubic through the values at these four nodes, as powers of the position: out[0] is the constant term. */
void lp_filter_cubic(double a, double b, double c, double d, double *out);

#endif
