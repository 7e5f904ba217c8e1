#include "anticipate.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "engine_internal.h"
#include "store_internal.h"
#include "window.h"

/* What one pass does at most, in pages. */
#define PORTION 4096u
/* Pages of the plan that wait in the queue at a time: enough that reads join, few enough that the queue has room for what plays. */
#define MOST_WAITING 1024u
#define BATCH 64u
#define BUSY_NS 20000000ull
#define SOON_NS 1000000ull
#define ROUND_NS 1000000000ull
#define IDLE_NS 3600000000000ull
/* How long a need beside the plan is kept free after it was seen: what comes and goes does not move the plan's end to and fro. */
#define BESIDE_NS 30000000000ull
/* Part of the slab that no plan takes: what comes and goes beside it evicts nothing of the plan. */
#define RESERVE 32u

typedef struct plan {
  lp_stretch *stretches;
  uint32_t count;
  uint32_t number;
} plan;

/* A page of the plan, listed once, at its best rank. */
typedef struct item {
  lp_source *source; /* the plan's stretches hold a reference */
  int64_t page;
  uint64_t rank_ns;
} item;

struct lp_anticipate {
  lp_store *store;
  /* Control and follower, under the mutex: */
  pthread_mutex_t mutex;
  plan next; /* number 0: none waits */
  uint32_t given;
  /* Read without it, for show: */
  _Atomic uint32_t number, wanted, resident, listed;
  _Atomic uint64_t limit_units;
  _Atomic bool settled;
  /* The follower's: */
  lp_origin origin;
  plan now;
  item *items;
  uint32_t count, room;
  uint64_t units;        /* of all items */
  uint32_t *table, mask; /* finds items: index + 1, 0 empty */
  uint32_t stretch;      /* the next to be listed, from this page on */
  int64_t page;
  uint32_t marked;       /* items of this plan that were gone through once */
  bool is_new;           /* not all of them */
  bool begins;           /* all of them, and the first round comes next */
  /* A round goes through the items and asks for what is missing. */
  uint32_t fed;          /* items gone through in it */
  uint64_t fed_units;
  uint64_t limit;        /* units that the plan may have in it */
  uint32_t whole;        /* items found resident in it */
  uint32_t waiting[MOST_WAITING], waits;
  bool full;             /* it came to where there is no room */
  uint64_t round_ends_ns; /* 0: it has not ended */
  uint64_t evictions;    /* when it began */
  uint64_t beside, beside_ns;
};

lp_anticipate *lp_anticipate_create(lp_store *store) {
  lp_anticipate *a = calloc(1, sizeof *a);
  if (!a) return NULL;
  a->store = store;
  a->origin.sticky = a->origin.plan = true;
  a->settled = true;
  if (pthread_mutex_init(&a->mutex, NULL) == 0) return a;
  free(a);
  return NULL;
}

static void drop(plan *p) {
  for (uint32_t i = 0; i < p->count; i++) lp_source_unref(p->stretches[i].source);
  free(p->stretches);
  *p = (plan){0};
}

void lp_anticipate_destroy(lp_anticipate *a) {
  if (!a) return;
  lp_store_remove_origin(a->store, &a->origin);
  drop(&a->now);
  drop(&a->next);
  pthread_mutex_destroy(&a->mutex);
  free(a->items);
  free(a->table);
  free(a);
}

uint32_t lp_anticipate_give(lp_anticipate *a, lp_stretch *stretches, uint32_t count) {
  pthread_mutex_lock(&a->mutex);
  plan before = a->next;
  if (++a->given > INT32_MAX) a->given = 1;
  a->next = (plan){.stretches = stretches, .count = count, .number = a->given};
  const uint32_t number = a->given;
  pthread_mutex_unlock(&a->mutex);
  drop(&before);
  return number;
}

/* ---- the list ------------------------------------------------------------------------------------------------------------ */

static uint32_t place_of(const lp_anticipate *a, const lp_source *s, int64_t page) {
  uint32_t i = lp_source_hash(s, (uint64_t)page) & a->mask;
  for (; a->table[i]; i = (i + 1) & a->mask) {
    const item *it = &a->items[a->table[i] - 1];
    if (it->source == s && it->page == page) break;
  }
  return i;
}

