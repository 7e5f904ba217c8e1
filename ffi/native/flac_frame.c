/* See flac_frame.h. Every count that comes from the file is checked against the bits that are there before it is used, or runs into the
 * zeros of the padding, which no code can cross. */
#include "flac_frame.h"

#include <pthread.h>
#include <string.h>

#include "flac_lpc.h"

#define INLINE static inline __attribute__((always_inline))
/* The sanitizers' start-up code does not get along with functions picked by the loader. */
#if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && !defined(LP_NO_CLONES)
#define CLONES __attribute__((target_clones("default", "arch=x86-64-v3")))
#else
#define CLONES
#endif

/* ---- checksums -------------------------------------------------------------------------------------------- */

static uint8_t crc8_table[256];
#define CRC_BYTES 16
static uint16_t crc16_table[CRC_BYTES][256]; /* by how many bytes follow */
static pthread_once_t tables_once = PTHREAD_ONCE_INIT;

static void make_tables(void) {
  for (uint32_t i = 0; i < 256; i++) {
    uint8_t c = (uint8_t)i;
    uint16_t d = (uint16_t)(i << 8);
    for (int bit = 0; bit < 8; bit++) {
      c = (uint8_t)(c << 1 ^ (c & 0x80 ? 0x07 : 0));
      d = (uint16_t)(d << 1 ^ (d & 0x8000 ? 0x8005 : 0));
    }
    crc8_table[i] = c;
    crc16_table[0][i] = d;
  }
  for (int k = 1; k < CRC_BYTES; k++) {
    for (uint32_t i = 0; i < 256; i++) {
      uint16_t d = crc16_table[k - 1][i];
      crc16_table[k][i] = (uint16_t)(d << 8 ^ crc16_table[0][d >> 8]);
    }
  }
}

static uint8_t crc8(const uint8_t *p, size_t n) {
  uint8_t c = 0;
  for (size_t i = 0; i < n; i++) c = crc8_table[c ^ p[i]];
  return c;
}

static uint16_t crc16(const uint8_t *p, size_t n) {
  uint16_t c = 0;
  /* Only the first two bytes of a group wait for the group before. */
  for (; n >= CRC_BYTES; n -= CRC_BYTES, p += CRC_BYTES) {
    uint32_t rest = 0;
    for (int k = 2; k < CRC_BYTES; k++) rest ^= crc16_table[CRC_BYTES - 1 - k][p[k]];
    c = (uint16_t)(rest ^ crc16_table[CRC_BYTES - 1][p[0] ^ c >> 8] ^ crc16_table[CRC_BYTES - 2][p[1] ^ (c & 0xFF)]);
  }
  for (size_t i = 0; i < n; i++) c = (uint16_t)(c << 8 ^ crc16_table[0][(c >> 8 ^ p[i]) & 0xFF]);
  return c;
}

/* ---- headers ---------------------------------------------------------------------------------------------- */

static const uint32_t RATES[12] = {0, 88200, 176400, 192000, 8000, 16000, 22050, 24000, 32000, 44100, 48000, 96000};
static const uint8_t BITS[8] = {0, 8, 12, 0xFF, 16, 20, 24, 32};

/* The number that UTF-8's scheme codes, up to 36 bits. Returns its bytes, 0 if it is none. */
static uint32_t coded_number(const uint8_t *p, size_t n, uint64_t *value) {
  if (n == 0) return 0;
  uint32_t lead = p[0];
  if (lead < 0x80) {
    *value = lead;
    return 1;
  }
  uint32_t bytes = (uint32_t)__builtin_clz(~(lead << 24)); /* ones in front */
  if (bytes < 2 || bytes > 7 || bytes > n) return 0;
  uint64_t v = bytes == 7 ? 0 : lead & (0x7Fu >> bytes);
  for (uint32_t i = 1; i < bytes; i++) {
    if ((p[i] & 0xC0) != 0x80) return 0;
    v = v << 6 | (p[i] & 0x3F);
  }
  *value = v;
  return bytes;
}

