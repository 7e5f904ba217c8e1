#include "slab.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#ifndef MAP_ANONYMOUS
#define MAP_ANONYMOUS MAP_ANON
#endif

bool lp_slab_init(lp_slab *s, double bytes) {
  memset(s, 0, sizeof *s);
  /* A page's number of units fits 32 bits, and two 64-bit descriptors' worth of indexes too. */
  if (!(bytes >= 4.0 * LP_UNIT_BYTES) || bytes / LP_UNIT_BYTES > (double)(UINT32_MAX / 2)) return false;
  s->units = (uint32_t)(bytes / LP_UNIT_BYTES);
  s->bytes = (size_t)s->units * LP_UNIT_BYTES;
  /* Not MAP_NORESERVE: where the system accounts for memory, a budget that it cannot give is refused here and not by a kill later. */
  void *memory = mmap(NULL, s->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return false;
  s->memory = memory;
#if defined(__linux__) && defined(MLOCK_ONFAULT)
  /* A page swapped out would stop the callback. What is touched is kept, where the system's limits allow it; else it plays as it is. */
  (void)mlock2(s->memory, s->bytes, MLOCK_ONFAULT);
#endif
  s->free_units = malloc((size_t)s->units * sizeof *s->free_units);
  s->pages = aligned_alloc(_Alignof(lp_page), ((size_t)s->units + 1) * sizeof *s->pages);
  if (!s->free_units || !s->pages) {
    lp_slab_free(s);
    return false;
  }
  memset(s->pages, 0, ((size_t)s->units + 1) * sizeof *s->pages);
  /* Low addresses come first off the stacks: what is never needed is never touched. */
  for (uint32_t i = 0; i < s->units; i++) s->free_units[i] = s->units - 1 - i;
  for (uint32_t i = s->units; i > 0; i--) {
    s->pages[i].lru_next = s->first_free_page;
    s->first_free_page = i;
  }
  atomic_init(&s->free_count, s->units);
  return true;
}

void lp_slab_free(lp_slab *s) {
  if (s->memory) munmap(s->memory, s->bytes);
  free(s->free_units);
  free(s->pages);
  free(s->epochs);
  free(s->old.seqs);
  free(s->young.seqs);
  memset(s, 0, sizeof *s);
}

void lp_slab_discard(lp_slab *s) {
#if defined(__linux__)
  (void)munlock(s->memory, s->bytes);
#endif
  (void)madvise(s->memory, s->bytes, MADV_DONTNEED);
}

/* The count is read without the mutex, for show: relaxed. */
static uint32_t free_units(const lp_slab *s) { return atomic_load_explicit(&s->free_count, memory_order_relaxed); }

static void set_free_units(lp_slab *s, uint32_t n) { atomic_store_explicit(&s->free_count, n, memory_order_relaxed); }

lp_page *lp_slab_take(lp_slab *s, uint32_t channels) {
  uint32_t n = free_units(s);
  if (n < channels) return NULL;
  /* This cannot fail: every page in use holds at least one unit, and there are as many descriptors as units. */
  assert(s->first_free_page);
  lp_page *p = &s->pages[s->first_free_page];
  s->first_free_page = p->lru_next;
  for (uint32_t c = 0; c < channels; c++) p->plane[c] = s->memory + (size_t)s->free_units[--n] * LP_UNIT_BYTES;
  for (uint32_t c = channels; c < LP_MAX_CHANNELS; c++) p->plane[c] = NULL;
  set_free_units(s, n);
  /* Relaxed: nobody has seen this page; linking it will publish it. */
  atomic_store_explicit(&p->valid, 0, memory_order_relaxed);
  p->pins = 0;
  p->number = 0;
  p->source = NULL;
  p->lru_prev = p->lru_next = p->source_prev = p->source_next = 0;
  p->marks[0].origin = p->marks[1].origin = NULL;
  p->ranked_ns = 0;
  p->ranked_tier = p->list = 0;
  p->used = p->spared = false;
  return p;
}

void lp_slab_give(lp_slab *s, lp_page *p) {
  uint32_t n = free_units(s);
  for (uint32_t c = 0; c < LP_MAX_CHANNELS && p->plane[c]; c++) {
    s->free_units[n++] = (uint32_t)((size_t)(p->plane[c] - s->memory) / LP_UNIT_BYTES);
    p->plane[c] = NULL;
  }
  assert(n <= s->units);
  set_free_units(s, n);
  p->lru_next = s->first_free_page;
  s->first_free_page = lp_page_id(s, p);
}

static uint32_t page_units(const lp_page *p) {
  uint32_t n = 0;
  while (n < LP_MAX_CHANNELS && p->plane[n]) n++;
  return n;
}

void lp_slab_retire(lp_slab *s, lp_page *p) {
  p->lru_next = s->young.first;
  s->young.first = lp_page_id(s, p);
  s->young.units += page_units(p);
}

/* Every epoch was outside when seqs was taken, or has moved since. Acquire: pairs with the release of lp_epoch_exit, so that the
 * reader's last look at the page is over before it is written again. */
static bool passed(const lp_slab *s, const lp_limbo *limbo) {
  for (uint32_t i = 0; i < s->epoch_count; i++) {
    if ((limbo->seqs[i] & 1) && atomic_load_explicit(&s->epochs[i]->seq, memory_order_acquire) == limbo->seqs[i]) return false;
  }
  return true;
}

static void release(lp_slab *s, lp_limbo *limbo) {
  while (limbo->first) {
    lp_page *p = &s->pages[limbo->first];
    limbo->first = p->lru_next;
    lp_slab_give(s, p);
  }
  limbo->units = 0;
}

void lp_slab_reclaim(lp_slab *s) {
  if (s->old.first && passed(s, &s->old)) release(s, &s->old);
  if (s->old.first || !s->young.first) return;
  lp_limbo swap = s->old;
  s->old = s->young;
  s->young = swap;
  /* The fence orders the unlinking stores before these loads; its twin is in lp_epoch_enter. So either the reader is seen inside
   * here, or it enters later and finds the directory without these pages. */
  atomic_thread_fence(memory_order_seq_cst);
  for (uint32_t i = 0; i < s->epoch_count; i++) s->old.seqs[i] = atomic_load_explicit(&s->epochs[i]->seq, memory_order_acquire);
  if (passed(s, &s->old)) release(s, &s->old);
}

bool lp_slab_add_epoch(lp_slab *s, lp_epoch *e) {
  if (s->epoch_count == s->epoch_room) {
    uint32_t room = s->epoch_room ? s->epoch_room * 2 : 8;
    lp_epoch **epochs = realloc(s->epochs, room * sizeof *epochs);
    if (epochs) s->epochs = epochs;
    uint64_t *old = realloc(s->old.seqs, room * sizeof *old);
    if (old) s->old.seqs = old;
    uint64_t *young = realloc(s->young.seqs, room * sizeof *young);
    if (young) s->young.seqs = young;
    if (!epochs || !old || !young) return false;
    s->epoch_room = room;
  }
  /* It has not been inside yet: what is in limbo cannot be its. */
  s->old.seqs[s->epoch_count] = s->young.seqs[s->epoch_count] = 0;
  s->epochs[s->epoch_count++] = e;
  return true;
}

void lp_slab_remove_epoch(lp_slab *s, lp_epoch *e) {
  for (uint32_t i = 0; i < s->epoch_count; i++) {
    if (s->epochs[i] != e) continue;
    s->epoch_count--;
    s->epochs[i] = s->epochs[s->epoch_count];
    s->old.seqs[i] = s->old.seqs[s->epoch_count];
    s->young.seqs[i] = s->young.seqs[s->epoch_count];
    return;
  }
}
