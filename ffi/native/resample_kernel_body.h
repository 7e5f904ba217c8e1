/* The text of every kernel; included by resample_kernel_*.c, which says before what a vector is:
 *   KERNEL          the name of the lp_resample_kernel
 *   KERNEL_NAME, KERNEL_FUSED
 *   TARGET          attributes of functions
 *   WIDTH           floats of a vector
 *   vf, vd          vectors of WIDTH floats and WIDTH / 2 doubles
 *   splat_f, splat_d, fused_f, fused_d   x everywhere; a · b + c
 *   widen, store_rounded                 WIDTH / 2 floats from anywhere as doubles, and back
 *   WIDE            vectors of a row of the wide tile; the narrow one has NARROW
 *   REGISTERS       that a vector can be in
 *   POINTS          outputs of a smooth table at once */
#include <string.h>

#include "resample_kernel.h"

#define INLINE TARGET static inline __attribute__((always_inline))
#define GROUP LP_RESAMPLE_GROUP
#define CHAINS LP_RESAMPLE_CHAINS

#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

/* Vectors wherever they lie. */
typedef float any_f __attribute__((vector_size(WIDTH * 4), aligned(4), may_alias));
typedef double any_d __attribute__((vector_size(WIDTH * 4), aligned(8), may_alias));
typedef float four_f __attribute__((vector_size(16)));
typedef float any_four_f __attribute__((vector_size(16), aligned(4), may_alias));
typedef float eight_f __attribute__((vector_size(32)));
typedef float any_eight_f __attribute__((vector_size(32), aligned(4), may_alias));

INLINE vf load_f(const float *p) { return *(const any_f *)p; }
INLINE vd load_d(const double *p) { return *(const any_d *)p; }
INLINE void store_f(float *p, vf v) { *(any_f *)p = v; }

/* Vectors of 8 from two of 4, back, and from two of 8. */
#if defined(__clang__) || __GNUC__ >= 12
#define JOIN(a, b) __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7)
#define LOWER(a) __builtin_shufflevector(a, a, 0, 1, 2, 3)
#define UPPER(a) __builtin_shufflevector(a, a, 4, 5, 6, 7)
#define SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
typedef int32_t eight_i __attribute__((vector_size(32)));
#define JOIN(a, b) ((eight_f){(a)[0], (a)[1], (a)[2], (a)[3], (b)[0], (b)[1], (b)[2], (b)[3]})
#define LOWER(a) ((four_f){(a)[0], (a)[1], (a)[2], (a)[3]})
#define UPPER(a) ((four_f){(a)[4], (a)[5], (a)[6], (a)[7]})
#define SHUFFLE(a, b, ...) __builtin_shuffle(a, b, (eight_i){__VA_ARGS__})
#endif

/* ---- taking samples, and turning them ---------------------------------------------------------------------- */

/* By bits, in the simplest of loops. */
TARGET static void take(float *restrict out, const float *restrict in, int64_t n) LP_NONBLOCKING {
  for (int64_t i = 0; i < n; i++) {
    uint32_t bits;
    memcpy(&bits, in + i, 4);
    bits = (bits & 0x7F800000u) == 0x7F800000u ? 0 : bits;
    memcpy(out + i, &bits, 4);
  }
}

/* The transpose of four rows of 2 × 4, each half by itself. */
#define TURN(r0, r1, r2, r3)                                                                                                     \
  eight_f t0 = SHUFFLE(r0, r1, 0, 8, 1, 9, 4, 12, 5, 13), t1 = SHUFFLE(r0, r1, 2, 10, 3, 11, 6, 14, 7, 15);                      \
  eight_f t2 = SHUFFLE(r2, r3, 0, 8, 1, 9, 4, 12, 5, 13), t3 = SHUFFLE(r2, r3, 2, 10, 3, 11, 6, 14, 7, 15);                      \
  r0 = SHUFFLE(t0, t2, 0, 1, 8, 9, 4, 5, 12, 13);                                                                                \
  r1 = SHUFFLE(t0, t2, 2, 3, 10, 11, 6, 7, 14, 15);                                                                              \
  r2 = SHUFFLE(t1, t3, 0, 1, 8, 9, 4, 5, 12, 13);                                                                                \
  r3 = SHUFFLE(t1, t3, 2, 3, 10, 11, 6, 7, 14, 15)

