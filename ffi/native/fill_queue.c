#include "fill_queue.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static int compare(uint64_t a, uint64_t b) { return a < b ? -1 : a > b; }

/* When anticipative work counts as urgent: its own deadline or its age, whichever comes first. Never moves with time. */
static uint64_t matures_ns(const lp_fill_key *k) {
  if (k->deadline_ns >= LP_RANK_NS && k->deadline_ns < 2 * LP_RANK_NS) return k->deadline_ns;
  uint64_t aged = k->asked_ns > UINT64_MAX - LP_AGE_NS ? UINT64_MAX : k->asked_ns + LP_AGE_NS;
  return k->deadline_ns < aged ? k->deadline_ns : aged;
}

/* Order within one tier. Independent of time, so that it can order a heap. */
static int order_in_tier(const lp_fill_key *a, const lp_fill_key *b) {
  uint64_t da = a->tier == LP_TIER_REALTIME ? a->deadline_ns : matures_ns(a);
  uint64_t db = b->tier == LP_TIER_REALTIME ? b->deadline_ns : matures_ns(b);
  int c = compare(da / LP_DEADLINE_BUCKET_NS, db / LP_DEADLINE_BUCKET_NS);
  if (c) return c;
  c = compare((uint64_t)a->source_frames, (uint64_t)b->source_frames);
  if (c) return c;
  if (a->known_cached != b->known_cached) return a->known_cached ? -1 : 1;
  c = compare(a->deadline_ns, b->deadline_ns);
  return c ? c : compare(a->asked_ns, b->asked_ns);
}

/* [any] Realtime goes first, save that anticipative work that has matured goes before realtime work with more than LP_AGED_SLACK_NS
 * to spare: it is delayed without end by nobody, and delays nothing that is near. */
int lp_fill_order(const lp_fill_key *a, const lp_fill_key *b, uint64_t now_ns) {
  if (a->tier == b->tier) return order_in_tier(a, b);
  bool swap = a->tier != LP_TIER_REALTIME;
  const lp_fill_key *real = swap ? b : a, *other = swap ? a : b;
  bool aged = matures_ns(other) <= now_ns && real->deadline_ns > now_ns && real->deadline_ns - now_ns > LP_AGED_SLACK_NS;
  return aged != swap ? 1 : -1;
}

static int order_best(const void *context, uint32_t a, uint32_t b) {
  const lp_fill_queue *q = context;
  return order_in_tier(&q->nodes[a].key, &q->nodes[b].key);
}

static int order_worst(const void *context, uint32_t a, uint32_t b) { return order_best(context, b, a); }

/* Where a queued node waits to be the best one. */
static lp_heap *best_of(lp_fill_queue *q, const lp_fill_node *n) { return n->parked ? &q->parked[n->key.tier] : &q->best[n->volume][n->key.tier]; }

static lp_heap best_heap(lp_fill_queue *q, uint32_t *memory, int tier) {
  /* A node waits in one of these at a time: they share the table of places. */
  const size_t places = (size_t)q->capacity + 1;
  return (lp_heap){.items = memory + places * (size_t)tier, .at = q->memory + places * 3, .order = order_best, .context = q};
}

bool lp_fill_queue_init(lp_fill_queue *q, uint32_t capacity) {
  memset(q, 0, sizeof *q);
  size_t places = (size_t)capacity + 1;
  q->nodes = calloc(places, sizeof *q->nodes);
  q->memory = calloc(places * 4, sizeof *q->memory);
  q->parked_memory = calloc(places * 2, sizeof *q->parked_memory);
  if (!q->nodes || !q->memory || !q->parked_memory) {
    lp_fill_queue_free(q);
    return false;
  }
  q->capacity = capacity;
  for (uint32_t i = capacity; i > 0; i--) {
    q->nodes[i].next = q->free;
    q->free = i;
  }
  /* A node is in one tier at a time: they share the table of places. */
  for (int t = 0; t < 2; t++) {
    q->worst[t] = (lp_heap){.items = q->memory + places * (size_t)t, .at = q->memory + places * 2, .order = order_worst, .context = q};
    q->parked[t] = best_heap(q, q->parked_memory, t);
  }
  if (lp_fill_queue_add_volume(q, 0)) return true;
  lp_fill_queue_free(q);
  return false;
}

bool lp_fill_queue_add_volume(lp_fill_queue *q, uint32_t volume) {
  if (q->best_memory[volume]) return true;
  const size_t places = (size_t)q->capacity + 1;
  uint32_t *memory = calloc(places * 2, sizeof *memory);
  if (!memory) return false;
  q->best_memory[volume] = memory;
  for (int t = 0; t < 2; t++) q->best[volume][t] = best_heap(q, memory, t);
  return true;
}

