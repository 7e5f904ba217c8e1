/* The fill pool: N threads of low priority (or, with single_step, the caller's) that take jobs from the fill queue.
 *
 * A job is one read: chosen under the mutex, read into the thread's own scratch and converted without it, linked under it again. Between
 * two jobs everybody looks at the head of the queue anew: that is how a step gives way to an earlier deadline. The threads are in pool_threads.c. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "account.h"
#include "disk_wait.h"
#include "float_mode.h"
#include "store_internal.h"

/* Not an errno: the step was over before the first frame was there (the index is not that far yet). */
#define PAUSED 1
#define INDEX_STEP_NS 1500000ull
#define STALLED_AFTER_NS 500000000ull
/* Threads beyond its share that a volume may hold up. */
#define MOST_LATE 8u
/* Threads that a file may hold up: one that hangs shall not take the whole share of its volume, where others may be well. */
#define MOST_LATE_OF_A_FILE 2u

/* ---- choosing a job -------------------------------------------------------------------------------------- */

static uint64_t engine_now(const lp_store *st) { return st->config.now_ns(st->config.context); }

/* [under the mutex] A page of the source, or NULL. Relaxed: pages are linked and unlinked under the mutex. */
static lp_page *resident(const lp_source *s, int64_t page) {
  lp_entry *e = lp_source_entry(s, page);
  return e ? atomic_load_explicit(&e->page, memory_order_relaxed) : NULL;
}

static uint32_t valid_of(const lp_page *p) { return atomic_load_explicit(&p->valid, memory_order_relaxed); }

static bool is_whole(const lp_source *s, const lp_page *p) { return valid_of(p) == lp_valid(0, lp_page_length(s, p->number)); }

uint8_t lp_node_tier(const lp_source *s, int64_t page, int32_t first_frame, uint8_t tier) {
  lp_page *p = resident(s, page);
  if (!p) return tier;
  int32_t lo = (int32_t)(valid_of(p) >> 16), hi = (int32_t)(valid_of(p) & 0xffff);
  return hi == lp_page_length(s, page) && lo <= first_frame ? LP_TIER_ANTICIPATIVE : tier;
}

static void set_cause(const lp_source *s, int64_t page, uint8_t cause) {
  lp_entry *e = lp_source_entry(s, page);
  /* Relaxed: a word for the counters, nothing hangs on it. */
  if (e) atomic_store_explicit(&e->cause, cause, memory_order_relaxed);
}

/* [under the mutex] What became of a request changed without a fill: whoever waits for it looks again. */
static void note_outcome(lp_store *st) {
  atomic_fetch_add_explicit(&st->fill_count, 1, memory_order_relaxed); /* the mutex orders it for those who wait */
  if (st->fill_waiters) pthread_cond_broadcast(&st->filled);
}

static bool is_stale(const lp_fill_node *n) {
  return !n->origin || !lp_request_lives(n->origin, n->tick);
}

/* [under the mutex] Drops a queued node whose asker has moved on; what a sticky origin asked for besides stays, at its rank. */
static void drop_stale(lp_store *st, uint32_t node, uint64_t now) {
  lp_fill_node *n = &st->queue.nodes[node];
  lp_fill_queue_take(&st->queue, node);
  if (n->sticky) {
    n->origin = n->sticky;
    n->sticky = NULL;
    n->tick = atomic_load_explicit(&n->origin->tick, memory_order_relaxed);
    lp_fill_queue_rekey(&st->queue, node, LP_TIER_ANTICIPATIVE, UINT64_MAX);
    lp_fill_queue_put(&st->queue, node, now);
    return;
  }
  lp_node_forget(st, node);
  lp_count(st, LP_COUNT_DROPPED, 1);
}

void lp_store_forget_old(lp_store *st, const lp_origin *origin) {
  const uint64_t now = engine_now(st);
  pthread_mutex_lock(&st->mutex);
  const uint32_t tick = atomic_load_explicit(&origin->tick, memory_order_relaxed);
  for (uint32_t node = 1; node <= st->queue.capacity && st->queue.queued > 0; node++) {
    const lp_fill_node *n = &st->queue.nodes[node];
    if (n->state == LP_NODE_QUEUED && n->origin == origin && n->tick != tick) drop_stale(st, node, now);
  }
  lp_note_queue_length(st);
  pthread_mutex_unlock(&st->mutex);
}

