#include "pcm_part.h"

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>

#define TARGET __attribute__((target("avx2")))

bool lp_pcm_parts(void) {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx2");
}

static void part_one(const uint8_t *raw, int64_t frame, int16_t *left, int16_t *right) {
  memcpy(left + frame, raw + 4 * frame, 2);
  memcpy(right + frame, raw + 4 * frame + 2, 2);
}

/* 16 frames. */
TARGET static inline __attribute__((always_inline)) void part(const uint8_t *raw, __m256i *left, __m256i *right) {
  const __m256i sides = _mm256_setr_epi8(0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15, 0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15);
  const __m256i a = _mm256_loadu_si256((const __m256i *)(const void *)raw), b = _mm256_loadu_si256((const __m256i *)(const void *)(raw + 32));
  const __m256i x = _mm256_permute4x64_epi64(_mm256_shuffle_epi8(a, sides), 0xD8), y = _mm256_permute4x64_epi64(_mm256_shuffle_epi8(b, sides), 0xD8);
  *left = _mm256_permute2x128_si256(x, y, 0x20);
  *right = _mm256_permute2x128_si256(x, y, 0x31);
}

TARGET void lp_pcm_part_s16(const uint8_t *raw, int64_t frames, int16_t *left, int16_t *right) {
  int64_t i = 0;
  for (; i < frames && ((uintptr_t)(left + i) & 31); i++) part_one(raw, i, left, right);
  /* Whole lines of 64 bytes of one plane, then of the other: what is on its way past the caches is gathered by lines. */
  for (; i + 32 <= frames; i += 32) {
    __m256i l[2], r[2];
    part(raw + 4 * i, &l[0], &r[0]);
    part(raw + 4 * i + 64, &l[1], &r[1]);
    for (int k = 0; k < 2; k++) _mm256_stream_si256((__m256i *)(void *)(left + i + 16 * k), l[k]);
    for (int k = 0; k < 2; k++) _mm256_stream_si256((__m256i *)(void *)(right + i + 16 * k), r[k]);
  }
  for (; i < frames; i++) part_one(raw, i, left, right);
  /* Stores past the caches are in no order with others: before the page says that its frames are there, they are. */
  _mm_sfence();
}
#else
bool lp_pcm_parts(void) { return false; }

void lp_pcm_part_s16(const uint8_t *raw, int64_t frames, int16_t *left, int16_t *right) {
  for (int64_t i = 0; i < frames; i++) {
    memcpy(left + i, raw + 4 * i, 2);
    memcpy(right + i, raw + 4 * i + 2, 2);
  }
}
#endif
