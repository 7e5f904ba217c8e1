/* Handles: 12 bits of index, 18 of generation, so that a stale handle finds nothing. */
#include <pthread.h>
#include <stddef.h>

#include "engine_internal.h"

#define ROOM 4096u
#define GENERATIONS 0x3FFFFu

typedef struct slot {
  _Atomic(void *) object;
  _Atomic uint32_t handle; /* 0: free */
  uint32_t generation;
  enum lp_kind kind;
} slot;

static slot slots[ROOM];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

uint32_t lp_handle_make(enum lp_kind kind, void *object) {
  pthread_mutex_lock(&lock);
  uint32_t handle = 0;
  for (uint32_t i = 1; i < ROOM && !handle; i++) {
    slot *s = &slots[i];
    if (atomic_load_explicit(&s->handle, memory_order_relaxed)) continue;
    s->generation = (s->generation + 1) & GENERATIONS;
    handle = s->generation << 12 | i;
    s->kind = kind;
    atomic_store_explicit(&s->object, object, memory_order_relaxed);
    /* Release: kind and object are there before the handle is. */
    atomic_store_explicit(&s->handle, handle, memory_order_release);
  }
  pthread_mutex_unlock(&lock);
  return handle;
}

void *lp_handle_get(uint32_t handle, enum lp_kind kind) {
  if (!handle) return NULL;
  slot *s = &slots[handle & (ROOM - 1)];
  if (atomic_load_explicit(&s->handle, memory_order_acquire) != handle || s->kind != kind) return NULL;
  return atomic_load_explicit(&s->object, memory_order_relaxed);
}

void lp_handle_free(uint32_t handle) {
  pthread_mutex_lock(&lock);
  slot *s = &slots[handle & (ROOM - 1)];
  if (atomic_load_explicit(&s->handle, memory_order_relaxed) == handle) atomic_store_explicit(&s->handle, 0, memory_order_release);
  pthread_mutex_unlock(&lock);
}
