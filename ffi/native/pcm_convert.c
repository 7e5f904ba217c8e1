/* Interleaved file bytes to planes. All loops are plain: gcc -O3 vectorises those for s16, s32 and f32; one and two channels have loops of
 * their own, since a stride known to the compiler is what makes that possible.
 *
 * Exactness. An integer of 24 bits or fewer is a float as it is, and the scale is a power of two: nothing is rounded. One of 32 bits is
 * rounded once, by the conversion to float; its scaling by 2^-31 is exact, since the least magnitude is 2^-31 itself. Samples of fewer
 * bits than their container stand at its top (WAVE and AIFF both say so), so the container's width is the one that counts.
 * Floats keep their bits, NaN payloads included; doubles are rounded once. */
#include <assert.h>
#include <string.h>

#include "pcm_file.h"
#include "pcm_part.h"

#define INLINE static inline __attribute__((always_inline))

/* ---- one sample ------------------------------------------------------------------------------------------ */

INLINE float load_u8(const uint8_t *p) { return (float)(*p - 128) * 0x1p-7f; }
INLINE float load_s8(const uint8_t *p) { return (float)(int8_t)*p * 0x1p-7f; }

INLINE float load_s16(const uint8_t *p) {
  int16_t x;
  memcpy(&x, p, 2);
  return (float)x * 0x1p-15f;
}

INLINE float load_s16_be(const uint8_t *p) {
  uint16_t x;
  memcpy(&x, p, 2);
  return (float)(int16_t)__builtin_bswap16(x) * 0x1p-15f;
}

INLINE int32_t top24(uint32_t b0, uint32_t b1, uint32_t b2) { return (int32_t)(b0 << 8 | b1 << 16 | b2 << 24); }
/* The 24 bits stand at the top of 32: the conversion is exact. */
INLINE float load_s24(const uint8_t *p) { return (float)top24(p[0], p[1], p[2]) * 0x1p-31f; }
INLINE float load_s24_be(const uint8_t *p) { return (float)top24(p[2], p[1], p[0]) * 0x1p-31f; }

INLINE float load_s32(const uint8_t *p) {
  int32_t x;
  memcpy(&x, p, 4);
  return (float)x * 0x1p-31f;
}

INLINE float load_s32_be(const uint8_t *p) {
  uint32_t x;
  memcpy(&x, p, 4);
  return (float)(int32_t)__builtin_bswap32(x) * 0x1p-31f;
}

INLINE float load_f32(const uint8_t *p) {
  float x;
  memcpy(&x, p, 4);
  return x;
}

INLINE float load_f32_be(const uint8_t *p) {
  uint32_t x;
  memcpy(&x, p, 4);
  x = __builtin_bswap32(x);
  float y;
  memcpy(&y, &x, 4);
  return y;
}

INLINE float load_f64(const uint8_t *p) {
  double x;
  memcpy(&x, p, 8);
  return (float)x;
}

INLINE float load_f64_be(const uint8_t *p) {
  uint64_t x;
  memcpy(&x, p, 8);
  x = __builtin_bswap64(x);
  double y;
  memcpy(&y, &x, 8);
  return (float)y;
}

/* As load_s24, but four bytes at once: the byte before (or after) must be readable too. */
INLINE float wide_s24(const uint8_t *p) {
  uint32_t x;
  memcpy(&x, p - 1, 4);
  return (float)(int32_t)(x & 0xFFFFFF00) * 0x1p-31f;
}

INLINE float wide_s24_be(const uint8_t *p) {
  uint32_t x;
  memcpy(&x, p, 4);
  return (float)(int32_t)(__builtin_bswap32(x) & 0xFFFFFF00) * 0x1p-31f;
}

/* ---- loops ----------------------------------------------------------------------------------------------- */

/* load is a constant wherever this is called, so it is inlined into each loop. */
INLINE void spread(float (*load)(const uint8_t *), int bytes, const uint8_t *raw, int64_t frames, uint32_t channels, float *const *planes) {
  if (channels == 1) {
    float *restrict a = planes[0];
    for (int64_t i = 0; i < frames; i++) a[i] = load(raw + i * bytes);
    return;
  }
  if (channels == 2) {
    float *restrict a = planes[0], *restrict b = planes[1];
    for (int64_t i = 0; i < frames; i++) {
      a[i] = load(raw + i * 2 * bytes);
      b[i] = load(raw + i * 2 * bytes + bytes);
    }
    return;
  }
  int64_t frame = (int64_t)bytes * channels;
  for (uint32_t c = 0; c < channels; c++) {
    const uint8_t *p = raw + (int64_t)c * bytes;
    float *restrict a = planes[c];
    for (int64_t i = 0; i < frames; i++) a[i] = load(p + i * frame);
  }
}

#define SPREAD(name, bytes)                                                                                                      \
  static void spread_##name(const uint8_t *raw, int64_t frames, uint32_t channels, float *const *planes) {                      \
    spread(load_##name, bytes, raw, frames, channels, planes);                                                                   \
  }
