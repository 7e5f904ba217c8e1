#include "residency.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Live marks met at the front of a list, and moved to its end, in one search for dead ones. */
#define LIVE_MARKS_SEEN 16

static lp_page *page_of(const lp_residency *r, uint32_t id) { return &r->slab.pages[id]; }

/* Counters have one writer at a time (the mutex); readers want a number, not an order: relaxed. */
static void count(_Atomic uint64_t *counter, int64_t by) {
  atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + (uint64_t)by, memory_order_relaxed);
}

/* ---- lists --------------------------------------------------------------------------------------------- */

static bool is_marked_list(uint8_t list) { return list == LP_LIST_DUE || list == LP_LIST_STICKY; }

static void unlist(lp_residency *r, lp_page *p) {
  if (p->list == LP_LIST_NONE) return;
  lp_list *l = &r->lists[p->list];
  if (p->lru_prev)
    page_of(r, p->lru_prev)->lru_next = p->lru_next;
  else
    l->head = p->lru_next;
  if (p->lru_next)
    page_of(r, p->lru_next)->lru_prev = p->lru_prev;
  else
    l->tail = p->lru_prev;
  p->lru_prev = p->lru_next = 0;
  if (is_marked_list(p->list)) lp_heap_remove(&r->due, lp_page_id(&r->slab, p));
  p->list = LP_LIST_NONE;
}

static void append(lp_residency *r, lp_list *l, lp_page *p) {
  uint32_t id = lp_page_id(&r->slab, p);
  p->lru_prev = l->tail;
  p->lru_next = 0;
  if (l->tail)
    page_of(r, l->tail)->lru_next = id;
  else
    l->head = id;
  l->tail = id;
}

static void enlist(lp_residency *r, lp_page *p, uint8_t list) {
  assert(p->list == LP_LIST_NONE && p->pins == 0);
  append(r, &r->lists[list], p);
  p->list = list;
  if (is_marked_list(list)) lp_heap_push(&r->due, lp_page_id(&r->slab, p));
}

/* To the end of the list that it is on. Does not touch the heap. */
static void rotate(lp_residency *r, lp_page *p) {
  lp_list *l = &r->lists[p->list];
  if (!p->lru_next) return;
  page_of(r, p->lru_next)->lru_prev = p->lru_prev;
  if (p->lru_prev)
    page_of(r, p->lru_prev)->lru_next = p->lru_next;
  else
    l->head = p->lru_next;
  append(r, l, p);
}

/* ---- marks --------------------------------------------------------------------------------------------- */

static bool before(lp_rank a, lp_rank b) { return a.tier != b.tier ? a.tier < b.tier : a.deadline_ns < b.deadline_ns; }

static lp_rank ranked(const lp_page *p) { return (lp_rank){.tier = p->ranked_tier, .deadline_ns = p->ranked_ns}; }

static lp_rank rank_of(const lp_mark *m) { return (lp_rank){.tier = m->tier, .deadline_ns = m->deadline_ns}; }

static bool mark_lives(const lp_mark *m) {
  if (!m->origin) return false;
  if (m->origin->plan) return lp_request_lives(m->origin, m->tick);
  /* Relaxed: the tick is a hint of age; a late look costs one pass. */
  uint32_t age = atomic_load_explicit(&m->origin->tick, memory_order_relaxed) - m->tick;
  return age < (m->origin->sticky ? 1u : 2u);
}

/* Whether its asker has said so in the pass that runs. One that has not may not come back to it. */
static bool mark_is_fresh(const lp_mark *m) {
  if (!mark_lives(m)) return false;
  return m->origin->plan || m->tick == atomic_load_explicit(&m->origin->tick, memory_order_relaxed);
}

/* The best of its marks that live; dead ones are forgotten. NULL: none. */
static const lp_mark *living_mark(lp_page *p) {
  const lp_mark *best = NULL;
  for (int i = 0; i < 2; i++) {
    lp_mark *m = &p->marks[i];
    if (!mark_lives(m))
      m->origin = NULL;
    else if (!best || before(rank_of(m), rank_of(best)))
      best = m;
  }
  return best;
}

