#include "flac_lpc.h"

#define INLINE static inline __attribute__((always_inline))

/* The newest sample comes last into the sum: what it is added to is there by then. */
INLINE void lpc32(const int32_t *c, uint32_t order, int32_t shift, uint32_t from, uint32_t to, int32_t *x) {
  for (uint32_t i = from; i < to; i++) {
    uint32_t sum = 0;
    for (uint32_t j = order; j-- > 0;) sum += (uint32_t)c[j] * (uint32_t)x[i - 1 - j];
    x[i] = (int32_t)((uint32_t)x[i] + (uint32_t)((int32_t)sum >> shift));
  }
}

INLINE void lpc64(const int32_t *c, uint32_t order, int32_t shift, uint32_t from, uint32_t to, int32_t *x) {
  for (uint32_t i = from; i < to; i++) {
    int64_t sum = 0;
    for (uint32_t j = order; j-- > 0;) sum += (int64_t)c[j] * x[i - 1 - j];
    x[i] = (int32_t)((int64_t)x[i] + (sum >> shift));
  }
}

/* A loop for each order that encoders write, so that coefficients stay in registers. */
#define BY_ORDER(name)                                                \
  switch (order) {                                                    \
    case 1: name(c, 1, shift, from, to, x); return;                   \
    case 2: name(c, 2, shift, from, to, x); return;                   \
    case 3: name(c, 3, shift, from, to, x); return;                   \
    case 4: name(c, 4, shift, from, to, x); return;                   \
    case 5: name(c, 5, shift, from, to, x); return;                   \
    case 6: name(c, 6, shift, from, to, x); return;                   \
    case 7: name(c, 7, shift, from, to, x); return;                   \
    case 8: name(c, 8, shift, from, to, x); return;                   \
    case 9: name(c, 9, shift, from, to, x); return;                   \
    case 10: name(c, 10, shift, from, to, x); return;                 \
    case 11: name(c, 11, shift, from, to, x); return;                 \
    case 12: name(c, 12, shift, from, to, x); return;                 \
    default: name(c, order, shift, from, to, x); return;              \
  }

static void restore32(const int32_t *c, uint32_t order, int32_t shift, uint32_t from, uint32_t to, int32_t *x) { BY_ORDER(lpc32) }
static void restore64(const int32_t *c, uint32_t order, int32_t shift, uint32_t from, uint32_t to, int32_t *x) { BY_ORDER(lpc64) }

static void restore_one(const lp_flac_lpc *l, bool wide, uint32_t to) {
  if (wide) restore64(l->c, l->order, l->shift, l->order, to, l->x);
  else restore32(l->c, l->order, l->shift, l->order, to, l->x);
}

#if defined(__x86_64__)
static bool has_vectors(void) {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx2");
}

/* False: not this way. */
static bool restore_pair(const lp_flac_lpc pair[2], bool wide, uint32_t block) {
  const uint32_t from = pair[0].order > pair[1].order ? pair[0].order : pair[1].order;
  if (from > LP_FLAC_PAIR_ORDER || from >= block) return false;
  for (int k = 0; k < 2; k++) restore_one(&pair[k], wide, from);
  if (wide) lp_flac_pair64_avx2(pair, from, block);
  else lp_flac_pair32_avx2(pair, from, block);
  return true;
}
#else
static bool has_vectors(void) { return false; }

static bool restore_pair(const lp_flac_lpc pair[2], bool wide, uint32_t block) {
  (void)pair;
  (void)wide;
  (void)block;
  return false;
}
#endif

void lp_flac_restore_by(const lp_flac_lpc *channels, uint32_t count, uint32_t block, bool vectors) {
  for (uint32_t i = 0; i < count; i += 2) {
    const uint32_t n = count - i < 2 ? 1 : 2;
    const bool wide = channels[i].wide || channels[i + n - 1].wide;
    if (vectors && n == 2 && restore_pair(&channels[i], wide, block)) continue;
    for (uint32_t k = 0; k < n; k++) restore_one(&channels[i + k], wide, block);
  }
}

void lp_flac_restore(const lp_flac_lpc *channels, uint32_t count, uint32_t block) { lp_flac_restore_by(channels, count, block, has_vectors()); }