#define PAIR(low, high) JOIN(*(const any_four_f *)(low), *(const any_four_f *)(high))

TARGET static void pack(float *restrict x, const float *restrict in, int64_t stride, uint32_t rows, uint32_t lanes, uint32_t used) LP_NONBLOCKING {
  uint32_t fresh = stride < (int64_t)rows ? (uint32_t)stride : rows;
  fresh = (fresh + 3) / 4 * 4;
  for (uint32_t l = 0; l < lanes; l += 8) {
    const float *lane[8];
    for (uint32_t i = 0; i < 8; i++) lane[i] = in + (l + i < used ? l + i : used - 1) * stride;
    for (uint32_t j = 0; j < fresh; j += 4) {
      eight_f r0 = PAIR(lane[0] + j, lane[4] + j), r1 = PAIR(lane[1] + j, lane[5] + j);
      eight_f r2 = PAIR(lane[2] + j, lane[6] + j), r3 = PAIR(lane[3] + j, lane[7] + j);
      TURN(r0, r1, r2, r3);
      float *to = x + (uint64_t)j * lanes + l;
      *(any_eight_f *)to = r0;
      *(any_eight_f *)(to + lanes) = r1;
      *(any_eight_f *)(to + 2 * lanes) = r2;
      *(any_eight_f *)(to + 3 * lanes) = r3;
    }
  }
  /* What a lane has a stride later is what the next one has now. */
  const float *last = in + (used - 1) * stride;
  for (uint32_t j = fresh; j < rows; j++) {
    float *to = x + (uint64_t)j * lanes;
    const float *from = x + (uint64_t)(j - (uint32_t)stride) * lanes + 1;
    for (uint32_t l = 0; l < lanes; l += WIDTH) store_f(to + l, load_f(from + l));
    to[used - 1] = last[j];
  }
}

TARGET static void unpack(float *const *restrict out, const float *y, uint32_t rows, uint32_t lanes) LP_NONBLOCKING {
  for (uint32_t next = 0; next < rows; next += 4) {
    const uint32_t j = next + 4 <= rows ? next : rows - 4; /* the last ones again rather than ones that are not there */
    const float *from = y + (uint64_t)j * lanes;
    eight_f r0 = *(const any_eight_f *)from, r1 = *(const any_eight_f *)(from + lanes);
    eight_f r2 = *(const any_eight_f *)(from + 2 * lanes), r3 = *(const any_eight_f *)(from + 3 * lanes);
    TURN(r0, r1, r2, r3);
    *(any_four_f *)(out[0] + j) = LOWER(r0);
    *(any_four_f *)(out[1] + j) = LOWER(r1);
    *(any_four_f *)(out[2] + j) = LOWER(r2);
    *(any_four_f *)(out[3] + j) = LOWER(r3);
    *(any_four_f *)(out[4] + j) = UPPER(r0);
    *(any_four_f *)(out[5] + j) = UPPER(r1);
    *(any_four_f *)(out[6] + j) = UPPER(r2);
    *(any_four_f *)(out[7] + j) = UPPER(r3);
  }
}

/* ---- periodic tables --------------------------------------------------------------------------------------- */

/* Both tails inwards, each row times its GROUP coefficients: at c those of the low tail's row, GROUP further those of the high tail's. In one
 * loop where there are registers for it, else in two. */
