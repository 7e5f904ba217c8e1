/* MP3 files: headers, an index of frames, decoding that gives the same bits wherever it begins.
 *
 * Frames. The first one is that from which several like it follow; all others are found by walking from it: the next frame begins where
 * one ends, or, where no like header stands there (tags, junk), at the first one that another follows. So frame k is the same
 * whoever walks, and the index only shortens walks.
 *
 * Bits. A frame's samples depend on those before it: up to 511 bytes of their main data (the bit reservoir), one granule of overlap and
 * the filter bank's last 15 slots. None of these reaches further, so decoding that began far enough before (enough main data, then four
 * frames, at least ten in all) has the state that decoding from the start has: as long as no frame between is broken.
 * Where one is, the two may differ. So the contents of a frame are defined as those of decoding from the last frame whose number is a multiple
 * of 256, with its warm-up; whoever meets damage goes back there, and whoever passes such a frame with damage in its
 * warm-up begins anew.
 */
#ifndef LP_MP3_FILE_H
#define LP_MP3_FILE_H

#include "pcm_header.h"
#include "seek_index.h"

/* Constant once opened. */
typedef struct lp_mp3_file {
  uint8_t like[4];       /* a header: every frame is of its version, layer and rate */
  uint32_t sample_rate, channels;
  uint32_t frame_samples; /* 1152, or 576 below 32 kHz */
  int64_t first_offset;   /* of the first frame with sound */
  int64_t end_offset;     /* where tags at the end begin */
  int64_t skip;           /* samples before the first that counts: the encoder's delay and the decoder's */
  int64_t frames;         /* samples a channel */
  lp_seek_index *index;   /* by frame number; an offset there is where the frame before ends */
} lp_mp3_file;

typedef struct lp_mp3_decoder lp_mp3_decoder;

/* [pool, blocking] Looks for MP3 frames from offset `at` on (behind ID3v2 tags) and fills h->format: interleaved floats. Where no header of the
 * encoder says how many frames there are, or not plausibly, it walks through the whole file. Returns lp_result with h->why; no such frames:
 * LP_E_UNSUPPORTED and LP_WHY_UNKNOWN_CONTAINER. */
int lp_mp3_open(lp_header *h, const lp_identity *identity, int64_t at, lp_mp3_file **out);
void lp_mp3_close(lp_mp3_file *f);

/* As in flac_file.h, but a seek may need several steps: -EAGAIN says to call it again. */
int lp_mp3_index_step(const lp_mp3_file *f, int fd, uint64_t deadline_ns);
lp_mp3_decoder *lp_mp3_decoder_create(const lp_mp3_file *f);
void lp_mp3_decoder_free(lp_mp3_decoder *d);
int lp_mp3_decoder_seek(lp_mp3_decoder *d, int fd, int64_t frame);
int64_t lp_mp3_decoder_read(lp_mp3_decoder *d, int fd, int64_t frames, uint8_t *out, uint64_t deadline_ns, uint32_t *broken);

#endif
