/* Who waits for a disk says so. A thread that reads looks the same from outside whether it decodes, is kept off the processor or waits for a disk; only
 * the last is a reason to start another in its stead. */
#ifndef LP_DISK_WAIT_H
#define LP_DISK_WAIT_H

#include <stdatomic.h>
#include <stdint.h>
#include <time.h>

/* CLOCK_MONOTONIC when this thread began to wait, 0 while it does not. NULL: nobody wants to know. */
extern _Thread_local _Atomic uint64_t *lp_disk_wait_since;
/* This thread's own: ns that it has waited in all, bytes that it has read, when it began to wait. */
extern _Thread_local uint64_t lp_disk_waited_ns, lp_disk_bytes, lp_disk_wait_begun;

static inline uint64_t lp_disk_now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

/* [any] Around every call that may wait for a disk. Relaxed: it orders nothing. */
static inline void lp_disk_wait_begin(void) {
  lp_disk_wait_begun = lp_disk_now_ns();
  if (lp_disk_wait_since) atomic_store_explicit(lp_disk_wait_since, lp_disk_wait_begun, memory_order_relaxed);
}
static inline void lp_disk_wait_end(void) {
  lp_disk_waited_ns += lp_disk_now_ns() - lp_disk_wait_begun;
  if (lp_disk_wait_since) atomic_store_explicit(lp_disk_wait_since, 0, memory_order_relaxed);
}
/* [any] As lp_disk_wait_end, of a read that gave this many bytes; negative if it failed. */
static inline void lp_disk_read_end(int64_t bytes) {
  lp_disk_wait_end();
  if (bytes > 0) lp_disk_bytes += (uint64_t)bytes;
}

#endif
