/* The engine: clock, store, follower, and the table of handles. */
#ifndef LP_ENGINE_INTERNAL_H
#define LP_ENGINE_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine.h"
#include "nonblocking.h"
#include "renderer.h"
#include "store.h"

#define LP_MAX_SOURCES 65536u /* open at a time */

struct lp_engine {
  uint32_t handle;
  uint32_t sample_rate;
  uint32_t flags;
  lp_store *store;
  _Atomic uint64_t manual_ns; /* MANUAL_CLOCK */
  pthread_mutex_t pass_lock;  /* held for a whole pass of the follower: none of its renderers goes meanwhile. Before `lock` */
  pthread_mutex_t lock;       /* held for a moment */
  lp_renderer *renderers;     /* added to under lock, at the front; removed from under both */
  pthread_mutex_t source_lock;
  lp_source **sources;        /* by handle; this and what follows under source_lock */
  uint32_t source_room;
  uint32_t next_source;
  /* The follower. */
  pthread_t follower;
  bool follower_runs;
  pthread_mutex_t wake_lock;
  pthread_cond_t wake;
  uint64_t wakes;             /* under wake_lock */
  _Atomic bool closing;
  _Atomic uint32_t gates;     /* candidates waiting: a fill wakes the follower only then */
  struct lp_follow *follow;
  struct lp_anticipate *anticipate;
  struct lp_engine_window *windows; /* [control] */
};

/* [any] */
uint64_t lp_engine_now_ns(const lp_engine *e) LP_NONBLOCKING;
/* [under source_lock] The open source of a handle, no reference taken, or NULL. */
lp_source *lp_engine_source(const lp_engine *e, uint32_t handle);
/* [any] The system's monotonic clock, whatever the engine's is: for measuring durations. */
uint64_t lp_monotonic_ns(void) LP_NONBLOCKING;
/* [any but callback] Makes the follower run soon. */
void lp_engine_wake(lp_engine *e);

/* Handles. Kinds are checked at lookup. [any], lock-free. */
enum lp_kind { LP_KIND_FREE = 0, LP_KIND_ENGINE = 1, LP_KIND_RENDERER = 2, LP_KIND_SCAN = 3, LP_KIND_WINDOW = 4 };
uint32_t lp_handle_make(enum lp_kind kind, void *object);
void *lp_handle_get(uint32_t handle, enum lp_kind kind);
void lp_handle_free(uint32_t handle);

/* follow.c */
struct lp_follow *lp_follow_create(lp_engine *e);
void lp_follow_destroy(struct lp_follow *f);
/* [follower, control in single step] One pass over all renderers. Returns ns until the next is due. */
uint64_t lp_follow_pass(struct lp_follow *f);

/* windows.c [control]: closes all that are open. */
void lp_engine_windows_end(lp_engine *e);

/* device.c [blocking] */
int lp_device_shutdown(lp_renderer *r);

/* renderer.c */
void lp_renderer_free(lp_renderer *r);

#endif
