/* The mixer's kernel for x86-64 with AVX-512. */
#if defined(__x86_64__)
#include <immintrin.h>

#include "mix_kernel.h"

#define KERNEL lp_mix_avx512
#define KERNEL_NAME "AVX-512"
#define TARGET __attribute__((target("avx512f")))
#define WIDTH 16

typedef __m512 vf;

TARGET static inline __attribute__((always_inline)) vf splat(float x) { return _mm512_set1_ps(x); }
TARGET static inline __attribute__((always_inline)) vf load(const float *p) { return _mm512_loadu_ps(p); }
TARGET static inline __attribute__((always_inline)) void store(float *p, vf v) { _mm512_storeu_ps(p, v); }
TARGET static inline __attribute__((always_inline)) vf widen(const int16_t *p) {
  return _mm512_cvtepi32_ps(_mm512_cvtepi16_epi32(_mm256_loadu_si256((const __m256i *)(const void *)p)));
}
TARGET static inline __attribute__((always_inline)) vf magnitude(vf v) { return _mm512_abs_ps(v); }
TARGET static inline __attribute__((always_inline)) vf greater(vf a, vf b) { return _mm512_max_ps(a, b); }

#include "mix_kernel_body.h"
#endif
