/* The page store: slab, pages, directories, epochs, LRU and the fill pool's door.
 *
 * A page is one unit (16 KiB) a channel: 8,192 frames of s16 or 4,096 of f32, planar. A source's directory has two levels and
 * never moves. Everything here but the functions marked [callback] takes the store's mutex or runs on a pool thread; the
 * mutex is never held during I/O or conversion. The callback takes no lock: it reads directory entries with acquire
 * loads between lp_epoch_enter and lp_epoch_exit, and a page unlinked from its directory is reused only after every
 * registered epoch has been seen outside or has moved on.
 */
#ifndef LP_STORE_H
#define LP_STORE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "pcm_file.h"

#define LP_UNIT_BYTES 16384u
#define LP_S16_PAGE_FRAMES 8192
#define LP_F32_PAGE_FRAMES 4096
#define LP_MAX_CHANNELS 8
#define LP_TABLE_PAGES 512 /* entries of a second-level table */

typedef struct lp_store lp_store;
typedef struct lp_source lp_source;

/* A page's descriptor. Preallocated, one a unit at most. */
typedef struct lp_page {
  /* Written before the page is linked, constant while it is: */
  uint8_t *plane[LP_MAX_CHANNELS]; /* into the slab */
  lp_source *source;
  int64_t number;
  /* Valid frames [lo, hi) of the page as lo << 16 | hi. Grows while filling; release store by the filler after the samples
   * are written, acquire load by readers: what they see in the range is written. */
  _Atomic uint32_t valid;
  /* Under the store's mutex: LRU links, pins, due marks … */
  uint32_t lru_prev, lru_next;
  uint32_t pins;
  uint8_t list;
  uint64_t due_ns;   /* when a head needs it, UINT64_MAX if none does */
  uint32_t due_tick; /* of which follower pass that is */
} lp_page;

/* A directory entry. */
typedef struct lp_entry {
  _Atomic(lp_page *) page; /* NULL: not resident */
  _Atomic uint8_t cause;   /* why not: lp_cause, for the callback's count */
  uint32_t queued;         /* under the mutex: its node in the fill queue, 0 none */
} lp_entry;

typedef struct lp_table {
  lp_entry entries[LP_TABLE_PAGES];
} lp_table;

struct lp_source {
  /* Constant once made: */
  lp_store *store;
  uint32_t handle;
  uint32_t channels;
  bool s16;             /* pages hold s16, else f32 */
  int32_t page_frames;  /* 8192 or 4096 */
  int32_t page_shift;   /* 13 or 12 */
  int64_t frames;       /* at the engine's rate */
  int64_t pages;
  _Atomic(lp_table *) *tables; /* pages / 512, rounded up; each table made when first needed, never moved or freed before the source */
  float fold[LP_MAX_CHANNELS][2];
  lp_pcm_format format;
  lp_identity identity;
  char *path;
  /* Shared: */
  _Atomic uint32_t refs; /* the handle, each native block, each queued or running fill */
  /* Under the store's mutex: whatever store.c adds (fd lease, cursor, state) */
  void *file;
};

/* One reader of pages that takes no lock. seq is odd while it is inside. */
typedef struct lp_epoch {
  _Atomic uint64_t seq;
} lp_epoch;

/* [callback] The fence orders the odd seq before the directory loads that follow; its twin stands in the reclaimer between unlinking and
 * reading seq. */
static inline void lp_epoch_enter(lp_epoch *e) {
  atomic_store_explicit(&e->seq, atomic_load_explicit(&e->seq, memory_order_relaxed) + 1, memory_order_relaxed);
  atomic_thread_fence(memory_order_seq_cst);
}
/* [callback] Release: all reads of pages are done before seq is seen even. */
static inline void lp_epoch_exit(lp_epoch *e) {
  atomic_store_explicit(&e->seq, atomic_load_explicit(&e->seq, memory_order_relaxed) + 1, memory_order_release);
}

/* [callback] The entry of a page, or NULL where its table was never made. page in [0, source->pages). */
static inline lp_entry *lp_source_entry(const lp_source *s, int64_t page) {
  lp_table *t = atomic_load_explicit(&s->tables[page / LP_TABLE_PAGES], memory_order_acquire);
  return t ? &t->entries[page % LP_TABLE_PAGES] : NULL;
}