uint32_t lp_flac_parse_header(const lp_flac_stream *s, const uint8_t *p, size_t n, lp_flac_header *h) {
  if (n < 6 || p[0] != 0xFF || (p[1] & 0xFE) != 0xF8 || (p[3] & 1) != 0) return 0;
  uint32_t block_code = p[2] >> 4, rate_code = p[2] & 15, channel_code = p[3] >> 4, bits_code = p[3] >> 1 & 7;
  if (block_code == 0 || rate_code == 15 || channel_code > 10 || bits_code == 3) return 0;
  if (bits_code != 0 && BITS[bits_code] != s->bits) return 0;
  if ((channel_code < 8 ? channel_code + 1 : 2) != s->channels) return 0;
  uint64_t number;
  uint32_t at = 4, used = coded_number(p + at, n - at, &number);
  if (used == 0) return 0;
  at += used;
  uint32_t block;
  if (block_code == 1)
    block = 192;
  else if (block_code <= 5)
    block = 576u << (block_code - 2);
  else if (block_code >= 8)
    block = 256u << (block_code - 8);
  else if (block_code == 6) {
    if (at + 1 > n) return 0;
    block = p[at++] + 1u;
  } else {
    if (at + 2 > n) return 0;
    block = ((uint32_t)p[at] << 8 | p[at + 1]) + 1u;
    at += 2;
  }
  if (block > LP_FLAC_MAX_BLOCK || (s->max_block && block > s->max_block)) return 0;
  uint32_t rate = s->sample_rate;
  if (rate_code >= 1 && rate_code <= 11)
    rate = RATES[rate_code];
  else if (rate_code == 12) {
    if (at + 1 > n) return 0;
    rate = p[at++] * 1000u;
  } else if (rate_code >= 13) {
    if (at + 2 > n) return 0;
    rate = ((uint32_t)p[at] << 8 | p[at + 1]) * (rate_code == 14 ? 10u : 1u);
    at += 2;
  }
  if (rate != s->sample_rate) return 0;
  if (at + 1 > n) return 0;
  pthread_once(&tables_once, make_tables);
  if (crc8(p, at) != p[at]) return 0;
  h->variable = p[1] & 1;
  if (!h->variable && number >> 31) return 0;
  h->first = h->variable ? (int64_t)number : (int64_t)number * (s->fixed_block ? s->fixed_block : block);
  h->first -= s->origin;
  if (h->first < 0) return 0;
  h->block = block;
  h->bytes = at + 1;
  h->side = channel_code < 8 ? LP_FLAC_INDEPENDENT : (uint8_t)(channel_code - 7);
  return h->bytes;
}

int64_t lp_flac_find_header(const lp_flac_stream *s, const uint8_t *p, size_t n, size_t from, lp_flac_header *h) {
  while (from < n) {
    const uint8_t *at = memchr(p + from, 0xFF, n - from);
    if (!at) return -1;
    from = (size_t)(at - p);
    if (lp_flac_parse_header(s, at, n - from, h)) return (int64_t)from;
    from++;
  }
  return -1;
}

/* ---- bits ------------------------------------------------------------------------------------------------- */

typedef struct bits {
  const uint8_t *p;
  uint64_t at, end; /* in bits; `at` passes `end` by 64 at the very most */
} bits;

/* At least 57 bits from `at` on, at the top. */
INLINE uint64_t peek(const uint8_t *p, uint64_t at) {
  uint64_t x;
  memcpy(&x, p + (at >> 3), 8);
  return __builtin_bswap64(x) << (at & 7);
}

/* n of 0 … 33 bits, which must be there. */
INLINE uint64_t take(bits *b, uint32_t n) {
  uint64_t x = n ? peek(b->p, b->at) >> (64 - n) : 0;
  b->at += n;
  return x;
}

INLINE int64_t take_signed(bits *b, uint32_t n) {
  int64_t x = n ? (int64_t)peek(b->p, b->at) >> (64 - n) : 0;
  b->at += n;
  return x;
}

INLINE bool has(const bits *b, uint64_t n) { return b->at <= b->end && n <= b->end - b->at; }

/* Zeros before the next one, which is passed too. False: there is none before the end. */
static bool take_unary(bits *b, uint64_t *zeros) {
  uint64_t begun = b->at;
  while (b->at < b->end) {
    uint64_t x = peek(b->p, b->at) >> 8; /* 56 bits are sure */
    if (x) {
      b->at += (uint64_t)__builtin_clzll(x) - 8 + 1;
      *zeros = b->at - begun - 1;
      return b->at <= b->end;
    }
    b->at += 56;
  }
  return false;
}