SPREAD(u8, 1)
SPREAD(s8, 1)
SPREAD(s16, 2)
SPREAD(s16_be, 2)
SPREAD(s32, 4)
SPREAD(s32_be, 4)
SPREAD(f32, 4)
SPREAD(f32_be, 4)
SPREAD(f64, 8)
SPREAD(f64_be, 8)

/* All but the block's first frame (or last, big-endian) have a byte to spare inside the block. */
static void spread_s24(const uint8_t *raw, int64_t frames, uint32_t channels, float *const *planes) {
  if (frames == 0) return;
  spread(load_s24, 3, raw, 1, channels, planes);
  float *rest[8];
  for (uint32_t c = 0; c < channels; c++) rest[c] = planes[c] + 1;
  spread(wide_s24, 3, raw + 3 * channels, frames - 1, channels, rest);
}

static void spread_s24_be(const uint8_t *raw, int64_t frames, uint32_t channels, float *const *planes) {
  if (frames == 0) return;
  spread(wide_s24_be, 3, raw, frames - 1, channels, planes);
  float *last[8];
  for (uint32_t c = 0; c < channels; c++) last[c] = planes[c] + frames - 1;
  spread(load_s24_be, 3, raw + (frames - 1) * 3 * channels, 1, channels, last);
}

void lp_pcm_to_f32(const lp_pcm_format *format, const uint8_t *raw, int64_t frames, float *const *planes) {
  typedef void (*spread_fn)(const uint8_t *, int64_t, uint32_t, float *const *);
  static const spread_fn table[LP_ENC_F64 + 1][2] = {
    [LP_ENC_U8] = {spread_u8, spread_u8},       [LP_ENC_S8] = {spread_s8, spread_s8},
    [LP_ENC_S16] = {spread_s16, spread_s16_be}, [LP_ENC_S24] = {spread_s24, spread_s24_be},
    [LP_ENC_S32] = {spread_s32, spread_s32_be}, [LP_ENC_F32] = {spread_f32, spread_f32_be},
    [LP_ENC_F64] = {spread_f64, spread_f64_be},
  };
  assert(format->encoding >= LP_ENC_U8 && format->encoding <= LP_ENC_F64); /* the parsers made it */
  table[format->encoding][format->big_endian](raw, frames, format->channels, planes);
}

/* ---- s16 ------------------------------------------------------------------------------------------------- */

bool lp_pcm_is_s16(const lp_pcm_format *format) {
  return format->encoding == LP_ENC_S16 || format->encoding == LP_ENC_U8 || format->encoding == LP_ENC_S8;
}

INLINE int16_t short_u8(const uint8_t *p) { return (int16_t)((*p - 128) * 256); }
INLINE int16_t short_s8(const uint8_t *p) { return (int16_t)((int8_t)*p * 256); }

INLINE int16_t short_s16(const uint8_t *p) {
  int16_t x;
  memcpy(&x, p, 2);
  return x;
}

INLINE int16_t short_s16_be(const uint8_t *p) {
  uint16_t x;
  memcpy(&x, p, 2);
  return (int16_t)__builtin_bswap16(x);
}

INLINE void spread_short(int16_t (*load)(const uint8_t *), int bytes, const uint8_t *raw, int64_t frames, uint32_t channels, int16_t *const *planes) {
  if (channels == 1) {
    int16_t *restrict a = planes[0];
    for (int64_t i = 0; i < frames; i++) a[i] = load(raw + i * bytes);
    return;
  }
  if (channels == 2) {
    int16_t *restrict a = planes[0], *restrict b = planes[1];
    for (int64_t i = 0; i < frames; i++) {
      a[i] = load(raw + i * 2 * bytes);
      b[i] = load(raw + i * 2 * bytes + bytes);
    }
    return;
  }
  int64_t frame = (int64_t)bytes * channels;
  for (uint32_t c = 0; c < channels; c++) {
    const uint8_t *p = raw + (int64_t)c * bytes;
    int16_t *restrict a = planes[c];
    for (int64_t i = 0; i < frames; i++) a[i] = load(p + i * frame);
  }
}

void lp_pcm_to_s16(const lp_pcm_format *format, const uint8_t *raw, int64_t frames, int16_t *const *planes) {
  assert(lp_pcm_is_s16(format));
  if (format->encoding == LP_ENC_U8)
    spread_short(short_u8, 1, raw, frames, format->channels, planes);
  else if (format->encoding == LP_ENC_S8)
    spread_short(short_s8, 1, raw, frames, format->channels, planes);
  else if (!format->big_endian && format->channels == 2 && lp_pcm_parts() && (((uintptr_t)planes[0] ^ (uintptr_t)planes[1]) & 31) == 0)
    lp_pcm_part_s16(raw, frames, planes[0], planes[1]);
  else if (format->big_endian)
    spread_short(short_s16_be, 2, raw, frames, format->channels, planes);
  else
    spread_short(short_s16, 2, raw, frames, format->channels, planes);
}
