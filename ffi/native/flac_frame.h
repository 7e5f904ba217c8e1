/* One FLAC frame in memory (RFC 9639): its header, its checksums, its samples. Knows nothing of files or containers.
 *
 * Why our own and not miniaudio's dr_flac: that one owns its file position, skips a damaged frame without saying so (all that follows is
 * then early), searches for frames by decoding, and cannot read a side channel of 33 bits. A page needs a frame by its
 * place, and the place of each sample that it cannot have.
 */
#ifndef LP_FLAC_FRAME_H
#define LP_FLAC_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LP_FLAC_MAX_BLOCK 65535
#define LP_FLAC_MAX_CHANNELS 8
#define LP_FLAC_HEADER_BYTES 16 /* the longest header */
/* Bytes after a frame's that the decoder may touch: they must be readable, whatever they hold. */
#define LP_FLAC_PADDING 16

/* What every frame of a stream must agree with. */
typedef struct lp_flac_stream {
  uint32_t sample_rate, channels, bits;
  uint32_t min_block, max_block;
  uint32_t min_frame_bytes, max_frame_bytes; /* 0: not known */
  uint32_t fixed_block;                      /* block size of a stream of fixed blocks: frame number × this = first sample */
  int64_t origin;                            /* number of the first sample in the file: a recorded broadcast does not begin at 0 */
  int64_t total;                             /* samples a channel as STREAMINFO says, 0: not known */
  uint8_t md5[16];
} lp_flac_stream;

enum lp_flac_side { LP_FLAC_INDEPENDENT, LP_FLAC_LEFT_SIDE, LP_FLAC_SIDE_RIGHT, LP_FLAC_MID_SIDE };

typedef struct lp_flac_header {
  int64_t first; /* sample, from the file's first */
  uint32_t block;
  uint32_t bytes; /* of the header */
  uint8_t side;   /* lp_flac_side */
  bool variable;  /* its number counts samples, not frames */
} lp_flac_header;

/* [any] Parses a header at p, of which n bytes are there. 0: it is none that this stream can have; else its bytes. */
uint32_t lp_flac_parse_header(const lp_flac_stream *s, const uint8_t *p, size_t n, lp_flac_header *h);

/* [any] Where the next header begins at or after `from`, or -1. */
int64_t lp_flac_find_header(const lp_flac_stream *s, const uint8_t *p, size_t n, size_t from, lp_flac_header *h);

enum lp_flac_result {
  LP_FLAC_BROKEN = 0, /* no frame as the format wants it, or a checksum that does not match */
  LP_FLAC_SHORT = -1  /* it goes on beyond n */
};

/* [pool] Decodes the frame at p (n bytes there, then LP_FLAC_PADDING readable ones) with header h into planes of h->block integers. wide:
 * room for h->block integers of 64 bits, used by 33-bit side channels alone; may be NULL below 32 bits a sample. Returns the frame's bytes or
 * lp_flac_result. After BROKEN or SHORT the planes hold anything. */
int64_t lp_flac_decode(const lp_flac_stream *s, const lp_flac_header *h, const uint8_t *p, size_t n, int32_t *const *planes, int64_t *wide);

#endif