/* ---- residuals -------------------------------------------------------------------------------------------- */

INLINE int32_t unfold(uint64_t x) { return (int32_t)((uint32_t)(x >> 1) ^ -(uint32_t)(x & 1)); }

/* One Rice code wherever it ends. Returns its bits, or lp_flac_result. */
static int64_t rice_slow(const uint8_t *p, uint64_t at, uint64_t end, uint32_t k, int32_t *out) {
  bits b = {p, at, end};
  uint64_t zeros;
  if (!take_unary(&b, &zeros) || !has(&b, k)) return LP_FLAC_SHORT;
  if (zeros > UINT32_MAX >> k) return LP_FLAC_BROKEN; /* no residual has more than 32 bits */
  *out = unfold(zeros << k | take(&b, k));
  return (int64_t)(b.at - at);
}

/* `zeros` zeros, a one at the top of x, k bits. The one comes along as 2^k and turns `zeros` into `zeros - 1`. */
INLINE int32_t rice_value(uint64_t x, uint32_t zeros, uint32_t k) { return unfold((x >> (63 - k)) + ((uint64_t)zeros << k) - (1ull << k)); }

/* Rice codes, `group` at a time as long as so many are left. SHORT if they run beyond the end. The codes of a group come from one load of 57 bits:
 * what a code waits for is then the length of the one before, not memory. */
INLINE int rice_groups(bits *b, uint32_t k, uint32_t *done, uint32_t count, int32_t *restrict out, uint32_t group) {
  const uint8_t *p = b->p;
  uint64_t at = b->at, end = b->end;
  uint32_t i = *done;
  while (i + group <= count) {
    uint64_t x = peek(p, at);
    uint32_t length = 0;
    int32_t values[4];
    for (uint32_t j = 0; j < group; j++) {
      uint32_t zeros = (uint32_t)__builtin_clzll(x | 1);
      values[j] = rice_value(x << zeros, zeros, k);
      x = x << zeros << (1 + k);
      length += zeros + 1 + k;
    }
    if (__builtin_expect(length <= 57, 1)) {
      for (uint32_t j = 0; j < group; j++) out[i + j] = values[j];
      i += group;
      at += length;
    } else {
      int64_t n = rice_slow(p, at, end, k, &out[i]);
      if (n <= 0) return (int)n;
      i++;
      at += (uint64_t)n;
    }
    /* Beyond the end the padding is left before another load: stop there. */
    if (__builtin_expect(at > end, 0)) return LP_FLAC_SHORT;
  }
  b->at = at;
  *done = i;
  return 1;
}

INLINE int rice(bits *b, uint32_t k, uint32_t count, int32_t *restrict out, uint32_t group) {
  uint32_t done = 0;
  int r = rice_groups(b, k, &done, count, out, group);
  return r <= 0 || group == 1 ? r : rice_groups(b, k, &done, count, out, 1);
}

CLONES static int residual_rice(bits *b, uint32_t k, uint32_t count, int32_t *out) {
  if (k <= 8) return rice(b, k, count, out, 4);
  if (k <= 13) return rice(b, k, count, out, 3);
  if (k <= 22) return rice(b, k, count, out, 2);
  return rice(b, k, count, out, 1);
}

/* The residual of a subframe into out[order …]. */
static int residual(bits *b, uint32_t block, uint32_t order, int32_t *out) {
  if (!has(b, 6)) return LP_FLAC_SHORT;
  uint32_t method = (uint32_t)take(b, 2), partition_order = (uint32_t)take(b, 4);
  if (method > 1) return LP_FLAC_BROKEN;
  uint32_t k_bits = method == 0 ? 4 : 5, escape = method == 0 ? 15 : 31;
  uint32_t partitions = 1u << partition_order, length = block >> partition_order;
  if (length << partition_order != block || length < order) return LP_FLAC_BROKEN;
  int32_t *at = out + order;
  for (uint32_t i = 0; i < partitions; i++) {
    uint32_t count = i == 0 ? length - order : length;
    if (!has(b, k_bits + 5)) return LP_FLAC_SHORT; /* a frame ends with 16 bits of checksum */
    uint32_t k = (uint32_t)take(b, k_bits);
    if (k == escape) {
      uint32_t n = (uint32_t)take(b, 5);
      if (!has(b, (uint64_t)n * count)) return LP_FLAC_SHORT;
      for (uint32_t j = 0; j < count; j++) at[j] = (int32_t)take_signed(b, n);
    } else {
      int r = residual_rice(b, k, count, at);
      if (r <= 0) return r;
    }
    at += count;
  }
  return 1;
}

