/* The inner loop of clips at other rates, once for each kind of machine. They are made from one text, speed_kernel_body.h. Kernels that fuse multiplication
 * and addition give the same bits; the one that cannot rounds each product as well.
 *
 * The order of summation is part of what an output is: tap k goes into chain k mod 16, chains are summed by halves (0 and 8, 1 and 9, …; then 0 and 4, …).
 * So an output depends on its place and the samples around it alone. */
#ifndef LP_SPEED_KERNEL_H
#define LP_SPEED_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "nonblocking.h"
#include "speed_table.h"

typedef struct lp_speed_kernel {
  const char *name;
  bool fused; /* multiplies and adds with one rounding */
  /* [callback] n outputs of `channels` (1 or 2) channels. Output i takes the table's taps from frame floor(p) of `in` on, at the fraction that p has, where p
   * is at + i · step in 2^-24 frames; p is never below 0. */
  void (*play)(const lp_speed_table *t, const float *const in[2], uint32_t channels, int64_t at, int64_t step, int32_t n, float *const out[2]) LP_NONBLOCKING;
} lp_speed_kernel;

extern const lp_speed_kernel lp_speed_plain; /* what every machine of this kind has */
#if defined(__x86_64__)
extern const lp_speed_kernel lp_speed_avx2;   /* and FMA */
extern const lp_speed_kernel lp_speed_avx512; /* F */
#endif

/* [any] The best that this machine has. */
const lp_speed_kernel *lp_speed_kernel_best(void);
/* [any] For tests: kernel `index` of those that this machine has, NULL beyond the last. */
const lp_speed_kernel *lp_speed_kernel_at(uint32_t index);

#endif
