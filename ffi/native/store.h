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
#include <stddef.h>
#include <stdint.h>

#include "fetched.h"
#include "media_file.h"
#include "nonblocking.h"
#include "pcm_file.h"
#include "slow_disk.h"

#define LP_UNIT_BYTES 16384u
#define LP_S16_PAGE_FRAMES 8192
#define LP_F32_PAGE_FRAMES 4096
#define LP_MAX_CHANNELS 8
#define LP_TABLE_PAGES 512 /* entries of a second-level table */

typedef struct lp_store lp_store;
typedef struct lp_source lp_source;

typedef struct lp_origin lp_origin;

/* Who needs a page, and how soon. */
typedef struct lp_mark {
  lp_origin *origin;    /* NULL: nobody; the rest means something only with one */
  uint64_t deadline_ns;
  uint32_t tick;        /* in which of its passes */
  uint8_t tier;
} lp_mark;

/* A page's descriptor. Preallocated, one a unit at most. What the callback reads fits one cache line for up to five
 * channels. */
typedef struct lp_page {
  /* Valid frames [lo, hi) of the page as lo << 16 | hi. Grows while filling; release store by the filler after the samples
   * are written, acquire load by readers: what they see in the range is written. */
  _Alignas(64) _Atomic uint32_t valid;
  uint32_t pins; /* under the mutex: users and running fills; a pinned page is on no list */
  /* Written before the page is linked, constant while it is: */
  int64_t number;
  lp_source *source;
  uint8_t *plane[LP_MAX_CHANNELS]; /* into the slab */
  /* Under the store's mutex: */
  uint32_t lru_prev, lru_next;       /* neighbours on its list, or next in a chain */
  uint32_t source_prev, source_next; /* the source's resident pages */
  lp_mark marks[2];                  /* of a head, which renews it with each pass; of a sticky origin, which does not */
  uint64_t ranked_ns;                /* as what it stands in the heap of the due */
  uint8_t ranked_tier;
  uint8_t list; /* which list it is on */
  bool used;    /* wanted again while it was resident: earns a second chance */
  bool spared;  /* it had that when it was passed, and has not been wanted since */
} lp_page;

/* How far the seek index of a compressed source is: it is built once somebody has asked for its pages. */
enum lp_indexing { LP_INDEX_UNASKED = 0, LP_INDEX_WANTED, LP_INDEX_RUNNING, LP_INDEX_DONE };

/* A directory entry. */
typedef struct lp_entry {
  _Atomic(lp_page *) page; /* NULL: not resident */
  _Atomic uint8_t cause;   /* why not: lp_cause, for the callback's count */
  uint8_t seen;            /* under the mutex: was filled before, so the system may still hold it */
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
  const struct lp_resampler *resampler; /* NULL: the file has the engine's rate */
  int64_t pages;
  _Atomic(lp_table *) *tables; /* pages / 512, rounded up; each table made when first needed, never moved or freed before the source */
  float fold[LP_MAX_CHANNELS][2];
  _Atomic(lp_source *) proxy; /* referenced; NULL: none (proxy.h) */
  _Atomic bool proxy_leaves;  /* it was taken away, and sinks away where it sounds */
  lp_pcm_format format; /* of a compressed file: of its decoded frames */
  lp_media *media;      /* NULL: not compressed */
  lp_identity identity;
  uint32_t volume; /* where it lies (volumes.h) */
  char *path;
  /* Shared: */
  _Atomic uint64_t lacks_ns; /* when the first page is due that was wanted since this was last taken, measured, and is not there; UINT64_MAX: none */
  _Atomic uint32_t readahead_ms, slack_ms; /* what the follower makes of that, for people; slack UINT32_MAX: all is there */
  _Atomic bool shown_slow;
  _Atomic bool stale;    /* the file at the path is not the one that was opened: relaxed, a hint */
  _Atomic uint32_t refs; /* the handle, each native block, each queued or running fill */
  /* The follower's, under its engine's pass_lock: */
  uint32_t judged, measured; /* in which pass it was last */
  lp_readahead readahead;
  lp_slow_disk slow_disk;
  /* Under the store's mutex: */
  struct lp_file *file;      /* descriptor, cursors and read errors (files.h) */
  uint32_t first_page;       /* its resident pages */
  uint32_t first_node;       /* its nodes in the fill queue */
  bool parks;                /* some of them are parked there */
  uint8_t indexing;          /* lp_indexing */
  uint32_t stands_for;       /* sources whose proxy it is */
  lp_fetched fetched;
  lp_source *prev, *next;    /* the store's sources */
};

