/* A tap: copies what passes a callback into a buffer of someone else's, until it is full. */
#ifndef LP_TAP_H
#define LP_TAP_H

#include <stdatomic.h>
#include <stdint.h>

#include "nonblocking.h"

typedef struct lp_tap {
  _Atomic(float *) to; /* NULL: nobody listens */
  uint64_t frames;     /* room; constant while somebody listens */
  _Atomic uint64_t written;
  _Atomic uint32_t inside; /* a callback may be using the buffer */
} lp_tap;

/* [callback] Interleaved stereo. */
void lp_tap_pass(lp_tap *t, const float *in, uint32_t frames) LP_NONBLOCKING;

/* [control] LP_E_STATE while another buffer is in use, LP_E_ARGUMENT for none or no room. The buffer must live until lp_tap_end returns. */
int lp_tap_begin(lp_tap *t, float *buffer, double frames);
/* [blocking] Waits for a callback that is at it. Returns the frames written. */
uint64_t lp_tap_end(lp_tap *t);

#endif
