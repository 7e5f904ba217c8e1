/* The master mix at a device's own rate: a streaming front of the resampler for the device's callback.
 *
 * Device frame n stands at exactly n · M / L frames of the mix that was rendered since this was made; what is put out is bit for bit what
 * lp_resample makes of that mix, however the callbacks cut it. The position is computed from the number of frames put out, an integer; nothing
 * accumulates. Everything is allocated when it is made; the work of a call is proportional to its frames. */
#ifndef LP_MASTER_RATE_H
#define LP_MASTER_RATE_H

#include <stdint.h>

#include "nonblocking.h"

typedef struct lp_master_rate lp_master_rate;

/* [callback] Renders the next `frames` frames of the mix, interleaved stereo. begins_ns: when the first of them is due. */
typedef void (*lp_master_render)(void *context, float *out, uint32_t frames, uint64_t begins_ns) LP_NONBLOCKING;

/* [blocking] NULL in *out and LP_OK where the rates are equal; LP_E_ARGUMENT: a rate that cannot be converted; LP_E_MEMORY. */
int lp_master_rate_make(uint32_t mix_rate, uint32_t device_rate, lp_master_render render, void *context, lp_master_rate **out);
/* [control] NULL is nothing. */
void lp_master_rate_free(lp_master_rate *m);

/* [callback] The next `frames` frames of the device, interleaved stereo. Renders as much of the mix as they need; begins_ns: when the first frame is due. */
void lp_master_rate_pull(lp_master_rate *m, float *out, uint32_t frames, uint64_t begins_ns) LP_NONBLOCKING;

/* [any] Frames of the mix that have been rendered ahead of what is put out: the filter's second half. */
uint32_t lp_master_rate_delay(const lp_master_rate *m);

#endif
