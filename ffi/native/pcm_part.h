/* Parting 16-bit stereo into planes that nobody reads soon. */
#ifndef LP_PCM_PART_H
#define LP_PCM_PART_H

#include <stdbool.h>
#include <stdint.h>

/* [pool] Whether this machine has the quick way. */
bool lp_pcm_parts(void);
/* [pool] Where it has: little-endian, left and right interleaved from raw on, at any address, to planes that stand equally far from a multiple of 32 bytes.
 * The planes go past the caches, to memory: a page is heard long after it was filled, and would push out what is needed before. */
void lp_pcm_part_s16(const uint8_t *raw, int64_t frames, int16_t *left, int16_t *right);

#endif