bool lp_anticipate_lists(const lp_anticipate *a, const lp_source *s, int64_t page) { return a->count > 0 && a->table[place_of(a, s, page)] != 0; }

/* Room for another item. False: no memory, then the list ends here. */
static bool grow(lp_anticipate *a) {
  if (a->count < a->room) return true;
  const uint32_t room = a->room ? a->room * 2 : PORTION;
  item *items = realloc(a->items, room * sizeof *items);
  if (!items) return false;
  a->items = items;
  a->room = room;
  return true;
}

/* The table is twice as large as the list can get. False: no memory. */
static bool make_table(lp_anticipate *a) {
  uint32_t size = 1024;
  while (size < lp_store_units(a->store) * 2ull && size < 1u << 31) size *= 2;
  a->table = calloc(size, sizeof *a->table);
  a->mask = size - 1;
  return a->table != NULL;
}

/* Lists pages of the plan's stretches, at most PORTION and at most what the slab could hold. The stretches come in the order of their ranks, so that the
 * first that names a page names its best. */
static void list(lp_anticipate *a) {
  const uint64_t most = lp_store_units(a->store);
  for (uint32_t done = 0; done < PORTION && a->stretch < a->now.count;) {
    const lp_stretch *s = &a->now.stretches[a->stretch];
    const int64_t first = (s->from < 0 ? 0 : s->from) >> s->source->page_shift;
    const int64_t end = s->to < s->source->frames ? s->to : s->source->frames;
    if (a->page < first) a->page = first;
    if (a->page << s->source->page_shift >= end) {
      a->stretch++;
      a->page = 0;
      done++;
      continue;
    }
    if (a->units + s->source->channels > most || !grow(a)) {
      a->stretch = a->now.count;
      break;
    }
    const uint32_t place = place_of(a, s->source, a->page);
    if (!a->table[place]) {
      /* A nanosecond a page: among equals too the one that was listed later gives way. */
      a->items[a->count] = (item){.source = s->source, .page = a->page, .rank_ns = s->rank_ns + a->count};
      a->count++;
      a->table[place] = a->count;
      a->units += s->source->channels;
    }
    a->page++;
    done++;
  }
  atomic_store_explicit(&a->listed, a->count, memory_order_relaxed);
}

/* ---- rounds ------------------------------------------------------------------------------------------------------------- */

/* Relaxed: for show, and a sign that it is worth looking again. */
static uint64_t evictions(const lp_anticipate *a) { return atomic_load_explicit(&a->store->residency.evictions, memory_order_relaxed); }

static uint64_t limit_now(const lp_anticipate *a) {
  const uint64_t units = lp_store_units(a->store), gone = units / RESERVE + lp_window_units(a->store) + a->beside;
  return gone < units ? units - gone : 0;
}

static void begin_round(lp_anticipate *a) {
  a->begins = false;
  a->fed = a->whole = a->waits = 0;
  a->fed_units = 0;
  a->full = false;
  a->round_ends_ns = 0;
  a->limit = limit_now(a);
  a->evictions = evictions(a);
}

static lp_want want_of(const item *it) {
  return (lp_want){.source = it->source, .page = it->page, .tier = LP_TIER_ANTICIPATIVE, .deadline_ns = LP_RANK_NS + it->rank_ns};
}

/* Takes the newest plan that was given. Until it has been gone through, the marks of the one before live too. */
static void adopt(lp_anticipate *a) {
  pthread_mutex_lock(&a->mutex);
  plan next = a->next;
  a->next = (plan){0};
  pthread_mutex_unlock(&a->mutex);
  if (next.number == 0) return;
  if (!a->table && !make_table(a)) {
    drop(&next);
    return;
  }
  plan before = a->now;
  a->now = next;
  memset(a->table, 0, ((size_t)a->mask + 1) * sizeof *a->table);
  a->count = a->stretch = a->marked = 0;
  a->units = 0;
  a->page = 0;
  a->is_new = true;
  /* In this order: at no time do the marks of the plan before count for nothing. */
  atomic_store_explicit(&a->origin.replacing, true, memory_order_relaxed);
  atomic_fetch_add_explicit(&a->origin.tick, 1, memory_order_relaxed);
  atomic_store_explicit(&a->settled, false, memory_order_relaxed);
  atomic_store_explicit(&a->number, next.number, memory_order_relaxed);
  drop(&before);
  a->round_ends_ns = 0;
}

