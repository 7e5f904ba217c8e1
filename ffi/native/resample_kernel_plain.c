/* The resampler's kernel for what every machine of a kind has: SSE2 without fused operations on x86-64, NEON with them on ARM, and else
 * what the compiler makes of vectors of four. */
#include <math.h>

#include "resample_kernel.h"

#define KERNEL lp_resample_plain
#define TARGET
#define WIDTH 4
#define WIDE 2
#define NARROW 2
#define POINTS 2
#if defined(__aarch64__)
#define REGISTERS 32
#else
#define REGISTERS 16
#endif

typedef float vf __attribute__((vector_size(16)));
typedef double vd __attribute__((vector_size(16)));

static inline vf splat_f(float x) { return (vf){x, x, x, x}; }
static inline vd splat_d(double x) { return (vd){x, x}; }

static inline vd widen(const float *p) { return (vd){p[0], p[1]}; }
static inline void store_rounded(float *p, vd v) {
  p[0] = (float)v[0];
  p[1] = (float)v[1];
}

#if defined(__aarch64__)
#include <arm_neon.h>
#define KERNEL_NAME "NEON"
#define KERNEL_FUSED true
static inline vf fused_f(vf a, vf b, vf c) { return (vf)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b); }
static inline vd fused_d(vd a, vd b, vd c) { return (vd)vfmaq_f64((float64x2_t)c, (float64x2_t)a, (float64x2_t)b); }
#elif defined(FP_FAST_FMA) && defined(FP_FAST_FMAF)
#define KERNEL_NAME "plain, fused"
#define KERNEL_FUSED true
static inline vf fused_f(vf a, vf b, vf c) {
  return (vf){fmaf(a[0], b[0], c[0]), fmaf(a[1], b[1], c[1]), fmaf(a[2], b[2], c[2]), fmaf(a[3], b[3], c[3])};
}
static inline vd fused_d(vd a, vd b, vd c) { return (vd){fma(a[0], b[0], c[0]), fma(a[1], b[1], c[1])}; }
#else
#define KERNEL_NAME "plain"
#define KERNEL_FUSED false
static inline vf fused_f(vf a, vf b, vf c) { return a * b + c; }
static inline vd fused_d(vd a, vd b, vd c) { return a * b + c; }
#endif

#include "resample_kernel_body.h"
