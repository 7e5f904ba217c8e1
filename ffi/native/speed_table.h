/* The filters of clips that play at another rate than the project's, or from between two frames: band-limited interpolation at any place.
 *
 * The filter h (resample_filter.h) is a Kaiser-windowed sinc: with w = max(1, rate) its cut-off is 0.951 / w of the source's Nyquist frequency, and it
 * reaches 80 · w frames to each side, so that the pass band goes to 0.92 / w (-0.1 dB; flat to 0.00001 dB up to 0.88 / w) and the stop band begins at 1 / w, 121 dB
 * down: what would be heard above the limit of the rate, and mirrored there, is not heard. Noise and distortion lie 129 dB below full scale and more
 * (`speed_main report` measures). w is rounded up to the next of 32 steps an octave, so that there are 129 filters for all
 * rates, and 16 MiB of them at most. A filter is made when it is first needed and stays for as long as the process.
 *
 * A place is a frame i and a fraction f of it in 2^24 parts; an output there is
 *   sum over k in [0, T) of x[i + k - (T/2 - 1)] · h(k - (T/2 - 1) - f).
 * For each tap the table holds cubics in f over segments short enough to be exact to -140 dB. */
#ifndef LP_SPEED_TABLE_H
#define LP_SPEED_TABLE_H

#include <stdint.h>

/* Taps that are summed side by side. */
#define LP_SPEED_CHAINS 16
/* Most taps: those of rate 16. */
#define LP_SPEED_MAX_TAPS 2560

typedef struct lp_speed_table {
  uint32_t taps;          /* T, a multiple of CHAINS */
  uint32_t segment_bits;  /* 2^segment_bits segments of a frame */
  float *curves;          /* segments × T / CHAINS × 4 (constant term first) × CHAINS; a position is from the middle of its segment, in segments */
} lp_speed_table;

/* [control] The filter for a step of so many 2^-24 frames, below 0 backwards; up to 16 frames. The first one for a step takes about a millisecond.
 * NULL: no memory. */
const lp_speed_table *lp_speed_table_of(int64_t step);

#endif