/* [under the mutex] Forgets a queued node, for a reason that may soon be none. */
static void set_aside(lp_store *st, uint32_t node, uint8_t cause) {
  lp_fill_node *n = &st->queue.nodes[node];
  set_cause(n->source, n->page, cause);
  lp_fill_queue_take(&st->queue, node);
  lp_node_forget(st, node);
  lp_count(st, LP_COUNT_DROPPED, 1);
}

/* [under the mutex] Gives a queued node up, for a reason. */
static void refuse(lp_store *st, uint32_t node, uint8_t cause) {
  set_aside(st, node, cause);
  note_outcome(st);
}

static lp_rank rank_of(const lp_fill_node *n) { return (lp_rank){.tier = n->key.tier, .deadline_ns = n->key.deadline_ns}; }

/* [under the mutex] Room for the page of a queued node, and the node into the job. As lp_residency_take. */
static int join(lp_store *st, lp_job *job, uint32_t node) {
  lp_fill_node *n = &st->queue.nodes[node];
  lp_page *p;
  int room = lp_residency_take(&st->residency, n->source->channels, rank_of(n), &p);
  if (room != LP_ROOM_TAKEN) return room;
  p->source = n->source;
  p->number = n->page;
  lp_fill_queue_take(&st->queue, node);
  set_cause(n->source, n->page, LP_CAUSE_READ);
  job->nodes[job->count] = node;
  job->pages[job->count] = p;
  job->count++;
  return room;
}

/* [under the mutex] Adjacent pages that are queued too come along with the same read. */
static void join_neighbours(lp_store *st, lp_job *job, int64_t capacity) {
  lp_source *s = job->source;
  while (job->count < LP_JOB_PAGES) {
    int64_t page = job->first_page + job->count;
    if (page >= s->pages) break;
    int32_t length = lp_page_length(s, page);
    if (job->frames + length > capacity) break;
    lp_entry *e = lp_source_entry(s, page);
    if (!e || !e->queued || atomic_load_explicit(&e->page, memory_order_relaxed)) break;
    uint32_t node = e->queued;
    const lp_fill_node *n = &st->queue.nodes[node];
    if (n->state != LP_NODE_QUEUED || n->alone || is_stale(n)) break;
    if (join(st, job, node) != LP_ROOM_TAKEN) break;
    job->frames += length;
  }
}

/* [under the mutex] Puts a node that was running back in the queue. */
static void requeue(lp_store *st, uint32_t node) {
  lp_fill_node *n = &st->queue.nodes[node];
  lp_fill_queue_rekey(&st->queue, node, lp_node_tier(n->source, n->page, n->first_frame, n->key.tier), n->key.deadline_ns);
  set_cause(n->source, n->page, LP_CAUSE_QUEUE);
  lp_fill_queue_put(&st->queue, node, engine_now(st));
}

/* [under the mutex] Undoes the choice of a job that has not begun. */
static void put_back(lp_store *st, lp_job *job) {
  for (uint32_t i = 0; i < job->count; i++) {
    if (job->extends)
      lp_residency_unpin(&st->residency, job->pages[i]);
    else
      lp_slab_give(&st->residency.slab, job->pages[i]);
    requeue(st, job->nodes[i]);
  }
}

/* [under the mutex] Volumes at which, by tier, nobody else may read now. `threads` may, and in the stead of each that hangs another one; for what is about to
 * be heard nobody waits for that: one that is late is made up for at once. Up to a cap, since a volume that is dead swallows all. */