/* ---- prediction ------------------------------------------------------------------------------------------- */

/* Sums wrap instead of overflowing: a broken frame may hold anything, and is found by its checksum. */
INLINE int32_t add32(int32_t a, int32_t b) { return (int32_t)((uint32_t)a + (uint32_t)b); }

/* A predictor of fixed coefficients over 64-bit sums. */
static void restore_fixed(uint32_t order, uint32_t block, int32_t *x) {
  switch (order) {
    case 1:
      for (uint32_t i = 1; i < block; i++) x[i] = add32(x[i], x[i - 1]);
      break;
    case 2:
      for (uint32_t i = 2; i < block; i++) x[i] = (int32_t)(x[i] + 2 * (int64_t)x[i - 1] - x[i - 2]);
      break;
    case 3:
      for (uint32_t i = 3; i < block; i++) x[i] = (int32_t)(x[i] + 3 * ((int64_t)x[i - 1] - x[i - 2]) + x[i - 3]);
      break;
    case 4:
      for (uint32_t i = 4; i < block; i++)
        x[i] = (int32_t)(x[i] + 4 * ((int64_t)x[i - 1] + x[i - 3]) - 6 * (int64_t)x[i - 2] - x[i - 4]);
      break;
    default: break;
  }
}

static const int32_t FIXED[5][4] = {{0}, {1}, {2, -1}, {3, -3, 1}, {4, -6, 4, -1}};

/* ---- subframes -------------------------------------------------------------------------------------------- */

typedef struct subframe {
  uint32_t type, order, wasted;
  uint32_t bits; /* of its samples as they are stored */
} subframe;

enum { CONSTANT, VERBATIM, FIXED_PREDICTOR, LPC };

static int subframe_head(bits *b, uint32_t sample_bits, subframe *f) {
  if (!has(b, 8)) return LP_FLAC_SHORT;
  if (take(b, 1)) return LP_FLAC_BROKEN;
  uint32_t type = (uint32_t)take(b, 6);
  bool wasted = take(b, 1);
  f->order = 0;
  f->wasted = 0;
  if (type == 0)
    f->type = CONSTANT;
  else if (type == 1)
    f->type = VERBATIM;
  else if (type >= 8 && type <= 12) {
    f->type = FIXED_PREDICTOR;
    f->order = type - 8;
  } else if (type >= 32) {
    f->type = LPC;
    f->order = type - 31;
  } else {
    return LP_FLAC_BROKEN;
  }
  if (wasted) {
    uint64_t zeros;
    if (!take_unary(b, &zeros)) return LP_FLAC_SHORT;
    if (zeros + 1 >= sample_bits) return LP_FLAC_BROKEN;
    f->wasted = (uint32_t)zeros + 1;
  }
  f->bits = sample_bits - f->wasted;
  return 1;
}

/* An LPC subframe's precision, shift and coefficients. */
static int lpc_head(bits *b, uint32_t order, int32_t *c, int32_t *shift, uint32_t *precision) {
  if (!has(b, 9)) return LP_FLAC_SHORT;
  *precision = (uint32_t)take(b, 4) + 1;
  if (*precision == 16) return LP_FLAC_BROKEN;
  *shift = (int32_t)take_signed(b, 5);
  if (*shift < 0) return LP_FLAC_BROKEN;
  if (!has(b, (uint64_t)order * *precision)) return LP_FLAC_SHORT;
  for (uint32_t i = 0; i < order; i++) c[i] = (int32_t)take_signed(b, *precision);
  return 1;
}

/* What is left to be done to a channel when all that is stored of it has been read. */
typedef struct rest {
  lp_flac_lpc lpc; /* order 0: none */
  uint32_t wasted;
} rest;

