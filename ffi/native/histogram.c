#include "histogram.h"

static const uint64_t BOUNDS[LP_HISTOGRAM_BOUNDS] = {
    1000ull,      1500ull,      2000ull,      3000ull,      5000ull,      7000ull,      10000ull,      15000ull,      20000ull,
    30000ull,     50000ull,     70000ull,     100000ull,    150000ull,    200000ull,    300000ull,     500000ull,     700000ull,
    1000000ull,   1500000ull,   2000000ull,   3000000ull,   5000000ull,   7000000ull,   10000000ull,   15000000ull,   20000000ull,
    30000000ull,  50000000ull,  70000000ull,  100000000ull, 150000000ull, 200000000ull, 300000000ull,  500000000ull,  700000000ull,
    1000000000ull, 1500000000ull, 2000000000ull, 3000000000ull, 5000000000ull, 7000000000ull, 10000000000ull};

void lp_histogram_add(lp_histogram *h, uint64_t value) {
  /* The first bound that is not less; 43 bounds are six steps. */
  uint32_t low = 0, high = LP_HISTOGRAM_BOUNDS;
  while (low < high) {
    const uint32_t middle = (low + high) / 2;
    if (BOUNDS[middle] < value) low = middle + 1;
    else high = middle;
  }
  /* Relaxed throughout: figures for people, each by itself. */
  atomic_fetch_add_explicit(&h->buckets[low], 1, memory_order_relaxed);
  atomic_fetch_add_explicit(&h->sum, value, memory_order_relaxed);
  uint64_t max = atomic_load_explicit(&h->max, memory_order_relaxed);
  /* Another's larger value ends it, and a smaller one hardly ever comes between: lock-free. */
  while (value > max && !atomic_compare_exchange_weak_explicit(&h->max, &max, value, memory_order_relaxed, memory_order_relaxed)) {
  }
}

static uint64_t load(_Atomic uint64_t *v) { return atomic_load_explicit(v, memory_order_relaxed); }

uint32_t lp_histogram_read(lp_histogram *h, double *out, uint32_t count) {
  uint32_t n = 0;
  if (n < count) out[n++] = (double)load(&h->sum);
  if (n < count) out[n++] = (double)load(&h->max);
  for (uint32_t i = 0; i <= LP_HISTOGRAM_BOUNDS && n < count; i++) out[n++] = (double)load(&h->buckets[i]);
  return n;
}

int32_t lp_histogram_bounds(double *out, uint32_t count) {
  uint32_t n = count < LP_HISTOGRAM_BOUNDS ? count : LP_HISTOGRAM_BOUNDS;
  for (uint32_t i = 0; i < n; i++) out[i] = (double)BOUNDS[i];
  return (int32_t)n;
}
