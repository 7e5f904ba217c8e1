/* The mixer's kernel for x86-64 with AVX2. */
#if defined(__x86_64__)
#include <immintrin.h>

#include "mix_kernel.h"

#define KERNEL lp_mix_avx2
#define KERNEL_NAME "AVX2"
#define TARGET __attribute__((target("avx2")))
#define WIDTH 8

typedef __m256 vf;

TARGET static inline __attribute__((always_inline)) vf splat(float x) { return _mm256_set1_ps(x); }
TARGET static inline __attribute__((always_inline)) vf load(const float *p) { return _mm256_loadu_ps(p); }
TARGET static inline __attribute__((always_inline)) void store(float *p, vf v) { _mm256_storeu_ps(p, v); }
TARGET static inline __attribute__((always_inline)) vf widen(const int16_t *p) {
  return _mm256_cvtepi32_ps(_mm256_cvtepi16_epi32(_mm_loadu_si128((const __m128i *)(const void *)p)));
}
TARGET static inline __attribute__((always_inline)) vf magnitude(vf v) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), v); }
TARGET static inline __attribute__((always_inline)) vf greater(vf a, vf b) { return _mm256_max_ps(a, b); }

#include "mix_kernel_body.h"
#endif