#define TAIL_BOTH(name, vectors)                                                                                                 \
  INLINE void name(vf (*sum)[GROUP][vectors], const float *c, const float *low, const float *high, int64_t step, uint32_t rows) { \
    vf s[2][GROUP][vectors];                                                                                                     \
    UNROLL for (int p = 0; p < GROUP; p++)                                                                                       \
      UNROLL for (int v = 0; v < vectors; v++) s[0][p][v] = s[1][p][v] = splat_f(0);                                             \
    for (uint32_t j = 0; j < rows; j++, low += step, high -= step, c += 2 * GROUP) {                                             \
      vf row[2][vectors];                                                                                                        \
      UNROLL for (int v = 0; v < vectors; v++) {                                                                                 \
        row[0][v] = load_f(low + v * WIDTH);                                                                                     \
        row[1][v] = load_f(high + v * WIDTH);                                                                                    \
      }                                                                                                                          \
      UNROLL for (int side = 0; side < 2; side++) {                                                                              \
        UNROLL for (int p = 0; p < GROUP; p++) {                                                                                 \
          vf factor = splat_f(c[side * GROUP + p]);                                                                              \
          UNROLL for (int v = 0; v < vectors; v++) s[side][p][v] = fused_f(row[side][v], factor, s[side][p][v]);                 \
        }                                                                                                                        \
      }                                                                                                                          \
    }                                                                                                                            \
    UNROLL for (int side = 0; side < 2; side++)                                                                                  \
      UNROLL for (int p = 0; p < GROUP; p++)                                                                                     \
        UNROLL for (int v = 0; v < vectors; v++) sum[side][p][v] = s[side][p][v];                                                \
  }

#define TAIL_EACH(name, vectors)                                                                                                 \
  INLINE void name##_one(vf (*sum)[vectors], const float *c, const float *x, int64_t step, uint32_t rows) {                      \
    vf s[GROUP][vectors];                                                                                                        \
    UNROLL for (int p = 0; p < GROUP; p++)                                                                                       \
      UNROLL for (int v = 0; v < vectors; v++) s[p][v] = splat_f(0);                                                             \
    for (uint32_t j = 0; j < rows; j++, x += step, c += 2 * GROUP) {                                                             \
      vf row[vectors];                                                                                                           \
      UNROLL for (int v = 0; v < vectors; v++) row[v] = load_f(x + v * WIDTH);                                                   \
      UNROLL for (int p = 0; p < GROUP; p++) {                                                                                   \
        vf factor = splat_f(c[p]);                                                                                               \
        UNROLL for (int v = 0; v < vectors; v++) s[p][v] = fused_f(row[v], factor, s[p][v]);                                     \
      }                                                                                                                          \
    }                                                                                                                            \
    UNROLL for (int p = 0; p < GROUP; p++)                                                                                       \
      UNROLL for (int v = 0; v < vectors; v++) sum[p][v] = s[p][v];                                                              \
  }                                                                                                                              \
  INLINE void name(vf (*sum)[GROUP][vectors], const float *c, const float *low, const float *high, int64_t step, uint32_t rows) { \
    name##_one(sum[0], c, low, step, rows);                                                                                      \
    name##_one(sum[1], c + GROUP, high, -step, rows);                                                                            \
  }

/* Adds the tails and then the middle in double, for `vectors` vectors of doubles. */
#define MIDDLE(name, vectors)                                                                                                    \
  INLINE void name(float *y, uint32_t lanes, const float *low, const float *high, const double *c, const float *x, uint32_t rows) { \
    vd s[GROUP][vectors];                                                                                                        \
    UNROLL for (int p = 0; p < GROUP; p++) {                                                                                     \
      UNROLL for (int v = 0; v < vectors; v++) {                                                                                 \
        uint32_t at = p * lanes + v * (WIDTH / 2);                                                                               \
        s[p][v] = widen(low + at) + widen(high + at);                                                                            \
      }                                                                                                                          \
    }                                                                                                                            \
    for (uint32_t j = 0; j < rows; j++, x += lanes, c += GROUP) {                                                                \
      vd row[vectors];                                                                                                           \
      UNROLL for (int v = 0; v < vectors; v++) row[v] = widen(x + v * (WIDTH / 2));                                              \
      UNROLL for (int p = 0; p < GROUP; p++) {                                                                                   \
        vd factor = splat_d(c[p]);                                                                                               \
        UNROLL for (int v = 0; v < vectors; v++) s[p][v] = fused_d(row[v], factor, s[p][v]);                                     \
      }                                                                                                                          \
    }                                                                                                                            \
    UNROLL for (int p = 0; p < GROUP; p++)                                                                                       \
      UNROLL for (int v = 0; v < vectors; v++) store_rounded(y + p * lanes + v * (WIDTH / 2), s[p][v]);                          \
  }

