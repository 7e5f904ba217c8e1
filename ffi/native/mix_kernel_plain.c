/* The mixer's kernel for what every machine of a kind has, in vectors of four, and the choice among all kernels. */
#include <string.h>

#include "mix_kernel.h"

#define KERNEL lp_mix_plain
#define KERNEL_NAME "plain"
#define TARGET
#define WIDTH 4

typedef float vf __attribute__((vector_size(16)));
typedef int32_t vi __attribute__((vector_size(16)));

static inline vf splat(float x) { return (vf){x, x, x, x}; }
static inline vf load(const float *p) {
  vf v;
  memcpy(&v, p, sizeof v);
  return v;
}
static inline void store(float *p, vf v) { memcpy(p, &v, sizeof v); }
static inline vf widen(const int16_t *p) { return (vf){(float)p[0], (float)p[1], (float)p[2], (float)p[3]}; }
static inline vf magnitude(vf v) {
  vi bits = (vi)v & 0x7FFFFFFF;
  return (vf)bits;
}
static inline vf greater(vf a, vf b) {
  const vi more = a > b;
  return (vf)(((vi)a & more) | ((vi)b & ~more));
}

#include "mix_kernel_body.h"

const lp_mix_kernel *lp_mix_kernel_at(uint32_t index) {
  const lp_mix_kernel *found[3] = {&lp_mix_plain};
#if defined(__x86_64__)
  uint32_t n = 1;
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2")) found[n++] = &lp_mix_avx2;
  if (__builtin_cpu_supports("avx512f")) found[n++] = &lp_mix_avx512;
#endif
  return index < 3 ? found[index] : NULL;
}

const lp_mix_kernel *lp_mix_kernel_best(void) {
  uint32_t last = 0;
  while (lp_mix_kernel_at(last + 1)) last++;
  return lp_mix_kernel_at(last);
}
