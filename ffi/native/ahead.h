/* Peaks of a long compressed file by every core: threads that decode its parts ahead of whoever takes the buckets in order.
 *
 * Decoding is what an import costs, and it may begin anywhere with the same bits. So each thread takes the next part that nobody has, decodes
 * it and reduces it to buckets; parts wait in a ring until they are taken. The values are those that one thread would get.
 */
#ifndef LP_AHEAD_H
#define LP_AHEAD_H

#include "media_file.h"

typedef struct lp_ahead lp_ahead;

/* [pool, blocking] Begins at frame `first`. fd and media must stay until lp_ahead_free. NULL where it would not help: one core alone, less than two
 * parts left, parts that would be too large, too many such threads already, no memory. */
lp_ahead *lp_ahead_start(const lp_media *media, const lp_pcm_format *format, int fd, int64_t first, uint32_t frames_per_bucket);
/* [any] The frame at which the next lp_ahead_take begins, and the size of its buckets. */
int64_t lp_ahead_frame(const lp_ahead *a);
uint32_t lp_ahead_bucket_frames(const lp_ahead *a);
/* [pool, blocking] Up to `buckets` buckets as lp_peaks_result writes them. Waits for the first one; for the others some milliseconds. Adds to *invalid.
 * Returns how many, 0 at the end of the file, or -errno where it cannot be read. One thread at a time. */
int64_t lp_ahead_take(lp_ahead *a, uint32_t buckets, float *out, double *invalid);
/* [pool, blocking] Ends its threads, each after the piece that it is at. NULL is fine. */
void lp_ahead_free(lp_ahead *a);

#endif
