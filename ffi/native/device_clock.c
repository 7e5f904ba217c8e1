#include "device_clock.h"

/* Callbacks that the mean goes over: at 5 ms each, a sixth of a second. */
#define MEMORY 32
#define TOLERANCE_NS 100000000u

int64_t lp_device_clock_span(uint32_t rate, uint64_t frame) {
  return (int64_t)(frame / rate * 1000000000u + frame % rate * 1000000000u / rate);
}

lp_device_clock lp_device_clock_make(uint32_t rate, uint32_t period_frames) {
  return (lp_device_clock){ .rate = rate, .tolerance = TOLERANCE_NS + (uint64_t)lp_device_clock_span(rate, period_frames) };
}

uint64_t lp_device_clock_hear(lp_device_clock *c, uint64_t frame, uint64_t now_ns) {
  const int64_t span = lp_device_clock_span(c->rate, frame), off = (int64_t)now_ns - span - c->origin_ns;
  const uint64_t away = off < 0 ? (uint64_t)-off : (uint64_t)off;
  if (!c->heard || away > c->tolerance) {
    c->origin_ns += off;
    c->heard = 1;
    c->lines++;
  } else {
    if (c->heard < MEMORY) c->heard++;
    c->origin_ns += off / (int64_t)c->heard;
  }
  const int64_t due = c->origin_ns + span;
  return due > 0 ? (uint64_t)due : 0;
}