/* A channel of up to 32 bits: its samples, or where they are predicted by LPC their residual. */
static int decode_channel(bits *b, uint32_t sample_bits, uint32_t block, int32_t *x, rest *left) {
  subframe f;
  left->lpc.order = 0;
  left->wasted = 0;
  int r = subframe_head(b, sample_bits, &f);
  if (r <= 0) return r;
  if (f.order > block) return LP_FLAC_BROKEN;
  left->wasted = f.wasted;
  if (f.type == CONSTANT) {
    if (!has(b, f.bits)) return LP_FLAC_SHORT;
    int32_t value = (int32_t)take_signed(b, f.bits);
    for (uint32_t i = 0; i < block; i++) x[i] = value;
  } else if (f.type == VERBATIM) {
    if (!has(b, (uint64_t)f.bits * block)) return LP_FLAC_SHORT;
    for (uint32_t i = 0; i < block; i++) x[i] = (int32_t)take_signed(b, f.bits);
  } else {
    if (!has(b, (uint64_t)f.bits * f.order)) return LP_FLAC_SHORT;
    for (uint32_t i = 0; i < f.order; i++) x[i] = (int32_t)take_signed(b, f.bits);
    lp_flac_lpc *l = &left->lpc;
    if (f.type == LPC) {
      uint32_t precision = 0;
      memset(l->c, 0, sizeof l->c);
      r = lpc_head(b, f.order, l->c, &l->shift, &precision);
      if (r <= 0) return r;
    }
    r = residual(b, block, f.order, x);
    if (r <= 0) return r;
    if (f.type == FIXED_PREDICTOR) {
      restore_fixed(f.order, block, x);
    } else {
      uint64_t weight = 0;
      for (uint32_t i = 0; i < f.order; i++) weight += (uint64_t)(l->c[i] < 0 ? -l->c[i] : l->c[i]);
      l->x = x;
      l->order = f.order;
      l->wide = weight << (f.bits - 1) > INT32_MAX; /* else no sum of samples of so many bits leaves 32 */
    }
  }
  return 1;
}

static void restore(rest *of, uint32_t channels, uint32_t block, int32_t *const *planes) {
  lp_flac_lpc predicted[LP_FLAC_MAX_CHANNELS];
  uint32_t count = 0;
  for (uint32_t c = 0; c < channels; c++)
    if (of[c].lpc.order) predicted[count++] = of[c].lpc;
  lp_flac_restore(predicted, count, block);
  for (uint32_t c = 0; c < channels; c++) {
    if (!of[c].wasted) continue;
    for (uint32_t i = 0; i < block; i++) planes[c][i] = (int32_t)((uint32_t)planes[c][i] << of[c].wasted);
  }
}

/* The side channel of a stream of 32 bits: 33. scratch has room for the residual. */
static int decode_wide_channel(bits *b, uint32_t block, int64_t *x, int32_t *scratch) {
  subframe f;
  int r = subframe_head(b, 33, &f);
  if (r <= 0) return r;
  if (f.order > block) return LP_FLAC_BROKEN;
  if (f.type == CONSTANT) {
    if (!has(b, f.bits)) return LP_FLAC_SHORT;
    int64_t value = take_signed(b, f.bits);
    for (uint32_t i = 0; i < block; i++) x[i] = value;
  } else if (f.type == VERBATIM) {
    if (!has(b, (uint64_t)f.bits * block)) return LP_FLAC_SHORT;
    for (uint32_t i = 0; i < block; i++) x[i] = take_signed(b, f.bits);
  } else {
    if (!has(b, (uint64_t)f.bits * f.order)) return LP_FLAC_SHORT;
    for (uint32_t i = 0; i < f.order; i++) x[i] = take_signed(b, f.bits);
    int32_t lpc[32], shift = 0;
    uint32_t precision;
    const int32_t *c = lpc;
    if (f.type == LPC) {
      r = lpc_head(b, f.order, lpc, &shift, &precision);
      if (r <= 0) return r;
    } else {
      c = FIXED[f.order];
    }
    r = residual(b, block, f.order, scratch);
    if (r <= 0) return r;
    for (uint32_t i = f.order; i < block; i++) {
      uint64_t sum = 0; /* unsigned: what a broken frame predicts may wrap */
      for (uint32_t j = 0; j < f.order; j++) sum += (uint64_t)(int64_t)c[j] * (uint64_t)x[i - 1 - j];
      x[i] = (int64_t)((uint64_t)(int64_t)scratch[i] + (uint64_t)((int64_t)sum >> shift));
    }
  }
  if (f.wasted)
    for (uint32_t i = 0; i < block; i++) x[i] = (int64_t)((uint64_t)x[i] << f.wasted);
  return 1;
}

