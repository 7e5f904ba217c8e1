/* Default folding of up to eight channels to two. */
#ifndef LP_FOLD_H
#define LP_FOLD_H

#include <stdint.h>

/* [any] coefficients[channel][side]. Mono to both sides at unity, stereo as it is, others by ITU-R BS.775 (centre and surrounds at
 * -3 dB, rear centre at -3 dB to each surround, LFE left out). channel_mask: WAVE speaker positions; where it does not
 * name as many speakers as there are channels, the usual layout of that many is taken. */
void lp_fold_default(uint32_t channels, uint32_t channel_mask, float (*coefficients)[2]);

#endif
