/* The kernel of speeds for what every machine of a kind has, in vectors of four: SSE2 without fused operations on x86-64, NEON with them on ARM; and the choice
 * among all kernels. */
#include <math.h>
#include <string.h>

#define KERNEL lp_speed_plain
#define TARGET
#define WIDTH 4

typedef float vf __attribute__((vector_size(16)));

static inline vf splat(float x) { return (vf){x, x, x, x}; }
static inline vf load(const float *p) {
  vf v;
  memcpy(&v, p, sizeof v);
  return v;
}
static inline void store(float *p, vf v) { memcpy(p, &v, sizeof v); }

#if defined(__aarch64__)
#include <arm_neon.h>
#define KERNEL_NAME "NEON"
#define KERNEL_FUSED true
static inline vf fused(vf a, vf b, vf c) { return (vf)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b); }
#elif defined(FP_FAST_FMAF)
#define KERNEL_NAME "plain, fused"
#define KERNEL_FUSED true
static inline vf fused(vf a, vf b, vf c) { return (vf){fmaf(a[0], b[0], c[0]), fmaf(a[1], b[1], c[1]), fmaf(a[2], b[2], c[2]), fmaf(a[3], b[3], c[3])}; }
#else
#define KERNEL_NAME "plain"
#define KERNEL_FUSED false
static inline vf fused(vf a, vf b, vf c) { return a * b + c; }
#endif

#include "speed_kernel_body.h"

const lp_speed_kernel *lp_speed_kernel_at(uint32_t index) {
  const lp_speed_kernel *found[3] = {&lp_speed_plain};
#if defined(__x86_64__)
  uint32_t n = 1;
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) found[n++] = &lp_speed_avx2;
  if (__builtin_cpu_supports("avx512f")) found[n++] = &lp_speed_avx512;
#endif
  return index < 3 ? found[index] : NULL;
}

const lp_speed_kernel *lp_speed_kernel_best(void) {
  uint32_t last = 0;
  while (lp_speed_kernel_at(last + 1)) last++;
  return lp_speed_kernel_at(last);
}
