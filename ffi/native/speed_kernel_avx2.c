/* The kernel of speeds for x86-64 with AVX2 and FMA. */
#if defined(__x86_64__)
#include <immintrin.h>

#define KERNEL lp_speed_avx2
#define KERNEL_NAME "AVX2"
#define KERNEL_FUSED true
#define TARGET __attribute__((target("avx2,fma")))
#define WIDTH 8

typedef __m256 vf;

TARGET static inline __attribute__((always_inline)) vf splat(float x) { return _mm256_set1_ps(x); }
TARGET static inline __attribute__((always_inline)) vf load(const float *p) { return _mm256_loadu_ps(p); }
TARGET static inline __attribute__((always_inline)) void store(float *p, vf v) { _mm256_storeu_ps(p, v); }
TARGET static inline __attribute__((always_inline)) vf fused(vf a, vf b, vf c) { return _mm256_fmadd_ps(a, b, c); }

#include "speed_kernel_body.h"
#endif