void lp_fill_queue_free(lp_fill_queue *q) {
  free(q->nodes);
  free(q->memory);
  free(q->parked_memory);
  for (uint32_t i = 0; i < LP_VOLUMES; i++) free(q->best_memory[i]);
  memset(q, 0, sizeof *q);
}

void lp_fill_queue_take(lp_fill_queue *q, uint32_t node) {
  lp_fill_node *n = &q->nodes[node];
  assert(n->state == LP_NODE_QUEUED);
  lp_heap_remove(best_of(q, n), node);
  lp_heap_remove(&q->worst[n->key.tier], node);
  n->parked = false;
  n->state = LP_NODE_RUNNING;
  q->queued--;
}

void lp_fill_queue_park(lp_fill_queue *q, uint32_t node, bool parked) {
  lp_fill_node *n = &q->nodes[node];
  assert(n->state == LP_NODE_QUEUED);
  if (n->parked == parked) return;
  lp_heap_remove(best_of(q, n), node);
  n->parked = parked;
  lp_heap_push(best_of(q, n), node);
}

void lp_fill_queue_put(lp_fill_queue *q, uint32_t node, uint64_t now_ns) {
  lp_fill_node *n = &q->nodes[node];
  assert(n->state != LP_NODE_QUEUED);
  if (n->key.asked_ns == 0) {
    /* Strictly increasing: equals go first come, first served. */
    q->last_asked_ns = now_ns > q->last_asked_ns ? now_ns : q->last_asked_ns + 1;
    n->key.asked_ns = q->last_asked_ns;
  }
  n->queued_ns = now_ns;
  n->state = LP_NODE_QUEUED;
  lp_heap_push(best_of(q, n), node);
  lp_heap_push(&q->worst[n->key.tier], node);
  q->queued++;
}

uint32_t lp_fill_queue_alloc(lp_fill_queue *q, const lp_fill_key *key, uint64_t now_ns, uint32_t *displaced) {
  *displaced = 0;
  if (!q->free) {
    uint32_t worst = lp_heap_top(&q->worst[LP_TIER_ANTICIPATIVE]);
    if (!worst) worst = lp_heap_top(&q->worst[LP_TIER_REALTIME]);
    lp_fill_key asked = *key;
    if (asked.asked_ns == 0) asked.asked_ns = now_ns > q->last_asked_ns ? now_ns : q->last_asked_ns + 1;
    if (!worst || lp_fill_order(&asked, &q->nodes[worst].key, now_ns) >= 0) return 0;
    lp_fill_queue_take(q, worst);
    *displaced = worst;
    return 0; /* the caller releases it and asks again */
  }
  uint32_t node = q->free;
  q->free = q->nodes[node].next;
  q->nodes[node] = (lp_fill_node){.key = *key, .state = LP_NODE_RUNNING};
  return node;
}

void lp_fill_queue_release(lp_fill_queue *q, uint32_t node) {
  lp_fill_node *n = &q->nodes[node];
  assert(n->state == LP_NODE_RUNNING);
  n->state = LP_NODE_FREE;
  n->source = NULL;
  n->next = q->free;
  q->free = node;
}

void lp_fill_queue_rekey(lp_fill_queue *q, uint32_t node, uint8_t tier, uint64_t deadline_ns) {
  lp_fill_node *n = &q->nodes[node];
  if (n->key.tier == tier && n->key.deadline_ns == deadline_ns) return;
  if (n->state == LP_NODE_QUEUED && n->key.tier != tier) {
    lp_heap_remove(best_of(q, n), node);
    lp_heap_remove(&q->worst[n->key.tier], node);
    n->key.tier = tier;
    n->key.deadline_ns = deadline_ns;
    lp_heap_push(best_of(q, n), node);
    lp_heap_push(&q->worst[tier], node);
    return;
  }
  n->key.tier = tier;
  n->key.deadline_ns = deadline_ns;
  if (n->state != LP_NODE_QUEUED) return;
  lp_heap_fix(best_of(q, n), node);
  lp_heap_fix(&q->worst[tier], node);
}

uint32_t lp_fill_queue_best(const lp_fill_queue *q, uint64_t now_ns, const lp_volume_set but[2]) {
  uint32_t best = 0;
  for (uint32_t v = 0; v < LP_VOLUMES; v++) {
    for (int t = 0; t < 2; t++) {
      uint32_t top = but[t] >> v & 1 ? 0 : lp_heap_top(&q->best[v][t]);
      if (top && (!best || lp_fill_order(&q->nodes[top].key, &q->nodes[best].key, now_ns) < 0)) best = top;
    }
  }
  return best;
}
