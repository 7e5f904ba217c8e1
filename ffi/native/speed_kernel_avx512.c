/* The kernel of speeds for x86-64 with AVX-512. */
#if defined(__x86_64__)
#include <immintrin.h>

#define KERNEL lp_speed_avx512
#define KERNEL_NAME "AVX-512"
#define KERNEL_FUSED true
#define TARGET __attribute__((target("avx512f")))
#define WIDTH 16

typedef __m512 vf;

TARGET static inline __attribute__((always_inline)) vf splat(float x) { return _mm512_set1_ps(x); }
TARGET static inline __attribute__((always_inline)) vf load(const float *p) { return _mm512_loadu_ps(p); }
TARGET static inline __attribute__((always_inline)) void store(float *p, vf v) { _mm512_storeu_ps(p, v); }
TARGET static inline __attribute__((always_inline)) vf fused(vf a, vf b, vf c) { return _mm512_fmadd_ps(a, b, c); }

#include "speed_kernel_body.h"
#endif
