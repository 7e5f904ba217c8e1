#include "account.h"

#include <math.h>

/* Of a mean of latencies, what each new one weighs. */
#define LATENCY_WEIGHT 0.1

static uint64_t engine_now(const lp_store *st) { return st->config.now_ns(st->config.context); }

/* ---- what the pool tells --------------------------------------------------------------------------------- */

void lp_account_begin(lp_store *st, lp_worker *w) {
  lp_job *job = &w->job;
  const uint64_t now = engine_now(st);
  job->begun_ns = now;
  for (uint32_t i = 0; i < job->count; i++) {
    const lp_fill_node *n = &st->queue.nodes[job->nodes[i]];
    const bool realtime = n->key.tier == LP_TIER_REALTIME;
    lp_histogram_add(&st->histograms[realtime ? LP_STORE_QUEUE_REALTIME : LP_STORE_QUEUE_ANTICIPATIVE], now > n->queued_ns ? now - n->queued_ns : 0);
  }
  lp_volume *v = &st->volumes.of[job->source->volume];
  if (v->filling++ == 0) v->busy_since_ns = now;
}

/* The part of the job that lies in its page i: frames [*from, … + returned) of it. */
static int32_t part_of(const lp_job *job, uint32_t i, int64_t before, int32_t *from) {
  *from = i == 0 ? job->from : 0;
  const int64_t length = lp_page_length(job->source, job->first_page + i) - *from;
  const int64_t left = job->frames - before;
  return (int32_t)(length < left ? length : left);
}

static void note_pages(lp_store *st, const lp_job *job, uint32_t outcome, int error, uint64_t read_ns, uint64_t decode_ns) {
  const uint64_t now = engine_now(st);
  const lp_source *s = job->source;
  int64_t before = 0;
  for (uint32_t i = 0; i < job->count && before < job->frames; i++) {
    const lp_fill_node *n = &st->queue.nodes[job->nodes[i]];
    int32_t from;
    const int32_t frames = part_of(job, i, before, &from);
    before += frames;
    /* Who came in time is of no interest, and nor is who was not waited for. */
    const bool near = n->key.tier == LP_TIER_REALTIME && now + LP_FILL_NEAR_NS > n->key.deadline_ns;
    if (outcome == LP_FILL_FILLED && !near) continue;
    lp_fill_log_add(&st->fill_log, &(lp_fill_entry){.source = s->handle,
                                                    .outcome = outcome,
                                                    .page = n->page,
                                                    .from = (n->page << s->page_shift) + from,
                                                    .frames = frames,
                                                    .asked_ns = n->key.asked_ns,
                                                    .queued_ns = n->queued_ns,
                                                    .begun_ns = job->begun_ns,
                                                    .ended_ns = now,
                                                    .due_ns = n->key.deadline_ns,
                                                    .read_ns = read_ns,
                                                    .decode_ns = decode_ns,
                                                    .volume = st->volumes.of[s->volume].id,
                                                    .error = error});
  }
}

static void add_to(lp_fetched *f, const lp_job *job, bool failed, uint64_t read_ns, uint64_t decode_ns, uint64_t decoded) {
  f->reads++;
  f->bytes += job->bytes;
  f->read_ns += read_ns;
  f->decode_ns += decode_ns;
  f->decoded += decoded;
  f->errors += failed;
  int64_t before = 0;
  int32_t from;
  for (uint32_t i = 0; i < job->count && before < job->frames && !failed; i++, f->fills++) before += part_of(job, i, before, &from);
}

void lp_account_end(lp_store *st, lp_worker *w, int outcome, uint64_t read_ns, uint64_t decode_ns) {
  const lp_job *job = &w->job;
  lp_source *s = job->source;
  const bool failed = outcome < 0;
  const bool stripped = atomic_load_explicit(&w->phase, memory_order_relaxed) == LP_PHASE_STRIPPED;
  lp_histogram_add(&st->histograms[LP_STORE_READ], read_ns);
  lp_histogram_add(&st->histograms[LP_STORE_DECODE], decode_ns);
  const bool compressed = s->media && !failed;
  const uint64_t decoded = compressed ? (uint64_t)((double)job->frames * s->format.sample_rate / st->config.sample_rate) : 0;
  add_to(&s->fetched, job, failed, read_ns, decode_ns, decoded);
  lp_volume *v = &st->volumes.of[s->volume];
  add_to(&v->fetched, job, failed, read_ns, decode_ns, decoded);
  v->latency_ns += ((double)read_ns - v->latency_ns) * (v->fetched.reads == 1 ? 1 : LATENCY_WEIGHT);
  if (read_ns > v->longest_ns) v->longest_ns = read_ns;
  if (--v->filling == 0) v->busy_ns += engine_now(st) - v->busy_since_ns;
  /* Nothing came into the pages of one that was found hanging: others read them. */
  if (!stripped) note_pages(st, job, failed ? LP_FILL_FAILED : LP_FILL_FILLED, outcome < 0 ? -outcome : 0, read_ns, decode_ns);
}

void lp_account_stall(lp_store *st, const lp_worker *w) {
  const lp_job *job = &w->job;
  if (w->volume < LP_VOLUMES) st->volumes.of[w->volume].fetched.stalls++;
  if (job->count == 0) return; /* at an index, or closing a file */
  job->source->fetched.stalls++;
  note_pages(st, job, LP_FILL_STALLED, 0, engine_now(st) - job->begun_ns, 0);
}