static int order_due(const void *context, uint32_t a, uint32_t b) {
  const lp_residency *r = context;
  lp_rank ra = ranked(page_of(r, a)), rb = ranked(page_of(r, b));
  return before(rb, ra) ? -1 : before(ra, rb) ? 1 : a < b ? -1 : a > b;
}

/* Puts a page without pins, that is on no list, on the one where it belongs. */
static void settle(lp_residency *r, lp_page *p) {
  const lp_mark *m = living_mark(p);
  if (m) {
    p->ranked_tier = m->tier;
    p->ranked_ns = m->deadline_ns;
  }
  enlist(r, p, !m ? LP_LIST_LRU : m->origin->sticky ? LP_LIST_STICKY : LP_LIST_DUE);
}

void lp_residency_mark(lp_residency *r, lp_page *p, lp_origin *origin, uint32_t tick, lp_rank rank) {
  lp_mark *m = &p->marks[origin->sticky];
  bool renewed = m->origin == origin && m->tick != tick;
  if (!renewed && mark_is_fresh(m) && !before(rank, rank_of(m))) return;
  *m = (lp_mark){.origin = origin, .deadline_ns = rank.deadline_ns, .tick = tick, .tier = rank.tier};
  p->spared = false;
  if (p->list == LP_LIST_NONE) return; /* pinned: it settles when that ends */
  const lp_mark *best = living_mark(p);
  if (!best) return; /* the mark came too late: it stays as it is, until somebody looks for room */
  uint8_t list = best->origin->sticky ? LP_LIST_STICKY : LP_LIST_DUE;
  if (p->list == list) {
    bool same_rank = p->ranked_tier == best->tier && p->ranked_ns == best->deadline_ns;
    p->ranked_tier = best->tier;
    p->ranked_ns = best->deadline_ns;
    rotate(r, p);
    if (!same_rank) lp_heap_fix(&r->due, lp_page_id(&r->slab, p));
    return;
  }
  if (!is_marked_list(p->list)) p->used = true;
  unlist(r, p);
  settle(r, p);
}

void lp_residency_passed(lp_residency *r, lp_page *p) {
  if (p->list == LP_LIST_PASSED || p->spared) return; /* it has its place */
  lp_mark *due = &p->marks[0];
  if (mark_lives(due) && due->tick == atomic_load_explicit(&due->origin->tick, memory_order_relaxed)) return;
  due->origin = NULL;
  if (p->list == LP_LIST_NONE) return;
  unlist(r, p);
  if (living_mark(p)) {
    settle(r, p);
    return;
  }
  /* What was wanted again after it had been passed once (a loop, a chorus) is not a scan. */
  enlist(r, p, p->used ? LP_LIST_LRU : LP_LIST_PASSED);
  p->spared = p->used;
  p->used = false;
}

void lp_residency_forget(lp_residency *r, lp_page *p, const lp_origin *origin) {
  if (p->marks[origin->sticky].origin != origin) return;
  p->marks[origin->sticky].origin = NULL;
  if (!is_marked_list(p->list)) return;
  unlist(r, p);
  settle(r, p);
}

void lp_residency_forget_origin(lp_residency *r, const lp_origin *origin) {
  for (uint32_t i = 1; i <= r->slab.units; i++) lp_residency_forget(r, page_of(r, i), origin);
}

void lp_residency_pin(lp_residency *r, lp_page *p) {
  if (p->pins == 0) unlist(r, p);
  p->pins++;
}

void lp_residency_unpin(lp_residency *r, lp_page *p) {
  assert(p->pins > 0);
  if (--p->pins == 0) settle(r, p);
}

/* ---- room ---------------------------------------------------------------------------------------------- */

/* Dead marks sink to the front, since live ones are renewed; those of a follower that stands still are in the way, and step aside. */
static void drop_dead_marks(lp_residency *r, uint8_t list) {
  for (int seen = 0; seen < LIVE_MARKS_SEEN && r->lists[list].head;) {
    lp_page *p = page_of(r, r->lists[list].head);
    const lp_mark *m = living_mark(p);
    if (m && (m->origin->sticky ? LP_LIST_STICKY : LP_LIST_DUE) == list) {
      rotate(r, p);
      seen++;
      continue;
    }
    unlist(r, p);
    settle(r, p);
  }
}

