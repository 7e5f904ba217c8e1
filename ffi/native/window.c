/* Windows: stretches of sources that stay resident for as long as somebody wants them to. Their pages are asked for, and pinned as they come. */
#include "window.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "store_internal.h"

#define BATCH 64
/* How much of a loop must be there before it ends. */
#define LOOP_HEAD_NS 500e6
/* Of the slab, in tenths: the rest is for what plays. */
#define MOST_TENTHS 8u

struct lp_window {
  lp_store *store;
  lp_source *source; /* referenced */
  int64_t first, pages;
  uint8_t tier;
  double page_ns;      /* that a page lasts where it is played */
  bool backwards;      /* its last page is played first */
  int64_t urgent;      /* pages that are realtime whatever the tier, of those played first */
  uint64_t opened_ns;  /* engine clock */
  int64_t held;        /* pages pinned */
  uint64_t *pinned;    /* a bit a page */
  lp_origin origin;
  lp_window *next;     /* of the store's, in the order of sources and first pages; under the mutex */
};

static bool is_held(const lp_window *w, int64_t i) { return w->pinned[i / 64] >> (i % 64) & 1; }

/* [under the mutex] Units that all windows want, each page once however many want it: windows of one source stand together, in the order in which they begin.
 * There are many, and each edit of a clip may move some: a count costs one look at each. */
static uint64_t count_units(const lp_store *st) {
  uint64_t units = 0;
  const lp_source *source = NULL;
  int64_t done = 0; /* of the source, all pages before it are counted */
  for (const lp_window *w = st->windows; w; w = w->next) {
    if (w->source != source) done = 0;
    source = w->source;
    const int64_t from = w->first > done ? w->first : done, end = w->first + w->pages;
    if (end <= from) continue;
    units += (uint64_t)(end - from) * source->channels;
    done = end;
  }
  return units;
}

static bool comes_before(const lp_window *a, const lp_window *b) {
  return a->source != b->source ? (uintptr_t)a->source < (uintptr_t)b->source : a->first < b->first;
}

/* [under the mutex] */
static void enlist(lp_store *st, lp_window *w) {
  lp_window **link = &st->windows;
  while (*link && comes_before(*link, w)) link = &(*link)->next;
  w->next = *link;
  *link = w;
}

static void unlist(lp_store *st, const lp_window *w) {
  lp_window **link = &st->windows;
  while (*link != w) link = &(*link)->next;
  *link = w->next;
}

/* [under the mutex] Relaxed: a number by itself. */
static void set_units(lp_store *st, uint64_t units) { atomic_store_explicit(&st->window_units, (uint32_t)units, memory_order_relaxed); }

uint32_t lp_window_most_units(const lp_store *st) { return (uint32_t)((uint64_t)st->residency.slab.units * MOST_TENTHS / 10); }

uint32_t lp_window_units(const lp_store *st) { return atomic_load_explicit(&st->window_units, memory_order_relaxed); }

bool lp_window_holds(lp_store *st, const lp_source *s, int64_t page) {
  if (lp_window_units(st) == 0) return false;
  pthread_mutex_lock(&st->mutex);
  const lp_entry *e = page >= 0 && page < s->pages ? lp_source_entry(s, page) : NULL;
  const lp_page *p = e ? atomic_load_explicit(&e->page, memory_order_relaxed) : NULL;
  const bool held = p && p->pins;
  pthread_mutex_unlock(&st->mutex);
  return held;
}

