/* The header parsers behind lp_pcm_open, and what they share. Private to pcm_*.c.
 *
 * Why our own walker and not miniaudio's dr_wav: a person who drops a file wants to hear what is wrong with it (lp_why), and
 * dr_wav says only "invalid file"; it trusts lengths that a later read must then catch, asks a data callback for skips
 * that we can compute, and pulls a decoder's state into what is four integers for us. Uncompressed containers are
 * small enough to own: every field is checked here once, so everything behind this door may trust the format it gets.
 */
#ifndef LP_PCM_HEADER_H
#define LP_PCM_HEADER_H

#include "pcm_file.h"

/* A file made of eight-byte chunks would cost half a billion reads: no real file has this many before its samples. */
#define LP_HEADER_MAX_CHUNKS 4096

typedef struct lp_header {
  int fd;
  int64_t size_bytes;    /* of the file, as fstat had it: nothing beyond is ever read */
  lp_pcm_format *format; /* filled by the parsers; zeroed before */
  uint32_t why;
  double why_value;
} lp_header;

/* [pool, blocking] Reads n bytes at offset. LP_OK, LP_E_UNREADABLE (truncated header) where they are not in the file, or LP_E_IO. */
int lp_header_bytes(lp_header *h, int64_t offset, uint32_t n, uint8_t *out);

/* [pool] Records the reason and returns result. */
int lp_header_fail(lp_header *h, int result, uint32_t why, double value);

/* [pool] Checks rate, channels, bits against the encoding's kind (float or integer) and container size; fills channels, sample_rate,
 * bits, sample_bytes, frame_bytes and encoding. bits: valid bits; container_bits: what they are stored in, a multiple of
 * 8. unsigned8: one-byte samples are offset binary. */
int lp_header_samples(lp_header *h, bool is_float, uint32_t channels, double rate, uint32_t bits, uint32_t container_bits, bool unsigned8);

/* [pool] Sets data_offset, frames and length_lied. claimed_bytes: what the header says, < 0 for "not known". */
int lp_header_data(lp_header *h, int64_t offset, int64_t claimed_bytes);

/* [pool] Where the chunk after one of n bytes at offset starts: even, unless the writer forgot the pad byte. known(id) tells identifiers
 * that a chunk may plausibly have there. */
int64_t lp_header_next(lp_header *h, int64_t offset, int64_t n, bool (*known)(uint32_t id));

/* [pool, blocking] The parsers. The caller has read the first 16 bytes. */
int lp_header_riff(lp_header *h, const uint8_t *head); /* RIFF, RIFX, RF64, BW64 */
int lp_header_w64(lp_header *h);
int lp_header_aiff(lp_header *h, const uint8_t *head);

/* A chunk identifier as its four bytes read big-endian: comparable, and readable as text in a debugger. */
#define LP_ID(a, b, c, d) ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))

static inline uint32_t lp_be16(const uint8_t *p) { return (uint32_t)p[0] << 8 | p[1]; }
static inline uint32_t lp_be32(const uint8_t *p) { return lp_be16(p) << 16 | lp_be16(p + 2); }
static inline uint64_t lp_be64(const uint8_t *p) { return (uint64_t)lp_be32(p) << 32 | lp_be32(p + 4); }
static inline uint32_t lp_le16(const uint8_t *p) { return (uint32_t)p[1] << 8 | p[0]; }
static inline uint32_t lp_le32(const uint8_t *p) { return lp_le16(p + 2) << 16 | lp_le16(p); }
static inline uint64_t lp_le64(const uint8_t *p) { return (uint64_t)lp_le32(p + 4) << 32 | lp_le32(p); }

#endif
