#include "heap.h"

#include <assert.h>

static void place(lp_heap *h, uint32_t i, uint32_t id) {
  h->items[i] = id;
  h->at[id] = i + 1;
}

static uint32_t rise(lp_heap *h, uint32_t i, uint32_t id) {
  while (i > 0) {
    uint32_t parent = (i - 1) / 2;
    if (h->order(h->context, id, h->items[parent]) >= 0) break;
    place(h, i, h->items[parent]);
    i = parent;
  }
  place(h, i, id);
  return i;
}

static void sink(lp_heap *h, uint32_t i, uint32_t id) {
  for (;;) {
    uint32_t child = 2 * i + 1;
    if (child >= h->count) break;
    if (child + 1 < h->count && h->order(h->context, h->items[child + 1], h->items[child]) < 0) child++;
    if (h->order(h->context, h->items[child], id) >= 0) break;
    place(h, i, h->items[child]);
    i = child;
  }
  place(h, i, id);
}

void lp_heap_push(lp_heap *h, uint32_t id) {
  assert(h->at[id] == 0);
  rise(h, h->count++, id);
}

void lp_heap_fix(lp_heap *h, uint32_t id) {
  assert(h->at[id] != 0);
  uint32_t i = h->at[id] - 1;
  if (rise(h, i, id) == i) sink(h, i, id);
}

void lp_heap_remove(lp_heap *h, uint32_t id) {
  assert(h->at[id] != 0);
  uint32_t i = h->at[id] - 1;
  uint32_t last = h->items[--h->count];
  h->at[id] = 0;
  if (last == id) return;
  place(h, i, last);
  lp_heap_fix(h, last);
}
