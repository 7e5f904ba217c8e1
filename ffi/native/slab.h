/* The slab: memory of a fixed size cut into units, page descriptors, and the limbo through which pages come back. It owns no lock: the
 * store's mutex guards it.
 *
 * A page's life: free → taken (private to whoever fills it) → linked in a directory → retired (unlinked, but a reader may
 * still hold it) → free. A page that was never linked goes straight back. */
#ifndef LP_SLAB_H
#define LP_SLAB_H

#include <stddef.h>

#include "store.h"

/* Pages unlinked together, and where each epoch stood after that. */
typedef struct lp_limbo {
  uint32_t first; /* chain through lru_next, 0 none */
  uint32_t units;
  uint64_t *seqs; /* by epoch */
} lp_limbo;

typedef struct lp_slab {
  uint8_t *memory;
  size_t bytes;
  uint32_t units;
  uint32_t *free_units; /* a stack */
  _Atomic uint32_t free_count;
  lp_page *pages; /* 1 … units; 0 means none */
  uint32_t first_free_page;
  lp_epoch **epochs;
  uint32_t epoch_count, epoch_room;
  lp_limbo old, young; /* old waits for its epochs; young gathers what is retired meanwhile */
} lp_slab;

/* [control] False: no memory, or less than four units. */
bool lp_slab_init(lp_slab *s, double bytes);
void lp_slab_free(lp_slab *s);
/* [control] Gives the memory back to the system but keeps the addresses. */
void lp_slab_discard(lp_slab *s);

/* [under the mutex] A page of as many units as channels, or NULL. Its descriptor is zeroed but for its planes. */
lp_page *lp_slab_take(lp_slab *s, uint32_t channels);
/* [under the mutex] For a page that was never linked, or that no reader can hold. */
void lp_slab_give(lp_slab *s, lp_page *p);
/* [under the mutex] For a page that was just unlinked. */
void lp_slab_retire(lp_slab *s, lp_page *p);
/* [under the mutex] Frees what no reader can hold any more. */
void lp_slab_reclaim(lp_slab *s);
static inline uint32_t lp_slab_limbo_units(const lp_slab *s) { return s->old.units + s->young.units; }
static inline uint32_t lp_page_id(const lp_slab *s, const lp_page *p) { return (uint32_t)(p - s->pages); }

/* [under the mutex] */
bool lp_slab_add_epoch(lp_slab *s, lp_epoch *e);
void lp_slab_remove_epoch(lp_slab *s, lp_epoch *e);

#endif
