/* The portable peak kernel. See peaks.h for what it computes.
 *
 * s16 with one or two channels, which is nearly every file that is long, is reduced straight from the file's bytes. The rest goes through
 * planes of a block small enough for the first-level cache. Loops are written so that the compiler vectorises them; on x86-64 it makes
 * them for AVX-512 and AVX2 as well, and the loader picks. */
#include "peaks.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

/* The sanitizers' start-up code does not get along with functions picked by the loader. */
#if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && !defined(LP_NO_CLONES)
#define CLONES __attribute__((target_clones("default", "avx2", "avx512f")))
#else
#define CLONES
#endif
#define INLINE static inline __attribute__((always_inline))

#define BLOCK_FRAMES 512
#define LANES 8

/* ---- order of floats -------------------------------------------------------------------------------------- */

INLINE int32_t order_of(int32_t bits) { return bits ^ ((bits >> 31) & 0x7FFFFFFF); }

static float float_of(int32_t order) {
  int32_t bits = order_of(order); /* its own inverse */
  float x;
  memcpy(&x, &bits, 4);
  return x;
}

/* ---- buckets ---------------------------------------------------------------------------------------------- */

void lp_peaks_reset(lp_peaks *p) {
  memset(p, 0, sizeof *p);
  for (int i = 0; i < LP_PEAKS_MAX_PLANES; i++) {
    p->low[i] = INT64_MAX;
    p->high[i] = INT64_MIN;
  }
}

INLINE void join(lp_peaks *p, uint32_t plane, int64_t low, int64_t high, double squares) {
  if (low < p->low[plane]) p->low[plane] = low;
  if (high > p->high[plane]) p->high[plane] = high;
  p->squares[plane] += squares;
}

static float in_range(double x) { return (float)(x > FLT_MAX ? FLT_MAX : x < -FLT_MAX ? -FLT_MAX : x); }

void lp_peaks_result(const lp_peaks *p, const lp_pcm_format *format, float *out) {
  uint32_t planes = lp_peaks_planes(format);
  bool is_float = format->encoding == LP_ENC_F32 || format->encoding == LP_ENC_F64;
  double full = is_float ? 1 : (double)(1u << (format->sample_bytes * 8 - 1));
  for (uint32_t i = 0; i < planes; i++, out += 3) {
    if (p->frames == 0) {
      out[0] = out[1] = out[2] = 0;
      continue;
    }
    double parts = i == format->channels ? format->channels : 1;
    /* In double, then to float: the quotient of an integer below 2^35 by n · 2^k is never so near to the middle of two floats that
     * rounding it twice could differ from rounding it once. The same holds for a float divided by n ≤ 8. */
    double low = is_float ? float_of((int32_t)p->low[i]) : (double)p->low[i];
    double high = is_float ? float_of((int32_t)p->high[i]) : (double)p->high[i];
    out[0] = in_range(low / (parts * full));
    out[1] = in_range(high / (parts * full));
    out[2] = in_range(sqrt(p->squares[i] / (double)p->frames) / (parts * full));
  }
}

/* ---- s16, one and two channels ------------------------------------------------------------------------------ */

/* Pairs of samples, wherever they lie in a buffer of bytes: the first in the lower half. */
typedef int32_t any_pair __attribute__((aligned(1), may_alias));
typedef int16_t any_s16 __attribute__((aligned(1), may_alias));

/* So few frames that sums of 16-bit halves of products fit 32 bits. */
#define HALVES_FRAMES 16384

/* A sum of products of 16-bit numbers, kept as two sums of 32 bits: widening each product to 64 would cost more than all the rest. */
typedef struct products {
  uint32_t lower;
  int32_t upper;
} products;

INLINE void add_product(products *sum, int32_t product) {
  sum->lower += (uint32_t)product & 0xFFFF;
  sum->upper += product >> 16;
}

INLINE int64_t total(products sum) { return (int64_t)sum.upper * 65536 + sum.lower; }

/* frames ≤ HALVES_FRAMES. The sums of squares are exact. */
CLONES static void add_s16_mono(lp_peaks *p, const uint8_t *raw, int32_t frames) {
  const any_s16 *samples = (const any_s16 *)raw;
  int32_t low = INT16_MAX, high = INT16_MIN;
  products squares = {0, 0};
  for (int32_t i = 0; i < frames; i++) {
    int32_t x = samples[i];
    low = x < low ? x : low;
    high = x > high ? x : high;
    add_product(&squares, x * x);
  }
  join(p, 0, low, high, (double)total(squares));
}

