/* The publisher: makes publications, holds them at the gate, frees them.
 *
 * A publication carries the newest snapshot and all steps not known to be executed. One stands at the gate (the candidate), at most one
 * in the mailbox; a newer one replaces either, and what was replaced is freed at once: a device that no longer calls must not
 * make them pile up. The gate opens when the first 20 ms after the mapped head are resident, or 30 ms after
 * the oldest edit that waits at it.
 */
#include <stdlib.h>
#include <string.h>

#include "engine_internal.h"

static uint64_t acknowledged(lp_renderer *r) {
  /* Acquire: the record written with this publication is seen. */
  return atomic_load_explicit(&r->acknowledged, memory_order_acquire);
}

void lp_publications_collect(lp_renderer *r) {
  /* Acquire: whatever the callback did with older ones is done. */
  uint64_t in_use = atomic_load_explicit(&r->oldest_in_use, memory_order_acquire);
  lp_publication *boxed = atomic_load_explicit(&r->mailbox, memory_order_relaxed);
  lp_publication **link = &r->oldest;
  while (*link) {
    lp_publication *p = *link;
    /* Never the newest: it is what the next one is packed against. What is in the mailbox may be taken at any moment. */
    bool free_it = p != r->newest && p != r->candidate && p != boxed && (p->displaced || p->number < in_use);
    if (!free_it) {
      link = &p->next;
      continue;
    }
    *link = p->next;
    lp_snapshot_unref(p->snapshot);
    free(p);
  }
}

lp_head lp_head_predict(lp_renderer *r, const lp_publication *p) {
  double f[16];
  lp_record_read(r, f);
  lp_head h = { .position = (int64_t)f[0],
                .origin = (int64_t)f[12],
                .to_frame = f[15] < 0 ? LP_NO_FRAME : (int64_t)f[15],
                .loop_start = (int64_t)f[6],
                .loop_end = (int64_t)f[7],
                .loop = f[5] != 0,
                .state = (uint32_t)f[3] };
  if (p) lp_head_run(&h, p->steps, p->step_count, (uint64_t)f[10]);
  return h;
}

/* Steps that are executed need not be carried any longer. */
static void prune_steps(lp_renderer *r) {
  uint64_t done = acknowledged(r);
  uint32_t keep = 0;
  while (keep < r->pending_count && r->pending[keep].publication <= done) keep++;
  if (!keep) return;
  memmove(r->pending, r->pending + keep, (r->pending_count - keep) * sizeof *r->pending);
  r->pending_count -= keep;
}

static void set_candidate(lp_renderer *r, lp_publication *p) {
  if ((r->candidate != NULL) != (p != NULL)) {
    if (p) atomic_fetch_add_explicit(&r->engine->gates, 1, memory_order_relaxed);
    else atomic_fetch_sub_explicit(&r->engine->gates, 1, memory_order_relaxed);
  }
  r->candidate = p;
  /* Relaxed: for people. */
  atomic_store_explicit(&r->gate_waits, p != NULL, memory_order_relaxed);
}

static void admit(lp_renderer *r, bool by_deadline) {
  lp_publication *p = r->candidate;
  set_candidate(r, NULL);
  if (by_deadline) atomic_fetch_add_explicit(&r->counts.by_deadline, 1, memory_order_relaxed);
  lp_histogram_add(&r->histograms[LP_RENDER_GATE], lp_engine_now_ns(r->engine) - p->made_ns);
  if (r->driver == LP_DRIVER_NONE) {
    /* Nobody renders, and the mailbox is empty: whoever ended rendering took what was in it. */
    lp_renderer_take_inline(r, p);
    return;
  }
  /* Release: p is whole for the callback that takes it. Acquire: one that comes back was not taken, and never will be. */
  lp_publication *displaced = atomic_exchange_explicit(&r->mailbox, p, memory_order_acq_rel);
  if (!displaced) return;
  displaced->displaced = true;
  atomic_fetch_add_explicit(&r->counts.displaced, 1, memory_order_relaxed);
}

