/* Histograms that anybody may add to and read at any time without a lock.
 *
 * Values are ns, or shares in ppb (1e9 is all): what a bound says in seconds it says in shares too. Bounds are 1, 1.5, 2, 3, 5 and 7 in each decade
 * from 1 µs to 10 s: no value is further from its bucket's bounds than by a factor of 1.67. */
#ifndef LP_HISTOGRAM_H
#define LP_HISTOGRAM_H

#include <stdatomic.h>
#include <stdint.h>

#include "engine.h"
#include "nonblocking.h"

typedef struct lp_histogram {
  _Atomic uint64_t buckets[LP_HISTOGRAM_BOUNDS + 1];
  _Atomic uint64_t sum, max;
} lp_histogram;

/* [callback] */
void lp_histogram_add(lp_histogram *h, uint64_t value) LP_NONBLOCKING;
/* [any] sum, max and the buckets as f64, as many as fit. Returns how many. What is added meanwhile may be in some and not yet in others. */
uint32_t lp_histogram_read(lp_histogram *h, double *out, uint32_t count);

#endif
