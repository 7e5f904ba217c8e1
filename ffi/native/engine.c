/* Engines: life, clock, follower thread, sources. */
#include "engine.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "anticipate.h"
#include "engine_internal.h"
#include "float_mode.h"
#include "proxy.h"

int32_t lp_abi_version(void) { return LP_ABI_VERSION; }

uint64_t lp_engine_now_ns(const lp_engine *e) {
  if (e->flags & LP_ENGINE_MANUAL_CLOCK) return atomic_load_explicit(&e->manual_ns, memory_order_relaxed);
  return lp_monotonic_ns();
}

static uint64_t store_now(void *context) { return lp_engine_now_ns(context); }

void lp_engine_wake(lp_engine *e) {
  if (e->flags & LP_ENGINE_SINGLE_STEP) return;
  pthread_mutex_lock(&e->wake_lock);
  e->wakes++;
  pthread_cond_signal(&e->wake);
  pthread_mutex_unlock(&e->wake_lock);
}

/* [pool] */
static void store_filled(void *context) {
  lp_engine *e = context;
  if (atomic_load_explicit(&e->gates, memory_order_relaxed)) lp_engine_wake(e);
}

#define LOOK_NS 50000000ull

/* [under wake_lock, left meanwhile] Waits for the time, a wake-up, or a read that fails: what was wanted may want to be wanted again. */
static void await_pass(lp_engine *e, uint64_t seen, uint64_t until_ns) {
  const uint64_t errors = lp_store_errors(e->store);
  while (e->wakes == seen && !atomic_load(&e->closing) && lp_store_errors(e->store) == errors) {
    const uint64_t now = lp_monotonic_ns();
    if (now >= until_ns) return;
    const uint64_t ns = until_ns - now < LOOK_NS ? until_ns : now + LOOK_NS;
    struct timespec until = { .tv_sec = (time_t)(ns / 1000000000ull), .tv_nsec = (long)(ns % 1000000000ull) };
    (void)pthread_cond_timedwait(&e->wake, &e->wake_lock, &until);
  }
}

static void *follower_main(void *context) {
  lp_engine *e = context;
#if defined(__linux__)
  (void)pthread_setname_np(pthread_self(), "lp-follow");
#endif
  (void)lp_float_mode_flush();
  pthread_mutex_lock(&e->wake_lock);
  uint64_t seen = e->wakes;
  while (!atomic_load(&e->closing)) {
    pthread_mutex_unlock(&e->wake_lock);
    const uint64_t began = lp_monotonic_ns();
    uint64_t due = lp_follow_pass(e->follow);
    pthread_mutex_lock(&e->wake_lock);
    /* A gate's deadline counts from the pass's begin. But a pass that takes long leaves the machine to others for a while. */
    const uint64_t took = lp_monotonic_ns() - began;
    await_pass(e, seen, began + took + (took < due / 2 ? due - took : due / 2));
    seen = e->wakes;
  }
  pthread_mutex_unlock(&e->wake_lock);
  return NULL;
}

static void engine_free(lp_engine *e) {
  lp_follow_destroy(e->follow);
  free(e->sources);
  pthread_mutex_destroy(&e->pass_lock);
  pthread_mutex_destroy(&e->lock);
  pthread_mutex_destroy(&e->source_lock);
  pthread_mutex_destroy(&e->wake_lock);
  pthread_cond_destroy(&e->wake);
  free(e);
}

/* [blocking] As lp_engine_close, of an engine without a handle. */
static int engine_end(lp_engine *e);

