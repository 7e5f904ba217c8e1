/* Linear prediction: from the residuals of a frame's channels to their samples. Pure. */
#ifndef LP_FLAC_LPC_H
#define LP_FLAC_LPC_H

#include <stdbool.h>
#include <stdint.h>

#define LP_FLAC_MAX_ORDER 32

/* A channel that is to be predicted: x[i] += (sum of c[j] × x[i − 1 − j] for j below order) >> shift, for all i from order on. Sums wrap instead of
 * overflowing: a broken frame may hold anything, and is found by its checksum. */
typedef struct lp_flac_lpc {
  int32_t *x;
  uint32_t order; /* 1 … 32 */
  int32_t shift;  /* 0 … 15 */
  bool wide;      /* sums may need more than 32 bits */
  int32_t c[LP_FLAC_MAX_ORDER]; /* 0 from order on */
} lp_flac_lpc;

/* [any] Restores `count` channels of a block. Each waits for its own last sample, so two at a time (the first with the second, and so on) take hardly
 * longer than one. If one of the two is wide, both are: then what a broken frame gives does not depend on the machine either. */
void lp_flac_restore(const lp_flac_lpc *channels, uint32_t count, uint32_t block);

/* [any] By which means, for tests: all the same way if `vectors` is false. */
void lp_flac_restore_by(const lp_flac_lpc *channels, uint32_t count, uint32_t block, bool vectors);

#if defined(__x86_64__)
#define LP_FLAC_PAIR_ORDER 16 /* most that the pair functions take */
/* [any] Two channels from sample `from` ≥ both orders on, less than block, all before being samples already; for AVX2. */
void lp_flac_pair32_avx2(const lp_flac_lpc pair[2], uint32_t from, uint32_t block);
void lp_flac_pair64_avx2(const lp_flac_lpc pair[2], uint32_t from, uint32_t block);
#endif

#endif