/* ---- stereo ----------------------------------------------------------------------------------------------- */

static void join_left_side(uint32_t n, const int32_t *restrict a, int32_t *restrict b) {
  for (uint32_t i = 0; i < n; i++) b[i] = (int32_t)((uint32_t)a[i] - (uint32_t)b[i]);
}

static void join_side_right(uint32_t n, int32_t *restrict a, const int32_t *restrict b) {
  for (uint32_t i = 0; i < n; i++) a[i] = add32(a[i], b[i]);
}

static void join_mid_side(uint32_t n, int32_t *restrict a, int32_t *restrict b) {
  for (uint32_t i = 0; i < n; i++) {
    uint32_t mid = (uint32_t)a[i] << 1 | ((uint32_t)b[i] & 1), side = (uint32_t)b[i];
    a[i] = (int32_t)(mid + side) >> 1;
    b[i] = (int32_t)(mid - side) >> 1;
  }
}

static void join_wide(uint8_t side_kind, uint32_t n, int32_t *a, int32_t *b, const int64_t *side) {
  for (uint32_t i = 0; i < n; i++) {
    uint64_t s = (uint64_t)side[i];
    if (side_kind == LP_FLAC_LEFT_SIDE) {
      b[i] = (int32_t)(uint32_t)((uint64_t)(int64_t)a[i] - s);
    } else if (side_kind == LP_FLAC_SIDE_RIGHT) {
      a[i] = (int32_t)(uint32_t)((uint64_t)(int64_t)b[i] + s);
    } else {
      uint64_t mid = (uint64_t)(int64_t)a[i] << 1 | (s & 1);
      a[i] = (int32_t)((int64_t)(mid + s) >> 1);
      b[i] = (int32_t)((int64_t)(mid - s) >> 1);
    }
  }
}

/* ---- a frame ---------------------------------------------------------------------------------------------- */

int64_t lp_flac_decode(const lp_flac_stream *s, const lp_flac_header *h, const uint8_t *p, size_t n, int32_t *const *planes, int64_t *wide) {
  pthread_once(&tables_once, make_tables);
  bits b = {.p = p, .at = (uint64_t)h->bytes * 8, .end = (uint64_t)n * 8};
  rest left[LP_FLAC_MAX_CHANNELS] = {0};
  for (uint32_t c = 0; c < s->channels; c++) {
    bool side = (h->side == LP_FLAC_SIDE_RIGHT && c == 0) || ((h->side == LP_FLAC_LEFT_SIDE || h->side == LP_FLAC_MID_SIDE) && c == 1);
    int r = side && s->bits == 32 ? decode_wide_channel(&b, h->block, wide, planes[c]) : decode_channel(&b, s->bits + side, h->block, planes[c], &left[c]);
    if (r <= 0) return r;
  }
  uint64_t bytes = (b.at + 7) / 8;
  if (bytes + 2 > n) return LP_FLAC_SHORT;
  if (crc16(p, bytes) != (uint16_t)(p[bytes] << 8 | p[bytes + 1])) return LP_FLAC_BROKEN;
  restore(left, s->channels, h->block, planes);
  if (h->side != LP_FLAC_INDEPENDENT) {
    if (s->bits == 32)
      join_wide(h->side, h->block, planes[0], planes[1], wide);
    else if (h->side == LP_FLAC_LEFT_SIDE)
      join_left_side(h->block, planes[0], planes[1]);
    else if (h->side == LP_FLAC_SIDE_RIGHT)
      join_side_right(h->block, planes[0], planes[1]);
    else
      join_mid_side(h->block, planes[0], planes[1]);
  }
  return (int64_t)bytes + 2;
}