/* [any] For tables of pages: 24 bits that depend on all of a source's address and a number of its own. */
static inline uint32_t lp_source_hash(const lp_source *s, uint64_t number) LP_NONBLOCKING {
  return (uint32_t)((((uint64_t)(uintptr_t)s >> 6) * 0x9E3779B97F4A7C15ull ^ number * 0xC2B2AE3D27D4EB4Full) >> 40);
}

/* One reader of pages that takes no lock. seq is odd while it is inside. */
typedef struct lp_epoch {
  _Atomic uint64_t seq;
} lp_epoch;

/* [callback] The fence orders the odd seq before the directory loads that follow; its twin stands in the reclaimer between unlinking and
 * reading seq. The store is a release so that a reclaimer that first sees this value also knows the reads of the pass before as done. */
static inline void lp_epoch_enter(lp_epoch *e) LP_NONBLOCKING {
  atomic_store_explicit(&e->seq, atomic_load_explicit(&e->seq, memory_order_relaxed) + 1, memory_order_release);
  atomic_thread_fence(memory_order_seq_cst);
}
/* [callback] Release: all reads of pages are done before seq is seen even. */
static inline void lp_epoch_exit(lp_epoch *e) LP_NONBLOCKING {
  atomic_store_explicit(&e->seq, atomic_load_explicit(&e->seq, memory_order_relaxed) + 1, memory_order_release);
}

/* [callback] The entry of a page, or NULL where its table was never made. page in [0, source->pages). */
static inline lp_entry *lp_source_entry(const lp_source *s, int64_t page) LP_NONBLOCKING {
  lp_table *t = atomic_load_explicit(&s->tables[page / LP_TABLE_PAGES], memory_order_acquire);
  return t ? &t->entries[page % LP_TABLE_PAGES] : NULL;
}

/* [callback] Frames resident without a gap from `frame` on, at most max. Frames before 0 and from source->frames on are silence and
 * count as resident. If less than max: *cause tells why the next one is not. */
int64_t lp_source_run(const lp_source *s, int64_t frame, int64_t max, uint32_t *cause) LP_NONBLOCKING;

/* [callback] Frames missing without a resident one from `frame` on, at most max (the length of a hole). */
int64_t lp_source_hole(const lp_source *s, int64_t frame, int64_t max) LP_NONBLOCKING;

/* [callback] Reads n resident frames as planar f32: x / 32768 for s16 pages. Silence outside the source. What is not resident reads as 0. */
void lp_source_read(const lp_source *s, int64_t frame, int32_t n, float *const *planes) LP_NONBLOCKING;

/* What one look at the directory found: the pages that hold [first_page × page_frames, … + count pages). All three questions are
 * then answered from it: a page evicted after the look still reads as it was until the epoch is left, and one that comes after the
 * look is not there yet. So what a run promises, a read gives. Asking the source itself (above) looks anew each time. */
#define LP_VIEW_PAGES 4
typedef struct lp_view {
  const lp_source *source;
  int64_t first_page;
  uint32_t count;
  uint32_t valid[LP_VIEW_PAGES];
  const lp_page *page[LP_VIEW_PAGES];
  uint8_t cause[LP_VIEW_PAGES];
} lp_view;

/* [callback] Looks at the pages of [frame, frame + frames), as many as the view holds: returns how many of these frames it covers, all of
 * them up to 3 pages (12,288 frames of f32). Inside an epoch, and good until it is left. */
int64_t lp_view_look(lp_view *v, const lp_source *s, int64_t frame, int64_t frames) LP_NONBLOCKING;
/* [callback] As lp_source_run, _hole and _read; frames beyond what the view covers are not resident. */
int64_t lp_view_run(const lp_view *v, int64_t frame, int64_t max, uint32_t *cause) LP_NONBLOCKING;
int64_t lp_view_hole(const lp_view *v, int64_t frame, int64_t max) LP_NONBLOCKING;
/* [callback] As lp_view_run and _hole, but beyond what the view covers the source itself is asked. */
int64_t lp_view_run_on(const lp_view *v, int64_t frame, int64_t max, uint32_t *cause) LP_NONBLOCKING;
int64_t lp_view_hole_on(const lp_view *v, int64_t frame, int64_t max) LP_NONBLOCKING;
/* [callback] The same backwards: frames resident, or missing, without a gap before `end`. */
int64_t lp_view_run_back(const lp_view *v, int64_t end, int64_t max, uint32_t *cause) LP_NONBLOCKING;
int64_t lp_view_hole_back(const lp_view *v, int64_t end, int64_t max) LP_NONBLOCKING;
void lp_view_read(const lp_view *v, int64_t frame, int32_t n, float *const *planes) LP_NONBLOCKING;

