/* A binary heap of small numbers that knows where each of them stands, so that one can be moved or taken out of the middle.
 * It owns no memory and no lock: its owner does. */
#ifndef LP_HEAP_H
#define LP_HEAP_H

#include <stdint.h>

typedef struct lp_heap {
  uint32_t *items; /* room for every id at once */
  uint32_t *at;    /* by id: its place in items plus one, 0 if it is not in */
  uint32_t count;
  /* < 0 if a belongs nearer the top than b. Must not change for two items that are in, but by lp_heap_fix. */
  int (*order)(const void *context, uint32_t a, uint32_t b);
  const void *context;
} lp_heap;

/* [under the owner's lock] All of them. id must not be in, or must be in, as the name says. */
void lp_heap_push(lp_heap *h, uint32_t id);
void lp_heap_remove(lp_heap *h, uint32_t id);
/* After the rank of id changed. */
void lp_heap_fix(lp_heap *h, uint32_t id);

/* [under the owner's lock] Ids are 1 and up: 0 if it is empty. */
static inline uint32_t lp_heap_top(const lp_heap *h) { return h->count ? h->items[0] : 0; }

#endif
