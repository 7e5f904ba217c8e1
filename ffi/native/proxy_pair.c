/* Pairs of a source and its proxy: made, parted, and what is left of the parted until no callback can read it. */
#include <stdlib.h>

#include "proxy.h"
#include "store_internal.h"

/* One that is taken away fades out meanwhile, in periods of whatever length. */
#define LEAVING_NS 500000000ull

/* A reader that was inside its epoch when a pair was parted. */
typedef struct inside {
  const lp_epoch *epoch;
  uint64_t seq;
} inside;

/* What is left of a pair: first its source, whose proxy leaves; then the proxy, that may still be read. */
typedef struct lp_unpaired {
  lp_source *source; /* referenced */
  const lp_source *leaving; /* NULL: it has left */
  uint64_t due_ns;
  struct lp_unpaired *next;
  uint32_t count;
  inside readers[];
} lp_unpaired;

/* [under the mutex] Keeps what was unlinked just now for those who may be reading it. Without memory for the note it is kept as long as the store. */
static void keep(lp_store *st, lp_source *source) {
  const lp_slab *slab = &st->residency.slab;
  lp_unpaired *u = malloc(sizeof *u + slab->epoch_count * sizeof *u->readers);
  if (!u) return;
  *u = (lp_unpaired){ .source = source, .next = st->unpaired };
  /* As in lp_slab_reclaim: either a reader is seen inside here, or it enters later and finds the pair parted. */
  atomic_thread_fence(memory_order_seq_cst);
  for (uint32_t i = 0; i < slab->epoch_count; i++) {
    const uint64_t seq = atomic_load_explicit(&slab->epochs[i]->seq, memory_order_acquire);
    if (seq & 1) u->readers[u->count++] = (inside){ slab->epochs[i], seq };
  }
  st->unpaired = u;
  /* Relaxed: who misses it looks again in its next pass. */
  atomic_store_explicit(&st->any_unpaired, true, memory_order_relaxed);
}

/* [under the mutex] Has a proxy leave its source, in a while. False: no memory for that. */
static bool leave(lp_store *st, lp_source *s, const lp_source *proxy) {
  lp_unpaired *u = malloc(sizeof *u);
  if (!u) return false;
  *u = (lp_unpaired){ .source = s, .leaving = proxy, .due_ns = st->config.now_ns(st->config.context) + LEAVING_NS, .next = st->unpaired };
  lp_source_ref(s); /* the caller has one */
  st->unpaired = u;
  atomic_store_explicit(&s->proxy_leaves, true, memory_order_relaxed);
  atomic_store_explicit(&st->any_unpaired, true, memory_order_relaxed);
  return true;
}

/* [under the mutex] Puts a proxy in the place of another, which it keeps for its readers. */
static void exchange(lp_store *st, lp_source *s, lp_source *proxy) {
  /* Release: the proxy is whole for the callback that finds it. */
  lp_source *before = atomic_exchange_explicit(&s->proxy, proxy, memory_order_acq_rel);
  atomic_store_explicit(&s->proxy_leaves, false, memory_order_relaxed);
  if (before) keep(st, before);
}

/* [under the mutex] */
static lp_source *paired_with(const lp_source *s) {
  return atomic_load_explicit(&s->proxy_leaves, memory_order_relaxed) ? NULL : atomic_load_explicit(&s->proxy, memory_order_relaxed);
}

/* [under the mutex] A reader whose epoch is not registered any more is out of it. */
static bool is_out(const lp_slab *slab, const inside *reader) {
  for (uint32_t i = 0; i < slab->epoch_count; i++)
    /* Acquire: its last look is over. */
    if (slab->epochs[i] == reader->epoch) return atomic_load_explicit(&reader->epoch->seq, memory_order_acquire) != reader->seq;
  return true;
}

static bool are_out(const lp_slab *slab, const lp_unpaired *u) {
  for (uint32_t i = 0; i < u->count; i++)
    if (!is_out(slab, &u->readers[i])) return false;
  return true;
}

int lp_source_pair(lp_source *s, lp_source *proxy) {
  lp_store *st = s->store;
  if (proxy) {
    const int64_t most = (int64_t)st->config.sample_rate * LP_PROXY_TOLERANCE_MS / 1000;
    const int64_t differs = proxy->frames - s->frames;
    if (proxy == s || proxy->store != st || differs > most || differs < -most) return LP_E_ARGUMENT;
  }
  pthread_mutex_lock(&st->mutex);
  int result = LP_OK;
  lp_source *before = paired_with(s);
  if (proxy && (s->stands_for || paired_with(proxy))) {
    result = LP_E_STATE;
  } else if (proxy != before) {
    if (before) before->stands_for--;
    if (proxy) {
      lp_source_ref(proxy); /* the caller has one */
      proxy->stands_for++;
      exchange(st, s, proxy);
    } else if (!leave(st, s, before)) {
      exchange(st, s, NULL);
    }
  }
  pthread_mutex_unlock(&st->mutex);
  return result;
}

void lp_proxies_collect(lp_store *st) {
  if (!atomic_load_explicit(&st->any_unpaired, memory_order_relaxed)) return;
  lp_unpaired *out = NULL;
  const uint64_t now = st->config.now_ns(st->config.context);
  pthread_mutex_lock(&st->mutex);
  for (lp_unpaired **link = &st->unpaired; *link;) {
    lp_unpaired *u = *link;
    if (u->leaving ? now < u->due_ns : !are_out(&st->residency.slab, u)) {
      link = &u->next;
      continue;
    }
    *link = u->next;
    lp_source *s = u->source;
    /* Unless it has another by now. */
    if (u->leaving && !paired_with(s) && atomic_load_explicit(&s->proxy, memory_order_relaxed) == u->leaving) exchange(st, s, NULL);
    u->next = out;
    out = u;
  }
  atomic_store_explicit(&st->any_unpaired, st->unpaired != NULL, memory_order_relaxed);
  pthread_mutex_unlock(&st->mutex);
  while (out) {
    lp_unpaired *u = out;
    out = u->next;
    lp_source_unref(u->source);
    free(u);
  }
}

void lp_proxies_end(lp_store *st) {
  while (st->unpaired) {
    lp_unpaired *u = st->unpaired;
    st->unpaired = u->next;
    free(u);
  }
}