int32_t lp_engine_create(uint32_t sample_rate, double slab_bytes, uint32_t fill_threads, uint32_t flags) {
  if (sample_rate < 8000 || sample_rate > 384000 || !(slab_bytes >= 65536) || slab_bytes > 1e12) return LP_E_ARGUMENT;
  if (!(flags & LP_ENGINE_SINGLE_STEP) && (fill_threads < 1 || fill_threads > 64)) return LP_E_ARGUMENT;
  lp_engine *e = calloc(1, sizeof *e);
  if (!e) return LP_E_MEMORY;
  e->sample_rate = sample_rate;
  e->flags = flags;
  pthread_mutex_init(&e->pass_lock, NULL);
  pthread_mutex_init(&e->lock, NULL);
  pthread_mutex_init(&e->source_lock, NULL);
  pthread_mutex_init(&e->wake_lock, NULL);
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
#if !defined(__APPLE__)
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
#endif
  pthread_cond_init(&e->wake, &attributes);
  pthread_condattr_destroy(&attributes);
  e->next_source = 1;
  lp_store_config config = { .sample_rate = sample_rate,
                             .slab_bytes = slab_bytes,
                             .threads = fill_threads,
                             .single_step = (flags & LP_ENGINE_SINGLE_STEP) != 0,
                             .now_ns = store_now,
                             .context = e,
                             .filled = store_filled };
  e->store = lp_store_create(&config);
  e->follow = e->store ? lp_follow_create(e) : NULL;
  e->anticipate = e->follow ? lp_anticipate_create(e->store) : NULL;
  if (!e->anticipate) {
    if (e->store) lp_store_destroy(e->store); /* without sources: the rest may go after it */
    engine_free(e);
    return LP_E_MEMORY;
  }
  if (!(flags & LP_ENGINE_SINGLE_STEP)) {
    if (pthread_create(&e->follower, NULL, follower_main, e)) {
      lp_anticipate_destroy(e->anticipate);
      lp_store_destroy(e->store);
      engine_free(e);
      return LP_E_MEMORY;
    }
    e->follower_runs = true;
  }
  e->handle = lp_handle_make(LP_KIND_ENGINE, e);
  if (!e->handle) {
    engine_end(e);
    return LP_E_LIMIT;
  }
  return (int32_t)e->handle;
}

int32_t lp_engine_close(uint32_t handle) {
  lp_engine *e = lp_handle_get(handle, LP_KIND_ENGINE);
  if (!e) return LP_E_HANDLE;
  lp_handle_free(handle);
  return engine_end(e);
}

static int engine_end(lp_engine *e) {
  while (e->renderers) lp_renderer_close(e->renderers->handle);
  if (e->follower_runs) {
    pthread_mutex_lock(&e->wake_lock);
    atomic_store(&e->closing, true);
    pthread_cond_signal(&e->wake);
    pthread_mutex_unlock(&e->wake_lock);
    pthread_join(e->follower, NULL);
  }
  lp_engine_windows_end(e);
  lp_anticipate_destroy(e->anticipate);
  /* A gate that stands closed would keep fill threads for ever. */
  lp_store_gate(e->store, false);
  pthread_mutex_lock(&e->source_lock);
  for (uint32_t i = 0; i < e->source_room; i++)
    if (lp_engine_source(e, i)) lp_source_unref(e->sources[i]);
  pthread_mutex_unlock(&e->source_lock);
  int stuck = lp_store_destroy(e->store);
  engine_free(e);
  return stuck;
}

double lp_now_ms(uint32_t handle) {
  lp_engine *e = lp_handle_get(handle, LP_KIND_ENGINE);
  return e ? (double)lp_engine_now_ns(e) / 1e6 : LP_E_HANDLE;
}

int32_t lp_clock_set(uint32_t handle, double now_ms) {
  lp_engine *e = lp_handle_get(handle, LP_KIND_ENGINE);
  if (!e) return LP_E_HANDLE;
  if (!(e->flags & LP_ENGINE_MANUAL_CLOCK)) return LP_E_STATE;
  if (!(now_ms >= 0) || now_ms > 1e12) return LP_E_ARGUMENT;
  uint64_t ns = (uint64_t)(now_ms * 1e6);
  if (ns < atomic_load(&e->manual_ns)) return LP_E_ARGUMENT;
  atomic_store(&e->manual_ns, ns);
  return LP_OK;
}

/* ---- sources ---- */

/* Stands in the table for a source that is being opened. */
static lp_source coming;

lp_source *lp_engine_source(const lp_engine *e, uint32_t handle) {
  lp_source *s = handle && handle < e->source_room ? e->sources[handle] : NULL;
  return s == &coming ? NULL : s;
}

