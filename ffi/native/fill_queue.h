/* The fill queue: what is to be read, best first, bounded. One node a page. It owns no lock: the store's mutex guards it. */
#ifndef LP_FILL_QUEUE_H
#define LP_FILL_QUEUE_H

#include "heap.h"
#include "store.h"
#include "volumes.h"

/* Deadlines closer together than this are one bucket: within it short sources go before long ones. About an eighth of a
 * 16-bit page at 48 kHz, so that no page waits long for its elders. */
#define LP_DEADLINE_BUCKET_NS 20000000ull
/* Anticipative work that has waited this long goes before realtime work that still has this much time. */
#define LP_AGE_NS 10000000000ull
#define LP_AGED_SLACK_NS 2000000000ull

enum lp_node_state { LP_NODE_FREE = 0, LP_NODE_QUEUED, LP_NODE_RUNNING };

typedef struct lp_fill_node {
  lp_fill_key key;
  lp_source *source;
  int64_t page;
  lp_origin *origin; /* who asked, and in which pass */
  lp_origin *sticky; /* a sticky origin that asked too: what is left when the other loses interest */
  uint32_t tick;
  int32_t first_frame;
  uint32_t volume;   /* the source's; constant while it is queued */
  uint64_t queued_ns; /* when it was, last */
  uint32_t next, prev; /* the source's nodes; next also chains free nodes */
  uint8_t state;
  bool parked; /* queued, but not to be taken now (lp_fill_queue_park) */
  bool alone; /* a read of several pages failed, this one among them: by itself now */
} lp_fill_node;

typedef struct lp_fill_queue {
  lp_fill_node *nodes; /* 1 … capacity */
  uint32_t capacity, free, queued;
  /* By tier. best has what to read next from each volume on top, worst what to give up first. */
  lp_heap best[LP_VOLUMES][2], worst[2];
  lp_heap parked[2]; /* best's, for those that are not to be taken now */
  uint32_t *memory, *best_memory[LP_VOLUMES], *parked_memory;
  uint64_t last_asked_ns;
} lp_fill_queue;

/* [control] False: no memory. */
bool lp_fill_queue_init(lp_fill_queue *q, uint32_t capacity);
void lp_fill_queue_free(lp_fill_queue *q);

/* [under the mutex] Makes place for what is to be read from a volume, once. False: no memory. */
bool lp_fill_queue_add_volume(lp_fill_queue *q, uint32_t volume);
/* [under the mutex] A free node for a page of this key, not yet queued, or 0: the queue is full of better ones. *displaced (0: none) is the queued
 * node that gave way: the caller must forget and release it. */
uint32_t lp_fill_queue_alloc(lp_fill_queue *q, const lp_fill_key *key, uint64_t now_ns, uint32_t *displaced);
/* [under the mutex] Takes a node that is not queued out of its source's list and frees it. */
void lp_fill_queue_release(lp_fill_queue *q, uint32_t node);
/* [under the mutex] Queues a node that is not, from its `volume`; key.asked_ns is set if it is 0, strictly later than any before. */
void lp_fill_queue_put(lp_fill_queue *q, uint32_t node, uint64_t now_ns);
void lp_fill_queue_take(lp_fill_queue *q, uint32_t node);
/* [under the mutex] Keeps a queued node from being the best one, or lets it be again. It stays queued, counts as such, and may give way to better ones. */
void lp_fill_queue_park(lp_fill_queue *q, uint32_t node, bool parked);
/* [under the mutex] New tier and deadline for a node, queued or not. */
void lp_fill_queue_rekey(lp_fill_queue *q, uint32_t node, uint8_t tier, uint64_t deadline_ns);
/* [under the mutex] The queued node that goes first of those that are not parked and whose volume is not among `but`'s of their
 * tier, 0 if there is none. */
uint32_t lp_fill_queue_best(const lp_fill_queue *q, uint64_t now_ns, const lp_volume_set but[2]);

#endif
