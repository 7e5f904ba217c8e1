/* Sides: renderers that sound beside another one, through its device and in its callback. Auditions are such: each has a head, a snapshot, a gate and fades
 * of its own, over the same pages. */
#include <string.h>
#include <time.h>

#include "engine_internal.h"

/* [callback] Adds the sides to what the host puts out. The fence of the host's epoch has been passed: a side that is seen here is still there when it is
 * left again. */
void lp_sides_render(lp_renderer *host, float *out, uint32_t frames, uint64_t began_ns) LP_NONBLOCKING {
  for (uint32_t i = 0; i < LP_SIDES; i++) {
    /* Acquire: the side is whole. */
    lp_renderer *side = atomic_load_explicit(&host->sides[i], memory_order_acquire);
    if (!side) continue;
    /* Relaxed: a figure. */
    atomic_store_explicit(&side->latency_frames, atomic_load_explicit(&host->latency_frames, memory_order_relaxed), memory_order_relaxed);
    for (uint32_t done = 0; done < frames;) {
      const uint32_t n = frames - done < LP_BLOCK ? frames - done : LP_BLOCK;
      lp_renderer_process_at(side, host->side_out, n, began_ns + (uint64_t)((double)done * 1e9 / host->rate));
      for (uint32_t k = 0; k < 2 * n; k++) out[2 * done + k] += host->side_out[k];
      done += n;
    }
  }
}

int32_t lp_side_attach(uint32_t host_handle, uint32_t side_handle) {
  lp_renderer *host = lp_handle_get(host_handle, LP_KIND_RENDERER), *side = lp_handle_get(side_handle, LP_KIND_RENDERER);
  if (!host || !side) return LP_E_HANDLE;
  if (host == side || host->engine != side->engine || (host->flags | side->flags) & LP_RENDERER_OFFLINE || host->host) return LP_E_ARGUMENT;
  uint32_t place = 0;
  while (place < LP_SIDES && atomic_load_explicit(&host->sides[place], memory_order_relaxed)) place++;
  if (place == LP_SIDES) return LP_E_LIMIT;
  pthread_mutex_lock(&side->lock);
  bool free_to = !side->busy && side->driver == LP_DRIVER_NONE && !side->host;
  if (free_to) side->driver = LP_DRIVER_SIDE;
  pthread_mutex_unlock(&side->lock);
  if (!free_to) return LP_E_STATE;
  side->host = host;
  /* Release: the callback finds it whole. */
  atomic_store_explicit(&host->sides[place], side, memory_order_release);
  return LP_OK;
}

/* [blocking] Waits until the host's callback is in no pass that began before. One that never calls again is not inside, or nobody could help it. */
static void wait_out(const lp_renderer *host) {
  /* Its twin is the fence in lp_epoch_enter: either the callback no longer sees the side, or its seq is seen here. */
  atomic_thread_fence(memory_order_seq_cst);
  const uint64_t seq = atomic_load_explicit(&host->epoch.seq, memory_order_acquire);
  if (!(seq & 1)) return;
  while (atomic_load_explicit(&host->epoch.seq, memory_order_acquire) == seq) {
    struct timespec pause = { 0, 200000 };
    nanosleep(&pause, NULL);
  }
}

void lp_side_leave(lp_renderer *side) {
  lp_renderer *host = side->host;
  if (!host) return;
  for (uint32_t i = 0; i < LP_SIDES; i++)
    if (atomic_load_explicit(&host->sides[i], memory_order_relaxed) == side) atomic_store_explicit(&host->sides[i], NULL, memory_order_relaxed);
  wait_out(host);
  side->host = NULL;
  pthread_mutex_lock(&side->lock);
  side->driver = LP_DRIVER_NONE;
  lp_publication *p = atomic_exchange(&side->mailbox, NULL);
  if (p) lp_renderer_take_inline(side, p);
  lp_gate_try(side);
  lp_publications_collect(side);
  pthread_mutex_unlock(&side->lock);
}

void lp_sides_leave(lp_renderer *host) {
  for (uint32_t i = 0; i < LP_SIDES; i++) {
    lp_renderer *side = atomic_load_explicit(&host->sides[i], memory_order_relaxed);
    if (side) lp_side_leave(side);
  }
}