/* ---- who asks -------------------------------------------------------------------------------------------- */

uint32_t lp_store_histogram_read(lp_store *st, uint32_t which, double *out, uint32_t count) { return lp_histogram_read(&st->histograms[which], out, count); }

static void put_fetched(const lp_fetched *f, double out[8]) {
  const double all[8] = {(double)f->reads,   (double)f->bytes, (double)f->read_ns / 1e6, (double)f->decode_ns / 1e6,
                         (double)f->decoded, (double)f->fills, (double)f->errors,        (double)f->stalls};
  for (int i = 0; i < 8; i++) out[i] = all[i];
}

uint32_t lp_store_source_stats_read(lp_store *st, const lp_source *one, double *out, uint32_t count) {
  uint32_t n = 0;
  pthread_mutex_lock(&st->mutex);
  /* One by itself is not looked for: many are closed while others play. */
  for (const lp_source *s = one ? one : st->sources; s; s = one ? NULL : s->next) {
    if (!one && s->fetched.reads == 0 && s->fetched.stalls == 0) continue;
    if ((n + 1) * LP_SOURCE_STATS <= count) {
      double *r = out + n * LP_SOURCE_STATS;
      r[0] = s->handle;
      put_fetched(&s->fetched, r + 1);
    }
    n++;
  }
  pthread_mutex_unlock(&st->mutex);
  return n;
}

uint32_t lp_store_volume_stats_read(lp_store *st, double *out, uint32_t count) {
  uint32_t n = 0;
  pthread_mutex_lock(&st->mutex);
  const uint64_t now = engine_now(st);
  for (uint32_t i = 0; i < LP_VOLUMES; i++) {
    const lp_volume *v = &st->volumes.of[i];
    if (v->sources == 0 && v->fetched.reads == 0) continue;
    if ((n + 1) * LP_VOLUME_STATS > count) break;
    double *r = out + n++ * LP_VOLUME_STATS;
    r[0] = (double)v->id;
    r[1] = v->sources;
    r[2] = v->reading;
    r[3] = v->stalled;
    put_fetched(&v->fetched, r + 4);
    r[12] = (double)(v->busy_ns + (v->filling ? now - v->busy_since_ns : 0)) / 1e6;
    r[13] = v->latency_ns / 1e6;
    r[14] = (double)v->longest_ns / 1e6;
  }
  pthread_mutex_unlock(&st->mutex);
  return n;
}

uint32_t lp_store_fills_read(lp_store *st, double since, double *out, uint32_t count) {
  pthread_mutex_lock(&st->mutex);
  const uint32_t n = lp_fill_log_read(&st->fill_log, since, out, count);
  pthread_mutex_unlock(&st->mutex);
  return n;
}

/* [under the mutex] The thread that is at a node, or NULL. */
static const lp_worker *worker_at(const lp_store *st, uint32_t node) {
  for (uint32_t i = 0; i < st->worker_room; i++) {
    const lp_worker *w = &st->workers[i];
    if (atomic_load_explicit(&w->phase, memory_order_relaxed) == LP_PHASE_IDLE) continue;
    for (uint32_t k = 0; k < w->job.count; k++)
      if (w->job.nodes[k] == node) return w;
  }
  return NULL;
}

uint32_t lp_store_page_state_read(lp_store *st, const lp_source *s, int64_t page, double *out, uint32_t count) {
  double all[LP_PAGE_STATE] = {0, LP_PAGE_UNASKED, NAN, NAN, NAN, NAN, (double)st->volumes.of[s->volume].id, (double)page};
  pthread_mutex_lock(&st->mutex);
  const lp_entry *e = lp_source_entry(s, page);
  const lp_page *p = e ? atomic_load_explicit(&e->page, memory_order_relaxed) : NULL;
  const uint32_t valid = p ? atomic_load_explicit(&p->valid, memory_order_relaxed) : 0;
  all[0] = valid == lp_valid(0, lp_page_length(s, page)) ? 2 : valid ? 1 : 0;
  if (e && e->queued) {
    const lp_fill_node *n = &st->queue.nodes[e->queued];
    const lp_worker *w = n->state == LP_NODE_RUNNING ? worker_at(st, e->queued) : NULL;
    const bool stalled = w && atomic_load_explicit(&w->phase, memory_order_relaxed) == LP_PHASE_STRIPPED;
    all[1] = stalled ? LP_PAGE_STALLED : n->state == LP_NODE_RUNNING ? LP_PAGE_READING : LP_PAGE_WAITING;
    all[2] = (double)n->key.asked_ns / 1e6;
    all[3] = (double)n->queued_ns / 1e6;
    if (w) all[4] = (double)w->job.begun_ns / 1e6;
    if (n->key.deadline_ns != UINT64_MAX) all[5] = (double)n->key.deadline_ns / 1e6;
  }
  pthread_mutex_unlock(&st->mutex);
  if (count > LP_PAGE_STATE) count = LP_PAGE_STATE;
  for (uint32_t i = 0; i < count; i++) out[i] = all[i];
  return count;
}
