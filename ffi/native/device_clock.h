/* When a device's frames are due: the steady time line behind callbacks that come early, late and in bursts.
 *
 * Frame w of the device is due at origin + w / rate. Each callback, which asks for frame w now, moves the origin a little towards now - w / rate, so that
 * the line follows the mean of the callbacks: jitter of the system and bursts of an audio server average out, and the drift of the card's clock against
 * the system's is followed. Where callbacks are away from the line by more than a tenth of a second (a server that stood still, a machine that
 * slept) the line begins anew. Frames are counted in integers; pure. */
#ifndef LP_DEVICE_CLOCK_H
#define LP_DEVICE_CLOCK_H

#include <stdint.h>

#include "nonblocking.h"

typedef struct lp_device_clock {
  uint32_t rate;      /* frames a second */
  uint32_t heard;     /* callbacks since the line began, as far as they matter */
  uint32_t lines;     /* that have begun */
  uint64_t tolerance; /* ns: how far away a callback may be */
  int64_t origin_ns;  /* when frame 0 was due */
} lp_device_clock;

/* period_frames: what a callback may be early or late by without being out of line, besides a tenth of a second. */
lp_device_clock lp_device_clock_make(uint32_t rate, uint32_t period_frames);

/* [callback] A callback asks for `frame` at now_ns. Returns when that frame was due. */
uint64_t lp_device_clock_hear(lp_device_clock *c, uint64_t frame, uint64_t now_ns) LP_NONBLOCKING;

/* [any] ns from frame 0 to `frame`, exact to the nanosecond. */
int64_t lp_device_clock_span(uint32_t rate, uint64_t frame) LP_NONBLOCKING;

#endif