/* [under source_lock] A place in the table; they are taken in turn, so that a handle means another source as late as can be. */
static int32_t take_place(lp_engine *e, uint32_t *index) {
  for (uint32_t tries = 1; tries < LP_MAX_SOURCES; tries++) {
    uint32_t i = e->next_source;
    e->next_source = i + 1 < LP_MAX_SOURCES ? i + 1 : 1;
    if (i >= e->source_room) {
      uint32_t room = e->source_room ? e->source_room * 2 : 256;
      while (room <= i) room *= 2;
      lp_source **grown = realloc(e->sources, room * sizeof *grown);
      if (!grown) return LP_E_MEMORY;
      memset(grown + e->source_room, 0, (room - e->source_room) * sizeof *grown);
      e->sources = grown;
      e->source_room = room;
    }
    if (e->sources[i]) continue;
    e->sources[i] = &coming;
    *index = i;
    return LP_OK;
  }
  return LP_E_LIMIT;
}

int32_t lp_source_open(uint32_t handle, const uint8_t *path, uint32_t path_bytes, uint8_t *info_out, uint32_t info_bytes) {
  lp_source_info info;
  memset(&info, 0, sizeof info);
  lp_engine *e = lp_handle_get(handle, LP_KIND_ENGINE);
  if (!e) return LP_E_HANDLE;
  if (info_bytes < sizeof info || !path_bytes || path_bytes > 32768 || memchr(path, 0, path_bytes)) return LP_E_ARGUMENT;
  char *name = malloc(path_bytes + 1);
  if (!name) return LP_E_MEMORY;
  memcpy(name, path, path_bytes);
  name[path_bytes] = 0;

  /* A place in the table first, so that the source knows its handle from the start. */
  uint32_t index = 0;
  pthread_mutex_lock(&e->source_lock);
  int32_t result = take_place(e, &index);
  pthread_mutex_unlock(&e->source_lock);
  lp_source *source = NULL;
  if (!result) result = lp_store_open_source(e->store, name, index, &source, &info);
  free(name);
  memcpy(info_out, &info, sizeof info);
  if (index) {
    pthread_mutex_lock(&e->source_lock);
    e->sources[index] = source; /* NULL: the place is free again */
    pthread_mutex_unlock(&e->source_lock);
  }
  return result ? result : (int32_t)index;
}

/* The source with a reference of the caller's own, or NULL. */
static lp_source *source_get(uint32_t engine, uint32_t handle, lp_engine **engine_out) {
  lp_engine *e = lp_handle_get(engine, LP_KIND_ENGINE);
  if (engine_out) *engine_out = e;
  if (!e) return NULL;
  pthread_mutex_lock(&e->source_lock);
  lp_source *s = lp_engine_source(e, handle);
  if (s) lp_source_ref(s);
  pthread_mutex_unlock(&e->source_lock);
  return s;
}

int32_t lp_source_set_fold(uint32_t engine, uint32_t handle, const float *coefficients, uint32_t count) {
  lp_source *s = source_get(engine, handle, NULL);
  if (!s) return LP_E_HANDLE;
  int32_t result = count == s->channels * 2 ? LP_OK : LP_E_ARGUMENT;
  for (uint32_t i = 0; i < count && !result; i++)
    if (!isfinite(coefficients[i])) result = LP_E_ARGUMENT;
  if (!result) memcpy(s->fold, coefficients, count * sizeof *coefficients);
  lp_source_unref(s);
  return result;
}

int32_t lp_source_set_proxy(uint32_t engine, uint32_t handle, uint32_t proxy_handle) {
  lp_source *s = source_get(engine, handle, NULL);
  if (!s) return LP_E_HANDLE;
  lp_source *proxy = proxy_handle ? source_get(engine, proxy_handle, NULL) : NULL;
  int32_t result = proxy || !proxy_handle ? lp_source_pair(s, proxy) : LP_E_HANDLE;
  if (proxy) lp_source_unref(proxy);
  lp_source_unref(s);
  return result;
}