/* The same. Both samples of a frame are taken apart in one register, which spares the compiler from shuffling them. */
CLONES static void add_s16_stereo(lp_peaks *p, const uint8_t *raw, int32_t frames) {
  const any_pair *pairs = (const any_pair *)raw;
  int32_t low_l = INT16_MAX, high_l = INT16_MIN, low_r = INT16_MAX, high_r = INT16_MIN;
  int32_t low_m = INT32_MAX, high_m = INT32_MIN;
  products ll = {0, 0}, rr = {0, 0}, lr = {0, 0};
  for (int32_t i = 0; i < frames; i++) {
    int32_t l = (int32_t)((uint32_t)pairs[i] << 16) >> 16, r = pairs[i] >> 16, m = l + r;
    low_l = l < low_l ? l : low_l;
    high_l = l > high_l ? l : high_l;
    low_r = r < low_r ? r : low_r;
    high_r = r > high_r ? r : high_r;
    low_m = m < low_m ? m : low_m;
    high_m = m > high_m ? m : high_m;
    add_product(&ll, l * l);
    add_product(&rr, r * r);
    add_product(&lr, l * r);
  }
  join(p, 0, low_l, high_l, (double)total(ll));
  join(p, 1, low_r, high_r, (double)total(rr));
  join(p, 2, low_m, high_m, (double)(total(ll) + total(rr) + 2 * total(lr))); /* (l + r)² */
}

/* ---- integers by planes ------------------------------------------------------------------------------------- */

/* Values wherever they lie in a buffer of bytes. */
typedef uint16_t any_u16 __attribute__((aligned(1), may_alias));
typedef uint32_t any_u32 __attribute__((aligned(1), may_alias));
typedef uint64_t any_u64 __attribute__((aligned(1), may_alias));

INLINE int32_t load_int(const uint8_t *p, uint32_t encoding, bool big) {
  switch (encoding) {
    case LP_ENC_U8: return *p - 128;
    case LP_ENC_S8: return (int8_t)*p;
    case LP_ENC_S16: return (int16_t)(big ? __builtin_bswap16(*(const any_u16 *)p) : *(const any_u16 *)p);
    case LP_ENC_S24: return (int32_t)((uint32_t)p[big ? 0 : 2] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[big ? 2 : 0] << 8) >> 8;
    default: return (int32_t)(big ? __builtin_bswap32(*(const any_u32 *)p) : *(const any_u32 *)p);
  }
}

INLINE void take_ints(const uint8_t *raw, uint32_t encoding, bool big, int64_t frame, int32_t n, int32_t *restrict out) {
  if (encoding == LP_ENC_S24 && n > 0) {
    /* Four bytes at once: the fourth is the one before or after, which is inside the block for all samples but one. */
    int32_t edge = big ? n - 1 : 0;
    out[edge] = load_int(raw + edge * frame, encoding, big);
    if (big)
      for (int32_t i = 0; i < n - 1; i++) out[i] = (int32_t)__builtin_bswap32(*(const any_u32 *)(raw + i * frame)) >> 8;
    else
      for (int32_t i = 1; i < n; i++) out[i] = (int32_t)*(const any_u32 *)(raw + i * frame - 1) >> 8;
    return;
  }
  for (int32_t i = 0; i < n; i++) out[i] = load_int(raw + i * frame, encoding, big);
}

/* [any] A channel of a block as integers. Stereo has loops of its own, since strides known to the compiler are what it vectorises. */
#define TAKE_INTS(name, encoding, bytes, big)                                                                                    \
  CLONES static void take_##name(const uint8_t *raw, int64_t frame, int32_t n, int32_t *restrict out) {                         \
    if (frame == bytes)                                                                                                          \
      take_ints(raw, encoding, big, bytes, n, out);                                                                              \
    else if (frame == 2 * bytes)                                                                                                 \
      take_ints(raw, encoding, big, 2 * bytes, n, out);                                                                          \
    else                                                                                                                         \
      take_ints(raw, encoding, big, frame, n, out);                                                                              \
  }
TAKE_INTS(u8, LP_ENC_U8, 1, false)
TAKE_INTS(s8, LP_ENC_S8, 1, false)
TAKE_INTS(s16, LP_ENC_S16, 2, false)
TAKE_INTS(s16_big, LP_ENC_S16, 2, true)
TAKE_INTS(s24, LP_ENC_S24, 3, false)
TAKE_INTS(s24_big, LP_ENC_S24, 3, true)
TAKE_INTS(s32, LP_ENC_S32, 4, false)
TAKE_INTS(s32_big, LP_ENC_S32, 4, true)

