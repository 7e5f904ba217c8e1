/* Uncompressed files: header, identity, reading and conversion. Knows nothing of pages or engines. */
#ifndef LP_PCM_FILE_H
#define LP_PCM_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine.h"

/* What tells one state of a file from another. */
typedef struct lp_identity {
  uint64_t device, inode;
  int64_t size_bytes;
  int64_t mtime_s, mtime_ns, ctime_s, ctime_ns;
} lp_identity;

typedef struct lp_pcm_format {
  int64_t frames;        /* whole frames really in the file */
  int64_t data_offset;   /* bytes before the first frame */
  uint32_t sample_rate;
  uint32_t channels;     /* 1 … 8 */
  uint32_t bits;         /* valid bits */
  uint32_t sample_bytes; /* container bytes a sample: 1, 2, 3, 4, 8 */
  uint32_t frame_bytes;
  uint32_t encoding;     /* lp_encoding */
  uint32_t container;    /* lp_container */
  uint32_t channel_mask;
  bool big_endian;
  bool length_lied;
} lp_pcm_format;

/* [pool, blocking] Opens path (terminated, UTF-8), parses the header, clamps lengths to the file. On success *fd is open for reading.
 * Returns lp_result; *why and *why_value explain a failure. Input is untrusted: no assert depends on it. */
int lp_pcm_open(const char *path, int *fd, lp_pcm_format *format, lp_identity *identity, uint32_t *why, double *why_value);

/* [pool, blocking] The two halves of it. lp_file_open opens a regular file of any kind; what lp_pcm_parse does not know by its first bytes gives
 * LP_E_UNSUPPORTED and LP_WHY_UNKNOWN_CONTAINER. */
int lp_file_open(const char *path, int *fd, lp_identity *identity, uint32_t *why, double *why_value);
int lp_pcm_parse(int fd, int64_t size_bytes, lp_pcm_format *format, uint32_t *why, double *why_value);

/* [pool] Identity of an open file; 0 or -errno. */
int lp_pcm_identity(int fd, lp_identity *identity);
bool lp_identity_equal(const lp_identity *a, const lp_identity *b);

/* [pool] Reads whole frames [first, first + frames) into raw (frames × frame_bytes). Retries EINTR and short reads. Returns frames read
 * (fewer only at the end of the file as it is now), or -errno. */
int64_t lp_pcm_read(int fd, const lp_pcm_format *format, int64_t first, int64_t frames, uint8_t *raw);

/* [pool] Interleaved file bytes to planes. f32: round_to_f32(x / 2^(bits-1)), u8 as (x - 128) / 128, 20-bit and other short samples by their container,
 * floats as they are (f64 rounded once; subnormals may become 0). */
void lp_pcm_to_f32(const lp_pcm_format *format, const uint8_t *raw, int64_t frames, float *const *planes);

/* [pool] Only where lp_pcm_is_s16: exact. An 8-bit x becomes (x - 128) × 256. */
bool lp_pcm_is_s16(const lp_pcm_format *format);
void lp_pcm_to_s16(const lp_pcm_format *format, const uint8_t *raw, int64_t frames, int16_t *const *planes);

/* Fills the public record from format and identity. */
void lp_pcm_info(const lp_pcm_format *format, const lp_identity *identity, lp_source_info *info);

#endif
