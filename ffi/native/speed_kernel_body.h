/* The text of the kernels of speed_kernel.h; included by speed_kernel_*.c, which says before what a vector is:
 *   KERNEL, KERNEL_NAME, KERNEL_FUSED
 *   TARGET          attributes of functions
 *   WIDTH           floats of a vector
 *   vf              a vector of WIDTH floats
 *   splat, load, store, fused   x everywhere; WIDTH floats from anywhere, and back; a · b + c
 * [callback] */
#include "snapshot.h"
#include "speed_kernel.h"

#define CHAINS LP_SPEED_CHAINS
#define VECTORS (CHAINS / WIDTH)
#define INLINE TARGET static inline __attribute__((always_inline))

INLINE void halve(float *s, int half) {
  for (int k = 0; k < half; k++) s[k] += s[k + half];
}

INLINE float joined(const vf *chains) {
  float s[CHAINS];
  for (int v = 0; v < VECTORS; v++) store(s + v * WIDTH, chains[v]);
  halve(s, 8);
  halve(s, 4);
  halve(s, 2);
  halve(s, 1);
  return s[0];
}

INLINE void play_channels(const lp_speed_table *t, const float *const in[2], int channels, int64_t at, int64_t step, int32_t n, float *const out[2]) {
  const uint32_t shift = LP_PART_BITS - t->segment_bits, blocks = t->taps / CHAINS;
  const float scale = 1.0f / (float)(1u << shift);
  for (int32_t i = 0; i < n; i++, at += step) {
    const uint32_t fraction = (uint32_t)at & (LP_PARTS - 1), rest = fraction & ((1u << shift) - 1);
    const float *c = t->curves + (uint64_t)(fraction >> shift) * t->taps * 4;
    /* Exact: a multiple of 2^-23 at most, of less than 1. */
    const vf place = splat((float)rest * scale - 0.5f);
    const int64_t frame = at >> LP_PART_BITS;
    vf sum[2][VECTORS];
    for (int ch = 0; ch < channels; ch++)
      for (int v = 0; v < VECTORS; v++) sum[ch][v] = splat(0);
    for (uint32_t b = 0; b < blocks; b++, c += 4 * CHAINS)
      for (int v = 0; v < VECTORS; v++) {
        const float *p = c + v * WIDTH;
        const vf value = fused(fused(fused(load(p + 3 * CHAINS), place, load(p + 2 * CHAINS)), place, load(p + CHAINS)), place, load(p));
        for (int ch = 0; ch < channels; ch++) sum[ch][v] = fused(load(in[ch] + frame + b * CHAINS + v * WIDTH), value, sum[ch][v]);
      }
    for (int ch = 0; ch < channels; ch++) out[ch][i] = joined(sum[ch]);
  }
}

TARGET static void play(const lp_speed_table *t, const float *const in[2], uint32_t channels, int64_t at, int64_t step, int32_t n, float *const out[2]) LP_NONBLOCKING {
  if (channels == 1) play_channels(t, in, 1, at, step, n, out);
  else play_channels(t, in, 2, at, step, n, out);
}

const lp_speed_kernel KERNEL = {.name = KERNEL_NAME, .fused = KERNEL_FUSED, .play = play};