typedef void (*take_ints_fn)(const uint8_t *raw, int64_t frame, int32_t n, int32_t *restrict out);
static const take_ints_fn TAKE_INTS_OF[LP_ENC_S32 + 1][2] = {
  [LP_ENC_U8] = {take_u8, take_u8},       [LP_ENC_S8] = {take_s8, take_s8},       [LP_ENC_S16] = {take_s16, take_s16_big},
  [LP_ENC_S24] = {take_s24, take_s24_big}, [LP_ENC_S32] = {take_s32, take_s32_big},
};

/* Sum of squares in double, in vectors of LANES chains: a plain loop would be one chain, since the compiler may not reorder sums of doubles.
 * n is a multiple of LANES. */
typedef double doubles __attribute__((vector_size(LANES * 8)));
#define SQUARES(type)                                                                                                            \
  typedef type vector_##type __attribute__((vector_size(LANES * sizeof(type)), aligned(sizeof(type)), may_alias));               \
  INLINE double squares_##type(const type *x, int32_t n) {                                                                       \
    doubles sums = {0};                                                                                                          \
    for (int32_t i = 0; i < n; i += LANES) {                                                                                     \
      doubles y = __builtin_convertvector(*(const vector_##type *)(x + i), doubles);                                            \
      sums += y * y;                                                                                                             \
    }                                                                                                                            \
    double sum = 0;                                                                                                              \
    for (int32_t j = 0; j < LANES; j++) sum += sums[j];                                                                          \
    return sum;                                                                                                                  \
  }
SQUARES(int32_t)
SQUARES(int64_t)
SQUARES(float)

/* x has n samples and zeros from there to the next multiple of LANES. */
CLONES static void reduce_ints(lp_peaks *p, uint32_t plane, const int32_t *x, int32_t n) {
  int32_t low = INT32_MAX, high = INT32_MIN;
  for (int32_t i = 0; i < n; i++) {
    low = x[i] < low ? x[i] : low;
    high = x[i] > high ? x[i] : high;
  }
  join(p, plane, low, high, squares_int32_t(x, (n + LANES - 1) / LANES * LANES));
}

/* The mix of 32-bit channels takes up to 35 bits. */
CLONES static void reduce_longs(lp_peaks *p, uint32_t plane, const int64_t *x, int32_t n) {
  int64_t low = INT64_MAX, high = INT64_MIN;
  for (int32_t i = 0; i < n; i++) {
    low = x[i] < low ? x[i] : low;
    high = x[i] > high ? x[i] : high;
  }
  join(p, plane, low, high, squares_int64_t(x, (n + LANES - 1) / LANES * LANES));
}

static void add_ints(lp_peaks *p, const lp_pcm_format *format, const uint8_t *raw, int32_t n) {
  int32_t x[BLOCK_FRAMES], sum[BLOCK_FRAMES];
  int64_t long_sum[BLOCK_FRAMES];
  bool wide = format->encoding == LP_ENC_S32, mix = format->channels > 1;
  int32_t padded = (n + LANES - 1) / LANES * LANES;
  take_ints_fn take = TAKE_INTS_OF[format->encoding][format->big_endian];
  memset(sum, 0, sizeof sum);
  if (wide) memset(long_sum, 0, sizeof long_sum);
  for (uint32_t c = 0; c < format->channels; c++) {
    take(raw + c * format->sample_bytes, format->frame_bytes, n, x);
    for (int32_t i = n; i < padded; i++) x[i] = 0;
    reduce_ints(p, c, x, n);
    if (!mix) continue;
    if (wide)
      for (int32_t i = 0; i < n; i++) long_sum[i] += x[i];
    else
      for (int32_t i = 0; i < n; i++) sum[i] += x[i];
  }
  if (mix && wide) reduce_longs(p, format->channels, long_sum, n);
  if (mix && !wide) reduce_ints(p, format->channels, sum, n);
}

/* ---- floats by planes --------------------------------------------------------------------------------------- */

INLINE float load_float(const uint8_t *p, bool wide, bool big) {
  if (wide) {
    uint64_t bits = *(const any_u64 *)p;
    if (big) bits = __builtin_bswap64(bits);
    double x;
    memcpy(&x, &bits, 8);
    return (float)x; /* a finite double beyond the range of float becomes an infinity, and is counted */
  }
  uint32_t bits = *(const any_u32 *)p;
  if (big) bits = __builtin_bswap32(bits);
  float x;
  memcpy(&x, &bits, 4);
  return x;
}

INLINE void take_floats(const uint8_t *raw, bool wide, bool big, int64_t frame, int32_t n, float *restrict out) {
  for (int32_t i = 0; i < n; i++) out[i] = load_float(raw + i * frame, wide, big);
}

#define TAKE_FLOATS(name, wide, bytes, big)                                                                                      \
  CLONES static void take_##name(const uint8_t *raw, int64_t frame, int32_t n, float *restrict out) {                           \
    if (frame == bytes)                                                                                                          \
      take_floats(raw, wide, big, bytes, n, out);                                                                                \
    else if (frame == 2 * bytes)                                                                                                 \
      take_floats(raw, wide, big, 2 * bytes, n, out);                                                                            \
    else                                                                                                                         \
      take_floats(raw, wide, big, frame, n, out);                                                                                \
  }