int32_t lp_source_close(uint32_t engine, uint32_t handle) {
  lp_engine *e = lp_handle_get(engine, LP_KIND_ENGINE);
  if (!e) return LP_E_HANDLE;
  pthread_mutex_lock(&e->source_lock);
  lp_source *s = lp_engine_source(e, handle);
  if (s) e->sources[handle] = NULL;
  pthread_mutex_unlock(&e->source_lock);
  if (!s) return LP_E_HANDLE;
  lp_source_unref(s);
  return LP_OK;
}

int32_t lp_source_prefetch(uint32_t engine, uint32_t handle, double start_frame, double end_frame) {
  /* Nobody's head: what is asked for here never goes stale. */
  static lp_origin always = { .sticky = true };
  lp_engine *e;
  if (!(start_frame >= 0) || !(end_frame >= start_frame) || end_frame > 9007199254740992.0) return LP_E_ARGUMENT;
  lp_source *s = source_get(engine, handle, &e);
  if (!s) return LP_E_HANDLE;
  int64_t from = (int64_t)start_frame, to = (int64_t)end_frame;
  if (to > s->frames) to = s->frames;
  /* What the slab could never hold is not asked for: this returns at once, also for a file of days. */
  const int64_t most = (int64_t)(lp_store_units(e->store) / s->channels) << s->page_shift;
  if (to - from > most) to = from + most;
  uint64_t far = lp_engine_now_ns(e) + 10000000000ull;
  /* A newer request may take the place of older ones. */
  atomic_fetch_add_explicit(&always.tick, 1, memory_order_relaxed);
  for (int64_t at = from; at < to;) {
    int64_t page = at >> s->page_shift, begin = page << s->page_shift;
    lp_want want = { s, page, (int32_t)(at - begin), LP_TIER_ANTICIPATIVE, far, false };
    lp_store_want(e->store, &always, &want, 1, NULL);
    at = begin + s->page_frames;
  }
  lp_source_unref(s);
  return LP_OK;
}

int32_t lp_source_supply(uint32_t engine, uint32_t handle, double *out, uint32_t count) {
  lp_source *s = source_get(engine, handle, NULL);
  if (!s) return LP_E_HANDLE;
  /* Relaxed: each by itself. */
  const uint32_t slack = atomic_load_explicit(&s->slack_ms, memory_order_relaxed);
  const double all[3] = { atomic_load_explicit(&s->readahead_ms, memory_order_relaxed), slack == UINT32_MAX ? -1 : (double)slack,
                          atomic_load_explicit(&s->shown_slow, memory_order_relaxed) };
  lp_source_unref(s);
  if (count > 3) count = 3;
  memcpy(out, all, count * sizeof *out);
  return (int32_t)count;
}

double lp_source_resident(uint32_t engine, uint32_t handle, double start_frame, double max_frames) {
  const double limit = 9007199254740992.0;
  if (!(fabs(start_frame) <= limit) || !(max_frames >= 0 && max_frames <= limit)) return LP_E_ARGUMENT;
  lp_source *s = source_get(engine, handle, NULL);
  if (!s) return LP_E_HANDLE;
  uint32_t cause;
  double run = (double)lp_source_run(s, (int64_t)start_frame, (int64_t)max_frames, &cause);
  lp_source_unref(s);
  return run;
}

int32_t lp_source_stale(uint32_t engine, uint32_t handle) {
  lp_source *s = source_get(engine, handle, NULL);
  if (!s) return LP_E_HANDLE;
  int32_t stale = atomic_load_explicit(&s->stale, memory_order_relaxed);
  lp_source_unref(s);
  return stale;
}

int32_t lp_source_page_hash(uint32_t engine, uint32_t handle, double page, uint8_t *out, uint32_t out_bytes) {
  lp_engine *e;
  lp_source *s = source_get(engine, handle, &e);
  if (!s) return LP_E_HANDLE;
  uint64_t hash = 0;
  int result = LP_E_ARGUMENT;
  if (out_bytes >= sizeof hash && page >= 0 && page < (double)s->pages) result = lp_store_page_hash(e->store, s, (int64_t)page, &hash);
  if (!result) memcpy(out, &hash, sizeof hash);
  lp_source_unref(s);
  return result;
}

