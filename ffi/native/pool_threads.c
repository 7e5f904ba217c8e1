/* The threads of the fill pool, and the warden that replaces those that hang.
 *
 * `threads` of them shall be able to work at any time. One that has waited for a disk for longer than a step may take is late, be the disk slow or
 * dead: while something waits that somebody else could read, the warden starts another in its stead, up to a cap. At one volume at
 * so many may read (pool.c), that others never notice. When late ones come back, those that are too many end. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "disk_wait.h"
#include "float_mode.h"
#include "store_internal.h"

#if defined(__linux__)
#include <sys/resource.h>
#include <sys/syscall.h>
#endif
#if defined(__APPLE__)
#include <pthread/qos.h>
#endif

#define MOST_THREADS 64u
#define MOST_REPLACEMENTS 32u
#define WATCH_NS 2000000ull
#define RETRY_NS 100000000ull
#define ROOM_WAIT_NS 250000ull
#define LINGER_NS 1000000000ull
#define STOP_WAIT_NS 2000000000ull
#define STOP_PART_NS 50000000ull

/* ---- one thread -------------------------------------------------------------------------------------------- */

/* [pool] Below everything that somebody waits for, but not so low that a busy machine starves it: SCHED_BATCH or SCHED_IDLE would
 * delay the wake-up for a seek by a whole time slice. What the system refuses is left as it is. */
static void lower_priority(void) {
#if defined(__linux__)
  (void)setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), 5);
  (void)pthread_setname_np(pthread_self(), "lp-fill");
#elif defined(__APPLE__)
  (void)pthread_set_qos_class_self_np(QOS_CLASS_UTILITY, 0);
  (void)pthread_setname_np("lp-fill");
#endif
}

/* [under the mutex] Threads that are there and not late. */
static uint32_t able(const lp_store *st) {
  const uint64_t now = lp_monotonic_ns();
  uint32_t n = 0;
  for (uint32_t i = 0; i < st->worker_room; i++) {
    const lp_worker *w = &st->workers[i];
    n += w->running && !lp_worker_is_late(w, now);
  }
  return n;
}

/* [under the mutex] */
static void set_running(lp_store *st, lp_worker *w, bool running) {
  w->running = running;
  uint32_t n = 0;
  for (uint32_t i = 0; i < st->worker_room; i++) n += st->workers[i].running;
  atomic_store_explicit(&st->workers_running, n, memory_order_relaxed); /* for show */
}

static void *worker_main(void *argument) {
  lp_worker *w = argument;
  lp_store *st = w->store;
  lower_priority();
  (void)lp_float_mode_flush();
  lp_disk_wait_since = &w->disk_since_ns;
  pthread_mutex_lock(&st->mutex);
  uint64_t idle_since = 0; /* while it is one too many */
  while (!st->stopping) {
    enum lp_turn turn = lp_pool_turn(st, w);
    if (turn == LP_TURN_ABANDONED) return NULL;
    if (turn == LP_TURN_DONE) {
      idle_since = 0;
      continue;
    }
    uint64_t wait = UINT64_MAX;
    if (able(st) > st->threads) {
      const uint64_t now = lp_monotonic_ns();
      if (!idle_since) idle_since = now;
      if (now - idle_since >= LINGER_NS) break;
      wait = LINGER_NS;
    } else {
      idle_since = 0;
    }
    /* LATER: a reader is inside; it will be out within its period, and nobody will tell. */
    st->idle_workers++;
    lp_wait(&st->work, &st->mutex, turn == LP_TURN_LATER ? ROOM_WAIT_NS : wait);
    st->idle_workers--;
  }
  set_running(st, w, false);
  pthread_cond_broadcast(&st->ended);
  pthread_mutex_unlock(&st->mutex);
  return NULL;
}

/* [under the mutex, left meanwhile] Starts a thread in a place where none runs. False: the system has none, or no memory. */
static bool start(lp_store *st, lp_worker *w) {
  const bool join = w->joinable;
  set_running(st, w, true);
  w->joinable = false;
  w->volume = LP_VOLUMES;
  pthread_mutex_unlock(&st->mutex);
  if (join) pthread_join(w->thread, NULL); /* it is past its last wait */
  /* Signals are for the host's threads. */
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  void *scratch = w->scratch;
  bool ok = scratch || posix_memalign(&scratch, 64, LP_SCRATCH_BYTES) == 0;
  if (ok) w->scratch = scratch;
  ok = ok && pthread_create(&w->thread, NULL, worker_main, w) == 0;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_mutex_lock(&st->mutex);
  w->joinable = ok;
  if (!ok) set_running(st, w, false);
  return ok;
}

/* ---- the warden -------------------------------------------------------------------------------------------- */

void lp_pool_watch(lp_store *st) {
  if (st->warden_waits) pthread_cond_signal(&st->watch);
}

