/* Where a track is being played: what lies there next is found by going on from there, not by searching. One a slot, of the current snapshot. */
#ifndef LP_TRACK_CURSOR_H
#define LP_TRACK_CURSOR_H

#include "snapshot.h"

/* Clips and blocks that are gone over one by one before it is searched for: more than a period meets, fewer than a search costs by much. */
#define LP_TRACK_CURSOR_STEPS 16u

typedef struct lp_track_cursor {
  const lp_content *content; /* NULL: it knows nothing */
  int64_t from;              /* where it was asked last */
  int64_t next;              /* where that clip starts, INT64_MAX without one */
  uint32_t place, index;     /* the first clip in order that ends after `from` */
  uint32_t searches;         /* of a place from scratch; for tests */
} lp_track_cursor;

/* [callback] As lp_content_find. Costs the clips that were left behind since it was asked last; a search where the position went back, or far on, or
 * the content is another one. Contents are told apart by their addresses: see lp_track_cursor_forget. */
uint32_t lp_track_cursor_find(lp_track_cursor *cursor, const lp_content *c, int64_t from, int64_t to, lp_found *out, uint32_t max) LP_NONBLOCKING;

/* [callback] True where it knows without a look at the content that no clip meets [from, to). */
static inline bool lp_track_cursor_rests(const lp_track_cursor *cursor, const lp_content *c, int64_t from, int64_t to) LP_NONBLOCKING {
  return cursor->content == c && from >= cursor->from && to <= cursor->next;
}

/* [callback] What has gone may have left its address to what comes. */
static inline void lp_track_cursor_forget(lp_track_cursor *cursor) LP_NONBLOCKING { cursor->content = NULL; }

#endif
