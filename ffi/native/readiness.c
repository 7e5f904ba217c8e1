/* What of a source is resident, in the columns of a drawing. No sample is read, so no epoch is entered: a page that goes between two loads is one that
 * went a moment ago. */
#include <math.h>

#include "engine_internal.h"
#include "store_internal.h"

/* A copy of what has failed of a file and did not come since. */
typedef struct failures {
  bool whole;
  uint32_t count;
  int64_t pages[LP_BAD_PAGES];
} failures;

static failures failures_of(lp_source *s) {
  failures f = {0};
  pthread_mutex_lock(&s->store->mutex);
  f.whole = s->file->backoff.wait_ns != 0;
  for (uint32_t i = 0; i < LP_BAD_PAGES; i++)
    if (s->file->bad[i].backoff.wait_ns) f.pages[f.count++] = s->file->bad[i].page;
  pthread_mutex_unlock(&s->store->mutex);
  return f;
}

/* Of source frames [from, to). */
static enum lp_readiness readiness(const lp_source *s, const failures *f, int64_t from, int64_t to) {
  uint32_t cause;
  if (lp_source_run(s, from, to - from, &cause) >= to - from) return LP_READY;
  if (f->whole) return LP_UNREADABLE;
  for (uint32_t i = 0; i < f->count; i++) {
    int64_t begin = f->pages[i] << s->page_shift, end = begin + s->page_frames;
    if (begin < from) begin = from;
    if (end > to) end = to;
    if (end > begin && lp_source_run(s, begin, end - begin, &cause) < end - begin) return LP_UNREADABLE;
  }
  return LP_NOT_READ;
}

int32_t lp_source_columns(uint32_t engine, uint32_t source, const double *first, const double *end, uint32_t from_column, uint32_t to_column, double from_frame,
                          double to_frame, double shift_frames, uint8_t *out) {
  const double limit = 9007199254740992.0;
  if (to_column < from_column || !(fabs(from_frame) <= limit) || !(fabs(to_frame) <= limit) || !(fabs(shift_frames) <= limit)) return LP_E_ARGUMENT;
  lp_engine *e = lp_handle_get(engine, LP_KIND_ENGINE);
  if (!e) return LP_E_HANDLE;
  pthread_mutex_lock(&e->source_lock);
  lp_source *s = lp_engine_source(e, source);
  if (s) lp_source_ref(s);
  pthread_mutex_unlock(&e->source_lock);
  if (!s) return LP_E_HANDLE;
  const failures f = failures_of(s);
  for (uint32_t c = from_column; c < to_column; c++) {
    if (!(fabs(first[c]) <= limit) || !(fabs(end[c]) <= limit)) continue;
    const int64_t a = (int64_t)(first[c] > from_frame ? first[c] : from_frame), b = (int64_t)(end[c] < to_frame ? end[c] : to_frame);
    if (a >= b || out[c] == LP_UNREADABLE) continue;
    const uint8_t found = (uint8_t)readiness(s, &f, a + (int64_t)shift_frames, b + (int64_t)shift_frames);
    if (found > out[c]) out[c] = found;
  }
  lp_source_unref(s);
  return LP_OK;
}
