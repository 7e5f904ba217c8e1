#include "resample_filter.h"

#define SINE_TERMS LP_FILTER_SINE_TERMS
#define BESSEL_TERMS LP_FILTER_BESSEL_TERMS

const double LP_FILTER_NODES[4] = {-0.46193976625564338, -0.19134171618254489, 0.19134171618254489, 0.46193976625564338};

void lp_filter_init(lp_filter *h, double cutoff, double half_width, double beta) {
  h->cutoff = cutoff;
  h->half_width = half_width;
  h->gain = 1;
  double term = 1, sum = 0;
  for (int k = 0; k < BESSEL_TERMS; k++) {
    if (k > 0) term *= beta * beta / 4 / ((double)k * k);
    h->bessel[k] = term;
    sum += term;
  }
  for (int k = 0; k < BESSEL_TERMS; k++) h->bessel[k] /= sum;
  const double pi = 3.14159265358979323846;
  term = pi;
  for (int k = 0; k < SINE_TERMS; k++) {
    h->sine[k] = term;
    term *= -(pi * pi) / ((2.0 * k + 2) * (2.0 * k + 3));
  }
}

/* The loops go over distances inside, so that the compiler makes vectors of them. */
void lp_filter_at(const lp_filter *h, const double *distance, double *out, uint32_t n) {
  enum { CHUNK = 64 };
  for (uint32_t from = 0; from < n; from += CHUNK) {
    uint32_t m = n - from < CHUNK ? n - from : CHUNK;
    const double *d = distance + from;
    double u[CHUNK], window[CHUNK], r2[CHUNK], r[CHUNK], sine[CHUNK];
    for (uint32_t i = 0; i < m; i++) {
      double t = d[i] / h->half_width, x = h->cutoff * d[i];
      u[i] = 1 - t * t;
      /* rint() by the rounding of sums: |x| is far below 2^51. */
      double nearest = (x + 0x1.8p52) - 0x1.8p52;
      r[i] = x - nearest;
      r2[i] = r[i] * r[i];
      window[i] = h->bessel[BESSEL_TERMS - 1];
      sine[i] = h->sine[SINE_TERMS - 1];
    }
    for (int k = BESSEL_TERMS - 2; k >= 0; k--)
      for (uint32_t i = 0; i < m; i++) window[i] = window[i] * u[i] + h->bessel[k];
    for (int k = SINE_TERMS - 2; k >= 0; k--)
      for (uint32_t i = 0; i < m; i++) sine[i] = sine[i] * r2[i] + h->sine[k];
    for (uint32_t i = 0; i < m; i++) {
      double x = h->cutoff * d[i], nearest = x - r[i];
      double half = nearest * 0.5, sign = half == (half + 0x1.8p52) - 0x1.8p52 ? 1 : -1;
      double sinc = x == 0 ? 1 : sign * (sine[i] * r[i]) / (3.14159265358979323846 * x);
      out[from + i] = u[i] > 0 ? h->gain * h->cutoff * sinc * window[i] : 0;
    }
  }
}

/* By Newton's differences. */
void lp_filter_cubic(double a, double b, double c, double d, double *out) {
  const double *nodes = LP_FILTER_NODES;
  double ab = (b - a) / (nodes[1] - nodes[0]), bc = (c - b) / (nodes[2] - nodes[1]), cd = (d - c) / (nodes[3] - nodes[2]);
  double abc = (bc - ab) / (nodes[2] - nodes[0]), bcd = (cd - bc) / (nodes[3] - nodes[1]);
  double abcd = (bcd - abc) / (nodes[3] - nodes[0]);
  out[3] = abcd;
  out[2] = abc - abcd * (nodes[0] + nodes[1] + nodes[2]);
  out[1] = ab - abc * (nodes[0] + nodes[1]) + abcd * (nodes[0] * nodes[1] + nodes[0] * nodes[2] + nodes[1] * nodes[2]);
  out[0] = a - nodes[0] * (ab - nodes[1] * (abc - nodes[2] * abcd));
}