/* [callback] Frames resident without a gap from `frame` on, at most max. Frames before 0 and from source->frames on are silence and
 * count as resident. If less than max: *cause tells why the next one is not. */
int64_t lp_source_run(const lp_source *s, int64_t frame, int64_t max, uint32_t *cause);

/* [callback] Frames missing without a resident one from `frame` on, at most max (the length of a hole). */
int64_t lp_source_hole(const lp_source *s, int64_t frame, int64_t max);

/* [callback] Reads n resident frames as planar f32: x / 32768 for s16 pages. Silence outside the source. What is not resident reads as 0. */
void lp_source_read(const lp_source *s, int64_t frame, int32_t n, float *const *planes);

/* ---- control, follower, pool ---------------------------------------------------------------------------- */

typedef struct lp_store_config {
  uint32_t sample_rate;
  double slab_bytes;
  uint32_t threads;
  bool single_step;
  /* The engine's clock. */
  uint64_t (*now_ns)(void *context);
  void *context;
  /* Called on a pool thread, without the mutex, after frames became valid. Must return at once. */
  void (*filled)(void *context);
} lp_store_config;

lp_store *lp_store_create(const lp_store_config *config);
/* Stops the threads. Returns threads left hanging in a read. */
int lp_store_destroy(lp_store *store);

/* Registers an epoch before its reader first enters; unregister when it will not enter again. */
void lp_store_add_epoch(lp_store *store, lp_epoch *epoch);
void lp_store_remove_epoch(lp_store *store, lp_epoch *epoch);

/* [blocking] Opens a file as a source with one reference (the handle's). handle is the caller's number for it. On failure returns lp_result and
 * fills info->why. */
int lp_store_open_source(lp_store *store, const char *path, uint32_t handle, lp_source **out, lp_source_info *info);
void lp_source_ref(lp_source *s);   /* [control, follower] */
void lp_source_unref(lp_source *s); /* [control, follower, pool] frees it and its pages with the last one */

/* Who asks for pages. A node in the queue is stale, and is dropped when its turn comes, if its origin's tick has moved on by two or
 * more since it was last asked for. An origin with `sticky` never goes stale. */
typedef struct lp_origin {
  _Atomic uint32_t tick;
  bool sticky;
} lp_origin;

enum lp_tier { LP_TIER_REALTIME = 0, LP_TIER_ANTICIPATIVE = 1 };

typedef struct lp_want {
  lp_source *source;
  int64_t page;
  int32_t first_frame;  /* in the page: fill from here first, what lies before it afterwards */
  uint8_t tier;
  uint64_t deadline_ns; /* engine clock */
} lp_want;

/* [control, follower] Marks what is resident as due (deadline, tick) and protected by it, queues what is not (or moves it forward). One hold of
 * the mutex for the batch. missing (may be NULL): how many of them are not fully valid. */
void lp_store_want(lp_store *store, lp_origin *origin, const lp_want *wants, uint32_t count, uint32_t *missing);

/* [follower] What a linear playback has passed: goes first when room is needed, unless due to another head. */
void lp_store_passed(lp_store *store, lp_source *source, int64_t page);

/* [any] Units in all; units free. */
uint32_t lp_store_units(const lp_store *store);
uint32_t lp_store_units_free(lp_store *store);

/* [blocking] Waits until something was filled or failed since the count seen, at most timeout_ns. Returns the new count. */
uint64_t lp_store_wait_fill(lp_store *store, uint64_t seen, uint64_t timeout_ns);
uint64_t lp_store_fill_count(lp_store *store);

/* One step of the pool on this thread. 1 if there was work. */
int lp_store_step(lp_store *store);
void lp_store_gate(lp_store *store, bool closed);
void lp_store_gate_release(lp_store *store, uint32_t reads);
uint32_t lp_store_counters_read(lp_store *store, double *out, uint32_t count);
int lp_store_page_hash(lp_store *store, lp_source *source, int64_t page, uint64_t *hash);
int lp_store_drop_all(lp_store *store);

/* The order of filling (DESIGN §3): < 0 if a goes before b. Pure. */
typedef struct lp_fill_key {
  uint8_t tier;
  uint64_t deadline_ns;
  int64_t source_frames;
  bool known_cached;
  uint64_t asked_ns; /* for ageing and the last tie */
} lp_fill_key;
int lp_fill_order(const lp_fill_key *a, const lp_fill_key *b, uint64_t now_ns);

#endif
