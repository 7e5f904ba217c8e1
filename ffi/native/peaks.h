/* Peaks: min, max and rms of buckets of frames, for each channel and for the mono mix. This is the portable kernel; every other one (SIMD, WGSL) is
 * checked against it, so its arithmetic is the definition:
 *
 * Samples. An integer x of a container of B bits stands for x / 2^(B-1) (u8: x is the byte less 128). A float is itself; a double is rounded
 * to float first. A float whose exponent bits are all ones (NaN, infinity) counts as +0 and is counted in `invalid`.
 *
 * Planes. One a channel, then, if there is more than one channel, the mono mix: the mean of the n channels of a frame.
 *   Integers: S = the exact sum; the mix is S / (n · 2^(B-1)).
 *   Floats: s = ((c0 + c1) + c2) + …, each sum rounded to float; the mix is s / n.
 *
 * min and max compare integers: x, S, or for floats the bits of x and s mapped so that their order as signed integers is that of the
 * numbers (-0 below +0). Only the winner is converted, with one rounding to float; since that is monotonic the result equals
 * the min or max of converted samples. A sum beyond the range of float becomes ±FLT_MAX.
 *
 * rms = sqrt(sum of squares / frames), of the same values, rounded to float at the end. The sum is exact for integers of 16 bits and
 * fewer; else it is of doubles, in an order that is not specified: two kernels agree within 1e-6.
 */
#ifndef LP_PEAKS_H
#define LP_PEAKS_H

#include <stdint.h>

#include "pcm_file.h"

#define LP_PEAKS_MAX_PLANES 9 /* eight channels and the mix */

/* One bucket while it is gathered. */
typedef struct lp_peaks {
  int64_t frames;
  int64_t invalid;                  /* samples, not frames; the mix has none of its own */
  int64_t low[LP_PEAKS_MAX_PLANES]; /* integers, or order-mapped floats */
  int64_t high[LP_PEAKS_MAX_PLANES];
  double squares[LP_PEAKS_MAX_PLANES]; /* of integers, or of floats; of S or s for the mix */
} lp_peaks;

/* [any] Planes of a format. */
static inline uint32_t lp_peaks_planes(const lp_pcm_format *format) { return format->channels > 1 ? format->channels + 1 : 1; }

/* [any] An empty bucket. invalid starts at 0. */
void lp_peaks_reset(lp_peaks *p);

/* [any] Adds frames as they lie in the file (frames × frame_bytes). */
void lp_peaks_add(lp_peaks *p, const lp_pcm_format *format, const uint8_t *raw, int64_t frames);

/* [any] Writes min, max, rms of each plane: 3 × planes floats. A bucket without frames gives zeros. */
void lp_peaks_result(const lp_peaks *p, const lp_pcm_format *format, float *out);

#endif