/* Whether all is there that the head plays first. What is there by luck nobody has asked for yet, and it could be evicted before the follower does: so it is
 * marked, and then looked at again. */
static bool is_held(lp_renderer *r, lp_head h, uint64_t now_ns) {
  const int64_t n = (int64_t)(LP_GATE_RESIDENT_MS * r->rate / 1000);
  const lp_snapshot *s = r->candidate->snapshot;
  if (lp_span_missing(s, h, n, 1) > 0) return false;
  lp_span_want(r->engine->store, &r->candidate_origin, s, h, n, now_ns);
  return lp_span_missing(s, h, n, 1) == 0;
}

uint64_t lp_gate_try(lp_renderer *r) {
  if (!r->candidate) return UINT64_MAX;
  const uint64_t now = lp_engine_now_ns(r->engine);
  const uint64_t deadline = r->gate_since_ns + (uint64_t)(LP_GATE_DEADLINE_MS * 1e6);
  lp_head h = lp_head_predict(r, r->candidate);
  if (h.state != LP_PLAYING || r->driver == LP_DRIVER_NONE || (r->flags & LP_RENDERER_OFFLINE) ||
      is_held(r, h, now)) {
    admit(r, false);
    return UINT64_MAX;
  }
  if (now >= deadline) {
    admit(r, true);
    return UINT64_MAX;
  }
  return deadline - now;
}

static int reserve(lp_renderer *r, uint32_t more) {
  if (r->pending_count + more <= r->pending_room) return LP_OK;
  uint32_t room = (r->pending_count + more) * 2;
  lp_step *steps = realloc(r->pending, room * sizeof *steps);
  if (!steps) return LP_E_MEMORY;
  r->pending = steps;
  r->pending_room = room;
  return LP_OK;
}

int lp_renderer_publish(lp_renderer *r, lp_snapshot *snapshot, const lp_step *steps, uint32_t step_count) {
  pthread_mutex_lock(&r->lock);
  lp_publications_collect(r);
  prune_steps(r);
  int result = reserve(r, step_count);
  lp_publication *p = result ? NULL : malloc(sizeof *p + ((size_t)r->pending_count + step_count) * sizeof *p->steps);
  if (!p) {
    if (snapshot) lp_snapshot_unref(snapshot);
    pthread_mutex_unlock(&r->lock);
    return LP_E_MEMORY;
  }
  /* Relaxed: changed under the lock alone. */
  const uint64_t number = atomic_load_explicit(&r->last_number, memory_order_relaxed) + 1;
  atomic_store_explicit(&r->last_number, number, memory_order_relaxed);
  for (uint32_t i = 0; i < step_count; i++) {
    lp_step *s = &r->pending[r->pending_count++];
    *s = steps[i];
    s->publication = number;
  }
  if (!snapshot) {
    snapshot = r->newest->snapshot;
    lp_snapshot_ref(snapshot);
  }
  *p = (lp_publication){ .number = number,
                         .snapshot = snapshot,
                         .made_ns = lp_engine_now_ns(r->engine),
                         .step_count = r->pending_count };
  double f[16];
  lp_record_read(r, f);
  p->made_at_frames = (uint64_t)f[9];
  if (r->pending_count) memcpy(p->steps, r->pending, r->pending_count * sizeof *p->steps);
  /* A newer edit inherits the deadline of the oldest that waits here. One that is in the mailbox waits for no more than a running fade, and has its own 30 ms behind
   * it: its deadline is nobody else's. */
  if (!r->candidate) r->gate_since_ns = p->made_ns;
  r->newest->next = p;
  r->newest = p;
  if (r->candidate) r->candidate->displaced = true;
  set_candidate(r, p);
  uint64_t wait = lp_gate_try(r);
  lp_publications_collect(r);
  pthread_mutex_unlock(&r->lock);
  if (wait != UINT64_MAX || !(r->engine->flags & LP_ENGINE_SINGLE_STEP)) lp_engine_wake(r->engine);
  return LP_OK;
}