TAKE_FLOATS(f32, false, 4, false)
TAKE_FLOATS(f32_big, false, 4, true)
TAKE_FLOATS(f64, true, 8, false)
TAKE_FLOATS(f64_big, true, 8, true)

typedef void (*take_floats_fn)(const uint8_t *raw, int64_t frame, int32_t n, float *restrict out);
static const take_floats_fn TAKE_FLOATS_OF[2][2] = {{take_f32, take_f32_big}, {take_f64, take_f64_big}};

/* [any] Zeroes what is not a finite number. Returns how many there were. */
CLONES static int32_t clean(float *x, int32_t n) {
  int32_t invalid = 0;
  for (int32_t i = 0; i < n; i++) {
    int32_t bits;
    memcpy(&bits, x + i, 4);
    int32_t bad = (bits & 0x7F800000) == 0x7F800000;
    invalid += bad;
    bits &= bad - 1;
    memcpy(x + i, &bits, 4);
  }
  return invalid;
}

CLONES static void reduce_floats(lp_peaks *p, uint32_t plane, const float *x, int32_t n) {
  int32_t low = INT32_MAX, high = INT32_MIN;
  for (int32_t i = 0; i < n; i++) {
    int32_t bits;
    memcpy(&bits, x + i, 4);
    int32_t order = order_of(bits);
    low = order < low ? order : low;
    high = order > high ? order : high;
  }
  join(p, plane, low, high, squares_float(x, (n + LANES - 1) / LANES * LANES));
}

static void add_floats(lp_peaks *p, const lp_pcm_format *format, const uint8_t *raw, int32_t n) {
  float x[BLOCK_FRAMES], sum[BLOCK_FRAMES];
  bool mix = format->channels > 1;
  int32_t padded = (n + LANES - 1) / LANES * LANES;
  take_floats_fn take = TAKE_FLOATS_OF[format->encoding == LP_ENC_F64][format->big_endian];
  for (uint32_t c = 0; c < format->channels; c++) {
    take(raw + c * format->sample_bytes, format->frame_bytes, n, x);
    for (int32_t i = n; i < padded; i++) x[i] = 0;
    p->invalid += clean(x, n);
    reduce_floats(p, c, x, n);
    if (c == 0)
      memcpy(sum, x, (size_t)padded * sizeof *x);
    else
      for (int32_t i = 0; i < padded; i++) sum[i] += x[i];
  }
  if (mix) reduce_floats(p, format->channels, sum, n);
}

/* ---- the door ----------------------------------------------------------------------------------------------- */

void lp_peaks_add(lp_peaks *p, const lp_pcm_format *format, const uint8_t *raw, int64_t frames) {
  p->frames += frames;
  bool s16 = format->encoding == LP_ENC_S16 && !format->big_endian;
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
  s16 = false;
#endif
  if (s16 && format->channels <= 2) {
    while (frames > 0) {
      int32_t n = frames < HALVES_FRAMES ? (int32_t)frames : HALVES_FRAMES;
      if (format->channels == 1)
        add_s16_mono(p, raw, n);
      else
        add_s16_stereo(p, raw, n);
      raw += (int64_t)n * format->frame_bytes;
      frames -= n;
    }
    return;
  }
  bool is_float = format->encoding == LP_ENC_F32 || format->encoding == LP_ENC_F64;
  while (frames > 0) {
    int32_t n = frames < BLOCK_FRAMES ? (int32_t)frames : BLOCK_FRAMES;
    if (is_float)
      add_floats(p, format, raw, n);
    else
      add_ints(p, format, raw, n);
    raw += (int64_t)n * format->frame_bytes;
    frames -= n;
  }
}
