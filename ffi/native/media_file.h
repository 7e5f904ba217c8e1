/* Any audio file that the library reads by itself: what it is, and its frames from anywhere.
 *
 * Compressed files look like uncompressed ones to whoever reads them: their lp_pcm_format is that of the decoded frames (FLAC: s16 or s32 with the
 * bits at the top, MP3: f32), interleaved as lp_pcm_read gives them. So conversion, peaks and pages are the same code.
 */
#ifndef LP_MEDIA_FILE_H
#define LP_MEDIA_FILE_H

#include "pcm_file.h"

/* A compressed file's description and what is known of its frames' places. Constant, shared by its decoders. */
typedef struct lp_media lp_media;

/* [pool, blocking] As lp_pcm_open, for every kind of file. *media is NULL for uncompressed ones. */
int lp_media_open(const char *path, int *fd, lp_pcm_format *format, lp_media **media, lp_identity *identity, uint32_t *why, double *why_value);
/* [any] NULL is fine. No decoder of it may be left. */
void lp_media_free(lp_media *m);

/* [pool, blocking] A step of building its seek index, until deadline_ns on CLOCK_MONOTONIC has passed: 1 if there is more to do, 0 if it is complete
 * (at once if it is or if the file needs none), or -errno. Any thread, any number of them. */
int lp_media_index_step(const lp_media *m, int fd, uint64_t deadline_ns);
/* [any] Its index (seek_index.h), NULL: m is NULL. */
struct lp_seek_index *lp_media_index(const lp_media *m);
/* [any] Whether an index makes seeking in it quicker: not for FLAC with a seek table. */
bool lp_media_needs_index(const lp_media *m);

/* One place in a compressed file. Not for two threads at a time. */
typedef struct lp_decoder lp_decoder;
lp_decoder *lp_decoder_create(const lp_media *m); /* NULL: no memory */
void lp_decoder_free(lp_decoder *d);
/* [pool, blocking] Makes the next read begin at `frame`, 0 … frames. 0 or -errno. */
int lp_decoder_seek(lp_decoder *d, int fd, int64_t frame);
/* [pool, blocking] Decodes up to `frames` frames into out, interleaved. Stops when deadline_ns (CLOCK_MONOTONIC) has passed, with what is done by then,
 * which may be none: the next call goes on. Returns frames, or -errno. What is broken in the file is silence, in its place: *broken grows by the runs
 * of it that nobody met before. */
int64_t lp_decoder_read(lp_decoder *d, int fd, int64_t frames, uint8_t *out, uint64_t deadline_ns, uint32_t *broken);

#endif
