#include "block_index.h"

#include <stdlib.h>

#include "snapshot.h"

#define LEAST_BUCKETS 64u

static lp_block **bucket_of(const lp_block_index *index, uint32_t id) {
  uint32_t hash = id * 2654435761u;
  return &index->buckets[(hash ^ hash >> 15) & index->mask];
}

lp_block *lp_block_index_get(const lp_block_index *index, uint32_t id) {
  if (!index->buckets) return NULL;
  lp_block *b = *bucket_of(index, id);
  while (b && b->id != id) b = b->next_of_id;
  return b;
}

/* Twice the buckets; where there is no memory for them the lists get longer. */
static bool grow(lp_block_index *index) {
  const uint32_t before = index->buckets ? index->mask + 1 : 0, buckets = before ? before * 2 : LEAST_BUCKETS;
  lp_block **table = calloc(buckets, sizeof *table);
  if (!table) return index->buckets != NULL;
  lp_block_index grown = { table, buckets - 1, index->count };
  for (uint32_t i = 0; i < before; i++)
    for (lp_block *b = index->buckets[i], *next; b; b = next) {
      next = b->next_of_id;
      lp_block **bucket = bucket_of(&grown, b->id);
      b->next_of_id = *bucket;
      *bucket = b;
    }
  free(index->buckets);
  *index = grown;
  return true;
}

bool lp_block_index_put(lp_block_index *index, lp_block *block) {
  if ((!index->buckets || index->count > index->mask) && !grow(index)) return false;
  lp_block **bucket = bucket_of(index, block->id);
  block->next_of_id = *bucket;
  *bucket = block;
  block->index = index;
  index->count++;
  return true;
}

void lp_block_index_take_out(lp_block_index *index, lp_block *block) {
  lp_block **link = bucket_of(index, block->id);
  while (*link != block) link = &(*link)->next_of_id;
  *link = block->next_of_id;
  block->index = NULL;
  index->count--;
}

void lp_block_index_free(lp_block_index *index) {
  for (uint32_t i = 0; index->buckets && i <= index->mask; i++)
    for (lp_block *b = index->buckets[i], *next; b; b = next) {
      next = b->next_of_id;
      lp_block_keep(b, false); /* which takes it out */
    }
  free(index->buckets);
  *index = (lp_block_index){ 0 };
}