static void full_volumes(lp_store *st, lp_volume_set full[2]) {
  const lp_volume *of = st->volumes.of;
  uint32_t late[LP_VOLUMES] = {0};
  const uint64_t now = lp_monotonic_ns();
  for (uint32_t i = 0; i < st->worker_room; i++) {
    const lp_worker *w = &st->workers[i];
    if (w->volume < LP_VOLUMES && lp_worker_is_late(w, now)) late[w->volume]++;
  }
  full[LP_TIER_REALTIME] = full[LP_TIER_ANTICIPATIVE] = 0;
  for (uint32_t i = 0; i < LP_VOLUMES; i++) {
    const bool most = of[i].reading >= st->threads + MOST_LATE;
    if (most || of[i].reading - late[i] >= st->threads) full[LP_TIER_REALTIME] |= 1u << i;
    if (most || of[i].reading - of[i].stalled >= st->threads) full[LP_TIER_ANTICIPATIVE] |= 1u << i;
  }
}

/* [under the mutex] Threads that wait for a file for too long; *stalled: some were found hanging. */
static uint32_t late_at_file(const lp_store *st, const lp_source *s, bool *stalled) {
  const uint64_t now = lp_monotonic_ns();
  uint32_t late = 0;
  for (uint32_t i = 0; i < st->worker_room; i++) {
    const lp_worker *w = &st->workers[i];
    if (w->volume >= LP_VOLUMES || w->job.source != s || !lp_worker_is_late(w, now)) continue;
    late++;
    *stalled = *stalled || atomic_load_explicit(&w->phase, memory_order_relaxed) == LP_PHASE_STRIPPED;
  }
  return late;
}

enum take_result { TAKE_NONE, TAKE_LATER, TAKE_JOB };

/* [under the mutex] The next job. LATER: there is one, but no room or no descriptor yet. */
static int choose_job(lp_store *st, lp_worker *w) {
  uint64_t now = engine_now(st);
  for (;;) {
    lp_volume_set full[2];
    full_volumes(st, full);
    uint32_t node = lp_fill_queue_best(&st->queue, now, full);
    if (!node) return TAKE_NONE;
    lp_fill_node *n = &st->queue.nodes[node];
    lp_source *s = n->source;
    if (is_stale(n)) {
      drop_stale(st, node, now);
      continue;
    }
    if (!lp_file_may_try(s->file, n->page, now)) {
      refuse(st, node, s->file->cause);
      continue;
    }
    bool stalled = false;
    if (late_at_file(st, s, &stalled) >= MOST_LATE_OF_A_FILE) {
      const uint8_t cause = stalled ? LP_CAUSE_STALLED : LP_CAUSE_READ;
      /* A head that still needs it asks again in its next pass, and perhaps the file answers by then. What nobody would ask for again stays. */
      if (!n->sticky && !n->origin->sticky) {
        set_aside(st, node, cause);
      } else {
        set_cause(s, n->page, cause);
        lp_fill_queue_park(&st->queue, node, true);
        s->parks = true;
      }
      continue;
    }
    lp_job *job = &w->job;
    *job = (lp_job){.source = s, .first_page = n->page};
    lp_page *p = resident(s, n->page);
    int32_t length = lp_page_length(s, n->page);
    int64_t capacity = s->file->ops->capacity(s, LP_READ_BYTES);
    if (p) {
      /* What is missing after the valid range first, then what is missing before it, so that it grows without a hole. */
      int32_t lo = (int32_t)(valid_of(p) >> 16), hi = (int32_t)(valid_of(p) & 0xffff);
      assert(hi > lo && (lo > 0 || hi < length));
      job->extends = true;
      job->frames = hi < length ? length - hi : lo;
      if (job->frames > capacity) job->frames = capacity;
      job->from = hi < length ? hi : lo - (int32_t)job->frames;
      job->count = 1;
      job->nodes[0] = node;
      job->pages[0] = p;
      lp_residency_pin(&st->residency, p);
      lp_fill_queue_take(&st->queue, node);
      set_cause(s, n->page, LP_CAUSE_READ);
    } else {
      int room = join(st, job, node);
      if (room == LP_ROOM_LATER) return TAKE_LATER;
      if (room == LP_ROOM_REFUSED) {
        refuse(st, node, LP_CAUSE_BUDGET);
        continue;
      }
      job->from = n->first_frame < length ? n->first_frame : 0;
      job->frames = length - job->from;
      if (job->frames > capacity)
        job->frames = capacity; /* the rest is the next step's */
      else if (!n->alone)
        join_neighbours(st, job, capacity);
    }
    if (!lp_lease_begin(&st->files, s, (n->page << s->page_shift) + job->from, &job->lease)) {
      put_back(st, job);
      return TAKE_LATER;
    }
    lp_source_ref(s); /* it has one: the last goes under the mutex, together with its nodes */
    return TAKE_JOB;
  }
}

