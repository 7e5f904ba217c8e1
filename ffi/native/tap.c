#include "tap.h"

#include <string.h>
#include <time.h>

#include "engine.h"

void lp_tap_pass(lp_tap *t, const float *in, uint32_t frames) {
  /* Sequentially consistent, as in lp_tap_end: either this sees that the buffer is gone, or the other sees that somebody is inside. */
  atomic_store(&t->inside, 1);
  float *to = atomic_load(&t->to);
  if (to) {
    /* Relaxed: this thread alone writes it while somebody listens. */
    uint64_t at = atomic_load_explicit(&t->written, memory_order_relaxed);
    uint64_t n = t->frames - at < frames ? t->frames - at : frames;
    memcpy(to + at * 2, in, n * 2 * sizeof(float));
    atomic_store_explicit(&t->written, at + n, memory_order_release);
  }
  atomic_store(&t->inside, 0);
}

int lp_tap_begin(lp_tap *t, float *buffer, double frames) {
  if (atomic_load(&t->to)) return LP_E_STATE;
  if (!buffer || !(frames >= 1) || frames > 9007199254740992.0) return LP_E_ARGUMENT;
  t->frames = (uint64_t)frames;
  atomic_store(&t->written, 0);
  /* Publishes the room with the buffer. */
  atomic_store(&t->to, buffer);
  return LP_OK;
}

uint64_t lp_tap_end(lp_tap *t) {
  atomic_store(&t->to, NULL);
  while (atomic_load(&t->inside)) {
    struct timespec pause = { 0, 500000 };
    nanosleep(&pause, NULL);
  }
  return atomic_load_explicit(&t->written, memory_order_acquire);
}
