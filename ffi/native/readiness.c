/* What of a source is resident, in the columns of a drawing. No sample is read, so no epoch is entered: a page that goes between two loads is one that
 * went a moment ago. */
#include <math.h>
#include <stdlib.h>

#include "clip_path.h"
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
                          double to_frame, double source_frame, double step, uint8_t *out) {
  const double limit = 9007199254740992.0;
  if (to_column < from_column || !(fabs(from_frame) <= limit) || !(fabs(to_frame) <= limit) || !(fabs(source_frame) <= limit)) return LP_E_ARGUMENT;
  if (!(fabs(step) >= (double)LP_MIN_STEP / LP_PARTS && fabs(step) <= (double)LP_MAX_STEP / LP_PARTS)) return LP_E_ARGUMENT;
  lp_clip clip = {.first = (int64_t)floor(source_frame), .step = (int64_t)(step * LP_PARTS)};
  clip.fraction = (uint32_t)((source_frame - floor(source_frame)) * LP_PARTS);
  if (clip.fraction || llabs(clip.step) != LP_PARTS) {
    clip.table = lp_speed_table_of(clip.step);
    if (!clip.table) return LP_E_MEMORY;
  }
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
    const lp_span span = lp_clip_span(&clip, a - (int64_t)from_frame, b - (int64_t)from_frame);
    const uint8_t found = (uint8_t)readiness(s, &f, span.from, span.to);
    if (found > out[c]) out[c] = found;
  }
  lp_source_unref(s);
  return LP_OK;
}
