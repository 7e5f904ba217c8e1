/* The store's door: creating it, sources, requests, pins, counters. What decides is elsewhere: residency.c (what stays), fill_queue.c
 * (what comes first), pool.c (who reads), files.c (open files), slab.c (memory and epochs), directory.c (what the callback does). */
#include "store.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fold.h"
#include "proxy.h"
#include "resample.h"
#include "store_internal.h"

/* The queue holds no more than the slab could take, within reason. */
#define LEAST_QUEUE 1024u
#define MOST_QUEUE 32768u

uint64_t lp_monotonic_ns(void) {
  struct timespec t;
  /* Linux answers from a page that the kernel shares with the process, macOS likewise: no system call, no lock, no wait. */
  LP_TRUSTED_BEGIN
  clock_gettime(CLOCK_MONOTONIC, &t);
  LP_TRUSTED_END
  return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

int lp_cond_init(pthread_cond_t *cond) {
#if defined(__APPLE__)
  return pthread_cond_init(cond, NULL);
#else
  pthread_condattr_t a;
  if (pthread_condattr_init(&a)) return -1;
  int r = pthread_condattr_setclock(&a, CLOCK_MONOTONIC) || pthread_cond_init(cond, &a);
  pthread_condattr_destroy(&a);
  return r;
#endif
}

void lp_wait(pthread_cond_t *cond, pthread_mutex_t *mutex, uint64_t timeout_ns) {
  if (timeout_ns > 3600ull * 1000000000ull) {
    pthread_cond_wait(cond, mutex);
    return;
  }
#if defined(__APPLE__)
  struct timespec t = {.tv_sec = (time_t)(timeout_ns / 1000000000ull), .tv_nsec = (long)(timeout_ns % 1000000000ull)};
  pthread_cond_timedwait_relative_np(cond, mutex, &t);
#else
  uint64_t until = lp_monotonic_ns() + timeout_ns;
  struct timespec t = {.tv_sec = (time_t)(until / 1000000000ull), .tv_nsec = (long)(until % 1000000000ull)};
  pthread_cond_timedwait(cond, mutex, &t);
#endif
}

/* ---- the store ------------------------------------------------------------------------------------------- */

static void free_store(lp_store *st) {
  lp_pool_free(st);
  lp_residency_free(&st->residency);
  lp_fill_queue_free(&st->queue);
  pthread_mutex_destroy(&st->mutex);
  pthread_cond_destroy(&st->work);
  pthread_cond_destroy(&st->filled);
  pthread_cond_destroy(&st->ended);
  pthread_cond_destroy(&st->watch);
  free(st);
}

lp_store *lp_store_create(const lp_store_config *config) {
  lp_store *st = calloc(1, sizeof *st);
  if (!st) return NULL;
  st->config = *config;
  if (pthread_mutex_init(&st->mutex, NULL) || lp_cond_init(&st->work) || lp_cond_init(&st->filled) || lp_cond_init(&st->ended) || lp_cond_init(&st->watch)) {
    free(st); /* without room for a mutex there is nothing else to free */
    return NULL;
  }
  lp_files_init(&st->files);
  bool ok = lp_residency_init(&st->residency, config->slab_bytes);
  if (ok) {
    uint32_t queue = st->residency.slab.units;
    queue = queue < LEAST_QUEUE ? LEAST_QUEUE : queue > MOST_QUEUE ? MOST_QUEUE : queue;
    ok = lp_fill_queue_init(&st->queue, queue) && lp_pool_start(st);
  }
  if (ok) return st;
  free_store(st);
  return NULL;
}

/* [control] With the threads gone: the source's memory, whatever refers to it. */
static void free_source(lp_source *s) {
  for (int64_t i = 0; i * LP_TABLE_PAGES < s->pages; i++) free(atomic_load_explicit(&s->tables[i], memory_order_relaxed));
  lp_media_free(s->media); /* its cursors went with its file */
  lp_resampler_close(s->resampler);
  free(s->tables);
  free(s->path);
  free(s);
}

int lp_store_destroy(lp_store *st) {
  int left = lp_pool_stop(st);
  if (left) {
    lp_slab_discard(&st->residency.slab);
    return left;
  }
  lp_proxies_end(st);
  while (st->sources) {
    lp_source *s = st->sources;
    st->sources = s->next;
    int fd = lp_file_destroy(&st->files, s->file);
    if (fd >= 0) (void)close(fd); /* read only: nothing can be lost */
    free_source(s);
  }
  free_store(st);
  return 0;
}

int lp_store_add_epoch(lp_store *st, lp_epoch *epoch) {
  pthread_mutex_lock(&st->mutex);
  bool ok = lp_slab_add_epoch(&st->residency.slab, epoch);
  pthread_mutex_unlock(&st->mutex);
  return ok ? LP_OK : LP_E_MEMORY;
}

void lp_store_remove_epoch(lp_store *st, lp_epoch *epoch) {
  pthread_mutex_lock(&st->mutex);
  lp_slab_remove_epoch(&st->residency.slab, epoch);
  pthread_mutex_unlock(&st->mutex);
}

/* ---- sources --------------------------------------------------------------------------------------------- */

/* [blocking] Opens the path, with one of our own descriptors closed first if the system has none left. */
static int open_file(lp_store *st, const char *path, int *fd, lp_source *s, uint32_t *why, double *why_value) {
  int r = lp_media_open(path, fd, &s->format, &s->media, &s->identity, why, why_value);
  if (r != LP_E_IO || (*why_value != EMFILE && *why_value != ENFILE)) return r;
  pthread_mutex_lock(&st->mutex);
  int spare = lp_files_shrink(&st->files);
  pthread_mutex_unlock(&st->mutex);
  if (spare < 0) return r;
  (void)close(spare);
  r = lp_media_open(path, fd, &s->format, &s->media, &s->identity, why, why_value);
  pthread_mutex_lock(&st->mutex);
  lp_files_closed(&st->files);
  pthread_mutex_unlock(&st->mutex);
  return r;
}

/* [blocking] Everything of a source that needs no lock. */
static int make_source(lp_store *st, const char *path, uint32_t handle, lp_source *s, int *fd, lp_source_info *info) {
  uint32_t why = LP_WHY_NONE;
  double why_value = 0;
  int r = open_file(st, path, fd, s, &why, &why_value);
  if (r < 0) {
    info->why = why;
    info->why_value = why_value;
    return r;
  }
  lp_pcm_info(&s->format, &s->identity, info);
  s->store = st;
  s->handle = handle;
  s->channels = s->format.channels;
  s->s16 = lp_pcm_is_s16(&s->format) && s->format.sample_rate == st->config.sample_rate;
  s->page_frames = s->s16 ? LP_S16_PAGE_FRAMES : LP_F32_PAGE_FRAMES;
  s->page_shift = s->s16 ? 13 : 12;
  info->page_frames = (uint32_t)s->page_frames;
  s->frames = s->format.frames;
  if (s->format.sample_rate != st->config.sample_rate) {
    r = lp_resampler_open(s->format.sample_rate, st->config.sample_rate, &s->resampler);
    if (r == LP_E_MEMORY) return r;
    if (r == LP_OK) r = lp_rate_fits(s);
    if (r != LP_OK) {
      info->why = LP_WHY_RATE;
      info->why_value = s->format.sample_rate;
      return LP_E_UNSUPPORTED;
    }
    s->frames = lp_resampled_frames(s->resampler, s->format.frames);
  }
  info->engine_frames = (double)s->frames;
  s->pages = (s->frames + s->page_frames - 1) >> s->page_shift;
  int64_t tables = (s->pages + LP_TABLE_PAGES - 1) / LP_TABLE_PAGES;
  s->tables = calloc(tables ? (size_t)tables : 1, sizeof *s->tables);
  s->path = strdup(path);
  lp_fold_default(s->channels, s->format.channel_mask, s->fold);
  atomic_init(&s->refs, 1);
  atomic_init(&s->lacks_ns, UINT64_MAX);
  atomic_init(&s->readahead_ms, (uint32_t)(LP_READAHEAD_BASE_NS / 1000000));
  atomic_init(&s->slack_ms, UINT32_MAX);
  return s->tables && s->path ? LP_OK : LP_E_MEMORY;
}

int lp_store_open_source(lp_store *st, const char *path, uint32_t handle, lp_source **out, lp_source_info *info) {
  *out = NULL;
  memset(info, 0, sizeof *info);
  lp_source *s = calloc(1, sizeof *s);
  if (!s) return LP_E_MEMORY;
  /* A place among the open files; without one (all are being read) the file is closed again after its header. */
  int fd = -1, close_fd;
  pthread_mutex_lock(&st->mutex);
  bool place = lp_files_place(&st->files, &close_fd);
  pthread_mutex_unlock(&st->mutex);
  if (close_fd >= 0) (void)close(close_fd);
  int r = make_source(st, path, handle, s, &fd, info);
  if (fd >= 0 && (r < 0 || !place)) {
    (void)close(fd);
    fd = -1;
  }
  pthread_mutex_lock(&st->mutex);
  if (place && fd < 0) lp_files_closed(&st->files);
  if (r == LP_OK) {
    s->file = lp_file_create(&st->files, fd, s->resampler ? &lp_rate_cursor : s->media ? &lp_media_cursor : &lp_pcm_cursor);
    if (s->file) {
      s->volume = lp_volume_enter(&st->volumes, lp_volume_id(&s->identity));
      if (!lp_fill_queue_add_volume(&st->queue, s->volume)) {
        /* There is always a place for the first: what lies here shares its. */
        lp_volume_leave(&st->volumes, s->volume);
        s->volume = 0;
        st->volumes.of[0].sources++;
      }
      s->next = st->sources;
      if (st->sources) st->sources->prev = s;
      st->sources = s;
    } else {
      r = LP_E_MEMORY;
      if (fd >= 0) lp_files_closed(&st->files);
    }
  }
  pthread_mutex_unlock(&st->mutex);
  if (r == LP_OK) {
    *out = s;
    return LP_OK;
  }
  if (fd >= 0) (void)close(fd);
  lp_media_free(s->media);
  lp_resampler_close(s->resampler);
  free(s->tables);
  free(s->path);
  free(s);
  return r;
}

void lp_source_ref(lp_source *s) {
  /* Relaxed: whoever takes one has one. */
  atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
}

void lp_source_unref(lp_source *s) {
  /* Release: what was done with it is done before; acquire: for the last one, by everybody. The last one goes under the mutex only, so
   * that a source with nodes in the queue is alive to whoever holds the mutex. */
  uint32_t refs = atomic_load_explicit(&s->refs, memory_order_relaxed);
  while (refs > 1) {
    if (atomic_compare_exchange_weak_explicit(&s->refs, &refs, refs - 1, memory_order_release, memory_order_relaxed)) return;
  }
  lp_store *st = s->store;
  pthread_mutex_lock(&st->mutex);
  if (atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1) {
    pthread_mutex_unlock(&st->mutex);
    return;
  }
  while (s->first_node) {
    uint32_t node = s->first_node;
    lp_fill_queue_take(&st->queue, node); /* queued, not running: a running one holds a reference */
    lp_node_forget(st, node);
  }
  while (s->first_page) {
    lp_page *p = &st->residency.slab.pages[s->first_page];
    while (p->pins) lp_residency_unpin(&st->residency, p); /* pins end with their source */
    lp_residency_evict(&st->residency, p);
  }
  lp_slab_reclaim(&st->residency.slab);
  if (s->prev)
    s->prev->next = s->next;
  else
    st->sources = s->next;
  if (s->next) s->next->prev = s->prev;
  if (s->indexing == LP_INDEX_WANTED) st->indexes_wanted--;
  int fd = lp_file_destroy(&st->files, s->file);
  lp_volume_leave(&st->volumes, s->volume);
  lp_source *proxy = atomic_load_explicit(&s->proxy, memory_order_relaxed);
  if (proxy && !atomic_load_explicit(&s->proxy_leaves, memory_order_relaxed)) proxy->stands_for--;
  lp_note_queue_length(st);
  pthread_mutex_unlock(&st->mutex);
  if (fd >= 0) {
    (void)close(fd); /* read only: nothing can be lost */
    pthread_mutex_lock(&st->mutex);
    lp_files_closed(&st->files);
    pthread_mutex_unlock(&st->mutex);
  }
  /* No callback can be at it: snapshots hold references until the callback has left them. So none can be at its proxy by it. */
  free_source(s);
  if (proxy) lp_source_unref(proxy);
}

/* [under the mutex] The entry, with its table made if it must. NULL: no memory. */
static lp_entry *make_entry(lp_source *s, int64_t page) {
  lp_entry *e = lp_source_entry(s, page);
  if (e) return e;
  lp_table *t = calloc(1, sizeof *t);
  if (!t) return NULL;
  /* Release: its zeros are there before the callback finds it. */
  atomic_store_explicit(&s->tables[page / LP_TABLE_PAGES], t, memory_order_release);
  return &t->entries[page % LP_TABLE_PAGES];
}

/* ---- requests -------------------------------------------------------------------------------------------- */

void lp_node_attach(lp_store *st, uint32_t node) {
  lp_fill_node *n = &st->queue.nodes[node];
  lp_source *s = n->source;
  n->prev = 0;
  n->next = s->first_node;
  if (s->first_node) st->queue.nodes[s->first_node].prev = node;
  s->first_node = node;
  lp_source_entry(s, n->page)->queued = node;
}

void lp_node_forget(lp_store *st, uint32_t node) {
  lp_fill_node *n = &st->queue.nodes[node];
  lp_source *s = n->source;
  if (n->prev)
    st->queue.nodes[n->prev].next = n->next;
  else
    s->first_node = n->next;
  if (n->next) st->queue.nodes[n->next].prev = n->prev;
  lp_source_entry(s, n->page)->queued = 0;
  lp_fill_queue_release(&st->queue, node);
}

void lp_note_queue_length(lp_store *st) {
  atomic_store_explicit(&st->queue_length, st->queue.queued, memory_order_relaxed); /* for show */
}

void lp_index_want(lp_store *st, lp_source *s) {
  if (s->indexing != LP_INDEX_UNASKED) return;
  bool needed = lp_media_needs_index(s->media);
  s->indexing = needed ? LP_INDEX_WANTED : LP_INDEX_DONE;
  if (needed) st->indexes_wanted++;
}

void lp_wake(lp_store *st, uint32_t n) {
  if (n >= st->idle_workers) {
    if (st->idle_workers) pthread_cond_broadcast(&st->work);
    return;
  }
  while (n-- > 0) pthread_cond_signal(&st->work);
}

/* [under the mutex] Its asker has not said so in the pass that runs, and may not come back to it: at the pass's end it may be dropped (lp_store_forget_old). */
static bool is_of_old(const lp_fill_node *n) {
  /* Relaxed: the follower moves ticks between its passes. */
  return !n->origin->sticky && n->tick != atomic_load_explicit(&n->origin->tick, memory_order_relaxed);
}

/* [under the mutex] Asks again for a page that has a node. */
static void renew(lp_store *st, uint32_t node, lp_origin *origin, uint32_t tick, const lp_want *w, uint8_t tier) {
  lp_fill_node *n = &st->queue.nodes[node];
  if (origin->sticky && !origin->plan) n->sticky = origin;
  bool better = tier != n->key.tier ? tier < n->key.tier : w->deadline_ns < n->key.deadline_ns;
  bool same = n->origin == origin;
  /* The asker's new word replaces its old one; in one pass, and among askers, the earlier need counts, unless who had it is gone. */
  bool replace = !n->origin || (same && n->tick != tick) || !lp_request_lives(n->origin, n->tick) || is_of_old(n);
  if (same) n->tick = tick;
  if (!replace && !better) return;
  n->origin = origin;
  n->tick = tick;
  n->first_frame = w->first_frame;
  lp_fill_queue_rekey(&st->queue, node, tier, w->deadline_ns);
}

/* [under the mutex] Queues a page that has no node. True if it now waits. */
static bool enqueue(lp_store *st, lp_entry *e, lp_origin *origin, uint32_t tick, const lp_want *w, uint8_t tier, uint64_t now) {
  lp_source *s = w->source;
  if (!lp_file_may_try(s->file, w->page, now)) {
    atomic_store_explicit(&e->cause, s->file->cause, memory_order_relaxed);
    return false;
  }
  lp_fill_key key = {.tier = tier, .deadline_ns = w->deadline_ns, .source_frames = s->frames, .known_cached = e->seen};
  uint32_t displaced, node = lp_fill_queue_alloc(&st->queue, &key, now, &displaced);
  if (displaced) {
    lp_node_forget(st, displaced);
    lp_count(st, LP_COUNT_DROPPED, 1);
    node = lp_fill_queue_alloc(&st->queue, &key, now, &displaced);
  }
  if (!node) {
    lp_count(st, LP_COUNT_DROPPED, 1);
    return false;
  }
  lp_fill_node *n = &st->queue.nodes[node];
  n->source = s;
  n->volume = s->volume;
  n->page = w->page;
  n->origin = origin;
  n->sticky = origin->sticky && !origin->plan ? origin : NULL; /* a plan asks again by itself */
  n->tick = tick;
  n->first_frame = w->first_frame;
  lp_node_attach(st, node);
  lp_fill_queue_put(&st->queue, node, now);
  atomic_store_explicit(&e->cause, st->volumes.of[s->volume].stalled ? LP_CAUSE_STALLED : LP_CAUSE_QUEUE, memory_order_relaxed);
  return true;
}

/* [under the mutex] */
static void begin_fills(lp_store *st, uint32_t count) {
  lp_wake(st, count);
  lp_pool_watch(st);
}

#define FETCHED 64

/* [under the mutex] What a batch will look at lies all over memory: it is sent for all at once instead of one after the other. */
static void fetch_ahead(const lp_want *wants, uint32_t count) {
  const lp_entry *entries[FETCHED];
  if (count > FETCHED) count = FETCHED;
  for (uint32_t i = 0; i < count; i++) {
    entries[i] = wants[i].page >= 0 && wants[i].page < wants[i].source->pages ? lp_source_entry(wants[i].source, wants[i].page) : NULL;
    __builtin_prefetch(entries[i]);
  }
  for (uint32_t i = 0; i < count; i++) {
    const lp_page *p = entries[i] ? atomic_load_explicit(&entries[i]->page, memory_order_relaxed) : NULL;
    for (size_t at = 0; p && at < sizeof *p; at += 64) __builtin_prefetch((const uint8_t *)p + at);
  }
}

/* [under the mutex] A page that heads want lacks frames of what they need of it. */
static void note_lack(lp_source *s, const lp_page *p, const lp_want *w, int32_t length) {
  const uint32_t valid = p ? atomic_load_explicit(&p->valid, memory_order_relaxed) : 0;
  if ((int32_t)(valid & 0xffff) == length && (int32_t)(valid >> 16) <= w->first_frame) return;
  /* Relaxed: a time by itself, lowered under the mutex and taken by the follower, who is here. */
  if (w->deadline_ns < atomic_load_explicit(&s->lacks_ns, memory_order_relaxed)) atomic_store_explicit(&s->lacks_ns, w->deadline_ns, memory_order_relaxed);
}

/* As lp_store_want; states may be NULL. */
static uint32_t want(lp_store *st, lp_origin *origin, const lp_want *wants, uint32_t count, uint8_t *states, bool only_look, bool begin) {
  uint32_t not_whole = 0, added = 0, found = 0;
  uint64_t now = st->config.now_ns(st->config.context);
  pthread_mutex_lock(&st->mutex);
  lp_pool_note_stalls(st);
  fetch_ahead(wants, count);
  /* Relaxed: the caller moves it, in its own order. */
  uint32_t tick = atomic_load_explicit(&origin->tick, memory_order_relaxed);
  for (uint32_t i = 0; i < count; i++) {
    lp_want w = wants[i];
    lp_source *s = w.source;
    if (states) states[i] = LP_WANT_WHOLE;
    if (w.page < 0 || w.page >= s->pages) continue;
    int32_t length = lp_page_length(s, w.page);
    if (w.first_frame < 0 || w.first_frame >= length) w.first_frame = 0;
    if (w.tier > LP_TIER_ANTICIPATIVE) w.tier = LP_TIER_ANTICIPATIVE;
    lp_index_want(st, s);
    lp_entry *e = make_entry(s, w.page);
    lp_page *p = e ? atomic_load_explicit(&e->page, memory_order_relaxed) : NULL; /* linked under the mutex */
    if (p) {
      lp_residency_mark(&st->residency, p, origin, tick, (lp_rank){.tier = w.tier, .deadline_ns = w.deadline_ns});
      if (atomic_load_explicit(&p->valid, memory_order_relaxed) == lp_valid(0, length)) {
        if (states && p->pins) states[i] = LP_WANT_HELD;
        found += !states; /* who asks for states looks at the same pages again and again */
        continue;
      }
    }
    not_whole++;
    if (w.measured) note_lack(s, p, &w, length);
    if (states) states[i] = LP_WANT_REFUSED;
    if (!e) continue; /* no memory for a table: as good as not asked */
    if (only_look && !e->queued) continue;
    uint8_t tier = lp_node_tier(s, w.page, w.first_frame, w.tier);
    if (e->queued)
      renew(st, e->queued, origin, tick, &w, tier);
    else
      added += enqueue(st, e, origin, tick, &w, tier, now);
    if (states && e->queued) states[i] = LP_WANT_WAITS;
  }
  lp_count(st, LP_COUNT_FOUND, found);
  lp_count(st, LP_COUNT_QUEUED, added);
  if (added && begin) begin_fills(st, added);
  lp_note_queue_length(st);
  pthread_mutex_unlock(&st->mutex);
  return not_whole;
}

void lp_store_want(lp_store *st, lp_origin *origin, const lp_want *wants, uint32_t count, uint32_t *missing) {
  uint32_t not_whole = want(st, origin, wants, count, NULL, false, true);
  if (missing) *missing = not_whole;
}

void lp_store_want_later(lp_store *st, lp_origin *origin, const lp_want *wants, uint32_t count) {
  (void)want(st, origin, wants, count, NULL, false, false);
}

void lp_store_begin(lp_store *st) {
  pthread_mutex_lock(&st->mutex);
  if (st->queue.queued) begin_fills(st, st->queue.queued);
  pthread_mutex_unlock(&st->mutex);
}

void lp_store_want_each(lp_store *st, lp_origin *origin, const lp_want *wants, uint32_t count, uint8_t *states, bool only_look) {
  (void)want(st, origin, wants, count, states, only_look, true);
}

void lp_store_refused(lp_store *st, lp_source *s, int64_t page) {
  if (page < 0 || page >= s->pages) return;
  pthread_mutex_lock(&st->mutex);
  lp_entry *e = make_entry(s, page);
  /* Relaxed: a word for the counters, nothing hangs on it. */
  if (e) atomic_store_explicit(&e->cause, LP_CAUSE_BUDGET, memory_order_relaxed);
  pthread_mutex_unlock(&st->mutex);
}

/* [under the mutex] A node that the origin asked for goes, unless somebody else did too. */
static void forget_asker(lp_store *st, uint32_t node, const lp_origin *origin) {
  lp_fill_node *n = &st->queue.nodes[node];
  if (n->sticky == origin) n->sticky = NULL;
  if (n->origin != origin) return;
  n->origin = n->sticky;
  if (n->origin) {
    n->tick = atomic_load_explicit(&n->origin->tick, memory_order_relaxed);
    lp_fill_queue_rekey(&st->queue, node, LP_TIER_ANTICIPATIVE, UINT64_MAX);
  } else if (n->state == LP_NODE_QUEUED) {
    lp_fill_queue_take(&st->queue, node);
    lp_node_forget(st, node);
    lp_count(st, LP_COUNT_DROPPED, 1);
  }
}

void lp_store_remove_origin(lp_store *st, lp_origin *origin) {
  pthread_mutex_lock(&st->mutex);
  for (uint32_t i = 1; i <= st->queue.capacity; i++)
    if (st->queue.nodes[i].state != LP_NODE_FREE) forget_asker(st, i, origin);
  lp_residency_forget_origin(&st->residency, origin);
  lp_note_queue_length(st);
  pthread_mutex_unlock(&st->mutex);
}

void lp_store_remove_origin_of(lp_store *st, lp_origin *origin, lp_source *s, int64_t first, int64_t count) {
  pthread_mutex_lock(&st->mutex);
  for (int64_t i = 0; i < count; i++) {
    const lp_entry *e = lp_source_entry(s, first + i);
    if (!e) continue;
    lp_page *p = atomic_load_explicit(&e->page, memory_order_relaxed);
    if (e->queued) forget_asker(st, e->queued, origin);
    if (p) lp_residency_forget(&st->residency, p, origin);
  }
  lp_note_queue_length(st);
  pthread_mutex_unlock(&st->mutex);
}

/* [under the mutex] The resident page, or NULL. */
static lp_page *find_page(const lp_source *s, int64_t page) {
  lp_entry *e = page >= 0 && page < s->pages ? lp_source_entry(s, page) : NULL;
  return e ? atomic_load_explicit(&e->page, memory_order_relaxed) : NULL;
}

void lp_store_passed(lp_store *st, lp_source *s, int64_t page) {
  pthread_mutex_lock(&st->mutex);
  lp_page *p = find_page(s, page);
  if (p) lp_residency_passed(&st->residency, p);
  pthread_mutex_unlock(&st->mutex);
}

int lp_store_pin(lp_store *st, lp_source *s, int64_t page) {
  pthread_mutex_lock(&st->mutex);
  lp_page *p = find_page(s, page);
  if (p) lp_residency_pin(&st->residency, p);
  pthread_mutex_unlock(&st->mutex);
  return p ? LP_OK : LP_E_STATE;
}

void lp_store_unpin(lp_store *st, lp_source *s, int64_t page) {
  pthread_mutex_lock(&st->mutex);
  lp_page *p = find_page(s, page);
  if (p && p->pins) lp_residency_unpin(&st->residency, p);
  pthread_mutex_unlock(&st->mutex);
}

/* ---- waiting, stepping, the gate ------------------------------------------------------------------------- */

uint64_t lp_store_fill_count(lp_store *st) { return atomic_load_explicit(&st->fill_count, memory_order_acquire); }

uint64_t lp_store_errors(lp_store *st) { return atomic_load_explicit(&st->counters[LP_COUNT_ERRORS], memory_order_relaxed); /* a figure */ }

uint64_t lp_store_wait_fill(lp_store *st, uint64_t seen, uint64_t timeout_ns) {
  uint64_t begun = lp_monotonic_ns();
  pthread_mutex_lock(&st->mutex);
  st->fill_waiters++;
  for (;;) {
    if (atomic_load_explicit(&st->fill_count, memory_order_relaxed) != seen) break;
    uint64_t past = lp_monotonic_ns() - begun;
    if (past >= timeout_ns) break;
    lp_wait(&st->filled, &st->mutex, timeout_ns - past);
  }
  st->fill_waiters--;
  uint64_t now = atomic_load_explicit(&st->fill_count, memory_order_relaxed);
  pthread_mutex_unlock(&st->mutex);
  return now;
}

int lp_store_step(lp_store *st) { return st->config.single_step ? lp_pool_step(st) : LP_E_STATE; }

void lp_store_gate(lp_store *st, bool closed) {
  pthread_mutex_lock(&st->mutex);
  st->gate_closed = closed;
  st->gate_permits = 0;
  pthread_cond_broadcast(&st->work);
  lp_pool_watch(st);
  pthread_mutex_unlock(&st->mutex);
}

void lp_store_gate_release(lp_store *st, uint32_t reads) {
  pthread_mutex_lock(&st->mutex);
  if (st->gate_closed) st->gate_permits += reads;
  pthread_cond_broadcast(&st->work);
  lp_pool_watch(st);
  pthread_mutex_unlock(&st->mutex);
}

/* ---- figures --------------------------------------------------------------------------------------------- */

uint32_t lp_store_units(const lp_store *st) { return st->residency.slab.units; }

uint32_t lp_store_units_free(lp_store *st) { return atomic_load_explicit(&st->residency.slab.free_count, memory_order_relaxed); }

void lp_store_set_horizon_ms(lp_store *st, double horizon_ms) {
  atomic_store_explicit(&st->horizon_ms, horizon_ms, memory_order_relaxed);
}

void lp_store_set_supply(lp_store *st, double readahead_ms, double slow_sources) {
  atomic_store_explicit(&st->readahead_ms, readahead_ms, memory_order_relaxed);
  atomic_store_explicit(&st->slow_sources, slow_sources, memory_order_relaxed);
}

uint32_t lp_store_stalled(lp_store *st) {
  uint32_t stalled = 0;
  pthread_mutex_lock(&st->mutex);
  for (uint32_t i = 0; i < LP_VOLUMES; i++)
    if (st->volumes.of[i].stalled) stalled |= 1u << i;
  pthread_mutex_unlock(&st->mutex);
  return stalled;
}

void lp_store_set_voices_refused(lp_store *st, double voices) {
  atomic_store_explicit(&st->voices_refused, voices, memory_order_relaxed);
}

static double counter(lp_store *st, enum lp_counter c) { return (double)atomic_load_explicit(&st->counters[c], memory_order_relaxed); }

uint32_t lp_store_counters_read(lp_store *st, double *out, uint32_t count) {
  double all[24] = {
      lp_store_units(st),
      lp_store_units_free(st),
      (double)atomic_load_explicit(&st->residency.pages, memory_order_relaxed),
      counter(st, LP_COUNT_FILLS),
      (double)atomic_load_explicit(&st->residency.evictions, memory_order_relaxed),
      counter(st, LP_COUNT_BYTES),
      counter(st, LP_COUNT_READS),
      counter(st, LP_COUNT_READ_NS),
      counter(st, LP_COUNT_CONVERT_NS),
      atomic_load_explicit(&st->queue_length, memory_order_relaxed),
      counter(st, LP_COUNT_DROPPED),
      atomic_load_explicit(&st->files.open, memory_order_relaxed),
      counter(st, LP_COUNT_ERRORS),
      atomic_load_explicit(&st->horizon_ms, memory_order_relaxed),
      atomic_load_explicit(&st->voices_refused, memory_order_relaxed),
      counter(st, LP_COUNT_STALLED),
      counter(st, LP_COUNT_DECODE_NS),
      counter(st, LP_COUNT_BROKEN),
      atomic_load_explicit(&st->workers_running, memory_order_relaxed),
      counter(st, LP_COUNT_FOUND),
      counter(st, LP_COUNT_QUEUED),
      atomic_load_explicit(&st->readahead_ms, memory_order_relaxed),
      atomic_load_explicit(&st->slow_sources, memory_order_relaxed),
      counter(st, LP_COUNT_FRAMES),
  };
  if (count > 24) count = 24;
  memcpy(out, all, count * sizeof *out);
  return count;
}

int lp_store_page_hash(lp_store *st, lp_source *s, int64_t page, uint64_t *hash) {
  if (page < 0 || page >= s->pages) return LP_E_ARGUMENT;
  int32_t length = lp_page_length(s, page);
  pthread_mutex_lock(&st->mutex);
  lp_page *p = find_page(s, page);
  bool whole = p && atomic_load_explicit(&p->valid, memory_order_relaxed) == lp_valid(0, length);
  if (whole) lp_residency_pin(&st->residency, p); /* so that it stays while we look, without the mutex */
  pthread_mutex_unlock(&st->mutex);
  if (!whole) return LP_E_STATE;
  uint64_t h = 0xcbf29ce484222325ull;
  size_t bytes = (size_t)length * (s->s16 ? sizeof(int16_t) : sizeof(float));
  for (uint32_t c = 0; c < s->channels; c++) {
    for (size_t i = 0; i < bytes; i++) h = (h ^ p->plane[c][i]) * 0x100000001b3ull;
  }
  pthread_mutex_lock(&st->mutex);
  lp_residency_unpin(&st->residency, p);
  pthread_mutex_unlock(&st->mutex);
  *hash = h;
  return LP_OK;
}

int lp_store_drop_all(lp_store *st) {
  int gone = 0;
  pthread_mutex_lock(&st->mutex);
  for (uint32_t i = 1; i <= st->residency.slab.units; i++) {
    lp_page *p = &st->residency.slab.pages[i];
    if (p->list == LP_LIST_NONE) continue; /* free, in limbo, private or pinned */
    lp_residency_evict(&st->residency, p);
    gone++;
  }
  lp_slab_reclaim(&st->residency.slab);
  pthread_mutex_unlock(&st->mutex);
  return gone;
}