/* [under the mutex] From here on the thread may hang, at a volume (LP_VOLUMES: at none in particular). */
static void begin_wait(lp_store *st, lp_worker *w, uint32_t volume) {
  w->volume = volume;
  if (volume < LP_VOLUMES) st->volumes.of[volume].reading++;
  w->read_since_ns = lp_monotonic_ns();
  atomic_store_explicit(&w->phase, LP_PHASE_READING, memory_order_relaxed); /* the mutex orders it */
}

/* [under the mutex] A thread has come back from a file: what waited for that may be read. */
static void unpark(lp_store *st, lp_source *s) {
  if (!s->parks) return;
  s->parks = false;
  for (uint32_t node = s->first_node; node; node = st->queue.nodes[node].next)
    if (st->queue.nodes[node].state == LP_NODE_QUEUED) lp_fill_queue_park(&st->queue, node, false);
  lp_wake(st, 1);
}

/* [under the mutex] It did not, or not for ever. */
static void end_wait(lp_store *st, lp_worker *w) {
  if (w->volume < LP_VOLUMES) {
    lp_volume *v = &st->volumes.of[w->volume];
    v->reading--;
    if (atomic_load_explicit(&w->phase, memory_order_relaxed) == LP_PHASE_STRIPPED) v->stalled--;
    if (v->reading + 1 >= st->threads && st->queue.queued) lp_wake(st, 1); /* somebody may have been kept away */
    w->volume = LP_VOLUMES;
    unpark(st, w->job.source);
  }
  atomic_store_explicit(&w->phase, LP_PHASE_IDLE, memory_order_relaxed);
}

bool lp_pool_has_work(lp_store *st) {
  if (st->gate_closed && st->gate_permits == 0) return false;
  lp_volume_set full[2];
  full_volumes(st, full);
  return lp_fill_queue_best(&st->queue, engine_now(st), full) != 0;
}

/* [under the mutex] As choose_job, at the gate. */
static int take_job(lp_store *st, lp_worker *w) {
  if (st->gate_closed && st->gate_permits == 0) return TAKE_NONE;
  int taken = choose_job(st, w);
  lp_note_queue_length(st);
  if (taken != TAKE_JOB) return taken;
  if (st->gate_closed) st->gate_permits--;
  begin_wait(st, w, w->job.source->volume);
  lp_account_begin(st, w);
  if (st->queue.queued) lp_pool_watch(st);
  return TAKE_JOB;
}

/* ---- doing it -------------------------------------------------------------------------------------------- */

/* What is not there: a file, or the disk or server that it was on. */
static uint8_t cause_of(int error) {
  switch (-error) {
    case ENOENT:
    case ENOTDIR:
    case ESTALE:
    case ENODEV:
    case ENXIO:
    case ENOTCONN:
    case ECONNABORTED:
    case EHOSTDOWN:
    case EHOSTUNREACH:
#ifdef ENOMEDIUM
    case ENOMEDIUM:
#endif
      return LP_CAUSE_ABSENT;
    default: return LP_CAUSE_READ;
  }
}