static lp_worker *free_place(lp_store *st) {
  for (uint32_t i = 0; i < st->worker_room; i++)
    if (!st->workers[i].running) return &st->workers[i];
  return NULL;
}

static void *warden_main(void *argument) {
  lp_store *st = argument;
  lower_priority();
  pthread_mutex_lock(&st->mutex);
  while (!st->stopping) {
    if (st->queue.queued == 0 || (st->gate_closed && st->gate_permits == 0)) {
      st->warden_waits = true;
      lp_wait(&st->watch, &st->mutex, UINT64_MAX);
      st->warden_waits = false;
      continue;
    }
    /* Who may read what depends on who is late, so on time too: nobody else would tell. */
    uint64_t wait = WATCH_NS;
    if (!lp_pool_has_work(st)) {
      /* Those that could are at it. */
    } else if (st->idle_workers > 0) {
      lp_wake(st, 1);
    } else if (able(st) < st->threads) {
      lp_worker *w = free_place(st);
      if (w && start(st, w)) continue;
      wait = RETRY_NS;
    }
    lp_wait(&st->watch, &st->mutex, wait);
  }
  pthread_mutex_unlock(&st->mutex);
  return NULL;
}

/* ---- all of them ------------------------------------------------------------------------------------------- */

bool lp_pool_start(lp_store *st) {
  uint32_t threads = st->config.single_step ? 1 : st->config.threads < 1 ? 1 : st->config.threads > MOST_THREADS ? MOST_THREADS : st->config.threads;
  /* Each needs an open file. */
  if (threads > st->files.limit) threads = st->files.limit;
  uint32_t room = st->config.single_step ? 1 : threads + MOST_REPLACEMENTS;
  if (room > st->files.limit) room = st->files.limit;
  st->workers = calloc(room, sizeof *st->workers);
  if (!st->workers) return false;
  st->worker_room = room;
  st->threads = threads;
  for (uint32_t i = 0; i < room; i++) st->workers[i] = (lp_worker){.store = st, .volume = LP_VOLUMES};
  if (st->config.single_step) {
    void *scratch;
    if (posix_memalign(&scratch, 64, LP_SCRATCH_BYTES)) return false;
    st->workers[0].scratch = scratch;
    return true;
  }
  uint32_t started = 0;
  pthread_mutex_lock(&st->mutex);
  while (started < threads && start(st, &st->workers[started])) started++;
  /* Fewer than asked for will do. */
  st->threads = started;
  pthread_mutex_unlock(&st->mutex);
  if (started == 0) return false;
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  /* Without a warden a thread that hangs is not replaced, and that is all. */
  st->warden_runs = pthread_create(&st->warden, NULL, warden_main, st) == 0;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return true;
}

int lp_pool_stop(lp_store *st) {
  if (st->config.single_step) return 0;
  int left;
  uint64_t waited = 0;
  pthread_mutex_lock(&st->mutex);
  st->stopping = true;
  pthread_cond_broadcast(&st->work);
  pthread_cond_broadcast(&st->watch);
  pthread_mutex_unlock(&st->mutex);
  if (st->warden_runs) pthread_join(st->warden, NULL); /* it waits for nothing but the mutex and threads that have ended */
  pthread_mutex_lock(&st->mutex);
  for (;;) {
    left = 0;
    int at_a_disk = 0;
    for (uint32_t i = 0; i < st->worker_room; i++) {
      const lp_worker *w = &st->workers[i];
      left += w->running;
      at_a_disk += w->running && atomic_load_explicit(&w->disk_since_ns, memory_order_relaxed);
    }
    /* Who waits for a disk may wait for ever; whoever else is left ends by itself, only slowly on a busy machine. */
    if (left == 0 || waited >= (left <= at_a_disk ? STOP_WAIT_NS : 5 * STOP_WAIT_NS)) break;
    const uint64_t begun = lp_monotonic_ns();
    lp_wait(&st->ended, &st->mutex, STOP_PART_NS);
    /* Of a standstill of the machine little counts: nobody could end in it. */
    const uint64_t part = lp_monotonic_ns() - begun;
    waited += part < 2 * STOP_PART_NS ? part : 2 * STOP_PART_NS;
  }
  if (left) st->abandoned = true;
  bool ended[MOST_THREADS + MOST_REPLACEMENTS] = {false};
  for (uint32_t i = 0; i < st->worker_room; i++) ended[i] = !st->workers[i].running;
  pthread_mutex_unlock(&st->mutex);
  for (uint32_t i = 0; i < st->worker_room; i++) {
    if (!st->workers[i].joinable) continue;
    if (ended[i])
      pthread_join(st->workers[i].thread, NULL); /* it is past its last wait */
    else
      pthread_detach(st->workers[i].thread);
  }
  return left;
}

void lp_pool_free(lp_store *st) {
  for (uint32_t i = 0; i < st->worker_room; i++) free(st->workers[i].scratch);
  free(st->workers);
}