int lp_window_open(lp_store *st, lp_source *s, int64_t from_frame, int64_t to_frame, uint8_t tier, double rate, bool looping, lp_window **out) {
  *out = NULL;
  if (from_frame < 0) from_frame = 0;
  if (to_frame > s->frames) to_frame = s->frames;
  lp_window *w = calloc(1, sizeof *w);
  if (!w) return LP_E_MEMORY;
  w->store = st;
  w->source = s;
  w->tier = tier;
  w->first = from_frame >> s->page_shift;
  w->pages = to_frame > from_frame ? ((to_frame - 1) >> s->page_shift) - w->first + 1 : 0;
  /* More than the slab is refused below; this only keeps the bits from growing without bound. */
  const int64_t most = st->residency.slab.units;
  w->pinned = calloc((size_t)((w->pages < most ? w->pages : most) / 64 + 1), sizeof *w->pinned);
  if (!w->pinned) {
    free(w);
    return LP_E_MEMORY;
  }
  w->origin.sticky = true;
  w->page_ns = (double)s->page_frames * 1e9 / st->config.sample_rate / fabs(rate);
  w->backwards = rate < 0;
  w->urgent = looping ? (int64_t)ceil(LOOP_HEAD_NS / w->page_ns) : 0;
  w->opened_ns = st->config.now_ns(st->config.context);
  pthread_mutex_lock(&st->mutex);
  enlist(st, w);
  /* What does not fit is never told: the follower, who looks without the mutex, would take the budget for a negative one. */
  const uint64_t units = count_units(st);
  const bool fits = w->pages <= most && units <= lp_window_most_units(st);
  if (fits) set_units(st, units);
  else unlist(st, w);
  pthread_mutex_unlock(&st->mutex);
  if (!fits) {
    free(w->pinned);
    free(w);
    return LP_E_LIMIT;
  }
  lp_source_ref(s); /* the caller has one */
  *out = w;
  return LP_OK;
}

void lp_window_close(lp_window *w) {
  lp_store *st = w->store;
  pthread_mutex_lock(&st->mutex);
  unlist(st, w);
  set_units(st, count_units(st));
  for (int64_t i = 0; i < w->pages && w->held; i++) {
    if (!is_held(w, i)) continue;
    lp_entry *e = lp_source_entry(w->source, w->first + i);
    lp_residency_unpin(&st->residency, atomic_load_explicit(&e->page, memory_order_relaxed)); /* pinned, so linked */
    w->held--;
  }
  pthread_mutex_unlock(&st->mutex);
  lp_store_remove_origin_of(st, &w->origin, w->source, w->first, w->pages);
  lp_source_unref(w->source);
  free(w->pinned);
  free(w);
}

/* [under the mutex] Pins page i if it is whole. */
static bool hold(lp_window *w, int64_t i) {
  const lp_entry *e = lp_source_entry(w->source, w->first + i);
  lp_page *p = e ? atomic_load_explicit(&e->page, memory_order_relaxed) : NULL;
  if (!p || atomic_load_explicit(&p->valid, memory_order_relaxed) != lp_valid(0, lp_page_length(w->source, p->number))) return false;
  lp_residency_pin(&w->store->residency, p);
  w->pinned[i / 64] |= 1ull << (i % 64);
  w->held++;
  return true;
}

bool lp_window_look(lp_window *w, int64_t *pages, int64_t *held) {
  lp_want wants[BATCH];
  uint32_t count = 0;
  /* In the order in which they are played. */
  for (int64_t n = 0; n < w->pages && w->held < w->pages;) {
    pthread_mutex_lock(&w->store->mutex);
    for (; n < w->pages && count < BATCH; n++) {
      const int64_t i = w->backwards ? w->pages - 1 - n : n;
      if (is_held(w, i) || hold(w, i)) continue;
      const uint64_t due = w->opened_ns + (uint64_t)((double)n * w->page_ns);
      wants[count++] = (lp_want){.source = w->source, .page = w->first + i, .tier = n < w->urgent ? LP_TIER_REALTIME : w->tier, .deadline_ns = due};
    }
    pthread_mutex_unlock(&w->store->mutex);
    if (count) lp_store_want(w->store, &w->origin, wants, count, NULL);
    count = 0;
  }
  *pages = w->pages;
  *held = w->held;
  return w->held == w->pages;
}
