/* What is known of where a compressed file's frames lie: points (first sample, offset), built front to back. One for each state of a file, shared
 * by all that read it, kept while anybody does and for a while after (a cache by identity).
 *
 * As it lies in the cold cache (little-endian), beside the peaks and disposable like them, once it is complete:
 *   "LPSI", u32 version = 1, u32 point_bytes = 16, u32 0, identity (device, inode, size, mtime s, mtime ns, ctime s, ctime ns: 7 × 8 bytes), i64 spacing,
 *   i64 count, then count × { i64 first, i64 offset }, of which the last is the end, then u64 FNV-1a of all before.
 */
#ifndef LP_SEEK_INDEX_H
#define LP_SEEK_INDEX_H

#include <stdbool.h>
#include <stdint.h>

#include "pcm_file.h"

typedef struct lp_seek_point {
  int64_t first;  /* of the frame that begins at the offset. FLAC: a sample. MP3: the frame's number */
  int64_t offset; /* in the file. Ogg: of the page in which the frame is the first to begin */
} lp_seek_point;

typedef struct lp_seek_index lp_seek_index;

/* [pool, blocking] The index of this state of a file, made empty (next point: 0 at offset) if there is none. spacing: points nearer than that to the
 * one before are not kept. NULL: no memory. */
lp_seek_index *lp_seek_index_get(const lp_identity *identity, int64_t offset, int64_t spacing);
/* [any] Gives it back. */
void lp_seek_index_put(lp_seek_index *x);

/* [any] The last point at or before `first`. The first point is always there. */
lp_seek_point lp_seek_index_find(lp_seek_index *x, int64_t first);
/* [any] Where knowledge ends: the next frame's number and offset. *complete: nothing comes after. */
lp_seek_point lp_seek_index_frontier(lp_seek_index *x, bool *complete);
/* [any] A frame at point `at` is followed by one at `next`. Ignored unless `at` is the frontier. */
void lp_seek_index_add(lp_seek_index *x, lp_seek_point at, lp_seek_point next);
/* [any] The frontier, if it is `at`, is the end. */
void lp_seek_index_end(lp_seek_index *x, lp_seek_point at);
/* [any] Notes that samples [from, to) of the file could not be decoded, and tells it (damage.h). True if they belong to no run that was noted
 * before; the first 256 runs are. */
bool lp_seek_index_note_broken(lp_seek_index *x, int64_t from, int64_t to);
/* [any] Writes a complete index as above. Returns its bytes, 0: it is not complete; if they are more than room nothing is written. */
uint64_t lp_seek_index_pack(lp_seek_index *x, uint8_t *out, uint64_t room);
/* [pool, blocking] Completes the index that is held for the state of a file that these n bytes are about. LP_OK, also if it was complete; LP_E_ABSENT: none is
 * held; LP_E_ARGUMENT: they are damaged or fit no such file. Input is untrusted. */
int lp_seek_index_unpack(const uint8_t *bytes, uint64_t n);
/* [any] Bytes of all indexes held. */
uint64_t lp_seek_index_bytes(void);

#endif