/* Gives its rank to what is resident, or queued, of the items that were listed since; then the plan before counts no more. */
static void mark(lp_anticipate *a) {
  lp_want wants[BATCH];
  uint8_t states[BATCH];
  while (a->marked < a->count) {
    uint32_t n = 0;
    for (; n < BATCH && a->marked + n < a->count; n++) wants[n] = want_of(&a->items[a->marked + n]);
    lp_store_want_each(a->store, &a->origin, wants, n, states, true);
    a->marked += n;
  }
  if (a->stretch < a->now.count) return;
  a->is_new = false;
  a->begins = true;
  atomic_store_explicit(&a->origin.replacing, false, memory_order_relaxed);
}

/* What has become of what was asked for. */
static void look(lp_anticipate *a) {
  uint32_t kept = 0;
  for (uint32_t i = 0; i < a->waits; i++) {
    const item *it = &a->items[a->waiting[i]];
    const lp_want w = want_of(it);
    uint8_t state;
    lp_store_want_each(a->store, &a->origin, &w, 1, &state, true);
    if (state == LP_WANT_REFUSED) {
      const lp_entry *e = lp_source_entry(it->source, it->page);
      /* Relaxed: a hint; where it is wrong the next round knows better. */
      if (e && atomic_load_explicit(&e->cause, memory_order_relaxed) == LP_CAUSE_BUDGET)
        a->full = true; /* what ranks after it would be refused too */
      else
        lp_store_want_each(a->store, &a->origin, &w, 1, &state, false); /* a head that wanted it before has lost interest, or reading failed */
    }
    if (state == LP_WANT_WAITS)
      a->waiting[kept++] = a->waiting[i];
    else
      a->whole += state != LP_WANT_REFUSED;
  }
  a->waits = kept;
}

/* Asks for what is missing of the items that follow, as far as there is room in the queue and in the budget. */
static void feed(lp_anticipate *a) {
  lp_want wants[BATCH];
  uint8_t states[BATCH];
  for (uint32_t done = 0; done < PORTION && !a->full && a->fed < a->count && a->waits + BATCH <= MOST_WAITING;) {
    uint32_t n = 0;
    uint64_t units = a->fed_units;
    for (; n < BATCH && a->fed + n < a->count; n++) {
      const item *it = &a->items[a->fed + n];
      if (units + it->source->channels > a->limit) break;
      units += it->source->channels;
      wants[n] = want_of(it);
    }
    if (n == 0) {
      a->full = true;
      break;
    }
    lp_store_want_each(a->store, &a->origin, wants, n, states, false);
    for (uint32_t i = 0; i < n; i++) {
      /* What windows hold is in their account. */
      if (states[i] != LP_WANT_HELD) a->fed_units += wants[i].source->channels;
      if (states[i] == LP_WANT_WAITS) a->waiting[a->waits++] = a->fed + i;
      a->whole += states[i] == LP_WANT_WHOLE || states[i] == LP_WANT_HELD;
    }
    a->fed += n;
    done += n;
  }
}

static void show(lp_anticipate *a, bool settled) {
  /* Relaxed: for show, save that who sees it settled sees the rest. */
  atomic_store_explicit(&a->wanted, a->fed, memory_order_relaxed);
  atomic_store_explicit(&a->resident, a->whole, memory_order_relaxed);
  atomic_store_explicit(&a->limit_units, a->limit, memory_order_relaxed);
  atomic_store_explicit(&a->settled, settled, memory_order_release);
}

static bool is_over(const lp_anticipate *a, uint64_t now_ns) { return a->round_ends_ns && now_ns >= a->round_ends_ns && now_ns - a->round_ends_ns >= ROUND_NS; }

bool lp_anticipate_is_due(const lp_anticipate *a, uint64_t now_ns) { return a->begins || is_over(a, now_ns); }

