/* Which resident pages stay and which go first. It owns no lock: the store's mutex guards it.
 *
 * The order in which pages go when room is needed:
 *   1. what a linear playback has passed, longest ago first;
 *   2. what nobody marked due, least recently used first, with a second chance for what was wanted again while it was there;
 *   3. what is marked due, of lowest rank first, and only for a request that ranks before it.
 * Pinned pages, and those being filled, never go. */
#ifndef LP_RESIDENCY_H
#define LP_RESIDENCY_H

#include "heap.h"
#include "slab.h"

enum lp_list_kind { LP_LIST_NONE = 0, LP_LIST_PASSED, LP_LIST_LRU, LP_LIST_DUE, LP_LIST_STICKY, LP_LISTS };

typedef struct lp_list {
  uint32_t head, tail;
} lp_list;

typedef struct lp_residency {
  lp_slab slab;
  lp_list lists[LP_LISTS]; /* DUE and STICKY: longest not marked first */
  lp_heap due;             /* of both: lowest rank on top */
  uint32_t *heap_memory;
  _Atomic uint64_t pages, evictions; /* read without the mutex, for show */
} lp_residency;

typedef struct lp_rank {
  uint8_t tier;
  uint64_t deadline_ns;
} lp_rank;

/* [control] False: no memory. */
bool lp_residency_init(lp_residency *r, double slab_bytes);
void lp_residency_free(lp_residency *r);

enum lp_room { LP_ROOM_REFUSED = -1, LP_ROOM_LATER = 0, LP_ROOM_TAKEN = 1 };
/* [under the mutex] Takes a page of `channels` units for a request of this rank, evicting what ranks below it. REFUSED: nothing that may
 * go is left. LATER: enough is in limbo, until a reader has moved on. */
int lp_residency_take(lp_residency *r, uint32_t channels, lp_rank rank, lp_page **out);

/* [under the mutex] Links a filled page into its directory (p->source, p->number, p->valid are set). */
void lp_residency_link(lp_residency *r, lp_page *p);
/* [under the mutex] Unlinks a page that is not pinned. */
void lp_residency_evict(lp_residency *r, lp_page *p);

/* [under the mutex] Marks a resident page due, unless a better mark of somebody else of its kind (sticky or not), or of the same pass, lives. What a head
 * leaves falls back to the rank that a sticky origin gave it. */
void lp_residency_mark(lp_residency *r, lp_page *p, lp_origin *origin, uint32_t tick, lp_rank rank);
void lp_residency_passed(lp_residency *r, lp_page *p);
/* [under the mutex] Takes its mark from one page, or from all that there are. */
void lp_residency_forget(lp_residency *r, lp_page *p, const lp_origin *origin);
void lp_residency_forget_origin(lp_residency *r, const lp_origin *origin);
void lp_residency_pin(lp_residency *r, lp_page *p);
void lp_residency_unpin(lp_residency *r, lp_page *p);

/* [under the mutex] Frames that a whole page number `page` of the source has. */
static inline int32_t lp_page_length(const lp_source *s, int64_t page) {
  int64_t left = s->frames - (page << s->page_shift);
  return left < s->page_frames ? (int32_t)left : s->page_frames;
}

static inline uint32_t lp_valid(int32_t lo, int32_t hi) { return (uint32_t)lo << 16 | (uint32_t)hi; }

#endif