/* [pool, blocking] The read, into scratch. 0 or -errno. */
static int read_job(lp_store *st, lp_worker *w) {
  lp_job *job = &w->job;
  int r = lp_lease_open(&job->lease);
  if (r < 0) return r;
  lp_cursor *c = job->lease.cursor;
  int64_t frame = (job->first_page << job->source->page_shift) + job->from;
  if (c->frame != frame) r = c->ops->seek(c, job->lease.fd, frame);
  if (r < 0) return r;
  job->fetched = true;
  bool before = job->extends && job->from == 0; /* what a page lacks in front comes as a whole */
  c->begun = frame;
  uint64_t begun = lp_monotonic_ns(), bytes = 0;
  int64_t got = 0;
  do {
    int64_t n = c->ops->fetch(c, job->lease.fd, job->frames - got, w->scratch, got);
    if (n < 0) return (int)n;
    got += n;
    bytes += c->bytes;
    if (c->broken) lp_count(st, LP_COUNT_BROKEN, c->broken);
  } while (before && c->paused);
  if (job->source->media) lp_count(st, LP_COUNT_DECODE_NS, lp_monotonic_ns() - begun);
  lp_count(st, LP_COUNT_READS, 1);
  lp_count(st, LP_COUNT_BYTES, bytes);
  /* After the read: a writer changes the times before the bytes, so what was read before this look is of the file that we know. */
  r = lp_lease_check(&job->lease);
  if (r < 0) return r;
  if (got < job->frames && !c->paused) return -EIO;
  job->frames = got; /* the rest is the next step's */
  return got > 0 ? 0 : PAUSED;
}

/* [pool] Scratch to pages. Nobody else writes here: they are private, or pinned with this thread as the one that extends. */
static void convert_job(lp_worker *w) {
  lp_job *job = &w->job;
  int64_t done = 0;
  for (uint32_t i = 0; i < job->count && done < job->frames; i++) {
    lp_page *p = job->pages[i];
    int32_t at = i == 0 ? job->from : 0;
    int32_t end = lp_page_length(job->source, p->number);
    if (end - at > job->frames - done) end = at + (int32_t)(job->frames - done);
    job->lease.cursor->ops->deliver(job->lease.cursor, w->scratch, done, end - at, p->plane, at);
    done += end - at;
    int32_t lo = at, hi = end;
    if (job->extends) {
      int32_t had_lo = (int32_t)(valid_of(p) >> 16), had_hi = (int32_t)(valid_of(p) & 0xffff);
      assert(at == had_hi || end == had_lo);
      if (had_lo < lo) lo = had_lo;
      if (had_hi > hi) hi = had_hi;
    }
    /* Release: the samples are written before the range says so. */
    atomic_store_explicit(&p->valid, lp_valid(lo, hi), memory_order_release);
  }
}

/* [under the mutex] Links what was filled, or gives it back. Returns an fd to close. */
static int end_job(lp_store *st, lp_worker *w, int outcome) {
  lp_job *job = &w->job;
  lp_source *s = job->source;
  int error = outcome == PAUSED ? 0 : outcome;
  bool stripped = atomic_load_explicit(&w->phase, memory_order_relaxed) == LP_PHASE_STRIPPED;
  uint8_t cause = cause_of(error);
  bool of_the_file = !job->fetched || cause == LP_CAUSE_ABSENT;
  /* Which of them is bad is not known yet: each by itself, at once. */
  bool divide = error && !of_the_file && job->count > 1;
  for (uint32_t i = 0; i < job->count; i++) {
    uint32_t node = job->nodes[i];
    lp_fill_node *n = &st->queue.nodes[node];
    lp_page *p = stripped ? NULL : job->pages[i];
    bool filled = !error && p && valid_of(p) != 0;
    if (p) {
      if (filled && n->origin) lp_residency_mark(&st->residency, p, n->origin, n->tick, rank_of(n));
      if (job->extends) {
        lp_residency_unpin(&st->residency, p);
      } else if (filled) {
        lp_residency_link(&st->residency, p);
      } else {
        lp_slab_give(&st->residency.slab, p);
      }
    }
    if (filled) lp_count(st, LP_COUNT_FILLS, 1);
    if (error && !divide) {
      set_cause(s, n->page, cause);
      lp_node_forget(st, node);
    } else if (p && filled && is_whole(s, p)) {
      lp_node_forget(st, node);
    } else {
      n->alone = divide;
      requeue(st, node);
      if (outcome == PAUSED) set_cause(s, n->page, LP_CAUSE_DECODE);
    }
  }
  if (outcome == 0 && !stripped) lp_count(st, LP_COUNT_FRAMES, (uint64_t)job->frames);
  if (error) lp_count(st, LP_COUNT_ERRORS, 1);
  if (error && !divide) lp_file_failed(s->file, of_the_file ? -1 : job->first_page, cause, engine_now(st));
  if (outcome == 0) lp_file_succeeded(s->file, job->first_page, job->count);
  int fd = lp_lease_end(&st->files, &job->lease, error != 0);
  end_wait(st, w);
  lp_note_queue_length(st);
  note_outcome(st);
  return fd;
}