uint64_t lp_anticipate_pass(lp_anticipate *a, uint64_t beside_units, uint64_t now_ns) {
  if (beside_units != UINT64_MAX && (beside_units >= a->beside || now_ns - a->beside_ns > BESIDE_NS)) {
    a->beside = beside_units;
    a->beside_ns = now_ns;
  }
  /* A plan is gone through once before the next one is taken, however fast they come. */
  if (!a->is_new && !a->begins) adopt(a);
  if (a->now.number == 0) return IDLE_NS;
  if (a->is_new) {
    list(a);
    mark(a);
    return a->is_new ? BUSY_NS : SOON_NS;
  }
  if (a->begins) begin_round(a);
  if (a->round_ends_ns) {
    const bool lacks = a->whole < a->fed || a->full || evictions(a) != a->evictions;
    if (!is_over(a, now_ns) || (!lacks && limit_now(a) >= a->limit)) return ROUND_NS;
    begin_round(a);
  }
  look(a);
  feed(a);
  const bool ended = a->waits == 0 && (a->full || a->fed == a->count);
  if (ended) a->round_ends_ns = now_ns ? now_ns : 1;
  show(a, ended);
  return ended ? ROUND_NS : BUSY_NS;
}

uint32_t lp_anticipate_state(lp_anticipate *a, double *out, uint32_t count) {
  const bool settled = atomic_load_explicit(&a->settled, memory_order_acquire);
  pthread_mutex_lock(&a->mutex);
  const bool waits = a->next.number != 0;
  pthread_mutex_unlock(&a->mutex);
  const double all[6] = {
      atomic_load_explicit(&a->wanted, memory_order_relaxed),
      atomic_load_explicit(&a->resident, memory_order_relaxed),
      (double)atomic_load_explicit(&a->limit_units, memory_order_relaxed),
      atomic_load_explicit(&a->listed, memory_order_relaxed),
      atomic_load_explicit(&a->number, memory_order_relaxed),
      settled && !waits,
  };
  if (count > 6) count = 6;
  memcpy(out, all, count * sizeof *out);
  return count;
}

/* ---- the public side ------------------------------------------------------------------------------------------------------ */

int32_t lp_anticipate_set(uint32_t engine, const double *records, uint32_t count) {
  lp_engine *e = lp_handle_get(engine, LP_KIND_ENGINE);
  if (!e) return LP_E_HANDLE;
  if (count > LP_MOST_STRETCHES) return LP_E_LIMIT;
  for (uint32_t i = 0; i < count; i++) {
    const double *r = records + (size_t)i * 4, most = 9007199254740992.0;
    if (!(r[0] >= 0 && r[0] <= UINT32_MAX) || !(r[1] >= 0) || !(r[2] >= r[1] && r[2] <= most) || !(r[3] >= 0 && r[3] <= 1e12)) return LP_E_ARGUMENT;
    if (i > 0 && r[3] < r[-1]) return LP_E_ARGUMENT;
  }
  lp_stretch *stretches = malloc((count ? count : 1) * sizeof *stretches);
  if (!stretches) return LP_E_MEMORY;
  uint32_t n = 0;
  pthread_mutex_lock(&e->source_lock);
  for (uint32_t i = 0; i < count; i++) {
    const double *r = records + (size_t)i * 4;
    lp_source *s = lp_engine_source(e, (uint32_t)r[0]);
    if (!s) continue;
    lp_source_ref(s);
    stretches[n++] = (lp_stretch){.source = s, .from = (int64_t)r[1], .to = (int64_t)r[2], .rank_ns = (uint64_t)(r[3] * 1e6)};
  }
  pthread_mutex_unlock(&e->source_lock);
  const uint32_t number = lp_anticipate_give(e->anticipate, stretches, n);
  lp_engine_wake(e);
  return (int32_t)number;
}

int32_t lp_anticipate_read(uint32_t engine, double *out, uint32_t count) {
  lp_engine *e = lp_handle_get(engine, LP_KIND_ENGINE);
  return e ? (int32_t)lp_anticipate_state(e->anticipate, out, count) : LP_E_HANDLE;
}
