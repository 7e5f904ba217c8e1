/* The resampler's kernel for x86-64 with AVX2 and FMA. */
#include "resample_kernel.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define KERNEL lp_resample_avx2
#define KERNEL_NAME "AVX2"
#define KERNEL_FUSED true
#define TARGET __attribute__((target("avx2,fma")))
#define WIDTH 8
#define WIDE 2
#define NARROW 1
#define POINTS 2
#define REGISTERS 16

typedef __m256 vf;
typedef __m256d vd;

TARGET static inline __attribute__((always_inline)) vf splat_f(float x) { return _mm256_set1_ps(x); }
TARGET static inline __attribute__((always_inline)) vd splat_d(double x) { return _mm256_set1_pd(x); }
TARGET static inline __attribute__((always_inline)) vf fused_f(vf a, vf b, vf c) { return _mm256_fmadd_ps(a, b, c); }
TARGET static inline __attribute__((always_inline)) vd fused_d(vd a, vd b, vd c) { return _mm256_fmadd_pd(a, b, c); }
TARGET static inline __attribute__((always_inline)) vd widen(const float *p) { return _mm256_cvtps_pd(_mm_loadu_ps(p)); }
TARGET static inline __attribute__((always_inline)) void store_rounded(float *p, vd v) { _mm_storeu_ps(p, _mm256_cvtpd_ps(v)); }

#include "resample_kernel_body.h"
#endif