int32_t lp_store_drop(uint32_t engine) {
  lp_engine *e = lp_handle_get(engine, LP_KIND_ENGINE);
  return e ? lp_store_drop_all(e->store) : LP_E_HANDLE;
}

int32_t lp_store_counters(uint32_t engine, double *out, uint32_t count) {
  lp_engine *e = lp_handle_get(engine, LP_KIND_ENGINE);
  return e ? (int32_t)lp_store_counters_read(e->store, out, count) : LP_E_HANDLE;
}

/* ---- what took how long ---- */

int32_t lp_store_histogram(uint32_t engine, uint32_t which, double *out, uint32_t count) {
  lp_engine *e = lp_handle_get(engine, LP_KIND_ENGINE);
  if (!e) return LP_E_HANDLE;
  return which < LP_STORE_HISTOGRAMS ? (int32_t)lp_store_histogram_read(e->store, which, out, count) : LP_E_ARGUMENT;
}

int32_t lp_source_stats(uint32_t engine, uint32_t source, double *out, uint32_t count) {
  lp_engine *e = lp_handle_get(engine, LP_KIND_ENGINE);
  if (!e) return LP_E_HANDLE;
  if (!source) return (int32_t)lp_store_source_stats_read(e->store, NULL, out, count);
  lp_source *s = source_get(engine, source, NULL);
  if (!s) return 0;
  const int32_t n = (int32_t)lp_store_source_stats_read(e->store, s, out, count);
  lp_source_unref(s);
  return n;
}

int32_t lp_volume_stats(uint32_t engine, double *out, uint32_t count) {
  lp_engine *e = lp_handle_get(engine, LP_KIND_ENGINE);
  return e ? (int32_t)lp_store_volume_stats_read(e->store, out, count) : LP_E_HANDLE;
}

int32_t lp_fills_since(uint32_t engine, double since, double *out, uint32_t count) {
  lp_engine *e = lp_handle_get(engine, LP_KIND_ENGINE);
  return e ? (int32_t)lp_store_fills_read(e->store, since, out, count) : LP_E_HANDLE;
}

int32_t lp_page_state(uint32_t engine, uint32_t handle, double frame, double *out, uint32_t count) {
  lp_engine *e;
  lp_source *s = source_get(engine, handle, &e);
  if (!s) return LP_E_HANDLE;
  int32_t result = LP_E_ARGUMENT;
  if (frame >= 0 && frame < (double)s->frames) result = (int32_t)lp_store_page_state_read(e->store, s, (int64_t)frame >> s->page_shift, out, count);
  lp_source_unref(s);
  return result;
}

/* ---- single step and gates ---- */

int32_t lp_step_follow(uint32_t engine) {
  lp_engine *e = lp_handle_get(engine, LP_KIND_ENGINE);
  if (!e) return LP_E_HANDLE;
  if (!(e->flags & LP_ENGINE_SINGLE_STEP)) return LP_E_STATE;
  lp_follow_pass(e->follow);
  return LP_OK;
}

int32_t lp_step_fill(uint32_t engine) {
  lp_engine *e = lp_handle_get(engine, LP_KIND_ENGINE);
  if (!e) return LP_E_HANDLE;
  if (!(e->flags & LP_ENGINE_SINGLE_STEP)) return LP_E_STATE;
  return lp_store_step(e->store);
}

int32_t lp_gate_set(uint32_t engine, uint32_t closed) {
  lp_engine *e = lp_handle_get(engine, LP_KIND_ENGINE);
  if (!e) return LP_E_HANDLE;
  lp_store_gate(e->store, closed != 0);
  return LP_OK;
}

int32_t lp_gate_release(uint32_t engine, uint32_t reads) {
  lp_engine *e = lp_handle_get(engine, LP_KIND_ENGINE);
  if (!e) return LP_E_HANDLE;
  lp_store_gate_release(e->store, reads);
  return LP_OK;
}