#define TILE(name, add_tails, add_middle, vectors, doubles)                                                                               \
  TARGET static void name(const lp_resample_table *t, uint32_t group, uint32_t count, const float *restrict x, float *restrict y)\
      LP_NONBLOCKING {                                                                                                           \
    const uint32_t lanes = vectors * WIDTH;                                                                                      \
    const uint64_t tails = (uint64_t)t->edge * 2 * GROUP, middles = (uint64_t)t->centre * GROUP;                                 \
    vf sum[2][GROUP][vectors];                                                                                                   \
    int64_t base = -(int64_t)t->offset[group];                                                                                   \
    for (; count > 0; count--) {                                                                                                 \
      const float *rows = x + (base + t->offset[group]) * lanes;                                                                 \
      add_tails(sum, t->tails + group * tails, rows, rows + (int64_t)(t->rows - 1) * lanes, lanes, t->edge);                          \
      for (uint32_t l = 0; l < lanes; l += doubles * WIDTH / 2)                                                                  \
        add_middle(y + l, lanes, (const float *)sum[0] + l, (const float *)sum[1] + l, t->middle + group * middles,                  \
               rows + (int64_t)t->edge * lanes + l, t->centre);                                                                  \
      uint32_t left = t->period - group * GROUP;                                                                                 \
      y += (uint64_t)(left < GROUP ? left : GROUP) * lanes;                                                                      \
      if (++group == t->groups) {                                                                                                \
        group = 0;                                                                                                               \
        base += t->stride;                                                                                                       \
      }                                                                                                                          \
    }                                                                                                                            \
  }

/* Registers for the sums, the rows and a coefficient. */
#define ENOUGH(vectors) (2 * GROUP * (vectors) + 2 * (vectors) + 1 <= REGISTERS)

#if ENOUGH(WIDE)
TAIL_BOTH(tail_wide, WIDE)
MIDDLE(middle_wide, 2 * WIDE)
TILE(tile_wide, tail_wide, middle_wide, WIDE, 2 * WIDE)
#else
TAIL_EACH(tail_wide, WIDE)
MIDDLE(middle_wide, 2)
TILE(tile_wide, tail_wide, middle_wide, WIDE, 2)
#endif

#if ENOUGH(NARROW)
TAIL_BOTH(tail_narrow, NARROW)
MIDDLE(middle_narrow, 2 * NARROW)
TILE(tile_narrow, tail_narrow, middle_narrow, NARROW, 2 * NARROW)
#else
TAIL_EACH(tail_narrow, NARROW)
MIDDLE(middle_narrow, 2)
TILE(tile_narrow, tail_narrow, middle_narrow, NARROW, 2)
#endif

/* ---- smooth tables ----------------------------------------------------------------------------------------- */

#define BLOCK_VECTORS (CHAINS / WIDTH)

/* POINTS outputs of one segment, so that its curves are loaded once for all. Adds blocks of taps to sums: from c and x on, and where x steps back by
 * blocks, c goes on. Returns the curves that follow. */
INLINE const float *curves_f(vf (*sum)[BLOCK_VECTORS], const float *c, const float *const *x, const lp_resample_point *at, int64_t step, uint32_t blocks) {
  vf s[POINTS][BLOCK_VECTORS], place[POINTS];
  UNROLL for (int i = 0; i < POINTS; i++) {
    place[i] = splat_f((float)at[i].position);
    UNROLL for (int v = 0; v < BLOCK_VECTORS; v++) s[i][v] = splat_f(0);
  }
  int64_t from = 0;
  for (uint32_t b = 0; b < blocks; b++, from += step, c += 4 * CHAINS) {
    UNROLL for (int v = 0; v < BLOCK_VECTORS; v++) {
      const vf c0 = load_f(c + v * WIDTH), c1 = load_f(c + CHAINS + v * WIDTH);
      const vf c2 = load_f(c + 2 * CHAINS + v * WIDTH), c3 = load_f(c + 3 * CHAINS + v * WIDTH);
      UNROLL for (int i = 0; i < POINTS; i++) {
        vf value = fused_f(fused_f(fused_f(c3, place[i], c2), place[i], c1), place[i], c0);
        s[i][v] = fused_f(load_f(x[i] + from + v * WIDTH), value, s[i][v]);
      }
    }
  }
  UNROLL for (int i = 0; i < POINTS; i++)
    UNROLL for (int v = 0; v < BLOCK_VECTORS; v++) sum[i][v] = s[i][v];
  return c;
}