/* [under the mutex, left meanwhile] Closes what end_job handed out (-1: nothing), which may hang as reading may. */
static void close_place(lp_store *st, lp_worker *w, int fd) {
  if (fd < 0) return;
  w->job.count = 0;
  begin_wait(st, w, LP_VOLUMES);
  pthread_mutex_unlock(&st->mutex);
  lp_disk_wait_begin();
  (void)close(fd); /* read only: nothing can be lost */
  lp_disk_wait_end();
  pthread_mutex_lock(&st->mutex);
  end_wait(st, w);
  lp_files_closed(&st->files);
}

/* [pool] Enters and leaves without the mutex. False: the store was given up meanwhile, touch nothing of it any more. */
static bool run_job(lp_store *st, lp_worker *w) {
  uint64_t begun = lp_monotonic_ns();
  const uint64_t waited = lp_disk_waited_ns, bytes = lp_disk_bytes;
  int error = read_job(st, w);
  uint64_t read = lp_monotonic_ns();
  uint32_t phase = LP_PHASE_READING;
  /* Relaxed: whoever strips does so under the mutex, and what it did is looked at under the mutex. */
  bool ours = atomic_compare_exchange_strong_explicit(&w->phase, &phase, LP_PHASE_FILLING, memory_order_relaxed, memory_order_relaxed);
  if (ours && !error) convert_job(w);
  lp_count(st, LP_COUNT_READ_NS, read - begun);
  const uint64_t took = lp_monotonic_ns() - begun, disk = lp_disk_waited_ns - waited;
  w->job.bytes = lp_disk_bytes - bytes;
  lp_count(st, LP_COUNT_CONVERT_NS, took - (read - begun));
  lp_source *s = w->job.source;
  pthread_mutex_lock(&st->mutex);
  if (st->abandoned) {
    /* The engine behind now_ns and filled may be gone; the store itself was leaked for our sake. */
    pthread_mutex_unlock(&st->mutex);
    if (w->job.lease.opening && w->job.lease.fd >= 0) (void)close(w->job.lease.fd);
    return false;
  }
  lp_account_end(st, w, error == PAUSED ? 0 : error, disk, took > disk ? took - disk : 0);
  int fd = end_job(st, w, error);
  int spare = error == -EMFILE || error == -ENFILE ? lp_files_shrink(&st->files) : -1;
  /* Here, not after the files are closed: closing one may hang until the store is given up and the engine behind it gone. */
  if (st->config.filled) st->config.filled(st->config.context);
  close_place(st, w, fd);
  close_place(st, w, spare);
  pthread_mutex_unlock(&st->mutex);
  lp_source_unref(s);
  return true;
}

/* ---- indexes --------------------------------------------------------------------------------------------- */

/* [under the mutex, left meanwhile] With nothing to fill: one step of the index of a source that somebody asked for. One at a time of a volume, so that
 * the other threads stay free for fills. */
