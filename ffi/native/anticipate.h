/* Anticipation: what may be wanted soon becomes resident ahead of time, as far as the budget reaches, the most likely and the nearest first.
 *
 * Control hands over a plan: stretches of sources, each with a rank. The follower's passes go through it in portions: what is resident is marked at
 * its rank, what is not is queued, a bounded number at a time, and so on as room comes, until all of the plan is there that the budget allows. A
 * page's rank is the same for fetching and for eviction, and after all that a head needs by any time. */
#ifndef LP_ANTICIPATE_H
#define LP_ANTICIPATE_H

#include "store.h"

typedef struct lp_anticipate lp_anticipate;

/* A stretch of a plan: source frames [from, to), cut to the source. The lower its rank, in ns, the earlier it comes; below LP_RANK_NS. */
typedef struct lp_stretch {
  lp_source *source;
  int64_t from, to;
  uint64_t rank_ns;
} lp_stretch;

/* [control] NULL: no memory. Before its store is destroyed, and once no pass can run any more: lp_anticipate_destroy. */
lp_anticipate *lp_anticipate_create(lp_store *store);
void lp_anticipate_destroy(lp_anticipate *a);

/* [control] The next pass takes the plan in place of the one before; of several given meanwhile the newest. `stretches` was allocated by malloc, each
 * source comes with a reference: both are the plan's from now on. Returns the plan's number, from 1 on. */
uint32_t lp_anticipate_give(lp_anticipate *a, lp_stretch *stretches, uint32_t count);

/* [follower] Whether the next pass begins to go through the plan: then it wants to know what heads want besides. */
bool lp_anticipate_is_due(const lp_anticipate *a, uint64_t now_ns);
/* [follower] Goes on with the plan. beside_units: what heads want besides, UINT64_MAX if that was not counted. Returns ns until the next pass is due. */
uint64_t lp_anticipate_pass(lp_anticipate *a, uint64_t beside_units, uint64_t now_ns);
/* [follower] Whether the plan lists a page. */
bool lp_anticipate_lists(const lp_anticipate *a, const lp_source *s, int64_t page);

/* [any] As lp_anticipation (engine.h). */
uint32_t lp_anticipate_state(lp_anticipate *a, double *out, uint32_t count);

#endif
