/* The floating-point mode of a thread that computes: subnormals are 0 on the way in and out. They cost a hundred times a sample, and
 * compare as 0 anyway. */
#ifndef LP_FLOAT_MODE_H
#define LP_FLOAT_MODE_H

#include <stdint.h>

#include "nonblocking.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* [any] Flushes subnormals on this thread from here on. Returns the mode as it was. */
static inline uint64_t lp_float_mode_flush(void) LP_NONBLOCKING {
#if defined(__x86_64__)
  uint32_t mode = _mm_getcsr();
  _mm_setcsr(mode | 0x8040); /* FTZ, DAZ */
  return mode;
#elif defined(__aarch64__)
  uint64_t mode;
  __asm__ volatile("mrs %0, fpcr" : "=r"(mode));
  __asm__ volatile("msr fpcr, %0" : : "r"(mode | 1ull << 24)); /* FZ */
  return mode;
#else
  return 0;
#endif
}

/* [any] Puts back what lp_float_mode_flush returned, on the same thread. */
static inline void lp_float_mode_restore(uint64_t mode) LP_NONBLOCKING {
#if defined(__x86_64__)
  _mm_setcsr((uint32_t)mode);
#elif defined(__aarch64__)
  __asm__ volatile("msr fpcr, %0" : : "r"(mode));
#else
  (void)mode;
#endif
}

#endif