static bool index_step(lp_store *st, lp_worker *w) {
  if (st->indexes_wanted == 0 || st->gate_closed || st->stopping) return false;
  lp_source *s = st->sources;
  uint64_t now = engine_now(st);
  while (s && (s->indexing != LP_INDEX_WANTED || st->volumes.of[s->volume].indexing || now < s->file->backoff.retry_ns)) s = s->next;
  lp_lease lease;
  if (!s || !lp_lease_begin_bare(&st->files, s, &lease)) return false;
  lp_source_ref(s); /* it is in the store's list: it has one */
  lp_volume *volume = &st->volumes.of[s->volume];
  volume->indexing = true;
  s->indexing = LP_INDEX_RUNNING;
  st->indexes_wanted--;
  w->job = (lp_job){.source = s};
  begin_wait(st, w, s->volume);
  pthread_mutex_unlock(&st->mutex);
  int r = lp_lease_open(&lease);
  if (r == 0) r = lp_media_index_step(s->media, lease.fd, lp_monotonic_ns() + INDEX_STEP_NS);
  if (r >= 0) {
    int changed = lp_lease_check(&lease);
    if (changed < 0) r = changed;
  }
  pthread_mutex_lock(&st->mutex);
  if (st->abandoned) return false;
  end_wait(st, w);
  volume->indexing = false;
  /* Without an index seeking takes longer, and that is all: after an error nobody tries again. */
  s->indexing = r > 0 ? LP_INDEX_WANTED : LP_INDEX_DONE;
  if (r > 0) st->indexes_wanted++;
  close_place(st, w, lp_lease_end(&st->files, &lease, r < 0));
  pthread_mutex_unlock(&st->mutex);
  lp_source_unref(s);
  pthread_mutex_lock(&st->mutex);
  return true;
}

/* ---- turns ----------------------------------------------------------------------------------------------- */

enum lp_turn lp_pool_turn(lp_store *st, lp_worker *w) {
  int taken = take_job(st, w);
  if (taken == TAKE_LATER) return LP_TURN_LATER;
  if (taken == TAKE_NONE) return index_step(st, w) ? LP_TURN_DONE : LP_TURN_NONE;
  pthread_mutex_unlock(&st->mutex);
  if (!run_job(st, w)) return LP_TURN_ABANDONED;
  pthread_mutex_lock(&st->mutex);
  return LP_TURN_DONE;
}

int lp_pool_step(lp_store *st) {
  uint64_t mode = lp_float_mode_flush(); /* the same bits as in a thread of the pool */
  pthread_mutex_lock(&st->mutex);
  enum lp_turn turn = lp_pool_turn(st, &st->workers[0]); /* never ABANDONED: nobody gives the store up while its owner is in here */
  pthread_mutex_unlock(&st->mutex);
  lp_float_mode_restore(mode);
  return turn == LP_TURN_DONE;
}

void lp_pool_note_stalls(lp_store *st) {
  uint64_t now = lp_monotonic_ns();
  for (uint32_t i = 0; i < st->worker_room; i++) {
    lp_worker *w = &st->workers[i];
    uint32_t phase = LP_PHASE_READING;
    if (atomic_load_explicit(&w->phase, memory_order_relaxed) != phase || now - w->read_since_ns < STALLED_AFTER_NS) continue;
    /* Relaxed: we hold the mutex, and the thread takes it before it looks at what we change. */
    if (!atomic_compare_exchange_strong_explicit(&w->phase, &phase, LP_PHASE_STRIPPED, memory_order_relaxed, memory_order_relaxed)) continue;
    lp_job *job = &w->job;
    for (uint32_t k = 0; k < job->count; k++) {
      if (job->extends)
        lp_residency_unpin(&st->residency, job->pages[k]);
      else
        lp_slab_give(&st->residency.slab, job->pages[k]);
      job->pages[k] = NULL;
      set_cause(job->source, st->queue.nodes[job->nodes[k]].page, LP_CAUSE_STALLED);
    }
    /* What else is asked for of that file waits for the same disk. */
    for (uint32_t node = job->count ? job->source->first_node : 0; node; node = st->queue.nodes[node].next)
      if (st->queue.nodes[node].state == LP_NODE_QUEUED) set_cause(job->source, st->queue.nodes[node].page, LP_CAUSE_STALLED);
    if (w->volume < LP_VOLUMES) st->volumes.of[w->volume].stalled++;
    lp_count(st, LP_COUNT_STALLED, 1);
    lp_account_stall(st, w);
  }
}