/* ---- control, follower, pool ---------------------------------------------------------------------------- */

typedef struct lp_store_config {
  uint32_t sample_rate;
  double slab_bytes;
  uint32_t threads;
  bool single_step;
  /* The engine's clock. */
  uint64_t (*now_ns)(void *context);
  void *context;
  /* Called on a pool thread, under the mutex, after frames became valid. Must return at once, and wait for no lock under which the store is called. */
  void (*filled)(void *context);
} lp_store_config;

/* [control] NULL: no memory for it, or a slab of less than four units. */
lp_store *lp_store_create(const lp_store_config *config);
/* [blocking] Stops the threads; waits at most 2 s for reads that run. Sources still referenced go with it: no other call may be pending or
 * follow. Returns threads left hanging in a read: then the store is leaked, but its slab's memory goes back to the system, and
 * neither now_ns nor filled is called any more. */
int lp_store_destroy(lp_store *store);

/* [control] Registers an epoch before its reader first enters; unregister when it will not enter again. LP_OK or LP_E_MEMORY. */
int lp_store_add_epoch(lp_store *store, lp_epoch *epoch);
void lp_store_remove_epoch(lp_store *store, lp_epoch *epoch);

/* [blocking] Opens a file as a source with one reference (the handle's). handle is the caller's number for it. On failure returns lp_result and
 * fills info->why. */
int lp_store_open_source(lp_store *store, const char *path, uint32_t handle, lp_source **out, lp_source_info *info);
void lp_source_ref(lp_source *s);   /* [control, follower] */
void lp_source_unref(lp_source *s); /* [control, follower, pool] frees it and its pages with the last one */

/* Who asks for pages. A node in the queue is stale, and is dropped when its turn comes, if its origin's tick has moved on by two or
 * more since it was last asked for. Nodes of an origin with `sticky` never go stale.
 * What is resident when asked for is marked due, and is then evicted only for a request that ranks before the mark. A mark lives
 * until the tick has moved on by two, of a sticky origin by one: move the tick of a sticky origin when a new request of it may
 * displace what the older ones brought; with the tick unmoved, what no longer fits is refused (cause BUDGET).
 * A `plan` is sticky too, but of its requests only those of its present tick live, nodes as well as marks; while it is `replacing` also those of the
 * tick before, so that what an old and a new plan both want stays while the new one is gone through.
 * An origin's memory must live until lp_store_remove_origin. */
struct lp_origin {
  _Atomic uint32_t tick;
  bool sticky;
  bool plan;
  _Atomic bool replacing;
};

/* [any] Whether what was asked for in a tick still counts. Relaxed: the tick is a hint of age; a late look costs one pass. */
static inline bool lp_request_lives(const lp_origin *o, uint32_t tick) {
  if (o->sticky && !o->plan) return true;
  const uint32_t age = atomic_load_explicit(&o->tick, memory_order_relaxed) - tick;
  return age < (!o->plan || atomic_load_explicit(&o->replacing, memory_order_relaxed) ? 2u : 1u);
}

/* Deadlines from here to below twice as much are none, but ranks: after all that has a deadline, in their own order, and never urgent however long they
 * wait. */
#define LP_RANK_NS (1ull << 62)

enum lp_tier { LP_TIER_REALTIME = 0, LP_TIER_ANTICIPATIVE = 1 };

typedef struct lp_want {
  lp_source *source;
  int64_t page;
  int32_t first_frame;  /* in the page: fill from here first, what lies before it afterwards */
  uint8_t tier;
  uint64_t deadline_ns; /* engine clock */
  bool measured;        /* if it is not there, its source is the less ahead of its heads (lacks_ns) */
} lp_want;

/* [control, follower] Marks what is resident as due (deadline, tick) and protected by it, queues what is not (or moves it forward). One hold of
 * the mutex for the batch. missing (may be NULL): how many of them are not fully valid. */
void lp_store_want(lp_store *store, lp_origin *origin, const lp_want *wants, uint32_t count, uint32_t *missing);
/* [follower] The same, but nobody is woken for it: more is to come, and adjacent pages are then read at once. lp_store_begin wakes them. */
void lp_store_want_later(lp_store *store, lp_origin *origin, const lp_want *wants, uint32_t count);
void lp_store_begin(lp_store *store);