static lp_page *victim(lp_residency *r, lp_rank rank) {
  if (r->lists[LP_LIST_PASSED].head) return page_of(r, r->lists[LP_LIST_PASSED].head);
  if (!r->lists[LP_LIST_LRU].head) {
    drop_dead_marks(r, LP_LIST_DUE);
    drop_dead_marks(r, LP_LIST_STICKY);
  }
  while (r->lists[LP_LIST_LRU].head) {
    lp_page *p = page_of(r, r->lists[LP_LIST_LRU].head);
    if (!p->used) return p;
    p->used = false;
    rotate(r, p);
  }
  for (;;) {
    uint32_t worst = lp_heap_top(&r->due);
    if (!worst) return NULL;
    lp_page *p = page_of(r, worst);
    const lp_mark *m = living_mark(p);
    if (!m) return p;
    if (m->tier == p->ranked_tier && m->deadline_ns == p->ranked_ns) return before(rank, rank_of(m)) ? p : NULL;
    /* The mark that it stood for is dead, another lives: each page comes by here once at most. */
    unlist(r, p);
    settle(r, p);
  }
}

int lp_residency_take(lp_residency *r, uint32_t channels, lp_rank rank, lp_page **out) {
  for (;;) {
    *out = lp_slab_take(&r->slab, channels);
    if (*out) return LP_ROOM_TAKEN;
    lp_slab_reclaim(&r->slab);
    *out = lp_slab_take(&r->slab, channels);
    if (*out) return LP_ROOM_TAKEN;
    if (atomic_load_explicit(&r->slab.free_count, memory_order_relaxed) + lp_slab_limbo_units(&r->slab) >= channels) return LP_ROOM_LATER;
    lp_page *p = victim(r, rank);
    if (!p) return LP_ROOM_REFUSED;
    lp_residency_evict(r, p);
    count(&r->evictions, 1);
  }
}

void lp_residency_link(lp_residency *r, lp_page *p) {
  lp_source *s = p->source;
  lp_entry *e = lp_source_entry(s, p->number);
  assert(e && !atomic_load_explicit(&e->page, memory_order_relaxed));
  uint32_t id = lp_page_id(&r->slab, p);
  p->source_prev = 0;
  p->source_next = s->first_page;
  if (s->first_page) page_of(r, s->first_page)->source_prev = id;
  s->first_page = id;
  e->seen = 1;
  count(&r->pages, 1);
  settle(r, p);
  /* Release: descriptor and samples are written before the callback can find them. */
  atomic_store_explicit(&e->page, p, memory_order_release);
}

void lp_residency_evict(lp_residency *r, lp_page *p) {
  assert(p->pins == 0);
  lp_source *s = p->source;
  lp_entry *e = lp_source_entry(s, p->number);
  atomic_store_explicit(&e->cause, living_mark(p) ? LP_CAUSE_BUDGET : LP_CAUSE_QUEUE, memory_order_relaxed);
  /* Relaxed: the fence in lp_slab_reclaim orders it before the look at the epochs. */
  atomic_store_explicit(&e->page, NULL, memory_order_relaxed);
  unlist(r, p);
  if (p->source_prev)
    page_of(r, p->source_prev)->source_next = p->source_next;
  else
    s->first_page = p->source_next;
  if (p->source_next) page_of(r, p->source_next)->source_prev = p->source_prev;
  p->marks[0].origin = p->marks[1].origin = NULL;
  count(&r->pages, -1);
  lp_slab_retire(&r->slab, p);
}

bool lp_residency_init(lp_residency *r, double slab_bytes) {
  memset(r, 0, sizeof *r);
  if (!lp_slab_init(&r->slab, slab_bytes)) return false;
  size_t places = (size_t)r->slab.units + 1;
  r->heap_memory = calloc(places * 2, sizeof *r->heap_memory);
  if (!r->heap_memory) {
    lp_slab_free(&r->slab);
    return false;
  }
  r->due = (lp_heap){.items = r->heap_memory, .at = r->heap_memory + places, .order = order_due, .context = r};
  return true;
}

void lp_residency_free(lp_residency *r) {
  free(r->heap_memory);
  lp_slab_free(&r->slab);
  memset(r, 0, sizeof *r);
}
