/* The resampler's kernel for x86-64 with AVX-512. */
#include "resample_kernel.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define KERNEL lp_resample_avx512
#define KERNEL_NAME "AVX-512"
#define KERNEL_FUSED true
#define TARGET __attribute__((target("avx512f,avx512vl,avx512dq,avx2,fma")))
#define WIDTH 16
#define WIDE 2
#define NARROW 1
#define POINTS 4
#define REGISTERS 32

typedef __m512 vf;
typedef __m512d vd;

TARGET static inline __attribute__((always_inline)) vf splat_f(float x) { return _mm512_set1_ps(x); }
TARGET static inline __attribute__((always_inline)) vd splat_d(double x) { return _mm512_set1_pd(x); }
TARGET static inline __attribute__((always_inline)) vf fused_f(vf a, vf b, vf c) { return _mm512_fmadd_ps(a, b, c); }
TARGET static inline __attribute__((always_inline)) vd fused_d(vd a, vd b, vd c) { return _mm512_fmadd_pd(a, b, c); }
TARGET static inline __attribute__((always_inline)) vd widen(const float *p) { return _mm512_cvtps_pd(_mm256_loadu_ps(p)); }
TARGET static inline __attribute__((always_inline)) void store_rounded(float *p, vd v) { _mm256_storeu_ps(p, _mm512_cvtpd_ps(v)); }

#include "resample_kernel_body.h"
#endif
