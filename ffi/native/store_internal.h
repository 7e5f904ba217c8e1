/* What store.c and pool.c share. */
#ifndef LP_STORE_INTERNAL_H
#define LP_STORE_INTERNAL_H

#include <pthread.h>

#include "files.h"
#include "fill_log.h"
#include "fill_queue.h"
#include "histogram.h"
#include "residency.h"
#include "volumes.h"

#define LP_JOB_PAGES 16

enum lp_phase { LP_PHASE_IDLE = 0, LP_PHASE_READING, LP_PHASE_FILLING, LP_PHASE_STRIPPED };

/* What one step does: one read of consecutive frames into one page or several. */
typedef struct lp_job {
  lp_lease lease;
  lp_source *source; /* referenced */
  int64_t first_page;
  uint32_t count;
  uint32_t nodes[LP_JOB_PAGES];
  lp_page *pages[LP_JOB_PAGES];
  bool fetched;    /* it came as far as reading samples */
  bool extends;    /* the one page is linked (and pinned), else they are private */
  int32_t from;    /* in the first page */
  int64_t frames;  /* in all */
  uint64_t begun_ns; /* engine's clock */
  uint64_t bytes;    /* that were read of the file */
} lp_job;

/* A thread of the pool; with single_step the one that the caller lends. */
typedef struct lp_worker {
  lp_store *store;
  pthread_t thread;
  bool running; /* under the mutex: not yet at its end */
  bool joinable; /* under the mutex: `thread` was started and not joined yet */
  uint8_t *scratch;
  lp_job job; /* under the mutex, save by its own thread between taking and ending it */
  /* IDLE → READING under the mutex; READING → FILLING by the thread, READING → STRIPPED by whoever finds it stalled, by
   * compare-and-swap; back to IDLE under the mutex. */
  _Atomic uint32_t phase;
  uint64_t read_since_ns; /* under the mutex: CLOCK_MONOTONIC */
  _Atomic uint64_t disk_since_ns; /* disk_wait.h */
  uint32_t volume;        /* under the mutex: at which it counts as reading, LP_VOLUMES: none */
} lp_worker;

/* A step is meant to take 2 ms. Late is who has waited for a disk for longer than this. */
#define LP_LATE_NS 5000000ull
/* [any] Relaxed: a hint. */
static inline bool lp_worker_is_late(const lp_worker *w, uint64_t now_ns) {
  uint64_t since = atomic_load_explicit(&w->disk_since_ns, memory_order_relaxed);
  return since && now_ns > since && now_ns - since > LP_LATE_NS;
}

enum lp_counter { LP_COUNT_FILLS, LP_COUNT_BYTES, LP_COUNT_READS, LP_COUNT_READ_NS, LP_COUNT_CONVERT_NS, LP_COUNT_DROPPED, LP_COUNT_ERRORS, LP_COUNT_STALLED, LP_COUNT_DECODE_NS, LP_COUNT_BROKEN, LP_COUNT_FOUND, LP_COUNT_QUEUED, LP_COUNT_FRAMES, LP_COUNTS };

struct lp_store {
  lp_store_config config;
  pthread_mutex_t mutex;
  pthread_cond_t work;   /* something to do, or the gate moved, or stopping */
  pthread_cond_t filled; /* the fill count moved */
  pthread_cond_t ended;  /* a thread ended */
  pthread_cond_t watch;  /* the warden has something to watch */
  /* Under the mutex: */
  lp_residency residency;
  lp_fill_queue queue;
  lp_files files;
  lp_volumes volumes;
  lp_source *sources;
  struct lp_window *windows;
  struct lp_unpaired *unpaired; /* proxies that a callback may still read (proxy_pair.c) */
  uint32_t idle_workers, fill_waiters;
  uint32_t indexes_wanted; /* sources whose index is LP_INDEX_WANTED */
  bool stopping;
  bool abandoned; /* threads were left behind: what they need is leaked */
  bool gate_closed;
  uint64_t gate_permits;
  lp_worker *workers; /* worker_room of them */
  uint32_t worker_room;
  uint32_t threads;      /* that shall be able to work, and at most at one volume */
  pthread_t warden;
  bool warden_runs;
  bool warden_waits;     /* for nothing but a signal */
  lp_fill_log fill_log;
  /* Read without the mutex: */
  _Atomic uint64_t fill_count;
  _Atomic uint64_t counters[LP_COUNTS];
  _Atomic uint32_t queue_length, workers_running, window_units;
  _Atomic double horizon_ms, voices_refused, readahead_ms, slow_sources;
  _Atomic bool any_unpaired;
  lp_histogram histograms[LP_STORE_HISTOGRAMS];
};

/* [pool, control] */
uint64_t lp_monotonic_ns(void) LP_NONBLOCKING;
/* [any] Counters need no order: relaxed. */
static inline void lp_count(lp_store *st, enum lp_counter counter, uint64_t by) {
  atomic_fetch_add_explicit(&st->counters[counter], by, memory_order_relaxed);
}

/* [with the mutex] Waits for a signal or for timeout_ns (UINT64_MAX: without end). */
void lp_wait(pthread_cond_t *cond, pthread_mutex_t *mutex, uint64_t timeout_ns);
int lp_cond_init(pthread_cond_t *cond);

/* [under the mutex] Takes a node that is not queued away from its entry and its source, and frees it. */
void lp_node_forget(lp_store *st, uint32_t node);
void lp_node_attach(lp_store *st, uint32_t node);
/* [under the mutex] Somebody asks for pages of the source: its index is to be built, when there is nothing else to do. */
void lp_index_want(lp_store *st, lp_source *s);
/* [under the mutex] Wakes at most n idle workers. */
void lp_wake(lp_store *st, uint32_t n);
void lp_note_queue_length(lp_store *st);
/* [under the mutex] A node's tier: what lies behind the place that was asked for is not urgent. */
uint8_t lp_node_tier(const lp_source *s, int64_t page, int32_t first_frame, uint8_t tier);

/* pool_threads.c.
 * [control] False: no memory, or no threads to be had. */
bool lp_pool_start(lp_store *st);
/* [control] Returns how many threads are left in a read. */
int lp_pool_stop(lp_store *st);
void lp_pool_free(lp_store *st);
/* [under the mutex] Marks reads that run too long as stalled and takes back what they hold of the slab. */
void lp_pool_note_stalls(lp_store *st);
/* [control] One step on the caller's thread. */
int lp_pool_step(lp_store *st);

/* pool.c for pool_threads.c. */
enum lp_turn { LP_TURN_NONE, LP_TURN_LATER, LP_TURN_DONE, LP_TURN_ABANDONED };
/* [under the mutex, left meanwhile] The next thing that there is to do: a read, or a step of an index. NONE: nothing. LATER: there is something, but no room
 * for it yet. ABANDONED: the store was given up meanwhile; the mutex is not held, and nothing of it may be touched. */
enum lp_turn lp_pool_turn(lp_store *st, lp_worker *w);
/* [under the mutex] Something is queued: the warden watches whether it gets read. */
void lp_pool_watch(lp_store *st);
/* [under the mutex] Whether somebody who had time would find a read to do. */
bool lp_pool_has_work(lp_store *st);

#endif
