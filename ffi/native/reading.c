#include "reading.h"

#include <string.h>

/* A clip at another rate is read in pieces: so many frames of its source, and what the filter reaches, lie on three pages at most. */
#define PIECE_FRAMES LP_READING_FRAMES

int32_t lp_reading_most(const lp_clip *c) {
  const int64_t step = c->step > 0 ? c->step : -c->step, most = (int64_t)PIECE_FRAMES * LP_PARTS / step;
  return most < LP_BLOCK ? (int32_t)most : LP_BLOCK;
}

void lp_reading_look(lp_reading *r, const lp_clip *c, const lp_source *s, int64_t k, int32_t n, int64_t ahead) {
  r->clip = c;
  const lp_span span = lp_clip_span(c, k, k + n);
  (void)lp_view_look(&r->view, s, span.from, span.to - span.from + (lp_clip_is_forward(c) ? ahead : 0));
}

int64_t lp_reading_run(const lp_reading *r, int64_t k, int64_t max, uint32_t *cause) {
  const lp_clip *c = r->clip;
  if (max <= 0) return 0;
  if (lp_clip_is_forward(c)) return lp_view_run(&r->view, lp_clip_spot(c, k).frame, max, cause);
  const lp_span span = lp_clip_span(c, k, k + max);
  const int64_t length = span.to - span.from, reach = lp_clip_reach(c);
  if (c->step > 0) {
    const int64_t run = lp_view_run_on(&r->view, span.from, length, cause);
    return run == length ? max : lp_clip_frames_to(c, k, span.from + run - reach, max);
  }
  const int64_t run = lp_view_run_back(&r->view, span.to, length, cause);
  return run == length ? max : lp_clip_frames_to(c, k, span.to - run + (reach ? reach - 1 : 0), max);
}

int64_t lp_reading_hole(const lp_reading *r, int64_t k, int64_t max, int64_t *first) {
  const lp_clip *c = r->clip;
  *first = lp_clip_spot(c, k).frame;
  if (max <= 0) return 0;
  if (lp_clip_is_forward(c)) return lp_view_hole(&r->view, *first, max);
  const int64_t taps = lp_clip_taps(c), reach = lp_clip_reach(c), before = reach ? reach - 1 : 0;
  const lp_span all = lp_clip_span(c, k, k + max);
  int64_t hole = 0;
  /* From window to window: the next that may be there lies beyond what this one lacks. A page that comes meanwhile ends nothing but this hole. */
  while (hole < max) {
    const lp_span window = lp_clip_span(c, k + hole, k + hole + 1);
    if (c->step > 0) {
      const int64_t lacks = window.from + lp_view_run_on(&r->view, window.from, taps, NULL);
      if (lacks == window.to) break;
      if (hole == 0) *first = lacks;
      const int64_t end = lacks + lp_view_hole_on(&r->view, lacks, all.to - lacks);
      hole += lp_clip_frames_to(c, k + hole, (end > lacks ? end : lacks + 1) + before, max - hole);
    } else {
      const int64_t lacks = window.to - lp_view_run_back(&r->view, window.to, taps, NULL); /* the one before it does */
      if (lacks == window.from) break;
      if (hole == 0) *first = lacks - 1;
      const int64_t end = lacks - lp_view_hole_back(&r->view, lacks, lacks - all.from);
      hole += lp_clip_frames_to(c, k + hole, (end < lacks ? end : lacks - 1) - reach, max - hole);
    }
  }
  return hole;
}

bool lp_reading_is_beyond(const lp_reading *r, int64_t k, int32_t n) {
  const lp_span span = lp_clip_span(r->clip, k, k + n);
  return span.from >= r->view.source->frames || span.to <= 0;
}

bool lp_source_is_plain(const lp_source *s) {
  if (s->channels == 1) return s->fold[0][0] == 1.0f && s->fold[0][1] == 1.0f;
  return s->channels == 2 && s->fold[0][0] == 1.0f && s->fold[0][1] == 0.0f && s->fold[1][0] == 0.0f && s->fold[1][1] == 1.0f;
}

/* Folds a source's channels to two sides. Mono and stereo need no work: the planes themselves are the sides. */
static void fold(const lp_source *s, float *const *planes, int64_t n, float *restrict left, float *restrict right) {
  memset(left, 0, (size_t)n * sizeof *left);
  memset(right, 0, (size_t)n * sizeof *right);
  for (uint32_t c = 0; c < s->channels; c++) {
    const float *restrict in = planes[c];
    const float l = s->fold[c][0], r = s->fold[c][1];
    for (int64_t i = 0; i < n; i++) left[i] += in[i] * l;
    for (int64_t i = 0; i < n; i++) right[i] += in[i] * r;
  }
}

static void turn(float *x, int64_t n) {
  for (int64_t i = 0, k = n - 1; i < k; i++, k--) {
    const float kept = x[i];
    x[i] = x[k];
    x[k] = kept;
  }
}

void lp_reading_sides(lp_renderer *renderer, const lp_reading *r, int64_t k, int32_t n, float store[2][LP_BLOCK], float *sides[2]) {
  const lp_clip *c = r->clip;
  const lp_source *s = r->view.source;
  const lp_span span = lp_clip_span(c, k, k + n);
  const int64_t length = span.to - span.from;
  float *const *planes = renderer->scratch;
  lp_view_read(&r->view, span.from, (int32_t)length, planes);
  sides[0] = planes[0];
  sides[1] = planes[s->channels > 1 ? 1 : 0];
  if (!lp_source_is_plain(s)) {
    fold(s, planes, length, renderer->folded[0], renderer->folded[1]);
    sides[0] = renderer->folded[0];
    sides[1] = renderer->folded[1];
  }
  const uint32_t count = sides[0] == sides[1] ? 1 : 2;
  if (!c->table) {
    for (uint32_t side = 0; side < count && c->step < 0; side++) turn(sides[side], length);
    return;
  }
  const lp_spot spot = lp_clip_spot(c, k);
  /* The first tap of a frame lies `reach - 1` before its place. */
  const int64_t at = (spot.frame - (lp_clip_reach(c) - 1) - span.from) * LP_PARTS + spot.fraction;
  const float *const in[2] = {sides[0], sides[1]};
  float *const out[2] = {store[0], store[1]};
  renderer->speed->play(c->table, in, count, at, c->step, n, out);
  sides[0] = store[0];
  sides[1] = store[count - 1];
}
