/* The blocks that a renderer's snapshots have, by their ids, so that an edit finds those that it names without a look at all others; and those that are
 * kept although no snapshot has them: an undo that brings them back names them again. All of it under the renderer's lock. */
#ifndef LP_BLOCK_INDEX_H
#define LP_BLOCK_INDEX_H

#include <stdbool.h>
#include <stdint.h>

typedef struct lp_block lp_block;

typedef struct lp_block_index {
  lp_block **buckets; /* lists through next_of_id */
  uint32_t mask;      /* buckets less one; meaningless without any */
  uint32_t count;
} lp_block_index;

/* NULL: there is none. */
lp_block *lp_block_index_get(const lp_block_index *index, uint32_t id);
/* Adds one whose id is not there. False: there is no memory. It stays until it is taken out, at the latest when it is freed. */
bool lp_block_index_put(lp_block_index *index, lp_block *block);
void lp_block_index_take_out(lp_block_index *index, lp_block *block);
/* Lets go of what is kept, and of the table. Snapshots must be gone. */
void lp_block_index_free(lp_block_index *index);

#endif
