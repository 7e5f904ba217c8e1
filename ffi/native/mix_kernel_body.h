/* The text of the mixer's kernels. Before it stand KERNEL, KERNEL_NAME, TARGET, WIDTH, the types vf (WIDTH floats), and the functions splat, load, store,
 * widen (WIDTH samples of 16 bits to floats), magnitude and greater. [callback]
 *
 * Meters are gathered in 16 lanes, whatever the width, and lanes are joined by halves: so their bits are the same too. What is left of a block after the
 * last 16 samples goes into the first lane. */
#include "mix_kernel.h"

#define LANES 16
#define PARTS (LANES / WIDTH)
#define ONE TARGET static inline __attribute__((always_inline))

typedef struct lanes {
  vf peak[PARTS], square[PARTS];
} lanes;

ONE lanes no_lanes(void) {
  lanes l;
  for (int k = 0; k < PARTS; k++) l.peak[k] = l.square[k] = splat(0.0f);
  return l;
}

ONE void gather(lanes *l, int k, vf t) {
  l->peak[k] = greater(magnitude(t), l->peak[k]);
  l->square[k] = l->square[k] + t * t;
}

ONE void halve(float *p, float *q, int half) {
  for (int k = 0; k < half; k++) {
    p[k] = p[k + half] > p[k] ? p[k + half] : p[k];
    q[k] += q[k + half];
  }
}

ONE void join(const lanes *l, float tail_peak, float tail_square, float *peak, double *square) {
  float p[LANES], q[LANES];
  for (int k = 0; k < PARTS; k++) {
    store(p + k * WIDTH, l->peak[k]);
    store(q + k * WIDTH, l->square[k]);
  }
  p[0] = tail_peak > p[0] ? tail_peak : p[0];
  q[0] += tail_square;
  halve(p, q, 8);
  halve(p, q, 4);
  halve(p, q, 2);
  halve(p, q, 1);
  *peak = p[0] > *peak ? p[0] : *peak;
  *square += (double)q[0];
}

ONE float pass(float t, float *peak, float *square) {
  const float a = t < 0 ? -t : t;
  *peak = a > *peak ? a : *peak;
  *square += t * t;
  return t;
}

TARGET static void mix_s16(const int16_t *const in[2], int32_t n, float gain, const float fader[2], float *const out[2], lp_meter *meter) LP_NONBLOCKING {
  const float scaled = gain * (1.0f / 32768.0f);
  for (int side = 0; side < 2; side++) {
    const int16_t *restrict x = in[side];
    float *restrict o = out[side];
    const vf g = splat(scaled), f = splat(fader[side]);
    lanes l = no_lanes();
    int32_t i = 0;
    for (; i + LANES <= n; i += LANES)
      for (int k = 0; k < PARTS; k++) {
        const vf t = widen(x + i + k * WIDTH) * g * f;
        store(o + i + k * WIDTH, load(o + i + k * WIDTH) + t);
        gather(&l, k, t);
      }
    float peak = 0, square = 0;
    for (; i < n; i++) o[i] += pass((float)x[i] * scaled * fader[side], &peak, &square);
    join(&l, peak, square, &meter->peak[side], &meter->square[side]);
  }
}

TARGET static void mix_f32(const float *const in[2], int32_t n, float gain, const float fader[2], float *const out[2], lp_meter *meter) LP_NONBLOCKING {
  for (int side = 0; side < 2; side++) {
    const float *restrict x = in[side];
    float *restrict o = out[side];
    const vf g = splat(gain), f = splat(fader[side]);
    lanes l = no_lanes();
    int32_t i = 0;
    for (; i + LANES <= n; i += LANES)
      for (int k = 0; k < PARTS; k++) {
        const vf t = load(x + i + k * WIDTH) * g * f;
        store(o + i + k * WIDTH, load(o + i + k * WIDTH) + t);
        gather(&l, k, t);
      }
    float peak = 0, square = 0;
    for (; i < n; i++) o[i] += pass(x[i] * gain * fader[side], &peak, &square);
    join(&l, peak, square, &meter->peak[side], &meter->square[side]);
  }
}

TARGET static void measure(const float *in, int32_t n, float *peak, double *square) LP_NONBLOCKING {
  lanes l = no_lanes();
  int32_t i = 0;
  for (; i + LANES <= n; i += LANES)
    for (int k = 0; k < PARTS; k++) gather(&l, k, load(in + i + k * WIDTH));
  float tail_peak = 0, tail_square = 0;
  for (; i < n; i++) (void)pass(in[i], &tail_peak, &tail_square);
  join(&l, tail_peak, tail_square, peak, square);
}

const lp_mix_kernel KERNEL = {.name = KERNEL_NAME, .s16 = mix_s16, .f32 = mix_f32, .measure = measure};
