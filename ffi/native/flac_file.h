/* FLAC files, native and in Ogg: metadata, seeking, decoding in order. The frames themselves are in flac_frame.h.
 *
 * What a sample is depends on the file alone: a frame counts if its header and both its checksums are right and its number is not
 * less than what is due; what no such frame holds is silence, so all else stays in its place. Decoding that begins anywhere
 * therefore gives what decoding from the start gives.
 */
#ifndef LP_FLAC_FILE_H
#define LP_FLAC_FILE_H

#include "flac_frame.h"
#include "pcm_header.h"
#include "seek_index.h"

/* Constant once opened. */
typedef struct lp_flac_file {
  lp_flac_stream stream;
  int64_t frames;       /* samples a channel that are really there */
  int64_t audio_offset; /* of the first frame; Ogg: of the page where it begins */
  int64_t end_offset;   /* of the file */
  bool ogg;
  uint32_t serial; /* Ogg: of our logical stream */
  lp_seek_point *table; /* its seek table, in order, native only */
  uint32_t table_count;
  lp_seek_index *index;
} lp_flac_file;

typedef struct lp_flac_decoder lp_flac_decoder;

/* [pool, blocking] Parses the file at h, whose "fLaC" or "OggS" is at offset `at`, and fills h->format: samples of up to 16 bits come as s16, wider
 * ones as s32, both with their bits at the top. Returns lp_result with h->why. An Ogg file that holds something else: LP_E_UNSUPPORTED. */
int lp_flac_open(lp_header *h, const lp_identity *identity, int64_t at, lp_flac_file **out);
void lp_flac_close(lp_flac_file *f);

/* [pool, blocking] One step of building the index: until deadline_ns (CLOCK_MONOTONIC) has passed. 1: there is more, 0: complete, or -errno. */
int lp_flac_index_step(const lp_flac_file *f, int fd, uint64_t deadline_ns);

/* [pool] A decoder of the file, which must outlive it. NULL: no memory. */
lp_flac_decoder *lp_flac_decoder_create(const lp_flac_file *f);
void lp_flac_decoder_free(lp_flac_decoder *d);
/* [pool, blocking] Makes the next read begin at `frame`. 0 or -errno. */
int lp_flac_decoder_seek(lp_flac_decoder *d, int fd, int64_t frame);
/* [pool, blocking] Decodes up to `frames` frames, interleaved as h->format says. At least one before the end unless deadline_ns passes first: then
 * 0, and the next call goes on. Returns how many, or -errno. *broken grows by the runs found broken for the first time. */
int64_t lp_flac_decoder_read(lp_flac_decoder *d, int fd, int64_t frames, uint8_t *out, uint64_t deadline_ns, uint32_t *broken);

#endif
