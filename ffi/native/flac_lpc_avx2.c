/* Two channels' prediction by AVX2.
 *
 * Lane k of `ahead` gathers what the samples known so far will give to the sample k after the next one, all but the last of them: that one is multiplied by the
 * first coefficient by itself. So a sample waits for the one before through one product, two sums and a shift, and the rest of the sum is made in between;
 * the other channel fills what waiting is left. */
#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#include "flac_lpc.h"

#define TARGET __attribute__((target("avx2")))
#define ONE TARGET static inline __attribute__((always_inline))
#define AHEAD LP_FLAC_PAIR_ORDER

/* What samples before from − 1 give to samples from `from` on. */
static void begin32(const lp_flac_lpc *l, uint32_t from, int32_t ahead[AHEAD]) {
  for (uint32_t k = 0; k < AHEAD; k++) {
    uint32_t sum = 0;
    for (uint32_t j = k + 1; j < l->order; j++) sum += (uint32_t)l->c[j] * (uint32_t)l->x[from + k - 1 - j];
    ahead[k] = (int32_t)sum;
  }
}

static void begin64(const lp_flac_lpc *l, uint32_t from, int64_t ahead[AHEAD]) {
  for (uint32_t k = 0; k < AHEAD; k++) {
    ahead[k] = 0;
    for (uint32_t j = k + 1; j < l->order; j++) ahead[k] += (int64_t)l->c[j] * l->x[from + k - 1 - j];
  }
}

ONE __m256i load(const void *p) { return _mm256_loadu_si256(p); }

/* ---- sums of 32 bits ------------------------------------------------------------------------------------------------- */

/* The lanes of a, one down, with the first of b behind them. */
ONE __m256i step32(__m256i a, __m256i b) { return _mm256_alignr_epi8(_mm256_permute2x128_si256(a, b, 0x21), a, 4); }

typedef struct chain32 {
  __m256i ahead[2], c[2]; /* c: from the second coefficient on */
  __m128i first, last, shift;
  int32_t *x;
} chain32;

ONE chain32 open32(const lp_flac_lpc *l, uint32_t from) {
  int32_t ahead[AHEAD], c[AHEAD + 1] = {0};
  begin32(l, from, ahead);
  memcpy(c, l->c, l->order * sizeof *c);
  return (chain32){.ahead = {load(ahead), load(ahead + 8)},
                   .c = {load(c + 1), load(c + 9)},
                   .first = _mm_cvtsi32_si128(c[0]),
                   .last = _mm_cvtsi32_si128(l->x[from - 1]),
                   .shift = _mm_cvtsi32_si128(l->shift),
                   .x = l->x};
}

ONE void next32(chain32 *h, uint32_t i, int parts) {
  const __m128i sum = _mm_add_epi32(_mm_mullo_epi32(h->last, h->first), _mm256_castsi256_si128(h->ahead[0]));
  const __m256i last = _mm256_broadcastd_epi32(h->last), none = _mm256_setzero_si256();
  h->ahead[0] = _mm256_add_epi32(step32(h->ahead[0], parts > 1 ? h->ahead[1] : none), _mm256_mullo_epi32(last, h->c[0]));
  if (parts > 1) h->ahead[1] = _mm256_add_epi32(step32(h->ahead[1], none), _mm256_mullo_epi32(last, h->c[1]));
  h->last = _mm_add_epi32(_mm_sra_epi32(sum, h->shift), _mm_cvtsi32_si128(h->x[i]));
  h->x[i] = _mm_cvtsi128_si32(h->last);
}

ONE void pair32(const lp_flac_lpc pair[2], uint32_t from, uint32_t block, int parts) {
  chain32 a = open32(&pair[0], from), b = open32(&pair[1], from);
  for (uint32_t i = from; i < block; i++) {
    next32(&a, i, parts);
    next32(&b, i, parts);
  }
}

TARGET void lp_flac_pair32_avx2(const lp_flac_lpc pair[2], uint32_t from, uint32_t block) {
  if (pair[0].order <= 9 && pair[1].order <= 9) pair32(pair, from, block, 1);
  else pair32(pair, from, block, 2);
}

/* ---- sums of 64 bits ------------------------------------------------------------------------------------------------- */

ONE __m256i step64(__m256i a, __m256i b) { return _mm256_alignr_epi8(_mm256_permute2x128_si256(a, b, 0x21), a, 8); }

typedef struct chain64 {
  __m256i ahead[4], c[4];
  __m128i first, last, shift;
  int32_t *x;
} chain64;

ONE chain64 open64(const lp_flac_lpc *l, uint32_t from) {
  int64_t ahead[AHEAD], c[AHEAD + 1] = {0};
  begin64(l, from, ahead);
  for (uint32_t j = 0; j < l->order; j++) c[j] = l->c[j];
  chain64 h = {.first = _mm_cvtsi64_si128(c[0]), .last = _mm_cvtsi32_si128(l->x[from - 1]), .shift = _mm_cvtsi32_si128(l->shift), .x = l->x};
  for (int k = 0; k < 4; k++) {
    h.ahead[k] = load(ahead + 4 * k);
    h.c[k] = load(c + 1 + 4 * k);
  }
  return h;
}

ONE void next64(chain64 *h, uint32_t i, int parts) {
  /* Products take the low halves, with their signs. */
  const __m128i sum = _mm_add_epi64(_mm_mul_epi32(h->last, h->first), _mm256_castsi256_si128(h->ahead[0]));
  const __m256i last = _mm256_broadcastd_epi32(h->last), none = _mm256_setzero_si256();
  for (int k = 0; k < parts; k++)
    h->ahead[k] = _mm256_add_epi64(step64(h->ahead[k], k + 1 < parts ? h->ahead[k + 1] : none), _mm256_mul_epi32(last, h->c[k]));
  /* Of the shifted sum the low half counts, which has the sum's bits whatever comes in at the top. */
  h->last = _mm_add_epi32(_mm_srl_epi64(sum, h->shift), _mm_cvtsi32_si128(h->x[i]));
  h->x[i] = _mm_cvtsi128_si32(h->last);
}

ONE void pair64(const lp_flac_lpc pair[2], uint32_t from, uint32_t block, int parts) {
  chain64 a = open64(&pair[0], from), b = open64(&pair[1], from);
  for (uint32_t i = from; i < block; i++) {
    next64(&a, i, parts);
    next64(&b, i, parts);
  }
}

TARGET void lp_flac_pair64_avx2(const lp_flac_lpc pair[2], uint32_t from, uint32_t block) {
  const uint32_t order = pair[0].order > pair[1].order ? pair[0].order : pair[1].order;
  if (order <= 9) pair64(pair, from, block, 2);
  else if (order <= 13) pair64(pair, from, block, 3);
  else pair64(pair, from, block, 4);
}
#endif
