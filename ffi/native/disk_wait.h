/* Who waits for a disk says so. A thread that reads looks the same from outside whether it decodes, is kept off the processor or waits for a disk; only
 * the last is a reason to start another in its stead. */
#ifndef LP_DISK_WAIT_H
#define LP_DISK_WAIT_H

#include <stdatomic.h>
#include <stdint.h>
#include <time.h>

/* CLOCK_MONOTONIC when this thread began to wait, 0 while it does not. NULL: nobody wants to know. */
extern _Thread_local _Atomic uint64_t *lp_disk_wait_since;

/* [any] Around every call that may wait for a disk. Relaxed: it orders nothing. */
static inline void lp_disk_wait_begin(void) {
  if (!lp_disk_wait_since) return;
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  atomic_store_explicit(lp_disk_wait_since, (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec, memory_order_relaxed);
}
static inline void lp_disk_wait_end(void) {
  if (lp_disk_wait_since) atomic_store_explicit(lp_disk_wait_since, 0, memory_order_relaxed);
}

#endif