INLINE void curves_d(vd (*sum)[2 * BLOCK_VECTORS], const double *c, const float *const *x, const lp_resample_point *at, uint32_t blocks) {
  for (uint32_t b = 0; b < blocks; b++, c += 4 * CHAINS) {
    UNROLL for (int v = 0; v < 2 * BLOCK_VECTORS; v++) {
      const double *p = c + v * (WIDTH / 2);
      const vd c0 = load_d(p), c1 = load_d(p + CHAINS), c2 = load_d(p + 2 * CHAINS), c3 = load_d(p + 3 * CHAINS);
      UNROLL for (int i = 0; i < POINTS; i++) {
        vd place = splat_d(at[i].position);
        vd value = fused_d(fused_d(fused_d(c3, place, c2), place, c1), place, c0);
        sum[i][v] = fused_d(widen(x[i] + b * CHAINS + v * (WIDTH / 2)), value, sum[i][v]);
      }
    }
  }
}

TARGET static void segment(const lp_resample_table *t, uint32_t number, const lp_resample_point *points, uint32_t count, const float *in, float *out) LP_NONBLOCKING {
  const uint32_t middle_blocks = t->centre / CHAINS, tail_blocks = t->blocks - middle_blocks, end = t->edge + middle_blocks;
  const float *tails = t->tail_curves + (uint64_t)number * tail_blocks * 4 * CHAINS;
  const double *middles = t->middle_curves + (uint64_t)number * middle_blocks * 4 * CHAINS;
  for (uint32_t first = 0; first < count; first += POINTS) {
    /* The last ones again rather than ones that are not there. */
    lp_resample_point at[POINTS];
    const float *x[POINTS], *last[POINTS], *centre[POINTS];
    for (uint32_t i = 0; i < POINTS; i++) {
      at[i] = points[first + i < count ? first + i : count - 1];
      x[i] = in + at[i].frame;
      last[i] = x[i] + (t->blocks - 1) * CHAINS;
      centre[i] = x[i] + t->edge * CHAINS;
    }
    vf low[POINTS][BLOCK_VECTORS], high[POINTS][BLOCK_VECTORS];
    const float *c = curves_f(low, tails, x, at, CHAINS, t->edge);
    curves_f(high, c, last, at, -CHAINS, t->blocks - end);
    vd sum[POINTS][2 * BLOCK_VECTORS];
    UNROLL for (int i = 0; i < POINTS; i++)
      UNROLL for (int v = 0; v < 2 * BLOCK_VECTORS; v++)
        sum[i][v] = widen((const float *)low[i] + v * (WIDTH / 2)) + widen((const float *)high[i] + v * (WIDTH / 2));
    curves_d(sum, middles, centre, at, middle_blocks);
    for (uint32_t i = 0; i < POINTS; i++) {
      double s[CHAINS];
      memcpy(s, sum[i], sizeof s);
      UNROLL for (int half = CHAINS / 2; half > 0; half /= 2)
        UNROLL for (int j = 0; j < half; j++) s[j] += s[j + half];
      out[at[i].output] = (float)s[0];
    }
  }
}

const lp_resample_kernel KERNEL = {
  .name = KERNEL_NAME,
  .fused = KERNEL_FUSED,
  .wide = WIDE * WIDTH,
  .narrow = NARROW * WIDTH,
  .take = take,
  .pack = pack,
  .tile_wide = tile_wide,
  .tile_narrow = tile_narrow,
  .unpack = unpack,
  .segment = segment,
};