/* What has become of a page that somebody wants. */
enum lp_want_state { LP_WANT_WAITS, LP_WANT_WHOLE, LP_WANT_HELD /* whole, and a window's */, LP_WANT_REFUSED /* it cannot be had now */ };
/* [control, follower] As lp_store_want, for as many as states has room for; says of each how it stands. With only_look nothing is queued. */
void lp_store_want_each(lp_store *store, lp_origin *origin, const lp_want *wants, uint32_t count, uint8_t *states, bool only_look);

/* [follower] There is no room for what would play this page: if it is missed, that is why. */
void lp_store_refused(lp_store *store, lp_source *source, int64_t page);

/* [control] Forgets an origin: its nodes and marks go. */
void lp_store_remove_origin(lp_store *store, lp_origin *origin);
/* [control] The same of an origin that has asked for no other pages than these, `count` of a source from `first` on: what all others asked for is not looked at. */
void lp_store_remove_origin_of(lp_store *store, lp_origin *origin, lp_source *source, int64_t first, int64_t count);

/* [follower] What a linear playback has passed: goes first when room is needed, unless due to another head, that is marked in the
 * origin's present tick: so move the tick, want, then say what was passed. */
void lp_store_passed(lp_store *store, lp_source *source, int64_t page);
/* [follower] At the end of a pass in which an origin, not a sticky one, has asked for all that it needs: what it asked for in earlier ones and has not got is dropped. */
void lp_store_forget_old(lp_store *store, const lp_origin *origin);

/* [any] Units in all; units free. */
uint32_t lp_store_units(const lp_store *store);
uint32_t lp_store_units_free(lp_store *store);

/* [blocking] Waits until something was filled or failed since the count seen, at most timeout_ns. Returns the new count. */
uint64_t lp_store_wait_fill(lp_store *store, uint64_t seen, uint64_t timeout_ns);
uint64_t lp_store_fill_count(lp_store *store);
/* [any] Reads that have failed. */
uint64_t lp_store_errors(lp_store *store);

/* [control] Keeps a page that is resident now (wholly or in part) until it is unpinned as often. LP_OK or LP_E_STATE. */
int lp_store_pin(lp_store *store, lp_source *source, int64_t page);
void lp_store_unpin(lp_store *store, lp_source *source, int64_t page);

/* [control] With single_step: one step of the pool (one read) on this thread. 1 if something was read or failed, 0 if there was nothing
 * to do, no room could be had yet, or the gate is closed and no read released. LP_E_STATE without single_step. */
int lp_store_step(lp_store *store);
/* [any] The gate stands before the choice of what to read next: what is asked for while it is closed competes for the next read
 * released. Closing it takes back what was released. */
void lp_store_gate(lp_store *store, bool closed);
void lp_store_gate_release(lp_store *store, uint32_t reads);
/* [any] As lp_store_counters (engine.h). */
uint32_t lp_store_counters_read(lp_store *store, double *out, uint32_t count);
/* [any] As the functions of these names in engine.h. The source is referenced, the page one of it. */
uint32_t lp_store_histogram_read(lp_store *store, uint32_t which, double *out, uint32_t count);
uint32_t lp_store_source_stats_read(lp_store *store, const lp_source *one /* NULL: all */, double *out, uint32_t count);
uint32_t lp_store_volume_stats_read(lp_store *store, double *out, uint32_t count);
uint32_t lp_store_fills_read(lp_store *store, double since, double *out, uint32_t count);
uint32_t lp_store_page_state_read(lp_store *store, const lp_source *source, int64_t page, double *out, uint32_t count);
/* [follower] Volumes at which a read hangs, a bit each. */
uint32_t lp_store_stalled(lp_store *store);
/* [follower] Counters 21 and 22. */
void lp_store_set_supply(lp_store *store, double readahead_ms, double slow_sources);
/* [follower] Counters 13 and 14. */
void lp_store_set_horizon_ms(lp_store *store, double horizon_ms);
void lp_store_set_voices_refused(lp_store *store, double voices);
/* [control] FNV-1a over the page's samples, plane after plane. LP_E_STATE if it is not wholly resident. */
int lp_store_page_hash(lp_store *store, lp_source *source, int64_t page, uint64_t *hash);
/* [control] Test: drops every page that is neither pinned nor being filled. Returns how many went. */
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
